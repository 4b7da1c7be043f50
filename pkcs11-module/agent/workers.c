#include "pkcs11-module/agent/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/channel.h"
#include "pkcs11-module/agent/peer.h"
#include "pkcs11-module/agent/service_home.h"
#include "pkcs11-module/agent/service_starter.h"

#define END_TIMEOUT_MS 6000 /* a worker's own limit is shorter */
#define END_STEP_MS    20

/* What a process for a connection gets. */
struct given {
    int connection;
    int channel;
    int pidfd;  /* -1: none */
    int memory; /* -1: none */
    char *const *arguments; /* behind WORKERS_ARGUMENT and the listener's pid */
    char *const *environment;
};

static int file_actions(posix_spawn_file_actions_t *actions, const struct given *given)
{
    int rc = posix_spawn_file_actions_init(actions);

    if (rc != 0)
        return rc;
    rc = posix_spawn_file_actions_adddup2(actions, given->connection, WORKERS_CONNECTION);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, given->channel, WORKERS_CHANNEL);
    if (rc == 0 && given->pidfd >= 0)
        rc = posix_spawn_file_actions_adddup2(actions, given->pidfd, WORKERS_PIDFD);
    if (rc == 0 && given->memory >= 0)
        rc = posix_spawn_file_actions_adddup2(actions, given->memory, WORKERS_MEMORY);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, WORKERS_MEMORY + 1);
    if (rc != 0)
        posix_spawn_file_actions_destroy(actions);
    return rc;
}

/* The same program anew, whatever has become of its file: nothing of this process's memory is in it. In a session of its
 * own, so that no terminal stops it. */
