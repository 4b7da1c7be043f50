#include "support/fixture.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/backend_direct.h"
#include "support/backend_kind.h"
#include "support/isolated.h"
#include "support/keys.h"
#include "support/test.h"

const char *fixture_module_path(void)
{
    return TEST_MODULE;
}

const char *fixture_pinentry_path(void)
{
    return TEST_PINENTRY;
}

static void make_subfolder(const struct fixture *fx, const char *name)
{
    char path[FOLDER_PATH_MAX];

    assert_int_equal(mkdir(folder_path(fx->folder, name, path), 0700), 0);
}

static void set_path(const struct fixture *fx, const char *variable, const char *name)
{
    char path[FOLDER_PATH_MAX];

    assert_int_equal(setenv(variable, folder_path(fx->folder, name, path), 1), 0);
}

static void set_environment(const struct fixture *fx)
{
    set_path(fx, "SCRIPTED_PINENTRY_DIR", "pinentry");
    set_path(fx, "PINWARD_CONF", "pinward.conf");
    set_path(fx, "XDG_CONFIG_HOME", "config");
    set_path(fx, "XDG_STATE_HOME", "state");
    set_path(fx, "HOME", "home");
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("LANGUAGE");
    unsetenv("DISPLAY");
}

/* ThreadSanitizer's atexit knows no library: what was registered runs at exit, also when the library has
 * gone. */
#ifdef __SANITIZE_THREAD__
#define LOAD_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)
#else
#define LOAD_FLAGS (RTLD_NOW | RTLD_LOCAL)
#endif

void fixture_load(struct fixture *fx)
{
    CK_C_GetFunctionList get_list;

    fx->library = dlopen(isolated_module(TEST_MODULE), LOAD_FLAGS);
    if (!fx->library)
        fail_msg("%s", dlerror());
    *(void **)&get_list = dlsym(fx->library, "C_GetFunctionList");
    assert_non_null(get_list);
    assert_ok(get_list(&fx->p11));
}

void fixture_unload(struct fixture *fx)
{
    if (fx->library)
        dlclose(fx->library);
    fx->library = NULL;
    fx->p11 = NULL;
}

void fixture_begin_bare(struct fixture *fx)
{
    memset(fx, 0, sizeof *fx);
    folder_make(fx->folder);
    for (size_t i = 0; i < 5; i++)
        make_subfolder(fx, (const char *[]){"tokens", "pinentry", "config", "state", "home"}[i]);
    set_environment(fx);
    backend_kind_prepare(fx->folder);
    folder_write(fx->folder, "pinentry/script", "");
    fixture_configure(fx, "");
    isolated_begin();
    fixture_load(fx);
}

static void make_direct_keys(unsigned key_set)
{
    struct backend_direct direct;
    CK_SESSION_HANDLE session;

    backend_direct_open(&direct);
    backend_kind()->make_token(direct.p11);
    assert_ok(direct.p11->C_OpenSession(backend_slot(direct.p11, CK_TRUE),
                                        CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    assert_ok(direct.p11->C_Login(session, CKU_USER, (CK_BYTE_PTR)FIXTURE_PIN, strlen(FIXTURE_PIN)));
    keys_make_direct(direct.p11, session, key_set);
    backend_direct_close(&direct);
}

void fixture_begin(struct fixture *fx, unsigned key_set)
{
    fixture_begin_bare(fx);
    make_direct_keys(key_set);
    fixture_start_logged_in(fx, "");
    keys_make_through_module(fx->p11, fx->session, key_set);
    fixture_stop(fx);
}

void fixture_end(struct fixture *fx)
{
    fixture_stop(fx);
    fixture_unload(fx);
    isolated_end();
    backend_kind_release();
    folder_remove(fx->folder);
    memset(fx, 0, sizeof *fx);
}

void fixture_configure(struct fixture *fx, const char *lines)
{
    char text[4096];

    assert_true((size_t)snprintf(text, sizeof text,
                                 "[log]\nfile = %s/pinward.log\nlevel = debug\n"
                                 "[module]\n%spinentry = %s\n%s",
                                 fx->folder, backend_kind_lines(), TEST_PINENTRY, lines) < sizeof text);
    folder_write(fx->folder, "pinward.conf", text);
}

void fixture_start(struct fixture *fx, const char *lines)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    fixture_configure(fx, lines);
    assert_ok(fx->p11->C_Initialize(&args));
    fx->slot = backend_slot(fx->p11, CK_TRUE);
    fx->session = fixture_session(fx);
}

void fixture_start_logged_in(struct fixture *fx, const char *lines)
{
    fixture_start(fx, lines);
    assert_ok(fixture_login(fx, FIXTURE_PIN));
}

void fixture_stop(struct fixture *fx)
{
    if (fx->p11)
        (void)fx->p11->C_Finalize(NULL);
    fx->session = CK_INVALID_HANDLE;
}

CK_SESSION_HANDLE fixture_session(struct fixture *fx)
{
    CK_SESSION_HANDLE session;

    assert_ok(fx->p11->C_OpenSession(fx->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    return session;
}

CK_RV fixture_login(struct fixture *fx, const char *pin)
{
    return fx->p11->C_Login(fx->session, CKU_USER, (CK_BYTE_PTR)pin, strlen(pin));
}

char *fixture_log(struct fixture *fx)
{
    return folder_read(fx->folder, "pinward.log");
}

void fixture_log_forget(struct fixture *fx)
{
    char path[FOLDER_PATH_MAX];
    FILE *file = fopen(folder_path(fx->folder, "pinward.log", path), "we");

    if (file)
        fclose(file); /* truncated: the module has it open for appending */
}
