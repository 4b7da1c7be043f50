/*
 * store_pool: database connections for the server's threads, opened at its start.
 *
 * Owner: the caller of store_pool_new. Thread rule: any thread may take and give back.
 */
#ifndef PINWARD_PORTAL_STORE_POOL_H
#define PINWARD_PORTAL_STORE_POOL_H

#include <stddef.h>

#include "store.h"

struct store_pool;

enum error_code store_pool_new(const char *data_dir, size_t size, struct store_pool **pool,
                               struct error *err);
void store_pool_free(struct store_pool **pool);

/* A connection for one request; with as many as there are threads, one is always free. NULL: none is. */
struct store *store_pool_take(struct store_pool *pool);
void store_pool_give(struct store_pool *pool, struct store *store);

#endif
