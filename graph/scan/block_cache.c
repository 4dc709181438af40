#include "graph/scan/block_cache.h"

#include "graph/scan/block_spill.h"
#include "parser/array.h"
#include "parser/search.h"
#include "parser/sort.h"

#define NOWHERE UINT64_MAX
#define FETCH_SHARE 4u /* of the memory for blocks that are brought back, and as much for what is read ahead */

struct kept {
    struct hash256 hash;
    uint64_t offset; /* of the block in its file */
    uint32_t file;
    uint32_t size;
    uint8_t *bytes; /* NULL: written, or lost */
    uint64_t place; /* where it was written; NOWHERE: it was not */
};

struct block_cache {
    struct blk_image image;
    ARRAY(struct kept) kept; /* by file and offset */
    uint64_t memory;
    uint64_t held;  /* bytes of them in memory */
    size_t written; /* of them */
    struct block_spill *spill;
};

/* A kept block in the order in which it will be needed. */
struct turn {
    uint64_t height;
    size_t kept;
};

enum status block_cache_new(const char *folder, uint64_t memory, struct block_cache **out, struct fault *fault)
{
    struct block_cache *cache = mem_alloc(1, sizeof *cache);
    *out = cache;
    if (!cache)
        return fault_nomem(fault);
    cache->memory = memory;
    cache->spill = block_spill_new(folder, memory / FETCH_SHARE);
    return cache->spill ? STATUS_OK : fault_nomem(fault);
}

void block_cache_free(struct block_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->kept.count; i++)
        mem_free(cache->kept.at[i].bytes);
    mem_free(cache->kept.at);
    blk_image_free(&cache->image);
    block_spill_free(cache->spill);
    mem_free(cache);
}

struct blk_image *block_cache_image(struct block_cache *cache) { return &cache->image; }

/* The block's bytes in the file that was read last; NULL: they are not there. */
static const uint8_t *in_image(const struct block_cache *cache, const struct chain_block *block)
{
    const struct blk_image *image = &cache->image;
    bool there = block->file != CHAIN_NONE && blk_image_is_of(image, block->file) && block->offset <= image->size &&
                 block->size <= image->size - block->offset;
    return there ? image->bytes + block->offset : NULL;
}

static struct kept *kept_of(const struct block_cache *cache, const struct chain_block *block)
{
    const struct kept *kept = cache->kept.at;
    size_t at = LOWER_BOUND(i, 0, cache->kept.count,
                            kept[i].file != block->file ? kept[i].file < block->file : kept[i].offset < block->offset);
    bool found = at < cache->kept.count && kept[at].file == block->file && kept[at].offset == block->offset;
    return found ? &cache->kept.at[at] : NULL;
}

const uint8_t *block_cache_find(const struct block_cache *cache, const struct chain_block *block)
{
    const uint8_t *bytes = in_image(cache, block);
    const struct kept *kept = bytes ? NULL : kept_of(cache, block);
    return kept ? kept->bytes : bytes;
}

static bool is_needed(const struct block_need *need, const struct chain_block *block)
{
    return block->state == CHAIN_DETACHED || (block->height >= need->next && block->height < need->end);
}

/* ---- to the temporary file ---- */

/* By its place in the chain, or as its coinbase says; last where neither tells. */
static uint64_t height_of(const struct chain *chain, const struct kept *kept)
{
    uint32_t node = chain_find(chain, &kept->hash), height = UINT32_MAX;
    if (node != CHAIN_NONE && chain_at(chain, node)->state != CHAIN_DETACHED)
        return chain_at(chain, node)->height;
    return block_bip34_height(kept->bytes, kept->size, &height) ? height : UINT32_MAX;
}

/* What cannot be written any more is lost. */
static void write_turns(struct block_cache *cache, const struct turn *turns, size_t count)
{
    bool room = block_spill_begin(cache->spill);
    for (size_t i = 0; i < count; i++) {
        struct kept *kept = &cache->kept.at[turns[i].kept];
        if (kept->place == NOWHERE) {
            room = room && block_spill_write(cache->spill, kept->bytes, kept->size, &kept->place);
            cache->written += room;
        }
        cache->held -= kept->size;
        mem_free(kept->bytes);
        kept->bytes = NULL;
    }
}

