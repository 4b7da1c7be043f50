#include "enroll/log_words.h"

#include <stddef.h>
#include <string.h>

#include "common/i18n.h"

static const char *const log_words[] = {
    /* uses: policy_use_name, and what is no use of a key */
    N_("sign"), N_("decrypt"), N_("unwrap"), N_("derive"), N_("export"), N_("export to program"),
    N_("create exportable"), N_("copy"), N_("change"), N_("delete"), N_("other"), N_("login"), N_("SO login"),
    N_("context login"), N_("batch"),
    /* how */
    N_("asked"), N_("login grace"), N_("level low"), N_("at the reader"), N_("context-specific login"),
    N_("no context-specific login"), N_("application's PIN"), N_("PIN locked"), N_("cool-down"),
    N_("ledger not written"), N_("not for private keys"), N_("would weaken the key"), N_("would lower the level"),
    N_("another key than agreed"), N_("other data than agreed"), N_("program gone"),
};

const char *log_word(const char *word)
{
    for (size_t i = 0; i < sizeof log_words / sizeof log_words[0]; i++) {
        if (strcmp(log_words[i], word) == 0) {
            return _(log_words[i]);
        }
    }
    return word;
}
