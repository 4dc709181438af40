/* The same chain in other files: other borders, order, keys, copies and threads give the same tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"

#define SHARED "../shared/fixtures"

static const char *const rules_list[3] = {"core-0.18", "core-0.19", "core-22"};

static void assert_same_tables(const char *a, const char *b)
{
    static const char *const files[] = {"outputs.csv", "stats.csv", "tdags.csv",  "classes.csv",
                                        "txs.csv",     "arcs.csv",  "leaves.csv", "summary.json"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (unsigned r = 0; r < (f < 2 ? 1u : 3u); r++) {
            const char *sub = f < 2 ? "" : rules_list[r];
            assert_same_file(path_of("%s/%s/%s", a, sub, files[f]), path_of("%s/%s/%s", b, sub, files[f]));
        }
}

/* Every table of a chain, beside the store. */
static char *tables_of(const char *datadir, unsigned threads)
{
    char *out = temp_dir();
    unktx_ok("scan --quiet --nulldata store --datadir %s --store %s/store --threads %u", datadir, out, threads);
    unktx_ok("outputs --store %s/store --rules core-22 --nulldata -o %s/outputs.csv", out, out);
    unktx_ok("stats --store %s/store --by block -o %s/stats.csv", out, out);
    for (unsigned r = 0; r < 3; r++)
        unktx_ok("dags --store %s/store --rules %s --threads %u -o %s/%s", out, rules_list[r], threads, out,
                 rules_list[r]);
    return out;
}

static void compare_and_remove(const char *want, char *got)
{
    assert_same_tables(want, got);
    remove_tree(got);
    free(got);
}

static void shuffle(struct records *records, struct rng *rng)
{
    for (size_t i = records->count; i > 1; i--) {
        size_t j = rng_below(rng, (uint32_t)i);
        struct record swap = records->list[i - 1];
        records->list[i - 1] = records->list[j];
        records->list[j] = swap;
    }
}

/* Every third record is there a second time. */
static void duplicate(struct records *records)
{
    size_t count = records->count;
    for (size_t i = 0; i < count; i += 3) {
        must_reserve(&records->list, &records->capacity, records->count + 1, sizeof *records->list);
        struct record copy = {must_alloc(records->list[i].size, 1), records->list[i].size};
        memcpy(copy.bytes, records->list[i].bytes, copy.size);
        records->list[records->count++] = copy;
    }
}

static void append_zeros(const char *path, size_t count)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++)
        putc(0, file);
    assert_int_equal(fclose(file), 0);
}

static void test_other_files(void **state)
{
    (void)state;
    struct rng rng = {20210315};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    const char *fixture = "tests/fixtures/regtest-xor/regtest";
    char *want = tables_of(fixture, 1), *dir = temp_dir();
    compare_and_remove(want, tables_of(fixture, 4));
    compare_and_remove(want, tables_of(fixture, 1));

    struct records records = records_read(path_of("%s/blocks", fixture));
    static const uint8_t zeros[8] = {0}, key[8] = {0x11, 0x80, 0, 0xff, 7, 0x5a, 0xc3, 1};
    records_write(&records, path_of("%s/plain/regtest/blocks", dir), 14, zeros);
    compare_and_remove(want, tables_of(path_of("%s/plain", dir), 2));
    if (path_exists(SHARED "/regtest-plain"))
        compare_and_remove(want, tables_of(SHARED "/regtest-plain", 2));
    else
        print_message("no " SHARED ": regtest-plain is not compared\n");

    records_write(&records, path_of("%s/one/blocks", dir), records.count, NULL);
    append_zeros(path_of("%s/one/blocks/blk00000.dat", dir), 1 << 20);
    compare_and_remove(want, tables_of(path_of("%s/one", dir), 2));

    records_write(&records, path_of("%s/padded/blocks", dir), records.count, key);
    append_zeros(path_of("%s/padded/blocks/blk00000.dat", dir), 16 << 20);
    compare_and_remove(want, tables_of(path_of("%s/padded", dir), 2));

    for (unsigned round = 0; round < 3; round++) {
        char variant[4096];
        snprintf(variant, sizeof variant, "%s/shuffled-%u/blocks", dir, round);
        shuffle(&records, &rng);
        if (round == 1)
            duplicate(&records);
        records_write(&records, variant, 7 + 11 * round, round == 2 ? NULL : key);
        compare_and_remove(want, tables_of(variant, 1 + round));
    }
    records_free(&records);
    remove_tree(dir);
    remove_tree(want);
    free(dir);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
