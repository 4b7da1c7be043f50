#include "common/system_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/fork_safe.h"
#include "common/i18n.h"

/* systemd's "Native Journal Protocol": NAME=value, a field a line; a value without a newline stands as it is. */
static int journald_datagram(char **datagram, int severity, const char *text)
{
    return asprintf(datagram,
                    "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=pinward\nSYSLOG_PID=%ld\nMESSAGE=%s\n",
                    severity, LOG_FAC(LOG_AUTHPRIV), (long)getpid(), text);
}

/* RFC 3164, 4.1, as C libraries send it to a local daemon: without the host's name. */
static int syslog_datagram(char **datagram, int severity, const char *text)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    struct tm local = {0};

    (void)fork_safe_local_time(now, &local);
    return asprintf(datagram, "<%d>%s %2d %02d:%02d:%02d pinward[%ld]: %s", LOG_AUTHPRIV | severity,
                    months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, (long)getpid(),
                    text);
}

static bool send_datagram(const char *socket_path, const char *datagram, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool sent;
    int failure;
    int fd;

    if (strlen(socket_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    sent = sendto(fd, datagram, len, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof address) == (ssize_t)len;
    failure = errno;
    close(fd);
    errno = failure;
    return sent;
}

enum error_code system_log_send_to(const char *socket_path, enum config_journal journal, bool serious,
                                   const char *text, struct error *err)
{
    const int severity = serious ? LOG_WARNING : LOG_INFO;
    enum error_code status = ERROR_NONE;
    char *datagram = NULL;
    const int len = journal == CONFIG_JOURNAL_JOURNALD ? journald_datagram(&datagram, severity, text)
                                                       : syslog_datagram(&datagram, severity, text);

    if (len < 0)
        return error_set(err, ERROR_MEMORY, "%s", "");
    if (!send_datagram(socket_path, datagram, (size_t)len))
        status = error_set(err, ERROR_IO, _("A line of the ledger did not reach %s (%s)."), socket_path,
                           fork_safe_error(errno));
    free(datagram);
    return status;
}

enum error_code system_log_send(enum config_journal journal, bool serious, const char *text, struct error *err)
{
    switch (journal) {
    case CONFIG_JOURNAL_SYSLOG:
        return system_log_send_to(SYSTEM_LOG_SYSLOG_SOCKET, journal, serious, text, err);
    case CONFIG_JOURNAL_JOURNALD:
        return system_log_send_to(SYSTEM_LOG_JOURNALD_SOCKET, journal, serious, text, err);
    case CONFIG_JOURNAL_NONE:
        break;
    }
    return ERROR_NONE;
}
