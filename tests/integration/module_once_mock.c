/* Uses that are one call, on the backend that records: second keys in a mechanism's parameters; what another
 * thread changes, and what ends, while the user is asked. */
#include <pthread.h>
#include <string.h>

#include "support/mock.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { SECRET = 1, PRIVATE, ENFORCED, CARRIER, COPY };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};
static CK_BYTE data[] = "data";

static void start(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ENFORCED] = mock->objects[PRIVATE];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[CARRIER] = mock->objects[SECRET];
    mock->objects[CARRIER].carries = true;
    mock_start(&fx, lines);
    script_set(&fx, "");
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

/* ------------------------------------------------------------------ second keys in a mechanism's parameters
 */

#define CONCATENATE_BASE_AND_KEY 0x360UL

static CK_RV derive(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE second, CK_ULONG len)
{
    CK_MECHANISM mechanism = {type, &second, len};
    CK_OBJECT_HANDLE made;

    return fx.p11->C_DeriveKey(fx.session, &mechanism, SECRET, NULL, 0, &made);
}

/* A token that takes private keys for it would sign, or encrypt raw, with one: it is not asked. */
static void private_key_wraps_nothing(void **state)
{
    CK_BYTE wrapped[512];
    CK_ULONG len = sizeof wrapped;

    (void)state;
    start_logged_in("level = medium\n");
    assert_rv(fx.p11->C_WrapKey(fx.session, &rsa, PRIVATE, SECRET, wrapped, &len),
              CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    assert_rv(fx.p11->C_WrapKey(fx.session, &rsa, ENFORCED, CARRIER, NULL, &len), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    assert_int_equal(mock->calls[CALL_C_WrapKey], 0);
    assert_int_equal(len, sizeof wrapped);
}

static void second_key_is_no_private_key(void **state)
{
    static const CK_MECHANISM_TYPE unjudged[] = {0x1052, 0x32,   0x33,   0x510,  0x511,
                                                 0x1203, 0x4023, 0x4024, 0x4025, 0x4026};

    (void)state;
    start_logged_in("level = low\n");
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, PRIVATE, sizeof(CK_OBJECT_HANDLE)),
              CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, ENFORCED, sizeof(CK_OBJECT_HANDLE)),
              CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, 9, sizeof(CK_OBJECT_HANDLE)), CKR_KEY_HANDLE_INVALID);
    assert_rv(derive(CONCATENATE_BASE_AND_KEY, SECRET, 1), CKR_MECHANISM_PARAM_INVALID);
    for (size_t i = 0; i < sizeof unjudged / sizeof unjudged[0]; i++)
        assert_rv(derive(unjudged[i], SECRET, sizeof(CK_OBJECT_HANDLE)), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_DeriveKey], 0);
    assert_ok(derive(CONCATENATE_BASE_AND_KEY, SECRET, sizeof(CK_OBJECT_HANDLE)));
    assert_int_equal(mock->calls[CALL_C_DeriveKey], 1);
}

/* Parameters of PKCS#11 3.0, and of NSS's mechanisms before it, as words of 8 bytes: the place of the handle, and of the flag
 * that says whether it counts. */
static const struct second_key {
    CK_MECHANISM_TYPE type;
    unsigned words, handle, flag;
    CK_ULONG counts, counts_not;
} second_keys[] = {
    {0x402a, 8, 5, 2, 4, 2}, /* HKDF: the salt */
    {0x402b, 8, 5, 2, 4, 1},
    {0x402e, 5, 2, 1, 1, 0}, /* IKE: the seed, the new key, the previous one, g^xy */
    {0x402f, 7, 6, 1, 0x101, 0},
    {0x4030, 9, 3, 1, 1, 0},
    {0x4031, 5, 2, 1, 1, 0},
    {CKM_VENDOR_DEFINED + 0x4E534350 + 34, 5, 2, 1, 1, 0},
    {CKM_VENDOR_DEFINED + 0x4E534350 + 37, 5, 2, 1, 1, 0},
};

static CK_RV derive_with(const struct second_key *how, CK_ULONG flag, CK_OBJECT_HANDLE second)
{
    CK_ULONG words[9] = {0};
    CK_MECHANISM mechanism = {how->type, words, how->words * sizeof *words};
    CK_OBJECT_HANDLE made;

    words[how->flag] = flag;
    words[how->handle] = second;
    if (how->type == 0x4030)
        words[2] = SECRET; /* g^xy, which always counts */
    return fx.p11->C_DeriveKey(fx.session, &mechanism, SECRET, NULL, 0, &made);
}

