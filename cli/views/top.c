#include "cli/views/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs/dag_filter.h"
#include "cli/inputs/dag_labels.h"
#include "cli/output/printer.h"
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

/* 80 columns: one measure of the two, and the name last, which is seldom longer than 16 digits. */
static void put_line(struct printer *printer, const struct forest *forest, const struct selection *selection,
                     uint32_t dag, double measure)
{
    const struct tdag_row *row = &selection->classes.rows[dag - 1];
    char cell[2][GROUPED_SIZE], name[TDAG_NAME_MAX + 1], value[40];
    *tdag_put_name(forest, &selection->tdags, dag, name) = '\0';
    snprintf(value, sizeof value, "%llu.%08llu", BTC_OF(row->moved_value_sat));
    PRINT(printer, "%6u %11.6f %6s %6s %13s  %-15s %s", (unsigned)dag, measure, grouped(cell[0], row->height),
          grouped(cell[1], row->txs), value, family_name(row->family), name);
    if (selection->labels && printer->status == STATUS_OK) {
        struct label_span span = dag_labels_of(selection->labels, dag);
        char *p = text_room(&printer->text, 2 + address_labels_size(selection->labels->labels, &span));
        if (!p)
            printer->status = STATUS_NOMEM;
        else if (span.count > 0)
            text_end(&printer->text, address_labels_put_text(selection->labels->labels, &span, put_text(p, "  ")));
    }
    PRINT(printer, "\n");
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
    if (classes->rows_count == 0)
        PRINT(&printer, "%s\n", dag_filter_none(settings));
    else
        PRINT(&printer, "T-DAGs by %s, rules %s\n%6s %11s %6s %6s %13s  %-15s %s%s\n", by,
              rules_name(selection->tdags.rules), "dag_id", orderly ? "orderliness" : "automation", "height", "txs",
              "value BTC", "family", "dag", selection->labels ? "               labels" : "");
    for (uint32_t i = 0; i < classes->rows_count && i < top; i++) {
        const struct measures_row *row = &all_measures[ranking[i].dag - 1];
        put_line(&printer, forest, selection, ranking[i].dag, orderly ? row->orderliness : row->automation);
    }
    mem_free(ranking);
    return printer_write(&printer, NULL, fault);
}
