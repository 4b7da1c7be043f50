/* prompt = module: the protected path. Who may log in, what the login covers, and what applications are
 * shown. */
#include <stdlib.h>
#include <string.h>

#include "support/backend_direct.h"
#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/lacks.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
#define WRONG "pin 000000\n"

static struct fixture fx;
static struct use_result signature;

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_OBJECT_HANDLE key(const char *label)
{
    return key_private(fx.p11, fx.session, label);
}

static CK_RV login_asking(void)
{
    return fx.p11->C_Login(fx.session, CKU_USER, NULL, 0);
}

static CK_STATE session_state(void)
{
    CK_SESSION_INFO info;

    assert_ok(fx.p11->C_GetSessionInfo(fx.session, &info));
    return info.state;
}

/* ------------------------------------------------------------------ logging in */

static void null_pin_asks(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, WRONG RIGHT);
    assert_ok(login_asking());
    assert_int_equal(script_asked(&fx), 2);
    assert_int_equal(session_state(), CKS_RW_USER_FUNCTIONS);
    assert_rv(login_asking(), CKR_USER_ALREADY_LOGGED_IN);
    assert_rv(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 0);
}

static void refused_login_logs_nobody_in(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, "cancel\n" WRONG WRONG WRONG);
    assert_rv(login_asking(), CKR_FUNCTION_CANCELED);
    assert_rv(login_asking(), CKR_PIN_INCORRECT);
    assert_true(script_used_up(&fx));
    assert_int_equal(session_state(), CKS_RW_PUBLIC_SESSION);
}

static void security_officer_logs_in(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    lacks_security_officer(&fx, __func__);
    script_set(&fx, "pin " FIXTURE_SO_PIN "\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, NULL, 0));
    assert_int_equal(session_state(), CKS_RW_SO_FUNCTIONS);
}

static void bad_login_arguments_ask_nobody(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT);
    assert_rv(fx.p11->C_Login(fx.session, 7, NULL, 0), CKR_USER_TYPE_INVALID);
    assert_rv(fx.p11->C_Login(99999, CKU_USER, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(script_asked(&fx), 0);
}

/* ------------------------------------------------------------------ what a login covers */

static void grace_covers_one_use(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        const char *label = n == 0 ? KEY_HIGH_RSA : KEY_PLAIN_RSA;

        fixture_start(&fx, "");
        script_set(&fx, RIGHT);
        assert_ok(login_asking());
        assert_ok(use_sign(&fx, fx.session, key(label), &signature));
        assert_true(use_signature_is_good(&fx, label, &signature));
        assert_int_equal(script_asked(&fx), 1);
        assert_rv(use_sign(&fx, fx.session, key(label), &signature), CKR_FUNCTION_CANCELED);
        assert_true(use_result_is_untouched(&signature));
        fixture_stop(&fx);
    }
}

static void grace_is_not_used_up_by_a_length_query(void **state)
{
    CK_ULONG len;

    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    assert_ok(use_sign_init(&fx, fx.session, key(KEY_HIGH_RSA)));
    assert_ok(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR)USE_DATA, USE_DATA_LEN, NULL, &len));
    assert_ok(use_sign_data(&fx, fx.session, &signature));
    assert_int_equal(script_asked(&fx), 1);
}

static void grace_does_not_cover_deletion(void **state)
{
    struct key_wish wish = key_wish_new("to be deleted");
    CK_OBJECT_HANDLE public_key, private_key;

    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT "cancel\n");
    assert_ok(login_asking());
    wish.on_token = false;
    assert_ok(key_make_ec(fx.p11, fx.session, &wish, &public_key, &private_key));
    assert_rv(fx.p11->C_DestroyObject(fx.session, private_key), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
    /* And is not used up by it. */
    assert_ok(use_sign_ec(&fx, fx.session, private_key, &signature));
    assert_int_equal(script_asked(&fx), 0);
}

static void grace_runs_out(void **state)
{
    (void)state;
    fixture_start(&fx, "login-grace = 1s\n");
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    process_sleep_ms(1100);
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
}

static void grace_can_be_switched_off(void **state)
{
    char *questions;

    (void)state;
    fixture_start(&fx, "login-grace = 0\n");
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    questions = script_questions(&fx);
    assert_not_contains(questions, "first use");
    free(questions);
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
}

static void own_pin_of_the_application_gives_no_grace(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "");
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 2);
}

