#include "enroll/form.h"

#include <stdio.h>
#include <string.h>

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "common/i18n.h"

/* In points: A4, and what stands where on it. */
#define FORM_PDF_WIDTH      595.0
#define FORM_PDF_HEIGHT     842.0
#define FORM_PDF_MARGIN     57.0
#define FORM_PDF_BOTTOM     (FORM_PDF_HEIGHT - 70.0)
#define FORM_PDF_FOOTER     (FORM_PDF_HEIGHT - 45.0)
#define FORM_PDF_LINE       20.0 /* room to write in */
#define FORM_PDF_LABEL      150.0
#define FORM_PDF_BOX        9.0
#define FORM_PDF_BOX_INDENT 18.0

/* Families in the order in which they are looked for: one for Latin that makes small files, one with all the
 * characters of Taiwan. */
#define FORM_PDF_FAMILIES "DejaVu Sans, Noto Sans CJK TC, Noto Sans TC, sans-serif"

/* How the text of each kind is set. */
static const struct {
    double size;
    bool bold;
    double before; /* space above and below */
    double after;
} form_pdf_styles[] = {
    [FORM_TITLE] = {16, true, 0, 8},       [FORM_HEADING] = {11, true, 9, 4},
    [FORM_PARAGRAPH] = {9.5, false, 1, 3}, [FORM_FIELD] = {9.5, false, 1, 2},
    [FORM_BOX] = {9.5, false, 1, 1},       [FORM_TICKED] = {9.5, false, 1, 1},
};

struct form_pdf {
    cairo_t *cairo;
    PangoLayout *layout;
    const char *footer;
    double y;
    unsigned page;
    bool glyph_missing;
};

