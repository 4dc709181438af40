/* Data directories made to cost the square of their size, or to drown the reader in messages: what comes out is right,
 * and where work can be counted, it grows as the input does. Those that would cost a square would take minutes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/network.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/handmade.h"

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dir = temp_dir();
    make_dirs(path_of("%s/data/blocks", dir));
    return 0;
}

/* ---- files ---- */

static void write_blocks(const char *name, struct buffer *file)
{
    write_file(path_of("%s/data/blocks/%s", dir, name), file->bytes, file->size);
    buffer_free(file);
}

/* Runs a command on the chain: exit status, and few messages. */
static void fill_store(const char *command, int status)
{
    struct run run = command_run("%s --datadir %s/data --store %s/store --threads 2", command, dir, dir);
    if (run.exit_status != status)
        fail_msg("%s", run.err);
    size_t lines = 0;
    for (const char *at = run.err; (at = strchr(at, '\n')); at++)
        lines++;
    assert_in_range(lines, 1, 20);
    run_free(&run);
}

/* Scans, indexes and checks; the report of `check`. */
static struct run scan_and_check(int status, int index_status)
{
    fill_store("scan", status);
    fill_store("index", index_status);
    struct run run = command_run("check --store %s/store --threads 2", dir);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    return run;
}

static void expect_line(const struct run *run, const char *format, unsigned number)
{
    char line[100];
    snprintf(line, sizeof line, format, number);
    if (!strstr(run->out, line))
        fail_msg("'%s' is not in '%s'", line, run->out);
}

/* ---- chains ---- */

/* One coinbase 10,000 times, then spent: BIP 30 forbade it for its price. */
static void test_repeated_txid(void **state)
{
    (void)state;
    enum { COPIES = 10000 };
    struct buffer file = {0}, bodies = {0};
    struct hash256 tip = add_genesis(&file), txid = add_coinbase(&bodies, 1, 1);
    for (int i = 0; i < COPIES; i++)
        tip = add_block(&file, &tip, 1, &bodies);
    bodies.size = 0;
    (void)add_coinbase(&bodies, 2, 1);
    add_u32(&bodies, 1);
    add_count(&bodies, 1);
    add_input(&bodies, &txid, 0);
    add_outputs(&bodies, 1);
    (void)add_block(&file, &tip, 2, &bodies);
    write_blocks("blk00000.dat", &file);
    struct run run = scan_and_check(0, 0);
    expect_line(&run, "unknown_outputs %u\n", COPIES + 3);
    expect_line(&run, "spent %u\n", 1);
    run_free(&run);
    char hex[65] = "";
    hash256_hex(&txid, hex);
    run = command_run("show --store %s/store %s", dir, hex);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    run = command_run("tx --store %s/store %s:0", dir, hex); /* every copy, the newest first: the one that is spent */
    assert_int_equal(run.exit_status, 0);
    const char *spent = strstr(run.out, ", spent by ");
    assert_true(spent && spent < strstr(run.out, ", unspent") && !strstr(spent + 1, ", spent by "));
    run_free(&run);
    buffer_free(&bodies);
}

/* The same within one block, and every copy spent by an input of its own. */
static void test_repeated_tx_in_a_block(void **state)
{
    (void)state;
    enum { COPIES = 20000 };
    struct buffer file = {0}, bodies = {0}, tx = {0};
    struct hash256 tip = add_genesis(&file);
    static const struct hash256 known = {{9}};
    (void)add_coinbase(&bodies, 1, 1);
    add_u32(&tx, 1);
    add_count(&tx, 1);
    add_input(&tx, &known, 5);
    add_outputs(&tx, 1);
    struct hash256 txid = hash_of(&tx);
    for (int i = 0; i < COPIES; i++)
        add(&bodies, tx.bytes, tx.size);
    add_u32(&bodies, 1);
    add_count(&bodies, COPIES);
    for (int i = 0; i < COPIES; i++)
        add_input(&bodies, &txid, 0);
    add_outputs(&bodies, 1);
    (void)add_block(&file, &tip, COPIES + 2, &bodies);
    write_blocks("blk00000.dat", &file);
    struct run run = scan_and_check(0, 3);
    expect_line(&run, "unknown_outputs %u\n", COPIES + 3);
    expect_line(&run, "spent %u\n", 1);        /* by the first input: there is one outpoint, whoever created it */
    expect_line(&run, "index_height %u\n", 0); /* an index takes no output for known */
    run_free(&run);
    buffer_free(&bodies);
    buffer_free(&tx);
}

/* 65,537 outputs, all spent by one transaction, the last one first. */
static void test_wide_transaction(void **state)
{
    (void)state;
    enum { OUTPUTS = 65537 };
    struct buffer file = {0}, bodies = {0}, tx = {0};
    struct hash256 tip = add_genesis(&file), wide = add_coinbase(&bodies, 1, OUTPUTS);
    tip = add_block(&file, &tip, 1, &bodies);
    bodies.size = 0;
    (void)add_coinbase(&bodies, 2, 1);
    add_u32(&tx, 1);
    add_count(&tx, OUTPUTS);
    for (uint32_t i = OUTPUTS; i-- > 0;)
        add_input(&tx, &wide, i);
    add_outputs(&tx, 1);
    struct hash256 spender = hash_of(&tx);
    add(&bodies, tx.bytes, tx.size);
    (void)add_block(&file, &tip, 2, &bodies);
    write_blocks("blk00000.dat", &file);
    struct run run = scan_and_check(0, 0);
    expect_line(&run, "spent %u\n", OUTPUTS);
    run_free(&run);
    char hex[65] = "";
    hash256_hex(&spender, hex);
    run = command_run("show --store %s/store %s", dir, hex);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.out, "input 65536 spends"));
    run_free(&run);
    run = command_run("dags --store %s/store -o %s/out --threads 2", dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    run = command_run("dags --compress --replace --store %s/store -o %s/out --threads 2", dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    buffer_free(&bodies);
    buffer_free(&tx);
}

/* Blocks without a parent: their number is told, not each of them. */
static void test_detached_blocks(void **state)
{
    (void)state;
    enum { BLOCKS = 50000 };
    struct buffer file = {0}, bodies = {0};
    (void)add_genesis(&file);
    (void)add_coinbase(&bodies, 1, 1);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        struct hash256 parent = {{1}};
        store_le32(parent.bytes + 8, i);
        (void)add_block(&file, &parent, 1, &bodies);
    }
    write_blocks("blk00000.dat", &file);
    struct run run = scan_and_check(3, 3);
    expect_line(&run, "height %u\n", 0);
    run_free(&run);
    buffer_free(&bodies);
}

