#include "bad_input_rows.h"

static const struct bad_row rows[] = {
    {CALL_C_GenerateKey, CKR_OK,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_MAKE_AES),
                    P_TEMPLATE(TEMPLATE_AES, AS_BACKEND, NOT_TRIED), P_POINTER}},
    {CALL_C_GenerateKeyPair, CKR_OK, .flags = BAD_NEEDS_LOGIN, .out = CKR_USER_NOT_LOGGED_IN,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_MAKE_EC),
                    P_TEMPLATE(TEMPLATE_EC, AS_BACKEND, CKR_ARGUMENTS_BAD),
                    P_TEMPLATE(TEMPLATE_EMPTY, CKR_OK, CKR_ARGUMENTS_BAD), P_POINTER, P_POINTER}},
    {CALL_C_WrapKey, CKR_OK,
     .parameters = {P_SESSION, P_MECHANISM_COPIED(MECHANISM_WRAP, false),
                    P_OBJECT(OBJECT_AES, CKR_WRAPPING_KEY_HANDLE_INVALID),
                    P_OBJECT(OBJECT_HMAC, CKR_KEY_HANDLE_INVALID), P_RESULT}},
    {CALL_C_WrapKey, CKR_OK, .flags = BAD_USES_KEY,
     .parameters = {P_SESSION, P_MECHANISM_COPIED(MECHANISM_WRAP, false),
                    P_OBJECT(OBJECT_CARRIER, CKR_WRAPPING_KEY_HANDLE_INVALID),
                    P_OBJECT(OBJECT_EXPORTABLE, CKR_KEY_HANDLE_INVALID), P_RESULT}},
    {CALL_C_UnwrapKey, CKR_OK, .flags = BAD_USES_KEY,
     .parameters = {P_SESSION, P_MECHANISM_COPIED(MECHANISM_RSA, true),
                    P_OBJECT(OBJECT_PRIVATE, CKR_UNWRAPPING_KEY_HANDLE_INVALID),
                    P_DATA(DATA_WRAPPED, CKR_ARGUMENTS_BAD, CKR_HOST_MEMORY),
                    P_TEMPLATE(TEMPLATE_SECRET, AS_BACKEND, CKR_ARGUMENTS_BAD), P_POINTER}},
    {CALL_C_DeriveKey, CKR_OK, .flags = BAD_USES_KEY,
     .parameters = {P_SESSION, P_MECHANISM_COPIED(MECHANISM_ECDH, true),
                    P_OBJECT(OBJECT_PRIVATE_EC, CKR_KEY_HANDLE_INVALID),
                    P_TEMPLATE(TEMPLATE_SECRET, AS_BACKEND, CKR_ARGUMENTS_BAD), P_POINTER}},
};

const struct bad_rows bad_rows_key = BAD_ROWS(rows);
