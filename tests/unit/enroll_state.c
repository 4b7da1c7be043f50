#include "enroll_state.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

void enroll_state_init(struct enroll_state *state)
{
    memset(state, 0, sizeof *state);
    snprintf(state->folder, sizeof state->folder, "pinward-enroll-XXXXXX"); /* in the build folder, where ctest runs */
    assert_non_null(mkdtemp(state->folder));
    state->app.state_folder = state->folder;
    state->app.config.portal.url = strdup("https://portal.example");
}

void enroll_state_clear(struct enroll_state *state)
{
    DIR *folder = opendir(state->folder);
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        if (entry->d_name[0] != '.') {
            assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
        }
    }
    if (folder) {
        closedir(folder);
    }
    assert_int_equal(rmdir(state->folder), 0);
    free(state->app.config.portal.url);
}
