#include <stdio.h>

#include "classify/measures.h"
#include "cli/views/chart.h"
#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/views/periods.h"
#include "cli/views/report_page.h"
#include "cli/inputs/opened_forest.h"
#include "cli/views/summary.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "parser/mem.h"

#define CLASSES_DRAWN 200u
#define LISTED 9u /* T-DAGs in a list */
#define ID_SHOWN 12
/* A chain of so many seconds is told by day, a longer one by month. */
#define BY_DAY_MAX (92u * 86400u)

struct report {
    const struct settings *settings;
    struct opened_forest opened;
    struct summary summary;
    struct known_scripts_held held;
    struct measures_row *measures;
    struct periods periods;
    struct printer printer;
    enum rules rules;
};

/* ---- pieces of a page ---- */

/* Text from a file of the user's. */
static void put_escaped(struct printer *printer, const char *string, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (string[i] == '<' || string[i] == '&' || string[i] == '"')
            PRINT(printer, "&#%u;", (unsigned)string[i]);
        else
            PRINT(printer, "%c", string[i]);
    }
}

static void begin_section(struct printer *printer, const char *id, const char *title)
{
    PRINT(printer, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n", id, id, id,
          title);
}

/* `heads`: titles of the columns with a | between two; one that begins with a dash cannot be sorted by. */
static void begin_table(struct printer *printer, const char *caption, const char *heads)
{
    PRINT(printer,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table class=\"sortable\">\n"
          "<caption>%s</caption>\n<thead><tr>",
          caption, caption);
    for (size_t size; *heads; heads += size + (heads[size] == '|')) {
        size = strcspn(heads, "|");
        bool fixed = heads[0] == '-';
        PRINT(printer, "<th scope=\"col\"%s>%.*s</th>", fixed ? " data-fixed=\"\"" : "", (int)size - fixed,
              heads + fixed);
    }
    PRINT(printer, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct printer *printer) { PRINT(printer, "</tbody></table></div>\n"); }

static void put_number(struct printer *printer, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<td class=\"n\">%s</td>", grouped(text, number));
}

static void put_source(struct printer *printer, const char *file, const char *columns)
{
    PRINT(printer, "<p class=\"source\">Numbers from <a href=\"%s\">%s</a>: %s.</p>\n", file, file, columns);
}

/* ---- what was scanned ---- */

static void put_fact(struct printer *printer, const char *name, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, grouped(text, number));
}

static void put_scanned(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct forest *forest = &report->opened.forest;
    char network[OPENED_STORE_NETWORK_SIZE], tip[HASH256_HEX_SIZE + 1] = "", first[CHART_TIME_SIZE],
                                                                    last[CHART_TIME_SIZE];
    char bitcoins[GROUPED_SIZE];
    opened_store_network(report->opened.store, network);
    hash256_hex(&forest->tip, tip);
    begin_section(printer, "scanned", "What was scanned");
    PRINT(printer,
          "<p>The chain of %s from %s to %s (UTC), block 0 to %u, which is "
          "<code class=\"hash\">%s</code>.</p>\n<dl>\n",
          network, chart_time(first, forest->block_times[0]), chart_time(last, forest->block_times[forest->blocks - 1]),
          (unsigned)forest->blocks - 1, tip);
    put_fact(printer, "blocks", forest->blocks);
    put_fact(printer, "transactions", forest->total_txs);
    put_fact(printer, "with an unknown output", forest->unknown_txs[report->rules]);
    put_fact(printer, "inputs", forest->total_inputs);
    put_fact(printer, "outputs", forest->total_outputs);
    PRINT(printer, "</dl>\n");
    begin_table(printer, "Outputs by kind", "kind|outputs|value in BTC");
    for (unsigned k = 0; k < KINDS; k++) {
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", kind_name((enum kind)k));
        put_number(printer, forest->kind_count[k]);
        PRINT(printer, "<td class=\"n\">%s.%08llu</td></tr>\n",
              grouped(bitcoins, forest->kind_value_sat[k] / 100000000u), ULL(forest->kind_value_sat[k] % 100000000u));
    }
    end_table(printer);
    put_source(printer, "summary.json", "<code>totals</code>");
    PRINT(printer, "</section>\n");
}

