/* pinentry: the conversation with the scripted pinentry, and hosts that make it hard. */
#include "common/pinentry.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fixture.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

static struct fixture fx;
static struct pinentry_question question;
static _Atomic int closed_in_vain;

/* Instead of libc's. A descriptor that is closed twice may be another thread's the second time. */
__attribute__((visibility("default"))) int close(int fd)
{
    const int rc = (int)syscall(SYS_close, fd);

    if (rc != 0 && errno == EBADF)
        closed_in_vain++;
    return rc;
}

static int start(void **state)
{
    (void)state;
    question = (struct pinentry_question){.program = fixture_pinentry_path(),
                                          .timeout_s = 5,
                                          .cancel_fd = -1,
                                          .title = "Title",
                                          .text = "Text",
                                          .prompt = "PIN:"};
    return 0;
}

/* Whatever was asked, nothing is left behind. */
static int stop(void **state)
{
    (void)state;
    return process_has_child();
}

static void expect_answer(const char *expected)
{
    struct secret *answer = NULL;
    struct error err = {0};

    if (pinentry_get_pin(&question, &answer, &err) != ERROR_NONE)
        fail_msg("%s", error_text(&err));
    assert_int_equal(secret_length(answer), strlen(expected));
    assert_string_equal(secret_bytes(answer), expected);
    secret_free(&answer);
}

static void expect_failure(enum error_code code)
{
    struct secret *const untouched = (struct secret *)&fx;
    struct secret *answer = untouched;
    struct error err = {0};

    assert_int_equal(pinentry_get_pin(&question, &answer, &err), code);
    assert_int_equal(err.code, code);
    assert_true(err.text[0] != '\0');
    assert_ptr_equal(answer, untouched);
}

static void answers_come_back(void **state)
{
    (void)state;
    script_set(&fx, "pin 123456\npin a%25b%0A\nempty\ncancel\n");
    expect_answer("123456");
    expect_answer("a%25b%0A");
    expect_answer("");
    expect_failure(ERROR_CANCELLED);
}

static void longest_answer_fits(void **state)
{
    char answers[600] = "pin ";

    (void)state;
    memset(answers + 4, '7', 512);
    script_set(&fx, answers);
    expect_answer(answers + 4);
    answers[4 + 512] = '7';
    script_set(&fx, answers);
    expect_failure(ERROR_PROMPT);
}

static void question_arrives_whole(void **state)
{
    char *asked;

    (void)state;
    question.title = "100% \xe8\xad\x89";
    question.text = "one\ntwo %0A\n\ttab";
    question.error = "wrong";
    question.ok_label = "_Yes";
    question.cancel_label = "_No";
    script_set(&fx, "pin 1\n");
    expect_answer("1");
    asked = script_questions(&fx);
    assert_contains(asked, "GETPIN\n");
    assert_contains(asked, "TITLE 100%25 \xe8\xad\x89\n");
    assert_contains(asked, "DESC one%0Atwo %250A%0A%09tab\n");
    assert_contains(asked, "PROMPT PIN:\n");
    assert_contains(asked, "ERROR wrong\n");
    assert_contains(asked, "OK _Yes\n");
    assert_contains(asked, "CANCEL_LABEL _No\n");
    assert_contains(asked, "TIMEOUT 5\n");
    assert_contains(asked, "lc-ctype=C.UTF-8");
    free(asked);
}

/* A text that does not fit in Assuan's line is cut between characters, wherever the line's end falls. */
static void long_text_is_cut_between_characters(void **state)
{
    char text[2000];

    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        size_t n = lead;
        const char *end;
        char *asked;

        memset(text, 'x', lead);
        while (n + 3 < sizeof text) {
            memcpy(text + n, "\xe8\xad\x89", 3);
            n += 3;
        }
        text[n] = '\0';
        question.text = text;
        script_set(&fx, "pin 1\n");
        expect_answer("1");
        asked = script_questions(&fx);
        end = strchr(strstr(asked, "DESC "), '\n');
        assert_memory_equal(end - 3, "\xe8\xad\x89", 3);
        assert_true(end - strstr(asked, "DESC ") > 900);
        free(asked);
    }
}

static void text_of_escapes_is_cut_between_escapes(void **state)
{
    char text[1200];
    char *asked;

    (void)state;
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    question.text = text;
    script_set(&fx, "pin 1\n");
    expect_answer("1");
    asked = script_questions(&fx);
    assert_memory_equal(strchr(strstr(asked, "DESC "), '\n') - 3, "%0A", 3);
    free(asked);
}

static void confirmation_is_a_yes_or_a_no(void **state)
{
    struct error err = {0};

    (void)state;
    question.prompt = NULL;
    script_set(&fx, "ok\ncancel\npin 1\ntimeout\ndie\n");
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_NONE);
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_CANCELLED);
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_CANCELLED);
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_TIMEOUT);
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_PROMPT);
    assert_int_equal(script_asked(&fx), 5);
}

/* An ERR without a number is no OK, whatever came before it. */
static void error_without_a_number_is_an_error(void **state)
{
    struct error err = {0};

    (void)state;
    script_set(&fx, "err\nerr\n");
    expect_failure(ERROR_PROMPT);
    assert_int_equal(pinentry_confirm(&question, &err), ERROR_PROMPT);
    assert_int_equal(script_asked(&fx), 2);
}

