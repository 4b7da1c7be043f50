#include "enroll/pfx_take.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"

static enum error_code pfx_take_check_config(const struct app *app, struct error *err)
{
    const char *file = app->config.file ? app->config.file : "~/.config/pinward/pinward.conf";

    if (app->config.module.export == CONFIG_EXPORT_ASK) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_CONFIG,
                     _("Keys may not leave the token: to make backups of keys that were created with pinward apply "
                       "--exportable, set export = ask in [module] of %s."),
                     file);
}

static enum error_code pfx_take_check_key(struct token *token, const struct token_key *key, struct error *err)
{
    bool exportable = false;
    enum error_code status = token_key_is_exportable(token, &key->id, &exportable, err);

    if (status == ERROR_NONE && !exportable) {
        status = error_set(err, ERROR_STATE,
                           _("The key \"%s\" was created so that it can never leave the token \"%s\", and nothing can "
                             "change that: only keys created with pinward apply --exportable (or renew --exportable) "
                             "can be exported."),
                           key->label, token_label(token));
    }
    return status;
}

static enum error_code pfx_take_open(const struct app *app, struct pfx_take *take, struct error *err)
{
    enum error_code status = token_open(&app->config, &take->token, err);

    if (status == ERROR_NONE) {
        status = token_check_export(take->token, err);
    }
    if (status == ERROR_NONE) {
        status = token_login(take->token, err);
    }
    if (status == ERROR_NONE) {
        status = token_pair_find(take->token, app->options.name, &take->pair, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_take_check_key(take->token, &take->pair.signing.key, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_take_check_key(take->token, &take->pair.encryption.key, err);
    }
    /* Last, so that who has keys that can never leave is not sent to change the configuration. */
    return status == ERROR_NONE ? pfx_take_check_config(app, err) : status;
}

enum error_code pfx_take_begin(const struct app *app, struct pfx_take *take, struct error *err)
{
    struct pfx_take begun = {0};
    enum error_code status = pfx_protect(err);

    if (status == ERROR_NONE) {
        status = pfx_take_open(app, &begun, err);
    }
    if (status != ERROR_NONE) {
        pfx_take_end(&begun);
        return status;
    }
    *take = begun;
    return ERROR_NONE;
}

static enum error_code pfx_take_half(struct pfx_take *take, const struct token_half *half, struct pfx *pfx,
                                     struct error *err)
{
    enum error_code status =
        token_export_key(take->token, &half->key.id, X509_get0_pubkey(half->certificate), &pfx->key, err);

    if (status != ERROR_NONE) {
        return status;
    }
    pfx->name = strdup(half->key.label);
    pfx->others = X509_chain_up_ref(take->pair.chain);
    if (!pfx->name || !pfx->others || X509_up_ref(half->certificate) != 1) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    pfx->certificate = half->certificate;
    return ERROR_NONE;
}

enum error_code pfx_take_keys(struct pfx_take *take, struct error *err)
{
    enum error_code status = pfx_take_half(take, &take->pair.signing, &take->signing, err);

    return status == ERROR_NONE ? pfx_take_half(take, &take->pair.encryption, &take->encryption, err) : status;
}

void pfx_take_end(struct pfx_take *take)
{
    pfx_clear(&take->signing);
    pfx_clear(&take->encryption);
    token_pair_clear(&take->pair);
    token_close(&take->token);
}
