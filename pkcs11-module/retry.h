/*
 * retry: wrong PINs of the user, counted for each token across all processes of the user, for tokens that do not count
 * themselves.
 *
 * A try is written down before its PIN is checked and taken back when the PIN was right: a process that is killed in
 * between has used its try up. Tries are numbered; a right PIN forgives its own and all that were written before it, as
 * if the checks had been made one after the other in that order. While its PIN is being checked a try is held
 * (counter_file_hold): so ten programs that log in at once are not ten wrong PINs, and yet no more PINs are ever under
 * way than there are tries left.
 *
 * The file: retry/HASH in the state folder (counter_file_locate), HASH being of the token's manufacturer, model and
 * serial number. It holds the number of the last try, and of that and the 63 before it, a bit each, which are open:
 * wrong, or not yet judged.
 * Owner: struct retry is the runtime's, constant after retry_init. Thread rule: any thread; no lock is kept between
 *   calls.
 */
#ifndef PINWARD_MODULE_RETRY_H
#define PINWARD_MODULE_RETRY_H

#include <limits.h>
#include <stdint.h>

#include "pkcs11-module/counter_file.h"
#include "pkcs11-module/p11.h"

#define RETRY_HASH_BYTES 16

struct retry {
    unsigned limit;        /* wrong PINs until the lock; 0: nothing is counted */
    char folder[PATH_MAX]; /* empty: this user has none */
};

/* A try that was written down. */
struct retry_try {
    struct counter_file file;
    uint64_t number; /* 0: none was, since nothing is counted */
};

enum retry_verdict {
    RETRY_RIGHT,
    RETRY_WRONG,
    RETRY_NOT_COUNTED, /* the PIN was not looked at, or the token has counted it itself */
};

/* What there is to say of a token's user PIN. */
struct retry_state {
    unsigned wrong; /* since the last right one */
    unsigned left;  /* until the lock; UINT_MAX where nothing is counted */
    CK_FLAGS flags; /* CKF_USER_PIN_COUNT_LOW, _FINAL_TRY, _LOCKED, as PKCS#11 2.40, 3.2, CK_TOKEN_INFO has them */
};

/* limit: pin-tries of the configuration. */
void retry_init(struct retry *retry, unsigned limit);

/* CKR_FUNCTION_FAILED, with a line in the log that names the file, when the file cannot be relied on: here and below. */
CK_RV retry_look(const struct retry *retry, const CK_TOKEN_INFO *token, struct retry_state *state);

/* Writes a try down. CKR_OK: the PIN may be given to the token, and retry_end must follow. CKR_PIN_LOCKED: there is none
 * left. CKR_FUNCTION_FAILED: as above, or all that are left have been under way in other programs for ten seconds. */
CK_RV retry_begin(const struct retry *retry, const CK_TOKEN_INFO *token, struct retry_try *attempt);

/* What came of it. A file that cannot be written now leaves the try counted. */
void retry_end(struct retry_try *attempt, enum retry_verdict verdict);

/* The security officer has set a new PIN: every try is forgiven. A file that cannot be relied on stays as it is, and the
 * log says so. */
void retry_reset(const struct retry *retry, const CK_TOKEN_INFO *token);

#endif
