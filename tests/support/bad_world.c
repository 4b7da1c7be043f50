#include "support/bad_world.h"

#include <string.h>

#include "support/backend_direct.h"
#include "support/keys.h"
#include "support/mock.h"
#include "support/once.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define TEXT  "32 bytes, which are two AES blocks"
#define MADE  "made here"
#define RIGHT "pin " FIXTURE_PIN "\n"

/* ------------------------------------------------------------------ arguments */

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;
static CK_OBJECT_CLASS class_data = CKO_DATA;
static CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;
static CK_OBJECT_CLASS class_secret = CKO_SECRET_KEY;
static CK_KEY_TYPE type_ec = CKK_EC;
static CK_KEY_TYPE type_generic = CKK_GENERIC_SECRET;
static CK_ULONG secret_len = 32;
static CK_BYTE iv[16];
static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BYTE scalar[32] = {1, 2, 3};
static CK_BYTE point[67];
static CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, 0, point};

#define VALUE(variable) &(variable), sizeof(variable)
#define ATTRIBUTE(type, text)                                                                                \
    {                                                                                                        \
        (type), (void *)(text), sizeof(text) - 1                                                             \
    }

static const struct {
    CK_ATTRIBUTE attributes[BAD_TEMPLATE_MAX];
    CK_ULONG count;
} templates[TEMPLATES] = {
    [TEMPLATE_NAME] = {{ATTRIBUTE(CKA_LABEL, MADE)}, 1},
    [TEMPLATE_READ] = {{{CKA_LABEL, NULL, 0}, {CKA_CLASS, NULL, 0}}, 2},
    [TEMPLATE_COPY] = {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_TOKEN, VALUE(no)}}, 2},
    [TEMPLATE_EC_ON_TOKEN] = {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_SIGN, VALUE(yes)}, {CKA_TOKEN, VALUE(yes)}},
                              3},
    [TEMPLATE_OBJECT] = {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_CLASS, VALUE(class_data)}, {CKA_TOKEN, VALUE(no)}},
                         3},
    [TEMPLATE_ON_TOKEN] =
        {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_CLASS, VALUE(class_data)}, {CKA_TOKEN, VALUE(yes)}}, 3},
    [TEMPLATE_PRIVATE] = {{ATTRIBUTE(CKA_LABEL, MADE),
                           {CKA_CLASS, VALUE(class_private)},
                           {CKA_KEY_TYPE, VALUE(type_ec)},
                           {CKA_EC_PARAMS, VALUE(p256)},
                           {CKA_VALUE, VALUE(scalar)},
                           {CKA_SIGN, VALUE(yes)}},
                          6},
    [TEMPLATE_SECRET] = {{ATTRIBUTE(CKA_LABEL, MADE),
                          {CKA_CLASS, VALUE(class_secret)},
                          {CKA_KEY_TYPE, VALUE(type_generic)},
                          {CKA_TOKEN, VALUE(no)}},
                         4},
    [TEMPLATE_SECRET_ON_TOKEN] = {{ATTRIBUTE(CKA_LABEL, MADE),
                                   {CKA_CLASS, VALUE(class_secret)},
                                   {CKA_KEY_TYPE, VALUE(type_generic)},
                                   {CKA_TOKEN, VALUE(yes)}},
                                  4},
    [TEMPLATE_AES_ON_TOKEN] =
        {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_VALUE_LEN, VALUE(secret_len)}, {CKA_TOKEN, VALUE(yes)}}, 3},
    [TEMPLATE_AES] =
        {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_VALUE_LEN, VALUE(secret_len)}, {CKA_TOKEN, VALUE(no)}}, 3},
    [TEMPLATE_EC] = {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_EC_PARAMS, VALUE(p256)}, {CKA_TOKEN, VALUE(no)}}, 3},
    [TEMPLATE_EMPTY] = {{ATTRIBUTE(CKA_LABEL, MADE), {CKA_SIGN, VALUE(yes)}, {CKA_TOKEN, VALUE(no)}}, 3},
};

static const CK_MECHANISM mechanisms[MECHANISMS] = {
    [MECHANISM_SIGN] = {CKM_SHA256_RSA_PKCS, NULL, 0},
    [MECHANISM_RSA] = {CKM_RSA_PKCS, NULL, 0},
    [MECHANISM_HMAC] = {CKM_SHA256_HMAC, NULL, 0},
    [MECHANISM_AES] = {CKM_AES_CBC_PAD, iv, sizeof iv},
    [MECHANISM_DIGEST] = {CKM_SHA256, NULL, 0},
    [MECHANISM_WRAP] = {CKM_AES_KEY_WRAP_PAD, NULL, 0},
    [MECHANISM_ECDH] = {CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh},
    [MECHANISM_MAKE_AES] = {CKM_AES_KEY_GEN, NULL, 0},
    [MECHANISM_MAKE_EC] = {CKM_EC_KEY_PAIR_GEN, NULL, 0},
};

