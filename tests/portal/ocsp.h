/*
 * ocsp: answers to OCSP requests (RFC 6960) about the certificates of the issuing CA, from the store as it is
 * now.
 *
 * Every request is answered afresh, so that a suspension shows in the next answer; an answer may be kept for
 * a minute. Thread rule: that of the struct store.
 */
#ifndef PINWARD_PORTAL_OCSP_H
#define PINWARD_PORTAL_OCSP_H

#include "ocsp_signer.h"

#define OCSP_ANSWER_VALIDITY_S 60
#define OCSP_REQUESTS_MAX      32  /* certificates asked about at once */
#define OCSP_NONCE_MAX         128 /* RFC 9654 section 2.1 */

/* *answer is the DER of an OCSPResponse, a new buffer for the caller to free; a request that is none, or asks
 * too much, gets an error response (section 4.2.1: malformedRequest). false: not even that could be made, or
 * the store failed. */
bool ocsp_answer(const struct ca *ca, struct ocsp_signer *signer, struct store *store, int64_t now_s,
                 const uint8_t *request, size_t len, uint8_t **answer, size_t *answer_len);

#endif
