#include "tests/support/chaingen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"

const char *const gen_kind_names[GEN_KINDS] = {"nonstandard",
                                               "nulldata",
                                               "pubkey",
                                               "multisig",
                                               "pubkeyhash",
                                               "scripthash",
                                               "witness_v0_keyhash",
                                               "witness_v0_scripthash",
                                               "witness_v1_taproot",
                                               "anchor",
                                               "witness_unknown"};
const char *const gen_rules_names[GEN_RULES] = {"core-0.18", "core-0.19", "core-22"};

/* Indices of gen_kind_names. */
enum { NONSTANDARD, NULLDATA, PUBKEY, MULTISIG, P2PKH, P2SH, P2WPKH, P2WSH, P2TR, ANCHOR, WITNESS_UNKNOWN };

/* A known output that is not spent yet; for chains with real spends. */
struct coin {
    struct hash256 txid;
    uint64_t sat;
    uint32_t vout, height;
};

enum { ACTIVE_PLANS = 512, HEADER = 80, RECORD_HEAD = 8, BIG_PLAN = 1000 };

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
/* The regtest genesis block: header and the coinbase that all networks share (Core, src/kernel/chainparams.cpp). */
static const char genesis_hex[] =
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000"
    "000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e2062"
    "72696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe554827"
    "1967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    "ac00000000";

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

/* What goes on from one run to the next; plain data, written as it is. */
struct state {
    struct rng rng;
    uint8_t key[8];
    uint32_t height, file_number;
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
    struct bytes body;              /* transactions of the open block, without the coinbase */
    struct hash256 *txids, *wtxids; /* of the open block, the coinbase's place first */
    size_t txs, txids_capacity, wtxids_capacity;
    struct bytes *window; /* finished records that wait to be written */
    uint32_t window_count;
    struct plan **active, **big; /* plans that are being written */
    size_t active_count, active_capacity, big_count, big_capacity;
    /* the open transaction */
    size_t tx_start, tx_body;
    unsigned unknown; /* mask of rule sets */
    uint64_t tx_info, tx_tracked, tx_spends;
    /* with real spends */
    struct coin *coins, *new_coins; /* new ones wait for their txid */
    size_t coins_count, coins_capacity, new_count, new_capacity;
    uint64_t tx_sat; /* of the inputs, not given to outputs yet */
    bool pretending; /* a stale block spends nothing real */
};

static void die(const char *what, const char *path)
{
    fprintf(stderr, "chaingen: %s: %s: %s\n", path, what, strerror(errno));
    exit(1);
}

/* ---- bytes ---- */

static void reserve(struct bytes *bytes, size_t more)
{
    must_reserve(&bytes->data, &bytes->capacity, bytes->size + more, 1);
}

/* The callers of these have reserved enough. */
static void put_u8(struct bytes *bytes, unsigned value) { bytes->data[bytes->size++] = (uint8_t)value; }

static void put_u32(struct bytes *bytes, uint32_t value)
{
    store_le32(bytes->data + bytes->size, value);
    bytes->size += 4;
}

static void put_u64(struct bytes *bytes, uint64_t value)
{
    store_le64(bytes->data + bytes->size, value);
    bytes->size += 8;
}

static void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void put_compact(struct bytes *bytes, uint64_t value)
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

static void put_random(struct bytes *bytes, struct rng *rng, size_t size)
{
    uint8_t *at = bytes->data + bytes->size;
    bytes->size += size;
    for (; size >= 8; size -= 8, at += 8)
        store_le64(at, rng_next(rng));
    uint64_t rest = rng_next(rng);
    memcpy(at, &rest, size);
}

/* ---- scripts ---- */

static void put_nonstandard(struct bytes *b, struct rng *rng)
{
    switch (rng_below(rng, 4)) {
    case 0: /* a P2PKH with a NOP behind it */
        put(b, "\x1a\x76\xa9\x14", 4);
        put_random(b, rng, 20);
        put(b, "\x88\xac\x61", 3);
        break;
    case 1: /* a hash lock */
        put(b, "\x23\xa8\x20", 3);
        put_random(b, rng, 32);
        put_u8(b, 0x87);
        break;
    default: /* a dropped number, then true */
        put(b, "\x07\x04", 2);
        put_random(b, rng, 4);
        put(b, "\x75\x51", 2);
    }
}

static void put_key(struct bytes *b, struct rng *rng)
{
    put_u8(b, 0x21);
    put_u8(b, 2 + (rng_next(rng) & 1));
    put_random(b, rng, 32);
}

