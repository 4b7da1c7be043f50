/*
 * form: a filled-in form for the registration authority, as a list of what stands on it, one below the other.
 * form_text and form_pdf draw the same list.
 *
 * Owner: struct form is the caller's; its texts are copies. A failed allocation is remembered, so that a form
 * is filled without a question at every line: form_is_whole says in the end. Thread rule: one thread for each
 * form.
 */
#ifndef PINWARD_ENROLL_FORM_H
#define PINWARD_ENROLL_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "enroll/bytes.h"

enum form_kind {
    FORM_TITLE,
    FORM_HEADING,
    FORM_PARAGRAPH,
    FORM_FIELD,  /* a label and a value; without a value, a line to write on */
    FORM_BOX,    /* to be ticked */
    FORM_TICKED, /* a box that is ticked */
};

struct form_item {
    enum form_kind kind;
    char *label; /* of a field; else NULL */
    char *text;  /* NULL: to be written by hand */
};

struct form {
    struct form_item *items;
    size_t count;
    bool failed;
};

void form_clear(struct form *form);
bool form_is_whole(const struct form *form);

/* Texts that came from elsewhere are made fit to be shown. */
void form_add(struct form *form, enum form_kind kind, const char *text);
void form_add_field(struct form *form, const char *label, const char *value);

/* Plain text in UTF-8, 78 columns. */
enum error_code form_text(const struct form *form, struct bytes *out, struct error *err);

/* A PDF of A4 pages, its fonts embedded, with footer on each page. ERROR_CONFIG: there is no font for a
 * character. */
enum error_code form_pdf(const struct form *form, const char *footer, struct bytes *out, struct error *err);

#endif
