/*
 * token_pair: the pairs of certificates with their private keys that a token holds: NAME (signing), NAME (encryption).
 *
 * Owner: struct token_pair is the caller's, until token_pair_clear and before the token is closed. Thread rule: one
 * thread.
 */
#ifndef PINWARD_ENROLL_TOKEN_PAIR_H
#define PINWARD_ENROLL_TOKEN_PAIR_H

#include "enroll/token.h"

struct token_half {
    struct token_key key;
    X509 *certificate;
};

struct token_pair {
    char *name; /* the labels of both, without what the key is for */
    struct token_half signing;
    struct token_half encryption;
    STACK_OF(X509) * chain; /* the CA certificates above the signing certificate that are on the token, as far as known */
};

/* "NAME (signing)" or "NAME (encryption)": the label of a key. A new string. */
char *token_pair_label(const char *name, enum token_use use);

/* What the certificate's key usage (RFC 5280, 4.2.1.3) says that its key is for. false: neither. */
bool token_pair_use(X509 *certificate, enum token_use *use);

/* The pair of this name; name NULL: the only one whose certificates have not expired. After token_login. ERROR_STATE:
 * there is none, or several. */
enum error_code token_pair_find(struct token *token, const char *name, struct token_pair *pair, struct error *err);
void token_pair_clear(struct token_pair *pair);

#endif
