/* store: an append-ordered store of batches (record.h), of what is known of each blk file, and of a snapshot of the
 * outpoint table, in the tables of a kv.
 *
 * Appending: blocks are added in height order; full batches wait in memory until store_commit writes them in one LMDB
 * transaction. What is not committed is lost on a crash, never half there. One process writes at a time (STATUS_BUSY
 * for the second); readers may run meanwhile and see the last commit. Map size: grows by itself while writing.
 *
 * Thread rule: a store belongs to one thread; a store_reader belongs to one thread, any number of readers may run
 * at the same time and during the owner's store_add_*, but not during store_commit, store_put_snapshot or
 * store_rollback of the same process: those three take every reader of this store to the new state, and its pointers
 * end. One process opens a store once at a time (LMDB's rule); any number of processes may read it. Ownership: pointers
 * into batches are borrowed and valid until the reader is refreshed or closed. */
#ifndef UNKTX_GRAPH_STORE_STORE_H
#define UNKTX_GRAPH_STORE_STORE_H

#include "graph/store/forms.h"
#include "graph/store/record.h"
#include "parser/status.h"

#define STORE_VERSION 2u         /* of a store that begins at the genesis block */
#define STORE_VERSION_PARTIAL 3u /* of one that begins above it */
#define STORE_SEED_SIZE 16u
/* The highest that a partial store may begin with: readers have arrays by height from 0 on, and no chain is so long. */
#define STORE_FIRST_HEIGHT_MAX 100000000u

/* What a store was made for; a scan with anything else is refused. */
struct store_identity {
    uint8_t magic[4];
    struct hash256 genesis;
    bool nulldata_stored; /* --nulldata store */
    bool nulldata_any;    /* of what is asked for: a store that is there keeps what it has of that */
    const char *option;   /* likewise: with what the caller names the store, for faults; NULL: --store */
    /* Where it begins: the height of its first block, and that block (docs/model.md, section 8). 0: it is of the whole
     * chain, and the hash is not used; else it is *partial*. */
    uint32_t first_height;
    struct hash256 first_block;
};

struct store_totals {
    uint32_t blocks;    /* the tip's height + 1; the store's first_height where it is empty */
    uint64_t txs;       /* stored transactions */
    uint64_t tracked;   /* tracked outputs */
    struct hash256 tip; /* not valid where it is empty */
};

struct store; /* opaque */

/* The file in the folder of a store that was scanned with marks (graph/scan/marks.h): `unktx hidden --dags` makes it,
 * not a scan, as messages on damage say. */
#define STORE_MARKS "marks"

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens the folder `path`. STORE_WRITE creates it and a new store where there is none (then `identity` is written, and
 * a random seed) and otherwise requires the same identity (STATUS_REFUSED names the difference), except that an empty
 * store takes `nulldata_stored` from it; where it begins is not looked at (store_begin_at). STORE_READ never changes a
 * byte of the store (store_close may write the file of store_forms beside it), works on a read-only file system, and
 * ignores `identity` (may be NULL). STATUS_NOT_FOUND: no store there. STATUS_FORMAT: not a store, or of another version
 * (the text says what to do). STATUS_BUSY: another process writes. */
enum status store_open(const char *path, enum store_mode mode, const struct store_identity *identity,
                       struct store **store, struct fault *fault) MUST_CHECK;
/* Drops what was not committed. NULL is legal. */
void store_close(struct store *store);

const struct store_identity *store_identity_of(const struct store *store);
/* The command that makes it anew: "scan", or "hidden --dags". Static. */
const char *store_made_by(const struct store *store);
/* Secret random bytes of this store, for keyed hashing. */
const uint8_t *store_seed(const struct store *store);
/* Of all that was added, committed or not. */
struct store_totals store_totals_of(const struct store *store);
const char *store_path(const struct store *store);
/* The folder whose index and note of the blk files are of this store too: that of store_lies_in, else its own. */
const char *store_main_path(const struct store *store);
/* Says that the store lies in the folder of another store of the same chain, as that of the rule set hidden does.
 * Copies the path. STATUS_NOMEM. */
