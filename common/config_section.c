#include "common/config_section.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"

#define BLANKS     " \t\v\f\r\n"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, BLANKS);
}

bool config_section_is_header(const char *line)
{
    return *skip_blanks(line) == '[';
}

/* The text between quotes, from behind the first one; *at moves behind the last. */
static enum error_code read_quoted(const char **at, char *text, struct error *why)
{
    const char *from = *at;
    size_t len = 0;

    for (; *from != '"'; from++) {
        if (*from == '\\' && from[1] != '"' && from[1] != '\\')
            return error_set(why, ERROR_CONFIG, _("a backslash stands alone in the quotes; expected \\\" or \\\\"));
        if (*from == '\\')
            from++;
        if ((unsigned char)*from < 0x20 || *from == 0x7f)
            return error_set(why, ERROR_CONFIG,
                             _("the quotes do not end, or hold a control character; expected [section \"name\"]"));
        text[len++] = *from;
    }
    text[len] = '\0';
    *at = from + 1;
    return ERROR_NONE;
}

/* Reads name and, if there is one, argument, into buffers as long as the line. *argument is NULL without one. */
static enum error_code read_header(const char *at, char *name, char **argument, struct error *why)
{
    enum error_code status;
    size_t len;

    at = skip_blanks(skip_blanks(at) + 1);
    len = strspn(at, NAME_CHARS);
    memcpy(name, at, len);
    name[len] = '\0';
    at = skip_blanks(at + len);
    if (*at == '"') {
        at++;
        status = read_quoted(&at, *argument, why);
        if (status != ERROR_NONE)
            return status;
        at = skip_blanks(at);
    } else {
        *argument = NULL;
    }
    if (len == 0 || *at != ']')
        return error_set(why, ERROR_CONFIG, _("expected \"name = value\" or \"[section]\""));
    at = skip_blanks(at + 1);
    if (*at && *at != ';' && *at != '#')
        return error_set(why, ERROR_CONFIG, _("something stands behind the section; expected a line of its own for it"));
    return ERROR_NONE;
}

enum error_code config_section_parse(const char *line, unsigned line_number, struct config_section *section,
                                     struct error *why)
{
    const size_t size = strlen(line) + 1;
    char *name = malloc(size);
    char *text = malloc(size);
    char *argument = text;
    enum error_code status = ERROR_MEMORY;

    if (name && text)
        status = read_header(line, name, &argument, why);
    if (status != ERROR_NONE || !argument)
        free(text);
    if (status != ERROR_NONE)
        free(name);
    else
        *section = (struct config_section){name, argument, line_number};
    return status;
}

void config_section_clear(struct config_section *section)
{
    free(section->name);
    free(section->argument);
    memset(section, 0, sizeof *section);
}
