#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/codec.h"
#include "enroll/wrap.h"

/* Somebody with a pair that still holds renews it; the portal would refuse after the keys have been made. */
static enum error_code flow_check_not_certified(struct flow *flow, struct error *err)
{
    struct portal_certificates list = {0};
    const struct portal_certificate *active;
    enum error_code status = portal_get_certificates(flow->session.portal, &list, err);

    if (status != ERROR_NONE) {
        return status;
    }
    active = portal_certificates_find(&list, PORTAL_SIGNING, "active");
    if (active && active->not_after > list.now) {
        status = error_set(
            err, ERROR_STATE,
            _("You already have certificates that are active: renew them with pinward renew when the time "
              "has come (pinward status shows when)."));
    }
    portal_certificates_clear(&list);
    return status;
}

static enum error_code flow_apply_name(struct flow *flow, char **name, struct error *err)
{
    if (!flow->app->options.name) {
        wrap_say(stdout, "%s", _("Now give the new keys a name of your choice: programs will show it."));
        fflush(stdout);
        return ask_line(_("Name for the new keys:"), "--name NAME", name, err);
    }
    *name = strdup(flow->app->options.name);
    return *name ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}

static enum error_code flow_apply_plan(struct flow *flow, struct error *err)
{
    char *name = NULL;
    enum error_code status = flow_find_token(flow, err);

    if (status == ERROR_NONE) {
        status = flow_check_no_open_application(flow, err);
    }

    if (status == ERROR_NONE) {
        status = flow_check_not_certified(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_confirm_registration(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_accept_terms(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_apply_name(flow, &name, err);
    }
    if (status == ERROR_NONE) {
        status = flow_use_token(flow, err);
    }
    if (status == ERROR_NONE) {
        status = flow_plan_keys(flow, name, err);
    }
    free(name);
    return status;
}

static enum error_code flow_apply_request(struct flow *flow, struct error *err)
{
    struct bytes der = {0};
    enum error_code status = flow_build_request(flow, &der, err);

    if (status == ERROR_NONE) {
        char *text = codec_base64_encode(der.data, der.len);

        status = text ? journal_set(&flow->journal.request, text, err)
                      : error_set(err, ERROR_MEMORY, "%s", "");
        free(text);
    }
    bytes_clear(&der);
    return status;
}

static const struct flow_step flow_apply_steps[] = {
    {JOURNAL_PLANNED, N_("Reading your registration and the terms."), flow_apply_plan},
    {JOURNAL_KEYED, N_("Generating the key pairs on the token."), flow_step_generate},
    {JOURNAL_REQUESTED, N_("Signing the request with the new signing key."), flow_apply_request},
    {JOURNAL_SUBMITTED, N_("Sending the request to the portal."), flow_step_submit},
};

/* One signature, and another when the portal wants the request signed anew. */
static void flow_apply_expect(struct flow *flow)
{
    flow->batch = (struct token_batch){.uses = 2, .purpose = _("Apply for certificates")};
}

static enum error_code flow_apply_run(struct flow *flow, struct error *err)
{
    enum error_code status = flow->app->options.start_over ? flow_discard(flow, err) : ERROR_NONE;

    if (status != ERROR_NONE) {
        return status;
    }
    if (flow->journal.state != JOURNAL_NONE && flow->journal.renewal) {
        return error_set(err, ERROR_STATE, _("A renewal has been begun: complete it with pinward renew."));
    }
    if (flow->journal.state >= JOURNAL_SUBMITTED) {
        wrap_say(stdout, _("The application %s has been sent already. Next: pinward activate."),
                 flow->journal.application_id);
        flow_note(flow);
        return ERROR_NONE;
    }
    status = flow_refresh_registration(flow, err);
    if (status == ERROR_NONE) {
        status = flow_run(flow, flow_apply_steps, sizeof flow_apply_steps / sizeof flow_apply_steps[0], err);
    }
    if (status == ERROR_NONE) {
        flow_note(flow);
        wrap_say(stdout, "%s", _("Next: pinward activate, on this machine and with this token, as soon as pinward status "
                                 "shows the certificates."));
    }
    return status;
}

enum error_code flow_apply(struct app *app, struct error *err)
{
    struct flow flow = {0};
    enum error_code status = flow_open(app, &flow, err);

    if (status == ERROR_NONE) {
        flow_apply_expect(&flow);
        status = flow_apply_run(&flow, err);
        flow_close(&flow);
    }
    return status;
}
