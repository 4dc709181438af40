#include <stdio.h>

#include "cli/inputs/chosen.h"
#include "cli/inputs/prefix.h"
#include "cli/views/explore_drawing.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_parts.h"
#include "cli/views/explore_payments.h"
#include "cli/views/explore_ties.h"
#include "cli/views/html.h"
#include "cli/views/tables.h"
#include "cli/views/tdag_times.h"
#include "graph/dag/names.h"

/* ---- which one ---- */

#define FOUND_MAX 10u
#define LOOKED_AT_MAX 65536u

struct found {
    uint32_t dags[FOUND_MAX];
    uint32_t count;
};

static void add_found(struct found *found, uint32_t dag)
{
    for (uint32_t i = 0; i < found->count; i++) {
        if (found->dags[i] == dag)
            return;
    }
    if (found->count < FOUND_MAX)
        found->dags[found->count++] = dag;
}

static enum status tell_several(const struct explore_request *request, const struct found *found, const char *word,
                                struct fault *fault)
{
    struct text names = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < found->count && status == STATUS_OK; i++) {
        char name[TDAG_NAME_MAX + 1];
        *tdag_put_name(&request->explore->opened.forest, &request->tdags->tdags, found->dags[i], name) = '\0';
        status = text_printf(&names, "%s%.16s (number %u)", i ? ", " : "", name, (unsigned)found->dags[i]);
    }
    if (status == STATUS_OK)
        status = fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "Several T-DAGs begin with %s: %.*s%s.", word,
                           (int)(names.size < 400 ? names.size : 400), names.bytes,
                           found->count == FOUND_MAX ? ", and perhaps others" : "");
    text_free(&names);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

/* Those that have a transaction that begins so; where there are several, those that are named so. */
static enum status find_by_prefix(const struct explore_request *request, const struct prefix *prefix, uint32_t *dag,
                                  struct fault *fault)
{
    const struct explore *explore = request->explore;
    const struct tdags *tdags = &request->tdags->tdags;
    struct found found = {{0}, 0}, named = {{0}, 0};
    uint32_t first, end;
    explore_find_txs(explore, prefix, &first, &end);
    for (uint32_t i = first; i < end && i - first < LOOKED_AT_MAX; i++) {
        uint32_t tx = explore->txs_by_txid[i], of = tdags->tx_dag[tx];
        if (of == 0)
            continue;
        add_found(&found, of);
        if (tdags_first_tx(tdags, of) == tx)
            add_found(&named, of);
    }
    if (found.count == 0)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "No T-DAG of %s has a transaction whose txid begins with %s.", rules_name(request->rules),
                         prefix->digits);
    if (found.count > 1 && named.count != 1)
        return tell_several(request, &found, prefix->digits, fault);
    *dag = found.count == 1 ? found.dags[0] : named.dags[0];
    return STATUS_OK;
}

enum status explore_find_tdag(const struct explore_request *request, const char *word, uint32_t *dag,
                              struct fault *fault)
{
    struct prefix prefix;
    uint64_t number = chosen_number(word);
    uint32_t count = request->tdags->tdags.count;
    if (number > 0 && number <= count) {
        *dag = (uint32_t)number;
        return STATUS_OK;
    }
    if (number == 0 && prefix_parse(word, strlen(word), &prefix))
        return find_by_prefix(request, &prefix, dag, fault);
    return fault_set(
        fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
        "There is no T-DAG %.80s: under %s they are numbered from 1 to %u, and named by the first digits of "
        "a txid, at least %u.",
        word, rules_name(request->rules), (unsigned)count, PREFIX_MIN);
}

/* ---- the page ---- */

static void put_partial_facts(struct explore_request *request, const struct tdag_row *row)
{
    if (request->explore->opened.forest.first_height == 0)
        return;
    html_fact(&request->page, "roots that may not be roots", row->maybe_roots);
    html_fact(&request->page, "inputs made before", row->inputs_before);
}

static void put_names(struct explore_request *request, uint32_t dag)
{
    struct printer *page = &request->page;
    const struct label_span labels = dag_labels_of(&request->tdags->labels, dag);
    if (name_set_first(explore_names(request->tdags, dag)) < CATALOGUE_MAX) {
        PRINT(page, "<p>Known scripts: ");
        explore_put_names(request, explore_names(request->tdags, dag), CATALOGUE_MAX);
        PRINT(page, "</p>\n");
    }
    if (labels.count > 0) {
        PRINT(page, "<p>Labels: ");
        explore_put_span(request, request->tdags->labels.labels, &labels, LABELS_SHOWN);
        PRINT(page, "</p>\n");
    }
}

