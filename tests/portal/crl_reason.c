#include "crl_reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    int code;
} reasons[] = {
    {"unspecified", 0}, {"keyCompromise", 1},        {"affiliationChanged", 3},
    {"superseded", 4},  {"cessationOfOperation", 5}, {"privilegeWithdrawn", 9},
};

int crl_reason_code(const char *name)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i].name, name) == 0)
            return reasons[i].code;
    }
    return -1;
}

const char *crl_reason_name(int code)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].code == code)
            return reasons[i].name;
    }
    return NULL;
}
