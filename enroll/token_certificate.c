#include "enroll/token_internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/certificate.h"

static enum error_code token_certificates(struct token *token, PKCS11_CERT **list, unsigned *count,
                                          struct error *err)
{
    ERR_clear_error();
    if (PKCS11_enumerate_certs(token->slot->token, list, count) != 0) {
        return token_failed(err, _("reading its certificates"));
    }
    return ERROR_NONE;
}

enum error_code token_find_certificate(struct token *token, const char *serial, bool *found,
                                       X509 **certificate, struct error *err)
{
    PKCS11_CERT *list = NULL;
    unsigned count = 0;
    enum error_code status = token_certificates(token, &list, &count, err);

    if (status != ERROR_NONE) {
        return status;
    }
    for (unsigned i = 0; i < count; i++) {
        if (list[i].x509 && X509_check_ca(list[i].x509) == 0 &&
            certificate_has_serial(list[i].x509, serial)) {
            if (certificate && X509_up_ref(list[i].x509) != 1) {
                return error_set(err, ERROR_MEMORY, "%s", "");
            }
            if (certificate) {
                *certificate = list[i].x509;
            }
            *found = true;
            return ERROR_NONE;
        }
    }
    *found = false;
    return ERROR_NONE;
}

enum error_code token_each_certificate(struct token *token,
                                       void (*take)(void *data, const char *label, X509 *certificate), void *data,
                                       struct error *err)
{
    PKCS11_CERT *list = NULL;
    unsigned count = 0;
    enum error_code status = token_certificates(token, &list, &count, err);

    for (unsigned i = 0; status == ERROR_NONE && i < count; i++) {
        if (list[i].x509) {
            take(data, list[i].label ? list[i].label : "", list[i].x509);
        }
    }
    return status;
}

enum error_code token_list_certificates(struct token *token, STACK_OF(X509) * *list, struct error *err)
{
    STACK_OF(X509) *copies = sk_X509_new_null();
    PKCS11_CERT *found = NULL;
    unsigned count = 0;
    enum error_code status = copies ? token_certificates(token, &found, &count, err)
                                    : error_set(err, ERROR_MEMORY, "%s", "");

    for (unsigned i = 0; status == ERROR_NONE && i < count; i++) {
        if (found[i].x509 && X509_add_cert(copies, found[i].x509, X509_ADD_FLAG_UP_REF) != 1) {
            status = error_set(err, ERROR_MEMORY, "%s", "");
        }
    }
    if (status != ERROR_NONE) {
        sk_X509_pop_free(copies, X509_free);
        return status;
    }
    *list = copies;
    return ERROR_NONE;
}

static enum error_code token_holds_certificate(struct token *token, X509 *certificate, const struct bytes *id,
                                               bool *holds, struct error *err)
{
    PKCS11_CERT *list = NULL;
    unsigned count = 0;
    enum error_code status = token_certificates(token, &list, &count, err);
    bool held = false;

    if (status != ERROR_NONE) {
        return status;
    }
    for (unsigned i = 0; i < count && !held; i++) {
        held = list[i].x509 && X509_cmp(list[i].x509, certificate) == 0 && list[i].id_len == id->len &&
               memcmp(list[i].id, id->data, id->len) == 0;
    }
    *holds = held;
    return ERROR_NONE;
}

/* A certificate without id, label and value (or where to get it) is none: a token leaves it that is interrupted before it
 * has given the new object its attributes. */
static enum error_code token_delete_stillborn_certificates(struct token *token, CK_SESSION_HANDLE session,
                                                           struct error *err)
{
    static const CK_ATTRIBUTE_TYPE makes_one[] = {CKA_ID, CKA_LABEL, CKA_VALUE, CKA_URL};
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 1, objects, &count, err);

    for (CK_ULONG i = 0; status == ERROR_NONE && i < count; i++) {
        bool stillborn = true;
        CK_RV rv = CKR_OK;

        for (size_t a = 0; a < sizeof makes_one / sizeof makes_one[0]; a++) {
            stillborn = stillborn && !token_has_attribute(token, session, objects[i], makes_one[a]);
        }
        if (stillborn) {
            rv = token->functions->C_DestroyObject(session, objects[i]);
        }
        if (rv != CKR_OK) {
            status = token_failed_rv(err, rv, _("removing what an interrupted run has left"));
        }
    }
    return status;
}

