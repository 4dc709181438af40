/* Reading blk files, finding them, and the record scan against a node's own files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/parser/blk_images.h"
#include "tests/support/table.h"

/* ---- bytes ---- */

static void test_xor_at_any_offset(void **state)
{
    (void)state;
    uint8_t bytes[400], plain[400];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)rand();
    for (uint64_t offset = UINT64_MAX - 4; offset != 20; offset++) {
        for (size_t size = 0; size < 300; size++) {
            size_t shift = size % 9;
            memcpy(bytes, plain, sizeof bytes);
            blk_xor(bytes + shift, size, some_key, offset);
            for (size_t i = 0; i < sizeof bytes; i++) {
                bool inside = i >= shift && i < shift + size;
                assert_int_equal(bytes[i], plain[i] ^ (inside ? some_key[(offset + i - shift) % 8] : 0));
            }
        }
    }
}

static void test_read_at_any_offset(void **state)
{
    (void)state;
    enum { SIZE = 600000 };
    uint8_t *plain = malloc(SIZE), *xored = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        plain[i] = (uint8_t)rand();
        xored[i] = plain[i] ^ some_key[i % 8];
    }
    write_file(path_of("%s/blk00000.dat", folder), xored, SIZE);
    write_file(path_of("%s/xor.dat", folder), some_key, 8);
    struct blkdir dir;
    struct blk_reader reader = {0};
    const uint8_t *bytes;
    assert_int_equal(blkdir_open(folder, NULL, &dir, NULL), STATUS_OK);
    for (unsigned round = 0; round < 60; round++) {
        size_t offset = (size_t)rand() % SIZE, size = (size_t)rand() % (SIZE - offset + 1);
        blk_read_ahead(&reader, &dir, 0, offset, size);
        assert_int_equal(blk_read(&reader, &dir, 0, offset, size, &bytes, NULL), STATUS_OK);
        assert_memory_equal(bytes, plain + offset, size);
    }
    blk_reader_free(&reader);
    blkdir_free(&dir);
    free(plain);
    free(xored);
}

/* ---- the folder ---- */

static void make_file(const char *path) { write_file(path, "", 0); }

