#define _GNU_SOURCE /* fallocate */
#include "graph/lmdb/kv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/lmdb/pages.h"
#include "graph/lmdb/path.h"
#include "graph/test_hooks.h"
#include "parser/mem.h"

#define DEFAULT_MAP_STEP ((size_t)1 << 30)
#define DEFAULT_OPEN_LEAVES 32768u /* leaf pages looked at on opening: 128 MiB at most, which take a disk seconds */
#define READERS_MAX 512u
#define LOCK_FILE_SIZE (40u << 10) /* holds the readers, at 64 bytes each, and what LMDB has in front of them */

static size_t map_step = DEFAULT_MAP_STEP;
static uint64_t open_leaves = DEFAULT_OPEN_LEAVES;

void kv_map_step(size_t bytes) { map_step = bytes > 0 ? bytes : DEFAULT_MAP_STEP; }
void kv_open_leaves(uint64_t pages) { open_leaves = pages; }

struct kv {
    char path[4096], data_path[4112], lock_path[4112];
    enum kv_mode mode;
    struct kv_words words;
    int lock_fd; /* -1: none */
    MDB_env *env;
    MDB_dbi tables[KV_TABLES_MAX];
    const char *const *names;
    unsigned count;
    MDB_dbi main_table;   /* which has the records of the others */
    struct paths *paths;  /* NULL: every page was looked at on opening; otherwise those on the way to a key are then */
    pthread_mutex_t lock; /* of the list of views */
    struct kv_view *views;
};

struct kv_view {
    struct kv *kv;
    MDB_txn *txn;
    bool lost; /* could not be taken to the new state */
    struct kv_view *next;
};

struct kv_cursor {
    const struct kv *kv;
    MDB_cursor *cursor;
    unsigned table;
    bool placed;
};

struct kv_txn {
    struct kv *kv;
    MDB_txn *txn;
    MDB_txn *before;   /* reads what the last commit left; NULL: there is none */
    int code;          /* of the call that failed */
    unsigned appended; /* bits of tables whose end was looked at */
};

static MDB_val value_of(const void *bytes, size_t size)
{
    /* LMDB's values are not const; it does not write to them. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (MDB_val){.mv_size = size, .mv_data = (void *)(uintptr_t)bytes};
}

/* Turns an LMDB or errno code into a fault; 0 is no fault. `need` is of a write. */
static enum status fault_of(const struct kv *kv, int code, const char *doing, size_t need, struct fault *fault)
{
    const char *noun = kv->words.noun, *verb = kv->words.verb;
    switch (code) {
    case MDB_SUCCESS: return STATUS_OK;
    case ENOMEM: return fault_nomem(fault);
    case ENOSPC:
    case EDQUOT:
    case EIO: /* what LMDB makes of a write that came up short */
        return fault_set(
            fault, STATUS_IO, kv->data_path, FAULT_NO_OFFSET,
            "the disk is full%s: some %zu MiB more are needed at once. Free some space and run the same command "
            "again: nothing that was committed is lost",
            code == EIO ? ", or damaged" : "", (need >> 20) + 1);
    case MDB_INVALID:
    case MDB_NOTFOUND:
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET, "this is not an unktx %s", noun);
    case MDB_VERSION_MISMATCH:
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                         "written by an LMDB library of another format: delete the %s and %s again", noun, verb);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC: return kv_damaged(kv, mdb_strerror(code), fault);
    case MDB_MAP_RESIZED:
        return fault_set(fault, STATUS_BUSY, kv->data_path, FAULT_NO_OFFSET,
                         "a %s made the %s much larger meanwhile: run the command again", verb, noun);
    default:
        return fault_set(fault, STATUS_IO, kv->data_path, FAULT_NO_OFFSET, "cannot %s the %s: %s", doing, noun,
                         mdb_strerror(code));
    }
}

enum status kv_damaged(const struct kv *kv, const char *what, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                     "the %s is damaged (%s): delete it and %s again", kv->words.noun, what, kv->words.verb);
}

const char *kv_path(const struct kv *kv) { return kv->path; }
const char *kv_data_path(const struct kv *kv) { return kv->data_path; }

/* ---- opening ---- */

