#include "enroll/doctor.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/agent.h"
#include "enroll/codec.h"
#include "enroll/language.h"
#include "enroll/ledger_verify.h"
#include "enroll/portal.h"
#include "enroll/softhsm_store.h"
#include "enroll/token_admin.h"

/* Answers to a challenge expire after some minutes, and certificates begin now. */
#define DOCTOR_CLOCK_APART_S 120

void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(finding->says, sizeof finding->says, format, args);
    va_end(args);
    finding->verdict = verdict;
}

void doctor_mend(struct doctor_finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(finding->mend, sizeof finding->mend, format, args);
    va_end(args);
}

const char *doctor_config_file(const struct app *app)
{
    return app->config.file ? app->config.file : "~/.config/pinward/pinward.conf";
}

/* ------------------------------------------------------------------ this machine */

/* Had it a fault, no verb would run. */
static void doctor_look_config(const struct app *app, struct doctor_finding *finding)
{
    if (app->config.file) {
        doctor_say(finding, DOCTOR_OK, "%s", app->config.file);
    } else {
        doctor_say(finding, DOCTOR_OK, "%s", _("no file; the defaults hold"));
    }
}

static void doctor_look_locale(const struct app *app, struct doctor_finding *finding)
{
    const char *codeset = nl_langinfo(CODESET);

    (void)app;
    if (strcmp(codeset, "UTF-8") == 0 && language_missing()) {
        doctor_say(finding, DOCTOR_NOTE,
                   _("this machine has no locale %s: C.UTF-8 stands in for it here, but not in other programs"),
                   language_missing());
        doctor_mend(finding, "apt-get install locales-all");
        return;
    }
    if (strcmp(codeset, "UTF-8") == 0) {
        doctor_say(finding, DOCTOR_OK, "%s", codeset);
        return;
    }
    doctor_say(finding, DOCTOR_WRONG, _("names and messages cannot be shown in the character set %s"), codeset);
    doctor_mend(finding, "export LC_ALL=C.UTF-8");
}

static void doctor_look_pinentry(const struct app *app, struct doctor_finding *finding)
{
    const char *program = app->config.module.pinentry;

    if (access(program, X_OK) == 0) {
        doctor_say(finding, DOCTOR_OK, "%s", program);
        return;
    }
    doctor_say(finding, DOCTOR_WRONG, _("%s cannot be run, so nobody can be asked for a PIN"), program);
    doctor_mend(finding, "%s",
                strncmp(program, "/usr/bin/pinentry", 17) == 0 ? "apt-get install pinentry-curses"
                                                               : _("correct pinentry in [module]"));
}

/* ------------------------------------------------------------------ the module */

static void doctor_look_backend(const struct app *app, struct doctor_finding *finding)
{
    const char *backend = app->config.module.backend;

    if (access(backend, R_OK) == 0) {
        doctor_say(finding, DOCTOR_OK, "%s", backend);
        return;
    }
    doctor_say(finding, DOCTOR_WRONG, _("the token's own module %s is not there"), backend);
    if (softhsm_store_is_backend(&app->config)) {
        doctor_mend(finding, "apt-get install softhsm2");
    } else {
        doctor_mend(finding, _("install it, or correct backend in [module] of %s"), doctor_config_file(app));
    }
}

static void doctor_look_module(const struct app *app, struct doctor_finding *finding)
{
    char *path = token_module_path(&app->config);
    struct token *token = NULL;
    struct error err = {0};

    if (token_open_module(&app->config, &token, &err) == ERROR_NONE) {
        doctor_say(finding, DOCTOR_OK, "%s", path ? path : "");
    } else if (softhsm_store_is_missing(&app->config)) {
        doctor_say(finding, DOCTOR_WRONG, "%s", _("SoftHSM2 has no token store that you can use"));
        doctor_mend(finding, "pinward token init --label 'My token'");
    } else {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "tail %s", app->config.log.file ? app->config.log.file : "~/.local/state/pinward/pinward.log");
    }
    token_close(&token);
    free(path);
}

static void doctor_judge_token(const struct token_state *state, struct doctor_finding *finding)
{
    if (state->locked) {
        doctor_say(finding, DOCTOR_WRONG, _("\"%s\": its PIN is locked"), state->label);
        doctor_mend(finding, "pinward pin unblock");
    } else if (!state->pin_set) {
        doctor_say(finding, DOCTOR_WRONG, _("\"%s\": it has no user PIN yet"), state->label);
        doctor_mend(finding, "pinward pin unblock");
    } else if (state->final_try) {
        doctor_say(finding, DOCTOR_NOTE, _("\"%s\": the next wrong PIN locks it"), state->label);
    } else if (state->write_protected) {
        doctor_say(finding, DOCTOR_NOTE, _("\"%s\": it is write-protected, so no key can be made on it"), state->label);
    } else {
        doctor_say(finding, DOCTOR_OK, "%s", state->label);
    }
}

