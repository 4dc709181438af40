#include <stdio.h>

#include "cli/views/chart.h"
#include "cli/views/explore_changes.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"

static void put_scanned(struct explore_request *request)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct printer *page = &request->page;
    char first[CHART_TIME_SIZE], last[CHART_TIME_SIZE];
    uint32_t tip = forest->blocks - 1;
    html_begin_section(page, "scanned", "What was scanned");
    html_partial(page, forest->first_height, request->tdags->tdags.roots_all, forest->maybe_txs[request->rules]);
    PRINT(page, "<p>Blocks of %s to %s UTC. The last one is ",
          chart_time(first, forest->block_times[forest->first_height]), chart_time(last, forest->block_times[tip]));
    explore_put_block(request, tip);
    PRINT(page, ".%s</p>\n<dl>\n",
          request->explore->linked   ? ""
          : forest->first_height > 0 ? " A partial store has no index: payers and payees, and transactions without "
                                       "unknown outputs, are not here."
                                     : " There is no index: payers and payees, and transactions without unknown "
                                       "outputs, are not here (<code>unktx index</code> makes one).");
    html_fact(page, "blocks", forest->blocks - forest->first_height);
    html_fact(page, "transactions", forest->total_txs);
    html_fact(page, "with an unknown output", forest_unknown_txs(forest, request->rules));
    if (forest->first_height > 0)
        html_fact(page, "roots that may not be roots", forest->maybe_txs[request->rules]);
    html_fact(page, "inputs", forest->total_inputs);
    html_fact(page, "outputs", forest->total_outputs);
    html_fact(page, "T-DAGs", request->tdags->tdags.count);
    html_fact(page, "classes", request->tdags->classes.count);
    PRINT(page, "</dl>\n");
    explore_put_command(request, TAKES_ALL, "dags");
    PRINT(page, "</section>\n");
}

/* ---- the rule sets side by side ---- */

static void put_rules_row(struct explore_request *request, enum rules r)
{
    struct printer *page = &request->page;
    struct explore *explore = request->explore;
    const struct explore_rules *of = &explore->rules[r];
    PRINT(page, "<tr><th scope=\"row\"><a href=\"/%s/\">%s</a></th>", rules_name(r), rules_name(r));
    html_number(page, forest_unknown_txs(&explore->opened.forest, r));
    if (explore_is_ready(explore, r)) {
        html_number(page, of->tdags.roots_all);
        html_number(page, of->tdags.count);
        html_number(page, of->nodes);
        html_number(page, of->edges);
        html_number(page, of->classes.count);
    } else {
        PRINT(page, "<td colspan=\"5\">being loaded</td>");
    }
    PRINT(page, "</tr>\n");
}

static void put_rules(struct explore_request *request)
{
    html_begin_section(&request->page, "rules", "The rule sets side by side");
    PRINT(&request->page,
          "<p>What counts as unknown differs between releases of Bitcoin Core. This page follows %s; "
          "the menu above has the others.%s</p>\n",
          rules_name(request->rules), request->explore->rules_count > RULES ? " The last one is no rule of Core." : "");
    explore_begin_table(request, "Numbers of each rule set",
                        "rules|transactions with an unknown output|roots|T-DAGs|nodes|edges|classes");
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        put_rules_row(request, (enum rules)r);
    explore_end_table(request);
    PRINT(&request->page, "</section>\n");
}

/* ---- over time ---- */

static const struct {
    enum kind kind;
    enum rules from; /* the first rule set in which all of them are unknown */
} kinds[] = {{KIND_NONSTANDARD, RULES_CORE_0_18},
             {KIND_NULLDATA, RULES_CORE_0_18},
             {KIND_PUBKEY, RULES_CORE_0_19},
             {KIND_MULTISIG, RULES_CORE_22}};
#define KINDS_SHOWN (sizeof kinds / sizeof *kinds)

static void put_kind_table(struct explore_request *request)
{
    struct printer *page = &request->page;
    char link[64];
    snprintf(link, sizeof link, "/%s/tdags?time=", rules_name(request->rules));
    PRINT(page, "<details><summary>The numbers behind the charts</summary>\n");
    explore_begin_table(request, "Outputs that may be unknown", "when (UTC)|nonstandard|nulldata|pubkey|multisig");
    periods_put_kind_rows(page, &request->explore->periods, link);
    explore_end_table(request);
    PRINT(page, "</details>\n");
}