static bool set_paths(struct kv *kv, const char *path)
{
    int size = snprintf(kv->path, sizeof kv->path, "%s", path);
    snprintf(kv->data_path, sizeof kv->data_path, "%s/data.mdb", kv->path);
    snprintf(kv->lock_path, sizeof kv->lock_path, "%s/writer.lock", kv->path);
    return size > 0 && (size_t)size < sizeof kv->path;
}

/* The lock is held as long as the file is open: until kv_close or the end of the process, however it ends. */
static enum status lock_for_writing(struct kv *kv, struct fault *fault)
{
    const char *noun = kv->words.noun;
    if (mkdir(kv->path, 0777) != 0 && errno != EEXIST)
        return fault_errno(fault, kv->path, FAULT_NO_OFFSET, "cannot create the folder of the %s", noun);
    kv->lock_fd = open(kv->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (kv->lock_fd < 0)
        return fault_errno(fault, kv->lock_path, FAULT_NO_OFFSET, "cannot write to the %s", noun);
    if (flock(kv->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno != EWOULDBLOCK)
        return fault_errno(fault, kv->lock_path, FAULT_NO_OFFSET, "cannot lock the %s", noun);
    return fault_set(fault, STATUS_BUSY, kv->lock_path, FAULT_NO_OFFSET,
                     "another unktx %s is writing to this %s: wait for it, or choose another --store", kv->words.verb,
                     noun);
}

/* Also what a process leaves that was ended before its first commit. */
static enum status nothing_here(const struct kv *kv, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, kv->path, FAULT_NO_OFFSET,
                     "there is no %s here: make one with unktx %s, or name it with --store", kv->words.noun,
                     kv->words.verb);
}

static struct pages_file pages_file_of(const struct kv *kv, int fd)
{
    return (struct pages_file){fd, kv->data_path, kv->words.noun, kv->words.verb};
}

/* One that was half begun is begun anew: LMDB would not. */
static enum status look_into_data(const struct kv *kv, int fd, size_t *size, struct fault *fault)
{
    if (pages_are_half_begun(fd, *size)) {
        if (kv->mode == KV_READ)
            return nothing_here(kv, fault);
        *size = 0;
        return ftruncate(fd, 0) == 0
                   ? STATUS_OK
                   : fault_errno(fault, kv->data_path, FAULT_NO_OFFSET, "cannot write to the %s", kv->words.noun);
    }
    if (*size < 8192)
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET,
                         "this is not an unktx %s, or one cut short: delete it and %s again", kv->words.noun,
                         kv->words.verb);
    const struct pages_file file = pages_file_of(kv, fd);
    return pages_check_meta(&file, fault);
}

