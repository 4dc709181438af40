#include "graph/scan/chain_gap.h"

#include "parser/mem.h"
#include "parser/stop.h"

struct gaps {
    const struct chain *chain;
    uint32_t *lowest; /* by node: the lowest block of its detached branch; CHAIN_NONE if linked or not known yet */
    uint32_t *above;  /* by node: how many blocks below it in its branch; of the lowest: the most that any has */
    uint32_t *path;   /* scratch: the way down from a node */
    uint8_t *several; /* by height of the best branch: another linked block has it too */
};

/* Finds `lowest` and `above` of a detached node and of those on the way down from it. Each node is visited twice at
 * most, over all calls. */
static void follow_down(struct gaps *gaps, uint32_t node)
{
    size_t steps = 0;
    uint32_t below = CHAIN_NONE;
    for (uint32_t at = node; at != CHAIN_NONE && gaps->lowest[at] == CHAIN_NONE; at = below) {
        gaps->path[steps++] = at;
        below = chain_find(gaps->chain, &chain_at(gaps->chain, at)->prev_hash);
    }
    while (steps-- > 0) {
        uint32_t at = gaps->path[steps];
        gaps->lowest[at] = below == CHAIN_NONE ? at : gaps->lowest[below];
        gaps->above[at] = below == CHAIN_NONE ? 0 : below == gaps->lowest[below] ? 1 : gaps->above[below] + 1;
        below = at;
    }
}

/* Which heights have several linked blocks, and how high each detached branch is. */
static void measure_branches(struct gaps *gaps, uint32_t top)
{
    uint32_t count = chain_count(gaps->chain);
    for (uint32_t node = 0; node < count; node++) {
        const struct chain_block *block = chain_at(gaps->chain, node);
        if (block->state == CHAIN_DETACHED)
            follow_down(gaps, node);
        else if (block->state == CHAIN_STALE && block->height <= top)
            gaps->several[block->height] = 1;
    }
    for (uint32_t node = 0; node < count; node++) {
        uint32_t lowest = gaps->lowest[node];
        if (lowest != CHAIN_NONE && lowest != node && gaps->above[node] > gaps->above[lowest])
            gaps->above[lowest] = gaps->above[node];
    }
}

/* The height that the coinbase of a branch's lowest block names; false where that tells nothing. */
static bool own_height(const struct gaps *gaps, struct blk_reader *reader, const struct blkdir *dir, uint32_t lowest,
                       uint32_t *own, enum status *status, struct fault *fault)
{
    const struct chain_block *block = chain_at(gaps->chain, lowest);
    const uint8_t *bytes;
    /* A branch of one block says nothing: its header may be what is damaged. */
    if (block->file == CHAIN_NONE || gaps->above[lowest] == 0)
        return false;
    enum status got = blk_read(reader, dir, block->file, block->offset, block->size, &bytes, fault);
    if (got != STATUS_IO) /* which is reported when the block is needed */
        *status = got;
    return got == STATUS_OK && block_bip34_height(bytes, block->size, own);
}

/* Lowers *height below the gap under a detached branch, if that branch reaches higher than the best linked one. */
static enum status lower_below_gap(const struct gaps *gaps, struct blk_reader *reader, const struct blkdir *dir,
                                   uint32_t lowest, uint32_t *height, struct fault *fault)
{
    enum status status = STATUS_OK;
    uint32_t own;
    if (!own_height(gaps, reader, dir, lowest, &own, &status, fault) || own < 2 ||
        (uint64_t)own + gaps->above[lowest] <= chain_height(gaps->chain))
        return status;
    uint32_t parent = own - 2; /* of the missing block */
    if (parent > chain_height(gaps->chain))
        return STATUS_OK;
    while (parent > 0 && gaps->several[parent])
        parent--;
    if (parent < *height)
        *height = parent;
    return STATUS_OK;
}

/* Room for all, and the branches measured. */
static enum status measure(struct gaps *gaps, uint32_t top, struct fault *fault)
{
    uint32_t count = chain_count(gaps->chain);
    gaps->lowest = mem_alloc(count, sizeof *gaps->lowest);
    gaps->above = mem_alloc(count, sizeof *gaps->above);
    gaps->path = mem_alloc(count, sizeof *gaps->path);
    gaps->several = mem_alloc((size_t)top + 1, 1);
    if (!gaps->lowest || !gaps->above || !gaps->path || !gaps->several)
        return fault_nomem(fault);
    memset(gaps->lowest, 0xff, count * sizeof *gaps->lowest);
    measure_branches(gaps, top);
    return STATUS_OK;
}

static void release(struct gaps *gaps)
{
    mem_free(gaps->lowest);
    mem_free(gaps->above);
    mem_free(gaps->path);
    mem_free(gaps->several);
}

enum status chain_gap_certain_height(const struct blkdir *dir, const struct chain *chain, uint32_t *height,
                                     struct fault *fault)
{
    uint32_t count = chain_count(chain);
    struct gaps gaps = {.chain = chain};
    struct blk_reader reader = {0};
    *height = chain_height(chain);
    if (chain_detached(chain) == 0)
        return STATUS_OK;
    enum status status = measure(&gaps, *height, fault);
    for (uint32_t node = 0; node < count && status == STATUS_OK; node++)
        if (gaps.lowest[node] == node && (status = stop_check(fault)) == STATUS_OK)
            status = lower_below_gap(&gaps, &reader, dir, node, height, fault);
    blk_reader_free(&reader);
    release(&gaps);
    return status;
}

enum status chain_gap_highest_branch(const struct blkdir *dir, const struct chain *chain, struct chain_branch *branch,
                                     struct fault *fault)
{
    uint32_t count = chain_count(chain), members = 0;
    struct gaps gaps = {.chain = chain};
    struct blk_reader reader = {0};
    *branch = (struct chain_branch){.lowest = CHAIN_NONE, .tip = CHAIN_NONE};
    enum status status = measure(&gaps, chain_height(chain), fault);
    for (uint32_t node = 0; node < count && status == STATUS_OK; node++) {
        uint32_t own;
        if (gaps.lowest[node] == node)
            status = stop_check(fault);
        if (status != STATUS_OK || gaps.lowest[node] != node ||
            !own_height(&gaps, &reader, dir, node, &own, &status, fault))
            continue;
        uint64_t top = (uint64_t)own + gaps.above[node];
        if (top < UINT32_MAX && (branch->lowest == CHAIN_NONE || top > branch->tip_height))
            *branch = (struct chain_branch){
                .lowest = node, .tip = CHAIN_NONE, .height = own, .tip_height = (uint32_t)top};
    }
    for (uint32_t node = 0; node < count && status == STATUS_OK && branch->lowest != CHAIN_NONE; node++)
        if (branch->tip == CHAIN_NONE && node != branch->lowest && gaps.lowest[node] == branch->lowest &&
            gaps.above[node] == gaps.above[branch->lowest])
            branch->tip = node;
    for (uint32_t node = 0; node < count && status == STATUS_OK; node++)
        members += gaps.lowest[node] == branch->lowest && gaps.lowest[node] != CHAIN_NONE;
    branch->others = chain_detached(chain) - members;
    blk_reader_free(&reader);
    release(&gaps);
    return status;
}
