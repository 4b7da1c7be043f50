#include "enroll/captcha.h"

#include <langinfo.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chafa.h>
#include <gd.h>

#include "common/i18n.h"
#include "enroll/ask.h"
#include "enroll/captcha_command.h"
#include "enroll/file.h"
#include "enroll/wrap.h"

#define CAPTCHA_SIDE_MAX 2048
#define CAPTCHA_COLUMNS  100
/* Of 255; and of the nine pixels around one. */
#define CAPTCHA_INK_LUMA   130
#define CAPTCHA_INK_NEEDED 6

/* Is the pixel ink? Captchas are dark on light; the weights are those of Rec. 601. */
static bool captcha_is_ink(gdImagePtr image, int x, int y)
{
    int colour = gdImageGetTrueColorPixel(image, x, y);
    int luma = (299 * gdTrueColorGetRed(colour) + 587 * gdTrueColorGetGreen(colour) +
                114 * gdTrueColorGetBlue(colour)) /
               1000;

    return luma < CAPTCHA_INK_LUMA && gdTrueColorGetAlpha(colour) < gdAlphaTransparent / 2;
}

/* Most of the pixel's neighbourhood is ink: single dots and thin lines, which a terminal's few cells would
 * turn into a grid of noise, do not count. */
static bool captcha_is_stroke(gdImagePtr image, int x, int y)
{
    int ink = 0;

    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            if (gdImageBoundsSafe(image, x + dx, y + dy) && captcha_is_ink(image, x + dx, y + dy)) {
                ink++;
            }
        }
    }
    return ink >= CAPTCHA_INK_NEEDED;
}

/* The strokes as RGBA rows for chafa, light on dark: what is light gets the terminal's own foreground. */
static unsigned char *captcha_pixels(gdImagePtr image, int width, int height)
{
    unsigned char *rgba = malloc((size_t)width * (size_t)height * 4);
    unsigned char *p = rgba;

    for (int y = 0; rgba && y < height; y++) {
        for (int x = 0; x < width; x++, p += 4) {
            p[0] = p[1] = p[2] = captcha_is_stroke(image, x, y) ? 255 : 0;
            p[3] = 255;
        }
    }
    return rgba;
}

/* Two colours and quarter cells, which every terminal with UTF-8 has, and as many columns as fit it. */
static ChafaCanvasConfig *captcha_canvas_config(int width, int height)
{
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    ChafaSymbolMap *symbols = chafa_symbol_map_new();
    struct winsize size = {0};
    gint columns = CAPTCHA_COLUMNS;
    gint rows = 24;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < columns) {
        columns = size.ws_col;
    }
    chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_SPACE | CHAFA_SYMBOL_TAG_SOLID |
                                              CHAFA_SYMBOL_TAG_HALF | CHAFA_SYMBOL_TAG_QUAD);
    chafa_canvas_config_set_symbol_map(config, symbols);
    chafa_symbol_map_unref(symbols);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_FGBG);
    chafa_canvas_config_set_preprocessing_enabled(config, FALSE);
    chafa_calc_canvas_geometry(width, height, &columns, &rows, 0.5f, TRUE, FALSE);
    chafa_canvas_config_set_geometry(config, columns, rows);
    return config;
}

static void captcha_draw_pixels(const unsigned char *rgba, int width, int height)
{
    gchar **environment = g_get_environ();
    ChafaTermInfo *info = chafa_term_db_detect(chafa_term_db_get_default(), environment);
    ChafaCanvasConfig *config = captcha_canvas_config(width, height);
    ChafaCanvas *canvas = chafa_canvas_new(config);
    GString *drawing;

    chafa_set_n_threads(1); /* so small a picture needs no more, and none goes on when it is drawn */
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, rgba, width, height, width * 4);
    drawing = chafa_canvas_print(canvas, info);
    fwrite(drawing->str, 1, drawing->len, stderr);
    fputc('\n', stderr);
    g_string_free(drawing, TRUE);
    chafa_canvas_unref(canvas);
    chafa_canvas_config_unref(config);
    chafa_term_info_unref(info);
    g_strfreev(environment);
}

static enum error_code captcha_draw(gdImagePtr image, struct error *err)
{
    unsigned char *rgba = captcha_pixels(image, gdImageSX(image), gdImageSY(image));

