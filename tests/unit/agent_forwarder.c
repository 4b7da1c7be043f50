/* agent_forwarder: programs that only pass on what another machine asks. */
#include "pkcs11-module/agent/forwarder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_one_is_told_by_its_name),
        cmocka_unit_test(shown_one_is_told_by_its_executable),
        cmocka_unit_test(configuration_lists_more),
        cmocka_unit_test(one_that_cannot_be_seen_is_from_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
