/*
 * fork_safe: calls of the C library that another thread may be in while a thread of the host forks.
 *
 * Purpose: each of them takes a lock of the C library's own which fork leaves in the child as it was: with nobody there to
 *   give it up, the child's next such call would wait for ever (glibc: tzset_lock of the time zone, the locks of the
 *   translations found and of the locales). Here they are made one at a time, and fork waits until none is made.
 * Owner: results belong to the C library or the caller as there. Thread rule: any thread; also in a forked child. A handler of
 *   a signal that came during such a call may fork, which then waits for nothing.
 */
#ifndef PINWARD_COMMON_FORK_SAFE_H
#define PINWARD_COMMON_FORK_SAFE_H

#include <locale.h>
#include <stdbool.h>
#include <time.h>

/* gmtime_r(3), localtime_r(3): when, in seconds since 1970-01-01 00:00 UTC, broken down. false: the year has no number,
 * and *out is untouched. */
bool fork_safe_utc(time_t when, struct tm *out);
bool fork_safe_local_time(time_t when, struct tm *out);

/* dgettext(3): text of the domain in the locale of the calling thread, or text itself. */
const char *fork_safe_text(const char *domain, const char *text) __attribute__((format_arg(2)));

/* newlocale(3) of the categories in mask, as the environment says; (locale_t)0 when the system has no such locale. */
locale_t fork_safe_users_locale(int mask);

/* strerror(3): valid until the thread's next call. */
const char *fork_safe_error(int number);

#endif
