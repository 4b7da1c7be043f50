#include "enroll/form_content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/codec.h"

#define FORM_CONTENT_DATE_LEN 10 /* "2026-11-22" */

static const char *const form_revocable[] = {"active", "renewed", "suspended", "issued", NULL};
static const char *const form_resumable[] = {"suspended", NULL};

static const char *const form_revoke_asks[] = {
    N_("I ask that the certificates named above be revoked."),
    N_("I know that a revocation cannot be undone, that signatures made after it are not valid, and that I "
       "keep the "
       "encryption key for as long as I need to read what was encrypted to it."),
    NULL,
};
static const char *const form_resume_asks[] = {
    N_("I ask that the suspension of the certificates named above be ended."),
    N_("I declare that their private keys have been in my sole control all the time."),
    NULL,
};
static const char *const form_reset_asks[] = {
    N_("I ask for a new first password for the account named above. The old password then no longer holds, "
       "and the "
       "account is unlocked."),
    N_("I will change the new password at the first login, and keep the sheet to myself until then."),
    NULL,
};

const struct form_plan form_plan_revoke = {
    .name = "revoke",
    .title = N_("Request to revoke certificates"),
    .chosen = N_("Certificates to be revoked"),
    .asks = form_revoke_asks,
    .command = "revoke",
    .nothing = N_("There are no certificates that can be revoked: pinward status shows them."),
    .states = form_revocable,
    .reasons = true,
};
const struct form_plan form_plan_resume = {
    .name = "resume",
    .title = N_("Request to resume suspended certificates"),
    .chosen = N_("Certificates to be resumed"),
    .asks = form_resume_asks,
    .command = "resume",
    .nothing = N_(
        "None of the certificates is suspended, so there is nothing to resume: pinward status shows them."),
    .states = form_resumable,
};
const struct form_plan form_plan_reset_password = {
    .name = "reset-password",
    .title = N_("Request for a new password"),
    .asks = form_reset_asks,
    .command = "reset-password",
};

/* The reasons of RFC 5280 section 5.3.1 that a user can have. */
static const struct {
    const char *name;
    const char *text;
} form_reasons[] = {
    {"keyCompromise",
     N_("A private key, its PIN or the token is lost, or may be known to others (keyCompromise)")},
    {"affiliationChanged", N_("Name or organization have changed (affiliationChanged)")},
    {"superseded", N_("Other certificates have taken their place (superseded)")},
    {"cessationOfOperation", N_("They are no longer needed (cessationOfOperation)")},
    {"unspecified", N_("Another reason (unspecified)")},
};

enum error_code form_content_check_reason(const struct form_plan *plan, const char *reason, struct error *err)
{
    for (size_t i = 0; reason && i < sizeof form_reasons / sizeof form_reasons[0]; i++) {
        if (plan->reasons && strcmp(form_reasons[i].name, reason) == 0) {
            return ERROR_NONE;
        }
    }
    return !reason
               ? ERROR_NONE
               : error_set(err, ERROR_USAGE,
                           _("\"%s\" is none of the reasons: keyCompromise, affiliationChanged, superseded, "
                             "cessationOfOperation, unspecified."),
                           reason);
}

bool form_content_concerns(const struct form_plan *plan, const char *state)
{
    for (size_t i = 0; plan->states && plan->states[i]; i++) {
        if (strcmp(plan->states[i], state) == 0) {
            return true;
        }
    }
    return false;
}

const char *form_content_nothing(const struct form_plan *plan)
{
    return _(plan->nothing);
}

const char *form_content_footer(const struct form_plan *plan)
{
    return _(plan->title);
}

static void form_content_applicant(const struct form_facts *facts, struct form *form)
{
    const struct portal_registration *r = facts->registration;

    form_add(form, FORM_HEADING, _("Applicant"));
    form_add_field(form, _("Account"), facts->account);
    form_add_field(form, _("Name"), r ? r->common_name : NULL);
    if (!r || r->organization) {
        form_add_field(form, _("Organization"), r ? r->organization : NULL);
    }
    form_add_field(form, _("Registration number"), r ? r->registration_number : NULL);
    form_add_field(form, _("E-mail"), r ? r->email : NULL);
    form_add_field(form, _("Telephone"), NULL);
}

