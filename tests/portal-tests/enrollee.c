#include "enrollee.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/crmf.h>
#include <openssl/rsa.h>

#define ATTRIBUTE_OID "2.25.196556539987194312349856245628873852187"

EVP_PKEY *enrollee_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);

    assert_non_null(key);
    return key;
}

EVP_PKEY *enrollee_key(const char *profile)
{
    static const struct {
        const char *profile;
        unsigned bits;
        const char *curve;
    } rows[] = {
        {"rsa-2048", 2048, NULL},   {"rsa-3072", 3072, NULL},   {"rsa-4096", 4096, NULL},
        {"ec-p256", 256, "P-256"}, {"ec-p384", 384, "P-384"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].profile, profile) == 0)
            return rows[i].curve == NULL ? enrollee_rsa(rows[i].bits) : EVP_EC_gen(rows[i].curve);
    }
    fail_msg("no profile %s", profile);
    return NULL;
}

void enrollee_make_of(struct enrollee *e, const char *profile)
{
    e->signing_key = enrollee_key(profile == NULL ? "rsa-2048" : profile);
    e->encryption_key = enrollee_key(profile == NULL ? "rsa-2048" : profile);
}

void enrollee_make(struct enrollee *e)
{
    enrollee_make_of(e, NULL);
}

static const EVP_MD *digest_of(EVP_PKEY *key)
{
    return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

void enrollee_clear(struct enrollee *e)
{
    EVP_PKEY_free(e->signing_key);
    EVP_PKEY_free(e->encryption_key);
    memset(e, 0, sizeof(*e));
}

void der_clear(struct der *der)
{
    free(der->data);
    memset(der, 0, sizeof(*der));
}

static struct der der_copy(const void *data, int len)
{
    struct der der = {malloc((size_t)len + 1), (size_t)len};

    assert_true(len > 0);
    assert_non_null(der.data);
    memcpy(der.data, data, (size_t)len);
    return der;
}

/* One "type=value" of a relative name, with its escapes undone. Names of the tests have no multi-valued
 * parts. */
static void add_part(X509_NAME *name, const char *part, size_t len)
{
    char type[32] = "", value[256] = "";
    const char *equals = memchr(part, '=', len);
    size_t to = 0;
    int kind;

    assert_non_null(equals);
    memcpy(type, part, (size_t)(equals - part));
    for (const char *c = equals + 1; c < part + len; c++) {
        if (*c == '\\')
            c++;
        value[to++] = *c;
    }
    kind = strcmp(type, "C") == 0 || strcmp(type, "serialNumber") == 0 ? V_ASN1_PRINTABLESTRING
                                                                       : V_ASN1_UTF8STRING;
    /* RFC 4514 writes the last part first. */
    assert_int_equal(X509_NAME_add_entry_by_txt(name, type, kind, (unsigned char *)value, (int)to, 0, 0), 1);
}

X509_NAME *enrollee_name(const char *dn)
{
    X509_NAME *name = X509_NAME_new();
    const char *start = dn;

    for (const char *c = dn;; c++) {
        if (*c == '\\' && c[1] != '\0') {
            c++;
        } else if (*c == ',' || *c == '\0') {
            add_part(name, start, (size_t)(c - start));
            start = c + 1;
        }
        if (*c == '\0')
            return name;
    }
}

/* OpenSSL 3.0 makes no proof for keyAgreement [3]. It has the form of that for keyEncipherment [2], in the last octets
 * of the message. */
static void make_key_agreement(struct der *crmf)
{
    unsigned char *popo = crmf->data + crmf->len - 5;

    assert_true(crmf->len > 5 && popo[0] == 0xA2 && popo[1] == 3 && popo[2] == 0x81 && popo[3] == 1);
    popo[0] = 0xA3;
}

static struct der make_crmf(const struct enrollee *e, const struct request_options *o)
{
    X509_NAME *name = enrollee_name(o->crmf_dn == NULL ? o->subject_dn : o->crmf_dn);
    EVP_PKEY *key = o->encryption_key == NULL ? e->encryption_key : o->encryption_key;
    OSSL_CRMF_MSGS *messages = sk_OSSL_CRMF_MSG_new_null();
    OSSL_CRMF_MSG *message = OSSL_CRMF_MSG_new();
    unsigned char *encoded = NULL;
    struct der der;
    int len;

    assert_int_equal(OSSL_CRMF_MSG_set_certReqId(message, o->crmf_number), 1);
    assert_int_equal(OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(message), key, name, NULL, NULL), 1);
    assert_int_equal(
        OSSL_CRMF_MSG_create_popo(o->crmf_no_popo ? OSSL_CRMF_POPO_RAVERIFIED : OSSL_CRMF_POPO_KEYENC,
                                  message, NULL, NULL, NULL, NULL),
        1);
    assert_true(sk_OSSL_CRMF_MSG_push(messages, message) > 0);
    len = i2d_OSSL_CRMF_MSGS(messages, &encoded);
    der = der_copy(encoded, len);
    if (!o->crmf_no_popo && (EVP_PKEY_is_a(key, "EC") == 1) != o->crmf_other_popo)
        make_key_agreement(&der);
    OPENSSL_free(encoded);
    sk_OSSL_CRMF_MSG_pop_free(messages, OSSL_CRMF_MSG_free);
    X509_NAME_free(name);
    return der;
}