static void second_key_of_hkdf_and_ike_is_no_private_key(void **state)
{
    CK_ULONG prf = CKM_SHA256_HMAC;
    CK_MECHANISM prf_only = {0x4031, &prf, sizeof prf};
    CK_OBJECT_HANDLE made;

    (void)state;
    start_logged_in("level = low\n");
    for (size_t i = 0; i < sizeof second_keys / sizeof second_keys[0]; i++) {
        const struct second_key *how = &second_keys[i];
        const unsigned before = mock->calls[CALL_C_DeriveKey];

        assert_rv(derive_with(how, how->counts, PRIVATE), CKR_KEY_FUNCTION_NOT_PERMITTED);
        assert_rv(derive_with(how, how->counts, 9), CKR_KEY_HANDLE_INVALID);
        assert_int_equal(mock->calls[CALL_C_DeriveKey], before);
        assert_ok(derive_with(how, how->counts, SECRET));
        assert_ok(derive_with(how, how->counts_not, 9));
        assert_int_equal(mock->calls[CALL_C_DeriveKey], before + 2);
    }
    assert_ok(fx.p11->C_DeriveKey(fx.session, &prf_only, SECRET, NULL, 0, &made));
    prf_only.mechanism = 0x402e;
    assert_rv(fx.p11->C_DeriveKey(fx.session, &prf_only, SECRET, NULL, 0, &made), CKR_MECHANISM_PARAM_INVALID);
}

/* CKM_KIP_MAC has the key in its parameters, whatever C_SignInit is given. */
static void no_second_key_signs(void **state)
{
    CK_MECHANISM kip = {0x512, NULL, 0};

    (void)state;
    start_logged_in("level = low\n");
    assert_rv(fx.p11->C_SignInit(fx.session, &kip, SECRET), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_SignInit], 0);
}

/* ------------------------------------------------------------------ what a private key may leave under */

static CK_RV export_by(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE carrier)
{
    CK_MECHANISM mechanism = {type, NULL, 0};
    CK_BYTE wrapped[64];
    CK_ULONG len = sizeof wrapped;

    return fx.p11->C_WrapKey(fx.session, &mechanism, carrier, PRIVATE, wrapped, &len);
}

static CK_RV export_under(CK_OBJECT_HANDLE carrier)
{
    return export_by(CKM_AES_KEY_WRAP_PAD, carrier);
}

/* CTR, GCM, OFB, ChaCha20, ECB and what nobody knows: of some, a second encryption is the decryption. */
static void nothing_leaves_by_what_encrypting_undoes(void **state)
{
    static const CK_MECHANISM_TYPE streams[] = {CKM_AES_CTR, CKM_AES_GCM, CKM_AES_OFB, 0x1226,
                                                CKM_AES_ECB, CKM_VENDOR_DEFINED + 7};
    static const CK_MECHANISM_TYPE wraps[] = {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD, 0x210b, CKM_AES_CBC_PAD};

    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT RIGHT RIGHT RIGHT);
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        assert_rv(export_by(streams[i], CARRIER), CKR_MECHANISM_INVALID);
    assert_int_equal(mock->calls[CALL_C_WrapKey] + (unsigned)script_asked(&fx), 0);
    for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++)
        assert_ok(export_by(wraps[i], CARRIER));
    assert_int_equal(script_asked(&fx), 4);
}

/* Each condition counts for itself: a token may be wrong about the others, as imported keys that it says were
 * always sensitive. One that does not say does not count as good. */
