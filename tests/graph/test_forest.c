/* forest_load against the forest that was written, tdags_find against igraph's components, and damaged stores. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dag/forest.h"
#include "graph/dag/shape.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "tests/support/forests.h"
#include "tests/support/run.h"

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % limit);
}

/* Transactions that spend up to three unspent outputs of the last thirty. */
static void add_random_txs(struct forest_builder *builder, uint32_t count)
{
    random_state = 4711;
    for (uint32_t t = 0; t < count; t++) {
        uint32_t from = t < 30 ? 0 : t - 30;
        forest_add_tx(builder, 1 + random_below(2), random_below(4), random_below(3), 1 + random_below(2));
        for (uint32_t k = random_below(7); t > 0 && k < 3; k++) {
            uint32_t creator = from + random_below(t - from);
            const struct forest_tx *tx = &builder->forest.txs[creator];
            uint32_t outputs = tx[1].first_output - tx->first_output, i = outputs ? random_below(outputs) : 0;
            if (outputs && builder->forest.outputs[tx->first_output + i].spender == FOREST_NONE)
                forest_add_spend(builder, creator, i);
        }
    }
    for (uint32_t o = 0; o < builder->forest.outputs_count; o++) {
        builder->forest.outputs[o].anyone_can_spend = random_below(4) == 0;
        if (random_below(4) == 0) {
            builder->forest.outputs[o].kind = KIND_MULTISIG;
            builder->forest.outputs[o].unknown = 1 << RULES_CORE_22;
        }
    }
    forest_finish(builder);
}

static void compare_forests(const struct forest *a, const struct forest *b)
{
    assert_int_equal(a->txs_count, b->txs_count);
    assert_int_equal(a->outputs_count, b->outputs_count);
    assert_int_equal(a->spends_count, b->spends_count);
    assert_int_equal(a->blocks, b->blocks);
    assert_memory_equal(a->spends, b->spends, a->spends_count * sizeof *a->spends);
    assert_memory_equal(a->block_times, b->block_times, a->blocks * sizeof *a->block_times);
    for (uint32_t t = 0; t <= a->txs_count; t++) {
        const struct forest_tx *x = &a->txs[t], *y = &b->txs[t];
        assert_memory_equal(&x->txid, &y->txid, sizeof x->txid);
        assert_int_equal(x->height, y->height);
        assert_int_equal(x->index, y->index);
        assert_int_equal(x->inputs, y->inputs);
        assert_int_equal(x->outputs, y->outputs);
        assert_int_equal(x->nulldata, y->nulldata);
        assert_int_equal(x->first_output, y->first_output);
        assert_int_equal(x->first_spend, y->first_spend);
        assert_int_equal(x->coinbase, y->coinbase);
        assert_int_equal(x->value_out_sat, y->value_out_sat);
    }
    for (uint32_t t = 0; t < a->txs_count; t++)
        for (unsigned rules = 0; rules < RULES_WITH_HIDDEN; rules++) {
            uint32_t count = 0;
            for (uint32_t s = a->txs[t].first_spend; s < a->txs[t + 1].first_spend; s++)
                count += a->outputs[a->spends[s]].unknown >> rules & 1;
            assert_int_equal(forest_unknown_inputs(b, t, (enum rules)rules), count);
        }
    for (uint32_t o = 0; o < a->outputs_count; o++) {
        const struct forest_output *x = &a->outputs[o], *y = &b->outputs[o];
        assert_int_equal(x->value_sat, y->value_sat);
        assert_int_equal(x->tx, y->tx);
        assert_int_equal(x->vout, y->vout);
        assert_int_equal(x->spender, y->spender);
        assert_int_equal(x->spender_vin, y->spender_vin);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->unknown, y->unknown);
        assert_int_equal(x->anyone_can_spend, y->anyone_can_spend);
    }
}

static void loads_what_was_written(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    char *path = temp_dir();
    add_random_txs(&builder, 20000);
    struct store *store = forest_write(&builder.forest, path, NULL);
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        struct forest forest;
        struct fault fault = {0};
        assert_int_equal(forest_load(store, threads, &forest, &fault), STATUS_OK);
        compare_forests(&builder.forest, &forest);
        assert_int_equal(forest.total_txs, 20000);
        uint64_t inputs = 0, outputs = 0, nulldata = 0, unknown = 0;
        for (uint32_t t = 0; t < builder.forest.txs_count; t++) {
            inputs += builder.forest.txs[t].inputs;
            outputs += builder.forest.txs[t].outputs;
            nulldata += builder.forest.txs[t].nulldata;
            unknown += forest_unknown_outputs(&builder.forest, t, RULES_CORE_0_18) > 0;
        }
        assert_int_equal(forest.total_inputs, inputs);
        assert_int_equal(forest.total_outputs, outputs);
        assert_int_equal(forest.kind_count[KIND_NULLDATA], nulldata);
        assert_int_equal(forest.unknown_txs[RULES_CORE_0_18], unknown);
        struct store_totals totals = store_totals_of(store);
        assert_memory_equal(&forest.tip, &totals.tip, sizeof forest.tip);
        forest_free(&forest);
    }
    store_close(store);
    remove_tree(path);
    free(path);
    forest_builder_free(&builder);
}

