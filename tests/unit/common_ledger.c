/* ledger: lines are whole and chained, whoever writes them and whatever fails; what cannot be written is said. */
#include "common/ledger.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/ledger_head.h"
#include "common/private_file.h"
#include "support/folder.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];
static char head_path[FOLDER_PATH_MAX];

static const struct ledger_entry entry = {.program = "/usr/bin/signer",
                                          .pid = 4711,
                                          .uid = 1000,
                                          .key = "my key",
                                          .key_id = "0a0b",
                                          .token = "card",
                                          .token_serial = "0042",
                                          .operation = "sign",
                                          .allowed = true,
                                          .how = "asked"};

static int start(void **state)
{
    (void)state;
    folder_make(folder);
    folder_path(folder, "a/ledger.jsonl", path);
    folder_path(folder, "a/ledger.jsonl.head", head_path);
    return 0;
}

static int stop(void **state)
{
    char below[FOLDER_PATH_MAX];

    (void)state;
    (void)chmod(folder_path(folder, "a", below), 0700);
    folder_remove(folder);
    return 0;
}

static enum error_code append(struct error *err)
{
    struct ledger_line line;

    return ledger_append(path, &entry, &line, err);
}

static void append_ok(unsigned n)
{
    while (n-- > 0) {
        struct error err = {0};

        if (append(&err) != ERROR_NONE)
            fail_msg("%s", error_text(&err));
    }
}

static char *read_ledger(void)
{
    return folder_read(folder, "a/ledger.jsonl");
}

static bool head_is(unsigned long long lines, const char *last, size_t len)
{
    const int fd = open(head_path, O_RDONLY | O_CLOEXEC);
    unsigned char hash[LEDGER_HASH_BYTES];
    struct ledger_head head = {0};
    bool right = fd >= 0 && ledger_head_read(fd, &head) && head.lines == lines;

    crypto_hash_sha256(hash, (const unsigned char *)last, len);
    close(fd);
    return right && memcmp(head.last, hash, sizeof hash) == 0;
}

/* How many lines hold the hash of the line before them and their own number, and the head fits the last. */
static unsigned count_chained(char *ledger)
{
    char prev[2 * LEDGER_HASH_BYTES + 1];
    const char *last = "";
    unsigned chained = 0;
    unsigned number = 0;

    memset(prev, '0', sizeof prev - 1);
    prev[sizeof prev - 1] = '\0';
    for (char *line = ledger; *line;) {
        unsigned char hash[LEDGER_HASH_BYTES];
        char expected[128];
        char *end = strchr(line, '\n');

        assert_non_null(end);
        *end = '\0';
        snprintf(expected, sizeof expected, "\"prev\":\"%s\"}", prev);
        if (strlen(line) > strlen(expected) && strcmp(line + strlen(line) - strlen(expected), expected) == 0) {
            snprintf(expected, sizeof expected, ",\"seq\":%u,", number + 1);
            chained += strstr(line, expected) != NULL;
        }
        crypto_hash_sha256(hash, (const unsigned char *)line, strlen(line));
        sodium_bin2hex(prev, sizeof prev, hash, sizeof hash);
        number++;
        last = line;
        line = end + 1;
    }
    assert_true(head_is(number, last, strlen(last)));
    return chained;
}

static void assert_chained(unsigned lines)
{
    char *ledger = read_ledger();

    assert_int_equal(count_chained(ledger), lines);
    free(ledger);
}

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
    assert_int_equal(ledger_append(path, &entry, &line, NULL), ERROR_NONE);
    ledger = read_ledger();
    assert_int_equal(regcomp(&regex, form, REG_EXTENDED), 0);
    if (regexec(&regex, ledger, 0, NULL, 0) != 0)
        fail_msg("%s", ledger);
    regfree(&regex);
    assert_int_equal(strncmp(ledger, line.bytes, line.len), 0);
    assert_string_equal(ledger + line.len, "\n");
    free(ledger);
    assert_chained(1);
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
    struct ledger_entry odd = entry;
    struct ledger_line line;

    (void)state;
    odd.key = "a\"b\\c\nd\x1b\x7f\xc2\x9b\xe2\x80\xae\xe7\x8e\x8b\xf0\x9f\x94\x91\xff\xc0\xaf\xed\xa0\x80";
    render(&odd, &line);
    assert_contains(line.bytes, "\"key\":\"a\\\"b\\\\c\\u000ad\\u001b\\u007f\\u009b\\u202e\xe7\x8e\x8b\xf0\x9f\x94\x91"
                                "\\\\xff\\\\xc0\\\\xaf\\\\xed\\\\xa0\\\\x80\",");
}