static void set_data(struct bad_world *world, enum bad_data data, const char *text)
{
    world->data[data].len = strlen(text);
    memcpy(world->data[data].bytes, text, world->data[data].len);
}

/* Fresh for every case: a bad call may have been given other lengths. */
static void set_arguments(struct bad_world *world)
{
    memcpy(world->mechanisms, mechanisms, sizeof mechanisms);
    memcpy(world->templates, templates, sizeof templates);
    for (CK_ULONG i = 0; i < world->templates[TEMPLATE_READ].count; i++) {
        world->templates[TEMPLATE_READ].attributes[i].pValue = world->read + 32 * i;
        world->templates[TEMPLATE_READ].attributes[i].ulValueLen = 32;
    }
    memset(world->result, 0, sizeof world->result);
    memset(world->given, 0, sizeof world->given);
    world->room = sizeof world->result;
}

/* ------------------------------------------------------------------ operations */

static CK_RV init(struct bad_world *world, enum p11_call call, enum bad_mechanism mechanism,
                  enum bad_object object)
{
    const uintptr_t v[] = {world->session, (uintptr_t)&world->mechanisms[mechanism], world->objects[object]};

    return p11_makers_3_0[call].make(&world->list, v);
}

static CK_RV part(struct bad_world *world, enum p11_call call, enum bad_data data)
{
    CK_ULONG room = sizeof world->result;
    const uintptr_t v[] = {world->session, (uintptr_t)world->data[data].bytes, world->data[data].len,
                           (uintptr_t)world->result, (uintptr_t)&room};

    if (world->module)
        script_set(world->fx, RIGHT);
    return p11_makers[call].make(world->p11, v);
}

static CK_RV message_begin(struct bad_world *world, enum p11_call call)
{
    const uintptr_t v[P11_CALL_PARAMETERS_MAX] = {world->session};

    script_set(world->fx, RIGHT);
    return p11_makers_3_0[call].make(&world->list, v);
}

/* How each operation is begun: on from another one, by a part, or by an Init. */
static const struct {
    enum bad_family family;
    enum bad_operation
        after; /* DURING_NOTHING: by an Init, with a mechanism and an object; else by a part of data */
    enum p11_call call;
    unsigned with; /* enum bad_mechanism, or enum bad_data */
    enum bad_object object;
} beginnings[DURINGS] = {
    [DURING_ENCRYPTION] = {FAMILY_ENCRYPTION, DURING_NOTHING, CALL_C_EncryptInit, MECHANISM_AES, OBJECT_AES},
    [DURING_ENCRYPTION_PART] = {FAMILY_ENCRYPTION, DURING_ENCRYPTION, CALL_C_EncryptUpdate, DATA_TEXT, 0},
    [DURING_DECRYPTION] = {FAMILY_DECRYPTION, DURING_NOTHING, CALL_C_DecryptInit, MECHANISM_RSA,
                           OBJECT_PRIVATE},
    [DURING_AES_DECRYPTION] = {FAMILY_DECRYPTION, DURING_NOTHING, CALL_C_DecryptInit, MECHANISM_AES,
                               OBJECT_AES},
    [DURING_AES_DECRYPTION_PART] = {FAMILY_DECRYPTION, DURING_AES_DECRYPTION, CALL_C_DecryptUpdate,
                                    DATA_AES_CIPHERTEXT, 0},
    [DURING_DIGEST] = {FAMILY_DIGEST, DURING_NOTHING, CALL_C_DigestInit, MECHANISM_DIGEST, 0},
    [DURING_DIGEST_PART] = {FAMILY_DIGEST, DURING_DIGEST, CALL_C_DigestUpdate, DATA_TEXT, 0},
    [DURING_SIGNATURE] = {FAMILY_SIGNATURE, DURING_NOTHING, CALL_C_SignInit, MECHANISM_SIGN, OBJECT_PRIVATE},
    [DURING_SIGNATURE_PART] = {FAMILY_SIGNATURE, DURING_SIGNATURE, CALL_C_SignUpdate, DATA_TEXT, 0},
    [DURING_MAC] = {FAMILY_SIGNATURE, DURING_NOTHING, CALL_C_SignInit, MECHANISM_HMAC, OBJECT_HMAC},
    [DURING_MAC_PART] = {FAMILY_SIGNATURE, DURING_MAC, CALL_C_SignUpdate, DATA_TEXT, 0},
    [DURING_VERIFICATION] = {FAMILY_VERIFICATION, DURING_NOTHING, CALL_C_VerifyInit, MECHANISM_SIGN,
                             OBJECT_PUBLIC},
    [DURING_VERIFICATION_PART] = {FAMILY_VERIFICATION, DURING_VERIFICATION, CALL_C_VerifyUpdate, DATA_TEXT,
                                  0},
    [DURING_MAC_VERIFICATION] = {FAMILY_VERIFICATION, DURING_NOTHING, CALL_C_VerifyInit, MECHANISM_HMAC,
                                 OBJECT_HMAC},
    [DURING_RECOVERY] = {FAMILY_OF_THE_MOCK, DURING_NOTHING, CALL_C_SignRecoverInit, MECHANISM_RSA,
                         OBJECT_PRIVATE},
    [DURING_MESSAGE_SIGNATURE] = {FAMILY_OF_THE_MOCK, DURING_NOTHING, CALL_C_MessageSignInit, MECHANISM_RSA,
                                  OBJECT_PRIVATE},
    [DURING_MESSAGE_SIGNATURE_PART] = {FAMILY_OF_THE_MOCK, DURING_MESSAGE_SIGNATURE, CALL_C_SignMessageBegin,
                                       0, 0},
    [DURING_MESSAGE_DECRYPTION] = {FAMILY_OF_THE_MOCK, DURING_NOTHING, CALL_C_MessageDecryptInit,
                                   MECHANISM_RSA, OBJECT_PRIVATE},
    [DURING_MESSAGE_DECRYPTION_PART] = {FAMILY_OF_THE_MOCK, DURING_MESSAGE_DECRYPTION,
                                        CALL_C_DecryptMessageBegin, 0, 0},
};

