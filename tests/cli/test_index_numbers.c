/* An index whose transactions, inputs and outputs have numbers beyond 2^32, which begin there by index_first_number of
 * graph/test_hooks.h: what commands say of it names no such number, and is the same as of one that begins with 0. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/index/tx_index.h"
#include "graph/test_hooks.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"

#define NODE "tests/fixtures/regtest-xor"

/* 256 transactions later the numbers of the first have 33 bits; those of the second have 39. */
static const uint64_t firsts[] = {UINT64_C(4294967040), UINT64_C(0x7f00000000)};

static void run_ok(const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != 0)
        fail_msg("%s\nended with %d: %s", line, run.exit_status, run.err);
    run_free(&run);
}

/* In steps, some of which take back; a scan beside. */
static void build(const char *name)
{
    static const unsigned heights[] = {130, 121, 260};
    char line[512];
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        snprintf(line, sizeof line, "index --quiet --datadir " NODE " --store %s/%s --threads 2 --to-height %u", dir,
                 name, heights[i]);
        run_ok(line);
    }
    snprintf(line, sizeof line, "scan --quiet --datadir " NODE " --store %s/%s --threads 2", dir, name);
    run_ok(line);
}

static int set_up(void **state)
{
    temp_dir_in_memory();
    int result = make_dir(state);
    build("small");
    return result;
}

static int tear_down(void **state)
{
    index_first_number = 0;
    return remove_dir(state);
}

/* What the command writes must be the same of both. */
static void compare(const char *command, const char *options)
{
    char line[1024];
    for (unsigned large = 0; large < 2; large++) {
        uint64_t first = index_first_number;
        index_first_number = large ? first : 0;
        snprintf(line, sizeof line, "%s --store %s/%s -o %s/%s.out %s", command, dir, large ? "large" : "small", dir,
                 large ? "large" : "small", options);
        run_ok(line);
        index_first_number = first;
    }
    assert_same_file(path_of("%s/small.out", dir), path_of("%s/large.out", dir));
}

/* The lowest numbers are as the hook says, and the highest have more than 32 bits. */
static void check_numbers(uint64_t first)
{
    struct tx_index *index = index_opened(path_of("%s/large", dir));
    struct index_totals totals = index_totals_of(index);
    struct index_tx tx;
    struct fault fault = {0};
    assert_true(totals.txs > UINT64_C(1) << 32 && totals.inputs > UINT64_C(1) << 32);
    assert_true(totals.outputs > UINT64_C(1) << 32);
    assert_int_equal(index_tx_at(index, first, &tx, &fault), STATUS_OK);
    assert_true(tx.coinbase && tx.height == 0);
    assert_int_equal(tx.first_input, first - first % 815); /* docs/index-format.md: inputs and outputs of a page */
    assert_int_equal(tx.first_output, first - first % 339);
    assert_int_equal(index_tx_at(index, totals.txs - 1, &tx, &fault), STATUS_OK);
    assert_int_equal(tx.height, 260);
    assert_int_equal(tx.first_output + tx.outputs, totals.outputs);
    assert_int_equal(index_tx_of_output(index, totals.outputs - 1, &tx, &fault), STATUS_OK);
    assert_int_equal(tx.number, totals.txs - 1);
    index_close(index);
}

static void compare_dumps(void)
{
    compare("dump blocks", "");
    compare("dump txs", "");
    compare("dump inputs", "--threads 3");
    compare("dump outputs", "--threads 3 --scripts");
    compare("dump outputs", "--from-height 100 --to-height 201");
}

static void compare_others(void)
{
    char line[512], words[256];
    compare("hidden --list --quiet", "");
    snprintf(line, sizeof line, "dags --store %s/small -o %s/small-tables", dir, dir);
    uint64_t first = index_first_number;
    index_first_number = 0;
    run_ok(line);
    index_first_number = first;
    snprintf(line, sizeof line, "dags --store %s/large -o %s/large-tables", dir, dir);
    run_ok(line);
    static const char *const tables[] = {"tdags", "payers", "payees", "unlocks"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        assert_same_file(path_of("%s/small-tables/%s.csv", dir, tables[i]),
                         path_of("%s/large-tables/%s.csv", dir, tables[i]));
    struct run txid = shell("sed -n 2p %s/small-tables/payers.csv | grep -oE '[0-9a-f]{64}' | head -n 1", dir);
    assert_int_equal(strlen(txid.out), 65);
    snprintf(words, sizeof words, "%.64s", txid.out);
    run_free(&txid);
    compare("tx --format json", words);
    compare("travel --forward", words);
    compare("travel --backward", words);
}

static void test_beyond_32_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        char line[512];
        index_first_number = firsts[i];
        remove_tree(path_of("%s/large", dir));
        build("large");
        check_numbers(firsts[i]);
        snprintf(line, sizeof line, "check --store %s/large", dir);
        run_ok(line);
        compare_dumps();
        if (i == 0)
            compare_others();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_beyond_32_bits)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
