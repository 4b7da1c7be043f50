#include "captcha.h"

#include <gd.h>
#include <gdfontg.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH     46 /* of one drawn letter */
#define PICTURE_WIDTH  (CAPTCHA_LENGTH * CELL_WIDTH + 24)
#define PICTURE_HEIGHT 90
#define GLYPH_SCALE    4
#define NOISE_LINES    6
#define NOISE_DOTS     350

static const double pi = 3.14159265358979323846;

static int random_between(int low, int high)
{
    return low + (int)randombytes_uniform((uint32_t)(high - low + 1));
}

void captcha_text(char out[CAPTCHA_LENGTH + 1])
{
    static const char alphabet[] = "ACDEFHJKLMNPRTUVWXY34679"; /* no B8, G, I1, O0Q, S5, Z2 */

    for (size_t i = 0; i < CAPTCHA_LENGTH; i++)
        out[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
    out[CAPTCHA_LENGTH] = '\0';
}

/* One letter: gd's own giant font, enlarged, then turned by up to 20 degrees, so that no font file is needed.
 */
static bool draw_letter(gdImagePtr picture, char letter, int x)
{
    gdFontPtr font = gdFontGetGiant();
    gdImagePtr small = gdImageCreateTrueColor(font->w, font->h);
    gdImagePtr large = gdImageCreateTrueColor(font->w * GLYPH_SCALE, font->h * GLYPH_SCALE);
    bool ok = small != NULL && large != NULL;

    if (ok) {
        int clear = gdTrueColorAlpha(255, 255, 255, gdAlphaTransparent);
        int ink = gdTrueColor(random_between(0, 70), random_between(0, 70), random_between(40, 140));

        gdImageAlphaBlending(small, 0);
        gdImageAlphaBlending(large, 0);
        gdImageFilledRectangle(small, 0, 0, font->w, font->h, clear);
        gdImageChar(small, font, 0, 0, (unsigned char)letter, ink);
        gdImageCopyResampled(large, small, 0, 0, 0, 0, font->w * GLYPH_SCALE, font->h * GLYPH_SCALE, font->w,
                             font->h);
        gdImageCopyRotated(picture, large, x + CELL_WIDTH / 2.0, PICTURE_HEIGHT / 2.0 + random_between(-6, 6),
                           0, 0, font->w * GLYPH_SCALE, font->h * GLYPH_SCALE, random_between(-20, 20));
    }
    if (small != NULL)
        gdImageDestroy(small);
    if (large != NULL)
        gdImageDestroy(large);
    return ok;
}

static void draw_noise(gdImagePtr picture)
{
    for (int i = 0; i < NOISE_LINES; i++) {
        int colour = gdTrueColor(random_between(60, 170), random_between(60, 170), random_between(60, 170));

        gdImageSetThickness(picture, random_between(1, 2));
        gdImageArc(picture, random_between(0, PICTURE_WIDTH), random_between(0, PICTURE_HEIGHT),
                   random_between(PICTURE_WIDTH / 3, PICTURE_WIDTH), random_between(30, 120),
                   random_between(0, 180), random_between(181, 360), colour);
    }
    for (int i = 0; i < NOISE_DOTS; i++) {
        int grey = random_between(40, 200);

        gdImageSetPixel(picture, random_between(0, PICTURE_WIDTH - 1), random_between(0, PICTURE_HEIGHT - 1),
                        gdTrueColor(grey, grey, grey));
    }
}

/* Copies the picture along two sine waves, so that no line of a letter stays straight. */
static void bend(gdImagePtr from, gdImagePtr to)
{
    double height = random_between(3, 5), length = random_between(50, 80), phase = random_between(0, 100);
    double width = random_between(2, 3), rows = random_between(25, 45);

    for (int y = 0; y < PICTURE_HEIGHT; y++) {
        for (int x = 0; x < PICTURE_WIDTH; x++) {
            int from_x = x + (int)lround(width * sin(2 * pi * y / rows + phase));
            int from_y = y + (int)lround(height * sin(2 * pi * x / length + phase));

            if (from_x >= 0 && from_x < PICTURE_WIDTH && from_y >= 0 && from_y < PICTURE_HEIGHT)
                gdImageSetPixel(to, x, y, gdImageGetPixel(from, from_x, from_y));
        }
    }
}

static bool encode(gdImagePtr picture, uint8_t **png, size_t *len)
{
    int size = 0;
    void *data = gdImagePngPtr(picture, &size);
    uint8_t *copy = data == NULL || size <= 0 ? NULL : malloc((size_t)size);

    if (copy != NULL) {
        memcpy(copy, data, (size_t)size);
        *png = copy;
        *len = (size_t)size;
    }
    gdFree(data);
    return copy != NULL;
}

bool captcha_draw(const char text[CAPTCHA_LENGTH + 1], uint8_t **png, size_t *len)
{
    gdImagePtr straight = gdImageCreateTrueColor(PICTURE_WIDTH, PICTURE_HEIGHT);
    gdImagePtr bent = gdImageCreateTrueColor(PICTURE_WIDTH, PICTURE_HEIGHT);
    bool ok = straight != NULL && bent != NULL;

    if (ok) {
        gdImageFilledRectangle(straight, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, gdTrueColor(248, 248, 244));
        gdImageFilledRectangle(bent, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, gdTrueColor(248, 248, 244));
    }
    for (int i = 0; ok && i < CAPTCHA_LENGTH; i++)
        ok = draw_letter(straight, text[i], 12 + i * CELL_WIDTH);
    if (ok) {
        draw_noise(straight);
        bend(straight, bent);
        ok = encode(bent, png, len);
    }
    if (straight != NULL)
        gdImageDestroy(straight);
    if (bent != NULL)
        gdImageDestroy(bent);
    return ok;
}
