#include <unistd.h>

#include "cli/command.h"
#include "cli/inputs/hidden_store.h"
#include "cli/views/html.h"
#include "cli/views/payments.h"
#include "cli/views/report.h"
#include "cli/views/report_page.h"
#include "cli/views/svg.h"
#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "parser/network.h"

/* ---- rule sets and files ---- */

static void put_rules(struct report *report)
{
    struct printer *printer = &report->printer;
    html_begin_section(printer, "rules", "The rule sets side by side");
    PRINT(printer, "<p>What counts as unknown differs between releases of Bitcoin Core. This page follows %s.%s</p>\n",
          rules_name(report->rules), report->rules == RULES_HIDDEN ? " " HIDDEN_STORE_IS "." : "");
    html_begin_table(printer, "Numbers of each rule set",
                     "rules|transactions with an unknown output|roots|T-DAGs|nodes|edges|classes|not decided");
    unsigned end = report->rules == RULES_HIDDEN ? RULES_WITH_HIDDEN : RULES;
    for (unsigned r = 0; r < end; r++) {
        const struct summary_rules *rules = &report->summary.rules[r];
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", rules_name((enum rules)r));
        html_number(printer, forest_unknown_txs(&report->opened.forest, (enum rules)r));
        html_number(printer, rules->roots);
        html_number(printer, rules->tdags);
        html_number(printer, rules->nodes);
        html_number(printer, rules->edges);
        html_number(printer, rules->classes);
        html_number(printer, rules->inexact_classes);
        PRINT(printer, "</tr>\n");
    }
    html_end_table(printer);
    report_source(report, "summary.json", "an object for each rule set");
    PRINT(printer, "</section>\n");
}

static void put_files(struct report *report)
{
    struct printer *printer = &report->printer;
    const struct settings *settings = report->settings;
    html_begin_section(printer, "files", "Where the numbers are");
    PRINT(printer,
          "<p>%s <code>unktx dags --rules %s%s</code>%s writes tdags.csv, "
          "classes.csv, txs.csv, arcs.csv, leaves.csv and summary.json, <code>unktx stats --by day -o "
          "stats-by-day.csv</code> the other, <code>unktx analyze</code> all of them. The manual of each command has "
          "every column.</p>\n</section>\n",
          report_has_source(report, "tdags.csv")
              ? "The links lead to files beside this page."
              : "This page was made from the store: tables that lie beside it may be of other rules "
                "or another time.",
          rules_name(report->rules), settings->compress ? " --compress" : "",
          settings->exclude_scripts ? " (with the same --exclude-scripts)" : "");
}

/* ---- all of it ---- */

/* Where the store has an index, payers and payees can be asked for. */
static enum status open_payments(struct report *report, struct fault *fault)
{
    const struct opened_forest *opened = &report->opened;
    struct fault why = {0};
    enum status status = payments_open(&report->payments, opened->store, &opened->forest, 1, &why);
    if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED) {
        if (status == STATUS_REFUSED) {
            if (message_first(MESSAGE_INDEX_LAGS))
                message_fault(&why);
            message("payers and payees are left out of the page");
        }
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        *fault = why;
        return status;
    }
    report->linked = true;
    report->payments.labels = report->settings->labels.count > 0 ? &opened->labels : NULL;
    return payments_visit(&report->payments, &opened->selection, fault);
}

/* Of analyze, which has found it out for its tables, or from the blk files. */
static enum status find_shown(struct report *report, struct fault *fault)
{
    const struct settings *settings = report->settings;
    const struct opened_forest *opened = &report->opened;
    if (settings->no_unlocks || report_shown_take(settings->folder, &report->shown))
        return STATUS_OK;
    enum status status = report_shown_find(settings, opened->store, &opened->forest, &opened->selection, &report->shown,
                                           fault);
    report->unread = report->shown.unread;
    return status;
}

