/* Captcha, session, password: what a login takes, what ends it, and what locks an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    static const char *const options[] = {"--idle-limit", "600", NULL};

    (void)state;
    return fixture_start(&fixture, "login", options) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static json_t *login_body(const char *account, const char *password, const char *id, const char *text)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "account", account, "password", password, "captcha_id", id,
                     "captcha_text", text);
}

static void try_login(struct client *c, json_t *body, long status, const char *slug)
{
    struct answer answer;

    client_call(c, "POST", "/session", body, &answer);
    if (slug == NULL)
        assert_status(&answer, status);
    else
        assert_problem(&answer, status, slug);
    answer_clear(&answer);
}

static void captcha_is_single_use_and_expires(void **state)
{
    char id[40], text[16];
    struct user u;

    (void)state;
    user_register(&fixture, &u, "captcha-user", NULL);
    story_captcha(&fixture, u.client, id, text);
    try_login(u.client, login_body(u.account, u.password, id, "WRONG1"), 422, "captcha-wrong");
    try_login(u.client, login_body(u.account, u.password, id, text), 422,
              "captcha-wrong"); /* spent by the wrong try */

    story_captcha(&fixture, u.client, id, text);
    try_login(u.client, login_body(u.account, u.password, id, text), 201, NULL);
    try_login(u.client, login_body(u.account, u.password, id, text), 422,
              "captcha-wrong"); /* spent by the right one */

    story_captcha(&fixture, u.client, id, text);
    fixture_set_clock(&fixture, 299);
    for (char *c = text; *c != '\0'; c++) /* compared without case */
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    try_login(u.client, login_body(u.account, u.password, id, text), 201, NULL);
    fixture_set_clock(&fixture, 0);
    story_captcha(&fixture, u.client, id, text);
    fixture_set_clock(&fixture, 301);
    try_login(u.client, login_body(u.account, u.password, id, text), 422, "captcha-wrong");
    fixture_set_clock(&fixture, 0);
    user_clear(&u);
}

static void wrong_captcha_counts_no_password_try(void **state)
{
    char id[40], text[16];
    struct user u;

    (void)state;
    user_register(&fixture, &u, "no-count", NULL);
    for (int i = 0; i < 4; i++) {
        story_captcha(&fixture, u.client, id, text);
        try_login(u.client, login_body(u.account, "wrong password", id, "WRONG1"), 422, "captcha-wrong");
    }
    user_log_in(&u);
    user_clear(&u);
}

static void session_cookie_has_its_attributes(void **state)
{
    struct answer answer;
    char cookie[100];
    struct user u;

    (void)state;
    user_register(&fixture, &u, "cookie-user", NULL);
    story_login(&fixture, u.client, u.account, u.password, &answer);
    assert_status(&answer, 201);
    client_cookie(u.client, cookie, sizeof(cookie));
    assert_int_equal(strlen(cookie), 43); /* 256 bits in base64url */
    assert_non_null(strstr(answer_header(&answer, "set-cookie"), "; HttpOnly"));
    assert_non_null(strstr(answer_header(&answer, "set-cookie"), "; Secure"));
    assert_non_null(strstr(answer_header(&answer, "set-cookie"), "; SameSite=Strict"));
    assert_non_null(strstr(answer_header(&answer, "set-cookie"), "; Path=/api"));
    assert_string_equal(answer_header(&answer, "cache-control"), "no-store");
    assert_true(json_is_true(json_object_get(answer.json, "password_change_required")));
    assert_int_equal(json_integer_value(json_object_get(answer.json, "idle_limit_s")), 600);
    answer_clear(&answer);
    user_clear(&u);
}

