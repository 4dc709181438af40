/* canon against BLISS on small graphs (each arc's label expanded to a coloured vertex), against permutations tried one
 * by one, against known counts, and on giants whose automorphisms have a closed form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify/canon.h"
#include "graph/dag/shape.h"
#include "parser/mem.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)

/* A graph as a list of arcs. */
struct list {
    uint32_t vertices, arcs, capacity;
    uint64_t *colour;
    uint32_t *from, *to, *label;
};

static uint64_t random_state = SEED;
static struct canon *canon;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static struct list *list_new(uint32_t vertices)
{
    struct list *list = calloc(1, sizeof *list);
    assert_non_null(list);
    list->vertices = vertices;
    list->colour = calloc(vertices + 1u, sizeof *list->colour);
    return list;
}

static void list_free(struct list *list)
{
    free(list->colour);
    free(list->from);
    free(list->to);
    free(list->label);
    free(list);
}

static void add(struct list *list, uint32_t from, uint32_t to, uint32_t label)
{
    if (list->arcs == list->capacity) {
        list->capacity = 2 * list->capacity + 16;
        list->from = realloc(list->from, list->capacity * sizeof *list->from);
        list->to = realloc(list->to, list->capacity * sizeof *list->to);
        list->label = realloc(list->label, list->capacity * sizeof *list->label);
    }
    list->from[list->arcs] = from;
    list->to[list->arcs] = to;
    list->label[list->arcs++] = label;
}

/* The same graph with other numbers and its arcs in another order. */
static struct list *renumbered(const struct list *list)
{
    struct list *other = list_new(list->vertices);
    uint32_t *name = malloc((list->vertices + 1u) * sizeof *name), *turn = malloc((list->arcs + 1u) * sizeof *turn);
    for (uint32_t i = 0; i < list->vertices; i++) {
        uint32_t j = random_below(i + 1);
        name[i] = name[j];
        name[j] = i;
    }
    for (uint32_t i = 0; i < list->arcs; i++) {
        uint32_t j = random_below(i + 1);
        turn[i] = turn[j];
        turn[j] = i;
    }
    for (uint32_t v = 0; v < list->vertices; v++)
        other->colour[name[v]] = list->colour[v];
    for (uint32_t i = 0; i < list->arcs; i++)
        add(other, name[list->from[turn[i]]], name[list->to[turn[i]]], list->label[turn[i]]);
    free(name);
    free(turn);
    return other;
}

static struct canon_form form_of(const struct list *list)
{
    uint32_t *first = calloc(list->vertices + 2u, sizeof *first), *to = malloc((list->arcs + 1u) * sizeof *to),
             *label = malloc((list->arcs + 1u) * sizeof *label);
    struct canon_form form;
    struct fault fault = {0};
    for (uint32_t i = 0; i < list->arcs; i++)
        first[list->from[i] + 2]++;
    for (uint32_t v = 0; v < list->vertices; v++)
        first[v + 2] += first[v + 1];
    for (uint32_t i = 0; i < list->arcs; i++) {
        uint32_t at = first[list->from[i] + 1]++;
        to[at] = list->to[i];
        label[at] = list->label[i];
    }
    struct canon_graph graph = {list->vertices, list->colour, first, to, label};
    assert_int_equal(canon_run(canon, &graph, &form, &fault), STATUS_OK);
    free(first);
    free(to);
    free(label);
    return form;
}

static bool same_id(const struct canon_form *a, const struct canon_form *b)
{
    return memcmp(a->id, b->id, CANON_ID_SIZE) == 0;
}

/* The form, which must be exact and the same for another numbering, and have this many automorphisms. */
static struct canon_form check_form(const struct list *list, double automorphisms_log10)
{
    struct list *other = renumbered(list);
    struct canon_form a = form_of(list), b = form_of(other);
    assert_true(a.exact && b.exact);
    assert_true(same_id(&a, &b));
    assert_true(fabs(a.automorphisms_log10 - automorphisms_log10) <= 1e-9 * (1 + automorphisms_log10));
    assert_true(a.automorphisms_log10 >= b.automorphisms_log10 && a.automorphisms_log10 <= b.automorphisms_log10);
    list_free(other);
    return a;
}

static double log10_factorial(uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 2; i <= n; i++)
        sum += log10(i);
    return sum;
}

