/*
 * pin_quality: is a new PIN good enough? Pure: no I/O, no state. What is refused is what a thief would try first within the
 * few tries that a token gives: a row of neighbours, one part over and over, the token's own name.
 *
 * Owner: nothing kept; a PIN is only looked at. Thread rule: none.
 */
#ifndef PINWARD_MODULE_PIN_QUALITY_H
#define PINWARD_MODULE_PIN_QUALITY_H

#include <stddef.h>

#include "common/secret.h"
#include "pkcs11-module/p11.h"

enum pin_fault {
    PIN_GOOD,
    PIN_TOO_SHORT,
    PIN_TOO_LONG,
    PIN_REPEATS,  /* 1111, 121212 */
    PIN_IN_A_ROW, /* 123456, fedcba, qwerty */
    PIN_IS_LABEL, /* the token's, or a part of it, or with something added */
    PIN_IS_OLD,   /* the one that is to be changed */
};

/* What a new PIN is held against. */
struct pin_rules {
    size_t min; /* bytes, as tokens count (PKCS#11 2.40, 3.2, CK_TOKEN_INFO) */
    size_t max;
    const CK_UTF8CHAR *label; /* padded with blanks */
    size_t label_len;
    const struct secret *old; /* NULL: there is none, or it is not known */
};

/* For this token, with the configured minimum; where the token takes no PIN as long as that, its own maximum counts. The
 * rules point to token and old. */
void pin_rules_init(struct pin_rules *rules, const CK_TOKEN_INFO *token, unsigned configured_min,
                    const struct secret *old);

/* The first fault; PIN_GOOD: none. */
enum pin_fault pin_quality_judge(const struct pin_rules *rules, const char *pin, size_t len);

/* How hard it is to guess, for a quality bar: 1 to 100, negative when it is refused (pinentry shows that in red). */
int pin_quality_percent(const struct pin_rules *rules, const char *pin, size_t len);

#endif
