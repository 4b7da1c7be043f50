/* requester: this process as the kernel describes it, in a form that a prompt can show. */
#include "pkcs11-module/requester.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

static char *self;

/* What the program prints about itself when it is started with these arguments, on the heap. */
static char *described(char *const arguments[])
{
    char *text = NULL;
    size_t size = 0;
    int fds[2];
    FILE *out;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        setenv("DESCRIBE_YOURSELF", "1", 1);
        execv(self, arguments);
        _exit(127);
    }
    close(fds[1]);
    out = fdopen(fds[0], "r");
    assert_true(getdelim(&text, &size, '\0', out) > 0);
    fclose(out);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return text;
}

static void describe(void)
{
    struct requester requester;

    memset(&requester, 'z', sizeof requester);
    requester_describe(&requester);
    printf("%d|%s|%s|", requester.pid == getpid(), requester.path, requester.command);
}

static void arguments_are_shown(void **state)
{
    char *arguments[] = {"name", "sign", "a file", "line\nbreak\x1b[2J\x7f", "", NULL};
    char *text = described(arguments);

    (void)state;
    assert_contains(text, "1|/");
    assert_contains(text, "/test-gate_requester|name sign a file line?break?[2J?|");
    free(text);
}

/* What pkcs11-tool, p11tool, openssl with the engine, keytool and pdfsig take PINs and passwords by; a window can be read
 * over the shoulder, and stays longer on the screen than the command did. */
static void secrets_among_arguments_are_not_shown(void **state)
{
    char *arguments[] = {"name",
                         "--login",
                         "--pin",
                         "240817",
                         "--so-pin=58261940",
                         "-p",
                         "240817",
                         "-passin",
                         "pass:kite",
                         "-storepass",
                         "kite",
                         "-nss-pwd",
                         "kite",
                         "pkcs11:token=Card;pin-value=240817;type=private?pin-value=240817&x=y",
                         "--PIN",
                         "",
                         "--pin",
                         NULL};
    char *text = described(arguments);

    (void)state;
    assert_contains(text, "|name --login --pin * --so-pin=* -p * -passin * -storepass * -nss-pwd * "
                          "pkcs11:token=Card;pin-value=*;type=private?pin-value=*&x=y --PIN * --pin|");
    free(text);
}

/* A PIN that is cut where the command is cut is hidden like a whole one. */
static void secret_at_the_cut_is_not_shown(void **state)
{
    (void)state;
    for (int fill = REQUESTER_COMMAND_MAX - 30; fill < REQUESTER_COMMAND_MAX; fill++) {
        char longer[REQUESTER_COMMAND_MAX];
        char *arguments[] = {"name", longer, "--pin", "24081724081724", NULL};
        char *text;

        memset(longer, 'x', (size_t)fill);
        longer[fill] = '\0';
        text = described(arguments);
        assert_null(strstr(text, "24"));
        free(text);
    }
}

static void long_command_is_cut(void **state)
{
    char longer[2000];
    char *arguments[] = {"name", longer, NULL};
    char *text;
    const char *command;

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    text = described(arguments);
    command = strrchr(text, '|') - (REQUESTER_COMMAND_MAX - 1);
    assert_memory_equal(command, "name xxx", 8);
    free(text);
}

/* ------------------------------------------------------------------ the program that rules name */

static void program_is_the_whole_path(void **state)
{
    char program[REQUESTER_PROGRAM_MAX];
    char expected[PATH_MAX] = "";

    (void)state;
    assert_true(requester_program(program));
    assert_true(readlink("/proc/self/exe", expected, sizeof expected - 1) > 0);
    assert_string_equal(program, expected);
}

/* A program without a file: the kernel calls it "/memfd:NAME (deleted)". */
static void program_without_a_file_is_none(void **state)
{
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int fd = memfd_create("program", MFD_CLOEXEC);
    struct stat st;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(fstat(from, &st), 0);
    for (off_t done = 0; done < st.st_size;) {
        const ssize_t n = sendfile(fd, from, NULL, (size_t)(st.st_size - done));

        assert_true(n > 0);
        done += n;
    }
    pid = fork();
    if (pid == 0) {
        char *arguments[] = {(char *)"program", NULL};

        setenv("NAME_YOUR_PROGRAM", "1", 1);
        fexecve(fd, arguments, environ);
        _exit(127);
    }
    close(from);
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 10);
}

/* ------------------------------------------------------------------ a client that is served */

static bool says(const void *data)
{
    return *(const bool *)data;
}

/* What a process that serves a client says of it, seen from a child so that no other test serves one. */
static int serve_somebody(pid_t pid, bool unchanged, const char *path)
{
    const struct requester_client client = {.pid = pid, .unchanged = says, .data = &unchanged};
    const bool known = strcmp(path, REQUESTER_UNKNOWN) != 0;
    char program[REQUESTER_PROGRAM_MAX];
    struct requester requester;

    requester_serve(&client);
    requester_describe(&requester);
    return requester.pid == pid && strcmp(requester.path, path) == 0 && requester_program(program) == known &&
                   strcmp(program, known ? path : "") == 0 && requester_unchanged() == unchanged &&
                   (requester.command[0] != '\0') == (unchanged && pid != 0)
               ? 0
               : 1;
}

static void assert_served(pid_t pid, bool unchanged, const char *path)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(serve_somebody(pid, unchanged, path));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void client_is_described(void **state)
{
    char path[PATH_MAX] = "";

    (void)state;
    assert_true(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    assert_true(strlen(path) < REQUESTER_PATH_MAX);
    assert_served(getpid(), true, path);
}

static void client_that_changed_is_unknown(void **state)
{
    (void)state;
    assert_served(getpid(), false, REQUESTER_UNKNOWN);
}

static void client_that_cannot_be_seen_is_unknown(void **state)
{
    (void)state;
    assert_served(0, true, REQUESTER_UNKNOWN);
}

/* 10: it has none; 11: it has one. */
static int name_program(void)
{
    char program[REQUESTER_PROGRAM_MAX];
    const bool known = requester_program(program);

    return known == (program[0] != '\0') ? 10 + known : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_shown),
        cmocka_unit_test(secrets_among_arguments_are_not_shown),
        cmocka_unit_test(secret_at_the_cut_is_not_shown),
        cmocka_unit_test(long_command_is_cut),
        cmocka_unit_test(program_is_the_whole_path),
        cmocka_unit_test(program_without_a_file_is_none),
        cmocka_unit_test(client_is_described),
        cmocka_unit_test(client_that_changed_is_unknown),
        cmocka_unit_test(client_that_cannot_be_seen_is_unknown),
    };

    (void)argc;
    self = argv[0];
    if (getenv("NAME_YOUR_PROGRAM"))
        _exit(name_program());
    if (getenv("DESCRIBE_YOURSELF")) {
        describe();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
