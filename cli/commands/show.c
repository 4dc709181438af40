#include "cli/command.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/opened_store.h"
#include "cli/inputs/operand.h"
#include "cli/inputs/selection.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/outfile.h"
#include "cli/views/graphfile.h"
#include "cli/views/linked_tx.h"
#include "cli/views/stored_tx.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"

struct show {
    const struct settings *settings;
    struct catalogue catalogue;
    struct forest forest;
    enum rules rules;
    struct tx_text tx_text;
    bool missing; /* one of several operands was not there */
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

static enum status put_dag_row(struct show *show, const struct selection *selection,
                               const struct known_scripts_held *held, uint32_t dag)
{
    const struct tdag_row *row = &selection->classes.rows[dag - 1];
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->class_exact);
    enum status status = text_printf(&show->tx_text.text, "T-DAG %u of rules %s: %s, class %s\n", (unsigned)dag,
                                     rules_name(show->rules), family_name(row->family), id);
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
        status = text_printf(&show->tx_text.text, "  blocks %u to %u; roots " BTC ", moved " BTC ", leaves " BTC "\n",
                             (unsigned)row->first_height, (unsigned)row->last_height, BTC_OF(row->root_value_sat),
                             BTC_OF(row->moved_value_sat), BTC_OF(row->leaf_value_sat));
    return status == STATUS_OK ? put_names(show, held->catalogue, &held->labels.all[dag]) : status;
}

static enum status put_dag_tx(struct show *show, const struct selection *selection, uint32_t number)
{
    const struct forest *forest = &show->forest;
    const struct forest_tx *tx = &forest->txs[number];
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, hex);
    enum status status = text_printf(&show->tx_text.text, "  %s height %u depth %u%s\n", hex, (unsigned)tx->height,
                                     (unsigned)selection->classes.depths[number],
                                     forest_is_root(forest, number, show->rules) ? " root" : "");
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
    if (strcmp(show->settings->format, "dot") == 0)
        return graphfile_tdag(&show->tx_text.text, GRAPHFILE_DOT, &show->forest, tdags, dag);
    if (strcmp(show->settings->format, "graphml") == 0)
        return graphfile_tdag(&show->tx_text.text, GRAPHFILE_GRAPHML, &show->forest, tdags, dag);
    enum status status = put_dag_row(show, selection, held, dag);
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag] && status == STATUS_OK; i++)
        status = put_dag_tx(show, selection, tdags->members[i]);
    return status;
}

static enum status draw_dag(struct show *show, const struct selection *selection, struct fault *fault)
{
    struct printer printer = {.text = show->tx_text.text};
    enum status status = svg_file(&printer, &show->forest, &selection->tdags, (uint32_t)show->settings->dag, fault);
    show->tx_text.text = printer.text;
    return status;
}

static enum status show_dag(struct show *show, struct fault *fault)
{
    struct selection selection = {0};
    struct known_scripts_held held = {0};
    struct filter *filter = NULL;
    unsigned threads = (unsigned)show->settings->threads;
    enum status status = known_scripts_filter(show->settings, &show->catalogue, &filter, fault);
    if (status == STATUS_OK)
        status = selection_make(show->tx_text.store, &show->forest, show->rules, filter, show->settings->compress,
                                threads, &selection, fault);
    if (status == STATUS_OK && show->settings->dag > selection.tdags.count)
        status = fault_set(fault, STATUS_NOT_FOUND, show->settings->store, FAULT_NO_OFFSET,
                           "no T-DAG %llu: rules %s have %u", ULL(show->settings->dag), rules_name(show->rules),
                           (unsigned)selection.tdags.count);
    if (status == STATUS_NOT_FOUND) {
        struct fault ignored = {0};
        (void)!selection_tell_other_forest(&show->forest, show->rules, selection.tdags.count, show->settings->dag,
                                           &ignored);
    }
    if (status == STATUS_OK)
        status = known_scripts_find(&show->catalogue, show->tx_text.store, &show->forest, &selection, threads, &held,
                                    fault);
    if (status == STATUS_OK && strcmp(show->settings->format, "svg") == 0)
        status = draw_dag(show, &selection, fault);
    else if (status == STATUS_OK && put_dag(show, &selection, &held, (uint32_t)show->settings->dag) != STATUS_OK)
        status = fault_nomem(fault);
    known_scripts_held_free(&held);
    selection_free(&selection);
    filter_free(filter);
    return status;
}

