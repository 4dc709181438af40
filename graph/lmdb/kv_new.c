/* A folder that is of no use until it is whole. Its commits do not wait for the disk, which a thread of its own does.
 * So when the machine loses its power the disk may have some of their pages and lack others, and LMDB's first two
 * pages may name what is lacking. Therefore the files have another place until the disk has all of them: those that
 * are in their own are sound at any moment. */
#include "graph/lmdb/kv_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/file.h"
#include "parser/timings.h"

#define NAME "/unfinished"

static void unfinished_path(const struct kv *kv, const char *file, char path[4128])
{
    snprintf(path, 4128, "%s" NAME "%s", kv->path, file);
}

bool kv_is_begun(const struct kv *kv)
{
    char path[4128];
    unfinished_path(kv, "/data.mdb", path);
    return access(path, F_OK) == 0;
}

static int refusal_of(int result)
{
    return result != 0 && (errno == EACCES || errno == EPERM || errno == EROFS) ? errno : 0;
}

/* What is behind a link was not made here, and stays. Returns why it was not allowed, or 0. */
static int delete_unfinished(const struct kv *kv)
{
    char path[4128];
    unfinished_path(kv, "", path);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return refusal_of(folder);
    int data = refusal_of(unlinkat(folder, "data.mdb", 0)), lock = refusal_of(unlinkat(folder, "lock.mdb", 0));
    close(folder);
    int self = refusal_of(rmdir(path));
    return data ? data : lock ? lock : self;
}

void kv_delete_unfinished(const struct kv *kv) { (void)delete_unfinished(kv); }

/* `refusal`: why what was there could not be deleted, or 0. */
static enum status make_folder(const struct kv *kv, const char *path, int refusal, struct fault *fault)
{
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return STATUS_OK;
    if (errno != EEXIST || lstat(path, &info) != 0)
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, KV_OTHER, "cannot create the folder of the %s",
                                 kv->words.noun);
    if (refusal) {
        errno = refusal;
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, KV_OTHER,
                                 "what is not finished of the %s is here, and cannot be deleted", kv->words.noun);
    }
    const char *kind = S_ISDIR(info.st_mode) ? "a folder with something else in it" : file_kind(info.st_mode);
    return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                     "what is not finished of the %s is to lie here, but there is %s: move it away, and run the "
                     "command again",
                     kv->words.noun, S_ISLNK(info.st_mode) ? "a link" : kind);
}

enum status kv_begin_unfinished(struct kv *kv, struct fault *fault)
{
    char path[4128];
    struct stat info;
    int refusal = delete_unfinished(kv);
    if (lstat(kv->data_path, &info) == 0 || errno != ENOENT) /* kv_check_data looks at it */
        return STATUS_OK;
    unfinished_path(kv, "", path);
    enum status status = make_folder(kv, path, refusal, fault);
    kv->unfinished = status == STATUS_OK;
    if (kv->unfinished)
        kv_set_env_path(kv, path);
    return status;
}

/* The system tells an error of the disk once: so it is kept. */
static void *sync_data(void *context)
{
    struct kv *kv = context;
    int fd, code = mdb_env_get_fd(kv->env, &fd);
    if (code == MDB_SUCCESS && file_sync(fd) != 0)
        code = errno;
    if (kv->sync_code == MDB_SUCCESS)
        kv->sync_code = code;
    __atomic_store_n(&kv->syncs, false, __ATOMIC_RELEASE);
    return NULL;
}

int kv_sync_beside(struct kv *kv)
{
    if (!kv->unfinished || __atomic_load_n(&kv->syncs, __ATOMIC_ACQUIRE))
        return MDB_SUCCESS;
    kv_end_sync(kv);
    if (kv->sync_code != MDB_SUCCESS)
        return kv->sync_code;
    __atomic_store_n(&kv->syncs, true, __ATOMIC_RELAXED);
    kv->has_syncer = pthread_create(&kv->syncer, NULL, sync_data, kv) == 0;
    if (!kv->has_syncer)
        __atomic_store_n(&kv->syncs, false, __ATOMIC_RELAXED);
    return MDB_SUCCESS;
}

void kv_end_sync(struct kv *kv)
{
    if (kv->has_syncer)
        pthread_join(kv->syncer, NULL);
    kv->has_syncer = false;
}

/* The lock file first: as long as data.mdb is not there nobody else opens them, and who does finds both. */
static int move_files(struct kv *kv)
{
    char data[sizeof kv->data_path], lock[sizeof kv->lmdb_lock_path];
    memcpy(data, kv->data_path, sizeof data);
    memcpy(lock, kv->lmdb_lock_path, sizeof lock);
    kv_set_env_path(kv, kv->path);
    return rename(lock, kv->lmdb_lock_path) == 0 && rename(data, kv->data_path) == 0 ? MDB_SUCCESS : errno;
}

/* That the disk has the new names too: without them all would be begun again after a loss of power, but sound. So it
 * matters little that some file systems cannot do this. */
static void sync_names(const struct kv *kv)
{
    int folder = open(kv->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    (void)fsync(folder);
    close(folder);
}

enum status kv_finish(struct kv *kv, struct fault *fault)
{
    if (!kv->unfinished)
        return STATUS_OK;
    enum timing_wait before = timings_wait(TIMING_DISK);
    kv_end_sync(kv);
    int code = kv->sync_code;
    if (code == MDB_SUCCESS)
        code = mdb_env_sync(kv->env, 1);
    if (code == MDB_SUCCESS)
        code = move_files(kv);
    if (code == MDB_SUCCESS) {
        kv->unfinished = false;
        sync_names(kv);
        kv_delete_unfinished(kv);
        code = mdb_env_set_flags(kv->env, MDB_NOSYNC, 0);
    }
    timings_wait(before);
    return kv_fault(kv, code, "write to", 1, fault);
}
