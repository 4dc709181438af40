/* unktx blocks: every block record of any blk files as a row; no chain, genesis or single network is needed. */
#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/blk_inputs.h"
#include "cli/inputs/node_blocks.h"
#include "parser/chain.h"
#include "parser/mem.h"
#include "parser/sha256.h"

#define ROWS_PER_CHUNK 16u
#define ROW_SIZE 1024u /* without the file's name */

struct row {
    uint32_t input; /* index into files */
    uint32_t record;
    uint32_t node;   /* in the chain of its network; CHAIN_NONE for a block of the BLAKE2b fork */
    uint8_t network; /* index into networks */
    uint8_t flaw;    /* enum block_flaw */
    bool unreadable;
};

/* The blocks with one magic. */
struct network_chain {
    uint8_t magic[4];
    struct hash256 genesis;
    struct chain *chain;
};

#define NETWORKS_MAX UINT8_MAX

struct worker {
    struct blk_reader reader;
    struct block_verifier verifier;
    size_t input; /* whose file the reader has open */
};

struct blocks {
    const struct settings *settings;
    uint8_t key[XOR_KEY_SIZE];
    const uint8_t *xor_key; /* of --xor-key: NULL for xor.dat's */
    struct blk_inputs files;
    struct row *rows;
    size_t rows_count;
    struct network_chain networks[NETWORKS_MAX];
    size_t networks_count;
    struct worker *workers;
};

/* ---- chains ---- */

static bool network_of(struct blocks *b, const uint8_t magic[4], uint8_t *index)
{
    for (size_t i = 0; i < b->networks_count; i++) {
        if (memcmp(b->networks[i].magic, magic, 4) == 0) {
            *index = (uint8_t)i;
            return true;
        }
    }
    if (b->networks_count == NETWORKS_MAX)
        return false;
    struct network_chain *added = &b->networks[b->networks_count];
    const struct network *network = network_by_magic(magic);
    /* A custom signet has signet's genesis block, unless the files show another one. */
    added->genesis = network ? network->genesis : network_by_name("signet")->genesis;
    memcpy(added->magic, magic, 4);
    *index = (uint8_t)b->networks_count++;
    return true;
}

/* One row for each record, and which genesis block the unknown networks have. */
static enum status make_rows(struct blocks *b, struct fault *fault)
{
    size_t total = 0;
    for (size_t i = 0; i < b->files.count; i++)
        total += b->files.list[i].scan.count;
    b->rows = mem_alloc(total, sizeof *b->rows);
    if (!b->rows)
        return fault_nomem(fault);
    for (size_t i = 0; i < b->files.count; i++) {
        for (size_t r = 0; r < b->files.list[i].scan.count; r++) {
            const struct blk_record *record = &b->files.list[i].scan.records[r];
            struct row *row = &b->rows[b->rows_count++];
            *row = (struct row){.input = (uint32_t)i, .record = (uint32_t)r};
            if (!network_of(b, record->magic, &row->network))
                return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "more than %d networks", NETWORKS_MAX);
            struct hash256 hash;
            sha256d(record->header, BLOCK_HEADER_SIZE, &hash);
            if (!network_by_magic(record->magic) && network_by_genesis(&hash))
                b->networks[row->network].genesis = hash;
        }
    }
    return STATUS_OK;
}

static const struct blk_record *record_of(const struct blocks *b, const struct row *row)
{
    return &b->files.list[row->input].scan.records[row->record];
}

static enum status link_chains(struct blocks *b, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t n = 0; n < b->networks_count && status == STATUS_OK; n++)
        status = chain_new(&b->networks[n].genesis, &b->networks[n].chain, fault);
    for (size_t i = 0; i < b->rows_count && status == STATUS_OK; i++) {
        struct row *row = &b->rows[i];
        const struct blk_record *record = record_of(b, row);
        row->node = CHAIN_NONE;
        if (record->fork)
            continue;
        status = chain_add(b->networks[row->network].chain, record->header, row->input, record->offset, record->size,
                           &row->node, fault);
    }
    for (size_t n = 0; n < b->networks_count && status == STATUS_OK; n++) {
        status = chain_link(b->networks[n].chain, NULL, fault);
        if (status == STATUS_NOT_FOUND) /* no genesis block: all are detached, which is fine here */
            status = STATUS_OK;
    }
    return status;
}

/* ---- rows ---- */

static char *put_counts(char *p, const struct block_counts *counts)
{
    p = put_cell(p, counts->txs);
    p = put_cell(p, counts->inputs);
    p = put_u64(p, counts->outputs);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        *p++ = ',';
        p = put_u64(p, counts->kind_count[kind]);
    }
    return p;
}

