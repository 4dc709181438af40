#include "cli/views/explore_payments.h"

#include "cli/inputs/index_blocks.h"
#include "cli/inputs/spend_links.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "parser/address.h"
#include "parser/network.h"

#define LOOKED_AT_MAX 2000u /* ends of transactions, known or not */
#define READ_MAX (8u << 20) /* bytes of transactions that addresses are taken from */

/* Beside a drawing: how many are shown, and what is looked at for them. */
#define VALUABLE 5u
#define VALUABLE_ROWS 400u
#define VALUABLE_LOOKED_AT 1000u

struct valuable {
    struct index_tx tx;
    uint32_t position; /* vout */
    uint64_t value_sat;
};

/* Where a table is, or what is kept of it. */
struct side {
    uint32_t rows;
    uint32_t looked_at;
    uint64_t read;
    bool cut;
    struct valuable *kept; /* VALUABLE of them, the most first; NULL: rows are written */
};

static bool is_full(struct side *side)
{
    uint32_t rows = side->kept ? VALUABLE_ROWS : EXPLORE_ROWS;
    if (side->rows < rows && side->looked_at < (side->kept ? VALUABLE_LOOKED_AT : LOOKED_AT_MAX))
        return false;
    side->cut = true;
    return true;
}

/* Of equal ones the first in the chain's order goes before. */
static void keep(const struct side *side, const struct index_tx *tx, uint32_t position, uint64_t value_sat)
{
    uint32_t held = side->rows < VALUABLE ? side->rows : VALUABLE, at = held;
    while (at > 0 && side->kept[at - 1].value_sat < value_sat)
        at--;
    if (at == VALUABLE)
        return;
    for (uint32_t i = held < VALUABLE ? held : VALUABLE - 1; i > at; i--)
        side->kept[i] = side->kept[i - 1];
    side->kept[at] = (struct valuable){*tx, position, value_sat};
}

static void put_labels_of(struct explore_request *request, const char *address, size_t size)
{
    const struct address_labels *labels = &request->explore->opened.labels;
    const struct label_span span = address_labels_of(labels, address, size);
    explore_put_span(request, labels, &span, EXPLORE_LABELS_MOST);
}

/* Without digits where the script has no address or the blk files are not there. Damage of the index is told. */
static enum status read_address(const struct explore_request *request, struct side *side, const struct index_tx *tx,
                                uint32_t vout, char address[ADDRESS_SIZE_MAX], size_t *size, struct fault *fault)
{
    struct explore *explore = request->explore;
    const struct network *network = network_by_genesis(&store_identity_of(explore->opened.store)->genesis);
    struct fault why = {0};
    struct index_block block;
    const uint8_t *script = NULL;
    uint32_t script_size = 0;
    *size = 0;
    side->read += tx->size;
    if (!explore->has_blocks || side->read > READ_MAX)
        return STATUS_OK;
    enum status status = index_block_at(request->hand->index, tx->height, &block, fault);
    if (status != STATUS_OK)
        return status;
    status = index_blocks_script(&request->hand->blocks, &explore->blocks.dir, request->hand->index, tx, vout, &script,
                                 &script_size, &why);
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (status == STATUS_OK)
        *size = (size_t)(address_put(address, network, script, script_size) - address);
    return STATUS_OK;
}

/* Address and labels as cells. */
static enum status put_address(struct explore_request *request, struct side *side, const struct index_tx *tx,
                               uint32_t vout, struct fault *fault)
{
    char address[ADDRESS_SIZE_MAX];
    size_t size;
    enum status status = read_address(request, side, tx, vout, address, &size, fault);
    if (status != STATUS_OK)
        return status;
    PRINT(&request->page, "<td class=\"script\"><code class=\"hash\">%.*s</code></td>", (int)size, address);
    if (request->explore->opened.labels.count > 0) {
        PRINT(&request->page, "<td class=\"names\">");
        if (size > 0)
            put_labels_of(request, address, size);
        PRINT(&request->page, "</td>");
    }
    return STATUS_OK;
}