/* Size byte and script. */
static void put_script(struct bytes *b, struct rng *rng, unsigned kind)
{
    switch (kind) {
    case NONSTANDARD: put_nonstandard(b, rng); break;
    case NULLDATA: {
        uint32_t size = 8 + rng_below(rng, 68);
        put_u8(b, size + 2);
        put_u8(b, 0x6a);
        put_u8(b, size);
        put_random(b, rng, size);
        break;
    }
    case PUBKEY:
        put_u8(b, 0x23);
        put_key(b, rng);
        put_u8(b, 0xac);
        break;
    case MULTISIG:
        put(b, "\x47\x51", 2);
        put_key(b, rng);
        put_key(b, rng);
        put(b, "\x52\xae", 2);
        break;
    case P2PKH:
        put(b, "\x19\x76\xa9\x14", 4);
        put_random(b, rng, 20);
        put(b, "\x88\xac", 2);
        break;
    case P2SH:
        put(b, "\x17\xa9\x14", 3);
        put_random(b, rng, 20);
        put_u8(b, 0x87);
        break;
    case P2WPKH:
        put(b, "\x16\x00\x14", 3);
        put_random(b, rng, 20);
        break;
    case P2WSH:
        put(b, "\x22\x00\x20", 3);
        put_random(b, rng, 32);
        break;
    case P2TR:
        put(b, "\x22\x51\x20", 3);
        put_random(b, rng, 32);
        break;
    case ANCHOR: put(b, "\x04\x51\x02\x4e\x73", 5); break;
    default:
        put(b, "\x22\x52\x20", 3);
        put_random(b, rng, 32);
        break;
    }
}

/* Rule sets in which the kind is unknown. */
static unsigned kind_rules(unsigned kind)
{
    return kind <= NULLDATA ? 7 : kind == PUBKEY ? 6 : kind == MULTISIG ? 4 : 0;
}

static bool spends_coins(const struct gen *gen) { return gen->options.spends && !gen->pretending; }

/* Shares what the inputs bring among the outputs, of which so many are left; the last leaves a fee. */
static uint64_t draw_share(struct gen *gen, uint32_t left)
{
    struct rng *rng = &gen->state.rng;
    uint64_t fee = 200 + rng_below(rng, 2000), sat = gen->tx_sat / left * (512 + rng_below(rng, 512)) / 1024;
    if (left == 1)
        sat = gen->tx_sat > fee ? gen->tx_sat - fee : gen->tx_sat;
    gen->tx_sat -= sat;
    return sat;
}

/* An output that a later transaction may spend, if it is a known one. */
static void note_coin(struct gen *gen, unsigned kind, uint32_t vout, uint64_t sat)
{
    if (!spends_coins(gen) || kind <= MULTISIG)
        return;
    must_reserve(&gen->new_coins, &gen->new_capacity, gen->new_count + 1, sizeof *gen->new_coins);
    gen->new_coins[gen->new_count++] = (struct coin){.sat = sat, .vout = vout, .height = gen->state.height + 1};
}

static void take_coins_in(struct gen *gen, const struct hash256 *txid)
{
    must_reserve(&gen->coins, &gen->coins_capacity, gen->coins_count + gen->new_count, sizeof *gen->coins);
    for (size_t i = 0; i < gen->new_count; i++) {
        gen->new_coins[i].txid = *txid;
        gen->coins[gen->coins_count++] = gen->new_coins[i];
    }
    gen->new_count = 0;
}

static void put_output(struct gen *gen, unsigned kind, uint64_t sat)
{
    struct gen_truth *truth = &gen->state.truth;
    put_u64(&gen->body, sat);
    size_t script = gen->body.size;
    put_script(&gen->body, &gen->state.rng, kind);
    gen->tx_info += 9 + (kind_rules(kind) ? gen->body.size - script : 0);
    gen->tx_tracked += kind_rules(kind) && kind != NULLDATA;
    truth->outputs++;
    truth->kind_count[kind]++;
    truth->kind_sat[kind] += sat;
    truth->tracked += kind_rules(kind) && kind != NULLDATA;
    gen->unknown |= kind_rules(kind);
}

/* ---- transactions ---- */

static void tx_open(struct gen *gen, bool segwit, uint32_t inputs, uint32_t outputs)
{
    reserve(&gen->body, 65536 + 400 * (size_t)inputs + 100 * (size_t)outputs);
    gen->tx_start = gen->body.size;
    gen->unknown = 0;
    gen->tx_info = gen->tx_tracked = gen->tx_spends = 0;
    gen->tx_sat = 0;
    put_u32(&gen->body, 2);
    if (segwit)
        put(&gen->body, "\x00\x01", 2);
    gen->tx_body = gen->body.size;
    put_compact(&gen->body, inputs);
    gen->state.truth.txs++;
    gen->state.truth.inputs += inputs;
}

