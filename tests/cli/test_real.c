/* Blocks of public networks against an independent parser's counts, in ../shared/real: skipped where that is absent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define REAL "../shared/real"

/* The independent parser's names beside Core's. */
static const char *const kinds[11][2] = {{"p2pk", "pubkey"},
                                         {"p2pkh", "pubkeyhash"},
                                         {"p2sh", "scripthash"},
                                         {"multisig", "multisig"},
                                         {"nulldata", "nulldata"},
                                         {"witness_v0_keyhash", "witness_v0_keyhash"},
                                         {"witness_v0_scripthash", "witness_v0_scripthash"},
                                         {"witness_v1_taproot", "witness_v1_taproot"},
                                         {"anchor", "anchor"},
                                         {"witness_unknown", "witness_unknown"},
                                         {"nonstandard", "nonstandard"}};

static struct json expected(void)
{
    if (!path_exists(REAL "/expected.jsonl")) {
        print_message("skipped: no " REAL " here, so no blocks of public networks against another parser's counts\n");
        skip();
    }
    return json_open(REAL "/expected.jsonl");
}

/* True if an earlier record is the same block: the other parser counts it once. */
static bool is_repeated(const struct table *table, size_t row)
{
    size_t hash = table_column(table, "hash");
    for (size_t r = 0; r < row; r++)
        if (strcmp(table_at(table, r, hash), table_at(table, row, hash)) == 0)
            return true;
    return false;
}

static void assert_sum(const char *dir, const struct table *table, const bool *repeated, const char *column,
                       uint64_t want)
{
    uint64_t got = 0;
    size_t c = table_column(table, column);
    for (size_t r = 0; r < table->rows; r++)
        got += repeated[r] ? 0 : table_number(table, r, c);
    if (got != want)
        fail_msg("%s: %ju %s, the other parser finds %ju", dir, (uintmax_t)got, column, (uintmax_t)want);
}

/* One folder: `json` stands after its "dir". */
static void check_folder(struct json *json, const char *dir, const char *temp)
{
    struct run run = unktx("blocks --verify %s/%s", REAL, dir);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("blocks %s: %d: %s", dir, run.exit_status, run.err);
    const char *path = path_of("%s/blocks.csv", temp);
    write_file(path, run.out, run.out_size);
    run_free(&run);
    struct table table = table_read(path);
    bool *repeated = must_alloc(table.rows, sizeof *repeated);
    size_t blocks = 0;
    for (size_t r = 0; r < table.rows; r++)
        blocks += !(repeated[r] = is_repeated(&table, r));
    json_find(json, "all");
    assert_int_equal(blocks, json_find_number(json, "blocks"));
    static const char *const sums[3] = {"txs", "inputs", "outputs"};
    for (unsigned i = 0; i < 3; i++)
        assert_sum(dir, &table, repeated, sums[i], json_find_number(json, sums[i]));
    json_find(json, "kinds");
    for (unsigned found = 0; found < 11 && json_next(json); found++)
        for (unsigned k = 0; k < 11; k++)
            if (strcmp(json->key, kinds[k][0]) == 0)
                assert_sum(dir, &table, repeated, kinds[k][1], json_number(json));
    for (size_t r = 0; r < table.rows; r++)
        if (strcmp(table_at(&table, r, table.columns - 1), "ok") != 0)
            fail_msg("%s: block %s: %s", dir, table_get(&table, r, "hash"), table_at(&table, r, table.columns - 1));
    free(repeated);
    table_free(&table);
}

static void test_blocks(void **state)
{
    (void)state;
    struct json json = expected();
    char *temp = temp_dir(), dir[256];
    unsigned folders = 0;
    while (json_next(&json)) {
        if (strcmp(json.key, "dir") != 0)
            continue;
        snprintf(dir, sizeof dir, "%.255s", json.value);
        check_folder(&json, dir, temp);
        folders++;
    }
    print_message("%u folders\n", folders);
    assert_true(folders > 0);
    json_close(&json);
    remove_tree(temp);
    free(temp);
}

