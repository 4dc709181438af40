#include <stdio.h>

#include "cli/inputs/prefix.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "parser/mem.h"
#include "parser/sort.h"

/* ---- order ---- */

/* By what the table of classes can be sorted. */
static const struct {
    const char *name; /* as in classes.csv */
    const char *head;
} orders[] = {{"tdags", "T-DAGs"}, {"height", "height"}, {"nodes", "nodes"},
              {"edges", "edges"},  {"roots", "roots"},   {"txs", "transactions"}};
#define ORDERS (sizeof orders / sizeof *orders)

static uint64_t key_of(const struct class_row *row, size_t order)
{
    const uint64_t keys[ORDERS] = {row->tdags, row->height, row->nodes, row->edges, row->roots, row->txs};
    return keys[order];
}

static size_t order_of(const struct explore_request *request)
{
    const char *sort = target_get(request->target, "sort");
    size_t order = 0;
    while (sort && order < ORDERS && strcmp(orders[order].name, sort) != 0)
        order++;
    return order < ORDERS ? order : 0;
}

struct keyed {
    uint64_t key;
    uint32_t number;
};

static bool is_of_family(const struct explore_request *request, const struct class_row *row)
{
    const char *family = target_get(request->target, "family");
    return !family || !*family || strcmp(family, family_name(row->family)) == 0;
}

/* The classes of the family in order, the most first; how many they are. */
static struct keyed *sort_classes(const struct explore_request *request, struct keyed *list, struct keyed *spare,
                                  uint32_t *count)
{
    const struct explore_rules *classes = request->tdags;
    size_t order = order_of(request);
    *count = 0;
    for (uint32_t i = 0; i < classes->classes_count; i++) {
        if (is_of_family(request, &classes->classes[i]))
            list[(*count)++] = (struct keyed){~key_of(&classes->classes[i], order), i};
    }
    return sort_by_key(list, spare, *count, sizeof *list);
}

/* ---- the table ---- */

