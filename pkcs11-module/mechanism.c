#include "pkcs11-module/mechanism.h"

#include <stdlib.h>
#include <string.h>

/* *pointer becomes a copy of its len bytes. false: no memory. */
static bool copy_bytes(void **pointer, CK_ULONG len)
{
    void *copy;

    if (!*pointer || len == 0)
        return true;
    copy = malloc(len);
    if (copy)
        memcpy(copy, *pointer, len);
    *pointer = copy;
    return copy != NULL;
}

/* PKCS#11 2.40 mechanisms, 2.3.8: CK_ECDH1_DERIVE_PARAMS. */
static CK_RV copy_ecdh(struct mechanism *m)
{
    CK_ECDH1_DERIVE_PARAMS *params = m->copy.pParameter;
    void *shared, *public_data;
    bool copied;

    if (!params || m->copy.ulParameterLen != sizeof *params)
        return CKR_MECHANISM_PARAM_INVALID;
    shared = params->shared_data;
    public_data = params->public_data;
    copied = copy_bytes(&shared, params->shared_data_len);
    if (copied && params->shared_data_len && params->shared_data)
        m->parts[0] = shared;
    copied = copied && copy_bytes(&public_data, params->public_data_len);
    if (copied && params->public_data_len && params->public_data)
        m->parts[1] = public_data;
    if (!copied)
        return CKR_HOST_MEMORY;
    params->shared_data = shared;
    params->public_data = public_data;
    return CKR_OK;
}

/* 2.40 mechanisms, 2.1.7: CK_RSA_PKCS_OAEP_PARAMS. */
static CK_RV copy_oaep(struct mechanism *m)
{
    CK_RSA_PKCS_OAEP_PARAMS *params = m->copy.pParameter;
    void *source;

    if (!params || m->copy.ulParameterLen != sizeof *params)
        return CKR_MECHANISM_PARAM_INVALID;
    source = params->source_data;
    if (!copy_bytes(&source, params->source_data_len))
        return CKR_HOST_MEMORY;
    if (params->source_data && params->source_data_len)
        m->parts[0] = source;
    params->source_data = source;
    return CKR_OK;
}

CK_RV mechanism_copy(const CK_MECHANISM *from, struct mechanism *mechanism)
{
    struct mechanism m = {0};
    CK_RV rv = CKR_OK;

    if (!from)
        return CKR_ARGUMENTS_BAD;
    if (!from->pParameter && from->ulParameterLen > 0)
        return CKR_MECHANISM_PARAM_INVALID;
    m.copy = *from;
    if (!copy_bytes(&m.copy.pParameter, m.copy.ulParameterLen))
        return CKR_HOST_MEMORY;
    switch (m.copy.mechanism) {
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE:
        rv = copy_ecdh(&m);
        break;
    case CKM_RSA_PKCS_OAEP:
        rv = copy_oaep(&m);
        break;
    default:
        break;
    }
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
