/* libunktx: walks the block files of a Bitcoin full node and says of every output what its script is, and in which
 * releases of Bitcoin Core it has no address ("unknown"). Only the files are read; the node may run meanwhile.
 *
 *   1. unktx_open            lists the files and finds the chain of most work in them
 *   2. unktx_next_block      that chain from genesis to its tip; or unktx_next_record: every block in the files
 *   3. unktx_next_output     the outputs of the block just shown, in order
 *   4. unktx_close
 *
 * Functions that step return 1 with the next thing, 0 at the end, and -1 where something cannot be read or does not
 * parse: unktx_error then says what and where, and the next call goes on after it. Bytes are untrusted throughout.
 *
 * Arguments come in one order: the reader, what is read, what is written. What is written is valid only when the
 * function returned 1.
 *
 * Ownership: a reader owns all that it shows. A block, and the outputs and scripts in it, are valid until the reader's
 * next block. Thread rule: a reader belongs to one thread at a time; two readers do not know of each other.
 * Memory: about 200 bytes for each block in the files, and one block. Link with what `pkg-config --libs unktx` says. */
#ifndef UNKTX_H
#define UNKTX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What Bitcoin Core's Solver says of a script. The numbers are fixed. */
enum unktx_kind {
    UNKTX_NONSTANDARD = 0,
    UNKTX_NULLDATA = 1,
    UNKTX_PUBKEY = 2,
    UNKTX_MULTISIG = 3,
    UNKTX_PUBKEYHASH = 4,
    UNKTX_SCRIPTHASH = 5,
    UNKTX_WITNESS_V0_KEYHASH = 6,
    UNKTX_WITNESS_V0_SCRIPTHASH = 7,
    UNKTX_WITNESS_V1_TAPROOT = 8,
    UNKTX_ANCHOR = 9,
    UNKTX_WITNESS_UNKNOWN = 10
};

/* Rule sets: bits of unktx_output.unknown. Each is that of the releases from this one to the next in the list. */
enum unktx_rules {
    UNKTX_CORE_0_18 = 1, /* no address: nonstandard, nulldata, multisig with m or n in 17..20 */
    UNKTX_CORE_0_19 = 2, /* and pubkey */
    UNKTX_CORE_22 = 4    /* and every multisig */
};

#define UNKTX_ERROR_SIZE 1200 /* most bytes of a message, terminator included */
#define UNKTX_HEX_SIZE 65     /* a hash in hexadecimal, and the terminator */

struct unktx_reader; /* opaque */

struct unktx_block {
    char hash[UNKTX_HEX_SIZE];
    int64_t height;   /* -1: no path to the genesis block in the files */
    int active;       /* 1 on the chain of most work */
    uint32_t time_s;  /* of the header, seconds since 1970 */
    const char *file; /* path of its blk file */
    uint64_t offset;  /* of its magic in the file, bytes */
    uint32_t size;    /* bytes, without the 8 before it (magic and length) */
    uint32_t txs;
    uint32_t outputs;
};

struct unktx_output {
    uint32_t tx;   /* number of its transaction in the block, from 0 */
    uint32_t vout; /* number of the output in that */
    uint64_t value_sat;
    enum unktx_kind kind;
    unsigned unknown;      /* enum unktx_rules or'ed: the rule sets that know no address; 0: known in all */
    const uint8_t *script; /* the scriptPubKey */
    size_t script_size;
};

/* Opens a data directory, its network sub-folder, or a blocks folder. `network` (main, testnet3, testnet4, signet,
 * regtest; may be NULL) says which to take of a data directory with several. NULL on failure, with the reason in
 * `error` (which may be NULL). Reads the header of every block: some hundred bytes each. Ended by unktx_close. */
struct unktx_reader *unktx_open(const char *path, const char *network, char error[UNKTX_ERROR_SIZE]);
void unktx_close(struct unktx_reader *reader); /* NULL is legal */

/* The chain of most work, by height. Where a copy of a block is damaged, another in the files is taken. O(block). */
int unktx_next_block(struct unktx_reader *reader, struct unktx_block *block);
/* Every block record in the order of the files: stale blocks and further copies too. O(block). */
int unktx_next_record(struct unktx_reader *reader, struct unktx_block *block);
/* The next output of the block shown last; never -1. O(1). */
int unktx_next_output(struct unktx_reader *reader, struct unktx_output *output);
/* The transaction id, in the usual order, of transaction `tx` of the block shown last; empty if there is none. O(its
 * size): the hash is computed. */
void unktx_txid(const struct unktx_reader *reader, uint32_t tx, char txid[UNKTX_HEX_SIZE]);

/* Core's name of the kind ("nonstandard", ...); "" if it is none. Static. */
const char *unktx_kind_name(enum unktx_kind kind);
/* Why the last call gave -1: one line, valid until the next call with the reader. */
const char *unktx_error(const struct unktx_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