/* Before LMDB sees the file, since it would take one of less than two pages for a new one and overwrite it. */
static enum status look_at_data(const struct kv *kv, size_t *size, struct fault *fault)
{
    const char *noun = kv->words.noun;
    struct stat info;
    *size = 0;
    if (stat(kv->data_path, &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return fault_errno(fault, kv->data_path, FAULT_NO_OFFSET, "cannot open the %s", noun);
        return kv->mode == KV_READ ? nothing_here(kv, fault) : STATUS_OK;
    }
    if (!S_ISREG(info.st_mode))
        return fault_set(fault, STATUS_FORMAT, kv->data_path, FAULT_NO_OFFSET, "this is not an unktx %s", noun);
    *size = (size_t)info.st_size;
    int fd = open(kv->data_path, (kv->mode == KV_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, kv->data_path, FAULT_NO_OFFSET, "cannot open the %s", noun);
    enum status status = look_into_data(kv, fd, size, fault);
    close(fd);
    return status;
}

static size_t map_size_for(size_t file_size)
{
    size_t size = file_size + file_size / 4;
    return (size / map_step + 1) * map_step;
}

/* LMDB maps its lock file: on a full disk, writing to a page that has no place there would end the program. File
 * systems that cannot give one beforehand are left to their luck. */
static int place_lock_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno;
    int code = fallocate(fd, 0, 0, LOCK_FILE_SIZE) == 0 || errno != ENOSPC ? MDB_SUCCESS : ENOSPC;
    close(fd);
    return code;
}

static enum status open_environment(struct kv *kv, struct fault *fault)
{
    size_t file_size;
    enum status status = look_at_data(kv, &file_size, fault);
    if (status != STATUS_OK)
        return status;
    unsigned flags = MDB_NOTLS;
    int code = MDB_SUCCESS;
    char path[sizeof kv->path + 16];
    snprintf(path, sizeof path, "%s/lock.mdb", kv->path);
    if (kv->mode == KV_READ) {
        flags |= MDB_RDONLY;
        /* Where LMDB's lock file is not there or cannot be written, this process cannot register as a reader; then
         * the folder is one that nobody writes: on a read-only medium, another user's, a copy. */
        if (access(path, R_OK | W_OK) != 0)
            flags |= MDB_NOLOCK;
    } else {
        code = place_lock_file(path);
    }
    if (code == MDB_SUCCESS)
        code = mdb_env_create(&kv->env);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxdbs(kv->env, KV_TABLES_MAX);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxreaders(kv->env, READERS_MAX);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_mapsize(kv->env, map_size_for(file_size));
    if (code == MDB_SUCCESS)
        code = mdb_env_open(kv->env, kv->path, flags, 0666);
    int dead;
    if (code == MDB_SUCCESS && !(flags & MDB_NOLOCK))
        code = mdb_reader_check(kv->env, &dead);
    if (code != MDB_SUCCESS && kv->mode == KV_WRITE && file_size == 0)
        unlink(kv->data_path); /* half begun: the next attempt would take it for something else */
    return fault_of(kv, code, "open", 0, fault);
}

/* Before LMDB follows a page: it believes them all, and one that is damaged, or behind the end of a file cut short,
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
    return code == MDB_SUCCESS ? status : fault_of(kv, code, "open", 0, fault);
}

/* What kv_open looks at: all pages, or, of a large file, those on the way to a key when LMDB goes there. */
static enum status check_some_pages(struct kv *kv, struct fault *fault)
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
        return fault_of(kv, code, "open", 0, fault);
    const struct pages_file file = pages_file_of(kv, fd);
    return paths_open(&file, info.ms_psize, &kv->paths, fault);
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
        return nothing_here(kv, fault);
    if (code == MDB_SUCCESS)
        code = mdb_txn_begin(kv->env, NULL, new ? 0 : MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS)
        code = new ? create_tables(kv, txn, create, context) : open_tables(kv, txn, 0);
    if (code == MDB_SUCCESS)
        code = mdb_txn_commit(txn);
    else if (txn)
        mdb_txn_abort(txn);
    return fault_of(kv, code == MDB_INCOMPATIBLE ? MDB_INVALID : code, "open", 0, fault);
}

enum status kv_open(const char *path, enum kv_mode mode, const struct kv_words *words, const char *const *tables,
                    unsigned tables_count, kv_write_fn *create, void *context, struct kv **out, struct fault *fault)
{
    assert(tables_count <= KV_TABLES_MAX && (create || mode == KV_READ));
    *out = NULL;
    struct kv *kv = mem_alloc(1, sizeof *kv);
    if (!kv)
        return fault_nomem(fault);
    kv->mode = mode;
    kv->words = *words;
    kv->lock_fd = -1;
    kv->names = tables;
    kv->count = tables_count;
    pthread_mutex_init(&kv->lock, NULL);
    enum status status = STATUS_OK;
    if (!set_paths(kv, path))
        status = fault_set(fault, STATUS_LIMIT, path, FAULT_NO_OFFSET, "the path of the %s is empty or too long",
                           words->noun);
    if (status == STATUS_OK && mode == KV_WRITE)
        status = lock_for_writing(kv, fault);
    if (status == STATUS_OK)
        status = open_environment(kv, fault);
    if (status == STATUS_OK)
        status = check_some_pages(kv, fault);
    if (status == STATUS_OK)
        status = open_handles(kv, create, context, fault);
    if (status == STATUS_OK)
        *out = kv;
    else
        kv_close(kv);
    return status;
}

enum status kv_check_pages(const struct kv *kv, struct fault *fault)
{
    bool whole;
    return check_pages(kv, UINT64_MAX, &whole, fault);
}

void kv_close(struct kv *kv)
{
    if (!kv)
        return;
    assert(!kv->views);
    paths_close(kv->paths);
    if (kv->env)
        mdb_env_close(kv->env);
    if (kv->lock_fd >= 0)
        close(kv->lock_fd);
    pthread_mutex_destroy(&kv->lock);
    mem_free(kv);
}

