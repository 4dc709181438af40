#include "cli/views/chart.h"
#include "cli/views/html.h"
#include "cli/views/report.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "cli/views/tdag_times.h"
#include "graph/dag/names.h"

/* Bytes of the articles' drawings and time lines. */
#define DRAWINGS_MOST 400000u
/* From this size of the page on an article has no tables. */
#define PAGE_MOST 1500000u
#define TXS_LISTED 12u
#define ENDS_LISTED 12u /* payers, and as many payees */

/* ---- numbers ---- */

static void put_facts(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    const struct label_span labels = report_labels_of(report, dag);
    PRINT(printer, "<dl>\n<div><dt>automation</dt><dd>%.6f</dd></div>\n<div><dt>orderliness</dt><dd>%.6f</dd></div>\n",
          report->measures[dag - 1].automation, report->measures[dag - 1].orderliness);
    html_fact(printer, "height", row->height);
    html_fact(printer, "nodes", row->nodes);
    html_fact(printer, "edges", row->edges);
    html_fact(printer, "roots", row->roots);
    if (report->opened.forest.first_height > 0) {
        html_fact(printer, "roots that may not be roots", row->maybe_roots);
        html_fact(printer, "inputs made before", row->inputs_before);
    }
    html_fact(printer, "transactions", row->txs);
    html_value(printer, "value of the roots", row->root_value_sat);
    html_value(printer, "moved within", row->moved_value_sat);
    html_value(printer, "left in leaves", row->leaf_value_sat);
    if (labels.count > 0) {
        PRINT(printer, "<div><dt>labels</dt><dd>");
        report_put_labels(report, &labels);
        PRINT(printer, "</dd></div>\n");
    }
    PRINT(printer, "</dl>\n");
}

static void put_group_of(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct groups *groups = &report->shown.groups;
    char name[TDAG_NAME_MAX + 1];
    bool in_table = false;
    if (!report->shown.unlocks || groups->of_member[dag] == 0)
        return;
    uint32_t group = groups->of_member[dag], begin = groups->begins[group - 1];
    *tdag_put_name(&report->opened.forest, &groups->names, group, name) = '\0';
    for (uint32_t g = 0; g < report->groups_count; g++)
        in_table |= report->groups[g].group == group;
    PRINT(printer, "<p>Group <code class=\"hash\">%s</code>", name);
    if (in_table)
        PRINT(printer, " (<a href=\"#group-%u\">in the table of groups</a>)", (unsigned)group);
    PRINT(printer, "; listed here are its T-DAGs ");
    report_put_listed(report, groups->in_group + begin, groups->begins[group] - begin);
    PRINT(printer, ".</p>\n");
}

static void put_class_of(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    uint32_t class = report->held.class_of[dag - 1];
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->class_exact);
    PRINT(printer, "<p>Class <code class=\"hash\">%s</code>", id);
    if (class > 0 && report->classes_listed[class - 1])
        PRINT(printer, " (<a href=\"#class-%u\">in the table of classes</a>)", (unsigned)class);
    for (uint32_t i = 0, any = 0; i < report->listed_count; i++) {
        if (report->listed[i] == dag || class == 0 || report->held.class_of[report->listed[i] - 1] != class)
            continue;
        PRINT(printer, "%s", any++ ? ", " : "; of it is also listed T-DAG ");
        report_put_tdag(report, report->listed[i]);
    }
    PRINT(printer, ".</p>\n");
}

static void put_about(struct report *report, uint32_t dag)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    char txid[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&report->opened.forest.txs[tdags_first_tx(&report->opened.selection.tdags, dag)].txid, txid);
    PRINT(printer, "<p>Blocks %u to %u; the first transaction is <code class=\"hash\">%s</code>.</p>\n",
          (unsigned)row->first_height, (unsigned)row->last_height, txid);
    put_class_of(report, dag);
    put_group_of(report, dag);
    if (report->shown.unlocks && row->spent_unknown > 0) {
        PRINT(printer, "<p>Unlocked by: ");
        report_put_unlocks(report, &report->shown.unlocks[dag]);
        PRINT(printer, "%s.</p>\n", report->shown.unlocks[dag].unread ? "not all could be read" : "");
    }
    if (name_set_first(&report->held.labels.all[dag]) < CATALOGUE_MAX) {
        PRINT(printer, "<p>Known scripts: ");
        report_put_names(report, &report->held.labels.all[dag]);
        PRINT(printer, "</p>\n");
    }
}

/* ---- transactions ---- */

