#include "pem_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

#define PEM_FILE_MAX (16 * 1024)

char *pem_file_read(const char *data_dir, const char *name)
{
    char path[4096];
    char *text = NULL;
    FILE *file = NULL;
    size_t len = 0;

    if (snprintf(path, sizeof(path), "%s/%s", data_dir, name) < (int)sizeof(path))
        file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    setvbuf(file, NULL, _IONBF, 0); /* no copy of a key in stdio's buffer */
    text = calloc(1, PEM_FILE_MAX + 1);
    if (text != NULL)
        len = fread(text, 1, PEM_FILE_MAX, file);
    if (len == 0 || len == PEM_FILE_MAX)
        pem_file_free(&text);
    fclose(file);
    return text;
}

void pem_file_free(char **text)
{
    if (*text != NULL)
        secret_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}