static void grace_ends_with_the_login(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);

    /* And with the last session. */
    assert_ok(fx.p11->C_Logout(fx.session));
    script_set(&fx, RIGHT);
    assert_ok(login_asking());
    assert_ok(fx.p11->C_CloseSession(fx.session));
    fx.session = fixture_session(&fx);
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
    assert_rv(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature), CKR_FUNCTION_CANCELED);
}

/* ------------------------------------------------------------------ a context-specific login */

/* The user is asked at once, whatever PIN the application brings, and not a second time. */
static void context_login_asks_the_user(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    for (int n = 0; n < 2; n++) {
        const char *label = n == 0 ? KEY_HIGH_RSA : KEY_PLAIN_RSA;

        script_set(&fx, "cancel\n" RIGHT);
        assert_ok(use_sign_init(&fx, fx.session, key(label)));
        assert_rv(
            fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)),
            CKR_FUNCTION_CANCELED);
        assert_ok(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR) "nonsense", 8));
        assert_int_equal(script_asked(&fx), 2);
        assert_ok(use_sign_data(&fx, fx.session, &signature));
        assert_true(use_signature_is_good(&fx, label, &signature));
        assert_int_equal(script_asked(&fx), 0);
    }
}

/* ------------------------------------------------------------------ what applications are shown */

static void token_shows_a_protected_path(void **state)
{
    CK_TOKEN_INFO info;

    (void)state;
    fixture_start(&fx, "");
    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    assert_true(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH);
    assert_rv(fx.p11->C_GetTokenInfo(999, &info), CKR_SLOT_ID_INVALID);
}

static void no_key_shows_that_it_wants_a_pin(void **state)
{
    CK_OBJECT_HANDLE high;
    CK_OBJECT_CLASS object_class = 0;
    CK_BBOOL value = 2;
    CK_BBOOL sensitive = 2;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class},
                               {CKA_ALWAYS_AUTHENTICATE, &value, sizeof value},
                               {CKA_SENSITIVE, &sensitive, sizeof sensitive}};

    (void)state;
    isolated_lacks(__func__, "p11-kit's client answers for buffers that are too small");
    fixture_start_logged_in(&fx, "");
    high = key(KEY_HIGH_RSA);
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, high, template, 3));
    assert_int_equal(value, CK_FALSE);
    assert_int_equal(object_class, CKO_PRIVATE_KEY);
    assert_int_equal(sensitive, CK_TRUE);

    template[1].pValue = NULL;
    template[1].ulValueLen = 77;
    assert_ok(fx.p11->C_GetAttributeValue(fx.session, high, template, 3));
    assert_int_equal(template[1].ulValueLen, sizeof value);

    template[1].pValue = &value;
    template[1].ulValueLen = 0;
    value = 2;
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, high, template, 3), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(template[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(value, 2);
    assert_int_equal(template[2].ulValueLen, sizeof sensitive);
}

/* What the backend cannot say of one attribute does not hide the others (5.7, C_GetAttributeValue). */
static void mixed_templates_are_answered_whole(void **state)
{
    CK_BYTE exponent[512], label[32];
    CK_BBOOL value = 2;
    CK_ATTRIBUTE template[] = {{CKA_PRIVATE_EXPONENT, exponent, sizeof exponent},
                               {CKA_ALWAYS_AUTHENTICATE, &value, sizeof value},
                               {CKA_LABEL, label, sizeof label}};

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol does not carry a buffer's length of -1");
    fixture_start_logged_in(&fx, "");
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, key(KEY_HIGH_RSA), template, 3),
              CKR_ATTRIBUTE_SENSITIVE);
    assert_int_equal(template[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    assert_int_equal(value, CK_FALSE);
    assert_int_equal(template[2].ulValueLen, strlen(KEY_HIGH_RSA));
    assert_memory_equal(label, KEY_HIGH_RSA, strlen(KEY_HIGH_RSA));

    /* Only of private keys is anything changed. */
    template[1].ulValueLen = sizeof value;
    assert_int_not_equal(fx.p11->C_GetAttributeValue(fx.session, key_public(fx.p11, fx.session, KEY_HIGH_RSA),
                                                     &template[1], 1),
                         CKR_OK);
    assert_rv(fx.p11->C_GetAttributeValue(99999, 1, &template[1], 1), CKR_SESSION_HANDLE_INVALID);
    assert_rv(fx.p11->C_GetAttributeValue(fx.session, 99999, &template[1], 1), CKR_OBJECT_HANDLE_INVALID);
}

/* ------------------------------------------------------------------ PINs of the token */

static void changed_pin_is_the_one_that_counts(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT "repeat 123-new-pin\npin 123-new-pin\npin 123-new-pin\n");
    assert_ok(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0));
    assert_int_equal(script_asked(&fx), 2);
    assert_ok(use_sign(&fx, fx.session, key(KEY_HIGH_RSA), &signature));
    assert_ok(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature));
    assert_int_equal(script_asked(&fx), 2);
    script_set(&fx, RIGHT RIGHT RIGHT);
    assert_rv(use_sign(&fx, fx.session, key(KEY_PLAIN_RSA), &signature), CKR_FUNCTION_REJECTED);
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR) "123-new-pin", 11, (CK_BYTE_PTR)FIXTURE_PIN,
                               strlen(FIXTURE_PIN)));
}

