/* What the gate remembers never becomes a right of something else: another token in the slot, with sessions and objects
 * of the same numbers; another object, another login. (Handles that come again: also module_careless, module_handles.) */
#include <string.h>

#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { SECRET = 1, PRIVATE, ENFORCED };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static void start(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ENFORCED] = mock->objects[PRIVATE];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    mock_start(&fx, lines);
    script_set(&fx, "");
}

/* A login that the module asks for: its PIN agrees to the first use within the grace. */
static void log_in(void)
{
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    script_set(&fx, "");
}

static CK_RV sign(CK_OBJECT_HANDLE key)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    CK_RV rv = fx.p11->C_SignInit(fx.session, &rsa, key);

    return rv == CKR_OK ? fx.p11->C_Sign(fx.session, (CK_BYTE_PTR) "data", 4, signature, &len) : rv;
}

/* Another token comes into the slot without a word: nobody is logged in, sessions and objects are numbered alike. */
static void change_token(void)
{
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    mock->token_label = "Other";
    mock->next_session = fx.session;
    mock->calls[CALL_C_Login] = mock->calls[CALL_C_Sign] = 0;
    fx.session = fixture_session(&fx);
}

/* ------------------------------------------------------------------ the login */

static void grace_does_not_reach_another_token(void **state)
{
    static const enum object keys[] = {PRIVATE, ENFORCED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CK_SESSION_HANDLE before;

        start("");
        log_in();
        assert_ok(sign(keys[i])); /* the grace is there, and is used up */
        assert_ok(fx.p11->C_Logout(fx.session));
        mock->session_state = CKS_RW_PUBLIC_SESSION;
        log_in();
        before = fx.session;
        change_token();
        assert_int_equal(fx.session, before);
        assert_rv(sign(keys[i]), CKR_FUNCTION_CANCELED);
        assert_int_equal(script_asked(&fx), 1);
        assert_int_equal(mock->calls[CALL_C_Login], 0); /* the first token's PIN is not tried on the second */
        assert_int_equal(mock->calls[CALL_C_Sign], 0);
        fixture_stop(&fx);
    }
}

/* Its user logs in at the reader, with a PIN that the gate does not see: what it knows of the first one's is over. */
static void login_at_the_reader_ends_what_was_known(void **state)
{
    (void)state;
    start("");
    log_in();
    change_token();
    mock->token_flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    assert_rv(sign(PRIVATE), CKR_FUNCTION_REJECTED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

/* The hash that uses are compared with is of the first token's PIN. */
static void pin_of_another_token_agrees_to_nothing(void **state)
{
    (void)state;
    start("login-grace = 0\n");
    log_in();
    script_set(&fx, RIGHT RIGHT);
    assert_ok(sign(PRIVATE));
    change_token();
    assert_rv(sign(PRIVATE), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

static CK_RV present_pin(void)
{
    return fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)PIN, strlen(PIN));
}

static CK_RV derive(void)
{
    CK_OBJECT_HANDLE made;

    return fx.p11->C_DeriveKey(fx.session, &rsa, PRIVATE, NULL, 0, &made);
}

static void presented_pin_of_another_token_agrees_to_nothing(void **state)
{
    (void)state;
    start("prompt = application\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)PIN, strlen(PIN)));
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    assert_ok(present_pin());
    assert_ok(derive());
    assert_ok(present_pin());
    change_token();
    mock->calls[CALL_C_DeriveKey] = 0;
    assert_rv(derive(), CKR_USER_NOT_LOGGED_IN);
    assert_rv(present_pin(), CKR_USER_NOT_LOGGED_IN);
    assert_rv(derive(), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(mock->calls[CALL_C_DeriveKey], 0);
}

/* A logout in one session is one in all: neither the grace nor the hash outlives it, whoever logs in next. */
static void logout_in_another_session_ends_the_login(void **state)
{
    CK_SESSION_HANDLE other;

    (void)state;
    start("");
    other = fixture_session(&fx);
    log_in();
    assert_ok(fx.p11->C_Logout(other));
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    assert_ok(fx.p11->C_Login(other, CKU_USER, (CK_BYTE_PTR) "another", 7));
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    script_set(&fx, RIGHT "pin another\n");
    assert_ok(sign(PRIVATE));
    assert_int_equal(script_asked(&fx), 2); /* the first PIN is wrong now */
}

/* ------------------------------------------------------------------ facts and levels */

#define FIRST_IS_LOW "login-grace = 0\n[token \"Mock\"]\nlevel = low\n"

/* The level of a key is that of the token it is on. */
static void level_does_not_reach_another_token(void **state)
{
    (void)state;
    start(FIRST_IS_LOW);
    log_in();
    assert_ok(sign(PRIVATE));
    assert_int_equal(script_asked(&fx), 0);
    change_token();
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    assert_rv(sign(PRIVATE), CKR_FUNCTION_CANCELED);
    assert_int_equal(script_asked(&fx), 1);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

/* What was a secret key's number on the first token is a private key's on the second. */
static void facts_do_not_reach_another_token(void **state)
{
    (void)state;
    start("");
    log_in();
    assert_ok(sign(SECRET));
    change_token();
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    mock->objects[SECRET] = mock->objects[ENFORCED];
    assert_ok(fx.p11->C_Logout(fx.session)); /* no grace: what follows is asked for because of the facts */
    assert_rv(sign(SECRET), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
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
        TEST(grace_does_not_reach_another_token),
        TEST(login_at_the_reader_ends_what_was_known),
        TEST(pin_of_another_token_agrees_to_nothing),
        TEST(presented_pin_of_another_token_agrees_to_nothing),
        TEST(logout_in_another_session_ends_the_login),
        TEST(level_does_not_reach_another_token),
        TEST(facts_do_not_reach_another_token),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
