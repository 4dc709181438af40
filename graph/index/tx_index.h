/* tx_index: the index of every transaction, input and output of the chain (the paper's Table II), navigable backward
 * (from an input to the output that it spends) and forward (from an output to the input that spends it). It has no
 * addresses; scripts stay in the blk files, one read away, since the position of each transaction is kept.
 *
 * Transactions, inputs (the coinbases' included) and outputs are numbered from 0 in chain order over the whole chain: a
 * block's are consecutive, a transaction's are consecutive. The numbers are the links.
 *
 * Reading only; graph/index/build.h builds. Ownership: an index owns its mapping; results are copied to the caller.
 * Thread rule: an index belongs to one thread; several may be open on one index while a build runs in another
 * process, each seeing the last finished state. Errors: STATUS_NOT_FOUND what is not there, STATUS_FORMAT a damaged
 * index. */
#ifndef UNKTX_GRAPH_INDEX_TX_INDEX_H
#define UNKTX_GRAPH_INDEX_TX_INDEX_H

#include "parser/hash256.h"
#include "parser/script.h"
#include "parser/status.h"

/* For texts about blk files that are not those of the index: a build that was killed before it noted their folder
 * leaves the note of the one before. */
#define INDEX_AGAIN "if the blk files are elsewhere now, run unktx index again with their --datadir, which it notes"

#define INDEX_NONE UINT64_MAX

struct tx_index; /* opaque */

struct index_totals {
    uint32_t blocks; /* 0: empty; the tip's height is blocks - 1 */
    uint64_t txs;
    uint64_t inputs;
    uint64_t outputs;
    struct hash256 tip;
    uint8_t magic[4];
    struct hash256 genesis;
};

struct index_block {
    uint32_t height;
    uint32_t time; /* of its header: seconds since 1970 */
    uint32_t txs;
    struct hash256 hash;
    uint64_t first_tx;
    uint32_t file;   /* the NNNNN of blkNNNNN.dat */
    uint64_t offset; /* of the block's bytes in it */
    uint32_t size;
};

struct index_tx {
    uint64_t number;
    uint32_t height;
    uint32_t index; /* in its block */
    struct hash256 txid;
    bool coinbase;
    bool segwit;
    uint32_t inputs;
    uint32_t outputs;
    uint64_t first_input; /* number */
    uint64_t first_output;
    uint64_t value_out_sat;
    uint64_t fee_sat; /* 0 for a coinbase */
    uint32_t size;    /* bytes as serialised in the block */
    uint32_t weight;  /* BIP 141 */
    uint32_t offset;  /* from the start of the block's bytes */
};

struct index_output {
    uint64_t value_sat;
    enum kind kind;
    uint64_t spender; /* input number, INDEX_NONE when unspent */
};

/* The index in the store folder `path` (sub-folder "tio"). STATUS_NOT_FOUND when there is none, STATUS_REFUSED when it
 * is not finished or has no blocks yet: the text says to run `unktx index` again. All indexes of one folder that a
 * process has open show the same index; STATUS_BUSY for one that would not, since another process changed it. */
enum status index_open(const char *path, struct tx_index **index, struct fault *fault) MUST_CHECK;
void index_close(struct tx_index *index);
struct index_totals index_totals_of(const struct tx_index *index);
/* STATUS_FORMAT: what a reader found contradicts itself; the text names the file and the way out. */
enum status index_damaged(const struct tx_index *index, const char *what, struct fault *fault) MUST_CHECK;

/* O(log n) and a page or two each. */
enum status index_block_at(struct tx_index *index, uint32_t height, struct index_block *block, struct fault *fault)
    MUST_CHECK;
enum status index_block_find(struct tx_index *index, const struct hash256 *hash, struct index_block *block,
                             struct fault *fault) MUST_CHECK;
enum status index_tx_at(struct tx_index *index, uint64_t number, struct index_tx *tx, struct fault *fault) MUST_CHECK;
/* The newest transaction of that txid whose number is below `below` (UINT64_MAX for the newest of all): called again
 * with the number found, the one before it. STATUS_NOT_FOUND when there is none. One page more than the record itself.
 */
enum status index_tx_find(struct tx_index *index, const struct hash256 *txid, uint64_t below, struct index_tx *tx,
                          struct fault *fault) MUST_CHECK;
/* Outputs `first` .. `first + count - 1`. O(log n + count). */
enum status index_outputs(struct tx_index *index, uint64_t first, uint32_t count, struct index_output *outputs,
                          struct fault *fault) MUST_CHECK;
/* For inputs `first` .. : the number of the output that each spends, INDEX_NONE for a coinbase's. O(log n + count). */
enum status index_inputs(struct tx_index *index, uint64_t first, uint32_t count, uint64_t *spent, struct fault *fault)
    MUST_CHECK;
/* The transaction that has this output / this input. O(log n). */
enum status index_tx_of_output(struct tx_index *index, uint64_t output, struct index_tx *tx, struct fault *fault)
    MUST_CHECK;
enum status index_tx_of_input(struct tx_index *index, uint64_t input, struct index_tx *tx, struct fault *fault)
    MUST_CHECK;

#endif