static void new_pin_is_typed_twice(void **state)
{
    (void)state;
    question.repeat = "Again:";
    script_set(&fx, "repeat 1234\n");
    expect_answer("1234");
    assert_int_equal(script_asked(&fx), 1);
    script_set(&fx, "pin 1234\npin 1234\n");
    expect_answer("1234");
    assert_int_equal(script_asked(&fx), 2);
    script_set(&fx, "pin 1\npin 2\npin 1\npin 11\npin 1\npin 3\n");
    expect_failure(ERROR_CANCELLED);
    assert_int_equal(script_asked(&fx), 6);
    script_set(&fx, "pin 1\ncancel\n");
    expect_failure(ERROR_CANCELLED);
}

/* ------------------------------------------------------------------ time */

static void every_wait_is_bounded(void **state)
{
    const int64_t start_ms = process_now_ms();

    (void)state;
    question.timeout_s = 1;
    script_set(&fx, "hang\n");
    expect_failure(ERROR_TIMEOUT);
    assert_in_range(process_now_ms() - start_ms, 900, 2500);
}

static void *cancel_soon(void *data)
{
    process_sleep_ms(100);
    (void)eventfd_write(*(int *)data, 1);
    return NULL;
}

static void question_can_be_withdrawn(void **state)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    const int64_t start_ms = process_now_ms();
    pthread_t thread;

    (void)state;
    question.cancel_fd = fd;
    script_set(&fx, "hang\npin 1\n");
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &fd), 0);
    expect_failure(ERROR_TIMEOUT);
    assert_true(process_now_ms() - start_ms < 2000);
    pthread_join(thread, NULL);
    expect_failure(ERROR_TIMEOUT); /* withdrawn before it was put */
    close(fd);
}

/* ------------------------------------------------------------------ hosts */

static void nothing_of_the_host_is_inherited(void **state)
{
    char path[FOLDER_PATH_MAX], text[1024];
    int fd;
    char *found;

    (void)state;
    fd = open(folder_path(fx.folder, "secret-of-the-host", path), O_RDWR | O_CREAT,
              0600); // NOLINT: inheritable
    assert_true(fd >= 0);
    snprintf(text, sizeof text, "#!/bin/sh\nls -l /proc/self/fd > %s/descriptors\n", fx.folder);
    folder_write(fx.folder, "lister", text);
    assert_int_equal(chmod(folder_path(fx.folder, "lister", path), 0700), 0);
    question.program = path;
    expect_failure(ERROR_PROMPT);
    found = folder_read(fx.folder, "descriptors");
    assert_contains(found, " 0 -> socket:");
    assert_contains(found, " 2 -> /dev/null");
    assert_not_contains(found, "secret-of-the-host");
    free(found);
    close(fd);
}

/* SIGTERM ignored, SIGCHLD ignored (no zombies to wait for), every signal blocked. */
static void signals_of_the_host_do_not_matter(void **state)
{
    sigset_t all, before;

    (void)state;
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    question.timeout_s = 1;
    script_set(&fx, "pin 1\nhang\ndie\n");
    expect_answer("1");
    expect_failure(ERROR_TIMEOUT);
    expect_failure(ERROR_PROMPT);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
}

/* A daemon without standard descriptors. */
static void host_without_standard_descriptors(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    script_set(&fx, "pin 1\n");
    pid = fork();
    if (pid == 0) {
        struct secret *answer = NULL;
        struct error err = {0};
        bool good;

        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        good = pinentry_get_pin(&question, &answer, &err) == ERROR_NONE &&
               strcmp(secret_bytes(answer), "1") == 0;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void no_descriptor_is_left(void **state)
{
    const int descriptors = process_descriptors();

    (void)state;
    script_set(&fx, "pin 1\ndie\ngarbage\nflood\ncancel\n");
    expect_answer("1");
    for (int n = 0; n < 3; n++)
        expect_failure(ERROR_PROMPT);
    expect_failure(ERROR_CANCELLED);
    question.program = "/nonexistent/pinentry";
    expect_failure(ERROR_PROMPT);
    assert_int_equal(process_descriptors(), descriptors);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

/* Also when it ends, or the question is withdrawn, before the two have spoken. */
static void every_descriptor_is_closed_once(void **state)
{
    const int withdrawn = eventfd(1, EFD_CLOEXEC);
    const int before = process_descriptors();

    (void)state;
    closed_in_vain = 0;
    script_set(&fx, "pin 1\ncancel\ndie\n");
    expect_answer("1");
    expect_failure(ERROR_CANCELLED);
    expect_failure(ERROR_PROMPT);
    question.program = "/bin/true";
    expect_failure(ERROR_PROMPT);
    question.program = fixture_pinentry_path();
    question.cancel_fd = withdrawn;
    expect_failure(ERROR_TIMEOUT);
    assert_int_equal(closed_in_vain, 0);
    assert_int_equal(process_descriptors(), before);
    close(withdrawn);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_come_back),
        TEST(longest_answer_fits),
        TEST(question_arrives_whole),
        TEST(long_text_is_cut_between_characters),
        TEST(text_of_escapes_is_cut_between_escapes),
        TEST(confirmation_is_a_yes_or_a_no),
        TEST(error_without_a_number_is_an_error),
        TEST(new_pin_is_typed_twice),
        TEST(every_wait_is_bounded),
        TEST(question_can_be_withdrawn),
        TEST(nothing_of_the_host_is_inherited),
        TEST(signals_of_the_host_do_not_matter),
        TEST(host_without_standard_descriptors),
        TEST(no_descriptor_is_left),
        TEST(every_descriptor_is_closed_once),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
