/*
 * ocsp_signer: the portal's delegated OCSP responder (RFC 6960 section 4.2.2.2): a key, and a certificate for
 * it from the issuing CA with id-kp-OCSPSigning and id-pkix-ocsp-nocheck.
 *
 * Since nobody can revoke a certificate that says nocheck, it lives a week only (section 4.2.2.2.1): the key
 * never leaves the process's memory, and both are made anew when half of the week is over or the clock has
 * left it. Owner: the caller (ocsp_signer_new/_free). Thread rule: any thread; a lock inside.
 */
#ifndef PINWARD_PORTAL_OCSP_SIGNER_H
#define PINWARD_PORTAL_OCSP_SIGNER_H

#include "ca.h"

struct ocsp_signer;

/* NULL: no memory. ca must outlive it. */
struct ocsp_signer *ocsp_signer_new(const struct ca *ca);
void ocsp_signer_free(struct ocsp_signer **signer);

/* What signs at now_s; new references for the caller to free. false: it cannot be made. */
bool ocsp_signer_get(struct ocsp_signer *signer, int64_t now_s, X509 **certificate, EVP_PKEY **key);

#endif
