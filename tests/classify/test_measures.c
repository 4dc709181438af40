/* measures: the formulas of docs/measures.md by hand; patterns that programs make against T-DAGs of chance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "classify/measures.h"
#include "parser/mem.h"
#include "tests/support/forests.h"
#include "tests/support/plan.h"

#define HEIGHTS 100000u
#define CLOSE(a, b) assert_true(fabs((a) - (b)) < 1e-9)

struct result {
    struct tdags tdags;
    struct classes classes;
    struct measures_row *measures;
};

/* Block h is at h * 600 s. */
static struct result run(struct forest_builder *builder, bool compress, unsigned threads)
{
    struct fault fault = {0};
    struct result result = {0};
    if (!builder->forest.block_times) {
        forest_finish(builder);
        mem_free(builder->forest.block_times);
        builder->forest.blocks = HEIGHTS;
        builder->forest.block_times = mem_alloc(HEIGHTS, sizeof *builder->forest.block_times);
        assert_non_null(builder->forest.block_times);
        for (uint32_t h = 0; h < HEIGHTS; h++)
            builder->forest.block_times[h] = h * 600;
    }
    const struct forest *forest = &builder->forest;
    assert_int_equal(tdags_find(forest, RULES_CORE_0_18, &result.tdags, &fault), STATUS_OK);
    assert_int_equal(classify(forest, &result.tdags, compress, NULL, threads, &result.classes, &fault), STATUS_OK);
    assert_int_equal(measures_all(forest, &result.tdags, &result.classes, threads, &result.measures, &fault),
                     STATUS_OK);
    return result;
}

static void result_free(struct result *result)
{
    mem_free(result->measures);
    classes_free(&result->classes);
    tdags_free(&result->tdags);
}

/* ---- by hand ---- */

/* A transaction at `height` that spends output 0 of `parent` (itself: a root with a known input) into one unknown
 * output of `on_sat` (0: none) and one known output of `paid_sat` (0: none). */
static uint32_t link_tx(struct forest_builder *builder, uint32_t parent, uint32_t height, uint64_t on_sat,
                        uint64_t paid_sat)
{
    bool root = parent == builder->forest.txs_count;
    uint32_t tx = forest_add_tx(builder, root, on_sat > 0, paid_sat > 0, 0);
    builder->forest.txs[tx].height = height;
    builder->forest.txs[tx].value_out_sat = on_sat + paid_sat;
    if (on_sat > 0)
        builder->forest.outputs[builder->forest.txs[tx].first_output].value_sat = on_sat;
    if (!root)
        forest_add_spend(builder, parent, 0);
    return tx;
}

/* The smallest T-DAG says nothing: everything is 0 but what it has in common in value, and its frequency. */
static void two_transactions(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    link_tx(&builder, 0, 10, 1000, 0);
    link_tx(&builder, 0, 10, 0, 900);
    link_tx(&builder, 2, 20, 1000, 0);
    link_tx(&builder, 2, 164, 0, 1000); /* a day later */
    struct result result = run(&builder, false, 1);
    const struct measures_row *row = result.measures;
    assert_int_equal(result.classes.rows_count, 2);
    for (int d = 0; d < 2; d++) {
        CLOSE(row[d].orderliness, 0);
        CLOSE(row[d].symmetry, 0);
        CLOSE(row[d].repetition, 0);
        CLOSE(row[d].fan_out_regularity, 0);
        CLOSE(row[d].cadence, 0);
    }
    CLOSE(row[0].equal_values, 0);
    CLOSE(row[1].equal_values, 1);
    CLOSE(row[0].automation, 0);
    CLOSE(row[1].automation, 0.2);
    CLOSE(row[0].chain_frequency, 2 * 86400.0 / 600); /* one block: its interval is the span */
    CLOSE(row[1].chain_frequency, 2);
    result_free(&result);
    forest_builder_free(&builder);
}

