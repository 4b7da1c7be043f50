/* retry: what is counted, in which order, and across processes that race and are killed. */
#include "pkcs11-module/retry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retry_world.h"
#include "support/process_state.h"
#include "support/processes.h"
#include "support/test.h"

static CK_FLAGS flags(void)
{
    struct retry_state seen;

    assert_ok(retry_look(&world_retry, &world_token, &seen));
    assert_int_equal(seen.left, seen.wrong < world_retry.limit ? world_retry.limit - seen.wrong : 0);
    return seen.flags;
}

/* ------------------------------------------------------------------ counting */

static void wrong_ones_count_up_to_the_lock(void **state)
{
    (void)state;
    world_retry.limit = 3;
    assert_int_equal(flags(), 0);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED);
    assert_rv(world_try(RETRY_RIGHT), CKR_PIN_LOCKED);
    assert_int_equal(world_wrong(), 3);
    retry_reset(&world_retry, &world_token);
    assert_int_equal(flags(), 0);
    assert_ok(world_try(RETRY_RIGHT));
}

static void right_one_begins_anew(void **state)
{
    (void)state;
    for (int n = 0; n < 9; n++)
        assert_ok(world_try(RETRY_WRONG));
    assert_ok(world_try(RETRY_RIGHT));
    assert_int_equal(world_wrong(), 0);
    for (int n = 0; n < 10; n++)
        assert_ok(world_try(RETRY_WRONG));
    assert_rv(world_try(RETRY_RIGHT), CKR_PIN_LOCKED);
}

static void what_is_not_counted_changes_nothing(void **state)
{
    (void)state;
    assert_ok(world_try(RETRY_WRONG));
    for (int n = 0; n < 200; n++)
        assert_ok(world_try(RETRY_NOT_COUNTED));
    assert_int_equal(world_wrong(), 1);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(world_wrong(), 2);
}

static void tokens_are_counted_apart(void **state)
{
    (void)state;
    assert_ok(world_try(RETRY_WRONG));
    world_token.serialNumber[3] = '2';
    assert_int_equal(world_wrong(), 0);
    world_token.serialNumber[3] = '1';
    memcpy(world_token.label, "Another label", 13); /* it can be changed by any program */
    assert_int_equal(world_wrong(), 1);
}

static void limit_of_0_counts_nothing(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    world_retry.limit = 0;
    for (int n = 0; n < 30; n++)
        assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(world_wrong(), 0);
    retry_reset(&world_retry, &world_token);
    assert_int_equal(access(folder_path(world_folder, "pinward", path), F_OK), -1);
}

static void looking_and_resetting_make_no_file(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    assert_int_equal(world_wrong(), 0);
    retry_reset(&world_retry, &world_token);
    assert_int_equal(access(folder_path(world_folder, "pinward", path), F_OK), -1);
}

/* As if checked one after the other, in the order in which they were written down. */
static void verdicts_may_come_in_any_order(void **state)
{
    struct retry_try first, second, third;

    (void)state;
    assert_ok(retry_begin(&world_retry, &world_token, &first));
    assert_ok(retry_begin(&world_retry, &world_token, &second));
    assert_ok(retry_begin(&world_retry, &world_token, &third));
    assert_int_equal(world_wrong(), 0); /* under way is not wrong */
    retry_end(&third, RETRY_WRONG);
    assert_int_equal(world_wrong(), 1);
    retry_end(&second, RETRY_RIGHT); /* forgives the first, not the third */
    assert_int_equal(world_wrong(), 1);
    retry_end(&first, RETRY_WRONG);
    assert_int_equal(world_wrong(), 1);

    assert_ok(retry_begin(&world_retry, &world_token, &first));
    assert_ok(retry_begin(&world_retry, &world_token, &second));
    retry_end(&second, RETRY_NOT_COUNTED);
    retry_end(&first, RETRY_WRONG);
    assert_int_equal(world_wrong(), 2);
    assert_ok(retry_begin(&world_retry, &world_token, &first));
    assert_ok(retry_begin(&world_retry, &world_token, &second));
    retry_end(&first, RETRY_NOT_COUNTED);
    retry_end(&second, RETRY_WRONG);
    assert_int_equal(world_wrong(), 3);
    assert_ok(world_try(RETRY_RIGHT));
    assert_int_equal(world_wrong(), 0);
}

