/*
 * store_application: applications, the keys that were ever applied with, and activation challenges.
 *
 * Owner: struct application owns its request bytes only when application_request filled them (see there).
 * Thread rule: that of the struct store. Functions that change something expect an open transaction.
 */
#ifndef PINWARD_PORTAL_STORE_APPLICATION_H
#define PINWARD_PORTAL_STORE_APPLICATION_H

#include "store_account.h"
#include "store_terms.h"

#define UUID_SIZE            37
#define SERIAL_SIZE          41 /* 20 octets in hex, RFC 5280 section 4.1.2.2 */
#define SHA256_SIZE          32
#define CHALLENGE_SIZE       32
#define CHALLENGE_LIFETIME_S 300

enum application_state {
    APPLICATION_SUBMITTED,
    APPLICATION_ISSUED,
    APPLICATION_ACTIVATED,
};

struct application {
    char application_id[UUID_SIZE];
    char account[ACCOUNT_NAME_SIZE];
    bool renewal;
    enum application_state state;
    char request_id[UUID_SIZE];
    uint8_t request_sha256[SHA256_SIZE];
    char terms_version[TERMS_VERSION_SIZE];
    char terms_sha256[TERMS_SHA256_SIZE];
    char replaces[UUID_SIZE]; /* application whose pair this renews; "": none */
    int64_t submitted_at;
    int64_t issued_at;    /* 0: not yet */
    int64_t activated_at; /* 0: not yet */
    char activation_request_id[UUID_SIZE];
    char signing_serial[SERIAL_SIZE];    /* "": not yet */
    char encryption_serial[SERIAL_SIZE]; /* "": not yet */
};

struct challenge {
    char challenge_id[UUID_SIZE];
    uint8_t nonce[CHALLENGE_SIZE];
    uint8_t enveloped_sha256[SHA256_SIZE];
    int64_t expires_at;
};

const char *application_state_name(enum application_state state);

enum store_result application_find(struct store *store, const char *application_id,
                                   struct application *application);
enum store_result application_find_by_request(struct store *store, const char *account,
                                              const char *request_id, struct application *application);

/* The account's application that still waits: submitted, or issued with both certificates unexpired and
 * unrevoked. */
enum store_result application_find_open(struct store *store, const char *account, int64_t now_s,
                                        struct application *application);

/* A statement whose rows application_read reads: the account's applications, newest first. account NULL: all.
 */
sqlite3_stmt *application_list(struct store *store, const char *account);
void application_read(sqlite3_stmt *row, struct application *application);

/* The PKCS#10 that was applied with: a new buffer for the caller to free. */
enum store_result application_request(struct store *store, const char *application_id, uint8_t **der,
                                      size_t *len);

bool application_add(struct store *store, const struct application *application, const uint8_t *request,
                     size_t len);
bool application_set_issued(struct store *store, const char *application_id, int64_t now_s);
bool application_set_activated(struct store *store, const char *application_id, const char *request_id,
                               int64_t now_s);

/* STORE_DONE: the key was used before. */
enum store_result key_add(struct store *store, const uint8_t spki_sha256[SHA256_SIZE],
                          const char *application_id);

/* Replaces the application's challenge. */
bool challenge_set(struct store *store, const char *application_id, const struct challenge *challenge);
enum store_result challenge_find(struct store *store, const char *application_id,
                                 struct challenge *challenge);
bool challenge_remove(struct store *store, const char *application_id);

#endif
