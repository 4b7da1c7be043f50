#include "faults/scenario_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/answers.h"
#include "fuzz/fuzz.h"
#include "fuzz/judge.h"
#include "fuzz/module_token.h"
#include "fuzz/module_user.h"
#include "fuzz/module_world.h"

static CK_FUNCTION_LIST_3_0 *const p11 = &dispatch_list_3_0;

/* A ledger that is required; wrong PINs are counted. */
const struct scenario_world scenario_worlds[] = {
    {"level high, with a grace", {8 | 32, 1 | 2 | 4, TOKEN_HAS_NO_MESSAGES}, SCENARIO_KEYS},
    {"level high, without a grace", {0 | 32, 1 | 2 | 4, TOKEN_HAS_NO_MESSAGES | TOKEN_HAS_NO_LENGTHS}, SCENARIO_KEYS},
    {"level medium", {2 | 32, 1 | 2 | 4 | 8, TOKEN_HAS_NO_MESSAGES}, SCENARIO_KEYS},
    {"the application asks", {4, 1 | 2 | 4, TOKEN_HAS_NO_MESSAGES}, SCENARIO_KEYS},
    {"messages of 3.0", {8, 1 | 2 | 4, 0}, SCENARIO_MESSAGES},
    {"PINs and batches", {0, 1 | 2 | 4, TOKEN_HAS_NO_MESSAGES}, SCENARIO_PINS},
};
const unsigned scenario_world_count = sizeof scenario_worlds / sizeof scenario_worlds[0];

static struct scenario_step steps[SCENARIO_STEPS_MAX];
static unsigned step_count;
static CK_SESSION_HANDLE session, second;
static void (*after_step)(const struct scenario_step *step);
static void (*settle_step)(void);
static enum scenario_part played;
static CK_BBOOL yes = CK_TRUE;

CK_SESSION_HANDLE scenario_session(void)
{
    return session;
}

/* The call goes on record, and what must hold after it is looked at. */
CK_RV scenario_call_end(enum p11_call call, CK_RV rv, CK_RV expected)
{
    if (settle_step)
        settle_step();
    judge_call_end();
    fuzz_require(step_count < SCENARIO_STEPS_MAX, "the scenario has room for its steps");
    steps[step_count] = (struct scenario_step){call, rv, rv == expected};
    token_check();
    if (after_step)
        after_step(&steps[step_count]);
    step_count++;
    return rv;
}

void scenario_call_begin(void)
{
    judge_call_begin(token_session_serial(session));
}

#define DO(...) SCENARIO_DO(__VA_ARGS__)

/* ------------------------------------------------------------------ beginning and ending */

static CK_SESSION_HANDLE open_session(void)
{
    CK_SESSION_HANDLE opened = CK_INVALID_HANDLE;

    judge_call_begin(0);
    (void)scenario_call_end(CALL_C_OpenSession,
                            p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &opened), CKR_OK);
    return opened;
}

static void log_in(void)
{
    CK_UTF8CHAR name[] = "user";

    if (played == SCENARIO_MESSAGES)
        (void)DO(C_LoginUser, session, CKU_USER, NULL, 0, name, sizeof name - 1);
    else if (judge_rules()->application_asks)
        (void)DO(C_Login, session, CKU_USER, (CK_BYTE_PTR)FUZZ_SECRET, strlen(FUZZ_SECRET));
    else
        (void)DO(C_Login, session, CKU_USER, NULL, 0);
}

static void begin_all(void)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_SLOT_ID slots[4];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    CK_TOKEN_INFO info;
    CK_SESSION_INFO state;

    session = second = CK_INVALID_HANDLE;
    (void)DO(C_Initialize, &args);
    (void)DO(C_GetSlotList, CK_TRUE, slots, &count);
    (void)DO(C_GetTokenInfo, 0, &info);
    if (played == SCENARIO_PINS)
        scenario_init_token();
    session = open_session();
    second = open_session();
    (void)DO(C_GetSessionInfo, session, &state);
    log_in();
}

void scenario_log_out(void)
{
    const CK_RV rv = DO(C_Logout, session);

    if (rv == CKR_OK)
        judge_logged_out();
}

static void end_all(void)
{
    scenario_log_out();
    (void)DO(C_CloseSession, second);
    (void)DO(C_CloseSession, session);
    judge_call_begin(0);
    (void)scenario_call_end(CALL_C_Finalize, p11->C_Finalize(NULL), CKR_OK);
    judge_logged_out();
    fuzz_require(token_sessions() == 0, "no session is left when the module has ended");
}

/* ------------------------------------------------------------------ looking */

static void find(void)
{
    CK_ATTRIBUTE template = {CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes};
    CK_OBJECT_HANDLE objects[3];
    CK_BYTE label[64];
    CK_BBOOL always = CK_FALSE;
    CK_ATTRIBUTE wanted[] = {{CKA_LABEL, label, sizeof label}, {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always}};
    CK_ULONG count = 0;

    (void)DO(C_FindObjectsInit, session, &template, 1);
    (void)DO(C_FindObjects, session, objects, 3, &count);
    (void)DO(C_FindObjectsFinal, session);
    (void)DO(C_FindObjectsInit, session, NULL, 0);
    (void)DO(C_FindObjects, session, objects, 3, &count);
    (void)DO(C_FindObjectsFinal, session);
    (void)DO(C_GetAttributeValue, session, TOKEN_BETA, wanted, 2);
}

