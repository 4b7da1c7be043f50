#include "enroll/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enroll/command.h"

#define CLIENT_DPKG_S 20 /* a cold disk */

/* Debian's PATH has them for root only; users run what is there through sudo. */
#define CLIENT_ROOT_FOLDERS "/usr/local/sbin:/usr/sbin:/sbin"

static const char *client_name(const char *program)
{
    const char *slash = strrchr(program, '/');

    return slash ? slash + 1 : program;
}

const struct client *client_find(const char *program)
{
    const char *name = client_name(program);

    for (const struct client *client = client_table; client->title; client++) {
        for (const char *const *known = client->programs; *known; known++) {
            if (strcmp(*known, name) == 0) {
                return client;
            }
        }
    }
    return &client_unknown;
}

/* The file of that name in the first of the folders that has it, as execvp(3) would find it in PATH; the caller frees. */
static char *client_in_folders(const char *folders, const char *name)
{
    const char *rest = folders;

    while (rest && *rest) {
        size_t len = strcspn(rest, ":");
        char *path = NULL;

        if (asprintf(&path, "%.*s/%s", (int)len, len > 0 ? rest : ".", name) < 0) {
            return NULL;
        }
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
        rest += len + (rest[len] == ':');
    }
    return NULL;
}

char *client_path(const char *program)
{
    char *found = strchr(program, '/') ? strdup(program) : client_in_folders(getenv("PATH"), program);

    if (!found) {
        found = client_in_folders(CLIENT_ROOT_FOLDERS, program);
    }

    char *real = found && access(found, X_OK) == 0 ? realpath(found, NULL) : NULL;

    free(found);
    return real;
}

/* The first line that a command prints; false: none. */
static bool client_ask(char *const argv[], char line[COMMAND_LINE_MAX])
{
    struct command_run run;
    ssize_t len;

    if (!command_start(argv, true, &run)) {
        return false;
    }
    len = command_read_line(&run, CLIENT_DPKG_S, line);
    command_end(&run, 1000);
    return len > 0;
}

/* dpkg-query -S prints "PACKAGE: PATH", for some packages "PACKAGE:ARCHITECTURE: PATH". */
static bool client_package(const char *path, char package[COMMAND_LINE_MAX])
{
    char *argv[] = {"dpkg-query", "-S", (char *)path, NULL};

    if (!client_ask(argv, package)) {
        return false;
    }
    package[strcspn(package, ":")] = '\0';
    return true;
}

bool client_version(const struct client *client, const char *path, char version[CLIENT_VERSION_MAX])
{
    char package[COMMAND_LINE_MAX], line[COMMAND_LINE_MAX];
    char *argv[] = {"dpkg-query", "-W", "-f", "${Package} ${Version}\n", package, NULL};

    if (client->package) {
        snprintf(package, sizeof package, "%s", client->package);
    } else if (!path || !client_package(path, package)) {
        return false;
    }
    if (!client_ask(argv, line)) {
        return false;
    }
    snprintf(version, CLIENT_VERSION_MAX, "%s", line);
    return strchr(version, ' ') && !strchr(version, '\n');
}

bool client_version_is_tested(const struct client *client, const char *version)
{
    const char *number = strchr(version, ' ');
    const char *epoch = number ? strchr(number, ':') : NULL;

    if (!number || !client->tested) {
        return false;
    }
    number = epoch ? epoch + 1 : number + 1;
    return strncmp(number, client->tested, strlen(client->tested)) == 0;
}
