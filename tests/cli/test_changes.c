/* changes.csv, over runs of one chain that grows and is reorganised, under each rule set: against what the tables of
 * the two runs say when they are compared row by row; the other tables are those of a fresh folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/block.h"
#include "parser/bytes.h"
#include "parser/sha256.h"
#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/handmade.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static const char *const all_rules[] = {"core-0.18", "core-0.19", "core-22"};
static char data[512];

static struct gen *open_chain(void)
{
    const struct gen_options options = {
        .dir = data, .seed = 77, .block_bytes = 4000, .window = 1, .planted_per_10k = 6000};
    return gen_open(&options);
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    snprintf(data, sizeof data, "%s/data", dir);
    struct gen *gen = open_chain();
    gen_tdags(gen, 60);
    gen_blocks(gen, 60, 0);
    gen_close(gen);
    return 0;
}

/* ---- the two runs' tables ---- */

struct tables {
    struct table tdags;
    struct table txs;
};

static struct tables tables_of(const char *folder)
{
    return (struct tables){table_read(path_of("%s/tdags.csv", folder)), table_read(path_of("%s/txs.csv", folder))};
}

static void tables_free(struct tables *tables)
{
    table_free(&tables->tdags);
    table_free(&tables->txs);
}

/* The dag_id of the transaction in the other run, 0 if it is in none. */
static size_t dag_of(const struct tables *tables, const char *txid)
{
    for (size_t r = 0; r < tables->txs.rows; r++) {
        if (strcmp(table_get(&tables->txs, r, "txid"), txid) == 0)
            return table_number(&tables->txs, r, table_column(&tables->txs, "dag_id"));
    }
    return 0;
}

static const char *tdag_cell(const struct tables *tables, size_t dag, const char *column)
{
    return table_get(&tables->tdags, dag - 1, column);
}

/* For each T-DAG of `to` (1..): how many of the transactions of T-DAG `dag` of `from` are in it. */
static size_t *overlap(const struct tables *from, size_t dag, const struct tables *to)
{
    size_t *counts = calloc(to->tdags.rows + 1, sizeof *counts);
    assert_non_null(counts);
    for (size_t r = 0; r < from->txs.rows; r++) {
        if (table_number(&from->txs, r, table_column(&from->txs, "dag_id")) == dag)
            counts[dag_of(to, table_get(&from->txs, r, "txid"))]++;
    }
    return counts;
}

struct sums {
    size_t new;
    size_t grown;
    size_t merged;
    size_t shrunk;
    size_t renamed;
    size_t gone;
};

static void expect_row(const struct table *changes, size_t *at, const char *name, const char *what)
{
    if (*at >= changes->rows)
        fail_msg("no row of %s, which is %s", name, what);
    assert_string_equal(table_get(changes, *at, "dag"), name);
    assert_string_equal(table_get(changes, *at, "change"), what);
    ++*at;
}

/* Cells of the row just passed; NULL: the T-DAG is not there. */
static void expect_cells(const struct table *changes, size_t at, const struct tables *before, size_t was,
                         const struct tables *after, size_t is)
{
    static const char *const columns[] = {"txs", "nodes", "moved_value_sat"};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_before", columns[i]);
        assert_string_equal(table_get(changes, at - 1, name), was ? tdag_cell(before, was, columns[i]) : "");
        assert_string_equal(table_get(changes, at - 1, columns[i]), is ? tdag_cell(after, is, columns[i]) : "");
    }
}

/* Which T-DAG before gives its name: that of the first transaction, if it was in one as the first, else the oldest. */
static void check_dag(const struct table *changes, size_t *at, const struct tables *before, const struct tables *after,
                      size_t dag, struct sums *sums)
{
    size_t *from = overlap(after, dag, before), parts = 0, whole = 0, was = 0;
    const char *name = tdag_cell(after, dag, "dag"), *first = tdag_cell(after, dag, "first_txid");
    for (size_t d = before->tdags.rows; d > 0; d--) {
        if (from[d] == 0)
            continue;
        parts++;
        whole = from[d] == strtoul(tdag_cell(before, d, "txs"), NULL, 10);
        if (!was || strcmp(tdag_cell(before, was, "first_txid"), first) != 0)
            was = d;
    }
    if (parts == 0) {
        sums->new ++;
        expect_row(changes, at, name, "new");
    } else if (parts > 1) {
        sums->merged++;
        expect_row(changes, at, name, "merged");
    } else if (!whole) {
        sums->shrunk++;
        expect_row(changes, at, name, "shrunk");
    } else if (strcmp(tdag_cell(before, was, "txs"), tdag_cell(after, dag, "txs")) != 0) {
        sums->grown++;
        expect_row(changes, at, name, "grown");
    } else if (strcmp(tdag_cell(before, was, "dag"), name) != 0) {
        sums->renamed++;
        expect_row(changes, at, name, "renamed");
    } else {
        free(from);
        return;
    }
    expect_cells(changes, *at, before, was, after, dag);
    char joined[2000] = "", *end = joined;
    for (size_t d = 1; d <= before->tdags.rows; d++)
        if (from[d] > 0 && strcmp(tdag_cell(before, d, "dag"), name) != 0)
            end += sprintf(end, "%s%s", end > joined ? " " : "", tdag_cell(before, d, "dag"));
    assert_string_equal(table_get(changes, *at - 1, "joined"), joined);
    free(from);
}