static void empty_store(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct forest forest;
    struct fault fault = {0};
    struct tdags tdags;
    char *path = temp_dir();
    forest_add_tx(&builder, 1, 0, 1, 0);
    builder.forest.txs_count = 0;
    forest_finish(&builder);
    struct store *store = forest_write(&builder.forest, path, NULL);
    assert_int_equal(forest_load(store, 2, &forest, &fault), STATUS_OK);
    assert_int_equal(forest.txs_count, 0);
    assert_int_equal(tdags_find(&forest, RULES_CORE_22, &tdags, &fault), STATUS_OK);
    assert_int_equal(tdags.count, 0);
    tdags_free(&tdags);
    forest_free(&forest);
    store_close(store);
    remove_tree(path);
    free(path);
    forest_builder_free(&builder);
}

static void expect_damaged(struct forest_builder *builder, const char *what)
{
    struct forest forest;
    char *path = temp_dir();
    struct store *store = forest_write(forest_finish(builder), path, NULL);
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct fault fault = {0};
        assert_int_equal(forest_load(store, threads, &forest, &fault), STATUS_FORMAT);
        assert_non_null(strstr(fault.text, what));
        assert_null(forest.txs);
    }
    store_close(store);
    remove_tree(path);
    free(path);
    forest_builder_free(builder);
}

static void damaged_stores(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    uint32_t a = forest_add_tx(&builder, 1, 2, 0, 0);
    forest_add_tx(&builder, 0, 0, 1, 0);
    forest_add_spend(&builder, a, 0);
    forest_add_tx(&builder, 0, 0, 1, 0);
    forest_add_spend(&builder, a, 1);
    builder.forest.spends[1] = builder.forest.spends[0];
    expect_damaged(&builder, "spent twice");

    /* An output of the transaction itself, or of a later one: a cycle. */
    for (uint32_t ordinal = 1; ordinal <= 2; ordinal++) {
        a = forest_add_tx(&builder, 1, 1, 0, 0);
        forest_add_tx(&builder, 0, 1, 0, 0);
        forest_add_spend(&builder, a, 0);
        forest_add_tx(&builder, 1, 1, 0, 0);
        builder.forest.spends[0] = ordinal;
        expect_damaged(&builder, "make no sense");
    }

    /* A coinbase spends nothing. */
    a = forest_add_tx(&builder, 1, 1, 0, 0);
    uint32_t b = forest_add_tx(&builder, 0, 0, 1, 0);
    forest_add_spend(&builder, a, 0);
    builder.forest.txs[b].coinbase = 1;
    expect_damaged(&builder, "make no sense");
}

/* ---- numbers for which a forest has no room ---- */

struct numbers {
    uint32_t index; /* of the transaction that is spent */
    uint32_t vout;  /* of its only tracked output, which is its last */
    uint32_t vin;   /* that spends it */
};

static void add_block(struct store *store, uint32_t height, const struct tx_record *tx, const struct buffer *blob,
                      uint32_t vout, const struct spend_record *spend)
{
    struct fault fault = {0};
    struct block_record block = {.height = height, .stored_txs = 1, .counts = {.txs = tx->index + 1}};
    store_le32(block.hash.bytes, height);
    assert_int_equal(store_begin_block(store, &block, &fault), STATUS_OK);
    assert_int_equal(store_add_tx(store, tx, blob->bytes, blob->size, &vout, spend, &fault), STATUS_OK);
    assert_int_equal(store_end_block(store, &fault), STATUS_OK);
}

static struct store *write_numbers(const char *path, const struct numbers *numbers)
{
    struct store_identity identity = {.magic = {1, 2, 3, 4}};
    struct store *store;
    struct fault fault = {0};
    struct buffer blob = {0}, other = {0};
    const struct output_record known = {.kind = KIND_PUBKEYHASH}, tracked = {.kind = KIND_NONSTANDARD, .unknown = 7};
    for (uint32_t i = 0; i < numbers->vout; i++)
        assert_int_equal(record_add_output(&blob, &known), STATUS_OK);
    assert_int_equal(record_add_output(&blob, &tracked), STATUS_OK);
    assert_int_equal(record_add_output(&other, &known), STATUS_OK);
    struct tx_record spent = {.index = numbers->index, .inputs = 1, .outputs = numbers->vout + 1, .tracked = 1};
    struct tx_record spender = {.inputs = numbers->vin + 1, .outputs = 1, .spends = 1};
    struct spend_record spend = {.vin = numbers->vin};
    assert_int_equal(store_open(path, STORE_WRITE, &identity, &store, &fault), STATUS_OK);
    add_block(store, 0, &spent, &blob, numbers->vout, NULL);
    add_block(store, 1, &spender, &other, 0, &spend);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    buffer_free(&blob);
    buffer_free(&other);
    assert_int_equal(store_open(path, STORE_READ, NULL, &store, &fault), STATUS_OK);
    return store;
}

