#include "pkcs11-module/mechanism.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What PKCS#11 has (2.40 mechanisms, 2.1, 2.3 and 2.4; EdDSA: 3.0) and p11-kit's header leaves out. */
#define MECHANISM_RSA_AES_KEY_WRAP  0x1054UL
#define MECHANISM_ECDH_AES_KEY_WRAP 0x1053UL
#define MECHANISM_X9_42_DH_DERIVE   0x31UL

struct eddsa_params {
    CK_BBOOL prehash;
    CK_ULONG context_len;
    CK_BYTE_PTR context;
};

struct x9_42_dh1_derive_params {
    CK_ULONG kdf;
    CK_ULONG other_len;
    CK_BYTE_PTR other;
    CK_ULONG public_len;
    CK_BYTE_PTR public_data;
};

struct ecdh_aes_key_wrap_params {
    CK_ULONG key_bits;
    CK_ULONG kdf;
    CK_ULONG shared_len;
    CK_BYTE_PTR shared;
};

struct rsa_aes_key_wrap_params {
    CK_ULONG key_bits;
    CK_RSA_PKCS_OAEP_PARAMS *oaep;
};

/* Where parameters point to more: a pointer, and the length of what is there. */
struct part {
    size_t pointer, len;
};

static const struct shape {
    CK_MECHANISM_TYPE type;
    size_t size;
    bool optional; /* the mechanism may come without parameters */
    unsigned parts_count;
    struct part parts[2];
} shapes[] = {
    {CKM_ECDH1_DERIVE,
     sizeof(CK_ECDH1_DERIVE_PARAMS),
     false,
     2,
     {{offsetof(CK_ECDH1_DERIVE_PARAMS, shared_data), offsetof(CK_ECDH1_DERIVE_PARAMS, shared_data_len)},
      {offsetof(CK_ECDH1_DERIVE_PARAMS, public_data), offsetof(CK_ECDH1_DERIVE_PARAMS, public_data_len)}}},
    {CKM_ECDH1_COFACTOR_DERIVE,
     sizeof(CK_ECDH1_DERIVE_PARAMS),
     false,
     2,
     {{offsetof(CK_ECDH1_DERIVE_PARAMS, shared_data), offsetof(CK_ECDH1_DERIVE_PARAMS, shared_data_len)},
      {offsetof(CK_ECDH1_DERIVE_PARAMS, public_data), offsetof(CK_ECDH1_DERIVE_PARAMS, public_data_len)}}},
    {MECHANISM_X9_42_DH_DERIVE,
     sizeof(struct x9_42_dh1_derive_params),
     false,
     2,
     {{offsetof(struct x9_42_dh1_derive_params, other), offsetof(struct x9_42_dh1_derive_params, other_len)},
      {offsetof(struct x9_42_dh1_derive_params, public_data), offsetof(struct x9_42_dh1_derive_params, public_len)}}},
    {MECHANISM_ECDH_AES_KEY_WRAP,
     sizeof(struct ecdh_aes_key_wrap_params),
     false,
     1,
     {{offsetof(struct ecdh_aes_key_wrap_params, shared), offsetof(struct ecdh_aes_key_wrap_params, shared_len)}}},
    {CKM_RSA_PKCS_OAEP,
     sizeof(CK_RSA_PKCS_OAEP_PARAMS),
     false,
     1,
     {{offsetof(CK_RSA_PKCS_OAEP_PARAMS, source_data), offsetof(CK_RSA_PKCS_OAEP_PARAMS, source_data_len)}}},
    {CKM_EDDSA,
     sizeof(struct eddsa_params),
     true,
     1,
     {{offsetof(struct eddsa_params, context), offsetof(struct eddsa_params, context_len)}}},
};

static const struct shape *shape_of(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].type == type)
            return &shapes[i];
    return NULL;
}

