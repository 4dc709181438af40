/* shape: positions are canonical (renaming by them decides isomorphism), group orders, the limit, use by threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "tests/support/multipede.h"

#define SEED UINT64_C(0x2545f4914f6cdd1d)
enum { VERTICES_MAX = 8, ARCS_MAX = VERTICES_MAX * VERTICES_MAX };

struct small {
    struct shape_graph graph;
    uint32_t colour[VERTICES_MAX];
    uint32_t from[ARCS_MAX];
    uint32_t to[ARCS_MAX];
};

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static void set(struct small *s, uint32_t n, const bool matrix[VERTICES_MAX][VERTICES_MAX])
{
    uint32_t arcs = 0;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++)
            if (matrix[a][b]) {
                s->from[arcs] = a;
                s->to[arcs++] = b;
            }
    s->graph = (struct shape_graph){n, arcs, s->colour, s->from, s->to};
}

static void random_graph(uint64_t *state, struct small *s)
{
    bool matrix[VERTICES_MAX][VERTICES_MAX] = {{false}};
    uint32_t n = 1 + random_below(state, VERTICES_MAX), share = 1 + random_below(state, 4);
    for (uint32_t a = 0; a < n; a++) {
        s->colour[a] = random_below(state, 8) == 0;
        for (uint32_t b = 0; b < n; b++)
            matrix[a][b] = a != b && random_below(state, 5) < share;
    }
    set(s, n, matrix);
}

/* `out` is `in` with vertex v called name[v]. */
static void rename_by(const struct small *in, const uint32_t *name, struct small *out)
{
    bool matrix[VERTICES_MAX][VERTICES_MAX] = {{false}};
    for (uint32_t v = 0; v < in->graph.vertices; v++)
        out->colour[name[v]] = in->colour[v];
    for (uint32_t i = 0; i < in->graph.arcs; i++)
        matrix[name[in->from[i]]][name[in->to[i]]] = true;
    set(out, in->graph.vertices, matrix);
}

static bool same(const struct small *a, const struct small *b)
{
    uint32_t n = a->graph.vertices, m = a->graph.arcs;
    return n == b->graph.vertices && m == b->graph.arcs && memcmp(a->colour, b->colour, n * sizeof *a->colour) == 0 &&
           memcmp(a->from, b->from, m * sizeof *a->from) == 0 && memcmp(a->to, b->to, m * sizeof *a->to) == 0;
}

static void canonical(const struct small *s, struct small *form, double *automorphisms_log10)
{
    uint32_t position[VERTICES_MAX], seen = 0;
    assert_int_equal(shape_canonical(&s->graph, position, automorphisms_log10, NULL), STATUS_OK);
    for (uint32_t v = 0; v < s->graph.vertices; v++) {
        assert_true(position[v] < s->graph.vertices);
        seen |= 1u << position[v];
    }
    assert_int_equal(seen, (1u << s->graph.vertices) - 1);
    rename_by(s, position, form);
}

static void shuffle(uint64_t *state, uint32_t n, uint32_t *name)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = random_below(state, i + 1);
        name[i] = name[j];
        name[j] = i;
    }
}

/* How many renamings, by trying all of them, give the same graph. */
static uint32_t count_automorphisms(const struct small *s, uint32_t *name, uint32_t used, uint32_t v)
{
    uint32_t found = 0, n = s->graph.vertices;
    if (v == n) {
        struct small renamed;
        rename_by(s, name, &renamed);
        return same(s, &renamed);
    }
    for (uint32_t image = 0; image < n; image++)
        if (!(used >> image & 1)) {
            name[v] = image;
            found += count_automorphisms(s, name, used | 1u << image, v + 1);
        }
    return found;
}

