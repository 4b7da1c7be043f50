#include "common/pinentry_quality.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As pinentry writes it: a plus for a blank, %XX for what Assuan cannot carry. */
static size_t unescape(const char *line, char *pin, size_t size)
{
    size_t len = 0;

    for (const char *c = line; *c && len < size; c++) {
        if (*c == '%' && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
            pin[len++] = (char)(hex_digit(c[1]) << 4 | hex_digit(c[2]));
            c += 2;
        } else {
            pin[len++] = *c == '+' ? ' ' : *c;
        }
    }
    return len;
}

gpg_error_t pinentry_quality_answer(assuan_context_t ctx, const struct pinentry_quality *quality, const char *line)
{
    static const char keyword[] = "QUALITY ";
    char pin[ASSUAN_LINELENGTH];
    char answer[16];
    size_t len;

    if (!quality || strncmp(line, keyword, sizeof keyword - 1) != 0)
        return gpg_error(GPG_ERR_ASS_UNKNOWN_INQUIRE);
    len = unescape(line + sizeof keyword - 1, pin, sizeof pin);
    snprintf(answer, sizeof answer, "%d", quality->percent(quality->rules, pin, len));
    secret_wipe(pin, sizeof pin);
    return assuan_send_data(ctx, answer, strlen(answer));
}
