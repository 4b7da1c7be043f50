/* Behind the gate a backend that is careless, reuses handles, or has a PIN pad: what the real one never is.
 */
#include <string.h>
#include <sys/resource.h>

#include "support/mock.h"
#include "support/p11_make.h"
#include "support/pinentry_script.h"
#include "support/process_state.h"
#include "support/test.h"

#define PIN   "4711-pin"
#define RIGHT "pin " PIN "\n"

enum object { SECRET = 1, PUBLIC, PRIVATE, ENFORCED, VENDOR, NAMELESS };

static struct fixture fx;
static struct mock_backend *mock;
static CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0};

static void start(const char *lines)
{
    mock = mock_reset();
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PUBLIC] = (struct mock_object){.exists = true, .object_class = CKO_PUBLIC_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[ENFORCED] = mock->objects[PRIVATE];
    mock->objects[ENFORCED].always_authenticate = CK_TRUE;
    mock->objects[VENDOR] = (struct mock_object){.exists = true, .object_class = CKO_VENDOR_DEFINED | 1};
    mock->objects[NAMELESS] = (struct mock_object){.exists = true, .without_class = true};
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

static CK_RV sign(CK_SESSION_HANDLE session, const char *data)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;

    return fx.p11->C_Sign(session, (CK_BYTE_PTR)data, strlen(data), signature, &len);
}

/* ------------------------------------------------------------------ rows of class REFUSE */

static const struct {
    enum p11_call call;
    size_t key; /* the parameter that is the key */
    CK_RV refusal;
} refused[] = {
    {CALL_C_SetOperationState, 3, CKR_FUNCTION_NOT_SUPPORTED},
    {CALL_C_SetOperationState, 4, CKR_FUNCTION_NOT_SUPPORTED},
    {CALL_C_EncryptInit, 2, CKR_KEY_TYPE_INCONSISTENT},
    {CALL_C_DigestKey, 1, CKR_KEY_INDIGESTIBLE},
};

/* Arguments in which every object is the secret key; each other is distinct. */
static void arguments_for(enum p11_call call, uintptr_t v[P11_CALL_PARAMETERS_MAX])
{
    for (size_t i = 0; i < P11_CALL_PARAMETERS_MAX; i++)
        v[i] = 0x1000 + i;
    v[0] = fx.session;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i].call == call)
            v[refused[i].key] = SECRET;
}

static void private_and_unknown_objects_are_refused(void **state)
{
    static const char *const levels[] = {"", "level = low\n"};
    static const enum object objects[] = {PRIVATE, ENFORCED, VENDOR};

    (void)state;
    for (size_t l = 0; l < 2; l++) {
        start(levels[l]);
        for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
            const enum p11_call call = refused[i].call;
            uintptr_t v[P11_CALL_PARAMETERS_MAX];

            for (size_t o = 0; o < sizeof objects / sizeof objects[0]; o++) {
                arguments_for(call, v);
                v[refused[i].key] = objects[o];
                assert_rv(p11_makers[call].make(fx.p11, v), refused[i].refusal);
            }
            v[refused[i].key] = NAMELESS;
            assert_rv(p11_makers[call].make(fx.p11, v), CKR_DEVICE_ERROR);
            assert_int_equal(mock->calls[call], 0);
        }
        assert_int_equal(script_asked(&fx), 0);
        fixture_stop(&fx);
    }
}

static void other_objects_are_forwarded(void **state)
{
    (void)state;
    start("");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const enum p11_call call = refused[i].call;
        uintptr_t v[P11_CALL_PARAMETERS_MAX];

        arguments_for(call, v);
        mock->calls[call] = 0;
        mock->answers[call] = CKR_VENDOR_DEFINED | 7;
        assert_rv(p11_makers[call].make(fx.p11, v), CKR_VENDOR_DEFINED | 7);
        assert_int_equal(mock->calls[call], 1);
        assert_memory_equal(mock->arguments[call], v, p11_makers[call].parameters * sizeof *v);
    }
}

