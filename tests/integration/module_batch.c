/* Batch consent (include/pinward.h): what is asked, what one PIN entry covers, and when that is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/fixture.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT  "pin " FIXTURE_PIN "\n"
#define WRONG  "pin 000000\n"
#define LEDGER "state/pinward/ledger.jsonl"

static struct fixture fx;
static struct use_result result;
static const struct pinward_consent_functions *consent;

/* Logged in with a PIN that is no consent: what is used is asked for. */
static void begin(const char *lines, const char *answers)
{
    fixture_start_logged_in(&fx, lines);
    folder_unlink(fx.folder, LEDGER);
    folder_unlink(fx.folder, LEDGER ".head");
    script_set(&fx, answers);
    consent = batch_functions(&fx);
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static CK_RV sign(const char *label)
{
    return use_sign(&fx, fx.session, key_private(fx.p11, fx.session, label), &result);
}

static CK_STATE session_state(void)
{
    CK_SESSION_INFO info;

    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    return info.state;
}

/* ------------------------------------------------------------------ what is asked, and covered */

static void covers_so_many_uses_and_no_more(void **state)
{
    CK_ULONG batch = 0;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 3, 60, &batch));
    assert_int_not_equal(batch, 0);
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(sign(KEY_HIGH_RSA));
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &result));
    assert_ok(sign(KEY_PLAIN_RSA)); /* that the gate checks by itself */
    assert_ok(sign(KEY_HIGH_RSA));
    assert_int_equal(script_asked(&fx), 0);
    assert_int_equal(batch_count(&fx), 0);
    assert_rv(sign(KEY_HIGH_RSA), CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&result));
    assert_int_equal(script_asked(&fx), 1);
}

static void covers_decryption(void **state)
{
    struct use_result message;
    CK_ULONG batch;

    (void)state;
    begin("", RIGHT);
    use_encrypt(&fx, KEY_PLAIN_RSA, &message);
    assert_ok(batch_request(&fx, 1, 60, &batch));
    assert_ok(use_decrypt_init(&fx, fx.session, key_private(fx.p11, fx.session, KEY_PLAIN_RSA)));
    assert_ok(use_decrypt_data(&fx, fx.session, &message, &result));
    assert_true(use_data_is_right(&result));
    assert_int_equal(script_asked(&fx), 1);
}

static void window_says_what_is_agreed_to(void **state)
{
    CK_ULONG batch;
    char *questions;

    (void)state;
    begin("", RIGHT RIGHT);
    assert_ok(batch_request(&fx, 3, 90, &batch));
    questions = script_questions(&fx);
    assert_contains(questions, "SEVERAL TIMES");
    assert_contains(questions, BATCH_PURPOSE);
    assert_contains(questions, "at most 3 times");
    assert_contains(questions, "at most 90 s");
    assert_contains(questions, FIXTURE_TOKEN);
    assert_contains(questions, "(process");
    assert_not_contains(questions, "log in");
    free(questions);
    assert_ok(batch_request(&fx, 1, 120, &batch));
    questions = script_questions(&fx);
    assert_contains(questions, "at most 2 min");
    free(questions);
}

