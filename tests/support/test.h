/* test: cmocka with the headers that it wants before itself, and the asserts the suites share. */
#ifndef PINWARD_TESTS_TEST_H
#define PINWARD_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/check_place.h"

/* What cmocka's macros call. */
#define NOTED(check, ...)           (check_place(__FILE__, __LINE__), check(__VA_ARGS__))
#define _assert_true(...)           NOTED(_assert_true, __VA_ARGS__)
#define _assert_int_equal(...)      NOTED(_assert_int_equal, __VA_ARGS__)
#define _assert_int_not_equal(...)  NOTED(_assert_int_not_equal, __VA_ARGS__)
#define _assert_string_equal(...)   NOTED(_assert_string_equal, __VA_ARGS__)
#define _assert_memory_equal(...)   NOTED(_assert_memory_equal, __VA_ARGS__)
#define _assert_in_range(...)       NOTED(_assert_in_range, __VA_ARGS__)
#define _fail(...)                  NOTED(_fail, __VA_ARGS__)

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
