#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/progress.h"
#include "enroll/text.h"

#define FLOW_KEY_ID_LEN 20
#define FLOW_NAME_MAX   64

enum error_code flow_log_in(struct flow *flow, struct error *err)
{
    return token_login_for(flow->token, flow->batch.uses > 0 ? &flow->batch : NULL, err);
}

enum error_code flow_find_token(struct flow *flow, struct error *err)
{
    return flow->token ? ERROR_NONE : token_open(&flow->app->config, &flow->token, err);
}

enum error_code flow_use_token(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    enum error_code status = flow_find_token(flow, err);

    if (status == ERROR_NONE && journal->token_serial &&
        strcmp(journal->token_serial, token_serial(flow->token)) != 0) {
        return error_set(
            err, ERROR_TOKEN,
            _("The new keys are on the token \"%s\" (serial number %s), and this is \"%s\" (%s): insert that "
              "token and run the same command again, or begin anew with --start-over."),
            journal->token_label, journal->token_serial, token_label(flow->token), token_serial(flow->token));
    }
    return status == ERROR_NONE ? flow_log_in(flow, err) : status;
}

enum error_code flow_new_uuid(char **field, struct error *err)
{
    char uuid[CODEC_UUID_SIZE];

    return codec_uuid_new(uuid) ? journal_set(field, uuid, err)
                                : error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
}

/* A random id, a label that no key has. */
static enum error_code flow_plan_key(struct flow *flow, const char *name, const char *use, char **id,
                                     char **label, struct error *err)
{
    unsigned char random[FLOW_KEY_ID_LEN];
    char *new_label = NULL;
    char *new_id = NULL;
    bool taken = false;
    enum error_code status = ERROR_MEMORY;

    if (RAND_bytes(random, sizeof random) != 1) {
        return error_set(err, ERROR_INTERNAL, _("The system gives no random numbers."));
    }
    new_id = codec_hex_encode(random, sizeof random);
    if (!new_id || asprintf(&new_label, "%s (%s)", name, use) < 0) {
        error_set(err, ERROR_MEMORY, "%s", "");
        goto out;
    }
    status = token_has_label(flow->token, new_label, &taken, err);
    if (status == ERROR_NONE && taken) {
        status =
            error_set(err, ERROR_STATE,
                      _("There is a key named \"%s\" on the token already: choose another name with --name."),
                      new_label);
    }
    if (status == ERROR_NONE) {
        status = journal_set(id, new_id, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(label, new_label, err);
    }
out:
    free(new_id);
    free(new_label);
    return status;
}

/* The module makes a key that can leave only where the configuration says so; better to learn that before. */
static enum error_code flow_plan_export(struct flow *flow, struct error *err)
{
    const struct config *config = &flow->app->config;

    flow->journal.exportable = flow->app->options.exportable;
    if (!flow->journal.exportable || config->module.export == CONFIG_EXPORT_ASK) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_CONFIG,
                     _("Keys that can leave the token are not allowed: set export = ask in [module] of %s, or apply "
                       "without --exportable."),
                     config->file ? config->file : "~/.config/pinward/pinward.conf");
}

enum error_code flow_plan_keys(struct flow *flow, const char *name, struct error *err)
{
    struct journal *journal = &flow->journal;
    char *clean = text_clean(name, false);
    bool fit = clean && strcmp(clean, name) == 0 && name[0] && strlen(name) <= FLOW_NAME_MAX;
    enum error_code status;

    free(clean);
    if (!fit) {
        return error_set(err, ERROR_USAGE,
                         _("The name of the keys must be 1 to %d bytes of UTF-8 text on one line."),
                         FLOW_NAME_MAX);
    }
    status = flow_plan_export(flow, err);
    if (status != ERROR_NONE) {
        return status;
    }
    status = flow_plan_key(flow, name, "signing", &journal->signing_id, &journal->signing_label, err);
    if (status == ERROR_NONE) {
        status =
            flow_plan_key(flow, name, "encryption", &journal->encryption_id, &journal->encryption_label, err);
    }
    if (status == ERROR_NONE) {
        status = flow_new_uuid(&journal->request_id, err);
    }
    if (status == ERROR_NONE) {
        status = flow_new_uuid(&journal->activation_id, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->account, flow->session.account, err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->token_label, token_label(flow->token), err);
    }
    if (status == ERROR_NONE) {
        status = journal_set(&journal->token_serial, token_serial(flow->token), err);
    }
    return status;
}

