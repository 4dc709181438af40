/* The tables of T-DAGs of more than MEASURES_LARGE transactions, whose measures are taken beside the other tables:
 * against the formulas of docs/measures.md for shapes by design, and against a run with --top, which measures all
 * T-DAGs before it writes anything. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify/measures.h"
#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

enum { FAN_IN = 4300, CHAIN = 4200, RANDOM = 5000, SMALL = 60 };

_Static_assert(FAN_IN > MEASURES_LARGE && CHAIN > MEASURES_LARGE && RANDOM > MEASURES_LARGE, "they are large");

static struct plan_sums random_sums;

static int make_store(void **state)
{
    struct rng rng = {7};
    make_dir(state);
    struct gen *gen = gen_open(&(struct gen_options){.dir = path_of("%s/data", dir), .seed = 7});
    struct plan *random = plan_random(&rng, RANDOM);
    random_sums = plan_sum(random);
    gen_plant(gen, plan_fan_in(FAN_IN));
    gen_plant(gen, plan_deep(CHAIN, 1));
    gen_plant(gen, random);
    gen_tdags(gen, SMALL);
    gen_close(gen);
    unktx_ok("scan --datadir %s/data --store %s/store --quiet", dir, dir);
    unktx_ok("dags --store %s/store --no-unlocks --threads 2 -o %s/tables --quiet", dir, dir);
    return 0;
}

/* The row of the only T-DAG of so many transactions. */
static size_t row_of(const struct table *tdags, uint64_t txs)
{
    size_t found = tdags->rows;
    for (size_t row = 0; row < tdags->rows; row++)
        if (table_number(tdags, row, table_column(tdags, "txs")) == txs) {
            assert_int_equal(found, tdags->rows);
            found = row;
        }
    assert_true(found < tdags->rows);
    return found;
}

static void assert_micro(const struct table *tdags, size_t row, const char *name, double expected)
{
    char text[32];
    snprintf(text, sizeof text, "%.6f", expected);
    assert_string_equal(table_get(tdags, row, name), text);
}

/* In a table without quoted cells, whose first one is the number of the T-DAG. */
static size_t rows_of(const char *file, const char *dag)
{
    size_t count = 0;
    char *lines = table_lines(path_of("%s/tables/%s", dir, file), 0, dag);
    for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    free(lines);
    return count - 1; /* of the header */
}

static void assert_rows(const struct table *tdags, size_t row, uint64_t txs, uint64_t arcs)
{
    const char *dag = table_get(tdags, row, "dag_id");
    assert_int_equal(rows_of("txs.csv", dag), txs);
    assert_int_equal(rows_of("arcs.csv", dag), arcs);
}

/* A fan-in has two roles; all its roots are one step, of two nodes each. Each place in a chain is a role of its own;
 * its steps are alike but for the first one, with a root, and the last one, of which nothing is spent. */
static void test_by_design(void **state)
{
    struct table tdags = table_read(path_of("%s/tables/tdags.csv", dir));
    size_t fan_in = row_of(&tdags, FAN_IN + 1), chain = row_of(&tdags, CHAIN), random = row_of(&tdags, RANDOM);
    (void)state;
    assert_micro(&tdags, fan_in, "orderliness", 1 - log(2) / log(FAN_IN + 1));
    assert_micro(&tdags, fan_in, "repetition", 2.0 * FAN_IN / (2.0 * FAN_IN + 1));
    assert_micro(&tdags, fan_in, "fan_out_regularity", 1);
    assert_rows(&tdags, fan_in, FAN_IN + 1, FAN_IN);
    assert_micro(&tdags, chain, "orderliness", 0);
    assert_micro(&tdags, chain, "repetition", (CHAIN - 2.0) / (CHAIN + 1.0));
    assert_micro(&tdags, chain, "fan_out_regularity", 1);
    assert_rows(&tdags, chain, CHAIN, CHAIN - 1);
    assert_int_equal(table_number(&tdags, random, table_column(&tdags, "nodes")), random_sums.nodes);
    assert_rows(&tdags, random, RANDOM, random_sums.spent);
    table_free(&tdags);
}

static void test_as_with_top(void **state)
{
    static const char *const files[] = {"tdags.csv", "classes.csv", "txs.csv", "arcs.csv", "leaves.csv"};
    (void)state;
    unktx_ok("dags --store %s/store --no-unlocks --threads 2 --top 5 -o %s/top --quiet", dir, dir);
    for (unsigned threads = 1; threads <= 5; threads += 4) {
        unktx_ok("dags --store %s/store --no-unlocks --threads %u -o %s/tables-%u --quiet", dir, threads, dir, threads);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            assert_same_file(path_of("%s/tables-%u/%s", dir, threads, files[i]),
                             path_of("%s/tables/%s", dir, files[i]));
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_same_file(path_of("%s/top/%s", dir, files[i]), path_of("%s/tables/%s", dir, files[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_design),
        cmocka_unit_test(test_as_with_top),
    };
    return cmocka_run_group_tests(tests, make_store, remove_dir);
}
