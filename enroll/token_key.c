#include "enroll/token_internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "common/i18n.h"

/* The login is the application's, not the session's (PKCS#11 2.40 section 2.4), so it holds here too. */
enum error_code token_session_open(struct token *token, CK_SESSION_HANDLE *session, struct error *err)
{
    CK_RV rv = token->functions->C_OpenSession(PKCS11_get_slotid_from_slot(token->slot),
                                               CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);

    return rv == CKR_OK ? ERROR_NONE : token_failed_rv(err, rv, _("opening a session"));
}

enum error_code token_find_objects(struct token *token, CK_SESSION_HANDLE session,
                                          CK_ATTRIBUTE *template, CK_ULONG template_count,
                                          CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX], CK_ULONG *count,
                                          struct error *err)
{
    CK_FUNCTION_LIST *f = token->functions;
    CK_RV rv = f->C_FindObjectsInit(session, template, template_count);

    if (rv == CKR_OK) {
        rv = f->C_FindObjects(session, objects, TOKEN_FIND_MAX, count);
        f->C_FindObjectsFinal(session);
    }
    return rv == CKR_OK ? ERROR_NONE : token_failed_rv(err, rv, _("looking for keys"));
}

/* Usage separation: the signing key only signs, the encryption key only decrypts; neither unwraps or
 * recovers, and none leaves the token that was not made for it. That it is used only when its user agrees is the module's concern. */
static CK_RV token_generate_pair(struct token *token, CK_SESSION_HANDLE session,
                                 const struct token_key_spec *spec)
{
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_BBOOL leaves = spec->exportable ? CK_TRUE : CK_FALSE;
    CK_BBOOL signs = spec->use == TOKEN_SIGNING ? CK_TRUE : CK_FALSE;
    CK_BBOOL decrypts = spec->use == TOKEN_ENCRYPTION ? CK_TRUE : CK_FALSE;
    CK_ULONG bits = spec->bits;
    CK_BYTE exponent[] = {0x01, 0x00, 0x01};
    CK_KEY_TYPE type = CKK_RSA;
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
    CK_ATTRIBUTE public_template[] = {
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_MODULUS_BITS, &bits, sizeof bits},
        {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent},
        {CKA_VERIFY, &signs, sizeof signs},
        {CKA_ENCRYPT, &decrypts, sizeof decrypts},
        {CKA_WRAP, &no, sizeof no},
        {CKA_VERIFY_RECOVER, &no, sizeof no},
        {CKA_ID, spec->id->data, spec->id->len},
        {CKA_LABEL, (void *)spec->label, strlen(spec->label)},
    };
    CK_ATTRIBUTE private_template[] = {
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &leaves, sizeof leaves},
        {CKA_SIGN, &signs, sizeof signs},
        {CKA_DECRYPT, &decrypts, sizeof decrypts},
        {CKA_UNWRAP, &no, sizeof no},
        {CKA_SIGN_RECOVER, &no, sizeof no},
        {CKA_ID, spec->id->data, spec->id->len},
        {CKA_LABEL, (void *)spec->label, strlen(spec->label)},
    };

    return token->functions->C_GenerateKeyPair(
        session, &mechanism, public_template, sizeof public_template / sizeof public_template[0],
        private_template, sizeof private_template / sizeof private_template[0], &public_key, &private_key);
}

static enum error_code token_delete_objects(struct token *token, CK_SESSION_HANDLE session,
                                            CK_OBJECT_CLASS class, const struct bytes *id, struct error *err)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id->data, id->len}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 2, objects, &count, err);

    for (CK_ULONG i = 0; status == ERROR_NONE && i < count; i++) {
        CK_RV rv = token->functions->C_DestroyObject(session, objects[i]);

        if (rv != CKR_OK) {
            status = token_failed_rv(err, rv, _("deleting a key"));
        }
    }
    return status;
}

/* The private half first: while it is there, the pair is whole or is nothing. */
enum error_code token_delete_pair(struct token *token, const struct bytes *id, struct error *err)
{
    CK_SESSION_HANDLE session;
    enum error_code status = token_session_open(token, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_delete_objects(token, session, CKO_PRIVATE_KEY, id, err);
    if (status == ERROR_NONE) {
        status = token_delete_objects(token, session, CKO_PUBLIC_KEY, id, err);
    }
    token->functions->C_CloseSession(session);
    return status;
}

/* The attribute has a value; a token that was interrupted may have made an object and not yet filled it. */
bool token_has_attribute(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE attribute = {type, NULL, 0};

    return token->functions->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
           attribute.ulValueLen != CK_UNAVAILABLE_INFORMATION && attribute.ulValueLen > 0;
}

/* An RSA key, or an object that has not yet been told what kind of key it is. */
static bool token_may_be_rsa(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof type};
    CK_RV rv = token->functions->C_GetAttributeValue(session, object, &attribute, 1);

    return rv == CKR_ATTRIBUTE_TYPE_INVALID ||
           (rv == CKR_OK && (type == CKK_RSA || type == CKK_VENDOR_DEFINED));
}

/* No id, no label, no modulus: no program can use such an object. It is what a token leaves that is
 * interrupted before it has given the new key its attributes. */
