#include "support/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

void folder_make(char folder[FOLDER_PATH_MAX])
{
    (void)mkdir(TEST_FOLDER, 0700);
    snprintf(folder, FOLDER_PATH_MAX, "%s/state-XXXXXX", TEST_FOLDER);
    assert_non_null(mkdtemp(folder));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void folder_remove(const char *folder)
{
    if (folder[0])
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_path(const char *folder, const char *name, char path[FOLDER_PATH_MAX])
{
    assert_true((size_t)snprintf(path, FOLDER_PATH_MAX, "%s/%s", folder, name) < FOLDER_PATH_MAX);
    return path;
}

void folder_write(const char *folder, const char *name, const char *text)
{
    char path[FOLDER_PATH_MAX];
    const size_t len = strlen(text);
    int fd = open(folder_path(folder, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

char *folder_read(const char *folder, const char *name)
{
    char path[FOLDER_PATH_MAX];
    FILE *file = fopen(folder_path(folder, name, path), "re");
    char *text = NULL;
    size_t size = 0;

    if (!file)
        return strdup("");
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

void folder_unlink(const char *folder, const char *name)
{
    char path[FOLDER_PATH_MAX];

    (void)unlink(folder_path(folder, name, path));
}
