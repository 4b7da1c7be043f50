#include "pkcs11-module/login.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct login {
    CK_SLOT_ID slot;
    unsigned char hash[crypto_generichash_BYTES];
    struct secret *grace_pin; /* sealed; NULL: no grace */
    int64_t grace_end_ms;     /* CLOCK_BOOTTIME: a suspended machine's grace runs out too */
    struct login *next;
};

static int64_t login_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

CK_RV login_table_init(struct login_table *table)
{
    unsigned char key[crypto_generichash_KEYBYTES];

    if (sodium_init() < 0)
        return CKR_HOST_MEMORY;
    randombytes_buf(key, sizeof key);
    memset(table, 0, sizeof *table);
    table->hash_key = secret_from(key, sizeof key);
    secret_wipe(key, sizeof key);
    return table->hash_key ? CKR_OK : CKR_HOST_MEMORY;
}

static void login_free(struct login *login)
{
    secret_free(&login->grace_pin);
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

/* A grace that nobody used must not outlive its time just because nobody asked. With the lock held. */
static void login_expire(struct login_table *table)
{
    const int64_t now_ms = login_now_ms();

    for (struct login *login = table->first; login; login = login->next)
        if (login->grace_pin && now_ms >= login->grace_end_ms)
            secret_free(&login->grace_pin);
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

CK_RV login_remember(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len, unsigned grace_s)
{
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
        if (grace_s > 0)
            login->grace_pin = secret_from(pin, pin_len);
        if (login->grace_pin) {
            secret_seal(login->grace_pin);
            login->grace_end_ms = login_now_ms() + (int64_t)grace_s * 1000;
        }
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

enum login_pin_verdict login_check_pin(struct login_table *table, CK_SLOT_ID slot, const void *pin, CK_ULONG pin_len)
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

struct secret *login_take_grace(struct login_table *table, CK_SLOT_ID slot)
{
    struct secret *pin = NULL;
    struct login *login;

    pthread_mutex_lock(&table->lock);
    login_expire(table);
    login = login_find(table, slot);
    if (login && login->grace_pin) {
        pin = login->grace_pin;
        login->grace_pin = NULL;
        secret_unseal(pin);
    }
    pthread_mutex_unlock(&table->lock);
    return pin;
}
