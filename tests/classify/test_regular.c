/* Classes of T-DAGs in which all transactions of a layer look alike however far one looks, so that colour refinement
 * tells none of them apart: what decides is the rest of the canonical form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/classify/classified.h"

#define MOST 16u

/* How many outputs of transaction i of one layer the transaction j of the next one spends. */
struct step {
    uint32_t count;
    uint32_t of[MOST][MOST];
};

static void shuffle(uint32_t *name, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = random_below(i + 1);
        name[i] = name[j];
        name[j] = i;
    }
}

/* Layers of transactions in a random order, the first are roots; the last have one output each. */
static void add_layers(struct forest_builder *builder, const struct step *steps, uint32_t count)
{
    uint32_t tx[2][MOST], next[2][MOST], name[MOST];
    for (uint32_t layer = 0; layer <= count; layer++) {
        uint32_t size = steps[0].count;
        shuffle(name, size);
        for (uint32_t k = 0; k < size; k++) {
            uint32_t v = name[k], outputs = 0;
            for (uint32_t w = 0; layer < count && w < size; w++)
                outputs += steps[layer].of[v][w];
            tx[layer % 2][v] = forest_add_tx(builder, layer == 0, outputs, layer == count, 0);
            next[layer % 2][v] = 0;
            for (uint32_t u = 0; layer > 0 && u < size; u++)
                for (uint32_t i = 0; i < steps[layer - 1].of[u][v]; i++)
                    forest_add_spend(builder, tx[(layer - 1) % 2][u], next[(layer - 1) % 2][u]++);
        }
    }
}

/* v -> v + d (mod count) for each d. */
static struct step circulant(uint32_t count, const uint32_t *differences, uint32_t number)
{
    struct step step = {.count = count};
    for (uint32_t v = 0; v < count; v++)
        for (uint32_t i = 0; i < number; i++)
            step.of[v][(v + differences[i]) % count]++;
    return step;
}

/* Adds some copies of each, and says how many classes there are; two of one number are in one class. */
static void check(struct forest_builder *builder, const uint32_t *kinds, uint32_t count, uint32_t classes)
{
    struct result result = run(builder, false, 2);
    assert_int_equal(result.classes.rows_count, count);
    assert_int_equal(result.classes.classes_count, classes);
    for (uint32_t a = 0; a < count; a++) {
        assert_true(result.classes.rows[a].class_exact);
        for (uint32_t b = 0; b < a; b++)
            assert_int_equal(memcmp(result.classes.rows[a].class_id, result.classes.rows[b].class_id, CANON_ID_SIZE) ==
                                 0,
                             kinds[a] == kinds[b]);
    }
    result_free(&result);
    forest_builder_free(builder);
}

/* Regular bipartite graphs of 7 + 7 vertices: the Fano plane's has no cycle of four, the other one has. */
static void bipartite_pairs(void **state)
{
    (void)state;
    static const uint32_t fano[] = {0, 1, 3}, row[] = {0, 1, 2}, kinds[] = {0, 1, 0, 1, 0, 1, 0, 1};
    struct forest_builder builder = {0};
    struct step steps[] = {circulant(7, fano, 3), circulant(7, row, 3)};
    random_state = 11;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_layers(&builder, &steps[kinds[i]], 1);
    check(&builder, kinds, sizeof kinds / sizeof *kinds, 2);
}

/* Lines of the Fano plane twice, the second time the same way or back: back, each transaction has three ways to one of
 * the last layer and one to each other; the same way, it has none to one of them. Either step alone is the same. */
static void three_layers(void **state)
{
    (void)state;
    static const uint32_t there[] = {0, 1, 3}, back[] = {0, 6, 4}, kinds[] = {0, 1, 1, 0, 0, 1};
    struct forest_builder builder = {0};
    struct step steps[2][2] = {{circulant(7, there, 3), circulant(7, there, 3)},
                               {circulant(7, there, 3), circulant(7, back, 3)}};
    random_state = 12;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_layers(&builder, steps[kinds[i]], 2);
    check(&builder, kinds, sizeof kinds / sizeof *kinds, 2);
}

/* The two strongly regular graphs of 16 vertices where each has 6 neighbours, and each two have 2 in common: rows and
 * columns of a 4 x 4 board; and differences on a 4 x 4 torus (Shrikhande 1959). */
static struct step rook(void)
{
    struct step step = {.count = 16};
    for (uint32_t v = 0; v < 16; v++)
        for (uint32_t w = 0; w < 16; w++)
            step.of[v][w] = v != w && (v / 4 == w / 4 || v % 4 == w % 4);
    return step;
}

static struct step shrikhande(void)
{
    struct step step = {.count = 16};
    for (uint32_t v = 0; v < 16; v++)
        for (uint32_t w = 0; w < 16; w++) {
            uint32_t dx = (w / 4 + 4 - v / 4) % 4, dy = (w + 4 - v % 4) % 4;
            step.of[v][w] = (dx == 0 && dy % 2 == 1) || (dy == 0 && dx % 2 == 1) || (dx == dy && dx % 2 == 1);
        }
    return step;
}

/* Two outputs of v go to v itself in the next layer: it tells which two transactions are one vertex. */
static struct step marked(struct step step)
{
    for (uint32_t v = 0; v < step.count; v++)
        step.of[v][v] += 2;
    return step;
}

/* With vertices marked the doubles are isomorphic exactly if the graphs are, which they are not: only the rook's has
 * four vertices that are all neighbours. Without, both are the points and blocks of the one 2-(16, 6, 2) design of rank
 * 6 (Assmus and Key, Designs and their Codes), so they are one class. */
static void doubles(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {0, 1, 2, 3, 3, 2, 1, 0, 0, 1}, classes[] = {0, 1, 2, 2, 2, 2, 1, 0, 0, 1};
    struct forest_builder builder = {0};
    struct step steps[] = {marked(rook()), marked(shrikhande()), rook(), shrikhande()};
    random_state = 13;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_layers(&builder, &steps[kinds[i]], 1);
    check(&builder, classes, sizeof classes / sizeof *classes, 3);
}

/* A layer between: from each vertex to its neighbours, and on to theirs. */
static void doubles_in_three_layers(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {0, 1, 1, 0, 0, 1};
    struct forest_builder builder = {0};
    struct step steps[2][2] = {{marked(rook()), rook()}, {marked(shrikhande()), shrikhande()}};
    random_state = 14;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        add_layers(&builder, steps[kinds[i]], 2);
    check(&builder, kinds, sizeof kinds / sizeof *kinds, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bipartite_pairs),
        cmocka_unit_test(three_layers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(doubles_in_three_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
