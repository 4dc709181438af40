#include <stdio.h>

#include "cli/inputs/operand.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "parser/search.h"

/* ---- which one ---- */

static enum status find_block(const struct explore_request *request, const char *word, uint32_t *height,
                              struct fault *fault)
{
    const struct explore *explore = request->explore;
    struct operand operand;
    uint32_t first = 0, end = 0;
    bool good = operand_parse(word, true, &operand);
    if (good && operand.type == OPERAND_HEIGHT) {
        *height = operand.number;
        const struct forest *forest = &explore->opened.forest;
        if (*height < forest->blocks && *height >= forest->first_height)
            return STATUS_OK;
        if (*height < forest->first_height)
            return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                             "There is no block %u: the store is partial, the first one is %u.", (unsigned)*height,
                             (unsigned)forest->first_height);
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "There is no block %u: the last one is %u.",
                         (unsigned)*height, (unsigned)forest->blocks - 1);
    }
    if (good && operand.type == OPERAND_HASH)
        explore_find_blocks(explore, &operand.prefix, &first, &end);
    if (end - first == 1) {
        *height = explore->opened.forest.first_height + explore->blocks_by_hash[first];
        return STATUS_OK;
    }
    if (end > first)
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                         "Several blocks have a hash that begins with %.64s: give more digits.", word);
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "There is no block %.80s.", word);
}

/* ---- the page ---- */

/* Its stored transactions: numbers in the forest. */
struct tx_range {
    uint32_t first;
    uint32_t end;
};

static struct tx_range stored_of(const struct forest *forest, uint32_t height)
{
    size_t first = LOWER_BOUND(t, 0, forest->txs_count, forest->txs[t].height < height);
    size_t end = LOWER_BOUND(t, first, forest->txs_count, forest->txs[t].height <= height);
    return (struct tx_range){(uint32_t)first, (uint32_t)end};
}

static void put_dag_cell(struct explore_request *request, uint32_t number)
{
    uint32_t dag = number != FOREST_NONE ? request->tdags->tdags.tx_dag[number] : 0;
    PRINT(&request->page, "<td>");
    if (dag > 0)
        explore_put_tdag(request, dag);
    PRINT(&request->page, "</td></tr>\n");
}

/* `number` is that in the forest, FOREST_NONE for one that is not stored. */
static void put_row(struct explore_request *request, const struct index_tx *tx, uint32_t number)
{
    struct printer *page = &request->page;
    PRINT(page, "<tr><td class=\"n\">%u</td><td>", (unsigned)tx->index);
    explore_put_tx(request, &tx->txid, HASH256_HEX_SIZE);
    PRINT(page, "</td>");
    html_number(page, tx->inputs);
    html_number(page, tx->outputs);
    PRINT(page, "<td class=\"n\">%llu.%08llu</td>", BTC_OF(tx->value_out_sat));
    put_dag_cell(request, number);
}

static void put_stored_rows(struct explore_request *request, uint32_t first, uint32_t end)
{
    for (uint32_t number = first; number < end; number++) {
        const struct forest_tx *stored = &request->explore->opened.forest.txs[number];
        const struct index_tx tx = {.txid = stored->txid,
                                    .index = stored->index,
                                    .inputs = stored->inputs,
                                    .outputs = stored->outputs,
                                    .value_out_sat = stored->value_out_sat};
        put_row(request, &tx, number);
    }
}

static enum status put_linked_rows(struct explore_request *request, const struct index_block *block,
                                   struct tx_range stored, uint32_t first, uint32_t end, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    enum status status = STATUS_OK;
    for (uint32_t i = first; i < end && status == STATUS_OK; i++) {
        struct index_tx tx;
        status = index_tx_at(request->hand->index, block->first_tx + i, &tx, fault);
        while (stored.first < stored.end && forest->txs[stored.first].index < i)
            stored.first++;
        bool is_stored = stored.first < stored.end && forest->txs[stored.first].index == i;
        if (status == STATUS_OK)
            put_row(request, &tx, is_stored ? stored.first : FOREST_NONE);
    }
    return status;
}

