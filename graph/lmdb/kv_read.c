#include "graph/lmdb/kv_parts.h"

#include "parser/mem.h"
#include "parser/timings.h"

enum status kv_view_open(struct kv *kv, struct kv_view **out, struct fault *fault)
{
    *out = NULL;
    struct kv_view *view = mem_alloc(1, sizeof *view);
    if (!view)
        return fault_nomem(fault);
    view->kv = kv;
    timings_lock(&kv->lock);
    int code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &view->txn);
    if (code == MDB_SUCCESS) {
        view->next = kv->views;
        kv->views = view;
    }
    pthread_mutex_unlock(&kv->lock);
    if (code != MDB_SUCCESS) {
        mem_free(view);
        return kv_fault(kv, code, "read", 0, fault);
    }
    *out = view;
    return STATUS_OK;
}

void kv_view_close(struct kv_view *view)
{
    if (!view)
        return;
    struct kv *kv = view->kv;
    timings_lock(&kv->lock);
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
    return kv_fault(view->kv, code, "read", 0, fault);
}

enum status kv_get(const struct kv_view *view, unsigned table, const void *key, size_t key_size, const uint8_t **value,
                   size_t *size, struct fault *fault)
{
    MDB_val k = kv_value(key, key_size), v;
    enum status status = view->lost ? STATUS_OK : kv_check_path(view->kv, view->txn, table, &k, PATH_TO, fault);
    if (status != STATUS_OK)
        return status;
    int code = view->lost ? MDB_BAD_TXN : mdb_get(view->txn, view->kv->tables[table], &k, &v);
    if (code == MDB_NOTFOUND)
        return STATUS_NOT_FOUND;
    if (code != MDB_SUCCESS)
        return kv_fault(view->kv, code, "read", 0, fault);
    *value = v.mv_data;
    *size = v.mv_size;
    return STATUS_OK;
}

size_t kv_span(const struct kv_view *view)
{
    MDB_envinfo info;
    MDB_stat stat;
    (void)mdb_env_info(view->kv->env, &info); /* these two fail for an environment that is none */
    (void)mdb_env_stat(view->kv->env, &stat);
    return (info.me_last_pgno + 1) * stat.ms_psize;
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
        return kv_fault(view->kv, code, "read", 0, fault);
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
    return kv_check_path(cursor->kv, mdb_cursor_txn(cursor->cursor), cursor->table, key, PATH_STEP, fault);
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
        return kv_fault(cursor->kv, code, "read", 0, fault);
    cursor->placed = true;
    *pair = (struct kv_pair){key->mv_data, value.mv_data, key->mv_size, value.mv_size};
    return STATUS_OK;
}

enum status kv_next(struct kv_cursor *cursor, struct kv_pair *pair, struct fault *fault)
{
    MDB_val key = {0}, value;
    int code = cursor->placed ? mdb_cursor_get(cursor->cursor, &key, &value, MDB_GET_CURRENT) : MDB_SUCCESS;
    if (code != MDB_SUCCESS)
        return kv_fault(cursor->kv, code, "read", 0, fault);
    return move(cursor, cursor->placed ? MDB_NEXT : MDB_FIRST, &key, pair, fault);
}

enum status kv_floor(struct kv_cursor *cursor, const void *key, size_t key_size, struct kv_pair *pair,
                     struct fault *fault)
{
    MDB_val k = kv_value(key, key_size);
    enum status status = move(cursor, MDB_SET_RANGE, &k, pair, fault);
    if (status == STATUS_NOT_FOUND)
        status = move(cursor, MDB_LAST, &k, pair, fault);
    else if (status == STATUS_OK && (k.mv_size != key_size || memcmp(k.mv_data, key, key_size) != 0))
        status = move(cursor, MDB_PREV, &k, pair, fault);
    if (status == STATUS_NOT_FOUND)
        cursor->placed = false;
    return status;
}
