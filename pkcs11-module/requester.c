#include "pkcs11-module/requester.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/utf8.h"

static void read_path(char path[REQUESTER_PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, REQUESTER_PATH_MAX - 1);

    if (n <= 0) {
        strcpy(path, "?");
        return;
    }
    path[n] = '\0';
}

static void read_command(char command[REQUESTER_COMMAND_MAX])
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    char raw[REQUESTER_COMMAND_MAX];
    ssize_t n = fd < 0 ? -1 : read(fd, raw, sizeof raw);
    size_t len = n > 0 ? (size_t)n : 0;

    if (fd >= 0)
        close(fd);
    while (len > 0 && raw[len - 1] == '\0')
        len--;
    for (size_t i = 0; i < len; i++)
        if (raw[i] == '\0')
            raw[i] = ' ';
    utf8_show(raw, len, command, REQUESTER_COMMAND_MAX, REQUESTER_COMMAND_MAX);
}

void requester_describe(struct requester *requester)
{
    requester->pid = getpid();
    read_path(requester->path);
    read_command(requester->command);
}

bool requester_program(char program[REQUESTER_PROGRAM_MAX])
{
    static const char deleted[] = " (deleted)";
    const ssize_t n = readlink("/proc/self/exe", program, REQUESTER_PROGRAM_MAX);
    const size_t len = n > 0 && n < REQUESTER_PROGRAM_MAX ? (size_t)n : 0;

    program[len] = '\0';
    if (program[0] != '/' || (len >= sizeof deleted && strcmp(program + len - (sizeof deleted - 1), deleted) == 0))
        program[0] = '\0';
    return program[0] != '\0';
}
