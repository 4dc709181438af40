/* The public library (include/unktx.h): a thin front of blkfile, chain and block. */
#include "include/unktx.h"

#include <stdio.h>

#include "parser/blkfile.h"
#include "parser/chain.h"
#include "parser/mem.h"

_Static_assert(UNKTX_HEX_SIZE == HASH256_HEX_SIZE + 1, "room for a hash");
_Static_assert((int)UNKTX_WITNESS_UNKNOWN == (int)KIND_WITNESS_UNKNOWN && KINDS == UNKTX_WITNESS_UNKNOWN + 1, "kinds");
_Static_assert(UNKTX_CORE_0_18 == 1 << RULES_CORE_0_18 && UNKTX_CORE_0_19 == 1 << RULES_CORE_0_19 &&
                   UNKTX_CORE_22 == 1 << RULES_CORE_22,
               "rule sets");

struct record {
    uint32_t file;
    uint32_t size;
    uint32_t node;
    uint64_t offset;
};

struct unktx_reader {
    struct blkdir dir;
    struct blk_reader file;
    struct chain *chain;
    struct record *records; /* of the network, in the order of the files */
    size_t records_count;
    size_t records_capacity;
    size_t next_record;
    uint32_t next_height;
    bool found_genesis;
    /* the block shown last */
    struct tx *txs;
    size_t txs_count;
    size_t txs_capacity;
    struct unktx_output *outputs;
    size_t outputs_count;
    size_t outputs_capacity;
    size_t next_output;
    char error[UNKTX_ERROR_SIZE];
};

static void tell_fault(char error[UNKTX_ERROR_SIZE], const struct fault *fault)
{
    char place[40] = "";
    if (fault->offset != FAULT_NO_OFFSET && fault->path[0])
        snprintf(place, sizeof place, "at byte %llu: ", (unsigned long long)fault->offset);
    snprintf(error, UNKTX_ERROR_SIZE, "%s%s%s%s", fault->path, fault->path[0] ? ": " : "", place, fault->text);
}

/* ---- opening ---- */

/* An unknown magic is a custom signet's, which has signet's genesis block. */
static enum status begin_chain(struct unktx_reader *reader, const uint8_t magic[4], struct fault *fault)
{
    const struct network *network = network_by_magic(magic);
    return chain_new(&(network ? network : network_by_name("signet"))->genesis, &reader->chain, fault);
}

static enum status add_record(struct unktx_reader *reader, uint32_t file, const struct blk_record *found,
                              struct fault *fault)
{
    struct record record = {.file = file, .size = found->size, .offset = found->offset};
    enum status status = mem_reserve(&reader->records, &reader->records_capacity, reader->records_count + 1,
                                     sizeof *reader->records);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    status = chain_add(reader->chain, found->header, file, found->offset + BLK_FRAME_SIZE, found->size, &record.node,
                       fault);
    if (status == STATUS_OK)
        reader->records[reader->records_count++] = record;
    return status;
}

/* Adds the records of one file; the first one in all files settles the network. */
static enum status add_file(struct unktx_reader *reader, uint32_t file, struct blk_scan *scan, uint8_t magic[4],
                            struct fault *fault)
{
    enum status status = blk_scan_file(&reader->dir, file, reader->chain ? magic : NULL, scan, fault);
    for (size_t i = 0; i < scan->count && status == STATUS_OK; i++) {
        if (!reader->chain) {
            memcpy(magic, scan->records[i].magic, 4);
            status = begin_chain(reader, magic, fault);
        }
        if (status == STATUS_OK && memcmp(scan->records[i].magic, magic, 4) == 0 && !scan->records[i].fork)
            status = add_record(reader, file, &scan->records[i], fault);
    }
    return status;
}

static enum status add_files(struct unktx_reader *reader, struct fault *fault)
{
    struct blk_scan scan = {0};
    uint8_t magic[4] = {0};
    enum status status = STATUS_OK;
    if (reader->dir.chain && reader->dir.chain != network_by_name("signet")) { /* whose magic may be a custom one */
        memcpy(magic, reader->dir.chain->magic, 4);
        status = begin_chain(reader, magic, fault);
    }
    for (size_t i = 0; i < reader->dir.count && status == STATUS_OK; i++)
        status = add_file(reader, (uint32_t)i, &scan, magic, fault);
    blk_scan_free(&scan);
    if (status != STATUS_OK || !reader->chain)
        return status;
    status = chain_link(reader->chain, NULL, fault);
    reader->found_genesis = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* pruned: no chain, but records */
}

struct unktx_reader *unktx_open(const char *path, const char *network, char error[UNKTX_ERROR_SIZE])
{
    struct fault fault = {.offset = FAULT_NO_OFFSET};
    struct unktx_reader *reader = mem_alloc(1, sizeof *reader);
    enum status status = reader ? blkdir_open(path, network, &reader->dir, &fault) : fault_nomem(&fault);
    if (status == STATUS_OK)
        status = add_files(reader, &fault);
    if (status == STATUS_OK)
        return reader;
    if (error)
        tell_fault(error, &fault);
    unktx_close(reader);
    return NULL;
}

