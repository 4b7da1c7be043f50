/*
 * token: the user's token behind pinward-pkcs11.so. Only the token*.c files know libp11 and PKCS#11.
 *
 * The module shows a protected authentication path, so that the PIN is typed into the module's own prompt and
 * never passes through this program. A module that does not (prompt = application) gets the PIN from ask_pin.
 * Files: token.c (opening, login), token_batch.c (one PIN entry for many uses), token_isolated.c (through pinward-agent), token_error.c, token_generate.c, token_key.c, token_certificate.c.
 * Owner: struct token is one token with one login; keys and certificates found on it are new references that
 * must be freed before it. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_TOKEN_H
#define PINWARD_ENROLL_TOKEN_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/config.h"
#include "common/error.h"
#include "enroll/bytes.h"
#include "enroll/key_profile.h"

struct token;

/* Loads the module and finds the configured token, or the only initialised one. Nobody is asked for a PIN. */
enum error_code token_open(const struct config *config, struct token **token, struct error *err);
void token_close(struct token **token);

const char *token_label(const struct token *token);
const char *token_serial(const struct token *token);

/* Logs the user in; nothing when that is done already. */
enum error_code token_login(struct token *token, struct error *err);

/* The private uses that are to come: the user is asked once for all of them (include/pinward.h, batch consent). */
struct token_batch {
    unsigned long uses;
    const char *purpose; /* translated; what does not fit is cut */
};

/* token_login for them. A module that knows no batches logs in, and asks at every use. */
enum error_code token_login_for(struct token *token, const struct token_batch *batch, struct error *err);

/* What just failed on the token, from OpenSSL's error queue, as a sentence; what: what was being done. */
enum error_code token_failed(struct error *err, const char *what);

/* -- keys (after token_login): token_key.c -- */

enum token_use { TOKEN_SIGNING, TOKEN_ENCRYPTION };

struct token_key {
    EVP_PKEY *pkey; /* every private use of it happens in the token */
    struct bytes id;
    char *label;
};

struct token_key_spec {
    enum token_use use;
    const struct key_profile *profile; /* what kind of keys is made; not looked at when one is imported */
    const struct bytes *id;
    const char *label;
    bool interrupted; /* an earlier run may have been interrupted in making it */
    bool exportable;  /* it can leave the token; the module asks */
};

#define TOKEN_PAIRS 2

/* Makes both pairs at the same time, each unless a private key with its id is there. What a killed run left half
 * made is replaced. seconds: how long each took, 0 when it was there. After an error one of them may have been made: the
 * same call goes on. */
enum error_code token_generate(struct token *token, const struct token_key_spec specs[TOKEN_PAIRS],
                               double seconds[TOKEN_PAIRS], struct error *err);

/* Deletes the pair with this id; the module asks for the PIN. Nothing there is success. */
enum error_code token_delete_pair(struct token *token, const struct bytes *id, struct error *err);

/* Whether a private key has this label. */
enum error_code token_has_label(struct token *token, const char *label, bool *has, struct error *err);

/* The private key with this id, or the one that belongs to this public key. *found is false when there is
 * none. */
enum error_code token_find_key_by_id(struct token *token, const struct bytes *id, bool *found,
                                     struct token_key *key, struct error *err);
enum error_code token_find_key_of(struct token *token, EVP_PKEY *public_key, bool *found,
                                  struct token_key *key, struct error *err);
void token_key_clear(struct token_key *key);

/* The key as something that decrypts, a new reference to be freed before the token: an RSA key is one; an EC key agrees on
 * the secret that what was encrypted is under (RFC 5753), which is one use of it: token_agree.c. */
enum error_code token_decryption_key(struct token *token, const struct token_key *key, EVP_PKEY **decrypting,
                                     struct error *err);

/* -- keys that leave and come (after token_login, but for the first): token_transfer.c -- */

/* ERROR_STATE: it cannot be done where the keys are used (token_isolated.c). */
enum error_code token_check_export(struct token *token, struct error *err);

/* Was the private key with this id made so that it can leave the token? false also when the token does not say. */
enum error_code token_key_is_exportable(struct token *token, const struct bytes *id, bool *exportable,
                                        struct error *err);

/* A copy of the private key with this id, whose public half is public_key; the module asks. */
enum error_code token_export_key(struct token *token, const struct bytes *id, EVP_PKEY *public_key, EVP_PKEY **key,
                                 struct error *err);

/* Writes the pair unless it is there, protected by the module like any other. spec: profile and exportable are not
 * looked at. */
enum error_code token_import_pair(struct token *token, EVP_PKEY *key, const struct token_key_spec *spec,
                                  struct error *err);

/* -- certificates: token_certificate.c -- */

/* The certificate with this serial number (lower-case hex) whose subject is an end entity's. No login needed.
 */
enum error_code token_find_certificate(struct token *token, const char *serial, bool *found,
                                       X509 **certificate, struct error *err);

/* All certificates on the token. No login needed. *list is a new stack. */
enum error_code token_list_certificates(struct token *token, STACK_OF(X509) * *list, struct error *err);

/* The same one by one, with their labels. */
enum error_code token_each_certificate(struct token *token,
                                       void (*take)(void *data, const char *label, X509 *certificate), void *data,
                                       struct error *err);

/* Deletes the certificates with this id. */
enum error_code token_delete_certificates(struct token *token, const struct bytes *id, struct error *err);

/* Writes it with this id and label, unless it is there, and reads it back. */
enum error_code token_write_certificate(struct token *token, X509 *certificate, const char *label,
                                        const struct bytes *id, struct error *err);

#endif
