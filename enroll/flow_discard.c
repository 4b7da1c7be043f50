#include "enroll/flow.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/wrap.h"

/* An application that the portal still waits for, or has activated, is to be completed, not forgotten. */
static enum error_code flow_discard_allowed(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    struct portal_application open = {0};
    bool found = false;
    enum error_code status = ERROR_NONE;

    if (journal->state >= JOURNAL_ACTIVATED) {
        return error_set(
            err, ERROR_STATE,
            _("The certificates are active already: write them to the token with pinward activate."));
    }
    status = portal_find_open_application(flow->session.portal, &found, &open, err);
    if (status == ERROR_NONE && found && strcmp(open.request_id, journal->request_id) == 0) {
        status =
            error_set(err, ERROR_STATE,
                      _("The portal has the application %s: complete it with pinward activate, or have the "
                        "registration authority revoke it first."),
                      open.application_id);
    }
    if (found) {
        portal_application_clear(&open);
    }
    return status;
}

static enum error_code flow_delete_key(struct flow *flow, const char *hex_id, struct error *err)
{
    struct bytes id = {0};
    enum error_code status;

    if (!codec_hex_decode(hex_id, &id)) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = token_delete_pair(flow->token, &id, err);
    bytes_clear(&id);
    return status;
}

/* The keys are of no use any more. On a token that is not here they stay. */
static enum error_code flow_delete_keys(struct flow *flow, struct error *err)
{
    const struct journal *journal = &flow->journal;
    enum error_code status = token_open(&flow->app->config, &flow->token, err);

    if (status != ERROR_NONE) {
        return status;
    }
    if (strcmp(journal->token_serial, token_serial(flow->token)) != 0) {
        wrap_say(stdout, "%s\n", _("The keys of what was begun are on another token and stay there."));
        return ERROR_NONE;
    }
    status = token_login(flow->token, err);
    if (status == ERROR_NONE) {
        status = flow_delete_key(flow, journal->signing_id, err);
    }
    if (status == ERROR_NONE) {
        status = flow_delete_key(flow, journal->encryption_id, err);
    }
    return status;
}

enum error_code flow_discard(struct flow *flow, struct error *err)
{
    enum error_code status;

    if (flow->journal.state == JOURNAL_NONE) {
        return ERROR_NONE;
    }
    status = flow_discard_allowed(flow, err);
    if (status == ERROR_NONE) {
        status = flow_delete_keys(flow, err);
    }
    if (status == ERROR_NONE) {
        status = journal_finish(&flow->journal, err);
    }
    if (status == ERROR_NONE) {
        printf("%s\n", _("What was begun is forgotten."));
    }
    return status;
}