/* ------------------------------------------------------------------ using keys */

/* Where the application asks, it does so as the standard says: between Init and the data. */
static void present_pin(void)
{
    CK_RV rv;

    if (!judge_rules()->application_asks)
        return;
    scenario_call_begin();
    rv = p11->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FUZZ_SECRET, strlen(FUZZ_SECRET));
    if (rv == CKR_OK)
        judge_presented();
    (void)scenario_call_end(CALL_C_Login, rv, CKR_OK);
}

void scenario_sign(CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "what is signed", out[64];
    CK_ULONG len = 0;

    (void)DO(C_SignInit, session, &mechanism, key);
    (void)DO(C_Sign, session, data, sizeof data, NULL, &len);
    present_pin();
    len = sizeof out;
    (void)DO(C_Sign, session, data, sizeof data, out, &len);
}

static void sign_in_parts(CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_BYTE data[] = "what is signed", out[64];
    CK_ULONG len = sizeof out;

    (void)DO(C_SignInit, session, &mechanism, key);
    present_pin();
    (void)DO(C_SignUpdate, session, data, sizeof data);
    (void)DO(C_SignFinal, session, out, &len);
}

static void decrypt(CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE data[32] = "what is decrypted", out[64];
    CK_ULONG len = sizeof out;

    (void)DO(C_DecryptInit, session, &mechanism, key);
    present_pin();
    (void)DO(C_Decrypt, session, data, sizeof data, out, &len);
}

static void unwrap_and_wrap(void)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0}, wrapping = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_AES;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_KEY_TYPE, &key_type, sizeof key_type}};
    CK_BYTE data[32] = "what is unwrapped", out[64];
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    CK_ULONG len = sizeof out;

    present_pin();
    (void)DO(C_UnwrapKey, session, &mechanism, TOKEN_ALPHA, data, sizeof data, template, 2, &made);
    if (judge_rules()->export_asks)
        (void)DO(C_WrapKey, session, &wrapping, TOKEN_CARRIER, TOKEN_LEAVES, out, &len);
}

static void derive(void)
{
    CK_BYTE point[] = {4, 1, 2};
    CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, sizeof point, point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;

    present_pin();
    (void)DO(C_DeriveKey, session, &mechanism, TOKEN_MEDIUM, NULL, 0, &made);
}

/* ------------------------------------------------------------------ making and deleting */

static void make_and_delete(void)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public_template = {CKA_LABEL, "new", 3};
    CK_ATTRIBUTE private_template[] = {{CKA_LABEL, "new", 3}, {CKA_TOKEN, &yes, sizeof yes}, {CKA_SIGN, &yes, sizeof yes}};
    CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;

    (void)DO(C_GenerateKeyPair, session, &mechanism, &public_template, 1, private_template, 3, &public_key, &private_key);
    scenario_sign(private_key);
    (void)DO(C_DestroyObject, session, private_key);
    (void)DO(C_DestroyObject, session, public_key);
}

static void use_keys(void)
{
    find();
    scenario_sign(TOKEN_ALPHA);
    scenario_sign(TOKEN_ALPHA);
    scenario_sign(TOKEN_BETA);
    sign_in_parts(TOKEN_BETA);
    decrypt(TOKEN_ALPHA);
    decrypt(TOKEN_BETA);
    unwrap_and_wrap();
    derive();
    make_and_delete();
}

void scenario_play(const struct scenario_world *world, void (*after)(const struct scenario_step *step))
{
    static struct fuzz_input agreeing; /* each answer is 0: the user agrees */
    struct fuzz_input bytes = {world->bytes, sizeof world->bytes};

    after_step = after;
    played = world->part;
    step_count = 0;
    world_begin(&bytes);
    user_begin(&agreeing, NULL);
    begin_all();
    if (played == SCENARIO_KEYS)
        use_keys();
    else if (played == SCENARIO_MESSAGES)
        scenario_messages();
    else
        scenario_pins();
    end_all();
    world_end();
}

bool scenario_tries_all(void)
{
    const char *form = getenv("PINWARD_FAULTS");

    return form && strcmp(form, "all") == 0;
}

void scenario_settle_with(void (*settle)(void))
{
    settle_step = settle;
}

unsigned scenario_steps(void)
{
    return step_count;
}

const struct scenario_step *scenario_step(unsigned number)
{
    return &steps[number];
}

bool scenario_went_well(void)
{
    for (unsigned i = 0; i < step_count; i++) {
        if (steps[i].well)
            continue;
        fprintf(stderr, "# step %u, %s, answered 0x%lx\n", i, answers_name(steps[i].call), steps[i].rv);
        return false;
    }
    return step_count > 0;
}

CK_SESSION_HANDLE scenario_second_session(void)
{
    return second;
}