/* ---- unknown outputs over time ---- */

static enum status put_kind(struct report *report, enum kind kind, const char *unknown_in)
{
    const struct periods *periods = &report->periods;
    struct chart_bar *bars = mem_alloc(periods->count, sizeof *bars);
    char what[128], number[GROUPED_SIZE];
    uint64_t sum = 0;
    if (!bars)
        return STATUS_NOMEM;
    for (size_t i = 0; i < periods->count; i++) {
        bars[i].value = periods->rows[i].kind_count[kind];
        *period_put(bars[i].label, periods->by, periods->rows[i].key) = '\0';
        sum += bars[i].value;
    }
    snprintf(what, sizeof what, "%s: %s outputs (%s)", kind_name(kind), grouped(number, sum), unknown_in);
    chart_bars(&report->printer, what, bars, periods->count);
    mem_free(bars);
    return STATUS_OK;
}

static void put_kind_table(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct periods *periods = &report->periods;
    bool by_day = periods->by == BY_DAY;
    PRINT(printer, "<details><summary>The numbers behind the charts</summary>\n");
    begin_table(printer, by_day ? "Outputs that may be unknown, by day" : "Outputs that may be unknown, by month",
                by_day ? "day|nonstandard|nulldata|pubkey|multisig" : "month|nonstandard|nulldata|pubkey|multisig");
    for (size_t i = 0; i < periods->count; i++) {
        char label[PERIOD_TEXT + 1];
        *period_put(label, periods->by, periods->rows[i].key) = '\0';
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", label);
        put_number(printer, periods->rows[i].kind_count[KIND_NONSTANDARD]);
        put_number(printer, periods->rows[i].kind_count[KIND_NULLDATA]);
        put_number(printer, periods->rows[i].kind_count[KIND_PUBKEY]);
        put_number(printer, periods->rows[i].kind_count[KIND_MULTISIG]);
        PRINT(printer, "</tr>\n");
    }
    end_table(printer);
    PRINT(printer, "</details>\n");
}

static enum status put_kinds(struct report *report)
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
    begin_section(&report->printer, "kinds", "Unknown outputs by kind over time");
    PRINT(&report->printer,
          "<p>Outputs created in each %s (UTC, by the time in the block header); %ss without a block "
          "are left out, and each chart has its own scale. In brackets: the rule sets in which the kind "
          "is unknown. Of multisig, those with m or n beyond 16 are unknown in all.</p>\n"
          "<div class=\"charts\">\n",
          by_day ? "day" : "month", by_day ? "day" : "month");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == STATUS_OK; i++)
        status = put_kind(report, kinds[i].kind, kinds[i].unknown_in);
    PRINT(&report->printer, "</div>\n");
    put_kind_table(report);
    put_source(&report->printer, "stats-by-day.csv",
               by_day ? "a column for each kind" : "a column for each kind; a month has the sums of its days");
    PRINT(&report->printer, "</section>\n");
    return status;
}

/* ---- sizes and heights ---- */

static enum status put_sizes(struct report *report)
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
    begin_section(printer, "sizes", "Sizes and heights of T-DAGs");
    PRINT(
        printer,
        "<p>A point says how many T-DAGs have that many nodes, or that height (the longest path, in edges). "
        "Both axes are logarithmic. Small numbers have a point each, large ones share 24 points from one power of ten "
        "to the next.</p>\n<div class=\"charts\">\n");
    chart_loglog(printer, "T-DAGs by number of nodes", "nodes", nodes);
    chart_loglog(printer, "T-DAGs by height", "height", heights);
    PRINT(printer, "</div>\n");
    put_source(printer, "tdags.csv", "<code>nodes</code>, <code>height</code>");
    PRINT(printer, "</section>\n");
    mem_free(nodes);
    return STATUS_OK;
}

