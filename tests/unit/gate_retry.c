/* retry and cool_down: what is counted across processes, and what happens to a file that cannot be relied on. */
#include "pkcs11-module/retry.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11-module/cool_down.h"
#include "support/folder.h"
#include "support/process_state.h"
#include "support/test.h"

static char folder[FOLDER_PATH_MAX];
static struct retry retry;
static CK_TOKEN_INFO token;

static int start(void **state)
{
    (void)state;
    folder_make(folder);
    setenv("XDG_STATE_HOME", folder, 1);
    retry_init(&retry, 10);
    memset(&token, ' ', sizeof token);
    memcpy(token.manufacturerID, "Maker", 5);
    memcpy(token.model, "Model", 5);
    memcpy(token.serialNumber, "0001", 4);
    return 0;
}

static int stop(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    (void)chmod(folder_path(folder, "pinward/retry", path), 0700);
    folder_remove(folder);
    return 0;
}

static CK_RV attempt(enum retry_verdict verdict)
{
    struct retry_try one;
    CK_RV rv = retry_begin(&retry, &token, &one);

    if (rv == CKR_OK)
        retry_end(&one, verdict);
    return rv;
}

static unsigned wrong(void)
{
    struct retry_state seen;

    assert_ok(retry_look(&retry, &token, &seen));
    return seen.wrong;
}

static CK_FLAGS flags(void)
{
    struct retry_state seen;

    assert_ok(retry_look(&retry, &token, &seen));
    assert_int_equal(seen.left, seen.wrong < retry.limit ? retry.limit - seen.wrong : 0);
    return seen.flags;
}

/* The path of the token's file, found as the only one in its folder. */
static const char *file_path(void)
{
    static char path[FOLDER_PATH_MAX + 64];
    char command[FOLDER_PATH_MAX + 64];
    FILE *list;

    snprintf(command, sizeof command, "ls -A %s/pinward/retry", folder);
    list = popen(command, "re");
    assert_non_null(list);
    snprintf(path, sizeof path, "%s/pinward/retry/", folder);
    assert_non_null(fgets(path + strlen(path), 64, list));
    path[strcspn(path, "\n")] = '\0';
    assert_int_equal(fgetc(list), EOF);
    pclose(list);
    return path;
}

/* ------------------------------------------------------------------ counting */

static void wrong_ones_count_up_to_the_lock(void **state)
{
    (void)state;
    retry.limit = 3;
    assert_int_equal(flags(), 0);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED);
    assert_rv(attempt(RETRY_RIGHT), CKR_PIN_LOCKED);
    assert_int_equal(wrong(), 3);
    retry_reset(&retry, &token);
    assert_int_equal(flags(), 0);
    assert_ok(attempt(RETRY_RIGHT));
}

static void right_one_begins_anew(void **state)
{
    (void)state;
    for (int n = 0; n < 9; n++)
        assert_ok(attempt(RETRY_WRONG));
    assert_ok(attempt(RETRY_RIGHT));
    assert_int_equal(wrong(), 0);
    for (int n = 0; n < 10; n++)
        assert_ok(attempt(RETRY_WRONG));
    assert_rv(attempt(RETRY_RIGHT), CKR_PIN_LOCKED);
}

static void what_is_not_counted_changes_nothing(void **state)
{
    (void)state;
    assert_ok(attempt(RETRY_WRONG));
    for (int n = 0; n < 200; n++)
        assert_ok(attempt(RETRY_NOT_COUNTED));
    assert_int_equal(wrong(), 1);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(wrong(), 2);
}

static void tokens_are_counted_apart(void **state)
{
    (void)state;
    assert_ok(attempt(RETRY_WRONG));
    token.serialNumber[3] = '2';
    assert_int_equal(wrong(), 0);
    token.serialNumber[3] = '1';
    memcpy(token.label, "Another label", 13); /* it can be changed by any program */
    assert_int_equal(wrong(), 1);
}

static void limit_of_0_counts_nothing(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    retry.limit = 0;
    for (int n = 0; n < 30; n++)
        assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(wrong(), 0);
    retry_reset(&retry, &token);
    assert_int_equal(access(folder_path(folder, "pinward", path), F_OK), -1);
}

