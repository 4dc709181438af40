/* The check of filemap.h. */
#include "graph/scan/filemap.h"
#include "graph/scan/known_file.h"

struct filemap_audit {
    const struct store *store;
    struct chain *chain;
    struct fault *fault;
};

static enum status audit_fault(const struct filemap_audit *audit, uint32_t number, const char *what)
{
    return fault_set(audit->fault, STATUS_FORMAT, store_path(audit->store), FAULT_NO_OFFSET,
                     "what is remembered of blk file %u: %s: delete the store and run 'unktx %s' again", number, what,
                     store_made_by(audit->store));
}

static enum status audit_records(struct filemap_audit *audit, uint32_t number, struct known_file *known)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < known->records; i++) {
        struct known_record record = known_file_record(known);
        struct block_header fields;
        struct hash256 hash;
        if (record.offset < end || record.size <= BLOCK_HEADER_SIZE || record.offset > known->size ||
            (uint64_t)record.size + BLK_FRAME_SIZE > known->size - record.offset)
            return audit_fault(audit, number, "its records are not in order or not inside it");
        end = record.offset + BLK_FRAME_SIZE + record.size;
        if (record.fork) {
            if (!block_claims_fork(record.header))
                return audit_fault(audit, number, "a block of the BLAKE2b fork has not the version of one");
            continue;
        }
        block_header_read(record.header, &fields);
        sha256d(record.header, BLOCK_HEADER_SIZE, &hash);
        if (!block_meets_target(&hash, fields.bits))
            return audit_fault(audit, number, "a header misses its proof-of-work target");
        enum status status = chain_add(audit->chain, record.header, number, record.offset + BLK_FRAME_SIZE, record.size,
                                       NULL, audit->fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status audit_file(void *context, uint32_t number, const uint8_t *value, size_t size)
{
    struct filemap_audit *audit = context;
    struct known_file known;
    uint64_t end = 0;
    if (!known_file_open(value, size, &known))
        return audit_fault(audit, number, "it is malformed");
    enum status status = audit_records(audit, number, &known);
    for (uint32_t i = 0; i < known.gaps && status == STATUS_OK; i++) {
        struct blk_gap gap = known_file_gap(&known);
        if (gap.offset < end || gap.offset > known.size || gap.size > known.size - gap.offset ||
            gap.reason > BLK_GAP_UNREADABLE)
            return audit_fault(audit, number, "its gaps are not in order or not inside it");
        end = gap.offset + gap.size;
    }
    return status;
}

/* `before` is the hash one height below; at the genesis block zeros, as in its header. NULL: it is not known. */
static bool header_agrees(const struct chain *chain, const struct block_record *block, const struct hash256 *before)
{
    uint32_t node = chain_find(chain, &block->hash);
    if (node == CHAIN_NONE)
        return true;
    const struct chain_block *header = chain_at(chain, node);
    return (!before || hash256_equal(&header->prev_hash, before)) && header->time == block->time;
}

static enum status audit_blocks(const struct filemap_audit *audit, const struct store_reader *reader)
{
    struct hash256 before = {{0}};
    enum status status = STATUS_OK;
    for (size_t b = 0; b < store_batches(reader) && status == STATUS_OK; b++) {
        struct batch_view view;
        struct block_record block;
        status = store_batch(reader, b, &view, audit->fault);
        while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK) {
            bool is_known = block.height != store_first_height(audit->store) || block.height == 0;
            if (!header_agrees(audit->chain, &block, is_known ? &before : NULL))
                return fault_set(audit->fault, STATUS_FORMAT, store_path(audit->store), FAULT_NO_OFFSET,
                                 "block %u: its parent or its time is not that of its header", block.height);
            before = block.hash;
        }
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

enum status filemap_check(const struct store *store, struct fault *fault)
{
    struct filemap_audit audit = {.store = store, .fault = fault};
    struct store_reader *reader = NULL;
    enum status status = chain_new(&store_identity_of(store)->genesis, &audit.chain, fault);
    if (status == STATUS_OK)
        status = store_each_file(store, audit_file, &audit, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = audit_blocks(&audit, reader);
    store_reader_close(reader);
    chain_free(audit.chain);
    return status;
}
