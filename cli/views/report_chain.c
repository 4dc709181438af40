#include "cli/views/chart.h"
#include "cli/views/html.h"
#include "cli/views/report.h"
#include "parser/mem.h"
#include "parser/network.h"

/* ---- contents ---- */

static void put_link(struct report *report, const char *id, const char *title)
{
    PRINT(&report->printer, "<li><a href=\"#%s\">%s</a></li>\n", id, title);
}

void report_contents(struct report *report)
{
    PRINT(&report->printer, "<nav aria-label=\"Contents\"><ul>\n");
    put_link(report, "scanned", "What was scanned");
    if (outfolder_changes(report->settings->folder).known)
        put_link(report, "changes", "Since the run before");
    put_link(report, "kinds", "Unknown outputs over time");
    put_link(report, "sizes", "Sizes and heights");
    put_link(report, "classes", "Classes");
    for (unsigned l = 0; l < REPORT_LISTS; l++)
        put_link(report, report->lists[l].id, report->lists[l].title);
    if (report->opened.selection.labels)
        put_link(report, "labelled", "Labelled T-DAGs");
    put_link(report, "tdags", "T-DAGs one by one");
    put_link(report, "groups", "Groups");
    put_link(report, "unlocks", "Unlocking");
    put_link(report, "rules", "Rule sets");
    put_link(report, "files", "Files");
    PRINT(&report->printer, "</ul></nav>\n");
}

/* ---- what was scanned ---- */

void report_scanned(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct forest *forest = &report->opened.forest;
    char network[NETWORK_LABEL_SIZE], tip[HASH256_HEX_SIZE + 1] = "", first[CHART_TIME_SIZE], last[CHART_TIME_SIZE];
    char bitcoins[GROUPED_SIZE];
    network_label(store_identity_of(report->opened.store)->magic, network);
    hash256_hex(&forest->tip, tip);
    html_begin_section(printer, "scanned", "What was scanned");
    html_partial(printer, forest->first_height, report->summary.rules[report->rules].roots,
                 forest->maybe_txs[report->rules]);
    PRINT(printer,
          "<p>The chain of %s from %s to %s (UTC), block %u to %u, which is "
          "<code class=\"hash\">%s</code>.</p>\n<dl>\n",
          network, chart_time(first, forest->block_times[forest->first_height]),
          chart_time(last, forest->block_times[forest->blocks - 1]), (unsigned)forest->first_height,
          (unsigned)forest->blocks - 1, tip);
    html_fact(printer, "blocks", forest->blocks - forest->first_height);
    html_fact(printer, "transactions", forest->total_txs);
    html_fact(printer, "with an unknown output", forest_unknown_txs(forest, report->rules));
    if (forest->first_height > 0)
        html_fact(printer, "roots that may not be roots", forest->maybe_txs[report->rules]);
    html_fact(printer, "inputs", forest->total_inputs);
    html_fact(printer, "outputs", forest->total_outputs);
    PRINT(printer, "</dl>\n");
    html_begin_table(printer, "Outputs by kind", "kind|outputs|value in BTC");
    for (unsigned k = 0; k < KINDS; k++) {
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", kind_name((enum kind)k));
        html_number(printer, forest->kind_count[k]);
        PRINT(printer, "<td class=\"n\">%s.%08llu</td></tr>\n",
              grouped(bitcoins, forest->kind_value_sat[k] / 100000000u), ULL(forest->kind_value_sat[k] % 100000000u));
    }
    html_end_table(printer);
    report_source(report, "summary.json", "<code>totals</code>");
    PRINT(printer, "</section>\n");
}

/* ---- unknown outputs over time ---- */

