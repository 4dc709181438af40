/* classified: T-DAGs for the tests of classify, and what it says of them. cmocka's headers come first. */
#ifndef UNKTX_TESTS_CLASSIFY_CLASSIFIED_H
#define UNKTX_TESTS_CLASSIFY_CLASSIFIED_H

#include "classify/classes.h"
#include "tests/support/forests.h"

struct result {
    struct tdags tdags;
    struct classes classes;
};

static inline struct result run(struct forest_builder *builder, bool compress, unsigned threads)
{
    struct result result;
    struct fault fault = {0};
    if (!builder->forest.block_times)
        forest_finish(builder);
    assert_int_equal(tdags_find(&builder->forest, RULES_CORE_0_18, &result.tdags, &fault), STATUS_OK);
    assert_int_equal(classify(&builder->forest, &result.tdags, compress, NULL, threads, &result.classes, &fault),
                     STATUS_OK);
    return result;
}

static inline void result_free(struct result *result)
{
    classes_free(&result->classes);
    tdags_free(&result->tdags);
}

static uint64_t random_state;

static inline uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % limit);
}

/* `n` transactions; arcs[i][j] outputs of i go to j; leaves[i] leaves of a kind that varies; a transaction spends a
 * known output if `known` says so or if it spends nothing else. */
static inline void add_dag(struct forest_builder *builder, uint32_t n, uint32_t arcs[6][6], const uint32_t *leaves,
                           uint32_t known)
{
    uint32_t tx[6], next[6] = {0};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t in = 0, out = 0, kind = random_below(3);
        for (uint32_t i = 0; i < n; i++) {
            in += i < j ? arcs[i][j] : 0;
            out += i > j ? arcs[j][i] : 0;
        }
        uint32_t more = out == 0 && leaves[j] == 0 ? 1 : leaves[j];
        tx[j] = forest_add_tx(builder, (known >> j & 1) || in == 0, out + (kind == 0 ? more : 0), kind == 1 ? more : 0,
                              kind == 2 ? more : 0);
        for (uint32_t i = 0; i < j; i++)
            for (uint32_t k = 0; k < arcs[i][j]; k++)
                forest_add_spend(builder, tx[i], next[i]++);
    }
}

static inline void add_random_dags(struct forest_builder *builder, uint32_t count)
{
    while (count-- > 0) {
        uint32_t n = 2 + random_below(5), arcs[6][6] = {0}, leaves[6], density = 1 + random_below(3);
        for (uint32_t i = 0; i < n; i++) {
            leaves[i] = random_below(3);
            for (uint32_t j = i + 1; j < n; j++)
                arcs[i][j] = random_below(4) < density ? random_below(3) : 0;
        }
        add_dag(builder, n, arcs, leaves, random_below(1u << n));
    }
}

#endif
