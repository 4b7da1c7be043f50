#include "enroll/bytes.h"

#include <stdlib.h>
#include <string.h>

bool bytes_set(struct bytes *b, const void *data, size_t len)
{
    unsigned char *copy = malloc(len + 1);

    if (!copy) {
        return false;
    }
    if (len > 0) {
        memcpy(copy, data, len);
    }
    copy[len] = '\0';
    free(b->data);
    b->data = copy;
    b->len = len;
    return true;
}

bool bytes_append(struct bytes *b, const void *data, size_t len)
{
    unsigned char *grown = realloc(b->data, b->len + len + 1);

    if (!grown) {
        return false;
    }
    if (len > 0) {
        memcpy(grown + b->len, data, len);
    }
    b->data = grown;
    b->len += len;
    grown[b->len] = '\0';
    return true;
}

bool bytes_equal(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void bytes_clear(struct bytes *b)
{
    if (b) {
        free(b->data);
        b->data = NULL;
        b->len = 0;
    }
}
