#include "bad_input_rows.h"

#define UNKNOWN CKR_KEY_HANDLE_INVALID

static const struct bad_row rows[] = {
    {CALL_C_EncryptInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_AES), P_OBJECT(OBJECT_AES, UNKNOWN)}},
    {CALL_C_Encrypt, CKR_OK, DURING_ENCRYPTION, BAD_ENDS,
     .parameters = {P_SESSION, P_DATA(DATA_TEXT, AS_BACKEND, NOT_TRIED), P_RESULT}},
    {CALL_C_EncryptUpdate, CKR_OK, DURING_ENCRYPTION,
     .parameters = {P_SESSION, P_DATA(DATA_TEXT, AS_BACKEND, NOT_TRIED), P_RESULT}},
    {CALL_C_EncryptFinal, CKR_OK, DURING_ENCRYPTION_PART, BAD_ENDS, .parameters = {P_SESSION, P_RESULT}},
    {CALL_C_DecryptInit, CKR_OK, .flags = BAD_BEGINS | BAD_NEEDS_LOGIN, .out = UNKNOWN,
     .parameters = {P_SESSION, P_MECHANISM_COPIED(MECHANISM_RSA, false), P_OBJECT(OBJECT_PRIVATE, UNKNOWN)}},
    {CALL_C_DecryptInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_AES), P_OBJECT(OBJECT_AES, UNKNOWN)}},
    {CALL_C_Decrypt, CKR_OK, DURING_DECRYPTION, BAD_ENDS | BAD_USES_KEY | BAD_ASKS_FOR_ROOM,
     .parameters = {P_SESSION, P_DATA(DATA_RSA_CIPHERTEXT, AS_BACKEND, CKR_HOST_MEMORY), P_RESULT}},
    {CALL_C_Decrypt, CKR_OK, DURING_AES_DECRYPTION, BAD_ENDS,
     .parameters = {P_SESSION, P_DATA(DATA_AES_CIPHERTEXT, AS_BACKEND, NOT_TRIED), P_RESULT}},
    {CALL_C_DecryptUpdate, CKR_OK, DURING_AES_DECRYPTION,
     .parameters = {P_SESSION, P_DATA(DATA_AES_CIPHERTEXT, AS_BACKEND, NOT_TRIED), P_RESULT}},
    {CALL_C_DecryptFinal, CKR_OK, DURING_AES_DECRYPTION_PART, BAD_ENDS, .parameters = {P_SESSION, P_RESULT}},
    {CALL_C_DigestInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_MECHANISM(MECHANISM_DIGEST)}},
    {CALL_C_Digest, CKR_OK, DURING_DIGEST, BAD_ENDS,
     .parameters = {P_SESSION, P_DATA(DATA_TEXT, AS_BACKEND, NOT_TRIED), P_RESULT}},
    {CALL_C_DigestUpdate, CKR_OK, DURING_DIGEST,
     .parameters = {P_SESSION, P_DATA(DATA_TEXT, AS_BACKEND, NOT_TRIED)}},
    {CALL_C_DigestKey, CKR_OK, DURING_DIGEST, .parameters = {P_SESSION, P_OBJECT(OBJECT_HMAC, UNKNOWN)}},
    {CALL_C_DigestFinal, CKR_OK, DURING_DIGEST, BAD_ENDS, .parameters = {P_SESSION, P_RESULT}},
    /* One-part calls in the middle of a multi-part operation (5.2): what they are answered is open. */
    {CALL_C_Encrypt, AS_BACKEND, DURING_ENCRYPTION_PART,
     .parameters = {P_SESSION, P_DATA_AS_BACKEND(DATA_TEXT), P_RESULT}},
    {CALL_C_Decrypt, AS_BACKEND, DURING_AES_DECRYPTION_PART,
     .parameters = {P_SESSION, P_DATA_AS_BACKEND(DATA_AES_CIPHERTEXT), P_RESULT}},
    {CALL_C_Digest, AS_BACKEND, DURING_DIGEST_PART,
     .parameters = {P_SESSION, P_DATA_AS_BACKEND(DATA_TEXT), P_RESULT}},
};

const struct bad_rows bad_rows_crypt = BAD_ROWS(rows);
