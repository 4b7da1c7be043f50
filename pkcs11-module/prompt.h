/*
 * prompt: the words of every question that the module puts to the user, and the asking of it.
 *
 * Files: prompt.c (the use of a key, and what comes of a question), prompt_pin.c (a PIN of the token), prompt_batch.c
 * (many uses at once), prompt_text.c (what the windows have in common).
 * Owner: nothing kept; a PIN that comes back belongs to the caller.
 * Thread rule: any thread; no lock is held.
 */
#ifndef PINWARD_MODULE_PROMPT_H
#define PINWARD_MODULE_PROMPT_H

#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"
#include "pkcs11-module/cool_down.h"
#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"
#include "pkcs11-module/pin_quality.h"
#include "pkcs11-module/policy.h"
#include "pkcs11-module/retry.h"

/* What the user is asked to agree to. */
struct prompt_use {
    enum policy_use use;
    CK_MECHANISM_TYPE mechanism; /* of the operation, when there is one */
    const struct key_facts *facts;
    CK_TOKEN_INFO token;
    struct retry_state tries;
    const char *subject; /* of the key's certificate; NULL when there is none */
    const void *data;    /* what is signed or decrypted, where the call carries all of it; else NULL */
    CK_ULONG data_len;
    bool whole;
};

/* Which PIN is asked for, when it is not for the use of a key. */
enum prompt_pin {
    PROMPT_PIN_USER,   /* to log in */
    PROMPT_PIN_SO,     /* the security officer's, to log in */
    PROMPT_PIN_SO_NEW, /* the security officer's of a new token, typed twice */
    PROMPT_PIN_ERASE,  /* the security officer's, to initialise a token that is in use */
    PROMPT_PIN_OLD,    /* the user's, to be changed */
    PROMPT_PIN_SO_OLD, /* the security officer's, to be changed */
    PROMPT_PIN_NEW,    /* the new one, typed twice */
};

/* Asks for the PIN to agree to a use. error: what was wrong with the last answer, or NULL. Errors as
 * pinentry_get_pin. */
enum error_code prompt_use_pin(const struct config *config, const struct prompt_use *use, const char *error,
                               int cancel_fd, struct secret **pin, struct error *err);

/* Asks for a yes to a use, with a line of further instruction or NULL. Errors as pinentry_confirm. */
enum error_code prompt_use_confirm(const struct config *config, const struct prompt_use *use,
                                   const char *instruction, int cancel_fd, struct error *err);

/* Is this PIN the user's present one, of which there are so many tries? */
bool prompt_pin_is_counted(enum prompt_pin which);

/* What is wrong with a new PIN, for the next question. */
void prompt_pin_fault(const struct pin_rules *rules, enum pin_fault fault, char *text, size_t size);

struct prompt_pin_question {
    enum prompt_pin which;
    const CK_TOKEN_INFO *token;
    const struct retry_state *tries; /* what is left of them, for a PIN that is counted */
    const struct pin_rules *rules;   /* of a new PIN, else NULL */
    const CK_UTF8CHAR *user;         /* whose PIN, on a token whose users have names (3.0, C_LoginUser); else NULL */
    CK_ULONG user_len;
    const char *error; /* what was wrong with the last answer, or NULL */
};

/* Asks for a PIN of the token. */
enum error_code prompt_token_pin(const struct config *config, const struct prompt_pin_question *asked, int cancel_fd,
                                 struct secret **pin, struct error *err);

/* Many uses, agreed to at once. */
struct prompt_batch {
    CK_ULONG uses;
    CK_ULONG time_s;
    const char *purpose; /* the application's own words */
    bool logs_in;        /* nobody is logged in yet */
};

/* Asks for the PIN that agrees to a batch. Parameters and errors as prompt_token_pin. */
enum error_code prompt_batch_pin(const struct config *config, const struct prompt_batch *batch,
                                 const CK_TOKEN_INFO *token, const struct retry_state *tries, const char *error,
                                 int cancel_fd, struct secret **pin, struct error *err);

/* Asks for a yes before the last try of the user's PIN is spent on a PIN that is not typed here: the application's own,
 * or one that is typed at the reader. */
enum error_code prompt_last_try(const struct config *config, bool at_reader, const CK_TOKEN_INFO *token, int cancel_fd,
                                struct error *err);

/* The CKR for what came of a question: CKR_OK, CKR_FUNCTION_CANCELED when the user cancelled, CKR_FUNCTION_REJECTED
 * when nobody answered, CKR_FUNCTION_FAILED when it could not be asked, CKR_HOST_MEMORY. A failure is a line in the
 * log; answered or not, the cool-down is told. */
CK_RV prompt_outcome(const struct cool_down *cool_down, enum error_code code, const struct error *err, int cancel_fd);

#endif
