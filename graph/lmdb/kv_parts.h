/* kv_parts: what the files of kv share: kv.c opens and closes a folder, kv_new.c has one that is not finished yet,
 * kv_read.c, kv_window.c and kv_write.c do what their names say, kv_checks.c looks at LMDB's file before LMDB does.
 * kv.h is what others use. */
#ifndef UNKTX_GRAPH_LMDB_KV_PARTS_H
#define UNKTX_GRAPH_LMDB_KV_PARTS_H

#include <lmdb.h>
#include <pthread.h>
#include <string.h>

#include "graph/lmdb/kv.h"
#include "graph/lmdb/path.h"

struct kv {
    char path[4096];
    char env_path[4112];  /* the same, or its sub-folder "unfinished" */
    char data_path[4128]; /* LMDB's files, in env_path */
    char lmdb_lock_path[4128];
    char lock_path[4112];
    enum kv_mode mode; /* KV_READ or KV_WRITE */
    bool unfinished;
    bool has_syncer; /* `syncer` is to be joined */
    bool syncs;      /* it is at work; atomic */
    int sync_code;   /* what went wrong in it, for who has joined it */
    pthread_t syncer;
    struct kv_words words;
    int lock_fd; /* -1: none */
    MDB_env *env;
    bool opened; /* env: what failed has no file */
    MDB_dbi tables[KV_TABLES_MAX];
    const char *const *names;
    unsigned count;
    MDB_dbi main_table; /* LMDB's own, which has a record of each of the others */
    struct paths
        *paths; /* NULL: every page was looked at on opening; else kv_check_path looks at those that LMDB follows */
    pthread_mutex_t lock; /* of the list of views */
    struct kv_view *views;
};

struct kv_view {
    struct kv *kv;
    MDB_txn *txn;
    bool lost; /* could not be brought to the new state */
    struct kv_view *next;
};

struct kv_cursor {
    const struct kv *kv;
    MDB_cursor *cursor;
    unsigned table;
    bool placed; /* at a key */
};

struct kv_txn {
    struct kv *kv;
    MDB_txn *txn;
    MDB_txn *before;   /* reads what the last commit left; NULL: there is none */
    int code;          /* of the call that failed */
    unsigned appended; /* a bit for each table: kv_check_end has looked at its end */
};

static inline MDB_val kv_value(const void *bytes, size_t size)
{
    /* LMDB's values are not const; it does not write to them. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (MDB_val){.mv_size = size, .mv_data = (void *)(uintptr_t)bytes};
}

static inline bool kv_begins_with(const MDB_val *key, const MDB_val *prefix)
{
    return key->mv_size >= prefix->mv_size && memcmp(key->mv_data, prefix->mv_data, prefix->mv_size) == 0;
}

/* ---- kv.c ---- */

/* For fault_errno_place. */
#define KV_OTHER "another folder for it"

/* Turns an LMDB or errno code into a fault; MDB_SUCCESS is none. "cannot `doing` the store". `need`: bytes that a write
 * asks for, for the text of a full disk. */
enum status kv_fault(const struct kv *kv, int code, const char *doing, size_t need, struct fault *fault);
/* STATUS_REFUSED: what is not finished, such as what a process left that ended before its first commit. */
enum status kv_not_finished(const struct kv *kv, struct fault *fault);
/* The same where something was begun; else STATUS_NOT_FOUND. */
enum status kv_nothing_here(const struct kv *kv, struct fault *fault);
/* After MDB_MAP_FULL, with no transaction open. An LMDB or errno code. */
int kv_grow_map(struct kv *kv);

/* LMDB's files are in that folder from now on. */
void kv_set_env_path(struct kv *kv, const char *path);

/* ---- kv_new.c ---- */

/* For KV_NEW, under the lock: deletes what an earlier one left, and chooses where LMDB's files are to be. */
enum status kv_begin_unfinished(struct kv *kv, struct fault *fault) MUST_CHECK;
/* Whether something is there that is not finished. */
bool kv_is_begun(const struct kv *kv);
/* After a commit: the disk gets all that there is, unless it is at work with what was before, so that kv_finish finds
 * little left. Nobody waits for it. An LMDB or errno code: what went wrong the last time. */
int kv_sync_beside(struct kv *kv);
/* Waits for that. */
void kv_end_sync(struct kv *kv);
/* After LMDB has closed its files. */
void kv_delete_unfinished(const struct kv *kv);

/* ---- kv_checks.c ---- */

/* Before LMDB opens the file. *size gets its size; 0: LMDB begins it. */
enum status kv_check_data(const struct kv *kv, size_t *size, struct fault *fault) MUST_CHECK;
/* After LMDB has opened it and before the first key: all pages that hold keys, or, of a large file, opens
 * kv->paths, by which kv_check_path looks at the others. */
enum status kv_check_opened(struct kv *kv, struct fault *fault) MUST_CHECK;
/* Before LMDB goes to a key in that transaction, or from it. */
enum status kv_check_path(const struct kv *kv, MDB_txn *txn, unsigned table, const MDB_val *key, enum path_reach reach,
                          struct fault *fault) MUST_CHECK;

/* These give an LMDB code. Before the value of a key is deleted or overwritten. */
int kv_check_old(const struct kv_txn *txn, unsigned table, MDB_val *key);
/* The same for all keys from `key` on, those that begin with it, or all of the table (the empty key). */
int kv_check_old_from(const struct kv_txn *txn, unsigned table, const MDB_val *key, bool prefix);
/* Before a key is put after all others. */
int kv_check_end(struct kv_txn *txn, unsigned table, const MDB_val *key);

#endif
