#include "retry_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

char world_folder[FOLDER_PATH_MAX];
struct retry world_retry;
CK_TOKEN_INFO world_token;

int world_start(void **state)
{
    (void)state;
    folder_make(world_folder);
    setenv("XDG_STATE_HOME", world_folder, 1);
    retry_init(&world_retry, 10);
    memset(&world_token, ' ', sizeof world_token);
    memcpy(world_token.manufacturerID, "Maker", 5);
    memcpy(world_token.model, "Model", 5);
    memcpy(world_token.serialNumber, "0001", 4);
    return 0;
}

int world_stop(void **state)
{
    (void)state;
    folder_remove(world_folder);
    return 0;
}

CK_RV world_try(enum retry_verdict verdict)
{
    struct retry_try one;
    CK_RV rv = retry_begin(&world_retry, &world_token, &one);

    if (rv == CKR_OK)
        retry_end(&one, verdict);
    return rv;
}

unsigned world_wrong(void)
{
    struct retry_state seen;

    assert_ok(retry_look(&world_retry, &world_token, &seen));
    return seen.wrong;
}

const char *world_file(void)
{
    static char path[FOLDER_PATH_MAX + 64];
    char command[FOLDER_PATH_MAX + 64];
    FILE *list;

    snprintf(command, sizeof command, "ls -A %s/pinward/retry", world_folder);
    list = popen(command, "re");
    assert_non_null(list);
    snprintf(path, sizeof path, "%s/pinward/retry/", world_folder);
    assert_non_null(fgets(path + strlen(path), 64, list));
    path[strcspn(path, "\n")] = '\0';
    assert_int_equal(fgetc(list), EOF);
    pclose(list);
    return path;
}
