/* canon against BLISS on small graphs (each arc's label expanded to a coloured vertex), against permutations tried one
 * by one, and against known counts. test_canon_giants.c has the large ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "tests/classify/arc_list.h"

/* ---- small graphs, by BLISS and by hand ---- */

struct expanded {
    struct shape_graph graph;
    uint32_t colour[256];
    uint32_t from[512];
    uint32_t to[512];
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
            uint32_t matrix[6][6] = {0}, name[6];
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
        if (status == STATUS_OK)
            status = canon_run(fresh, &graph, &form, &fault);
        mem_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (status != STATUS_OK && fresh) { /* and what failed can go on */
            assert_int_equal(canon_run(fresh, &graph, &form, &fault), STATUS_OK);
            assert_true(same_id(&form, &wanted));
        }
        canon_free(fresh);
    }
    assert_true(allowed > 10);
    assert_true(same_id(&form, &wanted));
    list_free(list);
}

/* Stopped at any look it says so, and what was stopped can go on. */
static void test_interrupted(void **state)
{
    (void)state;
    const uint32_t first[] = {0, 1, 2, 3, 4, 5, 5}, to[] = {1, 2, 3, 4, 5}, label[] = {1, 1, 1, 1, 1};
    const uint64_t colour[6] = {0};
    const struct canon_graph path = {6, colour, first, to, label};
    struct canon_form wanted;
    assert_int_equal(canon_run(canon, &path, &wanted, NULL), STATUS_OK);
    enum status status = STATUS_INTERRUPTED;
    long looks = 0;
    for (; status != STATUS_OK && looks < 1000; looks++) {
        struct canon_form form;
        struct fault fault = {0};
        stop_after(looks);
        status = canon_run(canon, &path, &form, &fault);
        stop_after(-1);
        assert_true(status == STATUS_OK || (status == STATUS_INTERRUPTED && fault.status == STATUS_INTERRUPTED));
        assert_int_equal(canon_run(canon, &path, &form, &fault), STATUS_OK);
        assert_true(same_id(&form, &wanted));
    }
    assert_true(looks > 3 && status == STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_bliss), cmocka_unit_test(test_all_small_dags),
        cmocka_unit_test(test_beyond_refinement),    cmocka_unit_test(test_multiset_counts),
        cmocka_unit_test(test_labels_count),         cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
