#include "fuzz/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

static char folder[FUZZ_PATH_MAX / 2];

/* Files, and with them folders that are empty then. */
static void empty(const char *path, int depth)
{
    DIR *open = opendir(path);
    struct dirent *entry;

    while (open && (entry = readdir(open))) {
        char inner[FUZZ_PATH_MAX * 2];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR && depth > 0) {
            empty(inner, depth - 1);
            (void)rmdir(inner);
        } else {
            (void)unlink(inner);
        }
    }
    if (open)
        closedir(open);
}

void fuzz_folder_empty(void)
{
    empty(fuzz_folder(), 3);
}

static void remove_folder(void)
{
    fuzz_folder_empty();
    (void)rmdir(folder);
}

const char *fuzz_folder(void)
{
    const char *temporary = getenv("TMPDIR");

    if (folder[0])
        return folder;
    snprintf(folder, sizeof folder, "%s/pinward-fuzz-XXXXXX",
             temporary && strlen(temporary) < 64 ? temporary : "/tmp");
    fuzz_require(mkdtemp(folder) != NULL, "there is a folder");
    atexit(remove_folder);
    return folder;
}