static void does_not_cover_deletion(void **state)
{
    struct key_wish wish = key_wish_new("to be deleted");
    CK_OBJECT_HANDLE public_key, private_key;
    CK_ULONG batch;

    (void)state;
    begin("", RIGHT);
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    assert_ok(batch_request(&fx, 5, 60, &batch));
    assert_rv(fx.p11->C_DestroyObject(fx.session, private_key), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
    assert_int_equal(batch_count(&fx), 1);
}

static void covers_confirmations(void **state)
{
    CK_ULONG batch;

    (void)state;
    begin("level = medium\n", RIGHT);
    assert_ok(batch_request(&fx, 1, 60, &batch));
    assert_ok(sign(KEY_PLAIN_RSA));
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(sign(KEY_PLAIN_RSA), CKR_FUNCTION_REJECTED);
}

static void logs_in_with_the_same_entry(void **state)
{
    CK_ULONG batch;
    char *questions;

    (void)state;
    fixture_start(&fx, "");
    consent = batch_functions(&fx);
    script_set(&fx, RIGHT);
    assert_ok(batch_request(&fx, 1, 60, &batch));
    questions = script_questions(&fx);
    assert_contains(questions, "log in to your token");
    free(questions);
    assert_int_equal(session_state(), CKS_RW_USER_FUNCTIONS);
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    assert_ok(sign(KEY_HIGH_RSA));
    assert_int_equal(script_asked(&fx), 1);
    assert_rv(sign(KEY_HIGH_RSA), CKR_FUNCTION_CANCELED); /* the login has no grace besides */
}

/* ------------------------------------------------------------------ when it is not given */

static void refused_leaves_nothing(void **state)
{
    CK_ULONG batch = 42;

    (void)state;
    fixture_start(&fx, "");
    consent = batch_functions(&fx);
    script_set(&fx, "cancel\n" WRONG WRONG WRONG);
    assert_rv(batch_request(&fx, 1, 60, &batch), CKR_FUNCTION_CANCELED);
    assert_rv(batch_request(&fx, 1, 60, &batch), CKR_PIN_INCORRECT);
    assert_true(script_used_up(&fx));
    assert_int_equal(batch, 42);
    assert_int_equal(batch_count(&fx), 0);
    assert_int_equal(session_state(), CKS_RW_PUBLIC_SESSION);
}

static void wrong_pin_is_asked_again_and_counted(void **state)
{
    CK_TOKEN_INFO token;
    CK_ULONG batch;

    (void)state;
    begin("", WRONG RIGHT);
    assert_ok(batch_request(&fx, 1, 60, &batch));
    assert_int_equal(script_asked(&fx), 2);
    fixture_stop(&fx);
    begin("", WRONG "cancel\n");
    assert_rv(batch_request(&fx, 1, 60, &batch), CKR_FUNCTION_CANCELED);
    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &token));
    assert_true(token.flags & CKF_USER_PIN_COUNT_LOW);
    script_set(&fx, RIGHT);
    assert_ok(sign(KEY_PLAIN_RSA));
}