/* The half of a dual operation that is a secret key's is the backend's business. */
static void dual_operations_of_secret_keys_are_forwarded(void **state)
{
    static const enum p11_call calls[] = {CALL_C_SignEncryptUpdate, CALL_C_DecryptDigestUpdate,
                                          CALL_C_DecryptVerifyUpdate};
    uintptr_t v[P11_CALL_PARAMETERS_MAX] = {0, 1, 2, 3, 4};

    (void)state;
    start("");
    v[0] = fx.session;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(i == 0 ? fx.p11->C_SignInit(fx.session, &rsa, SECRET)
                         : fx.p11->C_DecryptInit(fx.session, &rsa, SECRET));
        mock->answers[calls[i]] = CKR_VENDOR_DEFINED | 8;
        assert_rv(p11_makers[calls[i]].make(fx.p11, v), CKR_VENDOR_DEFINED | 8);
        assert_memory_equal(mock->arguments[calls[i]], v, 5 * sizeof *v);
    }
}

/* ------------------------------------------------------------------ where a protected operation runs */

static void protected_operation_runs_beside(void **state)
{
    CK_SESSION_HANDLE beside;

    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    mock->calls[CALL_C_OpenSession] = 0;
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_int_equal(mock->calls[CALL_C_OpenSession], 1);
    assert_int_equal(mock->arguments[CALL_C_OpenSession][1], CKF_SERIAL_SESSION | CKF_RW_SESSION);
    beside = mock->arguments[CALL_C_SignInit][0];
    assert_int_not_equal(beside, fx.session);
    assert_ok(sign(fx.session, "data"));
    assert_int_equal(mock->arguments[CALL_C_Sign][0], beside);
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
}

/* Refused: the backend never sees the data, and its operation is ended. */
static void refused_operation_is_ended(void **state)
{
    CK_SESSION_HANDLE beside;

    (void)state;
    start_logged_in("");
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    beside = mock->arguments[CALL_C_SignInit][0];
    assert_rv(sign(fx.session, "data"), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
    assert_int_equal(mock->arguments[CALL_C_CloseSession][0], beside);
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR) "data", 4), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_SignUpdate], 0);
}

static void backends_refusal_is_passed_on(void **state)
{
    (void)state;
    start_logged_in("");
    mock->answers[CALL_C_OpenSession] = CKR_SESSION_COUNT;
    assert_rv(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE), CKR_SESSION_COUNT);
    mock->answers[CALL_C_OpenSession] = CKR_OK;
    mock->answers[CALL_C_SignInit] = CKR_KEY_FUNCTION_NOT_PERMITTED;
    assert_rv(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE), CKR_KEY_FUNCTION_NOT_PERMITTED);
    assert_rv(sign(fx.session, "data"), CKR_OPERATION_NOT_INITIALIZED);
    mock->answers[CALL_C_SignInit] = CKR_OK;
    mock->answers[CALL_C_Login] = CKR_DEVICE_REMOVED;
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, ENFORCED));
    assert_rv(sign(fx.session, "data"), CKR_DEVICE_REMOVED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
    assert_rv(sign(fx.session, "data"), CKR_OPERATION_NOT_INITIALIZED);
}

/* A consent covers the data that the user saw the digest of, also when the call has to be repeated. */
static void consent_is_bound_to_its_data(void **state)
{
    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT RIGHT);
    mock->answers[CALL_C_Sign] = CKR_BUFFER_TOO_SMALL;
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign(fx.session, "data"), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_Sign] = CKR_OK;
    assert_ok(sign(fx.session, "data"));
    assert_int_equal(script_asked(&fx), 1);

    mock->answers[CALL_C_Sign] = CKR_BUFFER_TOO_SMALL;
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign(fx.session, "data"), CKR_BUFFER_TOO_SMALL);
    mock->answers[CALL_C_Sign] = CKR_OK;
    mock->calls[CALL_C_Sign] = 0;
    assert_rv(sign(fx.session, "other data"), CKR_FUNCTION_REJECTED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
    assert_rv(sign(fx.session, "data"), CKR_OPERATION_NOT_INITIALIZED);
}

/* Parts bring data that the window did not show. */
static void consent_to_a_whole_covers_no_parts(void **state)
{
    (void)state;
    start_logged_in("");
    script_set(&fx, RIGHT);
    mock->answers[CALL_C_Sign] = CKR_BUFFER_TOO_SMALL;
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign(fx.session, "data"), CKR_BUFFER_TOO_SMALL);
    assert_rv(fx.p11->C_SignUpdate(fx.session, (CK_BYTE_PTR) "other data", 10), CKR_FUNCTION_REJECTED);
    assert_int_equal(mock->calls[CALL_C_SignUpdate], 0);
    assert_rv(sign(fx.session, "data"), CKR_OPERATION_NOT_INITIALIZED);
}

