#include "pkcs11-module/login.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/lease.h"

struct login {
    CK_SLOT_ID slot;
    unsigned char hash[crypto_generichash_BYTES];
    struct lease *leases; /* the grace and the batches */
    struct login *next;
};

CK_RV login_table_init(struct login_table *table)
{
    unsigned char key[crypto_generichash_KEYBYTES];

    if (!secret_ready())
        return CKR_HOST_MEMORY;
    randombytes_buf(key, sizeof key);
    memset(table, 0, sizeof *table);
    table->hash_key = secret_from(key, sizeof key);
    secret_wipe(key, sizeof key);
    return table->hash_key ? CKR_OK : CKR_HOST_MEMORY;
}

static void login_free(struct login *login)
{
    (void)lease_end(&login->leases, PINWARD_ALL_BATCHES);
    secret_wipe(login, sizeof *login);
    free(login);
}

void login_table_clear(struct login_table *table)
{
    pthread_mutex_lock(&table->lock);
    while (table->first) {
        struct login *login = table->first;

        table->first = login->next;
        login_free(login);
    }
    secret_free(&table->hash_key);
    pthread_mutex_unlock(&table->lock);
}

/* With the lock held. */
static struct login *login_find(struct login_table *table, CK_SLOT_ID slot)
{
    struct login *login = table->first;

    while (login && login->slot != slot)
        login = login->next;
    return login;
}

/* A PIN that is kept must not outlive its time just because nobody used it. With the lock held. */
static void login_expire(struct login_table *table)
{
    for (struct login *login = table->first; login; login = login->next)
        lease_expire(&login->leases);
}

static bool login_hash(const struct login_table *table, const void *pin, CK_ULONG pin_len,
                       unsigned char hash[crypto_generichash_BYTES])
{
    bool hashed;

    if (!table->hash_key)
        return false;
    hashed = crypto_generichash(hash, crypto_generichash_BYTES, pin, pin_len,
                                (const unsigned char *)secret_bytes(table->hash_key),
                                secret_length(table->hash_key)) == 0;
    sodium_stackzero(4096); /* the hash function's own block buffer held the PIN */
    return hashed;
}

CK_RV login_remember(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len,
                     unsigned grace_s)
{
    const struct lease_terms grace = {.number = LEASE_GRACE, .uses = 1, .time_s = grace_s};
    struct login *login;
    CK_RV rv = CKR_HOST_MEMORY;

    login_forget(table, slot);
    if (!pin || pin_len == 0)
        return CKR_OK;
    login = calloc(1, sizeof *login);
    if (!login)
        return rv;
    login->slot = slot;
    pthread_mutex_lock(&table->lock);
    login_expire(table);
    if (login_hash(table, pin, pin_len, login->hash)) {
        if (grace_s > 0) /* without memory for it the first use is asked for, that is all */
            (void)lease_add(&login->leases, &grace, pin, pin_len);
        login->next = table->first;
        table->first = login;
        login = NULL;
        rv = CKR_OK;
    }
    pthread_mutex_unlock(&table->lock);
    if (login)
        login_free(login);
    return rv;
}

void login_forget(struct login_table *table, CK_SLOT_ID slot)
{
    pthread_mutex_lock(&table->lock);
    login_expire(table);
    for (struct login **link = &table->first; *link;) {
        struct login *login = *link;

        if (login->slot == slot) {
            *link = login->next;
            login_free(login);
        } else {
            link = &login->next;
        }
    }
    pthread_mutex_unlock(&table->lock);
}

enum login_pin_verdict login_check_pin(struct login_table *table, CK_SLOT_ID slot, const void *pin,
                                       CK_ULONG pin_len)
{
    unsigned char hash[crypto_generichash_BYTES];
    enum login_pin_verdict verdict = LOGIN_PIN_UNKNOWN;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login && login_hash(table, pin, pin_len, hash)) {
        verdict = sodium_memcmp(hash, login->hash, sizeof hash) == 0 ? LOGIN_PIN_RIGHT : LOGIN_PIN_WRONG;
        secret_wipe(hash, sizeof hash);
    }
    pthread_mutex_unlock(&table->lock);
    return verdict;
}

CK_RV login_grant(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len,
                  struct lease_terms *terms)
{
    CK_RV rv = CKR_USER_NOT_LOGGED_IN;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login) {
        terms->number = table->last_batch + 1;
        rv = lease_add(&login->leases, terms, pin, pin_len);
    }
    if (rv == CKR_OK)
        table->last_batch++;
    pthread_mutex_unlock(&table->lock);
    return rv;
}

struct secret *login_take_lease(struct login_table *table, CK_SLOT_ID slot, bool grace, CK_ULONG *number)
{
    struct secret *pin = NULL;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login)
        pin = lease_take(&login->leases, grace, number);
    pthread_mutex_unlock(&table->lock);
    return pin;
}

bool login_end_lease(struct login_table *table, CK_SLOT_ID slot, CK_ULONG number)
{
    bool ended = false;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login)
        ended = lease_end(&login->leases, number);
    pthread_mutex_unlock(&table->lock);
    return ended;
}

CK_ULONG login_describe_batches(struct login_table *table, CK_SLOT_ID slot, struct pinward_batch *batches,
                                CK_ULONG room)
{
    CK_ULONG count = 0;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login)
        count = lease_describe(login->leases, batches, room);
    pthread_mutex_unlock(&table->lock);
    return count;
}
