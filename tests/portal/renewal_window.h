/* renewal_window: when a certificate may be renewed: from CA_RENEWAL_WINDOW_DAYS before its expiry to its
 * last second (RFC 5280 section 4.1.2.5: notAfter itself is inside the validity). No state; any thread. */
#ifndef PINWARD_PORTAL_RENEWAL_WINDOW_H
#define PINWARD_PORTAL_RENEWAL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

int64_t renewal_window_opens_at(int64_t not_after_s);
bool renewal_window_is_open(int64_t not_after_s, int64_t now_s);

#endif
