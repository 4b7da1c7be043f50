#include "pkcs11-module/entry_consent.h"

#include <string.h>

#include "common/utf8.h"
#include "pkcs11-module/batch.h"

/* include/pinward.h: batch consent. */

/* Text that can be shown as it is, and is not empty: copied with a NUL. */
static bool copy_purpose(const CK_UTF8CHAR *purpose, CK_ULONG len, char copy[PINWARD_PURPOSE_MAX + 1])
{
    const char *text = (const char *)purpose;

    if (!purpose || len == 0 || len > PINWARD_PURPOSE_MAX)
        return false;
    for (CK_ULONG at = 0; at < len;) {
        const size_t n = utf8_character(text + at, len - at);

        if (n == 0 || utf8_is_harmful(text + at, n))
            return false;
        at += n;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    return true;
}

static CK_RV consent_get_limits(CK_SESSION_HANDLE session, CK_ULONG *uses, CK_ULONG *time_s)
{
    struct runtime *rt = runtime_get();
    CK_SLOT_ID slot;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!uses || !time_s)
        return CKR_ARGUMENTS_BAD;
    rv = batch_session(rt, session, &slot);
    if (rv != CKR_OK)
        return rv;
    *uses = rt->config.module.batch_uses;
    *time_s = rt->config.module.batch_time_s;
    return CKR_OK;
}

static CK_RV consent_request_batch(CK_SESSION_HANDLE session, CK_ULONG uses, CK_ULONG time_s,
                                   const CK_UTF8CHAR *purpose, CK_ULONG purpose_len, CK_ULONG *batch)
{
    struct runtime *rt = runtime_get();
    char text[PINWARD_PURPOSE_MAX + 1];
    struct lease_terms terms = {.uses = uses, .time_s = time_s, .purpose = text};
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!batch || uses == 0 || time_s == 0 || !copy_purpose(purpose, purpose_len, text))
        return CKR_ARGUMENTS_BAD;
    rv = batch_request(rt, session, &terms);
    if (rv == CKR_OK)
        *batch = terms.number;
    return rv;
}

static CK_RV consent_list_batches(CK_SESSION_HANDLE session, struct pinward_batch *batches, CK_ULONG *count)
{
    struct runtime *rt = runtime_get();
    CK_ULONG room, found;
    CK_SLOT_ID slot;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!count)
        return CKR_ARGUMENTS_BAD;
    rv = batch_session(rt, session, &slot);
    if (rv != CKR_OK)
        return rv;
    room = batches ? *count : 0;
    found = login_describe_batches(&rt->logins, slot, batches, room);
    *count = found;
    return batches && found > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static CK_RV consent_revoke_batch(CK_SESSION_HANDLE session, CK_ULONG batch)
{
    struct runtime *rt = runtime_get();
    CK_SLOT_ID slot;
    bool ended;
    CK_RV rv;

    if (!rt)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    rv = batch_session(rt, session, &slot);
    if (rv != CKR_OK)
        return rv;
    ended = login_end_lease(&rt->logins, slot, batch);
    return ended || batch == PINWARD_ALL_BATCHES ? CKR_OK : CKR_ARGUMENTS_BAD;
}

const struct pinward_consent_functions entry_consent_list = {
    .version = {1, 0},
    .get_limits = consent_get_limits,
    .request_batch = consent_request_batch,
    .list_batches = consent_list_batches,
    .revoke_batch = consent_revoke_batch,
};
