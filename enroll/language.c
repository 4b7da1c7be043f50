#include "enroll/language.h"

#include <locale.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/i18n.h"

static const struct {
    const char *option;
    const char *language; /* gettext's name of it */
} language_table[] = {
    {"en", "en"}, {"zh-TW", "zh_TW"}, {"zh_TW", "zh_TW"}, {"zh-Hant", "zh_TW"}, {"zh-Hant-TW", "zh_TW"},
};

/* The locale "C" has no language, and gettext then looks at nothing else; C.UTF-8 obeys LANGUAGE, and every
 * Debian has it. */
static void language_leave_c(void)
{
    const char *messages = setlocale(LC_ALL, "") ? setlocale(LC_MESSAGES, NULL) : NULL;

    if (!messages || strcmp(messages, "C") == 0 || strcmp(messages, "POSIX") == 0) {
        setenv("LC_ALL", "C.UTF-8", 1);
    }
}

bool language_set(const char *wanted)
{
    const char *language = NULL;

    for (size_t i = 0; wanted && i < sizeof language_table / sizeof language_table[0]; i++) {
        if (strcasecmp(wanted, language_table[i].option) == 0) {
            language = language_table[i].language;
        }
    }
    if (language) {
        language_leave_c();
        setenv("LANGUAGE", language, 1);
    }
    setlocale(LC_ALL, "");
    i18n_bind();
    return !wanted || language;
}

const char *language_tag(void)
{
    /* TRANSLATORS: the tag of the language that this catalogue is in (RFC 5646), one of those that the portal
     * has its terms in. */
    return strcmp(_("en"), "zh-TW") == 0 ? "zh-TW" : "en";
}
