/* `scan --partial` and `--from-height H`: T-DAGs that lie from H on are those of the whole chain, what may be other
 * there is counted as a node's answers tell it, and a pruned node's files are taken from where they hang together. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/node_truth.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static const char *const all_rules[] = {"core-0.18", "core-0.19", "core-22"};

static void expect(int status, const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != status)
        fail_msg("unktx %s: %d: %s", line, run.exit_status, run.err);
    run_free(&run);
}

static void expect_refusal(const char *text, const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != 1 || !strstr(run.err, text))
        fail_msg("unktx %s: %d, no \"%s\" in: %s", line, run.exit_status, text, run.err);
    run_free(&run);
}

/* ---- the T-DAGs of the whole chain ---- */

/* Rows of two tables, without columns that are numbers of rows or have more digits among more names. */
static void expect_same_row(const struct table *whole, size_t w, const struct table *part, size_t p)
{
    for (size_t c = 0; c < whole->columns; c++) {
        const char *name = whole->fields[c];
        if (strcmp(name, "dag_id") == 0 || strcmp(name, "dag") == 0)
            continue;
        if (strcmp(table_at(whole, w, c), table_get(part, p, name)) != 0)
            fail_msg("T-DAG %s, %s: %s in the whole, %s in the part", table_get(whole, w, "first_txid"), name,
                     table_at(whole, w, c), table_get(part, p, name));
    }
}

static size_t row_of(const struct table *table, const char *first_txid)
{
    size_t row = 0;
    while (row < table->rows && strcmp(table_get(table, row, "first_txid"), first_txid) != 0)
        row++;
    return row;
}

/* Those from `first` on are all there, and those without an input from before are all from there. */
static uint32_t expect_same_tdags(const char *whole_path, const char *part_path, uint64_t first)
{
    struct table whole = table_read(whole_path), part = table_read(part_path);
    uint32_t same = 0;
    for (size_t w = 0; w < whole.rows; w++) {
        if (table_number(&whole, w, table_column(&whole, "first_height")) < first)
            continue;
        size_t p = row_of(&part, table_get(&whole, w, "first_txid"));
        assert_true(p < part.rows);
        expect_same_row(&whole, w, &part, p);
        same++;
    }
    for (size_t p = 0; p < part.rows; p++) {
        assert_int_equal(table_number(&part, p, table_column(&part, "partial")), first);
        if (table_number(&part, p, table_column(&part, "inputs_before")) > 0)
            continue;
        assert_int_equal(table_number(&part, p, table_column(&part, "maybe_roots")), 0);
        size_t w = row_of(&whole, table_get(&part, p, "first_txid"));
        assert_true(w < whole.rows);
        expect_same_row(&whole, w, &part, p);
    }
    table_free(&whole);
    table_free(&part);
    return same;
}

static void compare_tdags(const char *datadir, const uint32_t *heights, size_t count)
{
    expect(0, path_of("scan --quiet --datadir %s --store %s/whole", datadir, dir));
    for (size_t i = 0; i < count; i++)
        expect(0, path_of("scan --quiet --datadir %s --store %s/from-%u --from-height %u --threads %u", datadir, dir,
                          heights[i], heights[i], i % 2 ? 4u : 1u));
    for (unsigned r = 0; r < 3; r++) {
        const char *compress = r == 1 ? " --compress" : "";
        expect(0, path_of("dags --no-unlocks --store %s/whole --rules %s -o %s/whole-%u%s", dir, all_rules[r], dir, r,
                          compress));
        for (size_t i = 0; i < count; i++) {
            const char *out = path_of("%s/part-%u-%zu", dir, r, i);
            expect(0, path_of("dags --no-unlocks --store %s/from-%u --rules %s -o %s%s", dir, heights[i], all_rules[r],
                              out, compress));
            uint32_t same = expect_same_tdags(path_of("%s/whole-%u/tdags.csv", dir, r), path_of("%s/tdags.csv", out),
                                              heights[i]);
            assert_true(same > 0);
        }
    }
}

static void test_fixture(void **state)
{
    (void)state;
    static const uint32_t heights[] = {1, 103, 180, 210};
    compare_tdags(FIXTURE, heights, 4);
}

