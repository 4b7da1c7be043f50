#include "common/softhsm_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder that a line "directories.tokendir = FOLDER" names; a new string, NULL: the line is another. */
static char *folder_of_line(const char *line)
{
    static const char key[] = "directories.tokendir";
    size_t len;

    line += strspn(line, " \t");
    if (strncmp(line, key, sizeof key - 1) != 0)
        return NULL;
    line += sizeof key - 1;
    line += strspn(line, " \t=");
    len = strlen(line);
    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        len--;
    return len > 0 ? strndup(line, len) : NULL;
}

char *softhsm_conf_tokens(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    char *folder = NULL;
    size_t size = 0;

    while (file && !folder && getline(&line, &size, file) >= 0)
        folder = folder_of_line(line);
    free(line);
    if (file)
        fclose(file);
    return folder;
}

char *softhsm_conf_user(const char *home)
{
    char *conf = NULL;

    return asprintf(&conf, "%s/.config/softhsm2/softhsm2.conf", home) < 0 ? NULL : conf;
}

char *softhsm_conf_path(void)
{
    const char *named = getenv("SOFTHSM2_CONF");
    const char *home = getenv("HOME");
    char *user = named ? strdup(named) : softhsm_conf_user(home ? home : "");

    if (named || !user || access(user, R_OK) == 0)
        return user;
    free(user);
    return strdup(SOFTHSM_CONF_SYSTEM);
}
