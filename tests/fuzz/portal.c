/* What the portal answers: JSON, problem documents, certificates. Each call of enroll/portal.h either gives what is whole
 * and within its limits, or a sentence that is fit for a terminal. */
#include "enroll/portal.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/http_fake.h"
#include "fuzz/text_check.h"

static const char uuid[] = "3f0a6b1e-7a64-4c53-9d0c-2f1f5a1c9b10";

static void require_serial(const char *serial)
{
    const size_t len = strlen(serial);

    fuzz_require(len > 0 && len <= 64 && strspn(serial, "0123456789abcdef") == len, "a serial number is one");
}

static enum error_code ask_captcha(struct portal *portal, struct error *err)
{
    struct portal_captcha captcha;
    const enum error_code status = portal_captcha(portal, &captcha, err);

    if (status == ERROR_NONE) {
        fuzz_require(codec_uuid_valid(captcha.captcha_id), "a captcha's id is one");
        portal_captcha_clear(&captcha);
    }
    return status;
}

static enum error_code log_in(struct portal *portal, struct error *err)
{
    struct secret *password = secret_from(FUZZ_SECRET, strlen(FUZZ_SECRET));
    struct portal_session session;
    enum error_code status;

    fuzz_require(password != NULL, "there is memory");
    status = portal_login(portal, "wang", password, uuid, "ABC", &session, err);
    if (status == ERROR_NONE)
        portal_session_clear(&session);
    secret_free(&password);
    return status;
}

static enum error_code get_policy(struct portal *portal, struct error *err)
{
    struct portal_policy policy;
    const enum error_code status = portal_get_policy(portal, &policy, err);

    if (status == ERROR_NONE) {
        fuzz_require(policy.description != NULL, "a policy has a description");
        portal_policy_clear(&policy);
    }
    return status;
}

static enum error_code get_registration(struct portal *portal, struct error *err)
{
    struct portal_registration registration;
    const enum error_code status = portal_get_registration(portal, &registration, err);

    if (status != ERROR_NONE)
        return status;
    fuzz_require(registration.profile.keys && registration.profile.validity_days >= 1 &&
                     registration.profile.validity_days <= 3660 &&
                     registration.profile.renewal_window_days <= registration.profile.validity_days,
                 "a profile is within its limits");
    fuzz_require((registration.profile.signing_key_usage & registration.profile.encryption_key_usage) == 0,
                 "no key usage is for both keys");
    portal_registration_clear(&registration);
    return status;
}

static enum error_code get_terms(struct portal *portal, struct error *err)
{
    struct portal_terms terms;
    const enum error_code status = portal_get_terms(portal, "en", &terms, err);

    if (status == ERROR_NONE) {
        char digest[CODEC_SHA256_HEX_SIZE];

        codec_sha256_hex(terms.text, strlen(terms.text), digest);
        fuzz_require(strcmp(digest, terms.sha256) == 0, "terms have the hash that is agreed to");
        portal_terms_clear(&terms);
    }
    return status;
}

static void require_application(const struct portal_application *application)
{
    fuzz_require(codec_uuid_valid(application->application_id), "an application's id is one");
    if (application->state != PORTAL_SUBMITTED) {
        require_serial(application->signing_serial);
        require_serial(application->encryption_serial);
    }
}

static enum error_code get_application(struct portal *portal, struct error *err)
{
    struct portal_application application;
    const enum error_code status = portal_get_application(portal, uuid, &application, err);

    if (status == ERROR_NONE) {
        require_application(&application);
        portal_application_clear(&application);
    }
    return status;
}

static enum error_code find_application(struct portal *portal, struct error *err)
{
    struct portal_application application;
    bool found = false;
    const enum error_code status = portal_find_open_application(portal, &found, &application, err);

    if (status == ERROR_NONE && found) {
        require_application(&application);
        fuzz_require(application.state != PORTAL_ACTIVATED, "an open application is not activated");
        portal_application_clear(&application);
    }
    return status;
}

static enum error_code get_challenge(struct portal *portal, struct error *err)
{
    struct portal_challenge challenge;
    const enum error_code status = portal_get_challenge(portal, uuid, &challenge, err);

    if (status == ERROR_NONE) {
        fuzz_require(challenge.signing && challenge.encryption && challenge.nonce.len > 0, "a challenge is whole");
        portal_challenge_clear(&challenge);
    }
    return status;
}

static enum error_code get_certificates(struct portal *portal, struct error *err)
{
    struct portal_certificates list;
    const enum error_code status = portal_get_certificates(portal, &list, err);

    if (status != ERROR_NONE)
        return status;
    for (size_t i = 0; i < list.count; i++) {
        require_serial(list.items[i].serial);
        fuzz_require(list.items[i].subject_dn && list.items[i].application_id && list.items[i].partner_serial,
                     "a row is whole");
    }
    (void)portal_certificates_find(&list, PORTAL_SIGNING, "active");
    portal_certificates_clear(&list);
    return status;
}

static enum error_code get_certificate(struct portal *portal, struct error *err)
{
    X509 *certificate = NULL;
    const enum error_code status = portal_get_certificate(portal, "1a2b", &certificate, err);

    fuzz_require((status == ERROR_NONE) == (certificate != NULL), "a certificate is there when there is no failure");
    X509_free(certificate);
    return status;
}

static enum error_code get_ca(struct portal *portal, struct error *err)
{
    STACK_OF(X509) *chain = NULL;
    const enum error_code status = portal_get_ca(portal, &chain, err);

    fuzz_require((status == ERROR_NONE) == (chain != NULL), "a chain is there when there is no failure");
    sk_X509_pop_free(chain, X509_free);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static enum error_code (*const calls[])(struct portal *, struct error *) = {
        ask_captcha,      log_in,        get_policy,       get_registration, get_terms, get_application,
        find_application, get_challenge, get_certificates, get_certificate,  get_ca,    portal_logout,
    };
    struct fuzz_input input = {data, size};
    const struct config config = {.portal = {.url = (char *)"https://localhost"}};
    struct portal *portal = NULL;
    struct error err = {0};
    enum error_code status;
    const uint8_t which = fuzz_byte(&input) % (sizeof calls / sizeof calls[0]);

    http_fake_begin(&input);
    fuzz_require(portal_new(&config, &portal, &err) == ERROR_NONE, "there is a portal");
    status = calls[which](portal, &err);
    if (status != ERROR_NONE)
        text_require_sentence(status, &err);
    if (!fuzz_contains(data, size, FUZZ_SECRET))
        text_require_no_secret(&err);
    text_require_clean(portal_problem(portal)->detail);
    text_require_clean(portal_problem(portal)->reasons);
    text_require_clean(portal_problem(portal)->slug);
    text_require_clean(portal_problem(portal)->opens_at);
    portal_free(&portal);
    return 0;
}