static void test_generated(void **state)
{
    (void)state;
    char data[600];
    snprintf(data, sizeof data, "%s/data", dir);
    const struct gen_options options = {
        .dir = data, .seed = 71, .block_bytes = 4000, .file_bytes = 60000, .planted_per_10k = 1500, .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 60, 0);
    gen_tdags(gen, 150);
    gen_blocks(gen, 30, 0);
    uint32_t top = gen_height(gen);
    gen_close(gen);
    const uint32_t heights[] = {2, top / 2, top - 20};
    compare_tdags(data, heights, 3);
}

/* ---- what may be other, by the node's answers ---- */

/* By transaction of the fixture, in chain order. */
struct node {
    struct node_truth truth;
    uint32_t *before; /* inputs whose creator is below the first block */
    uint8_t *unknown; /* it has an output without an address */
};

static uint32_t height_of(const struct node *node, size_t tx)
{
    return (uint32_t)table_number(&node->truth.txs, tx, table_column(&node->truth.txs, "height"));
}

static struct node read_node(uint32_t first)
{
    struct node node = {.truth = node_truth_read(FIXTURE)};
    size_t txs = node.truth.txs.rows;
    node.before = must_alloc(txs, sizeof *node.before);
    node.unknown = must_alloc(txs, 1);
    struct table inputs = table_read(FIXTURE "/truth/inputs.csv");
    size_t tx = table_column(&inputs, "tx"), prev = table_column(&inputs, "prev_tx");
    for (size_t i = 0; i < inputs.rows; i++)
        node.before[table_number(&inputs, i, tx)] += height_of(&node, table_number(&inputs, i, prev)) < first;
    table_free(&inputs);
    for (size_t t = 0; t < txs; t++)
        for (size_t o = node.truth.first[t]; o < node.truth.first[t + 1]; o++)
            node.unknown[t] |= node_truth_is_unknown(&node.truth, o);
    return node;
}

static void free_node(struct node *node)
{
    node_truth_free(&node->truth);
    free(node->before);
    free(node->unknown);
}

/* Every row of txs.csv against the node. */
static void expect_inputs_before(const struct node *node, const char *path)
{
    struct table txs = table_read(path);
    assert_true(txs.rows > 100);
    for (size_t i = 0; i < txs.rows; i++) {
        size_t t = node_truth_tx(&node->truth, table_get(&txs, i, "txid"));
        assert_int_equal(table_number(&txs, i, table_column(&txs, "inputs_before")), node->before[t]);
        assert_int_equal(table_number(&txs, i, table_column(&txs, "maybe_root")),
                         node->before[t] > 0 && node->unknown[t]);
    }
    table_free(&txs);
}

static void test_node(void **state)
{
    (void)state;
    const uint32_t first = 150;
    struct node node = read_node(first);
    uint64_t maybe = 0;
    for (size_t t = 0; t < node.truth.txs.rows; t++)
        maybe += height_of(&node, t) >= first && node.before[t] > 0 && node.unknown[t];
    assert_true(maybe > 50);
    for (unsigned i = 0; i < 2; i++) {
        const char *nulldata = i ? "store" : "count";
        expect(0, path_of("scan --quiet --datadir %s --store %s/%s --from-height %u --nulldata %s", FIXTURE, dir,
                          nulldata, first, nulldata));
        expect(0, path_of("check --store %s/%s", dir, nulldata));
        expect(0,
               path_of("dags --no-unlocks --store %s/%s --rules core-22 -o %s/out-%s", dir, nulldata, dir, nulldata));
        expect_inputs_before(&node, path_of("%s/out-%s/txs.csv", dir, nulldata));
        struct json json = json_open(path_of("%s/out-%s/summary.json", dir, nulldata));
        (void)json_find(&json, "partial");
        assert_int_equal(json_find_number(&json, "first_height"), first);
        (void)json_find(&json, "core-22");
        assert_int_equal(json_find_number(&json, "maybe_roots"), maybe);
        json_close(&json);
    }
    free_node(&node);
}

/* ---- a pruned node ---- */

static struct gen_options pruned_options(const char *data)
{
    return (struct gen_options){
        .dir = data, .seed = 5, .block_bytes = 3000, .file_bytes = 40000, .window = 12, .planted_per_10k = 2000};
}

static uint32_t grow(const char *data, uint32_t fork_height, uint32_t blocks)
{
    struct gen_options options = pruned_options(data);
    struct gen *gen = gen_open(&options);
    if (fork_height != UINT32_MAX)
        gen_fork(gen, fork_height);
    gen_blocks(gen, blocks, 0);
    uint32_t height = gen_height(gen);
    gen_close(gen);
    return height;
}

