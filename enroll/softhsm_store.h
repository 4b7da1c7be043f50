/*
 * softhsm_store: a SoftHSM2 token store of the user's own, where there is none yet.
 *
 * SoftHSM2 reads $SOFTHSM2_CONF, else ~/.config/softhsm2/softhsm2.conf, else the system's file. Only where none of them
 * leads to a store that this user can use, or has tokens in, is one made, from softhsm-config/softhsm2.conf.in.
 * Owner: *made is the caller's. Thread rule: before the module is loaded, since SoftHSM2 reads its file only once.
 */
#ifndef PINWARD_ENROLL_SOFTHSM_STORE_H
#define PINWARD_ENROLL_SOFTHSM_STORE_H

#include <stdbool.h>

#include "common/config.h"
#include "common/error.h"

/* Is SoftHSM2 the backend? */
bool softhsm_store_is_backend(const struct config *config);

/* Is it, and is there no store? */
bool softhsm_store_is_missing(const struct config *config);

/* Makes one where it is missing. *made: the path of the file that was written, a new string; NULL: nothing had to be made,
 * or the backend is another one. ERROR_CONFIG: the user has a file that cannot be read. */
enum error_code softhsm_store_ensure(const struct config *config, char **made, struct error *err);

#endif
