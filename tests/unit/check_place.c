/* A check that fails where no test runs ends the program with its place. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

enum { FAILS_AT = __LINE__ + 5 };

static void *compare(void *other)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(i, *(int *)other); /* the first time it holds */
    return NULL;
}

static void check_in_thread(int other)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, compare, &other) != 0)
        _exit(2);
    pthread_join(thread, NULL);
    _exit(3);
}

/* A process whose thread makes checks, and what it says; its status. */
static int run(char *said, size_t size)
{
    int ends[2], status;
    ssize_t len;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        check_in_thread(0);
    }
    close(ends[1]);
    len = read(ends[0], said, size - 1);
    assert_true(len >= 0);
    said[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void check_in_thread_names_its_place(void **state)
{
    char said[512], place[256];
    int status;

    (void)state;
    snprintf(place, sizeof place, "%s:%d: error: ", __FILE__, FAILS_AT);
    status = run(said, sizeof said);
    assert_contains(said, place);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(check_in_thread_names_its_place)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