static void form_content_certificate(const struct portal_certificate *row, struct form *form)
{
    char until[CODEC_TIME_SIZE];

    codec_time_format(row->not_after, until);
    until[FORM_CONTENT_DATE_LEN] = '\0';
    form_add_field(form, _("Use"), row->use == PORTAL_SIGNING ? _("signing") : _("encryption"));
    form_add_field(form, _("Serial number"), row->serial);
    form_add_field(form, _("Subject"), row->subject_dn);
    form_add_field(form, _("Valid until"), until);
}

static void form_content_certificates(const struct form_plan *plan, const struct form_facts *facts,
                                      struct form *form)
{
    if (!plan->chosen) {
        return;
    }
    form_add(form, FORM_HEADING, _(plan->chosen));
    for (size_t i = 0; i < facts->list->portal.count; i++) {
        if (facts->chosen[i]) {
            form_content_certificate(&facts->list->portal.items[i], form);
        }
    }
}

static void form_content_reasons(const struct form_plan *plan, const struct form_facts *facts,
                                 struct form *form)
{
    if (!plan->reasons) {
        return;
    }
    form_add(form, FORM_HEADING, _("Reason (tick one)"));
    for (size_t i = 0; i < sizeof form_reasons / sizeof form_reasons[0]; i++) {
        const bool ticked = facts->reason && strcmp(facts->reason, form_reasons[i].name) == 0;

        form_add(form, ticked ? FORM_TICKED : FORM_BOX, _(form_reasons[i].text));
    }
}

static void form_content_declaration(const struct form_plan *plan, struct form *form)
{
    char today[CODEC_TIME_SIZE];

    codec_time_format(time(NULL), today);
    today[FORM_CONTENT_DATE_LEN] = '\0';
    form_add(form, FORM_HEADING, _("Declaration"));
    for (size_t i = 0; plan->asks[i]; i++) {
        form_add(form, FORM_PARAGRAPH, _(plan->asks[i]));
    }
    form_add_field(form, _("Filled in on"), today);
    form_add_field(form, _("Date"), NULL);
    form_add_field(form, _("Signature or seal"), NULL);
}

/* The commands that carry it out, ready to be typed. */
static void form_content_authority(const struct form_plan *plan, const struct form_facts *facts,
                                   struct form *form)
{
    char command[256];

    form_add(form, FORM_HEADING, _("For the registration authority"));
    form_add(form, FORM_BOX, _("Identity checked against a document with a picture, or the seal on file"));
    for (size_t i = 0; plan->chosen && i < facts->list->portal.count; i++) {
        if (facts->chosen[i]) {
            snprintf(command, sizeof command, "pinward-portal-admin %s %s%s%s", plan->command,
                     facts->list->portal.items[i].serial, facts->reason ? " --reason " : "",
                     facts->reason ? facts->reason : "");
            form_add(form, FORM_BOX, command);
        }
    }
    if (!plan->chosen) {
        snprintf(command, sizeof command, "pinward-portal-admin %s %s", plan->command, facts->account);
        form_add(form, FORM_BOX, command);
    }
    form_add_field(form, _("Carried out on, by"), NULL);
}

enum error_code form_content(const struct form_plan *plan, const struct form_facts *facts, struct form *form,
                             struct error *err)
{
    form_add(form, FORM_TITLE, _(plan->title));
    form_add(form, FORM_PARAGRAPH, _("To the registration authority"));
    form_content_applicant(facts, form);
    form_content_certificates(plan, facts, form);
    form_content_reasons(plan, facts, form);
    form_content_declaration(plan, form);
    form_content_authority(plan, facts, form);
    return form_is_whole(form) ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}
