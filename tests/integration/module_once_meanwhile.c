/* Uses that are one call, on the backend that records: what another thread changes, and what ends, while the user is
 * asked; and what a token loses meanwhile. */
#include <pthread.h>
#include <string.h>

#include "once_world.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

static CK_BYTE once_data[] = "data";

/* ------------------------------------------------------------------ what another thread changes meanwhile */

/* One of the calls, and all that a host could change while the user is asked. */
struct use {
    pthread_t thread;
    enum p11_call call;
    CK_RV rv;
    CK_BYTE wrapped[4];
    CK_OBJECT_CLASS object_class;
    CK_ATTRIBUTE template[2];
    CK_OBJECT_HANDLE made;
    char label[8];
};

static void use_init(struct use *use, enum p11_call call)
{
    *use = (struct use){.call = call, .wrapped = "wrap", .object_class = CKO_SECRET_KEY, .label = "label"};
    use->template[0] = (CK_ATTRIBUTE){CKA_LABEL, use->label, 5};
    use->template[1] = (CK_ATTRIBUTE){CKA_CLASS, &use->object_class, sizeof use->object_class};
}

static void *use_run(void *argument)
{
    struct use *use = argument;

    switch (use->call) {
    case CALL_C_UnwrapKey:
        use->rv =
            fx.p11->C_UnwrapKey(fx.session, &rsa, ONCE_PRIVATE, use->wrapped, 4, use->template, 2, &use->made);
        break;
    case CALL_C_DeriveKey:
        use->rv = fx.p11->C_DeriveKey(fx.session, &rsa, ONCE_PRIVATE, use->template, 2, &use->made);
        break;
    case CALL_C_CopyObject:
        use->rv = fx.p11->C_CopyObject(fx.session, ONCE_PRIVATE, use->template, 1, &use->made);
        break;
    case CALL_C_WrapKey:
        use->rv = once_export_under(ONCE_CARRIER);
        break;
    case CALL_C_DestroyObject:
        use->rv = fx.p11->C_DestroyObject(fx.session, ONCE_PRIVATE);
        break;
    default:
        use->rv = fx.p11->C_SetAttributeValue(fx.session, ONCE_PRIVATE, use->template, 1);
    }
    return NULL;
}

/* Starts the use and comes back when its question is on the screen. */
static void use_start(struct use *use, enum p11_call call)
{
    use_init(use, call);
    assert_int_equal(pthread_create(&use->thread, NULL, use_run, use), 0);
    script_wait_question(&fx);
    /* Passes the lock that the asking thread has passed: what follows is after what it has read. */
    assert_ok(fx.p11->C_CloseSession(fixture_session(&fx)));
}

/* The mock keeps pointers; a backend reads them during the call. So the module's copies are looked at through
 * what the backend would have seen: they are not the application's. */
static void calls_get_copies(void **state)
{
    static const struct {
        enum p11_call call;
        size_t template;
    } calls[] = {
        {CALL_C_UnwrapKey, 5}, {CALL_C_DeriveKey, 3}, {CALL_C_CopyObject, 2}, {CALL_C_SetAttributeValue, 2}};

    (void)state;
    once_start_logged_in("");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct use use;

        script_set(&fx, ONCE_RIGHT);
        use_init(&use, calls[i].call);
        use_run(&use);
        assert_ok(use.rv);
        assert_int_equal(mock->calls[calls[i].call], 1);
        assert_int_not_equal(mock->arguments[calls[i].call][calls[i].template], (uintptr_t)use.template);
    }
    assert_int_equal(mock->arguments[CALL_C_UnwrapKey][4], 4);
    assert_int_not_equal(mock->arguments[CALL_C_UnwrapKey][1], (uintptr_t)&rsa);
    assert_int_not_equal(mock->arguments[CALL_C_DeriveKey][1], (uintptr_t)&rsa);
}

