/* The main of a fuzz target that is built without libFuzzer: runs the inputs named by its arguments, files or folders of
 * files, in the order of their names. So every input that ever found something is a test of every build. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX (1U << 20)

static unsigned replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    uint8_t *exact;
    size_t size;

    fuzz_require(file && data, "the input can be read");
    size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    exact = malloc(size ? size : 1); /* of its own size, so that a read behind its end is noticed */
    fuzz_require(exact != NULL, "there is memory");
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    printf("%s\n", path);
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static int is_no_dot(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_no_dot, alphasort);

    fuzz_require(count >= 0, "the folder can be read");
    for (int i = 0; i < count; i++) {
        char *path;

        fuzz_require(asprintf(&path, "%s/%s", folder, entries[i]->d_name) > 0, "there is memory");
        replay_file(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;

        fuzz_require(stat(argv[i], &st) == 0, "the input exists");
        if (S_ISDIR(st.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
