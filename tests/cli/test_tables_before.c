/* The reader of an earlier run's tables: files of several slices, made here by hand, on one and on four threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs/tables_before.h"
#include "parser/sha256.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"

#define TDAGS 16000u /* some megabytes, so that lines lie across the ends of slices */
#define TXS (3 * TDAGS)

/* The txid of transaction t as printed: its number, repeated. */
static void print_txid(uint32_t t, char text[HASH256_HEX_SIZE + 1])
{
    for (unsigned i = 0; i < 8; i++)
        snprintf(text + (size_t)8 * i, 9, "%08x", (unsigned)(t * 2654435761u + i));
}

/* T-DAG d has transactions 3d - 3 .. 3d - 1; its name is of 16 digits, every seventh one's of 20. */
static void write_tables(void)
{
    char txid[HASH256_HEX_SIZE + 1];
    FILE *tdags = fopen(path_of("%s/tdags.csv", dir), "wb"), *txs = fopen(path_of("%s/txs.csv", dir), "wb");
    assert_true(tdags && txs);
    fputs("dag_id,class_id,txs,nodes,first_txid,other,moved_value_sat,dag,last\n", tdags);
    fputs("dag_id,height,tx_index,txid,dag\n", txs);
    for (uint32_t d = 1; d <= TDAGS; d++) {
        print_txid(3 * d - 3, txid);
        fprintf(tdags, "%u,c%*s,3,%u,%s,,%u,%.*s,\n", (unsigned)d, (int)(d % 97), "", (unsigned)d % 11, txid,
                (unsigned)d * 1000, d % 7 ? 16 : 20, txid);
    }
    for (uint32_t t = 0; t < TXS; t++) {
        print_txid(t, txid);
        fprintf(txs, "%u,%u,%u,%s,\n", (unsigned)t / 3 + 1, (unsigned)t / 5, (unsigned)t % 5, txid);
    }
    assert_true(fclose(tdags) == 0 && fclose(txs) == 0);
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    write_tables();
    return 0;
}

/* Marks the transaction: each must come once, with its own height and T-DAG. */
static enum status mark(void *context, unsigned worker, const struct tx_before *tx)
{
    uint8_t *seen = context;
    char txid[HASH256_HEX_SIZE + 1];
    (void)worker;
    for (uint32_t t = 3 * tx->dag - 3; t < 3 * tx->dag; t++) {
        print_txid(t, txid);
        if (strcmp(txid, tx->txid) == 0 && tx->height == t / 5)
            seen[t]++; /* no other row has this one */
    }
    return STATUS_OK;
}

static void test_read(void **state)
{
    (void)state;
    static const unsigned threads[] = {1, 4};
    for (size_t i = 0; i < 2; i++) {
        struct tables_before before = {0};
        struct fault fault = {0};
        char txid[HASH256_HEX_SIZE + 1], name[TDAG_NAME_MAX + 1], hex[HASH256_HEX_SIZE];
        uint8_t *seen = calloc(TXS, 1);
        assert_non_null(seen);
        assert_int_equal(tables_before_read(dir, threads[i], &before, &fault), STATUS_OK);
        assert_int_equal(before.tdags_count, TDAGS);
        for (uint32_t d = 1; d <= TDAGS; d++) {
            const struct tdag_before *tdag = &before.tdags[d - 1];
            print_txid(3 * d - 3, txid);
            hash256_hex(&tdag->first_txid, hex);
            assert_memory_equal(hex, txid, sizeof hex);
            assert_true(tdag->txs == 3 && tdag->nodes == d % 11 && tdag->moved_value_sat == d * 1000);
            *tables_before_put_name(&before, d, name) = '\0';
            txid[d % 7 ? 16 : 20] = '\0';
            assert_string_equal(name, txid);
        }
        assert_int_equal(tables_before_txs(dir, threads[i], &before, mark, seen, &fault), STATUS_OK);
        for (uint32_t t = 0; t < TXS; t++)
            assert_int_equal(seen[t], 1);
        free(seen);
        tables_before_free(&before);
    }
}

/* A table cut anywhere near the end of a slice or of the file is refused. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"tdags.csv", "txs.csv"};
    const size_t slice = (size_t)1 << 20;
    for (size_t n = 0; n < 2; n++) {
        size_t size;
        char *path = strdup(path_of("%s/%s", dir, names[n])), *text = read_file(path, &size);
        assert_true(size > 2 * slice);
        const size_t middles[] = {slice, 2 * slice, size - 150};
        for (size_t m = 0; m < 3; m++) {
            for (size_t cut = middles[m] - 150; cut < middles[m] + 150; cut += 7) {
                struct tables_before before = {0};
                struct fault fault = {0};
                uint8_t *seen = calloc(TXS, 1);
                write_file(path, text, cut);
                enum status status = tables_before_read(dir, 4, &before, &fault);
                if (status == STATUS_OK)
                    status = tables_before_txs(dir, 4, &before, mark, seen, &fault);
                assert_int_equal(status, STATUS_FORMAT);
                tables_before_free(&before);
                free(seen);
            }
        }
        write_file(path, text, size);
        free(text);
        free(path);
    }
}

static void test_same(void **state)
{
    (void)state;
    size_t size;
    char *path = strdup(path_of("%s/txs.csv", dir)), *text = read_file(path, &size), hex[65] = {0};
    uint8_t digest[32];
    sha256((const uint8_t *)text, size, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_true(tables_before_is(dir, "txs.csv", size, hex));
    assert_false(tables_before_is(dir, "txs.csv", size - 1, hex));
    assert_false(tables_before_is(dir, "absent.csv", size, hex));
    text[size / 2] ^= 1;
    write_file(path, text, size);
    assert_false(tables_before_is(dir, "txs.csv", size, hex));
    text[size / 2] ^= 1;
    write_file(path, text, size);
    free(text);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_cut),
                                       cmocka_unit_test(test_same)};
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
