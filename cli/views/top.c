#include "cli/views/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs/dag_filter.h"
#include "cli/inputs/dag_labels.h"
#include "cli/output/text_table.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

#define TOP_FALLBACK 10u

struct ranked {
    double measure;
    uint64_t number;
    uint32_t dag; /* 1.. */
};

static struct ranked ranked_of(const char *by, uint32_t dag, const struct tdag_row *row,
                               const struct measures_row *measures)
{
    if (strcmp(by, "orderliness") == 0)
        return (struct ranked){measures->orderliness, 0, dag};
    if (strcmp(by, "height") == 0)
        return (struct ranked){0, row->height, dag};
    if (strcmp(by, "value") == 0)
        return (struct ranked){0, row->moved_value_sat, dag};
    return (struct ranked){measures->automation, 0, dag};
}

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->measure != y->measure)
        return x->measure > y->measure ? -1 : 1;
    if (x->number != y->number)
        return x->number > y->number ? -1 : 1;
    return (x->dag > y->dag) - (x->dag < y->dag);
}

/* One measure of the two, and the name last but for labels, since it is seldom longer than 16 digits. */
static const struct text_column columns[] = {{"dag_id", true}, {"automation", true}, {"height", true},
                                             {"txs", true},    {"value BTC", true},  {"family", false},
                                             {"dag", false},   {"labels", false}};
#define COLUMNS (sizeof columns / sizeof *columns)
#define MEASURE_COLUMN 1u

static void add_labels(struct text_table *table, const struct dag_labels *labels, uint32_t dag)
{
    struct label_span span = dag_labels_of(labels, dag);
    char *cell = mem_alloc(address_labels_size(labels->labels, &span) + 1, 1);
    if (!cell) {
        table->status = STATUS_NOMEM;
        return;
    }
    *(span.count > 0 ? address_labels_put_text(labels->labels, &span, cell) : cell) = '\0';
    text_table_cell(table, cell);
    mem_free(cell);
}

static void add_row(struct text_table *table, const struct forest *forest, const struct selection *selection,
                    uint32_t dag, double measure)
{
    const struct tdag_row *row = &selection->classes.rows[dag - 1];
    char text[40], name[TDAG_NAME_MAX + 1];
    *tdag_put_name(forest, &selection->tdags, dag, name) = '\0';
    *put_u64(text, dag) = '\0';
    text_table_cell(table, text);
    *put_micro(text, measure) = '\0';
    text_table_cell(table, text);
    text_table_number(table, row->height);
    text_table_number(table, row->txs);
    snprintf(text, sizeof text, "%llu.%08llu", BTC_OF(row->moved_value_sat));
    text_table_cell(table, text);
    text_table_cell(table, family_name(row->family));
    text_table_cell(table, name);
    if (selection->labels)
        add_labels(table, selection->labels, dag);
}

enum status top_print(const struct settings *settings, const struct forest *forest, const struct selection *selection,
                      const struct measures_row *all_measures, struct fault *fault)
{
    const struct classes *classes = &selection->classes;
    const char *by = settings->order_by ? settings->order_by : "automation";
    uint64_t top = settings->top > 0 ? settings->top : TOP_FALLBACK;
    struct printer printer = {0};
    struct ranked *ranking = mem_alloc(classes->rows_count, sizeof *ranking);
    if (!ranking)
        return fault_nomem(fault);
    for (uint32_t d = 0; d < classes->rows_count; d++)
        ranking[d] = ranked_of(by, d + 1, &classes->rows[d], &all_measures[d]);
    if (classes->rows_count > 0)
        qsort(ranking, classes->rows_count, sizeof *ranking, compare_ranked);
    bool orderly = strcmp(by, "orderliness") == 0;
    struct text_column with_measure[COLUMNS];
    struct text_table table = {.columns = with_measure, .count = COLUMNS - !selection->labels};
    memcpy(with_measure, columns, sizeof columns);
    with_measure[MEASURE_COLUMN].head = orderly ? "orderliness" : "automation";
    if (classes->rows_count == 0)
        PRINT(&printer, "%s\n", dag_filter_none(settings));
    else
        PRINT(&printer, "T-DAGs by %s, rules %s\n", by, rules_name(selection->tdags.rules));
    for (uint32_t i = 0; i < classes->rows_count && i < top; i++) {
        const struct measures_row *row = &all_measures[ranking[i].dag - 1];
        add_row(&table, forest, selection, ranking[i].dag, orderly ? row->orderliness : row->automation);
    }
    text_table_print(&table, &printer);
    mem_free(ranking);
    return printer_write(&printer, NULL, fault);
}
