/* logintries: two wrong passwords in a row and no third, whatever ends the tool in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/file.h"
#include "enroll/logintries.h"
#include "enroll_state.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    struct enroll_state *made = calloc(1, sizeof *made);

    enroll_state_init(made);
    *state = made;
    return 0;
}

static int tear_down(void **state)
{
    enroll_state_clear(*state);
    free(*state);
    return 0;
}

static struct problem refused(const char *slug, int status, int tries_left)
{
    struct problem problem = {.status = status, .tries_left = tries_left};

    snprintf(problem.slug, sizeof problem.slug, "%s", slug);
    return problem;
}

/* One try that ends like this. */
static enum error_code try(struct app *app, enum error_code outcome, struct problem problem)
{
    enum error_code status = logintries_begin(app, "wang", NULL);

    return status != ERROR_NONE ? status : logintries_end(app, "wang", outcome, &problem, NULL);
}

static void stops_before_the_third(void **state)
{
    struct app *app = &((struct enroll_state *)*state)->app;
    struct error err = {0};

    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_NONE);
    assert_int_equal(try(app, ERROR_LOGIN, refused("login-failed", 401, 2)), ERROR_LOGIN);
    assert_int_equal(try(app, ERROR_LOGIN, refused("login-failed", 401, 1)), ERROR_LOGIN);
    assert_int_equal(logintries_check(app, "wang", &err), ERROR_LOCKED);
    assert_contains(err.text, "--last-try");
    assert_int_equal(logintries_begin(app, "wang", NULL), ERROR_LOCKED);
    assert_int_equal(logintries_check(app, "lin", NULL), ERROR_NONE);
    app->options.last_try = true;
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_NONE);
    assert_int_equal(try(app, ERROR_NONE, (struct problem){0}), ERROR_NONE);
    app->options.last_try = false;
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_NONE);
}

static void counts_what_others_have_tried(void **state)
{
    struct app *app = &((struct enroll_state *)*state)->app;

    assert_int_equal(try(app, ERROR_LOGIN, refused("login-failed", 401, 1)), ERROR_LOGIN);
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_LOCKED);
}

/* A run that was killed, or whose answer was lost, has spent its try as far as we can know. */
static void counts_the_unknown(void **state)
{
    struct app *app = &((struct enroll_state *)*state)->app;

    assert_int_equal(logintries_begin(app, "wang", NULL), ERROR_NONE);
    assert_int_equal(try(app, ERROR_NETWORK, (struct problem){0}), ERROR_NETWORK);
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_LOCKED);
}

static void gives_back_what_was_not_spent(void **state)
{
    struct app *app = &((struct enroll_state *)*state)->app;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(try(app, ERROR_LOGIN, refused("captcha-wrong", 422, -1)), ERROR_LOGIN);
        assert_int_equal(try(app, ERROR_TLS, (struct problem){0}), ERROR_TLS);
        assert_int_equal(try(app, ERROR_REFUSED, refused("password-too-weak", 422, -1)), ERROR_REFUSED);
    }
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_NONE);
}

static void begins_anew_after_a_lock(void **state)
{
    struct app *app = &((struct enroll_state *)*state)->app;

    assert_int_equal(try(app, ERROR_LOGIN, refused("login-failed", 401, 1)), ERROR_LOGIN);
    app->options.last_try = true;
    assert_int_equal(try(app, ERROR_LOCKED, refused("account-locked", 423, -1)), ERROR_LOCKED);
    app->options.last_try = false;
    assert_int_equal(logintries_check(app, "wang", NULL), ERROR_NONE);
}

static void a_damaged_count_is_no_permission(void **state)
{
    struct enroll_state *s = *state;
    char *path = file_join(s->folder, "login-tries.json");
    static const char *const texts[] = {"", "[]", "{\"https://portal.example wang\": \"none\"}",
                                        "{\"https://portal.example wang\": -1}",
                                        "{\"https://portal.example wang\": 1000000}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(file_write_private(path, texts[i], strlen(texts[i]), NULL), ERROR_NONE);
        assert_int_equal(logintries_check(&s->app, "wang", NULL), ERROR_LOCKED);
        assert_int_equal(logintries_begin(&s->app, "wang", NULL), ERROR_LOCKED);
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stops_before_the_third, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_what_others_have_tried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_the_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_back_what_was_not_spent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(begins_anew_after_a_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_count_is_no_permission, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