    if (!rgba) {
        return error_set(err, ERROR_MEMORY, "%s", "");
    }
    captcha_draw_pixels(rgba, gdImageSX(image), gdImageSY(image));
    free(rgba);
    return ERROR_NONE;
}

/* A big-endian number of four bytes. */
static unsigned long captcha_number(const unsigned char *p)
{
    return (unsigned long)p[0] << 24 | (unsigned long)p[1] << 16 | (unsigned long)p[2] << 8 | p[3];
}

/* The sides that the picture says it has, before anything of that size is made of it: signature, then IHDR with width and
 * height (PNG specification, 5.2 and 11.2.2). */
static bool captcha_has_sane_size(const struct bytes *png)
{
    static const unsigned char begin[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    unsigned long width;
    unsigned long height;

    if (png->len < sizeof begin + 8 || png->len > INT_MAX || memcmp(png->data, begin, sizeof begin) != 0) {
        return false;
    }
    width = captcha_number(png->data + sizeof begin);
    height = captcha_number(png->data + sizeof begin + 4);
    return width > 0 && width <= CAPTCHA_SIDE_MAX && height > 0 && height <= CAPTCHA_SIDE_MAX;
}

/* libgd would print its own words about a damaged picture. */
static void captcha_say_nothing(int priority, const char *format, va_list arguments)
{
    (void)priority;
    (void)format;
    (void)arguments;
}

/* What is not a picture reaches neither the terminal nor a program. */
static enum error_code captcha_decode(const struct bytes *png, gdImagePtr *image, struct error *err)
{
    gdImagePtr decoded = NULL;

    gdSetErrorMethod(captcha_say_nothing);
    if (captcha_has_sane_size(png)) {
        decoded = gdImageCreateFromPngPtr((int)png->len, png->data);
    }
    if (!decoded) {
        return error_set(err, ERROR_PROTOCOL,
                         _("The portal's captcha is not a picture that can be drawn: try again."));
    }
    *image = decoded;
    return ERROR_NONE;
}

/* The drawing is made of block characters, between a terminal's control sequences. */
static bool captcha_can_draw(void)
{
    const char *terminal = getenv("TERM");

    return terminal && terminal[0] && strcmp(terminal, "dumb") != 0 && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum error_code captcha_ask_text(char **text, struct error *err)
{
    wrap_say(stderr, "%s", _("Capitals or small letters, as you like. If you cannot read it, Enter alone brings another "
                             "picture."));
    return ask_line_or_nothing(_("The characters in the picture:"), "captcha-command in [portal]", text, err);
}

/* Saves the picture, says where, and asks; the file goes with the answer. */
static enum error_code captcha_ask_about_file(const char *folder, const struct bytes *png, char **text,
                                              struct error *err)
{
    char *path = file_join(folder, "captcha.png");
    enum error_code status =
        path ? file_write_private(path, png->data, png->len, err) : error_set(err, ERROR_MEMORY, "%s", "");

    if (status == ERROR_NONE) {
        wrap_say(stderr, "%s", _("This terminal cannot draw the captcha: look at this picture, with a viewer of pictures:"));
        fprintf(stderr, "    %s\n", path); /* in one piece, to be copied */
        status = captcha_ask_text(text, err);
        unlink(path);
    }
    free(path);
    return status;
}

/* Asks for the text of a picture. */
static enum error_code captcha_ask(const struct app *app, const struct bytes *png, gdImagePtr image, char **text,
                                   struct error *err)
{
    const struct config *config = &app->config;
    enum error_code status;

    if (config->portal.captcha_command) {
        return captcha_command_run(config->portal.captcha_command, app->state_folder, png,
                                   config->module.prompt_timeout_s, text, err);
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return error_set(err, ERROR_USAGE,
                         _("There is no terminal to draw the captcha on: run this in one, or set captcha-command in [portal]."));
    }
    if (!captcha_can_draw()) {
        return captcha_ask_about_file(app->state_folder, png, text, err);
    }
    status = captcha_draw(image, err);
    if (status != ERROR_NONE) {
        return status;
    }
    return captcha_ask_text(text, err);
}

enum error_code captcha_read(const struct app *app, const struct bytes *png, char **text, struct error *err)
{
    gdImagePtr image = NULL;
    enum error_code status = captcha_decode(png, &image, err);

    if (status == ERROR_NONE) {
        status = captcha_ask(app, png, image, text, err);
        gdImageDestroy(image);
    }
    return status;
}
