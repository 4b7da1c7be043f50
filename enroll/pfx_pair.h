/*
 * pfx_pair: two PFX files that are to be a signing and an encryption pair of one person: opened and judged.
 *
 * Owner: struct pfx_pair is the verb's, until pfx_pair_clear. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_PFX_PAIR_H
#define PINWARD_ENROLL_PFX_PAIR_H

#include "common/error.h"
#include "enroll/app.h"
#include "enroll/pfx.h"

struct pfx_pair {
    struct pfx signing;
    struct pfx encryption;
    STACK_OF(X509) * chain; /* verified up to the pinned CA, without the person's own; NULL: no CA is configured */
};

/* Asks for the passwords, opens both, and checks use, owner, validity and issuer. ERROR_PFX, ERROR_LOGIN (password),
 * ERROR_CERTIFICATE, ERROR_IO: each way of being wrong has its sentence. */
enum error_code pfx_pair_open(const struct app *app, const char *signing_path, const char *encryption_path,
                              struct pfx_pair *pair, struct error *err);
void pfx_pair_clear(struct pfx_pair *pair);

#endif
