#include "pkcs11-module/agent/service_starter.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/pinentry_process.h"
#include "pkcs11-module/agent/prompt_wire.h"

/* The listener does nothing that takes long. */
#define ANSWER_TIMEOUT_S 10

static pthread_mutex_t starter_lock = PTHREAD_MUTEX_INITIALIZER; /* one request and its answer at a time */
static int starter_channel = -1;

/* 0, or an errno. */
static int ask(struct prompt_message *answer, int *fd)
{
    int rc = 0;

    pthread_mutex_lock(&starter_lock);
    if (!prompt_wire_send(starter_channel, PROMPT_QUESTION, NULL, -1) ||
        !prompt_wire_receive(starter_channel, answer, fd))
        rc = EPROTO;
    pthread_mutex_unlock(&starter_lock);
    return rc;
}

static int start(int *fd, struct pinentry_environment *environment)
{
    struct prompt_message answer;
    int taken = -1;
    const int rc = ask(&answer, &taken);

    if (rc != 0)
        return rc;
    if (taken < 0)
        return answer.kind == PROMPT_NOBODY ? ENOTCONN : EPROTO;
    taken = descriptor_above_stdio(taken);
    if (taken < 0)
        return EMFILE;
    *fd = taken;
    *environment = answer.environment;
    return 0;
}

void service_starter_use(int channel)
{
    const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    starter_channel = channel;
    (void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    pinentry_process_start_elsewhere(start);
}

bool service_starter_answer(int channel, struct prompters *prompters, uid_t uid)
{
    struct pinentry_environment environment;
    struct prompt_message request;
    int fd = -1;
    bool sent;

    errno = 0;
    if (!prompt_wire_receive(channel, &request, &fd))
        return errno == EAGAIN;
    if (fd >= 0)
        close(fd);
    if (request.kind != PROMPT_QUESTION)
        return false;
    if (!prompters_ask(prompters, uid, &fd, &environment))
        return prompt_wire_send(channel, PROMPT_NOBODY, NULL, -1);
    sent = prompt_wire_send(channel, PROMPT_QUESTION, &environment, fd);
    close(fd);
    return sent;
}
