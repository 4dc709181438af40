/* GraphML files as igraph's own reader sees them: every transaction and arc of a T-DAG with the attributes that the
 * tables give them. (What Python's readers see: tests/graphfiles.sh.) */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <igraph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

static char *place;
static struct table tdags, txs, arcs;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("analyze --quiet --datadir tests/fixtures/regtest-xor -o %s", place);
    tdags = table_read(path_of("%s/tdags.csv", place));
    txs = table_read(path_of("%s/txs.csv", place));
    arcs = table_read(path_of("%s/arcs.csv", place));
    igraph_set_attribute_table(&igraph_cattribute_table);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    table_free(&tdags);
    table_free(&txs);
    table_free(&arcs);
    remove_tree(place);
    free(place);
    return 0;
}

static igraph_t read_graph(const char *path)
{
    igraph_t graph;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(igraph_read_graph_graphml(&graph, file, 0), IGRAPH_SUCCESS);
    fclose(file);
    assert_true(igraph_is_directed(&graph));
    return graph;
}

/* igraph keeps numbers as doubles. */
static void expect_number(igraph_real_t found, uint64_t expected)
{
    assert_true(expected < UINT64_C(1) << 53 && found >= 0);
    assert_int_equal((uint64_t)found, expected);
}

/* Vertices are in the order of txs.csv. */
static void check_vertices(const igraph_t *graph, const char *dag_id)
{
    igraph_integer_t vertex = 0;
    for (size_t r = 0; r < txs.rows; r++) {
        if (strcmp(table_get(&txs, r, "dag_id"), dag_id) != 0)
            continue;
        assert_true(vertex < igraph_vcount(graph));
        const char *txid = table_get(&txs, r, "txid");
        assert_string_equal(VAS(graph, "txid", vertex), txid);
        assert_string_equal(VAS(graph, "id", vertex), txid);
        assert_int_equal(strlen(VAS(graph, "label", vertex)), 8);
        assert_memory_equal(VAS(graph, "label", vertex), txid, 8);
        expect_number(VAN(graph, "height", vertex), table_number(&txs, r, table_column(&txs, "height")));
        expect_number(VAN(graph, "tx_index", vertex), table_number(&txs, r, table_column(&txs, "tx_index")));
        expect_number(VAN(graph, "value_out_sat", vertex), table_number(&txs, r, table_column(&txs, "value_out_sat")));
        assert_int_equal(VAB(graph, "is_root", vertex), table_number(&txs, r, table_column(&txs, "is_root")));
        vertex++;
    }
    assert_int_equal(igraph_vcount(graph), vertex);
}

/* Edges are in the order of arcs.csv. */
static void check_edges(const igraph_t *graph, const char *dag_id)
{
    igraph_integer_t edge = 0, from, to;
    for (size_t r = 0; r < arcs.rows; r++) {
        if (strcmp(table_get(&arcs, r, "dag_id"), dag_id) != 0)
            continue;
        assert_true(edge < igraph_ecount(graph));
        assert_int_equal(igraph_edge(graph, edge, &from, &to), IGRAPH_SUCCESS);
        assert_string_equal(VAS(graph, "txid", from), table_get(&arcs, r, "from_txid"));
        assert_string_equal(VAS(graph, "txid", to), table_get(&arcs, r, "to_txid"));
        expect_number(EAN(graph, "vout", edge), table_number(&arcs, r, table_column(&arcs, "from_vout")));
        expect_number(EAN(graph, "vin", edge), table_number(&arcs, r, table_column(&arcs, "to_vin")));
        expect_number(EAN(graph, "value_sat", edge), table_number(&arcs, r, table_column(&arcs, "value_sat")));
        assert_string_equal(EAS(graph, "kind", edge), table_get(&arcs, r, "kind"));
        edge++;
    }
    assert_int_equal(igraph_ecount(graph), edge);
}

static void test_tdags(void **state)
{
    (void)state;
    for (size_t r = 0; r < tdags.rows; r += 5) {
        const char *dag_id = table_get(&tdags, r, "dag_id"), *path = path_of("%s/dag.graphml", place);
        unktx_ok("show --store %s/store --dag %s --format graphml -o %s", place, dag_id, path);
        igraph_t graph = read_graph(path);
        check_vertices(&graph, dag_id);
        check_edges(&graph, dag_id);
        igraph_destroy(&graph);
    }
}

/* What payers and payees are in it is looked at by tests/graphfiles.py. */
static void test_ends_need(void **state)
{
    (void)state;
    struct run run = unktx_expect(2, "show --store %s/store --dag 1 --ends", place);
    assert_non_null(strstr(run.err, "--format graphml"));
    run_free(&run);
    run = unktx_expect(1, "show --store %s/store --dag 1 --ends --format graphml", place);
    assert_non_null(strstr(run.err, "no index"));
    assert_int_equal(run.out_size, 0);
    run_free(&run);
}

static void test_travel(void **state)
{
    (void)state;
    const char *path = path_of("%s/travel.graphml", place), *txid = table_get(&tdags, 0, "first_txid");
    unktx_ok("index --quiet --datadir tests/fixtures/regtest-xor --store %s/store", place);
    unktx_ok("travel %s --depth 3 --store %s/store -o %s/travel.csv", txid, place, place);
    unktx_ok("travel %s --depth 3 --format graphml --store %s/store -o %s", txid, place, path);
    struct table rows = table_read(path_of("%s/travel.csv", place));
    igraph_t graph = read_graph(path);
    igraph_integer_t edge = 0, from, to;
    assert_false(igraph_cattribute_has_attr(&graph, IGRAPH_ATTRIBUTE_VERTEX, "is_root"));
    for (size_t r = 0; r < rows.rows; r++) {
        if (!*table_get(&rows, r, "to_txid"))
            continue;
        assert_true(edge < igraph_ecount(&graph));
        assert_int_equal(igraph_edge(&graph, edge, &from, &to), IGRAPH_SUCCESS);
        assert_string_equal(VAS(&graph, "txid", from), table_get(&rows, r, "from_txid"));
        assert_string_equal(VAS(&graph, "txid", to), table_get(&rows, r, "to_txid"));
        expect_number(VAN(&graph, "height", to), table_number(&rows, r, table_column(&rows, "to_height")));
        expect_number(EAN(&graph, "value_sat", edge), table_number(&rows, r, table_column(&rows, "value_sat")));
        edge++;
    }
    assert_true(edge > 10);
    assert_int_equal(igraph_ecount(&graph), edge);
    igraph_destroy(&graph);
    table_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tdags),
        cmocka_unit_test(test_ends_need),
        cmocka_unit_test(test_travel),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
