#include "graph/scan/block_places.h"

#include "graph/scan/known_file.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/stop.h"

/* The blocks of the store by their hashes, in a table of heights + 1. The store's seed keeps a chain from being made so
 * that its blocks meet in the table. */
struct search {
    const struct store *store;
    struct fault *fault;
    uint32_t blocks;
    uint64_t key[2];
    struct hash256 *hashes;
    uint32_t *slots;
    size_t mask;
    struct block_place *places;
};

static uint32_t *slot_of(const struct search *search, const struct hash256 *hash)
{
    size_t slot = (size_t)((load_le64(hash->bytes) ^ search->key[0]) * (search->key[1] | 1) >> 24) & search->mask;
    while (search->slots[slot] && !hash256_equal(&search->hashes[search->slots[slot] - 1], hash))
        slot = (slot + 1) & search->mask;
    return &search->slots[slot];
}

static enum status load_hashes(struct search *search, const struct store_reader *reader, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t b = 0; b < store_batches(reader) && status == STATUS_OK; b++) {
        struct batch_view view;
        struct block_record block;
        status = stop_check(fault);
        if (status == STATUS_OK)
            status = store_batch(reader, b, &view, fault);
        while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK) {
            if (block.height >= search->blocks)
                break;
            search->hashes[block.height] = block.hash;
            *slot_of(search, &block.hash) = block.height + 1;
        }
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

static enum status place_file(void *context, uint32_t file, const uint8_t *value, size_t size)
{
    struct search *search = context;
    struct known_file known;
    enum status status = stop_check(search->fault);
    if (status != STATUS_OK)
        return status;
    if (!known_file_open(value, size, &known))
        return fault_set(search->fault, STATUS_FORMAT, store_path(search->store), FAULT_NO_OFFSET,
                         "what is remembered of blk file %u is malformed", file);
    for (uint32_t i = 0; i < known.records; i++) {
        struct known_record record = known_file_record(&known);
        struct hash256 hash;
        sha256d(record.header, BLOCK_HEADER_SIZE, &hash);
        uint32_t found = *slot_of(search, &hash);
        if (found && search->places[found - 1].size == 0)
            search->places[found - 1] = (struct block_place){record.offset + BLK_FRAME_SIZE, file, record.size};
    }
    return STATUS_OK;
}

enum status block_places_find(const struct store *store, struct block_place **places, struct fault *fault)
{
    struct search search = {.store = store, .fault = fault, .blocks = store_totals_of(store).blocks};
    struct store_reader *reader = NULL;
    size_t slots = 2;
    while (slots < 2 * (size_t)search.blocks)
        slots *= 2;
    search.mask = slots - 1;
    search.key[0] = load_le64(store_seed(store));
    search.key[1] = load_le64(store_seed(store) + 8);
    search.slots = mem_alloc(slots, sizeof *search.slots);
    search.hashes = mem_alloc(search.blocks, sizeof *search.hashes);
    search.places = mem_alloc(search.blocks, sizeof *search.places);
    enum status status = STATUS_OK;
    if (!search.slots || !search.hashes || !search.places)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = load_hashes(&search, reader, fault);
    if (status == STATUS_OK)
        status = store_each_file(store, place_file, &search, fault);
    store_reader_close(reader);
    mem_free(search.slots);
    mem_free(search.hashes);
    *places = search.places;
    if (status != STATUS_OK) {
        mem_free(search.places);
        *places = NULL;
    }
    return status;
}
