#include "support/keys.h"

#include <string.h>

#include "support/backend_kind.h"
#include "support/lacks.h"
#include "support/test.h"

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

struct key_wish key_wish_new(const char *label)
{
    return (struct key_wish){.label = label,
                             .on_token = true,
                             .private_key = CK_TRUE,
                             .sensitive = CK_TRUE,
                             .extractable = CK_FALSE};
}

/* What of the public key's template is the mechanism's own (one attribute for EC). */
#define PARAMETERS 2

/* Takes the uses that a key is not to have out of its template. How many attributes are left. */
static CK_ULONG unsaid_uses(CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_ULONG left = 0;

    for (CK_ULONG i = 0; i < count; i++) {
        const bool use = template[i].type == CKA_ENCRYPT || template[i].type == CKA_DECRYPT ||
                         template[i].type == CKA_UNWRAP || template[i].type == CKA_DERIVE;

        if (!use || *(const CK_BBOOL *)template[i].pValue)
            template[left++] = template[i];
    }
    return left;
}

static CK_BBOOL *token_attribute(CK_ATTRIBUTE *template)
{
    while (template->type != CKA_TOKEN)
        template++;
    return template->pValue;
}

/* tpm2-pkcs11 has no key that does not both sign and decrypt, and fails where a template says so; nor has it one that is
 * not on the token. SoftHSM2 gets what the case says, and nothing else. */
static CK_RV generate(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_ATTRIBUTE *public,
                      CK_ULONG public_count, CK_ATTRIBUTE *private, CK_ULONG private_count, CK_OBJECT_HANDLE *keys[2])
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_RV rv = p11->C_GenerateKeyPair(session, &mechanism, public, public_count, private, private_count, keys[0],
                                      keys[1]);

    if (backend_kind() == &backend_softhsm2)
        return rv;
    if (rv == CKR_ATTRIBUTE_VALUE_INVALID && !*token_attribute(public)) {
        *token_attribute(public) = *token_attribute(private) = CK_TRUE;
        return generate(p11, session, type, public, public_count, private, private_count, keys);
    }
    if (rv == CKR_GENERAL_ERROR)
        rv = p11->C_GenerateKeyPair(session, &mechanism, public, unsaid_uses(public, public_count), private,
                                    unsaid_uses(private, private_count), keys[0], keys[1]);
    return rv;
}

static CK_RV make_pair(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
                       const CK_ATTRIBUTE parameters[PARAMETERS], bool decrypts, const struct key_wish *wish,
                       CK_OBJECT_HANDLE *keys[2])
{
    CK_BBOOL on_token = wish->on_token ? CK_TRUE : CK_FALSE;
    CK_BBOOL crypts = decrypts ? CK_TRUE : CK_FALSE;
    CK_BBOOL derives = decrypts ? CK_FALSE : CK_TRUE;
    CK_BBOOL private_key_attribute = wish->private_key;
    CK_BBOOL sensitive = wish->sensitive;
    CK_BBOOL extractable = wish->extractable;
    CK_ATTRIBUTE public_template[] = {
        parameters[0],
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_ENCRYPT, &crypts, sizeof crypts},
        {CKA_LABEL, (void *)wish->label, strlen(wish->label)},
        {CKA_ID, (void *)wish->label, strlen(wish->label)},
        parameters[1],
    };
    const CK_ULONG public_count = sizeof public_template / sizeof public_template[0] - (parameters[1].pValue ? 0 : 1);
    CK_ATTRIBUTE private_template[] = {
        {CKA_TOKEN, &on_token, sizeof on_token},
        {CKA_PRIVATE, &private_key_attribute, sizeof private_key_attribute},
        {CKA_SENSITIVE, &sensitive, sizeof sensitive},
        {CKA_EXTRACTABLE, &extractable, sizeof extractable},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_DECRYPT, &crypts, sizeof crypts},
        {CKA_UNWRAP, &crypts, sizeof crypts},
        {CKA_DERIVE, &derives, sizeof derives},
        {CKA_LABEL, (void *)wish->label, strlen(wish->label)},
        {CKA_ID, (void *)wish->label, strlen(wish->label)},
    };

    return generate(p11, session, type, public_template, public_count, private_template,
                    sizeof private_template / sizeof private_template[0], keys);
}

