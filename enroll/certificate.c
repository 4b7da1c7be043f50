#include "enroll/certificate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "enroll/text.h"

char *certificate_serial(const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *serial = NULL;

    if (hex) {
        /* BN_bn2hex writes whole bytes; the API's form has no leading zero. */
        size_t zeros = strspn(hex, "0");
        const char *start = hex[zeros] ? hex + zeros : "0";

        serial = strdup(start);
        for (char *p = serial; p && *p; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
    }
    OPENSSL_free(hex);
    BN_free(number);
    return serial;
}

bool certificate_has_serial(const X509 *certificate, const char *serial)
{
    char *own = certificate_serial(certificate);
    size_t zeros = strspn(serial, "0");
    bool same = own && strcmp(own, serial[zeros] ? serial + zeros : "0") == 0;

    free(own);
    return same;
}

bool certificate_key_id(X509 *certificate, struct bytes *id)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (ski) {
        return bytes_set(id, ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski));
    }
    return X509_pubkey_digest(certificate, EVP_sha1(), digest, &len) == 1 && bytes_set(id, digest, len);
}

char *certificate_common_name(const X509 *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *utf8 = NULL;
    char *name = NULL;

    if (index >= 0 &&
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))) >= 0) {
        name = text_clean((char *)utf8, false);
        OPENSSL_free(utf8);
    } else {
        char *line = X509_NAME_oneline(subject, NULL, 0);

        name = line ? text_clean(line, false) : NULL;
        OPENSSL_free(line);
    }
    return name;
}

bool certificate_name_der(const X509_NAME *name, struct bytes *der)
{
    const unsigned char *data = NULL;
    size_t len = 0;

    return X509_NAME_get0_der(name, &data, &len) == 1 && bytes_set(der, data, len);
}
