#include "cli/views/html.h"
#include "cli/views/report.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"

/* Bytes of all drawings of the table. */
#define DRAWINGS_MOST 600000u

/* Those of its T-DAGs that have an article. */
static void put_listed_of(struct report *report, uint32_t class)
{
    const char *before = "";
    for (uint32_t i = 0; i < report->listed_count; i++) {
        if (report->held.class_of[report->listed[i] - 1] != class + 1)
            continue;
        PRINT(&report->printer, "%s", before);
        report_put_tdag(report, report->listed[i]);
        before = ", ";
    }
}

static enum status put_drawing(struct report *report, uint32_t dag, size_t *drawn, struct fault *fault)
{
    const struct drawing_scope scope = drawing_of_tdag(&report->opened.forest, &report->opened.selection.tdags, dag);
    size_t before = report->printer.text.size;
    if (*drawn >= DRAWINGS_MOST) {
        PRINT(&report->printer, "<small>left out, since the page would get too large</small>");
        return STATUS_OK;
    }
    enum status status = svg_part(&report->printer, &scope, &svg_small, "The first T-DAG of the class.", NULL, fault);
    *drawn += report->printer.text.size - before;
    return status;
}

static void put_reasons(struct report *report, uint8_t reasons)
{
    PRINT(&report->printer, "<td>%s%s%s%s%s</td>", reasons & CLASS_COMMON ? "common" : "",
          reasons & CLASS_COMMON && reasons & CLASS_HIGH ? ", " : "", reasons & CLASS_HIGH ? "high" : "",
          reasons & (CLASS_COMMON | CLASS_HIGH) && reasons & CLASS_LARGE ? ", " : "",
          reasons & CLASS_LARGE ? "large" : "");
}

static enum status put_class(struct report *report, uint32_t number, size_t *drawn, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct class_row *row = &report->opened.selection.classes.classes[number];
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->exact);
    PRINT(printer, "<tr id=\"class-%u\"><td class=\"drawn\">", (unsigned)number + 1);
    enum status status = put_drawing(report, row->first_dag, drawn, fault);
    if (status != STATUS_OK)
        return status;
    PRINT(printer, "</td>");
    html_number(printer, row->tdags);
    html_number(printer, row->height);
    html_number(printer, row->nodes);
    html_number(printer, row->edges);
    html_number(printer, row->roots);
    html_number(printer, row->txs);
    PRINT(printer, "<td>%s</td><td><code class=\"hash\">%s</code></td><td class=\"n\">", family_name(row->family), id);
    report_put_tdag(report, row->first_dag);
    PRINT(printer, "</td><td class=\"names\">");
    report_put_names(report, &report->held.classes[number]);
    PRINT(printer, "</td><td>");
    put_listed_of(report, number);
    PRINT(printer, "</td>");
    put_reasons(report, report->classes_listed[number]);
    PRINT(printer, "</tr>\n");
    return STATUS_OK;
}

enum status report_classes(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct classes *classes = &report->opened.selection.classes;
    char number[2][GROUPED_SIZE];
    enum status status = STATUS_OK;
    size_t drawn = 0;
    html_begin_section(printer, "classes", "Classes of T-DAGs");
    PRINT(printer,
          "<p>Two T-DAGs are in one class if they are isomorphic. T-DAGs: %s; classes: %s. Each has a drawing of its "
          "first T-DAG%s; the column <i>first</i> has that one's number.</p>\n",
          grouped(number[0], classes->rows_count), grouped(number[1], classes->classes_count),
          report->settings->compress ? ", which shows it without compression" : "");
    if (report->classes_listed_count < classes->classes_count)
        PRINT(printer,
              "<p><b>%s of %s classes</b>: the most common, the highest and the largest, which the last column tells. "
              "classes.csv has all.</p>\n",
              grouped(number[0], report->classes_listed_count), grouped(number[1], classes->classes_count));
    svg_legend(printer);
    html_begin_table(printer, "Isomorphism classes",
                     "-drawing|T-DAGs|height|nodes|edges|roots|transactions|family|class|first|known scripts|T-DAGs "
                     "listed here|in the table as");
    for (uint32_t i = 0; i < classes->classes_count && status == STATUS_OK; i++) {
        if (report->classes_listed[i])
            status = put_class(report, i, &drawn, fault);
    }
    html_end_table(printer);
    report_source(report, "classes.csv",
                  "a row for each class; the drawings from <code>txs.csv</code>, "
                  "<code>arcs.csv</code> and <code>leaves.csv</code>");
    PRINT(printer, "</section>\n");
    return status;
}
