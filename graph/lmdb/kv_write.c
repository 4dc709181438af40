#include "graph/lmdb/kv_parts.h"

#include <assert.h>
#include <errno.h>

#include "parser/timings.h"

static bool done(struct kv_txn *txn, int code)
{
    txn->code = code;
    return code == MDB_SUCCESS;
}

static int put(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size,
               unsigned flags)
{
    MDB_val k = kv_value(key, key_size), v = kv_value(value, size);
    int code = flags & MDB_APPEND ? kv_check_end(txn, table, &k) : kv_check_old(txn, table, &k);
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
    MDB_val k = kv_value(key, key_size);
    int code = kv_check_old(txn, table, &k);
    if (code == MDB_SUCCESS)
        code = mdb_del(txn->txn, txn->kv->tables[table], &k, NULL);
    return done(txn, code == MDB_NOTFOUND ? MDB_SUCCESS : code);
}

static bool delete_from(struct kv_txn *txn, unsigned table, const MDB_val *key, bool prefix)
{
    MDB_cursor *cursor = NULL;
    MDB_val k = *key, v;
    int code = kv_check_old_from(txn, table, key, prefix);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_open(txn->txn, txn->kv->tables[table], &cursor);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && (!prefix || kv_begins_with(&k, key))) {
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
    const MDB_val k = kv_value(key, key_size);
    return delete_from(txn, table, &k, false);
}

bool kv_delete_prefix(struct kv_txn *txn, unsigned table, const void *prefix, size_t size)
{
    const MDB_val k = kv_value(prefix, size);
    return delete_from(txn, table, &k, true);
}

bool kv_clear(struct kv_txn *txn, unsigned table)
{
    const MDB_val all = {0};
    int code = kv_check_old_from(txn, table, &all, false);
    return done(txn, code == MDB_SUCCESS ? mdb_drop(txn->txn, txn->kv->tables[table], 0) : code);
}

static void pause_views(struct kv *kv)
{
    for (struct kv_view *view = kv->views; view; view = view->next)
        if (!view->lost)
            mdb_txn_reset(view->txn);
}

static int resume_views(struct kv *kv)
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

static int commit(MDB_txn *txn)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    int code = mdb_txn_commit(txn);
    timings_wait(before);
    return code;
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
        code = commit(txn.txn);
    else if (txn.txn)
        mdb_txn_abort(txn.txn);
    if (txn.before)
        mdb_txn_abort(txn.before);
    return code;
}

/* While the map changes, no transaction of this process may be open: so the views pause. */
enum status kv_write(struct kv *kv, size_t need, kv_write_fn *write, void *context, struct fault *fault)
{
    assert(kv->mode == KV_WRITE);
    timings_lock(&kv->lock);
    pause_views(kv);
    int code;
    do {
        code = write_once(kv, write, context);
        if (code == MDB_MAP_FULL) {
            code = kv_grow_map(kv);
            if (code == MDB_SUCCESS)
                code = MDB_MAP_FULL;
        }
    } while (code == MDB_MAP_FULL);
    int synced = kv_sync_beside(kv), resumed = resume_views(kv);
    if (code == MDB_SUCCESS)
        code = resumed != MDB_SUCCESS ? resumed : synced;
    pthread_mutex_unlock(&kv->lock);
    return kv_fault(kv, code, "write to", need, fault);
}
