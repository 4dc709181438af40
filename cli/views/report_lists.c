#include <stdlib.h>
#include <string.h>

#include "cli/views/html.h"
#include "cli/views/report.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

#define LABELLED_LISTED 200u
#define CLASSES_BY_SIZE 40u
#define LINKS_LISTED 20u

/* ---- what is listed ---- */

/* What puts one T-DAG or class (by its place in the rows) before another. Total: no two are equal. */
typedef bool comes_first(const struct report *report, uint32_t a, uint32_t b);

static bool tdag_is_higher(const struct report *report, uint32_t a, uint32_t b)
{
    const struct tdag_row *rows = report->opened.selection.classes.rows;
    if (rows[a].height != rows[b].height)
        return rows[a].height > rows[b].height;
    if (rows[a].nodes != rows[b].nodes)
        return rows[a].nodes > rows[b].nodes;
    return a < b;
}

static bool tdag_is_larger(const struct report *report, uint32_t a, uint32_t b)
{
    const struct tdag_row *rows = report->opened.selection.classes.rows;
    return rows[a].nodes > rows[b].nodes || (rows[a].nodes == rows[b].nodes && a < b);
}

static bool tdag_moved_more(const struct report *report, uint32_t a, uint32_t b)
{
    const struct tdag_row *rows = report->opened.selection.classes.rows;
    return rows[a].moved_value_sat > rows[b].moved_value_sat ||
           (rows[a].moved_value_sat == rows[b].moved_value_sat && a < b);
}

static bool tdag_is_more_automatic(const struct report *report, uint32_t a, uint32_t b)
{
    double x = report->measures[a].automation, y = report->measures[b].automation;
    return x > y || (x >= y && a < b);
}

static bool class_is_higher(const struct report *report, uint32_t a, uint32_t b)
{
    const struct class_row *rows = report->opened.selection.classes.classes;
    return rows[a].height > rows[b].height || (rows[a].height == rows[b].height && a < b);
}

static bool class_is_larger(const struct report *report, uint32_t a, uint32_t b)
{
    const struct class_row *rows = report->opened.selection.classes.classes;
    return rows[a].nodes > rows[b].nodes || (rows[a].nodes == rows[b].nodes && a < b);
}

/* The first `most` of `count`; returns how many there are. */
static uint32_t find_first(const struct report *report, comes_first *first, uint32_t count, uint32_t *list,
                           uint32_t most)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = found;
        while (at > 0 && first(report, i, list[at - 1]))
            at--;
        if (at == most)
            continue;
        found += found < most;
        memmove(list + at + 1, list + at, (found - 1 - at) * sizeof *list);
        list[at] = i;
    }
    return found;
}

