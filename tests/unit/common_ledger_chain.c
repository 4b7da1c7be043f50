/* ledger: lines are whole and chained, after a crash and whoever writes them. */
#include "common/ledger.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/ledger_head.h"
#include "common/private_file.h"
#include "ledger_world.h"
#include "support/test.h"

/* ------------------------------------------------------------------ after a crash */

static void write_at_end(const char *text)
{
    FILE *file = fopen(world_path, "ae");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The torn line stays, closed off; what follows is chained to it. */
static void torn_line_is_closed_off(void **state)
{
    char *ledger;

    (void)state;
    world_append_ok(2);
    write_at_end("{\"time\":\"2026-");
    world_append_ok(2);
    ledger = world_read();
    assert_contains(ledger, "\n{\"time\":\"2026-\n{\"time\"");
    assert_contains(ledger, "\"seq\":4,");
    assert_int_equal(world_count_chained(ledger), 4); /* all but the torn one */
    free(ledger);
}

/* A writer that was killed between line and head: the line counts. */
static void line_that_the_head_missed_is_taken_in(void **state)
{
    char *before;
    char *ledger;

    (void)state;
    world_append_ok(1);
    before = folder_read(world_folder, "a/ledger.jsonl.head");
    world_append_ok(1);
    folder_write(world_folder, "a/ledger.jsonl.head", before);
    world_append_ok(1);
    ledger = world_read();
    assert_int_equal(world_count_chained(ledger), 3);
    free(ledger);
    free(before);
}

/* Lines cut off: the next chains on to the last that was written, so the gap shows. */
static void cut_off_lines_leave_a_gap(void **state)
{
    struct stat st;
    char *ledger;

    (void)state;
    world_append_ok(1);
    assert_int_equal(stat(world_path, &st), 0);
    world_append_ok(2);
    assert_int_equal(truncate(world_path, st.st_size), 0);
    world_append_ok(1);
    ledger = world_read();
    assert_contains(ledger, "\"seq\":4,");
    free(ledger);
}

static void missing_head_begins_a_new_chain(void **state)
{
    char *ledger;

    (void)state;
    world_append_ok(2);
    assert_int_equal(unlink(world_head_path), 0);
    world_append_ok(2);
    ledger = world_read();
    assert_int_equal(world_count_chained(ledger), 3);
    free(ledger);
}

static void damaged_heads_are_no_heads(void **state)
{
    char *good;

    (void)state;
    world_append_ok(2);
    good = folder_read(world_folder, "a/ledger.jsonl.head");
    for (size_t i = 0; i < strlen(good); i++) {
        struct ledger_head head = {.lines = 77};
        char *bad = strdup(good);
        int fd;

        if (good[i] >= '0' && good[i] <= '9')
            bad[i] = 'x';
        else
            bad[i] = '\t';
        folder_write(world_folder, "a/ledger.jsonl.head", bad);
        fd = open(world_head_path, O_RDONLY | O_CLOEXEC);
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
        if (world_append(&err) != ERROR_NONE)
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
            _exit(failed[0] || failed[1] ? 1 : 0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    world_assert_chained(WRITERS * LINES);
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
    world_append_ok(1);
    fd = private_file_open(world_path, false, 0, NULL);
    assert_int_equal(private_file_lock(fd, 0, NULL), ERROR_NONE);
    begin_ms = now_ms();
    assert_int_equal(world_append(&err), ERROR_TIMEOUT);
    assert_in_range(now_ms() - begin_ms, LEDGER_LOCK_TIMEOUT_MS - 10, LEDGER_LOCK_TIMEOUT_MS + 1500);
    assert_contains(error_text(&err), "locked for too long");
    private_file_unlock(fd);
    world_append_ok(1);
    close(fd);
    world_assert_chained(2);
}

/* Whoever has the lock gives it to the next: each changes the file. */
static void *hold_by_turns(void *fd)
{
    const struct timespec turn = {.tv_nsec = 100000000};

    for (int i = 0; i < 15; i++) {
        (void)futimens(*(int *)fd, NULL);
        nanosleep(&turn, NULL);
    }
    private_file_unlock(*(int *)fd);
    return NULL;
}

static void lock_that_goes_round_is_waited_for(void **state)
{
    int held, wanted;
    pthread_t thread;
    int64_t begin_ms;

    (void)state;
    world_append_ok(1);
    held = private_file_open(world_path, false, 0, NULL);
    wanted = private_file_open(world_path, false, 0, NULL);
    assert_int_equal(private_file_lock(held, 0, NULL), ERROR_NONE);
    begin_ms = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, hold_by_turns, &held), 0);
    assert_int_equal(private_file_lock(wanted, 1000, NULL), ERROR_NONE);
    assert_true(now_ms() - begin_ms >= 1400);
    pthread_join(thread, NULL);
    private_file_unlock(wanted);
    close(held);
    close(wanted);
}

/* Writers that are killed at any moment leave a ledger that goes on: every line that was finished is chained. A line
 * may be torn where a page ends, because there the kernel looks for the signal. */
static void killed_writers_leave_lines_that_count(void **state)
{
    char *ledger;
    unsigned finished = 0;

    (void)state;
    world_append_ok(1);
    for (int i = 0; i < 20; i++) {
        const struct timespec while_ = {.tv_nsec = 1000000 + i * 137000};
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                (void)world_append(NULL);
        nanosleep(&while_, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    world_append_ok(1);
    ledger = world_read();
    for (const char *c = strstr(ledger, "\"}\n"); c; c = strstr(c + 1, "\"}\n"))
        finished++;
    assert_int_equal(world_count_chained(ledger), finished);
    free(ledger);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(torn_line_is_closed_off),
        TEST(line_that_the_head_missed_is_taken_in),
        TEST(cut_off_lines_leave_a_gap),
        TEST(missing_head_begins_a_new_chain),
        TEST(damaged_heads_are_no_heads),
        TEST(concurrent_lines_are_whole_and_chained),
        TEST(held_lock_is_waited_for_in_bounds),
        TEST(lock_that_goes_round_is_waited_for),
        TEST(killed_writers_leave_lines_that_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
