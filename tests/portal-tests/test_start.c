/* Starting and ending the server: options, signals, the port file, and that the test mode is not there
 * without its option. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "story.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    return fixture_start(&fixture, "start", NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_stop(&fixture) ? 0 : -1;
}

static int run_portal(char output[FIXTURE_OUTPUT_MAX], const char *first, const char *second,
                      const char *third, const char *fourth)
{
    const char *argv[] = {fixture_portal_program, "--exit-with-parent", first, second, third, fourth, NULL};

    return fixture_run(output, argv);
}

static void wrong_options_are_refused(void **state)
{
    char port[16], output[FIXTURE_OUTPUT_MAX];

    (void)state;
    assert_int_equal(run_portal(NULL, NULL, NULL, NULL, NULL), 2);
    assert_int_equal(run_portal(NULL, "--data", NULL, NULL, NULL), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--port", "65536"), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--port", "8x"), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--approval", "sometimes"), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--idle-limit", "0"), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--listen", "localhost"), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--unknown", NULL), 2);
    assert_int_equal(run_portal(NULL, "--data", fixture.test, NULL, NULL), 5); /* no portal was made there */
    snprintf(port, sizeof(port), "%u", fixture.port);
    assert_int_equal(run_portal(NULL, "--data", fixture.data, "--port", port), 5); /* taken */
    assert_int_equal(run_portal(output, "--help", NULL, NULL, NULL), 0);
    assert_non_null(strstr(output, "--test-mode"));
}

static void both_signals_end_it_cleanly(void **state)
{
    (void)state;
    assert_int_equal(fixture_end_server(&fixture, SIGTERM), 0);
    assert_true(fixture_restart(&fixture, SIGTERM, NULL));
    assert_int_equal(fixture_end_server(&fixture, SIGINT), 0);
    assert_true(fixture_restart(&fixture, SIGTERM, NULL));
}

static void the_port_file_tells_the_port(void **state)
{
    char path[400];
    const char *options[] = {"--port-file", path, NULL};
    unsigned port = 0;
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/port", fixture.dir);
    assert_true(fixture_restart(&fixture, SIGTERM, options));
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u", &port), 1);
    fclose(file);
    assert_int_equal(port, fixture.port);
}

static size_t count_captcha_texts(void)
{
    char path[400];
    struct dirent *entry;
    size_t count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "%s/captcha", fixture.test);
    folder = opendir(path);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void without_its_option_there_is_no_test_mode(void **state)
{
    size_t texts = count_captcha_texts();
    struct answer answer;
    struct client *c;
    char year[5] = "";
    time_t now = time(NULL);
    struct tm tm;

    (void)state;
    fixture.real = true;
    assert_true(fixture_restart(&fixture, SIGTERM, NULL));
    fixture_set_clock(&fixture, 1000 * (int64_t)STORY_DAY_S);
    c = client_new(&fixture);
    client_call(c, "GET", "/time", NULL, &answer);
    assert_status(&answer, 200);
    strftime(year, sizeof(year), "%Y", gmtime_r(&now, &tm));
    assert_memory_equal(answer_text(&answer, "now"), year, 4);
    answer_clear(&answer);
    client_call(c, "POST", "/captcha", NULL, &answer);
    assert_status(&answer, 201);
    answer_clear(&answer);
    assert_int_equal(count_captcha_texts(), texts);
    client_free(&c);
    fixture.real = false;
    fixture_set_clock(&fixture, 0);
    assert_true(fixture_restart(&fixture, SIGTERM, NULL));
}

/* The shell ends as soon as the server is up; fixture_run returns when the server, which holds the same
 * stdout, has ended too. */
static void it_ends_with_the_process_that_started_it(void **state)
{
    static const char script[] = "\"$0\" --data \"$1\" --port 0 --port-file \"$2\" --exit-with-parent &\n"
                                 "until [ -s \"$2\" ]; do sleep 0.05; done";
    char path[400], output[FIXTURE_OUTPUT_MAX];
    const char *argv[] = {"/bin/sh", "-c", script, fixture_portal_program, fixture.data, path, NULL};

    (void)state;
    snprintf(path, sizeof(path), "%s/parent-port", fixture.dir);
    assert_int_equal(fixture_run(output, argv), 0);
    assert_memory_equal(output, "listening on https://localhost:", 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(both_signals_end_it_cleanly),
        cmocka_unit_test(the_port_file_tells_the_port),
        cmocka_unit_test(without_its_option_there_is_no_test_mode),
        cmocka_unit_test(it_ends_with_the_process_that_started_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
