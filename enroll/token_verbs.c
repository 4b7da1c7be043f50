#include "enroll/token_verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/certificate.h"
#include "enroll/codec.h"
#include "enroll/softhsm_store.h"
#include "enroll/text.h"
#include "enroll/token_admin.h"
#include "enroll/wrap.h"

/* ------------------------------------------------------------------ words */

static const char *token_verb_words(const struct token_state *state)
{
    if (!state->initialized) {
        return _("blank: pinward token init makes a token of it");
    }
    if (!state->pin_set) {
        return _("without a user PIN: pinward pin unblock sets one");
    }
    if (state->locked) {
        return _("PIN locked: pinward pin unblock sets a new one");
    }
    if (state->final_try) {
        return _("LAST try: another wrong PIN locks it");
    }
    return state->pin_low ? _("ready; a wrong PIN was entered before") : _("ready");
}

static json_t *token_verb_json(const struct token_state *state)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "label", state->label, "serial", state->serial, "manufacturer",
                     state->manufacturer, "model", state->model, "state", token_state_name(state), "slot",
                     (json_int_t)state->slot);
}

/* ------------------------------------------------------------------ list */

static void token_verb_print(const struct token_state *list, size_t count)
{
    size_t width = text_columns(_("Token")) + 2;

    for (size_t i = 0; i < count; i++) {
        const size_t columns = text_columns(list[i].label) + 2;

        width = columns > width ? columns : width;
    }
    text_print_cell(stdout, _("Token"), width);
    text_print_cell(stdout, _("Serial number"), 20);
    printf("%s\n", _("State"));
    for (size_t i = 0; i < count; i++) {
        text_print_cell(stdout, list[i].label[0] ? list[i].label : "-", width);
        text_print_cell(stdout, list[i].serial[0] ? list[i].serial : "-", 20);
        printf("%s\n", token_verb_words(&list[i]));
    }
}

enum error_code token_verb_list(struct app *app, struct error *err)
{
    json_t *rows = json_array();
    struct token_state *list = NULL;
    struct token *token = NULL;
    size_t count = 0;
    enum error_code status = token_open_module(&app->config, &token, err);

    if (status == ERROR_NONE) {
        status = token_admin_list(token, &list, &count, err);
    }
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, token_verb_json(&list[i]));
    }
    if (status == ERROR_NONE) {
        output_note(&app->output, "tokens", json_incref(rows));
        token_verb_print(list, count);
    }
    json_decref(rows);
    free(list);
    token_close(&token);
    return status;
}

/* ------------------------------------------------------------------ info */

static void token_verb_say_certificate(const char *label, const char *name, const char *until)
{
    char *line = NULL;

    if (asprintf(&line, _("\"%s\": %s, until %s"), label, name, until) >= 0) {
        fputs("  ", stdout);
        wrap_print(stdout, line, wrap_columns(stdout), 4);
        fputc('\n', stdout);
        free(line);
    }
}

static void token_verb_certificate(void *data, const char *label, X509 *certificate)
{
    char *name = certificate_common_name(certificate);
    char *serial = certificate_serial(certificate);
    char *shown = text_clean(label, false);
    char end[CODEC_TIME_SIZE] = "";
    char until[CODEC_TIME_SIZE] = "";
    struct tm tm;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1) {
        const time_t when = timegm(&tm);

        codec_time_format(when, end);
        codec_time_show(when, until);
    }
    if (name && serial && shown) {
        token_verb_say_certificate(shown, name, until);
        json_array_append_new(data, json_pack("{s:s, s:s, s:s, s:b}", "label", shown, "serial", serial, "not_after", end,
                                              "ca", X509_check_ca(certificate) > 0));
    }
    free(name);
    free(serial);
    free(shown);
}

/* The fewest characters of a new PIN: the module wants more than some tokens do. */
static unsigned long token_verb_pin_min(const struct app *app, const struct token_state *state)
{
    const unsigned long wanted = app->config.module.pin_min_length;

    return wanted > state->pin_min && wanted <= state->pin_max ? wanted : state->pin_min;
}

static enum error_code token_verb_show(struct app *app, struct token *token, struct error *err)
{
    json_t *certificates = json_array();
    struct token_state state;
    enum error_code status = token_admin_look(token, &state, err);

    if (status == ERROR_NONE) {
        printf(_("Token:         %s\nSerial number: %s\nMade by:       %s %s\nState:         %s\nPIN length:    %lu to %lu\n"),
               state.label, state.serial, state.manufacturer, state.model, token_verb_words(&state),
               token_verb_pin_min(app, &state), state.pin_max);
        printf("%s\n", _("Certificates:"));
        status = token_each_certificate(token, token_verb_certificate, certificates, err);
    }
    if (status == ERROR_NONE) {
        output_note(&app->output, "token", token_verb_json(&state));
        output_note(&app->output, "certificates", json_incref(certificates));
    }
    json_decref(certificates);
    return status;
}