/* Five transactions, one paying 100 at a time, every 6 blocks, and once after 9. */
static void peeling_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    static const uint32_t heights[] = {100, 106, 112, 121, 127};
    for (uint32_t i = 0; i < 4; i++)
        link_tx(&builder, i ? i - 1 : 0, heights[i], 1000 - 150 * i, 100);
    link_tx(&builder, 3, heights[4], 0, 100);
    struct result result = run(&builder, false, 1);
    const struct measures_row *row = &result.measures[0];
    assert_int_equal(result.classes.rows_count, 1);
    CLOSE(row->orderliness, 0); /* five roles for five transactions */
    CLOSE(row->symmetry, 0);
    /* nodes: 3 of the root, 2 of each of the three like steps, 1 of the last */
    CLOSE(row->repetition, 6.0 / 10);
    CLOSE(row->fan_out_regularity, 1); /* 2, 2, 2, 2 */
    CLOSE(row->equal_values, 4.0 / 8); /* of nine amounts five are 100 */
    /* gaps 6, 6, 9, 6: mean 27/4, squares 189, variance 189/4 - (27/4)^2 = 27/16 */
    CLOSE(row->cadence, (1 - sqrt(27.0 / 16) / (27.0 / 4)) * 3 / 4);
    CLOSE(row->chain_frequency, 5 * 86400.0 / (27 * 600));
    CLOSE(row->automation, (0 + 0.6 + 1 + 0.5 + row->cadence) / 5);
    result_free(&result);
    forest_builder_free(&builder);
}

/* A root of 4 unknown outputs, each spent into one known output in the next block: 2 roles of 5 transactions. */
static void fan_out_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    uint32_t root = forest_add_tx(&builder, 1, 4, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t tx = forest_add_tx(&builder, 0, 0, 1, 0); /* of 1000 */
        builder.forest.txs[tx].height = 1;
        forest_add_spend(&builder, root, i);
    }
    struct result result = run(&builder, false, 1);
    const struct measures_row *row = &result.measures[0];
    CLOSE(row->orderliness, 1 - log(2) / log(5));
    CLOSE(row->symmetry, log(24) / lgamma(10)); /* 4! of 9! */
    CLOSE(row->repetition, 4.0 / 9);
    CLOSE(row->fan_out_regularity, 0); /* one transaction with a successor */
    CLOSE(row->equal_values, 3.0 / 7); /* 1, 2, 3, 4 and four times 1000 */
    CLOSE(row->cadence, 0);            /* one gap */
    result_free(&result);
    forest_builder_free(&builder);
}

/* Amounts of 0 are none; a rule set sees only what is unknown to it; more keys than are sorted by insertion. */
static void values_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    uint32_t root = forest_add_tx(&builder, 1, 100, 0, 1);
    builder.forest.txs[root].value_out_sat = 0;
    for (uint32_t o = 0; o < 100; o++) {
        uint64_t value_sat = o < 2 ? 0 : o < 42 ? 7 << 8 : (uint64_t)o << 33;
        builder.forest.outputs[o].value_sat = value_sat;
        builder.forest.txs[root].value_out_sat += value_sat;
    }
    builder.forest.outputs[99].unknown = 1 << RULES_CORE_22; /* goes with the other outputs, under their sum */
    uint32_t tx = forest_add_tx(&builder, 0, 0, 1, 0);
    builder.forest.txs[tx].value_out_sat = 7 << 8;
    forest_add_spend(&builder, root, 50);
    struct result result = run(&builder, false, 1);
    /* 40 and one amounts of 1792; 57 others; the sum of the root's other outputs */
    CLOSE(result.measures[0].equal_values, 40.0 / 98);
    result_free(&result);
    forest_builder_free(&builder);
}

/* Times decide where they are steadier than the number of blocks; a clock that goes back is a gap of 0. */
static void cadence_by_time(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    static const uint32_t heights[] = {5, 6, 9, 10};
    for (uint32_t i = 0; i < 4; i++)
        link_tx(&builder, i ? i - 1 : 0, heights[i], 1000 - i, 0);
    struct result result = run(&builder, false, 1);
    CLOSE(result.measures[0].cadence, (1 - sqrt(8.0 / 9) / (5.0 / 3)) * 2 / 3); /* gaps 1, 3, 1 */
    result_free(&result);
    uint32_t *times = builder.forest.block_times;
    times[5] = 1000, times[6] = 1100, times[9] = 1200, times[10] = 1300;
    result = run(&builder, false, 1);
    CLOSE(result.measures[0].cadence, 2.0 / 3);
    result_free(&result);
    times[6] = 900, times[9] = 800, times[10] = 700; /* no beat at all */
    result = run(&builder, false, 1);
    CLOSE(result.measures[0].cadence, (1 - sqrt(8.0 / 9) / (5.0 / 3)) * 2 / 3);
    CLOSE(result.measures[0].chain_frequency, 4 * 144);
    result_free(&result);
    forest_builder_free(&builder);
}

/* ---- against chance ---- */

#define MEASURES 6
static const char *const measure_names[MEASURES] = {"orderliness",  "repetition", "fan_out_regularity",
                                                    "equal_values", "cadence",    "automation"};