static struct sums check_changes(const struct table *changes, const struct tables *before, const struct tables *after)
{
    struct sums sums = {0};
    size_t at = 0;
    for (size_t d = 1; d <= after->tdags.rows; d++)
        check_dag(changes, &at, before, after, d, &sums);
    for (size_t d = 1; d <= before->tdags.rows; d++) {
        size_t *to = overlap(before, d, after);
        if (to[0] == strtoul(tdag_cell(before, d, "txs"), NULL, 10)) {
            sums.gone++;
            expect_row(changes, &at, tdag_cell(before, d, "dag"), "gone");
            expect_cells(changes, at, before, d, after, 0);
        }
        free(to);
    }
    assert_int_equal(at, changes->rows);
    return sums;
}

/* ---- runs ---- */

/* A run into the folder, what it says, and the same tables in a fresh one. */
static struct sums run_again(const char *rules, const char *more)
{
    const char *out = path_of("%s/out-%s", dir, rules);
    struct tables before = tables_of(out);
    struct run run = unktx_expect(0, "analyze --datadir %s --rules %s -o %s%s", data, rules, out, more);
    struct tables after = tables_of(out);
    struct table changes = table_read(path_of("%s/changes.csv", out));
    struct sums sums = check_changes(&changes, &before, &after);
    char told[160];
    snprintf(told, sizeof told, "new %zu, grown %zu, merged %zu, shrunk %zu, renamed %zu, gone %zu", sums.new,
             sums.grown, sums.merged, sums.shrunk, sums.renamed, sums.gone);
    if (!strstr(run.err, told))
        fail_msg("no \"%s\" in: %s", told, run.err);
    run_free(&run);
    run = shell("grep -A14 'id=\"changes\"' %s/report.html | tr -d '\\n' | "
                "grep -c '>%zu<.*>%zu<.*>%zu<.*>%zu<.*>%zu<.*>%zu<'",
                out, sums.new, sums.grown, sums.merged, sums.shrunk, sums.renamed, sums.gone);
    assert_string_equal(run.out, "1\n");
    run_free(&run);
    unktx_ok("analyze --quiet --datadir %s --rules %s -o %s/fresh%s", data, rules, dir, more);
    run = shell("diff -r -x store -x changes.csv -x datapackage.json -x report.html %s %s/fresh", out, dir);
    if (run.exit_status != 0)
        fail_msg("%s: %s", rules, run.out);
    run_free(&run);
    remove_tree(path_of("%s/fresh", dir));
    tables_free(&before);
    tables_free(&after);
    table_free(&changes);
    return sums;
}

static void test_three_runs(void **state)
{
    (void)state;
    struct gen *gen = open_chain();
    uint32_t height = gen_height(gen);
    gen_close(gen);
    char more[64];
    snprintf(more, sizeof more, " --to-height %u", (unsigned)height / 2);
    struct sums sums[3][2];
    for (size_t r = 0; r < 3; r++) {
        unktx_ok("analyze --quiet --datadir %s --rules %s -o %s/out-%s%s", data, all_rules[r], dir, all_rules[r], more);
        assert_false(path_exists(path_of("%s/out-%s/changes.csv", dir, all_rules[r])));
        sums[r][0] = run_again(all_rules[r], "");
    }
    gen = open_chain();
    gen_fork(gen, height * 2 / 3);
    gen_blocks(gen, height / 3 + 8, 0);
    gen_close(gen);
    for (size_t r = 0; r < 3; r++)
        sums[r][1] = run_again(all_rules[r], "");
    for (size_t r = 0; r < 3; r++) {
        print_message("%s: new %zu, grown %zu, merged %zu; then new %zu, shrunk %zu, gone %zu\n", all_rules[r],
                      sums[r][0].new, sums[r][0].grown, sums[r][0].merged, sums[r][1].new, sums[r][1].shrunk,
                      sums[r][1].gone);
        assert_true(sums[r][0].new > 0 && sums[r][0].grown > 0 && sums[r][0].gone == 0 && sums[r][0].shrunk == 0);
        assert_true(sums[r][1].new > 0 && sums[r][1].shrunk > 0 && sums[r][1].gone > 0);
    }
    assert_true(sums[2][0].merged > 0);
    sums[0][0] = run_again("core-22", "");
    assert_int_equal(sums[0][0].new + sums[0][0].grown + sums[0][0].merged + sums[0][0].shrunk + sums[0][0].renamed +
                         sums[0][0].gone,
                     0);
}

