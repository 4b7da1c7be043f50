#include "enroll/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/i18n.h"

#define INTERRUPT_ROUND_MS 100
#define INTERRUPT_ROUNDS   20

static struct {
    sigset_t signals;
    int fd;
    atomic_bool seen;
    atomic_bool at_once;
    _Atomic(const char *) left;
    pthread_mutex_t ending; /* who has it says how the run ended */
    bool settled;
    void (*end)(void *context, const struct error *err);
    void *context;
} interrupt = {.fd = -1, .ending = PTHREAD_MUTEX_INITIALIZER};

/* SIGTERM to one child. Between reading its number and this it may have been reaped, and the number be another's: the
 * pidfd decides (ECHILD: not ours). */
static void interrupt_end_child(pid_t pid)
{
    siginfo_t info;
    int fd = pidfd_open(pid, 0);

    if (fd >= 0) {
        if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
            (void)pidfd_send_signal(fd, SIGTERM, NULL, 0);
        }
        close(fd);
    }
}

/* Every child of this program is one that asks the user something (proc(5): /proc/pid/task/tid/children). */
static void interrupt_end_children(void)
{
    DIR *threads = opendir("/proc/self/task");

    for (struct dirent *entry; threads && (entry = readdir(threads)) != NULL;) {
        char path[sizeof entry->d_name + 32];
        FILE *list;
        int pid;

        snprintf(path, sizeof path, "/proc/self/task/%s/children", entry->d_name);
        list = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        // NOLINTNEXTLINE(cert-err34-c): the kernel's numbers are in range
        while (list && fscanf(list, "%d", &pid) == 1) {
            interrupt_end_child(pid);
        }
        if (list) {
            fclose(list);
        }
    }
    if (threads) {
        closedir(threads);
    }
}

/* Here and now: no destructor of a library runs while another thread is inside it. */
static void interrupt_end_now(void)
{
    struct error err = {0};

    pthread_mutex_lock(&interrupt.ending);
    if (interrupt.settled) {
        pthread_mutex_unlock(&interrupt.ending);
        return;
    }
    interrupt_error(&err);
    interrupt.end(interrupt.context, &err);
    _exit(error_exit_code(err.code));
}

static void *interrupt_run(void *unused)
{
    const struct timespec round = {.tv_nsec = INTERRUPT_ROUND_MS * 1000000L};
    const uint64_t one = 1;
    int number = 0;

    (void)unused;
    while (sigwait(&interrupt.signals, &number) != 0) {
    }
    interrupt.seen = true;
    (void)!write(interrupt.fd, &one, sizeof one);
    /* Again and again: a question that was just being put may have come after the first look. */
    for (int i = 0; i < INTERRUPT_ROUNDS; i++) {
        interrupt_end_children();
        if (interrupt.at_once || sigtimedwait(&interrupt.signals, NULL, &round) > 0) {
            break;
        }
    }
    interrupt_end_children();
    interrupt_end_now();
    return NULL;
}

/* A run in the background of a shell, or under nohup, has signals that it is not to hear. */
static void interrupt_choose(sigset_t *signals)
{
    static const int candidates[] = {SIGINT, SIGTERM, SIGHUP};

    sigemptyset(signals);
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        struct sigaction action;

        if (sigaction(candidates[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(signals, candidates[i]);
        }
    }
}

bool interrupt_begin(void (*end)(void *context, const struct error *err), void *context)
{
    pthread_attr_t detached;
    pthread_t thread;
    bool started;

    interrupt.end = end;
    interrupt.context = context;
    interrupt.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    interrupt_choose(&interrupt.signals);
    if (interrupt.fd < 0 || pthread_sigmask(SIG_BLOCK, &interrupt.signals, NULL) != 0 ||
        pthread_attr_init(&detached) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    started = pthread_create(&thread, &detached, interrupt_run, NULL) == 0;
    pthread_attr_destroy(&detached);
    return started;
}

void interrupt_settle(void)
{
    pthread_mutex_lock(&interrupt.ending); /* not given to us any more when the run is being ended */
    interrupt.settled = true;
    pthread_mutex_unlock(&interrupt.ending);
}

bool interrupt_seen(void)
{
    return interrupt.seen;
}

int interrupt_fd(void)
{
    return interrupt.fd;
}

bool interrupt_sleep(unsigned ms)
{
    struct pollfd wait = {.fd = interrupt.fd, .events = POLLIN};

    return poll(&wait, 1, (int)ms) == 0 || !interrupt_seen();
}

bool interrupt_wait(int fd)
{
    struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = interrupt.fd, .events = POLLIN}};

    while (poll(wait, 2, -1) < 0 && errno == EINTR) {
    }
    return !interrupt_seen();
}

void interrupt_left(const char *sentence)
{
    interrupt.left = sentence;
}

void interrupt_at_once(bool at_once)
{
    interrupt.at_once = at_once;
}

enum error_code interrupt_error(struct error *err)
{
    const char *left = interrupt.left;

    return error_set(err, ERROR_INTERRUPTED, "%s",
                     left ? left : _("Interrupted: run the same command again to do what is left."));
}
