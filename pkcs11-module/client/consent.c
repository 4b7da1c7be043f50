#include "pkcs11-module/client/consent.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11-module/client/functions.h"
#include "pkcs11-module/consent_wire.h"

/* Many more than anybody has; what a server says that is not ours is not believed beyond. */
#define BATCHES_SIZE_MAX (1UL << 20)

/* An agent that does not know the object (an older one, or p11-kit's own server) has no batches. */
static CK_RV understood(CK_RV rv)
{
    return rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID ? CKR_FUNCTION_NOT_SUPPORTED : rv;
}

static CK_RV read_all(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    return understood(functions_list.C_GetAttributeValue(session, consent_wire_object(PINWARD_ALL_BATCHES), attributes,
                                                           count));
}

static CK_RV get_limits(CK_SESSION_HANDLE session, CK_ULONG *uses, CK_ULONG *time_s)
{
    CK_ULONG values[2];
    CK_ATTRIBUTE limits[] = {
        {CONSENT_WIRE_USES, &values[0], sizeof values[0]},
        {CONSENT_WIRE_TIME, &values[1], sizeof values[1]},
    };
    CK_RV rv;

    if (!uses || !time_s)
        return CKR_ARGUMENTS_BAD;
    rv = read_all(session, limits, 2);
    if (rv != CKR_OK)
        return rv;
    if (limits[0].ulValueLen != sizeof values[0] || limits[1].ulValueLen != sizeof values[1])
        return CKR_DEVICE_ERROR;
    *uses = values[0];
    *time_s = values[1];
    return CKR_OK;
}

static CK_RV request_batch(CK_SESSION_HANDLE session, CK_ULONG uses, CK_ULONG time_s, const CK_UTF8CHAR *purpose,
                           CK_ULONG purpose_len, CK_ULONG *batch)
{
    CK_OBJECT_CLASS class = CONSENT_WIRE_CLASS;
    CK_ATTRIBUTE terms[] = {
        {CKA_CLASS, &class, sizeof class},
        {CONSENT_WIRE_USES, &uses, sizeof uses},
        {CONSENT_WIRE_TIME, &time_s, sizeof time_s},
        {CONSENT_WIRE_PURPOSE, (void *)purpose, purpose_len},
    };
    CK_OBJECT_HANDLE object;
    CK_ULONG most_uses, most_time_s;
    CK_RV rv = get_limits(session, &most_uses, &most_time_s); /* else a token of an older agent's would get the object */

    if (rv != CKR_OK)
        return rv;
    if (!batch || !purpose || purpose_len > PINWARD_PURPOSE_MAX)
        return CKR_ARGUMENTS_BAD;
    rv = functions_list.C_CreateObject(session, terms, sizeof terms / sizeof terms[0], &object);
    if (rv == CKR_OK && !consent_wire_is_batch(object))
        rv = CKR_DEVICE_ERROR;
    if (rv == CKR_OK)
        *batch = consent_wire_number(object);
    return rv;
}

/* All that there are, on the heap. CKR_BUFFER_TOO_SMALL: another thread was granted one meanwhile. */
static CK_RV read_batches(CK_SESSION_HANDLE session, struct pinward_batch **batches, CK_ULONG *count)
{
    CK_ATTRIBUTE list = {CONSENT_WIRE_BATCHES, NULL, 0};
    CK_RV rv = read_all(session, &list, 1);
    struct pinward_batch *read;

    if (rv != CKR_OK)
        return rv;
    if (list.ulValueLen > BATCHES_SIZE_MAX) /* CK_UNAVAILABLE_INFORMATION too */
        return CKR_DEVICE_ERROR;
    read = malloc(list.ulValueLen + 1);
    if (!read)
        return CKR_HOST_MEMORY;
    list.pValue = read;
    rv = list.ulValueLen == 0 ? CKR_OK : read_all(session, &list, 1);
    if (rv == CKR_OK && list.ulValueLen % sizeof *read != 0)
        rv = CKR_DEVICE_ERROR;
    if (rv != CKR_OK) {
        free(read);
        return rv;
    }
    *batches = read;
    *count = list.ulValueLen / sizeof *read;
    return CKR_OK;
}

static CK_RV list_batches(CK_SESSION_HANDLE session, struct pinward_batch *batches, CK_ULONG *count)
{
    struct pinward_batch *read;
    CK_ULONG found, room;
    CK_RV rv;

    if (!count)
        return CKR_ARGUMENTS_BAD;
    do
        rv = read_batches(session, &read, &found);
    while (rv == CKR_BUFFER_TOO_SMALL);
    if (rv != CKR_OK)
        return rv;
    room = batches ? *count : 0;
    if (batches)
        memcpy(batches, read, (found < room ? found : room) * sizeof *read);
    free(read);
    *count = found;
    return batches && found > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static CK_RV revoke_batch(CK_SESSION_HANDLE session, CK_ULONG batch)
{
    if (batch > CONSENT_WIRE_NUMBER_MAX)
        return CKR_ARGUMENTS_BAD;
    return understood(functions_list.C_DestroyObject(session, consent_wire_object(batch)));
}

const struct pinward_consent_functions consent_list = {
    .version = {1, 0},
    .get_limits = get_limits,
    .request_batch = request_batch,
    .list_batches = list_batches,
    .revoke_batch = revoke_batch,
};