static void begin_details(struct report *report, uint32_t dag, const char *what, const char *title, uint64_t count,
                          uint64_t most)
{
    char number[GROUPED_SIZE];
    PRINT(&report->printer, "<details id=\"tdag-%u-%s\"><summary>%s: ", (unsigned)dag, what, title);
    if (count > most)
        PRINT(&report->printer, "the first %llu of ", ULL(most));
    PRINT(&report->printer, "%s</summary>\n", grouped(number, count));
}

static void put_tx(struct report *report, uint32_t number)
{
    struct printer *printer = &report->printer;
    const struct forest *forest = &report->opened.forest;
    const struct forest_tx *tx = &forest->txs[number];
    uint32_t unknown_in = forest_unknown_inputs(forest, number, report->rules);
    uint32_t unknown_out = forest_unknown_outputs(forest, number, report->rules);
    char time[CHART_TIME_SIZE], txid[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, txid);
    PRINT(printer, "<tr><td><code class=\"hash\">%s</code></td>", txid);
    html_number(printer, tx->height);
    PRINT(printer, "<td class=\"n\">%s</td><td>%s</td>", chart_time(time, forest->block_times[tx->height]),
          forest_is_maybe_root(forest, number, report->rules) ? "maybe-root"
          : forest_is_root(forest, number, report->rules)     ? "root"
                                                              : "");
    html_number(printer, report->opened.selection.classes.depths[number]);
    html_number(printer, unknown_in);
    html_number(printer, tx->inputs - unknown_in);
    html_number(printer, unknown_out);
    html_number(printer, tx->outputs - unknown_out);
    PRINT(printer, "<td class=\"n\">%llu.%08llu</td></tr>\n", BTC_OF(tx->value_out_sat));
}

static void put_txs(struct report *report, uint32_t dag)
{
    const struct tdags *tdags = &report->opened.selection.tdags;
    uint32_t first = tdags->first[dag - 1], count = tdags->first[dag] - first;
    begin_details(report, dag, "txs", "Transactions", count, TXS_LISTED);
    html_begin_table(&report->printer, "Transactions in chain order; values in BTC, times in UTC",
                     "transaction|block|time|root|depth|unknown inputs|known inputs|unknown outputs|known "
                     "outputs|value out");
    for (uint32_t i = 0; i < count && i < TXS_LISTED; i++)
        put_tx(report, tdags->members[first + i]);
    html_end_table(&report->printer);
    PRINT(&report->printer, "</details>\n");
}

/* ---- payers and payees ---- */

struct ends {
    struct report *report;
    uint32_t listed;
};

/* STATUS_LIMIT once there are enough. */
static enum status put_end(void *context, const struct payments_end *end, struct text *text, struct fault *fault)
{
    struct ends *ends = context;
    struct report *report = ends->report;
    struct printer *printer = &report->printer;
    char txid[HASH256_HEX_SIZE + 1] = "", own[HASH256_HEX_SIZE + 1] = "";
    (void)text;
    if (ends->listed == ENDS_LISTED)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "enough");
    ends->listed++;
    hash256_hex(end->txid, txid);
    hash256_hex(&end->tx->txid, own);
    PRINT(printer,
          "<tr><td><code class=\"hash\">%s:%u</code></td><td>%s</td><td class=\"n\">%llu.%08llu</td><td><code "
          "class=\"hash\">",
          txid, (unsigned)end->vout, kind_name(end->output->kind), BTC_OF(end->output->value_sat));
    report_put_text(report, end->address, end->address_size);
    PRINT(printer, "</code></td>");
    if (report->opened.selection.labels) {
        struct label_span labels = {0};
        if (end->address_size > 0)
            labels = address_labels_of(&report->opened.labels, end->address, end->address_size);
        PRINT(printer, "<td>");
        report_put_labels(report, &labels);
        PRINT(printer, "</td>");
    }
    if (!end->payee)
        PRINT(printer, "<td><code class=\"hash\">%s:%u</code></td>", own, (unsigned)end->position);
    PRINT(printer, "</tr>\n");
    return printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status put_ends(struct report *report, uint32_t dag, bool payees, uint64_t count, struct fault *fault)
{
    struct payments *payments = &report->payments;
    struct ends ends = {.report = report};
    struct text none = {0};
    enum status status = STATUS_OK;
    bool labelled = report->opened.selection.labels != NULL;
    begin_details(report, dag, payees ? "payees" : "payers", payees ? "Payees" : "Payers", count, ENDS_LISTED);
    html_begin_table(&report->printer, payees ? "Known outputs of its transactions" : "Known outputs that it spends",
                     payees ? labelled ? "output|kind|value in BTC|address|labels" : "output|kind|value in BTC|address"
                     : labelled ? "output|kind|value in BTC|address|labels|spent by input"
                                : "output|kind|value in BTC|address|spent by input");
    payments->only = dag;
    payments->each = put_end;
    payments->each_context = &ends;
    for (size_t c = 0; c < payments_chunks(payments) && status == STATUS_OK && ends.listed < count; c++)
        status = payments_chunk(payments, 0, c, payees, &none, fault);
    html_end_table(&report->printer);
    PRINT(&report->printer, "</details>\n");
    text_free(&none);
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

/* Inputs that spend known outputs. */
static uint64_t payers_of(const struct report *report, uint32_t dag)
{
    const struct forest *forest = &report->opened.forest;
    const struct tdags *tdags = &report->opened.selection.tdags;
    uint64_t payers = 0;
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        const struct forest_tx *tx = &forest->txs[tdags->members[i]];
        if (!tx->coinbase)
            payers += tx->inputs - forest_unknown_inputs(forest, tdags->members[i], report->rules);
    }
    return payers;
}

