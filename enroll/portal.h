/*
 * portal: the portal's API (docs/portal-api.yaml) as typed calls. What comes back has been checked for form;
 * whether it is what was promised is certcheck's and the flows' concern.
 *
 * Files: portal.c (calls and problems), portal_account.c, portal_application.c, portal_certificate.c.
 * Owner: struct portal is one client; each answer struct owns its JSON and is cleared by its _clear; the
 * strings in it live as long as it does. Thread rule: one thread at a time for each struct portal.
 */
#ifndef PINWARD_ENROLL_PORTAL_H
#define PINWARD_ENROLL_PORTAL_H

#include <stdbool.h>
#include <time.h>

#include <jansson.h>
#include <openssl/x509.h>

#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"
#include "enroll/bytes.h"
#include "enroll/key_profile.h"
#include "enroll/problem.h"

struct portal;

enum error_code portal_new(const struct config *config, struct portal **portal, struct error *err);
void portal_free(struct portal **portal);

/* The session's cookie: what was set, or what a login got; NULL: none. */
enum error_code portal_set_cookie(struct portal *portal, const struct secret *cookie, struct error *err);
const struct secret *portal_cookie(const struct portal *portal);

/* The problem document of the last call that the portal refused; its status is 0 when the last call was not.
 */
const struct problem *portal_problem(const struct portal *portal);

/* -- one call (used by the portal_*.c files) -- */

struct portal_call {
    const char *method;
    const char *path;            /* behind /api/v1 */
    json_t *body;                /* borrowed; NULL: none */
    const char *accept_language; /* NULL: not sent */
    bool repeatable;
};

/* *answer: the JSON object of a 2xx answer, a new reference; NULL pointer: none is expected. */
enum error_code portal_send(struct portal *portal, const struct portal_call *call, json_t **answer,
                            struct error *err);

/* A 2xx answer's body, which must have this content type. */
enum error_code portal_download(struct portal *portal, const char *path, const char *content_type,
                                struct bytes *out, struct error *err);

/* ERROR_PROTOCOL with a sentence that names the call and what is wrong in its answer. */
enum error_code portal_bad_answer(struct error *err, const char *call, const char *what);

/* -- account: portal_account.c -- */

struct portal_captcha {
    json_t *json;
    const char *captcha_id;
    struct bytes png;
};

struct portal_session {
    json_t *json;
    const char *account;
    bool password_change_required;
};

struct portal_policy {
    json_t *json;
    const char *description; /* in the portal's language */
    int min_length;          /* bytes of UTF-8 */
    int max_length;
    int min_classes; /* of lower-case letters, upper-case letters, digits, others */
};

/* Key usage bits are OpenSSL's KU_ values. */
struct portal_profile {
    const struct key_profile *keys;
    unsigned validity_days;
    unsigned renewal_window_days;
    unsigned signing_key_usage;
    unsigned encryption_key_usage;
};

struct portal_registration {
    json_t *json;
    const char *account;
    const char *subject_dn; /* RFC 4514 */
    const char *common_name;
    const char *organization; /* NULL: none */
    const char *country;
    const char *email;
    const char *registration_number;
    bool approved;
    struct portal_profile profile;
};

struct portal_terms {
    json_t *json;
    const char *version;
    const char *text;
    const char *sha256; /* checked: it is that of text */
};

enum error_code portal_captcha(struct portal *portal, struct portal_captcha *captcha, struct error *err);
enum error_code portal_login(struct portal *portal, const char *account, const struct secret *password,
                             const char *captcha_id, const char *captcha_text, struct portal_session *session,
                             struct error *err);
enum error_code portal_logout(struct portal *portal, struct error *err);
enum error_code portal_get_policy(struct portal *portal, struct portal_policy *policy, struct error *err);
enum error_code portal_change_password(struct portal *portal, const struct secret *old_password,
                                       const struct secret *new_password, struct error *err);
enum error_code portal_get_registration(struct portal *portal, struct portal_registration *registration,
                                        struct error *err);
enum error_code portal_get_terms(struct portal *portal, const char *language, struct portal_terms *terms,
                                 struct error *err);