static char *put_no_counts(char *p)
{
    static const size_t commas = 2 + KINDS;
    memset(p, ',', commas);
    return p + commas;
}

static char *put_height_and_state(char *p, const struct chain_block *block, const uint8_t *bytes, size_t size)
{
    static const char *const states[] = {
        [CHAIN_DETACHED] = "detached", [CHAIN_STALE] = "stale", [CHAIN_ACTIVE] = "active"};
    uint32_t height;
    if (block->state != CHAIN_DETACHED)
        p = put_u64(p, block->height);
    else if (bytes && block_bip34_height(bytes, size, &height))
        p = put_u64(p, height);
    *p++ = ',';
    p = put_text(p, states[block->state]);
    *p++ = ',';
    return p;
}

/* The block's bytes, or NULL when they cannot be read. */
static enum status read_block(struct blocks *b, struct worker *worker, struct row *row, const uint8_t **bytes,
                              struct fault *fault)
{
    const struct blk_input *input = &b->files.list[row->input];
    const struct blk_record *record = record_of(b, row);
    if (worker->input != row->input) /* the reader knows files by their number in one folder */
        blk_reader_free(&worker->reader);
    worker->input = row->input;
    enum status status = blk_read(&worker->reader, input->dir, input->index, record->offset + BLK_FRAME_SIZE,
                                  record->size, bytes, fault);
    if (status != STATUS_OK && status != STATUS_IO) /* not the file's fault */
        return status;
    row->unreadable = status != STATUS_OK;
    if (status != STATUS_OK)
        *bytes = NULL;
    return STATUS_OK;
}

/* Parses the block, and with --verify more; its flaw is the row's. */
static void judge(const struct blocks *b, struct worker *worker, struct row *row, const uint8_t *bytes,
                  struct block_counts *counts)
{
    const struct blk_record *record = record_of(b, row);
    uint32_t height;
    bool nomem = false;
    row->flaw = BLOCK_MALFORMED;
    if (bytes && record->fork)
        row->flaw = block_is_of_fork(&worker->verifier, bytes, record->size, counts, &height, &nomem) ? BLOCK_FINE
                                                                                                      : BLOCK_MALFORMED;
    else if (bytes && b->settings->verify)
        row->flaw = (uint8_t)block_verify(&worker->verifier, bytes, record->size, counts);
    else if (bytes && block_count(bytes, record->size, counts) == STATUS_OK)
        row->flaw = BLOCK_FINE;
    if (nomem)
        row->flaw = BLOCK_NOMEM;
}

/* Hash, predecessor, height and state. The hash of a block of the fork is of another function. */
static char *put_place_in_chain(char *p, const struct blocks *b, const struct row *row, const uint8_t *bytes)
{
    const struct blk_record *record = record_of(b, row);
    if (record->fork) {
        struct block_header header;
        block_header_read(record->header, &header);
        *p++ = ',';
        p = put_hash_cell(p, &header.prev);
        p = put_cell(p, record->fork_height);
        return put_text(p, "fork,");
    }
    const struct chain_block *block = chain_at(b->networks[row->network].chain, row->node);
    p = put_hash_cell(p, &block->hash);
    p = put_hash_cell(p, &block->prev_hash);
    return put_height_and_state(p, block, bytes, record->size);
}