static void bad_arguments_ask_nobody(void **state)
{
    static const struct {
        CK_ULONG uses, time_s;
        const char *purpose;
        CK_ULONG len;
    } bad[] = {
        {0, 60, "purpose", 7},      {1, 0, "purpose", 7},   {11, 60, "purpose", 7},   {1, 61, "purpose", 7},
        {1, 60, NULL, 7},           {1, 60, "purpose", 0},  {1, 60, "a\nb", 3},       {1, 60, "a\0b", 3},
        {1, 60, "\xe2\x80\xae", 3}, {1, 60, "\xff\xfe", 2}, {~0UL, 60, "purpose", 7}, {1, ~0UL, "purpose", 7},
    };
    char too_long[PINWARD_PURPOSE_MAX + 1];
    CK_ULONG batch = 42;

    (void)state;
    begin("batch-uses = 10\nbatch-time = 60s\n", RIGHT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_rv(consent->request_batch(fx.session, bad[i].uses, bad[i].time_s,
                                         (const CK_UTF8CHAR *)bad[i].purpose, bad[i].len, &batch),
                  CKR_ARGUMENTS_BAD);
    memset(too_long, 'x', sizeof too_long);
    assert_rv(consent->request_batch(fx.session, 1, 1, (CK_UTF8CHAR *)too_long, sizeof too_long, &batch),
              CKR_ARGUMENTS_BAD);
    assert_rv(batch_request(&fx, 1, 60, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(consent->request_batch(9999, 1, 60, (const CK_UTF8CHAR *)"p", 1, &batch),
              CKR_SESSION_HANDLE_INVALID);
    assert_rv(consent->list_batches(fx.session, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(consent->get_limits(fx.session, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(consent->revoke_batch(fx.session, 42), CKR_ARGUMENTS_BAD);
    assert_int_equal(script_asked(&fx), 0);
    assert_int_equal(batch, 42);
    assert_ok(
        consent->request_batch(fx.session, 10, 60, (CK_UTF8CHAR *)too_long, PINWARD_PURPOSE_MAX, &batch));
}

static void limits_are_the_configured(void **state)
{
    CK_ULONG uses = 0, time_s = 0;

    (void)state;
    begin("batch-uses = 7\nbatch-time = 2m\n", "");
    assert_ok(consent->get_limits(fx.session, &uses, &time_s));
    assert_int_equal(uses, 7);
    assert_int_equal(time_s, 120);
}

static void there_are_none_where_the_gate_does_not_ask(void **state)
{
    static const char *const lines[] = {"prompt = application\n", "batch-uses = 0\n"};
    CK_ULONG batch = 42, n = 42;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(lines[i], RIGHT);
        assert_rv(batch_request(&fx, 1, 1, &batch), CKR_FUNCTION_NOT_SUPPORTED);
        assert_rv(consent->get_limits(fx.session, &n, &n), CKR_FUNCTION_NOT_SUPPORTED);
        assert_rv(consent->list_batches(fx.session, NULL, &n), CKR_FUNCTION_NOT_SUPPORTED);
        assert_rv(consent->revoke_batch(fx.session, PINWARD_ALL_BATCHES), CKR_FUNCTION_NOT_SUPPORTED);
        assert_int_equal(script_asked(&fx), 0);
        assert_int_equal(n, 42);
        fixture_stop(&fx);
    }
}

static void security_officer_has_none(void **state)
{
    CK_ULONG batch;

    (void)state;
    fixture_start(&fx, "");
    lacks_security_officer(&fx, __func__);
    consent = batch_functions(&fx);
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_UTF8CHAR *)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    assert_rv(batch_request(&fx, 1, 1, &batch), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 0);
}

static void nothing_without_initialisation(void **state)
{
    CK_ULONG n = 42;

    (void)state;
    begin("", "");
    assert_ok(fx.p11->C_Finalize(NULL));
    assert_rv(batch_request(&fx, 1, 1, &n), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(consent->get_limits(fx.session, &n, &n), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(consent->list_batches(fx.session, NULL, &n), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(consent->revoke_batch(fx.session, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(n, 42);
}

/* ------------------------------------------------------------------ on record */

static void ledger_tells_the_batch_and_its_uses(void **state)
{
    char expected[160];
    CK_ULONG batch;
    char *ledger;

    (void)state;
    begin("", RIGHT);
    assert_ok(batch_request(&fx, 2, 60, &batch));
    assert_ok(sign(KEY_HIGH_RSA));
    ledger = folder_read(fx.folder, LEDGER);
    snprintf(expected, sizeof expected,
             "\"operation\":\"batch\",\"data\":null,\"verdict\":\"allowed\",\"how\":\"asked\"");
    assert_contains(ledger, expected);
    snprintf(expected, sizeof expected,
             "\"batch\":%lu,\"purpose\":\"" BATCH_PURPOSE "\",\"uses\":2,\"time_s\":60", batch);
    assert_contains(ledger, expected);
    snprintf(
        expected, sizeof expected,
        "\"verdict\":\"allowed\",\"how\":\"batch\",\"rv\":\"0x00000000\",\"batch\":%lu,\"prev\":", batch);
    assert_contains(ledger, expected);
    assert_not_contains(ledger, FIXTURE_PIN);
    free(ledger);
}

static void not_recorded_is_not_given(void **state)
{
    CK_ULONG batch = 42;

    (void)state;
    fixture_configure(&fx, "[ledger]\nfile = /proc/no-ledger/here\n");
    assert_ok(fx.p11->C_Initialize(NULL));
    fx.session = fixture_session(&fx);
    consent = batch_functions(&fx);
    script_set(&fx, RIGHT);
    assert_rv(batch_request(&fx, 1, 60, &batch), CKR_FUNCTION_FAILED);
    assert_int_equal(batch, 42);
    assert_int_equal(batch_count(&fx), 0);
    assert_int_equal(session_state(), CKS_RW_PUBLIC_SESSION);
}

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(covers_so_many_uses_and_no_more),
        TEST(covers_decryption),
        TEST(window_says_what_is_agreed_to),
        TEST(does_not_cover_deletion),
        TEST(covers_confirmations),
        TEST(logs_in_with_the_same_entry),
        TEST(refused_leaves_nothing),
        TEST(wrong_pin_is_asked_again_and_counted),
        TEST(bad_arguments_ask_nobody),
        TEST(limits_are_the_configured),
        TEST(there_are_none_where_the_gate_does_not_ask),
        TEST(security_officer_has_none),
        TEST(nothing_without_initialisation),
        TEST(ledger_tells_the_batch_and_its_uses),
        TEST(not_recorded_is_not_given),
    };
    int failed;

    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fixture_end(&fx);
    return failed;
}
