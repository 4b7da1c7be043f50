#include "enroll/form_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "enroll/account.h"
#include "enroll/ask.h"
#include "enroll/certlist.h"
#include "enroll/choice.h"
#include "enroll/codec.h"
#include "enroll/form_content.h"
#include "enroll/pfx_file.h"
#include "enroll/session.h"
#include "enroll/wrap.h"

#define FORM_DATE_LEN 10 /* "2026-11-22" */

/* What a form is filled in with. */
struct form_run {
    struct app *app;
    const struct form_plan *plan;
    struct session session;
    struct certlist list;
    struct portal_registration registration;
    char *account;
    bool *chosen;
};

static void form_run_clear(struct form_run *run)
{
    portal_registration_clear(&run->registration);
    certlist_clear(&run->list);
    session_close(run->app, &run->session);
    free(run->account);
    free(run->chosen);
}

/* NAME of the files: --output, else made of form, account and date. A new string; NULL: no memory. */
static char *form_name(const struct form_run *run)
{
    char today[CODEC_TIME_SIZE];
    char *name = NULL;

    if (run->app->options.output) {
        return strdup(run->app->options.output);
    }
    codec_time_format(time(NULL), today);
    return asprintf(&name, "pinward-%s-%s-%.*s", run->plan->name, run->account, FORM_DATE_LEN, today) < 0
               ? NULL
               : name;
}

/* Both files or none. */
static enum error_code form_write_files(const char *pdf_path, const struct bytes *pdf, const char *text_path,
                                        const struct bytes *text, struct error *err)
{
    struct pfx_file staged_pdf = {0};
    struct pfx_file staged_text = {0};
    enum error_code status = pfx_file_stage(pdf_path, pdf, &staged_pdf, err);

    if (status == ERROR_NONE) {
        status = pfx_file_stage(text_path, text, &staged_text, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_file_check_absent(text_path, err); /* before the first of them has its name */
    }
    if (status == ERROR_NONE) {
        status = pfx_file_publish(&staged_pdf, false, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_file_publish(&staged_text, false, err);
    }
    pfx_file_drop(&staged_pdf);
    pfx_file_drop(&staged_text);
    return status;
}

static void form_say(struct form_run *run, const char *pdf_path, const char *text_path)
{
    wrap_say(stdout, _("The form is in %s and %s: print it, sign it, and hand it to the registration authority.\n"),
           pdf_path, text_path);
    output_note(&run->app->output, "account", json_string(run->account));
    output_note(&run->app->output, "pdf", output_text(pdf_path));
    output_note(&run->app->output, "text", output_text(text_path));
}

static enum error_code form_write(struct form_run *run, const struct form *form, struct error *err)
{
    struct bytes pdf = {0};
    struct bytes text = {0};
    char *name = form_name(run);
    char *pdf_path = NULL;
    char *text_path = NULL;
    enum error_code status = ERROR_NONE;

    if (!form_is_whole(form) || !name || asprintf(&pdf_path, "%s.pdf", name) < 0 ||
        asprintf(&text_path, "%s.txt", name) < 0) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = form_pdf(form, form_content_footer(run->plan), &pdf, err);
    }
    if (status == ERROR_NONE) {
        status = form_text(form, &text, err);
    }
    if (status == ERROR_NONE) {
        status = form_write_files(pdf_path, &pdf, text_path, &text, err);
    }
    if (status == ERROR_NONE) {
        form_say(run, pdf_path, text_path);
    }
    free(name);
    free(pdf_path);
    free(text_path);
    bytes_clear(&pdf);
    bytes_clear(&text);
    return status;
}

/* The account: of the session, --account, or what the person says. */
static enum error_code form_find_account(struct form_run *run, struct error *err)
{
    const char *known = run->app->options.account ? run->app->options.account : run->session.account;
    enum error_code status = ERROR_NONE;

    if (known) {
        run->account = strdup(known);
        status = run->account ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
    } else {
        status = ask_line(_("Account:"), "--account ACCOUNT", &run->account, err);
    }
    return status == ERROR_NONE ? account_check_name(run->account, err) : status;
}

static enum error_code form_eligible(const struct form_run *run, bool *eligible, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < run->list.portal.count; i++) {
        eligible[i] = form_content_concerns(run->plan, run->list.portal.items[i].state);
        count += eligible[i];
    }
    return count > 0 ? ERROR_NONE : error_set(err, ERROR_STATE, "%s", form_content_nothing(run->plan));
}

static enum error_code form_choose(struct form_run *run, struct error *err)
{
    bool *eligible = calloc(run->list.portal.count + 1, sizeof *eligible);
    enum error_code status;

    run->chosen = calloc(run->list.portal.count + 1, sizeof *run->chosen);
    status = eligible && run->chosen ? form_eligible(run, eligible, err)
                                     : error_set(err, ERROR_MEMORY, "%s", "");
    if (status == ERROR_NONE) {
        status = choice_make(run->app, &run->list, eligible, _("Which is the form about? (numbers, or all)"),
                             run->chosen, err);
    }
    free(eligible);
    return status;
}

static enum error_code form_fill(struct form_run *run, struct error *err)
{
    const struct form_facts facts = {
        .account = run->account,
        .registration = run->registration.json ? &run->registration : NULL,
        .list = &run->list,
        .chosen = run->chosen,
        .reason = run->app->options.reason,
    };
    struct form form = {0};
    enum error_code status = form_content(run->plan, &facts, &form, err);

    if (status == ERROR_NONE) {
        status = form_write(run, &form, err);
    }
    form_clear(&form);
    return status;
}

/* A form about certificates: of those that the portal lists. */
static enum error_code form_about_certificates(struct app *app, const struct form_plan *plan,
                                               struct error *err)
{
    struct form_run run = {.app = app, .plan = plan};
    enum error_code status = form_content_check_reason(plan, app->options.reason, err);

    if (status == ERROR_NONE) {
        status = session_open(app, &run.session, err);
    }
    if (status == ERROR_NONE) {
        status = form_find_account(&run, err);
    }
    if (status == ERROR_NONE) {
        status = portal_get_registration(run.session.portal, &run.registration, err);
    }
    if (status == ERROR_NONE) {
        status = certlist_read(app, run.session.portal, &run.list, err);
    }
    if (status == ERROR_NONE) {
        status = form_choose(&run, err);
    }
    if (status == ERROR_NONE) {
        status = form_fill(&run, err);
    }
    form_run_clear(&run);
    return status;
}

enum error_code form_revoke(struct app *app, struct error *err)
{
    return form_about_certificates(app, &form_plan_revoke, err);
}

enum error_code form_resume(struct app *app, struct error *err)
{
    return form_about_certificates(app, &form_plan_resume, err);
}

/* Without a session, what the portal would know is left to be written by hand. */
enum error_code form_reset_password(struct app *app, struct error *err)
{
    struct form_run run = {.app = app, .plan = &form_plan_reset_password};
    const bool other = app->options.account != NULL;
    enum error_code status;

    if (!other && session_open(app, &run.session, NULL) == ERROR_NONE) {
        (void)portal_get_registration(run.session.portal, &run.registration, NULL);
    }
    status = form_find_account(&run, err);
    if (status == ERROR_NONE) {
        status = form_fill(&run, err);
    }
    form_run_clear(&run);
    return status;
}
