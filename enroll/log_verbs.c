#include "enroll/log_verbs.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/ledger_read.h"
#include "enroll/ledger_verify.h"
#include "enroll/log_words.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

/* ------------------------------------------------------------------ show */

#define LOG_LAST_DIGITS 9
/* All cells, and as much again as a program's path needs. */
#define LOG_ROW_COLUMNS 150
#define LOG_TIME_COLUMNS 20

/* How many lines are wanted; all of them when the option is not there. */
static enum error_code log_parse_last(const char *last, uint64_t *wanted, struct error *err)
{
    const size_t digits = last ? strspn(last, "0123456789") : 0;

    if (!last) {
        *wanted = UINT64_MAX;
        return ERROR_NONE;
    }
    if (last[digits] != '\0' || digits > LOG_LAST_DIGITS || strtoul(last, NULL, 10) == 0) {
        return error_set(err, ERROR_USAGE, _("--last takes a number of lines, not \"%s\"."), last);
    }
    *wanted = strtoul(last, NULL, 10);
    return ERROR_NONE;
}

/* Moves the reader to the first line that is wanted; *place is what that line is counted as. */
static void log_skip(struct ledger_reader *reader, uint64_t wanted, unsigned long long *place)
{
    struct ledger_read_line line;
    uint64_t count = 0;

    while (ledger_reader_next(reader, &line)) {
        count++;
    }
    ledger_reader_rewind(reader);
    for (*place = 1; count > wanted; count--, ++*place) {
        ledger_reader_next(reader, &line);
    }
}

/* A text of the line, fit for a terminal, in a cell; width 0: the last of the row, as it is. */
static void log_print_text(const json_t *entry, const char *name, const char *otherwise, size_t width)
{
    const char *value = json_string_value(json_object_get(entry, name));
    char *clean = text_clean(value && value[0] ? value : otherwise, false);
    const char *text = clean ? clean : "?";

    if (width > 0) {
        text_print_cell(stdout, text, width);
    } else {
        printf("%s", text);
    }
    free(clean);
}

/* One of the ledger's own words. */
static void log_print_word(const json_t *entry, const char *name, size_t width)
{
    const char *value = json_string_value(json_object_get(entry, name));
    char *clean = text_clean(value ? value : "?", false);

    text_print_cell(stdout, clean ? log_word(clean) : "?", width);
    free(clean);
}

/* Where a row does not fit, the key with its token and the program have a line each. */
static void log_break_row(void)
{
    const size_t columns = wrap_columns(stdout);

    if (columns > 0 && columns < LOG_ROW_COLUMNS) {
        printf("\n%-*s", LOG_TIME_COLUMNS, "");
    }
}

/* The time of the line, here. */
static void log_print_time(const json_t *entry)
{
    const char *stamp = json_string_value(json_object_get(entry, "time"));
    char text[32] = "?";
    struct tm utc = {0};
    struct tm local;
    time_t when;

    if (stamp && strptime(stamp, "%Y-%m-%dT%H:%M:%S", &utc)) {
        when = timegm(&utc);
        if (localtime_r(&when, &local)) {
            strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
        }
    }
    printf("%-*s", LOG_TIME_COLUMNS, text);
}

/* What a program asked for at once, in a line of its own: the purpose is the program's own words. */
static void log_print_batch(const json_t *entry)
{
    const char *purpose = json_string_value(json_object_get(entry, "purpose"));
    char *clean = purpose ? text_clean(purpose, false) : NULL;
    char *text;

    if (clean && asprintf(&text, _("batch of up to %lld uses within %lld s, for: %s"),
                          (long long)json_integer_value(json_object_get(entry, "uses")),
                          (long long)json_integer_value(json_object_get(entry, "time_s")), clean) >= 0) {
        printf("%-*s", LOG_TIME_COLUMNS, "");
        wrap_print(stdout, text, wrap_columns(stdout), LOG_TIME_COLUMNS);
        putchar('\n');
        free(text);
    }
    free(clean);
}

static void log_print_row(const json_t *entry, unsigned long long place)
{
    const char *verdict = json_string_value(json_object_get(entry, "verdict"));

    if (!entry) {
        printf(_("(line %llu cannot be read: see pinward log verify)"), place);
        putchar('\n');
        return;
    }
    log_print_time(entry);
    if (verdict && strcmp(verdict, "allowed") == 0) {
        text_print_cell(stdout, _("allowed"), 9);
    } else {
        text_print_cell(stdout, _("denied"), 9);
    }
    log_print_word(entry, "operation", 9);
    log_print_word(entry, "how", 24);
    log_break_row();
    log_print_text(entry, "key", "-", 30);
    log_print_text(entry, "token", "-", 20);
    log_break_row();
    log_print_text(entry, "program", "?", 0);
    if (json_is_true(json_object_get(entry, "remote"))) {
        printf(" %s", _("(remote)"));
    }
    putchar('\n');
    log_print_batch(entry);
}

static void log_print_table(struct ledger_reader *reader, unsigned long long place)
{
    struct ledger_read_line line;

    text_print_cell(stdout, _("TIME"), LOG_TIME_COLUMNS);
    text_print_cell(stdout, _("VERDICT"), 9);
    text_print_cell(stdout, _("USE"), 9);
    text_print_cell(stdout, _("HOW"), 24);
    log_break_row();
    text_print_cell(stdout, _("KEY"), 30);
    text_print_cell(stdout, _("TOKEN"), 20);
    log_break_row();
    printf("%s\n", _("PROGRAM"));
    for (; ledger_reader_next(reader, &line); place++) {
        json_t *entry = ledger_line_parse(&line);

        log_print_row(entry, place);
        json_decref(entry);
    }
}