/* ---- classes ---- */

static void put_scripts(struct report *report, const struct name_set *names)
{
    char *list = mem_alloc(catalogue_names_size(&report->opened.catalogue) + 1, 1);
    if (!list) {
        report->printer.status = STATUS_NOMEM;
        return;
    }
    size_t size = (size_t)(catalogue_put_names(&report->opened.catalogue, names, list) - list);
    put_escaped(&report->printer, list, size);
    mem_free(list);
}

static enum status put_class(struct report *report, uint32_t number, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct class_row *row = &report->opened.selection.classes.classes[number];
    char id[CLASS_ID_TEXT + 1] = "", left[GROUPED_SIZE];
    uint64_t not_drawn = 0;
    put_class_id(id, row->class_id, row->exact);
    PRINT(printer, "<tr><td class=\"drawn\">");
    const struct opened_forest *opened = &report->opened;
    enum status status = svg_inline(printer, &opened->forest, &opened->selection.tdags, row->first_dag, &not_drawn,
                                    fault);
    if (status != STATUS_OK)
        return status;
    if (not_drawn)
        PRINT(printer, "<small>%s nodes not drawn</small>", grouped(left, not_drawn));
    PRINT(printer, "</td>");
    put_number(printer, row->tdags);
    put_number(printer, row->height);
    put_number(printer, row->nodes);
    put_number(printer, row->edges);
    put_number(printer, row->roots);
    put_number(printer, row->txs);
    PRINT(printer, "<td>%s</td><td><code title=\"%s\">%.*s%s</code></td>", family_name(row->family), id, ID_SHOWN, id,
          row->exact ? "" : "?");
    put_number(printer, row->first_dag);
    PRINT(printer, "<td class=\"names\">");
    put_scripts(report, &report->held.classes[number]);
    PRINT(printer, "</td></tr>\n");
    return STATUS_OK;
}

static enum status put_classes(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct classes *classes = &report->opened.selection.classes;
    char number[2][GROUPED_SIZE];
    enum status status = STATUS_OK;
    uint32_t shown = classes->classes_count < CLASSES_DRAWN ? classes->classes_count : CLASSES_DRAWN;
    begin_section(printer, "classes", "Classes of T-DAGs");
    PRINT(printer,
          "<p>Two T-DAGs are in one class if they are isomorphic. %s T-DAGs are in %s classes; the most common "
          "come first, each with a drawing of its first T-DAG%s. The column <i>first</i> has that one's number.</p>\n",
          grouped(number[0], classes->rows_count), grouped(number[1], classes->classes_count),
          report->settings->compress ? ", which shows it without compression" : "");
    PRINT(printer,
          "<svg class=\"legend\" role=\"img\" viewBox=\"0 0 320 84\" width=\"320\" height=\"84\"><title>Legend: "
          "squares are roots, filled circles spent unknown outputs, hollow circles unspent unknown outputs, "
          "diamonds known outputs</title>\n");
    svg_legend(printer, 0, 0);
    PRINT(printer, "</svg>\n");
    begin_table(printer, "Isomorphism classes",
                "-drawing|T-DAGs|height|nodes|edges|roots|transactions|family|class|first|known scripts");
    for (uint32_t i = 0; i < shown && status == STATUS_OK; i++)
        status = put_class(report, i, fault);
    end_table(printer);
    if (shown < classes->classes_count)
        PRINT(printer, "<p>%s more classes are in classes.csv only.</p>\n",
              grouped(number[0], classes->classes_count - shown));
    put_source(printer, "classes.csv",
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

static uint32_t find_first(const struct report *report, comes_first *first, uint32_t list[LISTED])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < report->opened.selection.classes.rows_count; i++) {
        uint32_t at = count;
        while (at > 0 && first(report, i, list[at - 1]))
            at--;
        if (at == LISTED)
            continue;
        count += count < LISTED;
        memmove(list + at + 1, list + at, (count - 1 - at) * sizeof *list);
        list[at] = i;
    }
    return count;
}

