/* PFX files: as they are (the first byte even), or, so that what is behind the MAC is reached, as the content of a file
 * whose MAC is made here. One is either taken whole, with one key and the certificate that belongs to it, or refused with
 * a sentence. */
#include "enroll/pfx.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "fuzz/fuzz.h"
#include "fuzz/text_check.h"

/* Numbers of iterations cost time and find nothing: no INTEGER of three bytes to eight but 65537, which RSA keys have. */
static bool would_take_long(const uint8_t *data, size_t size)
{
    static const uint8_t exponent[] = {V_ASN1_INTEGER, 3, 1, 0, 1};

    for (size_t i = 0; i + sizeof exponent <= size; i++)
        if (data[i] == V_ASN1_INTEGER && data[i + 1] >= 3 && data[i + 1] <= 8 &&
            memcmp(data + i, exponent, sizeof exponent) != 0)
            return true;
    return false;
}

/* Puts what is in the bytes into one of this tag (X.690, 8.1). */
static void wrap(unsigned char tag, struct bytes *bytes)
{
    const size_t len = bytes->len;
    const unsigned char head[] = {tag, 0x83, (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len};
    struct bytes wrapped = {0};

    fuzz_require(bytes_set(&wrapped, head, sizeof head) && bytes_append(&wrapped, bytes->data, len), "there is memory");
    bytes_clear(bytes);
    *bytes = wrapped;
}

static void prepend(const void *data, size_t len, struct bytes *bytes)
{
    struct bytes both = {0};

    fuzz_require(bytes_set(&both, data, len) && bytes_append(&both, bytes->data, bytes->len), "there is memory");
    bytes_clear(bytes);
    *bytes = both;
}

/* A file whose authenticated safe is this (RFC 7292, 4), with a MAC for the password. */
static bool make_file(const uint8_t *data, size_t size, struct bytes *file)
{
    static const unsigned char data_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
    static const unsigned char version_3[] = {0x02, 0x01, 0x03};
    unsigned char salt[] = "saltsalt", *der = NULL;
    const unsigned char *at;
    PKCS12 *p12;
    int len = -1;

    fuzz_require(bytes_set(file, data, size), "there is memory");
    wrap(V_ASN1_OCTET_STRING, file);
    wrap(0xa0, file);
    prepend(data_oid, sizeof data_oid, file);
    wrap(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, file);
    prepend(version_3, sizeof version_3, file);
    wrap(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, file);
    at = file->data;
    p12 = d2i_PKCS12(NULL, &at, (long)file->len);
    if (p12 && PKCS12_set_mac(p12, FUZZ_SECRET, -1, salt, 8, 1, EVP_sha256()) == 1)
        len = i2d_PKCS12(p12, &der);
    bytes_clear(file);
    if (len > 0)
        fuzz_require(bytes_set(file, der, (size_t)len), "there is memory");
    OPENSSL_free(der);
    PKCS12_free(p12);
    return len > 0;
}

static void read_file(const struct bytes *file, const struct secret *password)
{
    struct pfx pfx = {0};
    struct error err = {0};
    enum error_code status = pfx_look(file, "the.pfx", &err);

    if (status != ERROR_NONE)
        text_require_sentence(status, &err);
    status = pfx_read(file, "the.pfx", password, &pfx, &err);
    if (status == ERROR_NONE) {
        fuzz_require(pfx.key && pfx.certificate && X509_check_private_key(pfx.certificate, pfx.key) == 1,
                     "what is taken is one key and its certificate");
        if (pfx.name)
            text_require_clean(pfx.name);
        pfx_clear(&pfx);
    } else {
        fuzz_require(!pfx.key && !pfx.certificate && !pfx.name && !pfx.others, "nothing is left of what is refused");
        text_require_sentence(status, &err);
        text_require_no_secret(&err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct secret *password = secret_from(FUZZ_SECRET, strlen(FUZZ_SECRET));
    struct bytes file = {0};
    const uint8_t kind = fuzz_byte(&input);

    fuzz_require(password != NULL, "there is memory");
    if (!would_take_long(input.data, input.left) &&
        (kind & 1 ? make_file(input.data, input.left, &file) : bytes_set(&file, input.data, input.left)))
        read_file(&file, password);
    bytes_clear(&file);
    secret_free(&password);
    ERR_clear_error();
    return 0;
}
