#include "enroll/language.h"

#include <locale.h>
#include <stddef.h>
#include <stdio.h>
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

/* The locale that the environment names and the system does not have; "": it has it. */
static char language_lacking[64];

/* The locale "C" has no language, and gettext then looks at nothing else; C.UTF-8 obeys LANGUAGE, and every
 * Debian has it. */
static void language_leave_c(void)
{
    const char *messages = setlocale(LC_ALL, "") ? setlocale(LC_MESSAGES, NULL) : NULL;

    if (!messages || strcmp(messages, "C") == 0 || strcmp(messages, "POSIX") == 0) {
        setenv("LC_ALL", "C.UTF-8", 1);
    }
}

/* The variable that decides about a category (POSIX, XBD 8.2). */
static const char *language_variable(const char *category)
{
    const char *names[] = {"LC_ALL", category, "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value && value[0]) {
            return value;
        }
    }
    return "";
}

static bool language_is_utf8(const char *locale)
{
    return strcasestr(locale, "UTF-8") || strcasestr(locale, "utf8");
}

/* Many machines are told LANG=zh_TW.UTF-8 and have no such locale. What it says of the language and of the terminal is
 * true all the same, and C.UTF-8 with LANGUAGE says it to the C library. */
static void language_stand_in(void)
{
    const char *messages = language_variable("LC_MESSAGES");
    const char *wishes = getenv("LANGUAGE");

    snprintf(language_lacking, sizeof language_lacking, "%s", language_variable("LC_CTYPE"));
    if (!language_is_utf8(language_lacking)) {
        return;
    }
    if (strncmp(messages, "zh_TW", 5) == 0 && (!wishes || !wishes[0])) {
        setenv("LANGUAGE", "zh_TW", 1);
    }
    setenv("LC_ALL", "C.UTF-8", 1);
}

bool language_set(const char *wanted)
{
    const char *language = NULL;

    if (!setlocale(LC_ALL, "")) {
        language_stand_in();
    }

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

const char *language_missing(void)
{
    return language_lacking[0] ? language_lacking : NULL;
}

const char *language_tag(void)
{
    /* TRANSLATORS: the tag of the language that this catalogue is in (RFC 5646), one of those that the portal
     * has its terms in. */
    return strcmp(_("en"), "zh-TW") == 0 ? "zh-TW" : "en";
}