static void prune(const char *blocks, unsigned from, unsigned to)
{
    for (unsigned n = from; n < to; n++)
        assert_int_equal(unlink(path_of("%s/blk%05u.dat", blocks, n)), 0);
}

/* What `unktx check` prints of a sound store. */
struct sums {
    unsigned first;
    unsigned height;
    char digest[65];
};

static struct sums sums_of(const char *store)
{
    struct sums sums = {0};
    struct run run = command_run("check --store %s", store);
    const char *height = strstr(run.out, "height "), *digest = strstr(run.out, "digest ");
    (void)sscanf(run.out, "partial %u", &sums.first);
    if (run.exit_status != 0 || !height || !digest || sscanf(height, "height %u", &sums.height) != 1 ||
        sscanf(digest, "digest %64s", sums.digest) != 1)
        fail_msg("%d: %s%s", run.exit_status, run.out, run.err);
    run_free(&run);
    return sums;
}

static uint32_t first_of(const char *store) { return sums_of(store).first; }

static void expect_same_digest(const char *a, const char *b)
{
    struct sums left = sums_of(a), right = sums_of(b);
    assert_string_equal(left.digest, right.digest);
    assert_int_equal(left.first, right.first);
}

/* What the refusal of a scan tells to type, between backquotes. */
static void told_line(const char *line, char told[1024])
{
    struct run run = command_run("%s", line);
    const char *begin = strstr(run.err, "`unktx "), *end = begin ? strchr(begin + 1, '`') : NULL;
    if (run.exit_status != 1 || !end)
        fail_msg("unktx %s: %d: %s", line, run.exit_status, run.err);
    snprintf(told, 1024, "%.*s", (int)(end - begin - 7), begin + 7);
    run_free(&run);
}

static void test_pruned(void **state)
{
    (void)state;
    char data[600], full[600], blocks[700], told[1024];
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(full, sizeof full, "%s/full", dir);
    snprintf(blocks, sizeof blocks, "%s/data/regtest/blocks", dir);
    uint32_t top = grow(data, UINT32_MAX, 150);
    make_dirs(path_of("%s/regtest/blocks", full));
    copy_files(blocks, path_of("%s/regtest/blocks", full));
    prune(blocks, 0, 3);
    /* The refusal tells what to type, which goes into the store that it has begun. */
    told_line(path_of("scan --datadir %s --store %s/part", data, dir), told);
    assert_non_null(strstr(told, " --partial"));
    expect(0, told);
    /* an index cannot be of a part, and is not told to be typed again */
    struct run run = command_run("analyze --index --datadir %s -o %s/indexed", data, dir);
    assert_non_null(strstr(run.err, " --partial` without --index takes what is there"));
    run_free(&run);
    uint32_t first = first_of(path_of("%s/part", dir));
    assert_true(first > 20 && first < top - 20);
    expect(0, path_of("scan --quiet --datadir %s --store %s/same --from-height %u", full, dir, first));
    expect_same_digest(path_of("%s/part", dir), path_of("%s/same", dir));
    /* In steps, by other threads, and with its first blocks pruned meanwhile. */
    expect(0, path_of("scan --quiet --datadir %s --store %s/steps --partial --to-height %u", data, dir, first + 15));
    expect(0, path_of("scan --quiet --datadir %s --store %s/steps --partial --to-height %u --threads 4", data, dir,
                      first + 40));
    prune(blocks, 3, 5);
    grow(data, UINT32_MAX, 10);
    expect(0, path_of("scan --quiet --datadir %s --store %s/steps --from-height %u", data, dir, first));
    expect(0, path_of("scan --quiet --datadir %s --store %s/part --partial", data, dir));
    expect_same_digest(path_of("%s/part", dir), path_of("%s/steps", dir));
    assert_int_equal(first_of(path_of("%s/part", dir)), first);
    /* A reorganisation above the first block is followed; stale copies of the branch stay in the files. */
    uint32_t new_top = grow(data, top - 5, 20);
    expect(0, path_of("scan --quiet --datadir %s --store %s/part --partial", data, dir));
    expect(0, path_of("scan --quiet --datadir %s --store %s/late --partial", data, dir));
    uint32_t late = first_of(path_of("%s/late", dir));
    assert_true(late > first);
    assert_int_equal(sums_of(path_of("%s/part", dir)).height, new_top);
    assert_int_equal(sums_of(path_of("%s/late", dir)).height, new_top);
    expect_refusal("is in no blk file here", path_of("scan --datadir %s --store %s/late --partial", FIXTURE, dir));
}

