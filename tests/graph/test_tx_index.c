/* The index against a node's answers, row by row; against itself read in another order; and grown, cut back and
 * switched against a fresh one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/index/tx_index.h"
#include "graph/index/build.h"
#include "graph/index/format.h"
#include "graph/test_hooks.h"
#include "parser/block.h"
#include "parser/mem.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static unsigned damages;
static char damage_text[512];
static void on_damage(void *context, const struct fault *what)
{
    (void)context;
    damages++;
    snprintf(damage_text, sizeof damage_text, "%s", what->text);
}

static unsigned went_on; /* how often a build said that it goes on from an interrupted one */
static unsigned joined_again;
static void on_note(void *context, const char *text)
{
    (void)context;
    went_on += strncmp(text, "going on", 8) == 0;
    joined_again += strncmp(text, "joining again", 13) == 0;
}

static atomic_int stop;
static int stop_at = -1; /* the stage to be interrupted in */
static void on_progress(void *context, const struct index_progress *progress)
{
    (void)context;
    if ((int)progress->stage == stop_at)
        stop = 1;
}

static struct index_options options_for(const char *datadir, const char *store)
{
    return (struct index_options){.datadir = datadir,
                                  .store = store,
                                  .memory = UINT64_C(256) << 20,
                                  .threads = 2,
                                  .to_height = UINT32_MAX,
                                  .damage = on_damage,
                                  .progress = on_progress,
                                  .note = on_note,
                                  .stop = &stop};
}

