/* ingest: from a node's blocks folder to the store: `unktx scan`.
 *
 * 1. List the blk files; read the headers of the files that changed since the last run; link the best chain.
 * 2. Where the store's chain leaves it, take the store back to the fork.
 * 3. In windows of a MiB or more of consecutive blocks: walk them in parallel (count kinds, collect tracked outputs and
 *    hashes of inputs), add the outputs in chain order, look the inputs up in parallel, write in chain order.
 * The store's content depends on the chain alone: not on threads, file order, XOR, windows or interruptions.
 *
 * Memory: bounded by the threads, the headers (about 130 bytes a block) and the unspent tracked outputs (outpoints.h).
 */
#ifndef UNKTX_GRAPH_SCAN_INGEST_H
#define UNKTX_GRAPH_SCAN_INGEST_H

#include "graph/scan/marks.h"
#include "graph/store/store.h"
#include "parser/blkfile.h"
#include "parser/hash256.h"
#include "parser/network.h"

enum ingest_stage { INGEST_HEADERS, INGEST_FILES, INGEST_BLOCKS };

struct ingest_progress {
    enum ingest_stage stage;
    uint64_t done; /* bytes of blocks (INGEST_BLOCKS) or of files */
    uint64_t total;
    uint32_t height; /* the last block done; not of INGEST_HEADERS */
};

/* In which order the disk is read. The result does not depend on it. */
enum ingest_order {
    INGEST_BY_CHAIN,  /* first the headers of all files, then the blocks in the order of the chain */
    INGEST_BY_FILE,   /* each file from its beginning to its end, headers and blocks together (sequential.h) */
    INGEST_AS_SUITED, /* by file where the disk of the first one rotates */
};

/* What lies in the store's folder besides: a scan and an index there must be of one chain. */
struct other_chain {
    const char *what; /* "index" or "store" */
    struct hash256 block_1;
};

struct ingest_options {
    const char *datadir;
    const char *chain;      /* network name, NULL to find out */
    const uint8_t *xor_key; /* of XOR_KEY_SIZE bytes, instead of xor.dat's; may be NULL */
    const char *store;      /* folder of the store */
    unsigned threads;
    uint32_t to_height;               /* UINT32_MAX: the tip */
    const struct hash256 *tip;        /* NULL: the best one */
    const struct other_chain *other;  /* NULL: there is none. STATUS_REFUSED if its block 1 is in no blk file */
    const struct output_marks *marks; /* of this chain, for a store of the rule set hidden; NULL: it has none */
    bool nulldata_stored;
    bool verify;
    /* The store is to begin where an unbroken chain does in these files (a pruned node), or at a height above genesis:
     * docs/model.md, section 8. A store that has blocks goes on as it began, or STATUS_REFUSED. */
    bool partial;
    uint32_t from_height;     /* with `partial`: at this height; UINT32_MAX: as low as possible */
    const char *way_partial;  /* what is typed to scan so, without --partial: for faults. NULL: nothing helps */
    const char *way_without;  /* what was typed too and does not go with --partial; NULL: nothing */
    const char *store_option; /* names the store, for faults; NULL: --store */
    void (*progress)(void *context,
                     const struct ingest_progress *progress); /* may be NULL; any thread, one call at a time */
    /* Says that input was damaged and skipped (a gap in a file, a gap in the chain, a block that fails --verify), each
     * as a fault with path, offset (of a block: of its record's magic) and text; its status is STATUS_OK where all was
     * read and nothing skipped (a file under another key). May be NULL. */
    void (*damage)(void *context, const struct fault *what);
    /* The store is open, made if there was none, and of the network of the blk files; whether it is of their chain is
     * not known yet. Another status than STATUS_OK ends the work with it. May be NULL. */
    enum status (*opened)(void *context, struct fault *fault);
    /* Something worth a line that is no damage: what was taken back after a reorganisation, a pinned tip, ... */
    void (*message)(void *context, const char *text);
    void *context;
    enum ingest_order order;
    uint32_t commit_blocks; /* test support: windows of so many blocks, and a commit after each; 0: as it suits */
    uint64_t cache_bytes;   /* test support: of blocks that wait (INGEST_BY_FILE); 0: as it suits */
};

static inline const char *ingest_store_option(const struct ingest_options *options)
{
    return options->store_option ? options->store_option : "--store";
}

struct ingest_result {
    char network[NETWORK_LABEL_SIZE]; /* name, or "signet-XXXXXXXX" for a custom one's magic */
    uint32_t blocks;                  /* as in store_totals */
    uint32_t first_height;            /* where it begins: 0 unless it is partial */
    uint32_t height;                  /* of its tip; 0 without blocks */
    struct hash256 tip;
    uint32_t blocks_added;
    uint32_t blocks_removed;
    uint32_t stale;    /* blocks on disk outside the chain */
    uint32_t detached; /* likewise, and with no way to genesis, or to the lowest block of a partial chain */
    uint64_t bytes;    /* of blocks read and walked in this run */
    uint64_t damages;  /* places; also those of which `damage` tells as a sum */
};

/* Brings the store up to date. STATUS_OK also with damages (the caller exits with 3). Once stop_requested() it commits
 * the blocks that it has taken and returns STATUS_INTERRUPTED. *result is valid with STATUS_OK and STATUS_INTERRUPTED.
 * STATUS_RESOURCES: what this process may have did not suffice, which is no damage. */
enum status ingest_run(const struct ingest_options *options, struct ingest_result *result, struct fault *fault)
    MUST_CHECK;

#endif
