/* family_of against a second reading of each definition: on every connected DAG of up to 6 vertices, and on giants. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "classify/family.h"

#define MOST 6

struct matrix {
    unsigned n;
    bool arc[MOST][MOST]; /* only i < j */
};

static unsigned in_of(const struct matrix *m, unsigned v)
{
    unsigned count = 0;
    for (unsigned u = 0; u < m->n; u++)
        count += m->arc[u][v];
    return count;
}

static unsigned out_of(const struct matrix *m, unsigned v)
{
    unsigned count = 0;
    for (unsigned w = 0; w < m->n; w++)
        count += m->arc[v][w];
    return count;
}

static unsigned arcs_of(const struct matrix *m)
{
    unsigned count = 0;
    for (unsigned v = 0; v < m->n; v++)
        count += out_of(m, v);
    return count;
}

static bool connected(const struct matrix *m)
{
    unsigned reached = 1;
    for (unsigned round = 0; round < m->n; round++)
        for (unsigned a = 0; a < m->n; a++)
            for (unsigned b = 0; b < m->n; b++)
                if ((m->arc[a][b] || m->arc[b][a]) && (reached >> a & 1))
                    reached |= 1u << b;
    return reached == (1u << m->n) - 1;
}

static bool chain(const struct matrix *m)
{
    for (unsigned v = 0; v < m->n; v++)
        if (in_of(m, v) > 1 || out_of(m, v) > 1)
            return false;
    return true;
}

/* One vertex is joined to all others, in the one direction, and there is no other arc. */
static bool star(const struct matrix *m, bool outward)
{
    if (m->n < 3)
        return false;
    for (unsigned c = 0; c < m->n; c++) {
        bool fits = arcs_of(m) == m->n - 1;
        for (unsigned v = 0; v < m->n; v++)
            fits = fits && (v == c || (outward ? m->arc[c][v] : m->arc[v][c]));
        if (fits)
            return true;
    }
    return false;
}

/* Connected without an undirected cycle: leaves can be plucked until one vertex is left. */
static bool tree(const struct matrix *m)
{
    struct matrix t = *m;
    bool gone[MOST] = {false};
    for (unsigned left = t.n; left > 1; left--) {
        unsigned leaf = t.n;
        for (unsigned v = 0; v < t.n; v++)
            if (!gone[v] && in_of(&t, v) + out_of(&t, v) == 1)
                leaf = v;
        if (leaf == t.n)
            return false;
        gone[leaf] = true;
        for (unsigned v = 0; v < t.n; v++)
            t.arc[leaf][v] = t.arc[v][leaf] = false;
    }
    return true;
}

static bool all_in_at_most_one(const struct matrix *m)
{
    for (unsigned v = 0; v < m->n; v++)
        if (in_of(m, v) > 1)
            return false;
    return true;
}

static bool all_out_at_most_one(const struct matrix *m)
{
    for (unsigned v = 0; v < m->n; v++)
        if (out_of(m, v) > 1)
            return false;
    return true;
}

/* The vertices with a successor form one path: walk it from the source and see whether all of them were met. */
static bool peeling(const struct matrix *m)
{
    if (!tree(m) || !all_in_at_most_one(m))
        return false;
    unsigned inner = 0, met = 0;
    for (unsigned v = 0; v < m->n; v++)
        inner += out_of(m, v) > 0;
    for (unsigned v = 0; v < m->n;) {
        unsigned next = m->n;
        met++;
        for (unsigned w = 0; w < m->n; w++)
            if (m->arc[v][w] && out_of(m, w) > 0)
                next = w;
        v = next;
    }
    return met == inner;
}

static bool gather_scatter(const struct matrix *m)
{
    for (unsigned c = 0; c < m->n; c++) {
        bool fits = in_of(m, c) >= 2 && out_of(m, c) >= 2 && arcs_of(m) == m->n - 1;
        for (unsigned v = 0; v < m->n; v++)
            fits = fits && (v == c || m->arc[v][c] || m->arc[c][v]);
        if (fits)
            return true;
    }
    return false;
}

static bool scatter_gather(const struct matrix *m)
{
    for (unsigned s = 0; s < m->n; s++)
        for (unsigned t = 0; t < m->n; t++) {
            if (s == t || m->n < 4)
                continue;
            struct matrix wanted = {.n = m->n};
            for (unsigned v = 0; v < m->n; v++)
                if (v != s && v != t)
                    wanted.arc[s][v] = wanted.arc[v][t] = true;
            if (memcmp(wanted.arc, m->arc, sizeof m->arc) == 0)
                return true;
        }
    return false;
}

static bool bipartite(const struct matrix *m)
{
    for (unsigned v = 0; v < m->n; v++)
        if (in_of(m, v) > 0 && out_of(m, v) > 0)
            return false;
    return true;
}

static bool series_parallel(const struct matrix *m)
{
    struct matrix r = *m;
    unsigned sources = 0, sinks = 0;
    for (unsigned v = 0; v < m->n; v++) {
        sources += in_of(m, v) == 0;
        sinks += out_of(m, v) == 0;
    }
    if (sources != 1 || sinks != 1)
        return false;
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned v = 0; v < r.n; v++) {
            if (in_of(&r, v) != 1 || out_of(&r, v) != 1)
                continue;
            for (unsigned u = 0; u < r.n; u++)
                for (unsigned w = 0; w < r.n; w++)
                    if (r.arc[u][v] && r.arc[v][w]) {
                        r.arc[u][v] = r.arc[v][w] = false;
                        r.arc[u][w] = changed = true;
                    }
        }
    }
    return arcs_of(&r) == 1;
}

