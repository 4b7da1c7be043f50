#include "pkcs11-module/asks.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/descriptor.h"

CK_RV asks_init(struct asks *asks)
{
    memset(asks, 0, sizeof *asks);
    if (pthread_mutex_init(&asks->lock, NULL) != 0)
        return CKR_HOST_MEMORY;
    if (pthread_cond_init(&asks->ended, NULL) != 0) {
        pthread_mutex_destroy(&asks->lock);
        return CKR_HOST_MEMORY;
    }
    return CKR_OK;
}

void asks_clear(struct asks *asks)
{
    pthread_cond_destroy(&asks->ended);
    pthread_mutex_destroy(&asks->lock);
    memset(asks, 0, sizeof *asks);
    asks->stopping = true; /* a thread that raced C_Finalize may still try: it must be told no */
}

CK_RV ask_begin(struct asks *asks, CK_SESSION_HANDLE session, CK_SLOT_ID slot, struct ask *ask)
{
    return ask_begin_operation(asks, session, slot, 0, ask);
}

CK_RV ask_begin_operation(struct asks *asks, CK_SESSION_HANDLE session, CK_SLOT_ID slot, uint64_t operation,
                          struct ask *ask)
{
    int fd = descriptor_above_stdio(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    CK_RV rv = CKR_OK;

    if (fd < 0)
        return CKR_HOST_MEMORY;
    *ask = (struct ask){.session = session, .slot = slot, .operation = operation, .cancel_fd = fd};
    pthread_mutex_lock(&asks->lock);
    if (asks->stopping) {
        rv = CKR_CRYPTOKI_NOT_INITIALIZED;
    } else {
        ask->next = asks->open;
        asks->open = ask;
    }
    pthread_mutex_unlock(&asks->lock);
    if (rv != CKR_OK)
        close(fd);
    else
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ask->cancel_state);
    return rv;
}

bool asks_enter(struct asks *asks, int *cancel_state)
{
    bool entered;

    pthread_mutex_lock(&asks->lock);
    entered = !asks->stopping;
    if (entered)
        asks->running++;
    pthread_mutex_unlock(&asks->lock);
    if (entered)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel_state);
    return entered;
}

void asks_leave(struct asks *asks, int cancel_state)
{
    pthread_mutex_lock(&asks->lock);
    asks->running--;
    pthread_cond_broadcast(&asks->ended);
    pthread_mutex_unlock(&asks->lock);
    pthread_setcancelstate(cancel_state, NULL);
}

void ask_end(struct asks *asks, struct ask *ask)
{
    pthread_mutex_lock(&asks->lock);
    for (struct ask **link = &asks->open; *link; link = &(*link)->next) {
        if (*link == ask) {
            *link = ask->next;
            break;
        }
    }
    close(ask->cancel_fd);
    pthread_cond_broadcast(&asks->ended);
    pthread_mutex_unlock(&asks->lock);
    pthread_setcancelstate(ask->cancel_state, NULL);
}

static void ask_withdraw(const struct ask *ask)
{
    (void)eventfd_write(ask->cancel_fd, 1);
}

void asks_withdraw_operation(struct asks *asks, CK_SESSION_HANDLE session, uint64_t operation)
{
    pthread_mutex_lock(&asks->lock);
    for (const struct ask *ask = asks->open; ask; ask = ask->next)
        if (ask->session == session && ask->operation == operation)
            ask_withdraw(ask);
    pthread_mutex_unlock(&asks->lock);
}

void asks_withdraw_session(struct asks *asks, CK_SESSION_HANDLE session)
{
    pthread_mutex_lock(&asks->lock);
    for (const struct ask *ask = asks->open; ask; ask = ask->next)
        if (ask->session == session)
            ask_withdraw(ask);
    pthread_mutex_unlock(&asks->lock);
}

void asks_withdraw_slot(struct asks *asks, CK_SLOT_ID slot)
{
    pthread_mutex_lock(&asks->lock);
    for (const struct ask *ask = asks->open; ask; ask = ask->next)
        if (ask->slot == slot)
            ask_withdraw(ask);
    pthread_mutex_unlock(&asks->lock);
}

void asks_stop(struct asks *asks)
{
    pthread_mutex_lock(&asks->lock);
    asks->stopping = true;
    for (const struct ask *ask = asks->open; ask; ask = ask->next)
        ask_withdraw(ask);
    while (asks->open || asks->running > 0)
        pthread_cond_wait(&asks->ended, &asks->lock);
    pthread_mutex_unlock(&asks->lock);
}
