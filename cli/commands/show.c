#include "cli/command.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/opened_store.h"
#include "cli/inputs/operand.h"
#include "cli/inputs/output_folder.h"
#include "cli/inputs/selection.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/outfile.h"
#include "cli/inputs/chosen.h"
#include "cli/views/chart.h"
#include "cli/views/graph_ends.h"
#include "cli/views/linked_tx.h"
#include "cli/views/stored_tx.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"
#include "parser/stop.h"

struct show {
    const struct settings *settings;
    struct catalogue catalogue;
    struct forest forest;
    enum rules rules;
    struct tx_text tx_text;
    struct address_labels labels; /* of --labels */
    struct dag_labels dag_labels; /* of the T-DAG that is shown */
    struct labels_said said;
    bool missing;                /* one of several operands was not there */
    struct stored_blocks blocks; /* of --scripts */
};

/* ---- a T-DAG ---- */

static enum status put_names(struct show *show, const struct catalogue *catalogue, const struct name_set *names)
{
    static const char title[] = "  known scripts: ";
    char *p = text_room(&show->tx_text.text, sizeof title + catalogue_names_size(catalogue));
    if (!p || name_set_first(names) == CATALOGUE_MAX)
        return p ? STATUS_OK : STATUS_NOMEM;
    p = catalogue_put_names(catalogue, names, put_text(p, title));
    *p++ = '\n';
    text_end(&show->tx_text.text, p);
    return STATUS_OK;
}

/* Of --labels: the T-DAG's, which are those of its payers and payees too. */
static enum status put_labels(struct show *show, uint32_t dag)
{
    static const char title[] = "  labels: ";
    struct label_span span = dag_labels_of(&show->dag_labels, dag);
    if (span.count == 0)
        return STATUS_OK;
    char *p = text_room(&show->tx_text.text, sizeof title + address_labels_size(&show->labels, &span));
    if (!p)
        return STATUS_NOMEM;
    p = address_labels_put_text(&show->labels, &span, put_text(p, title));
    *p++ = '\n';
    text_end(&show->tx_text.text, p);
    return STATUS_OK;
}

static enum status put_dag_row(struct show *show, const struct selection *selection,
                               const struct known_scripts_held *held, uint32_t dag)
{
    const struct tdag_row *row = &selection->classes.rows[dag - 1];
    char id[CLASS_ID_TEXT + 1] = "", name[TDAG_NAME_MAX + 1], first[CHART_TIME_SIZE], last[CHART_TIME_SIZE];
    put_class_id(id, row->class_id, row->class_exact);
    *tdag_put_name(&show->forest, &selection->tdags, dag, name) = '\0';
    enum status status = text_printf(&show->tx_text.text, "T-DAG %s, number %u of rules %s: %s, class %s\n", name,
                                     (unsigned)dag, rules_name(show->rules), family_name(row->family), id);
    if (status == STATUS_OK)
        status = text_printf(&show->tx_text.text,
                             "  transactions %u, nodes %llu, edges %llu, roots %u, leaves %llu, height %u, "
                             "width %llu\n",
                             (unsigned)row->txs, ULL(row->nodes), ULL(row->edges), (unsigned)row->roots,
                             ULL(row->leaves), (unsigned)row->height, ULL(row->width));
    if (status == STATUS_OK)
        status = text_printf(
            &show->tx_text.text, "  unknown outputs: spent %llu, unspent %llu; known leaves %llu; mixed spenders %u\n",
            ULL(row->spent_unknown), ULL(row->unspent_unknown), ULL(row->known_leaves), (unsigned)row->mixed_spenders);
    if (status == STATUS_OK)
        status = text_printf(&show->tx_text.text,
                             "  blocks %u to %u (%s to %s UTC)\n  roots " BTC ", moved " BTC ", leaves " BTC "\n",
                             (unsigned)row->first_height, (unsigned)row->last_height,
                             chart_time(first, row->first_time), chart_time(last, row->last_time),
                             BTC_OF(row->root_value_sat), BTC_OF(row->moved_value_sat), BTC_OF(row->leaf_value_sat));
    if (status == STATUS_OK && show->forest.first_height > 0)
        status = text_printf(&show->tx_text.text,
                             "  partial, from block %u on: roots that may not be roots %u, inputs made before %llu\n",
                             (unsigned)show->forest.first_height, (unsigned)row->maybe_roots, ULL(row->inputs_before));
    if (status == STATUS_OK)
        status = put_names(show, held->catalogue, &held->labels.all[dag]);
    return status == STATUS_OK ? put_labels(show, dag) : status;
}

