/* pfx: what is made reads back; of files that are wrong each is told apart, wherever they are cut or changed. */
#include "enroll/pfx.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "support/test.h"

#define PASSWORD "Sunny-Tuesday-42"

static EVP_PKEY *keys[2];
static X509 *certificates[2]; /* each of the key of the same number */
static struct secret *password;

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    assert_true(X509_set_version(certificate, X509_VERSION_3) && X509_set_pubkey(certificate, key));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
    assert_true(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                           (const unsigned char *)"me", -1, -1, 0));
    assert_true(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

/* What a file is made of: numbers of keys and certificates, -1: none more; how it is protected. */
struct recipe {
    int keys[3];
    int certificates[3];
    bool mac;
    int mac_iterations;
    enum error_code expected;
    const char *says;
};

static void make(const struct recipe *recipe, struct bytes *file)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    STACK_OF(PKCS7) *safes = NULL;
    unsigned char *der = NULL;
    PKCS12 *p12;
    int len;

    for (int i = 0; recipe->keys[i] >= 0; i++) {
        assert_non_null(PKCS12_add_key(&bags, keys[recipe->keys[i]], 0, 1, NID_aes_256_cbc, PASSWORD));
    }
    for (int i = 0; recipe->certificates[i] >= 0; i++) {
        assert_non_null(PKCS12_add_cert(&bags, certificates[recipe->certificates[i]]));
    }
    assert_int_equal(PKCS12_add_safe(&safes, bags, -1, 0, NULL), 1);
    p12 = PKCS12_add_safes(safes, 0);
    assert_non_null(p12);
    if (recipe->mac) {
        assert_int_equal(PKCS12_set_mac(p12, PASSWORD, -1, NULL, 0, 1, EVP_sha256()), 1);
    }
    if (recipe->mac_iterations) {
        const ASN1_INTEGER *iterations = NULL;

        assert_int_equal(PKCS12_set_mac(p12, PASSWORD, -1, NULL, 0, 2, EVP_sha256()), 1); /* 1 is left out in DER */
        PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
        assert_int_equal(ASN1_INTEGER_set((ASN1_INTEGER *)(uintptr_t)iterations, recipe->mac_iterations), 1);
    }
    len = i2d_PKCS12(p12, &der);
    assert_true(len > 0 && bytes_set(file, der, (size_t)len));
    OPENSSL_free(der);
    PKCS12_free(p12);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static void each_fault_has_its_sentence(void **state)
{
    static const struct recipe recipes[] = {
        {{0, -1}, {0, -1}, true, 0, ERROR_NONE, NULL},
        {{0, -1}, {1, 0, -1}, true, 0, ERROR_NONE, NULL},
        {{0, 1, -1}, {0, 1, -1}, true, 0, ERROR_PFX, "more than one private key"},
        {{0, 0, -1}, {0, -1}, true, 0, ERROR_PFX, "more than one private key"},
        {{-1}, {0, -1}, true, 0, ERROR_PFX, "no private key"},
        {{0, -1}, {-1}, true, 0, ERROR_PFX, "no certificate"},
        {{0, -1}, {1, -1}, true, 0, ERROR_PFX, "No certificate in FILE belongs"},
        {{0, -1}, {0, -1}, false, 0, ERROR_PFX, "not protected by a password"},
        {{0, -1}, {0, -1}, false, 2147483647, ERROR_PFX, "is not a PFX file"}, /* it would take hours */
        {{0, -1}, {0, -1}, false, -1, ERROR_PFX, "is not a PFX file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        struct bytes file = {0};
        struct error err = {0};
        struct pfx pfx = {0};

        make(&recipes[i], &file);
        assert_int_equal(pfx_read(&file, "FILE", password, &pfx, &err), recipes[i].expected);
        if (recipes[i].says) {
            assert_contains(err.text, recipes[i].says);
            assert_null(pfx.key);
        } else {
            assert_int_equal(EVP_PKEY_eq(pfx.key, keys[0]), 1);
            assert_int_equal(X509_cmp(pfx.certificate, certificates[0]), 0);
        }
        pfx_clear(&pfx);
        bytes_clear(&file);
    }
}

static void a_wrong_password_is_told_from_a_damaged_file(void **state)
{
    static const struct recipe good = {{0, -1}, {0, -1}, true, 0, ERROR_NONE, NULL};
    struct secret *wrong = secret_from("not it", 6);
    struct bytes file = {0};
    struct error err = {0};
    struct pfx pfx = {0};

    (void)state;
    make(&good, &file);
    assert_int_equal(pfx_read(&file, "FILE", wrong, &pfx, &err), ERROR_LOGIN);
    secret_free(&wrong);
    for (size_t len = 0; len < file.len; len++) {
        const struct bytes cut = {file.data, len};

        assert_int_equal(pfx_look(&cut, "FILE", &err), ERROR_PFX);
        assert_int_equal(pfx_read(&cut, "FILE", password, &pfx, &err), ERROR_PFX);
        if (len > 3) {
            assert_contains(err.text, "is cut off");
        }
    }
    bytes_clear(&file);
}

/* One byte changed anywhere: refused, or it was in a place that says nothing of the key; never another key. */
static void no_changed_byte_gives_another_key(void **state)
{
    static const struct recipe good = {{0, -1}, {0, -1}, true, 0, ERROR_NONE, NULL};
    struct bytes file = {0};

    (void)state;
    make(&good, &file);
    for (size_t at = 0; at < file.len; at += 3) {
        struct error err = {0};
        struct pfx pfx = {0};

        file.data[at] ^= 0x10;
        if (pfx_read(&file, "FILE", password, &pfx, &err) == ERROR_NONE) {
            assert_int_equal(EVP_PKEY_eq(pfx.key, keys[0]), 1);
        } else {
            assert_true(err.code == ERROR_PFX || err.code == ERROR_LOGIN);
            assert_null(pfx.key);
        }
        file.data[at] ^= 0x10;
        pfx_clear(&pfx);
    }
    bytes_clear(&file);
}

static void what_is_made_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pfx pfx = {.name = (char *)(uintptr_t)"me (signing)", .key = keys[0], .certificate = certificates[0]};
        struct bytes file = {0};
        struct error err = {0};
        struct pfx back = {0};

        assert_int_equal(pfx_make(&pfx, password, i == 0 ? PFX_MODERN : PFX_LEGACY, &file, &err), ERROR_NONE);
        assert_int_equal(pfx_read(&file, "FILE", password, &back, &err), ERROR_NONE);
        assert_string_equal(back.name, "me (signing)");
        assert_int_equal(EVP_PKEY_eq(back.key, keys[0]), 1);
        assert_int_equal(sk_X509_num(back.others), 0);
        pfx_clear(&back);
        bytes_clear(&file);
    }
}

static int begin(void **state)
{
    struct error err = {0};

    (void)state;
    assert_true(sodium_init() >= 0);
    assert_int_equal(pfx_protect(&err), ERROR_NONE);
    password = secret_from(PASSWORD, strlen(PASSWORD));
    for (int i = 0; i < 2; i++) {
        keys[i] = EVP_RSA_gen(2048);
        assert_non_null(keys[i]);
        certificates[i] = self_signed(keys[i]);
    }
    return password ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        EVP_PKEY_free(keys[i]);
        X509_free(certificates[i]);
    }
    secret_free(&password);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(a_wrong_password_is_told_from_a_damaged_file),
        cmocka_unit_test(no_changed_byte_gives_another_key),
        cmocka_unit_test(what_is_made_reads_back),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
