/* ledger_verify: each way to tamper with a ledger is found, at the right line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ledger.h"
#include "enroll/ledger_verify.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

#define LINES 6

static char folder[FOLDER_PATH_MAX];
static char path[FOLDER_PATH_MAX];

static void append(unsigned n)
{
    const struct ledger_entry entry = {
        .program = "/usr/bin/signer", .key = "my key", .operation = "sign", .allowed = true, .how = "asked"};

    while (n-- > 0) {
        struct ledger_line line;
        struct error err = {0};

        if (ledger_append(path, &entry, &line, &err) != ERROR_NONE) {
            fail_msg("%s", error_text(&err));
        }
    }
}

static int start(void **state)
{
    (void)state;
    folder_make(folder);
    folder_path(folder, "ledger.jsonl", path);
    append(LINES);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static struct ledger_report verify(void)
{
    struct ledger_reader reader;
    struct ledger_report report;
    struct error err = {0};

    if (ledger_reader_open(path, &reader, &err) != ERROR_NONE) {
        fail_msg("%s", error_text(&err));
    }
    ledger_verify(&reader, &report);
    ledger_reader_close(&reader);
    return report;
}

/* The first fault is this one, on this line. */
static void found(enum ledger_fault fault, unsigned long long line)
{
    const struct ledger_report report = verify();

    if (report.fault != fault || report.line != line) {
        fail_msg("fault %d at line %llu, not fault %d at line %llu", report.fault, report.line, fault, line);
    }
}

/* The ledger as lines (with their newlines), changed by a test, and put together again. */
struct lines {
    char *line[LINES + 4];
    size_t count;
};

static void take_apart(struct lines *lines)
{
    char *text = folder_read(folder, "ledger.jsonl");

    memset(lines, 0, sizeof *lines);
    for (char *p = text; *p; lines->count++) {
        const size_t len = strcspn(p, "\n") + 1;

        assert_true(lines->count < sizeof lines->line / sizeof lines->line[0]);
        lines->line[lines->count] = strndup(p, len);
        p += len;
    }
    free(text);
}

static void put_together(struct lines *lines)
{
    char text[LEDGER_LINE_MAX * 4] = "";

    for (size_t i = 0; i < lines->count; i++) {
        assert_true(strlen(text) + strlen(lines->line[i]) < sizeof text);
        strcat(text, lines->line[i]);
        free(lines->line[i]);
    }
    folder_write(folder, "ledger.jsonl", text);
}

/* Lines number first and following leave the ledger. */
static void take_out(size_t first, size_t n)
{
    struct lines lines;

    take_apart(&lines);
    for (size_t i = 0; i < n; i++) {
        free(lines.line[first - 1 + i]);
    }
    memmove(&lines.line[first - 1], &lines.line[first - 1 + n],
            (lines.count - n - (first - 1)) * sizeof lines.line[0]);
    lines.count -= n;
    put_together(&lines);
}

/* In the line of that number, one text becomes another of the same length. */
static void change(size_t number, const char *from, const char *to)
{
    struct lines lines;
    char *place;

    take_apart(&lines);
    place = strstr(lines.line[number - 1], from);
    assert_non_null(place);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(place, to, strlen(to));
    put_together(&lines);
}

/* ------------------------------------------------------------------ whole */

static void whole_ledger_is_whole(void **state)
{
    const struct ledger_report report = verify();

    (void)state;
    assert_int_equal(report.fault, LEDGER_WHOLE);
    assert_int_equal(report.lines, LINES);
    assert_int_equal(report.faults, 0);
}

static void missing_ledger_is_said(void **state)
{
    struct ledger_reader reader;
    struct error err = {0};

    (void)state;
    folder_unlink(folder, "ledger.jsonl");
    assert_int_equal(ledger_reader_open(path, &reader, &err), ERROR_STATE);
    assert_contains(err.text, "There is no ledger");
}

