#include "support/fork_among.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FORKS_ALONE true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FORKS_ALONE true
#endif
#ifndef FORKS_ALONE
#define FORKS_ALONE false
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned working, forking;

void fork_work_begin(void)
{
    if (!FORKS_ALONE)
        return;
    pthread_mutex_lock(&lock);
    while (forking > 0)
        pthread_cond_wait(&changed, &lock);
    working++;
    pthread_mutex_unlock(&lock);
}

void fork_work_end(void)
{
    if (!FORKS_ALONE)
        return;
    pthread_mutex_lock(&lock);
    working--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

pid_t fork_among(void)
{
    pid_t pid;

    if (!FORKS_ALONE)
        return fork();
    pthread_mutex_lock(&lock);
    forking++;
    while (working > 0)
        pthread_cond_wait(&changed, &lock);
    pid = fork();
    if (pid != 0) {
        forking--;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return pid;
}