static void assert_opens(const char *path, const char *chain, const char *blocks, const char *network)
{
    struct blkdir dir;
    struct fault fault = {0};
    if (blkdir_open(path, chain, &dir, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    assert_string_equal(dir.path, blocks);
    assert_true(network ? dir.chain == network_by_name(network) : dir.chain == NULL);
    blkdir_free(&dir);
}

static void assert_refused(enum status status, const char *path, const char *chain, const char *words)
{
    struct blkdir dir;
    struct fault fault = {0};
    assert_int_equal(blkdir_open(path, chain, &dir, &fault), status);
    if (!strstr(fault.text, words))
        fail_msg("no \"%s\" in \"%s\"", words, fault.text);
    assert_int_equal(dir.count, 0);
}

static void test_where_the_blocks_are(void **state)
{
    (void)state;
    char *data = temp_dir();
    char main_blocks[256], test_blocks[256], sub[256], slash[256];
    snprintf(main_blocks, sizeof main_blocks, "%s/blocks", data);
    snprintf(test_blocks, sizeof test_blocks, "%s/regtest/blocks", data);
    snprintf(sub, sizeof sub, "%s/regtest", data);
    snprintf(slash, sizeof slash, "%s//", data);
    assert_refused(STATUS_NOT_FOUND, path_of("%s/none", data), NULL, "no such folder");
    assert_refused(STATUS_NOT_FOUND, data, NULL, "no blk*.dat");
    make_dirs(test_blocks);
    assert_refused(STATUS_NOT_FOUND, sub, NULL, "its blocks folder has no blk*.dat");
    make_file(path_of("%s/blk00000.dat", test_blocks));
    assert_opens(data, NULL, test_blocks, "regtest");
    assert_opens(slash, NULL, test_blocks, "regtest");
    assert_opens(sub, NULL, test_blocks, NULL);
    assert_opens(test_blocks, NULL, test_blocks, NULL);
    assert_refused(STATUS_NOT_FOUND, data, "main", "--chain");
    assert_refused(STATUS_NOT_FOUND, data, "simnet", "simnet");
    make_dirs(path_of("%s/signet/blocks", data));
    make_file(path_of("%s/signet/blocks/blk00000.dat", data));
    assert_refused(STATUS_REFUSED, data, NULL, "signet, regtest");
    assert_opens(data, "regtest", test_blocks, "regtest");
    make_dirs(main_blocks);
    make_file(path_of("%s/blk00000.dat", main_blocks));
    assert_opens(data, NULL, main_blocks, NULL);
    assert_opens(data, "main", main_blocks, NULL);
    assert_opens(data, "regtest", test_blocks, "regtest");
    assert_int_equal(symlink(data, path_of("%s/link", data)), 0);
    assert_opens(path_of("%s/link/", data), NULL, path_of("%s/link/blocks", data), NULL);
    remove_tree(data);
    free(data);
}

static void test_names_and_order_of_files(void **state)
{
    (void)state;
    char *data = temp_dir();
    static const char *const names[] = {"blk00010.dat", "blk00002.dat",      "blk100000.dat", "blk99999.dat",
                                        "blk0001.dat",  "blk00003.dat.bak",  "blk.dat",       "rev00001.dat",
                                        "blk0000x.dat", "blk99999999999.dat"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        make_file(path_of("%s/%s", data, names[i]));
    make_dirs(path_of("%s/blk00004.dat", data));
    struct blkdir dir;
    assert_int_equal(blkdir_open(data, NULL, &dir, NULL), STATUS_OK);
    static const uint32_t numbers[] = {2, 10, 99999, 100000};
    assert_int_equal(dir.count, 4);
    for (size_t i = 0; i < dir.count; i++)
        assert_int_equal(dir.files[i].number, numbers[i]);
    assert_false(dir.xored);
    blkdir_free(&dir);
    assert_int_equal(blkdir_open_any(path_of("%s/blk.dat", data), NULL, &dir, NULL), STATUS_OK);
    assert_int_equal(dir.count, 1);
    assert_string_equal(dir.path, data);
    blkdir_free(&dir);
    write_file(path_of("%s/xor.dat", data), "123456789", 9);
    assert_refused(STATUS_FORMAT, data, NULL, "9 bytes");
    write_file(path_of("%s/xor.dat", data), no_key, 8);
    assert_int_equal(blkdir_open(data, NULL, &dir, NULL), STATUS_OK);
    assert_false(dir.xored);
    blkdir_free(&dir);
    remove_tree(data);
    free(data);
}

/* ---- a node's own files ---- */

/* The records of all files are those that the node's index has, byte positions and sizes included. */
static void check_folder(const char *path, const char *truth)
{
    struct table files = table_read(truth);
    struct blkdir dir;
    size_t row = 0;
    assert_int_equal(blkdir_open(path, NULL, &dir, NULL), STATUS_OK);
    for (size_t i = 0; i < dir.count; i++) {
        struct blk_scan scan = {0};
        assert_int_equal(blk_scan_file(&dir, i, NULL, &scan, NULL), STATUS_OK);
        for (size_t r = 0; r < scan.count; r++, row++) {
            struct hash256 hash, expected;
            assert_true(row < files.rows);
            assert_string_equal(strrchr(dir.files[i].path, '/') + 1, table_get(&files, row, "file"));
            assert_int_equal(scan.records[r].offset, table_number(&files, row, table_column(&files, "offset")));
            assert_int_equal(scan.records[r].size, table_number(&files, row, table_column(&files, "size")));
            sha256d(scan.records[r].header, BLOCK_HEADER_SIZE, &hash);
            assert_true(hash256_parse(table_get(&files, row, "block_hash"), &expected));
            assert_memory_equal(&hash, &expected, sizeof hash);
        }
        blk_scan_free(&scan);
    }
    assert_int_equal(row, files.rows);
    blkdir_free(&dir);
    table_free(&files);
}

static void test_records_are_those_of_the_node(void **state)
{
    (void)state;
    static const char *const folders[] = {"regtest-xor",    "extras/crash",   "extras/dup-txid", "extras/genesis",
                                          "extras/invalid", "extras/padding", "extras/tie"};
    if (!path_exists("../shared/fixtures")) {
        print_message("skipped: no ../shared/fixtures here, so no node's list of the records of eight folders\n");
        skip();
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = path_of("../shared/fixtures/%s", folders[i]);
        check_folder(path, path_of("%s/truth/blockfiles.csv", path));
    }
    check_folder("../shared/fixtures/regtest-plain", "../shared/fixtures/regtest-xor/truth/blockfiles.csv");
}

int main(void)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xor_at_any_offset),
        cmocka_unit_test(test_read_at_any_offset),
        cmocka_unit_test(test_where_the_blocks_are),
        cmocka_unit_test(test_names_and_order_of_files),
        cmocka_unit_test(test_records_are_those_of_the_node),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
