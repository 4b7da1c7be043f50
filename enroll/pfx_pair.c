#include "enroll/pfx_pair.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/i18n.h"
#include "enroll/certcheck.h"
#include "enroll/codec.h"
#include "enroll/pfx_password.h"
#include "enroll/token_pair.h"


/* ------------------------------------------------------------------ judging */

static enum error_code pfx_pair_check_use(const struct pfx *pfx, const char *path, enum token_use wanted,
                                          struct error *err)
{
    enum token_use use;

    if (!token_pair_use(pfx->certificate, &use)) {
        return error_set(err, ERROR_PFX,
                         _("The certificate in %s is neither one for signing nor one for encryption (by its key usage)."),
                         path);
    }
    if (use != wanted) {
        return error_set(err, ERROR_PFX,
                         wanted == TOKEN_SIGNING ? _("%s holds an encryption key: the signing key's file belongs to "
                                                     "--signing; are the two files swapped?")
                                                 : _("%s holds a signing key: the encryption key's file belongs to "
                                                     "--encryption; are the two files swapped?"),
                         path);
    }
    return ERROR_NONE;
}

/* Both certificates of a pair are issued together, so they end within a day of each other. */
static enum error_code pfx_pair_check_together(const struct pfx_pair *pair, struct error *err)
{
    const X509 *signing = pair->signing.certificate;
    const X509 *encryption = pair->encryption.certificate;
    int days = 0;
    int seconds = 0;
    bool together = X509_NAME_cmp(X509_get_subject_name(signing), X509_get_subject_name(encryption)) == 0 &&
                    X509_NAME_cmp(X509_get_issuer_name(signing), X509_get_issuer_name(encryption)) == 0 &&
                    ASN1_TIME_diff(&days, &seconds, X509_get0_notAfter(signing), X509_get0_notAfter(encryption)) == 1 &&
                    days == 0;

    if (!together || EVP_PKEY_eq(pair->signing.key, pair->encryption.key) == 1) {
        return error_set(err, ERROR_PFX,
                         _("The two files do not belong together: choose the signing and the encryption file of the same "
                           "backup."));
    }
    return ERROR_NONE;
}

static enum error_code pfx_pair_check_time(const struct pfx *pfx, const char *path, struct error *err)
{
    const ASN1_TIME *end = X509_get0_notAfter(pfx->certificate);
    char date[CODEC_TIME_SIZE] = "?";
    struct tm tm;

    if (X509_cmp_current_time(end) > 0) {
        return ERROR_NONE;
    }
    if (ASN1_TIME_to_tm(end, &tm) == 1) {
        codec_time_format(timegm(&tm), date);
    }
    return error_set(err, ERROR_CERTIFICATE,
                     _("The certificate in %s has expired (%s): import it with --allow-expired if you need its key to read "
                       "old mail; for new certificates register again."),
                     path, date);
}

static bool pfx_pair_verify_one(const struct pfx *pfx, X509_STORE *roots, STACK_OF(X509) * *chain)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool ok = context && X509_STORE_CTX_init(context, roots, pfx->certificate, pfx->others) == 1;

    if (ok) {
        /* That it has expired is for pfx_pair_check_time to say. */
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
        ok = X509_verify_cert(context) == 1;
    }
    if (ok && chain) {
        *chain = X509_STORE_CTX_get1_chain(context);
        ok = *chain != NULL;
    }
    if (ok && chain) {
        X509_free(sk_X509_shift(*chain));
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return ok;
}

/* Nothing is taken for the CA's that is not. Without a pinned CA only the person's own certificates are looked at. */
static enum error_code pfx_pair_check_issuer(const struct app *app, struct pfx_pair *pair, struct error *err)
{
    X509_STORE *roots = NULL;
    enum error_code status;

    if (!app->config.portal.ca_file) {
        return ERROR_NONE;
    }
    status = certcheck_load_roots(app->config.portal.ca_file, &roots, err);
    if (status == ERROR_NONE && (!pfx_pair_verify_one(&pair->encryption, roots, NULL) ||
                                 !pfx_pair_verify_one(&pair->signing, roots, &pair->chain))) {
        status = error_set(err, ERROR_CERTIFICATE,
                           _("The certificates were not issued by the CA of ca-file in [portal]: %s."),
                           app->config.portal.ca_file);
    }
    X509_STORE_free(roots);
    return status;
}

/* ------------------------------------------------------------------ opening */

static enum error_code pfx_pair_read(const struct app *app, const char *signing_path, const char *encryption_path,
                                     struct pfx_pair *pair, struct error *err)
{
    struct secret *password = NULL;
    enum error_code status = pfx_protect(err);

    if (status == ERROR_NONE) {
        status = pfx_password_open(app, signing_path, &password, &pair->signing, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_pair_check_use(&pair->signing, signing_path, TOKEN_SIGNING, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_password_open(app, encryption_path, &password, &pair->encryption, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_pair_check_use(&pair->encryption, encryption_path, TOKEN_ENCRYPTION, err);
    }
    secret_free(&password);
    return status;
}

enum error_code pfx_pair_open(const struct app *app, const char *signing_path, const char *encryption_path,
                              struct pfx_pair *pair, struct error *err)
{
    struct pfx_pair opened = {0};
    enum error_code status = pfx_pair_read(app, signing_path, encryption_path, &opened, err);

    if (status == ERROR_NONE) {
        status = pfx_pair_check_together(&opened, err);
    }
    if (status == ERROR_NONE) {
        status = pfx_pair_check_issuer(app, &opened, err);
    }
    if (status == ERROR_NONE && !app->options.allow_expired) {
        status = pfx_pair_check_time(&opened.signing, signing_path, err);
    }
    if (status == ERROR_NONE && !app->options.allow_expired) {
        status = pfx_pair_check_time(&opened.encryption, encryption_path, err);
    }
    if (status != ERROR_NONE) {
        pfx_pair_clear(&opened);
        return status;
    }
    *pair = opened;
    return ERROR_NONE;
}

void pfx_pair_clear(struct pfx_pair *pair)
{
    pfx_clear(&pair->signing);
    pfx_clear(&pair->encryption);
    sk_X509_pop_free(pair->chain, X509_free);
    pair->chain = NULL;
}