/* Hashes it and counts it; `root` if an input spends a known output (or it is a coinbase). Returns its txid. */
static struct hash256 tx_close(struct gen *gen, size_t body_end, bool root)
{
    struct bytes *b = &gen->body;
    put_u32(b, 0);
    must_reserve(&gen->txids, &gen->txids_capacity, gen->txs + 1, sizeof *gen->txids);
    must_reserve(&gen->wtxids, &gen->wtxids_capacity, gen->txs + 1, sizeof *gen->wtxids);
    struct sha256_part parts[3] = {
        {b->data + gen->tx_start, 4}, {b->data + gen->tx_body, body_end - gen->tx_body}, {b->data + b->size - 4, 4}};
    struct hash256 *txid = &gen->txids[gen->txs], *wtxid = &gen->wtxids[gen->txs];
    sha256d_parts(parts, 3, txid);
    if (gen->tx_body == gen->tx_start + 4)
        *wtxid = *txid;
    else
        sha256d(b->data + gen->tx_start, b->size - gen->tx_start, wtxid);
    gen->txs++;
    /* A store knows of such a transaction: txid, place and counts; kind and value of each output, scripts of the
     * unknown ones; of each spend its place and what it spends. */
    if (gen->tx_tracked || gen->tx_spends)
        gen->state.truth.info += 32 + 16 + gen->tx_info + 12 * gen->tx_spends;
    for (unsigned r = 0; r < GEN_RULES; r++) {
        gen->state.truth.unknown_txs[r] += gen->unknown >> r & 1;
        gen->state.truth.roots[r] += root && (gen->unknown >> r & 1);
    }
    take_coins_in(gen, txid);
    return *txid;
}

/* Draws an index by weights in ten thousandths. */
static unsigned draw(struct rng *rng, const uint16_t *weights)
{
    uint32_t left = rng_below(rng, 10000);
    unsigned i = 0;
    while (left >= weights[i])
        left -= weights[i++];
    return i;
}

static uint32_t draw_inputs(struct rng *rng)
{
    static const uint16_t weights[] = {6200, 1800, 1300, 700};
    unsigned range = draw(rng, weights);
    return range < 2 ? range + 1 : range == 2 ? 3 + rng_below(rng, 3) : 6 + rng_below(rng, 13);
}

static uint32_t draw_outputs(struct rng *rng)
{
    static const uint16_t weights[] = {1700, 6600, 1350, 350};
    unsigned range = draw(rng, weights);
    return range < 2 ? range + 1 : range == 2 ? 3 + rng_below(rng, 4) : 7 + rng_below(rng, 18);
}

static unsigned draw_kind(struct rng *rng)
{
    static const uint16_t weights[GEN_KINDS] = {
        [NONSTANDARD] = 10, [NULLDATA] = 600, [PUBKEY] = 10, [MULTISIG] = 30, [P2PKH] = 1000,       [P2SH] = 800,
        [P2WPKH] = 4625,    [P2WSH] = 400,    [P2TR] = 2500, [ANCHOR] = 20,   [WITNESS_UNKNOWN] = 5};
    return draw(rng, weights);
}

static unsigned draw_known(struct rng *rng)
{
    static const uint8_t kinds[8] = {P2WPKH, P2WPKH, P2WPKH, P2TR, P2TR, P2PKH, P2SH, P2WSH};
    return kinds[rng_below(rng, 8)];
}

/* The outpoint of some coin, every second time of one of the youngest. */
static void put_coin(struct gen *gen)
{
    struct rng *rng = &gen->state.rng;
    uint32_t count = (uint32_t)gen->coins_count, young = count < 1000 ? count : 1000;
    uint32_t pick = rng_below(rng, 2) ? rng_below(rng, count) : count - 1 - rng_below(rng, young);
    const struct coin coin = gen->coins[pick];
    gen->coins[pick] = gen->coins[--gen->coins_count];
    put(&gen->body, coin.txid.bytes, HASH256_SIZE);
    put_u32(&gen->body, coin.vout);
    gen->tx_sat += coin.sat;
}

static void put_known_input(struct gen *gen, unsigned kind)
{
    struct bytes *b = &gen->body;
    struct rng *rng = &gen->state.rng;
    if (spends_coins(gen)) {
        put_coin(gen);
    } else {
        put_random(b, rng, 32);
        put_u32(b, rng_below(rng, 4));
    }
    if (kind == P2PKH) {
        put_u8(b, 107);
        put_random(b, rng, 107);
    } else if (kind == P2SH) {
        put(b, "\x17\x16\x00\x14", 4);
        put_random(b, rng, 20);
    } else {
        put_u8(b, 0);
    }
    put_u32(b, 0xfffffffd);
}

static void put_items(struct bytes *b, struct rng *rng, unsigned count, const uint8_t *sizes)
{
    put_u8(b, count);
    for (unsigned i = 0; i < count; i++) {
        put_u8(b, sizes[i]);
        put_random(b, rng, sizes[i]);
    }
}

static void put_witness(struct gen *gen, unsigned kind, bool inscription)
{
    struct bytes *b = &gen->body;
    struct rng *rng = &gen->state.rng;
    if (inscription) {
        uint32_t size = 1000 + rng_below(rng, 1 + rng_below(rng, 49000));
        put_u8(b, 3);
        put_u8(b, 64);
        put_random(b, rng, 64);
        put_compact(b, size);
        put_random(b, rng, size);
        put_u8(b, 33);
        put_random(b, rng, 33);
    } else if (kind == P2PKH) {
        put_u8(b, 0);
    } else if (kind == P2TR) {
        put_items(b, rng, 1, (const uint8_t[]){64});
    } else if (kind == P2WSH) {
        put_items(b, rng, 4, (const uint8_t[]){0, 71, 72, 105});
    } else {
        put_items(b, rng, 2, (const uint8_t[]){71, 33});
    }
}