static struct index_result build_with(const struct index_options *options)
{
    struct index_result result;
    struct fault fault = {0};
    damages = 0;
    if (index_build(options, &result, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return result;
}

static struct index_result build(const char *datadir, const char *store)
{
    struct index_options options = options_for(datadir, store);
    return build_with(&options);
}

static struct tx_index *open_index(const char *store)
{
    struct tx_index *index;
    struct fault fault = {0};
    if (index_open(store, &index, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return index;
}

/* The digest of an index that must be sound, as text. */
static const char *check(const char *store, unsigned threads, char text[65])
{
    uint8_t digest[32];
    struct fault fault = {0};
    if (index_check(store, threads, digest, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static void assert_same_index(const char *a, const char *b)
{
    char one[65], two[65];
    assert_string_equal(check(a, 2, one), check(b, 1, two));
}

static void hex(const struct hash256 *hash, char text[65]) { *hash256_hex(hash, text) = 0; }

/* ---- a node's answers ---- */

struct truth {
    struct table blocks, txs, outputs, inputs;
    bool reduced; /* as in tests/fixtures: inputs name transactions by row, outputs only some of the spenders */
};

static void check_blocks(struct tx_index *index, const struct truth *truth)
{
    struct index_totals totals = index_totals_of(index);
    assert_int_equal(totals.blocks, truth->blocks.rows);
    for (size_t row = 0; row < truth->blocks.rows; row++) {
        struct index_block block, found;
        char text[65];
        assert_int_equal(index_block_at(index, (uint32_t)row, &block, NULL), STATUS_OK);
        hex(&block.hash, text);
        assert_string_equal(text, table_get(&truth->blocks, row, "hash"));
        assert_int_equal(block.txs, table_number(&truth->blocks, row, table_column(&truth->blocks, "n_tx")));
        assert_int_equal(block.time, table_number(&truth->blocks, row, table_column(&truth->blocks, "time")));
        assert_int_equal(index_block_find(index, &block.hash, &found, NULL), STATUS_OK);
        assert_int_equal(found.height, row);
    }
}

static void check_txs(struct tx_index *index, const struct truth *truth)
{
    const struct table *txs = &truth->txs;
    size_t height = table_column(txs, "height"), index_in_block = table_column(txs, "index"),
           txid = table_column(txs, "txid"), inputs = table_column(txs, "n_in"), outputs = table_column(txs, "n_out"),
           fee = table_column(txs, "fee_sat"), coinbase = table_column(txs, "coinbase");
    assert_int_equal(index_totals_of(index).txs, txs->rows);
    for (size_t row = 0; row < txs->rows; row++) {
        struct index_tx tx, found;
        char text[65];
        assert_int_equal(index_tx_at(index, row, &tx, NULL), STATUS_OK);
        hex(&tx.txid, text);
        assert_string_equal(text, table_at(txs, row, txid));
        assert_int_equal(tx.height, table_number(txs, row, height));
        assert_int_equal(tx.index, table_number(txs, row, index_in_block));
        assert_int_equal(tx.inputs, table_number(txs, row, inputs));
        assert_int_equal(tx.outputs, table_number(txs, row, outputs));
        assert_int_equal(tx.coinbase, table_number(txs, row, coinbase));
        assert_int_equal(tx.fee_sat, table_number(txs, row, fee)); /* empty, which is 0, for a coinbase */
        uint64_t below = UINT64_MAX;                               /* newest first, every occurrence */
        do {
            assert_int_equal(index_tx_find(index, &tx.txid, below, &found, NULL), STATUS_OK);
            assert_true(found.number < below && hash256_equal(&found.txid, &tx.txid));
            below = found.number;
        } while (below > row);
        assert_int_equal(below, row);
    }
}

static void check_outputs(struct tx_index *index, const struct truth *truth)
{
    const struct table *outputs = &truth->outputs;
    size_t txid = table_column(outputs, "txid"), vout = table_column(outputs, "vout"),
           value = table_column(outputs, "value_sat"), type = table_column(outputs, "type"),
           spender = table_column(outputs, "spent_by_txid"), vin = table_column(outputs, "spent_by_vin"),
           spent_height = table_column(outputs, "spent_height");
    assert_int_equal(index_totals_of(index).outputs, outputs->rows);
    for (size_t row = 0; row < outputs->rows; row++) {
        struct index_output output;
        struct index_tx tx;
        char text[65];
        assert_int_equal(index_outputs(index, row, 1, &output, NULL), STATUS_OK);
        assert_int_equal(index_tx_of_output(index, row, &tx, NULL), STATUS_OK);
        hex(&tx.txid, text);
        assert_memory_equal(text, table_at(outputs, row, txid), strlen(table_at(outputs, row, txid)));
        assert_int_equal(row - tx.first_output, table_number(outputs, row, vout));
        assert_int_equal(output.value_sat, table_number(outputs, row, value));
        assert_string_equal(kind_name(output.kind), table_at(outputs, row, type));
        if (*table_at(outputs, row, spender) == '\0' && !truth->reduced) {
            assert_true(output.spender == INDEX_NONE);
        } else if (*table_at(outputs, row, spender) != '\0') {
            assert_int_equal(index_tx_of_input(index, output.spender, &tx, NULL), STATUS_OK);
            hex(&tx.txid, text);
            assert_memory_equal(text, table_at(outputs, row, spender), strlen(table_at(outputs, row, spender)));
            assert_int_equal(output.spender - tx.first_input, table_number(outputs, row, vin));
            assert_int_equal(tx.height, table_number(outputs, row, spent_height));
        }
    }
}

/* That transaction is the one of the field: a txid, or a row of the transactions. */
static void assert_tx(const struct truth *truth, const struct index_tx *tx, size_t row, size_t column)
{
    char text[65];
    if (truth->reduced) {
        assert_int_equal(tx->number, table_number(&truth->inputs, row, column));
        return;
    }
    hex(&tx->txid, text);
    assert_string_equal(text, table_at(&truth->inputs, row, column));
}

/* The node's rows leave coinbases out. */
static void check_inputs(struct tx_index *index, const struct truth *truth)
{
    const struct table *inputs = &truth->inputs;
    size_t tx_column = table_column(inputs, truth->reduced ? "tx" : "txid"), vin = table_column(inputs, "vin"),
           prev = table_column(inputs, truth->reduced ? "prev_tx" : "prev_txid"),
           vout = table_column(inputs, "prev_vout"), row = 0;
    struct index_totals totals = index_totals_of(index);
    for (uint64_t input = 0; input < totals.inputs; input++) {
        uint64_t spent;
        struct index_tx tx, from;
        assert_int_equal(index_inputs(index, input, 1, &spent, NULL), STATUS_OK);
        assert_int_equal(index_tx_of_input(index, input, &tx, NULL), STATUS_OK);
        assert_int_equal(spent == INDEX_NONE, tx.coinbase);
        if (tx.coinbase)
            continue;
        assert_true(row < inputs->rows);
        assert_tx(truth, &tx, row, tx_column);
        assert_int_equal(input - tx.first_input, table_number(inputs, row, vin));
        assert_int_equal(index_tx_of_output(index, spent, &from, NULL), STATUS_OK);
        assert_tx(truth, &from, row, prev);
        assert_int_equal(spent - from.first_output, table_number(inputs, row, vout));
        row++;
    }
    assert_int_equal(row, inputs->rows);
}

static void check_against_node(const char *store, const char *truth_dir)
{
    struct truth truth = {.blocks = table_read(path_of("%s/blocks.csv", truth_dir)),
                          .txs = table_read(path_of("%s/txs.csv", truth_dir)),
                          .outputs = table_read(path_of("%s/outputs.csv", truth_dir)),
                          .inputs = table_read(path_of("%s/inputs.csv", truth_dir))};
    truth.reduced = strcmp(truth.inputs.fields[0], "tx") == 0;
    struct tx_index *index = open_index(store);
    char text[65];
    check_blocks(index, &truth);
    check_txs(index, &truth);
    check_outputs(index, &truth);
    check_inputs(index, &truth);
    table_free(&truth.inputs);
    index_close(index);
    check(store, 2, text);
    table_free(&truth.blocks);
    table_free(&truth.txs);
    table_free(&truth.outputs);
}

static void check_fixture(const char *fixture)
{
    char *dir = temp_dir();
    build(path_of("%s/regtest", fixture), dir);
    check_against_node(dir, path_of("%s/truth", fixture));
    remove_tree(dir);
    free(dir);
}

static void test_fixtures(void **state)
{
    (void)state;
    check_fixture("tests/fixtures/regtest-xor");
    check_fixture("tests/fixtures/dup-txid");
    check_fixture("tests/fixtures/crash");
}

static void test_all_fixtures(void **state)
{
    (void)state;
    static const char *const fixtures[] = {"regtest-xor",  "regtest-plain",  "extras/tie",    "extras/dup-txid",
                                           "extras/crash", "extras/padding", "extras/genesis"};
    if (!path_exists("../shared/fixtures/regtest-xor/truth/inputs.csv")) {
        print_message("skipped: no ../shared/fixtures here, so the bundled chains only\n");
        skip();
    }
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++)
        if (path_exists(path_of("../shared/fixtures/%s/truth/inputs.csv", fixtures[i])))
            check_fixture(path_of("../shared/fixtures/%s", fixtures[i]));
}

static struct gen_options spending_chain(const char *dir)
{
    return (struct gen_options){.dir = dir,
                                .seed = 11,
                                .xored = true,
                                .block_bytes = 40000,
                                .file_bytes = 1 << 20,
                                .window = 16,
                                .planted_per_10k = 300,
                                .stale_every = 20,
                                .spends = true};
}

static int whole_hashes(void **state)
{
    (void)state;
    index_hash_mask = UINT64_MAX;
    return 0;
}

/* Every hash of a txid the same in all but three bits: full txids must settle each spend. */
static void test_collisions(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *fixture = "tests/fixtures/dup-txid", *data = path_of("%s/regtest", fixture);
    struct index_options options = options_for(data, dir);
    index_hash_mask = UINT64_C(7) << 61;
    build_with(&options);
    check_against_node(dir, path_of("%s/truth", fixture));
    remove_tree(dir);
    options.to_height = 115; /* between the two occurrences */
    build_with(&options);
    options.to_height = UINT32_MAX;
    build_with(&options);
    check_against_node(dir, path_of("%s/truth", fixture));
    remove_tree(dir);
    free(dir);
}

/* With a few bits of a hash most are alone with theirs, and a prevout in a later build than what it names is taken for
 * something else often. */
static void test_deceiving_hashes(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *fixture = "tests/fixtures/regtest-xor", *data = path_of("%s/regtest", fixture);
    joined_again = 0;
    for (unsigned bits = 8; bits <= 16; bits += 4) {
        struct index_options options = options_for(data, dir);
        index_hash_mask = UINT64_MAX << (64 - bits);
        for (options.to_height = 110; options.to_height <= 260; options.to_height += 50)
            build_with(&options);
        check_against_node(dir, path_of("%s/truth", fixture));
        remove_tree(dir);
    }
    assert_true(joined_again > 0);
    free(dir);
}

static bool keep_prevout(void *context, const struct tx_input *in, uint32_t vin)
{
    const uint8_t **prevout = context;
    (void)vin;
    *prevout = in->prevout;
    return true;
}

/* Changes a bit of the txid that the last input of that block names. */
static void break_last_prevout(const char *file, const struct index_block *block)
{
    static const struct block_visitor visitor = {.input = keep_prevout};
    struct block_counts counts;
    size_t size;
    char *bytes = read_file(file, &size);
    const uint8_t *begin = (const uint8_t *)bytes + block->offset, *prevout = NULL;
    assert_int_equal(block_walk(begin, block->size, &counts, &visitor, &prevout), STATUS_OK);
    bytes[prevout - (const uint8_t *)bytes] ^= 1;
    write_file(file, bytes, size);
    free(bytes);
}

/* A prevout that does not exist, and has the hash of a transaction that does: half of the times, as few bits count. */
static void test_deceiving_prevout(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct gen_options chain = spending_chain(path_of("%s/data", dir));
    const char *store = path_of("%s/store", dir);
    make_dirs(chain.dir);
    chain.xored = false;
    chain.stale_every = 0;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 20, 0);
    uint32_t height = gen_height(gen);
    gen_close(gen);
    build(chain.dir, store);
    struct tx_index *index = open_index(store);
    struct index_block block;
    assert_int_equal(index_block_at(index, height, &block, NULL), STATUS_OK);
    index_close(index);
    break_last_prevout(path_of("%s/regtest/blocks/blk%05u.dat", chain.dir, block.file), &block);
    index_hash_mask = UINT64_MAX << 52;
    joined_again = 0;
    for (unsigned i = 0; i < 100 && joined_again < 3; i++) {
        remove_tree(store);
        struct index_options options = options_for(chain.dir, store);
        if (i % 2) { /* the last blocks beside an index of those before */
            options.to_height = height - 5;
            build_with(&options);
            options.to_height = UINT32_MAX;
        }
        struct index_result result = build_with(&options);
        assert_int_equal(result.height, height - 1);
        assert_int_equal(damages, 1);
        assert_non_null(strstr(damage_text, "does not exist"));
    }
    assert_true(joined_again >= 3); /* one round may join twice */
    remove_tree(dir);
    free(dir);
}

/* ---- growing ---- */

static void test_steps(void **state)
{
    (void)state;
    static const uint32_t heights[] = {0, 1, 50, 120, 121, 200, 150, 151, 110, 260};
    char *dir = temp_dir(), *fresh = temp_dir();
    const char *fixture = "tests/fixtures/regtest-xor";
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        struct index_options options = options_for("tests/fixtures/regtest-xor/regtest", dir);
        options.to_height = heights[i];
        struct index_result result = build_with(&options);
        assert_int_equal(result.height, heights[i]);
        options.store = fresh;
        remove_tree(fresh);
        build_with(&options);
        assert_same_index(dir, fresh);
    }
    check_against_node(dir, path_of("%s/truth", fixture));
    struct index_result again = build("tests/fixtures/regtest-xor/regtest", dir);
    assert_int_equal(again.blocks_added, 0);
    assert_int_equal(again.blocks_removed, 0);
    remove_tree(dir);
    remove_tree(fresh);
    free(dir);
    free(fresh);
}

/* A chain that grows by many small steps, then loses blocks to a longer branch, and again. */
static void test_reorganisations(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options options = spending_chain(data);
    make_dirs(data);
    for (unsigned step = 0; step < 8; step++) {
        struct gen *gen = gen_open(&options);
        uint32_t height = gen_height(gen);
        if (step % 3 == 2)
            gen_fork(gen, height - 3 - step);
        gen_blocks(gen, step == 0 ? 150 : 12 + step, 0);
        struct hash256 tip = gen_tip(gen);
        gen_close(gen);
        struct index_result result = build(data, store);
        assert_int_equal(damages, 0);
        assert_true(hash256_equal(&result.tip, &tip));
        assert_int_equal(result.blocks_removed, step % 3 == 2 ? 3 + step : 0);
        remove_tree(fresh);
        build(data, fresh);
        assert_same_index(store, fresh);
    }
    remove_tree(dir);
    free(dir);
}

/* Many small builds, some of which take back, leave few runs, and what a fresh build makes. */
static void test_many_steps(void **state)
{
    (void)state;
    enum { FIRST = 40, STEPS = 80 };
    char *dir = temp_dir(), whole[65], text[65];
    const char *store = path_of("%s/store", dir);
    struct gen_options chain = spending_chain(path_of("%s/data", dir));
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    make_dirs(chain.dir);
    chain.block_bytes = 8000;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, FIRST + 2 * STEPS, 0);
    gen_close(gen);
    struct index_options options = options_for(chain.dir, store);
    options.threads = 1;
    uint32_t height = FIRST, most = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        options.to_height = height;
        struct index_result result = build_with(&options);
        assert_true(step == 0 || result.blocks_added <= 3);
        struct tx_index *index = open_index(store);
        const struct index_state *now = index_state_of(index);
        most = now->runs > most ? now->runs : most;
        for (uint32_t i = 1; i < now->runs; i++)
            assert_true(now->run[i - 1].pairs >= 2 * now->run[i].pairs);
        index_close(index);
        height = rng_below(&rng, 8) ? height + 1 + rng_below(&rng, 3) : height - rng_below(&rng, 6);
    }
    assert_true(most > 2 && most < 14); /* 2^14 pairs and more would be in the oldest */
    remove_tree(path_of("%s/fresh", dir));
    check(store, 2, text);
    options.store = path_of("%s/fresh", dir);
    build_with(&options);
    assert_string_equal(check(options.store, 2, whole), text);
    remove_tree(dir);
    free(dir);
}

static void test_generated(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir);
    struct gen_options options = spending_chain(data);
    make_dirs(data);
    options.stale_every = 0;
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 200);
    gen_blocks(gen, 0, 8000000);
    struct gen_truth truth = *gen_truth_of(gen);
    gen_close(gen);
    build(data, store);
    assert_int_equal(damages, 0);
    struct tx_index *index = open_index(store);
    struct index_totals totals = index_totals_of(index);
    uint64_t kinds[KINDS] = {0}, sats[KINDS] = {0};
    assert_int_equal(totals.blocks, truth.blocks);
    assert_int_equal(totals.txs, truth.txs);
    assert_int_equal(totals.inputs, truth.inputs);
    assert_int_equal(totals.outputs, truth.outputs);
    for (uint64_t i = 0; i < totals.outputs; i++) {
        struct index_output output;
        assert_int_equal(index_outputs(index, i, 1, &output, NULL), STATUS_OK);
        kinds[output.kind]++;
        sats[output.kind] += output.value_sat;
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        assert_int_equal(kinds[kind], truth.kind_count[kind]);
        assert_int_equal(sats[kind], truth.kind_sat[kind]);
    }
    index_close(index);
    char one[65], two[65];
    assert_string_equal(check(store, 1, one), check(store, 3, two));
    remove_tree(dir);
    free(dir);
}

