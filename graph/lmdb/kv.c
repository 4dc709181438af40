#define _GNU_SOURCE /* fallocate */
#include "graph/lmdb/kv_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "graph/lmdb/path.h"
#include "graph/test_hooks.h"
#include "parser/file.h"
#include "parser/mem.h"

#define DEFAULT_MAP_STEP ((size_t)1 << 30)
#define READERS_MAX 512u
#define TURN_PAUSES 2000u          /* of a millisecond each */
#define LOCK_FILE_SIZE (40u << 10) /* holds the readers, at 64 bytes each, and what LMDB has before them */

static size_t map_step = DEFAULT_MAP_STEP;

void kv_map_step(size_t bytes) { map_step = bytes > 0 ? bytes : DEFAULT_MAP_STEP; }

/* EIO is what LMDB makes of a write that came up short. */
static bool lacks_room(int code) { return code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO; }

/* Whether the file may grow by so much, as far as this process's limit goes. */
static bool may_grow(const struct kv *kv, size_t need)
{
    struct rlimit limit;
    struct stat info;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || stat(kv->data_path, &info) != 0)
        return true;
    return (rlim_t)info.st_size + need < limit.rlim_cur;
}

static bool is_full(const struct kv *kv, size_t need)
{
    struct statvfs disk;
    return statvfs(kv->data_path, &disk) == 0 && disk.f_bavail * disk.f_frsize < need;
}

static enum status no_room(const struct kv *kv, int code, size_t need, struct fault *fault)
{
    bool limited = code == EFBIG || (code == EIO && !may_grow(kv, need));
    bool no_inodes = code == ENOSPC && fault_lacks_inodes(kv->data_path);
    const char *what = limited                             ? "File too large"
                       : code == EDQUOT                    ? "your disk quota is used up"
                       : no_inodes                         ? "no inodes are left on the disk"
                       : code == EIO && !is_full(kv, need) ? "the disk is full, or damaged"
                                                           : "the disk is full";
    return fault_set(fault, STATUS_IO, kv->data_path, FAULT_NO_OFFSET,
                     "%s: some %zu MiB more are needed at once. %s and run the same command again: %s", what,
                     (need >> 20) + 1,
                     limited     ? "Raise the limit (ulimit -f, or that of the file system)"
                     : no_inodes ? "Delete some files"
                                 : "Free some space",
                     kv->unfinished ? "all is made anew then, since nothing is kept of what is not finished"
                                    : "nothing that was committed is lost");
}

enum status kv_fault(const struct kv *kv, int code, const char *doing, size_t need, struct fault *fault)
{
    const char *noun = kv->words.noun, *verb = kv->words.verb;
    if (lacks_room(code) && (need > 0 || kv->mode != KV_READ))
        return no_room(kv, code, need, fault);
    switch (code) {
    case MDB_SUCCESS: return STATUS_OK;
    case ENOMEM: return fault_nomem(fault);
    case MDB_INVALID:
    case MDB_NOTFOUND:
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET, "this is not an unktx %s", noun);
    case MDB_VERSION_MISMATCH:
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                         "written by an LMDB library of another format: delete the %s and run 'unktx %s' again", noun,
                         verb);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC: return kv_damaged(kv, mdb_strerror(code), fault);
    case MDB_MAP_RESIZED:
        return fault_set(fault, STATUS_BUSY, kv->data_path, FAULT_NO_OFFSET,
                         "a %s made the %s much larger meanwhile: run the command again", verb, noun);
    case MDB_READERS_FULL:
        return fault_set(fault, STATUS_RESOURCES, kv->data_path, FAULT_NO_OFFSET,
                         "%u processes and threads read the %s at this moment, and no more can", READERS_MAX, noun);
    default:
        errno = code;
        if (code > 0)
            return fault_errno(fault, kv->data_path, FAULT_NO_OFFSET, "cannot %s the %s", doing, noun);
        return fault_set(fault, STATUS_IO, kv->data_path, FAULT_NO_OFFSET, "cannot %s the %s: %s", doing, noun,
                         mdb_strerror(code));
    }
}

enum status kv_damaged(const struct kv *kv, const char *what, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                     "the %s is damaged (%s): delete it and run 'unktx %s' again", kv->words.noun, what,
                     kv->words.verb);
}