static void test_tiny_files(void **state)
{
    (void)state;
    enum { FILES = 3000 };
    struct buffer file = {0}, bodies = {0};
    char name[32];
    struct hash256 tip = add_genesis(&file);
    (void)add_coinbase(&bodies, 1, 1);
    write_blocks("blk00000.dat", &file);
    for (unsigned i = 1; i <= FILES; i++) {
        tip = add_block(&file, &tip, 1, &bodies);
        snprintf(name, sizeof name, "blk%05u.dat", i);
        write_blocks(name, &file);
    }
    struct run run = scan_and_check(0, 0);
    expect_line(&run, "height %u\n", FILES);
    run_free(&run);
    buffer_free(&bodies);
}

/* ---- money ---- */

#define ALL_COINS_SAT 2100000000000000u /* 21 million */

static void expect_damage(const char *command, const char *reason)
{
    struct run run = unktx("%s --datadir %s/data --store %s/store", command, dir, dir);
    assert_int_equal(run.exit_status, 3);
    if (!strstr(run.err, reason))
        fail_msg("'%s' is not in '%s'", reason, run.err);
    run_free(&run);
}

/* Four outputs of 2^63 satoshi: 0 to whoever lets sums wrap. Scan, without --verify, takes what is written. */
static void test_too_much_money(void **state)
{
    (void)state;
    struct buffer file = {0}, bodies = {0};
    struct hash256 tip = add_genesis(&file);
    (void)add_rich_coinbase(&bodies, 1, 4, UINT64_C(1) << 63);
    (void)add_block(&file, &tip, 1, &bodies);
    write_blocks("blk00000.dat", &file);
    expect_damage("scan --verify", "outputs have more value than there can be");
    expect_damage("index", "outputs have more value than there can be");
    expect_damage("index --verify", "outputs have more value than there can be");
    fill_store("scan", 0);
    struct run run = command_run("stats --store %s/store", dir);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.out, "18446744073709551615"));
    run_free(&run);
    run = command_run("check --store %s/store", dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    buffer_free(&bodies);
}

/* Each of these coinbases has all the coins; a transaction that spends two of them has too many. */
static void test_too_much_spent(void **state)
{
    (void)state;
    struct buffer file = {0}, bodies = {0};
    struct hash256 tip = add_genesis(&file), coinbases[2];
    for (uint32_t i = 0; i < 2; i++) {
        bodies.size = 0;
        coinbases[i] = add_rich_coinbase(&bodies, i, 1, ALL_COINS_SAT);
        tip = add_block(&file, &tip, 1, &bodies);
    }
    bodies.size = 0;
    (void)add_coinbase(&bodies, 2, 1);
    add_u32(&bodies, 1);
    add_count(&bodies, 2);
    add_input(&bodies, &coinbases[0], 0);
    add_input(&bodies, &coinbases[1], 0);
    add_worth(&bodies, 1, ALL_COINS_SAT);
    (void)add_block(&file, &tip, 2, &bodies);
    write_blocks("blk00000.dat", &file);
    fill_store("scan", 0);
    expect_damage("index", "spends more value than there can be");
    buffer_free(&bodies);
}

/* ---- work ---- */

/* A file full of what looks like records, each of which claims to end within the last one. */
static uint64_t false_heads(size_t count)
{
    struct buffer file = {0}, none = {0};
    struct hash256 parent = add_genesis(&file);
    size_t begin = file.size;
    for (size_t i = 0; i < count; i++)
        parent = add_block(&file, &parent, 0, &none);
    for (size_t at = begin; at + 2 * 89 <= file.size; at += 89) /* magic, length, header, count */
        store_le32(file.bytes + at + 4, (uint32_t)(file.size - at - 60));
    size_t size = file.size;
    write_blocks("blk00000.dat", &file);
    uint64_t before = bytes_read();
    struct run run = command_run("blocks %s/data/blocks/blk00000.dat", dir);
    assert_int_equal(run.exit_status, 3);
    run_free(&run);
    uint64_t read = bytes_read() - before;
    print_message("%zu false heads, %zu bytes: %llu bytes read\n", count, size, (unsigned long long)read);
    return read;
}

static void test_false_heads(void **state)
{
    (void)state;
    uint64_t few = false_heads(20000), many = false_heads(80000);
    if (few == 0) {
        print_message("skipped: no /proc/self/io here, so nobody counts the bytes that are read\n");
        skip();
    }
    assert_true(many < 5 * few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_repeated_txid, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_repeated_tx_in_a_block, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_wide_transaction, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_detached_blocks, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_tiny_files, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_too_much_money, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_too_much_spent, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_false_heads, set_up, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