static enum status put_dag_tx(struct show *show, const struct selection *selection, uint32_t number)
{
    const struct forest *forest = &show->forest;
    const struct forest_tx *tx = &forest->txs[number];
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, hex);
    enum status status = text_printf(&show->tx_text.text, "  %s height %u depth %u%s\n", hex, (unsigned)tx->height,
                                     (unsigned)selection->classes.depths[number],
                                     !forest_is_root(forest, number, show->rules)        ? ""
                                     : forest_is_maybe_root(forest, number, show->rules) ? " maybe-root"
                                                                                         : " root");
    for (uint32_t o = tx->first_output; o < forest->txs[number + 1].first_output && status == STATUS_OK; o++) {
        const struct forest_output *output = &forest->outputs[o];
        if (!forest_is_arc(output, show->rules))
            continue;
        hash256_hex(&forest->txs[output->spender].txid, hex);
        status = text_printf(&show->tx_text.text, "    output %u (%s, " BTC ") -> %s input %u\n",
                             (unsigned)output->vout, kind_name((enum kind)output->kind), BTC_OF(output->value_sat), hex,
                             (unsigned)output->spender_vin);
    }
    return status;
}

static enum status put_dag(struct show *show, const struct selection *selection, const struct known_scripts_held *held,
                           uint32_t dag)
{
    const struct tdags *tdags = &selection->tdags;
    enum status status = put_dag_row(show, selection, held, dag);
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag] && status == STATUS_OK; i++)
        status = put_dag_tx(show, selection, tdags->members[i]);
    return status;
}

static enum status draw_dag(struct show *show, const struct selection *selection, uint32_t dag, struct fault *fault)
{
    struct printer printer = {.text = show->tx_text.text};
    enum status status = svg_file(&printer, &show->forest, &selection->tdags, dag, NULL, fault);
    show->tx_text.text = printer.text;
    return status;
}

/* As GraphML, as GEXF, or for Graphviz. */
static enum status put_graph(struct show *show, const struct selection *selection, uint32_t dag, struct fault *fault)
{
    const char *format = show->settings->format;
    struct graphfile_parts parts = {.file.format = strcmp(format, "dot") == 0    ? GRAPHFILE_DOT
                                                   : strcmp(format, "gexf") == 0 ? GRAPHFILE_GEXF
                                                                                 : GRAPHFILE_GRAPHML,
                                    .forest = &show->forest,
                                    .tdags = &selection->tdags,
                                    .dag = dag,
                                    .row = &selection->classes.rows[dag - 1]};
    struct graph_ends ends = {0};
    enum status status = STATUS_OK;
    if (show->settings->with_ends)
        status = graph_ends_open(&ends, show->tx_text.store, selection, &parts, fault);
    if (status == STATUS_OK) {
        status = graphfile_put_all(&parts, &show->tx_text.text);
        status = status == STATUS_NOMEM ? fault_nomem(fault) : status;
    }
    if (status == STATUS_OK && show->settings->with_ends)
        show->tx_text.missing |= payments_tell_unread(&ends.payments);
    graph_ends_close(&ends);
    graphfile_parts_free(&parts);
    return status;
}