/* Forms of renamed graphs are the same, and forms of two graphs are the same just when igraph calls them isomorphic. */
static void check_random(uint64_t seed, int rounds)
{
    uint64_t state = seed;
    for (int round = 0; round < rounds; round++) {
        struct small a, b, form_a, form_b;
        uint32_t name[VERTICES_MAX];
        double log_a, log_b;
        bool isomorphic;
        random_graph(&state, &a);
        shuffle(&state, a.graph.vertices, name);
        if (round % 2)
            rename_by(&a, name, &b);
        else
            random_graph(&state, &b);
        canonical(&a, &form_a, &log_a);
        canonical(&b, &form_b, &log_b);
        assert_int_equal(shape_isomorphic(&a.graph, &b.graph, &isomorphic, NULL), STATUS_OK);
        assert_int_equal(same(&form_a, &form_b), isomorphic);
        assert_true(isomorphic || round % 2 == 0);
        if (a.graph.vertices <= 5)
            assert_true(fabs(log_a - log10(count_automorphisms(&a, name, 0, 0))) < 1e-9);
    }
}

static void test_random(void **state)
{
    (void)state;
    print_message("seed %llx\n", (unsigned long long)SEED);
    check_random(SEED, 5000);
}

static void *thread(void *seed)
{
    check_random(*(const uint64_t *)seed, 500);
    return NULL;
}

/* igraph alone aborts here. */
static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint64_t seeds[4] = {SEED + 1, SEED + 2, SEED + 3, SEED + 4};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread, &seeds[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* `pairs` disjoint paths of two arcs into one sink: pairs! automorphisms. */
static enum status pairs_into_one(uint32_t pairs, double *automorphisms_log10)
{
    uint32_t n = 2 * pairs + 1;
    uint32_t *colour = calloc(n, sizeof *colour), *from = calloc(n, sizeof *from), *to = calloc(n, sizeof *to),
             *position = calloc(n, sizeof *position);
    for (uint32_t i = 0; i < pairs; i++) {
        from[2 * i] = i;
        to[2 * i] = from[2 * i + 1] = pairs + i;
        to[2 * i + 1] = 2 * pairs;
    }
    struct shape_graph graph = {n, 2 * pairs, colour, from, to};
    struct fault fault = {0};
    enum status status = shape_canonical(&graph, position, automorphisms_log10, &fault);
    assert_int_equal(fault.status, status);
    free(colour);
    free(from);
    free(to);
    free(position);
    return status;
}

/* A group's order of 158 digits; then a graph that takes BLISS minutes: it gives up, and works again afterwards. */
static void test_limit(void **state)
{
    (void)state;
    double automorphisms_log10, wanted = 0;
    for (int i = 2; i <= 100; i++)
        wanted += log10(i);
    assert_int_equal(pairs_into_one(100, &automorphisms_log10), STATUS_OK);
    assert_true(fabs(automorphisms_log10 - wanted) < 1e-9);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pairs_into_one(8000, &automorphisms_log10), STATUS_LIMIT);
    assert_int_equal(pairs_into_one(100, &automorphisms_log10), STATUS_OK);
    assert_true(fabs(automorphisms_log10 - wanted) < 1e-9);
}

/* On multipedes that need far more, BLISS asks as many questions as the budget allows: times the size of the graph,
 * that is 1,024 times the size and a constant. The smaller ones are decided; where the triples alone have no
 * automorphism, the graph has a power of two of them. */
static void test_questions(void **state)
{
    (void)state;
    for (uint32_t pairs = 5; pairs <= 1280; pairs *= 2) {
        uint32_t n = MULTIPEDE_VERTICES(pairs), arcs = MULTIPEDE_ARCS(pairs);
        uint32_t *words = calloc(2 * (size_t)(n + arcs), sizeof *words), *colour = words, *position = words + n,
                 *from = words + 2 * (size_t)n, *to = from + arcs;
        double automorphisms_log10;
        assert_non_null(words);
        multipede_arcs(pairs, SEED, from, to);
        for (uint32_t v = 2 * pairs; v < n; v++)
            colour[v] = 1;
        struct shape_graph graph = {n, arcs, colour, from, to};
        uint64_t size = n + arcs, before = shape_questions(), budget = shape_budget(size);
        enum status status = shape_canonical(&graph, position, &automorphisms_log10, NULL);
        uint64_t asked = shape_questions() - before;
        assert_int_equal(status, pairs <= 40 ? STATUS_OK : STATUS_LIMIT);
        assert_true(budget * size <= 1024 * size + (1u << 22));
        assert_true(asked <= budget + 2);
        if (pairs == 20 || pairs == 40) {
            double bits = automorphisms_log10 / log10(2);
            assert_true(fabs(bits - round(bits)) < 1e-9);
        } else if (status == STATUS_LIMIT) {
            assert_true(asked > budget);
        }
        free(words);
    }
}

