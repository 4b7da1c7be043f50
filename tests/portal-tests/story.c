#include "story.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void story_uuid(char out[40])
{
    unsigned char b[16];

    randombytes_buf(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void story_path(char out[128], const char *format, const char *id)
{
    const char *hole = strchr(format, '*');

    snprintf(out, 128, "%.*s%s%s", (int)(hole - format), format, id, hole + 1);
}

static void copy(char *out, size_t size, const char *text)
{
    assert_true(snprintf(out, size, "%s", text) < (int)size);
}

void user_register(const struct fixture *f, struct user *u, const char *account, const char *extra)
{
    const char *words[] = {"register",
                           "--common-name",
                           "王小明, Jr.",
                           "--organization",
                           "Example \"Ltd\"",
                           "--country",
                           "TW",
                           "--email",
                           "ming@example.org",
                           "--registration-number",
                           "R-2026/1",
                           "--account",
                           account,
                           "--json",
                           extra,
                           NULL};
    char output[FIXTURE_OUTPUT_MAX];
    json_t *sheet;

    memset(u, 0, sizeof(*u));
    u->fixture = f;
    u->client = client_new(f);
    assert_int_equal(fixture_admin(f, output, words), 0);
    sheet = json_loads(output, 0, NULL);
    assert_non_null(sheet);
    copy(u->account, sizeof(u->account), json_string_value(json_object_get(sheet, "account")));
    copy(u->first_password, sizeof(u->first_password),
         json_string_value(json_object_get(sheet, "first_password")));
    copy(u->password, sizeof(u->password), u->first_password);
    json_decref(sheet);
}

void user_clear(struct user *u)
{
    client_free(&u->client);
    enrollee_clear(&u->keys);
}

static void read_captcha_text(const struct fixture *f, const char *image, char text[16])
{
    struct der png = base64_read(image);
    unsigned char digest[32];
    char hex[65], path[500];
    FILE *file;

    crypto_hash_sha256(digest, png.data, png.len);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    snprintf(path, sizeof(path), "%s/captcha/%s", f->test, hex);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, 16, file));
    fclose(file);
    der_clear(&png);
}

void story_captcha(const struct fixture *f, struct client *c, char id[40], char text[16])
{
    struct answer answer;

    client_call(c, "POST", "/captcha", NULL, &answer);
    assert_status(&answer, 201);
    copy(id, 40, answer_text(&answer, "captcha_id"));
    read_captcha_text(f, answer_text(&answer, "image"), text);
    answer_clear(&answer);
}

void story_login(const struct fixture *f, struct client *c, const char *account, const char *password,
                 struct answer *answer)
{
    char id[40], text[16];

    story_captcha(f, c, id, text);
    client_call(c, "POST", "/session",
                json_pack("{s:s, s:s, s:s, s:s}", "account", account, "password", password, "captcha_id", id,
                          "captcha_text", text),
                answer);
}