/* What is looked for in store and blk files once the T-DAGs are known. */
static enum status load_more(struct report *report, struct fault *fault)
{
    const struct settings *settings = report->settings;
    struct opened_forest *opened = &report->opened;
    enum status status = payments_labels_of(settings, opened->store, &opened->forest, &opened->selection.tdags,
                                            &opened->labels, &opened->dag_labels, &opened->selection.labels,
                                            &report->labels_said, fault);
    if (status == STATUS_OK)
        status = open_payments(report, fault);
    if (status == STATUS_OK)
        status = find_shown(report, fault);
    if (status == STATUS_OK && report_choose(report) != STATUS_OK)
        status = fault_nomem(fault);
    return status == STATUS_OK ? periods_of_store(opened->store, &opened->forest, &report->periods, fault) : status;
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
    return status == STATUS_OK ? load_more(report, fault) : status;
}

static enum status put_all(struct report *report, struct fault *fault)
{
    struct printer *printer = &report->printer;
    char network[NETWORK_LABEL_SIZE];
    network_label(store_identity_of(report->opened.store)->magic, network);
    PRINT(printer,
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
          "content=\"width=device-width,initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<link rel=\"icon\" href=\"data:,\"/>\n");
    html_allow_only(printer, (const char *[]){svg_style, "\n", report_style, NULL}, report_script);
    const char *partial = report->opened.forest.first_height > 0 ? " (partial)" : "";
    PRINT(printer, "<title>Unknown transactions of %s%s to block %u</title>\n", network, partial,
          (unsigned)report->opened.forest.blocks - 1);
    PRINT(printer, "<style>%s\n%s</style></head>\n<body>\n", svg_style, report_style);
    PRINT(printer, "%s", report_top);
    PRINT(printer, "<h1>Unknown transactions of %s%s</h1>\n<p>To block %u, rules %s%s; written by unktx %s.</p>\n",
          network, partial, (unsigned)report->opened.forest.blocks - 1, rules_name(report->rules),
          report->rules == RULES_HIDDEN ? " (no rule of Core)" : "", UNKTX_VERSION);
    report_contents(report);
    report_scanned(report);
    report_changes(report);
    enum status status = report_kinds(report);
    if (status == STATUS_OK)
        status = report_sizes(report);
    if (status == STATUS_OK)
        status = report_classes(report, fault);
    report_lists(report);
    report_labelled(report);
    if (status == STATUS_OK)
        status = report_tdags(report, fault);
    report_groups(report);
    report_unlocks(report);
    put_rules(report);
    put_files(report);
    PRINT(printer, "</main>\n<script>%s</script>\n</body></html>\n", report_script);
    if (status == STATUS_NOMEM || printer->status != STATUS_OK)
        return fault_nomem(fault);
    return status;
}

static enum status write_report(struct report *report, struct fault *fault)
{
    enum status status = shape_load(fault); /* for the drawings */
    if (status == STATUS_OK)
        status = load(report, fault);
    if (status == STATUS_OK)
        status = report_find_sources(report, fault);
    if (status == STATUS_OK)
        status = put_all(report, fault);
    if (status == STATUS_OK)
        status = outfolder_write(report->settings->folder, report->settings->out, &report->printer, fault);
    text_free(&report->printer.text);
    periods_free(&report->periods);
    report_shown_free(&report->shown);
    payments_close(&report->payments);
    mem_free(report->classes_listed);
    manifest_free(&report->beside);
    summary_free(&report->summary);
    known_scripts_held_free(&report->held);
    mem_free(report->measures);
    opened_forest_close(&report->opened);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    if (!settings->out && isatty(STDOUT_FILENO))
        return message_usage("the page is for a browser: name its file with -o, as in -o report.html");
    struct report report = {.settings = settings, .rules = settings->rules};
    int exit_status = message_result(write_report(&report, &fault), &fault);
    return message_left_out(exit_status, report.labels_said.unread || report.unread);
}

static const struct option option_report_out = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = offsetof(struct settings, out),
    .help = "page to write, - for stdout (default: stdout, unless it is a terminal)",
};

static const struct option *const options[] = {
    &option_read_store,      &option_as_of_height,  &option_rules_hidden, &option_compress,
    &option_exclude_scripts, &option_known_scripts, &option_labels,       &option_no_unlocks,
    &option_threads,         &option_report_out,    &option_quiet,        NULL,
};

const struct command command_report = {
    .name = "report",
    .operands = "",
    .summary = "Write a page for a browser: charts, tables, and a drawing of each class of T-DAGs.",
    .details = "One file without parts elsewhere: it needs no network. Each number names the table that has it.\n",
    .options = options,
    .run = run,
};