static enum status put_payer(struct explore_request *request, struct side *side, const struct index_tx *tx,
                             uint32_t vin, uint64_t spent, struct fault *fault)
{
    struct printer *page = &request->page;
    struct link_end from = {0};
    struct index_output output;
    enum status status = spend_links_output(request->hand->index, spent, tx->first_input + vin, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    if (side->kept) {
        keep(side, &from.tx, from.position, output.value_sat);
        return STATUS_OK;
    }
    PRINT(page, "<tr><td>");
    explore_put_output(request, &from.tx.txid, from.position, 16);
    PRINT(page, "</td><td>%s</td><td class=\"n\">%llu.%08llu</td><td>", kind_name(output.kind),
          BTC_OF(output.value_sat));
    explore_put_tx(request, &tx->txid, 16);
    PRINT(page, "</td><td class=\"n\">%u</td>", (unsigned)vin);
    status = put_address(request, side, &from.tx, from.position, fault);
    PRINT(page, "</tr>\n");
    return status;
}

/* Inputs that spend an unknown output are inside the T-DAG. */
static enum status put_payers_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                 struct side *side, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct inputs_run run = {.index = request->hand->index, .end = tx->first_input + tx->inputs};
    uint32_t spend = forest->txs[number].first_spend, spend_end = forest->txs[number + 1].first_spend;
    enum status status = STATUS_OK;
    for (uint32_t vin = 0; vin < tx->inputs && !tx->coinbase && status == STATUS_OK && !is_full(side); vin++) {
        const struct forest_output *stored = spend < spend_end ? &forest->outputs[forest->spends[spend]] : NULL;
        bool is_stored = stored && stored->spender_vin == vin;
        uint64_t spent;
        spend += is_stored;
        side->looked_at++;
        if (is_stored && (stored->unknown >> request->rules & 1))
            continue;
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK)
            status = put_payer(request, side, tx, vin, spent, fault);
        side->rows++;
    }
    return status;
}

static enum status put_payee(struct explore_request *request, struct side *side, const struct index_tx *tx,
                             uint32_t vout, const struct index_output *output, struct fault *fault)
{
    struct printer *page = &request->page;
    struct link_end to = {0};
    enum status status = STATUS_OK;
    bool spent = output->spender != INDEX_NONE;
    if (side->kept) {
        keep(side, tx, vout, output->value_sat);
        return STATUS_OK;
    }
    if (spent)
        status = spend_links_input(request->hand->index, output->spender, tx->first_output + vout, &to, fault);
    if (status != STATUS_OK)
        return status;
    spent = spent && to.tx.height < request->explore->opened.forest.blocks;
    PRINT(page, "<tr><td>");
    explore_put_output(request, &tx->txid, vout, 16);
    PRINT(page, "</td><td>%s</td><td class=\"n\">%llu.%08llu</td><td>", kind_name(output->kind),
          BTC_OF(output->value_sat));
    if (spent)
        explore_put_tx(request, &to.tx.txid, 16);
    else
        PRINT(page, "unspent");
    PRINT(page, "</td>");
    status = put_address(request, side, tx, vout, fault);
    PRINT(page, "</tr>\n");
    return status;
}

static enum status put_payees_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                 struct side *side, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct outputs_run run = {.index = request->hand->index, .end = tx->first_output + tx->outputs};
    uint32_t tracked = forest->txs[number].first_output, tracked_end = forest->txs[number + 1].first_output;
    enum status status = STATUS_OK;
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK && !is_full(side); vout++) {
        const struct forest_output *stored = tracked < tracked_end ? &forest->outputs[tracked] : NULL;
        bool is_tracked = stored && stored->vout == vout;
        struct index_output output;
        tracked += is_tracked;
        side->looked_at++;
        status = outputs_run_at(&run, tx->first_output + vout, &output, fault);
        if (status != STATUS_OK || (is_tracked && (stored->unknown >> request->rules & 1)) ||
            output.kind == KIND_NULLDATA)
            continue;
        status = put_payee(request, side, tx, vout, &output, fault);
        side->rows++;
    }
    return status;
}

typedef enum status put_side_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                struct side *side, struct fault *fault);

static enum status walk_side(struct explore_request *request, const uint32_t *members, uint32_t count, put_side_of *put,
                             struct side *side, struct fault *fault)
{
    const struct opened_forest *opened = &request->explore->opened;
    struct index_block block = {0};
    struct index_tx tx = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK && !side->cut; i++) {
        status = spend_links_stored(request->hand->index, opened->store, &opened->forest.txs[members[i]], &block, &tx,
                                    fault);
        if (status == STATUS_OK)
            status = put(request, members[i], &tx, side, fault);
    }
    return status;
}

