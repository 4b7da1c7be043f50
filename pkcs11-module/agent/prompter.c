#include "pkcs11-module/agent/prompter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/agent_place.h"
#include "common/fork_safe.h"
#include "common/i18n.h"
#include "pkcs11-module/agent/peer.h"
#include "pkcs11-module/agent/prompt_wire.h"
#include "pkcs11-module/agent/prompter_question.h"
#include "pkcs11-module/agent/service_user.h"

#define ANSWER_TIMEOUT_MS 10000
#define RETRY_MS          2000

struct prompter {
    const char *path; /* of the socket for prompters */
    const char *pinentry;
    uid_t service; /* besides root, which systemd is: it makes the socket */
    int signals;
};

/* ------------------------------------------------------------------ the link */

static int connect_to(const char *path)
{
    struct sockaddr_un address;
    int fd;

    if (!agent_place_address(path, &address))
        return -1;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Whoever it is asks for PINs here: only the service may. */
static bool is_service(int link, uid_t service)
{
    struct peer peer;
    bool trusted;

    if (!peer_look(link, -1, &peer))
        return false;
    trusted = peer.uid == 0 || peer.uid == service;
    peer_clear(&peer);
    return trusted;
}

static enum error_code offer(const struct prompter *prompter, int link, struct error *err)
{
    struct pollfd answered = {.fd = link, .events = POLLIN};
    struct pinentry_environment environment;
    struct prompt_message answer = {.kind = 0};
    int fd = -1;

    pinentry_environment_read(&environment);
    if (!prompt_wire_send(link, PROMPT_OFFER, &environment, -1) || poll(&answered, 1, ANSWER_TIMEOUT_MS) != 1 ||
        !prompt_wire_receive(link, &answer, &fd))
        return error_set(err, ERROR_REFUSED,
                         _("The service at %s does not serve you: its [service] clients does not name you."),
                         prompter->path);
    if (fd >= 0)
        close(fd);
    if (answer.kind == PROMPT_DOUBLE)
        return error_set(err, ERROR_STATE, _("Another prompter of yours puts the questions of %s: end it first."),
                         prompter->path);
    return answer.kind == PROMPT_TAKEN
               ? ERROR_NONE
               : error_set(err, ERROR_PROTOCOL, _("What listens at %s is not this version's service."), prompter->path);
}

static enum error_code open_link(const struct prompter *prompter, int *link, struct error *err)
{
    const int fd = connect_to(prompter->path);
    enum error_code status;

    if (fd < 0)
        return error_set(err, ERROR_STATE, _("There is no service at %s: %s."), prompter->path, fork_safe_error(errno));
    if (is_service(fd, prompter->service))
        status = offer(prompter, fd, err);
    else
        status = error_set(err, ERROR_REFUSED, _("What listens at %s belongs neither to root nor to [service] user."),
                           prompter->path);
    if (status == ERROR_NONE)
        *link = fd;
    else
        close(fd);
    return status;
}

/* ------------------------------------------------------------------ questions */

static int take_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0 || signal(SIGCHLD, SIG_IGN) == SIG_ERR) /* nobody is waited for */
        return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* false: the link has gone. */
static bool take_question(const struct prompter *prompter, int link)
{
    struct prompt_message message;
    int fd = -1;

    if (!prompt_wire_receive(link, &message, &fd))
        return false;
    if (message.kind == PROMPT_QUESTION && fd >= 0)
        prompter_question_begin(prompter->pinentry, fd);
    if (fd >= 0)
        close(fd);
    return true;
}

/* true: it is time to stop; false: the link has gone. */
static bool put_questions(const struct prompter *prompter, int link)
{
    struct pollfd on[] = {{.fd = prompter->signals, .events = POLLIN}, {.fd = link, .events = POLLIN}};

    for (;;) {
        if (poll(on, 2, -1) < 0)
            continue;
        if (on[0].revents)
            return true;
        if (on[1].revents && !take_question(prompter, link))
            return false;
    }
}

/* Until the service is back: a prompter that ended with it would be missed. *stop: it is time to. */
static int wait_for_link(const struct prompter *prompter, bool *stop)
{
    struct pollfd stopped = {.fd = prompter->signals, .events = POLLIN};
    int link = -1;

    while (link < 0 && !*stop) {
        *stop = poll(&stopped, 1, RETRY_MS) == 1;
        if (!*stop && open_link(prompter, &link, NULL) != ERROR_NONE)
            link = -1;
    }
    return link;
}

static enum error_code run(const struct prompter *prompter, struct error *err)
{
    bool stop = false;
    int link;
    const enum error_code status = open_link(prompter, &link, err);

    if (status != ERROR_NONE)
        return status;
    printf(_("The questions of %s are put here.\n"), prompter->path);
    fflush(stdout);
    while (!stop) {
        stop = put_questions(prompter, link);
        close(link);
        link = stop ? -1 : wait_for_link(prompter, &stop);
    }
    if (link >= 0)
        close(link);
    return ERROR_NONE;
}

enum error_code prompter_run(const char *socket_path, const struct config *config, struct error *err)
{
    char *path = agent_place_prompt(socket_path);
    struct prompter prompter = {.path = path, .pinentry = config->module.pinentry, .signals = take_signals()};
    enum error_code status;

    if (!path || prompter.signals < 0) {
        status = error_set(err, ERROR_MEMORY, NULL);
    } else {
        if (!service_user_uid(config->service.user, &prompter.service))
            prompter.service = 0;
        status = run(&prompter, err);
    }
    if (prompter.signals >= 0)
        close(prompter.signals);
    free(path);
    return status;
}
