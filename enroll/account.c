#include "enroll/account.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/captcha.h"
#include "enroll/interrupt.h"
#include "enroll/language.h"
#include "enroll/logintries.h"
#include "enroll/secret_file.h"
#include "enroll/session.h"
#include "enroll/text.h"
#include "enroll/wrap.h"

#define ACCOUNT_NAME_MAX       32 /* bytes: docs/portal-api.yaml, AccountName */
#define ACCOUNT_CAPTCHA_TRIES  3
#define ACCOUNT_PASSWORD_TRIES 3

enum error_code account_ask_password(const struct app *app, const char *text, const char *prompt,
                                     struct secret **password, struct error *err)
{
    if (app->options.password_file) {
        return secret_file_read(app->options.password_file, password, err);
    }
    return ask_password(&app->config, text, prompt, NULL, password, err);
}

static enum error_code account_ask_new_password(const struct app *app, const char *text, const char *problem,
                                                struct secret **password, struct error *err)
{
    if (app->options.new_password_file) {
        return secret_file_read(app->options.new_password_file, password, err);
    }
    return ask_new_password(&app->config, text, problem, password, err);
}

/* The portal says its rules in English only; in another language they are what its numbers say, and what the contract
 * refuses besides. A new string; NULL: no memory. */
static char *account_rules(const struct portal_policy *policy)
{
    char *text = NULL;

    if (strcmp(language_tag(), "en") == 0) {
        return text_clean(policy->description, true);
    }
    return asprintf(&text,
                    _("%d to %d characters, with at least %d of: lower-case letters, upper-case letters, digits, others. "
                      "Not the account's name in it, no common password, not the old one."),
                    policy->min_length, policy->max_length, policy->min_classes) < 0
               ? NULL
               : text;
}

/* Says the portal's rules before anybody types. *text is what the window says, a new string. */
static enum error_code account_say_rules(struct portal *portal, const char *account, char **text,
                                         struct error *err)
{
    struct portal_policy policy = {0};
    char *rules = NULL;
    enum error_code status = portal_get_policy(portal, &policy, err);

    if (status != ERROR_NONE) {
        return status;
    }
    rules = account_rules(&policy);
    portal_policy_clear(&policy);
    if (!rules || asprintf(text, _("Choose a new password for account %s.\n%s"), account, rules) < 0) {
        free(rules);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    wrap_say(stdout, _("The portal's rules for passwords: %s"), rules);
    fflush(stdout);
    free(rules);
    return ERROR_NONE;
}

/* Asks for the new password and changes it; a password that the policy refuses is asked for again. */
static enum error_code account_change_password(struct app *app, struct portal *portal, const char *account,
                                               const char *text, const struct secret *old_password,
                                               struct error *err)
{
    struct error problem = {0};
    enum error_code status = ERROR_NONE;

    for (int try = 1; try <= ACCOUNT_PASSWORD_TRIES; try++) {
        struct secret *new_password = NULL;

        status =
            account_ask_new_password(app, text, problem.text[0] ? problem.text : NULL, &new_password, err);
        if (status != ERROR_NONE) {
            break;
        }
        status = logintries_begin(app, account, err);
        if (status == ERROR_NONE) {
            interrupt_left(_("Interrupted while the password was being changed: log in with the new one, or, if that is "
                             "refused, with the old one."));
            status = portal_change_password(portal, old_password, new_password, &problem);
            status = logintries_end(app, account, status, portal_problem(portal), &problem);
            if (status != ERROR_NONE) {
                error_set(err, status, "%s", error_text(&problem));
            }
        }
        secret_free(&new_password);
        if (!problem_is(portal_problem(portal), "password-too-weak") || app->options.new_password_file) {
            break;
        }
    }
    return status;
}

/* A captcha and what the person reads in it; one that cannot be read is replaced by a new one. */
static enum error_code account_read_captcha(struct app *app, struct portal *portal, struct portal_captcha *captcha,
                                            char **text, struct error *err)
{
    enum error_code status;

    do {
        free(*text);
        *text = NULL;
        portal_captcha_clear(captcha);
        status = portal_captcha(portal, captcha, err);
        if (status == ERROR_NONE) {
            status = captcha_read(app, &captcha->png, text, err);
        }
    } while (status == ERROR_NONE && (*text)[0] == '\0');
    return status;
}

static enum error_code account_ask_login(const struct app *app, const char *account, struct secret **password,
                                         struct error *err)
{
    char *text = NULL;
    enum error_code status;