static double measure(const struct measures_row *row, unsigned m)
{
    const double all[MEASURES] = {row->orderliness,  row->repetition, row->fan_out_regularity,
                                  row->equal_values, row->cadence,    row->automation};
    return all[m];
}

/* How a T-DAG is paced and valued. */
struct habit {
    uint32_t every;    /* blocks from one level to the next; 0: of chance, for each transaction */
    uint32_t slips;    /* a level or a value in 100 that is off */
    uint64_t pays_sat; /* 0: values of chance */
};

/* Heights never fall from parent to child nor in chain order, as in a chain. */
static uint32_t next_height(struct rng *rng, const struct habit *habit, uint32_t height, bool new_level)
{
    if (habit->every == 0) /* geometric: the gaps of a process without memory */
        return height + (uint32_t)(-log1p(-(double)rng_below(rng, 1u << 20) / (1u << 20)) * 6);
    if (!new_level)
        return height;
    return height + habit->every + (rng_below(rng, 100) < habit->slips ? 1 + rng_below(rng, habit->every) : 0);
}

static uint64_t next_value(struct rng *rng, const struct habit *habit)
{
    bool equal = habit->pays_sat > 0 && rng_below(rng, 100) >= habit->slips;
    return equal ? habit->pays_sat : 1000 + rng_below(rng, 100000000);
}

/* The plan as the next transactions of the forest, all above *height. */
static void add_plan(struct forest_builder *builder, struct rng *rng, const struct plan *plan,
                     const struct habit *habit, uint32_t *height)
{
    uint32_t base = builder->forest.txs_count;
    for (size_t t = 0; t < plan->count; t++) {
        const struct plan_tx *tx = &plan->txs[t];
        *height = next_height(rng, habit, *height, t == 0 || tx->depth > plan->txs[t - 1].depth);
        uint32_t number = forest_add_tx(builder, tx->known_input, tx->spent + tx->unspent, tx->known, 0);
        struct forest_tx *added = &builder->forest.txs[number];
        added->height = *height;
        added->value_out_sat = 0;
        for (uint32_t i = 0; i < tx->spent + tx->unspent; i++) {
            uint64_t value_sat = next_value(rng, habit);
            builder->forest.outputs[added->first_output + i].value_sat = value_sat;
            added->value_out_sat += value_sat;
        }
        for (uint32_t i = 0; i < tx->known; i++)
            added->value_out_sat += next_value(rng, habit);
        for (uint32_t i = 0; i < tx->arcs; i++) {
            const struct plan_arc *arc = &plan->arcs[tx->first_arc + i];
            forest_add_spend(builder, base + arc->from, arc->number);
        }
    }
}

enum pattern { PEELING, SHORT_PEELING, PAYOUT_TREE, ROUND_ROBIN, PATTERNS };
static const char *const pattern_names[PATTERNS] = {"peeling chain", "peeling, 3 to 6", "payout tree",
                                                    "round-robin mixer"};

/* A chain that pays an equal known output each time; what goes on gets less by a fee of chance. */
static uint32_t add_peeling(struct forest_builder *builder, struct rng *rng, uint32_t count, const struct habit *habit,
                            uint32_t *height)
{
    uint32_t base = builder->forest.txs_count;
    uint64_t left_sat = UINT64_C(1000000000000);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t paid_sat = next_value(rng, habit);
        left_sat -= paid_sat + 100 + rng_below(rng, 1000);
        *height = next_height(rng, habit, *height, true);
        link_tx(builder, i ? base + i - 1 : base, *height, i + 1 < count ? left_sat : 0, paid_sat);
    }
    return count;
}

/* `lanes` outputs a round go through `rounds` of transactions, each mixing one of its own lane and one of the next. */
static uint32_t add_round_robin(struct forest_builder *builder, struct rng *rng, const struct habit *habit,
                                uint32_t *height)
{
    uint32_t lanes = 3 + rng_below(rng, 3), rounds = 3 + rng_below(rng, 4), base = builder->forest.txs_count;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t lane = 0; lane < lanes; lane++) {
            *height = next_height(rng, habit, *height, lane == 0);
            uint32_t tx = forest_add_tx(builder, round == 0, 2, 0, 0);
            struct forest_tx *added = &builder->forest.txs[tx];
            added->height = *height;
            added->value_out_sat = 0;
            for (uint32_t i = 0; i < 2; i++) {
                uint64_t value_sat = next_value(rng, habit);
                builder->forest.outputs[added->first_output + i].value_sat = value_sat;
                added->value_out_sat += value_sat;
            }
            if (round > 0) {
                uint32_t before = base + (round - 1) * lanes;
                forest_add_spend(builder, before + lane, 0);
                forest_add_spend(builder, before + (lane + 1) % lanes, 1);
            }
        }
    }
    return lanes * rounds;
}