static void put_value(struct printer *printer, const char *name, uint64_t value_sat)
{
    PRINT(printer, "<div><dt>%s</dt><dd>" BTC "</dd></div>\n", name, BTC_OF(value_sat));
}

static enum status put_timeline(struct report *report, uint32_t dag)
{
    const struct forest *forest = &report->opened.forest;
    const struct tdags *tdags = &report->opened.selection.tdags;
    struct chart_times *times = mem_alloc(1, sizeof *times);
    char what[96], number[GROUPED_SIZE];
    if (!times)
        return STATUS_NOMEM;
    times->first = UINT64_MAX;
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        uint32_t time = forest->block_times[forest->txs[tdags->members[i]].height];
        times->first = time < times->first ? time : times->first;
        times->last = time > times->last ? time : times->last;
    }
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        const struct forest_tx *tx = &forest->txs[tdags->members[i]];
        chart_moment(times, forest->block_times[tx->height], tx->value_out_sat);
    }
    snprintf(what, sizeof what, "%s transactions in time, by value out",
             grouped(number, tdags->first[dag] - tdags->first[dag - 1]));
    chart_timeline(&report->printer, what, times);
    mem_free(times);
    return STATUS_OK;
}

static enum status put_tdag(struct report *report, const char *list, uint32_t dag, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    uint64_t not_drawn = 0;
    char number[GROUPED_SIZE], txid[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&report->opened.forest.txs[row->first_tx].txid, txid);
    PRINT(printer, "<article aria-labelledby=\"%s-%u\">\n<h3 id=\"%s-%u\">T-DAG %u: %s</h3>\n<dl>\n", list,
          (unsigned)dag, list, (unsigned)dag, (unsigned)dag, family_name(row->family));
    PRINT(printer, "<div><dt>automation</dt><dd>%.6f</dd></div>\n<div><dt>orderliness</dt><dd>%.6f</dd></div>\n",
          report->measures[dag - 1].automation, report->measures[dag - 1].orderliness);
    put_fact(printer, "height", row->height);
    put_fact(printer, "nodes", row->nodes);
    put_fact(printer, "edges", row->edges);
    put_fact(printer, "roots", row->roots);
    put_fact(printer, "transactions", row->txs);
    put_value(printer, "value of the roots", row->root_value_sat);
    put_value(printer, "moved within", row->moved_value_sat);
    put_value(printer, "left in leaves", row->leaf_value_sat);
    PRINT(printer, "</dl>\n<p>Blocks %u to %u; the first transaction is <code class=\"hash\">%s</code>.</p>\n",
          (unsigned)row->first_height, (unsigned)row->last_height, txid);
    enum status status = put_timeline(report, dag);
    PRINT(printer,
          "<details><summary>Drawing</summary>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" "
          "aria-label=\"Drawing of T-DAG %u\">",
          (unsigned)dag);
    if (status == STATUS_OK)
        status = svg_inline(printer, &report->opened.forest, &report->opened.selection.tdags, dag, &not_drawn, fault);
    PRINT(printer, "</div>\n");
    if (not_drawn)
        PRINT(printer, "<p>%s nodes are not drawn.</p>\n", grouped(number, not_drawn));
    PRINT(printer, "</details>\n</article>\n");
    return status;
}