CK_RV key_make_rsa(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                   CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_ULONG bits = 2048;
    CK_BYTE exponent[] = {1, 0, 1}; /* without one, softokn makes no key */
    const CK_ATTRIBUTE parameters[PARAMETERS] = {{CKA_MODULUS_BITS, &bits, sizeof bits},
                                                 {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};

    return make_pair(p11, session, CKM_RSA_PKCS_KEY_PAIR_GEN, parameters, true, wish,
                     (CK_OBJECT_HANDLE *[]){public_key, private_key});
}

CK_RV key_make_ec(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                  CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    static const char p256[] = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    const CK_ATTRIBUTE parameters[PARAMETERS] = {{CKA_EC_PARAMS, (void *)p256, sizeof p256 - 1}};

    return make_pair(p11, session, CKM_EC_KEY_PAIR_GEN, parameters, false, wish,
                     (CK_OBJECT_HANDLE *[]){public_key, private_key});
}

/* RFC 8410: the curve by its OBJECT IDENTIFIER. */
CK_RV key_make_ed25519(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const struct key_wish *wish,
                       CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    static const char ed25519[] = "\x06\x03\x2b\x65\x70";
    const CK_ATTRIBUTE parameters[PARAMETERS] = {{CKA_EC_PARAMS, (void *)ed25519, sizeof ed25519 - 1}};

    return make_pair(p11, session, CKM_EC_EDWARDS_KEY_PAIR_GEN, parameters, false, wish,
                     (CK_OBJECT_HANDLE *[]){public_key, private_key});
}

CK_RV key_make_secret(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label, CK_KEY_TYPE type,
                      CK_OBJECT_HANDLE *key)
{
    CK_MECHANISM mechanism = {type == CKK_AES ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_ULONG len = 32;
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &yes, sizeof yes},          {CKA_SIGN, &yes, sizeof yes},
        {CKA_VERIFY, &yes, sizeof yes},         {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},        {CKA_WRAP, &yes, sizeof yes},
        {CKA_UNWRAP, &yes, sizeof yes},         {CKA_EXTRACTABLE, &yes, sizeof yes},
        {CKA_SENSITIVE, &no, sizeof no},        {CKA_VALUE_LEN, &len, sizeof len},
        {CKA_DERIVE, &yes, sizeof yes},         {CKA_LABEL, (void *)label, strlen(label)},
        {CKA_ID, (void *)label, strlen(label)},
    };

    return p11->C_GenerateKey(session, &mechanism, template, sizeof template / sizeof template[0], key);
}

static void make_rsa(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label,
                     CK_BBOOL private_key)
{
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE keys[2];

    wish.private_key = private_key;
    assert_ok(key_make_rsa(p11, session, &wish, &keys[0], &keys[1]));
}

static void make_ec(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label)
{
    const struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE keys[2];

    assert_ok(key_make_ec(p11, session, &wish, &keys[0], &keys[1]));
}

static struct {
    const char *label;
    CK_RV rv;
} refused[KEYS_REFUSED_MAX];
static size_t refused_count;

void key_made(const char *label, CK_RV rv)
{
    if (rv == CKR_OK)
        return;
    if (backend_kind() == &backend_softhsm2 || refused_count == KEYS_REFUSED_MAX)
        assert_ok(rv);
    refused[refused_count].label = label;
    refused[refused_count++].rv = rv;
}

CK_RV key_refusal(const char *label)
{
    for (size_t i = 0; i < refused_count; i++)
        if (strcmp(refused[i].label, label) == 0)
            return refused[i].rv;
    return CKR_OK;
}

void keys_make_direct(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, unsigned set)
{
    CK_OBJECT_HANDLE key;

    if (set & KEYS_PLAIN_RSA)
        make_rsa(p11, session, KEY_PLAIN_RSA, CK_TRUE);
    if (set & KEYS_PUBLIC_RSA)
        make_rsa(p11, session, KEY_PUBLIC_RSA, CK_FALSE);
    if (set & KEYS_PLAIN_EC)
        make_ec(p11, session, KEY_PLAIN_EC);
    if (set & KEYS_AES)
        key_made(KEY_AES, key_make_secret(p11, session, KEY_AES, CKK_AES, &key));
    if (set & KEYS_HMAC)
        key_made(KEY_HMAC, key_make_secret(p11, session, KEY_HMAC, CKK_GENERIC_SECRET, &key));
}

void keys_make_through_module(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, unsigned set)
{
    if (set & KEYS_HIGH_RSA)
        make_rsa(p11, session, KEY_HIGH_RSA, CK_TRUE);
    if (set & KEYS_HIGH_EC)
        make_ec(p11, session, KEY_HIGH_EC);
}

CK_OBJECT_HANDLE key_find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class,
                          const char *label)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG count = 0;

    assert_ok(p11->C_FindObjectsInit(session, template, 2));
    assert_ok(p11->C_FindObjects(session, &key, 1, &count));
    assert_ok(p11->C_FindObjectsFinal(session));
    return count == 1 ? key : CK_INVALID_HANDLE;
}

static CK_OBJECT_HANDLE key_found(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session,
                                  CK_OBJECT_CLASS object_class, const char *label)
{
    const CK_OBJECT_HANDLE key = key_find(p11, session, object_class, label);
    const CK_RV refusal = key_refusal(label);

    if (refusal != CKR_OK)
        lacks_skip("a case", "making its key \"%s\" answers %s", label, lacks_rv_name(refusal));
    if (key == CK_INVALID_HANDLE)
        fail_msg("there is no key \"%s\"", label);
    return key;
}

CK_OBJECT_HANDLE key_private(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label)
{
    return key_found(p11, session, CKO_PRIVATE_KEY, label);
}

CK_OBJECT_HANDLE key_public(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label)
{
    return key_found(p11, session, CKO_PUBLIC_KEY, label);
}

CK_OBJECT_HANDLE key_secret(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label)
{
    return key_found(p11, session, CKO_SECRET_KEY, label);
}

bool key_bool(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = 2;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};

    assert_ok(p11->C_GetAttributeValue(session, key, &attribute, 1));
    assert_in_range(value, 0, 1);
    return value == CK_TRUE;
}

bool key_always_authenticates(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_ATTRIBUTE attribute = {CKA_ALWAYS_AUTHENTICATE, NULL, 0};

    if (p11->C_GetAttributeValue(session, key, &attribute, 1) == CKR_ATTRIBUTE_TYPE_INVALID)
        return false;
    return key_bool(p11, session, key, CKA_ALWAYS_AUTHENTICATE);
}
