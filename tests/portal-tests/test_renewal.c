/* Renewal: the window, the signature by the old key, the two old certificates, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct fixture fixture;

#define ISSUED_AT                                                                                            \
    (-340 * (int64_t)STORY_DAY_S) /* the past, as the demo has it; the window is then open today */

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "renewal", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

/* A user who was certified 340 days ago, and who has a session on that day. */
static void enroll_in_the_past(struct user *u, const char *account)
{
    fixture_set_clock(&fixture, ISSUED_AT);
    user_enroll(&fixture, u, account);
}

static void move_to_day(struct user *u, int64_t days)
{
    fixture_set_clock(&fixture, ISSUED_AT + days * STORY_DAY_S);
    user_log_in(u); /* the old session has long ended */
}

static void expect_refused(struct user *u, json_t *body, long status, const char *slug, const char *reason)
{
    struct answer answer;

    client_call(u->client, "POST", "/renewals", body, &answer);
    assert_problem(&answer, status, slug);
    if (reason != NULL)
        assert_string_equal(answer_text(&answer, "reason"), reason);
    answer_clear(&answer);
}

/* A copy of the body with another value in one member. */
static json_t *changed(const json_t *body, const char *member, const char *value)
{
    json_t *copy = json_deep_copy(body);

    json_object_set_new(copy, member, json_string(value));
    return copy;
}

static void refused_before_the_last_month(void **state)
{
    struct enrollee keys = {NULL, NULL};
    struct answer answer;
    struct user u;

    (void)state;
    enroll_in_the_past(&u, "early");
    move_to_day(&u, 334);
    client_call(u.client, "POST", "/renewals", user_renewal_body(&u, &keys), &answer);
    assert_problem(&answer, 409, "renewal-too-early");
    assert_int_equal(strlen(answer_text(&answer, "opens_at")), 20);
    answer_clear(&answer);
    enrollee_clear(&keys);
    user_clear(&u);
}

static void renewed_inside_the_window_the_old_pair_stays_valid(void **state)
{
    struct enrollee keys = {NULL, NULL}, second_keys = {NULL, NULL};
    char certificate_state[16], old_signing[48], old_encryption[48];
    struct answer answer, again;
    struct user u;
    json_t *body;

    (void)state;
    enroll_in_the_past(&u, "renewer");
    strcpy(old_signing, u.signing_serial);
    strcpy(old_encryption, u.encryption_serial);
    move_to_day(&u, 336);
    body = user_renewal_body(&u, &keys);
    client_call(u.client, "POST", "/renewals", json_incref(body), &answer);
    assert_status(&answer, 201);
    assert_string_equal(answer_text(&answer, "kind"), "renewal");
    client_call(u.client, "POST", "/renewals", json_incref(body), &again);
    assert_status(&again, 200);
    assert_true(json_equal(answer.json, again.json));
    answer_clear(&again);
    expect_refused(&u, changed(body, "signed_request", "MAAwAA=="), 409, "request-id-reused", NULL);
    expect_refused(&u, user_renewal_body(&u, &second_keys), 409, "application-open", NULL);

    user_certificate_state(&u, old_signing, certificate_state);
    assert_string_equal(certificate_state, "active");
    enrollee_clear(&u.keys);
    u.keys = keys;
    strcpy(u.application_id, answer_text(&answer, "application_id"));
    user_activate(&u);
    user_certificate_state(&u, old_signing, certificate_state);
    assert_string_equal(certificate_state, "renewed");
    user_certificate_state(&u, old_encryption, certificate_state);
    assert_string_equal(certificate_state, "renewed");
    user_certificate_state(&u, answer_text(&answer, "signing_serial"), certificate_state);
    assert_string_equal(certificate_state, "active");

    json_object_set_new(body, "request_id", json_string("11111111-1111-4111-8111-111111111111"));
    expect_refused(&u, body, 403, "certificate-not-active", NULL); /* it was renewed already */
    answer_clear(&answer);
    enrollee_clear(&second_keys);
    user_clear(&u);
}

static void refused_after_expiry_until_registered_again(void **state)
{
    const char *approve[] = {"approve", "too-late", NULL};
    const struct der request = {(unsigned char *)(uintptr_t) "x", 1};
    struct enrollee keys = {NULL, NULL};
    char certificate_state[16];
    struct answer answer;
    struct user u;

    (void)state;
    enroll_in_the_past(&u, "too-late");
    move_to_day(&u, 366);
    user_certificate_state(&u, u.signing_serial, certificate_state);
    assert_string_equal(certificate_state, "expired");
    expect_refused(&u, user_renewal_body(&u, &keys), 410, "certificate-expired", NULL);
    client_call(u.client, "POST", "/applications", user_application_body(&u, &request), &answer);
    assert_problem(&answer, 403, "registration-not-approved");
    answer_clear(&answer);
    assert_int_equal(fixture_admin(&fixture, NULL, approve), 0);
    user_apply(&u);
    user_activate(&u);
    enrollee_clear(&keys);
    user_clear(&u);
}