static void put_kind_table(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct periods *periods = &report->periods;
    bool by_day = periods->by == BY_DAY;
    PRINT(printer, "<details><summary>The numbers behind the charts</summary>\n");
    html_begin_table(printer, by_day ? "Outputs that may be unknown, by day" : "Outputs that may be unknown, by month",
                     by_day ? "day|nonstandard|nulldata|pubkey|multisig"
                            : "month|nonstandard|nulldata|pubkey|multisig");
    periods_put_kind_rows(printer, periods, NULL);
    html_end_table(printer);
    PRINT(printer, "</details>\n");
}

enum status report_kinds(struct report *report)
{
    static const struct {
        enum kind kind;
        const char *unknown_in;
    } kinds[] = {{KIND_NONSTANDARD, "in all rule sets"},
                 {KIND_NULLDATA, "in all rule sets"},
                 {KIND_PUBKEY, "from core-0.19"},
                 {KIND_MULTISIG, "from core-22"}};
    enum status status = STATUS_OK;
    bool by_day = report->periods.by == BY_DAY;
    html_begin_section(&report->printer, "kinds", "Unknown outputs by kind over time");
    PRINT(&report->printer,
          "<p>Outputs created in each %s (UTC, by the time in the block header); %ss without a block "
          "are left out, and each chart has its own scale. In brackets: the rule sets in which the kind "
          "is unknown. Of multisig, those with m or n beyond 16 are unknown in all.</p>\n"
          "<div class=\"charts\">\n",
          by_day ? "day" : "month", by_day ? "day" : "month");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == STATUS_OK; i++)
        status = periods_put_kind(&report->printer, &report->periods, kinds[i].kind, kinds[i].unknown_in, NULL);
    PRINT(&report->printer, "</div>\n");
    put_kind_table(report);
    report_source(report, "stats-by-day.csv",
                  by_day ? "a column for each kind" : "a column for each kind; a month has the sums of its days");
    PRINT(&report->printer, "</section>\n");
    return status;
}

/* ---- sizes and heights ---- */

/* What a chart's points say, as a table. */
static void put_counts(struct report *report, const char *caption, const char *heads, const struct chart_counts *counts)
{
    PRINT(&report->printer, "<details><summary>%s, as a table</summary>\n", caption);
    html_begin_table(&report->printer, caption, heads);
    for (unsigned i = 0; i < CHART_BINS; i++) {
        if (counts->bins[i] == 0)
            continue;
        PRINT(&report->printer, "<tr>");
        html_number(&report->printer, counts->least[i]);
        html_number(&report->printer, counts->bins[i]);
        PRINT(&report->printer, "</tr>\n");
    }
    html_end_table(&report->printer);
    PRINT(&report->printer, "</details>\n");
}

enum status report_sizes(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct classes *classes = &report->opened.selection.classes;
    struct chart_counts *nodes = mem_alloc(2, sizeof *nodes);
    if (!nodes)
        return STATUS_NOMEM;
    struct chart_counts *heights = nodes + 1;
    for (uint32_t i = 0; i < classes->rows_count; i++) {
        chart_count(nodes, classes->rows[i].nodes);
        chart_count(heights, classes->rows[i].height);
    }
    html_begin_section(printer, "sizes", "Sizes and heights of T-DAGs");
    PRINT(
        printer,
        "<p>A point says how many T-DAGs have that many nodes, or that height (the longest path, in edges). "
        "Both axes are logarithmic. Small numbers have a point each, large ones share 24 points from one power of ten "
        "to the next.</p>\n<div class=\"charts\">\n");
    chart_loglog(printer, "T-DAGs by number of nodes", "nodes", nodes, NULL);
    chart_loglog(printer, "T-DAGs by height", "height", heights, NULL);
    PRINT(printer, "</div>\n");
    put_counts(report, "T-DAGs by number of nodes", "nodes from|T-DAGs", nodes);
    put_counts(report, "T-DAGs by height", "height from|T-DAGs", heights);
    report_source(report, "tdags.csv", "<code>nodes</code>, <code>height</code>");
    PRINT(printer, "</section>\n");
    mem_free(nodes);
    return STATUS_OK;
}
