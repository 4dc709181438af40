#define _GNU_SOURCE /* O_TMPFILE */
#include "cli/output/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/signals.h"
#include "parser/mem.h"

#define PREFIX ".unktx-"
#define SUFFIX ".part"
#define LOCKED ".lock" /* as long as the other */
#define NAME_SIZE (sizeof PREFIX SUFFIX + 16)
#define STALE_S (24 * 60 * 60)
#define ATTEMPTS 16

/* The folder of the target with its last slash; "" is the working folder. */
static size_t folder_size(const char *target)
{
    const char *slash = strrchr(target, '/');
    return slash ? (size_t)(slash - target) + 1 : 0;
}

static char *in_folder(const char *target, const char *name)
{
    size_t folder = folder_size(target), size = folder + strlen(name) + 1;
    char *path = mem_alloc(size, 1);
    if (path)
        snprintf(path, size, "%.*s%s", (int)folder, target, name);
    return path;
}

/* Random, so that nobody can plant a file before; 64 bits, so that two never meet. */
static char *new_name(const char *target, const char *suffix)
{
    char name[NAME_SIZE];
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL); /* O_EXCL keeps it safe */
    snprintf(name, sizeof name, PREFIX "%016" PRIx64 "%s", number, suffix);
    return in_folder(target, name);
}

char *temporary_spare(const char *target) { return new_name(target, SUFFIX); }

/* ---- what earlier runs left ---- */

/* A file that is locked as long as it has the name is nobody's once it can be locked; any other may wait for its turn
 * to be put in place. */
static void remove_if_stale(int folder, const char *name, bool at_once)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        (at_once || st.st_mtime < time(NULL) - STALE_S) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

static bool has_form(const char *name, const char *suffix)
{
    return strlen(name) == NAME_SIZE - 1 && strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 &&
           strcmp(name + NAME_SIZE - sizeof SUFFIX, suffix) == 0;
}

bool temporary_is_name(const char *name) { return has_form(name, SUFFIX) || has_form(name, LOCKED); }

static void remove_stale(const char *folder)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    while (listing && (entry = readdir(listing)) != NULL) {
        bool locked = has_form(entry->d_name, LOCKED);
        if (locked || has_form(entry->d_name, SUFFIX))
            remove_if_stale(dirfd(listing), entry->d_name, locked);
    }
    if (listing)
        closedir(listing);
}

/* ---- a new one ---- */

/* Without /proc such a file could not get a name. */
static int open_nameless(const char *folder)
{
    if (access("/proc/self/fd", X_OK) != 0)
        return -1;
    return open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
}

static enum status open_named(const char *target, int *fd, char **name, struct fault *fault)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        *name = new_name(target, SUFFIX);
        if (!*name)
            return fault_nomem(fault);
        signals_remember_file(*name);
        *fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (*fd >= 0)
            return STATUS_OK;
        int error = errno;
        signals_forget_file(*name);
        mem_free(*name);
        *name = NULL;
        errno = error;
        if (error != EEXIST && error != EINTR)
            break;
    }
    return fault_errno_place(fault, target, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be written");
}

enum status temporary_open(const char *target, int *fd, char **name, struct fault *fault)
{
    *name = NULL;
    char *folder = in_folder(target, ".");
    if (!folder)
        return fault_nomem(fault);
    remove_stale(folder);
    *fd = open_nameless(folder);
    mem_free(folder);
    enum status status = *fd < 0 ? open_named(target, fd, name, fault) : STATUS_OK;
    if (status == STATUS_OK)
        (void)flock(*fd, LOCK_EX | LOCK_NB); /* says that somebody has it; some file systems have no locks */
    return status;
}

static enum status give_name(const char *target, int fd, const char *suffix, char **name, struct fault *fault)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    for (int i = 0; i < ATTEMPTS; i++) {
        *name = new_name(target, suffix);
        if (!*name)
            return fault_nomem(fault);
        signals_remember_file(*name);
        if (linkat(AT_FDCWD, link, AT_FDCWD, *name, AT_SYMLINK_FOLLOW) == 0)
            return STATUS_OK;
        int error = errno;
        signals_forget_file(*name);
        mem_free(*name);
        *name = NULL;
        errno = error;
        if (error != EEXIST)
            break;
    }
    return fault_errno_place(fault, target, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be put in place");
}

enum status temporary_name(const char *target, int fd, char **name, struct fault *fault)
{
    return give_name(target, fd, SUFFIX, name, fault);
}

enum status temporary_name_locked(const char *target, int fd, char **name, struct fault *fault)
{
    return give_name(target, fd, LOCKED, name, fault);
}
