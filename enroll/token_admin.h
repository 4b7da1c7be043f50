/*
 * token_admin: tokens as such: which there are, a new one, and its PINs. PKCS#11 2.40, 5.5 and 5.6.
 *
 * PINs are asked for by the module, in its own windows; by us only where it leaves that to applications.
 * Owner: lists are the caller's. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_TOKEN_ADMIN_H
#define PINWARD_ENROLL_TOKEN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "enroll/token.h"

#define TOKEN_LABEL_MAX 32 /* bytes: CK_TOKEN_INFO.label */

struct token_state {
    unsigned long slot;
    char label[TOKEN_LABEL_MAX + 1]; /* fit for a terminal, as are the others */
    char serial[17];
    char manufacturer[33];
    char model[17];
    bool initialized;
    bool pin_set;   /* there is a user PIN */
    bool pin_low;   /* wrong ones were entered */
    bool final_try; /* the next wrong one locks it */
    bool locked;
    bool write_protected;
    unsigned long pin_min;
    unsigned long pin_max;
};

/* "ready", "blank", "no-pin", "pin-low", "final-try" or "locked". */
const char *token_state_name(const struct token_state *state);

/* Where the module is: as configured, else beside the tool in a build tree, else where it is installed. A new string. */
char *token_module_path(const struct config *config);

/* The module alone, without choosing a token: only for token_admin_list and token_admin_init. */
enum error_code token_open_module(const struct config *config, struct token **token, struct error *err);

/* Every token that is there. *list is freed with free. */
enum error_code token_admin_list(struct token *token, struct token_state **list, size_t *count, struct error *err);

/* The token that was chosen by token_open. */
enum error_code token_admin_look(struct token *token, struct token_state *state, struct error *err);

/* Makes a token of the blank one in this slot: label, security officer's PIN, user's PIN. */
enum error_code token_admin_init(struct token *token, unsigned long slot, const char *label, struct error *err);

/* A new user PIN, by the user who knows the old one, or by the security officer. */
enum error_code token_admin_change_pin(struct token *token, struct error *err);
enum error_code token_admin_unblock(struct token *token, struct error *err);

#endif