static enum status put_list(struct report *report, const char *id, const char *title, const char *order,
                            comes_first *first, struct fault *fault)
{
    uint32_t list[LISTED];
    uint32_t count = find_first(report, first, list);
    enum status status = STATUS_OK;
    begin_section(&report->printer, id, title);
    PRINT(&report->printer,
          "<p>%s In the time lines, a line stands for the transactions of that moment, as high as the "
          "largest value that one of them pays out.</p>\n<div class=\"charts\">\n",
          order);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_tdag(report, id, list[i] + 1, fault);
    PRINT(&report->printer, "</div>\n");
    put_source(&report->printer, "tdags.csv",
               "a row for each T-DAG; the time lines from <code>txs.csv</code>, "
               "<code>height</code> and <code>value_out_sat</code>");
    PRINT(&report->printer, "</section>\n");
    return status;
}

static enum status put_lists(struct report *report, struct fault *fault)
{
    enum status status = put_list(report, "ordered", "The most ordered T-DAGs",
                                  "By automation: how much a programme's work they look like, from 0 to 1 "
                                  "(docs/measures.md has the formulas). Small ones easily look so.",
                                  is_more_automatic, fault);
    if (status == STATUS_OK)
        status = put_list(report, "highest", "The highest T-DAGs", "By height, then by number of nodes.", is_higher,
                          fault);
    return status;
}

/* ---- rule sets and files ---- */

static void put_rules(struct report *report)
{
    struct printer *printer = &report->printer;
    begin_section(printer, "rules", "The rule sets side by side");
    PRINT(printer, "<p>What counts as unknown differs between releases of Bitcoin Core. This page follows %s.</p>\n",
          rules_name(report->rules));
    begin_table(printer, "Numbers of each rule set",
                "rules|transactions with an unknown output|roots|T-DAGs|nodes|edges|classes|not decided");
    for (unsigned r = 0; r < RULES; r++) {
        const struct summary_rules *rules = &report->summary.rules[r];
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", rules_name((enum rules)r));
        put_number(printer, report->opened.forest.unknown_txs[r]);
        put_number(printer, rules->roots);
        put_number(printer, rules->tdags);
        put_number(printer, rules->nodes);
        put_number(printer, rules->edges);
        put_number(printer, rules->classes);
        put_number(printer, rules->inexact_classes);
        PRINT(printer, "</tr>\n");
    }
    end_table(printer);
    put_source(printer, "summary.json", "an object for each rule set");
    PRINT(printer, "</section>\n");
}

static void put_files(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct settings *settings = report->settings;
    begin_section(printer, "files", "Where the numbers are");
    PRINT(printer,
          "<p>The links lead to files beside this page. <code>unktx dags --rules %s%s</code>%s writes tdags.csv, "
          "classes.csv, txs.csv, arcs.csv, leaves.csv and summary.json, <code>unktx stats --by day -o "
          "stats-by-day.csv</code> the other, <code>unktx analyze</code> all of them. The manual of each command has "
          "every column.</p>\n</section>\n",
          rules_name(report->rules), settings->compress ? " --compress" : "",
          settings->exclude_scripts ? " (with the same --exclude-scripts)" : "");
}

/* ---- all of it ---- */