/* The highest and the largest classes, and of the others the most common until the table is full. */
static enum status choose_classes(struct report *report)
{
    uint32_t list[CLASSES_BY_SIZE], count = report->opened.selection.classes.classes_count;
    report->classes_listed = mem_alloc(count, sizeof *report->classes_listed);
    if (!report->classes_listed)
        return STATUS_NOMEM;
    uint32_t found = find_first(report, class_is_higher, count, list, CLASSES_BY_SIZE);
    for (uint32_t i = 0; i < found; i++)
        report->classes_listed[list[i]] |= CLASS_HIGH;
    found = find_first(report, class_is_larger, count, list, CLASSES_BY_SIZE);
    for (uint32_t i = 0; i < found; i++)
        report->classes_listed[list[i]] |= CLASS_LARGE;
    for (uint32_t c = 0; c < count; c++)
        report->classes_listed_count += report->classes_listed[c] != 0;
    for (uint32_t c = 0; c < count; c++) {
        if (report->classes_listed[c] == 0 && report->classes_listed_count == REPORT_CLASSES)
            break;
        report->classes_listed_count += report->classes_listed[c] == 0;
        report->classes_listed[c] |= CLASS_COMMON;
    }
    return STATUS_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

enum status report_choose(struct report *report)
{
    static const struct {
        struct report_list list;
        comes_first *first;
    } lists[REPORT_LISTS] = {
        {{.id = "ordered",
          .title = "The most automatic T-DAGs",
          .caption = "T-DAGs by automation",
          .order = "By automation: how much a programme's work they look like, from 0 to 1 (the manual page unktx-dags "
                   "says what it is the mean of). Small ones easily look so."},
         tdag_is_more_automatic},
        {{.id = "highest",
          .title = "The highest T-DAGs",
          .caption = "T-DAGs by height from the top",
          .order = "By height, then by number of nodes."},
         tdag_is_higher},
        {{.id = "largest",
          .title = "The largest T-DAGs",
          .caption = "T-DAGs by number of nodes from the top",
          .order = "By number of nodes."},
         tdag_is_larger},
        {{.id = "moved",
          .title = "The T-DAGs that moved the most",
          .caption = "T-DAGs by value moved within",
          .order = "By the value of the unknown outputs that were spent within."},
         tdag_moved_more}};
    uint32_t all = 0;
    for (unsigned l = 0; l < REPORT_LISTS; l++) {
        struct report_list *list = &report->lists[l];
        *list = lists[l].list;
        list->count = find_first(report, lists[l].first, report->opened.selection.classes.rows_count, list->dags,
                                 REPORT_LISTED);
        for (uint32_t i = 0; i < list->count; i++)
            report->listed[all++] = ++list->dags[i];
    }
    qsort(report->listed, all, sizeof *report->listed, compare_numbers);
    for (uint32_t i = 0; i < all; i++) {
        if (i == 0 || report->listed[i] != report->listed[report->listed_count - 1])
            report->listed[report->listed_count++] = report->listed[i];
    }
    report_choose_groups(report);
    return choose_classes(report);
}

bool report_lists_tdag(const struct report *report, uint32_t dag)
{
    return bsearch(&dag, report->listed, report->listed_count, sizeof dag, compare_numbers) != NULL;
}

/* ---- what sections share ---- */

void report_put_text(struct report *report, const char *string, size_t size)
{
    html_cut(&report->printer, string, size, REPORT_TEXT);
}

void report_put_names(struct report *report, const struct name_set *names)
{
    char *list = mem_alloc(catalogue_names_size(&report->opened.catalogue) + 1, 1);
    if (!list) {
        report->printer.status = STATUS_NOMEM;
        return;
    }
    report_put_text(report, list, (size_t)(catalogue_put_names(&report->opened.catalogue, names, list) - list));
    mem_free(list);
}

struct label_span report_labels_of(const struct report *report, uint32_t dag)
{
    struct label_span none = {0};
    return report->opened.selection.labels ? dag_labels_of(report->opened.selection.labels, dag) : none;
}

void report_put_labels(struct report *report, const struct label_span *labels)
{
    if (labels->count == 0)
        return;
    char *list = mem_alloc(address_labels_size(&report->opened.labels, labels), 1);
    if (!list) {
        report->printer.status = STATUS_NOMEM;
        return;
    }
    report_put_text(report, list, (size_t)(address_labels_put_text(&report->opened.labels, labels, list) - list));
    mem_free(list);
}

void report_put_tdag(struct report *report, uint32_t dag)
{
    if (report_lists_tdag(report, dag))
        PRINT(&report->printer, "<a href=\"#tdag-%u\">%u</a>", (unsigned)dag, (unsigned)dag);
    else
        PRINT(&report->printer, "%u", (unsigned)dag);
}

void report_put_listed(struct report *report, const uint32_t *dags, uint32_t count)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count && shown < LINKS_LISTED; i++) {
        if (!report_lists_tdag(report, dags[i]))
            continue;
        PRINT(&report->printer, "%s<a href=\"#tdag-%u\">%u</a>", shown ? ", " : "", (unsigned)dags[i],
              (unsigned)dags[i]);
        shown++;
    }
}

