/* kv: the only door to LMDB, and to this folder. A folder of tables, each a sorted map from keys of 1..511 bytes to
 * values, written in durable transactions.
 *
 * One process writes at a time (STATUS_BUSY for the second); readers may run meanwhile and see the last commit. The map
 * grows by itself while writing: `write` is then called again from the start. Thread rule: a kv belongs to one thread;
 * a kv_view belongs to one thread, any number of them may read at the same time, but not during kv_write of the same
 * process, which takes every view of this kv to the new state: pointers from it end then. One process opens a folder
 * once at a time (LMDB's rule). Values are borrowed until the view is refreshed or closed. */
#ifndef UNKTX_GRAPH_LMDB_KV_H
#define UNKTX_GRAPH_LMDB_KV_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

#define KV_TABLES_MAX 12u

/* KV_NEW is KV_WRITE for what is of no use until it is whole: see kv_finish. */
enum kv_mode { KV_READ, KV_WRITE, KV_NEW };

/* What the texts of faults call the folder and the command that makes it: "store" and "scan". */
struct kv_words {
    const char *noun;
    const char *verb;
};

struct kv;      /* opaque */
struct kv_view; /* opaque: the tables as one commit left them */
struct kv_txn;  /* opaque: what a kv_write_fn writes through */

struct kv_pair {
    const uint8_t *key;
    const uint8_t *value;
    size_t key_size;
    size_t value_size;
};

/* Writes through kv_put and its like; false as soon as one of them is false. May be called several times. */
typedef bool kv_write_fn(struct kv_txn *txn, void *context);

/* Opens the folder `path` with these tables, in this order. KV_WRITE makes what is not there, `create` then writes the
 * first values in the same transaction. KV_READ never changes a byte and works on a read-only file system.
 * STATUS_NOT_FOUND: nothing there. STATUS_REFUSED: what is there is not finished (KV_READ). STATUS_FORMAT: something
 * else is there. STATUS_BUSY: another process writes. */
enum status kv_open(const char *path, enum kv_mode mode, const struct kv_words *words, const char *const *tables,
                    unsigned tables_count, kv_write_fn *create, void *context, struct kv **kv, struct fault *fault)
    MUST_CHECK;
/* Of a folder that KV_NEW began: waits until the disk has all of it, and puts it in its place. Until then it lies in
 * the sub-folder "unfinished", kv_write does not wait for the disk and tells what went wrong with an earlier write, and
 * KV_READ is refused; kv_close deletes it, and where the process or the machine ended before that, the next KV_NEW. So
 * no pages are ever read of which the disk has some and lacks others. Afterwards, and where something was there
 * already, all is as with KV_WRITE. */
enum status kv_finish(struct kv *kv, struct fault *fault) MUST_CHECK;
/* Looks at every page that holds keys, as kv_open does unless the leaf pages make more than 128 MiB: then those on the
 * way to a key are looked at before each step to it. O(pages). */
enum status kv_check_pages(const struct kv *kv, struct fault *fault) MUST_CHECK;
/* NULL is legal. No view may be open. */
void kv_close(struct kv *kv);
const char *kv_path(const struct kv *kv);      /* the folder */
const char *kv_data_path(const struct kv *kv); /* the file in it, for faults */
/* STATUS_FORMAT: "the store is damaged (...)" and the way out. */
enum status kv_damaged(const struct kv *kv, const char *what, struct fault *fault);

/* ---- reading ---- */

enum status kv_view_open(struct kv *kv, struct kv_view **view, struct fault *fault) MUST_CHECK;
void kv_view_close(struct kv_view *view);
/* Sees what was committed since, by any process. */
enum status kv_view_refresh(struct kv_view *view, struct fault *fault) MUST_CHECK;

/* The value of a key. STATUS_NOT_FOUND, without a fault. O(log n). */
enum status kv_get(const struct kv_view *view, unsigned table, const void *key, size_t key_size, const uint8_t **value,
                   size_t *size, struct fault *fault) MUST_CHECK;

/* In how many bytes all values of the view lie together, at most. O(1). */
size_t kv_span(const struct kv_view *view);

/* Lets go of the pages of the file that hold a value which was borrowed from it: they are fetched again when they are
 * needed. */
void kv_let_go(const uint8_t *value, size_t size);

/* opaque: a position in a table of a view; to be closed before its view is closed or refreshed, and before kv_write */
struct kv_cursor;
enum status kv_cursor_open(const struct kv_view *view, unsigned table, struct kv_cursor **cursor, struct fault *fault)
    MUST_CHECK;
void kv_cursor_close(struct kv_cursor *cursor);
/* The next pair (the first at the beginning, and after kv_floor found none) / the last whose key is not above `key`.
 * STATUS_NOT_FOUND, without a fault, where there is none. O(log n). */
enum status kv_next(struct kv_cursor *cursor, struct kv_pair *pair, struct fault *fault) MUST_CHECK;
enum status kv_floor(struct kv_cursor *cursor, const void *key, size_t key_size, struct kv_pair *pair,
                     struct fault *fault) MUST_CHECK;

/* opaque: a piece of the file, read into memory of its own; to be closed as a cursor is. For values that are looked at
 * once, in about the order in which they were written: the first touch of a page where the file is mapped costs more
 * than to read it, and where the next value is soon after the last one several pages are read in one go. Of a value
 * larger than that (64 KiB) the window has a copy of its own. */
struct kv_window;
enum status kv_window_open(const struct kv_view *view, struct kv_window **window, struct fault *fault) MUST_CHECK;
void kv_window_close(struct kv_window *window);
/* A value of the view, without touching it: *copy is valid until the next call, or as the value is. STATUS_FORMAT: the
 * file ends before, or is damaged there. STATUS_IO. */
enum status kv_window_look(struct kv_window *window, const uint8_t *value, size_t size, const uint8_t **copy,
                           struct fault *fault) MUST_CHECK;

/* ---- writing (KV_WRITE) ---- */

/* Runs `write` in one durable transaction. `need` is about how many bytes it writes, for the text of a full disk. What
 * has not returned STATUS_OK has changed nothing. */
enum status kv_write(struct kv *kv, size_t need, kv_write_fn *write, void *context, struct fault *fault) MUST_CHECK;

/* True when done; after false only kv_write's return is left. kv_append: the key is above all of the table. kv_delete:
 * also what is not there. kv_clear: all of a table. kv_delete_from: this key and all above it.
 * kv_delete_prefix: all that begin with these bytes. */
bool kv_put(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size);
bool kv_append(struct kv_txn *txn, unsigned table, const void *key, size_t key_size, const void *value, size_t size);
bool kv_delete(struct kv_txn *txn, unsigned table, const void *key, size_t key_size);
bool kv_delete_from(struct kv_txn *txn, unsigned table, const void *key, size_t key_size);
bool kv_delete_prefix(struct kv_txn *txn, unsigned table, const void *prefix, size_t size);
bool kv_clear(struct kv_txn *txn, unsigned table);

#endif