enum status store_lies_in(struct store *store, const char *main, struct fault *fault) MUST_CHECK;
/* True if there is no block in it. */
bool store_is_empty(const struct store *store);
/* The height of its first block: 0, or above where it is partial. */
uint32_t store_first_height(const struct store *store);
/* What BLISS found out about pieces of this store's T-DAGs; store_close keeps it in a file of its own. Borrowed until
 * then; any thread. */
struct forms *store_forms(const struct store *store);

/* Has a store that was opened with STORE_READ, and has no reader yet, end with the block of that height: those above it
 * and their transactions do not exist for whoever reads. Nothing happens where it ends there or below. O(log n + one
 * batch). */
enum status store_end_at(struct store *store, uint32_t height, struct fault *fault) MUST_CHECK;

/* ---- appending (STORE_WRITE) ---- */

/* Has an empty store begin with the block of that height and hash, durably; height 0: it is of the whole chain. */
enum status store_begin_at(struct store *store, uint32_t height, const struct hash256 *block, struct fault *fault)
    MUST_CHECK;

/* As batch_begin_block / batch_add_tx / batch_end_block, over batches that are cut by themselves. The first tracked
 * output of a transaction gets the ordinal store_totals_of(store).tracked. */
enum status store_begin_block(struct store *store, const struct block_record *block, struct fault *fault) MUST_CHECK;
enum status store_add_tx(struct store *store, const struct tx_record *tx, const uint8_t *outputs, size_t outputs_size,
                         const uint32_t *tracked_vouts, const struct spend_record *spends, struct fault *fault)
    MUST_CHECK;
enum status store_end_block(struct store *store, struct fault *fault) MUST_CHECK;
/* Bytes added and not yet committed. */
size_t store_pending(const struct store *store);
/* Writes all closed blocks, and what store_put_file and store_put_snapshot were given since, in one durable
 * transaction; where that is nothing no file is touched. STATUS_IO with the way out in the text when the disk is full;
 * the store is then as after the commit before. */
enum status store_commit(struct store *store, struct fault *fault) MUST_CHECK;
/* Keeps the blocks below height `blocks` and drops the others, durably, with a snapshot that belongs to any of these.
 * O(what is dropped + one batch). */
enum status store_rollback(struct store *store, uint32_t blocks, struct fault *fault) MUST_CHECK;

/* ---- files and snapshot ---- */

/* What is known of blk file `number`: an opaque value of the caller's. Taken in by the next store_commit. */
enum status store_put_file(struct store *store, uint32_t number, const void *value, size_t size, struct fault *fault)
    MUST_CHECK;
/* Drops what was known of file `number`; no error if nothing was. */
enum status store_drop_file(struct store *store, uint32_t number, struct fault *fault) MUST_CHECK;
/* What is known of file `number`, by the last commit or what was put or dropped since; borrowed until the next change
 * of the store. STATUS_NOT_FOUND if nothing is. O(log n + changes since). */
enum status store_get_file(const struct store *store, uint32_t number, const uint8_t **value, size_t *size,
                           struct fault *fault) MUST_CHECK;
/* Calls fn for each file of the last commit in order of number with borrowed bytes; a status other than STATUS_OK ends
 * the loop and is returned. */
typedef enum status store_file_fn(void *context, uint32_t number, const uint8_t *value, size_t size);
enum status store_each_file(const struct store *store, store_file_fn *fn, void *context, struct fault *fault)
    MUST_CHECK;

/* The snapshot: an opaque value in chunks 0, 1, ... that belongs to the blocks of the moment; it stays when blocks are
 * added, and goes when some that it belongs to are taken back. store_put_snapshot copies (chunk 0 begins a new one);
 * the snapshot counts with the next store_commit, if no block is added before that; until then the old one can be read.
 * Holds at most 16 MiB of chunks: what is more is written at once. At most 4096 chunks. */
