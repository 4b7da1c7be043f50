#include "pkcs11-module/runtime.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "common/i18n.h"
#include "common/log.h"

static struct runtime runtime_none; /* zeros: what is seen before the first C_Initialize */

struct runtime *_Atomic runtime_mapping = &runtime_none;

struct runtime *runtime_get(void)
{
    struct runtime *rt = atomic_load_explicit(&runtime_mapping, memory_order_acquire);

    return atomic_load_explicit(&rt->functions, memory_order_acquire) ? rt : NULL;
}

CK_RV runtime_lacks_3(void)
{
    return runtime_backend() ? CKR_FUNCTION_NOT_SUPPORTED : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV runtime_lacks_session(void)
{
    return runtime_backend() ? CKR_SESSION_HANDLE_INVALID : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV runtime_lacks_session_3(void)
{
    return runtime_backend_3() ? CKR_SESSION_HANDLE_INVALID : runtime_lacks_3();
}

/* The mapping, made when it is not there yet; NULL when there is no memory, or no wipe on fork (Linux 4.14). */
static struct runtime *runtime_map(void)
{
    struct runtime *expected = &runtime_none;
    struct runtime *rt = atomic_load(&runtime_mapping);

    if (rt != &runtime_none)
        return rt;
    // cppcheck-suppress invalidFunctionArg; -1 is the descriptor of MAP_ANONYMOUS (mmap(2))
    rt = mmap(NULL, sizeof *rt, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rt == MAP_FAILED)
        return NULL;
    if (madvise(rt, sizeof *rt, MADV_WIPEONFORK) != 0) {
        munmap(rt, sizeof *rt);
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&runtime_mapping, &expected, rt)) {
        munmap(rt, sizeof *rt); /* another thread was first */
        rt = expected;
    }
    return rt;
}

/* The configuration of the last initialisation, kept until the next one: a thread of the host's that C_Finalize did not
 * wait for may still look into it. */
static struct config runtime_retired;

/* Reads the configuration and opens the log. A configuration that is wrong stops the module: it must not run with
 * a policy that the user did not write. */
static CK_RV runtime_configure(struct runtime *rt)
{
    struct config fallback = {.log = {.level = CONFIG_LOG_INFO}};
    struct error err = {0};
    const enum error_code code = config_load(&rt->config, &err);

    if (code != ERROR_NONE) {
        log_open(&fallback, NULL);
        log_error("configuration: %s", error_text(&err));
        log_close();
        return code == ERROR_MEMORY ? CKR_HOST_MEMORY : CKR_GENERAL_ERROR;
    }
    log_open(&rt->config, NULL); /* without a log the gate still works */
    rt->log_is_open = true;
    retry_init(&rt->retry, rt->config.module.pin_tries);
    cool_down_init(&rt->cool_down, rt->config.module.cool_down_s);
    return CKR_OK;
}

static void runtime_close_log(struct runtime *rt)
{
    if (rt->log_is_open)
        log_close();
    rt->log_is_open = false;
}

/* From here every call is refused. */
static void runtime_close(struct runtime *rt)
{
    atomic_store(&rt->functions_3, NULL);
    atomic_store(&rt->functions, NULL);
}

/* At the exit of the host a backend's C++ destructors run before the host's libraries are done with the module:
 * OpenSSL closes its engines last. Registered after the backend was loaded, this runs before those destructors, and
 * later calls get CKR_CRYPTOKI_NOT_INITIALIZED instead of a backend that is no longer whole. */
static void runtime_at_exit(void)
{
    struct runtime *rt = atomic_load(&runtime_mapping);

    if (rt != &runtime_none)
        runtime_close(rt);
}

/* Once in the life of the library, also in forked children, which inherit the registration. */
static void runtime_watch_exit(void)
{
    static atomic_flag watched = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&watched) && atexit(runtime_at_exit) != 0)
        atomic_flag_clear(&watched);
}

static CK_RV runtime_start_locked(struct runtime *rt, CK_VOID_PTR init_args)
{
    CK_RV rv;

    if (atomic_load(&rt->functions))
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    config_clear(&runtime_retired);
    log_forget(); /* in a forked child the parent's log is not this process's */
    i18n_bind();
    rv = runtime_configure(rt);
    if (rv != CKR_OK)
        return rv;
    rv = login_table_init(&rt->logins);
    if (rv == CKR_OK)
        rv = asks_init(&rt->asks);
    if (rv == CKR_OK)
        rv = backend_open(rt->config.module.backend, rt->config.module.backend_args, init_args, &rt->backend);
    if (rv != CKR_OK) {
        asks_clear(&rt->asks);
        login_table_clear(&rt->logins);
        config_clear(&rt->config);
        runtime_close_log(rt);
        return rv;
    }
    session_table_judge_by(&rt->sessions, &rt->config, requester_program(rt->program) ? rt->program : NULL,
                           requester_trust());
    runtime_watch_exit();
    log_debug("initialised with backend %s", rt->config.module.backend);
    atomic_store(&rt->functions_3, rt->backend.functions_3);
    atomic_store(&rt->functions, rt->backend.functions);
    return CKR_OK;
}

