/* test: cmocka with the headers that it wants before itself, and the asserts the suites share. */
#ifndef PINWARD_TESTS_TEST_H
#define PINWARD_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_rv(call, expected) assert_int_equal((call), (expected))
#define assert_ok(call)           assert_int_equal((call), CKR_OK)
#define assert_contains(text, part)                                                                          \
    do {                                                                                                     \
        if (!strstr((text), (part)))                                                                         \
            fail_msg("\"%s\" is not in:\n%s", (part), (text));                                               \
    } while (0)
#define assert_not_contains(text, part)                                                                      \
    do {                                                                                                     \
        if (strstr((text), (part)))                                                                          \
            fail_msg("\"%s\" is in:\n%s", (part), (text));                                                   \
    } while (0)

#endif