static void test_components(void **state)
{
    (void)state;
    static const uint32_t from[] = {6, 5, 3, 3}, to[] = {1, 2, 4, 0}, colour[8] = {0};
    static const uint32_t wanted[] = {0, 1, 2, 0, 0, 2, 1, 3};
    struct shape_graph graph = {8, 4, colour, from, to};
    uint32_t component[8], count;
    assert_int_equal(shape_components(&graph, component, &count, NULL), STATUS_OK);
    assert_int_equal(count, 4);
    assert_memory_equal(component, wanted, sizeof wanted);
}

static void test_empty(void **state)
{
    (void)state;
    struct shape_graph graph = {0, 0, NULL, NULL, NULL};
    double automorphisms_log10 = 1;
    bool isomorphic = false;
    assert_int_equal(shape_canonical(&graph, NULL, &automorphisms_log10, NULL), STATUS_OK);
    assert_true(fabs(automorphisms_log10) < 1e-12);
    assert_int_equal(shape_isomorphic(&graph, &graph, &isomorphic, NULL), STATUS_OK);
    assert_true(isomorphic);
}

/* An arc to a vertex that is not there: igraph's error, not its abort. */
static void test_bad_arc(void **state)
{
    (void)state;
    static const uint32_t from[] = {0}, to[] = {5}, colour[2] = {0};
    struct shape_graph graph = {2, 1, colour, from, to};
    struct fault fault = {0};
    uint32_t position[2];
    double automorphisms_log10;
    assert_int_not_equal(shape_canonical(&graph, position, &automorphisms_log10, &fault), STATUS_OK);
    assert_true(fault.text[0] != '\0');
}

/* As many components as would exhaust BLISS's questions, which igraph asks here too: once for each. */
static void test_many_components(void **state)
{
    (void)state;
    const uint32_t pairs = 200000;
    uint32_t *words = mem_alloc(6 * (size_t)pairs, sizeof *words), *from = words + 2 * pairs, *to = from + pairs, count;
    uint32_t *component = to + pairs;
    assert_non_null(words);
    for (uint32_t i = 0; i < pairs; i++) {
        from[i] = 2 * i;
        to[i] = 2 * i + 1;
    }
    struct shape_graph graph = {2 * pairs, pairs, words, from, to};
    assert_int_equal(shape_components(&graph, component, &count, NULL), STATUS_OK);
    assert_int_equal(count, pairs);
    for (uint32_t v = 0; v < 2 * pairs; v++)
        assert_int_equal(component[v], v / 2);
    mem_free(words);
}

static void test_layout(void **state)
{
    /* a root, three outputs, the middle one spent into two; and an arc that skips a layer */
    static const uint32_t from[] = {0, 0, 0, 2, 2, 0}, to[] = {1, 2, 3, 4, 5, 5}, layer[] = {0, 1, 1, 1, 2, 2};
    static const uint32_t colour[6];
    const struct shape_graph graph = {.vertices = 6, .arcs = 6, .colour = colour, .from = from, .to = to};
    struct fault fault = {0};
    double x[6], least = 1;
    (void)state;
    assert_int_equal(shape_layout(&graph, layer, x, &fault), STATUS_OK);
    for (unsigned v = 0; v < 6; v++) {
        assert_true(x[v] >= 0);
        least = x[v] < least ? x[v] : least;
        for (unsigned w = 0; w < v; w++)
            assert_true(layer[v] != layer[w] || fabs(x[v] - x[w]) >= 1 - 1e-9);
    }
    assert_true(least == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),    cmocka_unit_test(test_threads),         cmocka_unit_test(test_limit),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_empty),           cmocka_unit_test(test_components),
        cmocka_unit_test(test_bad_arc),   cmocka_unit_test(test_many_components), cmocka_unit_test(test_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
