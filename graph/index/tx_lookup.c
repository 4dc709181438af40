#include "graph/index/reader.h"

/* ---- transactions ---- */

/* Decodes one record; what it leaves out follows from the one before, or is set already when `before` is NULL. */
static const uint8_t *read_tx(const uint8_t *p, const uint8_t *end, const struct index_tx *before, struct index_tx *tx)
{
    struct tx_head head;
    uint64_t fee;
    p = index_head_read(p, end, &head);
    if (!p || !(p = varint_get(p, end, &fee)) || (size_t)(end - p) < HASH256_SIZE)
        return NULL;
    if (before) {
        tx->number = before->number + 1;
        tx->height = before->height + (head.flags & TX_FIRST ? 1 : 0);
        tx->index = head.flags & TX_FIRST ? 0 : before->index + 1;
        tx->offset = head.flags & TX_FIRST ? head.offset : before->offset + before->size;
        tx->first_input = before->first_input + before->inputs;
        tx->first_output = before->first_output + before->outputs;
    }
    memcpy(tx->txid.bytes, p, HASH256_SIZE);
    tx->coinbase = head.flags & TX_COINBASE;
    tx->segwit = head.flags & TX_SEGWIT;
    tx->inputs = (uint32_t)head.inputs;
    tx->outputs = (uint32_t)head.outputs;
    tx->value_out_sat = head.value_out_sat;
    tx->fee_sat = fee;
    tx->size = (uint32_t)head.size;
    tx->weight = (uint32_t)(4 * head.size - 3 * head.witness);
    return p + HASH256_SIZE;
}

/* Reads the header of a page, whose records are then all left to be decoded. Its checksum is still to be looked at;
 * page->value is then where the window shows it. */
static enum status take_page(struct tx_index *index, struct kv_pair *page, struct fault *fault)
{
    index->txs_page = page->value;
    index->txs_count = index->txs_left = 0;
    enum status status = look_at_page(index, WINDOW_TXS, page->value_size, &page->value, fault);
    if (status != STATUS_OK)
        return status;
    bool has_header = page->value_size > TX_PAGE_HEADER + INDEX_SUM_SIZE;
    unsigned count = has_header ? index_page_read(page->value, index->txs) : 0;
    if (count == 0 || count > TXS_A_PAGE_MAX || page->key_size != 5 ||
        load_be40(page->key) != index->txs[0].first_output)
        return damaged(index, "a page of transactions is malformed", fault);
    index->txs_left = count;
    index->txs_rest = page->value + TX_PAGE_HEADER;
    index->txs_end = page->value + page->value_size - INDEX_SUM_SIZE;
    return STATUS_OK;
}

/* Looks at the checksum of the page that was taken, before anything of it is given to anyone. */
static enum status check_taken(struct tx_index *index, struct kv_pair *page, struct fault *fault)
{
    enum status status = page->value_size >= PAGE_AT_LEAST
                             ? index_unseal_page(index, TABLE_TXS, index_page_at(index->txs_page), page, fault)
                             : unseal(index, TABLE_TXS, page, fault);
    if (status != STATUS_OK)
        index->txs_count = index->txs_left = 0;
    return status;
}

/* Decodes records of the page that was taken: all that are left, or up to the one with that output. */
static enum status decode_up_to(struct tx_index *index, uint64_t output, struct fault *fault)
{
    const uint8_t *p = index->txs_rest;
    while (index->txs_left > 0) {
        unsigned n = index->txs_count;
        p = read_tx(p, index->txs_end, n > 0 ? &index->txs[n - 1] : NULL, &index->txs[n]);
        if (!p) {
            index->txs_count = index->txs_left = 0;
            return damaged(index, "a transaction is malformed", fault);
        }
        index->txs_count++;
        index->txs_left--;
        if (output < index->txs[n].first_output + index->txs[n].outputs)
            break;
    }
    index->txs_rest = p;
    return STATUS_OK;
}

