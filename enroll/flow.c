#include "enroll/flow.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/log.h"
#include "enroll/interrupt.h"

/* What an interruption leaves to do, by the state that is reached: of an application, of a renewal. */
static const char *const flow_left[][2] = {
    [JOURNAL_NONE] = {N_("Interrupted before anything was begun: run the same command again when you like."),
                      N_("Interrupted before anything was begun: run the same command again when you like.")},
    [JOURNAL_PLANNED] = {N_("Interrupted before the portal has confirmed the application: pinward apply goes on where it "
                            "was."),
                         N_("Interrupted before the portal has confirmed the renewal: pinward renew goes on where it was.")},
    [JOURNAL_SUBMITTED] = {N_("Interrupted before the portal has confirmed the activation: pinward activate goes on where "
                              "it was."),
                           N_("Interrupted before the portal has confirmed the activation of the new certificates: pinward "
                              "renew goes on where it was.")},
    [JOURNAL_ACTIVATED] = {N_("Interrupted before the active certificates were all on the token: pinward activate writes "
                              "them."),
                           N_("Interrupted before the new certificates were all on the token: pinward renew writes them.")},
};

static void flow_note_left(const struct journal *journal)
{
    enum journal_state state = journal->state;

    if (state > JOURNAL_ACTIVATED) {
        state = JOURNAL_ACTIVATED;
    } else if (state > JOURNAL_PLANNED && state < JOURNAL_SUBMITTED) {
        state = JOURNAL_PLANNED;
    }
    interrupt_left(_(flow_left[state][journal->renewal ? 1 : 0]));
}

enum error_code flow_open(struct app *app, struct flow *flow, struct error *err)
{
    struct flow opened = {.app = app};
    enum error_code status = session_open(app, &opened.session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status =
        journal_open(app->state_folder, app->config.portal.url, opened.session.account, &opened.journal, err);
    if (status == ERROR_NONE && opened.journal.registration) {
        status = portal_read_registration(opened.journal.registration, &opened.promised, err);
    }
    if (status != ERROR_NONE) {
        flow_close(&opened);
        return status;
    }
    flow_note_left(&opened.journal);
    *flow = opened;
    return ERROR_NONE;
}

void flow_close(struct flow *flow)
{
    portal_registration_clear(&flow->promised);
    token_close(&flow->token);
    journal_close(&flow->journal);
    session_close(flow->app, &flow->session);
}

enum error_code flow_run(struct flow *flow, const struct flow_step *steps, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        enum error_code status;

        if (flow->journal.state >= steps[i].reaches) {
            continue;
        }
        if (interrupt_seen()) {
            return interrupt_error(err);
        }
        printf("%s\n", _(steps[i].title));
        fflush(stdout);
        status = steps[i].run(flow, err);
        if (status == ERROR_NONE) {
            flow->journal.state = steps[i].reaches;
            status = journal_save(&flow->journal, err);
        }
        if (status != ERROR_NONE) {
            log_info("%s: %s", steps[i].title, error_name(status));
            return status;
        }
        flow_note_left(&flow->journal);
    }
    return ERROR_NONE;
}

static json_t *flow_text(const char *text)
{
    return text ? json_string(text) : json_null();
}

void flow_note(const struct flow *flow)
{
    const struct journal *journal = &flow->journal;
    struct output *output = &flow->app->output;

    output_note(output, "account", flow_text(flow->session.account));
    output_note(output, "application_id", flow_text(journal->application_id));
    output_note(output, "kind", json_string(journal->renewal ? "renewal" : "new"));
    output_note(output, "token", flow_text(journal->token_label));
    output_note(output, "signing_key", flow_text(journal->signing_label));
    output_note(output, "encryption_key", flow_text(journal->encryption_label));
    output_note(output, "activated", json_boolean(journal->state >= JOURNAL_ACTIVATED));
}
