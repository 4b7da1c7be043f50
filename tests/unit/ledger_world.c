#include "ledger_world.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ledger_head.h"
#include "support/test.h"

char world_folder[FOLDER_PATH_MAX];
char world_path[FOLDER_PATH_MAX];
char world_head_path[FOLDER_PATH_MAX];

const struct ledger_entry world_entry = {.program = "/usr/bin/signer",
                                         .pid = 4711,
                                         .uid = 1000,
                                         .key = "my key",
                                         .key_id = "0a0b",
                                         .token = "card",
                                         .token_serial = "0042",
                                         .operation = "sign",
                                         .allowed = true,
                                         .how = "asked"};

int world_start(void **state)
{
    (void)state;
    folder_make(world_folder);
    folder_path(world_folder, "a/ledger.jsonl", world_path);
    folder_path(world_folder, "a/ledger.jsonl.head", world_head_path);
    return 0;
}

int world_stop(void **state)
{
    char below[FOLDER_PATH_MAX];

    (void)state;
    (void)chmod(folder_path(world_folder, "a", below), 0700);
    folder_remove(world_folder);
    return 0;
}

enum error_code world_append(struct error *err)
{
    struct ledger_line line;

    return ledger_append(world_path, &world_entry, &line, err);
}

void world_append_ok(unsigned n)
{
    while (n-- > 0) {
        struct error err = {0};

        if (world_append(&err) != ERROR_NONE)
            fail_msg("%s", error_text(&err));
    }
}

char *world_read(void)
{
    return folder_read(world_folder, "a/ledger.jsonl");
}

bool world_head_is(unsigned long long lines, const char *last, size_t len)
{
    const int fd = open(world_head_path, O_RDONLY | O_CLOEXEC);
    unsigned char hash[LEDGER_HASH_BYTES];
    struct ledger_head head = {0};
    bool right = fd >= 0 && ledger_head_read(fd, &head) && head.lines == lines;

    crypto_hash_sha256(hash, (const unsigned char *)last, len);
    close(fd);
    return right && memcmp(head.last, hash, sizeof hash) == 0;
}

unsigned world_count_chained(char *ledger)
{
    char prev[2 * LEDGER_HASH_BYTES + 1];
    const char *last = "";
    unsigned chained = 0;
    unsigned number = 0;

    memset(prev, '0', sizeof prev - 1);
    prev[sizeof prev - 1] = '\0';
    for (char *line = ledger; *line;) {
        unsigned char hash[LEDGER_HASH_BYTES];
        char expected[128];
        char *end = strchr(line, '\n');

        assert_non_null(end);
        *end = '\0';
        snprintf(expected, sizeof expected, "\"prev\":\"%s\"}", prev);
        if (strlen(line) > strlen(expected) && strcmp(line + strlen(line) - strlen(expected), expected) == 0) {
            snprintf(expected, sizeof expected, ",\"seq\":%u,", number + 1);
            chained += strstr(line, expected) != NULL;
        }
        crypto_hash_sha256(hash, (const unsigned char *)line, strlen(line));
        sodium_bin2hex(prev, sizeof prev, hash, sizeof hash);
        number++;
        last = line;
        line = end + 1;
    }
    assert_true(world_head_is(number, last, strlen(last)));
    return chained;
}

void world_assert_chained(unsigned lines)
{
    char *ledger = world_read();

    assert_int_equal(world_count_chained(ledger), lines);
    free(ledger);
}
