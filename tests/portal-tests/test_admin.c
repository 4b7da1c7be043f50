/* The registration authority's command line: what it prints, what it refuses, and its exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "story.h"

#define EXIT_USAGE 2
#define EXIT_IO    5
#define EXIT_STATE 17

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "admin", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

/* Runs the words of one line, which have no blanks in them. */
static int run(char output[FIXTURE_OUTPUT_MAX], const char *line)
{
    char copy[400];
    const char *words[40] = {NULL};
    char *rest = NULL;
    size_t count = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return fixture_admin(&fixture, output, words);
}

#define MING "--common-name Ming --country TW --email ming@example.org --registration-number R-1"

static void the_password_sheet_tells_what_to_do(void **state)
{
    char output[FIXTURE_OUTPUT_MAX];
    const char *password;
    struct answer answer;
    char first[24] = "";
    struct client *c = client_new(&fixture);

    (void)state;
    assert_int_equal(run(output, "register " MING " --account sheet-user"), 0);
    assert_non_null(strstr(output, "sheet-user"));
    assert_non_null(strstr(output, fixture.url));
    assert_non_null(strstr(output, "pinward login"));
    password = strstr(output, "First password: ");
    assert_non_null(password);
    memcpy(first, password + strlen("First password: "), 23);
    story_login(&fixture, c, "sheet-user", first, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
    client_free(&c);
}

static void an_account_name_is_made_when_none_is_given(void **state)
{
    char output[FIXTURE_OUTPUT_MAX];
    json_t *sheet;

    (void)state;
    assert_int_equal(run(output, "register " MING " --json"), 0);
    sheet = json_loads(output, 0, NULL);
    assert_int_equal(strlen(json_string_value(json_object_get(sheet, "account"))), 9);
    assert_string_equal(json_string_value(json_object_get(sheet, "portal")), fixture.url);
    json_decref(sheet);
}

static void wrong_command_lines_are_refused(void **state)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"", EXIT_USAGE},
        {"dance", EXIT_USAGE},
        {"register", EXIT_USAGE},
        {"register " MING " --account A", EXIT_USAGE},
        {"register " MING " --account UPPER", EXIT_USAGE},
        {"register " MING " --unknown", EXIT_USAGE},
        {"register " MING " --account", EXIT_USAGE},
        {"register " MING " more", EXIT_USAGE},
        {"register --common-name M --country tw --email m@e.org --registration-number 1", EXIT_USAGE},
        {"register --common-name M --country TW --email nobody --registration-number 1", EXIT_USAGE},
        {"approve", EXIT_USAGE},
        {"approve nobody", EXIT_USAGE},
        {"approve 11111111-1111-4111-8111-111111111111", EXIT_USAGE},
        {"unlock nobody", EXIT_USAGE},
        {"reset-password nobody", EXIT_USAGE},
        {"suspend 1234", EXIT_USAGE},
        {"revoke 1234 --reason boredom", EXIT_USAGE},
        {"list nothing", EXIT_USAGE},
        {"publish-terms --version 9", EXIT_USAGE},
        {"init", EXIT_IO}, /* the CA is there already */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(run(NULL, cases[i].line), cases[i].status);
    assert_int_equal(run(NULL, "register " MING " --account twice"), 0);
    assert_int_equal(run(NULL, "register " MING " --account twice"), EXIT_STATE);
}

static json_t *list(const char *what)
{
    char output[FIXTURE_OUTPUT_MAX], line[60];
    json_t *json;

    snprintf(line, sizeof(line), "list %s --json", what);
    assert_int_equal(run(output, line), 0);
    json = json_loads(output, 0, NULL);
    assert_non_null(json);
    return json;
}

static void lists_show_accounts_applications_and_certificates(void **state)
{
    char output[FIXTURE_OUTPUT_MAX];
    json_t *certificates, *applications, *accounts;
    struct user u;

    (void)state;
    user_enroll(&fixture, &u, "listed");
    certificates = list("certificates");
    applications = list("applications");
    accounts = list("accounts");
    assert_int_equal(json_array_size(certificates), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(certificates, 0), "state")),
                        "active");
    assert_string_equal(json_string_value(json_object_get(json_array_get(applications, 0), "application_id")),
                        u.application_id);
    assert_true(json_array_size(accounts) >= 1);
    assert_int_equal(run(output, "list certificates"), 0);
    assert_non_null(strstr(output, u.signing_serial));
    assert_int_equal(run(output, "list accounts"), 0);
    assert_non_null(strstr(output, "listed"));
    json_decref(certificates);
    json_decref(applications);
    json_decref(accounts);
    user_clear(&u);
}

static void private_keys_and_the_database_are_the_owners_alone(void **state)
{
    static const char *const names[] = {"root.key", "issuing.key", "tls.key", "portal.db"};
    struct stat stat_buffer;
    char path[400];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", fixture.data, names[i]);
        assert_int_equal(stat(path, &stat_buffer), 0);
        assert_int_equal(stat_buffer.st_mode & 0777, 0600);
    }
}

/* No password, first or chosen, stands anywhere in the data folder, and no cookie. */
static void no_secret_is_stored(void **state)
{
    static const char *const names[] = {"portal.db", "portal.db-wal"};
    struct user u;
    char cookie[100];

    (void)state;
    user_start(&fixture, &u, "secretive");
    client_cookie(u.client, cookie, sizeof(cookie));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[400];
        char *data = malloc(8 << 20);
        FILE *file;
        size_t len;

        snprintf(path, sizeof(path), "%s/%s", fixture.data, names[i]);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_non_null(data);
        len = fread(data, 1, 8 << 20, file);
        fclose(file);
        assert_true(len > 0);
        assert_null(memmem(data, len, u.first_password, strlen(u.first_password)));
        assert_null(memmem(data, len, u.password, strlen(u.password)));
        assert_null(memmem(data, len, cookie, strlen(cookie)));
        free(data);
    }
    user_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_sheet_tells_what_to_do),
        cmocka_unit_test(an_account_name_is_made_when_none_is_given),
        cmocka_unit_test(wrong_command_lines_are_refused),
        cmocka_unit_test(lists_show_accounts_applications_and_certificates),
        cmocka_unit_test(private_keys_and_the_database_are_the_owners_alone),
        cmocka_unit_test(no_secret_is_stored),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
