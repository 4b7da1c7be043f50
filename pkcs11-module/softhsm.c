#include "pkcs11-module/softhsm.h"

#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/private_file.h"
#include "pkcs11-module/counter_file.h"

/* Longer than any call under it takes. Then the call is made all the same: a process that was stopped in the middle of
 * one must not stop all others. */
#define LOCK_TIMEOUT_MS 5000

static CK_FUNCTION_LIST *unguarded;
static CK_FUNCTION_LIST guarded;
static char lock_path[PATH_MAX]; /* "": there is no place for the lock */

bool softhsm_is(const char *path)
{
    static const char name[] = "libsofthsm2";
    const char *slash = strrchr(path, '/');

    return strncmp(slash ? slash + 1 : path, name, sizeof name - 1) == 0;
}

/* ------------------------------------------------------------------ who says where its files are */

/* Below which SoftHSM2 looks for .config/softhsm2/softhsm2.conf. Whether it is there now says nothing: who started the
 * program may make it in a moment. */
static bool home_is_own(const char *home)
{
    struct passwd *found = NULL;
    struct passwd entry;
    char buffer[4096];

    return getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && strcmp(found->pw_dir, home) == 0;
}

bool softhsm_may_start(void)
{
    const char *conf = getenv("SOFTHSM2_CONF");
    const char *home = getenv("HOME");

    /* secure_getenv answers NULL in a program that has more rights than who started it. */
    if (conf && !secure_getenv("SOFTHSM2_CONF")) {
        log_error("this program has more rights than who started it, and SoftHSM2 would follow their SOFTHSM2_CONF: the "
                  "program must unset it");
        return false;
    }
    if (home && !secure_getenv("HOME") && !home_is_own(home)) {
        log_error("this program has more rights than who started it, and SoftHSM2 would look for its configuration "
                  "below their HOME: the program must unset it");
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------ the lock */

struct guard {
    int fd; /* -1: without the lock */
    int cancel_state;
};

/* A thread that is cancelled meanwhile (pthread_cancel) must not take the lock with it. */
static void guard_enter(struct guard *guard)
{
    struct error err = {0};

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel_state);
    guard->fd = lock_path[0] ? private_file_open(lock_path, true, 0, &err) : -1;
    if (guard->fd >= 0 && private_file_lock(guard->fd, LOCK_TIMEOUT_MS, &err) != ERROR_NONE) {
        close(guard->fd);
        guard->fd = -1;
    }
    if (guard->fd >= 0)
        (void)futimens(guard->fd, NULL); /* so that those who wait see that others get on */
    if (guard->fd < 0)
        log_warning("SoftHSM2 is used without the lock that keeps it from losing its token: %s",
                    lock_path[0] ? error_text(&err) : "there is no folder for it");
}

static void guard_leave(struct guard *guard)
{
    /* Said, not left to close: a child that the host forked meanwhile shares the lock. */
    if (guard->fd >= 0) {
        private_file_unlock(guard->fd);
        close(guard->fd);
    }
    pthread_setcancelstate(guard->cancel_state, NULL);
}

/* ------------------------------------------------------------------ the calls that touch token.object */

static CK_RV guarded_C_Initialize(CK_VOID_PTR init_args)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_Initialize(init_args);
    guard_leave(&guard);
    return rv;
}

static CK_RV guarded_C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO_PTR info)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_GetTokenInfo(slot_id, info);
    guard_leave(&guard);
    return rv;
}

static CK_RV guarded_C_InitToken(CK_SLOT_ID slot_id, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len, CK_UTF8CHAR_PTR label)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_InitToken(slot_id, pin, pin_len, label);
    guard_leave(&guard);
    return rv;
}

static CK_RV guarded_C_InitPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_InitPIN(session, pin, pin_len);
    guard_leave(&guard);
    return rv;
}

static CK_RV guarded_C_SetPIN(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_len,
                              CK_UTF8CHAR_PTR new_pin, CK_ULONG new_len)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_SetPIN(session, old_pin, old_len, new_pin, new_len);
    guard_leave(&guard);
    return rv;
}

static CK_RV guarded_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin, CK_ULONG pin_len)
{
    struct guard guard;
    CK_RV rv;

    guard_enter(&guard);
    rv = unguarded->C_Login(session, user_type, pin, pin_len);
    guard_leave(&guard);
    return rv;
}

CK_FUNCTION_LIST *softhsm_guard(CK_FUNCTION_LIST *functions)
{
    if (!counter_file_locate("softhsm.lock", lock_path))
        lock_path[0] = '\0';
    unguarded = functions;
    guarded = *functions;
    guarded.C_Initialize = guarded_C_Initialize;
    guarded.C_GetTokenInfo = guarded_C_GetTokenInfo;
    guarded.C_InitToken = guarded_C_InitToken;
    guarded.C_InitPIN = guarded_C_InitPIN;
    guarded.C_SetPIN = guarded_C_SetPIN;
    guarded.C_Login = guarded_C_Login;
    return &guarded;
}