/* ---- small graphs, by BLISS and by hand ---- */

struct expanded {
    struct shape_graph graph;
    uint32_t colour[256], from[512], to[512];
};

static void expand(const struct list *list, struct expanded *out)
{
    uint32_t n = list->vertices;
    for (uint32_t v = 0; v < n; v++)
        out->colour[v] = (uint32_t)list->colour[v];
    for (uint32_t i = 0; i < list->arcs; i++) {
        out->colour[n + i] = 100 + list->label[i];
        out->from[2 * i] = list->from[i];
        out->to[2 * i] = out->from[2 * i + 1] = n + i;
        out->to[2 * i + 1] = list->to[i];
    }
    out->graph = (struct shape_graph){n + list->arcs, 2 * list->arcs, out->colour, out->from, out->to};
}

/* How many of the permutations of the vertices from `v` on, with name[0..v-1] chosen, are automorphisms. */
static uint32_t count_automorphisms(const struct list *list, const uint32_t matrix[6][6], uint32_t *name, uint32_t v)
{
    uint32_t found = 0, n = list->vertices;
    if (v == n)
        return 1;
    for (uint32_t image = 0; image < n; image++) {
        bool fits = list->colour[image] == list->colour[v];
        for (uint32_t u = 0; u < v && fits; u++)
            fits = name[u] != image && matrix[u][v] == matrix[name[u]][image] && matrix[v][u] == matrix[image][name[u]];
        name[v] = image;
        if (fits)
            found += count_automorphisms(list, matrix, name, v + 1);
    }
    return found;
}

static bool has_arc(const struct list *list, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < list->arcs; i++)
        if (list->from[i] == from && list->to[i] == to)
            return true;
    return false;
}

static void add_new(struct list *list, uint32_t from, uint32_t to, uint32_t label)
{
    if (from != to && !has_arc(list, from, to))
        add(list, from, to, label);
}

/* Zigzag cycles (sources and sinks in turn) with 2 * half vertices in all: colour refinement sees no difference. With
 * leaves on each source, or each source doubled, perhaps. */
static struct list *random_cycles(uint32_t half, uint32_t labels)
{
    bool hub = random_below(2), twins = random_below(4) == 0;
    uint32_t leaves = random_below(4) == 0 ? 1 + random_below(2) : 0, copies = twins + leaves;
    struct list *list = list_new(2 * half + hub + half * copies);
    for (uint32_t start = 0; start < half;) {
        uint32_t length = half - start < 4 ? half - start : 2 + random_below(half - start - 3);
        for (uint32_t i = 0; i < length; i++) {
            add_new(list, start + i, half + start + i, 1);
            add_new(list, start + i, half + start + (i + 1) % length, 1 + random_below(labels));
        }
        start += length;
    }
    for (uint32_t i = 0, arcs = list->arcs; i < arcs && twins; i++)
        add(list, 2 * half + hub + list->from[i], list->to[i], list->label[i]);
    for (uint32_t i = 0; i < half * leaves; i++)
        add(list, 2 * half + hub + half * twins + i, i % half, 2);
    if (hub)
        for (uint32_t i = 0; i < half; i++)
            add(list, 2 * half, i, 7);
    return list;
}

/* Twins and gadgets: copies of a small random DAG, all joined alike to a common part. */
static struct list *random_copies(void)
{
    uint32_t size = 1 + random_below(3), copies = 2 + random_below(2), common = 1 + random_below(3);
    struct list *list = list_new(common + size * copies);
    for (uint32_t a = 0; a < size; a++)
        for (uint32_t b = a; b < size + common; b++) {
            uint32_t label = 1 + random_below(2);
            bool in = random_below(2), out = random_below(2);
            for (uint32_t k = 0; k < copies; k++)
                if (b < size && in)
                    add_new(list, common + k * size + a, common + k * size + b, label);
                else if (b >= size && in && out)
                    add_new(list, b - size, common + k * size + a, label);
                else if (b >= size && in)
                    add_new(list, common + k * size + a, b - size, label);
        }
    return list;
}

