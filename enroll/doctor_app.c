#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "enroll/client.h"
#include "enroll/doctor.h"
#include "enroll/token_admin.h"

static const struct client *doctor_app_client(const struct app *app)
{
    return client_find(app->options.program);
}

static void doctor_app_look_program(const struct app *app, struct doctor_finding *finding)
{
    const struct client *client = doctor_app_client(app);
    char *path = client_path(app->options.program);

    if (path && client->title) {
        doctor_say(finding, DOCTOR_OK, "%s (%s)", path, client->title);
    } else if (path) {
        doctor_say(finding, DOCTOR_NOTE, _("%s, which has not been tried: what follows holds for any program"), path);
    } else {
        doctor_say(finding, DOCTOR_NOTE, _("%s is not a program that is installed here"), app->options.program);
    }
    free(path);
}

static void doctor_app_look_version(const struct app *app, struct doctor_finding *finding)
{
    const struct client *client = doctor_app_client(app);
    char *path = client_path(app->options.program);
    char version[CLIENT_VERSION_MAX];

    if (!client_version(client, path, version)) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _("unknown: it is of no Debian package"));
    } else if (!client->tested || client_version_is_tested(client, version)) {
        doctor_say(finding, DOCTOR_OK, "%s", version);
    } else {
        doctor_say(finding, DOCTOR_NOTE, _("%s; %s was tested, so the figures below may be others"), version, client->tested);
    }
    free(path);
}

/* Is libp11's engine where OpenSSL looks for engines? */
static bool doctor_app_has_engine(void)
{
    const char *folder = strchr(OpenSSL_version(OPENSSL_ENGINES_DIR), '"');
    char path[PATH_MAX];

    if (!folder) {
        return false;
    }
    snprintf(path, sizeof path, "%.*s/pkcs11.so", (int)strcspn(folder + 1, "\""), folder + 1);
    return access(path, R_OK) == 0;
}

/* The engine takes PKCS11_MODULE_PATH, and without it p11-kit's proxy. */
static void doctor_app_look_engine(const char *module, struct doctor_finding *finding)
{
    const char *named = getenv("PKCS11_MODULE_PATH");
    char where[1024];

    if (!doctor_app_has_engine()) {
        doctor_say(finding, DOCTOR_WRONG, "%s", _("OpenSSL's engine pkcs11 is not installed"));
        doctor_mend(finding, "apt-get install libengine-pkcs11-openssl");
    } else if (named && strstr(named, "pinward-pkcs11.so") && access(named, R_OK) == 0) {
        doctor_say(finding, DOCTOR_OK, _("found: PKCS11_MODULE_PATH names %s"), named);
    } else if (!named && doctor_p11_kit_knows(where, sizeof where)) {
        doctor_say(finding, DOCTOR_OK, _("found through p11-kit: %s"), where);
    } else {
        doctor_say(finding, DOCTOR_WRONG, "%s", _("not found: neither PKCS11_MODULE_PATH nor p11-kit names it"));
        doctor_mend(finding, "export PKCS11_MODULE_PATH=%s", module);
    }
}

static void doctor_app_look_kit(const struct app *app, struct doctor_finding *finding)
{
    char where[1024];

    doctor_look_p11_kit(app, finding);
    if (!doctor_p11_kit_knows(where, sizeof where)) {
        finding->verdict = DOCTOR_WRONG; /* what is a note in general */
    }
}

