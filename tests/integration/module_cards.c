/* Cards, played by the backend that records: they count for themselves, and their last try is never spent unasked. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/processes.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { PLAIN = 1, ENFORCED };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static void start(const char *lines)
{
    char path[FOLDER_PATH_MAX];

    folder_remove(folder_path(fx.folder, "state", path));
    assert_int_equal(mkdir(path, 0700), 0);
    mock = mock_reset();
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    mock->objects[PLAIN] = (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY};
    mock->objects[ENFORCED] = mock->objects[PLAIN];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock_start(&fx, lines);
    script_set(&fx, "");
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

static CK_RV login(void)
{
    return fixture_login(&fx, PIN);
}

static unsigned logins(void)
{
    return mock->calls[CALL_C_Login];
}

static CK_FLAGS pin_flags(void)
{
    CK_TOKEN_INFO info;

    assert_ok(fx.p11->C_GetTokenInfo(fx.slot, &info));
    return info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
}

static void expect_question(const char *part)
{
    char *questions = script_questions(&fx);

    assert_contains(questions, part);
    free(questions);
}

/* ------------------------------------------------------------------ who counts */

static const struct {
    CK_FLAGS token, slot;
    bool counts_itself;
} counters[] = {
    {0, 0, false},
    {0, CKF_HW_SLOT, false},
    {CKF_USER_PIN_COUNT_LOW, 0, false}, /* as SoftHSM2 does, and it never locks */
    {CKF_USER_PIN_COUNT_LOW, CKF_HW_SLOT, true},
    {CKF_USER_PIN_FINAL_TRY, 0, true},
};

static void token_that_counts_is_left_to_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        start("prompt = application\npin-tries = 3\n");
        mock->token_flags = counters[i].token;
        mock->slot_flags = counters[i].slot;
        mock->answers[CALL_C_Login] = CKR_PIN_INCORRECT;
        for (unsigned n = 0; n < 3; n++)
            assert_rv(login(), CKR_PIN_INCORRECT);
        for (unsigned n = 0; n < 3; n++)
            assert_rv(login(), counters[i].counts_itself ? CKR_PIN_INCORRECT : CKR_PIN_LOCKED);
        assert_int_equal(logins(), counters[i].counts_itself ? 6 : 3);
        if (counters[i].counts_itself)
            assert_int_equal(pin_flags(), counters[i].token);
        fixture_stop(&fx);
    }
}

/* Whatever a call answers that does not say that the PIN was not looked at may hide a wrong one. */
static void doubtful_answers_count(void **state)
{
    static const struct {
        CK_RV answer;
        bool counts;
    } cases[] = {
        {CKR_PIN_INCORRECT, true},          {CKR_GENERAL_ERROR, true},    {CKR_DEVICE_ERROR, true},
        {CKR_FUNCTION_FAILED, true},        {CKR_PIN_INVALID, true},      {CKR_VENDOR_DEFINED | 7, true},
        {CKR_USER_ALREADY_LOGGED_IN, false}, {CKR_PIN_LEN_RANGE, false},  {CKR_PIN_LOCKED, false},
        {CKR_TOKEN_NOT_PRESENT, false},     {CKR_FUNCTION_CANCELED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start("prompt = application\npin-tries = 1\n");
        mock->answers[CALL_C_Login] = cases[i].answer;
        assert_rv(login(), cases[i].answer);
        mock->answers[CALL_C_Login] = CKR_OK;
        assert_rv(login(), cases[i].counts ? CKR_PIN_LOCKED : CKR_OK);
        assert_int_equal(logins(), cases[i].counts ? 1 : 2);
        fixture_stop(&fx);
    }
}

/* For a use only CKR_OK says that the PIN was right. */
static void pin_that_the_token_does_not_take_is_wrong(void **state)
{
    static const CK_RV answers[] = {CKR_PIN_LEN_RANGE, CKR_PIN_INVALID, CKR_PIN_INCORRECT};
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        start("pin-tries = 0\n");
        mock->session_state = CKS_RW_USER_FUNCTIONS;
        mock->answers[CALL_C_Login] = answers[i];
        script_set(&fx, RIGHT RIGHT RIGHT);
        assert_ok(fx.p11->C_SignInit(fx.session, &rsa, ENFORCED));
        assert_rv(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR) "data", 4, out, &len), CKR_FUNCTION_REJECTED);
        assert_int_equal(script_asked(&fx), 3);
        assert_int_equal(mock->calls[CALL_C_Sign], 0);
        fixture_stop(&fx);
    }
}

