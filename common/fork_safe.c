#include "common/fork_safe.h"

#include <libintl.h>
#include <pthread.h>
#include <string.h>

/* Errors are told, so that a thread that has it already (a signal's handler that forks) does not wait for itself. */
static pthread_mutex_t fork_safe_lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static _Thread_local bool fork_safe_held;

static void before_fork(void)
{
    fork_safe_held = pthread_mutex_lock(&fork_safe_lock) == 0;
}

static void after_fork(void)
{
    if (fork_safe_held)
        pthread_mutex_unlock(&fork_safe_lock);
    fork_safe_held = false;
}

/* The child's thread has another number than the one that took the lock, and could not give it up. */
static void after_fork_in_child(void)
{
    fork_safe_lock = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    fork_safe_held = false;
}

__attribute__((constructor)) static void fork_safe_load(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

bool fork_safe_utc(time_t when, struct tm *out)
{
    bool good;

    pthread_mutex_lock(&fork_safe_lock);
    good = gmtime_r(&when, out) != NULL;
    pthread_mutex_unlock(&fork_safe_lock);
    return good;
}

bool fork_safe_local_time(time_t when, struct tm *out)
{
    bool good;

    pthread_mutex_lock(&fork_safe_lock);
    good = localtime_r(&when, out) != NULL;
    pthread_mutex_unlock(&fork_safe_lock);
    return good;
}

const char *fork_safe_text(const char *domain, const char *text)
{
    const char *found;

    pthread_mutex_lock(&fork_safe_lock);
    found = dcgettext(domain, text, LC_MESSAGES);
    pthread_mutex_unlock(&fork_safe_lock);
    return found;
}

locale_t fork_safe_users_locale(int mask)
{
    locale_t made;

    pthread_mutex_lock(&fork_safe_lock);
    made = newlocale(mask, "", (locale_t)0); /* "": of the environment (POSIX, newlocale) */
    pthread_mutex_unlock(&fork_safe_lock);
    return made;
}

const char *fork_safe_error(int number)
{
    const char *text;

    pthread_mutex_lock(&fork_safe_lock);
    text = strerror(number); // NOLINT(concurrency-mt-unsafe): glibc's is the thread's own
    pthread_mutex_unlock(&fork_safe_lock);
    return text;
}
