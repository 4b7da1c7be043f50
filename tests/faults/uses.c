#include "faults/uses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/scenario.h"

/* How many calls used a private key; of two C_Sign the first asks for the length. */
unsigned uses_made(void)
{
    unsigned n = 0, signs = 0;

    for (unsigned i = 0; i < scenario_steps(); i++) {
        const struct scenario_step *step = scenario_step(i);

        switch (step->call) {
        case CALL_C_Sign: n += signs++ % 2 == 1 && step->rv == CKR_OK; break;
        case CALL_C_SignFinal:
        case CALL_C_Decrypt:
        case CALL_C_UnwrapKey:
        case CALL_C_WrapKey:
        case CALL_C_DeriveKey:
        case CALL_C_SignMessage:
        case CALL_C_SignMessageBegin:
        case CALL_C_DecryptMessage:
        case CALL_C_DecryptMessageBegin: n += step->rv == CKR_OK; break;
        default: break;
        }
    }
    return n;
}

/* The lines that allow the use of a key. */
unsigned uses_recorded(void)
{
    char path[256], line[8192];
    unsigned n = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/ledger", getenv("XDG_STATE_HOME"));
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        n += strstr(line, "\"verdict\":\"allowed\"") && !strstr(line, "\"operation\":\"login\"");
    if (file)
        fclose(file);
    return n;
}