static void add_plain_tx(struct gen *gen)
{
    struct rng *rng = &gen->state.rng;
    uint32_t inputs = draw_inputs(rng), outputs = draw_outputs(rng);
    static const uint8_t spent_kinds[8] = {P2WPKH, P2WPKH, P2WPKH, P2WPKH, P2TR, P2TR, P2PKH, P2SH};
    unsigned kind = rng_below(rng, 25) ? spent_kinds[rng_below(rng, 8)] : P2WSH; /* a wallet spends one kind */
    if (spends_coins(gen) && inputs > gen->coins_count / 2)
        inputs = 1;
    tx_open(gen, kind != P2PKH, inputs, outputs);
    for (uint32_t i = 0; i < inputs; i++)
        put_known_input(gen, kind);
    put_compact(&gen->body, outputs);
    for (uint32_t i = 0; i < outputs; i++) {
        unsigned out = draw_kind(rng);
        uint64_t sat = out == NULLDATA ? 0 : spends_coins(gen) ? draw_share(gen, outputs - i) : rng_next(rng) >> 38;
        put_output(gen, out, sat);
        note_coin(gen, out, i, sat);
    }
    size_t body_end = gen->body.size;
    bool inscription = kind == P2TR && rng_below(rng, 120) == 0;
    for (uint32_t i = 0; kind != P2PKH && i < inputs; i++)
        put_witness(gen, kind, inscription && i == 0);
    tx_close(gen, body_end, true);
}

static void add_tracked_tx(struct gen *gen)
{
    static const uint8_t kinds[10] = {NONSTANDARD, NONSTANDARD, NONSTANDARD, NONSTANDARD, NONSTANDARD,
                                      PUBKEY,      PUBKEY,      PUBKEY,      PUBKEY,      MULTISIG};
    tx_open(gen, true, 1, 100);
    put_known_input(gen, P2TR);
    put_compact(&gen->body, 100);
    uint64_t sat = spends_coins(gen) ? gen->tx_sat / 100 : 546;
    for (uint32_t i = 0; i < 100; i++)
        put_output(gen, kinds[rng_below(&gen->state.rng, 10)], sat);
    size_t body_end = gen->body.size;
    put_witness(gen, P2TR, false);
    tx_close(gen, body_end, true);
}

/* Output number `number` of the unknown ones stands behind the known ones in every second transaction. */
static uint32_t plan_vout(const struct plan *plan, uint32_t tx, uint32_t number)
{
    return number + (tx & 1 ? plan->txs[tx].known : 0);
}

/* Writes the plan's next transaction. */
static void add_plan_tx(struct gen *gen, struct plan *plan)
{
    struct rng *rng = &gen->state.rng;
    uint32_t at = (uint32_t)plan->next++;
    const struct plan_tx *tx = &plan->txs[at];
    uint32_t unknown = tx->spent + tx->unspent, outputs = unknown + tx->known;
    tx_open(gen, false, tx->arcs + tx->known_input, outputs);
    gen->tx_spends = tx->arcs;
    gen->state.truth.spent += tx->arcs;
    for (uint32_t i = 0; i < tx->arcs; i++) {
        struct plan_arc arc = plan->arcs[tx->first_arc + i];
        put(&gen->body, plan->txids[arc.from].bytes, HASH256_SIZE);
        put_u32(&gen->body, plan_vout(plan, arc.from, arc.number));
        gen->tx_sat += plan->sats[arc.from];
        put_u8(&gen->body, 0);
        put_u32(&gen->body, 0xffffffff);
    }
    if (tx->known_input)
        put_known_input(gen, P2TR);
    put_compact(&gen->body, outputs);
    static const uint8_t kinds[3] = {NONSTANDARD, PUBKEY, MULTISIG};
    plan->sats[at] = gen->tx_sat / outputs;
    for (uint32_t i = 0; i < outputs; i++) {
        bool known = at & 1 ? i < tx->known : i >= unknown;
        unsigned kind = known ? draw_known(rng) : kinds[plan->level];
        uint64_t sat = spends_coins(gen) ? plan->sats[at] : 1 + (rng_next(rng) >> 38);
        put_output(gen, kind, sat);
        note_coin(gen, kind, i, sat);
    }
    plan->txids[at] = tx_close(gen, gen->body.size, tx->known_input);
}

/* ---- blocks ---- */

static struct hash256 merkle_root(struct hash256 *level, size_t count)
{
    while (count > 1) {
        for (size_t i = 0; i < (count + 1) / 2; i++) {
            struct hash256 pair[2] = {level[2 * i], level[2 * i + 1 < count ? 2 * i + 1 : 2 * i]};
            sha256d(pair[0].bytes, sizeof pair, &level[i]);
        }
        count = (count + 1) / 2;
    }
    return level[0];
}

