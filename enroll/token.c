#include "enroll/token_internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ui.h>

#include "common/i18n.h"
#include "common/install_place.h"
#include "enroll/ask.h"
#include "enroll/text.h"
#include "enroll/token_admin.h"

#define TOKEN_MODULE_NAME "pinward-pkcs11.so"
#define TOKEN_CLIENT_NAME "pinward-client.so"

/* In the folder of a build, where the tool is not installed. */
static char *token_module_of_build(const char *name)
{
    char self[4096];
    char *path = NULL;
    char *whole = NULL;
    char *slash;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len <= 0) {
        return NULL;
    }
    self[len] = '\0';
    slash = strrchr(self, '/');
    if (slash) {
        *slash = '\0';
    }
    if (asprintf(&path, "%s/../pkcs11-module/%s", self, name) >= 0) {
        whole = realpath(path, NULL);
        free(path);
    }
    return whole;
}

char *token_module_path(const struct config *config)
{
    const bool isolated = config->token.isolated;
    char *path;

    if (config->token.module) {
        return strdup(config->token.module);
    }
    path = install_place_path(isolated ? PINWARD_PLACE_OF_MODULE "/" TOKEN_CLIENT_NAME
                                       : PINWARD_PLACE_OF_MODULE "/" TOKEN_MODULE_NAME);
    if (!path) {
        path = token_module_of_build(isolated ? TOKEN_CLIENT_NAME : TOKEN_MODULE_NAME);
    }
    return path ? path : strdup(isolated ? PINWARD_CLIENT_INSTALLED : PINWARD_MODULE_INSTALLED);
}

/* libp11 asks through this for the PIN of a context-specific login, when the token does not ask for it
 * itself. */
static int token_ui_read(UI *ui, UI_STRING *string)
{
    const struct token *token = UI_get0_user_data(ui);
    struct secret *pin = NULL;
    int done;

    if (UI_get_string_type(string) != UIT_PROMPT) {
        return 1;
    }
    if (ask_pin(token->config, _("The use of a key on the token needs the PIN."), &pin, NULL) != ERROR_NONE) {
        return -1;
    }
    done = UI_set_result_ex(ui, string, secret_bytes(pin), (int)secret_length(pin)) == 0;
    secret_free(&pin);
    return done;
}

static bool token_set_ui(struct token *token)
{
    token->ui_method = UI_create_method("pinward");
    return token->ui_method && UI_method_set_reader(token->ui_method, token_ui_read) == 0 &&
           PKCS11_set_ui_method(token->context, token->ui_method, token) == 0;
}

static enum error_code token_load_module(struct token *token, struct error *err)
{
    char *path = token_module_path(token->config);
    CK_C_GetFunctionList get_list = NULL;
    enum error_code status = token_isolated_address(token->config, err);

    if (!path && status == ERROR_NONE) {
        status = error_set(err, ERROR_MEMORY, "%s", "");
    }
    if (status != ERROR_NONE) {
        goto out;
    }
    token->context = PKCS11_CTX_new();
    if (!token->context || PKCS11_CTX_load(token->context, path) != 0) {
        ERR_clear_error();
        PKCS11_CTX_free(token->context); /* not loaded, so it must not be unloaded */
        token->context = NULL;
        status = error_set(
            err, ERROR_TOKEN,
            _("The PKCS#11 module %s cannot be loaded: check module in [token] and backend in [module]; "
              "pinward's log may say more."),
            path);
        goto out;
    }
    /* The same instance that libp11 has initialised; never a second one. */
    token->module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (token->module) {
        *(void **)(&get_list) = dlsym(token->module, "C_GetFunctionList");
    }
    if (!get_list || get_list(&token->functions) != CKR_OK || !token_set_ui(token)) {
        status = error_set(err, ERROR_TOKEN,
                           _("The PKCS#11 module %s cannot be used: check module in [token]."), path);
        goto out;
    }
    status = token_isolated_is_served(token, err);
out:
    free(path);
    return status;
}

static bool token_is_candidate(const struct token *token, const PKCS11_SLOT *slot)
{
    const char *wanted = token->config->token.token;

    return slot->token && slot->token->initialized && (!wanted || strcmp(slot->token->label, wanted) == 0);
}

static enum error_code token_choose(struct token *token, struct error *err)
{
    const char *wanted = token->config->token.token;
    unsigned found = 0;