const char *kv_path(const struct kv *kv) { return kv->path; }
const char *kv_data_path(const struct kv *kv) { return kv->data_path; }

/* ---- opening ---- */

void kv_set_env_path(struct kv *kv, const char *path)
{
    snprintf(kv->env_path, sizeof kv->env_path, "%s", path);
    snprintf(kv->data_path, sizeof kv->data_path, "%s/data.mdb", kv->env_path);
    snprintf(kv->lmdb_lock_path, sizeof kv->lmdb_lock_path, "%s/lock.mdb", kv->env_path);
}

static bool set_paths(struct kv *kv, const char *path)
{
    int size = snprintf(kv->path, sizeof kv->path, "%s", path);
    kv_set_env_path(kv, kv->path);
    snprintf(kv->lock_path, sizeof kv->lock_path, "%s/writer.lock", kv->path);
    return size > 0 && (size_t)size < sizeof kv->path;
}

/* The lock is held as long as the file is open: until kv_close or the end of the process, however it ends. */
static enum status lock_for_writing(struct kv *kv, struct fault *fault)
{
    const char *noun = kv->words.noun;
    if (mkdir(kv->path, 0777) != 0 && errno != EEXIST)
        return fault_errno_place(fault, kv->path, FAULT_NO_OFFSET, KV_OTHER, "cannot create the folder of the %s",
                                 noun);
    kv->lock_fd = file_open_again(kv->lock_path, O_RDWR | O_CREAT | O_NONBLOCK);
    if (kv->lock_fd < 0)
        return fault_errno_place(fault, kv->lock_path, FAULT_NO_OFFSET, KV_OTHER, "cannot write to the %s", noun);
    if (flock(kv->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno != EWOULDBLOCK)
        return fault_errno(fault, kv->lock_path, FAULT_NO_OFFSET, "cannot lock the %s", noun);
    return fault_set(fault, STATUS_BUSY, kv->lock_path, FAULT_NO_OFFSET,
                     "another unktx is writing to this %s: wait for it, or choose another folder", noun);
}

enum status kv_not_finished(const struct kv *kv, struct fault *fault)
{
    return fault_set(fault, STATUS_REFUSED, kv->path, FAULT_NO_OFFSET,
                     "the %s is not finished: type the same 'unktx %s' again, or wait for the one that runs",
                     kv->words.noun, kv->words.verb);
}

enum status kv_nothing_here(const struct kv *kv, struct fault *fault)
{
    if (kv_is_begun(kv))
        return kv_not_finished(kv, fault);
    return fault_set(
        fault, STATUS_NOT_FOUND, kv->path, FAULT_NO_OFFSET,
        "there is no %s here: 'unktx %s' makes one (with the same --store, if that was given); or name it with --store",
        kv->words.noun, kv->words.verb);
}

static size_t map_size_for(size_t file_size)
{
    size_t size = file_size + file_size / 4;
    return (size / map_step + 1) * map_step;
}

int kv_grow_map(struct kv *kv)
{
    MDB_envinfo info;
    int code = mdb_env_info(kv->env, &info);
    if (code != MDB_SUCCESS)
        return code;
    size_t more = info.me_mapsize / 4 > map_step ? info.me_mapsize / 4 : map_step;
    if (more > SIZE_MAX / 2 - info.me_mapsize)
        return ENOMEM;
    return mdb_env_set_mapsize(kv->env, (info.me_mapsize + more) / map_step * map_step);
}

void kv_let_go(const uint8_t *value, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)value / page * page;
    (void)!madvise((void *)first, (uintptr_t)value + size - first, MADV_DONTNEED);
}

/* LMDB maps its lock file: on a full disk, writing to a page that has no place there would end the program. Some
 * file systems cannot reserve space: there this changes nothing. */
static enum status place_lock_file(const struct kv *kv, const char *path, struct fault *fault)
{
    int fd = file_open_again(path, O_RDWR | O_CREAT | O_NONBLOCK);
    if (fd < 0)
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, KV_OTHER, "cannot write to the %s", kv->words.noun);
    int code = fallocate(fd, 0, 0, LOCK_FILE_SIZE) == 0 ? MDB_SUCCESS : errno;
    close(fd);
    return lacks_room(code) ? kv_fault(kv, code, "open", LOCK_FILE_SIZE, fault) : STATUS_OK;
}

