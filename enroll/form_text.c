#include "enroll/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8_wrap.h"
#include "enroll/text.h"

#define FORM_TEXT_COLUMNS 78
#define FORM_TEXT_LABEL   26
#define FORM_TEXT_MAX     4096

/* text broken into lines, each but the first behind so many blanks; what stands before the first is written
 * already. */
static void form_text_lines(FILE *out, const char *text, size_t indent)
{
    char wrapped[FORM_TEXT_MAX];
    char *rest = wrapped;
    int blanks = 0;

    utf8_wrap(text, FORM_TEXT_COLUMNS - indent, 0, wrapped, sizeof wrapped);
    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        fprintf(out, "%*s%s\n", blanks, "", line);
        blanks = (int)indent;
    }
}

static void form_text_rule(FILE *out, char mark, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        fputc(mark, out);
    }
    fputc('\n', out);
}

static void form_text_item(FILE *out, const struct form_item *item)
{
    switch (item->kind) {
    case FORM_TITLE:
        fprintf(out, "%s\n", item->text);
        form_text_rule(out, '=', text_columns(item->text));
        break;
    case FORM_HEADING:
        fprintf(out, "\n%s\n", item->text);
        form_text_rule(out, '-', text_columns(item->text));
        break;
    case FORM_PARAGRAPH:
        form_text_lines(out, item->text, 0);
        break;
    case FORM_FIELD:
        text_print_cell(out, item->label, FORM_TEXT_LABEL);
        if (item->text) {
            form_text_lines(out, item->text, FORM_TEXT_LABEL);
        } else {
            form_text_rule(out, '_', FORM_TEXT_COLUMNS - FORM_TEXT_LABEL);
        }
        break;
    case FORM_BOX:
    case FORM_TICKED:
        fputs(item->kind == FORM_BOX ? "[ ] " : "[x] ", out);
        form_text_lines(out, item->text, 4);
        break;
    }
}

enum error_code form_text(const struct form *form, struct bytes *out, struct error *err)
{
    struct bytes made = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);

    for (size_t i = 0; stream && i < form->count; i++) {
        form_text_item(stream, &form->items[i]);
    }
    if (!stream || fclose(stream) != 0 || !bytes_set(&made, text, len)) {
        free(text);
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    free(text);
    bytes_clear(out);
    *out = made;
    return ERROR_NONE;
}
