#include "cli/views/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/outfile.h"
#include "cli/output/printer.h"
#include "parser/mem.h"

#define TOP_FALLBACK 10u

struct place {
    double measure;
    uint64_t number;
    uint32_t dag; /* 1.. */
};

static struct place place_of(const char *by, uint32_t dag, const struct tdag_row *row, const struct measures_row *order)
{
    if (strcmp(by, "orderliness") == 0)
        return (struct place){order->orderliness, 0, dag};
    if (strcmp(by, "height") == 0)
        return (struct place){0, row->height, dag};
    if (strcmp(by, "value") == 0)
        return (struct place){0, row->moved_value_sat, dag};
    return (struct place){order->automation, 0, dag};
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->measure != y->measure)
        return x->measure > y->measure ? -1 : 1;
    if (x->number != y->number)
        return x->number > y->number ? -1 : 1;
    return (x->dag > y->dag) - (x->dag < y->dag);
}

static void put_line(struct page *page, const struct forest *forest, uint32_t dag, const struct tdag_row *row,
                     const struct measures_row *order)
{
    char cell[3][GROUPED_SIZE], txid[HASH256_HEX_SIZE + 1] = "", value[40];
    hash256_hex(&forest->txs[row->first_tx].txid, txid);
    snprintf(value, sizeof value, "%llu.%08llu", BTC_OF(row->moved_value_sat));
    PRINT(page, "%9u %10.6f %11.6f %9s %9s %12s %20s %9u  %-16s  %.16s\n", (unsigned)dag, order->automation,
          order->orderliness, grouped(cell[0], row->height), grouped(cell[1], row->txs), grouped(cell[2], row->nodes),
          value, (unsigned)row->first_height, family_name(row->family), txid);
}

enum status top_print(const struct settings *settings, const struct forest *forest, const struct selection *selection,
                      const struct measures_row *orders, struct fault *fault)
{
    const struct classes *classes = &selection->classes;
    const char *by = settings->order_by ? settings->order_by : "automation";
    uint64_t top = settings->top > 0 ? settings->top : TOP_FALLBACK;
    struct page page = {0};
    struct outfile file = {0};
    struct place *places = mem_alloc(classes->rows_count, sizeof *places);
    if (!places)
        return fault_nomem(fault);
    for (uint32_t d = 0; d < classes->rows_count; d++)
        places[d] = place_of(by, d + 1, &classes->rows[d], &orders[d]);
    if (classes->rows_count > 0)
        qsort(places, classes->rows_count, sizeof *places, compare_places);
    PRINT(&page, "T-DAGs by %s, rules %s\n%9s %10s %11s %9s %9s %12s %20s %9s  %-16s  %s\n", by,
          rules_name(selection->tdags.rules), "dag_id", "automation", "orderliness", "height", "txs", "nodes",
          "value BTC", "block", "family", "first_txid");
    for (uint32_t i = 0; i < classes->rows_count && i < top; i++)
        put_line(&page, forest, places[i].dag, &classes->rows[places[i].dag - 1], &orders[places[i].dag - 1]);
    mem_free(places);
    enum status status = page.status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_open(&file, NULL, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, &page.text, fault);
    outfile_abort(&file);
    text_free(&page.text);
    return status;
}
