#include "enroll/token_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "enroll/codec.h"
#include "enroll/file.h"
#include "enroll/lock.h"
#include "enroll/text.h"

/* By what a token is told from others (PKCS#11 2.40, 4.4: CK_TOKEN_INFO), which need not do for a file's name. */
static char *token_hold_path(const struct token *token, const char *folder)
{
    const PKCS11_TOKEN *info = token->slot->token;
    char digest[CODEC_SHA256_HEX_SIZE];
    char *both = NULL;
    char *path = NULL;

    if (asprintf(&both, "%s %s %s", info->manufacturer ? info->manufacturer : "", token_serial(token),
                 token_label(token)) < 0) {
        return NULL;
    }
    codec_sha256_hex(both, strlen(both), digest);
    free(both);
    return asprintf(&path, "%s/token-%.16s.lock", folder, digest) < 0 ? NULL : path;
}

static enum error_code token_hold_busy(const struct token *token, const char *holder, struct error *err)
{
    char *label = text_clean(token_label(token), false);

    error_set(err, ERROR_STATE,
              _("Another pinward (%s) is at work with the token \"%s\": wait until it has ended, then try again."), holder,
              label ? label : "");
    free(label);
    return ERROR_STATE;
}

enum error_code token_hold(struct token *token, struct error *err)
{
    char holder[LOCK_HOLDER_SIZE];
    char *folder = NULL;
    char *path = NULL;
    enum error_code status;

    if (token->lock >= 0) {
        return ERROR_NONE;
    }
    status = file_state_folder(&folder, err);
    if (status != ERROR_NONE) {
        return status;
    }
    path = token_hold_path(token, folder);
    status = path ? lock_take(path, 0, &token->lock, holder, err) : error_set(err, ERROR_MEMORY, "%s", "");
    if (status == ERROR_STATE) {
        status = token_hold_busy(token, holder, err);
    }
    free(path);
    free(folder);
    return status;
}