static void put_facts(struct explore_request *request, uint32_t dag, const struct tdag_row *row)
{
    struct printer *page = &request->page;
    char first[CHART_TIME_SIZE], last[CHART_TIME_SIZE];
    PRINT(page, "<p>Number %u of %s; family <a href=\"/%s/tdags?family=%s\">%s</a>; class ", (unsigned)dag,
          rules_name(request->rules), rules_name(request->rules), family_name(row->family), family_name(row->family));
    explore_put_class(request, row->class_id, row->class_exact, 2 * CANON_ID_SIZE);
    char id[2 * CANON_ID_SIZE + 1] = "";
    put_hex(id, row->class_id, CANON_ID_SIZE);
    PRINT(page, " (<a href=\"/%s/tdags?class=%s\">all T-DAGs of it</a>). Blocks ", rules_name(request->rules), id);
    explore_put_block(request, row->first_height);
    PRINT(page, " to ");
    explore_put_block(request, row->last_height);
    PRINT(page, ", %s to %s UTC. First transaction ", chart_time(first, row->first_time),
          chart_time(last, row->last_time));
    explore_put_tx(request, &request->explore->opened.forest.txs[tdags_first_tx(&request->tdags->tdags, dag)].txid,
                   HASH256_HEX_SIZE);
    PRINT(page, ".</p>\n");
    put_names(request, dag);
    PRINT(page, "<dl>\n");
    html_fact(page, "transactions", row->txs);
    html_fact(page, "nodes", row->nodes);
    html_fact(page, "edges", row->edges);
    html_fact(page, "roots", row->roots);
    put_partial_facts(request, row);
    html_fact(page, "leaves", row->leaves);
    html_fact(page, "height", row->height);
    html_fact(page, "width", row->width);
    html_fact(page, "spent unknown outputs", row->spent_unknown);
    html_fact(page, "unspent unknown outputs", row->unspent_unknown);
    html_fact(page, "known outputs", row->known_leaves);
    html_fact(page, "mixed spenders", row->mixed_spenders);
    html_value(page, "value of the roots", row->root_value_sat);
    html_value(page, "moved within", row->moved_value_sat);
    html_value(page, "left in leaves", row->leaf_value_sat);
    PRINT(page, "</dl>\n");
}

static void put_exports(struct explore_request *request, uint32_t dag)
{
    static const struct {
        const char *end;
        const char *title;
    } exports[] = {{"svg", "SVG"},
                   {"graphml", "GraphML"},
                   {"gexf", "GEXF"},
                   {"dot", "DOT"},
                   {"txs.csv", "transactions as CSV"},
                   {"arcs.csv", "arcs as CSV"}};
    struct printer *page = &request->page;
    char address[EXPLORE_TDAG_SIZE];
    PRINT(page, "<p>Save it as");
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++)
        PRINT(page, "%s<a href=\"/%s/%s.%s\">%s</a>", i ? ", " : " ", rules_name(request->rules),
              explore_tdag_address(request, dag, address), exports[i].end, exports[i].title);
    PRINT(page, ".</p>\n");
    explore_put_command(request, TAKES_ALL, "show --dag %s", address + strlen("tdag/"));
    PRINT(page, "</section>\n");
}

/* The measures with what they mean, as the tables' description has it. */
static void put_measures(struct explore_request *request, uint32_t dag)
{
    const struct measures_row *row = explore_measures(request->tdags, dag);
    const struct {
        const char *name;
        double value;
    } measures[] = {{"orderliness", row->orderliness},   {"symmetry", row->symmetry},
                    {"repetition", row->repetition},     {"fan_out_regularity", row->fan_out_regularity},
                    {"equal_values", row->equal_values}, {"cadence", row->cadence},
                    {"automation", row->automation},     {"chain_frequency", row->chain_frequency}};
    struct printer *page = &request->page;
    html_begin_section(page, "measures", "Measures");
    explore_begin_table(request, "How regular it is, mostly from 0 to 1", "measure|value|meaning");
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        const struct column *column = schema_tdags.columns;
        while (strcmp(column->name, measures[i].name) != 0)
            column++;
        PRINT(page, "<tr><th scope=\"row\">%s</th><td class=\"n\">%.6f</td><td class=\"meaning\">", measures[i].name,
              measures[i].value);
        html_escaped(page, column->meaning, strlen(column->meaning));
        PRINT(page, "</td></tr>\n");
    }
    explore_end_table(request);
    PRINT(page, "</section>\n");
}

static void put_tx_row(struct explore_request *request, uint32_t number)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_tx *tx = &forest->txs[number];
    uint32_t unknown_in = forest_unknown_inputs(forest, number, request->rules);
    uint32_t unknown_out = forest_unknown_outputs(forest, number, request->rules);
    char time[CHART_TIME_SIZE];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_tx(request, &tx->txid, 16);
    PRINT(page, "</th><td class=\"n\">");
    explore_put_block(request, tx->height);
    PRINT(page, "</td><td class=\"n\">%s</td><td>%s</td>", chart_time(time, forest->block_times[tx->height]),
          forest_is_maybe_root(forest, number, request->rules) ? "maybe-root"
          : forest_is_root(forest, number, request->rules)     ? "root"
                                                               : "");
    html_number(page, explore_depth(request->tdags, number));
    html_number(page, unknown_in);
    html_number(page, tx->inputs - unknown_in);
    html_number(page, unknown_out);
    html_number(page, tx->outputs - unknown_out);
    PRINT(page, "<td class=\"n\">%llu.%08llu</td></tr>\n", BTC_OF(tx->value_out_sat));
}