static void every_condition_of_a_carrier_counts(void **state)
{
    static const CK_ATTRIBUTE_TYPE conditions[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                                                   CKA_DECRYPT, CKA_UNWRAP};

    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        mock->objects[CARRIER].but = conditions[i];
        assert_rv(export_under(CARRIER), CKR_KEY_NOT_WRAPPABLE);
    }
    assert_rv(export_under(SECRET), CKR_KEY_NOT_WRAPPABLE);
    assert_int_equal(mock->calls[CALL_C_WrapKey] + (unsigned)script_asked(&fx), 0);
    mock->objects[CARRIER].but = 0;
    assert_ok(export_under(CARRIER));
    assert_int_equal(script_asked(&fx), 1);
}

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
            fx.p11->C_UnwrapKey(fx.session, &rsa, PRIVATE, use->wrapped, 4, use->template, 2, &use->made);
        break;
    case CALL_C_DeriveKey:
        use->rv = fx.p11->C_DeriveKey(fx.session, &rsa, PRIVATE, use->template, 2, &use->made);
        break;
    case CALL_C_CopyObject:
        use->rv = fx.p11->C_CopyObject(fx.session, PRIVATE, use->template, 1, &use->made);
        break;
    case CALL_C_WrapKey:
        use->rv = export_under(CARRIER);
        break;
    case CALL_C_DestroyObject:
        use->rv = fx.p11->C_DestroyObject(fx.session, PRIVATE);
        break;
    default:
        use->rv = fx.p11->C_SetAttributeValue(fx.session, PRIVATE, use->template, 1);
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
    start_logged_in("");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct use use;

        script_set(&fx, RIGHT);
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
    start_logged_in("");
    for (size_t i = 0; i < 3; i++) {
        struct use use;

        mock->seen_count = 0;
        script_set(&fx, "late 300 " PIN "\n");
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
    start_logged_in("");
    script_set(&fx, "late 300 " PIN "\n");
    use_start(&use, CALL_C_WrapKey);
    mock->objects[CARRIER] = mock->objects[SECRET];
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

        start_logged_in("");
        other = fixture_session(&fx);
        script_set(&fx, "late 300 " PIN "\n");
        use_start(&use, calls[i]);
        mock->objects[PRIVATE].key_type = CKK_RSA;
        assert_ok(fx.p11->C_CloseSession(other));
        pthread_join(use.thread, NULL);
        assert_rv(use.rv, CKR_FUNCTION_REJECTED);
        assert_int_equal(mock->calls[calls[i]], calls[i] == CALL_C_WrapKey);
        fixture_stop(&fx);
    }
}

/* A private key that a token makes without CKA_ALWAYS_AUTHENTICATE, because it does not know it: asked once.
 */
static void private_key_is_unwrapped_without_always_authenticate(void **state)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &object_class, sizeof object_class};
    CK_OBJECT_HANDLE made;

    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    mock->answers[CALL_C_UnwrapKey] = CKR_ATTRIBUTE_TYPE_INVALID;
    assert_rv(fx.p11->C_UnwrapKey(fx.session, &rsa, PRIVATE, data, 4, &template, 1, &made),
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
        start_logged_in("");
        mock->objects[PRIVATE].always_authenticate = CK_TRUE;
        mock->objects[COPY] = mock->objects[PRIVATE];
        mock->objects[COPY].always_authenticate = keeps ? CK_TRUE : CK_FALSE;
        mock->copied = COPY;
        script_set(&fx, RIGHT);
        use_init(&use, CALL_C_CopyObject);
        use.made = 77;
        use_run(&use);
        assert_rv(use.rv, keeps ? CKR_OK : CKR_ACTION_PROHIBITED);
        assert_int_equal(use.made, keeps ? COPY : 77);
        assert_int_equal(mock->objects[COPY].exists, keeps);
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

        start_logged_in("");
        script_set(&fx, "late 3000 " PIN "\n");
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

        start_logged_in("");
        script_set(&fx, "late 300 " PIN "\n");
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

        start_logged_in("level = medium\n");
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

        start_logged_in("");
        mock->delay_ms[once_calls[i]] = 150;
        script_set(&fx, RIGHT);
        use_init(&use, once_calls[i]);
        assert_int_equal(pthread_create(&use.thread, NULL, use_run, &use), 0);
        mock_wait_inside(mock, 1);
        assert_ok(fx.p11->C_Finalize(NULL));
        pthread_join(use.thread, NULL);
        assert_ok(use.rv);
        assert_false(atomic_load(&mock->finalized_under_a_call));
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
        TEST(private_key_wraps_nothing),
        TEST(second_key_is_no_private_key),
        TEST(second_key_of_hkdf_and_ike_is_no_private_key),
        TEST(no_second_key_signs),
        TEST(nothing_leaves_by_what_encrypting_undoes),
        TEST(every_condition_of_a_carrier_counts),
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

    return cmocka_run_group_tests(tests, begin, end);
}
