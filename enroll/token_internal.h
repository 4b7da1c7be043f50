/*
 * token_internal: what the token*.c files share. No other file includes this.
 */
#ifndef PINWARD_ENROLL_TOKEN_INTERNAL_H
#define PINWARD_ENROLL_TOKEN_INTERNAL_H

#include <libp11.h>
#include <p11-kit/pkcs11.h>

#include "enroll/token.h"

struct token {
    const struct config *config;
    PKCS11_CTX *context;
    PKCS11_SLOT *slots;
    unsigned slot_count;
    PKCS11_SLOT *slot; /* one of slots */
    bool logged_in;
    int lock; /* of this token among the tools of this user; -1: not taken */
    UI_METHOD *ui_method;
    EC_KEY_METHOD *agreement; /* token_agree.c; NULL until it is needed */
    void *module; /* the instance that libp11 has loaded, for what libp11 does not offer */
    CK_FUNCTION_LIST *functions;
};

/* Keeps other tools of this user from the token until it is closed. ERROR_STATE: one has it, and the sentence says which:
 * token_hold.c. */
enum error_code token_hold(struct token *token, struct error *err);

/* Asks for the batch, which logs the user in; or nobody, where the module has none. *session: one that is to be closed
 * after libp11 has opened its own, since the login ends with the last session; CK_INVALID_HANDLE: none. */
enum error_code token_batch_request(struct token *token, const struct token_batch *batch,
                                    CK_SESSION_HANDLE *session, struct error *err);

/* With isolated = yes: the environment says where the agent is, for p11-kit's client. ERROR_STATE: nowhere. */
enum error_code token_isolated_address(const struct config *config, struct error *err);

/* ERROR_STATE: no agent answers. */
enum error_code token_isolated_is_served(const struct token *token, struct error *err);

/* ERROR_STATE: the mechanism does not come through to the agent. what: what it is wanted for, the beginning of a
 * sentence. */
enum error_code token_isolated_carries(const struct token *token, CK_MECHANISM_TYPE type, const char *what,
                                       struct error *err);

/* Frees what token_decryption_key has made for the token. */
void token_agree_end(struct token *token);

/* The sentence for a return value of the module. Never ERROR_NONE. */
enum error_code token_failed_rv(struct error *err, CK_RV rv, const char *what);

/* -- objects, for what libp11 does not offer: token_key.c -- */

#define TOKEN_FIND_MAX 256

/* A session of our own beside libp11's, to be closed with C_CloseSession. */
enum error_code token_session_open(struct token *token, CK_SESSION_HANDLE *session, struct error *err);

enum error_code token_find_objects(struct token *token, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
                                   CK_ULONG template_count, CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX], CK_ULONG *count,
                                   struct error *err);

/* The one private key with this CKA_ID. */
enum error_code token_find_private(struct token *token, CK_SESSION_HANDLE session, const struct bytes *id,
                                   CK_OBJECT_HANDLE *key, struct error *err);

/* The attribute has a value; a token that was interrupted may have made an object and not yet filled it. */
bool token_has_attribute(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                         CK_ATTRIBUTE_TYPE type);

/* The object is a key with its particulars: a public key that can be used, or a private key of which only its token can
 * tell more. */
bool token_is_whole(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, bool private_half);

/* Deletes the objects of this class and CKA_ID. */
enum error_code token_delete_objects(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                                     const struct bytes *id, struct error *err);

/* Removes the keys of this class with this id, and those that an interrupted run has left without any particulars
 * (token_generate.c). */
enum error_code token_clean_up(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                               const struct bytes *id, struct error *err);

#endif
