#include "tests/support/chaingen_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "parser/sha256.h"

/* ---- scripts ---- */

static void put_nonstandard(struct gen *gen, struct bytes *b, struct rng *rng)
{
    if (gen->holder) { /* a hash lock */
        put(b, "\x23\xa8\x20", 3);
        gen_put_held(gen, b);
        put_u8(b, 0x87);
        return;
    }
    switch (rng_below(rng, 4)) {
    case 0: /* a P2PKH with a NOP after it */
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

static void put_first_key(struct gen *gen, struct bytes *b, struct rng *rng)
{
    if (!gen->holder) {
        put_key(b, rng);
        return;
    }
    gen_put_held_key(gen, b);
}

static void put_nulldata(struct bytes *b, struct rng *rng)
{
    uint32_t size = 8 + rng_below(rng, 68);
    put_u8(b, size + 2);
    put_u8(b, 0x6a);
    put_u8(b, size);
    put_random(b, rng, size);
}

/* `prefix` of `size` bytes, and so many random ones. */
static void put_then_random(struct bytes *b, struct rng *rng, const char *prefix, size_t size, size_t random)
{
    put(b, prefix, size);
    put_random(b, rng, random);
}

/* Size byte and script. */
static void put_script(struct gen *gen, struct bytes *b, struct rng *rng, unsigned kind)
{
    switch (kind) {
    case NONSTANDARD: put_nonstandard(gen, b, rng); break;
    case NULLDATA: put_nulldata(b, rng); break;
    case PUBKEY:
        put_u8(b, 0x23);
        put_first_key(gen, b, rng);
        put_u8(b, 0xac);
        break;
    case MULTISIG:
        put(b, "\x47\x51", 2);
        put_first_key(gen, b, rng);
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
    case P2WPKH: put_then_random(b, rng, "\x16\x00\x14", 3, 20); break;
    case P2WSH: put_then_random(b, rng, "\x22\x00\x20", 3, 32); break;
    case P2TR: put_then_random(b, rng, "\x22\x51\x20", 3, 32); break;
    case ANCHOR: put(b, "\x04\x51\x02\x4e\x73", 5); break;
    default: put_then_random(b, rng, "\x22\x52\x20", 3, 32); break;
    }
}

/* Rule sets in which the kind is unknown. */
static unsigned kind_rules(unsigned kind)
{
    return kind <= NULLDATA ? 7 : kind == PUBKEY ? 6 : kind == MULTISIG ? 4 : 0;
}

/* ---- coins ---- */

static bool spends_coins(const struct gen *gen) { return gen->options.spends && !gen->pretending; }

uint64_t gen_draw_share(struct gen *gen, uint32_t left)
{
    struct rng *rng = &gen->state.rng;
    uint64_t fee = 200 + rng_below(rng, 2000), sat = gen->tx_sat / left * (512 + rng_below(rng, 512)) / 1024;
    if (left == 1)
        sat = gen->tx_sat > fee ? gen->tx_sat - fee : gen->tx_sat;
    gen->tx_sat -= sat;
    return sat;
}

void gen_note_coin(struct gen *gen, unsigned kind, uint32_t vout, uint64_t sat)
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

void gen_put_output(struct gen *gen, unsigned kind, uint64_t sat)
{
    struct gen_truth *truth = &gen->state.truth;
    put_u64(&gen->body, sat);
    size_t script = gen->body.size;
    put_script(gen, &gen->body, &gen->state.rng, kind);
    gen->tx_info += 9 + (kind_rules(kind) ? gen->body.size - script : 0);
    gen->tx_tracked += kind_rules(kind) && kind != NULLDATA;
    truth->outputs++;
    truth->kind_count[kind]++;
    truth->kind_sat[kind] += sat;
    truth->tracked += kind_rules(kind) && kind != NULLDATA;
    gen->unknown |= kind_rules(kind);
}

/* ---- transactions ---- */

void gen_tx_open(struct gen *gen, bool segwit, uint32_t inputs, uint32_t outputs)
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

struct hash256 gen_tx_close(struct gen *gen, size_t body_end, bool root)
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
    gen_list_held(gen, txid);
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
    static const uint16_t weights[KIND_NAMES] = {
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
    if (gen->coins_count == 0) {
        fprintf(stderr, "chaingen: there is no coin left to spend: give a larger --size, or larger blocks\n");
        exit(1);
    }
    uint32_t count = (uint32_t)gen->coins_count, young = count < 1000 ? count : 1000;
    uint32_t pick = rng_below(rng, 2) ? rng_below(rng, count) : count - 1 - rng_below(rng, young);
    const struct coin coin = gen->coins[pick];
    gen->coins[pick] = gen->coins[--gen->coins_count];
    put(&gen->body, coin.txid.bytes, HASH256_SIZE);
    put_u32(&gen->body, coin.vout);
    gen->tx_sat += coin.sat;
}

void gen_put_known_input(struct gen *gen, unsigned kind)
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

void gen_put_witness(struct gen *gen, unsigned kind, bool inscription)
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

void gen_add_plain_tx(struct gen *gen)
{
    struct rng *rng = &gen->state.rng;
    uint32_t inputs = draw_inputs(rng), outputs = draw_outputs(rng);
    static const uint8_t spent_kinds[8] = {P2WPKH, P2WPKH, P2WPKH, P2WPKH, P2TR, P2TR, P2PKH, P2SH};
    unsigned kind = rng_below(rng, 25) ? spent_kinds[rng_below(rng, 8)] : P2WSH; /* a wallet spends one kind */
    if (spends_coins(gen) && inputs > gen->coins_count / 2)
        inputs = 1;
    gen_tx_open(gen, kind != P2PKH, inputs, outputs);
    for (uint32_t i = 0; i < inputs; i++)
        gen_put_known_input(gen, kind);
    put_compact(&gen->body, outputs);
    for (uint32_t i = 0; i < outputs; i++) {
        unsigned out = draw_kind(rng);
        uint64_t sat = out == NULLDATA ? 0 : spends_coins(gen) ? gen_draw_share(gen, outputs - i) : rng_next(rng) >> 38;
        gen_put_output(gen, out, sat);
        gen_note_coin(gen, out, i, sat);
    }
    size_t body_end = gen->body.size;
    bool inscription = kind == P2TR && rng_below(rng, 120) == 0;
    for (uint32_t i = 0; kind != P2PKH && i < inputs; i++)
        gen_put_witness(gen, kind, inscription && i == 0);
    gen_tx_close(gen, body_end, true);
}

void gen_add_tracked_tx(struct gen *gen)
{
    static const uint8_t kinds[10] = {NONSTANDARD, NONSTANDARD, NONSTANDARD, NONSTANDARD, NONSTANDARD,
                                      PUBKEY,      PUBKEY,      PUBKEY,      PUBKEY,      MULTISIG};
    gen_tx_open(gen, true, 1, 100);
    gen_put_known_input(gen, P2TR);
    put_compact(&gen->body, 100);
    uint64_t sat = spends_coins(gen) ? gen->tx_sat / 100 : 546;
    for (uint32_t i = 0; i < 100; i++) {
        unsigned kind = kinds[rng_below(&gen->state.rng, 10)];
        gen->holder = gen_draw_holder(gen);
        gen_count_member(gen, gen->holder, kind);
        gen_note_held(gen, i, kind);
        gen_put_output(gen, kind, sat);
    }
    gen->holder = 0;
    size_t body_end = gen->body.size;
    gen_put_witness(gen, P2TR, false);
    gen_tx_close(gen, body_end, true);
}

/* Output number `number` of the unknown ones stands after the known ones in every second transaction. */
static uint32_t plan_vout(const struct plan *plan, uint32_t tx, uint32_t number)
{
    return number + (tx & 1 ? plan->txs[tx].known : 0);
}

void gen_add_plan_tx(struct gen *gen, struct plan *plan)
{
    struct rng *rng = &gen->state.rng;
    uint32_t at = (uint32_t)plan->next++;
    const struct plan_tx *tx = &plan->txs[at];
    uint32_t unknown = tx->spent + tx->unspent, outputs = unknown + tx->known;
    gen_tx_open(gen, false, tx->arcs + tx->known_input, outputs);
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
        gen_put_known_input(gen, P2TR);
    put_compact(&gen->body, outputs);
    static const uint8_t kinds[3] = {NONSTANDARD, PUBKEY, MULTISIG};
    plan->sats[at] = gen->tx_sat / outputs;
    for (uint32_t i = 0; i < outputs; i++) {
        bool known = at & 1 ? i < tx->known : i >= unknown;
        unsigned kind = known ? draw_known(rng) : kinds[plan->level];
        uint64_t sat = spends_coins(gen) ? plan->sats[at] : 1 + (rng_next(rng) >> 38);
        gen->holder = known ? 0 : plan->holder;
        gen_note_held(gen, i, kind);
        gen_put_output(gen, kind, sat);
        gen_note_coin(gen, kind, i, sat);
    }
    gen->holder = 0;
    plan->txids[at] = gen_tx_close(gen, gen->body.size, tx->known_input);
}