enum status store_put_snapshot(struct store *store, uint32_t chunk, const void *bytes, size_t size, struct fault *fault)
    MUST_CHECK;
/* How many of the committed blocks the snapshot belongs to; 0: there is none. */
uint32_t store_snapshot_blocks(const struct store *store);
/* Chunk `chunk` of the committed snapshot: STATUS_NOT_FOUND if there is none (after the last chunk, or no snapshot).
 * Borrowed until the next change of the store. */
enum status store_get_snapshot(const struct store *store, uint32_t chunk, const uint8_t **bytes, size_t *size,
                               struct fault *fault) MUST_CHECK;

/* ---- reading ---- */

struct store_reader; /* opaque */

enum status store_reader_open(const struct store *store, struct store_reader **reader, struct fault *fault) MUST_CHECK;
void store_reader_close(struct store_reader *reader);
/* Sees what this process has committed since (store_commit does this for every reader); what another process has
 * committed is seen by opening the store anew. Pointers from this reader end. STATUS_BUSY: another process took the
 * store back. */
enum status store_reader_refresh(struct store_reader *reader, struct fault *fault) MUST_CHECK;

/* The number of blocks, as in store_totals, and the last block of the store on disk as it is now, whichever process
 * committed it. Any thread. O(log n). */
enum status store_newest_tip(const struct store *store, uint32_t *blocks, struct hash256 *tip, struct fault *fault)
    MUST_CHECK;

/* Number of committed batches, and the bytes of batch 0..n-1 in chain order (borrowed until refresh or close).
 * O(log n) each. */
size_t store_batches(const struct store_reader *reader);
enum status store_batch(const struct store_reader *reader, size_t batch, struct batch_view *view, struct fault *fault)
    MUST_CHECK;
/* Lets go of the memory that holds the batches, after all of them were read: they are fetched again when they are
 * needed. O(batches). */
void store_let_go(const struct store_reader *reader);
/* The same of one batch. O(log n). */
void store_let_go_batch(const struct store_reader *reader, size_t batch);
/* The same with its checksum verified, for readers of all of it. O(size of the batch). */
enum status store_whole_batch(const struct store_reader *reader, size_t batch, struct batch_view *view,
                              struct fault *fault) MUST_CHECK;

/* For who reads one batch after the other: the bytes are read into memory of the reader's own, where they are valid
 * until its next call or its end, since the first touch of each page of a mapped file costs more than to read it. With
 * its checksum verified if `whole`. O(size of the batch). */
enum status store_read_batch(struct store_reader *reader, size_t batch, bool whole, struct batch_view *view,
                             struct fault *fault) MUST_CHECK;

/* The batch that holds the block of that height, STATUS_NOT_FOUND above the tip. */
enum status store_batch_of_height(const struct store_reader *reader, uint32_t height, size_t *batch,
                                  struct fault *fault) MUST_CHECK;

/* The outpoint of a tracked output, committed or still pending in the store that the reader was opened on. O(log n). */
enum status store_outpoint(const struct store_reader *reader, uint64_t ordinal, struct hash256 *txid, uint32_t *vout,
                           struct fault *fault) MUST_CHECK;

/* Where the last output was found. Zero-initialise; belongs to one reader. */
struct store_place {
    bool open;
    size_t batch;
    struct batch_view view;
    struct output_place output;
};
/* A tracked and committed output by its ordinal; its script is borrowed until the reader is refreshed or closed.
 * O(log n) and as batch_output: any number in ascending order cost no more than their transactions. */
enum status store_tracked_output(const struct store_reader *reader, struct store_place *place, uint64_t ordinal,
                                 struct output_record *output, struct fault *fault) MUST_CHECK;

/* Hash and time of the block of that height, committed or pending. O(log n + a batch's blocks). */
enum status store_block(const struct store_reader *reader, uint32_t height, struct block_record *block,
                        struct fault *fault) MUST_CHECK;

#endif