/* The coinbase, written to the body's end like any transaction, with the commitment to the wtxids (BIP 141). */
static void add_coinbase(struct gen *gen, uint32_t height, size_t txs)
{
    struct bytes *b = &gen->body;
    struct {
        struct hash256 root;
        uint8_t reserved[32];
    } preimage = {.reserved = {0}};
    struct hash256 commitment;
    memset(&gen->wtxids[0], 0, sizeof gen->wtxids[0]);
    preimage.root = merkle_root(gen->wtxids, txs);
    sha256d((const uint8_t *)&preimage, sizeof preimage, &commitment);
    struct gen_truth *truth = &gen->state.truth;
    gen->txs = 0; /* its hashes go to the first place */
    tx_open(gen, true, 1, 2);
    for (int i = 0; i < 4; i++)
        put_u64(b, 0);
    put_u32(b, 0xffffffff);
    put_u8(b, 14); /* the height as BIP 34 wants it, then a push up to that size */
    if (height <= 16) {
        put_u8(b, height ? 0x50 + height : 0);
        put_u8(b, 0x0c);
        put_random(b, &gen->state.rng, 12);
    } else {
        unsigned size = height < 0x80 ? 1 : height < 0x8000 ? 2 : height < 0x800000 ? 3 : 4;
        uint8_t number[4];
        store_le32(number, height);
        put_u8(b, size);
        put(b, number, size);
        put_u8(b, 12 - size);
        put_random(b, &gen->state.rng, 12 - size);
    }
    put_u32(b, 0xffffffff);
    put_u8(b, 2);
    uint64_t subsidy = height / 150 < 64 ? UINT64_C(5000000000) >> height / 150 : 0; /* regtest's */
    uint64_t sat = gen->options.spends ? subsidy : 312500000;
    put_output(gen, P2WPKH, sat);
    note_coin(gen, P2WPKH, 0, sat);
    put_u64(b, 0);
    put(b, "\x26\x6a\x24\xaa\x21\xa9\xed", 7);
    put(b, commitment.bytes, 32);
    truth->outputs++;
    truth->kind_count[NULLDATA]++;
    gen->unknown |= 7;
    size_t body_end = b->size;
    put(b, "\x01\x20", 2);
    put(b, preimage.reserved, 32);
    tx_close(gen, body_end, true);
}

/* Header with the least nonce whose hash meets the easiest target. */
static struct hash256 make_header(const struct hash256 *prev, const struct hash256 *root, uint32_t time,
                                  uint8_t out[HEADER])
{
    store_le32(out, 0x20000000);
    memcpy(out + 4, prev->bytes, 32);
    memcpy(out + 36, root->bytes, 32);
    store_le32(out + 68, time);
    store_le32(out + 72, 0x207fffff);
    struct hash256 hash;
    for (uint32_t nonce = 0;; nonce++) {
        store_le32(out + 76, nonce);
        sha256d(out, HEADER, &hash);
        if (hash.bytes[31] < 0x7f)
            return hash;
    }
}

static void flush_file(struct gen *gen)
{
    if (gen->file && fclose(gen->file) != 0)
        die("cannot write", gen->blocks_dir);
    gen->file = NULL;
}

/* XORs as the node does: by the offset in the file. */
static void write_record(struct gen *gen, struct bytes *record)
{
    struct state *state = &gen->state;
    uint64_t limit = gen->options.file_bytes ? gen->options.file_bytes : 128u << 20;
    if (state->file_size > 0 && state->file_size + record->size > limit) {
        flush_file(gen);
        state->file_number++;
        state->file_size = 0;
    }
    if (!gen->file) {
        char path[4096];
        snprintf(path, sizeof path, "%s/blk%05u.dat", gen->blocks_dir, state->file_number);
        gen->file = fopen(path, state->file_size ? "ab" : "wb");
        if (!gen->file)
            die("cannot open", path);
    }
    uint64_t key = load_le64(state->key);
    if (key) {
        unsigned turn = 8 * (state->file_size % 8);
        key = turn ? key >> turn | key << (64 - turn) : key;
        reserve(record, 8);
        for (size_t i = 0; i < record->size; i += 8)
            store_le64(record->data + i, load_le64(record->data + i) ^ key);
    }
    if (fwrite(record->data, 1, record->size, gen->file) != record->size)
        die("cannot write", gen->blocks_dir);
    state->file_size += record->size;
    record->size = 0;
}

static void flush_window(struct gen *gen)
{
    for (uint32_t i = gen->window_count; i > 1; i--) {
        uint32_t j = rng_below(&gen->state.rng, i);
        struct bytes swap = gen->window[i - 1];
        gen->window[i - 1] = gen->window[j];
        gen->window[j] = swap;
    }
    for (uint32_t i = 0; i < gen->window_count; i++)
        write_record(gen, &gen->window[i]);
    gen->window_count = 0;
}

static struct bytes *window_place(struct gen *gen)
{
    uint32_t window = gen->options.window ? gen->options.window : 64;
    if (gen->window_count == window)
        flush_window(gen);
    return &gen->window[gen->window_count++];
}

