/* Challenge and activation: password, possession of both keys, and what spoils either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "activation", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static void activate(struct user *u, json_t *body, struct answer *answer)
{
    char path[128];

    story_path(path, "/applications/*/activation", u->application_id);
    client_call(u->client, "POST", path, body, answer);
}

static void expect_refused(struct user *u, json_t *body, long status, const char *slug, const char *member,
                           const char *value)
{
    struct answer answer;

    activate(u, body, &answer);
    assert_problem(&answer, status, slug);
    if (member != NULL)
        assert_string_equal(answer_text(&answer, member), value);
    answer_clear(&answer);
}

static void activation_makes_both_certificates_active(void **state)
{
    struct answer challenge, answer, again;
    char path[128], certificate_state[16];
    struct user u;
    json_t *body;

    (void)state;
    user_start(&fixture, &u, "activator");
    user_apply(&u);
    user_certificate_state(&u, u.signing_serial, certificate_state);
    assert_string_equal(certificate_state, "issued");
    user_challenge(&u, &challenge);
    assert_int_equal(json_array_size(json_object_get(challenge.json, "chain")), 2);
    body = user_activation_body(&u, &challenge);
    activate(&u, json_incref(body), &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_text(&answer, "state"), "activated");
    user_certificate_state(&u, u.signing_serial, certificate_state);
    assert_string_equal(certificate_state, "active");
    user_certificate_state(&u, u.encryption_serial, certificate_state);
    assert_string_equal(certificate_state, "active");

    activate(&u, json_incref(body),
             &again); /* the answer may have been lost: the same again gives the same */
    assert_status(&again, 200);
    assert_true(json_equal(answer.json, again.json));
    answer_clear(&again);
    json_object_set_new(body, "request_id", json_string("11111111-1111-4111-8111-111111111111"));
    expect_refused(&u, body, 409, "already-activated", NULL, NULL);
    story_path(path, "/applications/*/challenge", u.application_id);
    client_call(u.client, "POST", path, NULL, &again);
    assert_problem(&again, 409, "already-activated");
    answer_clear(&again);
    answer_clear(&answer);
    answer_clear(&challenge);
    user_clear(&u);
}

static void possession_of_each_key_must_be_shown(void **state)
{
    struct answer challenge;
    struct user u;
    json_t *body;

    (void)state;
    user_start(&fixture, &u, "possessor");
    user_apply(&u);

    user_challenge(&u, &challenge);
    body = user_activation_body(&u, &challenge);
    json_object_set_new(
        body, "signature", /* by the other key of the user */
        enrollee_prove_signing(u.keys.encryption_key, u.application_id, answer_text(&challenge, "nonce")));
    expect_refused(&u, body, 403, "possession-not-shown", "which", "signing");
    expect_refused(&u, user_activation_body(&u, &challenge), 410, "challenge-expired", NULL,
                   NULL); /* spent */
    answer_clear(&challenge);

    user_challenge(&u, &challenge);
    body = user_activation_body(&u, &challenge);
    json_object_set_new(body, "signature", /* over another application's id */
                        enrollee_prove_signing(u.keys.signing_key, "11111111-1111-4111-8111-111111111111",
                                               answer_text(&challenge, "nonce")));
    expect_refused(&u, body, 403, "possession-not-shown", "which", "signing");
    answer_clear(&challenge);

    user_challenge(&u, &challenge);
    body = user_activation_body(&u, &challenge);
    json_object_set_new(body, "decrypted", json_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    expect_refused(&u, body, 403, "possession-not-shown", "which", "encryption");
    expect_refused(&u, user_activation_body(&u, &challenge), 410, "challenge-expired", NULL, NULL);
    answer_clear(&challenge);

    user_activate(&u); /* and rightly, it still works */
    user_clear(&u);
}

static void the_signing_key_does_not_open_the_challenge(void **state)
{
    struct answer challenge;
    struct user u;
    json_t *proof;

    (void)state;
    user_start(&fixture, &u, "key-roles");
    user_apply(&u);
    user_challenge(&u, &challenge);
    /* PKCS#1 v1.5 with a wrong key gives random bytes rather than an error, so that an answer may or may not
     * come. */
    proof = enrollee_prove_encryption(u.keys.signing_key, answer_text(&challenge, "enveloped"),
                                      answer_text(&challenge, "encryption_certificate"));
    if (proof != NULL) {
        json_t *right = enrollee_prove_encryption(u.keys.encryption_key, answer_text(&challenge, "enveloped"),
                                                  answer_text(&challenge, "encryption_certificate"));

        assert_false(json_equal(proof, right));
        json_decref(right);
    }
    json_decref(proof);
    answer_clear(&challenge);
    user_clear(&u);
}

static void a_challenge_is_replaced_and_expires(void **state)
{
    struct answer first, second;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "challenged");
    user_apply(&u);
    user_challenge(&u, &first);
    user_challenge(&u, &second);
    expect_refused(&u, user_activation_body(&u, &first), 410, "challenge-expired", NULL, NULL);
    fixture_set_clock(&fixture, 305);
    expect_refused(&u, user_activation_body(&u, &second), 410, "challenge-expired", NULL, NULL);
    fixture_set_clock(&fixture, 0);
    answer_clear(&first);
    answer_clear(&second);
    user_activate(&u);
    user_clear(&u);
}

