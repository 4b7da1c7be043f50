/* PKCS#11 3.0: interfaces, the 24 new rows, which list of the backend is used, and profiles. */
#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/dispatch_3.h"
#include "support/mock.h"
#include "support/p11_make.h"
#include "support/p11_v3.h"
#include "support/pinentry_script.h"
#include "support/test.h"

#define STANDARD ((CK_UTF8CHAR_PTR) "PKCS 11")

enum object { SECRET = 1, PRIVATE, PROFILE, CERTIFICATE, VENDOR };

static struct fixture fx;
static struct mock_backend *mock;
static CK_FUNCTION_LIST_3_0 *v3;

/* The class of each of the 24 rows, from the module's own table. */
enum access { access_pass, access_own, access_gate, access_refuse };
#define ACCESS(name, access) access_##access,
static const enum access accesses[P11_CALL_COUNT_3_0 - P11_CALL_COUNT] = {DISPATCH_ROWS_3_0(ACCESS)};

static void prepare(CK_BYTE major, CK_BYTE minor)
{
    mock = mock_reset();
    mock->version_3 = (CK_VERSION){major, minor};
    mock->objects[SECRET] = (struct mock_object){.exists = true, .object_class = CKO_SECRET_KEY};
    mock->objects[PRIVATE] =
        (struct mock_object){.exists = true, .object_class = CKO_PRIVATE_KEY, .key_type = CKK_GOSTR3410};
    mock->objects[PROFILE] = (struct mock_object){.exists = true, .object_class = CKO_PROFILE};
    mock->objects[CERTIFICATE] = (struct mock_object){.exists = true, .object_class = CKO_CERTIFICATE};
    mock->objects[VENDOR] = (struct mock_object){.exists = true, .object_class = CKO_VENDOR_DEFINED | 1};
    v3 = p11_v3_functions(&fx);
}