static struct list *random_small(void)
{
    switch (random_below(6)) {
    case 0: return random_cycles(4 + random_below(3), 1 + random_below(2) * random_below(2));
    case 1: return random_copies();
    default: break;
    }
    struct list *list = list_new(2 + random_below(8));
    uint32_t n = list->vertices, colours = 1 + random_below(2) * random_below(3), labels = 1 + random_below(2);
    uint32_t style = random_below(4), density = 1 + random_below(6);
    for (uint32_t v = 0; v < n; v++)
        list->colour[v] = random_below(colours);
    if (style == 0) /* tree */
        for (uint32_t v = 1; v < n; v++) {
            uint32_t u = random_below(v);
            bool down = random_below(3);
            add(list, down ? u : v, down ? v : u, 1 + random_below(labels));
        }
    else if (style == 1) /* two layers */
        for (uint32_t i = 0; i < 2 * n; i++)
            add_new(list, random_below(n / 2), n / 2 + random_below(n - n / 2), 1 + random_below(labels));
    else /* style 2: a DAG; style 3: any digraph, cycles too */
        for (uint32_t i = 0; i < n * density / 2; i++) {
            uint32_t a = random_below(n), b = random_below(n);
            add_new(list, style == 2 && a > b ? b : a, style == 2 && a > b ? a : b, 1 + random_below(labels));
        }
    return list;
}

/* A near copy: one arc turned to another end, another label, or one colour changed. */
static void mutate(struct list *list)
{
    uint32_t i = list->arcs > 0 ? random_below(list->arcs) : 0, v = random_below(list->vertices);
    if (list->arcs == 0 || random_below(4) == 0)
        list->colour[v] ^= 1;
    else if (random_below(4) == 0)
        list->label[i] ^= 3;
    else if (v != list->from[i] && !has_arc(list, list->from[i], v))
        list->to[i] = v;
}

static void test_random_against_bliss(void **state)
{
    (void)state;
    uint32_t isomorphic_seen = 0;
    random_state = SEED;
    print_message("seed %llx\n", (unsigned long long)SEED);
    for (int round = 0; round < 20000; round++) {
        struct list *a = random_small(), *b = renumbered(a);
        struct expanded ea, eb;
        uint32_t position[256];
        double automorphisms_log10;
        bool isomorphic;
        if (round % 4 != 0)
            mutate(b);
        expand(a, &ea);
        expand(b, &eb);
        struct canon_form fa = form_of(a), fb = form_of(b);
        assert_true(fa.exact && fb.exact);
        assert_int_equal(shape_isomorphic(&ea.graph, &eb.graph, &isomorphic, NULL), STATUS_OK);
        assert_int_equal(same_id(&fa, &fb), isomorphic);
        isomorphic_seen += isomorphic;
        assert_int_equal(shape_canonical(&ea.graph, position, &automorphisms_log10, NULL), STATUS_OK);
        assert_true(fabs(fa.automorphisms_log10 - automorphisms_log10) < 1e-9);
        if (a->vertices <= 6) {
            uint32_t matrix[6][6] = {{0}}, name[6];
            for (uint32_t i = 0; i < a->arcs; i++)
                matrix[a->from[i]][a->to[i]] = a->label[i];
            uint32_t count = count_automorphisms(a, (const uint32_t(*)[6])matrix, name, 0);
            assert_true(fabs(fa.automorphisms_log10 - log10(count)) < 1e-9);
        }
        list_free(a);
        list_free(b);
    }
    assert_true(isomorphic_seen > 5000 && isomorphic_seen < 15000);
}

static int compare_ids(const void *a, const void *b) { return memcmp(a, b, CANON_ID_SIZE); }

/* Every DAG has a numbering in which arcs go upwards, so the upper triangles give them all. */
static void test_all_small_dags(void **state)
{
    (void)state;
    static const uint32_t dags[] = {1, 1, 2, 6, 31, 302}; /* OEIS A003087 */
    static uint8_t ids[1024][CANON_ID_SIZE];
    for (uint32_t n = 0; n <= 5; n++) {
        uint32_t pairs = n < 2 ? 0 : n * (n - 1) / 2, different = 0;
        for (uint32_t mask = 0; mask < 1u << pairs; mask++) {
            struct list *list = list_new(n);
            for (uint32_t i = 0, a = 0; a < n; a++)
                for (uint32_t b = a + 1; b < n; b++, i++)
                    if (mask >> i & 1)
                        add(list, a, b, 1);
            struct canon_form form = form_of(list);
            memcpy(ids[mask], form.id, CANON_ID_SIZE);
            list_free(list);
        }
        qsort(ids, 1u << pairs, CANON_ID_SIZE, compare_ids);
        for (uint32_t i = 0; i < 1u << pairs; i++)
            different += i == 0 || compare_ids(ids[i], ids[i - 1]) != 0;
        assert_int_equal(different, dags[n]);
    }
}

