/* format: the tables, pages and records of the index, byte by byte as in docs/index-format.md, and how they are written
 * and read. For the files of this folder only: what opens an index and looks things up (reader.h) and what builds one
 * (work.h) share it. Nothing here opens or keeps anything: no state, any thread.
 *
 * Most values have up to 4,080 bytes: with LMDB's header of 16 exactly one page of the disk, so that a record is one
 * page away. Each value of every table ends in a checksum of its key and its other bytes. */
#ifndef UNKTX_GRAPH_INDEX_FORMAT_H
#define UNKTX_GRAPH_INDEX_FORMAT_H

#include "graph/lmdb/kv.h"
#include "graph/index/tx_index.h"
#include "graph/test_hooks.h"
#include "parser/bytes.h"
#include "parser/varint.h"

#define INDEX_VERSION 3u
#define INDEX_SEED_SIZE 16u
#define INDEX_BEGUN_SIZE 8u
#define INDEX_PAGE 4080u
#define INDEX_SUM_SIZE 4u
#define INDEX_ROOM (INDEX_PAGE - INDEX_SUM_SIZE) /* of a page, before its checksum */
#define INDEX_NONE_40 ((UINT64_C(1) << 40) - 1)  /* INDEX_NONE in 5 bytes */

enum index_table {
    TABLE_META,
    TABLE_BLOCKS,      /* page number -> BLOCKS_A_PAGE blocks */
    TABLE_HEIGHTS,     /* block hash -> height; true if the block there has that hash */
    TABLE_TXS,         /* first output -> transactions, see tx_page */
    TABLE_TX_NUMBERS,  /* first transaction -> first output of the page */
    TABLE_TX_INPUTS,   /* first input -> first output of the page */
    TABLE_INPUTS,      /* page number -> INPUTS_A_PAGE numbers of outputs */
    TABLE_OUTPUTS,     /* page number -> OUTPUTS_A_PAGE outputs */
    TABLE_TXIDS,       /* run, first pair -> PAIRS_A_PAGE pairs (40 bits of the txid's hash, first output) */
    TABLE_LATE_SPENDS, /* run, first pair -> pairs (output, input): outputs that a later build's block spends */
    INDEX_TABLE_COUNT,
};
extern const char *const index_table_names[INDEX_TABLE_COUNT];
extern const struct kv_words index_words;

enum {
    BLOCK_SIZE = 75,
    BLOCKS_A_PAGE = INDEX_ROOM / BLOCK_SIZE,
    INPUT_SIZE = 5,
    INPUTS_A_PAGE = INDEX_ROOM / INPUT_SIZE,
    OUTPUT_SIZE = 12,
    OUTPUTS_A_PAGE = INDEX_ROOM / OUTPUT_SIZE,
    PAIR_SIZE = 10,
    PAIRS_A_PAGE = INDEX_ROOM / PAIR_SIZE,
    PAIR_KEY_SIZE = 2 + PAIR_SIZE,
    TX_PAGE_HEADER = 29,
    TX_RECORD_MIN = 6 + HASH256_SIZE, /* flags, inputs, outputs, size, value and fee of a byte each, txid */
    TXS_A_PAGE_MAX = (INDEX_ROOM - TX_PAGE_HEADER) / TX_RECORD_MIN + 1,
    TX_RECORD_MAX = 1 + 7 * 10 + HASH256_SIZE,
    IDENTITY_SIZE = 56,
    INDEX_RUNS_MAX = 48, /* each has twice the pairs of the next: more would not fit any disk */
    RUN_SIZE = 7,
    STATE_SIZE = 74 + INDEX_RUNS_MAX * RUN_SIZE,
};
_Static_assert(INPUTS_A_PAGE == 815 && OUTPUTS_A_PAGE == 339 && PAIRS_A_PAGE == 407 && BLOCKS_A_PAGE == 54,
               "as in docs/index-format.md");

/* Flags of a transaction's record. */
enum { TX_SEGWIT = 1, TX_FIRST = 2 /* of its block: its offset follows */, TX_COINBASE = 4 };

/* A sorted run: the pairs in TABLE_TXIDS and TABLE_LATE_SPENDS that one build found, or several whose runs were merged
 * since (as in a log-structured merge tree, O'Neil et al. 1996). */
struct index_run {
    uint32_t number; /* in their keys */
    uint64_t pairs;
};

