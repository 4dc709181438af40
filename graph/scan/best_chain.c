#include "graph/scan/best_chain.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "graph/scan/filemap.h"
#include "graph/scan/chain_gap.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define GAPS_NAMED 3u
#define LOOKS_AGAIN 2u
#define PAUSE_NS 100000000 /* some file systems' clock ticks every 10 ms; a block is written within less */

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

enum status best_chain_doubt_files(struct store *store, const struct blkdir *dir, const struct chain_block *block,
                                   struct fault *fault)
{
    enum status status = STATUS_OK;
    if (block->file == FILEMAP_GONE)
        return STATUS_OK;
    for (size_t f = block->file > 0 ? block->file - 1 : 0; f <= (size_t)block->file + 1 && f < dir->count; f++)
        if (status == STATUS_OK)
            status = filemap_doubt(store, dir->files[f].number, fault);
    return status;
}

/* True where the node's folder of a snapshot's chainstate is beside the blocks folder (Core, node/utxo_snapshot.h). */
static bool has_snapshot(const struct blkdir *dir)
{
    char path[4096];
    struct stat info;
    int size = snprintf(path, sizeof path, "%s/../chainstate_snapshot", dir->path);
    return size > 0 && (size_t)size < sizeof path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
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

/* A node started from a snapshot has the blocks above the snapshot, apart from the history that it still loads. */
static bool report_snapshot(const struct best_chain *best, const struct chain_branch *branch)
{
    char tip[HASH256_HEX_SIZE + 1], missing[48];
    struct fault what = {0};
    uint32_t top = chain_height(best->chain);
    bool certain = has_snapshot(best->dir);
    if (branch->lowest == CHAIN_NONE || branch->height < top + 2)
        return false;
    if (!certain && (branch->height < top + 3 || branch->others >= (branch->height - top) / 2 ||
                     *missing_file(best->dir, missing) != 0 || findings_any_gap(&best->findings, best->dir)))
        return false;
    (void)fault_set(
        &what, STATUS_FORMAT, best->dir->path, FAULT_NO_OFFSET,
        "a node started from a snapshot (assumeutxo) that still loads the history%s: heights %u to %u are missing, "
        "%u to %u (tip %s) are there; the chain is taken to height %u. `bitcoin-cli getchainstates` "
        "lists one chainstate when the node is done: then run this again%s",
        certain ? "" : ", as it looks", (unsigned)top + 1, (unsigned)branch->height - 1, (unsigned)branch->height,
        (unsigned)branch->tip_height, hex_of(&chain_at(best->chain, branch->tip)->hash, tip), (unsigned)best->end,
        certain ? "" : ". Without a snapshot: restore the files or run the node with -reindex");
    report_damage(best, &what);
    return true;
}

static enum status report_gaps(const struct best_chain *best, struct fault *fault)
{
    struct chain_branch branch;
    uint32_t gaps = 0, detached = chain_detached(best->chain);
    if (detached == 0)
        return STATUS_OK;
    enum status status = chain_gap_highest_branch(best->dir, best->chain, &branch, fault);
    bool snapshot = status == STATUS_OK && report_snapshot(best, &branch);
    for (uint32_t node = 0; node < chain_count(best->chain) && status == STATUS_OK; node++) {
        const struct chain_block *block = chain_at(best->chain, node);
        if (!chain_gap_is_above(best->chain, block))
            continue;
        if (!snapshot && ++gaps <= GAPS_NAMED)
            report_gap(best, block);
        status = best_chain_doubt_files(best->store, best->dir, block, fault);
    }
    if (gaps > GAPS_NAMED) {
        struct fault what = {0};
        (void)fault_set(&what, STATUS_FORMAT, best->dir->path, FAULT_NO_OFFSET,
                        "further gaps in the chain: %u; blocks left out in all: %u", gaps - GAPS_NAMED, detached);
        report_damage(best, &what);
        *best->damages += gaps - GAPS_NAMED - 1;
    }
    return status;
}

/* What a user of such a folder can do. */
static void put_way_partial(const struct best_chain *best, char *text, size_t size)
{
    struct chain_part part = {.lowest = CHAIN_NONE};
    struct fault ignored = {0};
    char hash[HASH256_HEX_SIZE + 1];
    const char *way = best->options->way_partial, *without = best->options->way_without;
    const char *before = without ? " without " : "", *after = without ? without : "";
    *text = 0;
    if (!way || chain_gap_find_part(best->dir, best->chain, &best->genesis, &part, &ignored) != STATUS_OK ||
        part.lowest == CHAIN_NONE)
        return;
    if (part.named)
        snprintf(text, size, "`%s --partial`%s%s takes what is there, from height %u on", way, before, after,
                 (unsigned)part.height);
    else
        snprintf(text, size,
                 "`%s --from-height H`%s%s takes what is there, from block %s on, where H is that block's height", way,
                 before, after, hex_of(&chain_at(best->chain, part.lowest)->hash, hash));
}

/* The genesis block is in no file: says what the folder looks like. */
static enum status no_chain(const struct best_chain *best, enum status status, struct fault *fault)
{
    char partial[1024];
    if (status != STATUS_NOT_FOUND || chain_find(best->chain, &best->genesis) != CHAIN_NONE)
        return status;
    char hash[HASH256_HEX_SIZE + 1];
    const struct blkfile *first = &best->dir->files[0];
    put_way_partial(best, partial, sizeof partial);
    return fault_set(
        fault, status, best->dir->path, FAULT_NO_OFFSET,
        "the genesis block %s is in none of the %zu blk files (the first is number %u)%s; %s",
        hex_of(&best->genesis, hash), best->dir->count, first->number,
        first->number > 0 ? ": a pruned node, whose early blocks may be gone" : "",
        *partial ? partial : "all blocks from genesis on are needed; `unktx blocks` reads such files without a chain");
}

/* ---- a chain that begins above genesis ---- */

/* The root of a store that has begun. */
static enum status set_root_of_store(struct best_chain *best, struct fault *fault)
{
    struct chain_part part;
    char hash[HASH256_HEX_SIZE + 1];
    const struct store_identity *identity = store_identity_of(best->store);
    uint32_t node = chain_find(best->chain, &identity->first_block);
    if (node == CHAIN_NONE)
        return fault_set(fault, STATUS_REFUSED, store_path(best->store), FAULT_NO_OFFSET,
                         "the store begins with block %s of height %u, which is in no blk file here: choose another %s",
                         hex_of(&identity->first_block, hash), (unsigned)identity->first_height,
                         ingest_store_option(best->options));
    enum status status = chain_gap_branch_of(best->chain, node, &part, fault);
    if (status == STATUS_OK && part.above > identity->first_height)
        status = fault_set(
            fault, STATUS_REFUSED, store_path(best->store), FAULT_NO_OFFSET,
            "the blk files have more blocks below the store's first one than its height %u: it was named "
            "wrongly; choose another %s",
            (unsigned)identity->first_height, ingest_store_option(best->options));
    if (status == STATUS_OK)
        chain_set_root(best->chain, &chain_at(best->chain, part.lowest)->hash, identity->first_height - part.above);
    return status;
}

/* The root of a store that is to begin. */
static enum status set_root_of_part(struct best_chain *best, struct fault *fault)
{
    struct chain_part part;
    char hash[HASH256_HEX_SIZE + 1];
    uint32_t height = best->options->from_height;
    enum status status = chain_gap_find_part(best->dir, best->chain, &best->genesis, &part, fault);
    if (status != STATUS_OK || part.lowest == CHAIN_NONE)
        return status;
    const struct hash256 *root = &chain_at(best->chain, part.lowest)->hash;
    best->unnamed = !part.named;
    if (!part.named && height == UINT32_MAX)
        return fault_set(fault, STATUS_REFUSED, best->dir->path, FAULT_NO_OFFSET,
                         "the height of block %s, with which an unbroken chain begins, is not known: %s; give it with "
                         "--from-height",
                         hex_of(root, hash),
                         part.contradicts ? "coinbases above it name heights that do not fit together"
                                          : "no coinbase there names its height (BIP 34)");
    height = part.named ? part.height : height;
    if (height > STORE_FIRST_HEIGHT_MAX)
        return fault_set(fault, STATUS_REFUSED, best->dir->path, FAULT_NO_OFFSET,
                         "an unbroken chain begins with block %s, of height %u by %s: a store begins at height %u at "
                         "most",
                         hex_of(root, hash), (unsigned)height, part.named ? "its coinbases" : "--from-height",
                         STORE_FIRST_HEIGHT_MAX);
    chain_set_root(best->chain, root, height);
    return STATUS_OK;
}

static enum status set_root(struct best_chain *best, struct fault *fault)
{
    best->unnamed = false;
    if (store_first_height(best->store) > 0)
        return set_root_of_store(best, fault);
    return best->options->partial && store_is_empty(best->store) ? set_root_of_part(best, fault) : STATUS_OK;
}

/* Of a chain that begins above genesis, what lies below has gaps, and is no matter. */
static enum status report_gap_of_part(const struct best_chain *best, struct fault *fault)
{
    struct chain_branch branch;
    enum status status = chain_gap_highest_branch(best->dir, best->chain, &branch, fault);
    if (status != STATUS_OK || branch.lowest == CHAIN_NONE || branch.tip_height <= chain_height(best->chain))
        return status;
    report_gap(best, chain_at(best->chain, branch.lowest));
    return best_chain_doubt_files(best->store, best->dir, chain_at(best->chain, branch.lowest), fault);
}

/* Files with the chain from genesis on, up to blocks that are lost, are no pruned node's: says what is left out. */
static enum status tell_gap_below(const struct best_chain *best, struct fault *fault)
{
    const struct ingest_options *options = best->options;
    uint32_t genesis = chain_find(best->chain, &best->genesis), base = chain_base(best->chain), above;
    char missing[48], text[256];
    bool is_new = store_is_empty(best->store) && (options->from_height == UINT32_MAX || options->from_height == base);
    if (!options->message || !is_new || genesis == CHAIN_NONE)
        return STATUS_OK;
    enum status status = chain_gap_above(best->chain, genesis, &above, fault);
    if (status == STATUS_OK && above + 1 < base) {
        snprintf(text, sizeof text,
                 "heights %u to %u are missing%s; the blocks from height 0 to %u are there, and are left out: a scan "
                 "without --partial takes those",
                 (unsigned)above + 1, (unsigned)base - 1, missing_file(best->dir, missing), (unsigned)above);
        options->message(options->context, text);
    }
    return status;
}

const struct other_chain *best_chain_of_store(const struct store *store, struct other_chain *found)
{
    struct fault ignored = {0};
    struct store_reader *reader = NULL;
    struct block_record block;
    bool has = store_totals_of(store).blocks > 1 && store_reader_open(store, &reader, &ignored) == STATUS_OK &&
               store_block(reader, 1, &block, &ignored) == STATUS_OK;
    if (has)
        *found = (struct other_chain){"store", block.hash};
    store_reader_close(reader);
    return has ? found : NULL;
}

/* Where the other's first block above genesis is in the files, if only on a branch that lost, a reorganisation explains
 * the difference; a node keeps such blocks. */
static enum status meet_other(const struct best_chain *best, struct fault *fault)
{
    const struct other_chain *other = best->options->other;
    if (!other || best->end == 0 || chain_base(best->chain) > 0)
        return STATUS_OK;
    if (hash256_equal(&chain_active(best->chain, 1)->hash, &other->block_1))
        return STATUS_OK;
    uint32_t node = chain_find(best->chain, &other->block_1);
    if (node != CHAIN_NONE && chain_at(best->chain, node)->file != FILEMAP_GONE)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, best->options->store, FAULT_NO_OFFSET,
                     "the %s there was made from another chain, which shares only the genesis block with this one: "
                     "choose another %s, or delete this one",
                     other->what, ingest_store_option(best->options));
}

