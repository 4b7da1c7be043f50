#include "bad_input_rows.h"

/* What is passed on is the backend's to judge: here it is seen only that it judges the session. */
#define N       P_NUMBER(0)
#define UNKNOWN CKR_KEY_HANDLE_INVALID
#define NO_MECHANISM_CANCELS                                                                                 \
    {                                                                                                        \
        .kind = BAD_MECHANISM, .which = MECHANISM_AES, .null = CKR_OK                                        \
    } /* 3.0, 5.9 */
#define TEXT P_DATA(DATA_TEXT, CKR_OK, CKR_HOST_MEMORY)
#define PART P_DATA(DATA_TEXT, CKR_OK, NOT_TRIED)

static const struct bad_row rows[] = {
    {CALL_C_SignRecoverInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_RSA), P_OBJECT(OBJECT_PRIVATE, UNKNOWN)}},
    {CALL_C_SignRecover, CKR_OK, DURING_RECOVERY, BAD_ENDS | BAD_USES_KEY,
     .parameters = {P_SESSION, TEXT, P_RESULT}},
    {CALL_C_VerifyRecoverInit, CKR_OK, .parameters = {P_SESSION, N, N}},
    {CALL_C_VerifyRecover, CKR_OK, .parameters = {P_SESSION, N, N, N, N}},
    {CALL_C_DigestEncryptUpdate, CKR_OK, .parameters = {P_SESSION, N, N, N, N}},
    {CALL_C_DecryptDigestUpdate, CKR_OK, DURING_DECRYPTION, BAD_USES_KEY,
     .parameters = {P_SESSION, PART, P_RESULT}},
    {CALL_C_SignEncryptUpdate, CKR_OK, DURING_SIGNATURE, BAD_USES_KEY,
     .parameters = {P_SESSION, PART, P_RESULT}},
    {CALL_C_DecryptVerifyUpdate, CKR_OK, DURING_DECRYPTION, BAD_USES_KEY,
     .parameters = {P_SESSION, PART, P_RESULT}},
    {CALL_C_GetInterfaceList, CKR_OK, .parameters = {N, P_POINTER}},
    {CALL_C_GetInterface, CKR_OK, .parameters = {N, N, P_POINTER, N}},
    {CALL_C_LoginUser, CKR_USER_TYPE_INVALID,
     .parameters = {P_SESSION, P_NUMBER(99),
                    P_PIN(CKR_USER_TYPE_INVALID, CKR_USER_TYPE_INVALID, CKR_USER_TYPE_INVALID, false), N, N}},
    {CALL_C_LoginUser, CKR_OPERATION_NOT_INITIALIZED,
     .parameters = {P_SESSION, P_NUMBER(CKU_CONTEXT_SPECIFIC),
                    P_PIN(CKR_OPERATION_NOT_INITIALIZED, CKR_OPERATION_NOT_INITIALIZED, CKR_PIN_LEN_RANGE,
                          false),
                    N, N}},
    {CALL_C_SessionCancel, CKR_OK, .parameters = {P_SESSION, P_NUMBER(CKF_SIGN | CKF_DECRYPT)}},
    {CALL_C_MessageEncryptInit, CKR_OK,
     .parameters = {P_SESSION, NO_MECHANISM_CANCELS, P_OBJECT(OBJECT_AES, UNKNOWN)}},
    {CALL_C_EncryptMessage, CKR_OK, .parameters = {P_SESSION, N, N, N, N, N, N, N, N}},
    {CALL_C_EncryptMessageBegin, CKR_OK, .parameters = {P_SESSION, N, N, N, N}},
    {CALL_C_EncryptMessageNext, CKR_OK, .parameters = {P_SESSION, N, N, N, N, N, N, N}},
    {CALL_C_MessageEncryptFinal, CKR_OK, .parameters = {P_SESSION}},
    {CALL_C_MessageDecryptInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_RSA), P_OBJECT(OBJECT_PRIVATE, UNKNOWN)}},
    {CALL_C_DecryptMessage, CKR_OK, DURING_MESSAGE_DECRYPTION, BAD_USES_KEY,
     .parameters = {P_SESSION, TEXT, TEXT, TEXT, P_RESULT}},
    {CALL_C_DecryptMessageBegin, CKR_OK, DURING_MESSAGE_DECRYPTION, BAD_USES_KEY,
     .parameters = {P_SESSION, TEXT, TEXT}},
    {CALL_C_DecryptMessageNext, CKR_OK, DURING_MESSAGE_DECRYPTION_PART,
     .parameters = {P_SESSION, PART, PART, P_RESULT, N}},
    {CALL_C_MessageDecryptFinal, CKR_OK, DURING_MESSAGE_DECRYPTION, BAD_ENDS, .parameters = {P_SESSION}},
    {CALL_C_MessageSignInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_RSA), P_OBJECT(OBJECT_PRIVATE, UNKNOWN)}},
    {CALL_C_SignMessage, CKR_OK, DURING_MESSAGE_SIGNATURE, BAD_USES_KEY,
     .parameters = {P_SESSION, TEXT, TEXT, P_RESULT}},
    {CALL_C_SignMessageBegin, CKR_OK, DURING_MESSAGE_SIGNATURE, BAD_USES_KEY,
     .parameters = {P_SESSION, TEXT}},
    {CALL_C_SignMessageNext, CKR_OK, DURING_MESSAGE_SIGNATURE_PART,
     .parameters = {P_SESSION, PART, PART, N, N}},
    {CALL_C_MessageSignFinal, CKR_OK, DURING_MESSAGE_SIGNATURE, BAD_ENDS, .parameters = {P_SESSION}},
    {CALL_C_MessageVerifyInit, CKR_OK, .parameters = {P_SESSION, N, N}},
    {CALL_C_VerifyMessage, CKR_OK, .parameters = {P_SESSION, N, N, N, N, N, N}},
    {CALL_C_VerifyMessageBegin, CKR_OK, .parameters = {P_SESSION, N, N}},
    {CALL_C_VerifyMessageNext, CKR_OK, .parameters = {P_SESSION, N, N, N, N, N, N}},
    {CALL_C_MessageVerifyFinal, CKR_OK, .parameters = {P_SESSION}},
};

const struct bad_rows bad_rows_lacked = BAD_ROWS(rows);
