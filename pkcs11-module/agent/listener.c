#include "pkcs11-module/agent/listener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"
#include "common/log.h"
#include "pkcs11-module/agent/control.h"
#include "pkcs11-module/agent/harden.h"
#include "pkcs11-module/agent/sandbox.h"
#include "pkcs11-module/agent/workers.h"

/* Out of descriptors: the connection that cannot be taken stays in the queue, and asking at once again would not help. */
#define PAUSE_MS 100

#define DESCRIPTORS_BESIDES 64

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

enum { ON_SIGNALS, ON_CONTROL, ON_PROGRAMS, ON_PROMPTERS, ON_WORKERS };

#define ON_MAX (ON_WORKERS + WORKERS_MAX + PROMPTERS_MAX)

/* What there is to wait for now: on[ON_WORKERS + i] is the channel of whose[i]. Returns how many. */
static nfds_t gather(struct workers *workers, struct pollfd on[ON_MAX], struct worker *whose[WORKERS_MAX])
{
    nfds_t count = 0;

    for (struct worker *row = workers->rows; row < workers->rows + WORKERS_MAX; row++) {
        if (row->pid == 0 || row->channel < 0)
            continue;
        on[ON_WORKERS + count] = (struct pollfd){.fd = row->channel, .events = POLLIN};
        whose[count++] = row;
    }
    return count;
}

/* The channels before the signals: what a row stands for changes when its process is reaped. */
static void serve(const struct endpoint *endpoint, const struct config *config, int signals, struct workers *workers)
{
    static struct pollfd on[ON_MAX];
    static struct worker *whose[WORKERS_MAX];
    const struct control_facts facts = {
        .endpoint = endpoint, .workers = workers, .sandbox = config->agent.sandbox, .since = time(NULL)};
    bool stop = false;

    on[ON_SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
    on[ON_CONTROL] = (struct pollfd){.fd = endpoint->control, .events = POLLIN};
    on[ON_PROGRAMS] = (struct pollfd){.fd = endpoint->programs, .events = POLLIN};
    on[ON_PROMPTERS] = (struct pollfd){.fd = endpoint->prompters, .events = POLLIN}; /* poll passes over -1 */
    while (!stop) {
        const nfds_t count = gather(workers, on, whose);
        struct pollfd *links = on + ON_WORKERS + count;
        const nfds_t link_count = prompters_wait_for(&workers->prompters, links);

        if (poll(on, ON_WORKERS + count + link_count, pinentries_kill_late(&workers->pinentries)) <= 0)
            continue;
        for (nfds_t i = 0; i < count; i++)
            if (on[ON_WORKERS + i].revents)
                workers_answer(workers, whose[i]);
        for (nfds_t i = 0; i < link_count; i++)
            if (links[i].revents)
                prompters_read(&workers->prompters, links[i].fd);
        if (on[ON_PROMPTERS].revents)
            prompters_take(&workers->prompters, endpoint->prompters, workers->service);
        if (on[ON_SIGNALS].revents)
            stop = take_signal(signals, workers);
        if (on[ON_CONTROL].revents)
            stop = control_answer(&facts) || stop;
        if (!stop && on[ON_PROGRAMS].revents)
            take_connection(endpoint->programs, workers);
    }
}

/* A descriptor for each connection, and some. Where that cannot be, connections wait in the queue. */
static void allow_descriptors(size_t connections)
{
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= connections + DESCRIPTORS_BESIDES)
        return;
    now.rlim_cur = connections + DESCRIPTORS_BESIDES;
    if (now.rlim_cur > now.rlim_max)
        now.rlim_cur = now.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &now);
}

/* What is lacking is said where it is looked for, not only where it is asked for. */
static void tell_protection(enum config_sandbox sandbox)
{
    char words[HARDEN_WORDS_SIZE];

    harden_words(sandbox, words);
    if (sandbox_is_whole(sandbox))
        log_info("protection: %s", words);
    else
        log_warning("connections are not confined as far as they could be: %s", words);
}

enum error_code listener_run(const struct endpoint *endpoint, const struct config *config, const struct service *service,
                             struct error *err)
{
    static struct workers workers;
    const int signals = take_signals();

    if (signals < 0)
        return error_set(err, ERROR_INTERNAL, _("Signals cannot be taken: %s."), fork_safe_error(errno));
    workers.service = service;
    workers.max = config->agent.connections;
    workers.max_of_process = config->agent.client_connections;
    allow_descriptors(workers.max);
    log_info("serving at %s", endpoint->path);
    tell_protection(config->agent.sandbox);
    serve(endpoint, config, signals, &workers);
    workers_end(&workers);
    prompters_end(&workers.prompters);
    close(signals);
    log_info("stopped");
    return ERROR_NONE;
}