static enum error_code token_clean_up_certificates(struct token *token, struct error *err)
{
    CK_SESSION_HANDLE session;
    enum error_code status = token_session_open(token, &session, err);

    if (status == ERROR_NONE) {
        status = token_delete_stillborn_certificates(token, session, err);
        token->functions->C_CloseSession(session);
    }
    return status;
}

/* A new buffer with the DER of a name or number; empty: no memory. */
static struct bytes token_der(const void *value, int (*encode)(const void *value, unsigned char **out))
{
    unsigned char *encoded = NULL;
    const int len = encode(value, &encoded);
    struct bytes der = {0};

    if (len > 0) {
        (void)bytes_set(&der, encoded, (size_t)len);
    }
    OPENSSL_free(encoded);
    return der;
}

static int encode_name(const void *name, unsigned char **out)
{
    return i2d_X509_NAME(name, out);
}

static int encode_integer(const void *integer, unsigned char **out)
{
    return i2d_ASN1_INTEGER(integer, out);
}

static int encode_certificate(const void *certificate, unsigned char **out)
{
    return i2d_X509(certificate, out);
}

/* All attributes of PKCS#11 2.40 section 4.6.3 that name the certificate: an absent CKA_SERIAL_NUMBER is allowed there, but
 * NSS, and with it the browsers, does not take a certificate without it, and libp11 writes none. */
static enum error_code token_create_certificate(struct token *token, X509 *certificate, const char *label,
                                                const struct bytes *id, struct error *err)
{
    struct bytes value = token_der(certificate, encode_certificate);
    struct bytes subject = token_der(X509_get_subject_name(certificate), encode_name);
    struct bytes issuer = token_der(X509_get_issuer_name(certificate), encode_name);
    struct bytes serial = token_der(X509_get0_serialNumber(certificate), encode_integer);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},          {CKA_CERTIFICATE_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},              {CKA_LABEL, (char *)label, strlen(label)},
        {CKA_ID, id->data, id->len},                {CKA_SUBJECT, subject.data, subject.len},
        {CKA_ISSUER, issuer.data, issuer.len},      {CKA_SERIAL_NUMBER, serial.data, serial.len},
        {CKA_VALUE, value.data, value.len},
    };
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    enum error_code status = ERROR_NONE;

    if (!value.len || !subject.len || !issuer.len || !serial.len) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = token_session_open(token, &session, err);
    }
    if (status == ERROR_NONE) {
        const CK_RV rv = token->functions->C_CreateObject(session, template, sizeof template / sizeof template[0], &object);

        token->functions->C_CloseSession(session);
        if (rv != CKR_OK) {
            status = token_failed_rv(err, rv, _("writing a certificate"));
        }
    }
    bytes_clear(&value);
    bytes_clear(&subject);
    bytes_clear(&issuer);
    bytes_clear(&serial);
    return status;
}

enum error_code token_write_certificate(struct token *token, X509 *certificate, const char *label,
                                        const struct bytes *id, struct error *err)
{
    bool holds = false;
    enum error_code status = token_holds_certificate(token, certificate, id, &holds, err);

    if (status == ERROR_NONE) {
        status = token_clean_up_certificates(token, err);
    }
    if (status != ERROR_NONE || holds) {
        return status;
    }
    status = token_create_certificate(token, certificate, label, id, err);
    if (status == ERROR_NONE) {
        status = token_holds_certificate(token, certificate, id, &holds, err);
    }
    if (status == ERROR_NONE && !holds) {
        status = error_set(
            err, ERROR_TOKEN,
            _("The token did not keep the certificate that was written: run the same command again."));
    }
    return status;
}
