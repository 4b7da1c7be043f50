/*
 * ca_create: makes a new certification authority and the portal's TLS certificate.
 *
 * Thread rule: one thread at a time for a data folder (it sets the process's umask while it writes).
 */
#ifndef PINWARD_PORTAL_CA_CREATE_H
#define PINWARD_PORTAL_CA_CREATE_H

#include "ca.h"

struct ca_names {
    const char *country;
    const char *organization;
    const char *name; /* the common names are "NAME Root CA" and "NAME Issuing CA" */
};

/* Writes the six files of ca.h into data_dir; refuses when one of them exists. */
enum error_code ca_create(const char *data_dir, const struct ca_names *names, int64_t now_s,
                          struct error *err);

#endif