enum bad_family bad_world_family(enum bad_operation operation)
{
    return operation == DURING_SEARCH ? FAMILY_SEARCH : beginnings[operation].family;
}

CK_RV bad_world_begin_operation(struct bad_world *world, enum bad_operation operation)
{
    const enum p11_call call = beginnings[operation].call;
    CK_RV rv;

    if (operation == DURING_NOTHING)
        return CKR_OK;
    if (operation == DURING_SEARCH)
        return world->p11->C_FindObjectsInit(world->session, world->templates[TEMPLATE_NAME].attributes, 1);
    if (beginnings[operation].after == DURING_NOTHING)
        return init(world, call, (enum bad_mechanism)beginnings[operation].with,
                    beginnings[operation].object);
    rv = bad_world_begin_operation(world, beginnings[operation].after);
    if (rv != CKR_OK)
        return rv;
    return call >= P11_CALL_COUNT ? message_begin(world, call)
                                  : part(world, call, (enum bad_data)beginnings[operation].with);
}

/* ------------------------------------------------------------------ the data */

/* The result of one operation in a session of its own. */
static void make(struct bad_world *world, enum bad_operation operation, enum p11_call call,
                 enum bad_data from, enum bad_data to)
{
    bad_world_begin_case(world, true);
    assert_ok(bad_world_begin_operation(world, operation));
    world->data[to].len = sizeof world->data[to].bytes;
    if (world->module)
        script_set(world->fx, RIGHT);
    assert_ok(p11_makers[call].make(
        world->p11,
        (const uintptr_t[]){world->session, (uintptr_t)world->data[from].bytes, world->data[from].len,
                            (uintptr_t)world->data[to].bytes, (uintptr_t)&world->data[to].len}));
    bad_world_end_case(world);
}

static void encrypt_to_public(struct bad_world *world, enum bad_data to)
{
    struct bad_bytes *made = &world->data[to];

    bad_world_begin_case(world, true);
    assert_ok(init(world, CALL_C_EncryptInit, MECHANISM_RSA, OBJECT_PUBLIC));
    made->len = sizeof made->bytes;
    assert_ok(
        world->p11->C_Encrypt(world->session, world->data[DATA_TEXT].bytes, 32, made->bytes, &made->len));
    bad_world_end_case(world);
}

void bad_world_make_data(struct bad_world *world)
{
    set_data(world, DATA_TEXT, TEXT);
    world->data[DATA_TEXT].len = 32;
    set_data(world, DATA_PIN, FIXTURE_PIN);
    make(world, DURING_SIGNATURE, CALL_C_Sign, DATA_TEXT, DATA_SIGNATURE);
    make(world, DURING_MAC, CALL_C_Sign, DATA_TEXT, DATA_MAC);
    make(world, DURING_ENCRYPTION, CALL_C_Encrypt, DATA_TEXT, DATA_AES_CIPHERTEXT);
    encrypt_to_public(world, DATA_RSA_CIPHERTEXT);
    encrypt_to_public(world, DATA_WRAPPED);
}

/* ------------------------------------------------------------------ sessions */

