#include "faults/starve.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz/judge.h"

static unsigned count, fails_at;
static bool fails_for_good;

void starve_begin(unsigned at, bool for_good)
{
    count = 0;
    fails_at = at;
    fails_for_good = for_good;
}

unsigned starve_count(void)
{
    return count;
}

bool starve_happened(void)
{
    return fails_at > 0 && count >= fails_at;
}

static bool fails(void)
{
    if (judge_call() == 0)
        return false;
    count++;
    if (fails_at == 0 || (count != fails_at && !(fails_for_good && count > fails_at)))
        return false;
    errno = ENOMEM;
    return true;
}

#ifdef STARVE_WRAPS /* --wrap of the linker */
#define TAKES(name) __wrap_##name
#define REAL(name)  __real_##name
#else /* in the place of libc's, whose own have a second name */
#define TAKES(name) name
#define REAL(name)  __libc_##name
#endif
#define VISIBLE __attribute__((visibility("default")))

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *block, size_t size);
VISIBLE void *TAKES(malloc)(size_t size);
VISIBLE void *TAKES(calloc)(size_t n, size_t size);
VISIBLE void *TAKES(realloc)(void *block, size_t size);
VISIBLE void *TAKES(mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset);
VISIBLE int TAKES(mlock)(const void *at, size_t size);
VISIBLE int TAKES(madvise)(void *at, size_t size, int advice);

VISIBLE void *TAKES(malloc)(size_t size)
{
    return fails() ? NULL : REAL(malloc)(size);
}

VISIBLE void *TAKES(calloc)(size_t n, size_t size)
{
    return fails() ? NULL : REAL(calloc)(n, size);
}

VISIBLE void *TAKES(realloc)(void *block, size_t size)
{
    return fails() ? NULL : REAL(realloc)(block, size);
}

VISIBLE void *TAKES(mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails() ? MAP_FAILED : (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

VISIBLE int TAKES(mlock)(const void *at, size_t size)
{
    return fails() ? -1 : (int)syscall(SYS_mlock, at, size);
}

VISIBLE int TAKES(madvise)(void *at, size_t size, int advice)
{
    return fails() ? -1 : (int)syscall(SYS_madvise, at, size, advice);
}

#ifdef STARVE_WRAPS /* what calls them inside of libraries, out of the linker's reach */
char *REAL(strdup)(const char *text);
char *TAKES(strdup)(const char *text);
int TAKES(asprintf)(char **text, const char *format, ...);
FILE *REAL(fopen)(const char *path, const char *mode);
FILE *TAKES(fopen)(const char *path, const char *mode);
FILE *REAL(fdopen)(int fd, const char *mode);
FILE *TAKES(fdopen)(int fd, const char *mode);
ssize_t REAL(getline)(char **line, size_t *size, FILE *stream);
ssize_t TAKES(getline)(char **line, size_t *size, FILE *stream);
void *REAL(sodium_malloc)(size_t size);
void *TAKES(sodium_malloc)(size_t size);
int REAL(sodium_mlock)(void *at, size_t size);
int TAKES(sodium_mlock)(void *at, size_t size);

char *TAKES(strdup)(const char *text)
{
    return fails() ? NULL : REAL(strdup)(text);
}

int TAKES(asprintf)(char **text, const char *format, ...)
{
    va_list arguments;
    int len;

    if (fails()) {
        *text = NULL;
        return -1;
    }
    va_start(arguments, format);
    len = vasprintf(text, format, arguments);
    va_end(arguments);
    return len;
}

FILE *TAKES(fopen)(const char *path, const char *mode)
{
    return fails() ? NULL : REAL(fopen)(path, mode);
}

FILE *TAKES(fdopen)(int fd, const char *mode)
{
    return fails() ? NULL : REAL(fdopen)(fd, mode);
}

ssize_t TAKES(getline)(char **line, size_t *size, FILE *stream)
{
    return fails() ? -1 : REAL(getline)(line, size, stream);
}

void *TAKES(sodium_malloc)(size_t size)
{
    return fails() ? NULL : REAL(sodium_malloc)(size);
}

int TAKES(sodium_mlock)(void *at, size_t size)
{
    return fails() ? -1 : REAL(sodium_mlock)(at, size);
}
#endif
