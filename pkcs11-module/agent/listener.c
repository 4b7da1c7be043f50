#include "pkcs11-module/agent/listener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/control.h"
#include "pkcs11-module/agent/workers.h"

/* Out of descriptors: the connection that cannot be taken stays in the queue, and asking at once again would not help. */
#define PAUSE_MS 100

static int take_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
        return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_connection(int programs, struct workers *workers)
{
    struct error err = {0};
    const int connection = accept4(programs, NULL, NULL, SOCK_CLOEXEC);

    if (connection < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            (void)poll(NULL, 0, PAUSE_MS);
        return;
    }
    if (workers_start(workers, connection, &err) != ERROR_NONE)
        log_warning("%s", error_text(&err));
    close(connection);
}

/* true: it is time to stop. */
static bool take_signal(int signals, struct workers *workers)
{
    struct signalfd_siginfo info;
    bool stop = false;

    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
        stop = stop || info.ssi_signo != SIGCHLD;
    workers_reap(workers);
    return stop;
}

static void serve(const struct endpoint *endpoint, int signals, struct workers *workers)
{
    const struct control_facts facts = {.endpoint = endpoint, .workers = workers, .since = time(NULL)};
    struct pollfd on[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = endpoint->control, .events = POLLIN},
        {.fd = endpoint->programs, .events = POLLIN},
    };
    bool stop = false;

    while (!stop) {
        if (poll(on, sizeof on / sizeof on[0], -1) < 0)
            continue;
        if (on[0].revents)
            stop = take_signal(signals, workers);
        if (on[1].revents)
            stop = control_answer(&facts) || stop;
        if (!stop && on[2].revents)
            take_connection(endpoint->programs, workers);
    }
}

enum error_code listener_run(const struct endpoint *endpoint, struct error *err)
{
    static struct workers workers;
    const int signals = take_signals();

    if (signals < 0)
        return error_set(err, ERROR_INTERNAL, _("Signals cannot be taken: %s."), fork_safe_error(errno));
    log_info("serving at %s", endpoint->path);
    serve(endpoint, signals, &workers);
    workers_end(&workers);
    close(signals);
    log_info("stopped");
    return ERROR_NONE;
}