static enum status put_side(struct explore_request *request, const uint32_t *members, uint32_t count, put_side_of *put,
                            struct fault *fault)
{
    struct side side = {0};
    enum status status = walk_side(request, members, count, put, &side, fault);
    explore_end_table(request);
    if (side.cut)
        PRINT(&request->page, "<p>There are more; the page of each transaction has all of its own.</p>\n");
    return status;
}

/* ---- beside a drawing ---- */

static enum status put_valuable(struct explore_request *request, struct side *side, const struct valuable *valuable,
                                struct fault *fault)
{
    struct printer *page = &request->page;
    char address[ADDRESS_SIZE_MAX];
    size_t size;
    enum status status = read_address(request, side, &valuable->tx, valuable->position, address, &size, fault);
    PRINT(page, "<li>%llu.%08llu BTC ", BTC_OF(valuable->value_sat));
    explore_put_output(request, &valuable->tx.txid, valuable->position, 16);
    if (status != STATUS_OK || size == 0) {
        PRINT(page, "</li>\n");
        return status;
    }
    PRINT(page, " <code class=\"hash\">%.*s</code> ", (int)size, address);
    put_labels_of(request, address, size);
    PRINT(page, "</li>\n");
    return STATUS_OK;
}

enum status explore_put_valuable(struct explore_request *request, bool payers, const uint32_t *members, uint32_t count,
                                 struct fault *fault)
{
    struct printer *page = &request->page;
    struct valuable kept[VALUABLE];
    struct side side = {.kept = kept};
    const char *ends = payers ? "inputs" : "outputs";
    char number[GROUPED_SIZE];
    explore_take_hand(request);
    enum status status = walk_side(request, members, count, payers ? put_payers_of : put_payees_of, &side, fault);
    uint32_t shown = side.rows < VALUABLE ? side.rows : VALUABLE;
    PRINT(page, "<section class=\"side\" aria-label=\"%s of the drawing\">\n<h3>%s</h3>\n",
          payers ? "Payers" : "Payees", payers ? "Payers" : "Payees");
    grouped(number, side.cut ? side.looked_at : side.rows - shown);
    if (shown == 0 && side.cut)
        PRINT(page, "<p>%s the first %s %s; there are more.</p>\n",
              payers ? "No known output is spent by" : "No known output is among", number, ends);
    else if (shown == 0)
        PRINT(page, "<p>%s.</p>\n", payers ? "No known output is spent" : "No known output is created");
    else
        PRINT(page, "<ol>\n");
    for (uint32_t i = 0; i < shown && status == STATUS_OK; i++)
        status = put_valuable(request, &side, &kept[i], fault);
    if (shown > 0)
        PRINT(page, "</ol>\n");
    PRINT(page, "<p>");
    if (side.cut && shown > 0)
        PRINT(page, "The most valuable of the first %s %s; there are more. ", number, ends);
    else if (!side.cut && side.rows > shown)
        PRINT(page, "And %s more. ", number);
    PRINT(page, "<a href=\"#payments\">%s by transaction</a></p>\n</section>\n", payers ? "Payers" : "Payees");
    return status;
}

enum status explore_put_payments(struct explore_request *request, const uint32_t *members, uint32_t count,
                                 struct fault *fault)
{
    explore_take_hand(request);
    html_begin_section(&request->page, "payments", "Payers and payees");
    PRINT(&request->page, "<p>Of the transactions in the table above: the known outputs that they spend, and the known "
                          "outputs that they create.</p>\n");
    bool labelled = request->explore->opened.labels.count > 0;
    explore_begin_table(request, "Payers; values in BTC",
                        labelled ? "output|kind|value|spent by|input|address|labels"
                                 : "output|kind|value|spent by|input|address");
    enum status status = put_side(request, members, count, put_payers_of, fault);
    explore_begin_table(request, "Payees; values in BTC",
                        labelled ? "output|kind|value|spent by|address|labels" : "output|kind|value|spent by|address");
    if (status == STATUS_OK)
        status = put_side(request, members, count, put_payees_of, fault);
    explore_put_command(request, TAKES_ALL | OF_ALL_TDAGS, "flows");
    PRINT(&request->page, "</section>\n");
    return status;
}
