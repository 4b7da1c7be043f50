#include "enroll/token_internal.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/interrupt.h"

/* What tells the token which kind of pair to make, and what its halves may do. */
struct token_recipe {
    CK_MECHANISM mechanism;
    CK_KEY_TYPE type;
    CK_ULONG bits;
    CK_BBOOL signs;
    CK_BBOOL decrypts; /* RSA */
    CK_BBOOL derives;  /* EC: it decrypts what was encrypted under a secret agreed on (ECDH) */
    CK_BBOOL leaves;
};

static struct token_recipe token_recipe_for(const struct token_key_spec *spec)
{
    const bool ec = spec->profile->ec_params != NULL;
    const bool signs = spec->use == TOKEN_SIGNING;

    return (struct token_recipe){
        .mechanism = {ec ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0},
        .type = ec ? CKK_EC : CKK_RSA,
        .bits = spec->profile->bits,
        .signs = signs,
        .decrypts = !signs && !ec,
        .derives = !signs && ec,
        .leaves = spec->exportable,
    };
}

/* PKCS#11 curves 2.40, 2.3.3, and base specification 2.1.2: what a public template says of its kind. The count. */
static CK_ULONG token_describe_kind(struct token_recipe *recipe, const struct token_key_spec *spec,
                                    CK_ATTRIBUTE attributes[2])
{
    static CK_BYTE exponent[] = {0x01, 0x00, 0x01};

    if (recipe->type == CKK_EC) {
        attributes[0] = (CK_ATTRIBUTE){CKA_EC_PARAMS, (void *)(uintptr_t)spec->profile->ec_params,
                                       spec->profile->ec_params_len};
        return 1;
    }
    attributes[0] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &recipe->bits, sizeof recipe->bits};
    attributes[1] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, exponent, sizeof exponent};
    return 2;
}

/* Usage separation: the signing key only signs, the encryption key only decrypts or, EC, derives; neither unwraps or
 * recovers, and none leaves the token that was not made for it. That it is used only when its user agrees is
 * the module's concern. */
static CK_RV token_generate_pair(struct token *token, CK_SESSION_HANDLE session,
                                 const struct token_key_spec *spec)
{
    struct token_recipe recipe = token_recipe_for(spec);
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
    CK_ATTRIBUTE public_template[11] = {
        {CKA_KEY_TYPE, &recipe.type, sizeof recipe.type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_VERIFY, &recipe.signs, sizeof recipe.signs},
        {CKA_ENCRYPT, &recipe.decrypts, sizeof recipe.decrypts},
        {CKA_WRAP, &no, sizeof no},
        {CKA_VERIFY_RECOVER, &no, sizeof no},
        {CKA_ID, spec->id->data, spec->id->len},
        {CKA_LABEL, (void *)(uintptr_t)spec->label, strlen(spec->label)},
    };
    CK_ATTRIBUTE private_template[] = {
        {CKA_KEY_TYPE, &recipe.type, sizeof recipe.type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &recipe.leaves, sizeof recipe.leaves},
        {CKA_SIGN, &recipe.signs, sizeof recipe.signs},
        {CKA_DECRYPT, &recipe.decrypts, sizeof recipe.decrypts},
        {CKA_DERIVE, &recipe.derives, sizeof recipe.derives},
        {CKA_UNWRAP, &no, sizeof no},
        {CKA_SIGN_RECOVER, &no, sizeof no},
        {CKA_ID, spec->id->data, spec->id->len},
        {CKA_LABEL, (void *)(uintptr_t)spec->label, strlen(spec->label)},
    };
    const CK_ULONG public_count = 9 + token_describe_kind(&recipe, spec, public_template + 9);

    return token->functions->C_GenerateKeyPair(session, &recipe.mechanism, public_template, public_count, private_template,
                                               sizeof private_template / sizeof private_template[0], &public_key,
                                               &private_key);
}

/* A key of a kind that is made here, or an object that has not yet been told what kind of key it is. */
static bool token_may_be_ours(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof type};
    CK_RV rv = token->functions->C_GetAttributeValue(session, object, &attribute, 1);

    return rv == CKR_ATTRIBUTE_TYPE_INVALID ||
           (rv == CKR_OK && (type == CKK_RSA || type == CKK_EC || type == CKK_VENDOR_DEFINED));
}

