/* A disk that is really full. The state folder, with ledger, log and counters in it, is on a small tmpfs of a mount namespace of
 * its own, and in a scenario of a whole sitting (faults/scenario.h)
 *
 *  - it is full from the beginning but for so many pages, or has room for so many files only;
 *  - it becomes full after each call in turn;
 *  - it is read-only;
 *  - after each call in turn one of its files is emptied, cut, or overwritten with something else.
 *
 * Each time no private key is used without a consent, and none without its line in the ledger (where that was left as it
 * was), the calls answer what they may, no descriptor is left, and with room the scenario then goes well.
 *
 * PINWARD_FAULTS=all: each of it; else of the harms to a file one after each call. Where nothing can be mounted the test is
 * skipped, and says so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "faults/answers.h"
#include "faults/faulty.h"
#include "faults/scenario.h"
#include "faults/uses.h"
#include "fuzz/folder.h"
#include "fuzz/fuzz.h"
#include "support/process_state.h"

#define HANG_S     60
#define PAGE       4096
#define PAGES_MOST 24
#define FILES_MOST 8
#define SIZE       "size=2m"

enum harm { HARM_NONE, HARM_FILLS, HARM_EMPTIES, HARM_CUTS, HARM_OVERWRITES, HARMS };

static const struct scenario_world *world;
static char disk[] = "/tmp/pinward-full-XXXXXX";
static unsigned points, harmed, steps_made, harm_at;
static enum harm harm;
static bool ledger_is_whole;

/* ------------------------------------------------------------------ the disk */

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* A namespace in which this process may mount: its own, or one in which it is root. */
static bool enter_namespace(void)
{
    char users[64], groups[64];

    if (unshare(CLONE_NEWNS) == 0)
        return true;
    snprintf(users, sizeof users, "%u %u 1", geteuid(), geteuid());
    snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/gid_map", groups) && write_file("/proc/self/uid_map", users);
}

static bool mount_disk(void)
{
    return mkdtemp(disk) && enter_namespace() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", disk, "tmpfs", 0, SIZE ",nr_inodes=4096,mode=0700") == 0;
}

static void unmount_disk(void)
{
    (void)umount2(disk, MNT_DETACH);
    (void)rmdir(disk);
}

static void remount(unsigned long flags, const char *options)
{
    if (mount("tmpfs", disk, "tmpfs", MS_REMOUNT | flags, options) != 0) {
        printf("# remount: %s\n", strerror(errno));
        fuzz_require(false, "the disk is mounted anew");
    }
}

static const char *ballast(void)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/ballast", disk);
    return path;
}

