#include "cli/views/explore_tx_sides.h"

#include "cli/inputs/spend_links.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "parser/mem.h"
#include "parser/opcode.h"

#define SCRIPT_IN_TABLE 120u /* of a script's asm its beginning; elsewhere as much of a script as can be spent */

static void put_asm(struct explore_request *request, const struct output_record *output, size_t most)
{
    struct printer *page = &request->page;
    uint32_t size = output->script_size < SCRIPT_SIZE_MAX ? output->script_size : SCRIPT_SIZE_MAX;
    char *assembly = mem_alloc(script_asm_bound(size) + 1, 1);
    if (!assembly) {
        page->status = STATUS_NOMEM;
        return;
    }
    script_asm(output->script, size, assembly);
    size_t length = strlen(assembly), shown = length < most ? length : most;
    PRINT(page, "<code class=\"hash\">");
    html_escaped(page, size > 0 ? assembly : "(empty)", size > 0 ? shown : strlen("(empty)"));
    PRINT(page, "%s</code>", shown < length || size < output->script_size ? " ..." : "");
    mem_free(assembly);
}

/* What the script is known as. */
static void put_known(struct explore_request *request, const struct output_record *output)
{
    struct name_set found = {{0}};
    matcher_match(request->hand->matcher, output->kind, output->script, output->script_size, &found);
    if (name_set_first(&found) == CATALOGUE_MAX)
        return;
    PRINT(&request->page, "<br/>");
    explore_put_names(request, &found, CATALOGUE_MAX);
}

static void put_unknown(struct printer *page, unsigned unknown)
{
    const char *before = "";
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++) {
        if (!(unknown >> r & 1))
            continue;
        PRINT(page, "%s%s", before, rules_name((enum rules)r));
        before = ", ";
    }
}

/* Value, kind, rule sets and script, as cells. `output` NULL: the store does not have it. */
static void put_output_cells(struct explore_request *request, uint64_t value_sat, enum kind kind,
                             const struct output_record *output)
{
    struct printer *page = &request->page;
    PRINT(page, "<td class=\"n\">%llu.%08llu</td><td>%s</td><td>", BTC_OF(value_sat), kind_name(kind));
    if (output)
        put_unknown(page, output->unknown);
    PRINT(page, "</td><td class=\"script\">");
    if (output && output->script) {
        put_asm(request, output, SCRIPT_IN_TABLE);
        put_known(request, output);
    }
    PRINT(page, "</td>");
}

/* ---- inputs ---- */

enum status explore_read_spent(struct explore_request *request, struct store_position *position, uint32_t ordinal,
                               struct output_record *output, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    const struct store *store = request->explore->opened.store;
    uint32_t number = forest->outputs[ordinal].tx, height = forest->txs[number].height;
    struct tx_view view;
    enum status status = opened_store_tx(store, request->hand->reader, position, height, number, &view, fault);
    for (uint32_t vout = 0; status == STATUS_OK && vout <= forest->outputs[ordinal].vout; vout++)
        status = tx_next_output(&view, output);
    return status == STATUS_FORMAT || status == STATUS_NOT_FOUND ? opened_store_damaged(store, height, fault) : status;
}

static enum status put_stored_input(struct explore_request *request, struct store_position *position, uint32_t ordinal,
                                    struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_output *spent = &forest->outputs[ordinal];
    struct output_record output = {0};
    enum status status = explore_read_spent(request, position, ordinal, &output, fault);
    if (status != STATUS_OK)
        return status;
    PRINT(&request->page, "<tr><td class=\"n\">%u</td><td>", (unsigned)spent->spender_vin);
    explore_put_output(request, &forest->txs[spent->tx].txid, spent->vout, 16);
    PRINT(&request->page, "</td>");
    put_output_cells(request, spent->value_sat, (enum kind)spent->kind, &output);
    PRINT(&request->page, "</tr>\n");
    return STATUS_OK;
}

static enum status put_linked_input(struct explore_request *request, const struct index_tx *tx, uint32_t vin,
                                    uint64_t spent, struct fault *fault)
{
    struct link_end from = {0};
    struct index_output output = {0};
    PRINT(&request->page, "<tr><td class=\"n\">%u</td><td>", (unsigned)vin);
    if (spent == INDEX_NONE) {
        PRINT(&request->page, "coinbase</td><td></td><td></td><td></td><td></td></tr>\n");
        return STATUS_OK;
    }
    enum status status = spend_links_output(request->hand->index, spent, tx->first_input + vin, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    explore_put_output(request, &from.tx.txid, from.position, 16);
    PRINT(&request->page, "</td>");
    put_output_cells(request, output.value_sat, output.kind, NULL);
    PRINT(&request->page, "</tr>\n");
    return STATUS_OK;
}

/* The first of the transaction's stored spends from input `vin` on. */
static uint32_t first_spend_from(const struct forest *forest, uint32_t number, uint32_t vin)
{
    uint32_t spend = forest->txs[number].first_spend;
    while (spend < forest->txs[number + 1].first_spend && forest->outputs[forest->spends[spend]].spender_vin < vin)
        spend++;
    return spend;
}

static enum status put_all_inputs(struct explore_request *request, const struct explore_tx_copy *copy, uint32_t first,
                                  uint32_t end, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    const struct index_tx *tx = &copy->linked;
    struct inputs_run run = {.index = request->hand->index, .end = tx->first_input + end};
    struct store_position position = {0};
    bool stored = copy->number != FOREST_NONE;
    uint32_t spend = stored ? first_spend_from(forest, copy->number, first) : 0;
    uint32_t spend_end = stored ? forest->txs[copy->number + 1].first_spend : 0;
    enum status status = STATUS_OK;
    for (uint32_t vin = first; vin < end && status == STATUS_OK; vin++) {
        uint64_t spent;
        if (spend < spend_end && forest->outputs[forest->spends[spend]].spender_vin == vin) {
            status = put_stored_input(request, &position, forest->spends[spend++], fault);
            continue;
        }
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK)
            status = put_linked_input(request, tx, vin, spent, fault);
    }
    return status;
}