static void add_attribute(X509_REQ *req, const struct der *crmf, int values)
{
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_new();
    ASN1_OBJECT *type = OBJ_txt2obj(ATTRIBUTE_OID, 1);

    assert_int_equal(X509_ATTRIBUTE_set1_object(attribute, type), 1);
    for (int i = 0; i < values; i++)
        assert_int_equal(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_OCTET_STRING, crmf->data, (int)crmf->len),
                         1);
    assert_int_equal(X509_REQ_add1_attr(req, attribute), 1);
    X509_ATTRIBUTE_free(attribute);
    ASN1_OBJECT_free(type);
}

static void add_attributes(X509_REQ *req, const struct enrollee *e, const struct request_options *o)
{
    struct der crmf = o->crmf_garbage ? der_copy("garbage", 7) : make_crmf(e, o);

    if (!o->crmf_missing)
        add_attribute(req, &crmf, o->crmf_twice ? 2 : 1);
    der_clear(&crmf);
}

struct der enrollee_request(const struct enrollee *e, const struct request_options *o)
{
    X509_NAME *name = enrollee_name(o->subject_dn);
    X509_REQ *req = X509_REQ_new();
    unsigned char *encoded = NULL;
    struct der der;
    int len;

    assert_int_equal(X509_REQ_set_version(req, X509_REQ_VERSION_1), 1);
    assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
    assert_int_equal(X509_REQ_set_pubkey(req, e->signing_key), 1);
    add_attributes(req, e, o);
    assert_true(X509_REQ_sign(req, e->signing_key, o->md == NULL ? digest_of(e->signing_key) : o->md) > 0);
    len = i2d_X509_REQ(req, &encoded);
    der = der_copy(encoded, len);
    if (o->bad_signature)
        der.data[der.len - 1] ^= 1;
    OPENSSL_free(encoded);
    X509_REQ_free(req);
    X509_NAME_free(name);
    return der;
}

struct der enrollee_sign_cms(X509 *certificate, EVP_PKEY *key, const struct der *content)
{
    BIO *in = BIO_new_mem_buf(content->data, (int)content->len);
    CMS_ContentInfo *cms = CMS_sign(certificate, key, NULL, in, CMS_BINARY);
    unsigned char *encoded = NULL;
    struct der der;
    int len;

    assert_non_null(cms);
    len = i2d_CMS_ContentInfo(cms, &encoded);
    der = der_copy(encoded, len);
    OPENSSL_free(encoded);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return der;
}

json_t *base64_new(const void *data, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    json_t *json;

    assert_non_null(text);
    sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_ORIGINAL);
    json = json_string(text);
    free(text);
    return json;
}

struct der base64_read(const char *text)
{
    struct der der = {malloc(strlen(text) + 1), 0};

    assert_non_null(der.data);
    assert_int_equal(sodium_base642bin(der.data, strlen(text) + 1, text, strlen(text), NULL, &der.len, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    return der;
}

X509 *base64_certificate(const char *text)
{
    struct der der = base64_read(text);
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

    assert_non_null(certificate);
    der_clear(&der);
    return certificate;
}

json_t *enrollee_prove_signing(EVP_PKEY *key, const char *application_id, const char *nonce_base64)
{
    static const char label[] = "pinward-activation-v1";
    struct der nonce = base64_read(nonce_base64);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char message[200], signature[512];
    size_t len = sizeof(signature), at = 0;

    memcpy(message, label, sizeof(label));
    at = sizeof(label);
    memcpy(message + at, application_id, strlen(application_id) + 1);
    at += strlen(application_id) + 1;
    assert_int_equal(nonce.len, 32);
    memcpy(message + at, nonce.data, nonce.len);
    at += nonce.len;
    assert_int_equal(EVP_DigestSignInit(context, NULL, digest_of(key), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, message, at), 1);
    EVP_MD_CTX_free(context);
    der_clear(&nonce);
    return base64_new(signature, len);
}

json_t *enrollee_prove_encryption(EVP_PKEY *key, const char *enveloped_base64, const char *certificate_base64)
{
    struct der enveloped = base64_read(enveloped_base64);
    X509 *certificate = base64_certificate(certificate_base64);
    const unsigned char *at = enveloped.data;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)enveloped.len);
    BIO *out = BIO_new(BIO_s_mem());
    json_t *proof = NULL;
    char *data = NULL;

    assert_non_null(cms);
    if (CMS_decrypt(cms, key, certificate, NULL, out, CMS_BINARY) == 1) {
        long len = BIO_get_mem_data(out, &data);

        proof = base64_new(data, (size_t)len);
    }
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    X509_free(certificate);
    der_clear(&enveloped);
    return proof;
}
