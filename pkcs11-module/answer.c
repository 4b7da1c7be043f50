#include "pkcs11-module/answer.h"

CK_RV answer_inner(CK_RV rv)
{
    switch (rv) {
    case CKR_OK:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_MEMORY:
    case CKR_DEVICE_REMOVED:
    case CKR_FUNCTION_FAILED:
    case CKR_GENERAL_ERROR:
    case CKR_HOST_MEMORY:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
        return rv;
    default:
        return CKR_FUNCTION_FAILED;
    }
}

CK_RV answer_consent(CK_RV rv)
{
    switch (rv) {
    case CKR_FUNCTION_CANCELED:
    case CKR_FUNCTION_REJECTED:
    case CKR_PIN_LOCKED:
    case CKR_USER_NOT_LOGGED_IN:
        return rv;
    default:
        return answer_inner(rv);
    }
}
