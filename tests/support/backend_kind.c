#include "support/backend_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static const struct backend_kind *const kinds[] = {
    &backend_softhsm2,
#ifdef TEST_SOFTOKN
    &backend_softokn,
#endif
#ifdef TEST_TPM2
    &backend_tpm2,
#endif
};

static char arguments[BACKEND_ARGUMENTS_MAX];

const struct backend_kind *backend_kind(void)
{
    const char *name = getenv("PINWARD_TEST_BACKEND");

    if (!name)
        return kinds[0];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    fail_msg("PINWARD_TEST_BACKEND: there is no backend \"%s\"", name);
    return NULL;
}

void backend_kind_prepare(const char *folder)
{
    arguments[0] = '\0';
    backend_kind()->prepare(folder, arguments);
}

void backend_kind_release(void)
{
    if (backend_kind()->release)
        backend_kind()->release();
}

const char *backend_kind_arguments(void)
{
    return arguments[0] ? arguments : NULL;
}

const char *backend_kind_lines(void)
{
    static char lines[2 * BACKEND_ARGUMENTS_MAX];
    const int len = snprintf(lines, sizeof lines, "backend = %s\n%s%s\n", backend_kind()->library,
                             arguments[0] ? "backend-args = " : "; no backend-args", arguments);

    assert_in_range(len, 1, sizeof lines - 1);
    return lines;
}
