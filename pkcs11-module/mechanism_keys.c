#include "pkcs11-module/mechanism_keys.h"

#include <stddef.h>
#include <string.h>

#include "pkcs11-module/gate_once.h"

/* Numbers of PKCS#11 2.40 that p11-kit's header leaves out. */
#define MECHANISM_CONCATENATE_BASE_AND_KEY 0x360UL
#define MECHANISM_ECMQV_DERIVE             0x1052UL
#define MECHANISM_X9_42_DH_HYBRID_DERIVE   0x32UL
#define MECHANISM_X9_42_MQV_DERIVE         0x33UL
#define MECHANISM_KIP_DERIVE               0x510UL
#define MECHANISM_KIP_WRAP                 0x511UL
#define MECHANISM_KIP_MAC                  0x512UL
#define MECHANISM_GOSTR3410_KEY_WRAP       0x1203UL
/* And of PKCS#11 3.0. */
#define MECHANISM_X3DH_INITIALIZE      0x4023UL
#define MECHANISM_X3DH_RESPOND         0x4024UL
#define MECHANISM_X2RATCHET_INITIALIZE 0x4025UL
#define MECHANISM_X2RATCHET_RESPOND    0x4026UL
#define MECHANISM_HKDF_DERIVE          0x402aUL
#define MECHANISM_HKDF_DATA            0x402bUL
#define MECHANISM_IKE2_PRF_PLUS_DERIVE 0x402eUL
#define MECHANISM_IKE_PRF_DERIVE       0x402fUL
#define MECHANISM_IKE1_PRF_DERIVE      0x4030UL
#define MECHANISM_IKE1_EXTENDED_DERIVE 0x4031UL
/* NSS had the four of IKE, with the same parameters, before the standard had. */
#define MECHANISM_NSS_IKE2_PRF_PLUS_DERIVE (CKM_VENDOR_DEFINED + 0x4E534350UL + 34)

/* The salt of HKDF is none, or bytes; else a key (3.0, 2.62). */
#define HKDF_SALT_NULL 1UL
#define HKDF_SALT_DATA 2UL

/* Parameters of 3.0, 2.62 and 2.64. */
struct hkdf_params {
    CK_BBOOL extract, expand;
    CK_MECHANISM_TYPE prf;
    CK_ULONG salt_type;
    CK_BYTE_PTR salt;
    CK_ULONG salt_len;
    CK_OBJECT_HANDLE salt_key;
    CK_BYTE_PTR info;
    CK_ULONG info_len;
};

struct ike2_prf_plus_params {
    CK_MECHANISM_TYPE prf;
    CK_BBOOL has_seed_key;
    CK_OBJECT_HANDLE seed_key;
    CK_BYTE_PTR seed;
    CK_ULONG seed_len;
};

struct ike_prf_params {
    CK_MECHANISM_TYPE prf;
    CK_BBOOL data_as_key, rekey;
    CK_BYTE_PTR ni;
    CK_ULONG ni_len;
    CK_BYTE_PTR nr;
    CK_ULONG nr_len;
    CK_OBJECT_HANDLE new_key;
};

struct ike1_prf_params {
    CK_MECHANISM_TYPE prf;
    CK_BBOOL has_previous;
    CK_OBJECT_HANDLE gxy, previous;
    CK_BYTE_PTR cky_i;
    CK_ULONG cky_i_len;
    CK_BYTE_PTR cky_r;
    CK_ULONG cky_r_len;
    CK_BYTE number;
};

struct ike1_extended_params {
    CK_MECHANISM_TYPE prf;
    CK_BBOOL has_gxy;
    CK_OBJECT_HANDLE gxy;
    CK_BYTE_PTR extra;
    CK_ULONG extra_len;
};

/* When a handle in the parameters counts. */
enum naming { ALWAYS, WHEN_TRUE, UNLESS_BYTES };

