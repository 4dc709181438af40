#include "cli/views/explore_rules.h"

#include "graph/dag/names.h"
#include "parser/mem.h"

/* ---- the rows ---- */

static enum status load_part(const struct opened_forest *opened, enum rules rules, const uint8_t *skipped,
                             unsigned threads, struct explore_part *part, struct fault *fault)
{
    const struct forest *forest = &opened->forest;
    enum status status = selection_make_others(opened->store, forest, rules, opened->filter, false, threads, skipped,
                                               &part->selection, fault);
    if (status == STATUS_OK)
        status = known_scripts_find(&opened->catalogue, opened->store, forest, &part->selection, threads, &part->held,
                                    fault);
    if (status == STATUS_OK)
        status = measures_all(forest, &part->selection.tdags, &part->selection.classes, threads, &part->measures,
                              fault);
    /* those of classes are in the class table, which has all T-DAGs of a rule set */
    mem_free(part->held.classes);
    mem_free(part->held.class_of);
    part->held.classes = NULL;
    part->held.class_of = NULL;
    return status;
}

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
        uint32_t place = place_in_base(of->base, &of->own, tdags_first_tx(tdags, d));
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

static enum status map_base(struct explore_rules *of, struct fault *fault)
{
    uint32_t base = of->base->selection.tdags.count;
    of->of_base = mem_alloc(base, sizeof *of->of_base);
    of->own_dags = mem_alloc(of->own.selection.tdags.count, sizeof *of->own_dags);
    if (!of->of_base || !of->own_dags)
        return fault_nomem(fault);
    for (uint32_t d = 1; d <= of->tdags.count; d++) {
        if (of->places[d - 1] < base)
            of->of_base[of->places[d - 1]] = d;
        else
            of->own_dags[of->own_count++] = d;
    }
    return STATUS_OK;
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
    if (status == STATUS_OK)
        status = place_tdags(opened, rules, of, fault);
    /* which T-DAG a transaction is in is told by those of all T-DAGs */
    mem_free(of->own.selection.tdags.tx_dag);
    mem_free(of->own.selection.tdags.members);
    of->own.selection.tdags.tx_dag = of->own.selection.tdags.members = NULL;
    return status == STATUS_OK ? map_base(of, fault) : status;
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

/* ---- what pages would count each time ---- */

static uint16_t cell_of(const struct tdag_row *row)
{
    unsigned power = row->height > 0 ? 31u - (unsigned)__builtin_clz(row->height) : 0, decade = 0;
    for (uint64_t value = row->moved_value_sat; value > 0 && decade < EXPLORE_DECADES - 1; value /= 10)
        decade++;
    power = power < EXPLORE_POWERS ? power : EXPLORE_POWERS - 1;
    return (uint16_t)(power * EXPLORE_DECADES + decade);
}

static enum status count_tdags(struct explore_rules *of, struct fault *fault)
{
    of->first_times = mem_alloc(of->tdags.count, sizeof *of->first_times);
    of->cells = mem_alloc(of->tdags.count, sizeof *of->cells);
    of->families = mem_alloc(of->tdags.count, sizeof *of->families);
    if (!of->first_times || !of->cells || !of->families)
        return fault_nomem(fault);
    for (uint32_t d = 1; d <= of->tdags.count; d++) {
        const struct tdag_row *row = explore_row(of, d);
        const struct name_set *held = explore_names(of, d);
        of->first_times[d - 1] = row->first_time;
        of->cells[d - 1] = cell_of(row);
        of->families[d - 1] = (uint8_t)row->family;
        of->nodes += row->nodes;
        of->edges += row->edges;
        chart_count(&of->by_nodes, row->nodes);
        chart_count(&of->by_height, row->height);
        for (struct name_set left = *held; name_set_first(&left) < CATALOGUE_MAX;) {
            size_t entry = name_set_first(&left);
            of->holding[entry]++;
            name_set_remove(&left, entry);
        }
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
    if (status == STATUS_OK)
        dag_labels_count(&of->labels, of->labelled);
    return status;
}

/* ---- all of it ---- */

enum status explore_rules_load(const struct opened_forest *opened, enum rules rules, const struct explore_rules *base,
                               unsigned threads, struct explore_rules *of, struct labels_said *said,
                               struct fault *fault)
{
    enum status status = load_rows(opened, rules, base, threads, of, fault);
    if (status == STATUS_OK)
        status = explore_class_table_make(of, &of->classes, fault);
    if (status == STATUS_OK)
        status = find_labels(opened, threads, of, said, fault);
    return status == STATUS_OK ? count_tdags(of, fault) : status;
}

void explore_rules_free(struct explore_rules *of)
{
    if (of->base)
        tdags_free(&of->tdags);
    known_scripts_held_free(&of->own.held);
    selection_free(&of->own.selection);
    mem_free(of->own.measures);
    explore_class_table_free(&of->classes);
    mem_free(of->places);
    mem_free(of->of_base);
    mem_free(of->own_dags);
    mem_free(of->first_times);
    mem_free(of->families);
    mem_free(of->cells);
    mem_free(of->labelled);
    dag_labels_free(&of->labels);
}
