#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/i18n.h"
#include "common/utf8.h"

static const struct {
    const char *name;
    int exit_code;
    const char *meaning;
} error_table[ERROR_COUNT] = {
#define X(code, exit_code, text) [code] = {#code, exit_code, text},
    ERROR_LIST(X)
#undef X
};

static int error_is_known(enum error_code code)
{
    return (int)code >= 0 && code < ERROR_COUNT;
}

const char *error_name(enum error_code code)
{
    return error_is_known(code) ? error_table[code].name : "ERROR_?";
}

const char *error_meaning(enum error_code code)
{
    return error_is_known(code) ? _(error_table[code].meaning) : _("an unexpected failure");
}

int error_exit_code(enum error_code code)
{
    return error_is_known(code) ? error_table[code].exit_code : error_table[ERROR_INTERNAL].exit_code;
}

enum error_code(error_set)(struct error *err, enum error_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        int len;

        err->code = code;
        va_start(args, format);
        len = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (len >= (int)sizeof err->text)
            err->text[utf8_whole(err->text, sizeof err->text - 1)] = '\0';
    }
    return code;
}

const char *error_text(const struct error *err)
{
    return err->text[0] ? err->text : error_meaning(err->code);
}