/* A copy of len bytes, or NULL where there is nothing. false: no memory. */
static bool copy_bytes(const void *from, CK_ULONG len, void **copy)
{
    *copy = from && len > 0 ? malloc(len) : NULL;
    if (*copy)
        memcpy(*copy, from, len);
    return *copy || !from || len == 0;
}

/* Replaces what these parameters, themselves a copy, point to by copies, which go to parts[]. A pointer to no bytes is
 * left as it is. */
static CK_RV copy_parts(const struct shape *shape, unsigned char *params, void **parts)
{
    for (unsigned i = 0; i < shape->parts_count; i++) {
        void *pointer;
        CK_ULONG len;

        memcpy(&pointer, params + shape->parts[i].pointer, sizeof pointer);
        memcpy(&len, params + shape->parts[i].len, sizeof len);
        if (!copy_bytes(pointer, len, &parts[i]))
            return CKR_HOST_MEMORY;
        if (parts[i])
            memcpy(params + shape->parts[i].pointer, &parts[i], sizeof parts[i]);
    }
    return CKR_OK;
}

/* CKM_RSA_AES_KEY_WRAP: the parameters point to those of OAEP, which point to a label. */
static CK_RV copy_rsa_aes(struct mechanism *m)
{
    struct rsa_aes_key_wrap_params *params = m->copy.pParameter;

    if (m->copy.ulParameterLen != sizeof *params || !params->oaep)
        return CKR_MECHANISM_PARAM_INVALID;
    if (!copy_bytes(params->oaep, sizeof *params->oaep, &m->parts[0]))
        return CKR_HOST_MEMORY;
    params->oaep = m->parts[0];
    return copy_parts(shape_of(CKM_RSA_PKCS_OAEP), m->parts[0], &m->parts[1]);
}

static CK_RV copy_inner(struct mechanism *m)
{
    const struct shape *shape = shape_of(m->copy.mechanism);

    if (m->copy.mechanism == MECHANISM_RSA_AES_KEY_WRAP)
        return copy_rsa_aes(m);
    if (!shape || (shape->optional && m->copy.ulParameterLen == 0))
        return CKR_OK;
    if (!m->copy.pParameter || m->copy.ulParameterLen != shape->size)
        return CKR_MECHANISM_PARAM_INVALID;
    return copy_parts(shape, m->copy.pParameter, m->parts);
}

CK_RV mechanism_copy(const CK_MECHANISM *from, struct mechanism *mechanism)
{
    struct mechanism m = {0};
    CK_MECHANISM given;
    void *copy;
    CK_RV rv;

    if (!from)
        return CKR_ARGUMENTS_BAD;
    given = *from;
    if (!given.pParameter && given.ulParameterLen > 0)
        return CKR_MECHANISM_PARAM_INVALID;
    if (!copy_bytes(given.pParameter, given.ulParameterLen, &copy))
        return CKR_HOST_MEMORY;
    m.copy = given;
    if (copy)
        m.copy.pParameter = copy;
    rv = copy_inner(&m);
    if (rv == CKR_OK)
        *mechanism = m;
    else
        mechanism_clear(&m);
    return rv;
}

void mechanism_clear(struct mechanism *mechanism)
{
    free(mechanism->parts[0]);
    free(mechanism->parts[1]);
    if (mechanism->copy.ulParameterLen > 0)
        free(mechanism->copy.pParameter);
    memset(mechanism, 0, sizeof *mechanism);
}

CK_RV mechanism_new(const CK_MECHANISM *from, struct mechanism **mechanism)
{
    struct mechanism *made = malloc(sizeof *made);
    CK_RV rv = made ? mechanism_copy(from, made) : CKR_HOST_MEMORY;

    if (rv == CKR_OK)
        *mechanism = made;
    else
        free(made);
    return rv;
}

void mechanism_free(struct mechanism *mechanism)
{
    if (!mechanism)
        return;
    mechanism_clear(mechanism);
    free(mechanism);
}
