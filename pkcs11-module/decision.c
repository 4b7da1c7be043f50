#include "pkcs11-module/decision.h"

#include <sodium.h>
#include <string.h>

#include "common/ledger.h"
#include "common/log.h"
#include "common/system_log.h"
#include "pkcs11-module/requester.h"

/* A ledger's entry and what it points to. */
struct record {
    struct ledger_entry entry;
    struct requester requester;
    char key_id[2 * KEY_ID_MAX + 1];
    char token[sizeof(((CK_TOKEN_INFO *)NULL)->label) + 1];
    char serial[sizeof(((CK_TOKEN_INFO *)NULL)->serialNumber) + 1];
    unsigned char digest[crypto_hash_sha256_BYTES];
};

/* A field of CK_TOKEN_INFO is padded with blanks and has no NUL (PKCS#11 2.40, 3.2). */
static const char *padded_text(char *text, const CK_UTF8CHAR *field, size_t size)
{
    while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == '\0'))
        size--;
    memcpy(text, field, size);
    text[size] = '\0';
    return text;
}

static void describe_token(struct record *record, struct runtime *rt, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO token;

    if (rt->backend.functions->C_GetTokenInfo(slot, &token) != CKR_OK)
        return;
    record->entry.token = padded_text(record->token, token.label, sizeof token.label);
    record->entry.token_serial = padded_text(record->serial, token.serialNumber, sizeof token.serialNumber);
}

static void describe(struct record *record, struct runtime *rt, const struct decision *decision)
{
    const struct key_facts *facts = decision->facts;

    memset(record, 0, sizeof *record);
    requester_describe(&record->requester);
    record->entry.program = record->requester.path;
    record->entry.pid = record->requester.pid;
    record->entry.uid = record->requester.uid;
    record->entry.remote = record->requester.remote;
    record->entry.operation = decision->operation;
    describe_token(record, rt, decision->slot);
    if (facts) {
        record->entry.key = facts->label;
        record->entry.key_id = sodium_bin2hex(record->key_id, sizeof record->key_id, facts->id, facts->id_len);
    }
    if (decision->data) {
        crypto_hash_sha256(record->digest, decision->data, decision->data_len);
        record->entry.data = record->digest;
    }
    if (decision->batch) {
        record->entry.batch = decision->batch->number;
        record->entry.purpose = decision->batch->purpose;
        record->entry.uses = decision->batch->uses;
        record->entry.time_s = decision->batch->time_s;
    }
}

/* Somebody else's log that cannot be reached denies nothing: the ledger has the line. */
static void announce(const struct runtime *rt, const struct record *record, const struct ledger_line *line)
{
    struct error err = {0};

    if (system_log_send(rt->config.ledger.journal, !record->entry.allowed, line->bytes, &err) != ERROR_NONE)
        log_warning("%s", error_text(&err));
}

static CK_RV record_in_ledger(struct runtime *rt, struct record *record)
{
    struct error err = {0};
    struct ledger_line line;
    struct timespec now;
    CK_RV rv = record->entry.rv;

    if (ledger_append(rt->config.ledger.file, &record->entry, &line, &err) != ERROR_NONE) {
        log_error("%s", error_text(&err));
        if (rv == CKR_OK && rt->config.ledger.required) {
            rv = CKR_FUNCTION_FAILED;
            record->entry.how = "ledger not written";
            log_error("denied, because what is allowed must be in the ledger ([ledger] required)");
        }
        record->entry.rv = rv;
        record->entry.allowed = rv == CKR_OK;
        clock_gettime(CLOCK_REALTIME, &now);
        ledger_line_render(&record->entry, &now, 0, NULL, &line);
    }
    announce(rt, record, &line);
    return rv;
}

CK_RV decision_record(struct runtime *rt, const struct decision *decision, const char *how, CK_RV rv)
{
    struct record record;

    describe(&record, rt, decision);
    if (rv == CKR_OK && !requester_unchanged()) {
        how = "program gone";
        rv = CKR_FUNCTION_REJECTED;
    }
    record.entry.how = how;
    record.entry.rv = rv;
    record.entry.allowed = rv == CKR_OK;
    log_info("%s%s%s%s: %s (%s, 0x%08lx)", decision->operation, decision->facts ? " with key \"" : "",
             decision->facts ? decision->facts->label : "", decision->facts ? "\"" : "",
             rv == CKR_OK ? "allowed" : "denied", how, rv);
    return record_in_ledger(rt, &record);
}

CK_RV decision_refuse(struct runtime *rt, CK_SESSION_HANDLE session, const struct key_facts *facts,
                      const char *operation, const char *how, CK_RV refusal)
{
    struct decision decision = {.operation = operation, .facts = facts};
    CK_SESSION_INFO info;

    if (rt->backend.functions->C_GetSessionInfo(session, &info) != CKR_OK)
        return refusal;
    decision.slot = info.slotID;
    return decision_record(rt, &decision, how, refusal);
}
