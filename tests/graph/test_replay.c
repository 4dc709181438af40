/* replay against a model: which outputs can still be spent, kept as a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "graph/scan/replay.h"

#define BLOCKS 60u
#define TXS_A_BLOCK 20u
#define OUTPUTS_MAX (BLOCKS * TXS_A_BLOCK)

static uint64_t rng;
static uint32_t below(uint32_t n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng >> 33) % n;
}

/* Every transaction has one tracked output: ordinal = number of the transaction. */
static struct {
    struct hash256 txid;
    bool alive;
} outputs[OUTPUTS_MAX];
static uint32_t outputs_count;
static struct fault fault;

/* Makes a new output; now and then with the txid of an earlier one, which it replaces. */
static void model_create(void)
{
    uint32_t repeated = below(8) || outputs_count == 0 ? UINT32_MAX : below(outputs_count);
    struct hash256 txid = {{0}};
    if (repeated != UINT32_MAX)
        txid = outputs[repeated].txid;
    else
        store_le32(txid.bytes, outputs_count + 1);
    for (uint32_t i = 0; i < outputs_count; i++)
        if (hash256_equal(&outputs[i].txid, &txid))
            outputs[i].alive = false;
    outputs[outputs_count].txid = txid;
    outputs[outputs_count++].alive = true;
}

static void add_tx(struct store *store, uint32_t index)
{
    struct spend_record spends[3];
    struct tx_record tx = {.index = index, .inputs = 3, .outputs = 1, .tracked = 1};
    for (uint32_t vin = 0; vin < 3; vin++) {
        uint32_t ordinal = outputs_count ? below(outputs_count) : 0;
        if (outputs_count == 0 || !outputs[ordinal].alive)
            continue;
        outputs[ordinal].alive = false;
        spends[tx.spends++] = (struct spend_record){.vin = vin, .ordinal = ordinal};
    }
    model_create();
    tx.txid = outputs[outputs_count - 1].txid;
    struct buffer blob = {0};
    const uint32_t vout = 0;
    const struct output_record output = {.value_sat = 1,
                                         .kind = KIND_NONSTANDARD,
                                         .unknown = RULES_ALL,
                                         .script = (const uint8_t *)"\x51",
                                         .script_size = 1};
    assert_int_equal(record_add_output(&blob, &output), STATUS_OK);
    assert_int_equal(store_add_tx(store, &tx, blob.bytes, blob.size, &vout, spends, &fault), STATUS_OK);
    buffer_free(&blob);
}

static void add_block(struct store *store, uint32_t height)
{
    struct block_record block = {.height = height, .counts = {.txs = TXS_A_BLOCK}};
    assert_int_equal(store_begin_block(store, &block, &fault), STATUS_OK);
    for (uint32_t t = 0; t < TXS_A_BLOCK; t++)
        add_tx(store, t);
    assert_int_equal(store_end_block(store, &fault), STATUS_OK);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
}

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    return store_outpoint(context, ordinal, txid, vout, &fault);
}

static void expect_table(const struct store *store, const struct outpoints *table)
{
    struct store_reader *reader = NULL;
    uint64_t alive = 0;
    assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
    for (uint32_t i = 0; i < outputs_count; i++) {
        uint64_t want = OUTPOINT_NONE, got;
        for (uint32_t j = 0; j < outputs_count; j++)
            if (outputs[j].alive && hash256_equal(&outputs[i].txid, &outputs[j].txid))
                want = j;
        uint8_t prevout[TX_PREVOUT_SIZE] = {0};
        memcpy(prevout, outputs[i].txid.bytes, HASH256_SIZE);
        assert_int_equal(
            outpoints_find(table, prevout, outpoints_hash(table, prevout), UINT64_MAX, resolve, reader, &got),
            STATUS_OK);
        assert_int_equal(got, want);
        alive += outputs[i].alive;
    }
    assert_int_equal(outpoints_count(table), alive);
    store_reader_close(reader);
}

/* From nothing, and from the table of every earlier height in some steps, the same table comes out. */
static void test_from_any_height(void **state)
{
    (void)state;
    char folder[] = "/tmp/unktx-replay-XXXXXX";
    const struct store_identity identity = {.magic = {1, 2, 3, 4}};
    struct store *store = NULL;
    rng = getenv("TEST_SEED") ? strtoull(getenv("TEST_SEED"), NULL, 10) : 20240607;
    print_message("seed %llu (TEST_SEED=... chooses another)\n", (unsigned long long)rng);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(store_open(folder, STORE_WRITE, &identity, &store, &fault), STATUS_OK);
    struct outpoints *stepped = NULL;
    assert_int_equal(outpoints_new(store_seed(store), &stepped, &fault), STATUS_OK);
    for (uint32_t height = 0, known = 0; height < BLOCKS; height++) {
        add_block(store, height);
        if (below(4) && height + 1 < BLOCKS)
            continue;
        struct outpoints *whole = NULL;
        uint64_t records = 0;
        assert_int_equal(outpoints_new(store_seed(store), &whole, &fault), STATUS_OK);
        assert_int_equal(replay_outpoints(store, 0, whole, &records, &fault), STATUS_OK);
        assert_int_equal(records, 2 * outputs_count);
        expect_table(store, whole);
        outpoints_free(whole);
        assert_int_equal(replay_outpoints(store, known, stepped, &records, &fault), STATUS_OK);
        assert_int_equal(records, 2 * (uint64_t)TXS_A_BLOCK * (height + 1 - known));
        expect_table(store, stepped);
        known = height + 1;
    }
    outpoints_free(stepped);
    store_close(store);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_from_any_height)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
