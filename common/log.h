/*
 * log: one line of text for each event, to the configured file; never to the host's stdout or stderr.
 *
 * A line is: UTC time in RFC 3339, level, program and pid, message. No secret, ever.
 * Owner: process-wide; log_open before the first line, log_close at the end. Lines before log_open are dropped.
 * Thread rule: any thread; lines from several processes on one file stay whole (O_APPEND, one write).
 */
#ifndef PINWARD_COMMON_LOG_H
#define PINWARD_COMMON_LOG_H

#include "config.h"
#include "error.h"

/* Opens (creating it with mode 0600, and its folder with 0700) the log that config names. Failing is not fatal to
 * the caller's work: err says why, and lines are then dropped. */
enum error_code log_open(const struct config *config, struct error *err);
void log_close(void);

/* Forgets the log without touching it: for a forked child. */
void log_forget(void);

void log_write(enum config_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(CONFIG_LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(CONFIG_LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(CONFIG_LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(CONFIG_LOG_DEBUG, __VA_ARGS__)

#endif
