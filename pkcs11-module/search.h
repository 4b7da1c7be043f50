/*
 * search: what a search of the application's wants that the backend cannot judge: attributes that the gate shows
 * otherwise than the token has them (shown.h), and objects that it does not show at all (profile.h).
 *
 * Those attributes are taken out of the template, and what the backend finds is held against them one by one.
 * Owner: the wish is in the session's record, under its lock. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_SEARCH_H
#define PINWARD_MODULE_SEARCH_H

#include <stdbool.h>

#include "pkcs11-module/p11.h"

struct runtime;

enum search_flag { SEARCH_ANY, SEARCH_FALSE, SEARCH_TRUE, SEARCH_NOTHING };

struct search_wish {
    bool without_profiles;
    bool without_private_keys; /* a private part of a key was to be guessed */
    enum search_flag always_authenticate;
    enum search_flag enforced; /* CKA_PINWARD_ENFORCED */
};

/* What the template wants of the gate. rest, which has room for count attributes, gets what the backend is to be asked;
 * their number. */
CK_ULONG search_wish_take(struct search_wish *wish, const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE *rest);

bool search_wish_is_empty(const struct search_wish *wish);

/* Takes out what the wish does not want, and what cannot be judged. How many are left. */
CK_ULONG search_filter(struct runtime *rt, CK_SESSION_HANDLE session, const struct search_wish *wish,
                       CK_OBJECT_HANDLE *objects, CK_ULONG count);

#endif
