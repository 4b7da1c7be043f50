#include "enroll_ca.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/support/test.h"

EVP_PKEY *enroll_rsa_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);

    assert_non_null(key);
    return key;
}

X509_NAME *enroll_name(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_countryName, MBSTRING_UTF8,
                                                (const unsigned char *)"TW", -1, -1, 0),
                     1);
    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    return name;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX context;

    if (!value) {
        return;
    }
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_unknown_critical(X509 *certificate, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2), 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static X509 *make_ca_certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                                 long serial)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = enroll_name(name);

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
    X509_time_adj_ex(X509_getm_notBefore(certificate), -3650, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(certificate), 3650, 0, NULL);
    X509_set_pubkey(certificate, key);
    add_extension(certificate, certificate, NID_basic_constraints,
                  issuer ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
    X509_NAME_free(subject);
    return certificate;
}

void enroll_ca_init(struct enroll_ca *ca)
{
    ca->root_key = enroll_rsa_key();
    ca->issuing_key = enroll_rsa_key();
    ca->root = make_ca_certificate("Root", ca->root_key, NULL, ca->root_key, 1);
    ca->issuing = make_ca_certificate("Issuing", ca->issuing_key, ca->root, ca->root_key, 2);
}

void enroll_ca_clear(struct enroll_ca *ca)
{
    EVP_PKEY_free(ca->root_key);
    EVP_PKEY_free(ca->issuing_key);
    X509_free(ca->root);
    X509_free(ca->issuing);
}

X509 *enroll_issue(const struct enroll_ca *ca, const struct enroll_leaf *leaf)
{
    X509 *issuer = leaf->by_root ? ca->root : ca->issuing;
    EVP_PKEY *issuer_key = leaf->by_root ? ca->root_key : ca->issuing_key;
    X509 *certificate = X509_new();

    X509_set_version(certificate, leaf->version);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), leaf->serial);
    X509_set_subject_name(certificate, leaf->subject);
    X509_set_issuer_name(certificate, leaf->self_signed ? leaf->subject : X509_get_subject_name(issuer));
    X509_time_adj_ex(X509_getm_notBefore(certificate), 0, leaf->not_before_s, NULL);
    X509_time_adj_ex(X509_getm_notAfter(certificate), leaf->days, leaf->not_before_s + leaf->extra_s, NULL);
    X509_set_pubkey(certificate, leaf->key);
    add_extension(certificate, issuer, NID_basic_constraints, leaf->constraints);
    add_extension(certificate, issuer, NID_key_usage, leaf->key_usage);
    add_extension(certificate, issuer, NID_ext_key_usage, leaf->extended);
    add_extension(certificate, issuer, NID_subject_alt_name, leaf->names);
    if (leaf->unknown_critical) {
        add_unknown_critical(certificate, leaf->unknown_critical);
    }
    assert_true(X509_sign(certificate, leaf->self_signed ? leaf->key : issuer_key, leaf->digest) > 0);
    return certificate;
}
