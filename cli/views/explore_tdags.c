#include <stdio.h>

#include "cli/output/partial.h"
#include "cli/views/explore_charts.h"
#include "cli/views/explore_list.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_shown.h"
#include "cli/views/explore_survey.h"
#include "cli/views/explore_words.h"
#include "cli/views/html.h"
#include "cli/views/tables.h"
#include "parser/mem.h"

/* ---- the form ---- */

static void put_value_of(struct explore_request *request, const char *name)
{
    const char *value = target_get(request->target, name);
    if (value)
        html_escaped(&request->page, value, strlen(value));
}

static void put_input(struct explore_request *request, const char *name, const char *title, const char *example)
{
    PRINT(&request->page, "<label>%s<input name=\"%s\" size=\"%u\" placeholder=\"%s\" value=\"", title, name,
          strlen(example) > 14 ? 21u : 13u, example);
    put_value_of(request, name);
    PRINT(&request->page, "\"/></label>\n");
}

static void put_choice(struct explore_request *request, const char *name, const char *chosen)
{
    PRINT(&request->page, "<option%s>", chosen && strcmp(chosen, name) == 0 ? " selected=\"selected\"" : "");
    html_escaped(&request->page, name, strlen(name));
    PRINT(&request->page, "</option>");
}

static void put_choices(struct explore_request *request)
{
    const struct catalogue *catalogue = &request->explore->opened.catalogue;
    const char *family = target_get(request->target, "family"), *script = target_get(request->target, "script");
    PRINT(&request->page, "<label>family<select name=\"family\"><option value=\"\">any</option>");
    for (unsigned f = 0; f < FAMILIES; f++)
        put_choice(request, family_name((enum family)f), family);
    PRINT(&request->page, "</select></label>\n<label>known script<select name=\"script\"><option "
                          "value=\"\">any</option>");
    for (size_t i = 0; i < catalogue->count; i++) {
        if (!catalogue_is_protocol(catalogue, catalogue->by_name[i]))
            put_choice(request, catalogue->entries[catalogue->by_name[i]].name, script);
    }
    PRINT(&request->page, "</select></label>\n<label>protocol<select name=\"protocol\"><option "
                          "value=\"\">any</option>");
    for (unsigned p = PROTOCOL_NONE + 1; p < PROTOCOLS; p++)
        put_choice(request, protocol_name((enum protocol)p), target_get(request->target, "protocol"));
    PRINT(&request->page, "</select></label>\n");
}

static const char *example_of(enum explore_unit unit)
{
    switch (unit) {
    case UNIT_TIME: return "2014-02-19..";
    case UNIT_SAT: return "0.5BTC..10BTC";
    case UNIT_MEASURE: return "0.9..";
    default: return "10..200";
    }
}

/* Those that are asked for most stand in front. */
static bool is_in_front(unsigned column)
{
    static const char *const front[] = {"nodes", "height", "moved_value_sat", "automation", "first_height"};
    for (size_t i = 0; i < sizeof front / sizeof *front; i++) {
        if (strcmp(front[i], explore_columns[column].name) == 0)
            return true;
    }
    return false;
}

static void put_inputs(struct explore_request *request, bool in_front)
{
    for (unsigned c = 0; c < EXPLORE_COLUMNS; c++) {
        if (is_in_front(c) == in_front && explore_has_column(c))
            put_input(request, explore_columns[c].name, explore_columns[c].head, example_of(explore_columns[c].unit));
    }
}

/* Every sort, since few of them have a column to click on. */
static void put_sorts(struct explore_request *request, const struct explore_filter *filter)
{
    struct printer *page = &request->page;
    PRINT(page, "<label>sorted by<select name=\"sort\">");
    for (unsigned sort = 0; sort < EXPLORE_SORTS; sort++) {
        if (explore_has_sort(request->explore, sort) && (sort != EXPLORE_BY_GROUP || request->rules != RULES_HIDDEN))
            PRINT(page, "<option value=\"%s\"%s>%s</option>", explore_sort_name(sort),
                  sort == filter->sort ? " selected=\"selected\"" : "", explore_sort_head(sort));
    }
    PRINT(page,
          "</select></label>\n<label>order<select name=\"order\"><option value=\"asc\">ascending</option><option "
          "value=\"desc\"%s>descending</option></select></label>\n",
          filter->descending ? " selected=\"selected\"" : "");
}