/* What refinement cannot tell apart: zigzag cycles of 6 + 6 and of 4 + 8 vertices, under a hub or not. */
static void test_beyond_refinement(void **state)
{
    (void)state;
    /* 2h for h sources in a ring, but 2 * 2 for two; two hexagons: 6 * 6 * 2 */
    static const uint32_t split[] = {3, 2, 6};
    static const double automorphisms[] = {72, 4 * 8, 12};
    struct canon_form forms[6];
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t at = split[i % 3];
        struct list *list = list_new(12 + i / 3);
        for (uint32_t v = 0; v < 6; v++) {
            uint32_t start = v < at ? 0 : at, length = v < at ? at : 6 - at;
            add(list, v, 6 + v, 1);
            add(list, v, 6 + start + (v - start + 1) % length, 1);
            if (i >= 3)
                add(list, 12, v, 1);
        }
        forms[i] = check_form(list, log10(automorphisms[i % 3]));
        for (uint32_t j = 0; j < i; j++)
            assert_false(same_id(&forms[i], &forms[j]));
        list_free(list);
    }
}

/* Under a hub, three gadgets: the points and lines of the Fano plane (168 automorphisms), or arcs to the next three of
 * seven in a ring (14). Refinement sees no difference, so which and how many is for the multiset of pieces to say. */
static void test_multiset_counts(void **state)
{
    (void)state;
    static const uint32_t fano[] = {0, 1, 3}, ring[] = {0, 1, 2};
    struct canon_form forms[4];
    for (uint32_t planes = 0; planes <= 3; planes++) {
        struct list *list = list_new(1 + 3 * 14);
        for (uint32_t k = 0; k < 3; k++)
            for (uint32_t i = 0; i < 7; i++) {
                add(list, 0, 1 + 14 * k + i, 1);
                for (uint32_t j = 0; j < 3; j++)
                    add(list, 1 + 14 * k + i, 8 + 14 * k + (i + (k < planes ? fano : ring)[j]) % 7, 1);
            }
        forms[planes] = check_form(list, log10_factorial(planes) + planes * log10(168) + log10_factorial(3 - planes) +
                                             (3 - planes) * log10(14));
        for (uint32_t other = 0; other < planes; other++)
            assert_false(same_id(&forms[planes], &forms[other]));
        list_free(list);
    }
}

/* docs/model.md, section 6: one transaction with four unknown outputs, spent {1,2} and {3,4}, or {1} and {2,3,4}. */
static void test_labels_count(void **state)
{
    (void)state;
    struct list *even = list_new(3), *odd = list_new(3);
    add(even, 0, 1, 2);
    add(even, 0, 2, 2);
    add(odd, 0, 1, 1);
    add(odd, 0, 2, 3);
    struct canon_form a = check_form(even, log10(2)), b = check_form(odd, 0);
    assert_false(same_id(&a, &b));
    odd->label[0] = odd->label[1] = 2;
    b = form_of(odd);
    assert_true(same_id(&a, &b));
    odd->colour[0] = UINT64_C(1) << 40;
    b = form_of(odd);
    assert_false(same_id(&a, &b));
    list_free(even);
    list_free(odd);
}

/* ---- giants ---- */

static void test_fan_in(void **state)
{
    (void)state;
    struct list *list = list_new(20001);
    for (uint32_t v = 0; v < 20000; v++)
        add(list, v, 20000, 1);
    struct canon_form all = check_form(list, log10_factorial(20000));
    list->label[77] = 2;
    struct canon_form one = check_form(list, log10_factorial(19999));
    assert_false(same_id(&all, &one));
    list_free(list);
}

static void test_chain(void **state)
{
    (void)state;
    struct list *list = list_new(200000);
    for (uint32_t v = 0; v + 1 < list->vertices; v++)
        add(list, v, v + 1, 1);
    check_form(list, 0);
    list_free(list);
}

