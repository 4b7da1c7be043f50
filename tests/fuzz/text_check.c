#include "fuzz/text_check.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/text.h"
#include "fuzz/fuzz.h"

void text_require_clean(const char *text)
{
    char *clean = text_clean(text, true);

    fuzz_require(clean && strcmp(clean, text) == 0, "what is shown is UTF-8 and fit for a terminal");
    free(clean);
}

void text_require_sentence(enum error_code status, const struct error *err)
{
    fuzz_require(status == err->code, "the sentence is that of the failure");
    fuzz_require(status == ERROR_MEMORY || err->text[0], "a failure says why");
    text_require_clean(err->text);
}

void text_require_no_secret(const struct error *err)
{
    fuzz_require(!strstr(err->text, FUZZ_SECRET), "no sentence holds a password");
}
