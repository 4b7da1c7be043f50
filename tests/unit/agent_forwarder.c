/* agent_forwarder: programs that only pass on what another machine asks. */
#include "pkcs11-module/agent/forwarder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "support/folder.h"
#include "support/test.h"

#define NOBODY 65534

/* A process that calls itself by that name, into which nobody may look when hidden. */
static pid_t begin(const char *name, bool hidden, int *ready)
{
    int pipe_ends[2];
    pid_t pid;

    assert_int_equal(pipe(pipe_ends), 0);
    pid = fork();
    if (pid == 0) {
        if ((geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) || prctl(PR_SET_NAME, name) != 0 ||
            prctl(PR_SET_DUMPABLE, hidden ? 0 : 1) != 0 || write(pipe_ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(pipe_ends[1]);
    *ready = pipe_ends[0];
    return pid;
}

static void end(pid_t pid, int ready)
{
    close(ready);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What a process of the same user, without rights of root, says of it. */
static bool seen_as_forwarder(pid_t pid, const char *listed)
{
    const struct peer peer = {.pid = pid, .pidfd = -1};
    const struct config config = {.remote = {.forwarders = (char *)listed}};
    int status;
    const pid_t observer = fork();

    if (observer == 0) {
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(3);
        _exit(forwarder_is(&peer, &config) ? 1 : 0);
    }
    assert_int_equal(waitpid(observer, &status, 0), observer);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 1;
}

/* One that hides its executable is taken by what it calls itself; one that shows it, by that. */
static void assert_seen(const char *name, bool hidden, const char *listed, bool forwarder)
{
    char byte;
    int ready;
    const pid_t pid = begin(name, hidden, &ready);

    assert_int_equal(read(ready, &byte, 1), 1);
    assert_int_equal(seen_as_forwarder(pid, listed), forwarder);
    end(pid, ready);
}

static void hidden_one_is_told_by_its_name(void **state)
{
    (void)state;
    assert_seen("sshd", true, NULL, true);
    assert_seen("sshd-session", true, NULL, true);
    assert_seen("systemd-socket-", true, NULL, true); /* proc(5): cut at 15 bytes */
    assert_seen("firefox", true, NULL, false);
    assert_seen("ssh-agent", true, NULL, false);
}

static void shown_one_is_told_by_its_executable(void **state)
{
    (void)state;
    assert_seen("sshd", false, NULL, false);
    assert_seen("firefox", false, "test-agent_forwarder", true);
}

static void configuration_lists_more(void **state)
{
    (void)state;
    assert_seen("relay", true, "/opt/bin/tunnel, /opt/bin/relay", true);
    assert_seen("relay", true, "/opt/relay/tunnel", false);
    assert_seen("rela", true, "relay", false);
}

static void one_that_cannot_be_seen_is_from_elsewhere(void **state)
{
    const struct peer peer = {.pid = 0, .pidfd = -1};
    const struct config config = {0};

    (void)state;
    assert_true(forwarder_is(&peer, &config));
}

/* What [remote] says decides for a forwarder, and for nobody else. */
static void forwarder_may_what_is_configured(void **state)
{
    static const struct {
        const char *lines;
        enum error_code code;
        enum policy_trust trust;
    } cases[] = {
        {"", ERROR_REFUSED, POLICY_TRUST_PIN}, /* untouched */
        {"[remote]\naccess = deny\n", ERROR_REFUSED, POLICY_TRUST_PIN},
        {"[remote]\naccess = ask\n", ERROR_NONE, POLICY_TRUST_NOT_THERE},
        {"[remote]\naccess = perhaps\n", ERROR_NONE, POLICY_TRUST_NOT_THERE}, /* C_Initialize says what is wrong */
    };
    const struct peer forwarder = {.pid = 0, .pidfd = -1}, local = {.pid = getpid(), .pidfd = -1};
    char folder[FOLDER_PATH_MAX], conf[FOLDER_PATH_MAX], text[2 * FOLDER_PATH_MAX];

    (void)state;
    folder_make(folder);
    assert_int_equal(setenv("PINWARD_CONF", folder_path(folder, "pinward.conf", conf), 1), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum policy_trust trust = POLICY_TRUST_PIN;
        struct error err = {0};

        snprintf(text, sizeof text, "[log]\nfile = %s/log\n%s", folder, cases[i].lines);
        folder_write(folder, "pinward.conf", text);
        assert_int_equal(forwarder_judge(&forwarder, POLICY_TRUST_YES, &trust, &err), cases[i].code);
        assert_int_equal(trust, cases[i].trust);
        log_close();
        if (i + 1 < sizeof cases / sizeof cases[0]) {
            assert_int_equal(forwarder_judge(&local, POLICY_TRUST_YES, &trust, &err), ERROR_NONE);
            assert_int_equal(trust, POLICY_TRUST_YES);
        }
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_one_is_told_by_its_name),
        cmocka_unit_test(shown_one_is_told_by_its_executable),
        cmocka_unit_test(configuration_lists_more),
        cmocka_unit_test(one_that_cannot_be_seen_is_from_elsewhere),
        cmocka_unit_test(forwarder_may_what_is_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
