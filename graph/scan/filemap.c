#include "graph/scan/filemap.h"

#include "graph/scan/known_file.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/search.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define FILES_AT_ONCE 8u /* per thread: bounds what a group of scanned files holds in memory */
#define COMMIT_BYTES (16u << 20)
#define CLOCK_TICK_NS INT64_C(2000000000) /* the coarsest clock of a file system in use, FAT's */
#define NEVER INT64_MIN                   /* a modification time that no file has */

enum status filemap_identify(const struct blkdir *dir, const char *chain, const struct blk_image *image,
                             uint8_t magic[4], struct hash256 *genesis, struct fault *fault)
{
    const struct network *wanted = chain ? network_by_name(chain) : NULL;
    if (chain && !wanted)
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "no network is called \"%s\"", chain);
    struct blk_scan scan = {.image = image, .first_only = true};
    enum status status = blkdir_check_access(dir, fault);
    if (status == STATUS_OK)
        status = blkdir_check_key(dir, fault);
    if (status != STATUS_OK)
        return status;
    status = STATUS_NOT_FOUND;
    for (size_t i = 0; i < dir->count && status == STATUS_NOT_FOUND; i++) {
        status = blk_scan_file(dir, i, wanted && wanted != network_by_name("signet") ? wanted->magic : NULL, &scan,
                               fault);
        if (status == STATUS_IO || (status == STATUS_OK && scan.count == 0)) /* filemap_load tells of the unreadable */
            status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK) {
        size_t first = 0; /* of a known network, if there is one: a damaged magic looks like a custom signet's */
        while (first < scan.count && !network_by_magic(scan.records[first].magic))
            first++;
        memcpy(magic, scan.records[first < scan.count ? first : 0].magic, 4);
        const struct network *network = network_by_magic(magic);
        if (!network)
            network = network_by_name("signet"); /* every custom signet has signet's genesis block */
        *genesis = network->genesis;
        if (wanted && network != wanted)
            status = fault_set(fault, STATUS_REFUSED, dir->path, FAULT_NO_OFFSET, "these are blocks of %s, not of %s",
                               network->name, wanted->name);
    } else if (status == STATUS_NOT_FOUND) {
        status = fault_set(fault, status, dir->path, FAULT_NO_OFFSET, "no block record%s%s in any of the %zu blk files",
                           chain ? " of " : "", chain ? chain : "", dir->count);
    }
    blk_scan_free(&scan);
    return status;
}

/* ---- what the store remembers of a file ---- */

static enum status encode_file(const struct blkdir *dir, const struct blkfile *file, const struct blk_scan *scan,
                               struct buffer *value)
{
    uint8_t head[FILE_HEADER_SIZE];
    bool trusted = file->mtime_ns < dir->listed_ns - CLOCK_TICK_NS && !scan->other_key;
    store_le64(head, file->size);
    store_le64(head + 8, (uint64_t)(trusted ? file->mtime_ns : NEVER));
    store_le32(head + 16, (uint32_t)scan->count);
    store_le32(head + 20, (uint32_t)scan->gaps_count);
    enum status status = buffer_add(value, head, sizeof head);
    for (size_t i = 0; i < scan->count && status == STATUS_OK; i++) {
        uint8_t record[FILE_RECORD_SIZE];
        store_le64(record, scan->records[i].offset);
        store_le32(record + 8, scan->records[i].size | (scan->records[i].fork ? FILE_RECORD_FORK : 0));
        memcpy(record + 12, scan->records[i].header, BLOCK_HEADER_SIZE);
        status = buffer_add(value, record, sizeof record);
    }
    for (size_t i = 0; i < scan->gaps_count && status == STATUS_OK; i++) {
        uint8_t gap[FILE_GAP_SIZE];
        store_le64(gap, scan->gaps[i].offset);
        store_le64(gap + 8, scan->gaps[i].size);
        store_le32(gap + 16, scan->gaps[i].reason);
        status = buffer_add(value, gap, sizeof gap);
    }
    return status;
}

enum status filemap_doubt(struct store *store, uint32_t number, struct fault *fault)
{
    const uint8_t *remembered;
    size_t size;
    struct known_file known;
    struct buffer value = {0};
    enum status status = store_get_file(store, number, &remembered, &size, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK && !known_file_open(remembered, size, &known))
        return store_drop_file(store, number, fault);
    if (status != STATUS_OK || known.mtime_ns == NEVER)
        return status;
    if (buffer_add(&value, remembered, size) != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK) {
        store_le64(value.bytes + 8, (uint64_t)NEVER);
        status = store_put_file(store, number, value.bytes, value.size, fault);
    }
    buffer_free(&value);
    return status;
}

/* ---- loading ---- */

