#include "cli/inputs/spend_links.h"

#include "parser/mem.h"

enum status links_output(struct tio *tio, uint64_t number, struct link_end *end, struct tio_output *output,
                         struct fault *fault)
{
    enum status status = tio_tx_of_output(tio, number, &end->tx, fault);
    if (status == STATUS_OK)
        status = tio_outputs(tio, number, 1, output, fault);
    if (status != STATUS_OK)
        return status;
    if (number - end->tx.first_output >= end->tx.outputs)
        return tio_damaged(tio, "a link leads nowhere", fault);
    end->position = (uint32_t)(number - end->tx.first_output);
    return STATUS_OK;
}

enum status links_input(struct tio *tio, uint64_t number, struct link_end *end, struct fault *fault)
{
    enum status status = tio_tx_of_input(tio, number, &end->tx, fault);
    if (status != STATUS_OK)
        return status;
    if (number - end->tx.first_input >= end->tx.inputs)
        return tio_damaged(tio, "a link leads nowhere", fault);
    end->position = (uint32_t)(number - end->tx.first_input);
    return STATUS_OK;
}

/* At most a piece, and nothing behind the end; a number behind it takes one alone, and the tio says what it is. */
static uint32_t piece(uint64_t number, uint64_t end)
{
    uint64_t left = number < end ? end - number : 1;
    return left < LINKS_PIECE ? (uint32_t)left : LINKS_PIECE;
}

enum status outputs_run_load(struct outputs_run *run, uint64_t number, struct fault *fault)
{
    uint32_t count = piece(number, run->end);
    run->count = 0;
    enum status status = tio_outputs(run->tio, number, count, run->outputs, fault);
    if (status != STATUS_OK)
        return status;
    run->first = number;
    run->count = count;
    return STATUS_OK;
}

enum status inputs_run_load(struct inputs_run *run, uint64_t number, struct fault *fault)
{
    uint32_t count = piece(number, run->end);
    run->count = 0;
    enum status status = tio_inputs(run->tio, number, count, run->spent, fault);
    if (status != STATUS_OK)
        return status;
    run->first = number;
    run->count = count;
    return STATUS_OK;
}

enum status links_reach_tip(struct tio *tio, const struct store *store, struct fault *fault)
{
    struct store_totals totals = store_totals_of(store);
    struct tio_block block;
    uint32_t blocks = tio_totals_of(tio).blocks;
    if (blocks >= totals.blocks) {
        enum status status = tio_block_at(tio, totals.blocks - 1, &block, fault);
        if (status != STATUS_OK)
            return status;
        if (hash256_equal(&block.hash, &totals.tip))
            return STATUS_OK;
    }
    return fault_set(fault, STATUS_REFUSED, store_path(store), FAULT_NO_OFFSET,
                     "the index does not have the store's last block (height %u): run 'unktx index' on the same chain",
                     (unsigned)totals.blocks - 1);
}

enum status tios_open(const char *store, unsigned threads, struct tios *tios, struct fault *fault)
{
    *tios = (struct tios){0};
    tios->tios = mem_alloc(threads, sizeof *tios->tios);
    if (!tios->tios)
        return fault_nomem(fault);
    while (tios->count < threads) {
        enum status status = tio_open(store, &tios->tios[tios->count], fault);
        if (status != STATUS_OK)
            return status;
        tios->count++;
    }
    return STATUS_OK;
}

void tios_close(struct tios *tios)
{
    for (unsigned i = 0; i < tios->count; i++)
        tio_close(tios->tios[i]);
    mem_free(tios->tios);
    *tios = (struct tios){0};
}
