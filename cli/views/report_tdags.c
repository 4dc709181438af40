#include <stdio.h>

#include "cli/views/html.h"
#include "cli/views/report.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "cli/views/tdag_times.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

#define CLASSES_DRAWN 200u
#define LABELLED_LISTED 200u
#define TDAGS_LISTED 9u

/* ---- classes ---- */

static void put_scripts(struct report *report, const struct name_set *names)
{
    char *list = mem_alloc(catalogue_names_size(&report->opened.catalogue) + 1, 1);
    if (!list) {
        report->printer.status = STATUS_NOMEM;
        return;
    }
    size_t size = (size_t)(catalogue_put_names(&report->opened.catalogue, names, list) - list);
    html_escaped(&report->printer, list, size);
    mem_free(list);
}

static enum status put_class(struct report *report, uint32_t number, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct class_row *row = &report->opened.selection.classes.classes[number];
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->exact);
    PRINT(printer, "<tr><td class=\"drawn\">");
    const struct drawing_scope scope = drawing_of_tdag(&report->opened.forest, &report->opened.selection.tdags,
                                                       row->first_dag);
    enum status status = svg_part(printer, &scope, &svg_small, "The first T-DAG of the class.", NULL, fault);
    if (status != STATUS_OK)
        return status;
    PRINT(printer, "</td>");
    html_number(printer, row->tdags);
    html_number(printer, row->height);
    html_number(printer, row->nodes);
    html_number(printer, row->edges);
    html_number(printer, row->roots);
    html_number(printer, row->txs);
    PRINT(printer, "<td>%s</td><td><code class=\"hash\">%s</code></td>", family_name(row->family), id);
    html_number(printer, row->first_dag);
    PRINT(printer, "<td class=\"names\">");
    put_scripts(report, &report->held.classes[number]);
    PRINT(printer, "</td></tr>\n");
    return STATUS_OK;
}

enum status report_classes(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct classes *classes = &report->opened.selection.classes;
    char number[2][GROUPED_SIZE];
    enum status status = STATUS_OK;
    uint32_t shown = classes->classes_count < CLASSES_DRAWN ? classes->classes_count : CLASSES_DRAWN;
    html_begin_section(printer, "classes", "Classes of T-DAGs");
    PRINT(printer,
          "<p>Two T-DAGs are in one class if they are isomorphic. T-DAGs: %s; classes: %s. The most common "
          "come first, each with a drawing of its first T-DAG%s. The column <i>first</i> has that one's number.</p>\n",
          grouped(number[0], classes->rows_count), grouped(number[1], classes->classes_count),
          report->settings->compress ? ", which shows it without compression" : "");
    svg_legend(printer);
    html_begin_table(printer, "Isomorphism classes",
                     "-drawing|T-DAGs|height|nodes|edges|roots|transactions|family|class|first|known scripts");
    for (uint32_t i = 0; i < shown && status == STATUS_OK; i++)
        status = put_class(report, i, fault);
    html_end_table(printer);
    if (shown < classes->classes_count)
        PRINT(printer, "<p>%s more classes are in classes.csv only.</p>\n",
              grouped(number[0], classes->classes_count - shown));
    html_source(printer, "classes.csv",
                "a row for each class; the drawings from <code>txs.csv</code>, "
                "<code>arcs.csv</code> and <code>leaves.csv</code>");
    PRINT(printer, "</section>\n");
    return status;
}

/* ---- lists of T-DAGs ---- */

/* What puts one T-DAG (by its place in the rows) before another. Total: no two are equal. */
typedef bool comes_first(const struct report *report, uint32_t a, uint32_t b);

static bool is_higher(const struct report *report, uint32_t a, uint32_t b)
{
    const struct tdag_row *rows = report->opened.selection.classes.rows;
    if (rows[a].height != rows[b].height)
        return rows[a].height > rows[b].height;
    if (rows[a].nodes != rows[b].nodes)
        return rows[a].nodes > rows[b].nodes;
    return a < b;
}

static bool is_more_automatic(const struct report *report, uint32_t a, uint32_t b)
{
    double x = report->measures[a].automation, y = report->measures[b].automation;
    return x > y || (x >= y && a < b);
}

static uint32_t find_first(const struct report *report, comes_first *first, uint32_t list[TDAGS_LISTED])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < report->opened.selection.classes.rows_count; i++) {
        uint32_t at = count;
        while (at > 0 && first(report, i, list[at - 1]))
            at--;
        if (at == TDAGS_LISTED)
            continue;
        count += count < TDAGS_LISTED;
        memmove(list + at + 1, list + at, (count - 1 - at) * sizeof *list);
        list[at] = i;
    }
    return count;
}

/* Those of --labels. */
static struct label_span labels_of(const struct report *report, uint32_t dag)
{
    struct label_span none = {0};
    return report->opened.selection.labels ? dag_labels_of(report->opened.selection.labels, dag) : none;
}

/* The labels of a T-DAG, between two texts; nothing where it has none. */
static void put_labels(struct report *report, uint32_t dag, const char *before, const char *after)
{
    const struct dag_labels *labels = report->opened.selection.labels;
    struct label_span span = labels_of(report, dag);
    if (span.count == 0)
        return;
    char *list = mem_alloc(address_labels_size(labels->labels, &span), 1);
    if (!list) {
        report->printer.status = STATUS_NOMEM;
        return;
    }
    size_t size = (size_t)(address_labels_put_text(labels->labels, &span, list) - list);
    PRINT(&report->printer, "%s", before);
    html_escaped(&report->printer, list, size);
    PRINT(&report->printer, "%s", after);
    mem_free(list);
}