/* A writer that died between the line and the head has done no wrong. */
static void late_head_is_no_fault(void **state)
{
    char *head = folder_read(folder, "ledger.jsonl.head");

    (void)state;
    append(1);
    folder_write(folder, "ledger.jsonl.head", head);
    assert_int_equal(verify().fault, LEDGER_WHOLE);
    append(1);
    assert_int_equal(verify().fault, LEDGER_WHOLE);
    assert_int_equal(verify().lines, LINES + 2);
    free(head);
}

/* ------------------------------------------------------------------ tampered with */

static void changed_lines_are_named(void **state)
{
    (void)state;
    for (size_t line = 1; line <= LINES; line++) {
        change(line, "allowed", "denied ");
        found(LEDGER_CHANGED, line);
        assert_int_equal(verify().faults, 1);
        change(line, "denied ", "allowed");
        assert_int_equal(verify().fault, LEDGER_WHOLE);
    }
}

static void changed_numbers_are_named(void **state)
{
    (void)state;
    for (size_t line = 1; line <= LINES; line++) {
        char from[16];
        char to[16];

        snprintf(from, sizeof from, "\"seq\":%zu,", line);
        snprintf(to, sizeof to, "\"seq\":%zu,", line == 1 ? 9 : line - 1);
        change(line, from, to);
        found(LEDGER_CHANGED, line);
        change(line, to, from);
    }
}

static void changed_hashes_are_named(void **state)
{
    (void)state;
    for (size_t line = 1; line <= LINES; line++) {
        struct lines lines;
        char *prev;

        take_apart(&lines);
        prev = strstr(lines.line[line - 1], "\"prev\":\"");
        prev[8] = prev[8] == '0' ? '1' : '0';
        put_together(&lines);
        found(LEDGER_CHANGED, line);
        stop(NULL);
        start(NULL);
    }
}

static void missing_lines_are_counted(void **state)
{
    (void)state;
    for (size_t first = 1; first < LINES; first++) {
        for (size_t n = 1; first + n <= LINES; n++) {
            take_out(first, n);
            found(LEDGER_MISSING, first);
            assert_int_equal(verify().missing, n);
            stop(NULL);
            start(NULL);
        }
    }
}

static void cut_off_end_is_noticed(void **state)
{
    (void)state;
    for (size_t left = 0; left < LINES; left++) {
        take_out(left + 1, LINES - left);
        found(LEDGER_CUT, left + 1);
        assert_int_equal(verify().missing, LINES - left);
        append(2); /* what goes on does not hide it */
        found(LEDGER_MISSING, left + 1);
        assert_int_equal(verify().missing, LINES - left);
        assert_int_equal(verify().faults, 1);
        stop(NULL);
        start(NULL);
    }
}

static void duplicated_line_is_named(void **state)
{
    struct lines lines;

    (void)state;
    take_apart(&lines);
    memmove(&lines.line[3], &lines.line[2], (lines.count - 2) * sizeof lines.line[0]);
    lines.line[3] = strdup(lines.line[2]);
    lines.count++;
    put_together(&lines);
    found(LEDGER_INSERTED, 3); /* one of two that are the same */
}

/* A forger who knows the format and makes the line fit the one before it. */
static void forged_line_is_named(void **state)
{
    struct ledger_entry entry = {.key = "my key", .operation = "delete", .allowed = true, .how = "asked"};
    const struct timespec when = {.tv_sec = 1};
    struct ledger_line forged;
    struct ledger_reader reader;
    struct ledger_read_line before;
    struct lines lines;

    (void)state;
    assert_int_equal(ledger_reader_open(path, &reader, NULL), ERROR_NONE);
    for (int i = 0; i < 3; i++) {
        assert_true(ledger_reader_next(&reader, &before));
    }
    ledger_line_render(&entry, &when, 4, before.hash, &forged);
    ledger_reader_close(&reader);
    forged.bytes[forged.len] = '\n';
    forged.bytes[forged.len + 1] = '\0';

    take_apart(&lines); /* between lines 3 and 4 */
    memmove(&lines.line[4], &lines.line[3], (lines.count - 3) * sizeof lines.line[0]);
    lines.line[3] = strdup(forged.bytes);
    lines.count++;
    put_together(&lines);
    found(LEDGER_INSERTED, 4);

    take_out(5, 1); /* in the place of line 4 */
    found(LEDGER_CHANGED, 4);
}

