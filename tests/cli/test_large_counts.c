/* Chains of more than 2^32 transactions, inputs and outputs: a store whose blocks say that they have so many, since
 * counts of a block have 32 bits and those of a chain 64. Sums by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/store/store.h"
#include "parser/network.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

enum { BLOCKS = 4, TXS = 1500000000, OUTPUTS = 4000000000 / 2, SAT = 7 };

/* All of a day; half of the outputs are nulldata, and each transaction has one. */
static void add_block(struct store *store, uint32_t height)
{
    struct fault fault = {0};
    struct block_record block = {.height = height, .time = 1600000000 + height};
    block.hash = height == 0 ? network_by_name("regtest")->genesis : (struct hash256){.bytes = {(uint8_t)height, 9}};
    block.counts.txs = TXS;
    block.counts.inputs = 4000000000;
    block.counts.outputs = 2 * (uint32_t)OUTPUTS;
    block.counts.kind_count[KIND_PUBKEYHASH] = block.counts.kind_count[KIND_NULLDATA] = OUTPUTS;
    block.counts.kind_value_sat[KIND_PUBKEYHASH] = SAT;
    for (unsigned r = 0; r < RULES; r++)
        block.counts.unknown_txs[r] = TXS;
    assert_int_equal(store_begin_block(store, &block, &fault), STATUS_OK);
    assert_int_equal(store_end_block(store, &fault), STATUS_OK);
}

static int set_up(void **state)
{
    int result = make_dir(state);
    struct store *store;
    struct fault fault = {0};
    struct store_identity identity = {.genesis = network_by_name("regtest")->genesis};
    memcpy(identity.magic, network_by_name("regtest")->magic, sizeof identity.magic);
    assert_int_equal(store_open(path_of("%s/store", dir), STORE_WRITE, &identity, &store, &fault), STATUS_OK);
    for (uint32_t height = 0; height < BLOCKS; height++)
        add_block(store, height);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    return result;
}

static void run_ok(const char *command, const char *more)
{
    struct run run = command_run("%s --store %s/store %s", command, dir, more);
    if (run.exit_status != 0)
        fail_msg("%s ended with %d: %s", command, run.exit_status, run.err);
    run_free(&run);
}

static void expect_number(const struct table *table, const char *column, uint64_t expected)
{
    if (table_number(table, 0, table_column(table, column)) != expected)
        fail_msg("%s is %s", column, table_get(table, 0, column));
}

static void test_stats(void **state)
{
    (void)state;
    static const char *const by[] = {"total", "day", "month", "year"};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        char more[256];
        snprintf(more, sizeof more, "--by %s -o %s/stats.csv", by[i], dir);
        run_ok("stats", more);
        struct table stats = table_read(path_of("%s/stats.csv", dir));
        assert_int_equal(stats.rows, 1);
        expect_number(&stats, "txs", UINT64_C(6000000000));
        expect_number(&stats, "inputs", UINT64_C(16000000000));
        expect_number(&stats, "outputs", UINT64_C(16000000000));
        expect_number(&stats, "pubkeyhash", UINT64_C(8000000000));
        expect_number(&stats, "nulldata", UINT64_C(8000000000));
        expect_number(&stats, "pubkeyhash_sat", BLOCKS * SAT);
        expect_number(&stats, "unknown_txs_core-22", UINT64_C(6000000000));
        table_free(&stats);
    }
}

/* The number as it is written, which is no end of a larger one. */
static void expect_whole(const char *bytes, const char *number)
{
    const char *at = bytes;
    while ((at = strstr(at, number)) && at > bytes && strchr("0123456789,", at[-1]))
        at++;
    if (!at)
        fail_msg("no %s in %s", number, bytes);
}

static void expect_text(const char *file, const char *number)
{
    size_t size;
    char *bytes = read_file(path_of("%s/%s", dir, file), &size);
    assert_non_null(bytes);
    expect_whole(bytes, number);
    free(bytes);
}

static void test_summary_and_report(void **state)
{
    (void)state;
    char more[256];
    snprintf(more, sizeof more, "--no-unlocks -o %s/tables", dir);
    run_ok("dags", more);
    expect_text("tables/summary.json", "6000000000");
    expect_text("tables/summary.json", "16000000000");
    expect_text("tables/summary.json", "8000000000");
    struct run run = command_run("dags --store %s/store", dir);
    expect_whole(run.out, "6,000,000,000");
    run_free(&run);
    snprintf(more, sizeof more, "--no-unlocks -o %s/report.html", dir);
    run_ok("report", more);
    expect_text("report.html", "8,000,000,000");
    run_ok("check", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_summary_and_report),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