static void wrong_password_counts_and_third_locks(void **state)
{
    struct answer challenge, answer;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "forgetful");
    user_apply(&u);
    user_challenge(&u, &challenge);
    for (json_int_t tries_left = 2; tries_left >= 0; tries_left--) {
        json_t *body = user_activation_body(&u, &challenge);

        json_object_set_new(body, "password", json_string("wrong password"));
        activate(&u, body, &answer);
        if (tries_left == 0) {
            assert_problem(&answer, 423, "account-locked");
        } else {
            assert_problem(&answer, 401, "login-failed");
            assert_int_equal(json_integer_value(json_object_get(answer.json, "tries_left")), tries_left);
        }
        answer_clear(&answer);
    }
    expect_refused(&u, user_activation_body(&u, &challenge), 401, "login-required", NULL, NULL);
    answer_clear(&challenge);
    user_clear(&u);
}

static void revoked_before_activation_can_only_apply_again(void **state)
{
    struct answer answer;
    char path[128];
    struct user u;

    (void)state;
    user_start(&fixture, &u, "revoked-early");
    user_apply(&u);
    {
        const char *revoke[] = {"revoke", u.encryption_serial, "--reason", "keyCompromise", NULL};

        assert_int_equal(fixture_admin(&fixture, NULL, revoke), 0);
    }
    story_path(path, "/applications/*/challenge", u.application_id);
    client_call(u.client, "POST", path, NULL, &answer);
    assert_problem(&answer, 403, "certificate-not-active");
    answer_clear(&answer);
    expect_refused(&u, user_unproven_activation_body(&u), 403, "certificate-not-active", NULL, NULL);
    user_apply(&u);
    user_activate(&u);
    user_clear(&u);
}

static void an_active_pair_is_renewed_not_applied_for(void **state)
{
    const struct der request = {(unsigned char *)(uintptr_t) "x", 1};
    struct answer answer;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "certified");
    client_call(u.client, "POST", "/applications", user_application_body(&u, &request), &answer);
    assert_problem(&answer, 409, "already-certified");
    answer_clear(&answer);
    user_clear(&u);
}

/* The database is never half changed: killed at any moment, the portal comes back and the user goes on. */
static void killed_while_applying_goes_on_after_a_restart(void **state)
{
    char certificate_state[16];
    struct user u;

    (void)state;
    user_start(&fixture, &u, "survivor");
    user_apply(&u);
    assert_true(fixture_restart(&fixture, 9, NULL));
    user_certificate_state(&u, u.signing_serial, certificate_state); /* the session survived too */
    assert_string_equal(certificate_state, "issued");
    user_activate(&u);
    assert_true(fixture_restart(&fixture, 9, NULL));
    user_certificate_state(&u, u.encryption_serial, certificate_state);
    assert_string_equal(certificate_state, "active");
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activation_makes_both_certificates_active),
        cmocka_unit_test(possession_of_each_key_must_be_shown),
        cmocka_unit_test(the_signing_key_does_not_open_the_challenge),
        cmocka_unit_test(a_challenge_is_replaced_and_expires),
        cmocka_unit_test(wrong_password_counts_and_third_locks),
        cmocka_unit_test(revoked_before_activation_can_only_apply_again),
        cmocka_unit_test(an_active_pair_is_renewed_not_applied_for),
        cmocka_unit_test(killed_while_applying_goes_on_after_a_restart),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
