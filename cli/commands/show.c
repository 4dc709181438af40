#include <stdlib.h>

#include "cli/command.h"
#include "cli/views/graphfile.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/operand.h"
#include "cli/inputs/selection.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/opened_store.h"
#include "cli/views/svg.h"
#include "cli/views/tables.h"
#include "parser/mem.h"

struct show {
    const struct settings *settings;
    const struct store *store;
    struct store_reader *reader;
    struct tx_index *index; /* NULL: there is no index */
    struct catalogue catalogue;
    struct matcher *matcher;
    struct forest forest;
    enum rules rules;
    struct text text;
};

#define VOUT_ALL UINT32_MAX

/* ---- a transaction ---- */

/* What is known of a script: its names, each with what it stands for and who says so. */
static enum status put_known(struct show *show, const struct output_record *output)
{
    struct name_set found = {{0}};
    enum status status = STATUS_OK;
    matcher_match(show->matcher, output->kind, output->script, output->script_size, &found);
    for (size_t i; status == STATUS_OK && (i = name_set_first(&found)) < CATALOGUE_MAX; name_set_remove(&found, i)) {
        const struct known_script *known = &show->catalogue.entries[i];
        bool dated = known->first_seen[0];
        status = text_printf(&show->text, "      known as %s: %s (%s%s%s%s)\n", known->name, known->what,
                             dated ? "first seen " : "", known->first_seen, dated ? "; " : "", known->source);
    }
    return status;
}

static enum status put_script(struct show *show, const struct output_record *output)
{
    if (!output->unknown)
        return STATUS_OK;
    char *assembly = mem_alloc(script_asm_bound(output->script_size), 1);
    if (!assembly)
        return STATUS_NOMEM;
    script_asm(output->script, output->script_size, assembly);
    enum status status = text_printf(&show->text, "      script %s\n", output->script_size ? assembly : "(empty)");
    mem_free(assembly);
    unsigned on_curve, keys = script_keys(output->kind, output->script, output->script_size, &on_curve);
    if (status == STATUS_OK && keys > 0)
        status = text_printf(&show->text, "      keys %u, on the curve %u\n", keys, on_curve);
    return status == STATUS_OK ? put_known(show, output) : status;
}

/* The names of the rule sets in the mask, as "unknown in A, B". */
static enum status put_unknown(struct show *show, unsigned unknown)
{
    enum status status = STATUS_OK;
    const char *before = ", unknown in ";
    for (unsigned r = 0; r < RULES && status == STATUS_OK; r++) {
        if (!(unknown >> r & 1))
            continue;
        status = text_printf(&show->text, "%s%s", before, rules_name((enum rules)r));
        before = ", ";
    }
    return status == STATUS_OK ? text_printf(&show->text, "\n") : status;
}

static enum status put_unspent(struct show *show) { return text_printf(&show->text, "      unspent\n"); }

static enum status put_spent_by(struct show *show, const struct hash256 *txid, uint32_t vin, uint32_t height)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid, hex);
    return text_printf(&show->text, "      spent by %s input %u, height %u\n", hex, (unsigned)vin, (unsigned)height);
}

static enum status put_spender(struct show *show, uint64_t ordinal)
{
    const struct forest *forest = &show->forest;
    if (ordinal >= forest->outputs_count)
        return STATUS_FORMAT;
    const struct forest_output *output = &forest->outputs[ordinal];
    if (output->spender == FOREST_NONE)
        return put_unspent(show);
    const struct forest_tx *spender = &forest->txs[output->spender];
    return put_spent_by(show, &spender->txid, output->spender_vin, spender->height);
}

static enum status no_such_output(uint32_t vout, uint32_t outputs, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     "the transaction has no output %u; how many it has: %u", (unsigned)vout, (unsigned)outputs);
}

