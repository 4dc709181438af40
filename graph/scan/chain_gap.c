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

/* The height that a block's coinbase names; false where it names none. */
static bool named_height(const struct gaps *gaps, struct blk_reader *reader, const struct blkdir *dir, uint32_t node,
                         uint32_t *own, enum status *status, struct fault *fault)
{
    const struct chain_block *block = chain_at(gaps->chain, node);
    const uint8_t *bytes;
    if (block->file == CHAIN_NONE)
        return false;
    enum status got = blk_read(reader, dir, block->file, block->offset, block->size, &bytes, fault);
    if (got != STATUS_IO) /* which is reported when the block is needed */
        *status = got;
    return got == STATUS_OK && block_bip34_height(bytes, block->size, own);
}

/* The same of a branch's lowest block; false where that tells nothing. */
static bool own_height(const struct gaps *gaps, struct blk_reader *reader, const struct blkdir *dir, uint32_t lowest,
                       uint32_t *own, enum status *status, struct fault *fault)
{
    /* A branch of one block says nothing: its header may be what is damaged. */
    return gaps->above[lowest] > 0 && named_height(gaps, reader, dir, lowest, own, status, fault);
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

/* ---- a chain that begins above genesis ---- */

#define SAMPLES 12u

/* What chain_gap_find_part looks with. */
struct part_search {
    struct gaps gaps;
    const struct blkdir *dir;
    const struct hash256 *genesis;
    struct blk_reader reader;
    uint32_t *tips; /* by node: of the lowest block of a branch a highest one */
    enum status status;
    struct fault *fault;
};

/* The first node that is highest in its branch. */
static void find_tips(struct part_search *search)
{
    const struct gaps *gaps = &search->gaps;
    memset(search->tips, 0xff, chain_count(gaps->chain) * sizeof *search->tips);
    for (uint32_t node = 0; node < chain_count(gaps->chain); node++) {
        uint32_t lowest = gaps->lowest[node];
        bool highest = node == lowest ? gaps->above[node] == 0 : gaps->above[node] == gaps->above[lowest];
        if (highest && search->tips[lowest] == CHAIN_NONE)
            search->tips[lowest] = node;
    }
}

static bool is_genesis(const struct part_search *search, uint32_t node)
{
    return hash256_equal(&chain_at(search->gaps.chain, node)->hash, search->genesis);
}

static bool name_of(struct part_search *search, uint32_t node, uint32_t *own)
{
    return search->status == STATUS_OK &&
           named_height(&search->gaps, &search->reader, search->dir, node, own, &search->status, search->fault);
}

static struct chain_part part_of(struct part_search *search, uint32_t lowest)
{
    struct chain_part part = {.lowest = lowest, .above = search->gaps.above[lowest]};
    uint32_t own;
    if (is_genesis(search, lowest)) {
        part.named = true;
    } else if (name_of(search, lowest, &own)) {
        part.named = own <= UINT32_MAX - 2 - part.above;
        part.height = own;
    } else if (name_of(search, search->tips[lowest], &own)) {
        part.named = own > part.above;
        part.height = own - part.above;
    }
    return part;
}

/* True for the blocks to compare: every `step`th one and the highest, each with its parent. Names could go wrong in a
 * way that fits to even steps alone. */
static bool is_sample(uint32_t above, uint32_t top, uint32_t step)
{
    return above % step == 0 || (above + 1) % step == 0 || above == top || above + 1 == top;
}

/* Whether blocks all along the branch name the heights that go with its lowest block's. */
static void verify_part(struct part_search *search, struct chain_part *part)
{
    uint32_t step = part->above / SAMPLES + 1, above = part->above, own;
    uint32_t node = search->tips[part->lowest];
    if (!part->named || is_genesis(search, part->lowest))
        return;
    for (; node != CHAIN_NONE; above--) {
        if (is_sample(above, part->above, step) && name_of(search, node, &own) && own != part->height + above)
            part->contradicts = true;
        node = above > 0 ? chain_find(search->gaps.chain, &chain_at(search->gaps.chain, node)->prev_hash) : CHAIN_NONE;
    }
    part->named = !part->contradicts;
}

static bool is_better(const struct chain_part *part, const struct chain_part *best)
{
    if (best->lowest == CHAIN_NONE || (part->above > 0) != (best->above > 0))
        return best->lowest == CHAIN_NONE || part->above > 0;
    if (part->named != best->named)
        return part->named;
    uint64_t top = (uint64_t)part->height + part->above, best_top = (uint64_t)best->height + best->above;
    if (part->named && top != best_top)
        return top > best_top;
    return part->above > best->above;
}

enum status chain_gap_find_part(const struct blkdir *dir, const struct chain *chain, const struct hash256 *genesis,
                                struct chain_part *part, struct fault *fault)
{
    struct part_search search = {.gaps = {.chain = chain}, .dir = dir, .genesis = genesis, .fault = fault};
    *part = (struct chain_part){.lowest = CHAIN_NONE};
    search.tips = mem_alloc(chain_count(chain), sizeof *search.tips);
    search.status = search.tips ? measure(&search.gaps, 0, fault) : fault_nomem(fault);
    if (search.status == STATUS_OK)
        find_tips(&search);
    for (uint32_t node = 0; node < chain_count(chain) && search.status == STATUS_OK; node++) {
        if (search.gaps.lowest[node] != node || (search.status = stop_check(fault)) != STATUS_OK)
            continue;
        struct chain_part other = part_of(&search, node);
        if (is_better(&other, part))
            *part = other;
    }
    if (search.status == STATUS_OK && part->lowest != CHAIN_NONE)
        verify_part(&search, part);
    blk_reader_free(&search.reader);
    mem_free(search.tips);
    release(&search.gaps);
    return search.status;
}

enum status chain_gap_branch_of(const struct chain *chain, uint32_t node, struct chain_part *part, struct fault *fault)
{
    struct gaps gaps = {.chain = chain};
    enum status status = measure(&gaps, 0, fault);
    if (status == STATUS_OK)
        *part = (struct chain_part){.lowest = gaps.lowest[node],
                                    .above = gaps.lowest[node] == node ? 0 : gaps.above[node]};
    release(&gaps);
    return status;
}

enum status chain_gap_above(const struct chain *chain, uint32_t lowest, uint32_t *above, struct fault *fault)
{
    struct gaps gaps = {.chain = chain};
    enum status status = measure(&gaps, 0, fault);
    if (status == STATUS_OK)
        *above = gaps.above[lowest];
    release(&gaps);
    return status;
}