enum error_code token_verb_info(struct app *app, struct error *err)
{
    struct token *token = NULL;
    enum error_code status = token_open(&app->config, &token, err);

    if (status == ERROR_NONE) {
        status = token_verb_show(app, token, err);
        token_close(&token);
    }
    return status;
}

/* ------------------------------------------------------------------ init */

static enum error_code token_verb_check_label(const char *label, struct error *err)
{
    char *clean = label ? text_clean(label, false) : NULL;
    const bool fit = clean && strcmp(clean, label) == 0 && label[0] && label[0] != ' ' &&
                     label[strlen(label) - 1] != ' ' && strlen(label) <= TOKEN_LABEL_MAX;

    free(clean);
    if (!label) {
        return error_set(err, ERROR_USAGE, _("Say how the token is to be called: --label LABEL."));
    }
    return fit ? ERROR_NONE
               : error_set(err, ERROR_USAGE,
                           _("The token's name must be 1 to %d bytes of UTF-8 text on one line, without blanks around it."),
                           TOKEN_LABEL_MAX);
}

/* A blank token; a name that no other has, since the configuration names tokens by it. */
static enum error_code token_verb_find_blank(struct token *token, const char *label, unsigned long *slot,
                                             struct error *err)
{
    struct token_state *list = NULL;
    size_t count = 0;
    bool found = false;
    bool taken = false;
    enum error_code status = token_admin_list(token, &list, &count, err);

    for (size_t i = 0; i < count; i++) {
        if (list[i].initialized) {
            taken = taken || strcmp(list[i].label, label) == 0;
        } else if (!found) {
            *slot = list[i].slot;
            found = true;
        }
    }
    free(list);
    if (status == ERROR_NONE && taken) {
        status = error_set(err, ERROR_STATE, _("There is a token named \"%s\" already: choose another name with --label."),
                           label);
    } else if (status == ERROR_NONE && !found) {
        status = error_set(err, ERROR_TOKEN,
                           _("There is no blank token: insert one. Tokens that are in use are not erased here."));
    }
    return status;
}

static enum error_code token_verb_make(struct app *app, const char *label, struct error *err)
{
    struct token *token = NULL;
    unsigned long slot = 0;
    enum error_code status = token_open_module(&app->config, &token, err);

    if (status == ERROR_NONE) {
        status = token_verb_find_blank(token, label, &slot, err);
    }
    if (status == ERROR_NONE) {
        status = token_admin_init(token, slot, label, err);
    }
    token_close(&token);
    return status;
}

enum error_code token_verb_init(struct app *app, struct error *err)
{
    const char *label = app->options.label;
    char *store = NULL;
    enum error_code status = token_verb_check_label(label, err);

    if (status == ERROR_NONE) {
        status = softhsm_store_ensure(&app->config, &store, err);
    }
    if (status == ERROR_NONE && store) {
        wrap_say(stdout, _("A token store of your own was made: %s.\n"), store);
        fflush(stdout);
    }
    if (status == ERROR_NONE) {
        output_note(&app->output, "store", output_text(store));
        status = token_verb_make(app, label, err);
    }
    if (status == ERROR_NONE) {
        output_note(&app->output, "label", json_string(label));
        wrap_say(stdout, _("The token \"%s\" is ready. Keep the security officer's PIN: it alone unblocks the token (pinward pin "
                 "unblock).\n"),
               label);
    }
    free(store);
    return status;
}

/* ------------------------------------------------------------------ PINs */

static enum error_code pin_verb(struct app *app, enum error_code (*change)(struct token *token, struct error *err),
                                struct error *err)
{
    struct token *token = NULL;
    enum error_code status = token_open(&app->config, &token, err);

    if (status != ERROR_NONE) {
        return status;
    }
    status = change(token, err);
    if (status == ERROR_NONE) {
        char *shown = text_clean(token_label(token), false);

        output_note(&app->output, "token", output_text(token_label(token)));
        printf(_("The token \"%s\" has its new PIN.\n"), shown ? shown : "");
        free(shown);
    }
    token_close(&token);
    return status;
}

enum error_code pin_verb_change(struct app *app, struct error *err)
{
    return pin_verb(app, token_admin_change_pin, err);
}

enum error_code pin_verb_unblock(struct app *app, struct error *err)
{
    return pin_verb(app, token_admin_unblock, err);
}
