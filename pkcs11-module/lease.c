#include "pkcs11-module/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lease {
    CK_ULONG number;
    CK_ULONG uses;  /* left */
    int64_t end_ms; /* CLOCK_BOOTTIME: a suspended machine's time runs out too */
    char purpose[PINWARD_PURPOSE_MAX + 1];
    struct secret *pin; /* sealed */
    struct lease *next;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void lease_free(struct lease *lease)
{
    secret_free(&lease->pin);
    secret_wipe(lease, sizeof *lease);
    free(lease);
}

CK_RV lease_add(struct lease **list, const struct lease_terms *terms, const void *pin, CK_ULONG pin_len)
{
    struct lease *lease = calloc(1, sizeof *lease);

    if (!lease)
        return CKR_HOST_MEMORY;
    lease->pin = secret_from(pin, pin_len);
    if (!lease->pin) {
        lease_free(lease);
        return CKR_HOST_MEMORY;
    }
    secret_seal(lease->pin);
    lease->number = terms->number;
    lease->uses = terms->uses;
    lease->end_ms = now_ms() + (int64_t)terms->time_s * 1000;
    if (terms->purpose)
        snprintf(lease->purpose, sizeof lease->purpose, "%s", terms->purpose);
    lease->next = *list;
    *list = lease;
    return CKR_OK;
}

static void lease_remove(struct lease **link)
{
    struct lease *lease = *link;

    *link = lease->next;
    lease_free(lease);
}

void lease_expire(struct lease **list)
{
    const int64_t now = now_ms();

    while (*list) {
        if (now >= (*list)->end_ms)
            lease_remove(list);
        else
            list = &(*list)->next;
    }
}

/* The link to the one that ends first; NULL when there is none. */
static struct lease **find_first_to_end(struct lease **list, bool grace)
{
    struct lease **found = NULL;

    for (; *list; list = &(*list)->next)
        if ((grace || (*list)->number != LEASE_GRACE) && (!found || (*list)->end_ms < (*found)->end_ms))
            found = list;
    return found;
}

struct secret *lease_take(struct lease **list, bool grace, CK_ULONG *number)
{
    struct lease **found;
    struct secret *pin;

    lease_expire(list);
    found = find_first_to_end(list, grace);
    if (!found)
        return NULL;
    secret_unseal((*found)->pin);
    pin = secret_copy((*found)->pin);
    secret_seal((*found)->pin);
    if (pin)
        *number = (*found)->number;
    if (--(*found)->uses == 0)
        lease_remove(found);
    return pin;
}

bool lease_end(struct lease **list, CK_ULONG number)
{
    bool ended = false;

    lease_expire(list);
    while (*list) {
        if (number == PINWARD_ALL_BATCHES || (*list)->number == number) {
            lease_remove(list);
            ended = true;
        } else {
            list = &(*list)->next;
        }
    }
    return ended;
}

CK_ULONG lease_describe(const struct lease *list, struct pinward_batch *batches, CK_ULONG room)
{
    const int64_t now = now_ms();
    CK_ULONG count = 0;

    for (; list; list = list->next) {
        if (list->number == LEASE_GRACE || now >= list->end_ms)
            continue;
        if (count < room) {
            memset(&batches[count], 0, sizeof batches[count]);
            batches[count].number = list->number;
            batches[count].uses_left = list->uses;
            batches[count].seconds_left = (CK_ULONG)((list->end_ms - now + 999) / 1000);
            memcpy(batches[count].purpose, list->purpose, sizeof list->purpose);
        }
        count++;
    }
    return count;
}
