#include "enroll/wrap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/utf8_wrap.h"
#include "enroll/text.h"

/* Narrower than this nothing is worth wrapping for; longer lines are hard to read. */
#define WRAP_COLUMNS_MIN 40
#define WRAP_COLUMNS_MAX 100

size_t wrap_columns(FILE *stream)
{
    struct winsize size = {0};
    const int fd = fileno(stream);

    if (fd < 0 || !isatty(fd)) {
        return 0;
    }
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return WRAP_COLUMNS;
    }
    return size.ws_col < WRAP_COLUMNS_MIN ? WRAP_COLUMNS_MIN : size.ws_col;
}

static void wrap_print_line(FILE *out, const char *line, size_t len, size_t columns, size_t indent)
{
    /* At worst each character has a line of its own. */
    const size_t size = 2 * len + 1;
    char *text = strndup(line, len);
    char *wrapped = malloc(size);
    const char *p = wrapped;

    if (!text || !wrapped) {
        fprintf(out, "%.*s", (int)len, line);
        goto out;
    }
    utf8_wrap(text, columns > indent ? columns - indent : 1, 0, wrapped, size);
    while (*p) {
        const size_t part = strcspn(p, "\n");
        size_t shown = part;

        /* A line may end at a wide character that a blank stands before. */
        while (p[part] == '\n' && shown > 0 && p[shown - 1] == ' ') {
            shown--;
        }
        fprintf(out, "%.*s", (int)shown, p);
        p += part;
        if (*p == '\n' && *++p) {
            fprintf(out, "\n%*s", (int)indent, "");
        }
    }
out:
    free(wrapped);
    free(text);
}

void wrap_print(FILE *out, const char *text, size_t columns, size_t indent)
{
    if (columns == 0) {
        fputs(text, out);
        return;
    }
    columns = columns < WRAP_COLUMNS_MAX ? columns : WRAP_COLUMNS_MAX;
    while (*text) {
        const size_t len = strcspn(text, "\n");

        wrap_print_line(out, text, len, columns, indent);
        text += len;
        if (*text == '\n') {
            fputc('\n', out);
            text++;
        }
    }
}

void wrap_say(FILE *out, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len >= 0) {
        char *clean = text_clean(text, true);

        wrap_print(out, clean ? clean : "", wrap_columns(out), 0);
        if (len == 0 || text[len - 1] != '\n') {
            fputc('\n', out);
        }
        free(clean);
        free(text);
    }
}
