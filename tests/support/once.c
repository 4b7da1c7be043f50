#include "support/once.h"

#include <string.h>

#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/test.h"
#include "support/verify.h"

const char *const once_bad_carriers[] = {
    KEY_AES, "imported", "was readable", "may leave", "decrypts too", "unwraps too", NULL};

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

static CK_BYTE aes_value[32] = "the 32 bytes of a wrapped AESkey";

CK_RV once_unwrap(struct fixture *fx, CK_SESSION_HANDLE session, const char *label, CK_OBJECT_HANDLE *made,
                  char hex[65])
{
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_AES;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_KEY_TYPE, &key_type, sizeof key_type},
                               {CKA_SENSITIVE, &no, sizeof no},
                               {CKA_EXTRACTABLE, &yes, sizeof yes},
                               {CKA_LABEL, (void *)ONCE_MADE, strlen(ONCE_MADE)}};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE wrapped[256];
    const CK_ULONG len = verify_rsa_encrypt(fx->p11, fx->session, key_public(fx->p11, fx->session, label),
                                            aes_value, sizeof aes_value, wrapped);

    if (hex)
        verify_sha256_hex(wrapped, len, hex);
    return fx->p11->C_UnwrapKey(session, &mechanism, key_private(fx->p11, session, label), wrapped, len,
                                template, 5, made);
}

void once_expect_value(struct fixture *fx, CK_OBJECT_HANDLE made)
{
    CK_BYTE value[64];
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};

    assert_ok(fx->p11->C_GetAttributeValue(fx->session, made, &attribute, 1));
    assert_int_equal(attribute.ulValueLen, sizeof aes_value);
    assert_memory_equal(value, aes_value, sizeof aes_value);
}

void derivation_init(struct derivation *d, struct fixture *fx, const char *own, const char *other)
{
    CK_ATTRIBUTE point = {CKA_EC_POINT, d->point, sizeof d->point};

    assert_ok(fx->p11->C_GetAttributeValue(fx->session, key_public(fx->p11, fx->session, other), &point, 1));
    d->params = (CK_ECDH1_DERIVE_PARAMS){CKD_NULL, 0, NULL, point.ulValueLen, d->point};
    d->mechanism = (CK_MECHANISM){CKM_ECDH1_DERIVE, &d->params, sizeof d->params};
    d->fx = fx;
    d->base = key_private(fx->p11, fx->session, own);
    d->made = CK_INVALID_HANDLE;
}

void *derivation_run(void *data)
{
    struct derivation *d = data;
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
    CK_ULONG len = 32;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_KEY_TYPE, &key_type, sizeof key_type},
                               {CKA_VALUE_LEN, &len, sizeof len},
                               {CKA_SENSITIVE, &no, sizeof no},
                               {CKA_EXTRACTABLE, &yes, sizeof yes},
                               {CKA_LABEL, (void *)ONCE_MADE, strlen(ONCE_MADE)}};

    d->rv = d->fx->p11->C_DeriveKey(d->fx->session, &d->mechanism, d->base, template, 6, &d->made);
    return NULL;
}

CK_RV once_derive(struct fixture *fx, const char *own, const char *other, CK_BYTE secret[32])
{
    struct derivation d;
    CK_ATTRIBUTE value = {CKA_VALUE, secret, 32};

    derivation_init(&d, fx, own, other);
    derivation_run(&d);
    if (d.rv == CKR_OK)
        assert_ok(fx->p11->C_GetAttributeValue(fx->session, d.made, &value, 1));
    return d.rv;
}

CK_RV once_wrap(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE carrier,
                CK_OBJECT_HANDLE carried, struct blob *blob)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};

    memset(blob, 0, sizeof *blob);
    blob->len = sizeof blob->bytes;
    return p11->C_WrapKey(session, &mechanism, carrier, carried, blob->bytes, &blob->len);
}

bool blob_is_empty(const struct blob *blob)
{
    static const CK_BYTE zeros[sizeof blob->bytes];

    return memcmp(blob->bytes, zeros, sizeof zeros) == 0;
}

/* ------------------------------------------------------------------ the keys */

struct carrier_wish {
    const char *label;
    CK_BBOOL sensitive, extractable, decrypts, unwraps;
};

static void make_carrier(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, struct carrier_wish wish)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ULONG len = 32;
    CK_OBJECT_HANDLE made;
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_WRAP, &yes, sizeof yes},
        {CKA_ENCRYPT, &no, sizeof no},
        {CKA_SENSITIVE, &wish.sensitive, sizeof wish.sensitive},
        {CKA_EXTRACTABLE, &wish.extractable, sizeof wish.extractable},
        {CKA_DECRYPT, &wish.decrypts, sizeof wish.decrypts},
        {CKA_UNWRAP, &wish.unwraps, sizeof wish.unwraps},
        {CKA_VALUE_LEN, &len, sizeof len},
        {CKA_LABEL, (void *)wish.label, strlen(wish.label)},
    };

    key_made(wish.label,
             p11->C_GenerateKey(session, &mechanism, template, sizeof template / sizeof template[0], &made));
}

/* Its value came from outside. */
static void import_carrier(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_AES;
    CK_OBJECT_HANDLE made;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &object_class, sizeof object_class},
        {CKA_KEY_TYPE, &key_type, sizeof key_type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_WRAP, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_DECRYPT, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},
        {CKA_VALUE, aes_value, sizeof aes_value},
        {CKA_LABEL, (void *)"imported", 8},
    };

    key_made("imported", p11->C_CreateObject(session, template, sizeof template / sizeof template[0], &made));
}

static void make_rsa(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, const char *label, CK_BBOOL sensitive,
                     CK_OBJECT_HANDLE *private_key)
{
    struct key_wish wish = key_wish_new(label);
    CK_OBJECT_HANDLE public_key;

    wish.sensitive = sensitive;
    wish.extractable = CK_TRUE;
    key_made(label, key_make_rsa(p11, session, &wish, &public_key, private_key));
}

void once_make_keys(struct blob *wrapped)
{
    static const struct carrier_wish carriers[] = {
        {KEY_CARRIER, CK_TRUE, CK_FALSE, CK_FALSE, CK_FALSE},
        {"was readable", CK_FALSE, CK_FALSE, CK_FALSE, CK_FALSE},
        {"may leave", CK_TRUE, CK_TRUE, CK_FALSE, CK_FALSE},
        {"decrypts too", CK_TRUE, CK_FALSE, CK_TRUE, CK_FALSE},
        {"unwraps too", CK_TRUE, CK_FALSE, CK_FALSE, CK_TRUE},
    };
    CK_OBJECT_HANDLE exportable, weak;
    struct backend_direct direct;
    CK_SESSION_HANDLE session;

    backend_direct_open(&direct);
    assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE),
                                        CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    assert_ok(direct.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
        make_carrier(direct.p11, session, carriers[i]);
    import_carrier(direct.p11, session);
    make_rsa(direct.p11, session, KEY_EXPORTABLE, CK_TRUE, &exportable);
    make_rsa(direct.p11, session, KEY_WEAK, CK_FALSE, &weak);
    if (key_refusal(KEY_AES) == CKR_OK)
        assert_ok(once_wrap(direct.p11, session, key_secret(direct.p11, session, KEY_AES), exportable, wrapped));
    backend_direct_close(&direct);
}
