#include <stdio.h>

#include "cli/inputs/prefix.h"
#include "cli/views/explore_drawn.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"

/* ---- order ---- */

/* In the order of enum explore_class_order. */
static const struct {
    const char *name; /* as in classes.csv */
    const char *head;
} orders[EXPLORE_CLASS_ORDERS] = {{"tdags", "T-DAGs"}, {"height", "height"}, {"nodes", "nodes"},
                                  {"edges", "edges"},  {"roots", "roots"},   {"txs", "transactions"}};

static enum explore_class_order order_of(const struct explore_request *request)
{
    const char *sort = target_get(request->target, "sort");
    size_t order = 0;
    while (sort && order < EXPLORE_CLASS_ORDERS && strcmp(orders[order].name, sort) != 0)
        order++;
    return order < EXPLORE_CLASS_ORDERS ? (enum explore_class_order)order : BY_TDAGS;
}

static bool is_of_family(const struct explore_request *request, const struct class_row *row)
{
    const char *family = target_get(request->target, "family");
    return !family || !*family || strcmp(family, family_name(row->family)) == 0;
}

static uint32_t count_of_family(const struct explore_request *request)
{
    const struct explore_class_table *classes = &request->tdags->classes;
    uint32_t count = 0;
    for (uint32_t i = 0; i < classes->count; i++)
        count += is_of_family(request, &classes->rows[i]);
    return count;
}

/* ---- the table ---- */

static void put_heads(struct explore_request *request)
{
    struct printer *page = &request->page;
    enum explore_class_order order = order_of(request);
    const char *family = target_get(request->target, "family");
    PRINT(page,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Classes\"><table class=\"sticky\">\n"
          "<caption>Isomorphism classes, the most %s first</caption>\n<thead><tr><th scope=\"col\">class</th><th "
          "scope=\"col\">family</th>",
          orders[order].head);
    for (unsigned i = 0; i < EXPLORE_CLASS_ORDERS; i++) {
        PRINT(page, "<th scope=\"col\"%s><a href=\"?", i == order ? " aria-sort=\"descending\"" : "");
        if (family && *family) {
            PRINT(page, "family=");
            html_escaped(page, family, strlen(family));
            PRINT(page, "&amp;");
        }
        PRINT(page, "sort=%s\">%s</a></th>", orders[i].name, orders[i].head);
    }
    PRINT(page, "<th scope=\"col\">first T-DAG</th><th scope=\"col\">known scripts</th></tr></thead>\n<tbody>\n");
}

static void put_row(struct explore_request *request, uint32_t number)
{
    struct printer *page = &request->page;
    const struct class_row *row = &request->tdags->classes.rows[number];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_class(request, row->class_id, row->exact, 16);
    PRINT(page, "</th><td>%s</td>", family_name(row->family));
    for (unsigned i = 0; i < EXPLORE_CLASS_ORDERS; i++)
        html_number(page, explore_class_key(row, (enum explore_class_order)i));
    PRINT(page, "<td>");
    explore_put_tdag(request, row->first_dag);
    PRINT(page, "</td><td class=\"names\">");
    explore_put_names(request, &request->tdags->classes.names[number], EXPLORE_NAMES_MOST);
    PRINT(page, "</td></tr>\n");
}

static void put_families(struct explore_request *request)
{
    struct printer *page = &request->page;
    const char *asked = target_get(request->target, "family");
    bool all = !asked || !*asked;
    PRINT(page,
          "<nav aria-label=\"Families\"><ul class=\"pager\"><li><a href=\"/%s/classes\"%s>all families</a></li>\n",
          rules_name(request->rules), all ? " aria-current=\"true\"" : "");
    for (unsigned f = 0; f < FAMILIES; f++) {
        const char *name = family_name((enum family)f);
        PRINT(page, "<li><a href=\"/%s/classes?family=%s\"%s>%s</a></li>\n", rules_name(request->rules), name,
              !all && strcmp(asked, name) == 0 ? " aria-current=\"true\"" : "", name);
    }
    PRINT(page, "</ul></nav>\n");
}

/* The rows of one page: those of the family, in order. */
static void put_rows(struct explore_request *request, uint64_t page)
{
    const struct explore_class_table *classes = &request->tdags->classes;
    const uint32_t *order = classes->orders[order_of(request)];
    uint64_t first = (page - 1) * EXPLORE_ROWS, end = first + EXPLORE_ROWS, at = 0;
    for (uint32_t i = 0; i < classes->count && at < end; i++) {
        if (!is_of_family(request, &classes->rows[order[i]]))
            continue;
        if (at++ >= first)
            put_row(request, order[i]);
    }
}

enum status explore_classes(struct explore_request *request, struct fault *fault)
{
    char number[GROUPED_SIZE];
    uint32_t count = count_of_family(request);
    uint64_t page = explore_page_number(request, "page", count);
    (void)fault;
    explore_begin_page(request, "Classes");
    PRINT(&request->page, "<p>Two T-DAGs are in one class if they are isomorphic. Classes: %s.</p>\n",
          grouped(number, count));
    put_families(request);
    put_heads(request);
    put_rows(request, page);
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
    const char *family = target_get(request->target, "family");
    bool is_one = family && *family && count > 0; /* else it may be none */
    explore_put_command(request, TAKES_ALL, "dags%s%s -o FOLDER", is_one ? " --family " : "", is_one ? family : "");
    explore_end_page(request);
    return STATUS_OK;
}

/* ---- one class ---- */