/* A host that has used up its descriptors: denied, whichever of them is missing, to it or to pinentry. */
static void host_without_descriptors_is_denied(void **state)
{
    struct rlimit before, limit;
    int more = 0;
    CK_RV rv;

    (void)state;
    start_logged_in("");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    do {
        script_set(&fx, RIGHT);
        mock->calls[CALL_C_Sign] = 0;
        assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
        limit = (struct rlimit){.rlim_cur = (rlim_t)(3 + more), .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        rv = sign(fx.session, "data");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(mock->calls[CALL_C_Sign], rv == CKR_OK);
        assert_false(process_has_child());
    } while (rv != CKR_OK && ++more < 64);
    assert_in_range(more, 1, 63);
}

/* ------------------------------------------------------------------ objects and handles */

static void unknown_objects_are_not_used(void **state)
{
    (void)state;
    start("level = low\n");
    assert_rv(fx.p11->C_SignInit(fx.session, &rsa, VENDOR), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(fx.p11->C_DecryptInit(fx.session, &rsa, VENDOR), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(fx.p11->C_SignInit(fx.session, &rsa, NAMELESS), CKR_DEVICE_ERROR);
    assert_int_equal(mock->calls[CALL_C_SignInit], 0);
    assert_int_equal(mock->calls[CALL_C_DecryptInit], 0);
}

/* The number of a harmless object comes to mean a private key. */
static void reused_object_handle_is_looked_at_again(void **state)
{
    CK_SESSION_HANDLE other;

    (void)state;
    for (int how = 0; how < 3; how++) {
        start_logged_in("");
        other = fixture_session(&fx);
        assert_ok(fx.p11->C_SignInit(fx.session, &rsa, SECRET));
        assert_ok(sign(fx.session, "data"));
        switch (how) {
        case 0:
            assert_ok(fx.p11->C_DestroyObject(other, SECRET));
            break;
        case 1:
            assert_ok(fx.p11->C_CloseSession(other));
            break;
        default:
            assert_ok(fx.p11->C_Logout(other));
            assert_ok(fx.p11->C_Login(fx.session, CKU_USER, (CK_BYTE_PTR)PIN, strlen(PIN)));
        }
        mock->objects[SECRET] = mock->objects[PRIVATE];
        mock->calls[CALL_C_Sign] = 0;
        assert_ok(fx.p11->C_SignInit(fx.session, &rsa, SECRET));
        assert_rv(sign(fx.session, "data"), CKR_FUNCTION_CANCELED);
        assert_int_equal(mock->calls[CALL_C_Sign], 0);
        fixture_stop(&fx);
    }
}

/* A token that was pulled: its sessions are gone without a word, and the next one gets an old number. */
static void reused_session_handle_inherits_nothing(void **state)
{
    CK_SESSION_HANDLE session, again;

    (void)state;
    start_logged_in("");
    session = fixture_session(&fx);
    script_set(&fx, RIGHT);
    assert_ok(fx.p11->C_SignInit(session, &rsa, PRIVATE));
    assert_ok(fx.p11->C_SignUpdate(session, (CK_BYTE_PTR) "data", 4));
    mock->next_session = session;
    again = fixture_session(&fx);
    assert_int_equal(again, session);
    assert_rv(sign(again, "data"), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(fx.p11->C_SignUpdate(again, (CK_BYTE_PTR) "more", 4), CKR_OPERATION_NOT_INITIALIZED);
    assert_ok(fx.p11->C_CloseSession(again));
    mock->next_session = session;
    assert_rv(sign(again, "data"), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

/* A session that the host opened around the module is gated like any other. */
static void foreign_session_is_gated(void **state)
{
    const CK_SESSION_HANDLE foreign = 40;

    (void)state;
    start_logged_in("");
    mock->next_session = 41;
    assert_ok(fx.p11->C_SignInit(foreign, &rsa, PRIVATE));
    assert_rv(sign(foreign, "data"), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

/* A backend that does not know the attribute still gets its key, and the gate alone protects it. */
static void key_is_made_without_always_authenticate(void **state)
{
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class}};
    CK_OBJECT_HANDLE keys[2];

    (void)state;
    start("");
    mock->answers[CALL_C_GenerateKeyPair] = CKR_ATTRIBUTE_TYPE_INVALID;
    assert_rv(fx.p11->C_GenerateKeyPair(fx.session, &rsa, NULL, 0, template, 1, &keys[0], &keys[1]),
              CKR_ATTRIBUTE_TYPE_INVALID);
    assert_int_equal(mock->calls[CALL_C_GenerateKeyPair], 2);
    assert_int_equal(mock->arguments[CALL_C_GenerateKeyPair][5], 4);
    mock->answers[CALL_C_GenerateKeyPair] = CKR_DEVICE_MEMORY;
    assert_rv(fx.p11->C_GenerateKeyPair(fx.session, &rsa, NULL, 0, template, 1, &keys[0], &keys[1]),
              CKR_DEVICE_MEMORY);
    assert_int_equal(mock->calls[CALL_C_GenerateKeyPair], 3);
    mock->answers[CALL_C_CreateObject] = CKR_TEMPLATE_INCONSISTENT;
    assert_rv(fx.p11->C_CreateObject(fx.session, template, 1, &keys[0]), CKR_TEMPLATE_INCONSISTENT);
    assert_int_equal(mock->calls[CALL_C_CreateObject], 2);
}

/* ------------------------------------------------------------------ a reader with a PIN pad */

static void pin_pad_takes_the_pin(void **state)
{
    (void)state;
    start("");
    mock->token_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    script_set(&fx, "ok\ncancel\n");
    assert_ok(fx.p11->C_Login(fx.session, CKU_USER, NULL, 0));
    assert_int_equal(script_asked(&fx), 0);
    assert_int_equal(mock->arguments[CALL_C_Login][2], 0);

    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, ENFORCED));
    assert_ok(sign(fx.session, "data"));
    assert_int_equal(mock->arguments[CALL_C_Login][1], CKU_CONTEXT_SPECIFIC);
    assert_int_equal(mock->arguments[CALL_C_Login][2], 0);
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, ENFORCED));
    mock->calls[CALL_C_Sign] = mock->calls[CALL_C_Login] = 0;
    assert_rv(sign(fx.session, "data"), CKR_FUNCTION_CANCELED);
    assert_int_equal(mock->calls[CALL_C_Sign] + mock->calls[CALL_C_Login], 0);

    /* Nobody can check a PIN for a key that the token does not protect. */
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_rv(sign(fx.session, "data"), CKR_FUNCTION_REJECTED);
    assert_int_equal(mock->calls[CALL_C_Sign], 0);
}

/* A PIN changed at the reader is not known here: no PIN, and least of all an empty one, agrees to anything.
 */
static void pin_changed_at_the_reader_is_not_an_empty_one(void **state)
{
    (void)state;
    start("prompt = application\n");
    mock->token_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    assert_ok(fx.p11->C_SetPIN(fx.session, NULL, 0, NULL, 0));
    assert_ok(fx.p11->C_SignInit(fx.session, &rsa, PRIVATE));
    assert_int_not_equal(fx.p11->C_Login(fx.session, CKU_CONTEXT_SPECIFIC, (CK_BYTE_PTR) "", 0), CKR_OK);
    assert_int_not_equal(sign(fx.session, "data"), CKR_OK);
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
        TEST(private_and_unknown_objects_are_refused),
        TEST(other_objects_are_forwarded),
        TEST(dual_operations_of_secret_keys_are_forwarded),
        TEST(protected_operation_runs_beside),
        TEST(refused_operation_is_ended),
        TEST(backends_refusal_is_passed_on),
        TEST(consent_is_bound_to_its_data),
        TEST(consent_to_a_whole_covers_no_parts),
        TEST(host_without_descriptors_is_denied),
        TEST(unknown_objects_are_not_used),
        TEST(reused_object_handle_is_looked_at_again),
        TEST(reused_session_handle_inherits_nothing),
        TEST(foreign_session_is_gated),
        TEST(key_is_made_without_always_authenticate),
        TEST(pin_pad_takes_the_pin),
        TEST(pin_changed_at_the_reader_is_not_an_empty_one),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
