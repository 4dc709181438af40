#include "tests/support/chaingen_parts.h"

#include "parser/sha256.h"

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

/* The height as BIP 34 wants it, then a push up to 14 bytes. */
static void put_height(struct bytes *b, struct rng *rng, uint32_t height)
{
    put_u8(b, 14);
    if (height <= 16) {
        put_u8(b, height ? 0x50 + height : 0);
        put_u8(b, 0x0c);
        put_random(b, rng, 12);
    } else {
        unsigned size = height < 0x80 ? 1 : height < 0x8000 ? 2 : height < 0x800000 ? 3 : 4;
        uint8_t number[4];
        store_le32(number, height);
        put_u8(b, size);
        put(b, number, size);
        put_u8(b, 12 - size);
        put_random(b, rng, 12 - size);
    }
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
    gen_tx_open(gen, true, 1, 2);
    for (int i = 0; i < 4; i++)
        put_u64(b, 0);
    put_u32(b, 0xffffffff);
    put_height(b, &gen->state.rng, height);
    put_u32(b, 0xffffffff);
    put_u8(b, 2);
    uint64_t subsidy = height / 150 < 64 ? UINT64_C(5000000000) >> height / 150 : 0; /* regtest's */
    uint64_t sat = gen->options.spends ? subsidy : 312500000;
    gen_put_output(gen, P2WPKH, sat);
    gen_note_coin(gen, P2WPKH, 0, sat);
    put_u64(b, 0);
    put(b, "\x26\x6a\x24\xaa\x21\xa9\xed", 7);
    put(b, commitment.bytes, 32);
    truth->outputs++;
    truth->kind_count[NULLDATA]++;
    gen->unknown |= 7;
    size_t body_end = b->size;
    put(b, "\x01\x20", 2);
    put(b, preimage.reserved, 32);
    gen_tx_close(gen, body_end, true);
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

void gen_flush_file(struct gen *gen)
{
    if (gen->file && fclose(gen->file) != 0)
        gen_die("cannot write", gen->blocks_dir);
    gen->file = NULL;
}

/* XORs as the node does: by the offset in the file. */
void gen_write_record(struct gen *gen, struct bytes *record)
{
    struct state *state = &gen->state;
    uint64_t limit = gen->options.file_bytes ? gen->options.file_bytes : 128u << 20;
    if (state->file_size > 0 && state->file_size + record->size > limit) {
        gen_flush_file(gen);
        state->file_number++;
        state->file_size = 0;
    }
    if (!gen->file) {
        char path[4096];
        snprintf(path, sizeof path, "%s/blk%05u.dat", gen->blocks_dir, state->file_number);
        gen->file = fopen(path, state->file_size ? "ab" : "wb");
        if (!gen->file)
            gen_die("cannot open", path);
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
        gen_die("cannot write", gen->blocks_dir);
    state->file_size += record->size;
    record->size = 0;
}

void gen_flush_window(struct gen *gen)
{
    for (uint32_t i = gen->window_count; i > 1; i--) {
        uint32_t j = rng_below(&gen->state.rng, i);
        struct bytes swap = gen->window[i - 1];
        gen->window[i - 1] = gen->window[j];
        gen->window[j] = swap;
    }
    for (uint32_t i = 0; i < gen->window_count; i++)
        gen_write_record(gen, &gen->window[i]);
    gen->window_count = 0;
}

static struct bytes *window_place(struct gen *gen)
{
    uint32_t window = gen->options.window ? gen->options.window : 64;
    if (gen->window_count == window)
        gen_flush_window(gen);
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
    put(record, gen_magic, 4);
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
        gen_add_plain_tx(gen);
    end_block(gen, true);
    gen->pretending = false;
    gen->state.height = height;
    before.bytes = gen->state.truth.bytes;
    before.stale++;
    gen->state.truth = before;
}

bool gen_block_full(const struct gen *gen)
{
    return gen->body.size >= (gen->options.block_bytes ? gen->options.block_bytes : 1500000u);
}

void gen_next_block(struct gen *gen)
{
    end_block(gen, false);
    if (gen->options.stale_every && gen->state.height % gen->options.stale_every == 0)
        add_stale(gen);
}

void gen_make_coins(struct gen *gen)
{
    enum { FAN = 40 };
    size_t enough = (gen->options.block_bytes ? gen->options.block_bytes : 1500000u) / 30;
    while (gen->options.spends && gen->coins_count < enough) {
        if (gen->coins_count == 0 || gen_block_full(gen)) {
            gen_next_block(gen);
            continue;
        }
        gen_tx_open(gen, true, 1, FAN);
        gen_put_known_input(gen, P2WPKH);
        put_compact(&gen->body, FAN);
        for (uint32_t i = 0; i < FAN; i++) {
            uint64_t sat = gen_draw_share(gen, FAN - i);
            gen_put_output(gen, P2WPKH, sat);
            gen_note_coin(gen, P2WPKH, i, sat);
        }
        size_t body_end = gen->body.size;
        gen_put_witness(gen, P2WPKH, false);
        gen_tx_close(gen, body_end, true);
    }
}