/* An array of the lines' objects; in the place of one that cannot be read, {"unreadable": its number}. */
static void log_print_json(struct ledger_reader *reader, unsigned long long place, FILE *out)
{
    struct ledger_read_line line;
    const char *before = "[\n";

    for (; ledger_reader_next(reader, &line); place++) {
        json_t *entry = ledger_line_parse(&line);

        fputs(before, out);
        if (entry) {
            json_dumpf(entry, out, JSON_COMPACT);
        } else {
            fprintf(out, "{\"unreadable\":%llu}", place);
        }
        json_decref(entry);
        before = ",\n";
    }
    fprintf(out, "%s\n", before[0] == '[' ? "[]" : "\n]");
}

/* The configured ledger, or the one that is named: another user's, or a copy (with its FILE.head beside it). */
static const char *log_path(const struct app *app)
{
    return app->options.file ? app->options.file : app->config.ledger.file;
}

enum error_code log_show(struct app *app, struct error *err)
{
    struct ledger_reader reader;
    uint64_t wanted = 0;
    unsigned long long place = 1;
    enum error_code status = log_parse_last(app->options.last, &wanted, err);

    if (status == ERROR_NONE) {
        status = ledger_reader_open(log_path(app), &reader, err);
    }
    if (status != ERROR_NONE) {
        return status;
    }
    if (app->options.last) {
        log_skip(&reader, wanted, &place);
    }
    if (app->options.json) {
        log_print_json(&reader, place, output_stream(&app->output));
    } else {
        log_print_table(&reader, place);
    }
    ledger_reader_close(&reader);
    return ERROR_NONE;
}

/* ------------------------------------------------------------------ verify */

static const char *const log_fault_names[] = {
    [LEDGER_WHOLE] = "none",       [LEDGER_TORN] = "torn",         [LEDGER_CHANGED] = "changed",
    [LEDGER_MISSING] = "missing",  [LEDGER_INSERTED] = "inserted", [LEDGER_ANEW] = "begun-anew",
    [LEDGER_CUT] = "cut-off",      [LEDGER_HEADLESS] = "headless",
};

/* The sentence for the first fault. */
static enum error_code log_explain(const struct ledger_report *report, const char *path, struct error *err)
{
    const unsigned long long line = report->line;

    switch (report->fault) {
    case LEDGER_WHOLE:
        return ERROR_NONE;
    case LEDGER_TORN:
        return error_set(err, ERROR_LEDGER,
                         _("%s, line %llu: torn by a crash while it was written, or overwritten."), path, line);
    case LEDGER_CHANGED:
        return error_set(err, ERROR_LEDGER, _("%s, line %llu: changed after it was written."), path, line);
    case LEDGER_MISSING:
        return error_set(err, ERROR_LEDGER,
                         _("%s, line %llu: lines that stood before it are missing, %llu of them."), path,
                         line, report->missing);
    case LEDGER_INSERTED:
        return error_set(err, ERROR_LEDGER, _("%s, line %llu: inserted, it does not belong here."), path, line);
    case LEDGER_ANEW:
        return error_set(err, ERROR_LEDGER,
                         _("%s, line %llu: the chain begins anew here, because %s.head was missing or damaged "
                           "when it was written; lines before it may be missing."),
                         path, line, path);
    case LEDGER_CUT:
        return error_set(err, ERROR_LEDGER,
                         _("%s, line %llu: the ledger was cut off here, %llu lines are missing at the end."),
                         path, line, report->missing);
    case LEDGER_HEADLESS:
        return error_set(err, ERROR_LEDGER,
                         _("%s, line %llu: nobody can say whether lines are missing from here on, because %s.head "
                           "is missing or damaged."),
                         path, line, path);
    }
    return error_set(err, ERROR_INTERNAL, "%s", "");
}

static json_t *log_report_json(const struct ledger_report *report, const char *path)
{
    json_t *json = json_pack("{s:o, s:I, s:b, s:I, s:s}", "ledger", output_text(path), "lines", (json_int_t)report->lines, "whole",
                             report->fault == LEDGER_WHOLE, "faults", (json_int_t)report->faults, "fault",
                             log_fault_names[report->fault]);

    if (json && report->fault != LEDGER_WHOLE) {
        json_object_set_new(json, "line", json_integer((json_int_t)report->line));
    }
    return json;
}

enum error_code log_verify(struct app *app, struct error *err)
{
    const char *path = log_path(app);
    struct ledger_reader reader;
    struct ledger_report report;
    enum error_code status = ledger_reader_open(path, &reader, err);

    if (status != ERROR_NONE) {
        return status;
    }
    ledger_verify(&reader, &report);
    ledger_reader_close(&reader);
    if (app->options.json) {
        output_set(&app->output, log_report_json(&report, path));
    } else if (report.fault == LEDGER_WHOLE) {
        printf(_("%s is whole: %llu lines."), path, report.lines);
        putchar('\n');
    } else {
        printf(_("%s: %llu lines, %llu faults. The first:"), path, report.lines, report.faults);
        putchar('\n');
    }
    return log_explain(&report, path, err);
}