/* Before LMDB goes to a key in that transaction, or from it. */
static enum status check_path(const struct kv *kv, MDB_txn *txn, unsigned table, const MDB_val *key,
                              enum path_reach reach, struct fault *fault)
{
    MDB_val name = value_of(kv->names[table], strlen(kv->names[table])), record;
    if (!kv->paths)
        return STATUS_OK;
    int code = mdb_get(txn, kv->main_table, &name, &record);
    if (code == MDB_SUCCESS && record.mv_size != PATH_RECORD_SIZE)
        code = MDB_CORRUPTED;
    if (code != MDB_SUCCESS)
        return fault_of(kv, code, "read", 0, fault);
    return path_check(kv->paths, record.mv_data, key->mv_data, key->mv_size, reach, fault);
}

/* ---- reading ---- */

enum status kv_view_open(struct kv *kv, struct kv_view **out, struct fault *fault)
{
    *out = NULL;
    struct kv_view *view = mem_alloc(1, sizeof *view);
    if (!view)
        return fault_nomem(fault);
    view->kv = kv;
    pthread_mutex_lock(&kv->lock);
    int code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &view->txn);
    if (code == MDB_SUCCESS) {
        view->next = kv->views;
        kv->views = view;
    }
    pthread_mutex_unlock(&kv->lock);
    if (code != MDB_SUCCESS) {
        mem_free(view);
        return fault_of(kv, code, "read", 0, fault);
    }
    *out = view;
    return STATUS_OK;
}

void kv_view_close(struct kv_view *view)
{
    if (!view)
        return;
    struct kv *kv = view->kv;
    pthread_mutex_lock(&kv->lock);
    struct kv_view **at = &kv->views;
    while (*at != view)
        at = &(*at)->next;
    *at = view->next;
    mdb_txn_abort(view->txn);
    pthread_mutex_unlock(&kv->lock);
    mem_free(view);
}

enum status kv_view_refresh(struct kv_view *view, struct fault *fault)
{
    if (!view->lost)
        mdb_txn_reset(view->txn);
    int code = mdb_txn_renew(view->txn);
    view->lost = code != MDB_SUCCESS;
    return fault_of(view->kv, code, "read", 0, fault);
}

enum status kv_get(const struct kv_view *view, unsigned table, const void *key, size_t key_size, const uint8_t **value,
                   size_t *size, struct fault *fault)
{
    MDB_val k = value_of(key, key_size), v;
    enum status status = view->lost ? STATUS_OK : check_path(view->kv, view->txn, table, &k, PATH_TO, fault);
    if (status != STATUS_OK)
        return status;
    int code = view->lost ? MDB_BAD_TXN : mdb_get(view->txn, view->kv->tables[table], &k, &v);
    if (code == MDB_NOTFOUND)
        return STATUS_NOT_FOUND;
    if (code != MDB_SUCCESS)
        return fault_of(view->kv, code, "read", 0, fault);
    *value = v.mv_data;
    *size = v.mv_size;
    return STATUS_OK;
}

enum status kv_cursor_open(const struct kv_view *view, unsigned table, struct kv_cursor **out, struct fault *fault)
{
    *out = NULL;
    struct kv_cursor *cursor = mem_alloc(1, sizeof *cursor);
    if (!cursor)
        return fault_nomem(fault);
    cursor->kv = view->kv;
    cursor->table = table;
    int code = view->lost ? MDB_BAD_TXN : mdb_cursor_open(view->txn, view->kv->tables[table], &cursor->cursor);
    if (code != MDB_SUCCESS) {
        mem_free(cursor);
        return fault_of(view->kv, code, "read", 0, fault);
    }
    *out = cursor;
    return STATUS_OK;
}

void kv_cursor_close(struct kv_cursor *cursor)
{
    if (!cursor)
        return;
    mdb_cursor_close(cursor->cursor);
    mem_free(cursor);
}

static enum status check_step(const struct kv_cursor *cursor, const MDB_val *key, struct fault *fault)
{
    return check_path(cursor->kv, mdb_cursor_txn(cursor->cursor), cursor->table, key, PATH_STEP, fault);
}

