#include "support/mock_see.h"

#include <string.h>

void mock_see_template(const CK_ATTRIBUTE *template, CK_ULONG count)
{
    mock_backend.seen_count = count < MOCK_SEEN ? count : MOCK_SEEN;
    for (CK_ULONG i = 0; i < mock_backend.seen_count; i++) {
        struct mock_seen *seen = &mock_backend.seen[i];

        seen->type = template[i].type;
        seen->len = template[i].ulValueLen;
        if (template[i].pValue)
            memcpy(seen->value, template[i].pValue, seen->len < sizeof seen->value ? seen->len : sizeof seen->value);
    }
}

void mock_see_unwrapped(const uintptr_t *a)
{
    const size_t len = a[4] < sizeof mock_backend.seen_data ? a[4] : sizeof mock_backend.seen_data;

    memcpy(mock_backend.seen_data, (const void *)a[3], len);
    mock_see_template((const CK_ATTRIBUTE *)a[5], (CK_ULONG)a[6]);
}

void mock_see_data(const uintptr_t *a)
{
    const size_t len = a[2] < sizeof mock_backend.seen_data ? a[2] : sizeof mock_backend.seen_data;

    if (a[1])
        memcpy(mock_backend.seen_data, (const void *)a[1], len);
}

/* Arguments 1, 3 and 5 point to bytes, whose number follows, as far as the function has them. */
void mock_see_message(const uintptr_t *a, size_t count)
{
    for (size_t i = 1; i + 1 < count && i <= 5; i += 2)
        if (a[i] && a[i + 1] >= sizeof mock_backend.message_bytes[i])
            memcpy(mock_backend.message_bytes[i], (const void *)a[i], sizeof mock_backend.message_bytes[i]);
    if (mock_backend.message_parameter && a[1] && a[2] >= 8)
        memcpy((void *)a[1], mock_backend.message_parameter, 8);
}

void mock_keep_mechanism(const CK_MECHANISM *mechanism)
{
    mock_backend.kept = mock_backend.keeps_mechanisms ? mechanism : NULL;
    mock_backend.begun_with = mechanism ? mechanism->mechanism : 0;
}

void mock_use_mechanism(void)
{
    const CK_MECHANISM *kept = mock_backend.kept;
    struct mock_mechanism *used = &mock_backend.used;

    if (!kept)
        return;
    *used = (struct mock_mechanism){.type = kept->mechanism, .len = kept->ulParameterLen};
    if (kept->pParameter)
        memcpy(used->parameter, kept->pParameter, used->len < MOCK_PARAMETER_MAX ? used->len : MOCK_PARAMETER_MAX);
    if (used->type == CKM_RSA_PKCS_OAEP) {
        const CK_RSA_PKCS_OAEP_PARAMS *oaep = kept->pParameter;

        memcpy(used->source, oaep->source_data,
               oaep->source_data_len < sizeof used->source ? oaep->source_data_len : sizeof used->source);
    }
    mock_backend.kept = NULL;
}