/* A root, its payees, and theirs: each pays on to equally many; the last level keeps it. In order of level, as a
 * programme sends them. */
static uint32_t add_payout_tree(struct forest_builder *builder, struct rng *rng, const struct habit *habit,
                                uint32_t *height)
{
    uint32_t width = 2 + rng_below(rng, 2), levels = 3 + rng_below(rng, 2), base = builder->forest.txs_count;
    uint32_t at_level = 1, parents = base;
    for (uint32_t level = 0; level < levels; level++, at_level *= width) {
        uint32_t first = builder->forest.txs_count;
        for (uint32_t i = 0; i < at_level; i++) {
            *height = next_height(rng, habit, *height, i == 0);
            bool last = level + 1 == levels;
            uint32_t tx = forest_add_tx(builder, level == 0, last ? 0 : width, last ? 1 : 0, 0);
            struct forest_tx *added = &builder->forest.txs[tx];
            added->height = *height;
            added->value_out_sat = last ? next_value(rng, habit) : 0;
            for (uint32_t o = added->first_output; !last && o < added->first_output + width; o++) {
                uint64_t value_sat = next_value(rng, habit) >> level;
                builder->forest.outputs[o].value_sat = value_sat;
                added->value_out_sat += value_sat;
            }
            if (level > 0)
                forest_add_spend(builder, parents + i / width, i % width);
        }
        parents = first;
    }
    return builder->forest.txs_count - base;
}

static uint32_t add_pattern(enum pattern pattern, struct forest_builder *builder, struct rng *rng,
                            const struct habit *habit, uint32_t *height)
{
    if (pattern == PEELING)
        return add_peeling(builder, rng, 6 + rng_below(rng, 30), habit, height);
    if (pattern == SHORT_PEELING)
        return add_peeling(builder, rng, 3 + rng_below(rng, 4), habit, height);
    return pattern == PAYOUT_TREE ? add_payout_tree(builder, rng, habit, height)
                                  : add_round_robin(builder, rng, habit, height);
}

/* A random T-DAG with as many transactions. */
static void add_random(struct forest_builder *builder, struct rng *rng, uint32_t txs, uint32_t *height)
{
    const struct habit chance = {0};
    struct plan *plan = plan_random(rng, txs);
    plan_sum(plan);
    add_plan(builder, rng, plan, &chance, height);
    plan_free(plan);
}

#define PAIRS 200u

/* The share of (planted, other) pairs that the measure puts in this order, ties as a half: the area under the curve.
 */
static double area(const struct measures_row *rows, unsigned m)
{
    double won = 0;
    for (size_t p = 0; p < PAIRS; p++)
        for (size_t r = 0; r < PAIRS; r++) {
            double planted = measure(&rows[2 * p], m), chance = measure(&rows[2 * r + 1], m);
            won += planted > chance ? 1 : planted == chance ? 0.5 : 0;
        }
    return won / PAIRS / PAIRS;
}

/* Prints the areas of all measures, and returns that of the score. The other of each pair is a random T-DAG, or
 * (`alike`) one of the same pattern whose times and values are of chance. */
static double planted_against(bool alike, enum pattern pattern, const struct habit *habit, struct rng *rng)
{
    const struct habit chance = {0};
    struct forest_builder builder = {0};
    uint32_t txs = 0;
    for (uint32_t p = 0; p < PAIRS; p++) {
        uint32_t height = rng_below(rng, 1000);
        uint32_t count = add_pattern(pattern, &builder, rng, habit, &height);
        height = rng_below(rng, 1000);
        if (alike)
            add_pattern(pattern, &builder, rng, &chance, &height);
        else
            add_random(&builder, rng, count, &height);
        txs += count;
    }
    struct result result = run(&builder, false, 2);
    assert_int_equal(result.classes.rows_count, 2 * PAIRS);
    printf("%-17s (%4.1f transactions, %2u of 100 off) against %s:", pattern_names[pattern], (double)txs / PAIRS,
           habit->slips, alike ? "its like by chance" : "random");
    for (unsigned m = 0; m < MEASURES; m++)
        printf(" %s %.4f", measure_names[m], area(result.measures, m));
    printf("\n");
    double automation = area(result.measures, MEASURES - 1);
    result_free(&result);
    forest_builder_free(&builder);
    return automation;
}

