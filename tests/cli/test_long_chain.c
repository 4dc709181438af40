/* Many blocks and many files: a chain of LONG_CHAIN_BLOCKS blocks (from the environment; 20,000, of make long
 * 2,000,000) with a coinbase each, and one of which each block has a file of its own, more files than a process may
 * have open. What comes out follows from how it was made: numbers by hand, the tip's hash from the one who made it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/handmade.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

enum { FILES = 6000, FILE_BYTES = 16 << 20, OPEN_FILES = 256 };

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dir = temp_dir();
    return 0;
}

/* ---- the chain ---- */

static void write_blk(const char *name, unsigned number, struct buffer *file)
{
    write_file(path_of("%s/%s/regtest/blocks/blk%05u.dat", dir, name, number), file->bytes, file->size);
    file->size = 0;
}

/* So many blocks after the genesis block, with a coinbase of one unknown output each; a new file as soon as one has so
 * many bytes. Returns the tip's hash. */
static struct hash256 make_chain(const char *name, uint32_t blocks, size_t file_bytes)
{
    struct buffer file = {0}, coinbase = {0};
    unsigned files = 0;
    make_dirs(path_of("%s/%s/regtest/blocks", dir, name));
    struct hash256 tip = add_genesis(&file);
    for (uint32_t i = 1; i <= blocks; i++) {
        if (file.size >= file_bytes)
            write_blk(name, files++, &file);
        coinbase.size = 0;
        add_coinbase(&coinbase, i, 1);
        tip = add_block(&file, &tip, 1, &coinbase);
    }
    write_blk(name, files, &file);
    buffer_free(&file);
    buffer_free(&coinbase);
    return tip;
}

static uint32_t long_blocks(void)
{
    const char *text = getenv("LONG_CHAIN_BLOCKS");
    return text && *text ? (uint32_t)strtoul(text, NULL, 10) : 20000;
}

/* ---- what comes out ---- */

/* A line of sh in dir, with $u for the program. */
static struct run in_dir(const char *line)
{
    struct run run = shell("u=$(realpath $UNKTX); cd %s && ulimit -n %d && %s", dir, OPEN_FILES, line);
    if (run.exit_status != 0)
        fail_msg("%s\nended with %d: %s", line, run.exit_status, run.err);
    return run;
}

static void run_in_dir(const char *line)
{
    struct run run = in_dir(line);
    run_free(&run);
}

static void expect_text(const char *line, const char *expected)
{
    struct run run = in_dir(line);
    assert_string_equal(run.out, expected);
    run_free(&run);
}

/* As many blocks, transactions and outputs; but for the genesis block's all outputs are unknown. */
static void check_numbers(const char *store, uint32_t blocks, const struct hash256 *tip)
{
    char line[256], hash[HASH256_HEX_SIZE + 2] = "";
    snprintf(line, sizeof line, "$u stats --store %s -o stats.csv", store);
    run_in_dir(line);
    struct table stats = table_read(path_of("%s/stats.csv", dir));
    assert_int_equal(table_sum(&stats, "blocks"), blocks + 1);
    assert_int_equal(table_sum(&stats, "txs"), blocks + 1);
    assert_int_equal(table_sum(&stats, "outputs"), blocks + 1);
    assert_int_equal(table_sum(&stats, "nonstandard"), blocks);
    assert_int_equal(table_sum(&stats, "unknown_txs_core-0.18"), blocks);
    table_free(&stats);
    *hash256_hex(tip, hash) = '\n';
    snprintf(line, sizeof line, "$u dump blocks --store %s | tail -n 1 | cut -d, -f 2", store);
    expect_text(line, hash);
    snprintf(line, sizeof line, "$u dump blocks --store %s | wc -l | tr -d ' '", store);
    snprintf(hash, sizeof hash, "%u\n", (unsigned)blocks + 2); /* with the header */
    expect_text(line, hash);
    snprintf(line, sizeof line, "$u outputs --store %s | wc -l | tr -d ' '", store);
    snprintf(hash, sizeof hash, "%u\n", (unsigned)blocks + 1);
    expect_text(line, hash);
    snprintf(line, sizeof line, "$u check --store %s", store);
    run_in_dir(line);
}

static void test_many_files(void **state)
{
    (void)state;
    struct hash256 tip = make_chain("many", FILES - 1, 1);
    assert_true(path_exists(path_of("%s/many/regtest/blocks/blk%05d.dat", dir, FILES - 1)));
    run_in_dir("$u scan --quiet --datadir many --store store --threads 3");
    run_in_dir("$u index --quiet --datadir many --store store --threads 3");
    run_in_dir("$u blocks many --threads 3 -o blocks.csv");
    struct table blocks = table_read(path_of("%s/blocks.csv", dir));
    assert_int_equal(blocks.rows, FILES);
    table_free(&blocks);
    check_numbers("store", FILES - 1, &tip);
    run_in_dir("$u dump outputs --store store --scripts --threads 3 -o scripts.csv");
    struct table scripts = table_read(path_of("%s/scripts.csv", dir));
    assert_int_equal(scripts.rows, FILES);
    assert_string_equal(table_get(&scripts, FILES - 1, "script_hex"), "51");
    table_free(&scripts);
}

static void test_long_chain(void **state)
{
    (void)state;
    uint32_t blocks = long_blocks();
    struct hash256 tip = make_chain("long", blocks, FILE_BYTES);
    run_in_dir("$u scan --quiet --datadir long --store long-store");
    run_in_dir("$u index --quiet --datadir long --store long-store");
    check_numbers("long-store", blocks, &tip);
    run_in_dir("$u scan --quiet --datadir long --store long-store"); /* nothing is new */
    check_numbers("long-store", blocks, &tip);
    /* the index taken back nearly to its beginning */
    run_in_dir("$u index --quiet --datadir long --store long-store --to-height 1000");
    expect_text("$u dump blocks --store long-store | wc -l | tr -d ' '", "1002\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_long_chain),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
