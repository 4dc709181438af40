/* top: `unktx dags --top --by` against the columns of tdags.csv. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", dir);
    return 0;
}

/* The lines after the two of the header: as many as asked for, their first word a dag_id; by the column, most first,
 * of equals the lower dag_id first; and no T-DAG that is left out comes before the last. */
static void check_order(const char *out, const struct table *dags, const char *column, size_t lines)
{
    bool *listed = calloc(dags->rows + 1, sizeof *listed);
    const char *line = strchr(strchr(out, '\n') + 1, '\n') + 1;
    double last = INFINITY;
    unsigned long last_dag = 0;
    assert_non_null(listed);
    for (size_t i = 0; i < lines; i++, line = strchr(line, '\n') + 1) {
        unsigned long dag = strtoul(line, NULL, 10);
        assert_true(dag >= 1 && dag <= dags->rows && !listed[dag]);
        listed[dag] = true;
        double measure = strtod(table_get(dags, dag - 1, column), NULL);
        assert_true(measure < last || (measure <= last && dag > last_dag));
        last = measure;
        last_dag = dag;
    }
    assert_int_equal(*line, 0);
    for (size_t r = 0; r < dags->rows; r++) {
        double measure = strtod(table_get(dags, r, column), NULL);
        assert_true(listed[r + 1] || measure < last || (measure <= last && r + 1 > last_dag));
    }
    free(listed);
}

static void test_by(void **state)
{
    (void)state;
    static const struct {
        const char *by;
        const char *column;
    } all[] = {{"", "automation"},
               {"--by automation", "automation"},
               {"--by orderliness", "orderliness"},
               {"--by height", "height"},
               {"--by value", "moved_value_sat"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct run run = unktx_expect(0, "dags --store %s/store -o %s --top 20%s%s", dir, dir, *all[i].by ? " " : "",
                                      all[i].by);
        struct table dags = table_read(path_of("%s/tdags.csv", dir));
        check_order(run.out, &dags, all[i].column, 20);
        table_free(&dags);
        run_free(&run);
    }
    struct run run = unktx_expect(0, "dags --store %s/store -o %s --by height", dir, dir);
    struct table dags = table_read(path_of("%s/tdags.csv", dir));
    check_order(run.out, &dags, "height", 10);
    run_free(&run);
    run = unktx_expect(0, "dags --store %s/store -o %s --by value --top 4294967295", dir, dir);
    check_order(run.out, &dags, "moved_value_sat", dags.rows);
    run_free(&run);
    table_free(&dags);
}

/* The formula of the score, from the rounded columns; ranges; the same for any number of threads. */
static void test_columns(void **state)
{
    (void)state;
    static const char *const names[] = {"orderliness", "repetition", "fan_out_regularity", "equal_values", "cadence"};
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    for (size_t i = 0; i < 3; i++) {
        unktx_ok("dags --replace --store %s/store -o %s/one --rules %s --threads 1", dir, dir, rules[i]);
        unktx_ok("dags --replace --store %s/store -o %s/four --rules %s --threads 4", dir, dir, rules[i]);
        assert_same_file(path_of("%s/one/tdags.csv", dir), path_of("%s/four/tdags.csv", dir));
        struct table dags = table_read(path_of("%s/one/tdags.csv", dir));
        assert_true(dags.rows > 30);
        for (size_t r = 0; r < dags.rows; r++) {
            double sum = 0, frequency = strtod(table_get(&dags, r, "chain_frequency"), NULL);
            for (size_t n = 0; n < 5; n++) {
                double measure = strtod(table_get(&dags, r, names[n]), NULL);
                assert_true(measure >= 0 && measure <= 1);
                sum += measure;
            }
            assert_true(fabs(sum / 5 - strtod(table_get(&dags, r, "automation"), NULL)) < 2e-6);
            double txs = (double)table_number(&dags, r, table_column(&dags, "txs"));
            double span = (double)table_number(&dags, r, table_column(&dags, "last_time")) -
                          (double)table_number(&dags, r, table_column(&dags, "first_time"));
            assert_true(fabs(frequency * fmax(span, 600) / 86400 / txs - 1) < 1e-5);
        }
        table_free(&dags);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct run run = unktx_expect(2, "dags --store %s/store -o %s --top 0", dir, dir);
    run_free(&run);
    run = unktx_expect(2, "dags --store %s/store -o %s --by beauty", dir, dir);
    assert_non_null(strstr(run.err, "automation|orderliness|height|value"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
