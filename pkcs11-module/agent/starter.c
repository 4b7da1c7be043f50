#include "pkcs11-module/agent/starter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/pinentry_process.h"

/* The listener does nothing that takes long. */
#define ANSWER_TIMEOUT_S 10

static int starter_channel = -1;

/* From a start to its answer: of two at once each must get its own. */
static pthread_mutex_t starter_lock = PTHREAD_MUTEX_INITIALIZER;

/* 0, or an errno. */
static int send_request(enum starter_what what, pid_t pid)
{
    const struct starter_request request = {.what = (int32_t)what, .pid = pid};

    return send(starter_channel, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request ? 0 : errno;
}

/* The two descriptors of an answer; false: it has others, or none. */
static bool take_descriptors(struct msghdr *message, int descriptors[STARTER_DESCRIPTORS])
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(STARTER_DESCRIPTORS * sizeof(int)))
        return false;
    memcpy(descriptors, CMSG_DATA(header), STARTER_DESCRIPTORS * sizeof(int));
    return true;
}

/* 0, or an errno. */
static int receive_answer(struct starter_answer *answer, int descriptors[STARTER_DESCRIPTORS])
{
    union {
        char bytes[CMSG_SPACE(STARTER_DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec data = {.iov_base = answer, .iov_len = sizeof *answer};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n;

    do
        n = recvmsg(starter_channel, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? ETIMEDOUT : errno;
    if (n != (ssize_t)sizeof *answer)
        return ECONNRESET; /* the listener has gone */
    if (answer->error != 0)
        return answer->error;
    return take_descriptors(&message, descriptors) ? 0 : EPROTO;
}

static int start(pid_t *pid, int *pidfd, int *fd)
{
    int descriptors[STARTER_DESCRIPTORS];
    struct starter_answer answer = {.error = 0};
    int rc;

    pthread_mutex_lock(&starter_lock);
    rc = send_request(STARTER_START, 0);
    if (rc == 0)
        rc = receive_answer(&answer, descriptors);
    if (rc != 0 && rc != answer.error)
        starter_channel = -1; /* an answer that comes late would be taken for the next one's */
    pthread_mutex_unlock(&starter_lock);
    if (rc != 0)
        return rc;
    *pid = answer.pid;
    *fd = descriptor_above_stdio(descriptors[STARTER_FD]);
    *pidfd = descriptor_above_stdio(descriptors[STARTER_PIDFD]);
    if (*fd >= 0 && *pidfd >= 0)
        return 0;
    (void)send_request(STARTER_KILL, *pid);
    if (*fd >= 0)
        close(*fd);
    if (*pidfd >= 0)
        close(*pidfd);
    return EMFILE;
}

static void send_signal(pid_t pid, int signal)
{
    (void)send_request(signal == SIGKILL ? STARTER_KILL : STARTER_TERMINATE, pid);
}

void starter_use(int channel)
{
    static const struct pinentry_starter starter = {start, send_signal};
    const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    starter_channel = channel;
    (void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    pinentry_process_start_by(&starter);
}