/* Ends the open block and puts it on the chain, or (stale) beside it. */
static void end_block(struct gen *gen, bool stale)
{
    struct state *state = &gen->state;
    uint32_t height = state->height + 1;
    size_t txs = gen->txs, coinbase = gen->body.size;
    add_coinbase(gen, height, txs);
    size_t coinbase_size = gen->body.size - coinbase;
    struct hash256 root = merkle_root(gen->txids, txs);
    uint8_t header[HEADER];
    struct hash256 hash = make_header(&gen->chain[height - 1], &root, 1300000000 + 600 * height, header);
    struct bytes *record = window_place(gen);
    reserve(record, gen->body.size + HEADER + RECORD_HEAD + 9);
    put(record, magic, 4);
    put_u32(record, 0);
    put(record, header, HEADER);
    put_compact(record, txs);
    put(record, gen->body.data + coinbase, coinbase_size);
    put(record, gen->body.data, coinbase);
    store_le32(record->data + 4, (uint32_t)record->size - RECORD_HEAD);
    state->truth.bytes += record->size;
    gen->body.size = 0;
    gen->txs = 1;
    if (stale)
        return;
    must_reserve(&gen->chain, &gen->chain_capacity, height + 1, sizeof *gen->chain);
    gen->chain[height] = hash;
    state->height = height;
    state->truth.blocks++;
}

/* A sibling of the block before the last, which counts for nothing, not even as a tip of equal work. */
static void add_stale(struct gen *gen)
{
    struct gen_truth before = gen->state.truth;
    uint32_t height = gen->state.height;
    if (height < 2)
        return;
    gen->state.height = height - 2;
    gen->pretending = true;
    for (int i = 0; i < 50; i++)
        add_plain_tx(gen);
    end_block(gen, true);
    gen->pretending = false;
    gen->state.height = height;
    before.bytes = gen->state.truth.bytes;
    before.stale++;
    gen->state.truth = before;
}

static bool block_full(const struct gen *gen)
{
    return gen->body.size >= (gen->options.block_bytes ? gen->options.block_bytes : 1500000u);
}

static void next_block(struct gen *gen)
{
    end_block(gen, false);
    if (gen->options.stale_every && gen->state.height % gen->options.stale_every == 0)
        add_stale(gen);
}

/* One coin becomes many until there are enough to choose from. */
static void make_coins(struct gen *gen)
{
    enum { FAN = 40 };
    size_t enough = (gen->options.block_bytes ? gen->options.block_bytes : 1500000u) / 30;
    while (gen->options.spends && gen->coins_count < enough) {
        if (gen->coins_count == 0 || block_full(gen)) {
            next_block(gen);
            continue;
        }
        tx_open(gen, true, 1, FAN);
        put_known_input(gen, P2WPKH);
        put_compact(&gen->body, FAN);
        for (uint32_t i = 0; i < FAN; i++) {
            uint64_t sat = draw_share(gen, FAN - i);
            put_output(gen, P2WPKH, sat);
            note_coin(gen, P2WPKH, i, sat);
        }
        size_t body_end = gen->body.size;
        put_witness(gen, P2WPKH, false);
        tx_close(gen, body_end, true);
    }
}

/* ---- plans ---- */

void gen_plant(struct gen *gen, struct plan *plan)
{
    struct gen_truth *truth = &gen->state.truth;
    struct plan_sums sums = plan_sum(plan);
    for (unsigned r = plan->level; r < GEN_RULES; r++) {
        truth->tdags[r]++;
        truth->nodes[r] += sums.nodes;
        truth->edges[r] += sums.edges;
        truth->heights[r] += sums.height;
        truth->tdag_txs[r] += sums.txs;
        truth->families[r][plan->family]++;
    }
    if (sums.txs >= BIG_PLAN) {
        must_reserve(&gen->big, &gen->big_capacity, gen->big_count + 1, sizeof(struct plan *));
        gen->big[gen->big_count++] = plan;
    } else {
        must_reserve(&gen->active, &gen->active_capacity, gen->active_count + 1, sizeof(struct plan *));
        gen->active[gen->active_count++] = plan;
    }
}

/* Writes the next transaction of some plan; big ones get a third of the turns. False when there is none. */
static bool step_plans(struct gen *gen)
{
    struct rng *rng = &gen->state.rng;
    bool take_big = gen->big_count > 0 && (gen->active_count == 0 || rng_below(rng, 3) == 0);
    struct plan **plans = take_big ? gen->big : gen->active;
    size_t *count = take_big ? &gen->big_count : &gen->active_count;
    if (*count == 0)
        return false;
    size_t pick = rng_below(rng, (uint32_t)*count);
    add_plan_tx(gen, plans[pick]);
    if (plans[pick]->next == plans[pick]->count) {
        plan_free(plans[pick]);
        plans[pick] = plans[--*count];
    }
    return true;
}