/* The tables as they were when the first transaction of T-DAG `dag` was in none yet; `second`: the row of its next. */
static void write_before(const char *out, const struct tables *tables, size_t dag, size_t second)
{
    const char *txid = table_get(&tables->txs, second, "txid");
    FILE *tdags = fopen(path_of("%s/tdags.csv", out), "w"), *txs = fopen(path_of("%s/txs.csv", out), "w");
    const struct table *both[] = {&tables->tdags, &tables->txs};
    bool first = true;
    assert_true(tdags && txs);
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < both[t]->columns * (both[t]->rows + 1); i++) {
            size_t row = i / both[t]->columns - 1, column = i % both[t]->columns;
            const char *name = both[t]->fields[column], *cell = both[t]->fields[i];
            bool own = i >= both[t]->columns && table_number(both[t], row, table_column(both[t], "dag_id")) == dag;
            if (t == 1 && own && first) {
                first = column + 1 < both[t]->columns;
                continue;
            }
            FILE *file = t == 0 ? tdags : txs;
            if (own && strcmp(name, "dag") == 0)
                fprintf(file, "%.16s", txid);
            else if (own && strcmp(name, "first_txid") == 0)
                fprintf(file, "%s", txid);
            else if (own && strcmp(name, "txs") == 0)
                fprintf(file, "%lu", strtoul(cell, NULL, 10) - 1);
            else
                fprintf(file, "%s", cell);
            fputc(column + 1 < both[t]->columns ? ',' : '\n', file);
        }
    }
    fclose(tdags);
    fclose(txs);
}

/* An older transaction joins a T-DAG: its name is of that one now, and the old name is told and still finds it. */
static void test_older_transaction(void **state)
{
    (void)state;
    const char *out = path_of("%s/older", dir);
    unktx_ok("analyze --quiet --datadir %s --rules core-22 -o %s", data, out);
    struct tables tables = tables_of(out);
    size_t dag = 1, second = 0, met = 0;
    while (strtoul(tdag_cell(&tables, dag, "txs"), NULL, 10) < 3)
        dag++;
    for (; met < 2; second++)
        met += table_number(&tables.txs, second, table_column(&tables.txs, "dag_id")) == dag;
    second--;
    write_before(out, &tables, dag, second);
    /* nor would the manifest of that run tell of the tables of this one */
    struct run run = shell("sed -i 's/\"bytes\": [0-9]*,//; s/\"hash\": \"sha256:[0-9a-f]*\",//' %s/datapackage.json",
                           out);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    unktx_ok("dags --rules core-22 --replace --store %s/store -o %s", out, out);
    struct table changes = table_read(path_of("%s/changes.csv", out));
    char old[17];
    snprintf(old, sizeof old, "%.16s", table_get(&tables.txs, second, "txid"));
    assert_int_equal(changes.rows, 1);
    assert_string_equal(table_get(&changes, 0, "dag"), tdag_cell(&tables, dag, "dag"));
    assert_string_equal(table_get(&changes, 0, "change"), "grown");
    assert_string_equal(table_get(&changes, 0, "joined"), old);
    run = unktx_expect(0, "show --rules core-22 --store %s/store --dag %s", out, old);
    assert_non_null(strstr(run.out, tdag_cell(&tables, dag, "dag")));
    run_free(&run);
    table_free(&changes);
    tables_free(&tables);
}

/* ---- the same transactions in another order ---- */

/* A root whose only output anyone can spend; it is told from others by what it spends. */
static struct hash256 make_root(struct buffer *tx, uint32_t number)
{
    static const struct hash256 elsewhere = {{1}};
    add_u32(tx, 1);
    add_count(tx, 1);
    add_input(tx, &elsewhere, number);
    add_worth(tx, 1, 1);
    return hash_of(tx);
}