/* A page that a reorganisation cut still has what was taken back: what counts ends where the next page begins. */
static enum status cut_page(struct tx_index *index, struct fault *fault)
{
    struct kv_pair next;
    enum status status = index_next(index, TABLE_TXS, &next, fault);
    if (status == STATUS_OK && next.key_size == 5)
        while (index->txs_count > 1 && index->txs[index->txs_count - 1].first_output >= load_be40(next.key))
            index->txs_count--;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Loads the page that has this output's transaction. */
static enum status page_of_output(struct tx_index *index, uint64_t output, struct fault *fault)
{
    uint8_t key[5];
    struct kv_pair pair;
    store_be40(key, output);
    enum status status = kv_floor(index->cursors[TABLE_TXS], key, sizeof key, &pair, fault);
    if (status == STATUS_NOT_FOUND)
        return damaged(index, "a page of transactions is missing", fault);
    if (status == STATUS_OK)
        status = take_page(index, &pair, fault);
    if (status == STATUS_OK) /* first: the page comes from memory meanwhile */
        status = decode_up_to(index, UINT64_MAX, fault);
    if (status == STATUS_OK)
        status = check_taken(index, &pair, fault);
    return status == STATUS_OK && index->state.cut_input != UINT64_MAX ? cut_page(index, fault) : status;
}

/* Loads the page that has transaction or input `number`, by the table that leads there. */
static enum status page_of(struct tx_index *index, enum index_table table, uint64_t number, struct fault *fault)
{
    uint8_t key[5];
    struct kv_pair pair;
    store_be40(key, number);
    enum status status = index_floor(index, table, key, sizeof key, &pair, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && pair.value_size != 5))
        return damaged(index, "a page of transactions is missing", fault);
    return status == STATUS_OK ? page_of_output(index, load_40(pair.value), fault) : status;
}

/* Decodes of the page that has this output's transaction what leads to it, going on from where it was left. */
static enum status decode_output(struct tx_index *index, uint64_t output, struct fault *fault)
{
    uint8_t key[5];
    struct kv_pair pair;
    if (index->state.cut_input != UINT64_MAX)
        return page_of_output(index, output, fault);
    store_be40(key, output);
    enum status status = kv_floor(index->cursors[TABLE_TXS], key, sizeof key, &pair, fault);
    if (status == STATUS_NOT_FOUND)
        return damaged(index, "a page of transactions is missing", fault);
    bool begun = status == STATUS_OK && index->txs_left > 0 && pair.value == index->txs_page;
    if (status == STATUS_OK && !begun)
        status = take_page(index, &pair, fault);
    if (status == STATUS_OK && !begun)
        status = check_taken(index, &pair, fault);
    return status == STATUS_OK ? decode_up_to(index, output, fault) : status;
}

static const struct index_tx *last_of_page(const struct tx_index *index) { return &index->txs[index->txs_count - 1]; }

/* Gives a transaction whose inputs and outputs are among those that there are: who asks goes through all of them. */
static enum status give(struct tx_index *index, const struct index_tx *found, struct index_tx *tx, struct fault *fault)
{
    const struct index_totals *totals = &index->state.totals;
    *tx = *found;
    bool within = tx->number < totals->txs && tx->height < totals->blocks &&
                  tx->first_input + tx->inputs <= totals->inputs && tx->first_output + tx->outputs <= totals->outputs;
    return within ? STATUS_OK : damaged(index, "a transaction has more than there is", fault);
}

enum status index_tx_at(struct tx_index *index, uint64_t number, struct index_tx *tx, struct fault *fault)
{
    if (number >= index->state.totals.txs)
        return index_has_no(index, "transaction", number, fault);
    if (index->txs_count == 0 || number < index->txs[0].number || number > last_of_page(index)->number) {
        enum status status = page_of(index, TABLE_TX_NUMBERS, number, fault);
        if (status != STATUS_OK)
            return status;
        if (number < index->txs[0].number || number > last_of_page(index)->number)
            return damaged(index, "a transaction is missing", fault);
    }
    return give(index, &index->txs[number - index->txs[0].number], tx, fault);
}

/* Whether what is decoded has that output. */
static bool has_output(const struct tx_index *index, uint64_t output)
{
    return index->txs_count > 0 && output >= index->txs[0].first_output &&
           output < last_of_page(index)->first_output + last_of_page(index)->outputs;
}

/* The transaction with that output, by `load` if it is not decoded. */
static enum status tx_of_output(struct tx_index *index, uint64_t output, struct index_tx *tx,
                                enum status (*load)(struct tx_index *index, uint64_t output, struct fault *fault),
                                struct fault *fault)
{
    if (output >= index->state.totals.outputs)
        return index_has_no(index, "output", output, fault);
    enum status status = has_output(index, output) ? STATUS_OK : load(index, output, fault);
    if (status != STATUS_OK)
        return status;
    const struct index_tx *txs = index->txs;
    size_t i = LOWER_BOUND(n, 0, index->txs_count, txs[n].first_output + txs[n].outputs <= output);
    if (i == index->txs_count || output < txs[i].first_output)
        return damaged(index, "an output is of no transaction", fault);
    return give(index, &txs[i], tx, fault);
}

enum status index_tx_of_output(struct tx_index *index, uint64_t output, struct index_tx *tx, struct fault *fault)
{
    return tx_of_output(index, output, tx, page_of_output, fault);
}

enum status index_candidate_tx(struct tx_index *index, uint64_t output, struct index_tx *tx, struct fault *fault)
{
    return tx_of_output(index, output, tx, decode_output, fault);
}