static bool has_filter_behind(const struct target *target)
{
    for (size_t i = 0; i < target->fields_count; i++) {
        const char *name = target->fields[i].name;
        unsigned column = explore_column_find(name);
        bool is_text = strcmp(name, "class") == 0 || strcmp(name, "dag") == 0 || strcmp(name, "group") == 0 ||
                       strcmp(name, "template") == 0 || strcmp(name, "kind") == 0;
        if ((is_text || (column < EXPLORE_COLUMNS && !is_in_front(column))) && target->fields[i].value[0])
            return true;
    }
    return false;
}

static void put_form(struct explore_request *request, const struct explore_filter *filter)
{
    struct printer *page = &request->page;
    PRINT(page, "<form class=\"filter\" action=\"/%s/tdags\" method=\"get\" aria-label=\"Filter\">\n",
          rules_name(request->rules));
    put_choices(request);
    put_inputs(request, true);
    put_input(request, "time", "time (some transaction)", "2014, 2014-02-19..");
    if (request->explore->opened.labels.count > 0)
        put_input(request, "label", "label, all of it", "");
    PRINT(page, "<details%s><summary>More filters</summary>\n<div>",
          has_filter_behind(request->target) ? " open=\"open\"" : "");
    put_input(request, "class", "class, first digits", "a202ad");
    put_input(request, "dag", "name, first digits", "53ab");
    if (request->rules != RULES_HIDDEN)
        put_input(request, "group", "tie group, first digits", "9f04");
    PRINT(page, "<label>kind of an output<select name=\"kind\"><option value=\"\">any</option>");
    for (size_t i = 0; i < explore_kinds_of(request->rules); i++)
        put_choice(request, kind_name(explore_kinds[i]), target_get(request->target, "kind"));
    PRINT(page, "</select></label>\n");
    put_input(request, "template", "template, all of it", "OP_HASH160 &lt;20&gt; OP_EQUAL");
    put_inputs(request, false);
    PRINT(page, "</div></details>\n");
    put_sorts(request, filter);
    PRINT(page, "<button type=\"submit\">Filter</button> <a href=\"/%s/tdags\">Clear</a></form>\n",
          rules_name(request->rules));
}

/* ---- the table ---- */

static const char *const columns_shown[] = {"txs",          "nodes",      "height",          "roots",
                                            "first_height", "first_time", "moved_value_sat", "automation"};
#define SHOWN_COLUMNS (sizeof columns_shown / sizeof *columns_shown)

/* Those of every table, and the one that it is sorted by. */
static size_t columns_of(const struct explore_filter *filter, unsigned columns[SHOWN_COLUMNS + 1])
{
    bool has_sort = filter->sort == EXPLORE_BY_NUMBER || filter->sort >= EXPLORE_COLUMNS;
    for (size_t i = 0; i < SHOWN_COLUMNS; i++) {
        columns[i] = explore_column_find(columns_shown[i]);
        has_sort |= columns[i] == filter->sort;
    }
    columns[SHOWN_COLUMNS] = filter->sort;
    return SHOWN_COLUMNS + !has_sort;
}

static void put_head(struct explore_request *request, const struct explore_filter *filter, unsigned sort,
                     const char *head)
{
    static const char *const without[] = {"sort", "order", "page", NULL};
    struct printer *page = &request->page;
    bool here = filter->sort == sort;
    bool descending = here ? !filter->descending : sort != EXPLORE_BY_NUMBER && sort < EXPLORE_COLUMNS;
    PRINT(page, "<th scope=\"col\"%s><a href=\"",
          !here                ? ""
          : filter->descending ? " aria-sort=\"descending\""
                               : " aria-sort=\"ascending\"");
    explore_put_query(page, request->target, without);
    PRINT(page, "sort=%s&amp;order=%s\">%s</a></th>", explore_sort_name(sort), descending ? "desc" : "asc", head);
}

