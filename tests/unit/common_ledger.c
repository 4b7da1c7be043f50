/* ledger: what a line holds, and what cannot be written is said. */
#include "common/ledger.h"

#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ledger_head.h"
#include "common/private_file.h"
#include "ledger_world.h"
#include "support/test.h"

/* ------------------------------------------------------------------ one line */

static void line_has_its_form(void **state)
{
    static const char form[] =
        "^\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\",\"seq\":1,"
        "\"program\":\"/usr/bin/signer\",\"pid\":4711,\"uid\":1000,\"key\":\"my key\",\"key_id\":\"0a0b\","
        "\"token\":\"card\",\"token_serial\":\"0042\",\"operation\":\"sign\",\"data\":null,\"verdict\":\"allowed\","
        "\"how\":\"asked\",\"rv\":\"0x00000000\",\"prev\":\"0{64}\"}\n$";
    struct ledger_line line;
    regex_t regex;
    char *ledger;

    (void)state;
    assert_int_equal(ledger_append(world_path, &world_entry, &line, NULL), ERROR_NONE);
    ledger = world_read();
    assert_int_equal(regcomp(&regex, form, REG_EXTENDED), 0);
    if (regexec(&regex, ledger, 0, NULL, 0) != 0)
        fail_msg("%s", ledger);
    regfree(&regex);
    assert_int_equal(strncmp(ledger, line.bytes, line.len), 0);
    assert_string_equal(ledger + line.len, "\n");
    free(ledger);
    world_assert_chained(1);
}

static void render(const struct ledger_entry *of, struct ledger_line *line)
{
    static const unsigned char prev[LEDGER_HASH_BYTES] = {0xab};
    const struct timespec when = {.tv_sec = 1767225599, .tv_nsec = 999999999};

    ledger_line_render(of, &when, UINT64_MAX, prev, line);
    assert_int_equal(strlen(line->bytes), line->len);
}

static void denial_and_data_are_told(void **state)
{
    static const unsigned char data[LEDGER_HASH_BYTES] = {1, 2, 0xff};
    const struct ledger_entry denied = {.operation = "login", .data = data, .how = "asked", .rv = 0x80000050ul};
    struct ledger_line line;

    (void)state;
    render(&denied, &line);
    assert_contains(line.bytes, "\"time\":\"2025-12-31T23:59:59.999Z\"");
    assert_contains(line.bytes, "\"key\":null,\"key_id\":null,\"token\":null");
    assert_contains(line.bytes, "\"data\":\"0102ff00");
    assert_contains(line.bytes, "\"verdict\":\"denied\"");
    assert_contains(line.bytes, "\"rv\":\"0x80000050\"");
}

/* What comes from outside starts no line and no field, and drives no terminal. */
static void strings_are_escaped(void **state)
{
    struct ledger_entry odd = world_entry;
    struct ledger_line line;

    (void)state;
    odd.key = "a\"b\\c\nd\x1b\x7f\xc2\x9b\xe2\x80\xae\xe7\x8e\x8b\xf0\x9f\x94\x91\xff\xc0\xaf\xed\xa0\x80";
    render(&odd, &line);
    assert_contains(line.bytes, "\"key\":\"a\\\"b\\\\c\\u000ad\\u001b\\u007f\\u009b\\u202e\xe7\x8e\x8b\xf0\x9f\x94\x91"
                                "\\\\xff\\\\xc0\\\\xaf\\\\xed\\\\xa0\\\\x80\",");
}

static void strings_are_bounded(void **state)
{
    struct ledger_entry huge = world_entry;
    struct ledger_line line;
    char text[9000];

    (void)state;
    for (int what = 0; what < 3; what++) {
        memset(text, (int[]){'x', 1, 0xff}[what], sizeof text - 1);
        text[sizeof text - 1] = '\0';
        huge.program = huge.key = huge.key_id = huge.token = huge.token_serial = huge.operation = huge.how = text;
        render(&huge, &line);
        assert_true(line.len < LEDGER_LINE_MAX);
        assert_contains(line.bytes, "\xe2\x80\xa6\",\"pid\"");
        assert_contains(line.bytes, "\",\"prev\":\"ab0000");
        assert_int_equal(line.bytes[line.len - 1], '}');
    }
}

