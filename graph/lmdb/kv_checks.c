/* What is not trusted in LMDB's file, and where that is looked at. All of it is here; the layout of the file, which
 * these functions ask about, is in page.h (one page), pages.h (all of a file) and path.h (the way to a key).
 *
 * LMDB believes its file: it follows a damaged page wherever that points, and the program ends. So before LMDB does,
 *   - opens the file: that it is a file of LMDB's data version, with two sound meta pages, and no shorter than they say
 *     (kv_check_data);
 *   - goes to the first key: each page that holds keys, the place of each large value, and the lists of free pages; of
 *     a large file not the leaf pages, and branch pages only if it is opened for writing (kv_check_opened);
 *   - goes to a key of a large file: the pages on the way to it (kv_check_path);
 *   - deletes or overwrites a value: the number of pages that the value's first page says it has, which LMDB gives back
 *     (kv_check_old, kv_check_old_from), and the pages beside the key's, which it may merge;
 *   - appends to a table: its last page (kv_check_end).
 * What a transaction has written itself is sound. The bytes inside values are the concern of who reads them. */
#include "graph/lmdb/kv_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/lmdb/pages.h"
#include "graph/test_hooks.h"
#include "parser/file.h"

#define DEFAULT_OPEN_LEAVES 32768u /* leaf pages looked at on opening: 128 MiB at most, which take a disk seconds */

static uint64_t open_leaves = DEFAULT_OPEN_LEAVES;

void kv_open_leaves(uint64_t pages) { open_leaves = pages; }

/* ---- on opening ---- */

static struct pages_file pages_file_of(const struct kv *kv, int fd)
{
    return (struct pages_file){fd, kv->data_path, kv->words.noun, kv->words.verb};
}

/* One that was half begun is begun anew: LMDB would not. */
static enum status look_into_data(const struct kv *kv, int fd, size_t *size, struct fault *fault)
{
    if (pages_are_half_begun(fd, *size)) {
        if (kv->mode == KV_READ)
            return kv_not_finished(kv, fault);
        *size = 0;
        return ftruncate(fd, 0) == 0 ? STATUS_OK
                                     : fault_errno_place(fault, kv->data_path, FAULT_NO_OFFSET, KV_OTHER,
                                                         "cannot write to the %s", kv->words.noun);
    }
    if (*size < 8192)
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                         "this is not an unktx %s, or one cut short: delete it and run 'unktx %s' again",
                         kv->words.noun, kv->words.verb);
    const struct pages_file file = pages_file_of(kv, fd);
    return pages_check_meta(&file, fault);
}

static enum status cannot_open(const struct kv *kv, struct fault *fault)
{
    return fault_errno(fault, kv->data_path, FAULT_NO_OFFSET,
                       errno == EACCES || errno == EPERM
                           ? "cannot open the %s (get the permission for it, or name another folder)"
                           : "cannot open the %s",
                       kv->words.noun);
}

/* Before LMDB sees the file, since it would take one of less than two pages for a new one and overwrite it. */
enum status kv_check_data(const struct kv *kv, size_t *size, struct fault *fault)
{
    const char *noun = kv->words.noun;
    struct stat info;
    *size = 0;
    if (stat(kv->data_path, &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return cannot_open(kv, fault);
        return kv->mode == KV_READ ? kv_nothing_here(kv, fault) : STATUS_OK;
    }
    if (!S_ISREG(info.st_mode))
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET, "this is not an unktx %s", noun);
    *size = (size_t)info.st_size;
    int fd = file_open_again(kv->data_path, (kv->mode == KV_READ ? O_RDONLY : O_RDWR) | O_NONBLOCK);
    if (fd < 0)
        return cannot_open(kv, fault);
    enum status status = look_into_data(kv, fd, size, fault);
    close(fd);
    return status;
}

/* Before LMDB follows a page: it believes them all, and one that is damaged, or after the end of a file cut short,
 * would end the program. The transaction keeps other processes from using its pages for something else meanwhile. */
static enum status check_pages(const struct kv *kv, uint64_t leaves, bool *whole, struct fault *fault)
{
    enum { ATTEMPTS = 8 };
    enum status status = STATUS_BUSY;
    int fd;
    int code = mdb_env_get_fd(kv->env, &fd);
    for (int i = 0; i < ATTEMPTS && status == STATUS_BUSY && code == MDB_SUCCESS; i++) {
        MDB_txn *txn = NULL;
        code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn);
        if (code == MDB_SUCCESS) {
            const struct pages_file file = pages_file_of(kv, fd);
            status = pages_check(&file, mdb_txn_id(txn), leaves, kv->mode == KV_WRITE, whole, fault);
            mdb_txn_abort(txn);
        }
    }
    return code == MDB_SUCCESS ? status : kv_fault(kv, code, "open", 0, fault);
}

