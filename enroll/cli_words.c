#include "enroll/cli_words.h"

#include <stddef.h>

#define CLI_WORDS_MAX 6

static const char *const cli_words_table[CLI_OPTION_COUNT][CLI_WORDS_MAX] = {
    [CLI_LANGUAGE] = {"en", "zh-TW"},
    [CLI_CERTIFICATE] = {"all", "signing", "encryption"},
    [CLI_REASON] = {"keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation",
                    "unspecified"},
};

const char *const *cli_words(enum cli_option_id option)
{
    return option < CLI_OPTION_COUNT && cli_words_table[option][0] ? cli_words_table[option] : NULL;
}
