/* counter_file: whoever damages it, takes it away or fills the disk, no PIN is taken until it can be relied on again. */
#include "pkcs11-module/counter_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retry_world.h"
#include "support/test.h"

static void expect_closed(void)
{
    struct retry_state seen = {.wrong = 77};

    assert_rv(world_try(RETRY_RIGHT), CKR_FUNCTION_FAILED);
    assert_rv(retry_look(&world_retry, &world_token, &seen), CKR_FUNCTION_FAILED);
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
    assert_ok(world_try(RETRY_WRONG));
    path = world_file();
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
    retry_reset(&world_retry, &world_token); /* mends nothing */
    expect_closed();
    assert_int_equal(ftruncate(fd, len), 0);
    assert_int_equal(world_wrong(), 1);
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(world_wrong(), 0);
}

static void impossible_numbers_take_no_pin(void **state)
{
    struct counter_file file;
    static const uint64_t impossible[][2] = {{0, 1}, {3, 8}, {UINT64_MAX, 1}, {5, UINT64_MAX}};

    (void)state;
    assert_ok(world_try(RETRY_WRONG));
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        assert_int_equal(counter_file_open(world_file(), &file, NULL), ERROR_NONE);
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
    assert_ok(world_try(RETRY_WRONG));
    path = world_file();
    assert_int_equal(chmod(path, 0622), 0);
    expect_closed();
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(world_wrong(), 1);
    assert_int_equal(rename(path, folder_path(world_folder, "elsewhere", elsewhere)), 0);
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
    retry_init(&world_retry, 10);
    assert_rv(world_try(RETRY_RIGHT), CKR_FUNCTION_FAILED);
    assert_int_equal(setenv("XDG_STATE_HOME", "/dev/null", 1), 0);
    retry_init(&world_retry, 10);
    expect_closed();
    world_retry.limit = 0;
    assert_ok(world_try(RETRY_WRONG));
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
        _exit(world_try(RETRY_RIGHT) == CKR_FUNCTION_FAILED ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(world_wrong(), 1);
}

static void files_are_the_users_alone(void **state)
{
    char path[FOLDER_PATH_MAX];
    struct stat st;

    (void)state;
    umask(0);
    assert_ok(world_try(RETRY_WRONG));
    assert_int_equal(stat(world_file(), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(stat(folder_path(world_folder, "pinward/retry", path), &st), 0);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_start, world_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damaged_file_takes_no_pin),
        TEST(impossible_numbers_take_no_pin),
        TEST(file_of_others_takes_no_pin),
        TEST(folder_that_cannot_be_used_takes_no_pin),
        TEST(file_that_cannot_be_written_takes_no_pin),
        TEST(files_are_the_users_alone),
        TEST(state_folder_without_an_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