enum status kv_check_opened(struct kv *kv, struct fault *fault)
{
    MDB_stat info;
    int fd;
    bool whole;
    enum status status = check_pages(kv, open_leaves, &whole, fault);
    if (status != STATUS_OK || whole)
        return status;
    int code = mdb_env_stat(kv->env, &info);
    if (code == MDB_SUCCESS)
        code = mdb_env_get_fd(kv->env, &fd);
    if (code != MDB_SUCCESS)
        return kv_fault(kv, code, "open", 0, fault);
    const struct pages_file file = pages_file_of(kv, fd);
    return paths_open(&file, info.ms_psize, &kv->paths, fault);
}

enum status kv_check_path(const struct kv *kv, MDB_txn *txn, unsigned table, const MDB_val *key, enum path_reach reach,
                          struct fault *fault)
{
    MDB_val name = kv_value(kv->names[table], strlen(kv->names[table])), record;
    if (!kv->paths)
        return STATUS_OK;
    int code = mdb_get(txn, kv->main_table, &name, &record);
    if (code == MDB_SUCCESS && record.mv_size != PATH_RECORD_SIZE)
        code = MDB_CORRUPTED;
    if (code != MDB_SUCCESS)
        return kv_fault(kv, code, "read", 0, fault);
    return path_check(kv->paths, record.mv_data, key->mv_data, key->mv_size, reach, fault);
}

enum status kv_check_pages(const struct kv *kv, struct fault *fault)
{
    bool whole;
    return check_pages(kv, UINT64_MAX, &whole, fault);
}

/* ---- before a value is deleted or overwritten ---- */

/* LMDB frees as many pages of a value as the first of them says. */
static int check_value(const struct kv_txn *txn, const MDB_val *key, const MDB_val *value)
{
    MDB_stat info;
    int fd;
    int code = mdb_env_stat(txn->kv->env, &info);
    if (code == MDB_SUCCESS)
        code = mdb_env_get_fd(txn->kv->env, &fd);
    if (code != MDB_SUCCESS)
        return code;
    bool sound;
    code = pages_check_value(fd, info.ms_psize, key->mv_size, value->mv_data, value->mv_size, &sound);
    return code != 0 ? code : sound ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* Pages of the state before, which are those that this transaction has not written itself. */
static int check_old_path(const struct kv_txn *txn, unsigned table, const MDB_val *key)
{
    struct fault fault;
    switch (kv_check_path(txn->kv, txn->before, table, key, PATH_BOTH, &fault)) {
    case STATUS_OK: return MDB_SUCCESS;
    case STATUS_NOMEM: return ENOMEM;
    case STATUS_INTERRUPTED: return EINTR;
    case STATUS_RESOURCES: return ESTALE;
    case STATUS_IO: return EIO;
    default: return MDB_CORRUPTED;
    }
}

int kv_check_old(const struct kv_txn *txn, unsigned table, MDB_val *key)
{
    MDB_val old;
    if (!txn->before)
        return MDB_SUCCESS;
    int code = check_old_path(txn, table, key);
    if (code == MDB_SUCCESS)
        code = mdb_get(txn->before, txn->kv->tables[table], key, &old);
    return code == MDB_SUCCESS ? check_value(txn, key, &old) : code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

int kv_check_end(struct kv_txn *txn, unsigned table, const MDB_val *key)
{
    unsigned bit = 1u << table;
    if (!txn->before || txn->appended & bit)
        return MDB_SUCCESS;
    txn->appended |= bit;
    return check_old_path(txn, table, key);
}

int kv_check_old_from(const struct kv_txn *txn, unsigned table, const MDB_val *key, bool prefix)
{
    MDB_cursor *cursor = NULL;
    MDB_val k = *key, v;
    if (!txn->before)
        return MDB_SUCCESS;
    int code = check_old_path(txn, table, key);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_open(txn->before, txn->kv->tables[table], &cursor);
    if (code != MDB_SUCCESS)
        return code;
    code = mdb_cursor_get(cursor, &k, &v, key->mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (code == MDB_SUCCESS && (!prefix || kv_begins_with(&k, key)) &&
           (code = check_value(txn, &k, &v)) == MDB_SUCCESS && (code = check_old_path(txn, table, &k)) == MDB_SUCCESS)
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}
