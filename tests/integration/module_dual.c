/* C_SignRecover and the dual functions, which the real backend does not have, on the one that records: what reaches the
 * backend, where, in which order, and that nothing does without a consent. */
#include <stdlib.h>
#include <string.h>

#include "support/mock.h"
#include "support/p11_make.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { SECRET = 1, PRIVATE, ENFORCED, CERTIFICATE };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
static CK_BYTE data[] = "data";
static CK_BYTE out[64];
static CK_ULONG out_len;

static void start(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ENFORCED] = mock->objects[PRIVATE];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[CERTIFICATE] = (struct mock_object){.exists = true, .object_class = CKO_CERTIFICATE};
    mock_start(&fx, lines);
    script_set(&fx, "");
    out_len = sizeof out;
}

static void start_logged_in(const char *lines)
{
    start(lines);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)PIN, strlen(PIN)));
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static bool before(enum p11_call first, enum p11_call second)
{
    return mock->order[first] > 0 && mock->order[first] < mock->order[second];
}

/* ------------------------------------------------------------------ C_SignRecover */

static CK_RV sign_recover(CK_BYTE_PTR signature)
{
    out_len = sizeof out;
    return fx.p11->C_SignRecover(fx.session, data, 4, signature, &out_len);
}

static void sign_recover_asks(void **state)
{
    char *questions;

    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SignRecoverInit(fx.session, &rsa, PRIVATE));
    assert_int_not_equal(mock->arguments[CALL_C_SignRecoverInit][0], fx.session);
    assert_ok(sign_recover(NULL)); /* a length query asks nobody */
    assert_int_equal(script_asked(&fx), 0);
    assert_ok(sign_recover(out));
    questions = script_questions(&fx);
    assert_contains(questions, "SIGN");
    free(questions);
    assert_int_equal(script_asked(&fx), 1);
    assert_int_equal(mock->arguments[CALL_C_SignRecover][0], mock->arguments[CALL_C_SignRecoverInit][0]);
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], mock->arguments[CALL_C_SignRecoverInit][0]);
    assert_rv(sign_recover(out), CKR_OPERATION_NOT_INITIALIZED);
}

static void refused_sign_recover_reaches_nobody(void **state)
{
    (void)state;
    start_logged_in("");
    for (int object = PRIVATE; object <= ENFORCED; object++) {
        assert_ok(fx.p11->C_SignRecoverInit(fx.session, &rsa, (CK_OBJECT_HANDLE)object));
        assert_rv(sign_recover(out), CKR_FUNCTION_CANCELED);
        assert_int_equal(mock->calls[CALL_C_SignRecover], 0);
        assert_rv(sign_recover(out), CKR_OPERATION_NOT_INITIALIZED);
    }
}

/* Three kinds of operation at once, each with a consent of its own. */
static void kinds_do_not_share_a_consent(void **state)
{
    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_SignRecoverInit(fx.session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_DecryptInit(fx.session, &rsa, PRIVATE));
    assert_ok(sign_recover(out));
    assert_rv(fx.p11->C_Sign(fx.session, data, 4, out, &out_len), CKR_FUNCTION_CANCELED);
    out_len = sizeof out;
    assert_rv(fx.p11->C_Decrypt(fx.session, data, 4, out, &out_len), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_Sign] + mock->calls[CALL_C_Decrypt], 0);
}

static void sign_recover_waits_for_a_context_login(void **state)
{
    (void)state;
    start_logged_in("prompt = application\n");
    assert_ok(fx.p11->C_SignRecoverInit(fx.session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)PIN, strlen(PIN)));
    assert_ok(sign_recover(out));
    assert_ok(fx.p11->C_SignRecoverInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign_recover(out), CKR_USER_NOT_LOGGED_IN);
}

/* ------------------------------------------------------------------ dual functions */

struct dual {
    enum p11_call call;          /* the dual function */
    enum p11_call first, second; /* what it becomes */
    enum p11_call init;          /* of the protected half */
    enum p11_call protected;     /* that half */
};

static const struct dual duals[] = {
    {CALL_C_SignEncryptUpdate, CALL_C_EncryptUpdate, CALL_C_SignUpdate, CALL_C_SignInit, CALL_C_SignUpdate},
    {CALL_C_DecryptDigestUpdate, CALL_C_DecryptUpdate, CALL_C_DigestUpdate, CALL_C_DecryptInit,
     CALL_C_DecryptUpdate},
    {CALL_C_DecryptVerifyUpdate, CALL_C_DecryptUpdate, CALL_C_VerifyUpdate, CALL_C_DecryptInit,
     CALL_C_DecryptUpdate},
};
#define DUALS (sizeof duals / sizeof duals[0])

