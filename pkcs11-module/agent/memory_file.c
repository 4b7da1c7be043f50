#include "pkcs11-module/agent/memory_file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than nearly every message has. What lies behind the file's end takes no memory. */
#define USUAL_SIZE 65536

bool memory_file_open(struct memory_file *file)
{
    struct memory_file made = {.fd = memfd_create("pinward-agent", MFD_CLOEXEC), .mapped = USUAL_SIZE};

    if (made.fd < 0)
        return false;
    made.bytes = mmap(NULL, made.mapped, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd, 0);
    if (made.bytes == MAP_FAILED) {
        close(made.fd);
        return false;
    }
    *file = made;
    return true;
}

/* Pages that are given back are zeroed before anybody gets them: only what stays needs wiping. */
void memory_file_close(struct memory_file *file)
{
    if (file->fd < 0)
        return;
    munmap(file->bytes, file->mapped);
    close(file->fd);
    *file = (struct memory_file){.fd = -1};
}

static bool map(struct memory_file *file, size_t size)
{
    void *moved;

    if (size <= file->mapped)
        return true;
    moved = mremap(file->bytes, file->mapped, size, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return false;
    file->bytes = moved;
    file->mapped = size;
    return true;
}

bool memory_file_set(struct memory_file *file, size_t size)
{
    return map(file, size) && ftruncate(file->fd, (off_t)size) == 0 && lseek(file->fd, 0, SEEK_SET) == 0;
}

bool memory_file_rewind(struct memory_file *file)
{
    return lseek(file->fd, 0, SEEK_SET) == 0;
}

bool memory_file_written(struct memory_file *file, size_t *size)
{
    const off_t at = lseek(file->fd, 0, SEEK_CUR);

    if (at < 0 || !map(file, (size_t)at))
        return false;
    *size = (size_t)at;
    return true;
}

void memory_file_wipe(struct memory_file *file, size_t size)
{
    if (size <= USUAL_SIZE || ftruncate(file->fd, 0) != 0)
        explicit_bzero(file->bytes, size);
}
