#include "fuzz/module_arguments.h"

#include <string.h>

struct application application;

CK_SESSION_HANDLE take_session(struct fuzz_input *input)
{
    const uint8_t byte = fuzz_byte(input);

    return byte < 0xC0 ? application.sessions[byte % APPLICATION_SESSIONS] : (CK_SESSION_HANDLE)(byte - 0xC0 + 1U);
}

CK_OBJECT_HANDLE take_object(struct fuzz_input *input)
{
    const uint8_t byte = fuzz_byte(input);

    return byte == 0xFF ? application.made : byte % 24;
}

void take_mechanism(struct arguments *a)
{
    static const CK_MECHANISM_TYPE types[] = {CKM_RSA_PKCS, CKM_RSA_X_509, CKM_ECDSA, CKM_SHA256_RSA_PKCS, CKM_AES_KEY_WRAP,
                                              CKM_AES_CBC_PAD, 0x360UL, CKM_ECDH1_DERIVE, 0x1087UL, 0x402aUL};
    const uint8_t byte = fuzz_byte(a->input);

    a->mechanism = (CK_MECHANISM){types[byte % (sizeof types / sizeof types[0])], NULL, 0};
    if (a->mechanism.mechanism == 0x360UL) {
        a->second = take_object(a->input);
        a->mechanism.pParameter = &a->second;
        a->mechanism.ulParameterLen = byte & 0x80 ? 1 : sizeof a->second;
    }
}

void take_data(struct arguments *a)
{
    const uint8_t byte = fuzz_byte(a->input);

    memset(a->data, 'a' + byte % 4, sizeof a->data);
    a->data_len = byte & 0x40 ? 0 : sizeof a->data;
}

void take_out(struct arguments *a)
{
    const uint8_t byte = fuzz_byte(a->input);

    memset(a->out, ARGUMENTS_FILLED, sizeof a->out);
    a->out_at = byte % 8 == 7 ? NULL : a->out;
    a->out_len = byte % 8 == 6 ? 4 : ARGUMENTS_ROOM;
}

/* The label, a class, or something that is true or false. */
static void take_attribute(struct arguments *a, CK_ATTRIBUTE *attribute, CK_BBOOL *value)
{
    static const char *const labels[] = {"alpha", "low", "medium", "other", ""};
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY, CKO_DATA, 0x77};
    static const CK_ATTRIBUTE_TYPE types[] = {
        CKA_LABEL, CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_AUTHENTICATE, CKA_SIGN,
        CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE, CKA_WRAP, CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE,
        CKA_WRAP_WITH_TRUSTED, CKA_TRUSTED, CKA_MODIFIABLE, CKA_SIGN_RECOVER, CKA_ID};
    const CK_ATTRIBUTE_TYPE type = types[fuzz_byte(a->input) % (sizeof types / sizeof types[0])];
    const uint8_t byte = fuzz_byte(a->input);

    *value = byte & 1;
    *attribute = (CK_ATTRIBUTE){type, value, sizeof *value};
    if (type == CKA_LABEL) {
        const char *label = labels[byte % (sizeof labels / sizeof labels[0])];

        *attribute = (CK_ATTRIBUTE){type, (CK_VOID_PTR)label, strlen(label)};
    } else if (type == CKA_CLASS) {
        a->object_class = classes[byte % (sizeof classes / sizeof classes[0])];
        *attribute = (CK_ATTRIBUTE){type, &a->object_class, sizeof a->object_class};
    } else if (byte & 0x80) {
        *attribute = (CK_ATTRIBUTE){type, byte & 0x40 ? NULL : value, byte & 0x20 ? 0 : sizeof *value};
    }
}

void take_template(struct arguments *a)
{
    a->count = fuzz_byte(a->input) % 5;
    for (CK_ULONG i = 0; i < a->count; i++)
        take_attribute(a, &a->template[i], &a->values[i]);
}

CK_BYTE_PTR take_pin(struct arguments *a, CK_ULONG *len, bool *right)
{
    static CK_BYTE right_pin[] = FUZZ_SECRET, wrong_pin[] = "wrong";
    const uint8_t byte = fuzz_byte(a->input) % 4;

    *right = byte < 2;
    *len = byte == 3 ? 0 : *right ? sizeof right_pin - 1 : sizeof wrong_pin - 1;
    return byte == 3 ? NULL : *right ? right_pin : wrong_pin;
}
