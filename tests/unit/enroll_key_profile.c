/* key_profile: what a portal may want, what it may not, and what goes with each. */
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "enroll/key_profile.h"
#include "tests/support/test.h"

static void knows_what_is_strong_enough(void **state)
{
    static const struct {
        const char *type;
        int bits;
        const char *curve;
        const char *name;
    } rows[] = {
        {"RSA", 2048, NULL, "RSA-2048"},  {"RSA", 3072, NULL, "RSA-3072"},  {"RSA", 4096, NULL, "RSA-4096"},
        {"EC", 256, "P-256", "EC P-256"}, {"EC", 384, "P-384", "EC P-384"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct key_profile *profile = NULL;

        assert_int_equal(key_profile_find(rows[i].type, rows[i].bits, rows[i].curve, &profile, NULL),
                         ERROR_NONE);
        assert_string_equal(profile->name, rows[i].name);
    }
}

static void refuses_what_is_weak_or_unknown(void **state)
{
    static const struct {
        const char *type;
        int bits;
        const char *curve;
    } rows[] = {
        {"RSA", 1024, NULL},  {"RSA", 2047, NULL},  {"RSA", 0, NULL},      {"RSA", -2048, NULL},
        {"RSA", 8192, NULL},  {"RSA", 2048, ""},    {"RSA", 256, "P-256"}, {"EC", 256, NULL},
        {"EC", 256, "P-384"}, {"EC", 384, "P-256"}, {"EC", 192, "P-192"},  {"EC", 256, "secp256k1"},
        {"EC", 2048, NULL},   {"rsa", 2048, NULL},  {"DSA", 2048, NULL},   {"", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct key_profile *profile = NULL;
        struct error err = {0};

        if (key_profile_find(rows[i].type, rows[i].bits, rows[i].curve, &profile, &err) != ERROR_PROTOCOL) {
            fail_msg("%s %d %s was accepted", rows[i].type, rows[i].bits,
                     rows[i].curve ? rows[i].curve : "-");
        }
        assert_null(profile);
        assert_non_null(strstr(err.text, "too weak or of a kind that is not made here"));
    }
}

/* CKA_EC_PARAMS is what OpenSSL writes for the curve. */
static void names_the_curve_in_der(void **state)
{
    static const int bits[] = {256, 384};

    (void)state;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        const struct key_profile *profile = NULL;
        unsigned char *der = NULL;
        EC_GROUP *group;
        int len;

        assert_int_equal(key_profile_find("EC", bits[i], bits[i] == 256 ? "P-256" : "P-384", &profile, NULL),
                         ERROR_NONE);
        group = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(profile->curve));
        len = i2d_ECPKParameters(group, &der);
        assert_int_equal(profile->ec_params_len, len);
        assert_memory_equal(profile->ec_params, der, profile->ec_params_len);
        OPENSSL_free(der);
        EC_GROUP_free(group);
    }
}

static void knows_keys_again(void **state)
{
    static const struct {
        const char *curve;
        const char *name; /* NULL: of no profile */
    } rows[] = {{"P-256", "EC P-256"}, {"P-384", "EC P-384"}, {"secp256k1", NULL}, {"brainpoolP384r1", NULL}, {"P-521", NULL}};
    EVP_PKEY *rsa = EVP_RSA_gen(2048);

    (void)state;
    assert_string_equal(key_profile_of(rsa)->name, "RSA-2048");
    EVP_PKEY_free(rsa);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EVP_PKEY *key = EVP_EC_gen(rows[i].curve);
        const struct key_profile *profile = key_profile_of(key);

        assert_int_equal(profile != NULL, rows[i].name != NULL);
        assert_string_equal(profile ? profile->name : "", rows[i].name ? rows[i].name : "");
        EVP_PKEY_free(key);
    }
}

static void keeps_the_two_uses_apart(void **state)
{
    const struct key_profile *rsa = NULL;
    const struct key_profile *ec = NULL;

    (void)state;
    assert_int_equal(key_profile_find("RSA", 2048, NULL, &rsa, NULL), ERROR_NONE);
    assert_int_equal(key_profile_find("EC", 256, "P-256", &ec, NULL), ERROR_NONE);
    assert_true(key_profile_allows_signing(rsa, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION));
    assert_true(key_profile_allows_signing(ec, KU_DIGITAL_SIGNATURE));
    assert_false(key_profile_allows_signing(ec, KU_NON_REPUDIATION));
    assert_false(key_profile_allows_signing(rsa, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT));
    assert_false(key_profile_allows_signing(ec, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT));
    assert_true(key_profile_allows_encryption(rsa, KU_KEY_ENCIPHERMENT));
    assert_true(key_profile_allows_encryption(rsa, KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT));
    assert_true(key_profile_allows_encryption(ec, KU_KEY_AGREEMENT));
    assert_false(key_profile_allows_encryption(rsa, KU_KEY_AGREEMENT));
    assert_false(key_profile_allows_encryption(ec, KU_KEY_ENCIPHERMENT));
    assert_false(key_profile_allows_encryption(rsa, KU_KEY_ENCIPHERMENT | KU_DIGITAL_SIGNATURE));
    assert_false(key_profile_allows_encryption(ec, KU_KEY_AGREEMENT | KU_DIGITAL_SIGNATURE));
    assert_false(key_profile_allows_encryption(rsa, KU_DATA_ENCIPHERMENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_is_strong_enough),
        cmocka_unit_test(refuses_what_is_weak_or_unknown),
        cmocka_unit_test(names_the_curve_in_der),
        cmocka_unit_test(knows_keys_again),
        cmocka_unit_test(keeps_the_two_uses_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