static enum status write_all(struct block_cache *cache, const struct chain *chain, struct fault *fault)
{
    struct turn *turns = mem_alloc(cache->kept.count, sizeof *turns);
    struct turn *spare = mem_alloc(cache->kept.count, sizeof *spare);
    size_t count = 0;
    enum status status = turns && spare ? STATUS_OK : fault_nomem(fault);
    for (size_t i = 0; i < cache->kept.count && status == STATUS_OK; i++)
        if (cache->kept.at[i].bytes)
            turns[count++] = (struct turn){.height = height_of(chain, &cache->kept.at[i]), .kept = i};
    if (status == STATUS_OK && count > 0)
        write_turns(cache, sort_by_key(turns, spare, count, sizeof *turns), count);
    mem_free(turns);
    mem_free(spare);
    return status;
}

/* ---- what is kept ---- */

static void let_go(struct block_cache *cache, struct kept *kept)
{
    if (kept->place != NOWHERE) {
        block_spill_drop(cache->spill, kept->place);
        cache->written--;
    }
    cache->held -= kept->bytes ? kept->size : 0;
    mem_free(kept->bytes);
}

void block_cache_drop(struct block_cache *cache, const struct block_need *need)
{
    size_t count = 0;
    for (size_t i = 0; i < cache->kept.count; i++) {
        struct kept *kept = &cache->kept.at[i];
        uint32_t node = chain_find(need->chain, &kept->hash);
        bool lost = !kept->bytes && kept->place == NOWHERE;
        if (!lost && node != CHAIN_NONE && is_needed(need, chain_at(need->chain, node)))
            cache->kept.at[count++] = *kept;
        else
            let_go(cache, kept);
    }
    cache->kept.count = count;
}

static enum status keep_one(struct block_cache *cache, const struct chain *chain, const struct chain_block *block,
                            const uint8_t *bytes, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (cache->held + block->size > cache->memory)
        status = write_all(cache, chain, fault);
    if (status != STATUS_OK)
        return status;
    struct kept kept = {.hash = block->hash,
                        .offset = block->offset,
                        .file = block->file,
                        .size = block->size,
                        .bytes = mem_resize(NULL, block->size, 1),
                        .place = NOWHERE};
    if (!kept.bytes || !PUSH(cache->kept, kept)) {
        mem_free(kept.bytes);
        return fault_nomem(fault);
    }
    memcpy(kept.bytes, bytes, block->size);
    cache->held += block->size;
    return STATUS_OK;
}

enum status block_cache_keep(struct block_cache *cache, const struct block_need *need, uint32_t first_node,
                             struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t node = first_node; node < chain_count(need->chain) && status == STATUS_OK; node++) {
        const struct chain_block *block = chain_at(need->chain, node);
        const uint8_t *bytes = is_needed(need, block) ? in_image(cache, block) : NULL;
        if (bytes)
            status = keep_one(cache, need->chain, block, bytes, fault);
    }
    cache->image.there = false;
    return status;
}

/* ---- from the temporary file ---- */

static enum status bring_back(struct block_cache *cache, struct kept *kept, struct fault *fault)
{
    kept->bytes = mem_resize(NULL, kept->size, 1);
    if (!kept->bytes)
        return fault_nomem(fault);
    cache->held += kept->size;
    if (block_spill_read(cache->spill, kept->place, kept->size, kept->bytes))
        return STATUS_OK;
    cache->held -= kept->size;
    mem_free(kept->bytes);
    kept->bytes = NULL;
    return STATUS_OK;
}

enum status block_cache_fetch(struct block_cache *cache, const struct block_need *need, uint32_t *end,
                              struct fault *fault)
{
    uint64_t fetched = 0;
    enum status status = STATUS_OK;
    uint32_t height = cache->written > 0 ? need->next : need->end;
    for (; height < need->end && status == STATUS_OK; height++) {
        const struct chain_block *block = chain_active(need->chain, height);
        struct kept *kept = in_image(cache, block) ? NULL : kept_of(cache, block);
        if (!kept || kept->bytes || kept->place == NOWHERE)
            continue;
        if (fetched > 0 && fetched + kept->size > cache->memory / FETCH_SHARE)
            break;
        status = bring_back(cache, kept, fault);
        fetched += kept->size;
    }
    *end = height;
    return status;
}
