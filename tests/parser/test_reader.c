/* The public library against the node's truth for the bundled chain, damaged files and a lack of memory.
 * tests/install.sh compares the outputs with the node's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/unktx.h"
#include "parser/mem.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"

/* Blocks and outputs that are shown; `failures` counts the steps that gave -1. */
struct seen {
    uint32_t blocks;
    uint32_t active;
    uint32_t failures;
    uint64_t outputs;
};

typedef int step(struct unktx_reader *reader, struct unktx_block *block);

static struct seen walk(struct unktx_reader *reader, step *next)
{
    struct seen seen = {0};
    struct unktx_block block;
    struct unktx_output output;
    for (int result; (result = next(reader, &block)) != 0;) {
        if (result < 0) {
            assert_true(strlen(unktx_error(reader)) > 0);
            assert_int_equal(unktx_next_output(reader, &output), 0);
            seen.failures++;
            continue;
        }
        uint32_t outputs = 0;
        for (; unktx_next_output(reader, &output); outputs++)
            assert_true(output.tx < block.txs);
        assert_int_equal(outputs, block.outputs);
        seen.outputs += outputs;
        seen.active += block.active != 0;
        seen.blocks++;
    }
    return seen;
}

static struct unktx_reader *open_chain(const char *path)
{
    char error[UNKTX_ERROR_SIZE] = "";
    struct unktx_reader *reader = unktx_open(path, "regtest", error);
    if (!reader)
        fail_msg("%s", error);
    return reader;
}

static void test_blocks(void **state)
{
    (void)state;
    struct table truth = table_read(CHAIN "/truth/outputs.csv");
    struct table blocks = table_read(CHAIN "/truth/blocks.csv");
    struct unktx_reader *reader = open_chain(CHAIN);
    struct seen chain = walk(reader, unktx_next_block), records = walk(reader, unktx_next_record);
    assert_int_equal(chain.blocks, chain.active);
    assert_int_equal(chain.outputs, truth.rows);
    assert_int_equal(chain.failures + records.failures, 0);
    assert_int_equal(records.active, chain.active);
    assert_int_equal(chain.blocks, 261);
    assert_int_equal(records.blocks, 261 + 16); /* tests/fixtures/README.md */
    unktx_close(reader);
    reader = open_chain(CHAIN);
    for (size_t row = 0; row < blocks.rows; row++) {
        struct unktx_block block;
        assert_int_equal(unktx_next_block(reader, &block), 1);
        assert_int_equal(block.height, row);
        assert_string_equal(block.hash, table_get(&blocks, row, "hash"));
    }
    unktx_close(reader);
    table_free(&truth);
    table_free(&blocks);
}

static void test_genesis(void **state)
{
    (void)state;
    struct unktx_block block;
    struct unktx_output output;
    char txid[UNKTX_HEX_SIZE];
    struct unktx_reader *reader = open_chain(CHAIN);
    assert_int_equal(unktx_next_output(reader, &output), 0);
    assert_int_equal(unktx_next_block(reader, &block), 1);
    assert_string_equal(block.hash, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
    assert_int_equal(block.time_s, 1296688602);
    assert_int_equal(unktx_next_output(reader, &output), 1);
    assert_int_equal(output.kind, UNKTX_PUBKEY);
    assert_int_equal(output.unknown, UNKTX_CORE_0_19 | UNKTX_CORE_22);
    assert_int_equal(output.value_sat, 5000000000);
    assert_int_equal(output.script_size, 67);
    unktx_txid(reader, 0, txid);
    assert_string_equal(txid, "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
    unktx_txid(reader, 1, txid);
    assert_string_equal(txid, "");
    assert_string_equal(unktx_kind_name(UNKTX_PUBKEY), "pubkey");
    assert_string_equal(unktx_kind_name((enum unktx_kind)11), "");
    unktx_close(reader);
    unktx_close(NULL);
}

static void test_refused(void **state)
{
    (void)state;
    char error[UNKTX_ERROR_SIZE] = "";
    assert_null(unktx_open("tests/fixtures/no-such-folder", NULL, error));
    assert_non_null(strstr(error, "no-such-folder"));
    assert_null(unktx_open("tests/fixtures/no-such-folder", NULL, NULL));
}

/* A block whose transactions do not parse is told of and stepped over; a second, whole copy makes up for it. */
static void test_damage(void **state)
{
    (void)state;
    char *folder = temp_dir();
    struct records records = records_read(CHAIN "/regtest/blocks");
    make_dirs(path_of("%s/regtest/blocks", folder));
    struct record whole = records.list[5], damaged = {malloc(whole.size), whole.size};
    assert_non_null(damaged.bytes);
    memcpy(damaged.bytes, whole.bytes, whole.size);
    damaged.bytes[8 + 80] = 0xff; /* the number of transactions */
    records.list[5] = damaged;
    records_write(&records, path_of("%s/regtest/blocks", folder), 100, NULL);
    struct unktx_reader *reader = open_chain(folder);
    struct seen chain = walk(reader, unktx_next_block), all = walk(reader, unktx_next_record);
    unktx_close(reader);
    assert_int_equal(all.failures, 1);
    assert_true(chain.failures <= 1);
    assert_int_equal(all.blocks, records.count - 1);

    records.list = realloc(records.list, (records.count + 1) * sizeof *records.list);
    assert_non_null(records.list);
    records.list[records.count++] = whole;
    records_write(&records, path_of("%s/regtest/blocks", folder), 100, NULL);
    reader = open_chain(folder);
    chain = walk(reader, unktx_next_block);
    unktx_close(reader);
    assert_int_equal(chain.failures, 0);
    records_free(&records);
    remove_tree(folder);
    free(folder);
}

static void test_no_memory(void **state)
{
    (void)state;
    char error[UNKTX_ERROR_SIZE];
    bool done = false;
    for (long allowed = 0; !done; allowed++) {
        assert_true(allowed < 100000);
        mem_fail_after(allowed);
        struct unktx_reader *reader = unktx_open(CHAIN, "regtest", error);
        struct unktx_block block;
        int result = reader ? unktx_next_block(reader, &block) : -1;
        if (reader && result < 0)
            assert_non_null(strstr(unktx_error(reader), "memory"));
        if (!reader)
            assert_non_null(strstr(error, "memory"));
        done = result == 1;
        unktx_close(reader);
    }
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_genesis),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
