/* chaingen_parts: what the sources of the chain generator share. Scripts and transactions go into the open block,
 * blocks into a window of records, and records into files:
 *
 *   chaingen_tx.c      scripts, coins, transactions
 *   chaingen_block.c   coinbases, headers, blocks, the window, the files
 *   chaingen_holders.c who holds the keys, where that is planted
 *   chaingen.c         what is asked for: plans, mainnet-like blocks, and a chain that goes on
 *
 * Only for these. */
#ifndef UNKTX_TESTS_SUPPORT_CHAINGEN_PARTS_H
#define UNKTX_TESTS_SUPPORT_CHAINGEN_PARTS_H

#include <string.h>

#include "parser/bytes.h"
#include "tests/support/chaingen.h"

/* Numbers of kind_names. */
enum { NONSTANDARD, NULLDATA, PUBKEY, MULTISIG, P2PKH, P2SH, P2WPKH, P2WSH, P2TR, ANCHOR, WITNESS_UNKNOWN };

/* A known output that is not spent yet; for chains with real spends. */
struct coin {
    struct hash256 txid;
    uint64_t sat;
    uint32_t vout;
    uint32_t height;
};

/* An output whose holder is known. */
struct held {
    uint32_t vout;
    uint32_t holder;
};

enum { HEADER = 80, RECORD_HEAD = 8 };

/* regtest's */
static const uint8_t gen_magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* What goes on from one run to the next; plain data, written as it is. */
struct state {
    struct rng rng;
    uint8_t key[8];
    uint32_t height;
    uint32_t file_number;
    uint64_t file_size;
    struct gen_truth truth;
};

struct gen {
    struct gen_options options;
    struct state state;
    char *blocks_dir;
    FILE *file;
    struct hash256 *chain; /* hash by height */
    size_t chain_capacity;
    struct bytes body;      /* transactions of the open block, without the coinbase */
    struct hash256 *txids;  /* of the open block, the coinbase's place first */
    struct hash256 *wtxids; /* likewise */
    size_t txs;
    size_t txids_capacity;
    size_t wtxids_capacity;
    struct bytes *window; /* finished records that wait to be written */
    uint32_t window_count;
    struct plan **active; /* plans that are being written */
    struct plan **big;    /* those of BIG_PLAN transactions and more */
    size_t active_count;
    size_t active_capacity;
    size_t big_count;
    size_t big_capacity;
    /* the open transaction */
    size_t tx_start;
    size_t tx_body;
    unsigned unknown; /* mask of rule sets */
    uint64_t tx_info;
    uint64_t tx_tracked;
    uint64_t tx_spends;
    /* with real spends */
    struct coin *coins;
    struct coin *new_coins; /* wait for their transaction's txid */
    size_t coins_count;
    size_t coins_capacity;
    size_t new_count;
    size_t new_capacity;
    uint64_t tx_sat; /* of the inputs, not given to outputs yet */
    /* with holders */
    uint32_t holder; /* of the outputs that are written; 0: of nobody known */
    uint32_t *members;
    struct held *held; /* wait for their transaction's txid */
    size_t held_count;
    size_t held_capacity;
    FILE *holders;
    bool pretending; /* a stale block spends nothing real */
};

/* Room for so many more. */
static inline void reserve(struct bytes *bytes, size_t more)
{
    must_reserve(&bytes->data, &bytes->capacity, bytes->size + more, 1);
}

/* The callers of all below have reserved enough. */
static inline void put_u8(struct bytes *bytes, unsigned value) { bytes->data[bytes->size++] = (uint8_t)value; }

static inline void put_u32(struct bytes *bytes, uint32_t value)
{
    store_le32(bytes->data + bytes->size, value);
    bytes->size += 4;
}

static inline void put_u64(struct bytes *bytes, uint64_t value)
{
    store_le64(bytes->data + bytes->size, value);
    bytes->size += 8;
}

static inline void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static inline void put_compact(struct bytes *bytes, uint64_t value)
{
    if (value < 0xfd) {
        put_u8(bytes, (unsigned)value);
    } else if (value <= 0xffff) {
        put_u8(bytes, 0xfd);
        put_u8(bytes, value & 0xff);
        put_u8(bytes, (unsigned)(value >> 8));
    } else {
        put_u8(bytes, 0xfe);
        put_u32(bytes, (uint32_t)value);
    }
}

static inline void put_random(struct bytes *bytes, struct rng *rng, size_t size)
{
    uint8_t *at = bytes->data + bytes->size;
    bytes->size += size;
    for (; size >= 8; size -= 8, at += 8)
        store_le64(at, rng_next(rng));
    uint64_t rest = rng_next(rng);
    memcpy(at, &rest, size);
}

/* ---- errors ---- */

/* Ends the program with errno's text. */
void gen_die(const char *what, const char *path) __attribute__((noreturn));

/* ---- chaingen_tx.c ---- */

/* Begins a transaction in the open block, with room for all of it. */
void gen_tx_open(struct gen *gen, bool segwit, uint32_t inputs, uint32_t outputs);
/* Hashes it and counts it; `root` if an input spends a known output (or it is a coinbase). Returns its txid. */
struct hash256 gen_tx_close(struct gen *gen, size_t body_end, bool root);
void gen_put_output(struct gen *gen, unsigned kind, uint64_t sat);
/* Shares what the inputs bring among the outputs, of which so many are left; the last leaves a fee. */
uint64_t gen_draw_share(struct gen *gen, uint32_t left);
/* An output that a later transaction may spend, if it is a known one. */
void gen_note_coin(struct gen *gen, unsigned kind, uint32_t vout, uint64_t sat);
void gen_put_known_input(struct gen *gen, unsigned kind);
void gen_put_witness(struct gen *gen, unsigned kind, bool inscription);
void gen_add_plain_tx(struct gen *gen);
/* 100 unknown outputs that are never spent. */
void gen_add_tracked_tx(struct gen *gen);
/* Writes the plan's next transaction. */
void gen_add_plan_tx(struct gen *gen, struct plan *plan);

/* ---- chaingen_holders.c ---- */

/* A holder, 0 where none are planted. */
uint32_t gen_draw_holder(struct gen *gen);
/* A T-DAG or a single output that such a kind of output shows the holder of. */
void gen_count_member(struct gen *gen, uint32_t holder, unsigned kind);
/* An unknown output of gen->holder in the open transaction, and their list once its txid is known. */
void gen_note_held(struct gen *gen, uint32_t vout, unsigned kind);
void gen_list_held(struct gen *gen, const struct hash256 *txid);
/* 32 bytes that are always the same for a holder; and a push of such a key, a point of the curve. */
void gen_put_held(struct gen *gen, struct bytes *b);
void gen_put_held_key(struct gen *gen, struct bytes *b);
void gen_print_holders(const struct gen *gen, FILE *out);
void gen_close_holders(struct gen *gen);

/* ---- chaingen_block.c ---- */

void gen_write_record(struct gen *gen, struct bytes *record);
void gen_flush_file(struct gen *gen);
void gen_flush_window(struct gen *gen);
bool gen_block_full(const struct gen *gen);
/* Ends the open block, and adds a stale one where it is time. */
void gen_next_block(struct gen *gen);
/* One coin becomes many until there are enough to choose from. */
void gen_make_coins(struct gen *gen);

#endif