/* What the gate compares itself no card sees: counted here, on a card too. */
static void comparisons_are_counted_on_cards_too(void **state)
{
    (void)state;
    start("prompt = application\npin-tries = 2\n");
    mock->token_flags = CKF_USER_PIN_COUNT_LOW;
    mock->slot_flags = CKF_HW_SLOT;
    assert_ok(login());
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PLAIN));
    for (int n = 0; n < 2; n++)
        assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR) "no", 2), CKR_PIN_INCORRECT);
    assert_rv(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)PIN, strlen(PIN)), CKR_PIN_LOCKED);
    assert_rv(login(), CKR_PIN_LOCKED);
    assert_int_equal(logins(), 1);
}

#define PROCESSES 8

static unsigned char guess_in_child(void)
{
    unsigned char wrong = 0;
    CK_RV rv;

    rv = fx.p11->C_Initialize(NULL);
    if (rv == CKR_OK)
        rv = fx.p11->C_OpenSession(fx.slot, CKF_SERIAL_SESSION, NULL, NULL, &fx.session);
    if (rv == CKR_OK)
        rv = CKR_PIN_INCORRECT;
    while (rv == CKR_PIN_INCORRECT && wrong < 50) {
        rv = login();
        wrong = (unsigned char)(wrong + (rv == CKR_PIN_INCORRECT));
    }
    return rv == CKR_PIN_LOCKED ? wrong : PROCESSES_FAILED;
}

/* Every wrong PIN that reached a backend, in whichever process. */
static void racing_processes_count_exactly(void **state)
{
    (void)state;
    start("prompt = application\npin-tries = 13\n");
    fixture_stop(&fx);
    mock->answers[CALL_C_Login] = CKR_PIN_INCORRECT;
    mock->delay_ms[CALL_C_Login] = 2;
    assert_int_equal(processes_sum(PROCESSES, guess_in_child), 13);
}

/* ------------------------------------------------------------------ the last try */

static void last_try_needs_a_yes(void **state)
{
    (void)state;
    start("");
    mock->token_flags = CKF_USER_PIN_FINAL_TRY;
    script_set(&fx, "cancel\ntimeout\ndie\nok\n");
    assert_rv(login(), CKR_FUNCTION_REJECTED);
    expect_question("CONFIRM");
    expect_question("A program wants to try a PIN of its own on your token.");
    expect_question("This is the LAST try: another wrong PIN locks the token.");
    expect_question("Token: Mock");
    expect_question("Program:");
    assert_rv(login(), CKR_FUNCTION_REJECTED);
    assert_rv(login(), CKR_FUNCTION_FAILED);
    assert_int_equal(logins(), 0);
    assert_ok(login());
    assert_int_equal(logins(), 1);
    assert_int_equal(script_asked(&fx), 4);
}

static void last_try_of_a_change_needs_a_yes(void **state)
{
    (void)state;
    start("");
    mock->token_flags = CKF_USER_PIN_FINAL_TRY;
    script_set(&fx, "cancel\nok\n");
    for (int n = 0; n < 2; n++) {
        assert_rv(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)PIN, strlen(PIN), (CK_BYTE_PTR) "new-pin", 7),
                  n == 0 ? CKR_FUNCTION_REJECTED : CKR_OK);
        assert_int_equal(mock->calls[CALL_C_SetPIN], n);
    }
    mock->session_state = CKS_RW_SO_FUNCTIONS; /* the security officer's own PIN */
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)PIN, strlen(PIN), (CK_BYTE_PTR) "new-pin", 7));
    assert_int_equal(script_asked(&fx), 2);
}

/* tpm2-pkcs11 answers CKR_OK to a change in a public session whatever the old PIN: that must not give back what wrong
 * logins have used up. Where the user has logged in, the PIN has been seen. */
static void change_without_a_login_forgives_nothing(void **state)
{
    (void)state;
    start("pin-tries = 3\n");
    mock->answers[CALL_C_Login] = CKR_PIN_INCORRECT;
    for (int n = 0; n < 2; n++)
        assert_rv(login(), CKR_PIN_INCORRECT);
    script_set(&fx, "ok\nok\n");
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR) "0000", 4, (CK_BYTE_PTR)PIN, strlen(PIN)));
    assert_int_equal(pin_flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    assert_ok(fx.p11->C_SetPIN(fx.session, (CK_BYTE_PTR)PIN, strlen(PIN), (CK_BYTE_PTR)PIN, strlen(PIN)));
    assert_int_equal(pin_flags(), 0);
}