struct index_state {
    struct index_totals totals;
    uint64_t cut_input; /* spenders from this input on may be of blocks that were taken back: the input itself tells */
    uint64_t late_spends; /* pairs that were ever put into TABLE_LATE_SPENDS */
    uint32_t runs;
    struct index_run run[INDEX_RUNS_MAX]; /* the oldest first */
};

/* A block with what the public record leaves out. */
struct block_entry {
    struct index_block block;
    uint64_t first_input;
    uint64_t first_output;
};

static inline uint64_t load_40(const uint8_t *p) { return load_le32(p) | (uint64_t)p[4] << 32; }
static inline void store_40(uint8_t *p, uint64_t v)
{
    store_le32(p, (uint32_t)v);
    p[4] = (uint8_t)(v >> 32);
}
static inline void store_be40(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)(v >> 32);
    store_be32(p + 1, (uint32_t)v);
}
static inline uint64_t load_be40(const uint8_t *p) { return (uint64_t)p[0] << 32 | load_be32(p + 1); }

/* Pairs, and the keys of their pages: a run's number and a page's first pair. */
static inline void store_pair(uint8_t *p, uint64_t first, uint64_t second)
{
    store_be40(p, first);
    store_be40(p + 5, second);
}
static inline uint64_t pair_first(const uint8_t *pair) { return load_be40(pair); }
static inline uint64_t pair_second(const uint8_t *pair) { return load_be40(pair + 5); }
/* The number alone: the pair follows it. */
static inline void store_run_key(uint8_t key[PAIR_KEY_SIZE], uint32_t run)
{
    key[0] = (uint8_t)(run >> 8);
    key[1] = (uint8_t)run;
}
static inline uint32_t run_of_key(const uint8_t *key) { return (uint32_t)(key[0] << 8 | key[1]); }

/* An output: 52 bits of value and 4 of kind, which are one number here, and 40 of spender. */
enum { VALUE_KIND_SIZE = 7, VALUE_BITS = 52, VALUE_KIND_BITS = 56 };
static inline uint64_t value_kind_of(uint64_t value_sat, enum kind kind)
{
    return (value_sat & ((UINT64_C(1) << VALUE_BITS) - 1)) | (uint64_t)kind << VALUE_BITS;
}
static inline uint64_t value_of(uint64_t value_kind) { return value_kind & ((UINT64_C(1) << VALUE_BITS) - 1); }
static inline enum kind kind_of(uint64_t value_kind) { return (enum kind)(value_kind >> VALUE_BITS); }
/* From where 8 bytes can be read. */
static inline uint64_t load_value_kind(const uint8_t *p)
{
    return load_le64(p) & ((UINT64_C(1) << VALUE_KIND_BITS) - 1);
}
static inline uint64_t load_spender(const uint8_t *p) { return load_40(p + VALUE_KIND_SIZE); }
static inline void store_spender(uint8_t *p, uint64_t spender) { store_40(p + VALUE_KIND_SIZE, spender); }
static inline void store_output(uint8_t *p, uint64_t value_kind, uint64_t spender)
{
    store_le64(p, value_kind);
    store_spender(p, spender);
}

void index_block_write(const struct block_entry *entry, uint8_t bytes[BLOCK_SIZE]);
void index_block_read(const uint8_t bytes[BLOCK_SIZE], struct block_entry *entry);
void index_state_write(const struct index_state *state, uint8_t bytes[STATE_SIZE]);
bool index_state_read(const uint8_t *bytes, size_t size, struct index_state *state);
/* Of an index without blocks. */
struct index_state index_state_empty(void);
/* The lowest number that no run has. */
uint32_t index_free_run(const struct index_state *state);

/* ---- checksums ---- */

/* Writes the checksum of a key and of `size` bytes of its value (page_sum.h) after these: INDEX_SUM_SIZE bytes. */
void index_seal(enum index_table table, const void *key, size_t key_size, uint8_t *value, size_t size);
/* Of a value that was read with its key: takes the checksum off its end. STATUS_FORMAT: it is not theirs. */
enum status index_unseal(const struct kv *kv, enum index_table table, struct kv_pair *pair, struct fault *fault)
    MUST_CHECK;
/* kv_get and index_unseal. */
enum status index_get(const struct kv *kv, const struct kv_view *view, enum index_table table, const void *key,
                      size_t key_size, struct kv_pair *pair, struct fault *fault) MUST_CHECK;