/* To a key (MDB_SET_RANGE), or one step from where the cursor is. */
static enum status move(struct kv_cursor *cursor, MDB_cursor_op op, MDB_val *key, struct kv_pair *pair,
                        struct fault *fault)
{
    MDB_val value;
    enum status status = check_step(cursor, key, fault);
    if (status != STATUS_OK)
        return status;
    int code = mdb_cursor_get(cursor->cursor, key, &value, op);
    if (code == MDB_NOTFOUND)
        return STATUS_NOT_FOUND;
    if (code != MDB_SUCCESS)
        return fault_of(cursor->kv, code, "read", 0, fault);
    cursor->placed = true;
    *pair = (struct kv_pair){key->mv_data, value.mv_data, key->mv_size, value.mv_size};
    return STATUS_OK;
}

enum status kv_next(struct kv_cursor *cursor, struct kv_pair *pair, struct fault *fault)
{
    MDB_val key = {0}, value;
    int code = cursor->placed ? mdb_cursor_get(cursor->cursor, &key, &value, MDB_GET_CURRENT) : MDB_SUCCESS;
    if (code != MDB_SUCCESS)
        return fault_of(cursor->kv, code, "read", 0, fault);
    return move(cursor, MDB_NEXT, &key, pair, fault);
}

enum status kv_floor(struct kv_cursor *cursor, const void *key, size_t key_size, struct kv_pair *pair,
                     struct fault *fault)
{
    MDB_val k = value_of(key, key_size);
    enum status status = move(cursor, MDB_SET_RANGE, &k, pair, fault);
    if (status == STATUS_NOT_FOUND)
        return move(cursor, MDB_LAST, &k, pair, fault);
    if (status != STATUS_OK)
        return status;
    return k.mv_size == key_size && memcmp(k.mv_data, key, key_size) == 0 ? STATUS_OK
                                                                          : move(cursor, MDB_PREV, &k, pair, fault);
}

/* ---- writing ---- */

static bool done(struct kv_txn *txn, int code)
{
    txn->code = code;
    return code == MDB_SUCCESS;
}