/* Only a new PIN that the token has taken is one that nobody has tried yet. */
static void refused_new_pin_unlocks_nothing(void **state)
{
    (void)state;
    start("pin-tries = 2\nprompt = application\n");
    mock->answers[CALL_C_Login] = CKR_PIN_INCORRECT;
    for (int n = 0; n < 2; n++)
        assert_rv(login(), CKR_PIN_INCORRECT);
    mock->session_state = CKS_RW_SO_FUNCTIONS;
    mock->answers[CALL_C_InitPIN] = CKR_PIN_LEN_RANGE;
    assert_rv(fx.p11->C_InitPIN(fx.session, (CK_BYTE_PTR)PIN, strlen(PIN)), CKR_PIN_LEN_RANGE);
    assert_true(pin_flags() & CKF_USER_PIN_LOCKED);
    mock->answers[CALL_C_InitPIN] = CKR_OK;
    assert_ok(fx.p11->C_InitPIN(fx.session, (CK_BYTE_PTR)PIN, strlen(PIN)));
    assert_int_equal(pin_flags(), 0);
}

static void last_try_at_the_reader_needs_a_yes(void **state)
{
    (void)state;
    start("");
    mock->token_flags = CKF_USER_PIN_FINAL_TRY | CKF_PROTECTED_AUTHENTICATION_PATH;
    script_set(&fx, "cancel\nok\n");
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_FUNCTION_REJECTED);
    expect_question("enter the PIN of your token at the reader");
    assert_int_equal(logins(), 0);
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    assert_int_equal(logins(), 1);
}

static void prompts_warn_of_the_last_try(void **state)
{
    CK_BYTE out[64];
    CK_ULONG len = sizeof out;

    (void)state;
    start("login-grace = 0\n");
    mock->token_flags = CKF_USER_PIN_FINAL_TRY;
    script_set(&fx, RIGHT "cancel\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    expect_question("This is the LAST try");
    assert_int_equal(script_asked(&fx), 1); /* the window warns: no second one */
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, ENFORCED));
    assert_rv(fx.p11->C_Sign(fx.session, (CK_BYTE_PTR) "data", 4, out, &len), CKR_FUNCTION_CANCELED);
    expect_question("This is the LAST try");
}

static void nobody_is_asked_about_a_try_in_vain(void **state)
{
    (void)state;
    start("");
    mock->token_flags = CKF_USER_PIN_LOCKED;
    script_set(&fx, RIGHT RIGHT);
    assert_rv(login(), CKR_PIN_LOCKED);
    assert_rv(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0), CKR_PIN_LOCKED);
    mock->token_flags = CKF_USER_PIN_FINAL_TRY;
    mock->session_state = CKS_RW_USER_FUNCTIONS;
    mock->answers[CALL_C_Login] = CKR_USER_ALREADY_LOGGED_IN;
    assert_rv(login(), CKR_USER_ALREADY_LOGGED_IN);
    assert_int_equal(script_asked(&fx), 0);
}

/* With prompt = application there is nobody to ask; the application sees the flag. */
static void applications_that_ask_see_the_flag(void **state)
{
    (void)state;
    start("prompt = application\n");
    mock->token_flags = CKF_USER_PIN_FINAL_TRY;
    assert_true(pin_flags() & CKF_USER_PIN_FINAL_TRY);
    assert_ok(login());
    assert_int_equal(script_asked(&fx), 0);
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
        TEST(token_that_counts_is_left_to_it),
        TEST(doubtful_answers_count),
        TEST(pin_that_the_token_does_not_take_is_wrong),
        TEST(comparisons_are_counted_on_cards_too),
        TEST(racing_processes_count_exactly),
        TEST(last_try_needs_a_yes),
        TEST(last_try_of_a_change_needs_a_yes),
        TEST(change_without_a_login_forgives_nothing),
        TEST(refused_new_pin_unlocks_nothing),
        TEST(last_try_at_the_reader_needs_a_yes),
        TEST(prompts_warn_of_the_last_try),
        TEST(nobody_is_asked_about_a_try_in_vain),
        TEST(applications_that_ask_see_the_flag),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
