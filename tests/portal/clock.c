#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t test_offset_s(const char *test_dir)
{
    char path[4096];
    int64_t offset_s = 0;
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/clock-offset", test_dir) >= (int)sizeof(path))
        return 0;
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    // NOLINTNEXTLINE(cert-err34-c): a test wrote it
    if (fscanf(file, "%" SCNd64, &offset_s) != 1)
        offset_s = 0;
    fclose(file);
    return offset_s;
}

int64_t clock_now_s(const struct portal_clock *clock)
{
    int64_t now_s = (int64_t)time(NULL);

    return clock->test_dir == NULL ? now_s : now_s + test_offset_s(clock->test_dir);
}

static void format(int64_t time_s, const char *pattern, char *out, size_t size)
{
    time_t t = (time_t)time_s;
    struct tm tm;

    out[0] = '\0';
    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, pattern, &tm) == 0)
        out[0] = '\0';
}

void clock_format_rfc3339(int64_t time_s, char out[CLOCK_RFC3339_LENGTH])
{
    format(time_s, "%Y-%m-%dT%H:%M:%SZ", out, CLOCK_RFC3339_LENGTH);
}

void clock_format_http(int64_t time_s, char out[CLOCK_HTTP_LENGTH])
{
    /* The names are English because no program of the portal calls setlocale. */
    format(time_s, "%a, %d %b %Y %H:%M:%S GMT", out, CLOCK_HTTP_LENGTH);
}
