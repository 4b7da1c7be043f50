#include "pkcs11-module/mechanism_keys.h"

#include <string.h>

#include "pkcs11-module/gate_once.h"

/* Numbers of PKCS#11 2.40 that p11-kit's header leaves out. */
#define MECHANISM_CONCATENATE_BASE_AND_KEY 0x360UL
#define MECHANISM_ECMQV_DERIVE             0x1052UL
#define MECHANISM_X9_42_DH_HYBRID_DERIVE   0x32UL
#define MECHANISM_X9_42_MQV_DERIVE         0x33UL
#define MECHANISM_KIP_DERIVE               0x510UL
#define MECHANISM_KIP_WRAP                 0x511UL
#define MECHANISM_GOSTR3410_KEY_WRAP       0x1203UL
/* And of PKCS#11 3.0. */
#define MECHANISM_X3DH_INITIALIZE      0x4023UL
#define MECHANISM_X3DH_RESPOND         0x4024UL
#define MECHANISM_X2RATCHET_INITIALIZE 0x4025UL
#define MECHANISM_X2RATCHET_RESPOND    0x4026UL

CK_RV mechanism_names_private_key(struct runtime *rt, CK_SESSION_HANDLE session, const CK_MECHANISM *mechanism)
{
    CK_OBJECT_HANDLE second;

    switch (mechanism->mechanism) {
    case MECHANISM_CONCATENATE_BASE_AND_KEY:
        if (!mechanism->pParameter || mechanism->ulParameterLen != sizeof second)
            return CKR_MECHANISM_PARAM_INVALID;
        memcpy(&second, mechanism->pParameter, sizeof second);
        return gate_refuse_private_key(rt, session, second, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
    case MECHANISM_ECMQV_DERIVE:
    case MECHANISM_X9_42_DH_HYBRID_DERIVE:
    case MECHANISM_X9_42_MQV_DERIVE:
    case MECHANISM_KIP_DERIVE:
    case MECHANISM_KIP_WRAP:
    case MECHANISM_GOSTR3410_KEY_WRAP:
    case MECHANISM_X3DH_INITIALIZE:
    case MECHANISM_X3DH_RESPOND:
    case MECHANISM_X2RATCHET_INITIALIZE:
    case MECHANISM_X2RATCHET_RESPOND:
        return CKR_MECHANISM_INVALID;
    default:
        return CKR_OK;
    }
}
