#include "enroll/portal.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "common/i18n.h"

#define PORTAL_REGISTRATION "/registration"

json_t *portal_json_secret(const struct secret *secret, struct error *err)
{
    json_t *json = json_stringn(secret_bytes(secret), secret_length(secret));

    if (!json) {
        error_set(err, ERROR_REFUSED,
                  _("What was typed is not UTF-8 text: set the terminal to UTF-8 and try again."));
    }
    return json;
}

enum error_code portal_captcha(struct portal *portal, struct portal_captcha *captcha, struct error *err)
{
    struct portal_call call = {.method = "POST", .path = "/captcha"};
    struct portal_captcha got = {0};
    const char *type;
    const char *image;
    json_error_t why;
    enum error_code status = portal_send(portal, &call, &got.json, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (json_unpack_ex(got.json, &why, 0, "{s:s, s:s, s:s}", "captcha_id", &got.captcha_id, "image_type",
                       &type, "image", &image) != 0) {
        status = portal_bad_answer(err, call.path, why.text);
    } else if (!codec_uuid_valid(got.captcha_id) || strcmp(type, "image/png") != 0 ||
               !codec_base64_decode(image, &got.png)) {
        status = portal_bad_answer(err, call.path, "not a PNG in base64");
    }
    if (status != ERROR_NONE) {
        portal_captcha_clear(&got);
        return status;
    }
    *captcha = got;
    return ERROR_NONE;
}

static enum error_code portal_read_session(json_t *json, struct portal_session *session, struct error *err)
{
    struct portal_session got = {.json = json};
    json_error_t why;
    int change = 0;

    if (json_unpack_ex(json, &why, 0, "{s:s, s:b}", "account", &got.account, "password_change_required",
                       &change) != 0) {
        json_decref(json);
        return portal_bad_answer(err, "/session", why.text);
    }
    got.password_change_required = change != 0;
    *session = got;
    return ERROR_NONE;
}

enum error_code portal_login(struct portal *portal, const char *account, const struct secret *password,
                             const char *captcha_id, const char *captcha_text, struct portal_session *session,
                             struct error *err)
{
    struct portal_call call = {.method = "POST", .path = "/session"};
    json_t *json_password = portal_json_secret(password, err);
    json_t *answer = NULL;
    enum error_code status;

    if (!json_password) {
        return ERROR_REFUSED;
    }
    call.body = json_pack("{s:s, s:o, s:s, s:s}", "account", account, "password", json_password, "captcha_id",
                          captcha_id, "captcha_text", captcha_text);
    if (!call.body) {
        return error_set(err, ERROR_USAGE,
                         _("The account or the captcha's text is not UTF-8: type it again."));
    }
    status = portal_send(portal, &call, &answer, err);
    json_decref(call.body);
    if (status == ERROR_NONE) {
        status = portal_read_session(answer, session, err);
    }
    return status;
}

enum error_code portal_logout(struct portal *portal, struct error *err)
{
    struct portal_call call = {.method = "DELETE", .path = "/session", .repeatable = true};

    return portal_send(portal, &call, NULL, err);
}

enum error_code portal_get_policy(struct portal *portal, struct portal_policy *policy, struct error *err)
{
    struct portal_call call = {.method = "GET", .path = "/password-policy", .repeatable = true};
    struct portal_policy got = {0};
    json_error_t why;
    enum error_code status = portal_send(portal, &call, &got.json, err);

    if (status == ERROR_NONE &&
        json_unpack_ex(got.json, &why, 0, "{s:s, s:i, s:i, s:i}", "description", &got.description, "min_length",
                       &got.min_length, "max_length", &got.max_length, "min_classes", &got.min_classes) != 0) {
        status = portal_bad_answer(err, call.path, why.text);
    }
    if (status != ERROR_NONE) {
        portal_policy_clear(&got);
        return status;
    }
    *policy = got;
    return ERROR_NONE;
}

enum error_code portal_change_password(struct portal *portal, const struct secret *old_password,
                                       const struct secret *new_password, struct error *err)
{
    struct portal_call call = {.method = "PUT", .path = "/password"};
    json_t *json_old = portal_json_secret(old_password, err);
    json_t *json_new = json_old ? portal_json_secret(new_password, err) : NULL;
    enum error_code status;

    if (!json_new) {
        json_decref(json_old);
        return ERROR_REFUSED;
    }
    call.body = json_pack("{s:o, s:o}", "old_password", json_old, "new_password", json_new);
    if (!call.body) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = portal_send(portal, &call, NULL, err);
    json_decref(call.body);
    return status;
}

/* RFC 5280 section 4.2.1.3's names of the bits. false: a name that is not one of them, or nothing. */
static bool portal_read_key_usage(const json_t *names, unsigned *usage)
{
    static const struct {
        const char *name;
        unsigned bit;
    } table[] = {
        {"digitalSignature", KU_DIGITAL_SIGNATURE}, {"nonRepudiation", KU_NON_REPUDIATION},
        {"keyEncipherment", KU_KEY_ENCIPHERMENT},   {"dataEncipherment", KU_DATA_ENCIPHERMENT},
        {"keyAgreement", KU_KEY_AGREEMENT},
    };
    unsigned bits = 0;
    size_t index;
    json_t *name;

    json_array_foreach(names, index, name)
    {
        unsigned bit = 0;

        for (size_t i = 0; json_is_string(name) && i < sizeof table / sizeof table[0]; i++) {
            bit |= strcmp(json_string_value(name), table[i].name) == 0 ? table[i].bit : 0;
        }
        if (bit == 0) {
            return false;
        }
        bits |= bit;
    }
    *usage = bits;
    return bits != 0;
}

static const char *portal_read_usages(const json_t *signing, const json_t *encryption, struct portal_profile *profile)
{
    if (!portal_read_key_usage(signing, &profile->signing_key_usage) ||
        !portal_read_key_usage(encryption, &profile->encryption_key_usage)) {
        return "signing_key_usage or encryption_key_usage";
    }
    if (!key_profile_allows_signing(profile->keys, profile->signing_key_usage)) {
        return "signing_key_usage is not for a key that only signs";
    }
    return key_profile_allows_encryption(profile->keys, profile->encryption_key_usage)
               ? NULL
               : "encryption_key_usage is not for a key that only decrypts";
}

/* The kind of keys and the days are used as they are, so they must be sane. */
static enum error_code portal_read_profile(json_t *json, struct portal_profile *profile, struct error *err)
{
    const char *type = NULL;
    const char *curve = NULL;
    const char *wrong = "profile";
    enum error_code status = ERROR_NONE;
    int bits = 0;
    int validity = 0;
    int window = 0;
    json_t *signing = NULL;
    json_t *encryption = NULL;

