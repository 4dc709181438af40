#include "graph/scan/best_chain.h"

#include <stdio.h>

#include "graph/scan/filemap.h"
#include "graph/scan/chain_gap.h"

#define GAPS_NAMED 3u

static void report_damage(const struct best_chain *best, const struct fault *what)
{
    ++*best->damages;
    if (best->options->damage)
        best->options->damage(best->options->context, what);
}

static const char *hex_of(const struct hash256 *hash, char text[HASH256_HEX_SIZE + 1])
{
    *hash256_hex(hash, text) = 0;
    return text;
}

/* " (blkNNNNN.dat is missing)" for the first number that is left out in the folder; else nothing. */
static const char *missing_file(const struct blkdir *dir, char text[48])
{
    *text = 0;
    for (size_t i = 1; i < dir->count && !*text; i++)
        if (dir->files[i].number > dir->files[i - 1].number + 1)
            snprintf(text, 48, " (blk%05u.dat is missing)", dir->files[i - 1].number + 1);
    return text;
}

enum status best_chain_forget_files(struct store *store, const struct blkdir *dir, const struct chain_block *block,
                                    struct fault *fault)
{
    enum status status = STATUS_OK;
    if (block->file == FILEMAP_GONE)
        return STATUS_OK;
    for (size_t f = block->file > 0 ? block->file - 1 : 0; f <= (size_t)block->file + 1 && f < dir->count; f++)
        if (status == STATUS_OK)
            status = store_drop_file(store, dir->files[f].number, fault);
    return status;
}

/* A block whose parent is in no file: above it nothing can be believed. */
static void report_gap(const struct best_chain *best, const struct chain_block *block)
{
    char hash[HASH256_HEX_SIZE + 1], parent[HASH256_HEX_SIZE + 1], missing[48];
    struct fault what = {0};
    const char *path = block->file == FILEMAP_GONE ? NULL : best->dir->files[block->file].path;
    (void)fault_set(
        &what, STATUS_FORMAT, path, block->offset - BLK_FRAME_SIZE,
        "block %s and what follows it are left out, since its parent %s is in no blk file%s: the chain of these "
        "files ends at height %u; unless the node is still loading that block, restore the file or run the node with "
        "-reindex, then run this again",
        hex_of(&block->hash, hash), hex_of(&block->prev_hash, parent), missing_file(best->dir, missing), best->end);
    report_damage(best, &what);
}

static enum status report_gaps(const struct best_chain *best, struct fault *fault)
{
    uint32_t gaps = 0, detached = chain_detached(best->chain);
    enum status status = STATUS_OK;
    for (uint32_t node = 0; detached && node < chain_count(best->chain) && status == STATUS_OK; node++) {
        const struct chain_block *block = chain_at(best->chain, node);
        if (!chain_gap_is_above(best->chain, block))
            continue;
        if (++gaps <= GAPS_NAMED)
            report_gap(best, block);
        status = best_chain_forget_files(best->store, best->dir, block, fault);
    }
    if (gaps > GAPS_NAMED) {
        struct fault what = {0};
        (void)fault_set(&what, STATUS_FORMAT, best->dir->path, FAULT_NO_OFFSET,
                        "further holes of this kind: %u; blocks left out in all: %u", gaps - GAPS_NAMED, detached);
        report_damage(best, &what);
    }
    return status;
}

/* The genesis block is in no file: says what the folder looks like. */
static enum status no_chain(const struct best_chain *best, enum status status, struct fault *fault)
{
    if (status != STATUS_NOT_FOUND || chain_find(best->chain, &best->genesis) != CHAIN_NONE)
        return status;
    char hash[HASH256_HEX_SIZE + 1];
    const struct blkfile *first = &best->dir->files[0];
    return fault_set(
        fault, status, best->dir->path, FAULT_NO_OFFSET,
        "the genesis block %s is in none of the %zu blk files (the first is number %u)%s; "
        "`unktx blocks` reads such files without a chain",
        hex_of(&best->genesis, hash), best->dir->count, first->number,
        first->number > 0 ? ": a pruned node, whose early blocks are gone? All blocks from genesis on are needed" : "");
}

/* Where the other's first block above genesis is in the files, if only on a branch that lost, a reorganisation explains
 * the difference; a node keeps such blocks. */
static enum status meet_other(const struct best_chain *best, struct fault *fault)
{
    const struct other_chain *other = best->options->other;
    if (!other || best->end == 0)
        return STATUS_OK;
    if (hash256_equal(&chain_active(best->chain, 1)->hash, &other->block_1))
        return STATUS_OK;
    uint32_t node = chain_find(best->chain, &other->block_1);
    if (node != CHAIN_NONE && chain_at(best->chain, node)->file != FILEMAP_GONE)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, best->options->store, FAULT_NO_OFFSET,
                     "the %s there was made from another chain, which shares only the genesis block with this one: "
                     "choose another --store, or delete this one",
                     other->what);
}

enum status best_chain_find(struct best_chain *best, struct fault *fault)
{
    const struct ingest_options *options = best->options;
    enum status status = filemap_load(options, best->dir, best->magic, best->store, best->chain, best->damages, fault);
    if (status != STATUS_OK)
        return status;
    status = chain_link(best->chain, options->tip, fault);
    if (status != STATUS_OK)
        return no_chain(best, status, fault);
    best->end = chain_height(best->chain);
    if (!options->tip) /* which says what is certain */
        status = chain_gap_certain_height(best->dir, best->chain, &best->end, fault);
    if (status == STATUS_OK)
        status = meet_other(best, fault);
    return status == STATUS_OK ? report_gaps(best, fault) : status;
}
