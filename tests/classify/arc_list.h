/* arc_list: graphs for the tests of canon, as lists of arcs; their forms, with a check that another numbering gives the
 * same. cmocka's headers come first. */
#ifndef UNKTX_TESTS_CLASSIFY_ARC_LIST_H
#define UNKTX_TESTS_CLASSIFY_ARC_LIST_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "classify/canon.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)

/* A graph as a list of arcs. */
struct list {
    uint32_t vertices;
    uint32_t arcs;
    uint32_t capacity;
    uint64_t *colour;
    uint32_t *from;
    uint32_t *to;
    uint32_t *label;
};

static uint64_t random_state = SEED;
static struct canon *canon;

static inline uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static inline struct list *list_new(uint32_t vertices)
{
    struct list *list = calloc(1, sizeof *list);
    assert_non_null(list);
    list->vertices = vertices;
    list->colour = calloc(vertices + 1u, sizeof *list->colour);
    return list;
}

static inline void list_free(struct list *list)
{
    free(list->colour);
    free(list->from);
    free(list->to);
    free(list->label);
    free(list);
}

static inline void add(struct list *list, uint32_t from, uint32_t to, uint32_t label)
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
static inline struct list *renumbered(const struct list *list)
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

static inline struct canon_form form_of(const struct list *list)
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

static inline bool same_id(const struct canon_form *a, const struct canon_form *b)
{
    return memcmp(a->id, b->id, CANON_ID_SIZE) == 0;
}

/* The form, which must be exact and the same for another numbering, and have this many automorphisms. */
static inline struct canon_form check_form(const struct list *list, double automorphisms_log10)
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

static inline double log10_factorial(uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 2; i <= n; i++)
        sum += log10(i);
    return sum;
}

/* ---- the scratch space of a test program ---- */

static inline int setup(void **state)
{
    (void)state;
    return canon_new(&canon, NULL) != STATUS_OK;
}

static inline int teardown(void **state)
{
    (void)state;
    canon_free(canon);
    return 0;
}

#endif