/* What is wrong with LMDB's lock file is told of that file: the data is not affected. */
static enum status check_lock_file(const struct kv *kv, const char *path, struct fault *fault)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                         "LMDB's lock file is no file but %s: delete it, and run the command again (the %s itself is "
                         "not affected)",
                         file_kind(info.st_mode), kv->words.noun);
    return kv->mode == KV_WRITE ? place_lock_file(kv, path, fault) : STATUS_OK;
}

/* In LMDB 0.9.27 to 0.9.31 (Debian 13 has it) the last process that closes an environment destroys the mutexes in its
 * lock file, and one that comes to open it at this moment takes them for whole: whatever it does then fails with EINVAL
 * (ITS#10095). So processes open and close it one by one: who does holds a lock of data.mdb, which nobody else locks
 * (LMDB locks its lock file, hidden_store the folder). That takes less than a millisecond. Where another program has
 * that lock, or a process was stopped with it, a process waits once in vain, for two seconds, and then no more. Takes
 * the file; returns what to close: -1 where there is none yet, which nobody else reads then. */
static int wait_for_turn(int fd)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    static atomic_bool in_vain;
    for (unsigned i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++) {
        if (i == TURN_PAUSES)
            in_vain = true;
        if (in_vain)
            break;
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* By the open file: its folder may have another name by now, and another file its own. */
static int wait_to_close(const struct kv *kv)
{
    int fd;
    bool has = kv->opened && mdb_env_get_fd(kv->env, &fd) == MDB_SUCCESS;
    return has ? wait_for_turn(fcntl(fd, F_DUPFD_CLOEXEC, 0)) : -1;
}

static void end_turn(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* No room for the map, or a lock file that is none: data.mdb was looked at. */
static enum status cannot_open(const struct kv *kv, int code, size_t file_size, struct fault *fault)
{
    if (code == ENOMEM)
        return fault_set(fault, STATUS_NOMEM, kv->data_path, FAULT_NO_OFFSET,
                         "out of memory to map the %s: it takes %zu MiB of addresses (raise ulimit -v)", kv->words.noun,
                         map_size_for(file_size) >> 20);
    return fault_set(fault, STATUS_FORMAT, kv->lmdb_lock_path, FAULT_NO_OFFSET,
                     "this is not LMDB's lock file, or one of another format: delete it while no unktx is at work "
                     "here, and run the command again (the %s itself is not affected)",
                     kv->words.noun);
}

static enum status open_environment(struct kv *kv, struct fault *fault)
{
    size_t file_size;
    enum status status = kv_check_data(kv, &file_size, fault);
    if (status != STATUS_OK)
        return status;
    unsigned flags = MDB_NOTLS | (kv->unfinished ? MDB_NOSYNC : 0);
    const char *path = kv->lmdb_lock_path;
    status = check_lock_file(kv, path, fault);
    if (status != STATUS_OK)
        return status;
    if (kv->mode == KV_READ) {
        flags |= MDB_RDONLY;
        /* Where LMDB's lock file is not there or cannot be written, this process cannot register as a reader; then
         * the folder is one that nobody writes: on a read-only medium, another user's, a copy. */
        if (access(path, R_OK | W_OK) != 0)
            flags |= MDB_NOLOCK;
    }
    int code = mdb_env_create(&kv->env);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxdbs(kv->env, KV_TABLES_MAX);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxreaders(kv->env, READERS_MAX);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_mapsize(kv->env, map_size_for(file_size));
    if (code == MDB_SUCCESS) {
        int turn = wait_for_turn(open(kv->data_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        code = mdb_env_open(kv->env, kv->env_path, flags, 0666);
        kv->opened = code == MDB_SUCCESS;
        end_turn(turn);
    }
    if (code == ENOMEM || (!(flags & MDB_NOLOCK) && (code == MDB_INVALID || code == MDB_VERSION_MISMATCH)))
        return cannot_open(kv, code, file_size, fault);
    int dead;
    if (code == MDB_SUCCESS && !(flags & MDB_NOLOCK))
        code = mdb_reader_check(kv->env, &dead);
    if (code != MDB_SUCCESS && kv->mode == KV_WRITE && file_size == 0)
        unlink(kv->data_path); /* half begun: the next attempt would refuse it */
    return kv_fault(kv, code, "open", 0, fault);
}

static int open_tables(struct kv *kv, MDB_txn *txn, unsigned flags)
{
    int code = mdb_dbi_open(txn, NULL, 0, &kv->main_table);
    for (unsigned i = 0; i < kv->count && code == MDB_SUCCESS; i++)
        code = mdb_dbi_open(txn, kv->names[i], flags, &kv->tables[i]);
    return code;
}

/* In an environment where nothing was ever written. */
static int create_tables(struct kv *kv, MDB_txn *txn, kv_write_fn *create, void *context)
{
    struct kv_txn new = {.kv = kv, .txn = txn};
    new.code = open_tables(kv, txn, MDB_CREATE);
    if (new.code == MDB_SUCCESS && !create(&new, context) && new.code == MDB_SUCCESS)
        new.code = errno;
    return new.code;
}

/* Handles live on after the transaction that opened them only if it commits, also one that only reads. */
static enum status open_handles(struct kv *kv, kv_write_fn *create, void *context, struct fault *fault)
{
    MDB_txn *txn = NULL;
    MDB_stat main_db;
    int code = mdb_env_stat(kv->env, &main_db);
    bool new = code == MDB_SUCCESS &&main_db.ms_entries == 0;
    if (new && kv->mode == KV_READ)
        return kv_not_finished(kv, fault);
    if (code == MDB_SUCCESS)
        code = mdb_txn_begin(kv->env, NULL, new ? 0 : MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS)
        code = new ? create_tables(kv, txn, create, context) : open_tables(kv, txn, 0);
    if (code == MDB_SUCCESS)
        code = mdb_txn_commit(txn);
    else if (txn)
        mdb_txn_abort(txn);
    return kv_fault(kv, code == MDB_INCOMPATIBLE ? MDB_INVALID : code, "open", 0, fault);
}

enum status kv_open(const char *path, enum kv_mode mode, const struct kv_words *words, const char *const *tables,
                    unsigned tables_count, kv_write_fn *create, void *context, struct kv **out, struct fault *fault)
{
    assert(tables_count <= KV_TABLES_MAX && (create || mode == KV_READ));
    *out = NULL;
    struct kv *kv = mem_alloc(1, sizeof *kv);
    if (!kv)
        return fault_nomem(fault);
    kv->mode = mode == KV_READ ? KV_READ : KV_WRITE;
    kv->words = *words;
    kv->lock_fd = -1;
    kv->names = tables;
    kv->count = tables_count;
    pthread_mutex_init(&kv->lock, NULL);
    enum status status = STATUS_OK;
    if (!set_paths(kv, path))
        status = fault_set(fault, STATUS_LIMIT, path, FAULT_NO_OFFSET, "the path of the %s is empty or too long",
                           words->noun);
    if (status == STATUS_OK && mode != KV_READ)
        status = lock_for_writing(kv, fault);
    if (status == STATUS_OK && mode == KV_NEW)
        status = kv_begin_unfinished(kv, fault);
    if (status == STATUS_OK)
        status = open_environment(kv, fault);
    if (status == STATUS_OK)
        status = kv_check_opened(kv, fault);
    if (status == STATUS_OK)
        status = open_handles(kv, create, context, fault);
    if (status == STATUS_OK)
        *out = kv;
    else
        kv_close(kv);
    return status;
}

void kv_close(struct kv *kv)
{
    if (!kv)
        return;
    assert(!kv->views);
    paths_close(kv->paths);
    kv_end_sync(kv);
    if (kv->env) {
        int turn = wait_to_close(kv);
        mdb_env_close(kv->env);
        end_turn(turn);
    }
    if (kv->unfinished)
        kv_delete_unfinished(kv);
    if (kv->lock_fd >= 0)
        close(kv->lock_fd);
    pthread_mutex_destroy(&kv->lock);
    mem_free(kv);
}
