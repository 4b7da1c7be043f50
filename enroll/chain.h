/*
 * chain: the CA certificates behind the user's own, kept on the token, so that applications find the whole
 * chain.
 *
 * Owner: nothing is kept. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_CHAIN_H
#define PINWARD_ENROLL_CHAIN_H

#include <openssl/x509.h>

#include "common/error.h"
#include "enroll/token.h"

/* Writes the CA certificates of a verified chain (the user's own first), each under its own key identifier
 * and name. Those that are there are left. */
enum error_code chain_write(struct token *token, const STACK_OF(X509) * chain, struct error *err);

#endif
