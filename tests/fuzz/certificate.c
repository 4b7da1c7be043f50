/* Certificates in DER, one behind the other: the first is judged as an issued one, the others are what a portal sent to
 * build its chain from. Questions about it have answers that are fit to be shown; a verdict has a sentence; and nothing
 * is accepted that is not for its use.
 *
 * The input: a byte for what was promised, and the certificates. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "enroll/certcheck.h"
#include "enroll/certificate.h"
#include "enroll/dn.h"
#include "fuzz/fuzz.h"
#include "fuzz/text_check.h"

#define CERTIFICATES_MAX 4
#define NOW              1795435200 /* 2026-11-23: the seeds begin the day before */

static X509 *read_one(struct fuzz_input *input)
{
    const unsigned char *at = input->data;
    X509 *read = input->left > 0 ? d2i_X509(NULL, &at, (long)input->left) : NULL;

    if (read) {
        input->left -= (size_t)(at - input->data);
        input->data = at;
    }
    return read;
}

static void ask_about(X509 *certificate, struct bytes *subject)
{
    struct bytes id = {0};
    char *serial = certificate_serial(certificate);
    char *name = certificate_common_name(certificate);

    if (serial) {
        fuzz_require(strspn(serial, "0123456789abcdef-") == strlen(serial), "a serial number is hexadecimal");
        fuzz_require(certificate_has_serial(certificate, serial), "and the certificate's own");
    }
    if (name)
        text_require_clean(name);
    if (certificate_key_id(certificate, &id))
        fuzz_require(id.len > 0 || id.data, "a key's id is there");
    (void)certificate_name_der(X509_get_subject_name(certificate), subject);
    bytes_clear(&id);
    free(serial);
    free(name);
}

static void judge(X509 *certificate, STACK_OF(X509) * others, const struct bytes *subject, uint8_t promised)
{
    char *serial = certificate_serial(certificate);
    struct certcheck_promise promise = {.use = promised & 1 ? CERTCHECK_ENCRYPTION : CERTCHECK_SIGNING,
                                        .serial = serial,
                                        .key = X509_get_pubkey(certificate),
                                        .subject = subject,
                                        .email = "wang@example.org",
                                        .key_usage = promised & 1 ? KU_KEY_ENCIPHERMENT : KU_DIGITAL_SIGNATURE,
                                        .validity_days = 365};
    struct certcheck_trust trust = {.roots = X509_STORE_new(), .untrusted = others, .now = NOW};
    STACK_OF(X509) *chain = NULL;
    struct error err = {0};
    enum error_code status;

    fuzz_require(trust.roots != NULL, "there is a store");
    if (promised & 2)
        (void)X509_STORE_add_cert(trust.roots, certificate);
    else if (sk_X509_num(others) > 0)
        (void)X509_STORE_add_cert(trust.roots, sk_X509_value(others, sk_X509_num(others) - 1));
    if (serial && promise.key && subject->data) {
        status = certcheck_verify(certificate, &promise, &trust, &chain, &err);
        fuzz_require((status == ERROR_NONE) == (chain != NULL), "a chain is there when there is no failure");
        if (status != ERROR_NONE)
            text_require_sentence(status, &err);
        else
            fuzz_require((X509_get_key_usage(certificate) & 0xffff) == promise.key_usage &&
                             !(X509_get_extension_flags(certificate) & EXFLAG_CA),
                         "what is accepted is for its use, and no CA");
    }
    sk_X509_pop_free(chain, X509_free);
    X509_STORE_free(trust.roots);
    EVP_PKEY_free(promise.key);
    free(serial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    STACK_OF(X509) *others = sk_X509_new_null();
    const uint8_t promised = fuzz_byte(&input);
    X509 *certificate = read_one(&input), *other;
    struct bytes subject = {0};

    while (others && sk_X509_num(others) < CERTIFICATES_MAX && (other = read_one(&input)))
        (void)sk_X509_push(others, other);
    if (certificate && others) {
        ask_about(certificate, &subject);
        judge(certificate, others, &subject, promised);
    }
    bytes_clear(&subject);
    sk_X509_pop_free(others, X509_free);
    X509_free(certificate);
    ERR_clear_error();
    return 0;
}
