#include "bad_input_rows.h"

#define UNKNOWN CKR_OBJECT_HANDLE_INVALID

static const struct bad_row rows[] = {
    {CALL_C_CreateObject, CKR_OK,
     .parameters = {P_SESSION, P_TEMPLATE(TEMPLATE_OBJECT, AS_BACKEND, CKR_ARGUMENTS_BAD), P_POINTER}},
    {CALL_C_CreateObject, CKR_OK, .flags = BAD_NEEDS_LOGIN, .out = CKR_USER_NOT_LOGGED_IN,
     .parameters = {P_SESSION, P_TEMPLATE(TEMPLATE_PRIVATE, AS_BACKEND, CKR_ARGUMENTS_BAD), P_POINTER}},
    {CALL_C_CopyObject, CKR_OK,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_DATA, UNKNOWN),
                    P_TEMPLATE(TEMPLATE_NAME, AS_BACKEND, CKR_ARGUMENTS_BAD), P_POINTER}},
    {CALL_C_DestroyObject, CKR_OK, .parameters = {P_SESSION, P_OBJECT(OBJECT_DATA, UNKNOWN)}},
    {CALL_C_GetObjectSize, CKR_OK, .parameters = {P_SESSION, P_OBJECT(OBJECT_DATA, UNKNOWN), P_POINTER}},
    {CALL_C_GetAttributeValue, CKR_OK,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_DATA, UNKNOWN),
                    P_TEMPLATE(TEMPLATE_READ, AS_BACKEND, CKR_ARGUMENTS_BAD)}},
    {CALL_C_SetAttributeValue, CKR_OK,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_DATA, UNKNOWN),
                    P_TEMPLATE(TEMPLATE_NAME, AS_BACKEND, CKR_ARGUMENTS_BAD)}},
    {CALL_C_FindObjectsInit, CKR_OK, .flags = BAD_BEGINS,
     .parameters = {P_SESSION, P_TEMPLATE(TEMPLATE_NAME, CKR_OK, CKR_ARGUMENTS_BAD)}},
    {CALL_C_FindObjects, CKR_OK, DURING_SEARCH, .parameters = {P_SESSION, P_POINTER, P_NUMBER(8), P_POINTER}},
    {CALL_C_FindObjectsFinal, CKR_OK, DURING_SEARCH, BAD_ENDS, .parameters = {P_SESSION}},
    {CALL_C_CopyObject, CKR_OK, .flags = BAD_USES_KEY | BAD_NEEDS_LOGIN, .out = UNKNOWN,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_PRIVATE, UNKNOWN),
                    P_TEMPLATE(TEMPLATE_COPY, NOT_TRIED, CKR_ARGUMENTS_BAD), P_POINTER}},
    {CALL_C_GetAttributeValue, CKR_OK, .flags = BAD_NEEDS_LOGIN, .out = UNKNOWN,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_PRIVATE, UNKNOWN),
                    P_TEMPLATE(TEMPLATE_READ, AS_BACKEND, CKR_ARGUMENTS_BAD)}},
    {CALL_C_CreateObject, CKR_SESSION_READ_ONLY, .flags = BAD_ONLY_READING,
     .parameters = {P_SESSION, P_TEMPLATE(TEMPLATE_ON_TOKEN, 0, 0), P_POINTER}},
    {CALL_C_CopyObject, CKR_SESSION_READ_ONLY, .flags = BAD_ONLY_READING,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_AES, 0), P_TEMPLATE(TEMPLATE_NAME, 0, 0), P_POINTER}},
    {CALL_C_SetAttributeValue, CKR_SESSION_READ_ONLY, .flags = BAD_ONLY_READING,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_AES, 0), P_TEMPLATE(TEMPLATE_NAME, 0, 0)}},
    {CALL_C_DestroyObject, CKR_SESSION_READ_ONLY, .flags = BAD_ONLY_READING,
     .parameters = {P_SESSION, P_OBJECT(OBJECT_AES, 0)}},
};

const struct bad_rows bad_rows_object = BAD_ROWS(rows);