static void put_row(struct explore_request *request, uint32_t dag, const unsigned *columns, size_t count)
{
    struct printer *page = &request->page;
    const struct tdag_row *row = explore_row(request->tdags, dag);
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_tdag(request, dag);
    PRINT(page, "</th><td>%s</td><td>", family_name(row->family));
    explore_put_class(request, row->class_id, row->class_exact, 10);
    PRINT(page, "</td>");
    for (size_t i = 0; i < count; i++)
        explore_put_value(page, columns[i], explore_key(request->tdags, columns[i], dag));
    PRINT(page, "<td class=\"names\">");
    explore_put_names(request, explore_names(request->tdags, dag), EXPLORE_NAMES_MOST);
    PRINT(page, "</td>");
    explore_put_labels_cell(request, dag);
    PRINT(page, "</tr>\n");
}

static enum status put_table(struct explore_request *request, const struct explore_list *list,
                             const struct explore_filter *filter, uint64_t number)
{
    struct printer *page = &request->page;
    unsigned columns[SHOWN_COLUMNS + 1];
    size_t count = columns_of(filter, columns);
    uint32_t dags[EXPLORE_ROWS], rows = 0;
    enum status status = explore_list_pick(request->explore, list, filter, (number - 1) * EXPLORE_ROWS, dags,
                                           EXPLORE_ROWS, &rows);
    PRINT(page,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"T-DAGs\"><table class=\"sticky\">\n"
          "<caption>T-DAGs by %s; values in BTC, times in UTC</caption>\n<thead><tr>",
          explore_sort_head(filter->sort));
    put_head(request, filter, EXPLORE_BY_NUMBER, "T-DAG");
    put_head(request, filter, EXPLORE_BY_FAMILY, "family");
    put_head(request, filter, EXPLORE_BY_CLASS, "class");
    for (size_t i = 0; i < count; i++)
        put_head(request, filter, columns[i], explore_columns[columns[i]].head);
    put_head(request, filter, EXPLORE_BY_SCRIPT, "known scripts");
    if (request->explore->opened.labels.count > 0)
        put_head(request, filter, EXPLORE_BY_LABEL, "labels");
    PRINT(page, "</tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < rows; i++)
        put_row(request, dags[i], columns, count);
    explore_end_table(request);
    explore_put_pager(request, "page", number, list->count);
    return status;
}

/* The class that the filter's digits are enough for; NULL: there are several, or none. */
static const struct class_row *class_meant(const struct explore_request *request, const struct explore_filter *filter)
{
    const struct explore_class_table *classes = &request->tdags->classes;
    struct prefix prefix;
    uint32_t first = 0, end = 0;
    if (prefix_parse(filter->class_id, strlen(filter->class_id), &prefix))
        explore_class_find(classes, &prefix, &first, &end);
    return end - first == 1 ? &classes->rows[first] : NULL;
}

static bool put_class_option(const struct explore_request *request, const struct explore_filter *filter,
                             struct printer *options)
{
    const struct class_row *class = class_meant(request, filter);
    char id[2 * CANON_ID_SIZE + 1] = "";
    if (!class)
        return false;
    put_hex(id, class->class_id, CANON_ID_SIZE);
    PRINT(options, " --class %s", id);
    return true;
}

static void put_text_option(struct printer *options, const char *name, const char *value)
{
    PRINT(options, " --%s ", name);
    if (options->status == STATUS_OK)
        options->status = text_word(&options->text, value);
}

/* Options for `unktx dags` that choose what the filter of this name does; false: there is none. */
static bool put_option_for(const struct explore_request *request, const struct explore_filter *filter, const char *name,
                           const char *value, struct printer *options)
{
    unsigned column = explore_column_find(name);
    bool by_value = strcmp(name, "moved_value_sat") == 0;
    if (strcmp(name, "class") == 0)
        return put_class_option(request, filter, options);
    if (strcmp(name, "family") == 0 && (filter->families & (filter->families - 1)) != 0)
        return false;
    bool is_label = strcmp(name, "label") == 0, is_script = strcmp(name, "script") == 0;
    if (is_label || is_script || strcmp(name, "family") == 0) {
        put_text_option(options, is_script ? "known" : name,
                        is_label ? request->explore->opened.labels.names[filter->label - 1] : value);
        return true;
    }
    if ((!by_value && strcmp(name, "height") != 0) || filter->high[column] != UINT64_MAX)
        return false;
    PRINT(options, " --min-%s %llu", by_value ? "value" : "height", ULL(filter->low[column]));
    return true;
}

/* Does the field of the query choose T-DAGs? Of several families the last one stands for all. */
static bool chooses(const struct target *target, size_t i)
{
    static const char *const no_filters[] = {"sort", "order", "page", "unlocks"};
    const struct target_field *field = &target->fields[i];
    bool counts = field->value[0] != '\0';
    for (size_t n = 0; n < sizeof no_filters / sizeof *no_filters; n++)
        counts &= strcmp(field->name, no_filters[n]) != 0;
    for (size_t after = i + 1; after < target->fields_count; after++)
        counts &= strcmp(target->fields[after].name, field->name) != 0 || target->fields[after].value[0] == '\0';
    return counts;
}

/* What the command line has for the filters of the page, and in words for which of them it has nothing. */
static void put_command(struct explore_request *request, const struct explore_filter *filter)
{
    struct printer options = {0}, without = {0};
    for (size_t i = 0; i < request->target->fields_count; i++) {
        const struct target_field *field = &request->target->fields[i];
        if (chooses(request->target, i) && !put_option_for(request, filter, field->name, field->value, &options))
            PRINT(&without, "%s%s", without.text.size > 0 ? ", " : "", field->name);
    }
    explore_put_command(request, TAKES_ALL, "dags%s -o FOLDER", options.text.size > 0 ? options.text.bytes : "");
    if (without.text.size > 0)
        PRINT(&request->page,
              "<p class=\"source\">It writes more T-DAGs than are here: it has no option that does what the filter %s "
              "does. The CSV above has those of this page.</p>\n",
              without.text.bytes);
    if (request->page.status == STATUS_OK)
        request->page.status = options.status != STATUS_OK ? options.status : without.status;
    text_free(&options.text);
    text_free(&without.text);
}

/* Elsewhere it is cut. */
static void put_whole_label(struct explore_request *request, uint32_t id)
{
    const char *label = request->explore->opened.labels.names[id];
    if (strlen(label) <= LABEL_WHOLE)
        return;
    PRINT(&request->page, "<p>The label: ");
    html_escaped(&request->page, label, strlen(label));
    PRINT(&request->page, "</p>\n");
}

enum status explore_tdags(struct explore_request *request, struct fault *fault)
{
    static const char *const without[] = {"page", "unlocks", NULL};
    struct explore_filter filter;
    struct explore_list *list;
    uint32_t asked;
    char number[2][GROUPED_SIZE];
    bool has_unlocks = request->explore->has_blocks && request->rules != RULES_HIDDEN;
    enum status status = explore_filter_read(request->explore, request->target, &filter, &asked, fault);
    request->by_shown = status == STATUS_OK && (filter.sort == EXPLORE_BY_GROUP || filter.group[0]);
    if (status == STATUS_OK)
        status = explore_words_ready(request, filter.sort, fault);
    if (status == STATUS_OK)
        status = explore_list_get(request, &filter, &list, fault);
    if (status != STATUS_OK)
        return status;
    explore_begin_page(request, "T-DAGs");
    put_form(request, &filter);
    PRINT(&request->page, "<p>%s of %s T-DAGs. <a href=\"/%s/tdags.csv", grouped(number[0], list->count),
          grouped(number[1], request->tdags->tdags.count), rules_name(request->rules));
    bool any = explore_put_fields(&request->page, request->target, without);
    PRINT(&request->page, "\">These as CSV</a>, with the columns of tdags.csv%s", has_unlocks ? "; <a href=\"/" : "");
    if (has_unlocks) {
        PRINT(&request->page, "%s/tdags.csv", rules_name(request->rules));
        explore_put_fields(&request->page, request->target, without);
        PRINT(&request->page,
              "%sunlocks=yes\">also with those of how outputs were unlocked</a>, for which the blk files are "
              "read",
              any ? "&amp;" : "?");
    }
    PRINT(&request->page, ".</p>\n");
    if (filter.label > 0)
        put_whole_label(request, filter.label - 1);
    status = put_table(request, list, &filter, explore_page_number(request, "page", list->count));
    explore_put_charts(request, list);
    put_command(request, &filter);
    explore_end_page(request);
    explore_list_leave(request->explore, list);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* ---- as CSV ---- */

#define ROWS_OF_PART 256u
#define ROWS_PICKED 65536u /* at once: they are counted off from the first each time */

struct csv {
    struct explore *explore;
    struct explore_rules *tdags;
    struct explore_list *list;
    struct explore_filter filter;
    const struct explore_shown *shown; /* NULL: without the columns of how outputs were unlocked */
    uint64_t picked;                   /* of the list, in all */
    uint32_t count;                    /* of those picked last */
    uint32_t next;
    uint32_t dags[ROWS_PICKED];
};

static enum status pick_more(struct csv *csv)
{
    if (csv->next < csv->count)
        return STATUS_OK;
    csv->next = 0;
    enum status status = explore_list_pick(csv->explore, csv->list, &csv->filter, csv->picked, csv->dags, ROWS_PICKED,
                                           &csv->count);
    csv->picked += csv->count;
    return status;
}

static enum status put_rows(void *context, struct text *text)
{
    struct csv *csv = context;
    const struct explore_rules *tdags = csv->tdags;
    struct unlock_counts unlocks;
    const struct table_rows rows = {.forest = &csv->explore->opened.forest,
                                    .tdags = &tdags->tdags,
                                    .catalogue = &csv->explore->opened.catalogue,
                                    .labels = csv->explore->opened.labels.count > 0 ? &tdags->labels : NULL,
                                    .unlocks = csv->shown ? &unlocks : NULL};
    enum status status = pick_more(csv);
    for (uint32_t i = 0; i < ROWS_OF_PART && csv->next < csv->count && status == STATUS_OK; i++) {
        uint32_t dag = csv->dags[csv->next++];
        if (csv->shown)
            unlocks = explore_shown_unlocks(csv->shown, dag);
        status = tables_put_tdag(text, &rows, dag, explore_row(tdags, dag), explore_names(tdags, dag),
                                 explore_measures(tdags, dag));
    }
    return status;
}

static void end_rows(void *context)
{
    struct csv *csv = context;
    if (csv->list)
        explore_list_leave(csv->explore, csv->list);
    explore_shown_leave(csv->explore, csv->shown);
    mem_free(csv);
}

/* Where they are asked for: unlocks=yes. */
static enum status find_unlocks(struct explore_request *request, struct csv *csv, struct fault *fault)
{
    const char *asked = target_get(request->target, "unlocks");
    if (!asked || !*asked)
        return STATUS_OK;
    enum status status = explore_shown_get(request, &csv->shown, fault);
    request->shown = NULL;
    if (status == STATUS_OK && !csv->shown->unlocked_first)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "How outputs were unlocked is not known: the blk files are not there.");
    return status;
}

enum status explore_tdags_csv(struct explore_request *request, struct fault *fault)
{
    uint32_t asked;
    struct csv *csv = mem_alloc(1, sizeof *csv);
    if (!csv)
        return fault_nomem(fault);
    csv->explore = request->explore;
    csv->tdags = request->tdags;
    unsigned flags = request->explore->opened.labels.count > 0 ? COLUMN_WITH_LABELS : 0;
    flags |= partial_flag();
    enum status status = explore_filter_read(request->explore, request->target, &csv->filter, &asked, fault);
    if (status == STATUS_OK)
        status = explore_words_ready(request, csv->filter.sort, fault);
    if (status == STATUS_OK)
        status = explore_list_get(request, &csv->filter, &csv->list, fault);
    if (status == STATUS_OK)
        status = find_unlocks(request, csv, fault);
    flags |= csv->shown ? COLUMN_WITH_UNLOCKS : 0;
    if (status == STATUS_OK && schema_put_header(&request->page.text, &schema_tdags, flags) != STATUS_OK)
        status = fault_nomem(fault);
    if (status != STATUS_OK) {
        end_rows(csv);
        return status;
    }
    request->answer->type = "text/csv; charset=utf-8; header=present";
    snprintf(request->answer->file, sizeof request->answer->file, "tdags-%s.csv", rules_name(request->rules));
    request->answer->part = put_rows;
    request->answer->end = end_rows;
    request->answer->context = csv;
    return STATUS_OK;
}
