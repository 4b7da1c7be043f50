/* A session closed, a logout, C_Finalize, while the user is being asked: the question goes away at once, the
 * call returns, and nothing is used. */
#include <pthread.h>
#include <string.h>

#include "support/fixture.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"
#include "support/use.h"

#define RIGHT "pin " FIXTURE_PIN "\n"
/* An answer that is the right PIN, but comes when nobody should want it any more. */
#define LATE        "late 3000 " FIXTURE_PIN "\n"
#define PROMPTLY_MS 2000

static struct fixture fx;

/* One use on a thread of its own. */
struct user {
    pthread_t thread;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_RV rv;
    struct use_result result;
};

static int start(void **state)
{
    (void)state;
    fixture_start_logged_in(&fx, "");
    script_set(&fx, "hang\n");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return process_has_child();
}

static void *sign_on_thread(void *data)
{
    struct user *user = data;

    user->rv = use_sign_data(&fx, user->session, &user->result);
    return NULL;
}

/* Of the message that the result holds. */
static void *decrypt_on_thread(void *data)
{
    struct user *user = data;
    const struct use_result message = user->result;

    user->rv = use_decrypt_data(&fx, user->session, &message, &user->result);
    return NULL;
}

static void *destroy_on_thread(void *data)
{
    struct user *user = data;

    user->rv = fx.p11->C_DestroyObject(user->session, user->key);
    return NULL;
}

static void *login_on_thread(void *data)
{
    struct user *user = data;

    user->rv = fx.p11->C_Login(user->session, CKU_USER, NULL, 0);
    return NULL;
}

/* Starts the use and returns when its question is on the screen. */
static void user_start(struct user *user, void *run(void *))
{
    use_result_init(&user->result);
    assert_int_equal(pthread_create(&user->thread, NULL, run, user), 0);
    script_wait_question(&fx);
}

static void user_start_signing(struct user *user, const char *label)
{
    *user = (struct user){.session = fixture_session(&fx)};
    user->key = key_private(fx.p11, user->session, label);
    assert_ok(use_sign_init(&fx, user->session, user->key));
    user_start(user, sign_on_thread);
}

/* The use is over soon, with rv, and nothing was used. */
static void user_expect(struct user *user, CK_RV rv)
{
    const int64_t start_ms = process_now_ms();

    pthread_join(user->thread, NULL);
    assert_true(process_now_ms() - start_ms < PROMPTLY_MS);
    assert_rv(user->rv, rv);
    assert_true(use_result_is_untouched(&user->result));
    assert_false(process_has_child());
}

static const char *const labels[] = {KEY_HIGH_RSA, KEY_PLAIN_RSA};

static void close_session_withdraws(void **state)
{
    struct user user;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, i == 0 ? "hang\n" : LATE);
        user_start_signing(&user, labels[i]);
        assert_ok(fx.p11->C_CloseSession(user.session));
        user_expect(&user, CKR_SESSION_CLOSED);
        assert_rv(use_sign_data(&fx, user.session, &user.result), CKR_SESSION_HANDLE_INVALID);
    }
}

/* C_SessionCancel (3.0, 5.6) withdraws the question of what its flags name, and not another of the session that is on the
 * screen too. */
static void cancel_leaves_the_other_question(void **state)
{
    struct user signer = {.session = fx.session}, decrypter = {.session = fx.session};
    struct use_result message;

    (void)state;
    isolated_lacks(__func__, "p11-kit's protocol is that of PKCS#11 2.40");
    signer.key = decrypter.key = key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
    use_encrypt(&fx, KEY_PLAIN_RSA, &message);
    decrypter.result = message;
    script_set(&fx, "late 700 " FIXTURE_PIN "\nhang\n");
    assert_ok(use_decrypt_init(&fx, fx.session, decrypter.key));
    assert_ok(use_sign_init(&fx, fx.session, signer.key));
    assert_int_equal(pthread_create(&decrypter.thread, NULL, decrypt_on_thread, &decrypter), 0);
    script_wait_question(&fx);
    assert_int_equal(script_asked(&fx), 1);
    user_start(&signer, sign_on_thread);
    assert_ok(p11_v3_functions(&fx)->C_SessionCancel(fx.session, CKF_SIGN));
    pthread_join(signer.thread, NULL);
    assert_rv(signer.rv, CKR_FUNCTION_CANCELED);
    assert_true(use_result_is_untouched(&signer.result));
    pthread_join(decrypter.thread, NULL);
    assert_ok(decrypter.rv);
    assert_true(use_data_is_right(&decrypter.result));
}

static void closing_another_session_does_not(void **state)
{
    const CK_SESSION_HANDLE other = fixture_session(&fx);
    struct user user;

    (void)state;
    script_set(&fx, "late 400 " FIXTURE_PIN "\n");
    user_start_signing(&user, KEY_HIGH_RSA);
    assert_ok(fx.p11->C_CloseSession(other));
    pthread_join(user.thread, NULL);
    assert_ok(user.rv);
    assert_true(use_signature_is_good(&fx, KEY_HIGH_RSA, &user.result));
}

