#include "graph/index/hidden.h"
#include "graph/index/reader.h"
#include "parser/mem.h"

static enum status fill_marks(struct tx_index *index, uint32_t to_height, struct output_marks *marks,
                              struct fault *fault)
{
    struct index_totals totals = index_totals_of(index);
    uint64_t before = 0;
    marks->blocks = to_height < totals.blocks ? to_height + 1 : totals.blocks;
    marks->bits = mem_alloc((size_t)(totals.outputs / 64 + 1), sizeof *marks->bits);
    marks->first_output = mem_alloc((size_t)marks->blocks + 1, sizeof *marks->first_output);
    if (!marks->bits || !marks->first_output)
        return fault_nomem(fault);
    for (uint32_t h = 0; h <= marks->blocks; h++) {
        struct block_entry entry = {.first_output = totals.outputs};
        enum status status = h < totals.blocks ? index_block_entry(index, h, &entry, fault) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (entry.first_output < before || entry.first_output > totals.outputs)
            return index_damaged(index, "its blocks are not in order", fault);
        marks->first_output[h] = before = entry.first_output;
        if (h < marks->blocks)
            marks->tip = entry.block.hash;
    }
    return STATUS_OK;
}

enum status hidden_marks_new(const char *store, uint32_t to_height, struct output_marks *marks, struct fault *fault)
{
    struct tx_index *index = NULL;
    enum status status = index_open(store, &index, fault);
    if (status == STATUS_OK)
        status = fill_marks(index, to_height, marks, fault);
    index_close(index);
    return status;
}

void hidden_marks_free(struct output_marks *marks)
{
    mem_free(marks->bits);
    mem_free(marks->first_output);
    *marks = (struct output_marks){0};
}