static cairo_status_t form_pdf_take(void *context, const unsigned char *data, unsigned len)
{
    return bytes_append(context, data, len) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Prepares the layout for text in that width (0: one line) and tells the height. */
static double form_pdf_set(struct form_pdf *pdf, const char *text, double size, bool bold, double width)
{
    PangoFontDescription *font = pango_font_description_from_string(FORM_PDF_FAMILIES);
    int height = 0;

    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(pdf->layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(pdf->layout, width > 0 ? (int)(width * PANGO_SCALE) : -1);
    pango_layout_set_wrap(pdf->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(pdf->layout, text, -1);
    pdf->glyph_missing = pdf->glyph_missing || pango_layout_get_unknown_glyphs_count(pdf->layout) > 0;
    pango_layout_get_size(pdf->layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static void form_pdf_show(struct form_pdf *pdf, double x, double y)
{
    cairo_move_to(pdf->cairo, x, y);
    pango_cairo_show_layout(pdf->cairo, pdf->layout);
}

static void form_pdf_line(struct form_pdf *pdf, double from, double y)
{
    cairo_set_line_width(pdf->cairo, 0.5);
    cairo_move_to(pdf->cairo, from, y);
    cairo_line_to(pdf->cairo, FORM_PDF_WIDTH - FORM_PDF_MARGIN, y);
    cairo_stroke(pdf->cairo);
}

static void form_pdf_end_page(struct form_pdf *pdf)
{
    char text[256];

    pdf->page++;
    snprintf(text, sizeof text, _("%s - page %u"), pdf->footer, pdf->page);
    (void)form_pdf_set(pdf, text, 8, false, 0);
    form_pdf_show(pdf, FORM_PDF_MARGIN, FORM_PDF_FOOTER);
    cairo_show_page(pdf->cairo);
    pdf->y = FORM_PDF_MARGIN;
}

/* Room for what is so high, on the next page if it must be. */
static void form_pdf_need(struct form_pdf *pdf, double height)
{
    if (pdf->y + height > FORM_PDF_BOTTOM && pdf->y > FORM_PDF_MARGIN) {
        form_pdf_end_page(pdf);
    }
}

static void form_pdf_box(struct form_pdf *pdf, double y, bool ticked)
{
    const double x = FORM_PDF_MARGIN;

    cairo_set_line_width(pdf->cairo, 0.7);
    cairo_rectangle(pdf->cairo, x, y, FORM_PDF_BOX, FORM_PDF_BOX);
    if (ticked) {
        cairo_move_to(pdf->cairo, x, y);
        cairo_line_to(pdf->cairo, x + FORM_PDF_BOX, y + FORM_PDF_BOX);
        cairo_move_to(pdf->cairo, x + FORM_PDF_BOX, y);
        cairo_line_to(pdf->cairo, x, y + FORM_PDF_BOX);
    }
    cairo_stroke(pdf->cairo);
}

static double form_pdf_baseline(struct form_pdf *pdf)
{
    return (double)pango_layout_get_baseline(pdf->layout) / PANGO_SCALE;
}

/* The value, or a line to write on, beside the label, on one baseline whatever their scripts. Returns the
 * height. */
static double form_pdf_field(struct form_pdf *pdf, const struct form_item *item, double size)
{
    const double x = FORM_PDF_MARGIN + FORM_PDF_LABEL;
    const double width = FORM_PDF_WIDTH - FORM_PDF_MARGIN - x;
    double height = form_pdf_set(pdf, item->label, size, false, FORM_PDF_LABEL - 8);
    const double label = form_pdf_baseline(pdf);
    double value = FORM_PDF_LINE;

    if (item->text) {
        const double value_height = form_pdf_set(pdf, item->text, size, false, width);

        value = form_pdf_baseline(pdf);
        height = value_height > height ? value_height : height;
    } else {
        height += FORM_PDF_LINE - label;
    }
    form_pdf_need(pdf, height);
    if (item->text) {
        (void)form_pdf_set(pdf, item->text, size, false,
                           width); /* a new page has used the layout for its footer */
        form_pdf_show(pdf, x, pdf->y + (label > value ? label - value : 0));
    } else {
        form_pdf_line(pdf, x, pdf->y + value + 2);
    }
    (void)form_pdf_set(pdf, item->label, size, false, FORM_PDF_LABEL - 8);
    form_pdf_show(pdf, FORM_PDF_MARGIN, pdf->y + (value > label ? value - label : 0));
    return height;
}

static double form_pdf_block(struct form_pdf *pdf, const struct form_item *item)
{
    const bool box = item->kind == FORM_BOX || item->kind == FORM_TICKED;
    const double x = FORM_PDF_MARGIN + (box ? FORM_PDF_BOX_INDENT : 0);
    const double height = form_pdf_set(pdf, item->text, form_pdf_styles[item->kind].size,
                                       form_pdf_styles[item->kind].bold,
                                       FORM_PDF_WIDTH - FORM_PDF_MARGIN - x);

    /* A heading keeps room for what comes under it. */
    form_pdf_need(pdf, height + (item->kind == FORM_HEADING ? 60 : 0));
    (void)form_pdf_set(pdf, item->text, form_pdf_styles[item->kind].size, form_pdf_styles[item->kind].bold,
                       FORM_PDF_WIDTH - FORM_PDF_MARGIN -
                           x); /* a new page has used the layout for its footer */
    form_pdf_show(pdf, x, pdf->y);
    if (box) {
        form_pdf_box(pdf, pdf->y + 2.5, item->kind == FORM_TICKED);
    }
    if (item->kind == FORM_HEADING) {
        form_pdf_line(pdf, FORM_PDF_MARGIN, pdf->y + height + 2);
    }
    return height;
}

static void form_pdf_item(struct form_pdf *pdf, const struct form_item *item)
{
    pdf->y += form_pdf_styles[item->kind].before;
    pdf->y += item->kind == FORM_FIELD ? form_pdf_field(pdf, item, form_pdf_styles[FORM_FIELD].size)
                                       : form_pdf_block(pdf, item);
    pdf->y += form_pdf_styles[item->kind].after;
}

enum error_code form_pdf(const struct form *form, const char *footer, struct bytes *out, struct error *err)
{
    struct bytes made = {0};
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(form_pdf_take, &made, FORM_PDF_WIDTH, FORM_PDF_HEIGHT);
    struct form_pdf pdf = {.cairo = cairo_create(surface), .footer = footer, .y = FORM_PDF_MARGIN};
    enum error_code status = ERROR_NONE;

    if (form->count > 0) {
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, form->items[0].text);
    }
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "pinward " PINWARD_VERSION);
    pdf.layout = pango_cairo_create_layout(pdf.cairo);
    for (size_t i = 0; i < form->count; i++) {
        form_pdf_item(&pdf, &form->items[i]);
    }
    form_pdf_end_page(&pdf);
    g_object_unref(pdf.layout);
    cairo_destroy(pdf.cairo);
    cairo_surface_finish(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        status = error_set(err, ERROR_MEMORY, _("The form cannot be drawn (%s)."),
                           cairo_status_to_string(cairo_surface_status(surface)));
    } else if (pdf.glyph_missing) {
        status = error_set(err, ERROR_CONFIG,
                           _("There is no font with all the characters of the form: install the package "
                             "fonts-noto-cjk."));
    }
    cairo_surface_destroy(surface);
    if (status != ERROR_NONE) {
        bytes_clear(&made);
        return status;
    }
    bytes_clear(out);
    *out = made;
    return ERROR_NONE;
}
