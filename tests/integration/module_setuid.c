/* Hosts whose user ids differ: setuid programs with threads, whose caller must not choose what they load, write and
 * obey; and root that has taken on a user's id for a while. Run by root; others cannot make such programs. */
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config.h"
#include "support/mock.h"
#include "support/test.h"

#define CALLER  61234 /* who starts the program, */
#define SERVICE 61235 /* and whose rights it has: nobody's, both */

static struct fixture fx;
static char host[FOLDER_PATH_MAX]; /* the copy that is installed setuid */

static void run_or_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_or_fail(const char *format, ...)
{
    char command[4 * FOLDER_PATH_MAX];
    va_list args;

    va_start(args, format);
    assert_true((size_t)vsnprintf(command, sizeof command, format, args) < sizeof command);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static void become(uid_t id)
{
    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0)
        _exit(120);
}

/* What the program prints when the caller starts it, with these variables besides PATH. */
static void run_host(const char *path, const char *mode, const char *argument, char *const variables[], char output[512])
{
    size_t len = 0;
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        become(CALLER);
        dup2(ends[1], STDOUT_FILENO);
        execve(path, (char *[]){(char *)path, (char *)mode, (char *)argument, NULL}, variables);
        _exit(121);
    }
    close(ends[1]);
    while (len < 511 && (n = read(ends[0], output + len, 511 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool caller_can_reach(const char *path)
{
    int status;
    const pid_t pid = fork();

    if (pid == 0) {
        become(CALLER);
        _exit(access(path, R_OK | X_OK) == 0 ? 0 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Skips where this machine cannot show it. */
static void need_setuid(void)
{
    char output[512];

    if (geteuid() != 0 || !caller_can_reach(host) || !caller_can_reach(fixture_module_path())) {
        print_message("skipped on this machine: needs root, and a build folder that other users can read\n");
        skip();
    }
    run_host(host, "softhsm", NULL, (char *[]){NULL}, output);
    if (!strstr(output, "secure 1")) {
        print_message("skipped on this machine: the file system is mounted nosuid\n");
        skip();
    }
}

/* ------------------------------------------------------------------ what the caller says */

/* The caller's variables lead to a configuration of the caller's, which names a backend of the caller's. */
static void callers_files_are_not_looked_at(void **state)
{
    char variables[4][FOLDER_PATH_MAX + 32], output[512], path[FOLDER_PATH_MAX];

    (void)state;
    need_setuid();
    snprintf(variables[0], sizeof variables[0], "PINWARD_CONF=%s/pinward.conf", fx.folder);
    snprintf(variables[1], sizeof variables[1], "XDG_CONFIG_HOME=%s/config", fx.folder);
    snprintf(variables[2], sizeof variables[2], "XDG_STATE_HOME=%s/state", fx.folder);
    snprintf(variables[3], sizeof variables[3], "HOME=%s/home", fx.folder);
    for (int named = 0; named < 2; named++) {
        char *const environment[] = {variables[named], variables[2], variables[3], NULL};

        run_or_fail("rm -rf %s/state/pinward %s/pinward.log", fx.folder, fx.folder);
        /* Without the rights the caller's word counts: what follows is not so by accident. */
        run_host(TEST_SETUID_HOST, "module", fixture_module_path(), environment, output);
        assert_contains(output, "secure 0\nrv 0\nmock 1\n");
        assert_int_equal(access(folder_path(fx.folder, "pinward.log", path), F_OK), 0);

        run_or_fail("rm -rf %s/state/pinward %s/pinward.log", fx.folder, fx.folder);
        run_host(host, "module", fixture_module_path(), environment, output);
        assert_contains(output, "secure 1\nrv ");
        assert_contains(output, "mock 0\n");
        assert_int_not_equal(access(folder_path(fx.folder, "pinward.log", path), F_OK), 0);
        assert_int_not_equal(access(folder_path(fx.folder, "state/pinward", path), F_OK), 0);
    }
}

/* SoftHSM2 itself would follow these. */
static void softhsm_does_not_start_with_callers_variables(void **state)
{
    static char *const trusted[] = {NULL};
    static char *const conf[] = {"SOFTHSM2_CONF=/tmp/softhsm2.conf", NULL};
    static char *const home[] = {"HOME=/tmp", NULL};
    char output[512];

    (void)state;
    need_setuid();
    run_host(host, "softhsm", NULL, trusted, output);
    assert_contains(output, "softhsm 1");
    run_host(host, "softhsm", NULL, conf, output);
    assert_contains(output, "softhsm 0");
    run_host(host, "softhsm", NULL, home, output);
    assert_contains(output, "softhsm 0");
    run_host(TEST_SETUID_HOST, "softhsm", NULL, conf, output);
    assert_contains(output, "secure 0\nsofthsm 1");
}

/* pinentry draws on the caller's screen and runs with the caller's rights, all of them. */
static void pinentry_has_the_callers_ids(void **state)
{
    char *const environment[] = {NULL};
    char output[512], program[FOLDER_PATH_MAX], script[2 * FOLDER_PATH_MAX], expected[128];
    char *ids;

    (void)state;
    need_setuid();
    snprintf(script, sizeof script, "#!/bin/sh\ngrep -E '^[UG]id' /proc/self/status | tr '\\t' ' ' >%s/home/ids\n",
             fx.folder);
    folder_write(fx.folder, "home/pinentry", script);
    folder_path(fx.folder, "home/pinentry", program);
    run_or_fail("chmod 755 %s", program);
    run_host(host, "pinentry", program, environment, output);
    assert_contains(output, "secure 1\ncode ");
    ids = folder_read(fx.folder, "home/ids");
    snprintf(expected, sizeof expected, "Uid: %d %d %d %d\nGid: %d %d %d %d\n", CALLER, CALLER, CALLER, CALLER, CALLER,
             CALLER, CALLER, CALLER);
    assert_string_equal(ids, expected);
    free(ids);
}

/* ------------------------------------------------------------------ root as a user */

static int load_as(uid_t real, uid_t effective, uid_t saved)
{
    char path[FOLDER_PATH_MAX];
    struct config config;
    struct error err = {0};
    int status;
    const pid_t pid = fork();

    if (pid == 0) {
        if (setresuid(real, effective, saved) != 0)
            _exit(120);
        _exit(config_load_file(folder_path(fx.folder, "pinward.conf", path), &config, &err) == ERROR_NONE ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A daemon that is root under one of its ids takes no orders from the user whose id it has taken on: what it loads for
 * that user could make itself root. */
static void lowered_root_trusts_root_only(void **state)
{
    (void)state;
    need_setuid();
    assert_int_equal(load_as(CALLER, CALLER, CALLER), 0);
    assert_int_equal(load_as(0, CALLER, 0), 1);
    assert_int_equal(load_as(0, CALLER, CALLER), 1);
    assert_int_equal(load_as(CALLER, CALLER, 0), 1);
    assert_int_equal(load_as(SERVICE, CALLER, SERVICE), 0);
    assert_int_equal(load_as(SERVICE, SERVICE, SERVICE), 1);
    run_or_fail("chown 0 %s/pinward.conf && chmod 644 %s/pinward.conf", fx.folder, fx.folder);
    assert_int_equal(load_as(0, CALLER, 0), 0);
    run_or_fail("chown %d %s/pinward.conf", CALLER, fx.folder);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    if (geteuid() != 0)
        return 0;
    mock_configure(&fx, mock_backend_path(), "");
    folder_path(fx.folder, "setuid-host", host);
    run_or_fail("mkdir %s/config/pinward && cp %s/pinward.conf %s/config/pinward/", fx.folder, fx.folder, fx.folder);
    run_or_fail("cp %s %s && chown -R %d:%d %s", TEST_SETUID_HOST, host, CALLER, CALLER, fx.folder);
    run_or_fail("chown %d:%d %s && chmod 6755 %s && chmod 755 %s", SERVICE, SERVICE, host, host, fx.folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_files_are_not_looked_at),
        cmocka_unit_test(softhsm_does_not_start_with_callers_variables),
        cmocka_unit_test(pinentry_has_the_callers_ids),
        cmocka_unit_test(lowered_root_trusts_root_only),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
