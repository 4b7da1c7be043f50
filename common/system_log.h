/*
 * system_log: hands one line to journald or syslog, over their own sockets, so that a host's openlog stays what it is.
 *
 * Owner: nothing kept: the socket lives for one line. Thread rule: any thread. Never waits: a service that does not
 * take the line at once does not get it.
 */
#ifndef PINWARD_COMMON_SYSTEM_LOG_H
#define PINWARD_COMMON_SYSTEM_LOG_H

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"

#define SYSTEM_LOG_JOURNALD_SOCKET "/run/systemd/journal/socket"
#define SYSTEM_LOG_SYSLOG_SOCKET   "/dev/log"

/* Sends text (one line, no newline) as pinward's, with the facility authpriv: at warning when serious, else at info.
 * CONFIG_JOURNAL_NONE sends nothing. ERROR_IO: err says why it did not arrive. */
enum error_code system_log_send(enum config_journal journal, bool serious, const char *text, struct error *err);

/* The same to the socket of that path. */
enum error_code system_log_send_to(const char *socket_path, enum config_journal journal, bool serious,
                                   const char *text, struct error *err);

#endif