static enum status add_batch(struct periods *periods, struct batch_view *view)
{
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        struct period *period = periods_find(periods, period_key(periods->by, &block));
        if (!period)
            return STATUS_NOMEM;
        period_add(period, &block.counts);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status fill_periods(struct report *report, struct fault *fault)
{
    const struct forest *forest = &report->opened.forest;
    struct store_reader *reader = NULL;
    uint32_t first = UINT32_MAX, last = 0;
    /* without block 0, which test networks may have years before the others */
    for (uint32_t i = forest->blocks > 1; i < forest->blocks; i++) {
        first = forest->block_times[i] < first ? forest->block_times[i] : first;
        last = forest->block_times[i] > last ? forest->block_times[i] : last;
    }
    report->periods.by = last - first <= BY_DAY_MAX ? BY_DAY : BY_MONTH;
    enum status status = store_reader_open(report->opened.store, &reader, fault);
    size_t batches = status == STATUS_OK ? store_batches(reader) : 0;
    for (size_t b = 0; b < batches && status == STATUS_OK; b++) {
        struct batch_view view;
        if ((status = opened_store_go_on(fault)) != STATUS_OK ||
            (status = store_whole_batch(reader, b, &view, fault)) != STATUS_OK)
            break;
        status = add_batch(&report->periods, &view);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(report->opened.store, view.first_height, fault);
        else if (status == STATUS_NOMEM)
            status = fault_nomem(fault);
    }
    if (reader)
        store_reader_close(reader);
    return status;
}

static enum status load(struct report *report, struct fault *fault)
{
    const struct settings *settings = report->settings;
    unsigned threads = (unsigned)settings->threads;
    struct opened_forest *opened = &report->opened;
    struct selection *selection = &opened->selection;
    enum status status = opened_forest_open(settings, opened, fault);
    report->summary = (struct summary){
        .settings = settings, .store = opened->store, .forest = &opened->forest, .filter = opened->filter};
    if (status == STATUS_OK)
        status = summary_fill(&report->summary, report->rules, selection, fault);
    if (status == STATUS_OK)
        status = known_scripts_find(&opened->catalogue, opened->store, &opened->forest, selection, threads,
                                    &report->held, fault);
    if (status == STATUS_OK)
        status = measures_all(&opened->forest, &selection->tdags, &selection->classes, threads, &report->measures,
                              fault);
    return status == STATUS_OK ? fill_periods(report, fault) : status;
}

static enum status put_all(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    char network[OPENED_STORE_NETWORK_SIZE];
    opened_store_network(report->opened.store, network);
    PRINT(printer,
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
          "content=\"width=device-width,initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<link rel=\"icon\" href=\"data:,\"/>\n<title>Unknown transactions of %s to block %u</title>\n",
          network, (unsigned)report->opened.forest.blocks - 1);
    PRINT(printer, "<style>%s\n%s</style></head>\n<body>\n", svg_style, report_style);
    PRINT(printer, "%s", report_top);
    PRINT(printer, "<h1>Unknown transactions of %s</h1>\n<p>To block %u, rules %s; written by unktx %s.</p>\n", network,
          (unsigned)report->opened.forest.blocks - 1, rules_name(report->rules), UNKTX_VERSION);
    PRINT(printer, "%s", report_contents);
    put_scanned(report);
    enum status status = put_kinds(report);
    if (status == STATUS_OK)
        status = put_sizes(report);
    if (status == STATUS_OK)
        status = put_classes(report, fault);
    if (status == STATUS_OK)
        status = put_lists(report, fault);
    put_rules(report);
    put_files(report);
    PRINT(printer, "</main>\n<script>%s</script>\n</body></html>\n", report_script);
    if (status == STATUS_NOMEM || printer->status != STATUS_OK)
        return fault_nomem(fault);
    return status;
}

static enum status write_report(struct report *report, struct fault *fault)
{
    enum status status = load(report, fault);
    if (status == STATUS_OK)
        status = put_all(report, fault);
    if (status == STATUS_OK)
        status = printer_write(&report->printer, report->settings->out, fault);
    text_free(&report->printer.text);
    periods_free(&report->periods);
    summary_free(&report->summary);
    known_scripts_held_free(&report->held);
    mem_free(report->measures);
    opened_forest_close(&report->opened);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct report report = {.settings = settings, .rules = settings->rules};
    return message_result(write_report(&report, &fault), &fault);
}

static const struct option option_report_out = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "FILE",
    .fallback = "report.html",
    .field = offsetof(struct settings, out),
    .help = "page to write, - for stdout",
};

static const struct option *const options[] = {
    &option_store,   &option_rules,   &option_compress,   &option_exclude_scripts,
    &option_scripts, &option_threads, &option_report_out, NULL,
};

const struct command command_report = {
    .name = "report",
    .operands = "",
    .summary = "Write a page for a browser: charts, tables, and a drawing of each class of T-DAGs.",
    .details = "One file without parts elsewhere: it needs no network. Each number names the table that has it.\n",
    .options = options,
    .run = run,
};