/* A pinentry without a second field is asked twice; two that differ are asked for again. */
static void new_pin_is_typed_twice(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, RIGHT "pin 123-new-pin\npin 123-other\npin 123-new-pin\npin 123-new-pin\n");
    assert_ok(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0));
    assert_true(script_used_up(&fx));
    assert_int_equal(script_asked(&fx), 5);
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR) "123-new-pin", 11, (CK_BYTE_PTR)FIXTURE_PIN,
                               strlen(FIXTURE_PIN)));
    script_set(&fx, RIGHT "cancel\n");
    assert_rv(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0), CKR_FUNCTION_CANCELED);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void security_officer_sets_the_pin(void **state)
{
    (void)state;
    fixture_start(&fx, "");
    script_set(&fx, "");
    assert_rv(fx.p11->C_InitPIN(fx.session, NULL, 0), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 0);
    lacks_security_officer(&fx, __func__);
    assert_ok(fx.p11->C_Login(fx.session, CKU_SO, (CK_BYTE_PTR)FIXTURE_SO_PIN, strlen(FIXTURE_SO_PIN)));
    script_set(&fx, "repeat " FIXTURE_PIN "\n");
    assert_ok(fx.p11->C_InitPIN(fx.session, NULL, 0));
    assert_int_equal(script_asked(&fx), 1);
    assert_ok(fx.p11->C_Logout(fx.session));
    assert_ok(fixture_login(&fx, FIXTURE_PIN));
}

static void new_token_is_made_asking(void **state)
{
    CK_UTF8CHAR label[32];
    CK_SLOT_ID slot;
    char *questions;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client reads a label to a NUL, which PKCS#11 does not want there");
    fixture_start(&fx, "");
    lacks_empty_slot(&fx, __func__);
    memset(label, ' ', sizeof label);
    memcpy(label, "Second", 6);
    slot = backend_slot(fx.p11, CK_FALSE);
    script_set(&fx, "cancel\nrepeat " FIXTURE_SO_PIN "\n");
    assert_rv(fx.p11->C_InitToken(slot, NULL, 0, label), CKR_FUNCTION_CANCELED);
    assert_ok(fx.p11->C_InitToken(slot, NULL, 0, label));
    questions = script_questions(&fx);
    assert_contains(questions, "security officer");
    free(questions);
    assert_int_equal(script_asked(&fx), 2);
}

static int begin(void **state)
{
    (void)state;
    fixture_begin(&fx, KEYS_HIGH_RSA | KEYS_PLAIN_RSA);
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
        TEST(null_pin_asks),
        TEST(refused_login_logs_nobody_in),
        TEST(security_officer_logs_in),
        TEST(bad_login_arguments_ask_nobody),
        TEST(grace_covers_one_use),
        TEST(grace_is_not_used_up_by_a_length_query),
        TEST(grace_does_not_cover_deletion),
        TEST(grace_runs_out),
        TEST(grace_can_be_switched_off),
        TEST(own_pin_of_the_application_gives_no_grace),
        TEST(grace_ends_with_the_login),
        TEST(context_login_asks_the_user),
        TEST(token_shows_a_protected_path),
        TEST(no_key_shows_that_it_wants_a_pin),
        TEST(mixed_templates_are_answered_whole),
        TEST(changed_pin_is_the_one_that_counts),
        TEST(new_pin_is_typed_twice),
        TEST(security_officer_sets_the_pin),
        TEST(new_token_is_made_asking),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