/* A harmless change becomes a weakening one while its user reads the harmless one's window. */
static void template_changed_meanwhile_does_not_matter(void **state)
{
    static const enum p11_call calls[] = {CALL_C_SetAttributeValue, CALL_C_CopyObject, CALL_C_UnwrapKey};

    (void)state;
    once_start_logged_in("");
    for (size_t i = 0; i < 3; i++) {
        struct use use;

        mock->seen_count = 0;
        script_set(&fx, "late 300 " ONCE_PIN "\n");
        use_start(&use, calls[i]);
        use.template[0].type = CKA_EXTRACTABLE;
        use.object_class = CKO_PRIVATE_KEY;
        memcpy(use.label, "other", 5);
        memcpy(use.wrapped, "evil", 4);
        pthread_join(use.thread, NULL);
        assert_ok(use.rv);
        assert_int_equal(mock->seen_count, calls[i] == CALL_C_UnwrapKey ? 2 : 1);
        assert_int_equal(mock->seen[0].type, CKA_LABEL);
        assert_memory_equal(mock->seen[0].value, "label", 5);
        if (calls[i] == CALL_C_UnwrapKey) {
            assert_int_equal(*(CK_OBJECT_CLASS *)mock->seen[1].value, CKO_SECRET_KEY);
            assert_memory_equal(mock->seen_data, "wrap", 4);
        }
    }
}

/* The carrier is destroyed while the export is asked about, and a key that the program knows gets its handle. */
static void carrier_changed_meanwhile_is_noticed(void **state)
{
    struct use use;

    (void)state;
    once_start_logged_in("");
    script_set(&fx, "late 300 " ONCE_PIN "\n");
    use_start(&use, CALL_C_WrapKey);
    mock->objects[ONCE_CARRIER] = mock->objects[ONCE_SECRET];
    pthread_join(use.thread, NULL);
    assert_rv(use.rv, CKR_KEY_NOT_WRAPPABLE);
    assert_int_equal(mock->calls[CALL_C_WrapKey], 1); /* the length query before the question */
}

/* A session's key goes with its session while the user is asked about it, and the handle is another key's. */
static void key_changed_meanwhile_is_noticed(void **state)
{
    static const enum p11_call calls[] = {CALL_C_UnwrapKey,          CALL_C_DeriveKey,     CALL_C_CopyObject,
                                          CALL_C_SetAttributeValue, CALL_C_DestroyObject, CALL_C_WrapKey};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        CK_SESSION_HANDLE other;
        struct use use;

        once_start_logged_in("");
        other = fixture_session(&fx);
        script_set(&fx, "late 300 " ONCE_PIN "\n");
        use_start(&use, calls[i]);
        mock->objects[ONCE_PRIVATE].key_type = CKK_RSA;
        assert_ok(fx.p11->C_CloseSession(other));
        pthread_join(use.thread, NULL);
        assert_rv(use.rv, CKR_FUNCTION_REJECTED);
        assert_int_equal(mock->calls[calls[i]], calls[i] == CALL_C_WrapKey);
        fixture_stop(&fx);
    }
}

/* ------------------------------------------------------------------ what a token loses */

/* A private key that a token makes without CKA_ALWAYS_AUTHENTICATE, because it does not know it: asked once.
 */
static void private_key_is_unwrapped_without_always_authenticate(void **state)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &object_class, sizeof object_class};
    CK_OBJECT_HANDLE made;

    (void)state;
    once_start_logged_in("");
    script_set(&fx, ONCE_RIGHT);
    mock->answers[CALL_C_UnwrapKey] = CKR_ATTRIBUTE_TYPE_INVALID;
    assert_rv(fx.p11->C_UnwrapKey(fx.session, &rsa, ONCE_PRIVATE, once_data, 4, &template, 1, &made),
              CKR_ATTRIBUTE_TYPE_INVALID);
    assert_int_equal(mock->calls[CALL_C_UnwrapKey], 2);
    assert_int_equal(mock->arguments[CALL_C_UnwrapKey][6], 4); /* class, private, sensitive, extractable */
    assert_int_equal(script_asked(&fx), 1);
}

/* A token that loses CKA_ALWAYS_AUTHENTICATE in a copy: it is asked for the attribute, and what comes without is not
 * left there. */
