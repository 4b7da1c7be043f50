#include "common/ledger_head.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD_FORMAT "{\"lines\":%20" PRIu64 ",\"bytes\":%20" PRIu64 ",\"last\":\"%s\"}\n"

_Static_assert(sizeof "{\"lines\":,\"bytes\":,\"last\":\"\"}\n" - 1 + 40 + sizeof(char[2][LEDGER_HASH_BYTES]) == LEDGER_HEAD_SIZE,
               "LEDGER_HEAD_SIZE is what HEAD_FORMAT gives");

char *ledger_head_path(const char *ledger_path)
{
    char *path = NULL;

    return asprintf(&path, "%s.head", ledger_path) < 0 ? NULL : path;
}

static void head_render(const struct ledger_head *head, char text[LEDGER_HEAD_SIZE + 1])
{
    char hex[2 * LEDGER_HASH_BYTES + 1];

    sodium_bin2hex(hex, sizeof hex, head->last, sizeof head->last);
    snprintf(text, LEDGER_HEAD_SIZE + 1, HEAD_FORMAT, head->lines, head->bytes, hex);
}

bool ledger_head_read(int fd, struct ledger_head *head)
{
    char text[LEDGER_HEAD_SIZE + 2] = {0};
    char again[LEDGER_HEAD_SIZE + 1];
    char hex[2 * LEDGER_HASH_BYTES + 1];
    struct ledger_head parsed = {0};

    if (pread(fd, text, sizeof text - 1, 0) != LEDGER_HEAD_SIZE)
        return false;
    // NOLINTNEXTLINE(cert-err34-c): what it read, whatever that is, must be written the same way (below)
    if (sscanf(text, "{\"lines\":%" SCNu64 ",\"bytes\":%" SCNu64 ",\"last\":\"%64[0-9a-f]\"", &parsed.lines,
               &parsed.bytes, hex) != 3 ||
        sodium_hex2bin(parsed.last, sizeof parsed.last, hex, strlen(hex), NULL, NULL, NULL) != 0)
        return false;
    /* sscanf forgives a lot. */
    head_render(&parsed, again);
    if (memcmp(text, again, LEDGER_HEAD_SIZE) != 0)
        return false;
    *head = parsed;
    return true;
}

bool ledger_head_write(int fd, const struct ledger_head *head)
{
    char text[LEDGER_HEAD_SIZE + 1];

    head_render(head, text);
    /* What was there may have been longer, and not ours. */
    return ftruncate(fd, LEDGER_HEAD_SIZE) == 0 && pwrite(fd, text, LEDGER_HEAD_SIZE, 0) == LEDGER_HEAD_SIZE;
}