/* No id, no label, no modulus or curve: no program can use such an object. It is what a token leaves that is
 * interrupted before it has given the new key its attributes. */
static bool token_is_stillborn(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    return token_may_be_ours(token, session, object) && !token_has_attribute(token, session, object, CKA_ID) &&
           !token_has_attribute(token, session, object, CKA_LABEL) &&
           !token_has_attribute(token, session, object, CKA_MODULUS) &&
           !token_has_attribute(token, session, object, CKA_EC_PARAMS);
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
        *has = count > 0 && token_is_whole(token, session, objects[0], true);
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

enum error_code token_clean_up(struct token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
                               const struct bytes *id, struct error *err)
{
    enum error_code status = token_delete_objects(token, session, class, id, err);

    return status == ERROR_NONE ? token_delete_stillborn(token, session, class, err) : status;
}

/* One pair on its way. */
struct token_birth {
    struct token *token;
    const struct token_key_spec *spec;
    CK_SESSION_HANDLE session;
    bool needed;
    bool threaded;
    pthread_t thread;
    CK_RV rv;
    double seconds;
};

static void *token_birth_run(void *data)
{
    struct token_birth *birth = data;
    struct timespec from;
    struct timespec to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    birth->rv = token_generate_pair(birth->token, birth->session, birth->spec);
    clock_gettime(CLOCK_MONOTONIC, &to);
    birth->seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    return NULL;
}

/* Is the pair still to be made? What a killed run has left of it is removed. */
static enum error_code token_birth_begin(struct token_birth *birth, struct error *err)
{
    bool has = false;
    enum error_code status = token_session_open(birth->token, &birth->session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = token_has_pair(birth->token, birth->session, birth->spec->id, &has, err);
    if (status == ERROR_NONE && !has && birth->spec->interrupted) {
        status = token_clean_up(birth->token, birth->session, CKO_PRIVATE_KEY, birth->spec->id, err);
        if (status == ERROR_NONE) {
            status = token_clean_up(birth->token, birth->session, CKO_PUBLIC_KEY, birth->spec->id, err);
        }
    }
    birth->needed = status == ERROR_NONE && !has;
    return status;
}

/* On two processors two pairs take as long as the slower one. One after the other where there is no thread,
 * and where the user is asked about each, so that there is one window at a time. */
static void token_births_run(struct token_birth births[TOKEN_PAIRS])
{
    for (size_t i = 1; i < TOKEN_PAIRS; i++) {
        births[i].threaded = births[i].needed && !births[i].spec->exportable &&
                             pthread_create(&births[i].thread, NULL, token_birth_run, &births[i]) == 0;
    }
    for (size_t i = 0; i < TOKEN_PAIRS; i++) {
        if (births[i].threaded) {
            pthread_join(births[i].thread, NULL);
        } else if (births[i].needed) {
            token_birth_run(&births[i]);
        }
    }
}

enum error_code token_generate(struct token *token, const struct token_key_spec specs[TOKEN_PAIRS],
                               double seconds[TOKEN_PAIRS], struct error *err)
{
    struct token_birth births[TOKEN_PAIRS] = {0};
    enum error_code status = ERROR_NONE;

    if (specs[0].profile->curve) { /* better learnt before there are keys */
        status = token_isolated_carries(token, CKM_ECDH1_DERIVE, _("Decrypting with an EC key"), err);
    }
    for (size_t i = 0; status == ERROR_NONE && i < TOKEN_PAIRS; i++) {
        births[i].token = token;
        births[i].spec = &specs[i];
        status = token_birth_begin(&births[i], err);
    }
    if (status == ERROR_NONE) {
        interrupt_at_once(true); /* a token that makes a key can take its time, and cannot be told to stop */
        token_births_run(births);
        interrupt_at_once(false);
    }
    for (size_t i = 0; i < TOKEN_PAIRS; i++) {
        if (births[i].session != CK_INVALID_HANDLE) {
            token->functions->C_CloseSession(births[i].session);
        }
        if (status == ERROR_NONE && births[i].rv != CKR_OK) {
            status = token_failed_rv(err, births[i].rv, _("generating a key pair"));
        }
    }
    for (size_t i = 0; status == ERROR_NONE && i < TOKEN_PAIRS; i++) {
        seconds[i] = births[i].seconds;
    }
    return status;
}