    if (PKCS11_enumerate_slots(token->context, &token->slots, &token->slot_count) != 0) {
        return token_failed(err, _("looking for tokens"));
    }
    for (unsigned i = 0; i < token->slot_count; i++) {
        if (token_is_candidate(token, &token->slots[i])) {
            token->slot = &token->slots[i];
            found++;
        }
    }
    if (found == 1) {
        return ERROR_NONE;
    }
    token->slot = NULL;
    if (wanted) {
        return error_set(err, ERROR_TOKEN,
                         found ? _("There are several tokens named \"%s\": leave only one of them inserted.")
                               : _("There is no token named \"%s\": insert it, or correct label in [token]."),
                         wanted);
    }
    return error_set(
        err, ERROR_TOKEN,
        found ? _("There are several tokens: name the one to use with label in [token].")
              : _("There is no initialised token: insert one, or make one with pinward token init."));
}

/* choose: find the token too, not only its module. */
static enum error_code token_open_as(const struct config *config, bool choose, struct token **token, struct error *err)
{
    struct token *opened = calloc(1, sizeof *opened);
    enum error_code status;

    if (!opened) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    opened->config = config;
    opened->lock = -1;
    status = token_load_module(opened, err);
    if (status == ERROR_NONE && choose) {
        status = token_choose(opened, err);
    }
    if (status != ERROR_NONE) {
        token_close(&opened);
        return status;
    }
    *token = opened;
    return ERROR_NONE;
}

enum error_code token_open(const struct config *config, struct token **token, struct error *err)
{
    return token_open_as(config, true, token, err);
}

enum error_code token_open_module(const struct config *config, struct token **token, struct error *err)
{
    return token_open_as(config, false, token, err);
}

void token_close(struct token **token)
{
    struct token *t = token ? *token : NULL;

    if (!t) {
        return;
    }
    if (t->logged_in) {
        PKCS11_logout(t->slot);
    }
    if (t->slots) {
        PKCS11_release_all_slots(t->context, t->slots, t->slot_count);
    }
    if (t->module) {
        dlclose(t->module); /* libp11 still holds the module */
    }
    if (t->context) {
        PKCS11_CTX_unload(t->context);
        PKCS11_CTX_free(t->context);
    }
    UI_destroy_method(t->ui_method);
    token_agree_end(t);
    ERR_clear_error();
    if (t->lock >= 0) {
        close(t->lock);
    }
    free(t);
    *token = NULL;
}

const char *token_label(const struct token *token)
{
    return token->slot->token->label;
}

const char *token_serial(const struct token *token)
{
    return token->slot->token->serialnr ? token->slot->token->serialnr : "";
}

/* The question for a token whose module leaves the asking to us; a new string. */
static char *token_pin_text(const struct token *token)
{
    char *label = text_clean(token_label(token), false);
    char *text = NULL;

    if (label && asprintf(&text, _("Unlock the token \"%s\".%s"), label,
                          token->slot->token->userPinFinalTry
                              ? _("\nThis is the last try: a wrong PIN locks the token.")
                              : "") < 0) {
        text = NULL;
    }
    free(label);
    return text;
}

static enum error_code token_login_asking(struct token *token, struct error *err)
{
    struct secret *pin = NULL;
    char *text = token_pin_text(token);
    enum error_code status;

    if (!text) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    status = ask_pin(token->config, text, &pin, err);
    free(text);
    if (status == ERROR_NONE && PKCS11_login(token->slot, 0, secret_bytes(pin)) != 0) {
        status = token_failed(err, _("logging in"));
    }
    secret_free(&pin);
    return status;
}

/* The module asks: for the batch, or, where there is none, for the login alone. */
static enum error_code token_login_at_module(struct token *token, const struct token_batch *batch,
                                             struct error *err)
{
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    enum error_code status = batch ? token_batch_request(token, batch, &session, err) : ERROR_NONE;

    /* libp11 must log in too, to know of it; that asks nobody once the user is logged in. */
    if (status == ERROR_NONE && PKCS11_login(token->slot, 0, NULL) != 0) {
        status = token_failed(err, _("logging in"));
    }
    if (session != CK_INVALID_HANDLE) {
        token->functions->C_CloseSession(session);
    }
    return status;
}

enum error_code token_login(struct token *token, struct error *err)
{
    return token_login_for(token, NULL, err);
}

enum error_code token_login_for(struct token *token, const struct token_batch *batch, struct error *err)
{
    const PKCS11_TOKEN *info = token->slot->token;
    enum error_code status = ERROR_NONE;

    if (token->logged_in) {
        return ERROR_NONE;
    }
    if (info->userPinLocked) {
        return token_failed_rv(err, CKR_PIN_LOCKED, "");
    }
    status = token_hold(token, err);
    if (status != ERROR_NONE) {
        return status;
    }
    ERR_clear_error();
    if (PKCS11_open_session(token->slot, 1) != 0) {
        return token_failed(err, _("opening a session"));
    }
    if (info->loginRequired) {
        status = info->secureLogin ? token_login_at_module(token, batch, err) : token_login_asking(token, err);
    }
    if (status == ERROR_NONE) {
        token->logged_in = true;
    }
    return status;
}
