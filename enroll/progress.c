#include "enroll/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct progress {
    char *text;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;
};

/* Waits a second, or until the end. True: the second is over. */
static bool progress_wait(struct progress *progress, struct timespec *until)
{
    int result = 0;

    until->tv_sec++;
    while (!progress->ended && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&progress->changed, &progress->lock, until);
    }
    return !progress->ended;
}

static void *progress_run(void *context)
{
    struct progress *progress = context;
    struct timespec until;
    unsigned seconds = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&progress->lock);
    while (progress_wait(progress, &until)) {
        fprintf(stderr, "\r%s %u s", progress->text, ++seconds);
        fflush(stderr);
    }
    pthread_mutex_unlock(&progress->lock);
    if (seconds > 0) {
        fputs("\r\033[K", stderr); /* to the line's beginning, and erase it (ECMA-48 EL) */
        fflush(stderr);
    }
    return NULL;
}

/* Signals belong to the thread that knows what to do about them. */
static bool progress_start(struct progress *progress)
{
    sigset_t all;
    sigset_t before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    started = pthread_create(&progress->thread, NULL, progress_run, progress) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void progress_free(struct progress *progress)
{
    pthread_cond_destroy(&progress->changed);
    pthread_mutex_destroy(&progress->lock);
    free(progress->text);
    free(progress);
}

struct progress *progress_begin(const char *text)
{
    struct progress *progress = isatty(STDERR_FILENO) ? calloc(1, sizeof *progress) : NULL;
    pthread_condattr_t monotonic;

    if (!progress) {
        return NULL;
    }
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&progress->lock, NULL);
    pthread_cond_init(&progress->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    progress->text = strdup(text);
    if (!progress->text || !progress_start(progress)) {
        progress_free(progress);
        return NULL;
    }
    return progress;
}

void progress_end(struct progress **progress)
{
    if (!*progress) {
        return;
    }
    pthread_mutex_lock(&(*progress)->lock);
    (*progress)->ended = true;
    pthread_cond_signal(&(*progress)->changed);
    pthread_mutex_unlock(&(*progress)->lock);
    pthread_join((*progress)->thread, NULL);
    progress_free(*progress);
    *progress = NULL;
}
