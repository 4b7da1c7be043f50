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

enum error_code token_write_certificate(struct token *token, X509 *certificate, const char *label,
                                        const struct bytes *id, struct error *err)
{
    bool holds = false;
    enum error_code status = token_holds_certificate(token, certificate, id, &holds, err);

    if (status != ERROR_NONE || holds) {
        return status;
    }
    ERR_clear_error();
    if (PKCS11_store_certificate(token->slot->token, certificate, (char *)label, id->data, id->len, NULL) !=
        0) {
        return token_failed(err, _("writing a certificate"));
    }
    status = token_holds_certificate(token, certificate, id, &holds, err);
    if (status == ERROR_NONE && !holds) {
        status = error_set(
            err, ERROR_TOKEN,
            _("The token did not keep the certificate that was written: run the same command again."));
    }
    return status;
}
