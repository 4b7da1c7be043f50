/* What an operation is begun with is what it is done with: another thread of the host that changes the mechanism, its
 * parameters or the data meanwhile changes nothing. On the backend that records, as one that keeps the pointer that it was given. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

#define PIN      "4711-pin"
#define RIGHT    "pin " PIN "\n"
#define LATE     "late 300 " PIN "\n"
#define KEY      1
#define KEY_HIGH 2

static struct fixture fx;
static struct mock_backend *mock;

static int start(void **state)
{
    (void)state;
    mock = mock_reset();
    mock->keeps_mechanisms = true;
    mock->objects[KEY] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[KEY_HIGH] = mock->objects[KEY];
    mock->objects[KEY_HIGH].always_authenticate = CK_TRUE;
    mock_start(&fx, "");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)PIN, strlen(PIN)));
    script_set(&fx, RIGHT);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* ------------------------------------------------------------------ one operation, in a thread */

typedef CK_RV init_function(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);
typedef CK_RV data_function(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);

struct use {
    init_function *init;
    data_function *function;
    CK_MECHANISM mechanism;
    CK_OBJECT_HANDLE key;
    CK_BYTE in[8];
    CK_RV rv;
    pthread_t thread;
};

static void *use_run(void *data)
{
    struct use *use = data;
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    use->rv = use->init(fx.session, &use->mechanism, use->key);
    if (use->rv == CKR_OK)
        use->rv = use->function(fx.session, use->in, sizeof use->in, out, &len);
    return NULL;
}

static void use_start(struct use *use)
{
    assert_int_equal(pthread_create(&use->thread, NULL, use_run, use), 0);
}

static void use_join(struct use *use)
{
    pthread_join(use->thread, NULL);
    assert_ok(use->rv);
}

/* ------------------------------------------------------------------ tests */

static void pss_parameters_are_those_of_the_init_call(void **state)
{
    const CK_RSA_PKCS_PSS_PARAMS before = {CKM_SHA256, CKG_MGF1_SHA256, 32};

    (void)state;
    for (CK_OBJECT_HANDLE key = KEY; key <= KEY_HIGH; key++) {
        CK_RSA_PKCS_PSS_PARAMS pss = before;
        struct use use = {.mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof pss},
                          .init = fx.p11->C_SignInit,
                          .function = fx.p11->C_Sign,
                          .key = key};

        script_set(&fx, LATE);
        use_start(&use);
        script_wait_question(&fx);
        memset(&pss, 0, sizeof pss);
        use.mechanism = (CK_MECHANISM){CKM_RSA_X_509, NULL, 0};
        use_join(&use);
        assert_int_equal(mock->used.type, CKM_RSA_PKCS_PSS);
        assert_int_equal(mock->used.len, sizeof before);
        assert_memory_equal(mock->used.parameter, &before, sizeof before);
    }
}

/* With what the parameters point to. */
static void oaep_parameters_are_those_of_the_init_call(void **state)
{
    CK_BYTE label[] = "the label";
    CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, label, sizeof label};
    struct use use = {.mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep},
                      .init = fx.p11->C_DecryptInit,
                      .function = fx.p11->C_Decrypt,
                      .key = KEY};
    const CK_RSA_PKCS_OAEP_PARAMS *used = (const void *)mock->used.parameter;

    (void)state;
    script_set(&fx, LATE);
    use_start(&use);
    script_wait_question(&fx);
    memset(label, 0, sizeof label);
    use_join(&use);
    assert_string_equal((const char *)mock->used.source, "the label");
    assert_int_equal(used->hash_alg, CKM_SHA_1);
    assert_int_equal(used->source_data_len, sizeof label);
}

/* The window shows the hash of what was there when it was opened. */
static void data_is_what_the_window_was_opened_with(void **state)
{
    const struct {
        init_function *init;
        data_function *function;
    } pairs[] = {{fx.p11->C_SignInit, fx.p11->C_Sign},
                 {fx.p11->C_SignRecoverInit, fx.p11->C_SignRecover},
                 {fx.p11->C_DecryptInit, fx.p11->C_Decrypt}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct use use = {.mechanism = {CKM_RSA_PKCS, NULL, 0},
                          .init = pairs[i].init,
                          .function = pairs[i].function,
                          .key = KEY,
                          .in = "agreed"};

        script_set(&fx, LATE);
        use_start(&use);
        script_wait_question(&fx);
        memcpy(use.in, "another", sizeof use.in);
        use_join(&use);
        assert_string_equal((const char *)mock->seen_data, "agreed");
    }
}

/* The window's words follow the mechanism: raw RSA decryption may be a signature. A thread that changes it while the gate
 * opens its session must not get one mechanism into the window and another into the backend. */
static void window_and_backend_see_one_mechanism(void **state)
{
    struct use use = {.mechanism = {CKM_RSA_PKCS, NULL, 0},
                      .init = fx.p11->C_DecryptInit,
                      .function = fx.p11->C_Decrypt,
                      .key = KEY};
    char *questions;

    (void)state;
    mock->delay_ms[CALL_C_OpenSession] = 200;
    use_start(&use);
    mock_wait_inside(mock, 1);
    use.mechanism.mechanism = CKM_RSA_X_509;
    use_join(&use);
    questions = script_questions(&fx);
    assert_contains(questions, "wants to DECRYPT with your key");
    free(questions);
    assert_int_equal(mock->begun_with, CKM_RSA_PKCS);
    assert_int_equal(mock->used.type, CKM_RSA_PKCS);
}

/* A raw signature may be a decryption: the window says so, as it does of a raw decryption. */
static void window_of_a_raw_operation_says_what_it_may_be(void **state)
{
    const struct {
        init_function *init;
        data_function *function;
    } raw[] = {{fx.p11->C_SignInit, fx.p11->C_Sign},
               {fx.p11->C_SignRecoverInit, fx.p11->C_SignRecover},
               {fx.p11->C_DecryptInit, fx.p11->C_Decrypt}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct use use = {.mechanism = {CKM_RSA_X_509, NULL, 0},
                          .init = raw[i].init,
                          .function = raw[i].function,
                          .key = KEY};
        char *questions;

        script_set(&fx, RIGHT);
        use_run(&use);
        assert_ok(use.rv);
        questions = script_questions(&fx);
        assert_contains(questions, "wants to DECRYPT or SIGN with your key");
        free(questions);
    }
}

static int begin(void **state)
{
    (void)state;
    fixture_begin_bare(&fx);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pss_parameters_are_those_of_the_init_call),
        TEST(oaep_parameters_are_those_of_the_init_call),
        TEST(data_is_what_the_window_was_opened_with),
        TEST(window_and_backend_see_one_mechanism),
        TEST(window_of_a_raw_operation_says_what_it_may_be),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
