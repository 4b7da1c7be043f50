/* Applying: registration, terms, repeats of a request, and every request that is refused. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    static const char *const options[] = {"--approval", "manual", NULL};

    (void)state;
    return fixture_start(&fixture, "application", options) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static void registration_tells_subject_and_profile(void **state)
{
    struct answer answer;
    const json_t *profile, *subject;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "registered");
    client_call(u.client, "GET", "/registration", NULL, &answer);
    assert_status(&answer, 200);
    subject = json_object_get(answer.json, "subject");
    profile = json_object_get(answer.json, "profile");
    assert_string_equal(answer_text(&answer, "subject_dn"),
                        "serialNumber=R-2026/1,CN=王小明\\, Jr.,O=Example \\\"Ltd\\\",C=TW");
    assert_string_equal(json_string_value(json_object_get(subject, "common_name")), "王小明, Jr.");
    assert_int_equal(json_integer_value(json_object_get(profile, "key_bits")), 2048);
    assert_true(json_is_true(json_object_get(answer.json, "approved")));
    answer_clear(&answer);
    user_clear(&u);
}

static void terms_come_in_both_languages_with_their_hash(void **state)
{
    unsigned char digest[32];
    struct answer answer;
    const char *text;
    char hex[65];
    struct user u;

    (void)state;
    user_start(&fixture, &u, "terms-reader");
    client_header(u.client, "Accept-Language: zh-TW,zh;q=0.8,en;q=0.5");
    client_call(u.client, "GET", "/terms", NULL, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_text(&answer, "language"), "zh-TW");
    assert_string_equal(answer_header(&answer, "content-language"), "zh-TW");
    text = answer_text(&answer, "text");
    crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    assert_string_equal(answer_text(&answer, "sha256"), hex);
    assert_string_not_equal(hex, u.terms_sha256);
    answer_clear(&answer);
    user_clear(&u);
}

static void apply(struct user *u, json_t *body, long status, const char *slug)
{
    struct answer answer;

    client_call(u->client, "POST", "/applications", body, &answer);
    if (slug == NULL)
        assert_status(&answer, status);
    else
        assert_problem(&answer, status, slug);
    answer_clear(&answer);
}

static void a_repeat_gets_the_first_answer(void **state)
{
    struct request_options options = {0};
    struct answer first, again;
    struct der request, other;
    struct enrollee keys;
    struct user u;
    json_t *body;

    (void)state;
    user_start(&fixture, &u, "repeater");
    enrollee_make(&keys);
    options.subject_dn = u.subject_dn;
    request = enrollee_request(&keys, &options);
    options.crmf_missing = true;
    other = enrollee_request(&keys, &options);
    body = user_application_body(&u, &request);

    client_call(u.client, "POST", "/applications", json_incref(body), &first);
    assert_status(&first, 201);
    assert_string_equal(answer_text(&first, "state"), "submitted");
    client_call(u.client, "POST", "/applications", json_incref(body), &again);
    assert_status(&again, 200);
    assert_true(json_equal(first.json, again.json));
    answer_clear(&again);
    json_object_set_new(body, "request", base64_new(other.data, other.len));
    apply(&u, json_incref(body), 409, "request-id-reused");

    client_call(u.client, "GET", "/applications", NULL, &again);
    assert_int_equal(json_array_size(json_object_get(again.json, "applications")), 1);
    assert_true(json_equal(json_array_get(json_object_get(again.json, "applications"), 0), first.json));
    answer_clear(&again);
    json_decref(body);
    answer_clear(&first);
    der_clear(&request);
    der_clear(&other);
    enrollee_clear(&keys);
    user_clear(&u);
}

static void manual_approval_waits_then_issues(void **state)
{
    struct answer answer, certificates;
    char path[128];
    struct user u;

    (void)state;
    user_start(&fixture, &u, "waiter");
    user_apply(&u);
    assert_string_equal(u.signing_serial, "");
    story_path(path, "/applications/*/challenge", u.application_id);
    client_call(u.client, "POST", path, NULL, &answer);
    assert_problem(&answer, 409, "not-issued");
    answer_clear(&answer);
    story_path(path, "/applications/*/activation", u.application_id);
    client_call(u.client, "POST", path, user_unproven_activation_body(&u), &answer);
    assert_problem(&answer, 409, "not-issued");
    answer_clear(&answer);
    {
        const char *approve[] = {"approve", u.application_id, NULL};

        assert_int_equal(fixture_admin(&fixture, NULL, approve), 0);
        assert_int_not_equal(fixture_admin(&fixture, NULL, approve), 0);
    }
    story_path(path, "/applications/*", u.application_id);
    client_call(u.client, "GET", path, NULL, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_text(&answer, "state"), "issued");
    assert_int_equal(strlen(answer_text(&answer, "signing_serial")), 34);
    client_call(u.client, "GET", "/certificates", NULL, &certificates);
    assert_int_equal(json_array_size(json_object_get(certificates.json, "certificates")), 2);
    answer_clear(&certificates);
    answer_clear(&answer);
    user_clear(&u);
}