/* A block with a coinbase and what `txs` has in it. */
static struct hash256 add_txs(struct buffer *file, const struct hash256 *parent, uint32_t number,
                              const struct buffer *const *txs, uint32_t count)
{
    struct buffer bodies = {0};
    (void)add_coinbase(&bodies, number, 1);
    for (uint32_t i = 0; i < count; i++)
        add(&bodies, txs[i]->bytes, txs[i]->size);
    struct hash256 hash = add_block(file, parent, count + 1, &bodies);
    buffer_free(&bodies);
    return hash;
}

/* The header of the record that begins there gets another time: add_block makes one of each parent. */
static struct hash256 make_other(const struct buffer *file, size_t begin)
{
    uint8_t *header = file->bytes + begin + 8;
    struct hash256 hash;
    store_le32(header + 68, load_le32(header + 68) + 1);
    do {
        store_le32(header + 76, load_le32(header + 76) + 1);
        sha256d(header, 80, &hash);
    } while (!block_meets_target(&hash, 0x207fffff));
    return hash;
}

/* Two roots with one spender; the longer branch has the roots the other way round. */
static void test_reordered(void **state)
{
    (void)state;
    struct buffer file = {0}, first = {0}, second = {0}, spender = {0};
    char names[2][65] = {"", ""};
    char out[512], file_name[512];
    struct hash256 root = make_root(&first, 0), other = make_root(&second, 1), tip = add_genesis(&file), branch;
    add_u32(&spender, 1);
    add_count(&spender, 2);
    add_input(&spender, &root, 0);
    add_input(&spender, &other, 0);
    add_worth(&spender, 1, 1);
    hash256_hex(&root, names[0]);
    hash256_hex(&other, names[1]);
    snprintf(out, sizeof out, "%s/reordered", dir);
    make_dirs(path_of("%s/hand/blocks", dir));
    snprintf(file_name, sizeof file_name, "%s/hand/blocks/blk00000.dat", dir);
    (void)add_txs(&file, &tip, 1, (const struct buffer *[]){&first, &second, &spender}, 3);
    write_file(file_name, file.bytes, file.size);
    unktx_ok("analyze --quiet --datadir %s/hand -o %s", dir, out);
    size_t begin = file.size;
    (void)add_txs(&file, &tip, 2, (const struct buffer *[]){&second, &first, &spender}, 3);
    branch = make_other(&file, begin);
    (void)add_txs(&file, &branch, 3, NULL, 0);
    write_file(file_name, file.bytes, file.size);
    struct run run = unktx_expect(0, "analyze --datadir %s/hand -o %s", dir, out);
    assert_non_null(strstr(run.err, "new 0, grown 0, merged 0, shrunk 0, renamed 1, gone 0"));
    run_free(&run);
    struct table changes = table_read(path_of("%s/changes.csv", out));
    assert_int_equal(changes.rows, 1);
    names[0][16] = names[1][16] = '\0';
    assert_string_equal(table_get(&changes, 0, "dag"), names[1]);
    assert_string_equal(table_get(&changes, 0, "change"), "renamed");
    assert_string_equal(table_get(&changes, 0, "joined"), names[0]);
    assert_string_equal(table_get(&changes, 0, "txs_before"), "3");
    assert_string_equal(table_get(&changes, 0, "txs"), "3");
    table_free(&changes);
    struct buffer *all[] = {&file, &first, &second, &spender};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buffer_free(all[i]);
}

/* Tables of before that were cut, or do not belong together: told, and no changes.csv beside the new ones. */
static void test_damaged(void **state)
{
    (void)state;
    const char *out = path_of("%s/damaged", dir), *name = path_of("%s/txs.csv", out);
    unktx_ok("analyze --quiet --datadir %s -o %s", data, out);
    unktx_ok("dags --replace --store %s/store -o %s", out, out);
    size_t size;
    char *text = read_file(name, &size);
    const size_t cuts[] = {0, size / 2, size - 1, (size_t)(strchr(text, '\n') - text) + 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_file(name, text, cuts[i]);
        struct run run = unktx_expect(0, "dags --store %s/store -o %s", out, out);
        assert_non_null(strstr(run.err, "what has changed since the run before is left out"));
        assert_false(path_exists(path_of("%s/changes.csv", out)));
        run_free(&run);
        char *again = read_file(name, &size);
        assert_string_equal(again, text);
        free(again);
    }
    free(text);
    unktx_ok("dags --store %s/store -o %s", out, out);
    assert_true(path_exists(path_of("%s/changes.csv", out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_three_runs, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_older_transaction, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_reordered, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