static void copy_of_a_guarded_key_is_guarded(void **state)
{
    struct use use;

    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        once_start_logged_in("");
        mock->objects[ONCE_PRIVATE].always_authenticate = CK_TRUE;
        mock->objects[ONCE_COPY] = mock->objects[ONCE_PRIVATE];
        mock->objects[ONCE_COPY].always_authenticate = keeps ? CK_TRUE : CK_FALSE;
        mock->copied = ONCE_COPY;
        script_set(&fx, ONCE_RIGHT);
        use_init(&use, CALL_C_CopyObject);
        use.made = 77;
        use_run(&use);
        assert_rv(use.rv, keeps ? CKR_OK : CKR_ACTION_PROHIBITED);
        assert_int_equal(use.made, keeps ? ONCE_COPY : 77);
        assert_int_equal(mock->objects[ONCE_COPY].exists, keeps);
        assert_int_equal(mock->seen_count, 2);
        assert_int_equal(mock->seen[1].type, CKA_ALWAYS_AUTHENTICATE);
        assert_int_equal(mock->seen[1].value[0], CK_TRUE);
        assert_int_equal(script_asked(&fx), 1);
        fixture_stop(&fx);
    }
}

/* ------------------------------------------------------------------ ended meanwhile */

static const enum p11_call once_calls[] = {CALL_C_UnwrapKey, CALL_C_DeriveKey, CALL_C_CopyObject,
                                           CALL_C_SetAttributeValue, CALL_C_DestroyObject};
#define ONCE_CALLS (sizeof once_calls / sizeof once_calls[0])

static void logout_meanwhile_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ONCE_CALLS; i++) {
        int64_t start_ms;
        struct use use;

        once_start_logged_in("");
        script_set(&fx, "late 3000 " ONCE_PIN "\n");
        use_start(&use, once_calls[i]);
        start_ms = process_now_ms();
        assert_ok(fx.p11->C_Logout(fx.session));
        pthread_join(use.thread, NULL);
        assert_true(process_now_ms() - start_ms < 2000); /* the question went at once */
        assert_int_not_equal(use.rv, CKR_OK);
        assert_int_equal(mock->calls[once_calls[i]], 0);
        fixture_stop(&fx);
    }
}

static void closed_session_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ONCE_CALLS; i++) {
        struct use use;

        once_start_logged_in("");
        script_set(&fx, "late 300 " ONCE_PIN "\n");
        use_start(&use, once_calls[i]);
        assert_ok(fx.p11->C_CloseSession(fx.session));
        pthread_join(use.thread, NULL);
        assert_rv(use.rv, CKR_SESSION_CLOSED);
        assert_int_equal(mock->calls[once_calls[i]], 0);
        fixture_stop(&fx);
    }
}

/* A card that is pulled while the user reads the window, whose session then answers nothing. */
static void lost_card_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ONCE_CALLS; i++) {
        struct use use;

        once_start_logged_in("level = medium\n");
        script_set(&fx, "late 300 ok\n");
        use_start(&use, once_calls[i]);
        mock->answers[CALL_C_GetSessionInfo] = CKR_DEVICE_REMOVED;
        pthread_join(use.thread, NULL);
        assert_rv(use.rv, CKR_DEVICE_REMOVED);
        assert_int_equal(mock->calls[once_calls[i]], 0);
        fixture_stop(&fx);
    }
}

/* C_Finalize does not take the backend from under a call that was agreed to. */
static void finalize_waits_for_the_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < ONCE_CALLS; i++) {
        struct use use;

        once_start_logged_in("");
        mock->delay_ms[once_calls[i]] = 150;
        script_set(&fx, ONCE_RIGHT);
        use_init(&use, once_calls[i]);
        assert_int_equal(pthread_create(&use.thread, NULL, use_run, &use), 0);
        mock_wait_inside(mock, 1);
        assert_ok(fx.p11->C_Finalize(NULL));
        pthread_join(use.thread, NULL);
        assert_ok(use.rv);
        assert_false(atomic_load(&mock->finalized_under_a_call));
    }
}

#define TEST(f) cmocka_unit_test_teardown(f, once_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_get_copies),
        TEST(template_changed_meanwhile_does_not_matter),
        TEST(carrier_changed_meanwhile_is_noticed),
        TEST(key_changed_meanwhile_is_noticed),
        TEST(private_key_is_unwrapped_without_always_authenticate),
        TEST(copy_of_a_guarded_key_is_guarded),
        TEST(logout_meanwhile_is_noticed),
        TEST(closed_session_is_noticed),
        TEST(lost_card_is_noticed),
        TEST(finalize_waits_for_the_call),
    };

    return cmocka_run_group_tests(tests, once_begin, once_end);
}
