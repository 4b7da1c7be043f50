/*
 * answers: what the functions of PKCS#11 may answer.
 *
 * Owner: none. Thread rule: any thread.
 */
#ifndef PINWARD_TESTS_ANSWERS_H
#define PINWARD_TESTS_ANSWERS_H

#include <stdbool.h>

#include "support/p11_calls.h"

/* Every CKR of PKCS#11 2.40 and 3.0, CKR_OK first, and one that a vendor made up. */
extern const CK_RV answers_all[];
extern const unsigned answers_count;

/* May the function answer this? By the lists of PKCS#11 2.40, 5.1 and the functions' own, and by the table at the head of
 * docs/functions.md. Of the functions that the scenario calls. */
bool answers_allow(enum p11_call call, CK_RV rv);

/* The function's name. */
const char *answers_name(enum p11_call call);

#endif
