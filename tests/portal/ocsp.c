#include "ocsp.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* What is needed to answer one request. */
struct inquiry {
    const struct ca *ca;
    struct store *store;
    OCSP_REQUEST *request;
    OCSP_BASICRESP *basic;
    ASN1_TIME *now;
    ASN1_TIME *next;
};

static OCSP_REQUEST *read_request(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    OCSP_REQUEST *request = len <= LONG_MAX ? d2i_OCSP_REQUEST(NULL, &at, (long)len) : NULL;

    if (request != NULL && at == der + len)
        return request;
    OCSP_REQUEST_free(request);
    return NULL;
}

/* RFC 9654 section 2.1: a nonce of no or of more than 128 octets is malformed. */
static bool nonce_is_good(const X509_EXTENSION *extension)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)extension);
    const unsigned char *at = ASN1_STRING_get0_data(value);
    ASN1_OCTET_STRING *nonce = d2i_ASN1_OCTET_STRING(NULL, &at, ASN1_STRING_length(value));
    int len = nonce == NULL ? 0 : ASN1_STRING_length(nonce);

    ASN1_OCTET_STRING_free(nonce);
    return len > 0 && len <= OCSP_NONCE_MAX;
}

/* The nonce is all that is understood; another extension may be there unless it is critical (RFC 6960
 * section 4.4). */
static bool extensions_are_good(OCSP_REQUEST *request)
{
    int nonces = 0;

    for (int i = 0; i < OCSP_REQUEST_get_ext_count(request); i++) {
        X509_EXTENSION *extension = OCSP_REQUEST_get_ext(request, i);

        if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce) {
            if (++nonces > 1 || !nonce_is_good(extension))
                return false;
        } else if (X509_EXTENSION_get_critical(extension)) {
            return false;
        }
    }
    return true;
}

static bool request_is_good(OCSP_REQUEST *request)
{
    int count = request == NULL ? 0 : OCSP_request_onereq_count(request);

    return count > 0 && count <= OCSP_REQUESTS_MAX && extensions_are_good(request);
}

/* The digests of CertIDs that are answered: SHA-1, which RFC 6960's examples and most clients use, and SHA-2.
 */
