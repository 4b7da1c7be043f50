#include "key_profile.h"

#include <openssl/core_names.h>
#include <string.h>

#define SETTING "key-profile"

static const struct key_profile profiles[] = {
    {"rsa-2048", "RSA", 2048, NULL, NULL},        {"rsa-3072", "RSA", 3072, NULL, NULL},
    {"rsa-4096", "RSA", 4096, NULL, NULL},        {"ec-p256", "EC", 256, "P-256", "prime256v1"},
    {"ec-p384", "EC", 384, "P-384", "secp384r1"},
};

const char key_profile_names[] = "rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384";

const struct key_profile *key_profile_named(const char *name)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    return NULL;
}

const struct key_profile *key_profile_current(struct store *store)
{
    char name[32];

    switch (store_setting_get(store, SETTING, name, sizeof(name))) {
    case STORE_ROW:
        return key_profile_named(name);
    case STORE_DONE:
        return &profiles[0];
    case STORE_FAILED:
        break;
    }
    return NULL;
}

bool key_profile_choose(struct store *store, const struct key_profile *profile)
{
    return store_setting_set(store, SETTING, profile->name);
}

/* A public exponent of 65537 or more, as SP 800-56B asks and as tokens make. */
static bool exponent_is_sound(EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
              BN_num_bits(exponent) >= 17;

    BN_free(exponent);
    return ok;
}

static bool parameter_is(EVP_PKEY *key, const char *name, const char *wanted)
{
    char value[64];

    return EVP_PKEY_get_utf8_string_param(key, name, value, sizeof(value), NULL) == 1 &&
           strcmp(value, wanted) == 0;
}

/* A named curve (RFC 5480 section 2.1.1: explicit parameters are not used), and a point in the one form that
 * has no second encoding: a key is known again by the hash of its encoding. */
static bool curve_is(EVP_PKEY *key, const char *group)
{
    return parameter_is(key, OSSL_PKEY_PARAM_GROUP_NAME, group) &&
           parameter_is(key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP) &&
           parameter_is(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
}

bool key_profile_fits(const struct key_profile *profile, EVP_PKEY *key)
{
    if (key == NULL || EVP_PKEY_is_a(key, profile->type) != 1 || EVP_PKEY_get_bits(key) != profile->bits)
        return false;
    return profile->group == NULL ? exponent_is_sound(key) : curve_is(key, profile->group);
}

const EVP_MD *key_profile_digest(EVP_PKEY *key)
{
    return key_profile_agrees(key) && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

bool key_profile_agrees(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "EC") == 1;
}
