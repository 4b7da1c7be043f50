/*
 * wipealloc: heap functions that wipe what they free, for the libraries through which a password passes as
 * plain text: jansson (the JSON body) and libcurl (the upload).
 *
 * Owner: process-wide; wipealloc_install is called once, before either library is used.
 * Thread rule: the installed functions may run in any thread.
 */
#ifndef PINWARD_ENROLL_WIPEALLOC_H
#define PINWARD_ENROLL_WIPEALLOC_H

#include <stdbool.h>

/* Installs them in jansson and initialises libcurl with them; false: libcurl cannot start. */
bool wipealloc_install(void);

#endif
