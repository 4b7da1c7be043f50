/* The module refuses to initialise with a configuration or a backend that is wrong, and the log says why. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mock.h"
#include "support/process_state.h"
#include "support/test.h"

static struct fixture fx;

static int start(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    setenv("PINWARD_CONF", folder_path(fx.folder, "pinward.conf", path), 1);
    folder_unlink(fx.folder, "pinward.log");
    folder_unlink(fx.folder, "state/pinward/pinward.log");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&fx);
    return 0;
}

/* C_Initialize fails and the named log says so; the module is then not initialised, and nothing leaks. */
static void expect_refused(const char *log_name, CK_RV expected, const char *line)
{
    const int descriptors = process_descriptors();
    CK_INFO info;
    char *log;

    assert_rv(fx.p11->C_Initialize(NULL), expected);
    assert_rv(fx.p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_int_equal(process_descriptors(), descriptors);
    log = folder_read(fx.folder, log_name);
    assert_contains(log, line);
    free(log);
}

/* ------------------------------------------------------------------ the file */

/* A configuration that cannot be read cannot name a log: the line is in the default one. */
#define DEFAULT_LOG "state/pinward/pinward.log"

static void bad_line_is_reported(void **state)
{
    char line[FOLDER_PATH_MAX + 128];

    (void)state;
    folder_write(fx.folder, "pinward.conf", "[module]\n\nlevel = hihg\n");
    snprintf(line, sizeof line,
             "%s/pinward.conf, line 3: \"hihg\" is not a value for level; expected high, medium, low.",
             fx.folder);
    expect_refused(DEFAULT_LOG, CKR_GENERAL_ERROR, line);

    /* Corrected, it starts. */
    mock_reset();
    mock_start(&fx, "");
}

static void writable_file_is_refused(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    mock_reset();
    mock_configure(&fx, mock_backend_path(), "");
    assert_int_equal(chmod(folder_path(fx.folder, "pinward.conf", path), 0620), 0);
    expect_refused(DEFAULT_LOG, CKR_GENERAL_ERROR, "can be written by other users");
    assert_int_equal(chmod(path, 0600), 0);
}

static void named_file_must_exist(void **state)
{
    (void)state;
    setenv("PINWARD_CONF", "/nonexistent/pinward.conf", 1);
    expect_refused(DEFAULT_LOG, CKR_GENERAL_ERROR, "PINWARD_CONF names /nonexistent/pinward.conf");
}

static void log_folder_is_private(void **state)
{
    char path[FOLDER_PATH_MAX];
    struct stat st;

    (void)state;
    folder_write(fx.folder, "pinward.conf", "nonsense\n");
    expect_refused(DEFAULT_LOG, CKR_GENERAL_ERROR, "line 1");
    assert_int_equal(stat(folder_path(fx.folder, DEFAULT_LOG, path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(folder_path(fx.folder, "state/pinward", path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

/* Nothing is printed to the host, and no log is no reason not to work. */
static void works_without_a_log(void **state)
{
    char text[FOLDER_PATH_MAX * 2];

    (void)state;
    mock_reset();
    snprintf(text, sizeof text, "[module]\nbackend = %s\n[log]\nfile = /proc/nonexistent/log\n",
             mock_backend_path());
    folder_write(fx.folder, "pinward.conf", text);
    assert_ok(fx.p11->C_Initialize(NULL));
}

static void found_in_the_users_folder(void **state)
{
    static const char *const places[] = {"config/pinward", "home/.config/pinward"};
    char path[FOLDER_PATH_MAX];
    char name[64];
    char *text;

    (void)state;
    mock_reset();
    mock_configure(&fx, mock_backend_path(), "");
    text = folder_read(fx.folder, "pinward.conf");
    unsetenv("PINWARD_CONF");
    (void)mkdir(folder_path(fx.folder, "home/.config", path), 0700);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mkdir(folder_path(fx.folder, places[i], path), 0700), 0);
        snprintf(name, sizeof name, "%s/pinward.conf", places[i]);
        folder_write(fx.folder, name, "[module]\nlevel = none\n");
        if (i == 1)
            unsetenv("XDG_CONFIG_HOME");
        expect_refused(DEFAULT_LOG, CKR_GENERAL_ERROR, name);
        folder_write(fx.folder, name, text);
        assert_ok(fx.p11->C_Initialize(NULL));
        assert_ok(fx.p11->C_Finalize(NULL));
    }
    setenv("XDG_CONFIG_HOME", folder_path(fx.folder, "config", path), 1);
    free(text);
}

/* ------------------------------------------------------------------ the backend */

static void expect_backend_refused(const char *backend, const char *line)
{
    mock_configure(&fx, backend, "");
    folder_unlink(fx.folder, "pinward.log");
    expect_refused("pinward.log", CKR_GENERAL_ERROR, line);
}

static void missing_backend_is_refused(void **state)
{
    (void)state;
    expect_backend_refused("/nonexistent/backend.so", "backend /nonexistent/backend.so cannot be loaded");
    expect_backend_refused("/etc/passwd", "backend /etc/passwd cannot be loaded");
}

static void library_without_pkcs11_is_refused(void **state)
{
    Dl_info info;

    (void)state;
    assert_int_not_equal(dladdr(stdout, &info), 0); /* libc's own */
    expect_backend_refused(info.dli_fname, "not a PKCS#11 module: it has no C_GetFunctionList");
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    char block[4096];
    size_t n;

    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, n, out), n);
    fclose(in);
    fclose(out);
}

/* By its own name, by another, and as a copy, which then finds itself. */
static void pinward_itself_is_refused(void **state)
{
    char path[FOLDER_PATH_MAX];

    (void)state;
    expect_backend_refused(fixture_module_path(), "is pinward itself");
    assert_int_equal(symlink(fixture_module_path(), folder_path(fx.folder, "link.so", path)), 0);
    expect_backend_refused(path, "is pinward itself");
    copy_file(fixture_module_path(), folder_path(fx.folder, "copy.so", path));
    expect_backend_refused(path, "is pinward itself");
}

static void broken_function_lists_are_refused(void **state)
{
    static const int left_out[] = {CALL_C_Initialize, CALL_C_Sign, CALL_C_WaitForSlotEvent};
    static const char *const lines[] = {"leaves out C_Initialize", "leaves out C_Sign,",
                                        "leaves out C_WaitForSlotEvent"};
    struct mock_backend *mock = mock_reset();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        mock->left_out = left_out[i];
        expect_backend_refused(mock_backend_path(), lines[i]);
    }
    mock = mock_reset();
    mock->list_answer = CKR_HOST_MEMORY;
    expect_backend_refused(mock_backend_path(), "C_GetFunctionList returned 0x00000002");
    mock = mock_reset();
    mock->no_list = true;
    expect_backend_refused(mock_backend_path(), "C_GetFunctionList returned");
    mock = mock_reset();
    mock->version = (CK_VERSION){1, 0};
    expect_backend_refused(mock_backend_path(), "speaks PKCS#11 1.0");
    mock = mock_reset();
    mock->version = (CK_VERSION){3, 0};
    mock_start(&fx, "");
}

static void backends_own_refusal_is_passed_on(void **state)
{
    struct mock_backend *mock = mock_reset();

    (void)state;
    mock->answers[CALL_C_Initialize] = CKR_CANT_LOCK;
    mock_configure(&fx, mock_backend_path(), "");
    expect_refused("pinward.log", CKR_CANT_LOCK, "C_Initialize returned 0x0000000a");
    assert_int_equal(mock->calls[CALL_C_Finalize], 0);
}

/* The host's own initialisation of the backend is the host's to end; but it goes around the gate, and that is
 * said. */
static void host_that_uses_the_backend_directly_is_named(void **state)
{
    struct mock_backend *mock = mock_reset();
    char *log;

    (void)state;
    mock->answers[CALL_C_Initialize] = CKR_CRYPTOKI_ALREADY_INITIALIZED;
    mock_start(&fx, "");
    fixture_stop(&fx);
    assert_int_equal(mock->calls[CALL_C_Finalize], 0);
    log = fixture_log(&fx);
    assert_contains(log, "also used directly by this process");
    free(log);
}

/* ------------------------------------------------------------------ C_Initialize's arguments (2.40, 5.4) */

static CK_RV make_nothing(CK_VOID_PTR_PTR mutex)
{
    *mutex = NULL;
    return CKR_GENERAL_ERROR; /* nobody is to call it */
}

static CK_RV do_nothing(CK_VOID_PTR mutex)
{
    (void)mutex;
    return CKR_GENERAL_ERROR;
}

/* What the host says of threads and mutexes, and what comes of it. */
static CK_RV start_with(CK_FLAGS flags, unsigned functions)
{
    CK_C_INITIALIZE_ARGS args = {.CreateMutex = functions & 1 ? make_nothing : NULL,
                                 .DestroyMutex = functions & 2 ? do_nothing : NULL,
                                 .LockMutex = functions & 4 ? do_nothing : NULL,
                                 .UnlockMutex = functions & 8 ? do_nothing : NULL,
                                 .flags = flags};

    return fx.p11->C_Initialize(&args);
}

static void mutex_functions_are_all_or_none(void **state)
{
    struct mock_backend *mock = mock_reset();

    (void)state;
    mock_configure(&fx, mock_backend_path(), "");
    for (unsigned functions = 1; functions < 15; functions++) {
        assert_rv(start_with(0, functions), CKR_ARGUMENTS_BAD);
        assert_rv(start_with(CKF_OS_LOCKING_OK, functions), CKR_ARGUMENTS_BAD);
    }
    assert_rv(start_with(0, 15), CKR_CANT_LOCK); /* its own and nothing else */
    assert_int_equal(mock->calls[CALL_C_Initialize], 0);
    assert_rv(fx.p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_ok(start_with(CKF_OS_LOCKING_OK, 15)); /* either: the system's are taken */
}

/* The backend is told to lock whatever the host says, and is never given functions of the host's. */
static void backend_locks_with_the_system(void **state)
{
    static const struct {
        CK_FLAGS flags;
        unsigned functions;
    } hosts[] = {{0, 0},
                 {CKF_OS_LOCKING_OK, 0},
                 {CKF_OS_LOCKING_OK, 15},
                 {CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS, 0}};
    struct mock_backend *mock = mock_reset();

    (void)state;
    mock_configure(&fx, mock_backend_path(), "");
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        mock->init_functions = true;
        assert_ok(start_with(hosts[i].flags, hosts[i].functions));
        assert_int_equal(mock->init_flags, hosts[i].flags | CKF_OS_LOCKING_OK);
        assert_false(mock->init_functions);
        assert_ok(fx.p11->C_Finalize(NULL));
    }
    mock->init_flags = 0;
    assert_ok(fx.p11->C_Initialize(NULL));
    assert_int_equal(mock->init_flags, CKF_OS_LOCKING_OK);
    assert_ok(fx.p11->C_Finalize(NULL));
    assert_int_equal(mock->calls[CALL_C_Finalize], 5);
}

static void reserved_reaches_the_backend(void **state)
{
    struct mock_backend *mock = mock_reset();
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK, .pReserved = (CK_VOID_PTR) "parameters of NSS's"};

    (void)state;
    mock_configure(&fx, mock_backend_path(), "");
    assert_ok(fx.p11->C_Initialize(&args));
    assert_string_equal(mock->init_reserved, "parameters of NSS's");
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_line_is_reported),
        TEST(writable_file_is_refused),
        TEST(named_file_must_exist),
        TEST(log_folder_is_private),
        TEST(works_without_a_log),
        TEST(found_in_the_users_folder),
        TEST(missing_backend_is_refused),
        TEST(library_without_pkcs11_is_refused),
        TEST(pinward_itself_is_refused),
        TEST(broken_function_lists_are_refused),
        TEST(backends_own_refusal_is_passed_on),
        TEST(host_that_uses_the_backend_directly_is_named),
        TEST(mutex_functions_are_all_or_none),
        TEST(backend_locks_with_the_system),
        TEST(reserved_reaches_the_backend),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