static void looking_and_resetting_make_no_file(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    assert_int_equal(wrong(), 0);
    retry_reset(&retry, &token);
    assert_int_equal(access(folder_path(folder, "pinward", path), F_OK), -1);
}

/* As if checked one after the other, in the order in which they were written down. */
static void verdicts_may_come_in_any_order(void **state)
{
    struct retry_try first, second, third;

    (void)state;
    assert_ok(retry_begin(&retry, &token, &first));
    assert_ok(retry_begin(&retry, &token, &second));
    assert_ok(retry_begin(&retry, &token, &third));
    assert_int_equal(wrong(), 0); /* under way is not wrong */
    retry_end(&third, RETRY_WRONG);
    assert_int_equal(wrong(), 1);
    retry_end(&second, RETRY_RIGHT); /* forgives the first, not the third */
    assert_int_equal(wrong(), 1);
    retry_end(&first, RETRY_WRONG);
    assert_int_equal(wrong(), 1);

    assert_ok(retry_begin(&retry, &token, &first));
    assert_ok(retry_begin(&retry, &token, &second));
    retry_end(&second, RETRY_NOT_COUNTED);
    retry_end(&first, RETRY_WRONG);
    assert_int_equal(wrong(), 2);
    assert_ok(retry_begin(&retry, &token, &first));
    assert_ok(retry_begin(&retry, &token, &second));
    retry_end(&first, RETRY_NOT_COUNTED);
    retry_end(&second, RETRY_WRONG);
    assert_int_equal(wrong(), 3);
    assert_ok(attempt(RETRY_RIGHT));
    assert_int_equal(wrong(), 0);
}

static void no_descriptor_stays_behind(void **state)
{
    const int before = process_descriptors();

    (void)state;
    retry.limit = 2;
    assert_ok(attempt(RETRY_WRONG));
    assert_ok(attempt(RETRY_RIGHT));
    assert_ok(attempt(RETRY_WRONG));
    assert_ok(attempt(RETRY_WRONG));
    assert_rv(attempt(RETRY_WRONG), CKR_PIN_LOCKED);
    assert_int_equal(wrong(), 2);
    retry_reset(&retry, &token);
    assert_int_equal(process_descriptors(), before);
}

/* ------------------------------------------------------------------ processes */

#define PROCESSES 16

/* Each runs work and writes what it returns, a byte, to a pipe; the sum of them. */
static unsigned run_processes(unsigned char (*work)(void))
{
    unsigned char counted;
    unsigned sum = 0;
    int status, ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (int n = 0; n < PROCESSES; n++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            counted = work();
            _exit(write(ends[1], &counted, 1) == 1 ? 0 : 1);
        }
    }
    close(ends[1]);
    while (read(ends[0], &counted, 1) == 1)
        sum += counted;
    close(ends[0]);
    for (int n = 0; n < PROCESSES; n++) {
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return sum;
}

static unsigned char guess_until_locked(void)
{
    struct retry_try one;
    unsigned char checked = 0;

    while (checked < 100 && retry_begin(&retry, &token, &one) == CKR_OK) {
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

    while (logged_in < 10 && retry_begin(&retry, &token, &one) == CKR_OK) {
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
        retry.limit = limit;
        assert_int_equal(run_processes(guess_until_locked), limit);
        assert_int_equal(wrong(), limit);
        retry_reset(&retry, &token);
    }
}

/* More of them than there are tries: none must meet a lock that only others' unfinished logins make. */
static void racing_right_pins_lock_nobody_out(void **state)
{
    (void)state;
    retry.limit = 3;
    assert_int_equal(run_processes(log_in_often), PROCESSES * 10);
    assert_int_equal(wrong(), 0);
}

static void killed_process_has_used_its_try_up(void **state)
{
    struct retry_try one;
    int status;

    (void)state;
    retry.limit = 3;
    for (int n = 0; n < 3; n++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            if (retry_begin(&retry, &token, &one) == CKR_OK)
                raise(SIGKILL);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(wrong(), (unsigned)n + 1);
    }
    assert_rv(attempt(RETRY_RIGHT), CKR_PIN_LOCKED);
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
            retry.limit = 15;
            for (;;)
                attempt(RETRY_RIGHT);
        }
        usleep((useconds_t)(n * 40));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)wrong();
        retry_reset(&retry, &token);
    }
}

