/*
 * mock_see: what the recording backend keeps of the arguments of a call besides their values: the bytes that they
 * point to, since those are the caller's again when it returns.
 *
 * Owner: the one struct mock_backend. Thread rule: with the backend's lock held.
 */
#ifndef PINWARD_TESTS_MOCK_SEE_H
#define PINWARD_TESTS_MOCK_SEE_H

#include "support/mock_backend.h"

extern struct mock_backend mock_backend __attribute__((visibility("default")));

/* a: the arguments of the call, count: how many. */
void mock_see_template(const CK_ATTRIBUTE *template, CK_ULONG count);
void mock_see_unwrapped(const uintptr_t *a);
void mock_see_data(const uintptr_t *a);
void mock_see_message(const uintptr_t *a, size_t count);

/* The mechanism of an Init, which a careless backend keeps as a pointer, and what it finds there when it works. */
void mock_keep_mechanism(const CK_MECHANISM *mechanism);
void mock_use_mechanism(void);

#endif
