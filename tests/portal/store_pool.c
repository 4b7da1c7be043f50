#include "store_pool.h"

#include <pthread.h>
#include <stdlib.h>

struct store_pool {
    pthread_mutex_t lock;
    size_t free_count;
    struct store *stores[]; /* the free ones */
};

enum error_code store_pool_new(const char *data_dir, size_t size, struct store_pool **pool, struct error *err)
{
    struct store_pool *new_pool = calloc(1, sizeof(*new_pool) + size * sizeof(struct store *));
    enum error_code status = ERROR_NONE;

    if (new_pool == NULL)
        return error_set(err, ERROR_MEMORY, "There is no memory for the database connections.");
    pthread_mutex_init(&new_pool->lock, NULL);
    for (size_t i = 0; i < size && status == ERROR_NONE; i++) {
        status = store_open(data_dir, &new_pool->stores[i], err);
        if (status == ERROR_NONE)
            new_pool->free_count++;
    }
    if (status != ERROR_NONE)
        store_pool_free(&new_pool);
    else
        *pool = new_pool;
    return status;
}

void store_pool_free(struct store_pool **pool)
{
    if (pool == NULL || *pool == NULL)
        return;
    for (size_t i = 0; i < (*pool)->free_count; i++)
        store_close(&(*pool)->stores[i]);
    pthread_mutex_destroy(&(*pool)->lock);
    free(*pool);
    *pool = NULL;
}

struct store *store_pool_take(struct store_pool *pool)
{
    struct store *store = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->free_count > 0)
        store = pool->stores[--pool->free_count];
    pthread_mutex_unlock(&pool->lock);
    return store;
}

void store_pool_give(struct store_pool *pool, struct store *store)
{
    pthread_mutex_lock(&pool->lock);
    pool->stores[pool->free_count++] = store;
    pthread_mutex_unlock(&pool->lock);
}