enum status index_tx_of_input(struct tx_index *index, uint64_t input, struct index_tx *tx, struct fault *fault)
{
    if (input >= index->state.totals.inputs)
        return index_has_no(index, "input", input, fault);
    if (index->txs_count == 0 || input < index->txs[0].first_input ||
        input >= last_of_page(index)->first_input + last_of_page(index)->inputs) {
        enum status status = page_of(index, TABLE_TX_INPUTS, input, fault);
        if (status != STATUS_OK)
            return status;
    }
    for (unsigned i = 0; i < index->txs_count; i++)
        if (input - index->txs[i].first_input < index->txs[i].inputs)
            return give(index, &index->txs[i], tx, fault);
    return damaged(index, "an input is of no transaction", fault);
}

/* ---- by txid ---- */

/* Looks at a page of pairs, and at its checksum, unless the page is a known one and begins with the pair of its key. */
static enum status open_txids(struct tx_index *index, struct kv_pair *page, struct fault *fault)
{
    const uint8_t *value = page->value;
    enum status status = STATUS_OK;
    if (is_of_run(page, index->state.run[0].number))
        status = look_at_page(index, WINDOW_TXIDS, page->value_size, &page->value, fault);
    if (status != STATUS_OK)
        return status;
    bool begins = page->value_size >= PAGE_AT_LEAST && page->key_size == PAIR_KEY_SIZE &&
                  memcmp(page->value, page->key + 2, PAIR_SIZE) == 0;
    return begins ? index_unseal_page(index, TABLE_TXIDS, index_page_at(value), page, fault)
                  : unseal(index, TABLE_TXIDS, page, fault);
}

/* Where what is looked for comes after the last pair of the page at the cursor: it is in no other page, if the next one
 * has the key that it had. */
static enum status check_next_txids(struct tx_index *index, struct fault *fault)
{
    struct kv_pair next;
    enum status status = kv_next(index->cursors[TABLE_TXIDS], &next, fault);
    if (status == STATUS_OK)
        status = open_txids(index, &next, fault);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The last pair of the run not above (first, second): its second number in *found. STATUS_NOT_FOUND if its first number
 * is another. */
static enum status pair_floor(struct tx_index *index, uint32_t run, uint64_t first, uint64_t second, uint64_t *found,
                              struct fault *fault)
{
    uint8_t key[PAIR_KEY_SIZE];
    struct kv_pair page;
    store_run_key(key, run);
    store_pair(key + 2, first, second);
    enum status status = kv_floor(index->cursors[TABLE_TXIDS], key, sizeof key, &page, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !is_of_run(&page, run)))
        return damaged(index, "a page of txids is missing", fault);
    if (status == STATUS_OK)
        status = open_txids(index, &page, fault);
    if (status != STATUS_OK)
        return status;
    size_t count = page.value_size / PAIR_SIZE, n = pairs_up_to(page.value, count, key + 2);
    bool is = false; /* the key of a run's first page is zeros, below its first pair */
    if (n > 0) {
        const uint8_t *pair = page.value + (n - 1) * PAIR_SIZE;
        *found = pair_second(pair);
        is = pair_first(pair) == first;
    }
    if (n == count)
        status = check_next_txids(index, fault);
    return status == STATUS_OK && !is ? STATUS_NOT_FOUND : status;
}

enum status index_candidate(struct tx_index *index, uint64_t hash, uint64_t below, uint64_t *output,
                            struct fault *fault)
{
    uint64_t found = 0;
    bool any = false;
    if (below > index->state.totals.outputs)
        below = index->state.totals.outputs;
    for (uint32_t run = index->state.runs; run > 0 && below > 0; run--) {
        uint32_t number = index->state.run[run - 1].number;
        enum status status = pair_floor(index, number, hash >> 24, below - 1, &found, fault);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        if (status == STATUS_OK && (!any || found > *output)) {
            *output = found;
            any = true;
        }
    }
    return any ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status index_tx_find(struct tx_index *index, const struct hash256 *txid, uint64_t below, struct index_tx *tx,
                          struct fault *fault)
{
    uint64_t hash = index_hash(&index->hasher, txid->bytes), limit = UINT64_MAX;
    if (below < index->state.totals.txs) {
        enum status status = index_tx_at(index, below, tx, fault);
        if (status != STATUS_OK)
            return status;
        limit = tx->first_output;
    }
    for (uint64_t output = 0;;) {
        enum status status = index_candidate(index, hash, limit, &output, fault);
        if (status == STATUS_NOT_FOUND)
            return fault_set(fault, status, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no such transaction");
        if (status == STATUS_OK)
            status = index_candidate_tx(index, output, tx, fault);
        if (status == STATUS_OK && tx->number >= below)
            return damaged(index, "transactions overlap", fault);
        if (status != STATUS_OK || hash256_equal(&tx->txid, txid))
            return status;
        limit = tx->first_output;
    }
}