/* Reads a registration that was kept as JSON; *registration holds its own reference. */
enum error_code portal_read_registration(json_t *json, struct portal_registration *registration,
                                         struct error *err);

void portal_captcha_clear(struct portal_captcha *captcha);
void portal_session_clear(struct portal_session *session);
void portal_policy_clear(struct portal_policy *policy);
void portal_registration_clear(struct portal_registration *registration);
void portal_terms_clear(struct portal_terms *terms);

/* A secret as a JSON string; NULL with err set when it is not UTF-8. The heap it takes is wiped (wipealloc).
 */
json_t *portal_json_secret(const struct secret *secret, struct error *err);

/* -- applications: portal_application.c -- */

enum portal_application_state { PORTAL_SUBMITTED, PORTAL_ISSUED, PORTAL_ACTIVATED };

struct portal_application {
    json_t *json;
    const char *application_id;
    const char *request_id;
    bool renewal;
    enum portal_application_state state;
    const char *signing_serial;    /* NULL until issued */
    const char *encryption_serial; /* NULL until issued */
};

struct portal_challenge {
    json_t *json;
    const char *challenge_id;
    struct bytes nonce;
    struct bytes enveloped;
    X509 *signing;
    X509 *encryption;
    STACK_OF(X509) * chain;
};

/* What an application or a renewal carries. */
struct portal_request {
    const char *request_id;
    const char *terms_version;
    const char *terms_sha256;
    const char *request;            /* base64: the PKCS#10, or for a renewal the CMS around it */
    const char *old_signing_serial; /* a renewal: both; an application: both NULL */
    const char *old_encryption_serial;
};

struct portal_proof {
    const char *request_id;
    const char *challenge_id;
    const struct secret *password;
    struct bytes signature;
    const struct secret *decrypted;
};

enum error_code portal_submit(struct portal *portal, const struct portal_request *request,
                              struct portal_application *application, struct error *err);
enum error_code portal_get_application(struct portal *portal, const char *application_id,
                                       struct portal_application *application, struct error *err);

/* The newest application that is not activated and still can be; *found says whether there is one. */
enum error_code portal_find_open_application(struct portal *portal, bool *found,
                                             struct portal_application *application, struct error *err);
enum error_code portal_get_challenge(struct portal *portal, const char *application_id,
                                     struct portal_challenge *challenge, struct error *err);
enum error_code portal_activate(struct portal *portal, const char *application_id,
                                const struct portal_proof *proof, struct portal_application *application,
                                struct error *err);

void portal_application_clear(struct portal_application *application);
void portal_challenge_clear(struct portal_challenge *challenge);

/* -- certificates: portal_certificate.c -- */

enum portal_use { PORTAL_SIGNING, PORTAL_ENCRYPTION };

struct portal_certificate {
    const char *serial;
    enum portal_use use;
    const char *state; /* "issued", "active", "renewed", "suspended", "revoked" or "expired" */
    time_t state_since;
    const char *reason; /* why a revoked one was revoked (RFC 5280 section 5.3.1); NULL: not said */
    const char *subject_dn;
    time_t not_before;
    time_t not_after;
    time_t renewal_opens_at;
    const char *application_id;
    const char *partner_serial;
};

struct portal_certificates {
    json_t *json;
    time_t now; /* the portal's clock */
    struct portal_certificate *items;
    size_t count;
};

enum error_code portal_get_certificates(struct portal *portal, struct portal_certificates *list,
                                        struct error *err);
void portal_certificates_clear(struct portal_certificates *list);

/* The newest certificate of this use in this state; NULL: none. */
const struct portal_certificate *portal_certificates_find(const struct portal_certificates *list,
                                                          enum portal_use use, const char *state);

/* A certificate of one's own that is activated. *certificate is a new reference. */
enum error_code portal_get_certificate(struct portal *portal, const char *serial, X509 **certificate,
                                       struct error *err);

/* Suspends a certificate of one's own; one that is suspended stays so. */
enum error_code portal_suspend(struct portal *portal, const char *serial, const struct secret *password,
                               struct error *err);

/* The issuing CA and the root. *chain is a new stack. */
enum error_code portal_get_ca(struct portal *portal, STACK_OF(X509) * *chain, struct error *err);

#endif
