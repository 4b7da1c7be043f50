/* agent_peer: the process at the other end of a connection, and whether it is still that one. */
#include "pkcs11-module/agent/peer.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

struct other {
    pid_t pid;
    int listening;
    int connection; /* our end */
    int tell;       /* a byte makes it go on */
};

/* What the process does once it has been told: runs another program, or ends. */
enum then { BECOMES_ANOTHER, ENDS };

static void live(const struct sockaddr_un *address, socklen_t size, int told, enum then then)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* kept over exec */
    char byte;

    if (connect(fd, (const struct sockaddr *)address, size) != 0 || read(told, &byte, 1) != 1)
        _exit(1);
    if (then == BECOMES_ANOTHER)
        execl("/bin/sleep", "sleep", "20", (char *)NULL);
    _exit(0);
}

static void begin(struct other *other, enum then then)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* without a name: autobind, unix(7) */
    socklen_t size = sizeof address;
    int told[2];

    other->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(other->listening, (struct sockaddr *)&address, sizeof address.sun_family), 0);
    assert_int_equal(listen(other->listening, 1), 0);
    assert_int_equal(getsockname(other->listening, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pipe(told), 0);
    other->pid = fork();
    if (other->pid == 0)
        live(&address, size, told[0], then);
    close(told[0]);
    other->tell = told[1];
    other->connection = accept(other->listening, NULL, NULL);
    assert_true(other->connection >= 0);
}

static void go_on(struct other *other)
{
    assert_int_equal(write(other->tell, "", 1), 1);
}

static void end(struct other *other, bool reaped)
{
    close(other->connection);
    close(other->listening);
    close(other->tell);
    if (reaped)
        return;
    kill(other->pid, SIGKILL);
    assert_int_equal(waitpid(other->pid, NULL, 0), other->pid);
}

/* Waits until the process has done what it was told. */
static bool becomes_changed(const struct peer *peer)
{
    for (int step = 0; step < 500 && peer_unchanged(peer); step++)
        poll(NULL, 0, 10);
    return !peer_unchanged(peer);
}

static void is_who_connected(void **state)
{
    struct other other;
    struct peer peer;

    (void)state;
    begin(&other, ENDS);
    assert_true(peer_look(other.connection, -1, &peer));
    assert_int_equal(peer.pid, other.pid);
    assert_int_equal(peer.uid, geteuid());
    assert_true(peer.pidfd >= 0);
    assert_true(peer.start > 0);
    assert_true(peer_unchanged(&peer));
    peer_clear(&peer);
    assert_int_equal(peer.pidfd, -1);
    end(&other, false);
}

static void end_is_noticed(void **state)
{
    struct other other;
    struct peer peer;

    (void)state;
    begin(&other, ENDS);
    assert_true(peer_look(other.connection, -1, &peer));
    go_on(&other);
    assert_int_equal(waitpid(other.pid, NULL, 0), other.pid);
    assert_false(peer_unchanged(&peer));
    peer_clear(&peer);
    end(&other, true);
}

static void another_program_is_noticed(void **state)
{
    struct other other;
    struct peer peer;

    (void)state;
    begin(&other, BECOMES_ANOTHER);
    assert_true(peer_look(other.connection, -1, &peer));
    go_on(&other);
    assert_true(becomes_changed(&peer));
    peer_clear(&peer);
    end(&other, false);
}

/* A pid that was given again: the process began at another time. Only the time is left to tell it by where a kernel has no
 * pidfd. */
static void pid_of_another_process_is_noticed(void **state)
{
    struct other other;
    struct peer peer;

    (void)state;
    begin(&other, ENDS);
    assert_true(peer_look(other.connection, -1, &peer));
    close(peer.pidfd);
    peer.pidfd = -1;
    assert_true(peer_unchanged(&peer));
    peer.start--;
    assert_false(peer_unchanged(&peer));
    peer.start = 0;
    assert_false(peer_unchanged(&peer));
    peer_clear(&peer);
    end(&other, false);
}

static void what_is_no_connection_has_no_peer(void **state)
{
    struct peer peer = {.pidfd = -2};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_false(peer_look(fds[0], -1, &peer));
    assert_int_equal(peer.pidfd, -2);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_who_connected),
        cmocka_unit_test(end_is_noticed),
        cmocka_unit_test(another_program_is_noticed),
        cmocka_unit_test(pid_of_another_process_is_noticed),
        cmocka_unit_test(what_is_no_connection_has_no_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