/* LMDB frees as many pages of a value as the first of them says. */
static int check_value(const struct kv_txn *txn, const MDB_val *value)
{
    MDB_stat info;
    int fd;
    int code = mdb_env_stat(txn->kv->env, &info);
    if (code == MDB_SUCCESS)
        code = mdb_env_get_fd(txn->kv->env, &fd);
    if (code != MDB_SUCCESS)
        return code;
    return pages_value_is_sound(fd, info.ms_psize, value->mv_data, value->mv_size) ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* Pages of the state before, which are those that this transaction has not written itself. */
static int check_old_path(const struct kv_txn *txn, unsigned table, const MDB_val *key)
{
    struct fault fault;
    return check_path(txn->kv, txn->before, table, key, PATH_BOTH, &fault) == STATUS_OK ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* Before the value of a key is deleted or overwritten. What this transaction has written itself is sound. */
static int check_old(const struct kv_txn *txn, unsigned table, MDB_val *key)
{
    MDB_val old;
    if (!txn->before)
        return MDB_SUCCESS;
    int code = check_old_path(txn, table, key);
    if (code == MDB_SUCCESS)
        code = mdb_get(txn->before, txn->kv->tables[table], key, &old);
    return code == MDB_SUCCESS ? check_value(txn, &old) : code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* Before a key is put behind all others: their last page, once a transaction. */
static int check_end(struct kv_txn *txn, unsigned table, const MDB_val *key)
{
    unsigned bit = 1u << table;
    if (!txn->before || txn->appended & bit)
        return MDB_SUCCESS;
    txn->appended |= bit;
    return check_old_path(txn, table, key);
}

static bool begins_with(const MDB_val *key, const MDB_val *prefix)
{
    return key->mv_size >= prefix->mv_size && memcmp(key->mv_data, prefix->mv_data, prefix->mv_size) == 0;
}

/* The same for all keys from `key` on, those that begin with it, or all of the table (the empty key). */
static int check_old_from(const struct kv_txn *txn, unsigned table, const MDB_val *key, bool prefix)
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
    while (code == MDB_SUCCESS && (!prefix || begins_with(&k, key)) && (code = check_value(txn, &v)) == MDB_SUCCESS &&
           (code = check_old_path(txn, table, &k)) == MDB_SUCCESS)
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

static int put(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size,
               unsigned flags)
{
    MDB_val k = value_of(key, key_size), v = value_of(value, size);
    int code = flags & MDB_APPEND ? check_end(txn, table, &k) : check_old(txn, table, &k);
    if (code == MDB_SUCCESS)
        code = mdb_put(txn->txn, txn->kv->tables[table], &k, &v, flags);
    return code == MDB_KEYEXIST ? MDB_CORRUPTED : code; /* its last key is not the one that was written last */
}

bool kv_put(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size)
{
    return done(txn, put(txn, table, key, key_size, value, size, 0));
}

bool kv_append(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size)
{
    return done(txn, put(txn, table, key, key_size, value, size, MDB_APPEND));
}

bool kv_delete(struct kv_txn *txn, unsigned table, const void *key, size_t key_size)
{
    MDB_val k = value_of(key, key_size);
    int code = check_old(txn, table, &k);
    if (code == MDB_SUCCESS)
        code = mdb_del(txn->txn, txn->kv->tables[table], &k, NULL);
    return done(txn, code == MDB_NOTFOUND ? MDB_SUCCESS : code);
}

static bool delete_from(struct kv_txn *txn, unsigned table, const MDB_val *key, bool prefix)
{
    MDB_cursor *cursor = NULL;
    MDB_val k = *key, v;
    int code = check_old_from(txn, table, key, prefix);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_open(txn->txn, txn->kv->tables[table], &cursor);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && (!prefix || begins_with(&k, key))) {
        code = mdb_cursor_del(cursor, 0);
        if (code == MDB_SUCCESS)
            code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    if (cursor)
        mdb_cursor_close(cursor);
    return done(txn, code == MDB_NOTFOUND ? MDB_SUCCESS : code);
}

bool kv_delete_from(struct kv_txn *txn, unsigned table, const void *key, size_t key_size)
{
    const MDB_val k = value_of(key, key_size);
    return delete_from(txn, table, &k, false);
}

bool kv_delete_prefix(struct kv_txn *txn, unsigned table, const void *prefix, size_t size)
{
    const MDB_val k = value_of(prefix, size);
    return delete_from(txn, table, &k, true);
}

bool kv_clear(struct kv_txn *txn, unsigned table)
{
    const MDB_val all = {0};
    int code = check_old_from(txn, table, &all, false);
    return done(txn, code == MDB_SUCCESS ? mdb_drop(txn->txn, txn->kv->tables[table], 0) : code);
}

static int grow_map(struct kv *kv)
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

static void rest_views(struct kv *kv)
{
    for (struct kv_view *view = kv->views; view; view = view->next)
        if (!view->lost)
            mdb_txn_reset(view->txn);
}

static int wake_views(struct kv *kv)
{
    int first = MDB_SUCCESS;
    for (struct kv_view *view = kv->views; view; view = view->next) {
        int code = view->lost ? MDB_SUCCESS : mdb_txn_renew(view->txn);
        view->lost |= code != MDB_SUCCESS;
        if (first == MDB_SUCCESS)
            first = code;
    }
    return first;
}

static int write_once(struct kv *kv, kv_write_fn *write, void *context)
{
    struct kv_txn txn = {.kv = kv};
    int code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn.before);
    if (code == MDB_SUCCESS)
        code = mdb_txn_begin(kv->env, NULL, 0, &txn.txn);
    if (code == MDB_SUCCESS && !write(&txn, context))
        code = txn.code != MDB_SUCCESS ? txn.code : EINVAL;
    if (code == MDB_SUCCESS)
        code = mdb_txn_commit(txn.txn);
    else if (txn.txn)
        mdb_txn_abort(txn.txn);
    if (txn.before)
        mdb_txn_abort(txn.before);
    return code;
}

/* No transaction of this process may live while the map changes, hence the rest for the views. */
enum status kv_write(struct kv *kv, size_t need, kv_write_fn *write, void *context, struct fault *fault)
{
    assert(kv->mode == KV_WRITE);
    pthread_mutex_lock(&kv->lock);
    rest_views(kv);
    int code;
    do {
        code = write_once(kv, write, context);
        if (code == MDB_MAP_FULL) {
            code = grow_map(kv);
            if (code == MDB_SUCCESS)
                code = MDB_MAP_FULL;
        }
    } while (code == MDB_MAP_FULL);
    int awake = wake_views(kv);
    pthread_mutex_unlock(&kv->lock);
    return fault_of(kv, code != MDB_SUCCESS ? code : awake, "write to", need, fault);
}
