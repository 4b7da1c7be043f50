#include "common/pinentry_environment.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
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