/* Where the handle of a second key stands; a mechanism that takes two has two rows. */
static const struct named {
    CK_MECHANISM_TYPE type;
    size_t size;
    size_t handle;
    enum naming naming;
    size_t flag;
} named[] = {
    {MECHANISM_CONCATENATE_BASE_AND_KEY, sizeof(CK_OBJECT_HANDLE), 0, ALWAYS, 0},
    {MECHANISM_HKDF_DERIVE, sizeof(struct hkdf_params), offsetof(struct hkdf_params, salt_key), UNLESS_BYTES,
     offsetof(struct hkdf_params, salt_type)},
    {MECHANISM_HKDF_DATA, sizeof(struct hkdf_params), offsetof(struct hkdf_params, salt_key), UNLESS_BYTES,
     offsetof(struct hkdf_params, salt_type)},
    {MECHANISM_IKE2_PRF_PLUS_DERIVE, sizeof(struct ike2_prf_plus_params),
     offsetof(struct ike2_prf_plus_params, seed_key), WHEN_TRUE, offsetof(struct ike2_prf_plus_params, has_seed_key)},
    {MECHANISM_IKE_PRF_DERIVE, sizeof(struct ike_prf_params), offsetof(struct ike_prf_params, new_key), WHEN_TRUE,
     offsetof(struct ike_prf_params, rekey)},
    {MECHANISM_IKE1_PRF_DERIVE, sizeof(struct ike1_prf_params), offsetof(struct ike1_prf_params, gxy), ALWAYS, 0},
    {MECHANISM_IKE1_PRF_DERIVE, sizeof(struct ike1_prf_params), offsetof(struct ike1_prf_params, previous), WHEN_TRUE,
     offsetof(struct ike1_prf_params, has_previous)},
    {MECHANISM_IKE1_EXTENDED_DERIVE, sizeof(struct ike1_extended_params), offsetof(struct ike1_extended_params, gxy),
     WHEN_TRUE, offsetof(struct ike1_extended_params, has_gxy)},
};

static bool handle_counts(const struct named *row, const unsigned char *params)
{
    CK_ULONG salt_type;
    CK_BBOOL flag;

    switch (row->naming) {
    case ALWAYS:
        return true;
    case WHEN_TRUE:
        memcpy(&flag, params + row->flag, sizeof flag);
        return flag != CK_FALSE;
    case UNLESS_BYTES:
        memcpy(&salt_type, params + row->flag, sizeof salt_type);
        return salt_type != HKDF_SALT_NULL && salt_type != HKDF_SALT_DATA;
    }
    return true;
}

static CK_RV judge_handle(struct runtime *rt, CK_SESSION_HANDLE session, const struct named *row,
                          const CK_MECHANISM *mechanism)
{
    const unsigned char *params = mechanism->pParameter;
    CK_OBJECT_HANDLE second;

    if (!params || mechanism->ulParameterLen != row->size)
        return CKR_MECHANISM_PARAM_INVALID;
    if (!handle_counts(row, params))
        return CKR_OK;
    memcpy(&second, params + row->handle, sizeof second);
    return gate_refuse_private_key(rt, session, second, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
}

static CK_MECHANISM_TYPE standard_type(CK_MECHANISM_TYPE type)
{
    const CK_MECHANISM_TYPE nss = type - MECHANISM_NSS_IKE2_PRF_PLUS_DERIVE;

    return nss < 4 ? MECHANISM_IKE2_PRF_PLUS_DERIVE + nss : type;
}

/* IKE1's extension may come with nothing but the name of its PRF (3.0, 2.64): no key then. */
static bool names_prf_only(CK_MECHANISM_TYPE type, const CK_MECHANISM *mechanism)
{
    return type == MECHANISM_IKE1_EXTENDED_DERIVE && mechanism->ulParameterLen == sizeof(CK_MECHANISM_TYPE);
}

CK_RV mechanism_names_private_key(struct runtime *rt, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism)
{
    const CK_MECHANISM_TYPE type = standard_type(mechanism->mechanism);
    CK_RV rv = CKR_OK;

    switch (type) {
    case MECHANISM_ECMQV_DERIVE:
    case MECHANISM_X9_42_DH_HYBRID_DERIVE:
    case MECHANISM_X9_42_MQV_DERIVE:
    case MECHANISM_KIP_DERIVE:
    case MECHANISM_KIP_WRAP:
    case MECHANISM_KIP_MAC:
    case MECHANISM_GOSTR3410_KEY_WRAP:
    case MECHANISM_X3DH_INITIALIZE:
    case MECHANISM_X3DH_RESPOND:
    case MECHANISM_X2RATCHET_INITIALIZE:
    case MECHANISM_X2RATCHET_RESPOND:
        return CKR_MECHANISM_INVALID;
    default:
        break;
    }
    if (names_prf_only(type, mechanism))
        return CKR_OK;
    for (size_t i = 0; i < sizeof named / sizeof named[0] && rv == CKR_OK; i++)
        if (named[i].type == type)
            rv = judge_handle(rt, session, &named[i], mechanism);
    return rv;
}
