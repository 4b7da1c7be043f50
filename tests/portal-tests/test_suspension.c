/* Suspending a certificate of one's own: the password, what can be suspended, and that the CRL says so at
 * once. */
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
    return fixture_start(&fixture, "suspension", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static void suspend(struct user *u, const char *serial, const char *password, struct answer *answer)
{
    char path[128];

    story_path(path, "/certificates/*/suspension", serial);
    client_call(u->client, "POST", path, json_pack("{s:s}", "password", password), answer);
}

static void assert_suspended(struct user *u, const char *serial)
{
    struct answer answer;

    suspend(u, serial, u->password, &answer);
    assert_status(&answer, 200);
    assert_string_equal(answer_text(&answer, "state"), "suspended");
    assert_string_equal(answer_text(&answer, "serial"), serial);
    answer_clear(&answer);
}

static void assert_refused(struct user *u, const char *serial, long status, const char *slug)
{
    struct answer answer;

    suspend(u, serial, u->password, &answer);
    assert_problem(&answer, status, slug);
    answer_clear(&answer);
}

static void assert_state(struct user *u, const char *serial, const char *expected)
{
    char found[16];

    user_certificate_state(u, serial, found);
    assert_string_equal(found, expected);
}

static int admin(const char *verb, const char *serial)
{
    const char *words[] = {verb, serial, NULL};

    return fixture_admin(&fixture, NULL, words);
}

static void one_of_a_pair_is_suspended_and_again(void **state)
{
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "suspend-one");
    assert_suspended(&u, u.signing_serial);
    assert_state(&u, u.signing_serial, "suspended");
    assert_state(&u, u.encryption_serial, "active");
    assert_suspended(&u, u.signing_serial); /* a lost answer can be asked for again */
    assert_int_equal(admin("resume", u.signing_serial), 0);
    assert_state(&u, u.signing_serial, "active");
    assert_suspended(&u, u.encryption_serial);
    user_clear(&u);
}

static void only_what_is_in_use_and_ones_own(void **state)
{
    struct user owner, other;

    (void)state;
    user_start(&fixture, &owner, "suspend-owner");
    user_apply(&owner);
    assert_refused(&owner, owner.signing_serial, 403, "certificate-not-active"); /* not activated */
    user_activate(&owner);
    user_start(&fixture, &other, "suspend-other");
    assert_refused(&other, owner.signing_serial, 404, "not-found");
    assert_refused(&other, "1234", 404, "not-found");
    assert_int_equal(admin("revoke", owner.signing_serial), 0);
    assert_refused(&owner, owner.signing_serial, 403, "certificate-not-active");
    assert_state(&owner, owner.encryption_serial, "active");
    fixture_set_clock(&fixture, 366 * STORY_DAY_S);
    user_log_in(&owner);
    assert_refused(&owner, owner.encryption_serial, 410, "certificate-expired");
    fixture_set_clock(&fixture, 0);
    user_clear(&owner);
    user_clear(&other);
}

/* Wrong ones change nothing; the third locks the account, and the session is over. */
static void the_password_is_needed(void **state)
{
    struct answer answer;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "suspend-wrong");
    for (int left = 2; left >= 0; left--) {
        suspend(&u, u.signing_serial, "Wrong-Password-1", &answer);
        assert_problem(&answer, left > 0 ? 401 : 423, left > 0 ? "login-failed" : "account-locked");
        answer_clear(&answer);
        if (left > 0)
            assert_state(&u, u.signing_serial, "active");
    }
    assert_refused(&u, u.signing_serial, 401, "login-required");
    user_clear(&u);
}

static void only_with_a_session_and_a_body(void **state)
{
    static const char *const bodies[] = {"{}", "{\"password\": 1}", "{\"password\": \"x\", \"more\": 1}",
                                         "["};
    struct answer answer;
    char path[128];
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "suspend-body");
    story_path(path, "/certificates/*/suspension", u.signing_serial);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        client_send(u.client, "POST", path, "application/json", bodies[i], strlen(bodies[i]), &answer);
        assert_problem(&answer, 400, "bad-request");
        answer_clear(&answer);
    }
    client_call(u.client, "DELETE", "/session", NULL, &answer);
    answer_clear(&answer);
    assert_refused(&u, u.signing_serial, 401, "login-required");
    user_clear(&u);
}

/* The list says since when, and why a revoked one was. */
static void the_list_says_since_when_and_why(void **state)
{
    const char *const revoke[] = {"revoke", NULL, "--reason", "superseded", NULL};
    const char *words[5];
    struct answer answer;
    const json_t *row;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "suspend-list");
    assert_suspended(&u, u.signing_serial);
    memcpy(words, revoke, sizeof(words));
    words[1] = u.encryption_serial;
    assert_int_equal(fixture_admin(&fixture, NULL, words), 0);
    client_call(u.client, "GET", "/certificates", NULL, &answer);
    for (size_t i = 0; i < 2; i++) {
        row = json_array_get(json_object_get(answer.json, "certificates"), i);
        if (strcmp(json_string_value(json_object_get(row, "use")), "signing") == 0)
            assert_true(json_is_null(json_object_get(row, "reason")));
        else
            assert_string_equal(json_string_value(json_object_get(row, "reason")), "superseded");
        assert_int_equal(json_string_length(json_object_get(row, "state_since")), 20);
    }
    answer_clear(&answer);
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_a_pair_is_suspended_and_again),
        cmocka_unit_test(only_what_is_in_use_and_ones_own),
        cmocka_unit_test(the_password_is_needed),
        cmocka_unit_test(only_with_a_session_and_a_body),
        cmocka_unit_test(the_list_says_since_when_and_why),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
