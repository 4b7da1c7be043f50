/*
 * certificate_page: who somebody is that has come with a certificate, as a page for a browser.
 *
 * The certificate is looked up in the portal's own records, whole, so that it needs no path: only what this
 * CA has issued is there. It must be for signing, and in force now: neither waiting for its activation,
 * suspended, revoked nor expired. TLS has shown by then that its key is the client's. Owner: the exchange is
 * the caller's. Thread rule: that of the exchange.
 */
#ifndef PINWARD_PORTAL_CERTIFICATE_PAGE_H
#define PINWARD_PORTAL_CERTIFICATE_PAGE_H

#include "exchange.h"

/* Answers with 200 and who it is, or with 403 and why not. der NULL: the client has none. */
void certificate_page_answer(struct exchange *x, const uint8_t *der, size_t len);

#endif