void unktx_close(struct unktx_reader *reader)
{
    if (!reader)
        return;
    blk_reader_free(&reader->file);
    blkdir_free(&reader->dir);
    chain_free(reader->chain);
    mem_free(reader->records);
    mem_free(reader->txs);
    mem_free(reader->outputs);
    mem_free(reader);
}

/* ---- blocks ---- */

static bool keep_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct unktx_reader *reader = context;
    if (mem_reserve(&reader->outputs, &reader->outputs_capacity, reader->outputs_count + 1, sizeof *reader->outputs) !=
        STATUS_OK)
        return false;
    reader->outputs[reader->outputs_count++] = (struct unktx_output){.tx = (uint32_t)reader->txs_count,
                                                                     .vout = vout,
                                                                     .value_sat = out->value_sat,
                                                                     .kind = (enum unktx_kind)kind,
                                                                     .unknown = unknown,
                                                                     .script = out->script,
                                                                     .script_size = out->script_size};
    return true;
}

static bool keep_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct unktx_reader *reader = context;
    (void)index, (void)unknown;
    if (mem_reserve(&reader->txs, &reader->txs_capacity, reader->txs_count + 1, sizeof *reader->txs) != STATUS_OK)
        return false;
    reader->txs[reader->txs_count++] = *tx;
    return true;
}

static void show_none(struct unktx_reader *reader)
{
    reader->txs_count = reader->outputs_count = reader->next_output = 0;
}

/* Reads the block at a place in the files and keeps its transactions and outputs; `offset` is that of its bytes. */
static enum status take_block(struct unktx_reader *reader, uint32_t file, uint64_t offset, uint32_t size,
                              struct fault *fault)
{
    static const struct block_visitor visitor = {.output = keep_output, .tx = keep_tx};
    struct block_counts counts;
    const uint8_t *bytes;
    show_none(reader);
    enum status status = blk_read(&reader->file, &reader->dir, file, offset, size, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    status = block_walk(bytes, size, &counts, &visitor, reader);
    if (status == STATUS_OK)
        return STATUS_OK;
    show_none(reader);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    return fault_set(fault, status, reader->dir.files[file].path, offset - BLK_FRAME_SIZE, "the block does not parse");
}

static int show_block(struct unktx_reader *reader, const struct chain_block *block, uint32_t file, uint64_t offset,
                      uint32_t size, struct unktx_block *shown)
{
    *shown = (struct unktx_block){.height = block->state == CHAIN_DETACHED ? -1 : (int64_t)block->height,
                                  .active = block->state == CHAIN_ACTIVE,
                                  .time_s = block->time,
                                  .file = reader->dir.files[file].path,
                                  .offset = offset - BLK_FRAME_SIZE,
                                  .size = size,
                                  .txs = (uint32_t)reader->txs_count,
                                  .outputs = (uint32_t)reader->outputs_count};
    hash256_hex(&block->hash, shown->hash);
    return 1;
}

int unktx_next_block(struct unktx_reader *reader, struct unktx_block *block)
{
    struct fault fault = {.offset = FAULT_NO_OFFSET};
    show_none(reader);
    const struct chain_block *at = reader->found_genesis ? chain_active(reader->chain, reader->next_height) : NULL;
    if (!at)
        return 0;
    reader->next_height++;
    enum status status = take_block(reader, at->file, at->offset, at->size, &fault);
    while (status != STATUS_OK && status != STATUS_NOMEM &&
           chain_next_copy(reader->chain, chain_find(reader->chain, &at->hash)))
        status = take_block(reader, at->file, at->offset, at->size, &fault);
    if (status == STATUS_OK)
        return show_block(reader, at, at->file, at->offset, at->size, block);
    tell_fault(reader->error, &fault);
    return -1;
}

int unktx_next_record(struct unktx_reader *reader, struct unktx_block *block)
{
    struct fault fault = {.offset = FAULT_NO_OFFSET};
    show_none(reader);
    if (reader->next_record == reader->records_count)
        return 0;
    const struct record *record = &reader->records[reader->next_record++];
    uint64_t offset = record->offset + BLK_FRAME_SIZE;
    if (take_block(reader, record->file, offset, record->size, &fault) == STATUS_OK)
        return show_block(reader, chain_at(reader->chain, record->node), record->file, offset, record->size, block);
    tell_fault(reader->error, &fault);
    return -1;
}

/* ---- what is in a block ---- */

int unktx_next_output(struct unktx_reader *reader, struct unktx_output *output)
{
    if (reader->next_output == reader->outputs_count)
        return 0;
    *output = reader->outputs[reader->next_output++];
    return 1;
}

void unktx_txid(const struct unktx_reader *reader, uint32_t tx, char txid[UNKTX_HEX_SIZE])
{
    struct hash256 hash;
    txid[0] = '\0';
    if (tx >= reader->txs_count)
        return;
    tx_id(&reader->txs[tx], &hash);
    *hash256_hex(&hash, txid) = '\0';
}

const char *unktx_kind_name(enum unktx_kind kind) { return (unsigned)kind < KINDS ? kind_name((enum kind)kind) : ""; }

const char *unktx_error(const struct unktx_reader *reader) { return reader->error; }