/* With a backend of 3.0, or only of 2.40. */
static void start(bool backend_has_3)
{
    prepare(backend_has_3 ? 3 : 0, 0);
    mock_start(&fx, "");
    script_set(&fx, "");
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* ------------------------------------------------------------------ interfaces */

static void list_of_interfaces_keeps_the_protocol(void **state)
{
    const CK_C_GetInterfaceList get = p11_v3_get_interface_list(&fx);
    CK_INTERFACE interfaces[8];
    CK_ULONG count = 77;
    CK_ULONG room;

    (void)state;
    assert_rv(get(NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(get(interfaces, NULL), CKR_ARGUMENTS_BAD);
    assert_ok(get(NULL, &count));
    assert_true(count >= 2 && count < 8);
    room = count - 1;
    memset(interfaces, 0, sizeof interfaces);
    assert_rv(get(interfaces, &room), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(room, count);
    assert_null(interfaces[0].pInterfaceName);
    room = 8;
    assert_ok(get(interfaces, &room));
    assert_int_equal(room, count);
    assert_string_equal(interfaces[0].pInterfaceName, "PKCS 11");
    assert_int_equal(((CK_VERSION *)interfaces[0].pFunctionList)->major, 3);
    assert_string_equal(interfaces[1].pInterfaceName, "PKCS 11");
    assert_ptr_equal(interfaces[1].pFunctionList, fx.p11);
    // cppcheck-suppress arrayIndexOutOfBounds; count is what the module said by now, and fitted
    assert_null(interfaces[count].pInterfaceName);
}

static void expect_interface(CK_UTF8CHAR_PTR name, CK_VERSION *version, CK_BYTE major, CK_BYTE minor)
{
    const CK_VERSION expected = {major, minor};
    CK_INTERFACE *interface = NULL;

    assert_ok(p11_v3_get_interface(&fx)(name, version, &interface, 0));
    assert_non_null(interface);
    assert_string_equal(interface->pInterfaceName, "PKCS 11");
    assert_memory_equal(interface->pFunctionList, &expected, sizeof expected);
    assert_int_equal(interface->flags & CKF_INTERFACE_FORK_SAFE, 0);
}

static void expect_no_interface(CK_UTF8CHAR_PTR name, CK_VERSION *version, CK_FLAGS flags)
{
    CK_INTERFACE untouched, *interface = &untouched;

    assert_rv(p11_v3_get_interface(&fx)(name, version, &interface, flags), CKR_ARGUMENTS_BAD);
    assert_ptr_equal(interface, &untouched);
}

static void interface_is_matched_exactly(void **state)
{
    CK_VERSION v240 = {2, 40}, v30 = {3, 0}, v31 = {3, 1}, v2 = {2, 0};

    (void)state;
    assert_rv(p11_v3_get_interface(&fx)(STANDARD, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
    expect_interface(NULL, NULL, 3, 0);
    expect_interface(STANDARD, NULL, 3, 0);
    expect_interface(STANDARD, &v30, 3, 0);
    expect_interface(STANDARD, &v240, 2, 40);
    expect_interface(NULL, &v240, 2, 40);
    expect_no_interface(STANDARD, &v31, 0);
    expect_no_interface(NULL, &v2, 0);
    expect_no_interface((CK_UTF8CHAR_PTR) "PKCS 1", NULL, 0);
    expect_no_interface((CK_UTF8CHAR_PTR) "pkcs 11", NULL, 0);
    expect_no_interface((CK_UTF8CHAR_PTR) "", NULL, 0);
    expect_no_interface(NULL, NULL, CKF_INTERFACE_FORK_SAFE);
    expect_no_interface(STANDARD, &v30, 0x80);
}

static void lists_share_their_functions(void **state)
{
    CK_FUNCTION_LIST_3_0 *list = p11_v3_functions(&fx);

    (void)state;
    assert_memory_equal((char *)list + offsetof(CK_FUNCTION_LIST_3_0, C_Initialize),
                        (char *)fx.p11 + offsetof(CK_FUNCTION_LIST, C_Initialize),
                        P11_CALL_COUNT * sizeof(CK_C_Initialize));
    for (size_t i = 0; i < P11_CALL_COUNT_3_0; i++) {
        void *function;

        memcpy(&function,
               (char *)list + offsetof(CK_FUNCTION_LIST_3_0, C_Initialize) + i * sizeof function,
               sizeof function);
        if (!function)
            fail_msg("%s has no function", p11_makers_3_0[i].name);
    }
}

/* ------------------------------------------------------------------ rows */

static void pass_forwards_every_argument(void **state)
{
    unsigned passed = 0;

    (void)state;
    start(true);
    for (size_t i = P11_CALL_COUNT; i < P11_CALL_COUNT_3_0; i++) {
        uintptr_t v[P11_CALL_PARAMETERS_MAX];

        if (accesses[i - P11_CALL_COUNT] != access_pass)
            continue;
        for (size_t p = 0; p < P11_CALL_PARAMETERS_MAX; p++)
            v[p] = i + 100 + 0x1000 * p;
        mock->answers[i] = CKR_VENDOR_DEFINED | (i + 1);
        assert_rv(p11_makers_3_0[i].make(v3, v), CKR_VENDOR_DEFINED | (i + 1));
        assert_int_equal(mock->calls[i], 1);
        if (memcmp(mock->arguments[i], v, p11_makers_3_0[i].parameters * sizeof *v) != 0)
            fail_msg("%s does not forward its arguments", p11_makers_3_0[i].name);
        passed++;
    }
    assert_int_equal(passed, 9);
}

static void expect_all_answer(CK_RV expected, bool cancel_too)
{
    CK_BYTE room[64] = {0};

    for (size_t i = CALL_C_LoginUser; i < P11_CALL_COUNT_3_0; i++) {
        uintptr_t v[P11_CALL_PARAMETERS_MAX];
        CK_RV rv;

        if (i == CALL_C_SessionCancel && !cancel_too)
            continue;
        for (size_t p = 0; p < P11_CALL_PARAMETERS_MAX; p++)
            v[p] = (uintptr_t)room;
        rv = p11_makers_3_0[i].make(v3, v);
        if (rv != expected)
            fail_msg("%s answers 0x%lx", p11_makers_3_0[i].name, rv);
        assert_int_equal(mock->calls[i], 0);
    }
}

static void nothing_answers_before_initialize(void **state)
{
    (void)state;
    prepare(3, 0);
    expect_all_answer(CKR_CRYPTOKI_NOT_INITIALIZED, true);
    mock_start(&fx, "");
    assert_ok(fx.p11->C_Finalize(NULL));
    expect_all_answer(CKR_CRYPTOKI_NOT_INITIALIZED, true);
}

static void backend_of_2_40_supports_none(void **state)
{
    (void)state;
    start(false);
    expect_all_answer(CKR_FUNCTION_NOT_SUPPORTED, false);
    assert_int_equal(script_asked(&fx), 0);
}

static void private_keys_do_not_encrypt_messages(void **state)
{
    CK_MECHANISM rsa = {CKM_RSA_X_509, NULL, 0};

    (void)state;
    start(true);
    assert_rv(v3->C_MessageEncryptInit(fx.session, &rsa, PRIVATE), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(v3->C_MessageEncryptInit(fx.session, &rsa, VENDOR), CKR_KEY_TYPE_INCONSISTENT);
    assert_rv(v3->C_MessageEncryptInit(fx.session, &rsa, 15), CKR_KEY_HANDLE_INVALID);
    assert_int_equal(mock->calls[CALL_C_MessageEncryptInit], 0);
    assert_ok(v3->C_MessageEncryptInit(fx.session, &rsa, SECRET));
    assert_int_equal(mock->arguments[CALL_C_MessageEncryptInit][2], SECRET);
}

static void named_user_logs_in(void **state)
{
    char *questions;

    (void)state;
    start(true);
    mock->session_state = CKS_RW_PUBLIC_SESSION;
    assert_ok(v3->C_LoginUser(fx.session, CKU_USER, (CK_UTF8CHAR_PTR) "4711", 4, (CK_UTF8CHAR_PTR) "eve", 3));
    assert_int_equal(mock->calls[CALL_C_Login], 0);
    assert_int_equal(mock->arguments[CALL_C_LoginUser][1], CKU_USER);
    assert_int_equal(mock->arguments[CALL_C_LoginUser][3], 4);
    assert_int_equal(mock->arguments[CALL_C_LoginUser][5], 3);

    /* As with C_Login the module asks when there is no PIN. */
    script_set(&fx, "pin 0815-7\n");
    assert_ok(v3->C_LoginUser(fx.session, CKU_USER, NULL, 0, (CK_UTF8CHAR_PTR) "eve\nx", 5));
    questions = script_questions(&fx);
    assert_contains(questions, "%0AUser: eve?x%0A"); /* the window says whose PIN is wanted */
    free(questions);
    assert_int_equal(mock->arguments[CALL_C_LoginUser][3], 6);
    assert_int_equal(mock->arguments[CALL_C_LoginUser][5], 5);
    assert_rv(v3->C_LoginUser(fx.session, 99, (CK_UTF8CHAR_PTR) "1", 1, NULL, 0), CKR_USER_TYPE_INVALID);
    assert_rv(v3->C_LoginUser(fx.session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR_PTR) "1", 1, NULL, 0),
              CKR_OPERATION_NOT_INITIALIZED);
    assert_int_equal(mock->calls[CALL_C_LoginUser], 2);
}

/* ------------------------------------------------------------------ the backend's lists */

static CK_VERSION shown_version(void)
{
    CK_INFO info;

    assert_ok(fx.p11->C_GetInfo(&info));
    return info.cryptokiVersion;
}

static void newest_list_of_the_backend_is_used(void **state)
{
    static const struct {
        CK_VERSION version;
        bool exact_version, used;
    } cases[] = {
        {{3, 0}, false, true},  {{3, 0}, true, true},  {{3, 1}, false, true},
        {{3, 1}, true, false}, {{4, 0}, false, false}, {{2, 40}, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        prepare(cases[i].version.major, cases[i].version.minor);
        mock->exact_version = cases[i].exact_version;
        mock_start(&fx, "");
        assert_int_equal(shown_version().major, cases[i].used ? 3 : 2);
        assert_rv(v3->C_VerifyMessageBegin(fx.session, NULL, 0), cases[i].used ? CKR_OK : CKR_FUNCTION_NOT_SUPPORTED);
        fixture_stop(&fx);
    }
}

static void interface_with_holes_is_not_used(void **state)
{
    char *log;

    (void)state;
    prepare(3, 0);
    mock->left_out = CALL_C_SignMessage;
    mock_start(&fx, "");
    assert_int_equal(shown_version().major, 2);
    assert_rv(v3->C_SignMessageBegin(fx.session, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
    log = fixture_log(&fx);
    assert_contains(log, "leaves C_SignMessage out of its interface of PKCS#11 3.0");
    free(log);
}

static void arguments_reach_the_backend(void **state)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    (void)state;
    prepare(3, 0);
    mock_configure(&fx, mock_backend_path(), "backend-args = configdir='sql:/x y' flags=readOnly\n");
    assert_ok(fx.p11->C_Initialize(&args));
    assert_string_equal(mock->init_reserved, "configdir='sql:/x y' flags=readOnly");
    assert_int_equal(mock->init_flags, CKF_OS_LOCKING_OK);
    assert_null(args.pReserved);
    fixture_stop(&fx);
    assert_ok(fx.p11->C_Initialize(NULL));
    assert_string_equal(mock->init_reserved, "configdir='sql:/x y' flags=readOnly");
    fixture_stop(&fx);
    mock_configure(&fx, mock_backend_path(), "");
    assert_ok(fx.p11->C_Initialize(&args));
    assert_string_equal(mock->init_reserved, "");
}

/* ------------------------------------------------------------------ profiles */

/* Searches with this template, max at a time; the handles found. */
static CK_ULONG search(CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG max, CK_OBJECT_HANDLE found[8])
{
    CK_ULONG total = 0;
    CK_ULONG n;

    assert_ok(v3->C_FindObjectsInit(fx.session, template, count));
    do {
        assert_ok(v3->C_FindObjects(fx.session, found + total, max, &n));
        assert_true(n <= max && total + n <= 8);
        total += n;
    } while (n > 0);
    assert_ok(v3->C_FindObjectsFinal(fx.session));
    return total;
}

/* A private part cannot be guessed by searching for it, with a backend that would find the key by it. */
static void private_parts_are_not_searched(void **state)
{
    static const CK_OBJECT_HANDLE there[] = {SECRET, PRIVATE, CERTIFICATE};
    static const CK_ATTRIBUTE_TYPE parts[] = {CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_COEFFICIENT};
    CK_OBJECT_HANDLE found[8];
    CK_BYTE guess = 3;

    (void)state;
    start(true);
    mock->found_count = sizeof there / sizeof there[0];
    memcpy(mock->found, there, sizeof there);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        CK_ATTRIBUTE template = {parts[i], &guess, sizeof guess};

        assert_int_equal(search(&template, 1, 2, found), 2);
        assert_true(found[0] == SECRET && found[1] == CERTIFICATE);
    }
}

static void profiles_are_not_found(void **state)
{
    static const CK_OBJECT_HANDLE there[] = {PROFILE, SECRET, PROFILE, PROFILE, CERTIFICATE, PRIVATE, PROFILE};
    CK_OBJECT_CLASS class = CKO_PROFILE;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE found[8];

    (void)state;
    start(true);
    memcpy(mock->found, there, sizeof there);
    mock->found_count = sizeof there / sizeof there[0];
    for (CK_ULONG max = 1; max <= 5; max++) {
        assert_int_equal(search(NULL, 0, max, found), 3);
        assert_int_equal(found[0], SECRET);
        assert_int_equal(found[1], CERTIFICATE);
        assert_int_equal(found[2], PRIVATE);
    }
    mock->found[0] = mock->found[1] = PROFILE;
    mock->found_count = 2;
    assert_int_equal(search(&template, 1, 1, found), 0);
    assert_int_equal(search(&template, 1, 5, found), 0);
}

/* A search for a class that is none of theirs costs nothing, and so does any with a backend of 2.40. */
static void other_searches_are_forwarded(void **state)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE found[8];

    (void)state;
    start(true);
    mock->found[0] = CERTIFICATE;
    mock->found_count = 1;
    mock->calls[CALL_C_GetAttributeValue] = 0;
    assert_int_equal(search(&template, 1, 3, found), 1);
    assert_int_equal(mock->calls[CALL_C_GetAttributeValue], 0);
    fixture_stop(&fx);
    start(false);
    mock->found[0] = PROFILE;
    mock->found_count = 1;
    assert_int_equal(search(NULL, 0, 3, found), 1);
    assert_int_equal(mock->calls[CALL_C_GetAttributeValue], 0);
}

static void profiles_have_no_attributes(void **state)
{
    CK_OBJECT_CLASS class = 0;
    CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof class};

    (void)state;
    start(true);
    assert_rv(v3->C_GetAttributeValue(fx.session, PROFILE, &attribute, 1), CKR_OBJECT_HANDLE_INVALID);
    assert_int_equal(class, 0);
    mock->calls[CALL_C_GetAttributeValue] = 0;
    for (int i = 0; i < 5; i++)
        assert_ok(v3->C_GetAttributeValue(fx.session, CERTIFICATE, &attribute, 1));
    assert_int_equal(mock->calls[CALL_C_GetAttributeValue], 5 + 2); /* the class: its length, and it */

    /* The number comes to mean a profile. */
    assert_ok(v3->C_DestroyObject(fx.session, CERTIFICATE));
    mock->objects[CERTIFICATE] = mock->objects[PROFILE];
    assert_rv(v3->C_GetAttributeValue(fx.session, CERTIFICATE, &attribute, 1), CKR_OBJECT_HANDLE_INVALID);
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
        TEST(list_of_interfaces_keeps_the_protocol),
        TEST(interface_is_matched_exactly),
        TEST(lists_share_their_functions),
        TEST(pass_forwards_every_argument),
        TEST(nothing_answers_before_initialize),
        TEST(backend_of_2_40_supports_none),
        TEST(private_keys_do_not_encrypt_messages),
        TEST(named_user_logs_in),
        TEST(newest_list_of_the_backend_is_used),
        TEST(interface_with_holes_is_not_used),
        TEST(arguments_reach_the_backend),
        TEST(private_parts_are_not_searched),
        TEST(profiles_are_not_found),
        TEST(other_searches_are_forwarded),
        TEST(profiles_have_no_attributes),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