/* One that takes the first block back: another store is needed. */
static void test_first_block_left(void **state)
{
    (void)state;
    char data[600];
    snprintf(data, sizeof data, "%s/data", dir);
    uint32_t top = grow(data, UINT32_MAX, 40);
    expect(0, path_of("scan --quiet --datadir %s --store %s/part --from-height %u", data, dir, top - 2));
    grow(data, top - 6, 10);
    expect_refusal("has left the store's first block",
                   path_of("scan --datadir %s --store %s/part --partial", data, dir));
    assert_int_equal(first_of(path_of("%s/part", dir)), top - 2);
}

/* ---- refusals ---- */

static void test_refusals(void **state)
{
    (void)state;
    char scan[600];
    snprintf(scan, sizeof scan, "scan --datadir %s --store %s", FIXTURE, dir);
    expect(0, path_of("%s/part --from-height 100", scan));
    expect(0, path_of("%s/whole", scan));
    expect_refusal("add --partial to go on with it, or choose another --store", path_of("%s/part", scan));
    expect_refusal("begins at height 100, not at 101", path_of("%s/part --from-height 101", scan));
    expect_refusal("begins at height 0, not at 100", path_of("%s/whole --from-height 100", scan));
    expect_refusal("ends at height 260", path_of("%s/x --from-height 261", scan));
    expect_refusal("--to-height is 99", path_of("%s/x --from-height 100 --to-height 99", scan));
    expect(0, path_of("%s/x --from-height 0", scan)); /* a store without blocks may still become whole */
    expect_same_digest(path_of("%s/whole", dir), path_of("%s/x", dir));
    expect(0, path_of("%s/whole --partial", scan)); /* an unbroken chain stands on genesis */
    expect_same_digest(path_of("%s/whole", dir), path_of("%s/x", dir));
    expect_refusal("an index is of the whole chain", path_of("index --datadir %s --store %s/part", FIXTURE, dir));
    expect(0, path_of("index --datadir %s --store %s/index --memory 256M", FIXTURE, dir));
    expect_refusal("there is an index of the whole chain", path_of("%s/index --partial", scan));
    expect_refusal("figures are of the whole chain", path_of("compare --store %s/part", dir));
    expect_refusal("begins at height 100, above --to-height 99", path_of("stats --to-height 99 --store %s/part", dir));
    /* A folder with tables of the whole chain is not gone on with by those of a part. */
    expect(0, path_of("dags --no-unlocks --store %s/whole -o %s/out", dir, dir));
    expect_refusal("another part of the chain", path_of("dags --no-unlocks --store %s/part -o %s/out", dir, dir));
}

/* ---- heights ---- */

/* A folder of the records of another one from number `from` on, in the order of its files. */
static void write_from(const char *datadir, const char *fixture_blocks, size_t from)
{
    struct records records = records_read(fixture_blocks), rest = records;
    rest.list += from;
    rest.count -= from;
    make_dirs(path_of("%s/regtest/blocks", datadir));
    records_write(&rest, path_of("%s/regtest/blocks", datadir), 100, NULL);
    records_free(&records);
}

/* A chain whose versions are 1, so that no height is named. */
static void test_unnamed(void **state)
{
    (void)state;
    char data[600], told[1024];
    snprintf(data, sizeof data, "%s/data", dir);
    write_from(data, "tests/fixtures/dup-txid/regtest/blocks", 1);
    told_line(path_of("scan --datadir %s --store %s/a", data, dir), told);
    assert_non_null(strstr(told, "--from-height H"));
    expect_refusal("give it with --from-height", path_of("scan --datadir %s --store %s/a --partial", data, dir));
    expect_refusal("at height 100000000 at most",
                   path_of("scan --datadir %s --store %s/a --from-height 4294967250", data, dir));
    expect_refusal("at height 100000000 at most",
                   path_of("scan --datadir %s --store %s/a --from-height 100000001", data, dir));
    expect(0, path_of("scan --datadir %s --store %s/a --from-height 7", data, dir));
    assert_int_equal(first_of(path_of("%s/a", dir)), 7);
}

int main(void)
{
    temp_dir_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixture, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_generated, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_node, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_pruned, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_first_block_left, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_refusals, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_unnamed, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
