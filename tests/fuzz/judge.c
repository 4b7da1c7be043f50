#include "fuzz/judge.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define CONSENTS_MAX 256
#define CALLS_MAX    8

enum consent_kind {
    CONSENT_WINDOW,
    CONSENT_PRESENTED,
    CONSENT_GRACE,
    CONSENT_BATCH,
};

struct consent {
    enum consent_kind kind;
    struct judge_window window;
    unsigned uses_left;
    unsigned call;
    unsigned session;
    uint64_t at;
    int64_t end_ms;
};

static struct judge_rules the_rules;
static struct consent consents[CONSENTS_MAX];
static size_t consent_count;
static struct {
    unsigned number;
    unsigned session;
} calls[CALLS_MAX];
static size_t call_depth;
static unsigned calls_made;
static uint64_t now;
static bool keys_unknown;
static int64_t time_ms;

void judge_begin(const struct judge_rules *rules)
{
    the_rules = *rules;
    keys_unknown = false;
    consent_count = 0;
    call_depth = 0;
    calls_made = 0;
    now = 0;
}

const struct judge_rules *judge_rules(void)
{
    return &the_rules;
}

enum judge_level judge_level(const char *label, bool always_authenticate)
{
    if (always_authenticate)
        return JUDGE_HIGH;
    if (strcmp(label, "medium") == 0)
        return JUDGE_MEDIUM;
    return strcmp(label, "low") == 0 ? JUDGE_LOW : the_rules.level;
}

void judge_call_begin(unsigned session)
{
    fuzz_require(call_depth < CALLS_MAX, "calls are not that deep");
    calls[call_depth].number = ++calls_made;
    calls[call_depth++].session = session;
}

void judge_call_end(void)
{
    call_depth--;
}

unsigned judge_call(void)
{
    return call_depth ? calls[call_depth - 1].number : 0;
}

unsigned judge_call_session(void)
{
    return call_depth ? calls[call_depth - 1].session : 0;
}

uint64_t judge_now(void)
{
    return ++now;
}

int64_t judge_time_ms(void)
{
    return time_ms;
}

void judge_time_passes(int64_t ms)
{
    time_ms += ms;
}

/* ------------------------------------------------------------------ consents */

static struct consent *add(enum consent_kind kind, unsigned uses, int64_t for_ms)
{
    struct consent *consent = &consents[consent_count];

    fuzz_require(consent_count < CONSENTS_MAX, "there are not that many consents");
    consent_count++;
    *consent = (struct consent){.kind = kind,
                                .uses_left = uses,
                                .call = judge_call(),
                                .session = judge_call_session(),
                                .at = judge_now(),
                                .end_ms = time_ms + for_ms};
    return consent;
}

void judge_agreed(const struct judge_window *window)
{
    add(CONSENT_WINDOW, 1, 0)->window = *window;
}

void judge_agreed_to_login(void)
{
    if (!the_rules.application_asks && the_rules.login_grace_s > 0)
        (void)add(CONSENT_GRACE, 1, (int64_t)the_rules.login_grace_s * 1000);
}

void judge_agreed_to_batch(unsigned uses, unsigned time_s)
{
    (void)add(CONSENT_BATCH, uses, (int64_t)time_s * 1000);
}

void judge_presented(void)
{
    if (the_rules.application_asks)
        (void)add(CONSENT_PRESENTED, 1, 30000);
}

static void end_all(enum consent_kind kind)
{
    for (size_t i = 0; i < consent_count; i++)
        if (consents[i].kind == kind)
            consents[i].uses_left = 0;
}

void judge_batches_revoked(void)
{
    end_all(CONSENT_BATCH);
}

void judge_keys_unknown(void)
{
    keys_unknown = true;
}

void judge_logged_out(void)
{
    end_all(CONSENT_GRACE);
    end_all(CONSENT_BATCH);
}

/* ------------------------------------------------------------------ uses */

static bool works_with_key(enum judge_use use)
{
    return use == JUDGE_SIGN || use == JUDGE_DECRYPT || use == JUDGE_UNWRAP || use == JUDGE_DERIVE;
}

static bool is_of_this_work(const struct consent *consent, const struct judge_work *work)
{
    if (consent->session != work->session)
        return false;
    return work->begun_at == 0 ? true : consent->at > work->begun_at;
}

static bool shows_the_data(const struct judge_window *window, const struct judge_work *work)
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    if (!window->has_data)
        return true;
    if (!work->data)
        return false;
    crypto_hash_sha256(digest, work->data, work->data_len);
    return memcmp(digest, window->data, sizeof digest) == 0;
}

/* The window was about this key and this use, in this session, after the operation had begun, or in this very call. */
static bool window_covers(const struct consent *consent, const struct judge_work *work, enum judge_level level)
{
    const struct judge_window *window = &consent->window;
    const bool worse_export = keys_unknown && window->use == JUDGE_EXPORT_TO_PROGRAM && work->use == JUDGE_EXPORT;
    const bool same_use =
        window->use == work->use || worse_export || (window->sign_or_decrypt && work->use <= JUDGE_DECRYPT);

    return same_use && (keys_unknown || strcmp(window->label, work->label) == 0) && is_of_this_work(consent, work) &&
           (work->begun_at != 0 || consent->call == judge_call()) && (window->by_pin || level == JUDGE_MEDIUM) &&
           shows_the_data(window, work);
}

static bool covers(const struct consent *consent, const struct judge_work *work, enum judge_level level)
{
    const bool in_time = time_ms <= consent->end_ms;

    if (consent->uses_left == 0)
        return false;
    switch (consent->kind) {
    case CONSENT_WINDOW:
        return window_covers(consent, work, level);
    case CONSENT_PRESENTED:
        return is_of_this_work(consent, work) && (work->begun_at != 0 || in_time) &&
               work->use != JUDGE_EXPORT_TO_PROGRAM && work->use != JUDGE_CREATE_EXPORTABLE;
    case CONSENT_GRACE:
        return works_with_key(work->use) && level == JUDGE_HIGH && in_time;
    case CONSENT_BATCH:
        return works_with_key(work->use) && in_time;
    }
    return false;
}

void judge_work(const struct judge_work *work)
{
    static const char *const names[] = {"sign",   "decrypt",           "unwrap",            "derive", "export",
                                        "export to program", "create exportable", "copy", "change", "delete"};
    const bool at_high = work->use == JUDGE_EXPORT_TO_PROGRAM || work->use == JUDGE_CREATE_EXPORTABLE;
    const enum judge_level level = at_high ? JUDGE_HIGH : work->level;

    if (level == JUDGE_LOW)
        return;
    for (enum consent_kind kind = CONSENT_WINDOW; kind <= CONSENT_BATCH; kind++) {
        for (size_t i = 0; i < consent_count; i++) {
            if (consents[i].kind != kind || !covers(&consents[i], work, level))
                continue;
            consents[i].uses_left--;
            return;
        }
    }
    fprintf(stderr, "%s with key \"%s\", session %u, call %u\n", names[work->use], work->label, work->session,
            judge_call());
    fuzz_require(false, "no private key is used without a consent for that key, operation and session");
}

bool judge_window_in_call(enum judge_use use, const char *label)
{
    for (size_t i = 0; i < consent_count; i++)
        if (consents[i].kind == CONSENT_WINDOW && consents[i].call == judge_call() &&
            consents[i].window.use == use && strcmp(consents[i].window.label, label) == 0)
            return true;
    return false;
}