static const EVP_MD *find_digest(ASN1_OBJECT *algorithm)
{
    switch (OBJ_obj2nid(algorithm)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* Is the certificate asked about one of the issuing CA's? serial: its number as the store writes it. */
static bool is_ours(const struct ca *ca, OCSP_CERTID *id, char serial[SERIAL_SIZE])
{
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *number = NULL;
    OCSP_CERTID *ours = NULL;
    const EVP_MD *digest;
    BIGNUM *value = NULL;
    char *hex = NULL;
    bool ok = false;

    OCSP_id_get0_info(NULL, &algorithm, NULL, &number, id);
    digest = find_digest(algorithm);
    if (digest != NULL)
        ours = OCSP_cert_id_new(digest, X509_get_subject_name(ca->issuing),
                                X509_get0_pubkey_bitstr(ca->issuing), number);
    value = ASN1_INTEGER_to_BN(number, NULL);
    if (ours != NULL && OCSP_id_cmp(ours, id) == 0 && value != NULL && !BN_is_negative(value))
        hex = BN_bn2hex(value);
    if (hex != NULL && strlen(hex) < SERIAL_SIZE) {
        for (size_t i = 0; i <= strlen(hex); i++)
            serial[i] = (char)tolower((unsigned char)hex[i]);
        ok = true;
    }
    OPENSSL_free(hex);
    BN_free(value);
    OCSP_CERTID_free(ours);
    return ok;
}

/* The same reading of the states as the CRL's (ca_crl.c): on hold until activated and while suspended. */
static bool add_known(const struct inquiry *q, OCSP_CERTID *id, const struct certificate *certificate)
{
    bool good = certificate->state == CERTIFICATE_ACTIVE || certificate->state == CERTIFICATE_RENEWED;
    int reason = certificate->state == CERTIFICATE_REVOKED ? certificate->reason
                                                           : OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
    ASN1_TIME *since = ASN1_TIME_set(NULL, (time_t)certificate->state_since);
    bool ok;

    if (reason == OCSP_REVOKED_STATUS_UNSPECIFIED)
        reason = OCSP_REVOKED_STATUS_NOSTATUS; /* said by leaving it out, as in the CRL */
    ok = since != NULL &&
         OCSP_basic_add1_status(q->basic, id, good ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_REVOKED,
                                good ? OCSP_REVOKED_STATUS_NOSTATUS : reason, good ? NULL : since, q->now,
                                q->next) != NULL;
    ASN1_TIME_free(since);
    return ok;
}

/* False: the store failed. */
static bool add_status(const struct inquiry *q, OCSP_CERTID *id, const char *serial)
{
    struct certificate certificate;
    /* As stored, also when expired. */
    enum store_result result = certificate_find(q->store, serial, INT64_MIN, &certificate);

    if (result == STORE_ROW)
        return add_known(q, id, &certificate);
    return result == STORE_DONE &&
           OCSP_basic_add1_status(q->basic, id, V_OCSP_CERTSTATUS_UNKNOWN, 0, NULL, q->now, q->next) != NULL;
}

/* OpenSSL would write the system's time; every time of the portal is its own clock's. */
static bool sign(const struct inquiry *q, struct ocsp_signer *signer, int64_t now_s)
{
    ASN1_GENERALIZEDTIME *produced = (ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(q->basic);
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL;
    bool ok =
        ASN1_GENERALIZEDTIME_set(produced, (time_t)now_s) != NULL &&
        ocsp_signer_get(signer, now_s, &certificate, &key) &&
        OCSP_basic_sign(q->basic, certificate, key, EVP_sha256(), NULL, OCSP_NOTIME | OCSP_RESPID_KEY) == 1;

    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok;
}

/* NULL: a failure. Who asks about another CA's certificate is told that this responder has no authority to
 * say (RFC 6960 section 2.3, unauthorized): what it signed of it nobody would accept. */
static OCSP_RESPONSE *respond(struct inquiry *q, struct ocsp_signer *signer, int64_t now_s)
{
    char serial[SERIAL_SIZE];

    if (q->basic == NULL || q->now == NULL || q->next == NULL)
        return NULL;
    for (int i = 0; i < OCSP_request_onereq_count(q->request); i++) {
        OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(q->request, i));

        if (!is_ours(q->ca, id, serial))
            return OCSP_response_create(OCSP_RESPONSE_STATUS_UNAUTHORIZED, NULL);
        if (!add_status(q, id, serial))
            return NULL;
    }
    /* 1: the nonce is echoed; 2: there is none to echo. */
    if (OCSP_copy_nonce(q->basic, q->request) <= 0 || !sign(q, signer, now_s))
        return NULL;
    return OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, q->basic);
}

static bool encode(OCSP_RESPONSE *response, uint8_t **answer, size_t *answer_len)
{
    unsigned char *der = NULL;
    int len = response == NULL ? -1 : i2d_OCSP_RESPONSE(response, &der);
    uint8_t *copy = len > 0 ? malloc((size_t)len) : NULL;

    if (copy != NULL) {
        memcpy(copy, der, (size_t)len);
        *answer = copy;
        *answer_len = (size_t)len;
    }
    OPENSSL_free(der);
    return copy != NULL;
}

bool ocsp_answer(const struct ca *ca, struct ocsp_signer *signer, struct store *store, int64_t now_s,
                 const uint8_t *request, size_t len, uint8_t **answer, size_t *answer_len)
{
    struct inquiry q = {.ca = ca, .store = store, .request = read_request(request, len)};
    OCSP_RESPONSE *response;
    bool ok;

    if (request_is_good(q.request)) {
        q.basic = OCSP_BASICRESP_new();
        q.now = ASN1_TIME_set(NULL, (time_t)now_s);
        q.next = ASN1_TIME_set(NULL, (time_t)(now_s + OCSP_ANSWER_VALIDITY_S));
        response = respond(&q, signer, now_s);
    } else {
        response = OCSP_response_create(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, NULL);
    }
    ok = encode(response, answer, answer_len);
    ERR_clear_error();
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(q.basic);
    OCSP_REQUEST_free(q.request);
    ASN1_TIME_free(q.now);
    ASN1_TIME_free(q.next);
    return ok;
}