/* Applies with a request that these options spoil and expects that reason. */
static void expect_fault(struct user *u, const struct enrollee *keys, struct request_options options,
                         const char *reason)
{
    struct answer answer;
    struct der request;

    if (options.subject_dn == NULL)
        options.subject_dn = u->subject_dn;
    request = enrollee_request(keys, &options);
    client_call(u->client, "POST", "/applications", user_application_body(u, &request), &answer);
    assert_problem(&answer, 422, "request-invalid");
    assert_string_equal(answer_text(&answer, "reason"), reason);
    answer_clear(&answer);
    der_clear(&request);
}

static void unacceptable_requests_are_refused_with_their_reason(void **state)
{
    static const char other_dn[] = "serialNumber=R-9,CN=Someone Else,O=Example,C=TW";
    struct enrollee keys, odd;
    EVP_PKEY *small = enrollee_rsa(1024), *curve = EVP_EC_gen("P-256");
    struct der garbage = {(unsigned char *)(uintptr_t) "not a request", 13};
    struct answer answer;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "refused");
    enrollee_make(&keys);
    expect_fault(&u, &keys, (struct request_options){.bad_signature = true}, "bad-signature");
    expect_fault(&u, &keys, (struct request_options){.md = EVP_sha1()}, "bad-signature");
    expect_fault(&u, &keys, (struct request_options){.subject_dn = other_dn}, "wrong-subject");
    expect_fault(&u, &keys, (struct request_options){.crmf_dn = other_dn}, "wrong-subject");
    expect_fault(&u, &keys, (struct request_options){.crmf_missing = true}, "crmf-missing");
    expect_fault(&u, &keys, (struct request_options){.crmf_twice = true}, "crmf-missing");
    expect_fault(&u, &keys, (struct request_options){.crmf_garbage = true}, "crmf-invalid");
    expect_fault(&u, &keys, (struct request_options){.crmf_no_popo = true}, "crmf-invalid");
    expect_fault(&u, &keys, (struct request_options){.crmf_number = 7}, "crmf-invalid");
    expect_fault(&u, &keys, (struct request_options){.encryption_key = small}, "wrong-key");
    expect_fault(&u, &keys, (struct request_options){.encryption_key = curve}, "wrong-key");
    expect_fault(&u, &keys, (struct request_options){.encryption_key = keys.signing_key}, "same-keys");
    odd = (struct enrollee){small, keys.encryption_key};
    expect_fault(&u, &odd, (struct request_options){0}, "wrong-key");
    odd = (struct enrollee){curve, keys.encryption_key};
    expect_fault(&u, &odd, (struct request_options){0}, "wrong-key");
    client_call(u.client, "POST", "/applications", user_application_body(&u, &garbage), &answer);
    assert_problem(&answer, 422, "request-invalid");
    assert_string_equal(answer_text(&answer, "reason"), "not-pkcs10");
    answer_clear(&answer);

    client_call(u.client, "GET", "/applications", NULL,
                &answer); /* a refused request leaves nothing behind */
    assert_int_equal(json_array_size(json_object_get(answer.json, "applications")), 0);
    answer_clear(&answer);
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
    enrollee_clear(&keys);
    user_clear(&u);
}

static void a_key_is_never_certified_twice(void **state)
{
    struct request_options options = {0};
    struct user first, second;

    (void)state;
    user_start(&fixture, &first, "key-owner");
    user_apply(&first);
    user_start(&fixture, &second, "key-thief");
    options.subject_dn = second.subject_dn;
    expect_fault(&second, &first.keys, options, "key-reused");
    user_clear(&first);
    user_clear(&second);
}