static void doctor_see_certificate(void *data, const char *label, X509 *certificate)
{
    bool *own = data;

    (void)label;
    *own = *own || X509_check_ca(certificate) == 0;
}

/* All is well, and nothing has been begun: the way to go on. */
static void doctor_look_for_certificates(struct token *token, const char *label, struct doctor_finding *finding)
{
    bool own = false;

    if (token_each_certificate(token, doctor_see_certificate, &own, NULL) == ERROR_NONE && !own) {
        doctor_say(finding, DOCTOR_NOTE, _("\"%s\": no certificate of yours is on it yet"), label);
        doctor_mend(finding, "pinward help first-time");
    }
}

/* Is there any that could be named in the configuration? */
static bool doctor_has_tokens(const struct app *app)
{
    struct token *module = NULL;
    struct token_state *list = NULL;
    size_t count = 0;
    struct error err = {0};
    bool has = false;

    if (token_open_module(&app->config, &module, &err) == ERROR_NONE) {
        (void)token_admin_list(module, &list, &count, &err);
    }
    for (size_t i = 0; i < count; i++) {
        has = has || list[i].initialized;
    }
    free(list);
    token_close(&module);
    return has;
}

static void doctor_look_token(const struct app *app, struct doctor_finding *finding)
{
    struct token *token = NULL;
    struct token_state state;
    struct error err = {0};

    if (token_open(&app->config, &token, &err) == ERROR_NONE && token_admin_look(token, &state, &err) == ERROR_NONE) {
        doctor_judge_token(&state, finding);
        if (finding->verdict == DOCTOR_OK) {
            doctor_look_for_certificates(token, state.label, finding);
        }
    } else {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "%s",
                    app->config.token.token || doctor_has_tokens(app) ? "pinward token list"
                                                                      : "pinward token init --label 'My token'");
    }
    token_close(&token);
}

/* ------------------------------------------------------------------ pinward-agent */

/* The agent's own words: pkcs11-module/agent/sandbox.h. */
static void doctor_say_agent(const struct agent_status *status, struct doctor_finding *finding)
{
    if (strstr(status->protection, "sandbox=off")) {
        doctor_say(finding, DOCTOR_NOTE,
                   _("programs are served at %s, in processes that can do whatever you can: the sandbox is switched off"),
                   status->socket);
        doctor_mend(finding, _("sandbox = strict in [agent]"));
    } else if (strstr(status->protection, "no-landlock")) {
        doctor_say(finding, DOCTOR_NOTE,
                   _("programs are served at %s, in processes that can write all your files: this kernel has no Landlock"),
                   status->socket);
        doctor_mend(finding, _("a kernel with Landlock (Linux 5.13 or later, with landlock in lsm=)"));
    } else if (status->uid != (unsigned long)geteuid()) {
        doctor_say(finding, DOCTOR_OK,
                   _("programs that load p11-kit-client.so are served at %s by a service (uid %lu), whose token, counter and "
                     "ledger they cannot reach"),
                   status->socket, status->uid);
    } else {
        doctor_say(finding, DOCTOR_OK,
                   _("programs that load p11-kit-client.so are served at %s, in processes of pinward-agent's (connected: "
                     "%zu)"),
                   status->socket, status->count);
    }
}

/* Is the module in the programs' own processes, or in the agent's? */
static void doctor_look_agent(const struct app *app, struct doctor_finding *finding)
{
    char *path = agent_socket();
    struct agent_status status;

    (void)app;
    if (agent_ask_status(&status, NULL) == ERROR_NONE) {
        doctor_say_agent(&status, finding);
        agent_status_clear(&status);
    } else if (path && access(path, F_OK) == 0) {
        doctor_say(finding, DOCTOR_OK, _("pinward-agent starts when a program connects to %s"), path);
    } else {
        doctor_say(finding, DOCTOR_NOTE, "%s",
                   _("no pinward-agent runs: the module, the PIN and the token are in each program's own process"));
        doctor_mend(finding, "systemctl --user enable --now pinward-agent.socket");
    }
    if (finding->verdict == DOCTOR_OK && path && !getenv("P11_KIT_SERVER_ADDRESS")) {
        doctor_mend(finding, "export P11_KIT_SERVER_ADDRESS=unix:path=%s", path);
    }
    free(path);
}

/* ------------------------------------------------------------------ the portal */

static bool doctor_portal_is_configured(const struct app *app)
{
    return app->config.portal.url && app->config.portal.ca_file;
}

/* Asks for the time, which needs no login. */
static enum error_code doctor_ask_time(const struct app *app, time_t *now, struct error *err)
{
    const struct portal_call call = {.method = "GET", .path = "/time", .repeatable = true};
    struct portal *portal = NULL;
    json_t *answer = NULL;
    enum error_code status = portal_new(&app->config, &portal, err);

    if (status == ERROR_NONE) {
        status = portal_send(portal, &call, &answer, err);
    }
    if (status == ERROR_NONE) {
        const char *text = json_string_value(json_object_get(answer, "now"));

        if (!text || !codec_time_parse(text, now)) {
            status = portal_bad_answer(err, call.path, "not a time");
        }
    }
    json_decref(answer);
    portal_free(&portal);
    return status;
}

