#include "pkcs11-module/agent/prompt_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool prompt_wire_send(int link, enum prompt_kind kind, const struct pinentry_environment *environment, int fd)
{
    struct prompt_message packet = {.kind = (uint32_t)kind};
    struct iovec data = {.iov_base = &packet, .iov_len = sizeof packet};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    union control control = {.bytes = {0}};
    struct cmsghdr *header;

    if (environment)
        packet.environment = *environment;
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(link, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof packet;
}

/* There is room for one descriptor, so that the kernel drops any others (unix(7), MSG_CTRUNC). */
static int take_descriptor(struct msghdr *message)
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static void end_strings(struct pinentry_environment *environment)
{
    environment->terminal[sizeof environment->terminal - 1] = '\0';
    environment->terminal_type[sizeof environment->terminal_type - 1] = '\0';
    environment->display[sizeof environment->display - 1] = '\0';
    environment->lc_ctype[sizeof environment->lc_ctype - 1] = '\0';
    environment->lc_messages[sizeof environment->lc_messages - 1] = '\0';
}

bool prompt_wire_receive(int link, struct prompt_message *message, int *fd)
{
    union control control = {.bytes = {0}};
    struct iovec data = {.iov_base = message, .iov_len = sizeof *message};
    struct msghdr header = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n;
    int taken;

    do
        n = recvmsg(link, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    taken = n < 0 ? -1 : take_descriptor(&header);
    if (n != (ssize_t)sizeof *message || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        if (taken >= 0)
            close(taken);
        return false;
    }
    end_strings(&message->environment);
    *fd = taken;
    return true;
}
