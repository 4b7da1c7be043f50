#include "fuzz/module_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/folder.h"
#include "fuzz/judge.h"
#include "fuzz/module_token.h"

static const char *folder;

/* The time that has passed in the world is the judge's. It stands in for libc's clock. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int rc = (int)syscall(SYS_clock_gettime, clock, now);

    if (rc == 0 && clock == CLOCK_BOOTTIME) {
        now->tv_sec = 1000000 + (time_t)(judge_time_ms() / 1000);
        now->tv_nsec = (long)(judge_time_ms() % 1000) * 1000000;
    }
    return rc;
}

static void configure(struct fuzz_input *input)
{
    static const char *const levels[] = {"high", "high", "medium", "low"};
    static const unsigned graces[] = {0, 30, 30, 300};
    const uint8_t first = fuzz_byte(input), second = fuzz_byte(input);
    struct judge_rules rules = {.level = (first & 3) == 3 ? JUDGE_LOW : (first & 3) == 2 ? JUDGE_MEDIUM : JUDGE_HIGH,
                                .application_asks = (first & 4) != 0,
                                .login_grace_s = graces[first >> 3 & 3],
                                .export_asks = (first & 32) != 0};
    char text[1024];
    const int len = snprintf(text, sizeof text,
                             "[log]\nfile = %s/log\nlevel = debug\n"
                             "[ledger]\nrequired = %s\n%s%s%s"
                             "[module]\nbackend = /none\nlevel = %s\nprompt = %s\nexport = %s\nlogin-grace = %u\n"
                             "pin-tries = %u\ncool-down = %u\nbatch-uses = 3\nbatch-time = 2m\n"
                             "[key \"medium\"]\nlevel = medium\n[key \"low\"]\nlevel = low\n",
                             folder, second & 1 ? "yes" : "no", second & 2 ? "file = " : "", second & 2 ? folder : "",
                             second & 2 ? "/ledger\n" : "", levels[first & 3],
                             rules.application_asks ? "application" : "module", rules.export_asks ? "ask" : "never",
                             rules.login_grace_s, second & 4 ? 3U : 0U, second & 8 ? 60U : 0U);

    fuzz_require(len > 0 && (size_t)len < sizeof text, "the configuration fits");
    setenv("PINWARD_CONF", fuzz_file(text, (size_t)len), 1);
    judge_begin(&rules);
}

void world_begin(struct fuzz_input *input)
{
    if (!folder)
        setenv("XDG_STATE_HOME", folder = fuzz_folder(), 1);
    fuzz_folder_empty();
    configure(input);
    token_begin(fuzz_byte(input));
}

static void require_no_secret(const char *name)
{
    char path[192];
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    if (!file)
        return;
    len = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (len > 0)
        fuzz_require(!fuzz_contains(text, (size_t)len, FUZZ_SECRET) &&
                         !fuzz_contains(text, (size_t)len, FUZZ_NEW_SECRET) &&
                         !fuzz_contains(text, (size_t)len, TOKEN_PRIVATE_VALUE),
                     "neither log nor ledger holds the PIN or a private value");
    free(text);
}

void world_end(void)
{
    require_no_secret("log");
    require_no_secret("ledger");
    require_no_secret("ledger.head");
}