static enum status put_times(struct explore_request *request, uint32_t dag, const struct explore_drawing *drawing)
{
    struct explore *explore = request->explore;
    struct printer *page = &request->page;
    if (explore_drawn_put(explore, drawing->made, DRAWN_TIMES, page))
        return STATUS_OK;
    size_t before = page->text.size;
    enum status status = tdag_times_put(page, &explore->opened.forest, &request->tdags->tdags, dag);
    if (status == STATUS_OK)
        explore_drawn_keep(explore, drawing->made, DRAWN_TIMES, page, before);
    return status;
}

/* All of the T-DAG, or those that are opened in the drawing. */
static enum status put_txs(struct explore_request *request, uint32_t dag, const struct explore_drawing *drawing,
                           struct fault *fault)
{
    const struct tdags *tdags = &request->tdags->tdags;
    const uint32_t *members = drawing->opened ? drawing->members : tdags->members + tdags->first[dag - 1];
    uint32_t count = drawing->opened ? drawing->members_count : tdags->first[dag] - tdags->first[dag - 1];
    uint64_t number = explore_page_number(request, "page", count);
    uint32_t first = (uint32_t)(number - 1) * EXPLORE_ROWS,
             end = first + EXPLORE_ROWS < count ? first + EXPLORE_ROWS : count;
    html_begin_section(&request->page, "transactions", "Transactions");
    PRINT(&request->page, "<div class=\"charts\">\n");
    enum status status = put_times(request, dag, drawing);
    PRINT(&request->page, "</div>\n");
    explore_begin_table(request,
                        drawing->opened ? "Transactions of what is opened in the drawing, in chain order; values in "
                                          "BTC, times in UTC"
                                        : "Transactions in chain order; values in BTC, times in UTC",
                        "transaction|block|time|root|depth|unknown inputs|known inputs|unknown outputs|known "
                        "outputs|value out");
    for (uint32_t i = first; i < end; i++)
        put_tx_row(request, members[i]);
    explore_end_table(request);
    explore_put_pager(request, "page", number, count);
    PRINT(&request->page, "</section>\n");
    if (status != STATUS_OK)
        return fault_nomem(fault);
    return request->explore->linked ? explore_put_payments(request, members + first, end - first, fault) : STATUS_OK;
}

/* Where another rule set has the transactions in no T-DAG, its menu leads to all T-DAGs. */
static void set_menu(struct explore_request *request, uint32_t dag, char address[EXPLORE_TDAG_SIZE])
{
    uint32_t first_tx = tdags_first_tx(&request->tdags->tdags, dag);
    request->same = explore_tdag_address(request, dag, address);
    request->instead = "tdags";
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        request->missing[r] = explore_is_ready(request->explore, (enum rules)r) &&
                              request->explore->rules[r].tdags.tx_dag[first_tx] == 0;
}

static enum status make_page(struct explore_request *request, uint32_t dag, const struct explore_drawing *drawing,
                             struct fault *fault)
{
    const struct tdag_row *row = explore_row(request->tdags, dag);
    char name[TDAG_NAME_MAX + 1], title[TDAG_NAME_MAX + 16], address[EXPLORE_TDAG_SIZE];
    set_menu(request, dag, address);
    *tdag_put_name(&request->explore->opened.forest, &request->tdags->tdags, dag, name) = '\0';
    snprintf(title, sizeof title, "T-DAG %s", name);
    explore_begin_page(request, title);
    put_facts(request, dag, row);
    enum status status = explore_drawing_put(request, drawing, fault);
    if (status != STATUS_OK)
        return status;
    put_exports(request, dag);
    put_measures(request, dag);
    explore_put_shown(request, dag);
    status = put_txs(request, dag, drawing, fault);
    explore_end_page(request);
    return status;
}

enum status explore_tdag(struct explore_request *request, struct fault *fault)
{
    char word[TARGET_MAX + 1];
    const char *asked = request->rest + strlen("tdag/"), *end = asked + strcspn(asked, ".");
    uint32_t dag = 0;
    memcpy(word, asked, (size_t)(end - asked));
    word[end - asked] = '\0';
    enum status status = explore_find_tdag(request, word, &dag, fault);
    if (status != STATUS_OK)
        return status;
    if (*end)
        return explore_put_file(request, dag, end + 1, fault);
    struct explore_drawing drawing = {0};
    status = explore_drawing_open(request, dag, &drawing, fault);
    if (status == STATUS_OK)
        status = make_page(request, dag, &drawing, fault);
    explore_drawing_free(request->explore, &drawing);
    return status;
}
