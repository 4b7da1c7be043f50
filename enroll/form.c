#include "enroll/form.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/text.h"

void form_clear(struct form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->items[i].label);
        free(form->items[i].text);
    }
    free(form->items);
    *form = (struct form){0};
}

bool form_is_whole(const struct form *form)
{
    return !form->failed;
}

/* A new item at the end; NULL: no memory. */
static struct form_item *form_grow(struct form *form, enum form_kind kind)
{
    struct form_item *items = reallocarray(form->items, form->count + 1, sizeof *items);

    if (!items) {
        form->failed = true;
        return NULL;
    }
    form->items = items;
    items[form->count] = (struct form_item){.kind = kind};
    return &items[form->count++];
}

static char *form_copy(struct form *form, const char *text)
{
    char *clean = text_clean(text, false);

    form->failed = form->failed || !clean;
    return clean;
}

void form_add(struct form *form, enum form_kind kind, const char *text)
{
    struct form_item *item = form_grow(form, kind);

    if (item) {
        item->text = form_copy(form, text);
    }
}

void form_add_field(struct form *form, const char *label, const char *value)
{
    struct form_item *item = form_grow(form, FORM_FIELD);

    if (item) {
        item->label = form_copy(form, label);
        item->text = value && value[0] ? form_copy(form, value) : NULL;
    }
}
