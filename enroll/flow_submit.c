#include "enroll/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/dn.h"
#include "enroll/request.h"
#include "enroll/wrap.h"

enum error_code flow_check_no_open_application(struct flow *flow, struct error *err)
{
    struct portal_application application = {0};
    bool found = false;
    enum error_code status = portal_find_open_application(flow->session.portal, &found, &application, err);

    if (status == ERROR_NONE && found) {
        status = error_set(err, ERROR_STATE,
                           _("The application %s is not activated yet: complete it with pinward activate."),
                           application.application_id);
        portal_application_clear(&application);
    }
    return status;
}

enum error_code flow_withdraw_request(struct flow *flow, struct error *err)
{
    enum error_code status = flow_new_uuid(&flow->journal.request_id, err);

    if (status == ERROR_NONE) {
        (void)journal_set(&flow->journal.request, NULL, NULL);
        if (flow->journal.state > JOURNAL_KEYED) {
            flow->journal.state = JOURNAL_KEYED;
        }
        status = journal_save(&flow->journal, err);
    }
    return status;
}

enum error_code flow_build_request(struct flow *flow, struct bytes *der, struct error *err)
{
    struct token_key signing = {0};
    struct token_key encryption = {0};
    X509_NAME *subject = NULL;
    enum error_code status = dn_parse(flow->promised.subject_dn, &subject, err);

    if (status == ERROR_NONE) {
        status = flow_find_keys(flow, &signing, &encryption, err);
    }
    if (status == ERROR_NONE) {
        status = request_build(subject, signing.pkey, encryption.pkey, der, err);
    }
    token_key_clear(&signing);
    token_key_clear(&encryption);
    X509_NAME_free(subject);
    return status;
}

static enum error_code flow_send_request(struct flow *flow, struct portal_application *application,
                                         struct error *err)
{
    const struct journal *journal = &flow->journal;
    struct portal_request request = {
        .request_id = journal->request_id,
        .terms_version = journal->terms_version,
        .terms_sha256 = journal->terms_sha256,
        .request = journal->request,
        .old_signing_serial = journal->old_signing_serial,
        .old_encryption_serial = journal->old_encryption_serial,
    };

    return portal_submit(flow->session.portal, &request, application, err);
}

enum error_code flow_step_submit(struct flow *flow, struct error *err)
{
    struct portal_application application = {0};
    struct portal *portal = flow->session.portal;
    enum error_code status = flow_send_request(flow, &application, err);

    if (status != ERROR_NONE && problem_is(portal_problem(portal), "terms-outdated")) {
        printf("%s\n", _("The terms have changed meanwhile."));
        status = flow_accept_terms(flow, err);
        if (status == ERROR_NONE) {
            status = flow_send_request(flow, &application, err);
        }
    }
    if (status != ERROR_NONE && (problem_is(portal_problem(portal), "request-invalid") ||
                                 problem_is(portal_problem(portal), "request-id-reused"))) {
        (void)flow_withdraw_request(flow, NULL); /* the portal's reason is the error to show */
    }
    if (status != ERROR_NONE) {
        return status;
    }
    status = journal_set(&flow->journal.application_id, application.application_id, err);
    if (status == ERROR_NONE) {
        wrap_say(stdout, _("  The portal has the application %s.\n"), application.application_id);
    }
    portal_application_clear(&application);
    return status;
}
