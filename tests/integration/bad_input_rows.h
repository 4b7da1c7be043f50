/* bad_input_rows: the right calls of all functions (support/bad_input.h), room by room as the standard has them. */
#ifndef PINWARD_TESTS_BAD_INPUT_ROWS_H
#define PINWARD_TESTS_BAD_INPUT_ROWS_H

#include "support/bad_input.h"

extern const struct bad_rows bad_rows_token;  /* 5.4 to 5.6, 5.15, 5.16: general, slots, tokens, sessions, random */
extern const struct bad_rows bad_rows_object; /* 5.7 */
extern const struct bad_rows bad_rows_crypt;  /* 5.8 to 5.10: encrypting, decrypting, digesting */
extern const struct bad_rows bad_rows_sign;   /* 5.11 to 5.13: signing, verifying, dual functions */
extern const struct bad_rows bad_rows_key;    /* 5.14 */
extern const struct bad_rows bad_rows_lacked; /* what SoftHSM2 has not: recovery, dual functions, 3.0; tried on the mock */

#define BAD_ROWS(rows) {rows, sizeof rows / sizeof rows[0]}

#endif
