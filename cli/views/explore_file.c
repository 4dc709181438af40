#include <stdio.h>

#include "cli/output/partial.h"
#include "cli/views/explore_drawn.h"
#include "cli/views/explore_parts.h"
#include "cli/views/graphfile.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

/* ---- GraphML, GEXF and DOT ---- */

#define LARGE_FILES_MAX 2u /* at the same time */

struct graph {
    struct graphfile_parts parts; /* first */
    struct explore *explore;      /* NULL: it is small, and not counted */
};

static enum status put_graph(void *context, struct text *text)
{
    struct graph *graph = context;
    return graphfile_parts_put(&graph->parts, text);
}

static void end_graph(void *context)
{
    struct graph *graph = context;
    graphfile_parts_free(&graph->parts);
    if (graph->explore) {
        pthread_mutex_lock(&graph->explore->lock);
        graph->explore->large_files--;
        pthread_mutex_unlock(&graph->explore->lock);
    }
    mem_free(graph);
}

/* A large one sorts txids and finds places first, and holds them as long as it is being sent. */
static enum status begin_large(struct explore *explore, struct fault *fault)
{
    pthread_mutex_lock(&explore->lock);
    bool free = explore->large_files < LARGE_FILES_MAX;
    explore->large_files += free;
    pthread_mutex_unlock(&explore->lock);
    if (free)
        return STATUS_OK;
    return fault_set(fault, STATUS_BUSY, NULL, FAULT_NO_OFFSET,
                     "Other large T-DAGs are being saved: ask again in a moment.");
}

static enum status begin_graph(struct explore_request *request, uint32_t dag, enum graphfile_format format,
                               struct fault *fault)
{
    const struct tdags *tdags = &request->tdags->tdags;
    bool large = tdags->first[dag] - tdags->first[dag - 1] >= EXPLORE_LARGE_TXS;
    struct graph *graph = mem_alloc(1, sizeof *graph);
    enum status status = !graph ? fault_nomem(fault) : large ? begin_large(request->explore, fault) : STATUS_OK;
    if (status != STATUS_OK) {
        mem_free(graph);
        return status;
    }
    *graph = (struct graph){.parts = {.file.format = format,
                                      .forest = &request->explore->opened.forest,
                                      .tdags = tdags,
                                      .dag = dag,
                                      .row = explore_row(request->tdags, dag)},
                            .explore = large ? request->explore : NULL};
    request->answer->part = put_graph;
    request->answer->end = end_graph;
    request->answer->context = graph;
    return STATUS_OK;
}

/* ---- rows of the tables ---- */

#define PART_TXS 256u

struct rows {
    struct table_rows from;
    const uint32_t *members;
    uint32_t count;
    uint32_t next;
    const struct explore_rules *tdags;
    bool arcs;
};

/* Some hundred transactions may have no arc, and a part without bytes is the end. */
static enum status put_rows(void *context, struct text *text)
{
    struct rows *rows = context;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; rows->next < rows->count && status == STATUS_OK && (i < PART_TXS || text->size == 0); i++) {
        uint32_t number = rows->members[rows->next++];
        status = rows->arcs ? tables_put_arcs(text, &rows->from, number)
                            : tables_put_tx(text, &rows->from, number, explore_depth(rows->tdags, number));
    }
    return status;
}

static enum status begin_rows(struct explore_request *request, uint32_t dag, bool arcs, struct fault *fault)
{
    const struct tdags *tdags = &request->tdags->tdags;
    struct rows *rows = mem_alloc(1, sizeof *rows);
    if (!rows ||
        schema_put_header(&request->page.text, arcs ? &schema_arcs : &schema_txs, partial_flag()) != STATUS_OK) {
        mem_free(rows);
        return fault_nomem(fault);
    }
    *rows = (struct rows){.from = {.forest = &request->explore->opened.forest,
                                   .tdags = tdags,
                                   .catalogue = &request->explore->opened.catalogue},
                          .members = tdags->members + tdags->first[dag - 1],
                          .count = tdags->first[dag] - tdags->first[dag - 1],
                          .tdags = request->tdags,
                          .arcs = arcs};
    request->answer->part = put_rows;
    request->answer->end = mem_free;
    request->answer->context = rows;
    return STATUS_OK;
}

static enum status put_svg(struct explore_request *request, uint32_t dag, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    const struct tdags *tdags = &request->tdags->tdags;
    const struct drawing_scope scope = drawing_of_tdag(forest, tdags, dag);
    struct explore_drawn *made;
    enum status status = explore_drawn_get(request->explore, dag, "", &scope, &made, fault);
    if (status == STATUS_OK)
        status = svg_file(&request->page, forest, tdags, dag, explore_drawn_drawing(made), fault);
    explore_drawn_leave(request->explore, made);
    return status;
}

static enum status begin(struct explore_request *request, uint32_t dag, unsigned which, struct fault *fault)
{
    switch (which) {
    case 0: return put_svg(request, dag, fault);
    case 1: return begin_graph(request, dag, GRAPHFILE_GRAPHML, fault);
    case 2: return begin_graph(request, dag, GRAPHFILE_DOT, fault);
    case 3: return begin_graph(request, dag, GRAPHFILE_GEXF, fault);
    default: return begin_rows(request, dag, which == 5, fault);
    }
}

enum status explore_put_file(struct explore_request *request, uint32_t dag, const char *end, struct fault *fault)
{
    static const struct {
        const char *end;
        const char *type;
    } files[] = {{"svg", "image/svg+xml"},
                 {"graphml", "application/xml"},
                 {"dot", "text/vnd.graphviz; charset=utf-8"},
                 {"gexf", "application/xml"},
                 {"txs.csv", "text/csv; charset=utf-8; header=present"},
                 {"arcs.csv", "text/csv; charset=utf-8; header=present"}};
    unsigned which = 0;
    char name[TDAG_NAME_MAX + 1];
    while (which < sizeof files / sizeof *files && strcmp(files[which].end, end) != 0)
        which++;
    if (which == sizeof files / sizeof *files)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "A T-DAG can be saved as svg, graphml, gexf, dot, txs.csv and arcs.csv.");
    enum status status = begin(request, dag, which, fault);
    if (status != STATUS_OK)
        return status;
    *tdag_put_name(&request->explore->opened.forest, &request->tdags->tdags, dag, name) = '\0';
    request->answer->type = files[which].type;
    snprintf(request->answer->file, sizeof request->answer->file, "tdag-%s.%s", name, files[which].end);
    return STATUS_OK;
}