static enum status put_spends(struct explore_request *request, uint32_t first, uint32_t end, struct fault *fault)
{
    struct store_position position = {0};
    enum status status = STATUS_OK;
    for (uint32_t spend = first; spend < end && status == STATUS_OK; spend++)
        status = put_stored_input(request, &position, request->explore->opened.forest.spends[spend], fault);
    return status;
}

enum status explore_put_inputs(struct explore_request *request, const struct explore_tx_copy *copy, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_tx *tx = copy->number != FOREST_NONE ? &forest->txs[copy->number] : NULL;
    uint32_t count = copy->is_linked || !tx ? copy->linked.inputs : tx[1].first_spend - tx->first_spend;
    uint64_t number = explore_page_number(request, "in", count);
    uint32_t first = (uint32_t)(number - 1) * EXPLORE_ROWS,
             end = count - first < EXPLORE_ROWS ? count : first + EXPLORE_ROWS;
    char rest[GROUPED_SIZE];
    html_begin_section(&request->page, "inputs", "Inputs");
    explore_begin_table(request, "Inputs; values in BTC", "input|spends|value|kind|unknown in|script");
    enum status status = copy->is_linked || !tx
                             ? put_all_inputs(request, copy, first, end, fault)
                             : put_spends(request, tx->first_spend + first, tx->first_spend + end, fault);
    explore_end_table(request);
    explore_put_pager(request, "in", number, count);
    if (!copy->is_linked && tx && count < tx->inputs)
        PRINT(&request->page, "<p>%s more spend%s; an index tells them.</p>\n", grouped(rest, tx->inputs - count),
              tx->coinbase ? " nothing, since this is a coinbase" : " known outputs");
    PRINT(&request->page, "</section>\n");
    return status;
}

/* ---- outputs ---- */

/* An output and who spends it. */
struct side_output {
    uint32_t vout;
    uint64_t value_sat;
    enum kind kind;
    const struct output_record *record; /* NULL: not stored */
    bool told;                          /* whether it is spent is known */
    bool spent;
    struct hash256 spender;
    uint32_t spender_vin;
};

static void put_spender(struct explore_request *request, const struct side_output *output)
{
    if (output->spent) {
        explore_put_tx(request, &output->spender, 16);
        PRINT(&request->page, " input %u", (unsigned)output->spender_vin);
    } else if (output->kind == KIND_NULLDATA) {
        PRINT(&request->page, "never");
    } else {
        PRINT(&request->page, "%s", output->told ? "unspent" : "an index tells");
    }
}

static enum status fill_from_index(struct explore_request *request, uint64_t number, const struct index_output *from,
                                   struct side_output *output, struct fault *fault)
{
    struct link_end to = {0};
    output->value_sat = from->value_sat;
    output->kind = from->kind;
    output->told = true;
    if (from->spender == INDEX_NONE)
        return STATUS_OK;
    enum status status = spend_links_input(request->hand->index, from->spender, number, &to, fault);
    if (status != STATUS_OK || to.tx.height >= request->explore->opened.forest.blocks)
        return status;
    output->spent = true;
    output->spender = to.tx.txid;
    output->spender_vin = to.position;
    return STATUS_OK;
}

static void fill_from_store(const struct forest *forest, uint32_t ordinal, struct side_output *output)
{
    output->value_sat = output->record->value_sat;
    output->kind = output->record->kind;
    if (!output_is_tracked(output->record->unknown, output->kind) || ordinal >= forest->outputs_count)
        return;
    const struct forest_output *stored = &forest->outputs[ordinal];
    output->told = true;
    output->spent = stored->spender != FOREST_NONE;
    if (output->spent) {
        output->spender = forest->txs[stored->spender].txid;
        output->spender_vin = stored->spender_vin;
    }
}

typedef void put_output(struct explore_request *request, const struct explore_tx_copy *copy,
                        const struct side_output *output);