static enum status put_txs(struct explore_request *request, uint32_t height, struct fault *fault)
{
    struct tx_range stored = stored_of(&request->explore->opened.forest, height);
    struct index_block block = {0};
    enum status status = STATUS_OK;
    if (request->explore->linked)
        status = index_block_at(request->hand->index, height, &block, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t count = request->explore->linked ? block.txs : stored.end - stored.first;
    uint64_t number = explore_page_number(request, "page", count);
    uint32_t first = (uint32_t)(number - 1) * EXPLORE_ROWS,
             end = count - first < EXPLORE_ROWS ? count : first + EXPLORE_ROWS;
    html_begin_section(&request->page, "transactions", "Transactions");
    if (!request->explore->linked)
        PRINT(&request->page, "<p>Those that are stored: with an unknown output that can be spent, or with an input "
                              "that spends one.</p>\n");
    explore_begin_table(request, "Transactions; values in BTC", "number|transaction|inputs|outputs|value out|T-DAG");
    if (request->explore->linked)
        status = put_linked_rows(request, &block, stored, first, end, fault);
    else
        put_stored_rows(request, stored.first + first, stored.first + end);
    explore_end_table(request);
    explore_put_pager(request, "page", number, count);
    PRINT(&request->page, "</section>\n");
    return status;
}

/* The store counts them for the rule sets of Core; those that only the rule set hidden has are all stored. */
static uint64_t unknown_txs(const struct explore_request *request, const struct block_record *block)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct tx_range stored = stored_of(forest, block->height);
    if (request->rules != RULES_HIDDEN)
        return block->counts.unknown_txs[request->rules];
    return block->counts.unknown_txs[RULES_CORE_22] + forest_only_hidden_txs(forest, stored.first, stored.end);
}

static enum status put_facts(struct explore_request *request, uint32_t height, struct fault *fault)
{
    struct printer *page = &request->page;
    struct block_record block;
    char hex[HASH256_HEX_SIZE + 1] = "", time[CHART_TIME_SIZE];
    enum status status = store_block(request->hand->reader, height, &block, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&block.hash, hex);
    PRINT(page, "<p><code class=\"hash\">%s</code>, %s UTC.", hex, chart_time(time, block.time));
    if (height > request->explore->opened.forest.first_height)
        PRINT(page, " <a href=\"/%s/block/%u\">The one before</a>", rules_name(request->rules), (unsigned)height - 1);
    if (height + 1 < request->explore->opened.forest.blocks)
        PRINT(page, " <a href=\"/%s/block/%u\">The next one</a>", rules_name(request->rules), (unsigned)height + 1);
    PRINT(page, "</p>\n<dl>\n");
    html_fact(page, "transactions", block.counts.txs);
    html_fact(page, "with an unknown output", unknown_txs(request, &block));
    html_fact(page, "inputs", block.counts.inputs);
    html_fact(page, "outputs", block.counts.outputs);
    PRINT(page,
          "</dl>\n<p><a href=\"/%s/tdags?first_height=..%u&amp;last_height=%u..\">T-DAGs that begin here or before, "
          "and end here or later</a></p>\n",
          rules_name(request->rules), (unsigned)height, (unsigned)height);
    explore_begin_table(request, "Outputs by kind; values in BTC", "kind|outputs|value");
    for (unsigned k = 0; k < KINDS; k++) {
        if (block.counts.kind_count[k] == 0)
            continue;
        PRINT(page, "<tr><th scope=\"row\">%s</th>", kind_name((enum kind)k));
        html_number(page, block.counts.kind_count[k]);
        PRINT(page, "<td class=\"n\">%llu.%08llu</td></tr>\n", BTC_OF(block.counts.kind_value_sat[k]));
    }
    explore_end_table(request);
    return STATUS_OK;
}

enum status explore_block(struct explore_request *request, struct fault *fault)
{
    uint32_t height = 0;
    char title[32];
    enum status status = find_block(request, request->rest + strlen("block/"), &height, fault);
    if (status != STATUS_OK)
        return status;
    explore_take_hand(request);
    snprintf(title, sizeof title, "Block %u", (unsigned)height);
    explore_begin_page(request, title);
    status = put_facts(request, height, fault);
    if (status == STATUS_OK)
        status = put_txs(request, height, fault);
    explore_put_elsewhere(request, "block", &request->explore->block_hashes[height]);
    if (request->explore->linked)
        explore_put_command(request, TAKES_LABELS, "tx %u", (unsigned)height);
    explore_end_page(request);
    return status;
}