static void expired_before_activation_cannot_be_activated(void **state)
{
    struct answer answer;
    char path[128];
    struct user u;

    (void)state;
    fixture_set_clock(&fixture, ISSUED_AT);
    user_start(&fixture, &u, "sleeper");
    user_apply(&u);
    move_to_day(&u, 366);
    story_path(path, "/applications/*/challenge", u.application_id);
    client_call(u.client, "POST", path, NULL, &answer);
    assert_problem(&answer, 410, "certificate-expired");
    answer_clear(&answer);
    story_path(path, "/applications/*/activation", u.application_id);
    client_call(u.client, "POST", path, user_unproven_activation_body(&u), &answer);
    assert_problem(&answer, 410, "certificate-expired");
    answer_clear(&answer);
    user_apply(&u); /* nothing was active, so the registration still stands */
    user_clear(&u);
}

static void suspended_or_foreign_pairs_are_not_renewed(void **state)
{
    struct enrollee keys = {NULL, NULL};
    struct user u, other;
    json_t *body;

    (void)state;
    enroll_in_the_past(&u, "suspended-user");
    user_enroll(&fixture, &other, "other-user");
    move_to_day(&other, 340);
    move_to_day(&u, 340);
    body = user_renewal_body(&u, &keys);
    expect_refused(&u, changed(body, "terms_version", "0"), 409, "terms-outdated", NULL);
    {
        const char *suspend[] = {"suspend", u.encryption_serial, NULL};
        const char *resume[] = {"resume", u.encryption_serial, NULL};

        assert_int_equal(fixture_admin(&fixture, NULL, suspend), 0);
        expect_refused(&u, json_incref(body), 403, "certificate-not-active", NULL);
        assert_int_equal(fixture_admin(&fixture, NULL, resume), 0);
    }
    expect_refused(&other, json_incref(body), 422, "request-invalid",
                   "pair-mismatch"); /* not the other's pair */
    json_object_set_new(body, "old_encryption_serial", json_string(other.encryption_serial));
    expect_refused(&u, json_incref(body), 422, "request-invalid", "pair-mismatch");
    json_object_set_new(body, "old_encryption_serial", json_string("1234"));
    expect_refused(&u, json_incref(body), 422, "request-invalid", "pair-mismatch");
    json_object_set_new(body, "old_signing_serial", json_string(u.encryption_serial));
    json_object_set_new(body, "old_encryption_serial", json_string(u.signing_serial));
    expect_refused(&u, body, 422, "request-invalid", "pair-mismatch");
    enrollee_clear(&keys);
    user_clear(&u);
    user_clear(&other);
}

/* Replaces the signed request of a body and expects that reason. */
static void expect_fault(struct user *u, const json_t *body, struct der *signed_request, const char *reason)
{
    json_t *changed = json_deep_copy(body);

    json_object_set_new(changed, "signed_request", base64_new(signed_request->data, signed_request->len));
    expect_refused(u, changed, 422, "request-invalid", reason);
    der_clear(signed_request);
}

static void the_old_signing_key_must_have_signed(void **state)
{
    struct enrollee keys = {NULL, NULL};
    struct request_options options = {0};
    struct der request, envelope, garbage;
    X509 *own, *foreign;
    struct user u, other;
    json_t *body;

    (void)state;
    enroll_in_the_past(&u, "signer");
    user_enroll(&fixture, &other, "forger");
    move_to_day(&u, 340);
    body = user_renewal_body(&u, &keys);
    options.subject_dn = u.subject_dn;
    request = enrollee_request(&keys, &options);
    own = base64_certificate(u.signing_certificate);
    foreign = base64_certificate(other.signing_certificate);

    envelope = enrollee_sign_cms(foreign, other.keys.signing_key, &request);
    expect_fault(&u, body, &envelope, "wrong-signer");
    envelope = enrollee_sign_cms(own, u.keys.signing_key, &request);
    envelope.data[envelope.len - 1] ^= 1;
    expect_fault(&u, body, &envelope, "cms-invalid");
    envelope = base64_read("MAAwAA==");
    expect_fault(&u, body, &envelope, "cms-invalid");
    garbage = base64_read("bm90IGEgcmVxdWVzdA==");
    envelope = enrollee_sign_cms(own, u.keys.signing_key, &garbage);
    expect_fault(&u, body, &envelope, "not-pkcs10");
    der_clear(&garbage);
    der_clear(&request);
    request = enrollee_request(&u.keys, &options); /* the old keys again */
    envelope = enrollee_sign_cms(own, u.keys.signing_key, &request);
    expect_fault(&u, body, &envelope, "key-reused");

    der_clear(&request);
    json_decref(body);
    X509_free(own);
    X509_free(foreign);
    enrollee_clear(&keys);
    user_clear(&u);
    user_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_before_the_last_month),
        cmocka_unit_test(renewed_inside_the_window_the_old_pair_stays_valid),
        cmocka_unit_test(refused_after_expiry_until_registered_again),
        cmocka_unit_test(expired_before_activation_cannot_be_activated),
        cmocka_unit_test(suspended_or_foreign_pairs_are_not_renewed),
        cmocka_unit_test(the_old_signing_key_must_have_signed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