/* In the format that is asked for. */
static enum status put_in_format(struct show *show, const struct selection *selection,
                                 const struct known_scripts_held *held, uint32_t dag, struct fault *fault)
{
    if (strcmp(show->settings->format, "svg") == 0)
        return draw_dag(show, selection, dag, fault);
    if (strcmp(show->settings->format, "text") != 0)
        return put_graph(show, selection, dag, fault);
    return put_dag(show, selection, held, dag) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* A T-DAG whose number is larger than that of the last may be one of another rule set. */
static enum status tell_other_rules(const struct show *show, const struct selection *selection, enum status status)
{
    struct fault ignored = {0};
    uint64_t wanted = chosen_number(show->settings->dag);
    if (status == STATUS_NOT_FOUND && wanted > 0)
        (void)!selection_tell_other_forest(&show->forest, show->rules, selection->tdags.count, wanted, &ignored);
    return status;
}

static enum status show_chosen_dag(struct show *show, const struct selection *selection, struct fault *fault)
{
    struct known_scripts_held held = {0};
    uint32_t dag = 0;
    enum status status = chosen_dag(&show->forest, &selection->tdags, &selection->classes, show->settings->dag, &dag,
                                    fault);
    status = output_folder_tell_number(show->settings, show->forest.blocks - 1, status, fault);
    if (status != STATUS_OK)
        return tell_other_rules(show, selection, status);
    status = known_scripts_find(&show->catalogue, show->tx_text.store, &show->forest, selection,
                                (unsigned)show->settings->threads, &held, fault);
    if (status == STATUS_OK && show->settings->labels.count > 0)
        status = payments_find_labels(show->tx_text.store, &show->forest, selection, &show->labels, dag,
                                      (unsigned)show->settings->threads, &show->dag_labels, &show->said, fault);
    if (status == STATUS_OK)
        status = put_in_format(show, selection, &held, dag, fault);
    known_scripts_held_free(&held);
    return status;
}

/* ---- a class ---- */

static enum status put_class(struct show *show, const struct selection *selection, const struct class_row *class)
{
    struct text *text = &show->tx_text.text;
    char id[CLASS_ID_TEXT + 1] = "", name[TDAG_NAME_MAX + 1];
    put_class_id(id, class->class_id, class->exact);
    enum status status = text_printf(text,
                                     "class %s of rules %s: %s\n  T-DAGs %u; each: nodes %llu, edges %llu, roots %u, "
                                     "height %u\n",
                                     id, rules_name(show->rules), family_name(class->family), (unsigned)class->tdags,
                                     ULL(class->nodes), ULL(class->edges), (unsigned)class->roots,
                                     (unsigned)class->height);
    for (uint32_t d = 1; d <= selection->tdags.count && status == STATUS_OK; d++) {
        const struct tdag_row *row = &selection->classes.rows[d - 1];
        if (row->class_exact != class->exact || memcmp(row->class_id, class->class_id, CANON_ID_SIZE) != 0)
            continue;
        *tdag_put_name(&show->forest, &selection->tdags, d, name) = '\0';
        status = text_printf(text, "  T-DAG %s, number %u, blocks %u to %u, moved " BTC "\n", name, (unsigned)d,
                             (unsigned)row->first_height, (unsigned)row->last_height, BTC_OF(row->moved_value_sat));
    }
    return status;
}

static enum status show_chosen(struct show *show, const struct selection *selection, struct fault *fault)
{
    const struct class_row *class;
    if (show->settings->dag)
        return show_chosen_dag(show, selection, fault);
    enum status status = chosen_class(&selection->classes, show->settings->class_id, &class, fault);
    if (status == STATUS_OK && put_class(show, selection, class) != STATUS_OK)
        status = fault_nomem(fault);
    return status;
}

static enum status show_selected(struct show *show, struct fault *fault)
{
    struct selection selection = {0};
    const struct membership *of = &show->tx_text.membership;
    enum status status = selection_make(of->store, &show->forest, show->rules, of->filter, of->compress, of->threads,
                                        &selection, fault);
    if (status == STATUS_OK)
        status = show_chosen(show, &selection, fault);
    selection_free(&selection);
    return status;
}

static uint32_t vout_of(const struct operand *operand)
{
    return operand->type == OPERAND_OUTPUT ? operand->number : TX_TEXT_ALL;
}

static const struct address_labels *labels_of(const struct show *show)
{
    return show->settings->labels.count > 0 ? &show->labels : NULL;
}

/* The blk files of --scripts; where they are gone, the rest is shown. */
static enum status open_blocks(struct show *show, struct fault *fault)
{
    struct fault why = {0};
    enum status status = stored_blocks_open(show->settings, show->tx_text.store, &show->blocks, &why);
    show->tx_text.scripts = (struct tx_scripts){
        .network = network_by_genesis(&store_identity_of(show->tx_text.store)->genesis),
        .json = show->tx_text.json,
        .labels = labels_of(show)};
    if (status == STATUS_OK)
        show->tx_text.blocks = &show->blocks;
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (status != STATUS_OK) {
        message_fault(&why);
        message("scripts are shown as far as the store has them");
        show->tx_text.missing = true;
    }
    return STATUS_OK;
}

/* Opens the index where there is one that reaches as far as the store; without it *linked is false. */
static enum status open_index(struct show *show, bool *linked, struct fault *fault)
{
    enum status status = index_open(store_main_path(show->tx_text.store), &show->tx_text.index, fault);
    if (status == STATUS_OK)
        status = spend_links_reach_tip(show->tx_text.index, show->tx_text.store, fault);
    *linked = status == STATUS_OK;
    if (status == STATUS_REFUSED) {
        message_fault(fault);
        message("shown as the store has it");
    }
    return status == STATUS_NOT_FOUND || status == STATUS_REFUSED ? STATUS_OK : status;
}

static bool parse(const char *word, struct operand *operand)
{
    return operand_parse(word, false, operand) && operand->type != OPERAND_INPUT;
}

static bool fits(const char *word)
{
    struct operand operand;
    return parse(word, &operand);
}

#define NO_OPERAND "'%s' is neither TXID (its first hexadecimal digits, at least 4) nor TXID:VOUT"

static enum status show_word(struct show *show, const char *word, bool linked, struct fault *fault)
{
    struct operand operand;
    if (!parse(word, &operand))
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, NO_OPERAND, word);
    enum status status = operand_complete(&operand, &show->forest, linked ? show->tx_text.index : NULL, fault);
    if (status != STATUS_OK)
        return status;
    return linked ? linked_tx_put(&show->tx_text, &operand.hash, vout_of(&operand), fault)
                  : stored_tx_put(&show->tx_text, &operand.hash, vout_of(&operand), fault);
}