/* With `later` chances in 16, its outputs are of a kind that only later rule sets call unknown. */
static struct plan *random_family(struct gen *gen, uint32_t later)
{
    struct rng *rng = &gen->state.rng;
    struct plan *plan = plan_of_family(rng, rng_below(rng, PLAN_FAMILIES), true);
    plan->level = rng_below(rng, 16) < later ? 1 + rng_below(rng, 2) : 0;
    return plan;
}

/* Completes what has been planted. */
static void drain(struct gen *gen)
{
    while (step_plans(gen))
        if (block_full(gen))
            next_block(gen);
    if (gen->txs > 1)
        next_block(gen);
}

void gen_blocks(struct gen *gen, uint32_t blocks, uint64_t bytes)
{
    struct rng *rng = &gen->state.rng;
    uint32_t to_height = gen->state.height + blocks;
    uint64_t to_bytes = gen->state.truth.bytes + bytes;
    make_coins(gen);
    while (blocks ? gen->state.height + 1 < to_height : gen->state.truth.bytes < to_bytes) {
        while (!block_full(gen)) {
            if (rng_below(rng, 10000) >= gen->options.planted_per_10k) {
                add_plain_tx(gen);
                continue;
            }
            if (gen->active_count < 64 || (gen->active_count < ACTIVE_PLANS && rng_below(rng, 16) == 0))
                gen_plant(gen, random_family(gen, 8));
            step_plans(gen);
        }
        next_block(gen);
    }
    if (blocks)
        add_plain_tx(gen);
    drain(gen);
}

void gen_tracked(struct gen *gen, uint64_t count)
{
    uint64_t to = gen->state.truth.tracked + count;
    make_coins(gen);
    while (gen->state.truth.tracked < to) {
        add_tracked_tx(gen);
        if (block_full(gen))
            next_block(gen);
    }
    drain(gen);
}

void gen_tdags(struct gen *gen, uint32_t tdags)
{
    struct rng *rng = &gen->state.rng;
    make_coins(gen);
    while (tdags > 0 || gen->active_count > 0) {
        while (tdags > 0 && gen->active_count < ACTIVE_PLANS) {
            gen_plant(gen, rng_below(rng, 6) ? plan_of_table(rng) : random_family(gen, 1));
            tdags--;
        }
        step_plans(gen);
        if (block_full(gen))
            next_block(gen);
    }
    drain(gen);
}

/* ---- opening and closing ---- */

static FILE *open_in(const struct gen *gen, const char *name, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", gen->options.dir, name);
    return fopen(path, mode);
}

static void write_key(struct gen *gen)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/xor.dat", gen->blocks_dir);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(gen->state.key, 1, 8, file) != 8 || fclose(file) != 0)
        die("cannot write", path);
}

static void begin_chain(struct gen *gen)
{
    struct state *state = &gen->state;
    state->rng.state = gen->options.seed;
    store_le64(state->key, gen->options.xored ? rng_next(&state->rng) | 1 : 0);
    state->rng.state = gen->options.seed + 1; /* the same chain with and without a key */
    write_key(gen);
    uint8_t block[285];
    for (size_t i = 0; i < sizeof block; i++)
        sscanf(genesis_hex + 2 * i, "%2hhx", &block[i]);
    gen->chain = must_alloc(1, sizeof *gen->chain);
    gen->chain_capacity = 1;
    sha256d(block, HEADER, &gen->chain[0]);
    struct bytes record = {0};
    reserve(&record, sizeof block + RECORD_HEAD);
    put(&record, magic, 4);
    put_u32(&record, sizeof block);
    put(&record, block, sizeof block);
    struct gen_truth *truth = &state->truth;
    truth->bytes = record.size;
    truth->blocks = truth->txs = truth->inputs = truth->outputs = truth->kind_count[PUBKEY] = truth->tracked = 1;
    truth->kind_sat[PUBKEY] = 5000000000;
    for (unsigned r = 1; r < GEN_RULES; r++)
        truth->unknown_txs[r] = truth->roots[r] = 1;
    write_record(gen, &record);
    mem_free(record.data);
}

static bool resume_chain(struct gen *gen)
{
    FILE *file = open_in(gen, "chaingen.state", "rb");
    if (!file)
        return false;
    bool ok = fread(&gen->state, sizeof gen->state, 1, file) == 1;
    gen->chain_capacity = gen->state.height + 1;
    gen->chain = must_alloc(gen->chain_capacity, sizeof *gen->chain);
    if (!ok || fread(gen->chain, sizeof *gen->chain, gen->chain_capacity, file) != gen->chain_capacity)
        die("cannot read", "chaingen.state");
    fclose(file);
    file = gen->options.spends ? open_in(gen, "chaingen.coins", "rb") : NULL;
    if (!file)
        return true;
    for (struct coin coin; fread(&coin, sizeof coin, 1, file) == 1;) {
        must_reserve(&gen->coins, &gen->coins_capacity, gen->coins_count + 1, sizeof coin);
        gen->coins[gen->coins_count++] = coin;
    }
    fclose(file);
    return true;
}