static enum status put_tdag(struct report *report, const char *list, uint32_t dag, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    const struct drawing_scope scope = drawing_of_tdag(&report->opened.forest, &report->opened.selection.tdags, dag);
    char txid[HASH256_HEX_SIZE + 1] = "";
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&report->opened.forest, &report->opened.selection.tdags, dag, name) = '\0';
    hash256_hex(&report->opened.forest.txs[row->first_tx].txid, txid);
    PRINT(printer, "<article aria-labelledby=\"%s-%u\">\n<h3 id=\"%s-%u\">T-DAG %u, %s: %s</h3>\n<dl>\n", list,
          (unsigned)dag, list, (unsigned)dag, (unsigned)dag, name, family_name(row->family));
    PRINT(printer, "<div><dt>automation</dt><dd>%.6f</dd></div>\n<div><dt>orderliness</dt><dd>%.6f</dd></div>\n",
          report->measures[dag - 1].automation, report->measures[dag - 1].orderliness);
    html_fact(printer, "height", row->height);
    html_fact(printer, "nodes", row->nodes);
    html_fact(printer, "edges", row->edges);
    html_fact(printer, "roots", row->roots);
    html_fact(printer, "transactions", row->txs);
    html_value(printer, "value of the roots", row->root_value_sat);
    html_value(printer, "moved within", row->moved_value_sat);
    html_value(printer, "left in leaves", row->leaf_value_sat);
    put_labels(report, dag, "<div><dt>labels</dt><dd>", "</dd></div>\n");
    PRINT(printer, "</dl>\n<p>Blocks %u to %u; the first transaction is <code class=\"hash\">%s</code>.</p>\n",
          (unsigned)row->first_height, (unsigned)row->last_height, txid);
    enum status status = tdag_times_put(printer, &report->opened.forest, &report->opened.selection.tdags, dag);
    PRINT(printer,
          "<details><summary>Drawing</summary>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" "
          "aria-label=\"Drawing of T-DAG %u\">",
          (unsigned)dag);
    if (status == STATUS_OK)
        status = svg_part(printer, &scope, &svg_medium, "", NULL, fault);
    PRINT(printer, "</div>\n</details>\n</article>\n");
    return status;
}

static enum status put_list(struct report *report, const char *id, const char *title, const char *order,
                            comes_first *first, struct fault *fault)
{
    uint32_t list[TDAGS_LISTED];
    uint32_t count = find_first(report, first, list);
    enum status status = STATUS_OK;
    html_begin_section(&report->printer, id, title);
    PRINT(&report->printer,
          "<p>%s In the time lines, a line stands for the transactions of that moment, as high as the "
          "largest value that one of them pays out.</p>\n<div class=\"charts\">\n",
          order);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_tdag(report, id, list[i] + 1, fault);
    PRINT(&report->printer, "</div>\n");
    html_source(&report->printer, "tdags.csv",
                "a row for each T-DAG; the time lines from <code>txs.csv</code>, "
                "<code>height</code> and <code>value_out_sat</code>");
    PRINT(&report->printer, "</section>\n");
    return status;
}

static void put_labelled_row(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&report->opened.forest, &report->opened.selection.tdags, dag, name) = '\0';
    PRINT(printer, "<tr>");
    html_number(printer, dag);
    PRINT(printer, "<td><code class=\"hash\">%s</code></td><td>%s</td>", name, family_name(row->family));
    html_number(printer, row->txs);
    html_number(printer, row->height);
    html_number(printer, row->first_height);
    html_number(printer, row->last_height);
    PRINT(printer, "<td class=\"n\">" BTC "</td>", BTC_OF(row->moved_value_sat));
    put_labels(report, dag, "<td>", "</td></tr>\n");
}

void report_labelled(struct report *report)
{
    struct printer *printer = &report->printer;
    uint32_t labelled = 0, shown = 0, count = report->opened.selection.classes.rows_count;
    char number[GROUPED_SIZE];
    if (!report->opened.selection.labels)
        return;
    for (uint32_t d = 1; d <= count; d++)
        labelled += labels_of(report, d).count > 0;
    html_begin_section(printer, "labelled", "Labelled T-DAGs");
    PRINT(printer, "<p>T-DAGs with a label: %s", grouped(number, labelled));
    if (labelled > LABELLED_LISTED)
        PRINT(printer, "; the first %u in the order of the chain are listed", LABELLED_LISTED);
    PRINT(printer, ".</p>\n");
    if (labelled > 0)
        html_begin_table(printer, "Labelled T-DAGs",
                         "number|name|family|transactions|height|first block|last block|moved within|labels");
    for (uint32_t d = 1; d <= count && shown < LABELLED_LISTED; d++) {
        if (labels_of(report, d).count == 0)
            continue;
        put_labelled_row(report, d);
        shown++;
    }
    if (labelled > 0)
        html_end_table(printer);
    html_source(printer, "tdags.csv",
                "a row for each T-DAG, with the column <code>label</code> under the same --labels");
    PRINT(printer, "</section>\n");
}

enum status report_lists(struct report *report, struct fault *fault)
{
    enum status status = put_list(
        report, "ordered", "The most ordered T-DAGs",
        "By automation: how much a programme's work they look like, from 0 to 1 "
        "(the manual page unktx-dags says what it is the mean of). Small ones easily look so.",
        is_more_automatic, fault);
    if (status == STATUS_OK)
        status = put_list(report, "highest", "The highest T-DAGs", "By height, then by number of nodes.", is_higher,
                          fault);
    return status;
}
