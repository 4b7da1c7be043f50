/*
 * store_certificate: issued certificates, their states, and what the CRL is made from.
 *
 * Owner: DER buffers that are handed out are the caller's to free. Thread rule: that of the struct store.
 * Functions that change something expect an open transaction; each of them that alters the CRL says so to it.
 */
#ifndef PINWARD_PORTAL_STORE_CERTIFICATE_H
#define PINWARD_PORTAL_STORE_CERTIFICATE_H

#include "store_application.h"

#define SUBJECT_DN_SIZE 1024

enum certificate_use {
    CERTIFICATE_SIGNING,
    CERTIFICATE_ENCRYPTION,
};

enum certificate_state {
    CERTIFICATE_ISSUED, /* waits for its activation; on the CRL with certificateHold */
    CERTIFICATE_ACTIVE,
    CERTIFICATE_RENEWED,   /* its successor is active; valid until it expires */
    CERTIFICATE_SUSPENDED, /* on the CRL with certificateHold */
    CERTIFICATE_REVOKED,
    CERTIFICATE_EXPIRED, /* never stored: any of the above but revoked, after notAfter */
};

struct certificate {
    char serial[SERIAL_SIZE];
    char application_id[UUID_SIZE];
    char account[ACCOUNT_NAME_SIZE];
    enum certificate_use use;
    enum certificate_state state;
    int64_t state_since;
    int reason; /* CRLReason of a revoked one */
    char subject_dn[SUBJECT_DN_SIZE];
    int64_t not_before;
    int64_t not_after;
    char partner_serial[SERIAL_SIZE];
};

const char *certificate_use_name(enum certificate_use use);
const char *certificate_state_name(enum certificate_state state);

enum store_result certificate_find(struct store *store, const char *serial, int64_t now_s,
                                   struct certificate *out);
enum store_result certificate_find_of(struct store *store, const char *application_id,
                                      enum certificate_use use, int64_t now_s, struct certificate *out);
enum store_result certificate_der(struct store *store, const char *serial, uint8_t **der, size_t *len);

/* A statement whose rows certificate_read reads: the account's certificates, newest first. account NULL: all.
 */
sqlite3_stmt *certificate_list(struct store *store, const char *account);
void certificate_read(sqlite3_stmt *row, int64_t now_s, struct certificate *out);

/* STORE_ROW: the account has a pair, both active or suspended, and not expired. */
enum store_result certificate_pair_in_use(struct store *store, const char *account, int64_t now_s);

bool certificate_add(struct store *store, const struct certificate *certificate, const uint8_t *der,
                     size_t len);

/* The application's issued certificates become active. */
bool certificate_activate(struct store *store, const char *application_id, int64_t now_s);
/* The application's active certificates become renewed, and suspended ones will resume to that. */
bool certificate_set_renewed(struct store *store, const char *application_id, int64_t now_s);

/* STORE_DONE: the certificate's state does not allow it. */
enum store_result certificate_suspend(struct store *store, const char *serial, int64_t now_s);
enum store_result certificate_resume(struct store *store, const char *serial, int64_t now_s);
enum store_result certificate_revoke(struct store *store, const char *serial, int reason, int64_t now_s);

struct crl_state {
    int64_t change; /* the state of the certificates that a new list would show */
    int64_t made_change;
    int64_t number;
    int64_t this_update;
};

/* A statement whose rows certificate_read reads: what stands on the CRL. Expired certificates stay for keep_s
 * longer. */
sqlite3_stmt *certificate_list_revoked(struct store *store, int64_t now_s, int64_t keep_s);

/* *der (when wanted) is the last list made, a new buffer for the caller to free. */
enum store_result crl_state_get(struct store *store, struct crl_state *state, uint8_t **der, size_t *len);
bool crl_state_set(struct store *store, const struct crl_state *state, const uint8_t *der, size_t len);

#endif
