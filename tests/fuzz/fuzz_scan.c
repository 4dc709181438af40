/* Any bytes as a blk file: the record scan's pieces are in order, inside the file and apart; headers meet their
 * targets; and the best chain of what is found is linked, with no heavier one beside it. The first byte says whether
 * the rest is under an XOR key. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/blkfile.h"
#include "parser/chain.h"
#include "tests/fuzz/fuzz.h"

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("blk", 0);
    must(file >= 0, "a file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return 0;
}

static void expect_pieces(const struct blk_scan *scan, uint64_t size)
{
    uint64_t end = 0;
    size_t r = 0, g = 0;
    while (r < scan->count || g < scan->gaps_count) {
        bool record = r < scan->count && (g == scan->gaps_count || scan->records[r].offset < scan->gaps[g].offset);
        uint64_t offset = record ? scan->records[r].offset : scan->gaps[g].offset;
        uint64_t length = record ? scan->records[r].size + 8u : scan->gaps[g].size;
        must(offset >= end && length > 0 && offset < size && length <= size - offset,
             "records and gaps are apart and in order");
        end = offset + length;
        r += record;
        g += !record;
    }
}

static void add_all(const struct blk_scan *scan, struct chain *chain)
{
    for (size_t i = 0; i < scan->count; i++) {
        const struct blk_record *record = &scan->records[i];
        struct block_header header;
        struct hash256 hash;
        uint32_t node;
        block_header_read(record->header, &header);
        sha256d(record->header, BLOCK_HEADER_SIZE, &hash);
        must(block_meets_target(&hash, header.bits), "a record's header meets its target");
        must(chain_add(chain, record->header, 0, record->offset + 8, record->size, &node, NULL) == STATUS_OK,
             "it is added");
        must(hash256_equal(&chain_at(chain, node)->hash, &hash) && chain_find(chain, &hash) == node, "and found again");
    }
}

/* Most work wins; compared as the little-endian number that it is. */
static int compare_work(const uint8_t *a, const uint8_t *b)
{
    for (int i = 15; i >= 0; i--)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static void expect_best(const struct chain *chain)
{
    const struct chain_block *tip = chain_active(chain, chain_height(chain));
    must(chain_active(chain, chain_height(chain) + 1) == NULL, "nothing is above the tip");
    for (uint32_t height = chain_height(chain); height > 0; height--)
        must(hash256_equal(&chain_active(chain, height)->prev_hash, &chain_active(chain, height - 1)->hash),
             "the chain is linked");
    uint32_t active = 0, detached = 0;
    for (uint32_t node = 0; node < chain_count(chain); node++) {
        const struct chain_block *block = chain_at(chain, node);
        active += block->state == CHAIN_ACTIVE;
        detached += block->state == CHAIN_DETACHED;
        if (block->state == CHAIN_DETACHED)
            continue;
        must(compare_work(block->work, tip->work) <= 0, "no branch has more work than the best");
        if (block->prev != CHAIN_NONE)
            must(block->height == chain_at(chain, block->prev)->height + 1 &&
                     hash256_equal(&block->prev_hash, &chain_at(chain, block->prev)->hash),
                 "a block is one above its parent");
    }
    must(active == chain_height(chain) + 1 && detached == chain_detached(chain),
         "the states are those that are counted");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct blkfile info = {.size = size - 1, .path = path};
    struct blkdir dir = {.path = path, .files = &info, .count = 1, .xored = data[0] & 1};
    for (unsigned i = 0; dir.xored && i < XOR_KEY_SIZE; i++)
        dir.key[i] = (uint8_t)(data[0] + 37 * i);
    must(ftruncate(file, 0) == 0 && pwrite(file, data + 1, size - 1, 0) == (ssize_t)(size - 1), "the file is written");
    struct blk_scan scan = {0};
    struct fault fault = {0};
    const struct network *regtest = network_by_name("regtest");
    must(blk_scan_file(&dir, 0, data[0] & 2 ? regtest->magic : NULL, &scan, &fault) == STATUS_OK,
         "a file that opens is scanned");
    expect_pieces(&scan, size - 1);
    struct chain *chain = NULL;
    must(chain_new(&regtest->genesis, &chain, &fault) == STATUS_OK, "memory");
    add_all(&scan, chain);
    enum status status = chain_link(chain, NULL, &fault);
    must((status == STATUS_OK) == (chain_find(chain, &regtest->genesis) != CHAIN_NONE),
         "a chain is there if genesis is");
    if (status == STATUS_OK)
        expect_best(chain);
    chain_free(chain);
    blk_scan_free(&scan);
    return 0;
}
