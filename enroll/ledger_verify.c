#include "enroll/ledger_verify.h"

#include <string.h>

#include <sodium.h>

/* What verification needs of a line. */
struct fact {
    uint64_t place; /* 0: there is no such line */
    uint64_t end;   /* bytes of the ledger up to and with its newline */
    bool torn;
    uint64_t seq;
    unsigned char prev[LEDGER_HASH_BYTES];
    unsigned char hash[LEDGER_HASH_BYTES];
};

struct verification {
    struct ledger_report report;
    const struct ledger_reader *reader;
    uint64_t last_seq;   /* the number that the last line has, or would have */
    uint64_t last_fault; /* the place of the line that was found at fault last */
    bool head_is_beside; /* the head's bytes end where none of its lines does: what comes would not be chained */
};

static bool ledger_hash_is(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, LEDGER_HASH_BYTES) == 0;
}

static bool ledger_hash_is_none(const unsigned char *hash)
{
    return sodium_is_zero(hash, LEDGER_HASH_BYTES) == 1;
}

static void ledger_verify_fault(struct verification *v, enum ledger_fault fault, uint64_t place, uint64_t missing)
{
    if (v->last_fault == place) {
        return; /* one change shows on both sides of a line */
    }
    v->last_fault = place;
    if (v->report.faults++ == 0) {
        v->report.fault = fault;
        v->report.line = place;
        v->report.missing = missing;
    }
}

static void ledger_verify_read(struct ledger_reader *reader, uint64_t place, struct fact *fact)
{
    struct ledger_read_line line;
    json_t *json;
    const char *prev;

    memset(fact, 0, sizeof *fact);
    if (!ledger_reader_next(reader, &line)) {
        return;
    }
    fact->place = place;
    fact->end = reader->size - reader->left;
    memcpy(fact->hash, line.hash, sizeof fact->hash);
    json = ledger_line_parse(&line);
    prev = json_string_value(json_object_get(json, "prev"));
    fact->seq = (uint64_t)json_integer_value(json_object_get(json, "seq"));
    fact->torn = !prev || strlen(prev) != 2 * sizeof fact->prev ||
                 sodium_hex2bin(fact->prev, sizeof fact->prev, prev, strlen(prev), NULL, NULL, NULL) != 0;
    json_decref(json);
}

/* Does what was written after the line (the next line, or the head) know it as it is now? */
static bool ledger_is_confirmed(const struct verification *v, const struct fact *line, const struct fact *next)
{
    if (next->place > 0 && !next->torn) {
        return ledger_hash_is(next->prev, line->hash);
    }
    return next->place == 0 && v->reader->has_head && v->reader->head.lines == line->seq &&
           ledger_hash_is(v->reader->head.last, line->hash);
}

/* The line is readable and does not go on where the one before it ended: whose fault is it? */
static void ledger_verify_join(struct verification *v, const struct fact *before, const struct fact *line,
                               const struct fact *next)
{
    const uint64_t expected = v->last_seq + 1;
    const bool chained = ledger_hash_is(line->prev, before->hash);

    if (chained && line->seq == expected) {
        return;
    }
    if (chained || (line->seq == expected && !ledger_is_confirmed(v, line, next))) { // NOLINT(bugprone-branch-clone): in this order
        ledger_verify_fault(v, LEDGER_CHANGED, line->place, 0);
    } else if (ledger_hash_is_none(line->prev) && before->place > 0) {
        ledger_verify_fault(v, LEDGER_ANEW, line->place, 0);
    } else if (line->seq > expected) {
        ledger_verify_fault(v, LEDGER_MISSING, line->place, line->seq - expected);
    } else if (line->seq < expected && expected - line->seq < line->place) {
        ledger_verify_fault(v, LEDGER_INSERTED, line->place - (expected - line->seq), 0);
    } else if (line->seq == expected && before->place > 0) {
        ledger_verify_fault(v, LEDGER_CHANGED, before->place, 0);
    } else {
        ledger_verify_fault(v, LEDGER_CHANGED, line->place, 0);
    }
}

static void ledger_verify_line(struct verification *v, const struct fact *before, const struct fact *line,
                               const struct fact *next)
{
    if (line->torn) {
        ledger_verify_fault(v, LEDGER_TORN, line->place, 0);
        v->last_seq++;
    } else {
        ledger_verify_join(v, before, line, next);
        v->last_seq = ledger_hash_is(line->prev, before->hash) ? v->last_seq + 1 : line->seq;
    }
    if (v->reader->has_head && v->reader->head.lines == v->last_seq) {
        if (!ledger_hash_is(v->reader->head.last, line->hash)) {
            ledger_verify_fault(v, LEDGER_CHANGED, line->place, 0);
        }
        v->head_is_beside = v->reader->head.bytes != line->end;
    }
}

static void ledger_verify_end(struct verification *v)
{
    const uint64_t past = v->report.lines + 1;

    if (!v->reader->has_head || v->head_is_beside) {
        ledger_verify_fault(v, LEDGER_HEADLESS, past, 0);
    } else if (v->reader->head.lines > v->last_seq) {
        ledger_verify_fault(v, LEDGER_CUT, past, v->reader->head.lines - v->last_seq);
    }
}

void ledger_verify(struct ledger_reader *reader, struct ledger_report *report)
{
    struct verification v = {.reader = reader, .head_is_beside = reader->head.lines == 0 && reader->head.bytes != 0};
    struct fact before = {0};
    struct fact line;
    struct fact next;

    ledger_verify_read(reader, 1, &line);
    while (line.place > 0) {
        ledger_verify_read(reader, line.place + 1, &next);
        v.report.lines = line.place;
        ledger_verify_line(&v, &before, &line, &next);
        before = line;
        line = next;
    }
    ledger_verify_end(&v);
    *report = v.report;
}