static void no_descriptor_stays_behind(void **state)
{
    const int before = process_descriptors();

    (void)state;
    world_retry.limit = 2;
    assert_ok(world_try(RETRY_WRONG));
    assert_ok(world_try(RETRY_RIGHT));
    assert_ok(world_try(RETRY_WRONG));
    assert_ok(world_try(RETRY_WRONG));
    assert_rv(world_try(RETRY_WRONG), CKR_PIN_LOCKED);
    assert_int_equal(world_wrong(), 2);
    retry_reset(&world_retry, &world_token);
    assert_int_equal(process_descriptors(), before);
}

/* ------------------------------------------------------------------ processes */

#define PROCESSES 16

static unsigned char guess_until_locked(void)
{
    struct retry_try one;
    unsigned char checked = 0;

    while (checked < 100 && retry_begin(&world_retry, &world_token, &one) == CKR_OK) {
        checked++;
        usleep(500);
        retry_end(&one, RETRY_WRONG);
    }
    return checked;
}

static unsigned char log_in_often(void)
{
    struct retry_try one;
    unsigned char logged_in = 0;

    while (logged_in < 10 && retry_begin(&world_retry, &world_token, &one) == CKR_OK) {
        logged_in++;
        usleep(500);
        retry_end(&one, RETRY_RIGHT);
    }
    return logged_in;
}

static void racing_wrong_pins_count_exactly(void **state)
{
    (void)state;
    for (unsigned limit = 1; limit <= 15; limit += 7) {
        world_retry.limit = limit;
        assert_int_equal(processes_sum(PROCESSES, guess_until_locked), limit);
        assert_int_equal(world_wrong(), limit);
        retry_reset(&world_retry, &world_token);
    }
}

/* More of them than there are tries: none must meet a lock that only others' unfinished logins make. */
static void racing_right_pins_lock_nobody_out(void **state)
{
    (void)state;
    world_retry.limit = 3;
    assert_int_equal(processes_sum(PROCESSES, log_in_often), PROCESSES * 10);
    assert_int_equal(world_wrong(), 0);
}

static void killed_process_has_used_its_try_up(void **state)
{
    struct retry_try one;
    int status;

    (void)state;
    world_retry.limit = 3;
    for (int n = 0; n < 3; n++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            if (retry_begin(&world_retry, &world_token, &one) == CKR_OK)
                raise(SIGKILL);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(world_wrong(), (unsigned)n + 1);
    }
    assert_rv(world_try(RETRY_RIGHT), CKR_PIN_LOCKED);
}

/* Killed at any instruction, also while the file is made and written: it stays whole. */
static void file_survives_kills(void **state)
{
    int status;

    (void)state;
    for (int n = 0; n < 60; n++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            world_retry.limit = 15;
            for (;;)
                world_try(RETRY_RIGHT);
        }
        usleep((useconds_t)(n * 40));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)world_wrong();
        retry_reset(&world_retry, &world_token);
    }
}

/* The last try is another's, and it decides. */
static void waits_for_the_last_try(void **state)
{
    struct retry_try held;
    int status;
    pid_t pid;

    (void)state;
    world_retry.limit = 1;
    assert_ok(retry_begin(&world_retry, &world_token, &held));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(world_try(RETRY_RIGHT) == CKR_OK ? 0 : 1);
    usleep(50000);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    retry_end(&held, RETRY_RIGHT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_ones_count_up_to_the_lock),
        TEST(right_one_begins_anew),
        TEST(what_is_not_counted_changes_nothing),
        TEST(tokens_are_counted_apart),
        TEST(limit_of_0_counts_nothing),
        TEST(looking_and_resetting_make_no_file),
        TEST(verdicts_may_come_in_any_order),
        TEST(no_descriptor_stays_behind),
        TEST(racing_wrong_pins_count_exactly),
        TEST(racing_right_pins_lock_nobody_out),
        TEST(killed_process_has_used_its_try_up),
        TEST(file_survives_kills),
        TEST(waits_for_the_last_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