/* The last try is another's, and it decides. */
static void waits_for_the_last_try(void **state)
{
    struct retry_try held;
    int status;
    pid_t pid;

    (void)state;
    retry.limit = 1;
    assert_ok(retry_begin(&retry, &token, &held));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(attempt(RETRY_RIGHT) == CKR_OK ? 0 : 1);
    usleep(50000);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    retry_end(&held, RETRY_RIGHT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ------------------------------------------------------------------ files that cannot be relied on */

static void expect_closed(void)
{
    struct retry_state seen = {.wrong = 77};

    assert_rv(attempt(RETRY_RIGHT), CKR_FUNCTION_FAILED);
    assert_rv(retry_look(&retry, &token, &seen), CKR_FUNCTION_FAILED);
    assert_int_equal(seen.wrong, 77);
}

/* Every bit of the record, and every length of it. */
static void damaged_file_takes_no_pin(void **state)
{
    unsigned char record[256], changed[256];
    const char *path;
    ssize_t len;
    int fd;

    (void)state;
    assert_ok(attempt(RETRY_WRONG));
    path = file_path();
    fd = open(path, O_RDWR | O_CLOEXEC);
    len = read(fd, record, sizeof record);
    assert_in_range(len, 64, 128);
    for (ssize_t i = 0; i < len; i++) {
        memcpy(changed, record, sizeof changed);
        changed[i] ^= (unsigned char)(1 << i % 8);
        assert_int_equal(pwrite(fd, changed, (size_t)len, 0), len);
        expect_closed();
        assert_int_equal(pwrite(fd, record, (size_t)len, 0), len);
        assert_int_equal(ftruncate(fd, i), 0);
        expect_closed();
        assert_int_equal(pwrite(fd, record, (size_t)len, 0), len);
    }
    assert_int_equal(pwrite(fd, "x", 1, len), 1);
    expect_closed();
    retry_reset(&retry, &token); /* mends nothing */
    expect_closed();
    assert_int_equal(ftruncate(fd, len), 0);
    assert_int_equal(wrong(), 1);
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(wrong(), 0);
}

static void impossible_numbers_take_no_pin(void **state)
{
    struct counter_file file;
    static const uint64_t impossible[][2] = {{0, 1}, {3, 8}, {UINT64_MAX, 1}, {5, UINT64_MAX}};

    (void)state;
    assert_ok(attempt(RETRY_WRONG));
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        assert_int_equal(counter_file_open(file_path(), &file, NULL), ERROR_NONE);
        memcpy(file.numbers, impossible[i], sizeof file.numbers);
        assert_int_equal(counter_file_save(&file, NULL), ERROR_NONE);
        counter_file_close(&file);
        expect_closed();
    }
}

static void file_of_others_takes_no_pin(void **state)
{
    const char *path;
    char elsewhere[FOLDER_PATH_MAX];

    (void)state;
    assert_ok(attempt(RETRY_WRONG));
    path = file_path();
    assert_int_equal(chmod(path, 0622), 0);
    expect_closed();
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(wrong(), 1);
    assert_int_equal(rename(path, folder_path(folder, "elsewhere", elsewhere)), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    expect_closed();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_closed();
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_closed();
}

static void folder_that_cannot_be_used_takes_no_pin(void **state)
{
    (void)state;
    assert_int_equal(setenv("XDG_STATE_HOME", "/proc/self/nowhere", 1), 0);
    retry_init(&retry, 10);
    assert_rv(attempt(RETRY_RIGHT), CKR_FUNCTION_FAILED);
    assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null", 1), 0);
    retry_init(&retry, 10);
    expect_closed();
    retry.limit = 0;
    assert_ok(attempt(RETRY_WRONG));
}

/* A disk that is full, as far as this process is concerned. */
static void file_that_cannot_be_written_takes_no_pin(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit nothing = {0, 0};

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &nothing);
        _exit(attempt(RETRY_RIGHT) == CKR_FUNCTION_FAILED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(wrong(), 1);
}

static void files_are_the_users_alone(void **state)
{
    char path[FOLDER_PATH_MAX];
    struct stat st;

    (void)state;
    umask(0);
    assert_ok(attempt(RETRY_WRONG));
    assert_int_equal(stat(file_path(), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(stat(folder_path(folder, "pinward/retry", path), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

/* A host without an environment, and a setuid one: the user database knows the home. */
static void state_folder_without_an_environment(void **state)
{
    struct retry other;

    (void)state;
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    retry_init(&other, 10);
    assert_contains(other.folder, "/.local/state/pinward/retry");
}

/* ------------------------------------------------------------------ the cool-down */

static void two_unanswered_start_a_cool_down(void **state)
{
    struct cool_down cool_down;

    (void)state;
    cool_down_init(&cool_down, 1);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
    process_sleep_ms(1050);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false); /* the row goes on */
    assert_true(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_CANCELLED, false); /* a window that was open all the while */
    assert_false(cool_down_is_on(&cool_down));
}

static void answers_end_the_row(void **state)
{
    static const enum error_code answers[] = {ERROR_NONE, ERROR_CANCELLED};
    struct cool_down cool_down;

    (void)state;
    cool_down_init(&cool_down, 60);
    for (size_t i = 0; i < 2; i++) {
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
        cool_down_note(&cool_down, answers[i], false);
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
        assert_false(cool_down_is_on(&cool_down));
        cool_down_note(&cool_down, answers[i], false);
    }
    /* Neither a failure nor a withdrawal says anything of the user. */
    cool_down_note(&cool_down, ERROR_TIMEOUT, true);
    cool_down_note(&cool_down, ERROR_TIMEOUT, true);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    cool_down_note(&cool_down, ERROR_PROMPT, false);
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
}

static void cool_down_can_be_switched_off(void **state)
{
    struct cool_down cool_down;
    char path[FOLDER_PATH_MAX];

    (void)state;
    cool_down_init(&cool_down, 0);
    for (int n = 0; n < 3; n++)
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
    assert_int_equal(access(folder_path(folder, "pinward", path), F_OK), -1);
}

static void damaged_cool_down_asks_on(void **state)
{
    struct cool_down cool_down;
    int fd;

    (void)state;
    cool_down_init(&cool_down, 60);
    for (int n = 0; n < 2; n++)
        cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_true(cool_down_is_on(&cool_down));
    fd = open(cool_down.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    assert_false(cool_down_is_on(&cool_down));
    cool_down_note(&cool_down, ERROR_TIMEOUT, false);
    assert_false(cool_down_is_on(&cool_down));
}

/* CLOCK_BOOTTIME begins anew: a time that lies ahead is of an earlier boot. */
static void cool_down_ends_with_the_boot(void **state)
{
    struct cool_down cool_down;
    struct counter_file file;

    (void)state;
    cool_down_init(&cool_down, 60);
    assert_int_equal(counter_file_open(cool_down.path, &file, NULL), ERROR_NONE);
    file.numbers[0] = 5;
    file.numbers[1] = UINT64_C(1) << 60;
    assert_int_equal(counter_file_save(&file, NULL), ERROR_NONE);
    counter_file_close(&file);
    assert_false(cool_down_is_on(&cool_down));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

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
        TEST(damaged_file_takes_no_pin),
        TEST(impossible_numbers_take_no_pin),
        TEST(file_of_others_takes_no_pin),
        TEST(folder_that_cannot_be_used_takes_no_pin),
        TEST(file_that_cannot_be_written_takes_no_pin),
        TEST(files_are_the_users_alone),
        TEST(state_folder_without_an_environment),
        TEST(two_unanswered_start_a_cool_down),
        TEST(answers_end_the_row),
        TEST(cool_down_can_be_switched_off),
        TEST(damaged_cool_down_asks_on),
        TEST(cool_down_ends_with_the_boot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
