#include "pkcs11-module/cool_down.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "pkcs11-module/counter_file.h"

/* The two numbers of the file. */
enum { UNANSWERED, LAST_END_MS };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void cool_down_init(struct cool_down *cool_down, unsigned length_s)
{
    cool_down->length_s = length_s;
    if (!counter_file_locate("cool-down", cool_down->path))
        cool_down->length_s = 0;
}

static bool read_row(const struct cool_down *cool_down, uint64_t numbers[2])
{
    struct counter_file file;
    struct error err = {0};

    if (counter_file_peek(cool_down->path, &file, &err) != ERROR_NONE) {
        log_warning("%s There is no cool-down without it.", error_text(&err));
        return false;
    }
    memcpy(numbers, file.numbers, sizeof file.numbers);
    counter_file_close(&file);
    return true;
}

bool cool_down_is_on(const struct cool_down *cool_down)
{
    const uint64_t length_ms = (uint64_t)cool_down->length_s * 1000;
    const uint64_t now = now_ms();
    uint64_t numbers[2];

    /* A time ahead of now is of an earlier boot. */
    if (length_ms == 0 || !read_row(cool_down, numbers) || numbers[UNANSWERED] < COOL_DOWN_ROW ||
        numbers[LAST_END_MS] > now || now - numbers[LAST_END_MS] >= length_ms)
        return false;
    log_warning("nobody answered the last %llu questions: nobody is asked for another %llu s",
                (unsigned long long)numbers[UNANSWERED],
                (unsigned long long)(length_ms - (now - numbers[LAST_END_MS]) + 999) / 1000);
    return true;
}

static void begin_or_go_on(const struct cool_down *cool_down, bool answered)
{
    struct counter_file file;
    struct error err = {0};

    if (counter_file_open(cool_down->path, &file, &err) == ERROR_NONE) {
        file.numbers[UNANSWERED] = answered ? 0 : file.numbers[UNANSWERED] + 1;
        file.numbers[LAST_END_MS] = now_ms();
        (void)counter_file_save(&file, &err);
        counter_file_close(&file);
    }
    if (err.code != ERROR_NONE)
        log_warning("%s There is no cool-down without it.", error_text(&err));
}

/* An answer where no row is open changes nothing: the file need not be written, or even be there. */
static bool row_is_open(const struct cool_down *cool_down)
{
    uint64_t numbers[2];

    return read_row(cool_down, numbers) && numbers[UNANSWERED] > 0;
}

void cool_down_note(const struct cool_down *cool_down, enum error_code code, bool withdrawn)
{
    if (cool_down->length_s == 0 || withdrawn)
        return;
    if (code == ERROR_TIMEOUT)
        begin_or_go_on(cool_down, false);
    else if ((code == ERROR_NONE || code == ERROR_CANCELLED) && row_is_open(cool_down))
        begin_or_go_on(cool_down, true);
}