/* ------------------------------------------------------------------ the file */

static void files_are_private(void **state)
{
    struct stat st;

    (void)state;
    world_append_ok(1);
    assert_int_equal(stat(world_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(world_head_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, LEDGER_HEAD_SIZE);
}

static void refused(const char *says)
{
    struct ledger_line line = {.len = 7};
    struct error err = {0};

    assert_true(ledger_append(world_path, &world_entry, &line, &err) != ERROR_NONE);
    assert_contains(error_text(&err), says);
    assert_int_equal(line.len, 7);
}

static void what_is_not_private_is_refused(void **state)
{
    char other[FOLDER_PATH_MAX];

    (void)state;
    world_append_ok(1);
    assert_int_equal(chmod(world_path, 0620), 0);
    refused("not a file that only you can write");
    assert_int_equal(chmod(world_path, 0600), 0);
    assert_int_equal(rename(world_path, folder_path(world_folder, "a/other", other)), 0);
    assert_int_equal(symlink(other, world_path), 0);
    refused("cannot be opened");
    assert_int_equal(unlink(world_path), 0);
    assert_int_equal(mkfifo(world_path, 0600), 0);
    refused("not a file that only you can write");
    assert_int_equal(unlink(world_path), 0);
    assert_int_equal(ledger_append("/dev/full", &world_entry, &(struct ledger_line){0}, NULL), ERROR_IO);
    assert_int_equal(ledger_append(NULL, &world_entry, &(struct ledger_line){0}, NULL), ERROR_IO);
}

/* Descriptors 0 to 2 belong to the host's messages even when the host has closed them. */
static void host_without_stdio_does_not_write_into_it(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    world_append_ok(1);
    pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        close(2);
        _exit(private_file_open(world_path, false, 0, NULL) > 2 && world_append(NULL) == ERROR_NONE ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    world_assert_chained(2);
}

/* A user who may not write there; root may write everywhere, so the test becomes another user in a child. */
static void read_only_folder_is_said(void **state)
{
    char below[FOLDER_PATH_MAX];
    pid_t pid;
    int status;

    (void)state;
    world_append_ok(1);
    assert_int_equal(chmod(folder_path(world_folder, "a", below), 0500), 0);
    pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (chown(below, 65534, 65534) != 0 || setuid(65534) != 0))
            _exit(2);
        _exit(world_append(NULL) == ERROR_IO ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    world_assert_chained(1);
}

/* The disk is full for this process: the ledger stays as it was, and SIGXFSZ ends nobody. */
static void full_disk_leaves_the_ledger_whole(void **state)
{
    struct stat st;
    pid_t pid;
    int status;
    long line;

    (void)state;
    world_append_ok(3);
    assert_int_equal(stat(world_path, &st), 0);
    line = st.st_size / 3;
    for (long room = -1; room <= line; room++) {
        pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {.rlim_cur = (rlim_t)(st.st_size + room), .rlim_max = RLIM_INFINITY};

            if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                _exit(2);
            _exit(world_append(NULL) == (room < line ? ERROR_IO : ERROR_NONE) ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    world_assert_chained(4);
}

/* A ledger that is archived is begun anew, also by who was waiting for its lock. */
static void moved_ledger_is_begun_anew(void **state)
{
    char archive[FOLDER_PATH_MAX];
    char archive_head[FOLDER_PATH_MAX];

    (void)state;
    world_append_ok(2);
    assert_int_equal(rename(world_path, folder_path(world_folder, "a/old", archive)), 0);
    assert_int_equal(rename(world_head_path, folder_path(world_folder, "a/old.head", archive_head)), 0);
    world_append_ok(2);
    world_assert_chained(2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_has_its_form),
        TEST(denial_and_data_are_told),
        TEST(strings_are_escaped),
        TEST(strings_are_bounded),
        TEST(files_are_private),
        TEST(what_is_not_private_is_refused),
        TEST(host_without_stdio_does_not_write_into_it),
        TEST(read_only_folder_is_said),
        TEST(full_disk_leaves_the_ledger_whole),
        TEST(moved_ledger_is_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