/* Each in turn. Of several, one that is not there is told and the others are shown. */
static enum status show_operands(struct show *show, struct fault *fault)
{
    const struct settings *settings = show->settings;
    struct operand_words words = {.list = settings->operands, .count = settings->operands_count};
    bool linked, several = settings->operands_count > 1 || strcmp(settings->operands[0], "-") == 0;
    enum status status = open_index(show, &linked, fault);
    const char *word;
    while (status == STATUS_OK && (word = operand_next(&words)) != NULL) {
        status = show_word(show, word, linked, fault);
        if (several && (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)) {
            message("%s: %s", word, fault->text);
            show->missing = true;
            status = STATUS_OK;
        }
    }
    return status == STATUS_OK ? stop_check(fault) : status; /* a signal ends a wait for standard input */
}

/* The files that the command line names, and the store. */
static enum status open_files(struct show *show, struct filter **filter, struct store **store, struct fault *fault)
{
    enum status status = known_scripts_read(show->settings, &show->catalogue, fault);
    if (status == STATUS_OK)
        status = known_scripts_filter(show->settings, &show->catalogue, filter, fault);
    return status == STATUS_OK ? opened_store_open_labelled(show->settings, &show->labels, store, fault) : status;
}

static enum status show_all(struct show *show, struct fault *fault)
{
    struct store *store = NULL;
    struct filter *filter = NULL;
    unsigned threads = (unsigned)show->settings->threads;
    enum status status = open_files(show, &filter, &store, fault);
    show->tx_text = (struct tx_text){.store = store,
                                     .catalogue = &show->catalogue,
                                     .forest = &show->forest,
                                     .json = strcmp(show->settings->format, "json") == 0,
                                     .membership = {store, &show->forest, filter, show->settings->compress, threads,
                                                    labels_of(show), &show->said, show->rules == RULES_HIDDEN}};
    if (status == STATUS_OK)
        status = matcher_new(&show->catalogue, store_seed(store), &show->tx_text.matcher, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &show->tx_text.reader, fault);
    if (status == STATUS_OK)
        status = forest_load(store, threads, &show->forest, fault);
    if (status == STATUS_OK && show->settings->with_scripts)
        status = open_blocks(show, fault);
    if (status == STATUS_OK)
        status = show->settings->operands_count > 0 ? show_operands(show, fault) : show_selected(show, fault);
    if (status == STATUS_NOT_FOUND)
        message_answer(); /* in what it was not found */
    if (status == STATUS_OK)
        status = outfile_write_lines(show->settings->out, strcmp(show->settings->format, "text") == 0,
                                     &show->tx_text.text, fault);
    text_free(&show->tx_text.text);
    dag_labels_free(&show->dag_labels);
    address_labels_free(&show->labels);
    forest_free(&show->forest);
    index_close(show->tx_text.index);
    if (show->tx_text.reader)
        store_reader_close(show->tx_text.reader);
    blk_reader_free(&show->tx_text.reader_of_blocks);
    stored_blocks_close(&show->blocks);
    store_close(store);
    matcher_free(show->tx_text.matcher);
    filter_free(filter);
    catalogue_free(&show->catalogue);
    return status;
}