static bool token_is_stillborn(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    return token_may_be_rsa(token, session, object) && !token_has_attribute(token, session, object, CKA_ID) &&
           !token_has_attribute(token, session, object, CKA_LABEL) &&
           !token_has_attribute(token, session, object, CKA_MODULUS);
}

/* Is the pair with this id there, whole? */
static enum error_code token_has_pair(struct token *token, CK_SESSION_HANDLE session, const struct bytes *id,
                                      bool *has, struct error *err)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id->data, id->len}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 2, objects, &count, err);

    if (status == ERROR_NONE) {
        *has = count > 0 && token_has_attribute(token, session, objects[0], CKA_MODULUS);
    }
    return status;
}

static enum error_code token_delete_stillborn(struct token *token, CK_SESSION_HANDLE session,
                                              CK_OBJECT_CLASS class, struct error *err)
{
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 1, objects, &count, err);

    for (CK_ULONG i = 0; status == ERROR_NONE && i < count; i++) {
        CK_RV rv = CKR_OK;

        if (token_is_stillborn(token, session, objects[i])) {
            rv = token->functions->C_DestroyObject(session, objects[i]);
        }
        if (rv != CKR_OK) {
            status = token_failed_rv(err, rv, _("removing what an interrupted run has left"));
        }
    }
    return status;
}

enum error_code token_clean_up(struct token *token, CK_SESSION_HANDLE session, const struct bytes *id,
                                      struct error *err)
{
    enum error_code status = token_delete_objects(token, session, CKO_PRIVATE_KEY, id, err);

    if (status == ERROR_NONE) {
        status = token_delete_objects(token, session, CKO_PUBLIC_KEY, id, err);
    }
    if (status == ERROR_NONE) {
        status = token_delete_stillborn(token, session, CKO_PRIVATE_KEY, err);
    }
    if (status == ERROR_NONE) {
        status = token_delete_stillborn(token, session, CKO_PUBLIC_KEY, err);
    }
    return status;
}

enum error_code token_generate(struct token *token, const struct token_key_spec *spec, struct error *err)
{
    CK_SESSION_HANDLE session;
    bool has = false;
    enum error_code status = token_session_open(token, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_has_pair(token, session, spec->id, &has, err);
    if (status == ERROR_NONE && !has && spec->interrupted) {
        status = token_clean_up(token, session, spec->id, err);
    }
    if (status == ERROR_NONE && !has) {
        CK_RV rv = token_generate_pair(token, session, spec);

        status = rv == CKR_OK ? ERROR_NONE : token_failed_rv(err, rv, _("generating a key pair"));
    }
    token->functions->C_CloseSession(session);
    return status;
}

enum error_code token_has_label(struct token *token, const char *label, bool *has, struct error *err)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session;
    enum error_code status = token_session_open(token, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_find_objects(token, session, template, 2, objects, &count, err);
    token->functions->C_CloseSession(session);
    if (status == ERROR_NONE) {
        *has = count > 0;
    }
    return status;
}

static bool token_key_matches(PKCS11_KEY *key, EVP_PKEY *pkey, const struct bytes *id, EVP_PKEY *public_key)
{
    if (id) {
        return key->id_len == id->len && memcmp(key->id, id->data, id->len) == 0;
    }
    return EVP_PKEY_eq(pkey, public_key) == 1;
}

/* Fills *out, taking over pkey. */
static bool token_key_fill(PKCS11_KEY *key, EVP_PKEY *pkey, struct token_key *out)
{
    struct token_key filled = {.pkey = pkey, .label = strdup(key->label ? key->label : "")};

    if (!filled.label || !bytes_set(&filled.id, key->id, key->id_len)) {
        token_key_clear(&filled);
        return false;
    }
    *out = filled;
    return true;
}

static enum error_code token_find_key(struct token *token, const struct bytes *id, EVP_PKEY *public_key,
                                      bool *found, struct token_key *key, struct error *err)
{
    PKCS11_KEY *keys = NULL;
    unsigned count = 0;

    ERR_clear_error();
    if (PKCS11_enumerate_keys(token->slot->token, &keys, &count) != 0) {
        return token_failed(err, _("reading its keys"));
    }
    for (unsigned i = 0; i < count; i++) {
        EVP_PKEY *pkey = PKCS11_get_private_key(&keys[i]);

        if (pkey && token_key_matches(&keys[i], pkey, id, public_key)) {
            if (!token_key_fill(&keys[i], pkey, key)) {
                return error_set(err, ERROR_MEMORY, "%s", "");
            }
            *found = true;
            return ERROR_NONE;
        }
        EVP_PKEY_free(pkey);
    }
    ERR_clear_error(); /* keys of a kind that libp11 does not know */
    *found = false;
    return ERROR_NONE;
}

enum error_code token_find_key_by_id(struct token *token, const struct bytes *id, bool *found,
                                     struct token_key *key, struct error *err)
{
    return token_find_key(token, id, NULL, found, key, err);
}

enum error_code token_find_key_of(struct token *token, EVP_PKEY *public_key, bool *found,
                                  struct token_key *key, struct error *err)
{
    return token_find_key(token, NULL, public_key, found, key, err);
}

void token_key_clear(struct token_key *key)
{
    EVP_PKEY_free(key->pkey);
    bytes_clear(&key->id);
    free(key->label);
    memset(key, 0, sizeof *key);
}