/* Better no certificate for this key than a backup that fails when it is too late. */
static enum error_code flow_check_exportable(struct flow *flow, const struct token_key_spec *spec, struct error *err)
{
    bool exportable = false;
    enum error_code status = token_key_is_exportable(flow->token, spec->id, &exportable, err);

    if (status == ERROR_NONE && !exportable) {
        status = error_set(err, ERROR_TOKEN,
                           _("The token \"%s\" makes no keys that can leave it: begin anew without --exportable, but with "
                             "--start-over."),
                           token_label(flow->token));
    }
    return status;
}

/* The pairs as the journal names them. ids: of TOKEN_PAIRS, to be cleared. */
static enum error_code flow_describe_pairs(const struct flow *flow, struct bytes ids[TOKEN_PAIRS],
                                           struct token_key_spec specs[TOKEN_PAIRS], struct error *err)
{
    const struct journal *journal = &flow->journal;
    const char *const hex_ids[] = {journal->signing_id, journal->encryption_id};
    const char *const labels[] = {journal->signing_label, journal->encryption_label};

    for (size_t i = 0; i < TOKEN_PAIRS; i++) {
        if (!codec_hex_decode(hex_ids[i], &ids[i])) {
            return error_set(err, ERROR_MEMORY, "%s", "");
        }
        specs[i] = (struct token_key_spec){.use = i == 0 ? TOKEN_SIGNING : TOKEN_ENCRYPTION,
                                           .profile = flow->promised.profile.keys,
                                           .id = &ids[i],
                                           .label = labels[i],
                                           .interrupted = flow->resumed,
                                           .exportable = journal->exportable};
    }
    return ERROR_NONE;
}

enum error_code flow_step_generate(struct flow *flow, struct error *err)
{
    struct bytes ids[TOKEN_PAIRS] = {0};
    struct token_key_spec specs[TOKEN_PAIRS];
    double seconds[TOKEN_PAIRS];
    enum error_code status = flow_describe_pairs(flow, ids, specs, err);

    if (status == ERROR_NONE) {
        status = flow_use_token(flow, err);
    }
    if (status == ERROR_NONE) {
        /* Not where the module may ask for the PIN meanwhile: to delete what a killed run left, or for keys that can leave. */
        struct progress *progress =
            flow->resumed || flow->journal.exportable ? NULL : progress_begin(_("Generating..."));

        status = token_generate(flow->token, specs, seconds, err);
        progress_end(&progress);
    }
    for (size_t i = 0; i < TOKEN_PAIRS; i++) {
        if (status == ERROR_NONE && specs[i].exportable) {
            status = flow_check_exportable(flow, &specs[i], err);
        }
        if (status == ERROR_NONE) {
            printf(_("  \"%s\": %s, %.2f s\n"), specs[i].label, specs[i].profile->name, seconds[i]);
        }
        bytes_clear(&ids[i]);
    }
    fflush(stdout);
    return status;
}

static enum error_code flow_find_key(struct flow *flow, const char *hex_id, const char *label,
                                     struct token_key *key, struct error *err)
{
    struct bytes id = {0};
    bool found = false;
    enum error_code status;

    if (!codec_hex_decode(hex_id, &id)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = token_find_key_by_id(flow->token, &id, &found, key, err);
    bytes_clear(&id);
    if (status == ERROR_NONE && !found) {
        status = error_set(
            err, ERROR_TOKEN,
            _("The token \"%s\" does not hold the key \"%s\": insert the token on which it was generated "
              "and run the same command again; if it is lost, the registration authority can revoke the "
              "application, and you begin anew with --start-over."),
            token_label(flow->token), label);
    }
    return status;
}

enum error_code flow_find_keys(struct flow *flow, struct token_key *signing, struct token_key *encryption,
                               struct error *err)
{
    const struct journal *journal = &flow->journal;
    struct token_key first = {0};
    enum error_code status = flow_use_token(flow, err);

    if (status == ERROR_NONE) {
        status = flow_find_key(flow, journal->signing_id, journal->signing_label, &first, err);
    }
    if (status == ERROR_NONE) {
        status = flow_find_key(flow, journal->encryption_id, journal->encryption_label, encryption, err);
    }
    if (status != ERROR_NONE) {
        token_key_clear(&first);
        return status;
    }
    *signing = first;
    return ERROR_NONE;
}
