/* The picture of a captcha, as it is decoded and drawn in the terminal. The terminal is this file's: isatty says that
 * there is one, and the line that is typed (ask_line_or_nothing of enroll/ask.c, which the linker leaves to this file) is always the same. So that mutations are
 * not all refused for their checksum, that of each chunk is mended first when the first byte is odd. */
#include "enroll/captcha.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enroll/ask.h"
#include "fuzz/folder.h"
#include "fuzz/fuzz.h"
#include "fuzz/text_check.h"

__attribute__((visibility("default"))) int isatty(int fd)
{
    (void)fd;
    return 1;
}

enum error_code __wrap_ask_line_or_nothing(const char *question, const char *option, char **answer, struct error *err);

enum error_code __wrap_ask_line_or_nothing(const char *question, const char *option, char **answer, struct error *err)
{
    (void)question, (void)option, (void)err;
    *answer = strdup("ABC123");
    return ERROR_NONE;
}

/* PNG specification, annex D. */
static uint32_t checksum(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void mend(uint8_t *png, size_t size)
{
    size_t at = 8;

    while (size >= 12 && at <= size - 12) {
        const size_t len = (size_t)png[at] << 24 | (size_t)png[at + 1] << 16 | (size_t)png[at + 2] << 8 | png[at + 3];
        uint32_t crc;

        if (len > size - at - 12)
            return;
        crc = checksum(png + at + 4, len + 4);
        for (int i = 0; i < 4; i++)
            png[at + 8 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += len + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    FILE *const shown = stderr;
    struct fuzz_input input = {data, size};
    struct app app = {.state_folder = (char *)fuzz_folder()};
    struct bytes png = {0};
    struct error err = {0};
    char *text = NULL;
    enum error_code status;
    const uint8_t mends = fuzz_byte(&input) & 1;

    if (!nowhere) {
        fuzz_require(setlocale(LC_ALL, "C.UTF-8") != NULL, "there is UTF-8");
        setenv("TERM", "xterm-256color", 1);
        nowhere = fopen("/dev/null", "w");
    }
    fuzz_require(nowhere && bytes_set(&png, input.data, input.left), "there is memory");
    if (mends)
        mend(png.data, png.len);
    stderr = nowhere;
    status = captcha_read(&app, &png, &text, &err);
    stderr = shown;
    if (status == ERROR_NONE)
        fuzz_require(text && strcmp(text, "ABC123") == 0, "the answer is what was typed");
    else
        text_require_sentence(status, &err);
    free(text);
    bytes_clear(&png);
    return 0;
}
