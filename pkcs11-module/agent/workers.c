#include "pkcs11-module/agent/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/peer.h"

#define END_TIMEOUT_MS 6000 /* a worker's own limit is shorter */
#define END_STEP_MS    20

extern char **environ;

static int file_actions(posix_spawn_file_actions_t *actions, int connection, int pidfd)
{
    int rc = posix_spawn_file_actions_init(actions);

    if (rc != 0)
        return rc;
    rc = posix_spawn_file_actions_adddup2(actions, connection, WORKERS_CONNECTION);
    if (rc == 0 && pidfd >= 0)
        rc = posix_spawn_file_actions_adddup2(actions, pidfd, WORKERS_PIDFD);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, pidfd >= 0 ? WORKERS_PIDFD + 1 : WORKERS_CONNECTION + 1);
    if (rc != 0)
        posix_spawn_file_actions_destroy(actions);
    return rc;
}

/* The same program anew, whatever has become of its file: nothing of this process's memory is in it. In a session of its
 * own, so that it and the pinentry that it starts can be ended together, and that no terminal stops either. */
static int spawn(const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    char parent[32];
    char *const arguments[] = {"pinward-agent", WORKERS_ARGUMENT, parent, NULL};
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int rc = posix_spawnattr_init(&attributes);

    if (rc != 0)
        return rc;
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    rc = posix_spawn(pid, "/proc/self/exe", actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* connection and pidfd lie above the numbers that they get, so that neither overwrites the other. */
static int start_with(int connection, int pidfd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int rc = file_actions(&actions, connection, pidfd);

    if (rc != 0)
        return rc;
    rc = spawn(&actions, pid);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int start(int connection, int pidfd, pid_t *pid)
{
    const int high_connection = fcntl(connection, F_DUPFD_CLOEXEC, WORKERS_PIDFD + 1);
    const int high_pidfd = pidfd >= 0 ? fcntl(pidfd, F_DUPFD_CLOEXEC, WORKERS_PIDFD + 1) : -1;
    int rc = high_connection < 0 || (pidfd >= 0 && high_pidfd < 0) ? errno : 0;

    if (rc == 0)
        rc = start_with(high_connection, high_pidfd, pid);
    if (high_connection >= 0)
        close(high_connection);
    if (high_pidfd >= 0)
        close(high_pidfd);
    return rc;
}

static size_t count_of_process(const struct workers *workers, pid_t client)
{
    size_t count = 0;

    for (size_t i = 0; i < WORKERS_MAX; i++)
        count += workers->rows[i].pid != 0 && workers->rows[i].client == client;
    return count;
}

static enum error_code judge(const struct workers *workers, const struct peer *peer, struct error *err)
{
    if (peer->uid != geteuid())
        return error_set(err, ERROR_REFUSED, _("A connection of another user (uid %lu) was refused."),
                         (unsigned long)peer->uid);
    if (workers->count == WORKERS_MAX || (peer->pid > 0 && count_of_process(workers, peer->pid) >= WORKERS_MAX_OF_PROCESS))
        return error_set(err, ERROR_REFUSED, _("A connection of process %ld was refused: there are too many (%zu)."),
                         (long)peer->pid, workers->count);
    return ERROR_NONE;
}

static void note(struct workers *workers, pid_t pid, const struct peer *peer)
{
    struct worker *row = workers->rows;
    char link[64];
    ssize_t n;

    while (row->pid != 0)
        row++;
    *row = (struct worker){.pid = pid, .client = peer->pid, .since = time(NULL), .program = "?"};
    snprintf(link, sizeof link, "/proc/%ld/exe", (long)peer->pid);
    n = readlink(link, row->program, sizeof row->program - 1);
    if (n > 0)
        row->program[n] = '\0';
    workers->count++;
}

enum error_code workers_start(struct workers *workers, int connection, struct error *err)
{
    struct peer peer;
    enum error_code status;
    pid_t pid;
    int rc;

    if (!peer_look(connection, -1, &peer))
        return error_set(err, ERROR_INTERNAL, _("The other end of the connection is not known."));
    status = judge(workers, &peer, err);
    if (status == ERROR_NONE) {
        rc = start(connection, peer.pidfd, &pid);
        if (rc == 0)
            note(workers, pid, &peer);
        else
            status = error_set(err, ERROR_INTERNAL, _("No process can be started for a connection: %s."), fork_safe_error(rc));
    }
    peer_clear(&peer);
    return status;
}

/* One that was ended by a signal has left its pinentry on the screen. The process is not reaped yet, so that the number of
 * its group is still its own. */
static void clean_up_after(const struct worker *row, const siginfo_t *ended)
{
    if (ended->si_code == CLD_EXITED)
        return;
    (void)kill(-row->pid, SIGTERM);
    log_warning("the process %ld, which served process %ld, was ended by signal %d", (long)row->pid,
                (long)row->client, ended->si_status);
}

void workers_reap(struct workers *workers)
{
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *row = &workers->rows[i];
        siginfo_t ended = {.si_pid = 0};

        if (row->pid == 0 || waitid(P_PID, (id_t)row->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid != row->pid)
            continue;
        clean_up_after(row, &ended);
        (void)waitpid(row->pid, NULL, 0);
        row->pid = 0;
        workers->count--;
    }
}

static void signal_all(const struct workers *workers, int signal)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (workers->rows[i].pid != 0)
            (void)kill(workers->rows[i].pid, signal); /* not reaped yet: the pid is still its own */
}

void workers_end(struct workers *workers)
{
    signal_all(workers, SIGTERM);
    for (int waited_ms = 0; workers->count > 0 && waited_ms < END_TIMEOUT_MS; waited_ms += END_STEP_MS) {
        workers_reap(workers);
        if (workers->count > 0)
            (void)poll(NULL, 0, END_STEP_MS);
    }
    signal_all(workers, SIGKILL);
    while (workers->count > 0) {
        workers_reap(workers);
        if (workers->count > 0)
            (void)poll(NULL, 0, END_STEP_MS);
    }
}
