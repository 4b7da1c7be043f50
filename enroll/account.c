#include "enroll/account.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/captcha.h"
#include "enroll/logintries.h"
#include "enroll/session.h"
#include "enroll/text.h"

#define ACCOUNT_CAPTCHA_TRIES  3
#define ACCOUNT_PASSWORD_TRIES 3

/* Asks for the new password and changes it; a password that the policy refuses is asked for again. */
static enum error_code account_change_password(struct app *app, struct portal *portal, const char *account,
                                               const struct secret *old_password, struct error *err)
{
    struct portal_policy policy = {0};
    char *policy_text = NULL;
    char *text = NULL;
    struct error problem = {0};
    enum error_code status = portal_get_policy(portal, &policy, err);

    if (status != ERROR_NONE) {
        return status;
    }
    policy_text = text_clean(policy.description, true);
    portal_policy_clear(&policy);
    if (!policy_text ||
        asprintf(&text, _("Choose a new password for account %s.\n%s"), account, policy_text) < 0) {
        free(policy_text);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    for (int try = 1; try <= ACCOUNT_PASSWORD_TRIES; try++) {
        struct secret *new_password = NULL;

        status =
            ask_new_password(&app->config, text, problem.text[0] ? problem.text : NULL, &new_password, err);
        if (status != ERROR_NONE) {
            break;
        }
        status = logintries_begin(app, account, err);
        if (status == ERROR_NONE) {
            status = portal_change_password(portal, old_password, new_password, &problem);
            status = logintries_end(app, account, status, portal_problem(portal), &problem);
            if (status != ERROR_NONE) {
                error_set(err, status, "%s", error_text(&problem));
            }
        }
        secret_free(&new_password);
        if (!problem_is(portal_problem(portal), "password-too-weak")) {
            break;
        }
    }
    free(policy_text);
    free(text);
    return status;
}

/* Gets a captcha, lets the person read it, and logs in; a misread captcha is replaced by a new one. */
static enum error_code account_try_login(struct app *app, struct portal *portal, const char *account,
                                         struct secret **password, struct portal_session *session,
                                         struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (int try = 1; try <= ACCOUNT_CAPTCHA_TRIES; try++) {
        struct portal_captcha captcha = {0};
        char *text = NULL;

        status = portal_captcha(portal, &captcha, err);
        if (status == ERROR_NONE) {
            status = captcha_read(app, &captcha.png, &text, err);
        }
        if (status == ERROR_NONE && !*password) {
            status =
                ask_password(&app->config, _("Log in to the portal."), _("Password:"), NULL, password, err);
        }
        if (status == ERROR_NONE) {
            status = logintries_begin(app, account, err);
            if (status == ERROR_NONE) {
                status = portal_login(portal, account, *password, captcha.captcha_id, text, session, err);
                status = logintries_end(app, account, status, portal_problem(portal), err);
            }
        }
        free(text);
        portal_captcha_clear(&captcha);
        if (status == ERROR_NONE || !problem_is(portal_problem(portal), "captcha-wrong")) {
            break;
        }
        fprintf(stderr, "%s\n", error_text(err));
    }
    return status;
}

static enum error_code account_login_as(struct app *app, const char *account, struct error *err)
{
    struct portal *portal = NULL;
    struct portal_session session = {0};
    struct secret *password = NULL;
    enum error_code status = portal_new(&app->config, &portal, err);

    if (status == ERROR_NONE) {
        status = account_try_login(app, portal, account, &password, &session, err);
    }
    if (status == ERROR_NONE) {
        status = session_save(app, portal, session.account, err);
    }
    if (status == ERROR_NONE && session.password_change_required) {
        printf("%s\n", _("The first password must be changed now."));
        status = account_change_password(app, portal, session.account, password, err);
        if (status == ERROR_NONE) {
            printf("%s\n", _("The password is changed."));
            status = session_save(app, portal, session.account, err);
        }
    }
    if (status == ERROR_NONE) {
        printf(_("Account %s is logged in at %s.\n"), account, app->config.portal.url);
    }
    secret_free(&password);
    portal_session_clear(&session);
    portal_free(&portal);
    return status;
}

enum error_code account_login(struct app *app, struct error *err)
{
    char *account = app->options.account ? strdup(app->options.account) : NULL;
    enum error_code status = ERROR_NONE;

    if (!app->options.account) {
        status = ask_line(_("Account:"), "--account ACCOUNT", &account, err);
    } else if (!account) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status == ERROR_NONE) {
        status = logintries_check(app, account, err);
    }
    if (status == ERROR_NONE) {
        status = account_login_as(app, account, err);
    }
    free(account);
    return status;
}

enum error_code account_passwd(struct app *app, struct error *err)
{
    struct session session = {0};
    struct secret *old_password = NULL;
    enum error_code status = session_open(app, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = logintries_check(app, session.account, err);
    if (status == ERROR_NONE) {
        status = ask_password(&app->config, _("Change the password of the portal."), _("Old password:"), NULL,
                              &old_password, err);
    }
    if (status == ERROR_NONE) {
        status = account_change_password(app, session.portal, session.account, old_password, err);
    }
    if (status == ERROR_NONE) {
        printf("%s\n", _("The password is changed."));
    }
    secret_free(&old_password);
    session_close(app, &session);
    return status;
}

enum error_code account_logout(struct app *app, struct error *err)
{
    struct session session = {0};
    enum error_code status = session_open(app, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = portal_logout(session.portal, err);
    if (status == ERROR_NONE || problem_is(portal_problem(session.portal), "login-required")) {
        status = session_forget(app, err);
    }
    if (status == ERROR_NONE) {
        printf(_("Account %s is logged out.\n"), session.account);
    }
    session_close(app, &session);
    return status;
}

static void account_print_line(FILE *out, const char *name, const char *value)
{
    char *clean = text_clean(value ? value : "-", false);
    size_t columns = text_columns(name);

    fprintf(out, "  %s%*s %s\n", name, columns < 22 ? (int)(22 - columns) : 0, "", clean ? clean : "?");
    free(clean);
}

void account_print_registration(FILE *out, const struct portal_registration *registration)
{
    fprintf(out, "%s\n", _("Your registration:"));
    account_print_line(out, _("Account"), registration->account);
    account_print_line(out, _("Name"), registration->common_name);
    account_print_line(out, _("Organization"), registration->organization);
    account_print_line(out, _("Country"), registration->country);
    account_print_line(out, _("E-mail"), registration->email);
    account_print_line(out, _("Registration number"), registration->registration_number);
    account_print_line(out, _("Subject"), registration->subject_dn);
    account_print_line(out, _("Approved"), registration->approved ? _("yes") : _("no"));
    fprintf(out, _("  The certificates will have %s keys of %u bits and be valid for %u days.\n"),
            registration->profile.key_type, registration->profile.key_bits,
            registration->profile.validity_days);
}

enum error_code account_registration(struct app *app, struct error *err)
{
    struct session session = {0};
    struct portal_registration registration = {0};
    enum error_code status = session_open(app, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = portal_get_registration(session.portal, &registration, err);
    if (status == ERROR_NONE && app->options.json) {
        json_dumpf(registration.json, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    } else if (status == ERROR_NONE) {
        account_print_registration(stdout, &registration);
    }
    portal_registration_clear(&registration);
    session_close(app, &session);
    return status;
}