/* The highest ones are kept as they are; the next ones are damage, not cut to other numbers. */
static void large_numbers(void **state)
{
    (void)state;
    static const struct numbers cases[] = {
        {1048575, 4194302, 1073741822}, {1048576, 0, 0}, {0, 4194303, 0}, {0, 0, 1073741823}, {0, 0, 2147483647}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct forest forest;
        struct fault fault = {0};
        char *path = temp_dir();
        struct store *store = write_numbers(path, &cases[c]);
        enum status status = forest_load(store, 1, &forest, &fault);
        assert_int_equal(status, c == 0 ? STATUS_OK : STATUS_FORMAT);
        if (c == 0) {
            assert_int_equal(forest.txs[0].index, cases[c].index);
            assert_int_equal(forest.outputs[0].vout, cases[c].vout);
            assert_int_equal(forest.outputs[0].spender_vin, cases[c].vin);
            forest_free(&forest);
        } else {
            assert_non_null(strstr(fault.text, "make no sense"));
        }
        store_close(store);
        remove_tree(path);
        free(path);
    }
}

static void out_of_memory(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    char *path = temp_dir();
    add_random_txs(&builder, 100);
    struct store *store = forest_write(&builder.forest, path, NULL);
    enum status status = STATUS_NOMEM;
    for (long allowed = 0; status == STATUS_NOMEM; allowed++) {
        struct forest forest = {0};
        struct tdags tdags = {0};
        struct fault fault = {0};
        assert_true(allowed < 1000);
        mem_fail_after(allowed);
        status = forest_load(store, 1, &forest, &fault);
        if (status == STATUS_OK)
            status = tdags_find(&forest, RULES_CORE_0_18, &tdags, &fault);
        mem_fail_after(-1);
        tdags_free(&tdags);
        forest_free(&forest);
    }
    assert_int_equal(status, STATUS_OK);
    store_close(store);
    remove_tree(path);
    free(path);
    forest_builder_free(&builder);
}

/* T-DAGs are igraph's components of the graph of arcs, as far as they have an arc, on one thread and on four. */
static void components(void **state)
{
    (void)state;
    enum { TXS = 20000 };
    static uint32_t from[TXS * 4], to[TXS * 4], colour[TXS], component[TXS], dag_of[TXS];
    struct forest_builder builder = {0};
    struct fault fault = {0};
    add_random_txs(&builder, TXS);
    for (unsigned i = 0; i < 4; i++) {
        unsigned rules = i % 2 ? RULES - 1 : 0, threads = i < 2 ? 1 : 4;
        struct shape_graph graph = {TXS, 0, colour, from, to};
        uint32_t count, numbered = 0, sizes[TXS] = {0};
        struct tdags tdags;
        for (uint32_t o = 0; o < builder.forest.outputs_count; o++) {
            const struct forest_output *output = &builder.forest.outputs[o];
            from[graph.arcs] = output->tx;
            to[graph.arcs] = output->spender;
            graph.arcs += output->spender != FOREST_NONE && (output->unknown & 1u << rules) != 0;
        }
        assert_int_equal(shape_components(&graph, component, &count, &fault), STATUS_OK);
        assert_int_equal(tdags_find_others(&builder.forest, rules, NULL, threads, &tdags, &fault), STATUS_OK);
        memset(dag_of, 0, sizeof dag_of);
        for (uint32_t t = 0; t < TXS; t++)
            sizes[component[t]]++;
        uint32_t *seen = calloc(tdags.count + 1, sizeof *seen);
        assert_non_null(seen);
        for (uint32_t t = 0; t < TXS; t++) {
            if (sizes[component[t]] > 1 && !dag_of[component[t]])
                dag_of[component[t]] = ++numbered;
            uint32_t dag = dag_of[component[t]];
            assert_int_equal(tdags.tx_dag[t], dag);
            if (dag) {
                assert_int_equal(tdags.members[tdags.first[dag - 1] + seen[dag]], t);
                seen[dag]++;
            }
        }
        assert_int_equal(tdags.count, numbered);
        assert_true(numbered > 100);
        for (uint32_t d = 1; d <= tdags.count; d++)
            assert_int_equal(seen[d], tdags.first[d] - tdags.first[d - 1]);
        free(seen);
        tdags_free(&tdags);
    }
    forest_builder_free(&builder);
}