static void session_ends_by_logout_idling_and_age(void **state)
{
    struct answer answer;
    struct user u;

    (void)state;
    user_register(&fixture, &u, "idle-user", NULL);
    user_log_in(&u);
    client_call(u.client, "DELETE", "/session", NULL, &answer);
    assert_status(&answer, 204);
    assert_non_null(strstr(answer_header(&answer, "set-cookie"), "Max-Age=0"));
    answer_clear(&answer);
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_problem(&answer, 401, "login-required");
    assert_true(answer_header(&answer, "www-authenticate")[0] != '\0');
    answer_clear(&answer);

    user_log_in(&u);
    for (int used = 500; used <= 1500; used += 500) { /* each use starts the idle time anew */
        fixture_set_clock(&fixture, used);
        client_call(u.client, "GET", "/session", NULL, &answer);
        assert_status(&answer, 200);
        answer_clear(&answer);
    }
    fixture_set_clock(&fixture, 1500 + 601);
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_problem(&answer, 401, "login-required");
    answer_clear(&answer);

    fixture_set_clock(&fixture, 0);
    user_log_in(&u);
    for (int used = 0; used < 8 * 3600; used += 590) {
        fixture_set_clock(&fixture, used);
        client_call(u.client, "GET", "/session", NULL, &answer);
        assert_status(&answer, 200);
        answer_clear(&answer);
    }
    fixture_set_clock(&fixture, 8 * 3600 + 2);
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_problem(&answer, 401, "login-required");
    answer_clear(&answer);
    fixture_set_clock(&fixture, 0);
    user_clear(&u);
}

static void first_password_must_be_changed(void **state)
{
    static const char *const closed[] = {"/registration", "/terms", "/applications", "/certificates"};
    struct answer answer;
    struct user u;

    (void)state;
    user_register(&fixture, &u, "forced-user", NULL);
    user_log_in(&u);
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
        client_call(u.client, "GET", closed[i], NULL, &answer);
        assert_problem(&answer, 403, "password-change-required");
        answer_clear(&answer);
    }
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    client_call(u.client, "GET", "/password-policy", NULL, &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    user_clear(&u);
}

static void change_password(struct user *u, const char *old_password, const char *new_password, long status,
                            const char *slug)
{
    struct answer answer;

    client_call(u->client, "PUT", "/password",
                json_pack("{s:s, s:s}", "old_password", old_password, "new_password", new_password), &answer);
    if (slug == NULL)
        assert_status(&answer, status);
    else
        assert_problem(&answer, status, slug);
    answer_clear(&answer);
}

static void weak_passwords_are_refused_with_reasons(void **state)
{
    struct answer answer;
    struct user u;

    (void)state;
    user_register(&fixture, &u, "weak-user", NULL);
    user_log_in(&u);
    client_call(u.client, "PUT", "/password",
                json_pack("{s:s, s:s}", "old_password", u.password, "new_password", "short"), &answer);
    assert_problem(&answer, 422, "password-too-weak");
    assert_int_equal(json_array_size(json_object_get(answer.json, "reasons")), 2);
    answer_clear(&answer);
    change_password(&u, u.password, u.password, 422, "password-too-weak");
    change_password(&u, u.password, "My-weak-user-1", 422, "password-too-weak");
    change_password(&u, u.password, "Password-12345", 422, "password-too-weak");
    change_password(&u, u.password, "Seven-Herons-Wade-42", 204, NULL);
    user_clear(&u);
}

static void changing_the_password_ends_other_sessions(void **state)
{
    struct client *other = client_new(&fixture);
    struct answer answer;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "two-sessions");
    story_login(&fixture, other, u.account, u.password, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
    change_password(&u, u.password, "Nine-Geese-Fly-77", 204, NULL);
    client_call(other, "GET", "/session", NULL, &answer);
    assert_problem(&answer, 401, "login-required");
    answer_clear(&answer);
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_status(&answer, 200);
    answer_clear(&answer);
    client_free(&other);
    user_clear(&u);
}

static void expect_tries(struct client *c, const char *account, json_int_t tries_left)
{
    struct answer answer;

    story_login(&fixture, c, account, "wrong password", &answer);
    if (tries_left == 0) {
        assert_problem(&answer, 423, "account-locked");
    } else {
        assert_problem(&answer, 401, "login-failed");
        assert_int_equal(json_integer_value(json_object_get(answer.json, "tries_left")), tries_left);
    }
    answer_clear(&answer);
}