static int spawn(const posix_spawn_file_actions_t *actions, const struct given *given, pid_t *pid)
{
    char parent[32];
    char *const arguments[] = {"pinward-agent",     WORKERS_ARGUMENT, parent, given->arguments[0],
                               given->arguments[0] ? given->arguments[1] : NULL, NULL};
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
    rc = posix_spawn(pid, "/proc/self/exe", actions, &attributes, arguments, given->environment);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* The descriptors lie above the numbers that they get, so that none overwrites another. */
static int start_with(const struct given *given, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int rc = file_actions(&actions, given);

    if (rc != 0)
        return rc;
    rc = spawn(&actions, given, pid);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int raise_descriptor(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, WORKERS_MEMORY + 1);
}

static int start_raised(const struct given *given, pid_t *pid)
{
    const struct given raised = {.connection = raise_descriptor(given->connection),
                                 .channel = raise_descriptor(given->channel),
                                 .pidfd = given->pidfd >= 0 ? raise_descriptor(given->pidfd) : -1,
                                 .memory = given->memory >= 0 ? raise_descriptor(given->memory) : -1,
                                 .arguments = given->arguments,
                                 .environment = given->environment};
    int rc = raised.connection < 0 || raised.channel < 0 || (given->pidfd >= 0 && raised.pidfd < 0) ||
                     (given->memory >= 0 && raised.memory < 0)
                 ? EMFILE
                 : 0;

    if (rc == 0)
        rc = start_with(&raised, pid);
    if (raised.connection >= 0)
        close(raised.connection);
    if (raised.channel >= 0)
        close(raised.channel);
    if (raised.pidfd >= 0)
        close(raised.pidfd);
    if (raised.memory >= 0)
        close(raised.memory);
    return rc;
}

/* 0, or an errno. *channel: this process's end, never blocking. */
static int start(const struct given *wanted, pid_t *pid, int *channel)
{
    struct given given = *wanted;
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    given.channel = pair[1];
    rc = fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0 ? errno : start_raised(&given, pid);
    close(pair[1]);
    if (rc == 0)
        *channel = pair[0];
    else
        close(pair[0]);
    return rc;
}

static size_t count_of_process(const struct workers *workers, pid_t client)
{
    size_t count = 0;

    for (size_t i = 0; i < WORKERS_MAX; i++)
        count += workers->rows[i].pid != 0 && workers->rows[i].client == client;
    return count;
}

/* The newest connection of the process that has most. */
static struct worker *find_greediest(struct workers *workers, size_t *most)
{
    struct worker *found = NULL;

    *most = 0;
    for (struct worker *row = workers->rows; row < workers->rows + WORKERS_MAX; row++) {
        const size_t count = row->pid != 0 && !row->ending ? count_of_process(workers, row->client) : 0;

        if (count > *most || (count > 0 && count == *most && row->since >= found->since)) {
            *most = count;
            found = row;
        }
    }
    return found;
}

/* All are taken, and nobody gets them all: whoever came with many gives to who comes with few. The row is free when the
 * process has ended; until then there is one more than there should be. */
static bool make_room(struct workers *workers, pid_t client)
{
    size_t most;
    struct worker *greediest = find_greediest(workers, &most);

    if (workers->count >= WORKERS_MAX - 1 || !greediest || most < count_of_process(workers, client) + 2)
        return false;
    log_warning("a connection of process %ld, which has %zu, is closed to make room", (long)greediest->client, most);
    greediest->ending = true;
    (void)kill(greediest->pid, SIGTERM); /* not reaped yet: the pid is still its own */
    return true;
}

static enum error_code judge(struct workers *workers, const struct peer *peer, struct error *err)
{
    if (workers->service ? !service_admits(workers->service, peer->uid) : peer->uid != geteuid())
        return error_set(err, ERROR_REFUSED, _("A connection of another user (uid %lu) was refused."),
                         (unsigned long)peer->uid);
    if ((peer->pid > 0 && count_of_process(workers, peer->pid) >= workers->max_of_process) ||
        (workers->count >= workers->max && !make_room(workers, peer->pid)))
        return error_set(err, ERROR_REFUSED, _("A connection of process %ld was refused: there are too many (%zu)."),
                         (long)peer->pid, workers->count);
    return ERROR_NONE;
}

static void note(struct workers *workers, pid_t pid, int channel, const struct peer *peer)
{
    struct worker *row = workers->rows;
    char link[64];
    ssize_t n;

    while (row->pid != 0)
        row++;
    *row = (struct worker){
        .pid = pid, .client = peer->pid, .uid = peer->uid, .channel = channel, .since = time(NULL), .program = "?"};
    snprintf(link, sizeof link, "/proc/%ld/exe", (long)peer->pid);
    n = readlink(link, row->program, sizeof row->program - 1);
    if (n > 0)
        row->program[n] = '\0';
    workers->count++;
}

/* A process for this user of the service's, in an environment of that user's folder. */
static enum error_code start_for_user(struct workers *workers, const struct given *given, const struct peer *peer, pid_t *pid,
                                      int *channel, struct error *err)
{
    char uid[32];
    char *const arguments[] = {uid, (char *)peer->program, NULL};
    struct given theirs = *given;
    char **environment;
    enum error_code status;
    int rc;

    snprintf(uid, sizeof uid, "%lu", (unsigned long)peer->uid);
    status = service_home_open(workers->service, peer->uid, prompters_locale(&workers->prompters, peer->uid), &environment,
                               err);
    if (status != ERROR_NONE)
        return status;
    theirs.memory = peer->memory;
    theirs.arguments = arguments;
    theirs.environment = environment;
    rc = start(&theirs, pid, channel);
    service_home_free(environment);
    return rc == 0 ? ERROR_NONE
                   : error_set(err, ERROR_INTERNAL, _("No process can be started for a connection: %s."), fork_safe_error(rc));
}

static enum error_code start_for(struct workers *workers, int connection, const struct peer *peer, pid_t *pid,
                                 int *channel, struct error *err)
{
    char *const none[] = {NULL};
    struct given given = {
        .connection = connection, .pidfd = peer->pidfd, .memory = -1, .arguments = none, .environment = environ};
    int rc;

    if (workers->service)
        return start_for_user(workers, &given, peer, pid, channel, err);
    rc = start(&given, pid, channel);
    return rc == 0 ? ERROR_NONE
                   : error_set(err, ERROR_INTERNAL, _("No process can be started for a connection: %s."), fork_safe_error(rc));
}

enum error_code workers_start(struct workers *workers, int connection, struct error *err)
{
    struct peer peer;
    enum error_code status;
    int channel = -1;
    pid_t pid = -1;

    if (!peer_look(connection, -1, &peer))
        return error_set(err, ERROR_INTERNAL, _("The other end of the connection is not known."));
    status = judge(workers, &peer, err);
    if (status == ERROR_NONE)
        status = start_for(workers, connection, &peer, &pid, &channel, err);
    if (status == ERROR_NONE)
        note(workers, pid, channel, &peer);
    peer_clear(&peer);
    return status;
}

void workers_answer(struct workers *workers, struct worker *worker)
{
    if (workers->service ? service_starter_answer(worker->channel, &workers->prompters, worker->uid)
                         : channel_answer(worker->channel, &workers->pinentries, worker->pid))
        return;
    close(worker->channel);
    worker->channel = -1;
}

/* ------------------------------------------------------------------ their end */

/* The process is not reaped yet, so that its number still is its own. */
static void clean_up_after(struct workers *workers, const struct worker *row, const siginfo_t *ended)
{
    if (row->channel >= 0)
        close(row->channel);
    pinentries_end_of(&workers->pinentries, row->pid);
    if (ended->si_code != CLD_EXITED)
        log_warning("the process %ld, which served process %ld, was ended by signal %d", (long)row->pid,
                    (long)row->client, ended->si_status);
}

void workers_reap(struct workers *workers)
{
    pinentries_reap(&workers->pinentries);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *row = &workers->rows[i];
        siginfo_t ended = {.si_pid = 0};

        if (row->pid == 0 || waitid(P_PID, (id_t)row->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid != row->pid)
            continue;
        clean_up_after(workers, row, &ended);
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

static void wait_for_all(struct workers *workers, int timeout_ms)
{
    for (int waited_ms = 0; workers->count > 0 && (timeout_ms < 0 || waited_ms < timeout_ms); waited_ms += END_STEP_MS) {
        workers_reap(workers);
        if (workers->count > 0)
            (void)poll(NULL, 0, END_STEP_MS);
    }
}

/* The questions go first: a process that waits for an answer asks this one to end its pinentry, and nobody listens. */
void workers_end(struct workers *workers)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (workers->rows[i].pid != 0)
            pinentries_end_of(&workers->pinentries, workers->rows[i].pid);
    signal_all(workers, SIGTERM);
    wait_for_all(workers, END_TIMEOUT_MS);
    signal_all(workers, SIGKILL);
    wait_for_all(workers, -1);
    pinentries_end(&workers->pinentries);
}
