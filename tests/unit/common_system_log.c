/* system_log: what arrives at the socket of a journald or a syslog, and that nobody waits for one that is not there. */
#include "common/system_log.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

#define TEXT "{\"time\":\"2026\",\"verdict\":\"denied\"}"

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];
static int receiver;

static int start(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    folder_make(folder);
    folder_path(folder, "s", path);
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(receiver, (const struct sockaddr *)&address, sizeof address), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close(receiver);
    folder_remove(folder);
    return 0;
}

/* The one datagram that has arrived. */
static void receive(char *text, size_t size)
{
    const ssize_t n = recv(receiver, text, size - 1, 0);

    assert_true(n > 0);
    text[n] = '\0';
    assert_int_equal(recv(receiver, &(char){0}, 1, 0), -1);
}

static void journald_gets_fields(void **state)
{
    char text[1024];
    char expected[1024];

    (void)state;
    assert_int_equal(system_log_send_to(path, CONFIG_JOURNAL_JOURNALD, true, TEXT, NULL), ERROR_NONE);
    receive(text, sizeof text);
    snprintf(expected, sizeof expected,
             "PRIORITY=4\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=pinward\nSYSLOG_PID=%ld\nMESSAGE=" TEXT "\n",
             (long)getpid());
    assert_string_equal(text, expected);
}

static void syslog_gets_its_form(void **state)
{
    char text[1024];
    char expected[1024];
    regex_t form;

    (void)state;
    assert_int_equal(system_log_send_to(path, CONFIG_JOURNAL_SYSLOG, false, "x", NULL), ERROR_NONE);
    receive(text, sizeof text);
    snprintf(expected, sizeof expected, "^<%d>[A-Z][a-z]{2} [ 1-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} pinward\\[%ld\\]: x$",
             LOG_AUTHPRIV | LOG_INFO, (long)getpid());
    assert_int_equal(regcomp(&form, expected, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&form, text, 0, NULL, 0) != 0)
        fail_msg("%s", text);
    regfree(&form);
}

/* What is not there, and what takes nothing more, is said at once. */
static void nobody_waits(void **state)
{
    struct error err = {0};
    char longer[200];
    int sent = 0;

    (void)state;
    while (sent < 100000 && system_log_send_to(path, CONFIG_JOURNAL_SYSLOG, false, TEXT, &err) == ERROR_NONE)
        sent++;
    assert_in_range(sent, 1, 99999);
    assert_int_equal(err.code, ERROR_IO);
    close(receiver);
    assert_int_equal(system_log_send_to(path, CONFIG_JOURNAL_SYSLOG, false, TEXT, &err), ERROR_IO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(system_log_send_to(path, CONFIG_JOURNAL_JOURNALD, false, TEXT, &err), ERROR_IO);
    assert_contains(error_text(&err), path);
    memset(longer, '/', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(system_log_send_to(longer, CONFIG_JOURNAL_JOURNALD, false, TEXT, &err), ERROR_IO);
    receiver = -1;
}

/* A socket that is a stream's, or a file, is no log. */
static void what_is_no_log_is_said(void **state)
{
    char other[FOLDER_PATH_MAX];

    (void)state;
    folder_write(folder, "file", "");
    assert_int_equal(system_log_send_to(folder_path(folder, "file", other), CONFIG_JOURNAL_SYSLOG, false, TEXT, NULL),
                     ERROR_IO);
}

static void none_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(system_log_send(CONFIG_JOURNAL_NONE, true, TEXT, NULL), ERROR_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(journald_gets_fields), TEST(syslog_gets_its_form), TEST(nobody_waits),
        TEST(what_is_no_log_is_said), TEST(none_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