static enum status put_outputs(struct show *show, struct tx_view *view, uint32_t only)
{
    struct output_record output;
    uint64_t ordinal = view->tx.first_ordinal;
    enum status status;
    for (uint32_t vout = 0; (status = tx_next_output(view, &output)) == STATUS_OK; vout++) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        uint64_t own = ordinal;
        ordinal += tracked;
        if (only != VOUT_ALL && only != vout)
            continue;
        status = text_printf(&show->text, "    output %u: " BTC ", %s", (unsigned)vout, BTC_OF(output.value_sat),
                             kind_name(output.kind));
        if (status == STATUS_OK)
            status = put_unknown(show, output.unknown);
        if (status == STATUS_OK)
            status = put_script(show, &output);
        if (status == STATUS_OK && tracked)
            status = put_spender(show, own);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What an input spends. The output's script is in the transaction that created it. */
struct spent {
    struct spend_record spend;
    struct output_record output;
};

static int by_ordinal(const void *a, const void *b)
{
    uint64_t x = ((const struct spent *)a)->spend.ordinal, y = ((const struct spent *)b)->spend.ordinal;
    return (x > y) - (x < y);
}

static int by_vin(const void *a, const void *b)
{
    uint32_t x = ((const struct spent *)a)->spend.vin, y = ((const struct spent *)b)->spend.vin;
    return (x > y) - (x < y);
}

/* In order of ordinal each creating transaction is read once, however many of its outputs are spent. */
static enum status find_outputs(struct show *show, struct spent *spent, size_t count, struct fault *fault)
{
    struct store_position position = {0};
    struct tx_view tx = {0};
    uint32_t last = FOREST_NONE, vout = 0;
    enum status status = STATUS_OK;
    qsort(spent, count, sizeof *spent, by_ordinal);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct forest_output *output = &show->forest.outputs[spent[i].spend.ordinal];
        if (output->tx != last) {
            last = output->tx;
            vout = 0;
            status = opened_store_tx(show->store, show->reader, &position, show->forest.txs[last].height, last, &tx,
                                     fault);
        }
        if (vout > output->vout)
            return STATUS_FORMAT;
        for (; vout <= output->vout && status == STATUS_OK; vout++)
            status = tx_next_output(&tx, &spent[i].output);
    }
    qsort(spent, count, sizeof *spent, by_vin);
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}

static enum status put_input(struct show *show, const struct spent *spent)
{
    const struct forest_output *output = &show->forest.outputs[spent->spend.ordinal];
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&show->forest.txs[output->tx].txid, hex);
    enum status status = text_printf(&show->text, "    input %u spends %s:%u: " BTC ", %s", (unsigned)spent->spend.vin,
                                     hex, (unsigned)output->vout, BTC_OF(output->value_sat),
                                     kind_name((enum kind)output->kind));
    if (status == STATUS_OK)
        status = put_unknown(show, spent->output.unknown);
    return status == STATUS_OK ? put_script(show, &spent->output) : status;
}

/* What all spends of the transaction spend, in order of vin; `*spent` is the caller's to free in any case. */
static enum status read_spends(struct show *show, struct tx_view *view, struct spent **spent, size_t *count,
                               struct fault *fault)
{
    *count = 0;
    *spent = mem_alloc(view->tx.spends, sizeof **spent);
    enum status status = *spent ? STATUS_OK : STATUS_NOMEM;
    while (status == STATUS_OK && *count < view->tx.spends) {
        struct spend_record *spend = &(*spent)[(*count)++].spend;
        status = tx_next_spend(view, spend);
        if (status == STATUS_OK && spend->ordinal >= show->forest.outputs_count)
            status = STATUS_FORMAT;
    }
    if (status == STATUS_OK)
        status = find_outputs(show, *spent, *count, fault);
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}

