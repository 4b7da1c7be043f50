/* Messages (PKCS#11 3.0, 5.11 and 5.14) whose arguments a thread of the host changes while the user reads the
 * window: what the token gets is what was there when the call was made. */
#include <pthread.h>
#include <string.h>

#include "support/mock.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define PRIVATE 1
#define LATE    "late 300 " FIXTURE_PIN "\n"

static struct fixture fx;
static struct mock_backend *mock;
static CK_FUNCTION_LIST_3_0 *v3;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

/* A call on a thread of its own. */
struct call {
    pthread_t thread;
    CK_BYTE parameter[8], associated[8], data[8];
    CK_BYTE result[64];
    CK_ULONG result_len;
    CK_RV rv;
};

static void *sign_whole(void *of)
{
    struct call *call = of;

    call->rv =
        v3->C_SignMessage(fx.session, call->parameter, 8, call->data, 8, call->result, &call->result_len);
    return NULL;
}

static void *sign_begin(void *of)
{
    struct call *call = of;

    call->rv = v3->C_SignMessageBegin(fx.session, call->parameter, 8);
    return NULL;
}

static void *decrypt_whole(void *of)
{
    struct call *call = of;

    call->rv = v3->C_DecryptMessage(fx.session, call->parameter, 8, call->associated, 8, call->data, 8,
                                    call->result, &call->result_len);
    return NULL;
}

static void *decrypt_begin(void *of)
{
    struct call *call = of;

    call->rv = v3->C_DecryptMessageBegin(fx.session, call->parameter, 8, call->associated, 8);
    return NULL;
}

/* Which arguments of the backend's call point to bytes. */
static const struct {
    enum p11_call call;
    void *(*run)(void *);
    size_t bytes[4]; /* ended by 0 */
} cases[] = {
    {CALL_C_SignMessage, sign_whole, {1, 3}},
    {CALL_C_SignMessageBegin, sign_begin, {1}},
    {CALL_C_DecryptMessage, decrypt_whole, {1, 3, 5}},
    {CALL_C_DecryptMessageBegin, decrypt_begin, {1, 3}},
};

static void start(void)
{
    mock = mock_reset();
    mock->version_3 = (CK_VERSION){3, 0};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    v3 = p11_v3_functions(&fx);
    mock_start(&fx, "");
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_ok(v3->C_MessageSignInit(fx.session, &rsa, PRIVATE));
    assert_ok(v3->C_MessageDecryptInit(fx.session, &rsa, PRIVATE));
}

static void arguments_changed_meanwhile_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct call call = {
            .parameter = "seen...", .associated = "seen...", .data = "seen...", .result_len = 64};

        start();
        script_set(&fx, LATE);
        assert_int_equal(pthread_create(&call.thread, NULL, cases[i].run, &call), 0);
        script_wait_question(&fx);
        memcpy(call.parameter, "swapped", 8);
        memcpy(call.associated, "swapped", 8);
        memcpy(call.data, "swapped", 8);
        pthread_join(call.thread, NULL);
        assert_ok(call.rv);
        assert_int_equal(mock->calls[cases[i].call], 1);
        for (size_t n = 0; n < 4 && cases[i].bytes[n]; n++)
            assert_memory_equal(mock->message_bytes[cases[i].bytes[n]], "seen...", 8);
        fixture_stop(&fx);
    }
}

/* 5.9.2: what the token has put into the parameter, a nonce or a tag, reaches the program. */
static void token_answers_in_the_parameter(void **state)
{
    struct call call = {.parameter = "given..", .data = "message", .result_len = 64};

    (void)state;
    start();
    script_set(&fx, "pin " FIXTURE_PIN "\npin " FIXTURE_PIN "\n");
    mock->message_parameter = "nonce..";
    sign_whole(&call);
    assert_ok(call.rv);
    assert_memory_equal(call.parameter, "nonce..", 8);
    memcpy(call.parameter, "given..", 8);
    decrypt_begin(&call);
    assert_ok(call.rv);
    assert_memory_equal(call.parameter, "nonce..", 8);
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

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_changed_meanwhile_do_not_matter),
        TEST(token_answers_in_the_parameter),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