void report_put_unlocks(struct report *report, const struct unlock_counts *counts)
{
    uint64_t sum = 0;
    const char *before = "";
    for (unsigned u = 0; u < UNLOCKS; u++)
        sum += counts->of[u];
    for (unsigned u = 0; u < UNLOCKS && !counts->unread; u++) {
        if (counts->of[u] == 0)
            continue;
        PRINT(&report->printer, "%s%s %.1f%%", before, unlock_name((enum unlock_by)u),
              100.0 * (double)counts->of[u] / (double)sum);
        before = ", ";
    }
}

/* ---- lists of T-DAGs ---- */

#define HEADS                                                                                                          \
    "T-DAG|name|family|class|automation|height|nodes|transactions|moved within, BTC|first block|last block|labels"

static void put_row(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    uint32_t class_of = report->held.class_of[dag - 1];
    const struct label_span labels = report_labels_of(report, dag);
    char name[TDAG_NAME_MAX + 1], id[2 * CANON_ID_SIZE + 1] = "";
    *tdag_put_name(&report->opened.forest, &report->opened.selection.tdags, dag, name) = '\0';
    put_hex(id, row->class_id, CANON_ID_SIZE);
    PRINT(printer, "<tr><td class=\"n\">");
    report_put_tdag(report, dag);
    PRINT(printer, "</td><td><code class=\"hash\">%s</code></td><td>%s</td><td>", name, family_name(row->family));
    if (class_of > 0 && report->classes_listed[class_of - 1])
        PRINT(printer, "<a href=\"#class-%u\">%.8s</a>", (unsigned)class_of, id);
    else
        PRINT(printer, "%.8s", id);
    PRINT(printer, "</td><td class=\"n\">%.6f</td>", report->measures[dag - 1].automation);
    html_number(printer, row->height);
    html_number(printer, row->nodes);
    html_number(printer, row->txs);
    PRINT(printer, "<td class=\"n\">%llu.%08llu</td>", BTC_OF(row->moved_value_sat));
    html_number(printer, row->first_height);
    html_number(printer, row->last_height);
    PRINT(printer, "<td>");
    report_put_labels(report, &labels);
    PRINT(printer, "</td></tr>\n");
}

void report_lists(struct report *report)
{
    struct printer *printer = &report->printer;
    for (unsigned l = 0; l < REPORT_LISTS; l++) {
        const struct report_list *list = &report->lists[l];
        html_begin_section(printer, list->id, list->title);
        PRINT(printer, "<p>%s</p>\n", list->order);
        html_begin_table(printer, list->caption, HEADS);
        for (uint32_t i = 0; i < list->count; i++)
            put_row(report, list->dags[i]);
        html_end_table(printer);
        report_source(report, "tdags.csv", "a row for each T-DAG");
        PRINT(printer, "</section>\n");
    }
}

void report_labelled(struct report *report)
{
    struct printer *printer = &report->printer;
    uint32_t labelled = 0, shown = 0, count = report->opened.selection.classes.rows_count;
    char number[GROUPED_SIZE];
    for (uint32_t d = 1; d <= count; d++)
        labelled += report_labels_of(report, d).count > 0;
    if (!report->opened.selection.labels)
        return;
    html_begin_section(printer, "labelled", "Labelled T-DAGs");
    PRINT(printer, "<p>T-DAGs with a label: %s", grouped(number, labelled));
    if (labelled > LABELLED_LISTED)
        PRINT(printer, "; the first %u in the order of the chain are listed", LABELLED_LISTED);
    PRINT(printer, ".</p>\n");
    if (labelled > 0)
        html_begin_table(printer, "T-DAGs with a label", HEADS);
    for (uint32_t d = 1; d <= count && shown < LABELLED_LISTED; d++) {
        if (report_labels_of(report, d).count == 0)
            continue;
        put_row(report, d);
        shown++;
    }
    if (labelled > 0)
        html_end_table(printer);
    report_source(report, "tdags.csv",
                  "a row for each T-DAG, with the column <code>label</code> under the same --labels");
    PRINT(printer, "</section>\n");
}