struct load {
    const struct ingest_options *options;
    const struct blkdir *dir;
    const uint8_t *magic;
    struct store *store;
    struct chain *chain;
    struct findings *findings;
    struct fault *fault;
    struct file_order *order; /* NULL: only headers are read */
    uint8_t *unchanged;       /* for each file of dir: what the store remembers of it is still so */
    uint8_t *whole;           /* likewise: `order` has it read as a whole */
    uint64_t bytes_done;
    uint64_t bytes_total;
    /* the group of files under scan */
    size_t group_first;
    size_t group_count;
    struct blk_scan *scans;
    enum status *results;
    struct fault *faults;
};

/* Adds a record. One that is in the files already, at an earlier place, becomes the file's last repeated one. */
static enum status add_record(struct load *load, uint32_t file, uint64_t offset, uint32_t size, const uint8_t *header,
                              uint64_t *last_repeated)
{
    uint32_t node;
    enum status status = chain_add(load->chain, header, file, offset + BLK_FRAME_SIZE, size, &node, load->fault);
    if (status == STATUS_OK) {
        const struct chain_block *first = chain_at(load->chain, node);
        if (first->file != file || first->offset != offset + BLK_FRAME_SIZE)
            *last_repeated = offset;
    }
    return status;
}

static enum status add_known(struct load *load, size_t file, struct known_file *known)
{
    bool gone = file == SIZE_MAX;
    uint64_t last_repeated = 0;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < known->records && status == STATUS_OK; i++) {
        struct known_record record = known_file_record(known);
        if (record.fork)
            load->findings->forked++;
        else
            status = add_record(load, gone ? FILEMAP_GONE : (uint32_t)file, record.offset, record.size, record.header,
                                &last_repeated);
    }
    for (uint32_t i = 0; i < known->gaps && status == STATUS_OK && !gone; i++) {
        struct blk_gap gap = known_file_gap(known);
        status = findings_add_gap(load->findings, (uint32_t)file, &gap, last_repeated, load->fault);
    }
    return status;
}

static size_t file_of_number(const struct blkdir *dir, uint32_t number)
{
    size_t at = LOWER_BOUND(i, 0, dir->count, dir->files[i].number < number);
    return at < dir->count && dir->files[at].number == number ? at : SIZE_MAX;
}

/* True where the file has a block of that time or later. */
static bool has_block_since(struct known_file known, uint32_t since)
{
    bool has = false;
    for (uint32_t i = 0; i < known.records && !has; i++) {
        struct block_header header;
        block_header_read(known_file_record(&known).header, &header);
        has = header.time >= since;
    }
    return has;
}

static enum status on_known_file(void *context, uint32_t number, const uint8_t *value, size_t size)
{
    struct load *load = context;
    struct known_file known;
    if (!known_file_open(value, size, &known))
        return fault_set(
            load->fault, STATUS_FORMAT, store_path(load->store), FAULT_NO_OFFSET,
            "what the store remembers of blk file %u is damaged: delete the store and run 'unktx %s' again", number,
            store_made_by(load->store));
    size_t file = file_of_number(load->dir, number);
    if (file == SIZE_MAX)
        return add_known(load, file, &known);
    const struct blkfile *now = &load->dir->files[file];
    /* A file that was damaged may have been restored with its size and time. */
    load->unchanged[file] = known.size == now->size && known.mtime_ns == now->mtime_ns && known.gaps == 0;
    if (load->order)
        load->whole[file] = load->unchanged[file] ? has_block_since(known, load->order->since) : load->order->changed;
    return STATUS_OK;
}

static void scan_work(void *context, unsigned worker, size_t item)
{
    struct load *load = context;
    (void)worker;
    size_t file = load->group_first + item;
    load->results[item] = STATUS_OK;
    load->scans[item].image = load->order ? load->order->image : NULL;
    if (!load->unchanged[file])
        load->results[item] = blk_scan_file(load->dir, file, load->magic, &load->scans[item], &load->faults[item]);
}

static enum status add_scanned(struct load *load, size_t file, const struct blk_scan *scan)
{
    const struct blkfile *info = &load->dir->files[file];
    uint64_t last_repeated = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < scan->count && status == STATUS_OK; i++)
        if (!scan->records[i].fork)
            status = add_record(load, (uint32_t)file, scan->records[i].offset, scan->records[i].size,
                                scan->records[i].header, &last_repeated);
    if (status == STATUS_OK)
        status = findings_add_scan(load->findings, (uint32_t)file, scan, last_repeated, load->fault);
    struct buffer value = {0};
    if (status == STATUS_OK)
        status = encode_file(load->dir, info, scan, &value);
    if (status == STATUS_OK)
        status = store_put_file(load->store, info->number, value.bytes, value.size, load->fault);
    buffer_free(&value);
    if (status == STATUS_OK && store_pending(load->store) >= COMMIT_BYTES)
        status = store_commit(load->store, load->fault);
    return status;
}

static enum status add_from_store(struct load *load, size_t file, bool gone)
{
    const uint8_t *value;
    size_t size;
    struct known_file known;
    enum status status = store_get_file(load->store, load->dir->files[file].number, &value, &size, load->fault);
    if (status == STATUS_OK && !known_file_open(value, size, &known))
        status = STATUS_FORMAT;
    return status == STATUS_OK ? add_known(load, gone ? SIZE_MAX : file, &known) : status;
}