/* Opens the index where there is one that reaches as far as the store; without it *linked is false. */
static enum status open_index(struct show *show, bool *linked, struct fault *fault)
{
    enum status status = index_open(show->settings->store, &show->tx_text.index, fault);
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
    return operand_parse(word, operand) && operand->type != OPERAND_INPUT && operand->type != OPERAND_HEIGHT;
}

static bool fits(const char *word)
{
    struct operand operand;
    return parse(word, &operand);
}

#define NO_OPERAND "'%s' is neither TXID (64 hexadecimal digits) nor TXID:VOUT"

static enum status show_word(struct show *show, const char *word, bool linked, struct fault *fault)
{
    struct operand operand;
    if (!parse(word, &operand))
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, NO_OPERAND, word);
    uint32_t only = operand.type == OPERAND_OUTPUT ? operand.number : TX_TEXT_ALL;
    return linked ? linked_tx_put(&show->tx_text, &operand.hash, only, fault)
                  : stored_tx_put(&show->tx_text, &operand.hash, only, fault);
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
        if (several && status == STATUS_NOT_FOUND) {
            message("%s: %s", word, fault->text);
            show->missing = true;
            status = STATUS_OK;
        }
    }
    return status;
}

static enum status show_all(struct show *show, struct fault *fault)
{
    struct store *store = NULL;
    enum status status = known_scripts_read(show->settings, &show->catalogue, fault);
    if (status == STATUS_OK)
        status = opened_store_open(show->settings, &store, fault);
    show->tx_text = (struct tx_text){.store = store, .catalogue = &show->catalogue, .forest = &show->forest};
    if (status == STATUS_OK)
        status = matcher_new(&show->catalogue, store_seed(store), &show->tx_text.matcher, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &show->tx_text.reader, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)show->settings->threads, &show->forest, fault);
    if (status == STATUS_OK)
        status = show->settings->dag ? show_dag(show, fault) : show_operands(show, fault);
    if (status == STATUS_OK)
        status = outfile_write_text(show->settings->out, &show->tx_text.text, fault);
    text_free(&show->tx_text.text);
    forest_free(&show->forest);
    index_close(show->tx_text.index);
    if (show->tx_text.reader)
        store_reader_close(show->tx_text.reader);
    store_close(store);
    matcher_free(show->tx_text.matcher);
    catalogue_free(&show->catalogue);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct show show = {.settings = settings, .rules = settings->rules};
    const char *unfit = operand_unfit(settings->operands, settings->operands_count, fits);
    if ((settings->dag != 0) == (settings->operands_count != 0))
        return message_usage("name one thing to show: TXID, TXID:VOUT or --dag ID");
    if (!settings->dag && strcmp(settings->format, "text") != 0)
        return message_usage("--format %s is for --dag only", settings->format);
    if (unfit)
        return message_usage(NO_OPERAND, unfit);
    int exit_status = message_result(show_all(&show, &fault), &fault);
    return exit_status == EXIT_DONE && show.missing ? EXIT_FAILED : exit_status;
}

static const struct option option_dag = {
    .name = "dag",
    .type = OPTION_NUMBER,
    .value = "ID",
    .field = offsetof(struct settings, dag),
    .min = 1,
    .max = UINT32_MAX,
    .help = "show this T-DAG, by its dag_id in tdags.csv (with the options that made that file)",
};
static const struct option option_format = {
    .name = "format",
    .type = OPTION_CHOICE,
    .value = "text|dot|graphml|svg",
    .fallback = "text",
    .field = offsetof(struct settings, format),
    .help = "how to print a T-DAG",
};

static const struct option *const options[] = {
    &option_read_store,      &option_as_of_height, &option_dag,     &option_rules,    &option_format, &option_compress,
    &option_exclude_scripts, &option_scripts,      &option_threads, &option_out_file, NULL,
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