/* ---- an article for each ---- */

static enum status put_pictures(struct report *report, uint32_t dag, size_t *drawn, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct tdags *tdags = &report->opened.selection.tdags;
    const struct drawing_scope scope = drawing_of_tdag(&report->opened.forest, tdags, dag);
    size_t before = printer->text.size;
    if (*drawn >= DRAWINGS_MOST) {
        PRINT(printer,
              "<p>Drawing and time line are left out, since the page would get too large: <code>unktx show "
              "--dag %u --format svg</code> draws it.</p>\n",
              (unsigned)dag);
        return STATUS_OK;
    }
    enum status status = tdag_times_put(printer, &report->opened.forest, tdags, dag);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    PRINT(printer,
          "<details id=\"tdag-%u-drawing\"><summary>Drawing</summary>\n<div class=\"wide\" role=\"region\" "
          "tabindex=\"0\" aria-label=\"Drawing of T-DAG %u\">",
          (unsigned)dag, (unsigned)dag);
    status = svg_part(printer, &scope, &svg_medium, "", NULL, fault);
    PRINT(printer, "</div>\n</details>\n");
    *drawn += printer->text.size - before;
    return status;
}

static enum status put_tdag(struct report *report, uint32_t dag, size_t *drawn, struct fault *fault)
{
    struct printer *printer = &report->printer;
    const struct tdag_row *row = &report->opened.selection.classes.rows[dag - 1];
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&report->opened.forest, &report->opened.selection.tdags, dag, name) = '\0';
    PRINT(printer,
          "<article id=\"tdag-%u\" aria-labelledby=\"tdag-%u-title\">\n<h3 id=\"tdag-%u-title\">T-DAG %u, <code "
          "class=\"hash\">%s</code>: %s</h3>\n",
          (unsigned)dag, (unsigned)dag, (unsigned)dag, (unsigned)dag, name, family_name(row->family));
    put_facts(report, dag);
    put_about(report, dag);
    enum status status = put_pictures(report, dag, drawn, fault);
    if (status != STATUS_OK)
        return status;
    if (printer->text.size >= PAGE_MOST) {
        PRINT(printer, "<p>Its transactions are left out, since the page would get too large.</p>\n</article>\n");
        return STATUS_OK;
    }
    put_txs(report, dag);
    if (report->linked)
        status = put_ends(report, dag, false, payers_of(report, dag), fault);
    if (report->linked && status == STATUS_OK)
        status = put_ends(report, dag, true, row->known_leaves, fault);
    PRINT(printer, "</article>\n");
    return status;
}

enum status report_tdags(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    enum status status = STATUS_OK;
    size_t drawn = 0;
    html_begin_section(printer, "tdags", "The T-DAGs of these lists");
    PRINT(printer,
          "<p>In the time lines, a line stands for the transactions of that moment, as high as the largest "
          "value that one of them pays out. The drawings show T-DAGs without compression.%s</p>\n"
          "<div class=\"charts\">\n",
          report->linked ? "" : " Payers and payees are not known: there is no index.");
    for (uint32_t i = 0; i < report->listed_count && status == STATUS_OK; i++)
        status = put_tdag(report, report->listed[i], &drawn, fault);
    PRINT(printer, "</div>\n");
    report_source(report, "tdags.csv",
                  "a row for each T-DAG; its transactions from <code>txs.csv</code>, payers and payees from "
                  "<code>payers.csv</code> and <code>payees.csv</code>");
    PRINT(printer, "</section>\n");
    return status;
}