/* A file that cannot be read is damage, not the end: what is in the others still counts, and what is remembered of it.
 */
static enum status add_unreadable(struct load *load, size_t file, const struct fault *what)
{
    enum status status = findings_add_unreadable(load->findings, (uint32_t)file, what, load->fault);
    if (status == STATUS_OK)
        status = add_from_store(load, file, true);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void progress_headers(const struct load *load)
{
    struct ingest_progress progress = {.stage = INGEST_HEADERS, .done = load->bytes_done, .total = load->bytes_total};
    if (load->order) {
        progress.stage = INGEST_FILES;
        progress.height = load->order->height;
    }
    if (load->options->progress)
        load->options->progress(load->options->context, &progress);
}

/* Reads the group's one file as a whole, and has the system begin with the next one. */
static enum status read_whole(struct load *load)
{
    struct file_order *order = load->order;
    size_t file = load->group_first, next = file + 1;
    if (!order || order->ended || !load->whole[file])
        return STATUS_OK;
    timings_stage("files");
    enum status status = STATUS_OK;
    if (!blk_image_is_of(order->image, file))
        status = blk_image_load(order->image, load->dir, file, load->fault);
    while (next < load->dir->count && !load->whole[next])
        next++;
    if (status == STATUS_OK && next < load->dir->count)
        blk_image_read_ahead(load->dir, next);
    timings_stage("headers");
    return status;
}

/* Has the blocks of the group's one file taken, if it was read as a whole. */
static enum status take_whole(struct load *load, uint32_t first_node)
{
    struct file_order *order = load->order;
    if (!order || !blk_image_is_of(order->image, load->group_first))
        return STATUS_OK;
    enum status status = order->on_file(order->context, first_node, load->fault);
    timings_stage("headers");
    return status;
}

/* Scans the changed files of one group side by side, then adds all of the group in order. */
static enum status load_group(struct load *load)
{
    uint32_t first_node = chain_count(load->chain);
    enum status status = read_whole(load);
    if (status == STATUS_OK)
        status = parallel_for(load->options->threads, load->group_count, scan_work, load, load->fault);
    for (size_t i = 0; i < load->group_count && status == STATUS_OK; i++) {
        size_t file = load->group_first + i;
        if (load->unchanged[file])
            status = add_from_store(load, file, false);
        else if (load->results[i] == STATUS_OK)
            status = add_scanned(load, file, &load->scans[i]);
        else if (load->results[i] == STATUS_IO)
            status = add_unreadable(load, file, &load->faults[i]);
        else
            status = fault_set(load->fault, load->results[i], load->faults[i].path, load->faults[i].offset, "%s",
                               load->faults[i].text);
        load->bytes_done += load->dir->files[file].size;
    }
    return status == STATUS_OK ? take_whole(load, first_node) : status;
}

static enum status load_files(struct load *load)
{
    size_t at_once = load->order ? 1 : FILES_AT_ONCE * (size_t)load->options->threads;
    load->scans = mem_alloc(at_once, sizeof *load->scans);
    load->results = mem_alloc(at_once, sizeof *load->results);
    load->faults = mem_alloc(at_once, sizeof *load->faults);
    enum status status = STATUS_OK;
    if (!load->scans || !load->results || !load->faults)
        status = fault_nomem(load->fault);
    for (size_t first = 0; first < load->dir->count && status == STATUS_OK; first += at_once) {
        load->group_first = first;
        load->group_count = load->dir->count - first < at_once ? load->dir->count - first : at_once;
        status = load_group(load);
        progress_headers(load);
        if (status == STATUS_OK)
            status = stop_check(load->fault);
    }
    for (size_t i = 0; load->scans && i < at_once; i++)
        blk_scan_free(&load->scans[i]);
    mem_free(load->scans);
    mem_free(load->results);
    mem_free(load->faults);
    return status;
}

enum status filemap_load(const struct ingest_options *options, const struct blkdir *dir, const uint8_t magic[4],
                         struct store *store, struct chain *chain, struct findings *findings, struct file_order *order,
                         struct fault *fault)
{
    struct load load = {.options = options,
                        .dir = dir,
                        .magic = magic,
                        .store = store,
                        .chain = chain,
                        .findings = findings,
                        .order = order,
                        .fault = fault};
    for (size_t i = 0; i < dir->count; i++)
        load.bytes_total += dir->files[i].size;
    load.unchanged = mem_alloc(dir->count, 1);
    load.whole = mem_alloc(dir->count, 1);
    enum status status = load.unchanged && load.whole ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK) {
        memset(load.whole, 1, dir->count);
        status = store_each_file(store, on_known_file, &load, fault);
    }
    if (status == STATUS_OK)
        status = load_files(&load);
    mem_free(load.unchanged);
    mem_free(load.whole);
    return status;
}
