#include "pkcs11-module/agent/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/i18n.h"
#include "pkcs11-module/runtime.h"

/* A call in the token that is not over by then is left to the end of the process (SIGALRM). */
#define END_TIMEOUT_S 5

/* A call that waits for an answer gets none and ends; a read that waits for the client's next message sees
 * its end. */
static void end_service(const struct watch *watch)
{
    alarm(END_TIMEOUT_S);
    runtime_withdraw();
    (void)shutdown(watch->calls->connection, SHUT_RDWR);
}

static void *watch_run(void *argument)
{
    const struct watch *watch = argument;
    struct pollfd on[] = {
        {.fd = watch->stop[0], .events = POLLIN},
        {.fd = watch->calls->connection, .events = POLLRDHUP}, /* POLLHUP and POLLERR come unasked */
        {.fd = watch->peer_pidfd, .events = POLLIN},           /* poll passes over -1 */
        {.fd = watch->signals, .events = POLLIN},
        {.fd = watch->calls->turns.more, .events = POLLIN},
    };
    int due_ms = -1;

    while (poll(on, sizeof on / sizeof on[0], due_ms) < 0 || /* EINTR */
           !(on[0].revents || on[1].revents || on[2].revents || on[3].revents))
        due_ms = calls_look(watch->calls);
    if (!on[0].revents)
        end_service(watch);
    return NULL;
}

static void close_all(struct watch *watch)
{
    if (watch->signals >= 0)
        close(watch->signals);
    if (watch->stop[0] >= 0)
        close(watch->stop[0]);
    if (watch->stop[1] >= 0)
        close(watch->stop[1]);
}

enum error_code watch_start(struct calls *calls, const struct peer *peer, struct watch *watch,
                            struct error *err)
{
    struct watch made = {.calls = calls, .peer_pidfd = peer->pidfd, .signals = -1, .stop = {-1, -1}};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0 && pipe2(made.stop, O_CLOEXEC) == 0)
        made.signals = signalfd(-1, &signals, SFD_CLOEXEC);
    *watch = made;
    if (made.signals < 0 || pthread_create(&watch->thread, NULL, watch_run, watch) != 0) {
        close_all(&made);
        return error_set(err, ERROR_INTERNAL, _("The connection cannot be watched."));
    }
    return ERROR_NONE;
}

void watch_stop(struct watch *watch)
{
    (void)!write(watch->stop[1], "", 1);
    pthread_join(watch->thread, NULL);
    close_all(watch);
}