static bool fits_format(const struct settings *settings)
{
    bool json = strcmp(settings->format, "json") == 0;
    if (strcmp(settings->format, "text") == 0)
        return true;
    return settings->operands_count > 0 ? json : settings->dag && !json;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct show show = {.settings = settings, .rules = settings->rules};
    const char *unfit = operand_unfit(settings->operands, settings->operands_count, fits);
    if ((settings->operands_count > 0) + (settings->dag != NULL) + (settings->class_id != NULL) != 1)
        return message_usage("name one thing to show: TXID, TXID:VOUT, --dag ID or --class ID");
    if (!fits_format(settings))
        return message_usage("--format %s is for %s only", settings->format,
                             strcmp(settings->format, "json") == 0 ? "a transaction" : "--dag");
    if (settings->with_ends && (!settings->dag || strcmp(settings->format, "graphml") != 0))
        return message_usage("--ends is for --dag with --format graphml only");
    if (settings->with_scripts && settings->operands_count == 0)
        return message_usage("--scripts is for transactions only; --known-scripts FILE adds known scripts");
    if (settings->dag && !chosen_is_dag(settings->dag) && !chosen_is_class(settings->dag))
        return message_usage(CHOSEN_NO_DAG ", txid or class id (their first hexadecimal digits, at least 4)",
                             settings->dag);
    if (settings->class_id && !chosen_is_class(settings->class_id))
        return message_usage(CHOSEN_NO_CLASS, settings->class_id);
    if (unfit)
        return message_usage(NO_OPERAND, unfit);
    int exit_status = message_result(show_all(&show, &fault), &fault);
    if (exit_status == EXIT_DONE && show.missing)
        return EXIT_FAILED;
    return message_left_out(exit_status, show.tx_text.missing || show.said.unread);
}

static const struct option option_dag = {
    .name = "dag",
    .type = OPTION_TEXT,
    .value = "ID",
    .field = offsetof(struct settings, dag),
    .help = "show this T-DAG, by its name, its number (dag_id), the txid of one of its transactions, or its class id "
            "where it is alone in the class; the first digits, at least 4, will do",
};
static const struct option option_class = {
    .name = "class",
    .type = OPTION_TEXT,
    .value = "ID",
    .field = offsetof(struct settings, class_id),
    .help = "show this class and its T-DAGs; the first digits of its id, at least 4, will do",
};
static const struct option option_format = {
    .name = "format",
    .type = OPTION_CHOICE,
    .value = "text|json|dot|graphml|gexf|svg",
    .fallback = "text",
    .field = offsetof(struct settings, format),
    .help = "how to print a transaction (text, json) or a T-DAG (all but json)",
};

static const struct option option_ends = {
    .name = "ends",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_ends),
    .help = "of GraphML: payers and payees too, as nodes with their addresses; needs 'unktx index'",
};

static const struct option option_show_scripts = {
    .name = "scripts",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_scripts),
    .help = "show scripts, witnesses, addresses, version, lock time and sequences of a transaction too, from the blk "
            "files",
};

static const struct option *const options[] = {
    &option_read_store, &option_show_scripts,    &option_as_of_height,  &option_dag,
    &option_class,      &option_rules_hidden,    &option_format,        &option_ends,
    &option_compress,   &option_exclude_scripts, &option_known_scripts, &option_labels,
    &option_threads,    &option_out_file,        &option_quiet,         NULL,
};

const struct command command_show = {
    .name = "show",
    .operands = "[TXID | TXID:VOUT | - ...]",
    .summary = "Show a stored transaction with what it spends and what spends it, or a T-DAG (--dag).",
    .details =
        "A txid that occurs more than once in the chain is shown as often, the newest first. Where the store has an\n"
        "index ('unktx index'), any transaction is found, and every input and output is told. Several operands are\n"
        "shown one after the other; - reads them from standard input.\n",
    .operands_max = SIZE_MAX,
    .options = options,
    .run = run,
};