static CK_RV dual_begin(const struct dual *dual, CK_OBJECT_HANDLE key)
{
    const uintptr_t v[] = {fx.session, (uintptr_t)&rsa, key};

    return p11_makers[dual->init].make(fx.p11, v);
}

static CK_RV dual_part(const struct dual *dual, CK_BYTE_PTR result)
{
    const uintptr_t v[] = {fx.session, (uintptr_t)data, 4, (uintptr_t)result, (uintptr_t)&out_len};

    out_len = sizeof out;
    return p11_makers[dual->call].make(fx.p11, v);
}

/* Both halves, each where it runs, in their order; the consent once for all parts. */
static void dual_parts_ask_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < DUALS; i++) {
        const struct dual *dual = &duals[i];

        start_logged_in("");
        script_set(&fx, RIGHT);
        assert_ok(dual_begin(dual, PRIVATE));
        assert_ok(dual_part(dual, out));
        assert_ok(dual_part(dual, out));
        assert_int_equal(script_asked(&fx), 1);
        assert_int_equal(mock->calls[dual->call], 0);
        assert_int_equal(mock->calls[dual->first], 2);
        assert_int_equal(mock->calls[dual->second], 2);
        assert_true(before(dual->first, dual->second));
        for (size_t half = 0; half < 2; half++) {
            const enum p11_call call = half ? dual->second : dual->first;

            assert_int_equal(mock->arguments[call][0],
                             call == dual->protected ? mock->arguments[dual->init][0] : fx.session);
        }
        fixture_stop(&fx);
    }
}

/* What the second half gets is what the first gave out. */
static void dual_halves_get_the_right_data(void **state)
{
    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT RIGHT RIGHT);
    for (size_t i = 0; i < DUALS; i++) {
        const struct dual *dual = &duals[i];
        const bool signs = dual->protected == CALL_C_SignUpdate;

        fx.session = fixture_session(&fx);
        assert_ok(dual_begin(dual, PRIVATE));
        assert_ok(dual_part(dual, out));
        assert_int_equal(mock->arguments[dual->first][1], (uintptr_t)data);
        assert_int_equal(mock->arguments[dual->second][1], signs ? (uintptr_t)data : (uintptr_t)out);
        assert_int_equal(mock->arguments[dual->second][2], signs ? 4 : sizeof out);
    }
}

static void refused_dual_part_reaches_no_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < DUALS; i++) {
        start_logged_in("");
        assert_ok(dual_begin(&duals[i], PRIVATE));
        assert_rv(dual_part(&duals[i], out), CKR_FUNCTION_CANCELED);
        assert_int_equal(mock->calls[duals[i].protected], 0);
        assert_int_equal(mock->calls[CALL_C_DigestUpdate] + mock->calls[CALL_C_VerifyUpdate], 0);
        assert_rv(dual_part(&duals[i], out), CKR_OPERATION_NOT_INITIALIZED);
        fixture_stop(&fx);
    }
}

/* The part comes again after CKR_BUFFER_TOO_SMALL, and must be signed, hashed or verified once
 * (PKCS#11 2.40, 5.2). */
static void dual_part_that_does_not_fit_is_left_undone(void **state)
{
    (void)state;
    for (size_t i = 0; i < DUALS; i++) {
        const struct dual *dual = &duals[i];

        start_logged_in("");
        script_set(&fx, RIGHT);
        assert_ok(dual_begin(dual, PRIVATE));
        mock->answers[dual->first] = CKR_BUFFER_TOO_SMALL;
        assert_rv(dual_part(dual, out), CKR_BUFFER_TOO_SMALL);
        assert_int_equal(mock->calls[dual->second], 0);
        mock->answers[dual->first] = CKR_OK;
        assert_ok(dual_part(dual, NULL)); /* nor does a length query do anything */
        assert_int_equal(mock->calls[dual->second], 0);
        assert_ok(dual_part(dual, out));
        assert_int_equal(mock->calls[dual->second], 1);
        assert_int_equal(script_asked(&fx), 1);
        fixture_stop(&fx);
    }
}

static void dual_part_needs_an_operation(void **state)
{
    (void)state;
    start_logged_in("");
    for (size_t i = 0; i < DUALS; i++) {
        assert_rv(dual_part(&duals[i], out), CKR_OPERATION_NOT_INITIALIZED);
        assert_int_equal(mock->calls[duals[i].call], 0);
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

#define TEST(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sign_recover_asks),
        TEST(refused_sign_recover_reaches_nobody),
        TEST(kinds_do_not_share_a_consent),
        TEST(sign_recover_waits_for_a_context_login),
        TEST(dual_parts_ask_once),
        TEST(dual_halves_get_the_right_data),
        TEST(refused_dual_part_reaches_no_key),
        TEST(dual_part_that_does_not_fit_is_left_undone),
        TEST(dual_part_needs_an_operation),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
