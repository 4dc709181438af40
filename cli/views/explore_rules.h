/* explore_rules: the T-DAGs of a rule set as the pages have them. Most T-DAGs are the same in every rule set: the rows
 * of those are held once, by the rule set that was loaded first.
 *
 * Thread rule: what is ready is only read. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_RULES_H
#define UNKTX_CLI_VIEWS_EXPLORE_RULES_H

#include "cli/inputs/opened_forest.h"
#include "classify/measures.h"
#include "cli/views/chart.h"
#include "cli/views/explore_class_table.h"
#include "cli/views/payments.h"

/* T-DAGs with all that is told of them. */
struct explore_part {
    struct selection selection;
    struct known_scripts_held held;
    struct measures_row *measures;
};

struct explore_rules {
    bool ready;
    enum status failed; /* the reason why it never will be ready; STATUS_OK: none */
    struct tdags tdags; /* all, with names; the arrays are `own`'s where there is no base */
    struct explore_class_table classes;
    uint64_t nodes;                  /* of all T-DAGs */
    uint64_t edges;                  /* likewise */
    const struct explore_part *base; /* of another rule set; NULL: there is none, and `places` is NULL */
    struct explore_part own;         /* all T-DAGs, or those that the base has not alike */
    uint32_t *places;                /* by T-DAG - 1: its place in the base, or after the base's in `own` */
    uint32_t *of_base;               /* by T-DAG of the base - 1: the T-DAG here that has its row, 0 for none */
    uint32_t *own_dags;              /* those that are in `own`, ascending, where there is a base */
    uint32_t own_count;
    uint32_t *first_times; /* by T-DAG - 1, as its row: what charts and filters go through often */
    uint16_t *cells;       /* by T-DAG - 1: explore_cell_of */
    uint8_t *families;     /* by T-DAG - 1: enum family */
    struct chart_counts by_nodes;
    struct chart_counts by_height;
    uint32_t holding[CATALOGUE_MAX]; /* T-DAGs that hold each known script */
    struct dag_labels labels;        /* of --labels */
    uint32_t *labelled;              /* T-DAGs that have each label, by its id; NULL without labels */
};

/* Where a T-DAG is in a chart of value over height: powers of two (heights 1, 2 to 3, 4 to 7, ...) and decades of
 * satoshis (0, 1 to 9, 10 to 99, ...). */
#define EXPLORE_POWERS 20u
#define EXPLORE_DECADES 18u

/* Loads the T-DAGs of a rule set, on `threads` threads; those that are alike in `base` (a rule set that is ready; NULL:
 * none) are taken from there. Labels that are left out are said on stderr once for all rule sets with the same `said`.
 * explore_rules_free in any case. */
enum status explore_rules_load(const struct opened_forest *opened, enum rules rules, const struct explore_rules *base,
                               unsigned threads, struct explore_rules *of, struct labels_said *said,
                               struct fault *fault) MUST_CHECK;
void explore_rules_free(struct explore_rules *of);

/* In which part the T-DAG is, and at which place (its number there less one). */
static inline const struct explore_part *explore_part_of(const struct explore_rules *of, uint32_t dag, uint32_t *place)
{
    *place = of->places ? of->places[dag - 1] : dag - 1;
    if (!of->places || *place >= of->base->selection.tdags.count) {
        *place -= of->places ? of->base->selection.tdags.count : 0;
        return &of->own;
    }
    return of->base;
}

static inline const struct tdag_row *explore_row(const struct explore_rules *of, uint32_t dag)
{
    uint32_t place;
    const struct explore_part *part = explore_part_of(of, dag, &place);
    return &part->selection.classes.rows[place];
}

static inline const struct measures_row *explore_measures(const struct explore_rules *of, uint32_t dag)
{
    uint32_t place;
    const struct explore_part *part = explore_part_of(of, dag, &place);
    return &part->measures[place];
}

/* The known scripts that it holds. */
static inline const struct name_set *explore_names(const struct explore_rules *of, uint32_t dag)
{
    uint32_t place;
    const struct explore_part *part = explore_part_of(of, dag, &place);
    return &part->held.labels.all[place + 1];
}

/* Of a transaction of a T-DAG: the depth of its outputs. */
static inline uint32_t explore_depth(const struct explore_rules *of, uint32_t number)
{
    uint32_t place;
    return explore_part_of(of, of->tdags.tx_dag[number], &place)->selection.classes.depths[number];
}

#endif
