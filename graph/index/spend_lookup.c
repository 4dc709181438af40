#include "graph/index/reader.h"

/* Loads a page of fixed-width records, unless it is the one that was loaded last: `*bytes`, number `*loaded`. */
static enum status fixed_page(struct tx_index *index, enum index_table table, uint64_t page, size_t need,
                              const uint8_t **bytes, uint64_t *loaded, struct fault *fault)
{
    if (*bytes && *loaded == page)
        return STATUS_OK;
    uint8_t key[4];
    size_t size;
    store_be32(key, (uint32_t)page);
    enum status status = kv_get(index->view, table, key, sizeof key, bytes, &size, fault);
    if (status == STATUS_OK && size >= need) {
        *loaded = page;
        return STATUS_OK;
    }
    *bytes = NULL;
    return status == STATUS_OK || status == STATUS_NOT_FOUND ? damaged(index, "a page is missing", fault) : status;
}

/* Bytes that the page of fixed-width records has at least, by the totals. */
static size_t page_need(uint64_t page, uint64_t total, size_t a_page, size_t record)
{
    uint64_t left = total - page * a_page;
    return (left < a_page ? (size_t)left : a_page) * record;
}

static enum status input_at(struct tx_index *index, uint64_t number, uint64_t *spent, struct fault *fault)
{
    uint64_t page = number / INPUTS_A_PAGE;
    enum status status = fixed_page(index, TABLE_INPUTS, page,
                                    page_need(page, index->state.totals.inputs, INPUTS_A_PAGE, INPUT_SIZE),
                                    &index->inputs, &index->inputs_page, fault);
    if (status != STATUS_OK)
        return status;
    *spent = load_40(index->inputs + number % INPUTS_A_PAGE * INPUT_SIZE);
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

/* Loads the page of that run that has the pair, if the run has it. */
static enum status find_late_page(struct tx_index *index, uint32_t i, const uint8_t pair[PAIR_SIZE],
                                  struct fault *fault)
{
    struct pairs_page *page = &index->late_pages[i];
    uint32_t run = index->state.run[i].number;
    if (page->loaded && memcmp(pair, page->first, PAIR_SIZE) >= 0 && memcmp(pair, page->next, PAIR_SIZE) < 0)
        return STATUS_OK;
    uint8_t key[PAIR_KEY_SIZE];
    struct kv_pair found;
    struct kv_cursor *cursor = index->cursors[TABLE_LATE_SPENDS];
    store_run_key(key, run);
    memcpy(key + 2, pair, PAIR_SIZE);
    *page = (struct pairs_page){0}; /* for a run without pairs: an empty page, which is the one for every pair */
    memset(page->next, 0xff, PAIR_SIZE);
    enum status status = kv_floor(cursor, key, sizeof key, &found, fault);
    if (status == STATUS_OK && is_of_run(&found, run)) {
        page->bytes = found.value;
        page->count = found.value_size / PAIR_SIZE;
        memcpy(page->first, found.key + 2, PAIR_SIZE);
        status = kv_next(cursor, &found, fault);
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

/* The page of the output. */
static enum status load_outputs(struct tx_index *index, uint64_t number, struct fault *fault)
{
    uint64_t page = number / OUTPUTS_A_PAGE;
    size_t need = page_need(page, index->state.totals.outputs, OUTPUTS_A_PAGE, OUTPUT_SIZE);
    bool loaded = index->outputs && index->outputs_page == page;
    enum status status = fixed_page(index, TABLE_OUTPUTS, page, need, &index->outputs, &index->outputs_page, fault);
    if (status == STATUS_OK && !loaded)
        status = look_at_page(index, WINDOW_OUTPUTS, need, &index->outputs, fault);
    if (status != STATUS_OK)
        index->outputs = NULL;
    return status;
}

static enum status output_at(struct tx_index *index, uint64_t number, struct index_output *output, struct fault *fault)
{
    enum status status = load_outputs(index, number, fault);
    if (status != STATUS_OK)
        return status;
    const uint8_t *bytes = index->outputs + number % OUTPUTS_A_PAGE * OUTPUT_SIZE;
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
