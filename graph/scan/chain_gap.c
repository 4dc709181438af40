#include "graph/scan/chain_gap.h"

#include "parser/mem.h"

struct holes {
    const struct chain *chain;
    uint32_t *lowest; /* by node: the lowest block of its detached branch; CHAIN_NONE if linked or not known yet */
    uint32_t *above;  /* by node: how many blocks below it in its branch; of the lowest: the most that any has */
    uint32_t *path;   /* scratch: the way down from a node */
    uint8_t *several; /* by height of the best branch: another linked block has it too */
};

/* Settles `lowest` and `above` of a detached node and of those on the way down from it: each node is walked over twice.
 */
static void walk_down(struct holes *holes, uint32_t node)
{
    size_t steps = 0;
    uint32_t below = CHAIN_NONE;
    for (uint32_t at = node; at != CHAIN_NONE && holes->lowest[at] == CHAIN_NONE; at = below) {
        holes->path[steps++] = at;
        below = chain_find(holes->chain, &chain_at(holes->chain, at)->prev_hash);
    }
    while (steps-- > 0) {
        uint32_t at = holes->path[steps];
        holes->lowest[at] = below == CHAIN_NONE ? at : holes->lowest[below];
        holes->above[at] = below == CHAIN_NONE ? 0 : below == holes->lowest[below] ? 1 : holes->above[below] + 1;
        below = at;
    }
}

/* Which heights have several linked blocks, and how high each detached branch is. */
static void look_at_all(struct holes *holes, uint32_t top)
{
    uint32_t count = chain_count(holes->chain);
    for (uint32_t node = 0; node < count; node++) {
        const struct chain_block *block = chain_at(holes->chain, node);
        if (block->state == CHAIN_DETACHED)
            walk_down(holes, node);
        else if (block->state == CHAIN_STALE && block->height <= top)
            holes->several[block->height] = 1;
    }
    for (uint32_t node = 0; node < count; node++) {
        uint32_t lowest = holes->lowest[node];
        if (lowest != CHAIN_NONE && lowest != node && holes->above[node] > holes->above[lowest])
            holes->above[lowest] = holes->above[node];
    }
}

/* Takes *height below the hole under a detached branch, if that branch reaches higher than the best linked one. */
static enum status look_below(const struct holes *holes, struct blk_reader *reader, const struct blkdir *dir,
                              uint32_t lowest, uint32_t *height, struct fault *fault)
{
    const struct chain_block *block = chain_at(holes->chain, lowest);
    const uint8_t *bytes;
    uint32_t own;
    /* A branch of one block says nothing: its header may be what is damaged. */
    if (block->file == CHAIN_NONE || holes->above[lowest] == 0)
        return STATUS_OK;
    enum status status = blk_read(reader, dir, block->file, block->offset, block->size, &bytes, fault);
    if (status != STATUS_OK) /* it will be told of when it is needed */
        return status == STATUS_NOMEM ? status : STATUS_OK;
    if (!block_bip34_height(bytes, block->size, &own) || own < 2 ||
        (uint64_t)own + holes->above[lowest] <= chain_height(holes->chain))
        return STATUS_OK;
    uint32_t parent = own - 2; /* of the missing block */
    if (parent > chain_height(holes->chain))
        return STATUS_OK;
    while (parent > 0 && holes->several[parent])
        parent--;
    if (parent < *height)
        *height = parent;
    return STATUS_OK;
}

enum status chain_gap_certain_height(const struct blkdir *dir, const struct chain *chain, uint32_t *height,
                                     struct fault *fault)
{
    uint32_t count = chain_count(chain);
    struct holes holes = {.chain = chain};
    struct blk_reader reader = {0};
    enum status status = STATUS_OK;
    *height = chain_height(chain);
    if (chain_detached(chain) == 0)
        return STATUS_OK;
    holes.lowest = mem_alloc(count, sizeof *holes.lowest);
    holes.above = mem_alloc(count, sizeof *holes.above);
    holes.path = mem_alloc(count, sizeof *holes.path);
    holes.several = mem_alloc((size_t)*height + 1, 1);
    if (!holes.lowest || !holes.above || !holes.path || !holes.several) {
        status = fault_nomem(fault);
        goto out;
    }
    memset(holes.lowest, 0xff, count * sizeof *holes.lowest);
    look_at_all(&holes, *height);
    for (uint32_t node = 0; node < count && status == STATUS_OK; node++)
        if (holes.lowest[node] == node)
            status = look_below(&holes, &reader, dir, node, height, fault);
out:
    blk_reader_free(&reader);
    mem_free(holes.lowest);
    mem_free(holes.above);
    mem_free(holes.path);
    mem_free(holes.several);
    return status;
}