static void swapped_lines_are_named(void **state)
{
    struct lines lines;
    char *line;

    (void)state;
    take_apart(&lines);
    line = lines.line[2];
    lines.line[2] = lines.line[3];
    lines.line[3] = line;
    put_together(&lines);
    found(LEDGER_MISSING, 3);
}

/* ------------------------------------------------------------------ damaged */

static void torn_lines_are_named(void **state)
{
    FILE *file = fopen(path, "ae");

    (void)state;
    assert_non_null(file);
    fputs("{\"time\":\"2026-01-01T", file);
    fclose(file);
    found(LEDGER_TORN, LINES + 1);
    append(3); /* closed off, and gone on from */
    found(LEDGER_TORN, LINES + 1);
    assert_int_equal(verify().faults, 1);
    assert_int_equal(verify().lines, LINES + 4);
}

static void what_is_no_line_is_named(void **state)
{
    static const char *const lines[] = {"\n",
                                        "null\n",
                                        "[]\n",
                                        "{}\n",
                                        "{\"seq\":7}\n",
                                        "{\"seq\":7,\"prev\":\"\"}\n",
                                        "{\"seq\":7,\"prev\":\"zz\"}\n",
                                        "{\"seq\":\"7\",\"prev\":\"00\"}\n",
                                        "{\"seq\":7,\"seq\":7,\"prev\":\"\"}\n",
                                        "{\"seq\":7,\"prev\":7}\n",
                                        "\xff\xfe\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        FILE *file = fopen(path, "ae");

        assert_non_null(file);
        fputs(lines[i], file);
        fclose(file);
        found(LEDGER_TORN, LINES + 1);
        take_out(LINES + 1, 1);
    }
}

static void missing_head_is_said(void **state)
{
    (void)state;
    folder_unlink(folder, "ledger.jsonl.head");
    found(LEDGER_HEADLESS, LINES + 1);
    append(2); /* it comes back, and so does not hide that it was gone */
    found(LEDGER_ANEW, LINES + 1);
    assert_int_equal(verify().faults, 1);
    folder_write(folder, "ledger.jsonl.head", "");
    assert_int_equal(verify().faults, 2);
}

static void changed_head_is_said(void **state)
{
    char *head = folder_read(folder, "ledger.jsonl.head");
    char *last = strstr(head, "\"last\":\"");

    (void)state;
    last[8] = last[8] == 'a' ? 'b' : 'a';
    folder_write(folder, "ledger.jsonl.head", head);
    found(LEDGER_CHANGED, LINES);
    free(head);
}

/* It says that the ledger ends within its last line, or before the first: a line more would not be chained. */
static void head_beside_the_lines_is_said(void **state)
{
    static const char *const wrong[] = {"\"bytes\":                   1,", "\"bytes\":                   0,"};
    char *head = folder_read(folder, "ledger.jsonl.head");
    char *bytes = strstr(head, "\"bytes\":");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        memcpy(bytes, wrong[i], strlen(wrong[i]));
        folder_write(folder, "ledger.jsonl.head", head);
        found(LEDGER_HEADLESS, LINES + 1);
    }
    free(head);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_ledger_is_whole),
        TEST(missing_ledger_is_said),
        TEST(late_head_is_no_fault),
        TEST(changed_lines_are_named),
        TEST(changed_numbers_are_named),
        TEST(changed_hashes_are_named),
        TEST(missing_lines_are_counted),
        TEST(cut_off_end_is_noticed),
        TEST(duplicated_line_is_named),
        TEST(forged_line_is_named),
        TEST(swapped_lines_are_named),
        TEST(torn_lines_are_named),
        TEST(what_is_no_line_is_named),
        TEST(missing_head_is_said),
        TEST(changed_head_is_said),
        TEST(head_beside_the_lines_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