/* kv_put of a small value, up to INDEX_ROOM, with its checksum. */
bool index_put(struct kv_txn *txn, enum index_table table, const void *key, size_t key_size, const void *value,
               size_t size);

/* One transaction's record without fee and txid, which come after it. */
struct tx_head {
    unsigned flags;
    uint32_t offset; /* in its block, with TX_FIRST */
    uint64_t inputs;
    uint64_t outputs;
    uint64_t size;
    uint64_t witness; /* bytes of marker, flag and witnesses */
    uint64_t value_out_sat;
};
/* Returns the end of what it wrote. */
uint8_t *index_head_write(const struct tx_head *head, uint8_t *p);
/* Returns what follows; NULL where it is malformed. */
const uint8_t *index_head_read(const uint8_t *p, const uint8_t *end, struct tx_head *head);

/* The header of a page of transactions: `first` is the first of them, `count` how many they are. Reading sets what of
 * the first one its record leaves out. */
void index_page_write(const struct index_tx *first, unsigned count, uint8_t page[TX_PAGE_HEADER]);
unsigned index_page_read(const uint8_t page[TX_PAGE_HEADER], struct index_tx *first);

/* Keyed hash of a txid: 64 bits, of which the index keeps 40. Strongly universal, as outpoints_hash. index_check_of has
 * 24 more bits, which a build compares in sums. */
struct index_hasher {
    uint64_t key[8];
};
void index_hasher_init(struct index_hasher *hasher, const uint8_t seed[INDEX_SEED_SIZE]);
static inline unsigned __int128 index_nh(const uint64_t k[4], const uint8_t *txid)
{
    unsigned __int128 sum = (unsigned __int128)(load_le64(txid) + k[0]) * (load_le64(txid + 8) + k[1]);
    return sum + (unsigned __int128)(load_le64(txid + 16) + k[2]) * (load_le64(txid + 24) + k[3]);
}
static inline uint64_t index_mix(unsigned __int128 nh, uint64_t low, uint64_t high)
{
    unsigned __int128 mix = (unsigned __int128)((uint64_t)nh ^ low) * ((uint64_t)(nh >> 64) ^ high);
    return (uint64_t)mix ^ (uint64_t)(mix >> 64);
}
static inline uint64_t index_hash(const struct index_hasher *hasher, const uint8_t *txid)
{
    const uint64_t *k = hasher->key;
    return index_mix(index_nh(k, txid), k[4], k[5]) & index_hash_mask;
}
static inline uint32_t index_check_of(const struct index_hasher *hasher, const uint8_t *txid)
{
    const uint64_t *k = hasher->key;
    return (uint32_t)(index_mix(index_nh(k, txid), k[6], k[7]) >> 40);
}

/* ---- what a build asks of an index beyond tx_index.h ---- */

/* A reader on an open kv, which must outlive it. */
enum status index_open_on(struct kv *kv, struct tx_index **index, struct fault *fault) MUST_CHECK;

/* For few look-ups, in order, on an index that was just opened: looks at the pages of transactions, of outputs, and of
 * the oldest run of txids, through a kv_window each. */
enum status index_open_windows(struct tx_index *index, struct fault *fault) MUST_CHECK;

/* kv_check_pages of the index. */
enum status index_check_pages(const struct tx_index *index, struct fault *fault) MUST_CHECK;
/* STATUS_FORMAT unless what is last of those totals ends where they do. O(1): three pages. */
enum status index_check_end(struct tx_index *index, const struct index_totals *totals, struct fault *fault) MUST_CHECK;
const struct index_state *index_state_of(const struct tx_index *index);
const uint8_t *index_seed_of(const struct tx_index *index);
const uint8_t *index_begun_of(const struct tx_index *index);
enum status index_block_entry(struct tx_index *index, uint32_t height, struct block_entry *entry, struct fault *fault)
    MUST_CHECK;
/* The next older transaction whose txid has that hash's 40 bits, by first output, which is below `below`. *output is
 * undefined after STATUS_NOT_FOUND, which is without a fault. */
enum status index_candidate(struct tx_index *index, uint64_t hash, uint64_t below, uint64_t *output,
                            struct fault *fault) MUST_CHECK;
/* index_tx_of_output for look-ups far apart, or in the order of outputs: decodes no more of a page than leads to it. */
enum status index_candidate_tx(struct tx_index *index, uint64_t output, struct index_tx *tx, struct fault *fault)
    MUST_CHECK;

#endif
