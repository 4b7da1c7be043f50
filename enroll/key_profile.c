#include "enroll/key_profile.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "common/i18n.h"

/* RFC 5480 section 2.1.1.1. */
static const unsigned char key_profile_p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
static const unsigned char key_profile_p384[] = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};

#define KEY_PROFILE_SIGNS    (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)
#define KEY_PROFILE_DECRYPTS (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)

#define KEY_PROFILE_RSA(bits)                                                                                \
    {                                                                                                        \
        "RSA-" #bits, "RSA", bits, NULL, NULL, 0, KEY_PROFILE_SIGNS, KEY_PROFILE_DECRYPTS                    \
    }
#define KEY_PROFILE_EC(bits, params)                                                                         \
    {                                                                                                        \
        "EC P-" #bits, "EC", bits, "P-" #bits, (params), sizeof(params), KEY_PROFILE_SIGNS, KU_KEY_AGREEMENT    \
    }

static const struct key_profile key_profile_table[] = {
    KEY_PROFILE_RSA(2048),
    KEY_PROFILE_RSA(3072),
    KEY_PROFILE_RSA(4096),
    KEY_PROFILE_EC(256, key_profile_p256),
    KEY_PROFILE_EC(384, key_profile_p384),
};

static bool key_profile_is(const struct key_profile *profile, const char *type, int bits, const char *curve)
{
    return strcmp(profile->type, type) == 0 && bits > 0 && profile->bits == (unsigned)bits &&
           (profile->curve && curve ? strcmp(profile->curve, curve) == 0 : profile->curve == curve);
}

enum error_code key_profile_find(const char *type, int bits, const char *curve,
                                 const struct key_profile **profile, struct error *err)
{
    for (size_t i = 0; i < sizeof key_profile_table / sizeof key_profile_table[0]; i++) {
        if (key_profile_is(&key_profile_table[i], type, bits, curve)) {
            *profile = &key_profile_table[i];
            return ERROR_NONE;
        }
    }
    return error_set(
        err, ERROR_PROTOCOL,
        _("The portal wants keys that are too weak or of a kind that is not made here (key_type, key_bits "
          "and "
          "curve of its profile; made are RSA of 2048, 3072 and 4096 bits, EC on P-256 and P-384): tell the "
          "registration authority."));
}

static bool key_profile_is_on(const EVP_PKEY *key, const char *curve)
{
    char group[32];

    return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           OBJ_sn2nid(group) == EC_curve_nist2nid(curve);
}

const struct key_profile *key_profile_of(const EVP_PKEY *key)
{
    for (size_t i = 0; i < sizeof key_profile_table / sizeof key_profile_table[0]; i++) {
        const struct key_profile *row = &key_profile_table[i];

        if (EVP_PKEY_is_a(key, row->type) && EVP_PKEY_get_bits(key) == (int)row->bits &&
            (!row->curve || key_profile_is_on(key, row->curve))) {
            return row;
        }
    }
    return NULL;
}

bool key_profile_allows_signing(const struct key_profile *profile, unsigned usage)
{
    return (usage & KU_DIGITAL_SIGNATURE) && !(usage & ~profile->signing_usage);
}

bool key_profile_allows_encryption(const struct key_profile *profile, unsigned usage)
{
    return (usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) && !(usage & ~profile->encryption_usage);
}

unsigned key_profile_usual_encryption(const struct key_profile *profile)
{
    return profile->encryption_usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT);
}

const EVP_MD *key_profile_digest(const EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384()
                                                                                    : EVP_sha256();
}
