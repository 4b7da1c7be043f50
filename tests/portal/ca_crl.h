/*
 * ca_crl: the certificate revocation list (RFC 5280 section 5), made anew whenever it would say something
 * else or half of its 24 hours are over.
 *
 * Thread rule: that of the struct store.
 */
#ifndef PINWARD_PORTAL_CA_CRL_H
#define PINWARD_PORTAL_CA_CRL_H

#include "ca.h"

/* *der is the current list, a new buffer for the caller to free. A failure of the store is told by
 * store_failure. */
enum error_code ca_crl_current(const struct ca *ca, struct store *store, int64_t now_s, uint8_t **der,
                               size_t *len, struct error *err);

#endif
