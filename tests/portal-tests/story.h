/*
 * story: what a user does with the portal, step by step, for tests that are about a later step.
 *
 * Owner: the test (user_register/_clear). Thread rule: one thread.
 */
#ifndef PINWARD_PORTAL_TESTS_STORY_H
#define PINWARD_PORTAL_TESTS_STORY_H

#include "client.h"
#include "enrollee.h"

#define STORY_DAY_S 86400

struct user {
    const struct fixture *fixture;
    struct client *client;
    char account[40];
    char first_password[40];
    char password[40]; /* the current one */
    char subject_dn[512];
    char terms_version[40];
    char terms_sha256[65];
    const char *key_profile; /* of the keys to be made; NULL: rsa-2048 */
    struct enrollee keys;    /* of the last application */
    char application_id[40]; /* of the last application */
    char signing_serial[48];
    char encryption_serial[48];
    char signing_certificate[4096]; /* base64, from the last challenge */
};

void story_uuid(char out[40]);

/* Registers a subject with that account name at the registration authority. extra: further words, or NULL. */
void user_register(const struct fixture *f, struct user *u, const char *account, const char *extra);
void user_clear(struct user *u);

/* Asks for a captcha and gives its id and, learnt through the test folder, its text. */
void story_captcha(const struct fixture *f, struct client *c, char id[40], char text[16]);
/* One try to log in, with a captcha solved. */
void story_login(const struct fixture *f, struct client *c, const char *account, const char *password,
                 struct answer *answer);

/* Registered, logged in, the first password changed, registration and terms read. */
void user_start(const struct fixture *f, struct user *u, const char *account);
void user_log_in(struct user *u);
void user_read_terms(struct user *u);

/* The body of POST /applications for this PKCS#10, with a new request id. */
json_t *user_application_body(const struct user *u, const struct der *request);
/* Makes keys and applies; the answer's application becomes the user's. */
void user_apply(struct user *u);

/* The body of POST /activation that answers this challenge rightly. */
json_t *user_activation_body(const struct user *u, const struct answer *challenge);
/* The same without a challenge: well-formed, and with no proof in it. */
json_t *user_unproven_activation_body(const struct user *u);
void user_challenge(struct user *u, struct answer *challenge);
void user_activate(struct user *u);
/* All of it: from nothing to an active pair. */
void user_enroll(const struct fixture *f, struct user *u, const char *account);

/* The body of POST /renewals with new keys (which become *keys), signed as asked. */
json_t *user_renewal_body(const struct user *u, struct enrollee *keys);

/* The state of a certificate as GET /certificates tells it; "" when it is not there. */
void user_certificate_state(struct user *u, const char *serial, char state[16]);

void story_path(char out[128], const char *format, const char *id);

#endif