/* Ten sources feed a chain of 2,260 transactions, whose outputs are spent three together. */
static void test_deep(void **state)
{
    (void)state;
    struct list *list = list_new(2270);
    for (uint32_t v = 0; v + 1 < 2260; v++)
        add(list, v, v + 1, 3);
    for (uint32_t v = 0; v < 10; v++)
        add(list, 2260 + v, 226 * (v / 2), 1);
    check_form(list, 5 * log10(2));
    list_free(list);
}

static void test_lattices(void **state)
{
    (void)state;
    struct list *layers = list_new(5000), *grid = list_new(90000), *cube = list_new(1 << 12);
    for (uint32_t v = 0; v < 49 * 100; v++)
        for (uint32_t i = 0; i < 100; i++)
            add(layers, v, v / 100 * 100 + 100 + i, 1);
    check_form(layers, 50 * log10_factorial(100));
    for (uint32_t v = 0; v < 90000; v++) {
        if (v / 300 < 299)
            add(grid, v, v + 300, 1);
        if (v % 300 < 299)
            add(grid, v, v + 1, 1);
    }
    check_form(grid, log10(2));
    for (uint32_t v = 0; v < 1 << 12; v++)
        for (uint32_t bit = 1; bit < 1 << 12; bit *= 2)
            if (!(v & bit))
                add(cube, v, v | bit, 1);
    check_form(cube, log10_factorial(12));
    list_free(layers);
    list_free(grid);
    list_free(cube);
}

/* A thousand hexagons and a thousand cycles through a hub. */
static void test_hub(void **state)
{
    (void)state;
    struct list *hexagons = list_new(6001), *cycles = list_new(5001);
    for (uint32_t k = 0; k < 1000; k++) {
        for (uint32_t i = 0; i < 3; i++) {
            add(hexagons, 6 * k + i, 6 * k + 3 + i, 1);
            add(hexagons, 6 * k + i, 6 * k + 3 + (i + 1) % 3, 1);
            add(hexagons, 6000, 6 * k + i, 1);
        }
        add(cycles, 5000, 5 * k, 1);
        add(cycles, 5 * k, 5 * k + 1, 1);
        add(cycles, 5 * k + 1, 5 * k + 2, 1);
        add(cycles, 5 * k + 3, 5 * k + 2, 1);
        add(cycles, 5 * k + 4, 5 * k + 3, 1);
        add(cycles, 5000, 5 * k + 4, 1);
    }
    check_form(hexagons, log10_factorial(1000) + 1000 * log10(6));
    check_form(cycles, log10_factorial(1000) + 1000 * log10(2));
    list_free(hexagons);
    list_free(cycles);
}

/* The bipartite doubles of the Paley graph of 101 points (x -> a x + b, a square: 101 * 50) and of the 12 x 12 rook's
 * graph (12! for rows, 12! for columns, 2): regular, so all is left to BLISS. */
static void test_strongly_regular(void **state)
{
    (void)state;
    struct list *paley = list_new(202), *rook = list_new(288);
    bool square[101] = {false};
    for (uint32_t i = 1; i < 101; i++)
        square[i * i % 101] = true;
    for (uint32_t i = 0; i < 101; i++)
        for (uint32_t j = 0; j < 101; j++)
            if (square[(i + 101 - j) % 101])
                add(paley, i, 101 + j, 1);
    for (uint32_t i = 0; i < 144; i++)
        for (uint32_t j = 0; j < 144; j++)
            if (i != j && (i / 12 == j / 12 || i % 12 == j % 12))
                add(rook, i, 144 + j, 1);
    check_form(paley, log10(101 * 50));
    check_form(rook, 2 * log10_factorial(12) + log10(2));
    list_free(paley);
    list_free(rook);
}

/* A tree of 200,000 and a DAG of as many with two inputs each. */
static void test_random_giants(void **state)
{
    (void)state;
    struct list *list = list_new(200000);
    random_state = SEED;
    for (uint32_t v = 1; v < list->vertices; v++)
        add(list, random_below(v), v, 1 + random_below(2));
    struct canon_form tree = form_of(list);
    check_form(list, tree.automorphisms_log10);
    for (uint32_t v = 2; v < list->vertices; v++) {
        uint32_t u = random_below(v);
        if (u != list->from[v - 1])
            add(list, u, v, 1);
    }
    struct canon_form dag = form_of(list);
    check_form(list, dag.automorphisms_log10);
    assert_true(dag.automorphisms_log10 < tree.automorphisms_log10);
    list_free(list);
}

