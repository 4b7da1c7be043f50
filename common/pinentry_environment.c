#include "common/pinentry_environment.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* O_NONBLOCK: a line without a carrier would be waited for. */
static bool is_terminal(const char *name)
{
    const int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool terminal;

    if (fd < 0)
        return false;
    terminal = isatty(fd) == 1;
    close(fd);
    return terminal;
}

const char *pinentry_environment_terminal(char *buffer, size_t size)
{
    const char *named = secure_getenv("GPG_TTY"); /* a setuid host opens nothing by a name of its caller's */

    if (named && named[0] == '/' && is_terminal(named))
        return named;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ttyname_r(fd, buffer, size) == 0 && is_terminal(buffer))
            return buffer;
    return is_terminal("/dev/tty") ? "/dev/tty" : NULL;
}

const char *pinentry_environment_locale(const char *category)
{
    const char *value = getenv("LC_ALL");

    if (!value || !value[0])
        value = getenv(category);
    if (!value || !value[0])
        value = getenv("LANG");
    return value;
}

/* What does not fit is not said: half of a name is another one. */
static void copy(char *member, size_t size, const char *value)
{
    const size_t len = value ? strlen(value) : 0;

    member[0] = '\0';
    if (len > 0 && len < size)
        memcpy(member, value, len + 1);
}

void pinentry_environment_read(struct pinentry_environment *environment)
{
    char terminal[256];

    memset(environment, 0, sizeof *environment);
    copy(environment->terminal, sizeof environment->terminal, pinentry_environment_terminal(terminal, sizeof terminal));
    copy(environment->terminal_type, sizeof environment->terminal_type, getenv("TERM"));
    copy(environment->display, sizeof environment->display, getenv("DISPLAY"));
    copy(environment->lc_ctype, sizeof environment->lc_ctype, pinentry_environment_locale("LC_CTYPE"));
    copy(environment->lc_messages, sizeof environment->lc_messages, pinentry_environment_locale("LC_MESSAGES"));
}