static void doctor_app_look_module(const struct app *app, struct doctor_finding *finding)
{
    const struct client *client = doctor_app_client(app);
    char *path = token_module_path(&app->config);
    char *real = path ? realpath(path, NULL) : NULL;
    const char *module = real ? real : path ? path : "pinward-pkcs11.so";
    const char *told = client->told ? _(client->told) : "";
    const char *place = strstr(told, "%s");

    switch (client->way) {
    case CLIENT_TOLD:
        doctor_say(finding, DOCTOR_OK, "%s",
                   client->title ? _("you tell it where the module is:")
                                 : _("one that asks p11-kit finds it there; otherwise, where it asks for a PKCS#11 module, "
                                     "give it this file:"));
        doctor_mend(finding, "%.*s%s%s", (int)(place ? place - told : 0), told, module, place ? place + 2 : "");
        break;
    case CLIENT_P11_KIT:
        doctor_app_look_kit(app, finding);
        break;
    case CLIENT_ENGINE:
        doctor_app_look_engine(module, finding);
        break;
    }
    free(real);
    free(path);
}

static void doctor_app_look_mode(const struct app *app, struct doctor_finding *finding)
{
    const struct client *client = doctor_app_client(app);

    if (app->config.module.prompt == CONFIG_PROMPT_MODULE) {
        doctor_say(finding, DOCTOR_OK, "prompt = module. %s", _(client->mode));
    } else {
        doctor_say(finding, DOCTOR_NOTE, _("prompt = application is configured. %s"), _(client->mode));
        doctor_mend(finding, _("set prompt = module in [module] of %s"), doctor_config_file(app));
    }
}

static void doctor_app_look_windows(const struct app *app, struct doctor_finding *finding)
{
    const struct client_use *uses = doctor_app_client(app)->uses;
    char text[DOCTOR_TEXT_MAX / 2] = "";
    size_t len = 0;

    for (const struct client_use *use = uses; use->program && len < sizeof text; use++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s: %u", len > 0 ? "; " : "", use->program, use->use,
                                use->prompts);
    }
    if (len == 0) {
        snprintf(text, sizeof text, "%s", _("one for each use: the login covers the first use that follows it"));
    }
    if (app->config.module.login_grace_s > 0) {
        doctor_say(finding, DOCTOR_OK, "%s", text);
    } else {
        doctor_say(finding, DOCTOR_NOTE, _("%s. With login-grace = 0, as configured, a use has its own window besides "
                                           "the login's"), text);
    }
}

static void doctor_app_look_refusal(const struct app *app, struct doctor_finding *finding)
{
    doctor_say(finding, DOCTOR_OK, "%s", _(doctor_app_client(app)->refusal));
}

static void doctor_app_look_limits(const struct app *app, struct doctor_finding *finding)
{
    const char *limits = doctor_app_client(app)->limits;

    if (limits) {
        doctor_say(finding, DOCTOR_NOTE, "%s", _(limits));
    } else {
        doctor_say(finding, DOCTOR_OK, "%s", _("none are known"));
    }
}

json_t *doctor_app_facts(const struct app *app)
{
    const struct client *client = doctor_app_client(app);
    char *path = client_path(app->options.program);
    json_t *uses = json_array(), *known = json_array();

    for (const struct client_use *use = client->uses; use->program; use++) {
        json_array_append_new(uses, json_pack("{s:s, s:s, s:i}", "program", use->program, "use", use->use, "prompts",
                                              (int)use->prompts));
    }
    for (const struct client *each = client_table; each->title; each++) {
        for (const char *const *name = each->programs; *name; name++) {
            json_array_append_new(known, json_string(*name));
        }
    }
    json_t *facts = json_pack("{s:o, s:s?, s:s, s:o, s:o}", "path", output_text(path), "client", client->title, "prompt", "module",
                              "uses", uses, "known", known);

    free(path);
    return facts;
}

const struct doctor_check doctor_app_checks[] = {
    {"program", N_("Program"), doctor_app_look_program},
    {"version", N_("Version"), doctor_app_look_version},
    {"module", N_("Module"), doctor_app_look_module},
    {"mode", N_("Prompt mode"), doctor_app_look_mode},
    {"windows", N_("Windows"), doctor_app_look_windows},
    {"refusal", N_("If refused"), doctor_app_look_refusal},
    {"limits", N_("Limits"), doctor_app_look_limits},
    {0},
};