static void strings_are_bounded(void **state)
{
    struct ledger_entry huge = entry;
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
    append_ok(1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(head_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, LEDGER_HEAD_SIZE);
}

static void refused(const char *says)
{
    struct ledger_line line = {.len = 7};
    struct error err = {0};

    assert_true(ledger_append(path, &entry, &line, &err) != ERROR_NONE);
    assert_contains(error_text(&err), says);
    assert_int_equal(line.len, 7);
}

static void what_is_not_private_is_refused(void **state)
{
    char other[FOLDER_PATH_MAX];

    (void)state;
    append_ok(1);
    assert_int_equal(chmod(path, 0620), 0);
    refused("not a file that only you can write");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(rename(path, folder_path(folder, "a/other", other)), 0);
    assert_int_equal(symlink(other, path), 0);
    refused("cannot be opened");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused("not a file that only you can write");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ledger_append("/dev/full", &entry, &(struct ledger_line){0}, NULL), ERROR_IO);
    assert_int_equal(ledger_append(NULL, &entry, &(struct ledger_line){0}, NULL), ERROR_IO);
}

/* Descriptors 0 to 2 belong to the host's messages even when the host has closed them. */
static void host_without_stdio_does_not_write_into_it(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    append_ok(1);
    pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        close(2);
        _exit(private_file_open(path, false, 0, NULL) > 2 && append(NULL) == ERROR_NONE ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_chained(2);
}

/* A user who may not write there; root may write everywhere, so the test becomes another user in a child. */
static void read_only_folder_is_said(void **state)
{
    char below[FOLDER_PATH_MAX];
    pid_t pid;
    int status;

    (void)state;
    append_ok(1);
    assert_int_equal(chmod(folder_path(folder, "a", below), 0500), 0);
    pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (chown(below, 65534, 65534) != 0 || setuid(65534) != 0))
            _exit(2);
        _exit(append(NULL) == ERROR_IO ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_chained(1);
}

/* The disk is full for this process: the ledger stays as it was, and SIGXFSZ ends nobody. */
static void full_disk_leaves_the_ledger_whole(void **state)
{
    struct stat st;
    pid_t pid;
    int status;
    long line;

    (void)state;
    append_ok(3);
    assert_int_equal(stat(path, &st), 0);
    line = st.st_size / 3;
    for (long room = -1; room <= line; room++) {
        pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {.rlim_cur = (rlim_t)(st.st_size + room), .rlim_max = RLIM_INFINITY};

            if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                _exit(2);
            _exit(append(NULL) == (room < line ? ERROR_IO : ERROR_NONE) ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_chained(4);
}

/* A ledger that is archived is begun anew, also by who was waiting for its lock. */
static void moved_ledger_is_begun_anew(void **state)
{
    char archive[FOLDER_PATH_MAX];
    char archive_head[FOLDER_PATH_MAX];

    (void)state;
    append_ok(2);
    assert_int_equal(rename(path, folder_path(folder, "a/old", archive)), 0);
    assert_int_equal(rename(head_path, folder_path(folder, "a/old.head", archive_head)), 0);
    append_ok(2);
    assert_chained(2);
}

/* ------------------------------------------------------------------ after a crash */

static void write_at_end(const char *text)
{
    FILE *file = fopen(path, "ae");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The torn line stays, closed off; what follows is chained to it. */
static void torn_line_is_closed_off(void **state)
{
    char *ledger;

    (void)state;
    append_ok(2);
    write_at_end("{\"time\":\"2026-");
    append_ok(2);
    ledger = read_ledger();
    assert_contains(ledger, "\n{\"time\":\"2026-\n{\"time\"");
    assert_contains(ledger, "\"seq\":4,");
    assert_int_equal(count_chained(ledger), 4); /* all but the torn one */
    free(ledger);
}

/* A writer that was killed between line and head: the line counts. */
static void line_that_the_head_missed_is_taken_in(void **state)
{
    char *before;
    char *ledger;

    (void)state;
    append_ok(1);
    before = folder_read(folder, "a/ledger.jsonl.head");
    append_ok(1);
    folder_write(folder, "a/ledger.jsonl.head", before);
    append_ok(1);
    ledger = read_ledger();
    assert_int_equal(count_chained(ledger), 3);
    free(ledger);
    free(before);
}

/* Lines cut off: the next chains on to the last that was written, so the gap shows. */
static void cut_off_lines_leave_a_gap(void **state)
{
    struct stat st;
    char *ledger;

    (void)state;
    append_ok(1);
    assert_int_equal(stat(path, &st), 0);
    append_ok(2);
    assert_int_equal(truncate(path, st.st_size), 0);
    append_ok(1);
    ledger = read_ledger();
    assert_contains(ledger, "\"seq\":4,");
    free(ledger);
}

static void missing_head_begins_a_new_chain(void **state)
{
    char *ledger;

    (void)state;
    append_ok(2);
    assert_int_equal(unlink(head_path), 0);
    append_ok(2);
    ledger = read_ledger();
    assert_int_equal(count_chained(ledger), 3);
    free(ledger);
}

static void damaged_heads_are_no_heads(void **state)
{
    char *good;

    (void)state;
    append_ok(2);
    good = folder_read(folder, "a/ledger.jsonl.head");
    for (size_t i = 0; i < strlen(good); i++) {
        struct ledger_head head = {.lines = 77};
        char *bad = strdup(good);
        int fd;

        if (good[i] >= '0' && good[i] <= '9')
            bad[i] = 'x';
        else
            bad[i] = '\t';
        folder_write(folder, "a/ledger.jsonl.head", bad);
        fd = open(head_path, O_RDONLY | O_CLOEXEC);
        assert_false(ledger_head_read(fd, &head));
        assert_int_equal(head.lines, 77);
        close(fd);
        free(bad);
    }
    free(good);
}

/* ------------------------------------------------------------------ many writers */

#define WRITERS 8
#define LINES   200

static void *write_lines(void *failed)
{
    struct error err = {0};

    for (int n = 0; n < LINES / 2; n++)
        if (append(&err) != ERROR_NONE)
            *(bool *)failed = true;
    return NULL;
}

/* Two threads in each of eight processes. */
static void concurrent_lines_are_whole_and_chained(void **state)
{
    pid_t pids[WRITERS];
    int status;

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            bool failed[2] = {false, false};
            pthread_t thread;

            if (pthread_create(&thread, NULL, write_lines, &failed[0]) != 0)
                _exit(2);
            write_lines(&failed[1]);
            pthread_join(thread, NULL);
            _exit(failed[0] || failed[1]);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_chained(WRITERS * LINES);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody waits longer than the bound for a lock that is never given up. */
static void held_lock_is_waited_for_in_bounds(void **state)
{
    struct error err = {0};
    int64_t begin_ms;
    int fd;

    (void)state;
    append_ok(1);
    fd = private_file_open(path, false, 0, NULL);
    assert_int_equal(private_file_lock(fd, 0, NULL), ERROR_NONE);
    begin_ms = now_ms();
    assert_int_equal(append(&err), ERROR_TIMEOUT);
    assert_in_range(now_ms() - begin_ms, LEDGER_LOCK_TIMEOUT_MS - 10, LEDGER_LOCK_TIMEOUT_MS + 1500);
    assert_contains(error_text(&err), "locked for too long");
    private_file_unlock(fd);
    append_ok(1);
    close(fd);
    assert_chained(2);
}

/* Writers that are killed at any moment leave a ledger that goes on: every line that was finished is chained. A line
 * may be torn where a page ends, because there the kernel looks for the signal. */
static void killed_writers_leave_lines_that_count(void **state)
{
    char *ledger;
    unsigned finished = 0;

    (void)state;
    append_ok(1);
    for (int i = 0; i < 20; i++) {
        const struct timespec while_ = {.tv_nsec = 1000000 + i * 137000};
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                (void)append(NULL);
        nanosleep(&while_, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    append_ok(1);
    ledger = read_ledger();
    for (const char *c = strstr(ledger, "\"}\n"); c; c = strstr(c + 1, "\"}\n"))
        finished++;
    assert_int_equal(count_chained(ledger), finished);
    free(ledger);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

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
        TEST(torn_line_is_closed_off),
        TEST(line_that_the_head_missed_is_taken_in),
        TEST(cut_off_lines_leave_a_gap),
        TEST(missing_head_begins_a_new_chain),
        TEST(damaged_heads_are_no_heads),
        TEST(concurrent_lines_are_whole_and_chained),
        TEST(held_lock_is_waited_for_in_bounds),
        TEST(killed_writers_leave_lines_that_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