struct gen *gen_open(const struct gen_options *options)
{
    struct gen *gen = must_alloc(1, sizeof *gen);
    char path[4096];
    gen->options = *options;
    snprintf(path, sizeof path, "%s/regtest/blocks", options->dir);
    gen->blocks_dir = strcpy(must_alloc(strlen(path) + 1, 1), path);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        die("cannot create", path);
    gen->window = must_alloc(options->window ? options->window : 64, sizeof *gen->window);
    must_reserve(&gen->txids, &gen->txids_capacity, 1, sizeof *gen->txids);
    must_reserve(&gen->wtxids, &gen->wtxids_capacity, 1, sizeof *gen->wtxids);
    gen->txs = 1; /* the coinbase's place */
    if (!resume_chain(gen))
        begin_chain(gen);
    return gen;
}

void gen_fork(struct gen *gen, uint32_t height)
{
    size_t kept = 0;
    for (size_t i = 0; i < gen->coins_count; i++)
        if (gen->coins[i].height <= height)
            gen->coins[kept++] = gen->coins[i];
    gen->coins_count = kept;
    gen->state.height = height;
}

uint32_t gen_height(const struct gen *gen) { return gen->state.height; }

struct hash256 gen_tip(const struct gen *gen) { return gen->chain[gen->state.height]; }

const struct gen_truth *gen_truth_of(const struct gen *gen) { return &gen->state.truth; }

static void print_array(FILE *out, const char *name, const uint64_t *values)
{
    fprintf(out, ",\n \"%s\": [%ju, %ju, %ju]", name, (uintmax_t)values[0], (uintmax_t)values[1], (uintmax_t)values[2]);
}

void gen_print_truth(const struct gen *gen, FILE *out)
{
    const struct gen_truth *t = &gen->state.truth;
    char tip[HASH256_HEX_SIZE + 1] = {0};
    hash256_hex(&gen->chain[gen->state.height], tip);
    fprintf(out, "{\"tip\": \"%s\",\n \"blocks\": %ju, \"txs\": %ju, \"inputs\": %ju, \"outputs\": %ju,\n", tip,
            (uintmax_t)t->blocks, (uintmax_t)t->txs, (uintmax_t)t->inputs, (uintmax_t)t->outputs);
    fprintf(out, " \"stale\": %ju, \"bytes\": %ju, \"tracked\": %ju, \"spent\": %ju, \"info\": %ju",
            (uintmax_t)t->stale, (uintmax_t)t->bytes, (uintmax_t)t->tracked, (uintmax_t)t->spent,
            (uintmax_t)(t->info + 200 * t->blocks));
    for (unsigned k = 0; k < GEN_KINDS; k++)
        fprintf(out, ",\n \"%s\": [%ju, %ju]", gen_kind_names[k], (uintmax_t)t->kind_count[k],
                (uintmax_t)t->kind_sat[k]);
    fputs(",\n \"rules\": [\"core-0.18\", \"core-0.19\", \"core-22\"]", out);
    print_array(out, "unknown_txs", t->unknown_txs);
    print_array(out, "roots", t->roots);
    print_array(out, "tdags", t->tdags);
    print_array(out, "nodes", t->nodes);
    print_array(out, "edges", t->edges);
    print_array(out, "heights", t->heights);
    print_array(out, "tdag_txs", t->tdag_txs);
    for (unsigned f = 0; f < PLAN_FAMILIES; f++) {
        uint64_t counts[GEN_RULES] = {t->families[0][f], t->families[1][f], t->families[2][f]};
        print_array(out, plan_family_names[f], counts);
    }
    fputs("}\n", out);
}

void gen_close(struct gen *gen)
{
    flush_window(gen);
    flush_file(gen);
    FILE *file = open_in(gen, "chaingen.state", "wb");
    size_t count = gen->state.height + 1;
    if (!file || fwrite(&gen->state, sizeof gen->state, 1, file) != 1 ||
        fwrite(gen->chain, sizeof *gen->chain, count, file) != count || fclose(file) != 0)
        die("cannot write", "chaingen.state");
    file = gen->options.spends ? open_in(gen, "chaingen.coins", "wb") : NULL;
    if (file &&
        (fwrite(gen->coins, sizeof *gen->coins, gen->coins_count, file) != gen->coins_count || fclose(file) != 0))
        die("cannot write", "chaingen.coins");
    file = open_in(gen, "truth.json", "w");
    if (!file)
        die("cannot write", "truth.json");
    gen_print_truth(gen, file);
    if (fclose(file) != 0)
        die("cannot write", "truth.json");
    uint32_t window = gen->options.window ? gen->options.window : 64;
    for (uint32_t i = 0; i < window; i++)
        mem_free(gen->window[i].data);
    mem_free(gen->window);
    mem_free(gen->body.data);
    mem_free(gen->txids);
    mem_free(gen->wtxids);
    mem_free(gen->chain);
    mem_free(gen->coins);
    mem_free(gen->new_coins);
    mem_free(gen->active);
    mem_free(gen->big);
    mem_free(gen->blocks_dir);
    mem_free(gen);
}