static enum status find_class(const struct explore_request *request, const char *word, uint32_t *number,
                              struct fault *fault)
{
    struct prefix prefix;
    size_t size = strcspn(word, "?");
    uint32_t end = 0;
    *number = 0;
    if (size <= 2 * CANON_ID_SIZE && prefix_parse(word, size, &prefix))
        explore_class_find(&request->tdags->classes, &prefix, number, &end);
    if (end == *number + 1)
        return STATUS_OK;
    return fault_set(fault, end > *number ? STATUS_REFUSED : STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     end > *number ? "Several classes of %s begin with %.80s: give more digits."
                                   : "There is no class of %s that begins with %.80s.",
                     rules_name(request->rules), word);
}

/* Where another rule set has no T-DAG of the class, its menu leads to all classes. */
static void set_menu(struct explore_request *request, const struct class_row *class)
{
    request->instead = "classes";
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        request->missing[r] = explore_is_ready(request->explore, (enum rules)r) &&
                              !explore_class_has(&request->explore->rules[r].classes, class->class_id);
}

#define MEMBERS_SHOWN 20u

static void put_members(struct explore_request *request, uint32_t number)
{
    struct printer *page = &request->page;
    const struct explore_class_table *classes = &request->tdags->classes;
    const struct class_row *class = &classes->rows[number];
    char time[CHART_TIME_SIZE], id[2 * CANON_ID_SIZE + 1] = "", count[GROUPED_SIZE];
    explore_begin_table(request, "The first of its T-DAGs; values in BTC, times in UTC",
                        "T-DAG|first block|first time|value moved");
    for (uint32_t i = 0; i < class->tdags && i < MEMBERS_SHOWN; i++) {
        uint32_t dag = classes->dags[classes->first[number] + i];
        const struct tdag_row *row = explore_row(request->tdags, dag);
        PRINT(page, "<tr><th scope=\"row\">");
        explore_put_tdag(request, dag);
        PRINT(page, "</th><td class=\"n\">");
        explore_put_block(request, row->first_height);
        PRINT(page, "</td><td class=\"n\">%s</td><td class=\"n\">%llu.%08llu</td></tr>\n",
              chart_time(time, row->first_time), BTC_OF(row->moved_value_sat));
    }
    explore_end_table(request);
    put_hex(id, class->class_id, CANON_ID_SIZE);
    PRINT(page, "<p><a href=\"/%s/tdags?class=%s\">All of them (%s)</a>, to sort and to filter.</p>\n",
          rules_name(request->rules), id, grouped(count, class->tdags));
}

/* What stands for several transactions leads to where it can be opened: the page of the T-DAG. */
static enum status put_drawing(struct explore_request *request, uint32_t dag, struct fault *fault)
{
    char tx[48], open[EXPLORE_TDAG_SIZE + 32], address[EXPLORE_TDAG_SIZE];
    struct drawing_scope scope = drawing_of_tdag(&request->explore->opened.forest, &request->tdags->tdags, dag);
    struct explore_drawn *made = NULL;
    enum status status = explore_drawn_get(request->explore, dag, "", &scope, &made, fault);
    if (status == STATUS_BUSY)
        PRINT(&request->page, "<p class=\"loading\" role=\"status\">The drawing is being made. <a href=\"\">Ask "
                              "again</a></p>\n");
    if (status != STATUS_OK)
        return status == STATUS_BUSY ? STATUS_OK : status;
    scope.made = explore_drawn_drawing(made);
    snprintf(tx, sizeof tx, "/%s/tx/", rules_name(request->rules));
    snprintf(open, sizeof open, "/%s/%s?open=", rules_name(request->rules),
             explore_tdag_address(request, dag, address));
    status = svg_part(&request->page, &scope, &svg_large, "The first T-DAG of the class.",
                      &(struct svg_links){.tx = tx, .open = open, .open_end = "#drawing"}, fault);
    explore_drawn_leave(request->explore, made);
    return status;
}

enum status explore_class(struct explore_request *request, struct fault *fault)
{
    struct printer *page = &request->page;
    uint32_t number = 0;
    char id[2 * CANON_ID_SIZE + 1] = "", title[64];
    enum status status = find_class(request, request->rest + strlen("class/"), &number, fault);
    if (status != STATUS_OK)
        return status;
    const struct class_row *class = &request->tdags->classes.rows[number];
    set_menu(request, class);
    put_hex(id, class->class_id, CANON_ID_SIZE);
    snprintf(title, sizeof title, "Class %s%s", id, class->exact ? "" : "?");
    explore_begin_page(request, title);
    PRINT(page, "<p>Family <a href=\"/%s/classes?family=%s\">%s</a>.%s</p>\n<dl>\n", rules_name(request->rules),
          family_name(class->family), family_name(class->family),
          class->exact ? "" : " It could not be decided: T-DAGs that share this id may differ.");
    for (unsigned i = 0; i < EXPLORE_CLASS_ORDERS; i++)
        html_fact(page, orders[i].head, explore_class_key(class, (enum explore_class_order)i));
    PRINT(page,
          "<div><dt>log10 of symmetries</dt><dd>%.2f</dd></div>\n</dl>\n<h2 id=\"drawing\">Its first T-DAG</h2>\n",
          class->automorphisms_log10);
    explore_begin_drawing(request);
    status = put_drawing(request, class->first_dag, fault);
    PRINT(page, "</div>\n");
    PRINT(page, "<h2>T-DAGs</h2>\n");
    put_members(request, number);
    explore_put_command(request, TAKES_ALL, "show --class %s", id);
    explore_end_page(request);
    return status;
}
