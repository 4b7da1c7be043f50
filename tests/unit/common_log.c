/* log: whole lines, one a line, of the level that was asked for. */
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];
static struct config config;

static int start(void **state)
{
    (void)state;
    folder_make(folder);
    config = (struct config){
        .log = {.file = (char *)folder_path(folder, "a/b/test.log", path), .level = CONFIG_LOG_INFO}};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    log_close();
    folder_remove(folder);
    return 0;
}

static void open_log(void)
{
    struct error err = {0};

    assert_int_equal(log_open(&config, &err), ERROR_NONE);
}

static char *read_log(void)
{
    return folder_read(folder, "a/b/test.log");
}

static void line_has_its_form(void **state)
{
    char expected[128];
    regex_t form;
    char *log;

    (void)state;
    open_log();
    errno = 77;
    log_warning("a %s of %d", "line", 7);
    assert_int_equal(errno, 77);
    log = read_log();
    snprintf(expected, sizeof expected,
             "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warning [^ ]+\\[%ld\\] a "
             "line of 7\n$",
             (long)getpid());
    assert_int_equal(regcomp(&form, expected, REG_EXTENDED), 0);
    assert_int_equal(regexec(&form, log, 0, NULL, 0), 0);
    regfree(&form);
    free(log);
}

static void files_are_private(void **state)
{
    char folder_of_it[FOLDER_PATH_MAX];
    struct stat st;

    (void)state;
    open_log();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(folder_path(folder, "a/b", folder_of_it), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void levels_are_kept(void **state)
{
    char *log;

    (void)state;
    log_error("before");
    open_log();
    log_debug("detail");
    log_info("information");
    log_error("fault");
    log_close();
    log_error("after");
    log = read_log();
    assert_not_contains(log, "before");
    assert_not_contains(log, "detail");
    assert_contains(log, "information");
    assert_contains(log, "fault");
    assert_not_contains(log, "after");
    free(log);
}

/* What comes from outside writes no line of its own and sends nothing to a terminal. */
static void control_characters_are_neutralised(void **state)
{
    char *log;

    (void)state;
    open_log();
    log_info("label \"%s\"", "x\n2026-01-01T00:00:00.000Z error forged\r\t\x1b[2J\x7f\x01");
    log = read_log();
    assert_contains(log, "x?2026-01-01T00:00:00.000Z error forged???[2J??");
    assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1);
    free(log);
}

static void long_line_is_cut_but_ends(void **state)
{
    char longer[8192];
    char *log;

    (void)state;
    open_log();
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    log_info("%s", longer);
    log_info("next");
    log = read_log();
    assert_true(strcspn(log, "\n") < 2100);
    assert_contains(strchr(log, '\n'), "next\n");
    free(log);
}

static void link_is_not_followed(void **state)
{
    char target[FOLDER_PATH_MAX];
    struct error err = {0};

    (void)state;
    folder_write(folder, "victim", "");
    config.log.file = (char *)folder_path(folder, "link.log", path);
    assert_int_equal(symlink(folder_path(folder, "victim", target), path), 0);
    assert_int_equal(log_open(&config, &err), ERROR_IO);
    assert_contains(error_text(&err), "link.log cannot be opened");
}

static void default_place_is_the_state_folder(void **state)
{
    struct config defaults = {.log = {.level = CONFIG_LOG_INFO}};
    struct error err = {0};
    char *log;

    (void)state;
    setenv("XDG_STATE_HOME", folder, 1);
    assert_int_equal(log_open(&defaults, &err), ERROR_NONE);
    log_info("here");
    log = folder_read(folder, "pinward/pinward.log");
    assert_contains(log, "here");
    free(log);
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", folder, 1);
    assert_int_equal(log_open(&defaults, &err), ERROR_NONE);
    log_info("there");
    log = folder_read(folder, ".local/state/pinward/pinward.log");
    assert_contains(log, "there");
    free(log);
    unsetenv("HOME");
    assert_int_equal(log_open(&defaults, &err), ERROR_IO);
}

/* ------------------------------------------------------------------ many writers */

#define WRITERS 4
#define LINES   100

static void *write_lines(void *data)
{
    char text[300];

    memset(text, 'a' + (int)(uintptr_t)data, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int n = 0; n < LINES; n++)
        log_info("<%s>", text);
    return NULL;
}

/* Threads of two processes on one file: every line is whole. */
static void concurrent_lines_are_whole(void **state)
{
    pthread_t threads[WRITERS];
    unsigned whole = 0;
    regex_t form;
    char *save = NULL;
    char *log;
    pid_t pid;

    (void)state;
    open_log();
    pid = fork();
    for (uintptr_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)i), 0);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    log = read_log();
    assert_int_equal(regcomp(&form, "^[^<]*\\] <(a+|b+|c+|d+)>$", REG_EXTENDED | REG_NOSUB), 0);
    for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        whole += regexec(&form, line, 0, NULL, 0) == 0;
    assert_int_equal(whole, 2 * WRITERS * LINES);
    regfree(&form);
    free(log);
}

/* A child forgets the log without closing what may be another's descriptor by now. */
static void forgotten_log_drops_lines(void **state)
{
    char *log;

    (void)state;
    open_log();
    log_info("kept");
    log_close();
    open_log();
    log_forget();
    log_info("dropped");
    log = read_log();
    assert_contains(log, "kept");
    assert_not_contains(log, "dropped");
    free(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_has_its_form),
        TEST(files_are_private),
        TEST(levels_are_kept),
        TEST(control_characters_are_neutralised),
        TEST(long_line_is_cut_but_ends),
        TEST(link_is_not_followed),
        TEST(default_place_is_the_state_folder),
        TEST(concurrent_lines_are_whole),
        TEST(forgotten_log_drops_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
