#include "cli/views/explore_rules.h"

#include <stdlib.h>

#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/sort.h"

/* ---- the rows ---- */

static enum status load_part(const struct opened_forest *opened, enum rules rules, const uint8_t *settled,
                             unsigned threads, struct explore_part *part, struct fault *fault)
{
    const struct forest *forest = &opened->forest;
    enum status status = selection_make_others(opened->store, forest, rules, opened->filter, false, threads, settled,
                                               &part->selection, fault);
    if (status == STATUS_OK)
        status = known_scripts_find(&opened->catalogue, opened->store, forest, &part->selection, threads, &part->held,
                                    fault);
    if (status == STATUS_OK)
        status = measures_all(forest, &part->selection.tdags, &part->selection.classes, threads, &part->measures,
                              fault);
    mem_free(part->held.labels.roots); /* no page tells them */
    part->held.labels.roots = NULL;
    return status;
}

static uint32_t first_tx(const struct tdags *tdags, uint32_t dag) { return tdags->members[tdags->first[dag - 1]]; }

/* Is the T-DAG with that first transaction one that is taken from the base? */
static uint32_t place_in_base(const struct explore_part *base, const struct explore_part *own, uint32_t tx)
{
    uint32_t dag = own->selection.tdags.tx_dag[tx];
    if (dag > 0)
        return base->selection.tdags.count + dag - 1;
    dag = base->selection.tdags.tx_dag[tx];
    return dag > 0 && base->selection.classes.rows[dag - 1].alike ? dag - 1 : UINT32_MAX;
}

/* All T-DAGs of the rule set, without those that a filter left out in either part. */
static enum status place_tdags(const struct opened_forest *opened, enum rules rules, struct explore_rules *of,
                               struct fault *fault)
{
    struct tdags *tdags = &of->tdags;
    enum status status = tdags_find(&opened->forest, rules, tdags, fault);
    if (status != STATUS_OK)
        return status;
    uint8_t *drop = mem_alloc((size_t)tdags->count + 1, 1);
    of->places = mem_alloc(tdags->count, sizeof *of->places);
    uint32_t kept = 0;
    for (uint32_t d = 1; drop && of->places && d <= tdags->count; d++) {
        uint32_t place = place_in_base(of->base, &of->own, first_tx(tdags, d));
        drop[d] = place == UINT32_MAX;
        if (!drop[d])
            of->places[kept++] = place;
    }
    if (!drop || !of->places)
        status = fault_nomem(fault);
    if (status == STATUS_OK && kept < tdags->count)
        tdags_drop(tdags, drop);
    mem_free(drop);
    return status;
}

static enum status load_shared(const struct opened_forest *opened, enum rules rules, const struct explore_rules *base,
                               unsigned threads, struct explore_rules *of, struct fault *fault)
{
    struct alike alike = {0};
    of->base = &base->own;
    enum status status = alike_make(&opened->forest, &base->own.selection, &alike, fault);
    if (status == STATUS_OK)
        status = load_part(opened, rules, alike.has_tx, threads, &of->own, fault);
    alike_free(&alike);
    return status == STATUS_OK ? place_tdags(opened, rules, of, fault) : status;
}

static enum status load_rows(const struct opened_forest *opened, enum rules rules, const struct explore_rules *base,
                             unsigned threads, struct explore_rules *of, struct fault *fault)
{
    enum status status;
    if (base) {
        status = load_shared(opened, rules, base, threads, of, fault);
    } else {
        status = load_part(opened, rules, NULL, threads, &of->own, fault);
        of->tdags = of->own.selection.tdags;
    }
    if (status != STATUS_OK)
        return status;
    status = tdags_name(&opened->forest, &of->tdags, fault);
    if (!base)
        of->own.selection.tdags.names = of->tdags.names;
    return status;
}

/* ---- classes ---- */

struct member {
    uint64_t key; /* the beginning of its class id */
    uint32_t dag;
};

static const uint8_t *id_of(const struct explore_rules *of, uint32_t dag) { return explore_row(of, dag)->class_id; }

