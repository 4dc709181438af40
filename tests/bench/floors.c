#include "tests/bench/floors.h"

#include <stdlib.h>
#include <string.h>

#include "parser/block.h"
#include "parser/parallel.h"
#include "tests/bench/runner.h"

const char *const floor_names[FLOORS] = {"floor: read", "floor: read, walk", "floor: read, walk, kinds",
                                         "floor: read, walk, kinds, txids", "floor: and every wtxid too"};

void files_open(struct chain_files *files, const char *path)
{
    struct fault fault = {0};
    size_t capacity = 0;
    memset(files, 0, sizeof *files);
    if (blkdir_open(path, "regtest", &files->dir, &fault) != STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    struct blk_scan scan = {0};
    for (size_t f = 0; f < files->dir.count; f++) {
        if (blk_scan_file(&files->dir, f, NULL, &scan, &fault) != STATUS_OK)
            die("bench: %s: %s", fault.path, fault.text);
        for (size_t r = 0; r < scan.count; r++) {
            if (files->count == capacity)
                files->places = realloc(files->places, (capacity = 2 * capacity + 64) * sizeof *files->places);
            if (!files->places)
                die("bench: out of memory");
            const struct blk_record *record = &scan.records[r];
            files->places[files->count++] = (struct block_place){(uint32_t)f, record->size, record->offset + 8};
            files->bytes += scan.records[r].size + 8;
        }
    }
    blk_scan_free(&scan);
}

void files_close(struct chain_files *files)
{
    blkdir_free(&files->dir);
    free(files->places);
}

/* Results go here, so that no compiler leaves the work out. */
static volatile uint64_t sink;

static uint64_t walk(const uint8_t *block, size_t size)
{
    struct cursor c = cursor_over(block, size);
    uint64_t outputs = 0;
    cursor_take(&c, BLOCK_HEADER_SIZE);
    for (uint64_t txs = cursor_compact(&c); txs > 0 && cursor_ok(&c); txs--) {
        struct tx tx;
        tx_begin(&c, &tx);
        for (uint32_t i = 0; i < tx.inputs && cursor_ok(&c); i++) {
            struct tx_input in;
            tx_input(&c, &in);
        }
        tx_outputs(&c, &tx);
        outputs += tx.outputs;
        for (uint32_t i = 0; i < tx.outputs && cursor_ok(&c); i++) {
            struct tx_output out;
            tx_output(&c, &out);
        }
        tx_end(&c, &tx);
    }
    if (!cursor_ok(&c))
        die("bench: a block does not parse");
    return outputs;
}

struct hashing {
    bool wtxids;
    uint64_t sum;
};

static bool hash_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    (void)index, (void)unknown;
    struct hashing *hashing = context;
    struct hash256 hash;
    tx_id(tx, &hash);
    hashing->sum += hash.bytes[0];
    if (hashing->wtxids && tx->segwit) {
        sha256d(tx->start, (size_t)(tx->end - tx->start), &hash);
        hashing->sum += hash.bytes[0];
    }
    return true;
}

static uint64_t walk_hashing(const uint8_t *block, size_t size, bool wtxids)
{
    static const struct block_visitor visitor = {.tx = hash_tx};
    struct block_counts counts;
    struct hashing hashing = {.wtxids = wtxids};
    if (block_walk(block, size, &counts, &visitor, &hashing) != STATUS_OK)
        die("bench: a block does not parse");
    return hashing.sum + counts.outputs;
}

struct floor_run {
    const struct chain_files *files;
    enum floor floor;
    struct blk_reader readers[WORKERS_MAX];
};

static void floor_work(void *context, unsigned worker, size_t item)
{
    struct floor_run *job = context;
    const struct block_place *place = &job->files->places[item];
    const uint8_t *block;
    struct fault fault = {0};
    struct block_counts counts;
    if (blk_read(&job->readers[worker], &job->files->dir, place->file, place->offset, place->size, &block, &fault) !=
        STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    switch (job->floor) {
    case FLOOR_READ: sink = block[0]; break;
    case FLOOR_WALK: sink = walk(block, place->size); break;
    case FLOOR_KIND:
        if (block_count(block, place->size, &counts) != STATUS_OK)
            die("bench: a block does not parse");
        sink = counts.outputs;
        break;
    default: sink = walk_hashing(block, place->size, job->floor == FLOOR_WTXID); break;
    }
}

double run_floor(const struct chain_files *files, enum floor floor, unsigned threads)
{
    struct floor_run job = {.files = files, .floor = floor};
    double begin = now_s();
    parallel_whole(threads, files->count, floor_work, &job);
    double seconds = now_s() - begin;
    for (unsigned w = 0; w < WORKERS_MAX; w++)
        blk_reader_free(&job.readers[w]);
    return seconds;
}
