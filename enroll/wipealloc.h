/*
 * wipealloc: heap functions that wipe what they free, for the libraries through which a secret passes as plain
 * text: jansson (the JSON body), libcurl (the upload), OpenSSL (the password and the key of a PFX file).
 *
 * Owner: process-wide; wipealloc_install is called once, before any of them is used.
 * Thread rule: the installed functions may run in any thread.
 */
#ifndef PINWARD_ENROLL_WIPEALLOC_H
#define PINWARD_ENROLL_WIPEALLOC_H

#include <stdbool.h>

/* Installs them in jansson and OpenSSL and initialises libcurl with them; false: libcurl cannot start, or OpenSSL has
 * memory already. */
bool wipealloc_install(void);

#endif