/* Ids that begin alike without being the same are somebody's work of years: an insertion will do. */
static void settle_equal(const struct explore_rules *of, struct member *members, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct member member = members[i];
        uint32_t at = i;
        for (; at > 0 && members[at - 1].key == member.key &&
               memcmp(id_of(of, members[at - 1].dag), id_of(of, member.dag), CANON_ID_SIZE) > 0;
             at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

static bool is_same_class(const struct explore_rules *of, uint32_t a, uint32_t b)
{
    return memcmp(id_of(of, a), id_of(of, b), CANON_ID_SIZE) == 0;
}

static struct class_row class_of(const struct explore_rules *of, uint32_t dag)
{
    const struct tdag_row *row = explore_row(of, dag);
    struct class_row class = {.exact = row->class_exact,
                              .first_dag = dag,
                              .height = row->height,
                              .roots = row->roots,
                              .txs = row->txs_left,
                              .nodes = row->nodes,
                              .edges = row->edges,
                              .family = row->family,
                              .automorphisms_log10 = row->automorphisms_log10};
    memcpy(class.class_id, row->class_id, CANON_ID_SIZE);
    return class;
}

/* The most common first, then by id. */
static int compare_classes(const void *a, const void *b)
{
    const struct class_row *x = a, *y = b;
    if (x->tdags != y->tdags)
        return x->tdags > y->tdags ? -1 : 1;
    return memcmp(x->class_id, y->class_id, CANON_ID_SIZE);
}

/* The T-DAGs come class by class, and within one in the order of their numbers. Names are put where the first T-DAG of
 * the class says, since the classes are sorted later. */
static enum status add_classes(struct explore_rules *of, const struct member *members, struct name_set *names)
{
    size_t capacity = 0;
    for (uint32_t i = 0; i < of->tdags.count; i++) {
        uint32_t dag = members[i].dag;
        if (i == 0 || !is_same_class(of, members[i - 1].dag, dag)) {
            if (mem_reserve(&of->classes, &capacity, (size_t)of->classes_count + 1, sizeof *of->classes) != STATUS_OK)
                return STATUS_NOMEM;
            of->classes[of->classes_count++] = class_of(of, dag);
        }
        struct class_row *class = &of->classes[of->classes_count - 1];
        class->tdags++;
        name_set_join(&names[class->first_dag - 1], explore_names(of, dag));
    }
    return STATUS_OK;
}

static enum status make_classes(struct explore_rules *of, struct fault *fault)
{
    uint32_t count = of->tdags.count;
    struct member *members = mem_alloc(count, sizeof *members), *spare = mem_alloc(count, sizeof *members);
    struct name_set *names = mem_alloc(count, sizeof *names);
    enum status status = members && spare && names ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t d = 1; status == STATUS_OK && d <= count; d++)
        members[d - 1] = (struct member){load_le64(id_of(of, d)), d};
    if (status == STATUS_OK) {
        struct member *sorted = sort_by_key(members, spare, count, sizeof *members);
        settle_equal(of, sorted, count);
        status = add_classes(of, sorted, names);
    }
    if (status == STATUS_OK && of->classes_count > 0)
        qsort(of->classes, of->classes_count, sizeof *of->classes, compare_classes);
    of->class_names = mem_alloc(of->classes_count, sizeof *of->class_names);
    for (uint32_t i = 0; of->class_names && status == STATUS_OK && i < of->classes_count; i++)
        of->class_names[i] = names[of->classes[i].first_dag - 1];
    mem_free(members);
    mem_free(spare);
    mem_free(names);
    return status == STATUS_OK && of->class_names ? STATUS_OK : fault_nomem(fault);
}

/* ---- what pages would count each time ---- */

static uint16_t cell_of(const struct tdag_row *row)
{
    unsigned power = row->height > 0 ? 31u - (unsigned)__builtin_clz(row->height) : 0, decade = 0;
    for (uint64_t value = row->moved_value_sat; value > 0 && decade < EXPLORE_DECADES - 1; value /= 10)
        decade++;
    power = power < EXPLORE_POWERS ? power : EXPLORE_POWERS - 1;
    return (uint16_t)(power * EXPLORE_DECADES + decade);
}

static enum status count_tdags(const struct catalogue *catalogue, struct explore_rules *of, struct fault *fault)
{
    of->first_times = mem_alloc(of->tdags.count, sizeof *of->first_times);
    of->cells = mem_alloc(of->tdags.count, sizeof *of->cells);
    if (!of->first_times || !of->cells)
        return fault_nomem(fault);
    for (uint32_t d = 1; d <= of->tdags.count; d++) {
        const struct tdag_row *row = explore_row(of, d);
        const struct name_set *held = explore_names(of, d);
        of->first_times[d - 1] = row->first_time;
        of->cells[d - 1] = cell_of(row);
        of->nodes += row->nodes;
        of->edges += row->edges;
        chart_count(&of->by_nodes, row->nodes);
        chart_count(&of->by_height, row->height);
        for (size_t entry = 0; entry < catalogue->count && name_set_first(held) < CATALOGUE_MAX; entry++)
            of->holding[entry] += name_set_has(held, entry);
    }
    return STATUS_OK;
}

/* ---- labels ---- */

/* What is left out is on stderr alone: a run that serves ends by a signal, never with EXIT_DAMAGED. */
static enum status find_labels(const struct opened_forest *opened, unsigned threads, struct explore_rules *of,
                               struct labels_said *said, struct fault *fault)
{
    const struct selection all = {.tdags = of->tdags};
    if (opened->labels.count == 0)
        return STATUS_OK;
    enum status status = payments_find_labels(opened->store, &opened->forest, &all, &opened->labels, 0, threads,
                                              &of->labels, said, fault);
    of->labelled = status == STATUS_OK ? mem_alloc(opened->labels.names_count, sizeof *of->labelled) : NULL;
    if (status == STATUS_OK && !of->labelled)
        status = fault_nomem(fault);
    for (uint32_t d = 1; status == STATUS_OK && d <= of->tdags.count; d++) {
        struct label_span span = dag_labels_of(&of->labels, d);
        for (size_t i = 0; i < span.count; i++)
            of->labelled[span.ids[i]]++;
    }
    return status;
}

/* ---- all of it ---- */

enum status explore_rules_load(const struct opened_forest *opened, enum rules rules, const struct explore_rules *base,
                               unsigned threads, struct explore_rules *of, struct labels_said *said,
                               struct fault *fault)
{
    enum status status = load_rows(opened, rules, base, threads, of, fault);
    if (status == STATUS_OK)
        status = make_classes(of, fault);
    if (status == STATUS_OK)
        status = find_labels(opened, threads, of, said, fault);
    return status == STATUS_OK ? count_tdags(&opened->catalogue, of, fault) : status;
}

void explore_rules_free(struct explore_rules *of)
{
    if (of->base)
        tdags_free(&of->tdags);
    known_scripts_held_free(&of->own.held);
    selection_free(&of->own.selection);
    mem_free(of->own.measures);
    mem_free(of->classes);
    mem_free(of->class_names);
    mem_free(of->places);
    mem_free(of->first_times);
    mem_free(of->cells);
    mem_free(of->labelled);
    dag_labels_free(&of->labels);
}