static void fill(unsigned leaves)
{
    static const char page[PAGE];
    const int fd = open(ballast(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    off_t len;

    if (fd < 0)
        return; /* not even for a name */
    len = lseek(fd, 0, SEEK_END);
    for (ssize_t n; (n = write(fd, page, sizeof page)) > 0;)
        len += n;
    if (leaves > 0)
        fuzz_require(ftruncate(fd, len - (off_t)leaves * PAGE) == 0, "some room is left");
    close(fd);
}

static void free_all(void)
{
    (void)unlink(ballast());
}

/* ------------------------------------------------------------------ the harm after a call */

static void harm_file(const char *path)
{
    static const char other[] = "\xff\xfe not what was here\n";
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if (harm == HARM_EMPTIES || harm == HARM_CUTS)
        fuzz_require(ftruncate(fd, harm == HARM_CUTS ? st.st_size / 2 : 0) == 0, "the file is cut");
    else
        fuzz_require(pwrite(fd, other, sizeof other - 1, st.st_size / 2) > 0, "the file is overwritten");
    close(fd);
}

/* The nth file of the folder and of those in it; n goes down by as many as there are. */
static void harm_nth(const char *folder, unsigned *n)
{
    DIR *open_folder = opendir(folder);
    struct dirent *entry;

    while (open_folder && (entry = readdir(open_folder))) {
        char path[512];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR) {
            harm_nth(path, n);
        } else if ((*n)-- == 1) {
            ledger_is_whole = ledger_is_whole && strncmp(entry->d_name, "ledger", 6) != 0;
            harm_file(path);
        }
    }
    if (open_folder)
        closedir(open_folder);
}

static void do_harm(void)
{
    unsigned n = 1 + harm_at % 4;

    if (harm == HARM_FILLS)
        fill(0);
    else
        harm_nth(getenv("XDG_STATE_HOME"), &n);
}

/* ------------------------------------------------------------------ one point */

/* A violation ends the program: at which point? */
static void require(bool holds, const char *what)
{
    static const char *const harms[HARMS] = {"no harm", "full", "file emptied", "file cut", "file overwritten"};

    if (!holds)
        printf("# %s, %s after call %u, point %u\n", world->name, harms[harm], harm_at, points);
    fflush(stdout);
    fuzz_require(holds, what);
}

static void look_at_answer(const struct scenario_step *step)
{
    if (!answers_allow(step->call, step->rv))
        printf("# %s answers 0x%lx\n", answers_name(step->call), step->rv);
    require(answers_allow(step->call, step->rv), "a call answers what it may");
    if (++steps_made == harm_at && harm != HARM_NONE)
        do_harm();
}

static void play(enum harm kind, unsigned at)
{
    const struct fault none = {.kind = FAULT_NONE};
    const int descriptors = process_descriptors();

    harm = kind;
    harm_at = at;
    steps_made = 0;
    ledger_is_whole = true;
    alarm(HANG_S);
    faulty_begin(&none);
    scenario_play(world, look_at_answer);
    require(!ledger_is_whole || uses_made() <= uses_recorded(), "no private key is used without a line in the ledger");
    require(process_descriptors() == descriptors, "no descriptor is left");
}

static void expect_clean_run(void)
{
    free_all();
    play(HARM_NONE, 0);
    require(scenario_went_well() && uses_made() > 1, "with room the scenario goes well");
}

static void try(enum harm kind, unsigned at)
{
    bool well = true;

    play(kind, at);
    free_all();
    for (unsigned i = 0; i < scenario_steps(); i++)
        well = well && scenario_step(i)->well;
    points++;
    harmed += !well;
}

/* ------------------------------------------------------------------ all of it */

static void try_little_room(void)
{
    struct statvfs now;
    char options[64];

    for (unsigned pages = 0; pages < PAGES_MOST; pages++) {
        fill(pages);
        try(HARM_NONE, 0);
    }
    for (unsigned files = 0; files < FILES_MOST; files++) {
        fuzz_folder_empty();
        fuzz_require(statvfs(disk, &now) == 0, "the disk is there");
        snprintf(options, sizeof options, SIZE ",nr_inodes=%lu", (unsigned long)(now.f_files - now.f_ffree) + files);
        remount(0, options);
        try(HARM_NONE, 0);
    }
    remount(0, SIZE ",nr_inodes=4096");
}

static void try_read_only(void)
{
    remount(MS_RDONLY, SIZE);
    try(HARM_NONE, 0);
    remount(0, SIZE);
}

static void try_world(void)
{
    unsigned all;

    expect_clean_run();
    all = scenario_steps();
    try_little_room();
    try_read_only();
    expect_clean_run();
    for (unsigned at = 1; at < all; at++) {
        try(HARM_FILLS, at);
        for (enum harm kind = HARM_EMPTIES; kind < HARMS; kind++)
            if (scenario_tries_all() || at % 3 == kind % 3)
                try(kind, at);
    }
    expect_clean_run();
}

int main(void)
{
    if (!mount_disk()) {
        printf("ok 1 - faults.full # SKIP no file system can be mounted here (%s)\n", strerror(errno));
        (void)rmdir(disk);
        return 0;
    }
    setenv("TMPDIR", disk, 1);
    atexit(unmount_disk);
    for (unsigned i = 0; i < scenario_world_count; i++) {
        world = &scenario_worlds[i];
        if (i == 0)
            scenario_play(world, NULL); /* some of what is opened once stays */
        try_world();
    }
    printf("%u points tried, at %u of them a call failed\n", points, harmed);
    return points > 500 && harmed > 100 ? 0 : 1;
}