static bool any_gap(const struct chain *chain)
{
    bool any = false;
    for (uint32_t node = 0; chain_detached(chain) && node < chain_count(chain) && !any; node++)
        any = chain_gap_is_above(chain, chain_at(chain, node));
    return any;
}

static enum status look(struct best_chain *best, struct file_order *order, struct fault *fault)
{
    const struct ingest_options *options = best->options;
    findings_clear(&best->findings);
    chain_clear(best->chain);
    enum status status = filemap_load(options, best->dir, best->magic, best->store, best->chain, &best->findings, order,
                                      fault);
    if (status == STATUS_OK)
        status = set_root(best, fault);
    if (status == STATUS_OK) {
        status = chain_link(best->chain, options->tip, fault);
        status = status == STATUS_OK ? status : no_chain(best, status, fault);
    }
    return status;
}

/* A node that writes may have a block in its files before we saw the parent in another place of them. */
static enum status look_again(struct best_chain *best, struct fault *fault)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    enum status status = STATUS_OK;
    bool whole = chain_base(best->chain) == 0; /* else there are gaps below */
    for (unsigned again = 0; whole && again < LOOKS_AGAIN && status == STATUS_OK && any_gap(best->chain); again++) {
        bool changed;
        nanosleep(&pause, NULL);
        status = stop_check(fault);
        if (status == STATUS_OK)
            status = blkdir_refresh(best->dir, &changed, fault);
        if (status == STATUS_OK && changed)
            status = look(best, NULL, fault);
    }
    return status;
}

static enum status find(struct best_chain *best, struct fault *fault)
{
    enum status status = look(best, best->order, fault);
    if (status == STATUS_OK)
        status = look_again(best, fault);
    findings_report(&best->findings, best->dir, best->options, best->damages);
    if (status != STATUS_OK)
        return status;
    best->end = chain_height(best->chain);
    if (!best->options->tip) /* which says what is certain */
        status = chain_gap_certain_height(best->dir, best->chain, &best->end, fault);
    if (status == STATUS_OK)
        status = meet_other(best, fault);
    if (status == STATUS_OK && best->check)
        status = best->check(best->context, best->end);
    if (status != STATUS_OK)
        return status;
    if (chain_base(best->chain) == 0)
        return report_gaps(best, fault);
    status = tell_gap_below(best, fault);
    return status == STATUS_OK ? report_gap_of_part(best, fault) : status;
}

enum status best_chain_find(struct best_chain *best, struct fault *fault)
{
    timings_stage("headers");
    enum status status = find(best, fault);
    timings_stage("open");
    findings_free(&best->findings);
    return status;
}
