/*
 * store_account: accounts with their registration, the counting of wrong passwords, and sessions.
 *
 * Owner: structs are the caller's and own nothing. Thread rule: that of the struct store.
 */
#ifndef PINWARD_PORTAL_STORE_ACCOUNT_H
#define PINWARD_PORTAL_STORE_ACCOUNT_H

#include "password.h"
#include "store.h"

#define ACCOUNT_NAME_SIZE  33
#define ACCOUNT_TRIES_MAX  3 /* the third wrong password locks */
#define SESSION_HASH_SIZE  32
#define SESSION_LIFETIME_S (8 * 3600)

/* The registered subject. The sizes are X.520's upper bounds (in bytes here) and RFC 5321's for the email. */
struct registration {
    char common_name[193];
    char organization[193]; /* "": none */
    char country[3];
    char email[255];
    char registration_number[65];
};

struct account {
    char name[ACCOUNT_NAME_SIZE];
    char password_hash[PASSWORD_HASH_SIZE];
    bool password_change_required;
    bool approved; /* the approval still holds; see account_find */
    int64_t created_at;
    int64_t failed_tries;
    struct registration registration;
};

struct session {
    char account[ACCOUNT_NAME_SIZE];
    bool password_change_required;
    int64_t expires_at;
};

/* STORE_ROW: *account is filled. An approval ends when a pair of the account expires without being renewed:
 * the subject must then register again. */
enum store_result account_find(struct store *store, const char *name, int64_t now_s, struct account *account);

/* STORE_DONE: the name is taken. */
enum store_result account_add(struct store *store, const struct account *account, int64_t now_s);
enum store_result account_approve(struct store *store, const char *name, int64_t now_s);
bool account_set_password(struct store *store, const char *name, const char *hash, bool change_required);

/* Counts a try before its password is looked at, so that tries at the same time cannot share one count.
 * *count is the number of this try; more than ACCOUNT_TRIES_MAX: the account is locked and nothing was
 * counted. An unknown name is counted just the same. In its own transaction. */
bool account_try_begin(struct store *store, const char *name, int64_t *count);
bool account_try_succeeded(struct store *store, const char *name);
enum store_result account_unlock(struct store *store, const char *name);

bool session_add(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE], const char *account,
                 int64_t now_s);

/* STORE_ROW: the session lives, and its idle time starts anew. */
enum store_result session_find(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE],
                               int64_t now_s, int64_t idle_limit_s, struct session *session);
bool session_remove(struct store *store, const uint8_t token_hash[SESSION_HASH_SIZE]);

/* Ends all sessions of the account but the one of keep (NULL: all). */
bool session_remove_others(struct store *store, const char *account, const uint8_t *keep);

#endif
