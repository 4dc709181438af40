#include "graph/scan/file_pass.h"

#include "parser/disk.h"

#define MARGIN_FIRST 12u /* blocks: branches that lose are shorter, as a rule */
#define MARGIN_STEP 4u
#define MARGIN_MAX (1u << 20)
#define LINK_BYTES ((uint64_t)32 << 20) /* of files */
#define LINK_PART 16u                   /* of the blocks */

static uint32_t next_of(const struct file_pass *pass) { return pass->taker.next(pass->taker.context); }

/* The height after that of the last block that is to be taken. */
static uint32_t end_of(const struct file_pass *pass)
{
    uint32_t to_height = pass->options->to_height;
    return to_height == UINT32_MAX ? UINT32_MAX : to_height + 1;
}

static struct block_need need_of(const struct file_pass *pass)
{
    return (struct block_need){.chain = pass->chain, .next = next_of(pass), .end = end_of(pass)};
}

void file_pass_drop(struct file_pass *pass)
{
    struct block_need need = need_of(pass);
    block_cache_drop(pass->cache, &need);
}

enum status file_pass_fetch(struct file_pass *pass, uint32_t end, uint32_t *until, struct fault *fault)
{
    struct block_need need = {.chain = pass->chain, .next = next_of(pass), .end = end};
    return block_cache_fetch(pass->cache, &need, until, fault);
}

void file_pass_leave(struct file_pass *pass)
{
    if (pass->margin < MARGIN_MAX)
        pass->margin *= MARGIN_STEP;
}

/* What is in the folder besides must be of this chain. */
static enum status meet(struct file_pass *pass, bool *may, struct fault *fault)
{
    const struct other_chain *other = pass->options->other;
    const struct chain_block *first = chain_active(pass->chain, 1);
    *may = !other || (first && hash256_equal(&first->hash, &other->block_1));
    return *may ? pass->taker.meet(pass->taker.context, may, fault) : STATUS_OK;
}

/* *end: the height up to which blocks can be taken now; 0: none. */
static enum status link_so_far(struct file_pass *pass, uint32_t *end, struct fault *fault)
{
    const struct hash256 *tip = pass->options->tip;
    struct fault why = {0};
    bool may;
    *end = 0;
    if (tip && chain_find(pass->chain, tip) == CHAIN_NONE)
        tip = NULL;
    enum status status = chain_link(pass->chain, tip, &why);
    if (status == STATUS_NOT_FOUND) /* the genesis block, or what leads to the tip, is in a later file */
        return STATUS_OK;
    if (status != STATUS_OK && fault)
        *fault = why;
    if (status == STATUS_OK)
        status = meet(pass, &may, fault);
    uint32_t height = chain_height(pass->chain);
    if (status == STATUS_OK && may && height >= pass->margin)
        *end = height - pass->margin + 1;
    if (*end > end_of(pass))
        *end = end_of(pass);
    return status;
}

/* To link the chain and to look through what waits costs as much as there is of them: it is done for so many bytes or
 * a part of the blocks, so that many small files take no longer. */
static bool is_time_to_link(struct file_pass *pass)
{
    uint32_t nodes = chain_count(pass->chain);
    pass->unlinked_bytes += block_cache_image(pass->cache)->size;
    if (pass->unlinked_bytes < LINK_BYTES && nodes - pass->linked_nodes < nodes / LINK_PART)
        return false;
    pass->unlinked_bytes = 0;
    pass->linked_nodes = nodes;
    return true;
}

static enum status on_file(void *context, uint32_t first_node, struct fault *fault)
{
    struct file_pass *pass = context;
    uint32_t end;
    enum status status = STATUS_OK;
    if (is_time_to_link(pass)) {
        status = link_so_far(pass, &end, fault);
        if (status == STATUS_OK)
            status = pass->taker.take(pass->taker.context, end, fault);
        file_pass_drop(pass);
    }
    struct block_need need = need_of(pass);
    return status == STATUS_OK ? block_cache_keep(pass->cache, &need, first_node, fault) : status;
}

enum status file_pass_open(struct file_pass *pass, const struct blkdir *dir, const char *folder, uint64_t memory,
                           struct fault *fault)
{
    const struct ingest_options *options = pass->options;
    bool wanted = options->order == INGEST_BY_FILE ||
                  (options->order == INGEST_AS_SUITED && disk_is_rotational(DISK_SYSFS, dir->files[0].path));
    if (options->cache_bytes)
        memory = options->cache_bytes;
    return wanted ? block_cache_new(folder, memory, &pass->cache, fault) : STATUS_OK;
}

void file_pass_begin(struct file_pass *pass, uint32_t since)
{
    pass->margin = MARGIN_FIRST;
    pass->order = (struct file_order){.image = block_cache_image(pass->cache),
                                      .since = since,
                                      .changed = pass->options->order == INGEST_BY_FILE,
                                      .on_file = on_file,
                                      .context = pass};
}
