/*
 * certificate: the subject of the certificate that belongs to a key, as text for the prompt.
 *
 * Owner: nothing kept. Thread rule: any thread.
 */
#ifndef PINWARD_MODULE_CERTIFICATE_H
#define PINWARD_MODULE_CERTIFICATE_H

#include <stdbool.h>

#include "pkcs11-module/key_facts.h"
#include "pkcs11-module/p11.h"

#define CERTIFICATE_SUBJECT_MAX 256

/* Finds the one X.509 certificate with the key's CKA_ID that is stored on the token and writes its subject, "CN=..., O=..., C=..".
 * session must have no search of its own in progress. false: no such certificate, more than one, or its subject is
 * no DER Name. */
bool certificate_subject_of_key(CK_FUNCTION_LIST *backend, CK_SESSION_HANDLE session,
                                const struct key_facts *facts, char subject[CERTIFICATE_SUBJECT_MAX]);

/* Writes a DER X.501 Name (RFC 5280, 4.1.2.4) as text, most specific first as RFC 4514 asks, cut at a whole
 * character; control characters become '?'. false when it is not a well-formed Name, or an empty one. */
bool certificate_name_to_text(const unsigned char *der, size_t len, char subject[CERTIFICATE_SUBJECT_MAX]);

#endif