void user_log_in(struct user *u)
{
    struct answer answer;

    story_login(u->fixture, u->client, u->account, u->password, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
}

void user_read_terms(struct user *u)
{
    struct answer answer;

    client_call(u->client, "GET", "/terms", NULL, &answer);
    assert_status(&answer, 200);
    copy(u->terms_version, sizeof(u->terms_version), answer_text(&answer, "version"));
    copy(u->terms_sha256, sizeof(u->terms_sha256), answer_text(&answer, "sha256"));
    answer_clear(&answer);
}

void user_start(const struct fixture *f, struct user *u, const char *account)
{
    struct answer answer;

    user_register(f, u, account, NULL);
    user_log_in(u);
    copy(u->password, sizeof(u->password), "Seven-Herons-Wade-42");
    client_call(u->client, "PUT", "/password",
                json_pack("{s:s, s:s}", "old_password", u->first_password, "new_password", u->password),
                &answer);
    assert_status(&answer, 204);
    answer_clear(&answer);
    client_call(u->client, "GET", "/registration", NULL, &answer);
    assert_status(&answer, 200);
    copy(u->subject_dn, sizeof(u->subject_dn), answer_text(&answer, "subject_dn"));
    answer_clear(&answer);
    user_read_terms(u);
}

json_t *user_application_body(const struct user *u, const struct der *request)
{
    char request_id[40];

    story_uuid(request_id);
    return json_pack("{s:s, s:s, s:s, s:o}", "request_id", request_id, "terms_version", u->terms_version,
                     "terms_sha256", u->terms_sha256, "request", base64_new(request->data, request->len));
}

static void take_application(struct user *u, const struct answer *answer)
{
    copy(u->application_id, sizeof(u->application_id), answer_text(answer, "application_id"));
    copy(u->signing_serial, sizeof(u->signing_serial), answer_text(answer, "signing_serial"));
    copy(u->encryption_serial, sizeof(u->encryption_serial), answer_text(answer, "encryption_serial"));
}

void user_apply(struct user *u)
{
    struct request_options options = {.subject_dn = u->subject_dn};
    struct answer answer;
    struct der request;

    enrollee_clear(&u->keys);
    enrollee_make_of(&u->keys, u->key_profile);
    request = enrollee_request(&u->keys, &options);
    client_call(u->client, "POST", "/applications", user_application_body(u, &request), &answer);
    assert_status(&answer, 201);
    take_application(u, &answer);
    answer_clear(&answer);
    der_clear(&request);
}

void user_challenge(struct user *u, struct answer *challenge)
{
    char path[128];

    story_path(path, "/applications/*/challenge", u->application_id);
    client_call(u->client, "POST", path, NULL, challenge);
    assert_status(challenge, 201);
    copy(u->signing_certificate, sizeof(u->signing_certificate),
         answer_text(challenge, "signing_certificate"));
}

json_t *user_activation_body(const struct user *u, const struct answer *challenge)
{
    char request_id[40];

    story_uuid(request_id);
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o}", "request_id", request_id, "challenge_id",
        answer_text(challenge, "challenge_id"), "password", u->password, "signature",
        enrollee_prove_signing(u->keys.signing_key, u->application_id, answer_text(challenge, "nonce")),
        "decrypted",
        enrollee_prove_encryption(u->keys.encryption_key, answer_text(challenge, "enveloped"),
                                  answer_text(challenge, "encryption_certificate")));
}

json_t *user_unproven_activation_body(const struct user *u)
{
    char id[40];

    story_uuid(id);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "request_id", id, "challenge_id", id, "password",
                     u->password, "signature", "AAAA", "decrypted", "AAAA");
}

void user_activate(struct user *u)
{
    struct answer challenge, answer;
    char path[128];

    user_challenge(u, &challenge);
    story_path(path, "/applications/*/activation", u->application_id);
    client_call(u->client, "POST", path, user_activation_body(u, &challenge), &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    answer_clear(&challenge);
}

void user_enroll(const struct fixture *f, struct user *u, const char *account)
{
    user_start(f, u, account);
    user_apply(u);
    user_activate(u);
}

json_t *user_renewal_body(const struct user *u, struct enrollee *keys)
{
    struct request_options options = {.subject_dn = u->subject_dn};
    X509 *certificate = base64_certificate(u->signing_certificate);
    struct der request, signed_request;
    char request_id[40];
    json_t *body;

    enrollee_make_of(keys, u->key_profile);
    request = enrollee_request(keys, &options);
    signed_request = enrollee_sign_cms(certificate, u->keys.signing_key, &request);
    story_uuid(request_id);
    body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "request_id", request_id, "terms_version",
                     u->terms_version, "terms_sha256", u->terms_sha256, "old_signing_serial",
                     u->signing_serial, "old_encryption_serial", u->encryption_serial, "signed_request",
                     base64_new(signed_request.data, signed_request.len));
    der_clear(&signed_request);
    der_clear(&request);
    X509_free(certificate);
    return body;
}

void user_certificate_state(struct user *u, const char *serial, char state[16])
{
    struct answer answer;
    json_t *entry;
    size_t index;

    state[0] = '\0';
    client_call(u->client, "GET", "/certificates", NULL, &answer);
    assert_status(&answer, 200);
    json_array_foreach(json_object_get(answer.json, "certificates"), index, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "serial")), serial) == 0)
            copy(state, 16, json_string_value(json_object_get(entry, "state")));
    }
    answer_clear(&answer);
}