/* ---- spends ---- */

struct lines {
    char **list;
    size_t count;
    size_t capacity;
};

static int compare_lines(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void add_line(struct lines *lines, const char *text, size_t size)
{
    must_reserve(&lines->list, &lines->capacity, lines->count + 1, sizeof *lines->list);
    lines->list[lines->count++] = strndup(text, size);
}

static void sort_lines(struct lines *lines)
{
    if (lines->count)
        qsort(lines->list, lines->count, sizeof *lines->list, compare_lines);
}

static void lines_free(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->list[i]);
    free(lines->list);
}

/* "txid:vout kind value spender:vin" of each edge, from the list that `json` has just entered. */
static struct lines edges_expected(const struct json *json)
{
    struct lines lines = {0};
    for (const char *at = json->at; *at != ']';) {
        at += strspn(at, " ,\n");
        if (*at != '"')
            break;
        size_t size = strcspn(at + 1, "\"");
        add_line(&lines, at + 1, size);
        at += size + 2;
    }
    sort_lines(&lines);
    return lines;
}

static struct lines edges_found(const struct table *outputs)
{
    struct lines lines = {0};
    for (size_t r = 0; r < outputs->rows; r++) {
        const char *kind = table_get(outputs, r, "kind"), *spender = table_get(outputs, r, "spender_txid");
        if (!*spender)
            continue;
        const char *line = path_of("%s:%s %s %s %s:%s", table_get(outputs, r, "txid"), table_get(outputs, r, "vout"),
                                   strcmp(kind, "pubkey") == 0 ? "p2pk" : kind, table_get(outputs, r, "value_sat"),
                                   spender, table_get(outputs, r, "spender_vin"));
        add_line(&lines, line, strlen(line));
    }
    sort_lines(&lines);
    return lines;
}

/* The chain from genesis in a folder: each spend found is one that the other parser found in the folder; and that one
 * finds no more, unless the folder has blocks outside the chain (`loose`), which then hold the others. */
static void check_spends(const char *dir, bool loose)
{
    struct json json = expected();
    while (strcmp(json_find(&json, "dir"), dir) != 0)
        continue;
    json_find(&json, "edge_list");
    struct lines want = edges_expected(&json);
    char *temp = temp_dir();
    struct run run = unktx("scan --quiet --datadir %s/%s --store %s", REAL, dir, temp);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("scan %s: %d: %s", dir, run.exit_status, run.err);
    run_free(&run);
    unktx_ok("outputs --store %s --rules core-22 -o %s-outputs.csv", temp, temp);
    unktx_ok("check --store %s", temp);
    struct table outputs = table_read(path_of("%s-outputs.csv", temp));
    struct lines got = edges_found(&outputs);
    size_t at = 0;
    for (size_t i = 0; i < got.count; i++, at++) {
        while (loose && at < want.count && strcmp(want.list[at], got.list[i]) < 0)
            at++;
        if (at == want.count || strcmp(want.list[at], got.list[i]) != 0)
            fail_msg("%s: spend %s, the other parser says %s", dir, got.list[i],
                     at < want.count ? want.list[at] : "none");
    }
    if (!loose)
        assert_int_equal(got.count, want.count);
    print_message("%s: %zu spends of %zu in the folder\n", dir, got.count, want.count);
    lines_free(&got);
    lines_free(&want);
    table_free(&outputs);
    json_close(&json);
    remove(path_of("%s-outputs.csv", temp));
    remove_tree(temp);
    free(temp);
}

static void test_spends(void **state)
{
    (void)state;
    static const char *const whole[] = {"tenthirtyone-blocktools",    "nbitcoin-mainnet-two-files",
                                        "blocksci-regtest",           "armory-testnet-in-a-box-1MiB",
                                        "core-regtest-getblockstats", "floresta-signet"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        check_spends(whole[i], false);
    check_spends("union-testnet3", true);
    check_spends("btcd-reorg", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_spends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