/* A ring, of sources and sinks in turn, with a star on each vertex: the stars are cut. */
static void test_ring_of_stars(void **state)
{
    (void)state;
    enum { HALF = 500, LEAVES = 20 };
    struct list *list = list_new(2 * HALF * (1 + LEAVES));
    for (uint32_t i = 0; i < HALF; i++) {
        add(list, i, HALF + i, 1);
        add(list, i, HALF + (i + 1) % HALF, 1);
    }
    for (uint32_t i = 0; i < 2 * HALF * LEAVES; i++)
        add(list, i / LEAVES, 2 * HALF + i, 1);
    check_form(list, log10(2 * HALF) + 2 * HALF * log10_factorial(LEAVES));
    list_free(list);
}

/* A ring of joints, neighbours joined by `paths` paths with `inner` vertices each, towards every second joint. */
static struct list *ring_of_links(uint32_t joints, uint32_t paths, uint32_t inner)
{
    struct list *list = list_new(joints * (1 + paths * inner));
    for (uint32_t i = 0; i < joints; i++)
        for (uint32_t path = 0; path < paths; path++) {
            uint32_t at = i % 2 ? (i + 1) % joints : i, end = i % 2 ? i : (i + 1) % joints;
            for (uint32_t k = 0; k < inner; k++) {
                uint32_t next = joints + (paths * i + path) * inner + k;
                add(list, at, next, 1);
                at = next;
            }
            add(list, at, end, 1);
        }
    return list;
}

static void test_ring_of_twins(void **state)
{
    (void)state;
    struct list *list = ring_of_links(4000, 5, 1);
    check_form(list, log10(4000) + 4000 * log10_factorial(5));
    list_free(list);
}

/* More work than BLISS may do: not exact, but the same id for any numbering. */
static void test_too_hard(void **state)
{
    (void)state;
    struct list *list = ring_of_links(6, 6000, 2), *other = renumbered(list);
    struct canon_form a = form_of(list), b = form_of(other);
    assert_false(a.exact || b.exact);
    assert_true(same_id(&a, &b));
    list_free(list);
    list_free(other);
    test_fan_in(NULL); /* the scratch space is as good as new */
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct list *list = random_cycles(6, 1);
    uint32_t first[] = {0, 2, 4, 6, 6, 6, 6}, to[] = {3, 4, 4, 5, 5, 3}, label[] = {1, 1, 1, 1, 1, 1};
    uint64_t colour[6] = {0};
    struct canon_graph graph = {6, colour, first, to, label};
    struct canon_form wanted, form;
    assert_int_equal(canon_run(canon, &graph, &wanted, NULL), STATUS_OK);
    enum status status = STATUS_NOMEM;
    long allowed = 0;
    for (; status != STATUS_OK && allowed < 1000; allowed++) {
        struct canon *fresh = NULL;
        struct fault fault = {0};
        mem_fail_after(allowed);
        status = canon_new(&fresh, &fault);
        if (!status)
            status = canon_run(fresh, &graph, &form, &fault);
        mem_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (status && fresh) { /* and what failed can go on */
            assert_int_equal(canon_run(fresh, &graph, &form, &fault), STATUS_OK);
            assert_true(same_id(&form, &wanted));
        }
        canon_free(fresh);
    }
    assert_true(allowed > 10);
    assert_true(same_id(&form, &wanted));
    list_free(list);
}

static int setup(void **state)
{
    (void)state;
    return canon_new(&canon, NULL) != STATUS_OK;
}

static int teardown(void **state)
{
    (void)state;
    canon_free(canon);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_bliss),
        cmocka_unit_test(test_all_small_dags),
        cmocka_unit_test(test_beyond_refinement),
        cmocka_unit_test(test_labels_count),
        cmocka_unit_test(test_fan_in),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_lattices),
        cmocka_unit_test(test_hub),
        cmocka_unit_test(test_strongly_regular),
        cmocka_unit_test(test_random_giants),
        cmocka_unit_test(test_ring_of_stars),
        cmocka_unit_test(test_ring_of_twins),
        cmocka_unit_test(test_too_hard),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_multiset_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
