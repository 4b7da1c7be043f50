/*
 * clock: the portal's "now", and the two ways it is written.
 *
 * In test mode only, now is the real time plus the seconds in TEST_DIR/clock-offset, read at each call.
 * Owner: struct portal_clock borrows test_dir. Thread rule: constant after start; any thread may ask.
 */
#ifndef PINWARD_PORTAL_CLOCK_H
#define PINWARD_PORTAL_CLOCK_H

#include <stdint.h>

#define CLOCK_DAY_S          86400
#define CLOCK_RFC3339_LENGTH 21 /* "2026-11-22T14:00:00Z" and its NUL */
#define CLOCK_HTTP_LENGTH    30 /* "Sun, 22 Nov 2026 14:00:00 GMT" and its NUL */

struct portal_clock {
    const char *test_dir; /* NULL: the real clock, and no other code path */
};

/* Seconds since 1970 UTC. A test offset that is not a whole number of seconds counts as 0. */
int64_t clock_now_s(const struct portal_clock *clock);

void clock_format_rfc3339(int64_t time_s, char out[CLOCK_RFC3339_LENGTH]);
void clock_format_http(int64_t time_s, char out[CLOCK_HTTP_LENGTH]); /* IMF-fixdate, RFC 9110 section 5.6.7 */

#endif
