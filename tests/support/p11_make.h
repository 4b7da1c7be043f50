/* p11_make: any of the 68 functions called with arguments from an array of numbers. */
#ifndef PINWARD_TESTS_P11_MAKE_H
#define PINWARD_TESTS_P11_MAKE_H

#include <stdint.h>

#include "support/p11_calls.h"

struct p11_maker {
    const char *name;
    CK_RV (*make)(const CK_FUNCTION_LIST *p11, const uintptr_t *v);
    size_t parameters;
};

/* By enum p11_call. */
extern const struct p11_maker p11_makers[P11_CALL_COUNT];

#endif
