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

enum error_code token_delete_objects(struct token *token, CK_SESSION_HANDLE session,
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

enum error_code token_find_private(struct token *token, CK_SESSION_HANDLE session, const struct bytes *id,
                                   CK_OBJECT_HANDLE *key, struct error *err)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id->data, id->len}};
    CK_OBJECT_HANDLE objects[TOKEN_FIND_MAX];
    CK_ULONG count = 0;
    enum error_code status = token_find_objects(token, session, template, 2, objects, &count, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (count != 1) {
        return error_set(err, ERROR_TOKEN,
                         count ? _("There are several keys with the same id on the token, so it is not clear which one "
                                   "is meant.")
                               : _("The key is not on the token any more."));
    }
    *key = objects[0];
    return ERROR_NONE;
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

enum error_code token_delete_certificates(struct token *token, const struct bytes *id, struct error *err)
{
    CK_SESSION_HANDLE session;
    enum error_code status = token_session_open(token, &session, err);

    if (status == ERROR_NONE) {
        status = token_delete_objects(token, session, CKO_CERTIFICATE, id, err);
        token->functions->C_CloseSession(session);
    }
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

/* The private numbers are sensitive. */
bool token_is_whole(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, bool private_half)
{
    return token_has_attribute(token, session, object, CKA_MODULUS) ||
           token_has_attribute(token, session, object, private_half ? CKA_EC_PARAMS : CKA_EC_POINT);
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