/* Without skill the area is 0.5, with a standard error of 0.03 for 200 against 200. The hardest here, chains of 3 to 6
 * transactions of which 30 in 100 are off, measured 0.993 to 0.998 against random ones and 0.83 to 0.92 against their
 * like in eight runs, with standard errors of 0.004 and 0.02: the bounds are some six of those below. */
#define AREA_RANDOM 0.97
#define AREA_ALIKE 0.70

static void planted_patterns_come_first(void **state)
{
    (void)state;
    static const struct habit habits[] = {{6, 0, 100000}, {6, 10, 100000}, {6, 30, 100000}};
    const uint64_t seed = (uint64_t)time(NULL);
    struct rng rng = {seed};
    printf("seed %llu, %u pairs\n", (unsigned long long)seed, PAIRS);
    for (unsigned p = 0; p < PATTERNS; p++)
        for (unsigned h = 0; h < sizeof habits / sizeof *habits; h++) {
            assert_true(planted_against(false, (enum pattern)p, &habits[h], &rng) > AREA_RANDOM);
            assert_true(planted_against(true, (enum pattern)p, &habits[h], &rng) > AREA_ALIKE);
        }
}

/* ---- the rest ---- */

static void any_number_of_threads(void **state)
{
    (void)state;
    const struct habit habit = {6, 10, 100000};
    struct forest_builder builder = {0};
    struct rng rng = {7};
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t height = rng_below(&rng, 1000);
        add_pattern((enum pattern)(i % PATTERNS), &builder, &rng, &habit, &height);
    }
    struct result one = run(&builder, false, 1), four = run(&builder, false, 4);
    assert_int_equal(one.classes.rows_count, 3000);
    assert_memory_equal(one.measures, four.measures, 3000 * sizeof *one.measures);
    for (uint32_t d = 0; d < 3000; d++)
        for (unsigned m = 0; m < MEASURES; m++)
            assert_true(measure(&one.measures[d], m) >= 0 && measure(&one.measures[d], m) <= 1);
    result_free(&one);
    result_free(&four);
    forest_builder_free(&builder);
}

/* Compression takes the second transaction's only output away: three of four have a role left. */
static void compressed(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    for (uint32_t i = 0; i < 4; i++)
        link_tx(&builder, i ? i - 1 : 0, 6 * i, 1000, 0);
    builder.forest.outputs[1].anyone_can_spend = 1;
    struct result result = run(&builder, true, 1);
    assert_int_equal(result.classes.rows[0].nodes, 4);
    assert_int_equal(result.classes.rows[0].role_txs, 3);
    assert_int_equal(result.classes.rows[0].roles, 3);
    CLOSE(result.measures[0].equal_values, 1); /* all four */
    CLOSE(result.measures[0].cadence, 2.0 / 3);
    result_free(&result);
    forest_builder_free(&builder);
}

/* Only T-DAGs of so many transactions are listed, and only they are found. */
static void lists_large_ones(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, MEASURES_LARGE, MEASURES_LARGE - 1, 5 * MEASURES_LARGE, 2};
    static const bool is_large[] = {false, true, false, true, false};
    uint32_t first[sizeof sizes / sizeof *sizes + 1] = {0};
    struct tdags tdags = {.count = sizeof sizes / sizeof *sizes, .first = first};
    struct measures_large large = {0};
    for (uint32_t d = 0; d < tdags.count; d++)
        first[d + 1] = first[d] + sizes[d];
    assert_null(measures_large_of(&large, 1));
    assert_int_equal(measures_large_list(&tdags, &large), STATUS_OK);
    assert_int_equal(large.count, 2);
    for (uint32_t d = 1; d <= tdags.count; d++) {
        const struct measures_row *row = measures_large_of(&large, d);
        assert_int_equal(row != NULL, is_large[d - 1]);
        assert_true(!row || large.dags[row - large.rows] == d);
    }
    measures_large_free(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_transactions),      cmocka_unit_test(peeling_by_hand),
        cmocka_unit_test(fan_out_by_hand),       cmocka_unit_test(values_by_hand),
        cmocka_unit_test(cadence_by_time),       cmocka_unit_test(planted_patterns_come_first),
        cmocka_unit_test(any_number_of_threads), cmocka_unit_test(compressed),
        cmocka_unit_test(lists_large_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
