/* Rows of class PASS change nothing: every argument in its place, and the backend's own answer. */
#include <stdio.h>
#include <string.h>

#include "pkcs11-module/dispatch.h"
#include "support/mock.h"
#include "support/p11_make.h"
#include "support/test.h"

static struct fixture fx;

/* The class of each row, from the module's own table. */
enum access { access_pass, access_own, access_gate, access_refuse };
#define ACCESS(name, access) access_##access,
static const enum access accesses[P11_CALL_COUNT] = {DISPATCH_ROWS(ACCESS)};

/* ------------------------------------------------------------------ tests */

/* Distinct within a call and between calls, and within a CK_BBOOL (the only narrow parameter, a first one).
 */
static void distinct(size_t call, uintptr_t v[P11_CALL_PARAMETERS_MAX])
{
    for (size_t i = 0; i < P11_CALL_PARAMETERS_MAX; i++)
        v[i] = call + 100 + (i == 0 ? 0 : 0x1000 * i);
}

static void pass_forwards_every_argument(void **state)
{
    struct mock_backend *mock = mock_reset();
    unsigned passed = 0;

    (void)state;
    mock_start(&fx, "");
    for (size_t i = 0; i < P11_CALL_COUNT; i++) {
        uintptr_t v[P11_CALL_PARAMETERS_MAX];

        if (accesses[i] != access_pass)
            continue;
        distinct(i, v);
        mock->calls[i] = 0;
        mock->answers[i] = CKR_VENDOR_DEFINED | (i + 1);
        assert_rv(p11_makers[i].make(fx.p11, v), CKR_VENDOR_DEFINED | (i + 1));
        assert_int_equal(mock->calls[i], 1);
        if (memcmp(mock->arguments[i], v, p11_makers[i].parameters * sizeof *v) != 0)
            fail_msg("%s does not forward its arguments", p11_makers[i].name);
        passed++;
    }
    assert_true(passed > 20);
}

/* PKCS#11 2.40, 5.4: of all functions only C_GetFunctionList may come before C_Initialize. */
static void nothing_answers_before_initialize(void **state)
{
    struct mock_backend *mock = mock_reset();
    CK_BYTE room[1024] = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < P11_CALL_COUNT; i++) {
            uintptr_t v[P11_CALL_PARAMETERS_MAX];
            CK_RV rv;

            if (i == CALL_C_Initialize || i == CALL_C_GetFunctionList)
                continue;
            for (size_t p = 0; p < P11_CALL_PARAMETERS_MAX; p++)
                v[p] = i == CALL_C_Finalize ? 0 : (uintptr_t)room;
            rv = p11_makers[i].make(fx.p11, v);
            if (rv != CKR_CRYPTOKI_NOT_INITIALIZED)
                fail_msg("%s answers 0x%lx", p11_makers[i].name, rv);
            assert_true(mock->calls[i] == 0 || i == CALL_C_OpenSession || i == CALL_C_Finalize);
        }
        /* And the same after C_Finalize. */
        mock_start(&fx, "");
        assert_ok(fx.p11->C_Finalize(NULL));
    }
}

static void every_pointer_is_set(void **state)
{
    (void)state;
    assert_int_equal(fx.p11->version.major, 2);
    assert_int_equal(fx.p11->version.minor, 40);
    for (size_t i = 0; i < P11_CALL_COUNT; i++) {
        void *function;

        memcpy(&function,
               (const char *)fx.p11 + offsetof(CK_FUNCTION_LIST, C_Initialize) + i * sizeof function,
               sizeof function);
        if (!function)
            fail_msg("%s has no function", p11_makers[i].name);
    }
}

static void get_function_list_answers_the_same_list(void **state)
{
    CK_FUNCTION_LIST *list = NULL;

    (void)state;
    assert_rv(fx.p11->C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
    assert_ok(fx.p11->C_GetFunctionList(&list));
    assert_ptr_equal(list, fx.p11);
}

/* An application that promises to have one thread may still have more (pkcs11-tool --test-threads): the backend locks. */
static void backend_locks_whatever_the_application_says(void **state)
{
    CK_C_INITIALIZE_ARGS one_thread = {.flags = 0};
    struct mock_backend *mock = mock_reset();

    (void)state;
    mock_configure(&fx, mock_backend_path(), "");
    assert_ok(fx.p11->C_Initialize(NULL));
    assert_int_equal(mock->init_flags, CKF_OS_LOCKING_OK);
    fixture_stop(&fx);
    assert_ok(fx.p11->C_Initialize(&one_thread));
    assert_int_equal(mock->init_flags, CKF_OS_LOCKING_OK);
    assert_int_equal(one_thread.flags, 0);
}

static void backend_without_locks_is_told_what_the_application_said(void **state)
{
    CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
    struct mock_backend *mock = mock_reset();

    (void)state;
    mock->cannot_lock = true;
    mock_configure(&fx, mock_backend_path(), "");
    assert_rv(fx.p11->C_Initialize(&threads), CKR_CANT_LOCK);
    assert_ok(fx.p11->C_Initialize(NULL));
    assert_int_equal(mock->init_flags, 0);
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

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(pass_forwards_every_argument, stop),
        cmocka_unit_test_teardown(nothing_answers_before_initialize, stop),
        cmocka_unit_test_teardown(every_pointer_is_set, stop),
        cmocka_unit_test_teardown(get_function_list_answers_the_same_list, stop),
        cmocka_unit_test_teardown(backend_locks_whatever_the_application_says, stop),
        cmocka_unit_test_teardown(backend_without_locks_is_told_what_the_application_said, stop),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