static enum status put_inputs(struct show *show, struct tx_view *view, struct fault *fault)
{
    size_t count;
    struct spent *spent;
    enum status status = read_spends(show, view, &spent, &count, fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_input(show, &spent[i]);
    mem_free(spent);
    return status;
}

static enum status put_tx(struct show *show, uint32_t number, uint32_t only, struct fault *fault)
{
    const struct forest_tx *tx = &show->forest.txs[number];
    char hex[HASH256_HEX_SIZE + 1] = "";
    struct tx_view view;
    struct store_position position = {0};
    enum status status = opened_store_tx(show->store, show->reader, &position, tx->height, number, &view, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&tx->txid, hex);
    status = text_printf(&show->text,
                         "transaction %s\n    height %u, index %u%s, inputs %u, outputs %u, value out " BTC "\n", hex,
                         (unsigned)tx->height, (unsigned)tx->index, tx->coinbase ? ", coinbase" : "",
                         (unsigned)tx->inputs, (unsigned)tx->outputs, BTC_OF(tx->value_out_sat));
    if (status == STATUS_OK)
        status = put_inputs(show, &view, fault);
    if (status == STATUS_OK)
        status = put_outputs(show, &view, only);
    if (status == STATUS_FORMAT && !fault->text[0])
        return opened_store_damaged(show->store, tx->height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

/* ---- a transaction of the index ---- */

/* The number of the transaction in the store, FOREST_NONE if it is not stored. */
static uint32_t find_stored(const struct forest *forest, const struct index_tx *tx)
{
    uint32_t low = 0, high = forest->txs_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct forest_tx *t = &forest->txs[middle];
        if (t->height < tx->height || (t->height == tx->height && t->index < tx->index))
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < forest->txs_count && hash256_equal(&forest->txs[low].txid, &tx->txid) &&
                 forest->txs[low].height == tx->height;
    return found ? low : FOREST_NONE;
}

/* What the store alone has of the output: in which rule sets it is unknown, and its script. */
static enum status put_stored(struct show *show, const struct index_tx *tx, const struct output_record *record,
                              bool stored, enum kind kind)
{
    if (stored) {
        enum status status = put_unknown(show, record->unknown);
        return status == STATUS_OK ? put_script(show, record) : status;
    }
    /* Of what is not stored only nulldata can be unknown, unless the store ends below. */
    return put_unknown(show, tx->height < show->forest.blocks && kind == KIND_NULLDATA ? RULES_ALL : 0);
}

static enum status put_linked_input(struct show *show, uint32_t vin, uint64_t spent, struct fault *fault)
{
    struct link_end from;
    struct index_output output;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (spent == INDEX_NONE)
        return text_printf(&show->text, "    input 0: coinbase\n");
    enum status status = spend_links_output(show->index, spent, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&from.tx.txid, hex);
    return text_printf(&show->text, "    input %u spends %s:%u: " BTC ", %s\n", (unsigned)vin, hex,
                       (unsigned)from.position, BTC_OF(output.value_sat), kind_name(output.kind));
}

/* The store has the script of what an input spends, the index all the other inputs. */
static enum status put_linked_inputs(struct show *show, const struct index_tx *tx, struct tx_view *view,
                                     struct fault *fault)
{
    struct inputs_run run = {.index = show->index, .end = tx->first_input + tx->inputs};
    struct spent *stored = NULL;
    size_t count = 0, next = 0;
    enum status status = view ? read_spends(show, view, &stored, &count, fault) : STATUS_OK;
    for (uint32_t vin = 0; vin < tx->inputs && status == STATUS_OK; vin++) {
        uint64_t spent;
        if (next < count && stored[next].spend.vin == vin) {
            status = put_input(show, &stored[next++]);
            continue;
        }
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK)
            status = put_linked_input(show, vin, spent, fault);
    }
    mem_free(stored);
    return status;
}

static enum status put_linked_spender(struct show *show, const struct index_output *output, struct fault *fault)
{
    struct link_end to;
    if (output->kind == KIND_NULLDATA)
        return STATUS_OK;
    if (output->spender == INDEX_NONE)
        return put_unspent(show);
    enum status status = spend_links_input(show->index, output->spender, &to, fault);
    return status == STATUS_OK ? put_spent_by(show, &to.tx.txid, to.position, to.tx.height) : status;
}

static enum status put_linked_outputs(struct show *show, const struct index_tx *tx, struct tx_view *view, uint32_t only,
                                      struct fault *fault)
{
    struct outputs_run run = {.index = show->index, .end = tx->first_output + tx->outputs};
    struct output_record record = {0};
    struct index_output output;
    enum status status = STATUS_OK;
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK; vout++) {
        status = outputs_run_at(&run, tx->first_output + vout, &output, fault);
        if (status == STATUS_OK && view)
            status = tx_next_output(view, &record);
        if (status == STATUS_NOT_FOUND)
            return STATUS_FORMAT;
        if (status != STATUS_OK || (only != VOUT_ALL && only != vout))
            continue;
        status = text_printf(&show->text, "    output %u: " BTC ", %s", (unsigned)vout, BTC_OF(output.value_sat),
                             kind_name(output.kind));
        if (status == STATUS_OK)
            status = put_stored(show, tx, &record, view != NULL, output.kind);
        if (status == STATUS_OK)
            status = put_linked_spender(show, &output, fault);
    }
    return status;
}

static enum status put_linked_tx(struct show *show, const struct index_tx *tx, uint32_t only, struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    struct store_position position = {0};
    struct tx_view stored, *view = NULL;
    uint32_t number = find_stored(&show->forest, tx);
    enum status status = STATUS_OK;
    if (only != VOUT_ALL && only >= tx->outputs)
        return no_such_output(only, tx->outputs, fault);
    if (number != FOREST_NONE) {
        status = opened_store_tx(show->store, show->reader, &position, tx->height, number, &stored, fault);
        view = &stored;
    }
    hash256_hex(&tx->txid, hex);
    if (status == STATUS_OK)
        status = text_printf(&show->text,
                             "transaction %s\n    height %u, index %u%s, inputs %u, outputs %u, value out " BTC, hex,
                             (unsigned)tx->height, (unsigned)tx->index, tx->coinbase ? ", coinbase" : "",
                             (unsigned)tx->inputs, (unsigned)tx->outputs, BTC_OF(tx->value_out_sat));
    if (status == STATUS_OK && !tx->coinbase)
        status = text_printf(&show->text, ", fee " BTC, BTC_OF(tx->fee_sat));
    if (status == STATUS_OK)
        status = text_printf(&show->text, "\n");
    if (status == STATUS_OK)
        status = put_linked_inputs(show, tx, view, fault);
    if (status == STATUS_OK)
        status = put_linked_outputs(show, tx, view, only, fault);
    if (status == STATUS_FORMAT && !fault->text[0])
        return opened_store_damaged(show->store, tx->height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

static enum status show_linked(struct show *show, const struct operand *operand, uint32_t only, struct fault *fault)
{
    struct index_tx tx = {.number = UINT64_MAX};
    bool found = false;
    enum status status;
    while ((status = index_tx_find(show->index, &operand->hash, tx.number, &tx, fault)) == STATUS_OK) {
        found = true;
        status = put_linked_tx(show, &tx, only, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_NOT_FOUND || found)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return fault_set(fault, STATUS_NOT_FOUND, show->settings->store, FAULT_NO_OFFSET,
                     "no transaction of the chain has this txid");
}

/* ---- a transaction of the store ---- */

/* Without an index: a look through some millions of txids in memory takes no time. */
static enum status show_tx(struct show *show, const struct hash256 *txid, uint32_t vout, struct fault *fault)
{
    bool found = false;
    for (uint32_t t = show->forest.txs_count; t-- > 0;) {
        const struct forest_tx *tx = &show->forest.txs[t];
        if (!hash256_equal(&tx->txid, txid))
            continue;
        found = true;
        if (vout != VOUT_ALL && vout >= tx->outputs)
            return no_such_output(vout, tx->outputs, fault);
        enum status status = put_tx(show, t, vout, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (found)
        return STATUS_OK;
    return fault_set(fault, STATUS_NOT_FOUND, show->settings->store, FAULT_NO_OFFSET,
                     "no such transaction; stored are those with an unknown output that can be spent, and those that "
                     "spend one; 'unktx index' finds all");
}

/* ---- a T-DAG ---- */

static enum status put_names(struct show *show, const struct catalogue *catalogue, const struct name_set *names)
{
    static const char title[] = "  known scripts: ";
    char *p = text_room(&show->text, sizeof title + catalogue_names_size(catalogue));
    if (!p || name_set_first(names) == CATALOGUE_MAX)
        return p ? STATUS_OK : STATUS_NOMEM;
    p = catalogue_put_names(catalogue, names, put_text(p, title));
    *p++ = '\n';
    text_end(&show->text, p);
    return STATUS_OK;
}

static enum status put_dag_row(struct show *show, const struct selection *selection,
                               const struct known_scripts_held *held, uint32_t dag)
{
    const struct tdag_row *row = &selection->classes.rows[dag - 1];
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->class_exact);
    enum status status = text_printf(&show->text, "T-DAG %u of rules %s: %s, class %s\n", (unsigned)dag,
                                     rules_name(show->rules), family_name(row->family), id);
    if (status == STATUS_OK)
        status = text_printf(&show->text,
                             "  transactions %u, nodes %llu, edges %llu, roots %u, leaves %llu, height %u, "
                             "width %llu\n",
                             (unsigned)row->txs, ULL(row->nodes), ULL(row->edges), (unsigned)row->roots,
                             ULL(row->leaves), (unsigned)row->height, ULL(row->width));
    if (status == STATUS_OK)
        status = text_printf(
            &show->text, "  unknown outputs: spent %llu, unspent %llu; known leaves %llu; mixed spenders %u\n",
            ULL(row->spent_unknown), ULL(row->unspent_unknown), ULL(row->known_leaves), (unsigned)row->mixed_spenders);
    if (status == STATUS_OK)
        status = text_printf(&show->text, "  blocks %u to %u; roots " BTC ", moved " BTC ", leaves " BTC "\n",
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
    enum status status = text_printf(&show->text, "  %s height %u depth %u%s\n", hex, (unsigned)tx->height,
                                     (unsigned)selection->classes.depths[number],
                                     forest_is_root(forest, number, show->rules) ? " root" : "");
    for (uint32_t o = tx->first_output; o < forest->txs[number + 1].first_output && status == STATUS_OK; o++) {
        const struct forest_output *output = &forest->outputs[o];
        if (!forest_is_arc(output, show->rules))
            continue;
        hash256_hex(&forest->txs[output->spender].txid, hex);
        status = text_printf(&show->text, "    output %u (%s, " BTC ") -> %s input %u\n", (unsigned)output->vout,
                             kind_name((enum kind)output->kind), BTC_OF(output->value_sat), hex,
                             (unsigned)output->spender_vin);
    }
    return status;
}

static enum status put_dag(struct show *show, const struct selection *selection, const struct known_scripts_held *held,
                           uint32_t dag)
{
    const struct tdags *tdags = &selection->tdags;
    if (strcmp(show->settings->format, "dot") == 0)
        return graphfile_tdag(&show->text, GRAPHFILE_DOT, &show->forest, tdags, dag);
    if (strcmp(show->settings->format, "graphml") == 0)
        return graphfile_tdag(&show->text, GRAPHFILE_GRAPHML, &show->forest, tdags, dag);
    enum status status = put_dag_row(show, selection, held, dag);
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag] && status == STATUS_OK; i++)
        status = put_dag_tx(show, selection, tdags->members[i]);
    return status;
}

static enum status draw_dag(struct show *show, const struct selection *selection, struct fault *fault)
{
    struct printer printer = {.text = show->text};
    enum status status = svg_file(&printer, &show->forest, &selection->tdags, (uint32_t)show->settings->dag, fault);
    show->text = printer.text;
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
        status = selection_make(show->store, &show->forest, show->rules, filter, show->settings->compress, threads,
                                &selection, fault);
    if (status == STATUS_OK && show->settings->dag > selection.tdags.count)
        status = fault_set(fault, STATUS_NOT_FOUND, show->settings->store, FAULT_NO_OFFSET,
                           "no T-DAG %llu: rules %s have %u", ULL(show->settings->dag), rules_name(show->rules),
                           (unsigned)selection.tdags.count);
    if (status == STATUS_OK)
        status = known_scripts_find(&show->catalogue, show->store, &show->forest, &selection, threads, &held, fault);
    if (status == STATUS_OK && strcmp(show->settings->format, "svg") == 0)
        status = draw_dag(show, &selection, fault);
    else if (status == STATUS_OK && put_dag(show, &selection, &held, (uint32_t)show->settings->dag) != STATUS_OK)
        status = fault_nomem(fault);
    known_scripts_held_free(&held);
    selection_free(&selection);
    filter_free(filter);
    return status;
}

static enum status show_operand(struct show *show, const struct operand *operand, struct fault *fault)
{
    uint32_t only = operand->type == OPERAND_OUTPUT ? operand->number : VOUT_ALL;
    enum status status = index_open(show->settings->store, &show->index, fault);
    if (status == STATUS_OK)
        status = spend_links_reach_tip(show->index, show->store, fault);
    if (status == STATUS_OK)
        return show_linked(show, operand, only, fault);
    if (status == STATUS_REFUSED) {
        message_fault(fault);
        message("shown as the store has it");
    }
    bool without_index = status == STATUS_NOT_FOUND || status == STATUS_REFUSED;
    return without_index ? show_tx(show, &operand->hash, only, fault) : status;
}

static enum status show_all(struct show *show, const struct operand *operand, struct fault *fault)
{
    struct store *store = NULL;
    enum status status = known_scripts_read(show->settings, &show->catalogue, fault);
    if (status == STATUS_OK)
        status = opened_store_open(show->settings, &store, fault);
    show->store = store;
    if (status == STATUS_OK)
        status = matcher_new(&show->catalogue, store_seed(store), &show->matcher, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &show->reader, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)show->settings->threads, &show->forest, fault);
    if (status == STATUS_OK)
        status = show->settings->dag ? show_dag(show, fault) : show_operand(show, operand, fault);
    if (status == STATUS_OK)
        status = outfile_write_text(show->settings->out, &show->text, fault);
    text_free(&show->text);
    forest_free(&show->forest);
    index_close(show->index);
    if (show->reader)
        store_reader_close(show->reader);
    store_close(store);
    matcher_free(show->matcher);
    catalogue_free(&show->catalogue);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct show show = {.settings = settings, .rules = settings->rules};
    struct operand operand = {0};
    if ((settings->dag != 0) == (settings->operands_count != 0))
        return message_usage("name one thing to show: TXID, TXID:VOUT or --dag ID");
    if (!settings->dag && strcmp(settings->format, "text") != 0)
        return message_usage("--format %s is for --dag only", settings->format);
    if (!settings->dag && (!operand_parse(settings->operands[0], &operand) || operand.type == OPERAND_INPUT ||
                           operand.type == OPERAND_HEIGHT))
        return message_usage("'%s' is neither TXID (64 hexadecimal digits) nor TXID:VOUT", settings->operands[0]);
    return message_result(show_all(&show, &operand, &fault), &fault);
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
    &option_store,           &option_dag,     &option_rules,   &option_format,   &option_compress,
    &option_exclude_scripts, &option_scripts, &option_threads, &option_out_file, NULL,
};

const struct command command_show = {
    .name = "show",
    .operands = "[TXID | TXID:VOUT]",
    .summary = "Show a stored transaction with what it spends and what spends it, or a T-DAG (--dag).",
    .details =
        "A txid that occurs more than once in the chain is shown as often, the newest first. Where the store has an\n"
        "index ('unktx index'), any transaction is found, and every input and output is told.\n",
    .operands_max = 1,
    .options = options,
    .run = run,
};
