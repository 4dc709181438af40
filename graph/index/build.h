/* build: builds the index of tx_index.h from a node's blk files, reading and writing in sequence only: `unktx index`.
 *
 * Look-ups of billions of inputs become a partitioned join, within options->memory: (keyed hash of txid, transaction)
 * with (keyed hash of prevout txid, vout, input). The full txid settles equal hashes. Results go back into input order
 * and output order by ranges, and every table is written in key order. The result is that of a fresh build, whatever
 * was interrupted, added or taken back before. */
#ifndef UNKTX_GRAPH_INDEX_BUILD_H
#define UNKTX_GRAPH_INDEX_BUILD_H

#include "graph/scan/ingest.h"

enum index_stage { INDEX_HEADERS, INDEX_FILES, INDEX_WALK, INDEX_JOIN, INDEX_TABLES };

struct index_progress {
    enum index_stage stage;
    uint64_t done; /* bytes of the stage's input */
    uint64_t total;
};

struct index_options {
    const char *datadir;
    const char *chain;               /* network name, NULL to find out */
    const uint8_t *xor_key;          /* of XOR_KEY_SIZE bytes, instead of xor.dat's; may be NULL */
    const char *store;               /* folder of the store that the index is in */
    const char *tmp;                 /* folder for temporary files, NULL: memory, or the index's folder, see below */
    uint64_t memory;                 /* bytes, at least 256 MiB */
    unsigned threads;                /* at least 1 */
    uint32_t to_height;              /* UINT32_MAX: the tip */
    const struct hash256 *tip;       /* NULL: the best one */
    const struct other_chain *other; /* as in ingest_options; NULL: the chain of the store there */
    enum ingest_order order;         /* INGEST_BY_FILE: what can be walked is walked meanwhile */
    uint64_t cache_bytes;            /* test support, as in ingest_options */
    bool verify;                     /* every block's merkle root, witness commitment and proof of work */
    /* Any of them may be NULL; as in ingest.h. */
    enum status (*opened)(void *context, struct fault *fault);
    void (*progress)(void *context, const struct index_progress *progress);
    void (*damage)(void *context, const struct fault *what);
    void (*message)(void *context, const char *text);
    /* With true before, with false after a part of the work at whose end, or when a stop is requested, a checkpoint is
     * saved: whoever ends the process meanwhile loses it. */
    void (*hold)(void *context, bool begins);
    /* Whether this build has left something on disk, or found it there, from which the next call would go on if the
     * process ended now: at the beginning of the stages, after each checkpoint, and when the index is whole. */
    void (*goes_on)(void *context, bool goes_on);
    void *context;
};

struct index_result {
    char network[NETWORK_LABEL_SIZE];
    uint32_t height;
    struct hash256 tip;
    uint32_t blocks_added;
    uint32_t blocks_removed;
    uint64_t bytes;   /* of the blocks added */
    uint64_t damages; /* how often `damage` was called */
    bool goes_on;     /* of STATUS_INTERRUPTED: there is a checkpoint, or a part of the blocks was added */
};

/* Brings the index in the store folder up to date. As ingest_run: STATUS_OK also with damages. STATUS_INTERRUPTED
 * leaves what the last finished stage made and the walk as far as it came, and the next call goes on from there. So it
 * does after a kill, from the last checkpoint of the walk (at most 16 GiB of blocks before), and for more than a GiB
 * of blocks after a power failure too. Without `tmp`, the temporary files of blocks of up to 4/5 of what `memory` has
 * beyond 344 MiB and 200 bytes a header are in memory, and those of 16 MiB of blocks that are added always: then the
 * next call begins again. */
enum status index_build(const struct index_options *options, struct index_result *result, struct fault *fault)
    MUST_CHECK;

/* Everything that must be true of an index: forward and backward links agree, inputs = outputs + fees, the subsidy is
 * respected, counts add up; and a SHA-256 digest of its logical content, the same on every machine, thread count and
 * history. */
enum status index_check(const char *path, unsigned threads, uint8_t digest[32], struct fault *fault) MUST_CHECK;

#endif