/* Calls `put` with the outputs first .. end - 1. */
static enum status visit_outputs(struct explore_request *request, const struct explore_tx_copy *copy, uint32_t first,
                                 uint32_t end, put_output *put, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct outputs_run run = {.index = request->hand->index, .end = copy->linked.first_output + end};
    struct store_position position = {0};
    struct tx_view view;
    struct output_record record = {0};
    bool stored = copy->number != FOREST_NONE;
    uint32_t ordinal = stored ? forest->txs[copy->number].first_output : 0;
    enum status status = STATUS_OK;
    if (stored)
        status = opened_store_tx(request->explore->opened.store, request->hand->reader, &position,
                                 forest->txs[copy->number].height, copy->number, &view, fault);
    for (uint32_t vout = stored ? 0 : first; vout < end && status == STATUS_OK; vout++) {
        struct side_output output = {.vout = vout, .record = stored ? &record : NULL};
        struct index_output linked = {0};
        status = stored ? tx_next_output(&view, &record) : STATUS_OK;
        uint32_t own = ordinal;
        ordinal += stored && status == STATUS_OK && output_is_tracked(record.unknown, record.kind);
        if (status != STATUS_OK || vout < first)
            continue;
        if (stored)
            fill_from_store(forest, own, &output);
        if (copy->is_linked)
            status = outputs_run_at(&run, copy->linked.first_output + vout, &linked, fault);
        if (copy->is_linked && status == STATUS_OK)
            status = fill_from_index(request, copy->linked.first_output + vout, &linked, &output, fault);
        if (status == STATUS_OK)
            put(request, copy, &output);
    }
    return status == STATUS_NOT_FOUND || (status == STATUS_FORMAT && !fault->text[0])
               ? fault_set(fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                           "The store is damaged: unktx check tells where.")
               : status;
}

static const struct hash256 *txid_of(const struct explore_request *request, const struct explore_tx_copy *copy)
{
    return copy->number != FOREST_NONE ? &request->explore->opened.forest.txs[copy->number].txid : &copy->linked.txid;
}

static void put_output_row(struct explore_request *request, const struct explore_tx_copy *copy,
                           const struct side_output *output)
{
    struct printer *page = &request->page;
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid_of(request, copy), hex);
    PRINT(page, "<tr><td class=\"n\"><a href=\"/%s/tx/%s:%u\">%u</a></td>", rules_name(request->rules), hex,
          (unsigned)output->vout, (unsigned)output->vout);
    put_output_cells(request, output->value_sat, output->kind, output->record);
    PRINT(page, "<td>");
    put_spender(request, output);
    PRINT(page, "</td></tr>\n");
}

enum status explore_put_outputs(struct explore_request *request, const struct explore_tx_copy *copy,
                                struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    uint32_t count = copy->number != FOREST_NONE ? forest->txs[copy->number].outputs : copy->linked.outputs;
    uint64_t number = explore_page_number(request, "out", count);
    uint32_t first = (uint32_t)(number - 1) * EXPLORE_ROWS,
             end = count - first < EXPLORE_ROWS ? count : first + EXPLORE_ROWS;
    html_begin_section(&request->page, "outputs", "Outputs");
    explore_begin_table(request, "Outputs; values in BTC", "output|value|kind|unknown in|script|spent by");
    enum status status = visit_outputs(request, copy, first, end, put_output_row, fault);
    explore_end_table(request);
    explore_put_pager(request, "out", number, count);
    PRINT(&request->page, "</section>\n");
    return status;
}

static void put_one(struct explore_request *request, const struct explore_tx_copy *copy,
                    const struct side_output *output)
{
    struct printer *page = &request->page;
    const struct output_record *record = output->record;
    (void)copy;
    html_begin_section(page, "output", "The output");
    PRINT(page,
          "<table class=\"facts\"><tbody>\n<tr><th scope=\"row\">value</th><td>" BTC "</td></tr>\n<tr><th "
          "scope=\"row\">kind</th><td>%s</td></tr>\n<tr><th scope=\"row\">spent by</th><td>",
          BTC_OF(output->value_sat), kind_name(output->kind));
    put_spender(request, output);
    PRINT(page, "</td></tr>\n");
    if (record && record->unknown) {
        unsigned on_curve, keys = script_keys(record->kind, record->script, record->script_size, &on_curve);
        PRINT(page, "<tr><th scope=\"row\">unknown in</th><td>");
        put_unknown(page, record->unknown);
        PRINT(page, "</td></tr>\n<tr><th scope=\"row\">script, %u bytes</th><td>", (unsigned)record->script_size);
        put_asm(request, record, SIZE_MAX);
        put_known(request, record);
        PRINT(page, "</td></tr>\n<tr><th scope=\"row\">keys</th><td>%u, on the curve %u</td></tr>\n", keys, on_curve);
    }
    PRINT(page, "</tbody></table></section>\n");
}

enum status explore_put_one_output(struct explore_request *request, const struct explore_tx_copy *copy, uint32_t vout,
                                   struct fault *fault)
{
    return visit_outputs(request, copy, vout, vout + 1, put_one, fault);
}