/* One thread or three, much memory or next to none, a folder elsewhere: the same index. */
static void test_options(void **state)
{
    (void)state;
    char *dir = temp_dir(), first[65], next[65];
    struct gen_options chain = spending_chain(path_of("%s/data", dir));
    make_dirs(chain.dir);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    for (unsigned way = 0; way < 4; way++) {
        const char *store = path_of("%s/store-%u", dir, way), *tmp = path_of("%s/elsewhere", dir);
        struct index_options options = options_for(chain.dir, store);
        make_dirs(tmp);
        options.threads = way == 0 ? 1 : 3;
        options.memory = way == 1 ? 1 : UINT64_C(2) << 30;
        options.tmp = way == 2 ? tmp : NULL;
        build_with(&options);
        check(store, 2, way == 0 ? first : next);
        if (way > 0)
            assert_string_equal(first, next);
    }
    remove_tree(dir);
    free(dir);
}

/* Random places read in random order, and in pieces, are what one pass in order reads. */
static void test_random_access(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    build("tests/fixtures/regtest-xor/regtest", dir);
    struct tx_index *index = open_index(dir), *other = open_index(dir);
    struct index_totals totals = index_totals_of(index);
    struct index_output *outputs = must_alloc(totals.outputs, sizeof *outputs);
    uint64_t *inputs = must_alloc(totals.inputs, sizeof *inputs);
    assert_int_equal(index_outputs(index, 0, (uint32_t)totals.outputs, outputs, NULL), STATUS_OK);
    assert_int_equal(index_inputs(index, 0, (uint32_t)totals.inputs, inputs, NULL), STATUS_OK);
    for (int i = 0; i < 20000; i++) {
        struct index_output some[8];
        uint64_t spent[8], at = rng_below(&rng, (uint32_t)totals.outputs - 8),
                           in = rng_below(&rng, (uint32_t)totals.inputs - 8);
        struct index_tx one, two;
        assert_int_equal(index_outputs(other, at, 8, some, NULL), STATUS_OK);
        assert_int_equal(index_inputs(other, in, 8, spent, NULL), STATUS_OK);
        for (size_t k = 0; k < 8; k++) {
            assert_true(some[k].value_sat == outputs[at + k].value_sat && some[k].kind == outputs[at + k].kind &&
                        some[k].spender == outputs[at + k].spender);
            assert_true(spent[k] == inputs[in + k]);
        }
        assert_int_equal(index_tx_of_output(other, at, &one, NULL), STATUS_OK);
        assert_true(at - one.first_output < one.outputs);
        assert_int_equal(index_tx_at(other, one.number, &two, NULL), STATUS_OK);
        assert_memory_equal(&one, &two, sizeof one);
        assert_int_equal(index_tx_of_input(other, in, &one, NULL), STATUS_OK);
        assert_true(in - one.first_input < one.inputs);
    }
    struct index_tx tx;
    struct index_block block;
    struct hash256 nothing = {{1, 2, 3}};
    assert_int_equal(index_tx_at(index, totals.txs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_find(index, &nothing, UINT64_MAX, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_of_output(index, totals.outputs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_of_input(index, totals.inputs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_block_at(index, totals.blocks, &block, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_block_find(index, &nothing, &block, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_outputs(index, totals.outputs - 1, 2, outputs, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_inputs(index, totals.inputs, 1, inputs, NULL), STATUS_NOT_FOUND);
    index_close(index);
    index_close(other);
    mem_free(outputs);
    mem_free(inputs);
    remove_tree(dir);
    free(dir);
}

/* ---- what goes wrong ---- */

static void test_interrupted(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options chain = spending_chain(data);
    make_dirs(data);
    for (unsigned step = 0; step < 2; step++) { /* a first build, then one that adds */
        struct gen *gen = gen_open(&chain);
        gen_blocks(gen, 100, 0);
        gen_close(gen);
        went_on = 0;
        for (stop_at = INDEX_WALK; stop_at <= INDEX_TABLES; stop_at++) {
            struct index_options options = options_for(data, store);
            struct index_result result;
            struct fault fault = {0};
            assert_int_equal(index_build(&options, &result, &fault), STATUS_INTERRUPTED);
            stop = 0;
            struct tx_index *index; /* what was there is there */
            assert_int_equal(index_open(store, &index, &fault), step > 0 ? STATUS_OK : STATUS_NOT_FOUND);
            index_close(index);
        }
        stop_at = -1;
        build(data, store);
        assert_int_equal(went_on, 3); /* from the walk twice, and from the join */
        remove_tree(fresh);
        build(data, fresh);
        assert_same_index(store, fresh);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
    remove_tree(dir);
    free(dir);
}

/* The node of this fixture found the branch with the most work invalid: it spends an output twice. */
static void test_invalid(void **state)
{
    (void)state;
    if (!path_exists("../shared/fixtures/extras/invalid/regtest")) {
        print_message("skipped: no ../shared/fixtures here, so no chain that its node found invalid\n");
        skip();
    }
    char *dir = temp_dir(), text[65];
    struct index_result result = build("../shared/fixtures/extras/invalid/regtest", dir);
    assert_int_equal(damages, 1);
    assert_int_equal(result.damages, 1);
    assert_non_null(strstr(damage_text, "is spent"));
    check(dir, 2, text);
    remove_tree(dir);
    free(dir);
}

/* Inputs that name outputs which are nowhere. */
static void test_missing_outputs(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct gen_options chain = spending_chain(path_of("%s/data", dir));
    make_dirs(chain.dir);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 40, 0);
    uint32_t sound = gen_height(gen);
    gen_close(gen);
    chain.spends = false;
    gen = gen_open(&chain);
    gen_blocks(gen, 5, 0);
    gen_close(gen);
    struct index_result result = build(chain.dir, path_of("%s/store", dir));
    assert_int_equal(damages, 1);
    assert_int_equal(result.height, sound);
    assert_non_null(strstr(damage_text, "does not exist"));
    remove_tree(dir);
    free(dir);
}

/* A block whose bytes are damaged ends the index, unless it is in the files a second time. */
static void test_damaged_block(void **state)
{
    (void)state;
    enum { HEIGHT = 30 };
    char *dir = temp_dir(), whole[65], text[65];
    struct gen_options chain = spending_chain(path_of("%s/data", dir));
    const char *store = path_of("%s/store", dir);
    make_dirs(chain.dir);
    chain.xored = false;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 40, 0);
    gen_close(gen);
    build(chain.dir, store);
    check(store, 2, whole);
    struct index_block block;
    struct tx_index *index = open_index(store);
    assert_int_equal(index_block_at(index, HEIGHT, &block, NULL), STATUS_OK);
    index_close(index);
    remove_tree(store);

    const char *file = path_of("%s/regtest/blocks/blk%05u.dat", chain.dir, block.file);
    size_t size;
    char *bytes = read_file(file, &size), *sound = must_alloc(block.size + 8, 1);
    memcpy(sound, bytes + block.offset - 8, block.size + 8);
    bytes[block.offset + 80] = (char)0xff; /* the number of transactions */
    write_file(file, bytes, size);
    struct index_result result = build(chain.dir, store);
    assert_int_equal(damages, 1);
    assert_int_equal(result.height, HEIGHT - 1);
    check(store, 2, text);

    write_file(path_of("%s/regtest/blocks/blk00099.dat", chain.dir), sound, block.size + 8);
    build(chain.dir, store); /* adds to what is there */
    assert_int_equal(damages, 0);
    assert_string_equal(check(store, 2, text), whole);
    free(bytes);
    mem_free(sound);
    remove_tree(dir);
    free(dir);
}

static void test_no_index(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct tx_index *index;
    struct fault fault = {0};
    assert_int_equal(index_open(dir, &index, &fault), STATUS_NOT_FOUND);
    assert_non_null(strstr(fault.text, "unktx index"));
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_all_fixtures),
        cmocka_unit_test_teardown(test_collisions, whole_hashes),
        cmocka_unit_test_teardown(test_deceiving_hashes, whole_hashes),
        cmocka_unit_test_teardown(test_deceiving_prevout, whole_hashes),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_reorganisations),
        cmocka_unit_test(test_many_steps),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_random_access),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_missing_outputs),
        cmocka_unit_test(test_damaged_block),
        cmocka_unit_test(test_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