static enum status put_row(struct blocks *b, struct worker *worker, struct row *row, struct text *text,
                           struct fault *fault)
{
    const struct blk_input *input = &b->files.list[row->input];
    const struct blk_record *record = record_of(b, row);
    struct block_counts counts;
    const uint8_t *bytes;
    enum status status = read_block(b, worker, row, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    char *p = text_room(text, ROW_SIZE + 4 * strlen(input->shown));
    if (!p)
        return fault_nomem(fault);
    judge(b, worker, row, bytes, &counts);
    if (row->flaw == BLOCK_NOMEM)
        return fault_nomem(fault);
    bool whole = row->flaw != BLOCK_MALFORMED;
    p = put_field(p, input->shown);
    *p++ = ',';
    p = put_cell(p, record->offset);
    p = put_cell(p, record->size);
    p = put_place_in_chain(p, b, row, bytes);
    p = whole ? put_counts(p, &counts) : put_no_counts(p);
    if (b->settings->verify) {
        *p++ = ',';
        p = put_text(p, row->unreadable ? "cannot be read" : block_flaw_text((enum block_flaw)row->flaw));
    }
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status format_chunk(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct blocks *b = context;
    size_t first = chunk * ROWS_PER_CHUNK;
    size_t end = b->rows_count - first < ROWS_PER_CHUNK ? b->rows_count : first + ROWS_PER_CHUNK;
    enum status status = STATUS_OK;
    for (size_t i = first; i < end && status == STATUS_OK; i++)
        status = put_row(b, &b->workers[worker], &b->rows[i], text, fault);
    return status;
}

static enum status write_table(struct blocks *b, struct fault *fault)
{
    unsigned threads = (unsigned)b->settings->threads;
    b->workers = mem_alloc(threads, sizeof *b->workers);
    enum status status = b->workers ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK) {
        const struct outfile_table table = {&schema_blocks, b->settings->verify ? COLUMN_WITH_VERIFY : 0,
                                            (b->rows_count + ROWS_PER_CHUNK - 1) / ROWS_PER_CHUNK, format_chunk, b};
        status = outfile_make_table(b->settings->out, threads, &table, fault);
    }
    return status;
}

/* ---- damage ---- */

/* A node that was killed and started again overwrites the end of its last file: new records, the rest of a torn old
 * one, then old ones that are in the files a second time. No block is lost by such a gap. */
static void find_repeated(struct blocks *b)
{
    for (size_t i = 0; i < b->rows_count; i++) {
        const struct row *row = &b->rows[i];
        if (row->node == CHAIN_NONE)
            continue;
        const struct chain_block *first = chain_at(b->networks[row->network].chain, row->node);
        uint64_t offset = record_of(b, row)->offset;
        if (first->file != row->input || first->offset != offset)
            b->files.list[row->input].last_repeated = offset;
    }
}

static void report_blocks(const struct blocks *b, uint64_t *damages)
{
    for (size_t i = 0; i < b->rows_count; i++) {
        const struct row *row = &b->rows[i];
        if (row->flaw == BLOCK_FINE)
            continue;
        const struct blk_input *input = &b->files.list[row->input];
        char hash[HASH256_HEX_SIZE + 1] = "";
        if (row->node != CHAIN_NONE)
            hash256_hex(&chain_at(b->networks[row->network].chain, row->node)->hash, hash);
        message("%s: at byte %llu: damaged block %s: %s", input->dir->files[input->index].path,
                (unsigned long long)record_of(b, row)->offset, hash,
                row->unreadable ? "cannot be read" : block_flaw_text((enum block_flaw)row->flaw));
        ++*damages;
    }
}

/* ---- command ---- */

static enum status list_blocks(struct blocks *b, struct fault *fault)
{
    enum status status = blk_inputs_open(b->settings, b->xor_key, &b->files, fault);
    if (status == STATUS_OK)
        status = blk_inputs_scan(&b->files, (unsigned)b->settings->threads, fault);
    if (status == STATUS_OK)
        status = make_rows(b, fault);
    if (status == STATUS_OK)
        status = link_chains(b, fault);
    if (status == STATUS_OK)
        status = write_table(b, fault);
    return status;
}

static void free_blocks(struct blocks *b)
{
    for (size_t n = 0; n < b->networks_count; n++)
        chain_free(b->networks[n].chain);
    for (size_t w = 0; b->workers && w < b->settings->threads; w++) {
        blk_reader_free(&b->workers[w].reader);
        block_verifier_free(&b->workers[w].verifier);
    }
    mem_free(b->workers);
    mem_free(b->rows);
    blk_inputs_free(&b->files);
    mem_free(b);
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct blocks *b = mem_alloc(1, sizeof *b);
    if (!b)
        return message_result(fault_nomem(&fault), &fault);
    b->settings = settings;
    int result = EXIT_USAGE;
    if (node_blocks_key(settings, b->key, &b->xor_key))
        result = message_result(list_blocks(b, &fault), &fault);
    if (result == EXIT_DONE) {
        uint64_t damages = 0;
        find_repeated(b);
        result = message_result(blk_inputs_report(&b->files, &damages, &fault), &fault);
        report_blocks(b, &damages);
        result = message_left_out(result, damages > 0);
    }
    free_blocks(b);
    return result;
}

static const struct option *const options[] = {&option_xor_key,  &option_verify, &option_threads,
                                               &option_out_file, &option_quiet,  NULL};

static const struct table_schema *const tables[] = {&schema_blocks, NULL};

const struct command command_blocks = {
    .name = "blocks",
    .operands = "PATH...",
    .summary = "List every block record of blk files as CSV; no chain is needed, any network will do.",
    .details =
        "PATH is a node's data directory, a network sub-folder, a blocks folder or a single blk file; xor.dat beside\n"
        "the files is applied.\n"
        "KIND stands for each kind of output; verify is there with --verify only. Rows are in the order of the files; "
        "a block\n"
        "that is there twice has two. man unktx-blocks tells what each column means.\n",
    .tables = tables,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .options = options,
    .run = run,
};
