#include "support/pinentry_script.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/folder.h"
#include "support/test.h"

void script_set(struct fixture *fx, const char *answers)
{
    folder_unlink(fx->folder, "pinentry/log");
    folder_write(fx->folder, "pinentry/script", answers);
}

char *script_questions(struct fixture *fx)
{
    return folder_read(fx->folder, "pinentry/log");
}

static int count_questions(const char *log)
{
    int n = 0;

    for (const char *line = log; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        n += strncmp(line, "GETPIN", 6) == 0 || strncmp(line, "CONFIRM", 7) == 0;
    return n;
}

int script_asked(struct fixture *fx)
{
    char *log = script_questions(fx);
    const int n = count_questions(log);

    free(log);
    folder_unlink(fx->folder, "pinentry/log");
    return n;
}

bool script_used_up(struct fixture *fx)
{
    char *rest = folder_read(fx->folder, "pinentry/script");
    const bool empty = rest[0] == '\0';

    free(rest);
    return empty;
}

void script_wait_question(struct fixture *fx)
{
    const struct timespec pause = {.tv_nsec = 5000000};

    for (int i = 0; i < 1000; i++) {
        char *log = script_questions(fx);
        const int n = count_questions(log);

        free(log);
        if (n > 0)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("no question was asked");
}