static void find_objects(struct bad_world *world)
{
    CK_ATTRIBUTE at = {CKA_EC_POINT, point, sizeof point};

    world->objects[OBJECT_PRIVATE] = key_private(world->p11, world->main, world->rsa);
    world->objects[OBJECT_PRIVATE_EC] = key_private(world->p11, world->main, KEY_PLAIN_EC);
    world->objects[OBJECT_PUBLIC] = key_public(world->p11, world->main, world->rsa);
    world->objects[OBJECT_AES] = key_secret(world->p11, world->main, KEY_AES);
    world->objects[OBJECT_HMAC] = key_secret(world->p11, world->main, KEY_HMAC);
    world->objects[OBJECT_CARRIER] = key_secret(world->p11, world->main, KEY_CARRIER);
    world->objects[OBJECT_EXPORTABLE] = key_private(world->p11, world->main, KEY_EXPORTABLE);
    assert_ok(world->p11->C_GetAttributeValue(world->main, key_public(world->p11, world->main, KEY_PLAIN_EC),
                                              &at, 1));
    ecdh.public_data_len = at.ulValueLen;
}

static CK_SESSION_HANDLE open_session(struct bad_world *world, bool may_write)
{
    CK_SESSION_HANDLE session;

    assert_ok(world->p11->C_OpenSession(world->slot, CKF_SERIAL_SESSION | (may_write ? CKF_RW_SESSION : 0),
                                        NULL, NULL, &session));
    return session;
}

static CK_OBJECT_HANDLE make_object(struct bad_world *world)
{
    CK_OBJECT_HANDLE made;

    assert_ok(world->p11->C_CreateObject(world->session, world->templates[TEMPLATE_OBJECT].attributes,
                                         world->templates[TEMPLATE_OBJECT].count, &made));
    return made;
}

/* The login is as it was, whatever the case before has done. */
void bad_world_ensure_login(struct bad_world *world)
{
    CK_SESSION_INFO info;
    CK_RV rv = world->main ? world->p11->C_GetSessionInfo(world->main, &info) : CKR_SESSION_HANDLE_INVALID;

    if (rv == CKR_SESSION_HANDLE_INVALID)
        world->main = open_session(world, true);
    if (world->mock || (rv == CKR_OK && info.state == CKS_RW_USER_FUNCTIONS))
        return;
    assert_ok(world->p11->C_Login(world->main, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    find_objects(world);
}

void bad_world_begin_case(struct bad_world *world, bool may_write)
{
    set_arguments(world);
    bad_world_ensure_login(world);
    world->session = open_session(world, may_write);
    if (world->mock)
        return;
    world->destroyed = make_object(world);
    assert_ok(world->p11->C_DestroyObject(world->session, world->destroyed));
    world->objects[OBJECT_DATA] = make_object(world);
}

void bad_world_end_case(struct bad_world *world)
{
    (void)world->p11->C_CloseSession(world->session);
    world->session = CK_INVALID_HANDLE;
}

void bad_world_log_out(struct bad_world *world)
{
    assert_ok(world->p11->C_Logout(world->main));
}

CK_ULONG bad_world_count_objects(struct bad_world *world)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;

    if (world->mock)
        return 1;
    assert_ok(world->p11->C_FindObjectsInit(world->main, NULL, 0));
    assert_ok(world->p11->C_FindObjects(world->main, found, 64, &count));
    assert_ok(world->p11->C_FindObjectsFinal(world->main));
    assert_in_range(count, 1, 63);
    return count;
}

void bad_world_open(struct bad_world *world, struct fixture *fx, CK_FUNCTION_LIST *p11, bool module)
{
    world->fx = fx;
    world->p11 = p11;
    world->module = module;
    memset(&world->list, 0, sizeof world->list);
    memcpy(&world->list.C_Initialize, &p11->C_Initialize, P11_CALL_COUNT * sizeof p11->C_Initialize);
    world->slot = backend_slot(p11, CK_TRUE);
    world->main = CK_INVALID_HANDLE;
    set_arguments(world);
    bad_world_ensure_login(world);
}

void bad_world_open_mock(struct bad_world *world, struct fixture *fx)
{
    memset(world, 0, sizeof *world);
    world->fx = fx;
    world->p11 = fx->p11;
    world->list = *p11_v3_functions(fx);
    world->module = world->mock = true;
    world->slot = fx->slot;
    world->main = fx->session;
    world->destroyed = MOCK_OBJECTS - 1; /* the mock has none of this number */
    for (size_t i = 0; i < OBJECTS; i++)
        world->objects[i] = i + 1;
    set_data(world, DATA_TEXT, TEXT);
    set_data(world, DATA_PIN, FIXTURE_PIN);
    set_arguments(world);
}