/* This thread is in C_Initialize or C_Finalize: a backend that calls back (p11-kit's proxy, when this module is
 * registered in p11-kit too) would wait for itself. */
static _Thread_local bool runtime_changing;

/* Longer than a backend takes to begin or to end. Another thread may also be what its backend waits for: two threads
 * that begin at once, one with this module, whose backend is p11-kit's proxy, and one with p11-kit, which begins this
 * module, each hold the lock that the other wants. */
#define RUNTIME_TURN_S 10

static CK_RV runtime_take_turn(struct runtime *rt)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until); /* which pthread_mutex_timedlock goes by */
    until.tv_sec += RUNTIME_TURN_S;
    if (pthread_mutex_timedlock(&rt->lifecycle, &until) != 0) {
        log_error("C_Initialize or C_Finalize of another thread has not ended in %d s, and may be waiting for this one",
                  RUNTIME_TURN_S);
        return CKR_GENERAL_ERROR;
    }
    runtime_changing = true;
    return CKR_OK;
}

static void runtime_end_turn(struct runtime *rt)
{
    pthread_mutex_unlock(&rt->lifecycle);
    runtime_changing = false;
}

CK_RV runtime_start(CK_VOID_PTR init_args)
{
    struct runtime *rt = runtime_map();
    CK_RV rv;

    if (!rt)
        return CKR_HOST_MEMORY;
    if (runtime_changing) {
        log_warning("the backend has loaded pinward too, and goes on without it: with \"disable-in: p11-kit-proxy\" in "
                    "pinward's module file p11-kit's proxy would not try");
        return CKR_GENERAL_ERROR;
    }
    rv = runtime_take_turn(rt);
    if (rv == CKR_OK) {
        rv = runtime_start_locked(rt, init_args);
        runtime_end_turn(rt);
    }
    return rv;
}

CK_RV runtime_stop(void)
{
    struct runtime *rt = atomic_load(&runtime_mapping);
    CK_RV rv = CKR_CRYPTOKI_NOT_INITIALIZED;

    if (rt == &runtime_none || runtime_changing)
        return rv;
    rv = runtime_take_turn(rt);
    if (rv != CKR_OK)
        return rv;
    rv = CKR_CRYPTOKI_NOT_INITIALIZED;
    if (atomic_load(&rt->functions)) {
        /* From here every call is refused; then the operations go, so that whoever is being asked finds none to go
         * on with; then the questions on the screen are withdrawn and the threads that asked them let go of the
         * tables; then the tables go. */
        runtime_close(rt);
        session_table_clear(&rt->sessions);
        asks_stop(&rt->asks);
        login_table_clear(&rt->logins);
        asks_clear(&rt->asks);
        session_table_judge_by(&rt->sessions, NULL, NULL, POLICY_TRUST_YES);
        rv = backend_close(&rt->backend);
        runtime_retired = rt->config;
        runtime_close_log(rt);
    }
    runtime_end_turn(rt);
    return rv;
}

void runtime_withdraw(void)
{
    struct runtime *rt = atomic_load(&runtime_mapping);

    if (rt == &runtime_none)
        return;
    pthread_mutex_lock(&rt->lifecycle);
    if (atomic_load(&rt->functions))
        asks_stop(&rt->asks);
    pthread_mutex_unlock(&rt->lifecycle);
}

/* A host that unloads the module, or exits, without C_Finalize: no PIN may stay behind, and no descriptor. The backend is
 * left alone: at exit it may be in pieces already. In a forked child that has not initialised there is nothing to do;
 * a lock that another thread held when its parent forked would never be given up. */
__attribute__((destructor)) static void runtime_unload(void)
{
    struct runtime *rt = atomic_exchange(&runtime_mapping, &runtime_none);

    config_clear(&runtime_retired);
    if (rt == &runtime_none)
        return;
    login_table_clear(&rt->logins);
    runtime_close_log(rt);
    munmap(rt, sizeof *rt);
}
