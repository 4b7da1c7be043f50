/* p11_make: any of the functions of PKCS#11 2.40, or of 3.0, called with arguments from an array of numbers. */
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

/* All of the 92, through a list of 3.0. */
struct p11_maker_3_0 {
    const char *name;
    CK_RV (*make)(const CK_FUNCTION_LIST_3_0 *p11, const uintptr_t *v);
    size_t parameters;
};

extern const struct p11_maker_3_0 p11_makers_3_0[P11_CALL_COUNT_3_0];

#endif
