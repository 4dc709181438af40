#include "cli/views/dump_readers.h"

#include "cli/inputs/spend_links.h"
#include "cli/inputs/index_blocks.h"
#include "parser/mem.h"

#define THREADS_MAX 128u /* each takes two of LMDB's 512 places for readers */

static enum status open_blk_files(const char *store, struct blkdir *dir, struct fault *fault)
{
    enum status status = index_blocks_open(store, dir, fault);
    if (status == STATUS_OK)
        status = index_blocks_protect(store, fault);
    if (status != STATUS_NOT_FOUND)
        return status;
    return fault_set(fault, STATUS_NOT_FOUND, store, FAULT_NO_OFFSET,
                     "the blk files, which the scripts are read from, are not where the index was made from; 'unktx "
                     "index --datadir' notes their place anew");
}

enum status dump_readers_open(const struct settings *settings, struct dump_readers *readers, struct fault *fault)
{
    unsigned threads = settings->threads < THREADS_MAX ? (unsigned)settings->threads : THREADS_MAX;
    enum status status = indexes_open(settings->store, threads, &readers->indexes, fault);
    status = spend_links_tell_partial(settings->store, NULL, status, fault);
    if (status == STATUS_OK)
        status = indexes_open(settings->store, threads, &readers->jumpers, fault);
    if (status == STATUS_OK && settings->with_scripts)
        status = open_blk_files(settings->store, &readers->blk_files, fault);
    readers->rows = mem_alloc_apart(threads, sizeof *readers->rows);
    if (status == STATUS_OK && !readers->rows)
        status = fault_nomem(fault);
    if (status != STATUS_OK)
        return status;
    readers->threads = threads;
    for (unsigned i = 0; i < threads; i++) {
        struct dump_rows *rows = &readers->rows[i];
        rows->index = readers->indexes.indexes[i];
        rows->jumper = readers->jumpers.indexes[i];
        rows->blk_files = settings->with_scripts ? &readers->blk_files : NULL;
        rows->network = spend_links_network(rows->index);
    }
    return STATUS_OK;
}

void dump_readers_close(struct dump_readers *readers)
{
    for (unsigned i = 0; i < readers->threads; i++)
        dump_rows_free(&readers->rows[i]);
    mem_free(readers->rows);
    indexes_close(&readers->indexes);
    indexes_close(&readers->jumpers);
    blkdir_free(&readers->blk_files);
    *readers = (struct dump_readers){0};
}

enum status dump_readers_range(const struct dump_readers *readers, const struct settings *settings, uint32_t *first,
                               uint32_t *end, struct fault *fault)
{
    uint32_t blocks = index_totals_of(readers->indexes.indexes[0]).blocks;
    *first = (uint32_t)settings->from_height;
    *end = settings->to_height < blocks ? (uint32_t)settings->to_height + 1 : blocks;
    if (*first >= blocks)
        return fault_set(fault, STATUS_NOT_FOUND, settings->store, FAULT_NO_OFFSET,
                         "no block of height %llu; the index ends at %lld", ULL(*first), (long long)blocks - 1);
    if (*first >= *end)
        return fault_set(fault, STATUS_NOT_FOUND, settings->store, FAULT_NO_OFFSET,
                         "no blocks from height %llu to %llu", ULL(*first), ULL(settings->to_height));
    return STATUS_OK;
}