static void one_application_at_a_time(void **state)
{
    struct request_options options = {0};
    struct enrollee keys;
    struct answer answer;
    struct der request;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "eager");
    user_apply(&u);
    enrollee_make(&keys);
    options.subject_dn = u.subject_dn;
    request = enrollee_request(&keys, &options);
    client_call(u.client, "POST", "/applications", user_application_body(&u, &request), &answer);
    assert_problem(&answer, 409, "application-open");
    assert_string_equal(answer_text(&answer, "application_id"), u.application_id);
    answer_clear(&answer);
    der_clear(&request);
    enrollee_clear(&keys);
    user_clear(&u);
}

static void unapproved_registration_cannot_apply(void **state)
{
    const char *approve[] = {"approve", "pending-user", NULL};
    const struct der request = {(unsigned char *)(uintptr_t) "x", 1};
    struct answer answer;
    struct user u;

    (void)state;
    user_register(&fixture, &u, "pending-user", "--pending");
    user_log_in(&u);
    client_call(u.client, "PUT", "/password",
                json_pack("{s:s, s:s}", "old_password", u.password, "new_password", "Seven-Herons-Wade-42"),
                &answer);
    assert_status(&answer, 204);
    answer_clear(&answer);
    user_read_terms(&u);
    client_call(u.client, "GET", "/registration", NULL, &answer);
    assert_false(json_is_true(json_object_get(answer.json, "approved")));
    answer_clear(&answer);
    apply(&u, user_application_body(&u, &request), 403, "registration-not-approved");
    assert_int_equal(fixture_admin(&fixture, NULL, approve), 0);
    apply(&u, user_application_body(&u, &request), 422,
          "request-invalid"); /* judged now, and found no request */
    user_clear(&u);
}

static void another_accounts_application_is_not_found(void **state)
{
    static const char *const paths[] = {"/applications/*/challenge", "/applications/*/activation"};
    struct user owner, other;
    struct answer answer;
    char path[128];

    (void)state;
    user_start(&fixture, &owner, "owner");
    user_apply(&owner);
    user_start(&fixture, &other, "other");
    story_path(path, "/applications/*", owner.application_id);
    client_call(other.client, "GET", path, NULL, &answer);
    assert_problem(&answer, 404, "not-found");
    answer_clear(&answer);
    for (size_t i = 0; i < 2; i++) {
        json_t *body = i == 0 ? NULL : user_unproven_activation_body(&other);

        story_path(path, paths[i], owner.application_id);
        client_call(other.client, "POST", path, body, &answer);
        assert_problem(&answer, 404, "not-found");
        answer_clear(&answer);
    }
    user_clear(&owner);
    user_clear(&other);
}

/* Last: it changes the terms for everyone. */
static void old_terms_are_not_accepted(void **state)
{
    const char *publish[] = {"publish-terms", "--version", "2",      "--english",
                             __FILE__,        "--chinese", __FILE__, NULL};
    const struct der request = {(unsigned char *)(uintptr_t) "x", 1};
    struct user u;

    (void)state;
    user_start(&fixture, &u, "old-terms");
    assert_int_equal(fixture_admin(&fixture, NULL, publish), 0);
    assert_int_not_equal(fixture_admin(&fixture, NULL, publish), 0);
    apply(&u, user_application_body(&u, &request), 409, "terms-outdated");
    user_read_terms(&u);
    assert_string_equal(u.terms_version, "2");
    apply(&u, user_application_body(&u, &request), 422, "request-invalid");
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registration_tells_subject_and_profile),
        cmocka_unit_test(terms_come_in_both_languages_with_their_hash),
        cmocka_unit_test(a_repeat_gets_the_first_answer),
        cmocka_unit_test(manual_approval_waits_then_issues),
        cmocka_unit_test(unacceptable_requests_are_refused_with_their_reason),
        cmocka_unit_test(a_key_is_never_certified_twice),
        cmocka_unit_test(one_application_at_a_time),
        cmocka_unit_test(unapproved_registration_cannot_apply),
        cmocka_unit_test(another_accounts_application_is_not_found),
        cmocka_unit_test(old_terms_are_not_accepted),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
