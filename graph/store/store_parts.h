/* store_parts: what the files of the store share. store_parts.c has the values of the tables and what is not committed,
 * and calls none of the others; store.c opens and closes; store_read.c gives batches, blocks and outpoints;
 * store_write.c appends, commits and takes back, and calls store_read.c. store.h is what others use. */
#ifndef UNKTX_GRAPH_STORE_STORE_PARTS_H
#define UNKTX_GRAPH_STORE_STORE_PARTS_H

#include <pthread.h>

#include "graph/lmdb/kv.h"
#include "graph/store/store.h"

enum table { TABLE_META, TABLE_BATCHES, TABLE_DIRECTORY, TABLE_FILES, TABLE_SNAPSHOT, TABLES };

#define SNAPSHOT_CHUNKS_MAX 4096u

/* Values of the database "meta"; docs/store-format.md has the whole format. */
enum { IDENTITY_SIZE = 57, IDENTITY_PARTIAL_SIZE = 93, TOTALS_SIZE = 60, SNAPSHOT_SIZE = 12, ENTRY_SIZE = 24 };

/* Where a batch begins. */
struct entry {
    uint32_t first_height;
    uint32_t blocks;
    uint64_t first_tx;
    uint64_t first_ordinal;
};

struct blob {
    uint8_t *bytes;
    size_t size;
};

struct pending_batch {
    struct entry entry;
    struct blob blob;
};

/* What store_put_file (blob.bytes not NULL) and store_drop_file ask for. */
struct file_change {
    uint32_t number;
    struct blob blob;
};

struct store {
    enum store_mode mode;
    struct kv *kv;
    char *main_path;      /* NULL: its own */
    struct kv_view *view; /* the state that this store shows */
    struct store_identity identity;
    uint8_t seed[STORE_SEED_SIZE];
    const struct kv_words *words; /* for messages */
    struct forms *forms;          /* what BLISS found out, in a file of its own */
    struct store_totals committed;
    struct store_totals totals; /* with what is not committed */
    uint64_t generation;        /* how often blocks were taken back: batches of one generation only grow in number */
    struct snapshot {
        uint32_t blocks; /* that it belongs to; 0: there is none */
        uint32_t first;  /* key of its first chunk: the chunks of a new snapshot come after those of the one before */
        uint32_t chunks;
    } snapshot;            /* the committed one */
    struct entry *entries; /* committed batches */
    size_t entries_count;
    size_t entries_capacity;
    uint32_t last_blocks; /* of the last batch, as far as this store shows it; 0: all (store_end_at) */

    /* Not committed. The lock is for readers that look an outpoint or a block up while the owner adds. */
    pthread_rwlock_t *pending_lock;
    struct pending_batch *pending;
    size_t pending_count;
    size_t pending_capacity;
    size_t pending_bytes;
    struct batch open;
    bool block_open;
    struct file_change *changes;
    size_t changes_count;
    size_t changes_capacity;
    size_t changes_bytes;
    struct blob *chunks; /* of the new snapshot, from chunk chunks_first on: those before are written */
    size_t chunks_count;
    size_t chunks_capacity;
    size_t chunks_bytes;
    uint32_t chunks_first;
    uint32_t chunks_blocks; /* that the new snapshot belongs to */
    bool chunks_given;
};

struct store_reader {
    const struct store *store;
    struct kv_view *view;
    struct kv_window *window; /* of store_read_batch; NULL before */
};

/* ---- store_parts.c ---- */

enum status store_damaged(const struct store *store, const char *what, struct fault *fault);
/* A value by its number, big-endian in `key_size` bytes. */
enum status store_get_numbered(const struct kv_view *view, enum table table, uint64_t number, size_t key_size,
                               const uint8_t **value, size_t *size, struct fault *fault) MUST_CHECK;
/* A value that every store has. */
enum status store_get_meta(const struct store *store, const struct kv_view *view, const char *name,
                           const uint8_t **value, size_t *size, struct fault *fault) MUST_CHECK;
bool store_put_meta(struct kv_txn *txn, const char *name, const void *bytes, size_t size);
void store_write_totals(const struct store_totals *totals, uint64_t generation, uint8_t out[TOTALS_SIZE]);
void store_write_entry(const struct entry *entry, uint8_t out[ENTRY_SIZE]);

/* Begins the open batch anew, where the store ends. */
void store_begin_batch(struct store *store);
/* What is not committed is forgotten: closed batches, changes of files, chunks of a new snapshot. */
void store_drop_pending(struct store *store);
void store_drop_changes(struct store *store);
void store_drop_chunks(struct store *store);

/* ---- store_read.c ---- */

enum status store_get_batch(const struct store *store, const struct kv_view *from, size_t batch,
                            struct batch_view *view, struct fault *fault) MUST_CHECK;
enum status store_check_sum(const struct store *store, const struct batch_view *view, struct fault *fault) MUST_CHECK;
/* The last batch that begins at or below the height; there is one. */
size_t store_entry_of_height(const struct store *store, uint32_t height);

#endif
