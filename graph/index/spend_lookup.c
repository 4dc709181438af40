#include "graph/index/reader.h"

enum status index_load_page(struct tx_index *index, enum index_table table, uint64_t number, size_t need,
                            struct records_page *page, struct fault *fault)
{
    uint8_t key[4];
    struct kv_pair pair = {.key = key, .key_size = sizeof key};
    page->bytes = NULL;
    store_be32(key, (uint32_t)number);
    enum status status = kv_get(index->view, table, key, sizeof key, &pair.value, &pair.value_size, fault);
    if (status == STATUS_OK && table == TABLE_OUTPUTS)
        status = look_at_page(index, WINDOW_OUTPUTS, pair.value_size, &pair.value, fault);
    if (status == STATUS_OK)
        status = index_unseal_page(index, table, number, &pair, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && pair.value_size < need))
        return damaged(index, "a page is missing", fault);
    if (status == STATUS_OK)
        *page = (struct records_page){pair.value, number};
    return status;
}

static enum status input_at(struct tx_index *index, uint64_t number, uint64_t *spent, struct fault *fault)
{
    uint64_t page = number / INPUTS_A_PAGE;
    enum status status = records_page(index, TABLE_INPUTS, page, index->state.totals.inputs, INPUTS_A_PAGE, INPUT_SIZE,
                                      &index->inputs, fault);
    if (status != STATUS_OK)
        return status;
    *spent = load_40(index->inputs.bytes + number % INPUTS_A_PAGE * INPUT_SIZE);
    if (*spent == INDEX_NONE_40)
        *spent = INDEX_NONE;
    else if (*spent >= index->state.totals.outputs)
        return damaged(index, "an input spends what is not there", fault);
    return STATUS_OK;
}

enum status index_inputs(struct tx_index *index, uint64_t first, uint32_t count, uint64_t *spent, struct fault *fault)
{
    if (first > index->state.totals.inputs || count > index->state.totals.inputs - first)
        return index_has_no(index, "input", first + count - 1, fault);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = input_at(index, first + i, &spent[i], fault);
    return status;
}

/* True if that input is there and does spend that output: an input from cut_input on may be of a block taken back. */
static enum status is_spender(struct tx_index *index, uint64_t output, uint64_t input, bool *is, struct fault *fault)
{
    *is = input < index->state.totals.inputs;
    if (!*is || input < index->state.cut_input)
        return STATUS_OK;
    uint64_t spent;
    enum status status = input_at(index, input, &spent, fault);
    *is = status == STATUS_OK && spent == output;
    return status;
}

/* Loads the page of that run that has the pair, if the run has it. Of a run without pairs that is an empty page. */
static enum status find_late_page(struct tx_index *index, uint32_t i, const uint8_t pair[PAIR_SIZE],
                                  struct fault *fault)
{
    struct pairs_page *page = &index->late_pages[i];
    uint32_t run = index->state.run[i].number;
    if (page->loaded && memcmp(pair, page->first, PAIR_SIZE) >= 0 && memcmp(pair, page->next, PAIR_SIZE) < 0)
        return STATUS_OK;
    uint8_t key[PAIR_KEY_SIZE];
    struct kv_pair found;
    store_run_key(key, run);
    memcpy(key + 2, pair, PAIR_SIZE);
    *page = (struct pairs_page){0};
    memset(page->next, 0xff, PAIR_SIZE);
    enum status status = index_floor(index, TABLE_LATE_SPENDS, key, sizeof key, &found, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !is_of_run(&found, run)))
        return damaged(index, "a page of late spends is missing", fault);
    if (status == STATUS_OK) {
        page->bytes = found.value;
        page->count = found.value_size / PAIR_SIZE;
        memcpy(page->first, found.key + 2, PAIR_SIZE);
        status = index_next(index, TABLE_LATE_SPENDS, &found, fault);
        if (status == STATUS_OK && is_of_run(&found, run))
            memcpy(page->next, found.key + 2, PAIR_SIZE);
    }
    page->loaded = status == STATUS_OK || status == STATUS_NOT_FOUND;
    return page->loaded ? STATUS_OK : status;
}

/* Looks for the spender of an output among the late spends. */
static enum status find_late_spender(struct tx_index *index, uint64_t output, uint64_t *spender, struct fault *fault)
{
    uint8_t pair[PAIR_SIZE];
    enum status status = STATUS_OK;
    store_pair(pair, output, INDEX_NONE_40);
    for (uint32_t run = index->state.runs; run > 0 && status == STATUS_OK; run--) {
        struct pairs_page *page = &index->late_pages[run - 1];
        status = find_late_page(index, run - 1, pair, fault);
        size_t n = status == STATUS_OK ? pairs_up_to(page->bytes, page->count, pair) : 0;
        for (; n > 0 && status == STATUS_OK && pair_first(page->bytes + (n - 1) * PAIR_SIZE) == output; n--) {
            bool is;
            *spender = pair_second(page->bytes + (n - 1) * PAIR_SIZE);
            status = is_spender(index, output, *spender, &is, fault);
            if (status == STATUS_OK && is)
                return STATUS_OK;
        }
    }
    *spender = INDEX_NONE;
    return status;
}

static enum status output_at(struct tx_index *index, uint64_t number, struct index_output *output, struct fault *fault)
{
    uint64_t page = number / OUTPUTS_A_PAGE;
    enum status status = records_page(index, TABLE_OUTPUTS, page, index->state.totals.outputs, OUTPUTS_A_PAGE,
                                      OUTPUT_SIZE, &index->outputs, fault);
    if (status != STATUS_OK)
        return status;
    const uint8_t *bytes = index->outputs.bytes + number % OUTPUTS_A_PAGE * OUTPUT_SIZE;
    uint64_t value_kind = load_value_kind(bytes);
    output->value_sat = value_of(value_kind);
    output->kind = kind_of(value_kind);
    output->spender = load_40(bytes + 7);
    if (output->kind >= KINDS)
        return damaged(index, "an output is of no kind", fault);
    bool is = false;
    if (output->spender != INDEX_NONE_40)
        status = is_spender(index, number, output->spender, &is, fault);
    if (is || status != STATUS_OK)
        return status;
    output->spender = INDEX_NONE;
    return index->state.late_spends > 0 ? find_late_spender(index, number, &output->spender, fault) : STATUS_OK;
}

enum status index_outputs(struct tx_index *index, uint64_t first, uint32_t count, struct index_output *outputs,
                          struct fault *fault)
{
    if (first > index->state.totals.outputs || count > index->state.totals.outputs - first)
        return index_has_no(index, "output", first + count - 1, fault);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = output_at(index, first + i, &outputs[i], fault);
    return status;
}
