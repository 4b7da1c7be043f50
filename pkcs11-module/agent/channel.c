#include "pkcs11-module/agent/channel.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkcs11-module/agent/starter.h"

/* The answer, with the descriptors where there are any. One that the process does not take is lost: it has gone. */
static void send_answer(int channel, const struct starter_answer *answer, const int descriptors[STARTER_DESCRIPTORS])
{
    union {
        char bytes[CMSG_SPACE(STARTER_DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct iovec data = {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof *answer};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    struct cmsghdr *header;

    if (answer->error == 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(STARTER_DESCRIPTORS * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, STARTER_DESCRIPTORS * sizeof(int));
    }
    (void)sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void start_pinentry(int channel, struct pinentries *pinentries, pid_t worker)
{
    int descriptors[STARTER_DESCRIPTORS] = {-1, -1};
    pid_t pid = 0;
    const int rc =
        pinentries_start(pinentries, worker, &pid, &descriptors[STARTER_PIDFD], &descriptors[STARTER_FD]);
    const struct starter_answer answer = {.error = rc, .pid = pid};

    send_answer(channel, &answer, descriptors);
    for (size_t i = 0; rc == 0 && i < STARTER_DESCRIPTORS; i++)
        close(descriptors[i]);
}

bool channel_answer(int channel, struct pinentries *pinentries, pid_t worker)
{
    struct starter_request request = {.what = 0};
    const ssize_t n = recv(channel, &request, sizeof request, MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n != (ssize_t)sizeof request)
        return false;
    switch (request.what) {
    case STARTER_START:
        start_pinentry(channel, pinentries, worker);
        return true;
    case STARTER_TERMINATE:
        pinentries_signal(pinentries, worker, request.pid, SIGTERM);
        return true;
    case STARTER_KILL:
        pinentries_signal(pinentries, worker, request.pid, SIGKILL);
        return true;
    default:
        return false;
    }
}
