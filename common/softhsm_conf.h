/*
 * softhsm_conf: SoftHSM2's own configuration: which file it reads, and where that says the tokens are.
 *
 * Owner: returned strings are the caller's. Thread rule: no state; as safe as getenv is.
 */
#ifndef PINWARD_COMMON_SOFTHSM_CONF_H
#define PINWARD_COMMON_SOFTHSM_CONF_H

#define SOFTHSM_CONF_SYSTEM "/etc/softhsm/softhsm2.conf"

/* The folder of the tokens that the file names (directories.tokendir), on the heap. NULL: it cannot be read, or names none. */
char *softhsm_conf_tokens(const char *path);

/* The file that SoftHSM2 reads in this environment: $SOFTHSM2_CONF, else the user's, else the system's; on the heap. NULL:
 * no memory. */
char *softhsm_conf_path(void);

/* The user's own, below a home; on the heap. */
char *softhsm_conf_user(const char *home);

#endif