    if (asprintf(&text, _("Log in to the portal %s with account %s."), app->config.portal.url, account) < 0) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = account_ask_password(app, text, _("Password:"), password, err);
    free(text);
    return status;
}

/* Lets the person read a captcha, and logs in; a misread captcha is replaced by a new one. */
static enum error_code account_try_login(struct app *app, struct portal *portal, const char *account,
                                         struct secret **password, struct portal_session *session,
                                         struct error *err)
{
    enum error_code status = ERROR_NONE;

    for (int try = 1; try <= ACCOUNT_CAPTCHA_TRIES; try++) {
        struct portal_captcha captcha = {0};
        char *text = NULL;

        status = account_read_captcha(app, portal, &captcha, &text, err);
        if (status == ERROR_NONE && !*password) {
            status = account_ask_login(app, account, password, err);
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
        if (try < ACCOUNT_CAPTCHA_TRIES) {
            wrap_say(stderr, "%s", error_text(err));
        } else {
            error_set(err, status, "%s", _("The characters did not match the picture again and again: run pinward login "
                                           "for a new one. No password try was spent."));
        }
    }
    return status;
}

/* The portal insists on another password than the one on the sheet. */
static enum error_code account_change_first_password(struct app *app, struct portal *portal, const char *account,
                                                     const struct secret *first, struct error *err)
{
    char *text = NULL;
    enum error_code status;

    printf("%s\n", _("The first password must be changed now."));
    status = account_say_rules(portal, account, &text, err);
    if (status == ERROR_NONE) {
        status = account_change_password(app, portal, account, text, first, err);
    }
    free(text);
    if (status == ERROR_NONE) {
        printf("%s\n", _("The password is changed."));
        status = session_save(app, portal, account, err);
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
        status = account_change_first_password(app, portal, session.account, password, err);
    }
    if (status == ERROR_NONE) {
        wrap_say(stdout, _("Account %s is logged in at %s.\n"), account, app->config.portal.url);
        output_note(&app->output, "account", json_string(account));
        output_note(&app->output, "portal", json_string(app->config.portal.url));
    }
    secret_free(&password);
    portal_session_clear(&session);
    portal_free(&portal);
    return status;
}

enum error_code account_check_name(const char *account, struct error *err)
{
    const size_t length = strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return account[length] == '\0' && length > 0 && length <= ACCOUNT_NAME_MAX && account[0] != '.'
               ? ERROR_NONE
               : error_set(err, ERROR_USAGE, _("\"%s\" is no account: give the one on the password sheet."),
                           account);
}

/* The one that was given, or else the user is asked. */
static enum error_code account_name(const struct app *app, char **account, struct error *err)
{
    if (!app->options.account) {
        return ask_line(_("Account:"), "--account ACCOUNT", account, err);
    }
    *account = strdup(app->options.account);
    return *account ? ERROR_NONE : error_set(err, ERROR_MEMORY, "%s", "");
}

enum error_code account_login(struct app *app, struct error *err)
{
    char *account = NULL;
    enum error_code status = account_name(app, &account, err);

    if (status == ERROR_NONE) {
        status = account_check_name(account, err);
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
    char *text = NULL;
    enum error_code status = session_open(app, &session, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = logintries_check(app, session.account, err);
    if (status == ERROR_NONE) {
        status = account_say_rules(session.portal, session.account, &text, err);
    }
    if (status == ERROR_NONE) {
        status = account_ask_password(app, _("Change the password of the portal."), _("Old password:"), &old_password,
                                      err);
    }
    if (status == ERROR_NONE) {
        status = account_change_password(app, session.portal, session.account, text, old_password, err);
    }
    if (status == ERROR_NONE) {
        printf("%s\n", _("The password is changed."));
        output_note(&app->output, "account", json_string(session.account));
    }
    free(text);
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
        output_note(&app->output, "account", json_string(session.account));
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
    fprintf(out, _("  The certificates will have %s keys and be valid for %u days.\n"), registration->profile.keys->name,
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
        output_set(&app->output, json_incref(registration.json));
    } else if (status == ERROR_NONE) {
        account_print_registration(stdout, &registration);
    }
    portal_registration_clear(&registration);
    session_close(app, &session);
    return status;
}