static unsigned layer_of(const struct matrix *m, unsigned v)
{
    unsigned layer = 0;
    for (unsigned u = 0; u < v; u++)
        if (m->arc[u][v] && layer_of(m, u) + 1 > layer)
            layer = layer_of(m, u) + 1;
    return layer;
}

static bool stack(const struct matrix *m)
{
    for (unsigned u = 0; u < m->n; u++)
        for (unsigned v = 0; v < m->n; v++)
            if (m->arc[u][v] && layer_of(m, v) != layer_of(m, u) + 1)
                return false;
    return true;
}

static enum family read_family(const struct matrix *m)
{
    return chain(m)                            ? FAMILY_CHAIN
           : star(m, true)                     ? FAMILY_FAN_OUT
           : star(m, false)                    ? FAMILY_FAN_IN
           : peeling(m)                        ? FAMILY_PEELING_CHAIN
           : tree(m) && all_in_at_most_one(m)  ? FAMILY_OUT_TREE
           : tree(m) && all_out_at_most_one(m) ? FAMILY_IN_TREE
           : gather_scatter(m)                 ? FAMILY_GATHER_SCATTER
           : tree(m)                           ? FAMILY_POLYTREE
           : scatter_gather(m)                 ? FAMILY_SCATTER_GATHER
           : bipartite(m)                      ? FAMILY_BIPARTITE
           : series_parallel(m)                ? FAMILY_SERIES_PARALLEL
           : stack(m)                          ? FAMILY_STACK
                                               : FAMILY_GENERAL;
}

static struct family_scratch *scratch;

static int set_up(void **state)
{
    (void)state;
    struct fault fault = {0};
    return family_scratch_new(&scratch, &fault) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    family_scratch_free(scratch);
    return 0;
}

static void every_small_dag(void **state)
{
    (void)state;
    unsigned seen[FAMILIES] = {0};
    for (unsigned n = 2; n <= MOST; n++) {
        for (uint32_t code = 0; code < 1u << n * (n - 1) / 2; code++) {
            struct matrix m = {.n = n};
            uint32_t first[MOST + 1], to[MOST * MOST], arcs = 0, bits = code;
            for (unsigned u = 0; u < n; u++) {
                first[u] = arcs;
                for (unsigned v = u + 1; v < n; v++, bits >>= 1)
                    if (bits & 1) {
                        m.arc[u][v] = true;
                        to[arcs++] = v;
                    }
            }
            first[n] = arcs;
            if (!connected(&m))
                continue;
            enum family family, wanted = read_family(&m);
            assert_int_equal(family_of(scratch, &(struct family_graph){n, first, to}, &family), STATUS_OK);
            if (family != wanted)
                fail_msg("%u vertices, code %u: %s, wanted %s", n, code, family_name(family), family_name(wanted));
            seen[family]++;
        }
    }
    for (unsigned f = 0; f < FAMILIES; f++)
        assert_true(seen[f] > 0);
}

/* A source, `rungs` times a split into two and a join, each join the next split. */
static void giant_series_parallel(void **state)
{
    (void)state;
    const uint32_t rungs = 200000, n = 3 * rungs + 1;
    uint32_t *first = calloc(n + 1, sizeof *first), *to = calloc(4 * (size_t)rungs, sizeof *to), arcs = 0;
    assert_true(first && to);
    for (uint32_t v = 0; v < n; v++) {
        first[v] = arcs;
        if (v == n - 1)
            continue;
        if (v % 3 == 0) {
            to[arcs++] = v + 1;
            to[arcs++] = v + 2;
        } else {
            to[arcs++] = v - v % 3 + 3;
        }
    }
    first[n] = arcs;
    enum family family;
    struct family_graph graph = {n, first, to};
    assert_int_equal(family_of(scratch, &graph, &family), STATUS_OK);
    assert_int_equal(family, FAMILY_SERIES_PARALLEL);
    free(first);
    free(to);
}

/* The smallest graph with one source and one sink that is not series-parallel, its bridge far down a chain. */
static void bridge(void **state)
{
    (void)state;
    const uint32_t n = 100003, s = n - 4;
    uint32_t *first = calloc(n + 1, sizeof *first), *to = calloc(n + 4, sizeof *to), arcs = 0;
    assert_true(first && to);
    for (uint32_t v = 0; v < s; v++) {
        first[v] = arcs;
        to[arcs++] = v + 1;
    }
    const uint32_t tails[] = {0, 0, 1, 1, 2}, heads[] = {1, 2, 2, 3, 3};
    for (uint32_t v = 0, a = 0; v < 4; v++) {
        first[s + v] = arcs;
        for (; a < 5 && tails[a] == v; a++)
            to[arcs++] = s + heads[a];
    }
    first[n] = arcs;
    enum family family;
    assert_int_equal(family_of(scratch, &(struct family_graph){n, first, to}, &family), STATUS_OK);
    assert_int_equal(family, FAMILY_GENERAL);
    free(first);
    free(to);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(family_name(FAMILY_CHAIN), "chain");
    assert_string_equal(family_name(FAMILY_SERIES_PARALLEL), "series-parallel");
    assert_string_equal(family_name(FAMILY_GENERAL), "general");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_dag),
        cmocka_unit_test(giant_series_parallel),
        cmocka_unit_test(bridge),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