static void put_heads(struct explore_request *request)
{
    struct printer *page = &request->page;
    size_t order = order_of(request);
    const char *family = target_get(request->target, "family");
    PRINT(page,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Classes\"><table class=\"sticky\">\n"
          "<caption>Isomorphism classes, the most %s first</caption>\n<thead><tr><th scope=\"col\">class</th><th "
          "scope=\"col\">family</th>",
          orders[order].head);
    for (size_t i = 0; i < ORDERS; i++) {
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
    const struct class_row *row = &request->tdags->classes[number];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_class(request, row->class_id, row->exact, 16);
    PRINT(page, "</th><td>%s</td>", family_name(row->family));
    for (size_t i = 0; i < ORDERS; i++)
        html_number(page, key_of(row, i));
    PRINT(page, "<td>");
    explore_put_tdag(request, row->first_dag);
    PRINT(page, "</td><td class=\"names\">");
    explore_put_names(request, &request->tdags->class_names[number]);
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

enum status explore_classes(struct explore_request *request, struct fault *fault)
{
    const struct explore_rules *classes = request->tdags;
    struct keyed *list = mem_alloc(classes->classes_count, sizeof *list);
    struct keyed *spare = mem_alloc(classes->classes_count, sizeof *list);
    char number[GROUPED_SIZE];
    uint32_t count;
    if (list && spare) {
        const struct keyed *sorted = sort_classes(request, list, spare, &count);
        uint64_t page = explore_page_number(request, "page", count);
        explore_begin_page(request, "Classes");
        PRINT(&request->page, "<p>Two T-DAGs are in one class if they are isomorphic. Classes: %s.</p>\n",
              grouped(number, count));
        put_families(request);
        put_heads(request);
        for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < page * EXPLORE_ROWS && i < count; i++)
            put_row(request, sorted[i].number);
        explore_end_table(request);
        explore_put_pager(request, "page", page, count);
        explore_put_command(request, TAKES_ALL, "dags -o FOLDER");
        explore_end_page(request);
    }
    mem_free(list);
    mem_free(spare);
    return list && spare ? STATUS_OK : fault_nomem(fault);
}

/* ---- one class ---- */

static enum status find_class(const struct explore_request *request, const char *word, uint32_t *number,
                              struct fault *fault)
{
    const struct explore_rules *classes = request->tdags;
    struct prefix prefix;
    size_t size = strcspn(word, "?");
    uint32_t found = 0;
    bool good = size <= 2 * CANON_ID_SIZE && prefix_parse(word, size, &prefix);
    for (uint32_t i = 0; good && i < classes->classes_count; i++) {
        char id[2 * CANON_ID_SIZE + 1] = "";
        put_hex(id, classes->classes[i].class_id, CANON_ID_SIZE);
        if (!prefix_is_of(&prefix, id))
            continue;
        *number = i;
        found++;
    }
    if (found == 1)
        return STATUS_OK;
    return fault_set(fault, found ? STATUS_REFUSED : STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     found ? "Several classes of %s begin with %.80s: give more digits."
                           : "There is no class of %s that begins with %.80s.",
                     rules_name(request->rules), word);
}

static bool has_class(const struct explore_rules *classes, const uint8_t id[CANON_ID_SIZE])
{
    uint32_t i = 0;
    while (i < classes->classes_count && memcmp(classes->classes[i].class_id, id, CANON_ID_SIZE) != 0)
        i++;
    return i < classes->classes_count;
}

/* Where another rule set has no T-DAG of the class, its menu leads to all classes. */
static void set_menu(struct explore_request *request, const struct class_row *class)
{
    request->instead = "classes";
    for (unsigned r = 0; r < RULES; r++)
        request->missing[r] = explore_is_ready(request->explore, (enum rules)r) &&
                              !has_class(&request->explore->rules[r], class->class_id);
}

#define MEMBERS_SHOWN 20u

static void put_members(struct explore_request *request, const struct class_row *class)
{
    struct printer *page = &request->page;
    const struct explore_rules *classes = request->tdags;
    char time[CHART_TIME_SIZE], id[2 * CANON_ID_SIZE + 1] = "", number[GROUPED_SIZE];
    uint32_t shown = 0;
    explore_begin_table(request, "The first of its T-DAGs; values in BTC, times in UTC",
                        "T-DAG|first block|first time|value moved");
    for (uint32_t d = class->first_dag; d <= classes->tdags.count && shown < MEMBERS_SHOWN; d++) {
        const struct tdag_row *row = explore_row(classes, d);
        if (row->class_exact != class->exact || memcmp(row->class_id, class->class_id, CANON_ID_SIZE) != 0)
            continue;
        shown++;
        PRINT(page, "<tr><th scope=\"row\">");
        explore_put_tdag(request, d);
        PRINT(page, "</th><td class=\"n\">");
        explore_put_block(request, row->first_height);
        PRINT(page, "</td><td class=\"n\">%s</td><td class=\"n\">%llu.%08llu</td></tr>\n",
              chart_time(time, row->first_time), BTC_OF(row->moved_value_sat));
    }
    explore_end_table(request);
    put_hex(id, class->class_id, CANON_ID_SIZE);
    PRINT(page, "<p><a href=\"/%s/tdags?class=%s\">All of them (%s)</a>, to sort and to filter.</p>\n",
          rules_name(request->rules), id, grouped(number, class->tdags));
}

/* What stands for several transactions leads to where it can be opened: the page of the T-DAG. */
static enum status put_drawing(struct explore_request *request, uint32_t dag, struct fault *fault)
{
    char tx[48], open[EXPLORE_TDAG_SIZE + 32], address[EXPLORE_TDAG_SIZE];
    const struct drawing_scope scope = drawing_of_tdag(&request->explore->opened.forest, &request->tdags->tdags, dag);
    snprintf(tx, sizeof tx, "/%s/tx/", rules_name(request->rules));
    snprintf(open, sizeof open, "/%s/%s?open=", rules_name(request->rules),
             explore_tdag_address(request, dag, address));
    return svg_part(&request->page, &scope, &svg_large, "The first T-DAG of the class.",
                    &(struct svg_links){.tx = tx, .open = open, .open_end = "#drawing"}, fault);
}

enum status explore_class(struct explore_request *request, struct fault *fault)
{
    struct printer *page = &request->page;
    uint32_t number = 0;
    char id[2 * CANON_ID_SIZE + 1] = "", title[64];
    enum status status = find_class(request, request->rest + strlen("class/"), &number, fault);
    if (status != STATUS_OK)
        return status;
    const struct class_row *class = &request->tdags->classes[number];
    set_menu(request, class);
    put_hex(id, class->class_id, CANON_ID_SIZE);
    snprintf(title, sizeof title, "Class %s%s", id, class->exact ? "" : "?");
    explore_begin_page(request, title);
    PRINT(page, "<p>Family <a href=\"/%s/classes?family=%s\">%s</a>.%s</p>\n<dl>\n", rules_name(request->rules),
          family_name(class->family), family_name(class->family),
          class->exact ? "" : " It could not be decided: T-DAGs that share this id may differ.");
    for (size_t i = 0; i < ORDERS; i++)
        html_fact(page, orders[i].head, key_of(class, i));
    PRINT(page,
          "<div><dt>log10 of symmetries</dt><dd>%.2f</dd></div>\n</dl>\n<h2>Its first T-DAG</h2>\n<div "
          "class=\"wide drawing\" role=\"region\" tabindex=\"0\" aria-label=\"Drawing of the T-DAG\">\n",
          class->automorphisms_log10);
    status = put_drawing(request, class->first_dag, fault);
    PRINT(page, "</div>\n");
    PRINT(page, "<h2>T-DAGs</h2>\n");
    put_members(request, class);
    explore_put_command(request, TAKES_ALL, "show --class %s", id);
    explore_end_page(request);
    return status;
}