    if (json_unpack(json, "{s:s, s:i, s?s, s:i, s:i, s:o, s:o}", "key_type", &type, "key_bits", &bits, "curve", &curve,
                    "validity_days", &validity, "renewal_window_days", &window, "signing_key_usage", &signing,
                    "encryption_key_usage", &encryption) != 0) {
        return portal_bad_answer(err, PORTAL_REGISTRATION, wrong);
    }
    status = key_profile_find(type, bits, curve, &profile->keys, err);
    if (status != ERROR_NONE) {
        return status;
    }
    wrong = validity < 1 || validity > 3660 || window < 0 || window > validity ? "validity_days or renewal_window_days"
                                                                               : portal_read_usages(signing, encryption, profile);
    if (wrong) {
        return portal_bad_answer(err, PORTAL_REGISTRATION, wrong);
    }
    profile->validity_days = (unsigned)validity;
    profile->renewal_window_days = (unsigned)window;
    return ERROR_NONE;
}

enum error_code portal_read_registration(json_t *json, struct portal_registration *registration,
                                         struct error *err)
{
    struct portal_registration got = {.json = json_incref(json)};
    json_t *organization = NULL;
    json_t *profile = NULL;
    int approved = 0;
    json_error_t why;
    enum error_code status;

    if (json_unpack_ex(json, &why, 0, "{s:s, s:s, s:{s:s, s:o, s:s, s:s, s:s}, s:b, s:o}", "account",
                       &got.account, "subject_dn", &got.subject_dn, "subject", "common_name",
                       &got.common_name, "organization", &organization, "country", &got.country, "email",
                       &got.email, "registration_number", &got.registration_number, "approved", &approved,
                       "profile", &profile) != 0) {
        status = portal_bad_answer(err, PORTAL_REGISTRATION, why.text);
    } else if (!json_is_null(organization) && !json_is_string(organization)) {
        status = portal_bad_answer(err, PORTAL_REGISTRATION, "organization");
    } else {
        status = portal_read_profile(profile, &got.profile, err);
    }
    if (status != ERROR_NONE) {
        portal_registration_clear(&got);
        return status;
    }
    got.organization = json_string_value(organization);
    got.approved = approved != 0;
    *registration = got;
    return ERROR_NONE;
}

enum error_code portal_get_registration(struct portal *portal, struct portal_registration *registration,
                                        struct error *err)
{
    struct portal_call call = {.method = "GET", .path = PORTAL_REGISTRATION, .repeatable = true};
    json_t *answer = NULL;
    enum error_code status = portal_send(portal, &call, &answer, err);

    if (status == ERROR_NONE) {
        status = portal_read_registration(answer, registration, err);
    }
    json_decref(answer);
    return status;
}

enum error_code portal_get_terms(struct portal *portal, const char *language, struct portal_terms *terms,
                                 struct error *err)
{
    struct portal_call call = {
        .method = "GET", .path = "/terms", .accept_language = language, .repeatable = true};
    struct portal_terms got = {0};
    char digest[CODEC_SHA256_HEX_SIZE];
    json_error_t why;
    enum error_code status = portal_send(portal, &call, &got.json, err);

    if (status == ERROR_NONE && json_unpack_ex(got.json, &why, 0, "{s:s, s:s, s:s}", "version", &got.version,
                                               "text", &got.text, "sha256", &got.sha256) != 0) {
        status = portal_bad_answer(err, call.path, why.text);
    }
    if (status == ERROR_NONE) {
        /* What is agreed to by its hash must be what was read. */
        codec_sha256_hex(got.text, strlen(got.text), digest);
        if (strcmp(digest, got.sha256) != 0) {
            status = portal_bad_answer(err, call.path, "sha256 is not that of text");
        }
    }
    if (status != ERROR_NONE) {
        portal_terms_clear(&got);
        return status;
    }
    *terms = got;
    return ERROR_NONE;
}

void portal_captcha_clear(struct portal_captcha *captcha)
{
    json_decref(captcha->json);
    bytes_clear(&captcha->png);
    memset(captcha, 0, sizeof *captcha);
}

void portal_session_clear(struct portal_session *session)
{
    json_decref(session->json);
    memset(session, 0, sizeof *session);
}

void portal_policy_clear(struct portal_policy *policy)
{
    json_decref(policy->json);
    memset(policy, 0, sizeof *policy);
}

void portal_registration_clear(struct portal_registration *registration)
{
    json_decref(registration->json);
    memset(registration, 0, sizeof *registration);
}

void portal_terms_clear(struct portal_terms *terms)
{
    json_decref(terms->json);
    memset(terms, 0, sizeof *terms);
}
