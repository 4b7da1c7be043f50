/* The ledger and its head: whatever stands in them, they are read to their end, a ledger that is called whole is chained
 * line by line, and a line can be added that is the last one then.
 *
 * The input: two bytes for the length of the head, the head, the ledger. */
#include "common/ledger.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enroll/ledger_verify.h"
#include "fuzz/folder.h"
#include "fuzz/fuzz.h"
#include "fuzz/text_check.h"

static void put(const char *path, const void *data, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);

    fuzz_require(fd >= 0 && write(fd, data, len) == (ssize_t)len && close(fd) == 0, "the file is written");
}

/* The line goes on where the one before it ended. */
static void require_chained(const char *line, size_t len, const unsigned char before[32], unsigned long long seq)
{
    char hex[65], number[64], prev[96];

    sodium_bin2hex(hex, sizeof hex, before, 32);
    snprintf(prev, sizeof prev, "\"%s\"", hex);
    snprintf(number, sizeof number, "%llu", seq);
    fuzz_require(fuzz_contains(line, len, prev) && fuzz_contains(line, len, number),
                 "each line of a whole ledger holds the hash of the one before, and its number");
}

static void require_whole(const char *text, size_t len, unsigned long long lines)
{
    unsigned char hash[32] = {0};
    unsigned long long seq = 0;

    for (const char *end; len > 0; text = end + 1) {
        end = memchr(text, '\n', len);
        fuzz_require(end != NULL, "the last line of a whole ledger has its end");
        require_chained(text, (size_t)(end - text), hash, ++seq);
        crypto_hash_sha256(hash, (const unsigned char *)text, (unsigned long long)(end - text));
        len -= (size_t)(end - text) + 1;
    }
    fuzz_require(seq == lines, "every line was read");
}

static enum error_code verify(const char *path, struct ledger_report *report, struct error *err)
{
    struct ledger_reader reader;
    const enum error_code status = ledger_reader_open(path, &reader, err);

    if (status != ERROR_NONE)
        return status;
    ledger_verify(&reader, report);
    fuzz_require((report->faults == 0) == (report->fault == LEDGER_WHOLE), "a fault is one");
    ledger_reader_close(&reader);
    return ERROR_NONE;
}

static void append(const char *path, bool was_whole, unsigned long long lines)
{
    const struct ledger_entry entry = {
        .program = "/usr/bin/true", .operation = "sign", .key = "\xff\"\\\n", .allowed = true, .how = "asked"};
    struct ledger_report report;
    struct ledger_line line;
    struct error err = {0};
    const enum error_code status = ledger_append(path, &entry, &line, &err);

    if (status != ERROR_NONE) {
        text_require_sentence(status, &err);
        return;
    }
    fuzz_require(line.len < LEDGER_LINE_MAX && verify(path, &report, &err) == ERROR_NONE, "a ledger is read after a line");
    if (was_whole)
        fuzz_require(report.faults == 0 && report.lines == lines + 1, "a whole ledger is whole with a line more");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct ledger_report report;
    struct error err = {0};
    char path[FUZZ_PATH_MAX], head_path[FUZZ_PATH_MAX];
    const uint8_t *head;
    size_t head_len = fuzz_byte(&input);

    head_len |= (size_t)(fuzz_byte(&input) & 1) << 8;
    head = fuzz_bytes(&input, head_len, &head_len);
    snprintf(path, sizeof path, "%s/ledger", fuzz_folder());
    snprintf(head_path, sizeof head_path, "%s/ledger.head", fuzz_folder());
    put(path, input.data, input.left);
    put(head_path, head, head_len);
    fuzz_require(sodium_init() >= 0, "there is libsodium");
    if (verify(path, &report, &err) != ERROR_NONE) {
        text_require_sentence(err.code, &err);
        return 0;
    }
    if (report.faults == 0)
        require_whole((const char *)input.data, input.left, report.lines);
    append(path, report.faults == 0, report.lines);
    return 0;
}
