/* crl_reason: the reasons of RFC 5280 section 5.3.1 that suit a user's certificate, by their names there.
 * Constant table; any thread. */
#ifndef PINWARD_PORTAL_CRL_REASON_H
#define PINWARD_PORTAL_CRL_REASON_H

/* -1: no such reason. */
int crl_reason_code(const char *name);

/* NULL: no such reason. */
const char *crl_reason_name(int code);

#endif