static enum status put_times(struct explore_request *request)
{
    struct printer *page = &request->page;
    const char *period = request->explore->periods.by == BY_DAY ? "day" : "month";
    enum status status = STATUS_OK;
    html_begin_section(page, "times", "Unknown outputs over time");
    PRINT(page,
          "<p>Outputs created in each %s, of the kinds that are unknown under %s; %ss without a block are left out. A "
          "bar leads to the T-DAGs that have a "
          "transaction then and an output of that kind (nulldata: of any).%s</p>\n<div class=\"charts\">\n",
          period, rules_name(request->rules), period,
          request->rules == RULES_HIDDEN ? " Outputs that are unknown for the script that they hid are left out: "
                                           "<a href=\"/hidden/templates\">the templates</a> count them."
                                         : "");
    for (size_t k = 0; k < KINDS_SHOWN && status == STATUS_OK; k++) {
        bool any = kinds[k].kind == KIND_NULLDATA;
        char link[96];
        snprintf(link, sizeof link, "/%s/tdags?%s%s%stime=", rules_name(request->rules),
                 any ? "" : "kind=", any ? "" : kind_name(kinds[k].kind), any ? "" : "&amp;");
        if (kinds[k].from <= request->rules)
            status = periods_put_kind(page, &request->explore->periods, kinds[k].kind, NULL, link);
    }
    PRINT(page, "</div>\n");
    put_kind_table(request);
    PRINT(page, "</section>\n");
    return status;
}

/* ---- sizes and heights ---- */

/* Each count leads to its T-DAGs, in the chart and in the table, whose links are easier to hit. */
static void put_count_link(const struct explore_request *request, const char *what, char out[64])
{
    snprintf(out, 64, "/%s/tdags?%s=", rules_name(request->rules), what);
}

static void put_count_table(struct explore_request *request, const char *what, const struct chart_counts *counts)
{
    char caption[64], heads[64], link[64], range[CHART_RANGE], number[GROUPED_SIZE];
    put_count_link(request, what, link);
    snprintf(caption, sizeof caption, "T-DAGs by %s", what);
    snprintf(heads, sizeof heads, "%s, from|T-DAGs", what);
    explore_begin_table(request, caption, heads);
    for (unsigned i = 0; i < CHART_BINS; i++) {
        if (counts->bins[i] == 0)
            continue;
        PRINT(&request->page, "<tr>");
        html_number(&request->page, counts->least[i]);
        PRINT(&request->page, "<td class=\"n\"><a href=\"%s%s\">%s</a></td></tr>\n", link,
              chart_range(range, counts, i), grouped(number, counts->bins[i]));
    }
    explore_end_table(request);
}

static void put_sizes(struct explore_request *request)
{
    struct printer *page = &request->page;
    char link[64];
    html_begin_section(page, "sizes", "Sizes and heights of T-DAGs");
    PRINT(page,
          "<p>How many T-DAGs have that many nodes, or that height (the longest path, in edges). <a "
          "href=\"/%s/tdags?sort=nodes&amp;order=desc\">The largest</a>, <a "
          "href=\"/%s/tdags?sort=height&amp;order=desc\">the highest</a>, <a "
          "href=\"/%s/tdags?sort=moved_value_sat&amp;order=desc\">those that moved most</a>, <a "
          "href=\"/%s/tdags?sort=automation&amp;order=desc\">the most automatic</a>. A point leads to "
          "those that it stands for.</p>\n<div "
          "class=\"charts\">\n",
          rules_name(request->rules), rules_name(request->rules), rules_name(request->rules),
          rules_name(request->rules));
    put_count_link(request, "nodes", link);
    chart_loglog(page, "T-DAGs by number of nodes", "nodes", &request->tdags->by_nodes, link);
    put_count_link(request, "height", link);
    chart_loglog(page, "T-DAGs by height", "height", &request->tdags->by_height, link);
    PRINT(page, "</div>\n<details><summary>The numbers behind the charts</summary>\n");
    put_count_table(request, "nodes", &request->tdags->by_nodes);
    put_count_table(request, "height", &request->tdags->by_height);
    PRINT(page, "</details>\n</section>\n");
}

enum status explore_start(struct explore_request *request, struct fault *fault)
{
    explore_begin_page(request, "Unknown transactions");
    PRINT(&request->page,
          "<p class=\"source\">The search above finds " EXPLORE_SEARCH_FINDS " " EXPLORE_SEARCH_TAKES "</p>\n");
    put_scanned(request);
    explore_put_changes(request);
    put_rules(request);
    enum status status = put_times(request);
    put_sizes(request);
    explore_end_page(request);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}
