/*
 * store_captcha: open captchas. Each is used once and expires; at most CAPTCHA_OPEN_MAX are open, the oldest
 * go first.
 *
 * Thread rule: that of the struct store.
 */
#ifndef PINWARD_PORTAL_STORE_CAPTCHA_H
#define PINWARD_PORTAL_STORE_CAPTCHA_H

#include "store.h"

#define CAPTCHA_OPEN_MAX   1000
#define CAPTCHA_LIFETIME_S 300

/* In its own transaction. */
bool captcha_add(struct store *store, const char *captcha_id, const char *text, int64_t now_s);

/* Takes the captcha away, whatever the answer. STORE_ROW: text was right; STORE_DONE: it was wrong, or the
 * captcha is unknown, used or expired. */
enum store_result captcha_take(struct store *store, const char *captcha_id, const char *text, int64_t now_s);

#endif