/* Where T-DAGs are skipped, the others are found: what is left when those are dropped. */
static void others(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct fault fault = {0};
    struct tdags all, found;
    add_random_txs(&builder, 2000);
    assert_int_equal(tdags_find(&builder.forest, RULES_CORE_22, &all, &fault), STATUS_OK);
    uint8_t *dropped = calloc(all.count + 1, 1), *skipped = calloc(2000, 1);
    assert_non_null(dropped);
    assert_non_null(skipped);
    for (uint32_t d = 1; d <= all.count; d++)
        dropped[d] = d == 1 || random_below(2) == 0;
    for (uint32_t t = 0; t < 2000; t++)
        skipped[t] = dropped[all.tx_dag[t]];
    assert_int_equal(tdags_find_others(&builder.forest, RULES_CORE_22, skipped, 4, &found, &fault), STATUS_OK);
    assert_int_equal(found.roots_all, all.roots_all);
    tdags_drop(&all, dropped);
    assert_true(all.count > 10);
    assert_int_equal(found.count, all.count);
    assert_memory_equal(found.tx_dag, all.tx_dag, 2000 * sizeof *all.tx_dag);
    assert_memory_equal(found.first, all.first, (all.count + 1) * sizeof *all.first);
    assert_memory_equal(found.members, all.members, all.first[all.count] * sizeof *all.members);
    free(dropped);
    free(skipped);
    tdags_free(&all);
    tdags_free(&found);
    forest_builder_free(&builder);
}

static void drop(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct fault fault = {0};
    struct tdags before, after;
    add_random_txs(&builder, 2000);
    assert_int_equal(tdags_find(&builder.forest, RULES_CORE_22, &before, &fault), STATUS_OK);
    assert_int_equal(tdags_find(&builder.forest, RULES_CORE_22, &after, &fault), STATUS_OK);
    uint8_t *dropped = calloc(before.count + 1, 1);
    assert_non_null(dropped);
    for (uint32_t d = 1; d <= before.count; d++)
        dropped[d] = d == 1 || d == before.count || random_below(2) == 0;
    tdags_drop(&after, dropped);
    uint32_t kept = 0;
    for (uint32_t d = 1; d <= before.count; d++) {
        uint32_t size = before.first[d] - before.first[d - 1];
        if (dropped[d]) {
            assert_int_equal(after.tx_dag[before.members[before.first[d - 1]]], 0);
            continue;
        }
        kept++;
        assert_int_equal(after.first[kept] - after.first[kept - 1], size);
        for (uint32_t m = 0; m < size; m++) {
            uint32_t tx = before.members[before.first[d - 1] + m];
            assert_int_equal(after.members[after.first[kept - 1] + m], tx);
            assert_int_equal(after.tx_dag[tx], kept);
        }
    }
    assert_int_equal(after.count, kept);
    free(dropped);
    tdags_free(&before);
    tdags_free(&after);
    forest_builder_free(&builder);
}

/* Of the chain's transactions with an unknown output, all are roots but those whose inputs are all unknown. */
static void roots(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct fault fault = {0};
    struct tdags tdags;
    uint32_t root = forest_add_tx(&builder, 1, 2, 0, 0);
    uint32_t inner = forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, root, 0);
    uint32_t mixed = forest_add_tx(&builder, 1, 0, 0, 1);
    forest_add_spend(&builder, root, 1);
    uint32_t end = forest_add_tx(&builder, 1, 0, 1, 0);
    forest_add_spend(&builder, inner, 0);
    forest_finish(&builder);
    for (unsigned r = 0; r < RULES; r++)
        builder.forest.unknown_txs[r] += 50; /* not stored: nothing but nulldata in them */
    assert_true(forest_is_root(&builder.forest, root, RULES_CORE_0_18));
    assert_false(forest_is_root(&builder.forest, inner, RULES_CORE_0_18));
    assert_true(forest_is_root(&builder.forest, mixed, RULES_CORE_0_18));
    assert_false(forest_is_root(&builder.forest, end, RULES_CORE_0_18));
    assert_int_equal(forest_unknown_inputs(&builder.forest, mixed, RULES_CORE_0_18), 1);
    assert_int_equal(forest_unknown_outputs(&builder.forest, mixed, RULES_CORE_0_18), 1);
    assert_int_equal(tdags_find(&builder.forest, RULES_CORE_0_18, &tdags, &fault), STATUS_OK);
    assert_int_equal(tdags.roots_all, 52);
    assert_int_equal(tdags.count, 1);
    tdags_free(&tdags);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_written),
        cmocka_unit_test(empty_store),
        cmocka_unit_test(damaged_stores),
        cmocka_unit_test(large_numbers),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(components),
        cmocka_unit_test(others),
        cmocka_unit_test(drop),
        cmocka_unit_test(roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