static void close_all_sessions_withdraws(void **state)
{
    struct user user;

    (void)state;
    user_start_signing(&user, KEY_HIGH_RSA);
    assert_ok(fx.p11->C_CloseAllSessions(fx.slot));
    user_expect(&user, CKR_SESSION_CLOSED);
}

static void logout_withdraws(void **state)
{
    struct user user;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, i == 0 ? "hang\n" : LATE);
        user_start_signing(&user, labels[i]);
        assert_ok(fx.p11->C_Logout(fx.session));
        user_expect(&user, CKR_USER_NOT_LOGGED_IN);
        assert_rv(use_sign_data(&fx, user.session, &user.result), CKR_OPERATION_NOT_INITIALIZED);
        assert_ok(fixture_login(&fx, FIXTURE_PIN));
    }
}

static void finalize_withdraws(void **state)
{
    struct user user;

    (void)state;
    isolated_lacks(__func__, "p11-kit's client may end a program that finalizes it during a call");
    for (size_t i = 0; i < 2; i++) {
        script_set(&fx, i == 0 ? "hang\n" : LATE);
        user_start_signing(&user, labels[i]);
        assert_ok(fx.p11->C_Finalize(NULL));
        user_expect(&user, CKR_CRYPTOKI_NOT_INITIALIZED);
        fixture_start_logged_in(&fx, "");
    }
}

static void finalize_withdraws_a_deletion(void **state)
{
    struct user user = {.session = fx.session};

    (void)state;
    isolated_lacks(__func__, "p11-kit's client may end a program that finalizes it during a call");
    user.key = key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
    user_start(&user, destroy_on_thread);
    assert_ok(fx.p11->C_Finalize(NULL));
    user_expect(&user, CKR_CRYPTOKI_NOT_INITIALIZED);
    fixture_start_logged_in(&fx, "");
    (void)key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
}

static void close_session_withdraws_a_deletion(void **state)
{
    struct user user = {.session = fixture_session(&fx)};

    (void)state;
    user.key = key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
    user_start(&user, destroy_on_thread);
    assert_ok(fx.p11->C_CloseSession(user.session));
    pthread_join(user.thread, NULL);
    assert_rv(user.rv, CKR_SESSION_CLOSED);
    (void)key_private(fx.p11, fx.session, KEY_PLAIN_RSA);
}

static void finalize_withdraws_a_login(void **state)
{
    struct user user = {.session = fx.session};

    (void)state;
    isolated_lacks(__func__, "p11-kit's client may end a program that finalizes it during a call");
    assert_ok(fx.p11->C_Logout(fx.session));
    user_start(&user, login_on_thread);
    assert_ok(fx.p11->C_Finalize(NULL));
    user_expect(&user, CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void close_session_withdraws_a_login(void **state)
{
    struct user user = {.session = fixture_session(&fx)};

    (void)state;
    assert_ok(fx.p11->C_Logout(fx.session));
    user_start(&user, login_on_thread);
    assert_ok(fx.p11->C_CloseSession(user.session));
    pthread_join(user.thread, NULL);
    assert_int_not_equal(user.rv, CKR_OK);
    assert_false(process_has_child());
}

/* While one thread asks, another cannot use, replace or answer for the operation. */
static void asking_operation_is_busy(void **state)
{
    struct use_result signature;
    struct user user;

    (void)state;
    user_start_signing(&user, KEY_HIGH_RSA);
    assert_rv(use_sign_data(&fx, user.session, &signature), CKR_OPERATION_ACTIVE);
    assert_rv(use_sign_init(&fx, user.session, user.key), CKR_OPERATION_ACTIVE);
    assert_rv(
        fx.p11->C_Login(user.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)),
        CKR_OPERATION_ACTIVE);
    assert_ok(fx.p11->C_CloseSession(user.session));
    user_expect(&user, CKR_SESSION_CLOSED);
}

/* C_Finalize against many questions at once, again and again. */
static void finalize_against_many(void **state)
{
    struct user users[4];

    (void)state;
    isolated_lacks(__func__, "p11-kit's client may end a program that finalizes it during a call");
    for (int round = 0; round < 5; round++) {
        script_set(&fx, "hang\nhang\nhang\nhang\n");
        for (size_t i = 0; i < 4; i++)
            user_start_signing(&users[i], labels[i % 2]);
        assert_ok(fx.p11->C_Finalize(NULL));
        for (size_t i = 0; i < 4; i++)
            pthread_join(users[i].thread, NULL);
        for (size_t i = 0; i < 4; i++) {
            assert_rv(users[i].rv, CKR_CRYPTOKI_NOT_INITIALIZED);
            assert_true(use_result_is_untouched(&users[i].result));
        }
        assert_false(process_has_child());
        fixture_start_logged_in(&fx, "");
    }
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(close_session_withdraws),
        TEST(cancel_leaves_the_other_question),
        TEST(closing_another_session_does_not),
        TEST(close_all_sessions_withdraws),
        TEST(logout_withdraws),
        TEST(finalize_withdraws),
        TEST(finalize_withdraws_a_deletion),
        TEST(close_session_withdraws_a_deletion),
        TEST(finalize_withdraws_a_login),
        TEST(close_session_withdraws_a_login),
        TEST(asking_operation_is_busy),
        TEST(finalize_against_many),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