static void third_wrong_password_locks_until_the_authority_unlocks(void **state)
{
    const char *unlock[] = {"unlock", "lock-user", NULL};
    struct client *attacker = client_new(&fixture);
    struct answer answer;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "lock-user");
    expect_tries(attacker, u.account, 2);
    expect_tries(attacker, u.account, 1);
    story_login(&fixture, attacker, u.account, u.password, &answer); /* a right one resets the count */
    assert_status(&answer, 201);
    answer_clear(&answer);
    expect_tries(attacker, u.account, 2);
    expect_tries(attacker, u.account, 1);
    expect_tries(attacker, u.account, 0);
    client_call(u.client, "GET", "/session", NULL, &answer); /* the lock ends every session of the account */
    assert_problem(&answer, 401, "login-required");
    answer_clear(&answer);
    story_login(&fixture, u.client, u.account, u.password,
                &answer); /* the right password does not help now */
    assert_problem(&answer, 423, "account-locked");
    answer_clear(&answer);
    assert_int_equal(fixture_admin(&fixture, NULL, unlock), 0);
    user_log_in(&u);
    client_free(&attacker);
    user_clear(&u);
}

static void unknown_account_answers_just_the_same(void **state)
{
    struct client *c = client_new(&fixture);

    (void)state;
    expect_tries(c, "nobody-here", 2);
    expect_tries(c, "nobody-here", 1);
    expect_tries(c, "nobody-here", 0);
    expect_tries(c, "nobody-here", 0);
    client_free(&c);
}

static void wrong_old_password_counts_and_locks(void **state)
{
    struct answer answer;
    struct user u;

    (void)state;
    user_start(&fixture, &u, "old-password");
    change_password(&u, "wrong password", "Nine-Geese-Fly-77", 401, "login-failed");
    change_password(&u, "wrong password", "Nine-Geese-Fly-77", 401, "login-failed");
    change_password(&u, "wrong password", "Nine-Geese-Fly-77", 423, "account-locked");
    client_call(u.client, "GET", "/session", NULL, &answer);
    assert_problem(&answer, 401, "login-required");
    answer_clear(&answer);
    user_clear(&u);
}

static void reset_password_gives_a_new_sheet_and_forces_a_change(void **state)
{
    const char *reset[] = {"reset-password", "reset-user", "--json", NULL};
    char output[FIXTURE_OUTPUT_MAX];
    struct answer answer;
    struct user u;
    json_t *sheet;

    (void)state;
    user_start(&fixture, &u, "reset-user");
    for (int tries_left = 2; tries_left >= 0; tries_left--)
        expect_tries(u.client, u.account, tries_left);
    assert_int_equal(fixture_admin(&fixture, output, reset), 0);
    sheet = json_loads(output, 0, NULL);
    story_login(&fixture, u.client, u.account, json_string_value(json_object_get(sheet, "first_password")),
                &answer);
    assert_status(&answer, 201);
    assert_true(json_is_true(json_object_get(answer.json, "password_change_required")));
    answer_clear(&answer);
    json_decref(sheet);
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captcha_is_single_use_and_expires),
        cmocka_unit_test(wrong_captcha_counts_no_password_try),
        cmocka_unit_test(session_cookie_has_its_attributes),
        cmocka_unit_test(session_ends_by_logout_idling_and_age),
        cmocka_unit_test(first_password_must_be_changed),
        cmocka_unit_test(weak_passwords_are_refused_with_reasons),
        cmocka_unit_test(changing_the_password_ends_other_sessions),
        cmocka_unit_test(third_wrong_password_locks_until_the_authority_unlocks),
        cmocka_unit_test(unknown_account_answers_just_the_same),
        cmocka_unit_test(wrong_old_password_counts_and_locks),
        cmocka_unit_test(reset_password_gives_a_new_sheet_and_forces_a_change),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
