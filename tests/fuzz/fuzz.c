#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t max, size_t *len)
{
    const uint8_t *start = input->data;

    *len = input->left < max ? input->left : max;
    input->data += *len;
    input->left -= *len;
    return start;
}

char *fuzz_text(struct fuzz_input *input)
{
    const size_t len = strnlen((const char *)input->data, input->left);
    char *text = strndup((const char *)input->data, len);

    fuzz_require(text != NULL, "there is memory");
    input->data += len;
    input->left -= len;
    (void)fuzz_byte(input);
    return text;
}

void fuzz_require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

const char *fuzz_file(const void *data, size_t len)
{
    static int fd = -1;
    static char path[64];

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        fuzz_require(fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0, "there is a file of memory");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    fuzz_require(ftruncate(fd, 0) == 0 && pwrite(fd, data, len, 0) == (ssize_t)len, "the file takes the input");
    return path;
}

bool fuzz_contains(const void *data, size_t len, const char *text)
{
    return memmem(data, len, text, strlen(text)) != NULL;
}