static void doctor_look_portal(const struct app *app, struct doctor_finding *finding)
{
    struct error err = {0};
    time_t now;
    enum error_code status;

    if (!doctor_portal_is_configured(app)) {
        doctor_say(finding, DOCTOR_WRONG, "%s", _("its address and its CA are not configured"));
        doctor_mend(finding, "pinward help configuration");
        return;
    }
    status = doctor_ask_time(app, &now, &err);
    if (status == ERROR_NONE || status == ERROR_TLS) {
        doctor_say(finding, DOCTOR_OK, "%s", app->config.portal.url);
    } else if (status == ERROR_CONFIG) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("not asked: without its CA nothing is sent"));
    } else {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "curl -v --cacert %s %s/api/v1/time", app->config.portal.ca_file, app->config.portal.url);
    }
}

static void doctor_look_tls(const struct app *app, struct doctor_finding *finding)
{
    struct error err = {0};
    time_t now;
    enum error_code status;

    if (!doctor_portal_is_configured(app)) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("not looked at: no portal is configured"));
        return;
    }
    status = doctor_ask_time(app, &now, &err);
    if (status == ERROR_NETWORK) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("not looked at: the portal cannot be reached"));
    } else if (status == ERROR_CONFIG) {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "openssl x509 -noout -subject -in %s", app->config.portal.ca_file);
    } else if (status == ERROR_TLS) {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "openssl s_client -CAfile %s -connect %s </dev/null", app->config.portal.ca_file,
                    app->config.portal.url + strlen("https://"));
    } else {
        doctor_say(finding, DOCTOR_OK, _("the portal's certificate leads to %s"), app->config.portal.ca_file);
    }
}

static void doctor_look_clock(const struct app *app, struct doctor_finding *finding)
{
    const time_t ours = time(NULL);
    time_t theirs = 0;
    long apart;

    if (!doctor_portal_is_configured(app) || doctor_ask_time(app, &theirs, NULL) != ERROR_NONE) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("not compared: the portal's clock cannot be asked for"));
        return;
    }
    apart = labs((long)(theirs - ours));
    if (apart <= DOCTOR_CLOCK_APART_S) {
        doctor_say(finding, DOCTOR_OK, _("%ld s from the portal's"), apart);
        return;
    }
    if (apart < 2 * 3600L) {
        doctor_say(finding, DOCTOR_WRONG, _("this machine's clock and the portal's are %ld minutes apart"), apart / 60);
    } else if (apart < 2 * 86400L) {
        doctor_say(finding, DOCTOR_WRONG, _("this machine's clock and the portal's are %ld hours apart"), apart / 60 / 60);
    } else {
        doctor_say(finding, DOCTOR_WRONG, _("this machine's clock and the portal's are %ld days apart"),
                   apart / 24 / 60 / 60);
    }
    doctor_mend(finding, "timedatectl set-ntp true");
}

/* ------------------------------------------------------------------ the ledger */

static void doctor_look_ledger(const struct app *app, struct doctor_finding *finding)
{
    const char *path = app->config.ledger.file;
    struct ledger_reader reader;
    struct ledger_report report;
    struct error err = {0};
    enum error_code status;

    if (!path) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("there is none, and decisions are not recorded"));
        return;
    }
    status = ledger_reader_open(path, &reader, &err);
    if (status == ERROR_STATE) {
        doctor_say(finding, DOCTOR_OK, _("%s: nothing has been recorded yet"), path);
        return;
    }
    if (status != ERROR_NONE) {
        doctor_say(finding, DOCTOR_WRONG, "%s", error_text(&err));
        doctor_mend(finding, "ls -l %s", path);
        return;
    }
    ledger_verify(&reader, &report);
    ledger_reader_close(&reader);
    if (report.fault == LEDGER_WHOLE) {
        doctor_say(finding, DOCTOR_OK, _("%s: as it was written (lines: %llu)"), path, report.lines);
    } else {
        doctor_say(finding, DOCTOR_WRONG, _("%s is not as it was written, from line %llu on"), path, report.line);
        doctor_mend(finding, "pinward log verify");
    }
}

const struct doctor_check doctor_checks[] = {
    {"configuration", N_("Configuration"), doctor_look_config},
    {"locale", N_("Locale"), doctor_look_locale},
    {"pinentry", N_("Pinentry"), doctor_look_pinentry},
    {"backend", N_("Backend"), doctor_look_backend},
    {"module", N_("Module"), doctor_look_module},
    {"token", N_("Token"), doctor_look_token},
    {"p11-kit", "p11-kit", doctor_look_p11_kit},
    {"agent", N_("Isolation"), doctor_look_agent},
    {"portal", N_("Portal"), doctor_look_portal},
    {"tls", "TLS", doctor_look_tls},
    {"clock", N_("Clock"), doctor_look_clock},
    {"ledger", N_("Ledger"), doctor_look_ledger},
    {0},
};
