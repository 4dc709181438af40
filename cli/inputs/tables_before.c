#include "cli/inputs/tables_before.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/manifest.h"
#include "cli/output/outfile.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define SLICE (1u << 20)         /* bytes that a worker reads at once */
#define LINE_MAX_SIZE (1u << 20) /* a row has some hundred bytes, and the names of known scripts */
#define LINE_STEP (1u << 12)     /* bytes that are read at once to find the end of a slice's last line */
#define FIELDS_MAX 64u
#define WANTED_MAX 8u
#define TDAG_ROW_MIN 80u /* bytes: a txid has 64 */

/* A row: the wanted columns as texts; empty where the row or the table has none. */
struct row {
    const char *fields[WANTED_MAX];
};

struct reading;
typedef enum status take_row(struct reading *reading, unsigned worker, size_t slice, const struct row *row);

struct slice_worker {
    char *bytes;
    size_t capacity;
    enum status status;
    struct fault fault;
    size_t failed; /* slice */
};

/* A file of lines with commas. No field that is asked for has quotes, and none before it a comma. */
struct reading {
    char *path;
    int fd_plus_1;  /* 0: not open */
    uint64_t begin; /* of the first row */
    uint64_t end;
    const char *const *wanted; /* names of columns, ends with NULL */
    size_t places[FIELDS_MAX]; /* which of these a column is; WANTED_MAX: none of them */
    size_t places_count;       /* columns up to the last wanted one */
    take_row *take;
    struct slice_worker *workers;
    size_t *rows; /* by slice: rows before it, and those it has had so far */
    struct tables_before *before;
    tables_before_visit *visit;
    void *context;
};

static enum status malformed(const struct reading *reading, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, reading->path, FAULT_NO_OFFSET, "is not as unktx writes it");
}

static size_t slices_of(const struct reading *reading)
{
    return (size_t)((reading->end - reading->begin + SLICE - 1) / SLICE);
}

/* ---- lines ---- */

/* Ends the line's fields with '\0' as far as they are wanted. */
static void cut_line(const struct reading *reading, char *line, struct row *row)
{
    for (size_t w = 0; w < WANTED_MAX; w++)
        row->fields[w] = "";
    for (size_t i = 0; i < reading->places_count && line; i++) {
        char *field = line;
        line = strchr(line, ',');
        if (line)
            *line++ = '\0';
        if (reading->places[i] < WANTED_MAX)
            row->fields[reading->places[i]] = field;
    }
}

/* Reads more until `worker->bytes` ends with a whole line: *size grows. */
static enum status finish_line(const struct reading *reading, struct slice_worker *worker, uint64_t from, size_t *size)
{
    size_t most = *size + LINE_MAX_SIZE;
    while (*size < most) {
        if (mem_reserve(&worker->bytes, &worker->capacity, *size + LINE_STEP + 1, 1) != STATUS_OK)
            return fault_nomem(&worker->fault);
        ssize_t got = file_read_at(reading->fd_plus_1 - 1, worker->bytes + *size, LINE_STEP, from + *size);
        if (got < 0)
            return fault_errno(&worker->fault, reading->path, from + *size, "cannot be read");
        const char *end = memchr(worker->bytes + *size, '\n', (size_t)got);
        if (end) {
            *size = (size_t)(end + 1 - worker->bytes);
            return STATUS_OK;
        }
        if (got == 0)
            break;
        *size += (size_t)got;
    }
    return malformed(reading, &worker->fault);
}

/* The lines that begin in a slice: *lines, *size bytes, each with its '\n'. The byte before tells whether the first one
 * begins there. */
static enum status load_slice(const struct reading *reading, struct slice_worker *worker, size_t slice, char **lines,
                              size_t *size)
{
    uint64_t begin = reading->begin + (uint64_t)slice * SLICE, from = begin - 1;
    size_t wanted = (size_t)(reading->end - begin < SLICE ? reading->end - begin : SLICE) + 1;
    *size = 0;
    if (mem_reserve(&worker->bytes, &worker->capacity, wanted + 1, 1) != STATUS_OK)
        return fault_nomem(&worker->fault);
    ssize_t got = file_read_at(reading->fd_plus_1 - 1, worker->bytes, wanted, from);
    if (got < 0)
        return fault_errno(&worker->fault, reading->path, from, "cannot be read");
    if ((size_t)got != wanted) /* it is being cut */
        return malformed(reading, &worker->fault);
    const char *first = memchr(worker->bytes, '\n', wanted);
    size_t skipped = first ? (size_t)(first + 1 - worker->bytes) : wanted;
    if (skipped == wanted)
        return STATUS_OK;
    enum status status = worker->bytes[wanted - 1] == '\n' ? STATUS_OK : finish_line(reading, worker, from, &wanted);
    *lines = worker->bytes + skipped;
    *size = wanted - skipped;
    return status;
}

/* After a failure a worker takes no more slices; the first one that failed is always among them. */
static void slice_work(void *context, unsigned w, size_t slice)
{
    struct reading *reading = context;
    struct slice_worker *worker = &reading->workers[w];
    char *lines = NULL;
    size_t size;
    if (worker->status != STATUS_OK)
        return;
    worker->status = load_slice(reading, worker, slice, &lines, &size);
    for (char *line = lines, *end; worker->status == STATUS_OK && line < lines + size; line = end + 1) {
        struct row row;
        end = memchr(line, '\n', (size_t)(lines + size - line));
        *end = '\0';
        cut_line(reading, line, &row);
        worker->status = reading->take(reading, w, slice, &row);
        if (worker->status == STATUS_FORMAT)
            worker->status = malformed(reading, &worker->fault);
    }
    worker->failed = slice;
}

static enum status each_row(struct reading *reading, unsigned threads, take_row *take, struct fault *fault)
{
    const struct slice_worker *first = NULL;
    reading->take = take;
    reading->workers = mem_alloc(threads, sizeof *reading->workers);
    if (!reading->workers)
        return fault_nomem(fault);
    enum status status = parallel_for(threads, slices_of(reading), slice_work, reading, fault);
    for (unsigned w = 0; w < threads; w++) {
        const struct slice_worker *worker = &reading->workers[w];
        mem_free(worker->bytes);
        if (worker->status != STATUS_OK && (!first || worker->failed < first->failed))
            first = worker;
    }
    if (first) {
        status = first->status == STATUS_NOMEM ? fault_nomem(fault) : first->status;
        if (fault && status != STATUS_NOMEM)
            *fault = first->fault;
    }
    mem_free(reading->workers);
    return status;
}

/* ---- the header ---- */

static void find_columns(struct reading *reading, char *header)
{
    for (size_t i = 0; header && i < FIELDS_MAX; i++) {
        const char *name = strsep(&header, ",");
        reading->places[i] = WANTED_MAX;
        for (size_t w = 0; reading->wanted[w]; w++) {
            if (strcmp(name, reading->wanted[w]) == 0) {
                reading->places[i] = w;
                reading->places_count = i + 1;
            }
        }
    }
}

static enum status read_header(struct reading *reading, struct fault *fault)
{
    char *bytes = mem_alloc(LINE_STEP + 1, 1);
    if (!bytes)
        return fault_nomem(fault);
    ssize_t got = file_read_at(reading->fd_plus_1 - 1, bytes, LINE_STEP, 0);
    enum status status = STATUS_OK;
    char *end = got > 0 ? memchr(bytes, '\n', (size_t)got) : NULL;
    if (got < 0) {
        status = fault_errno(fault, reading->path, FAULT_NO_OFFSET, "cannot be read");
    } else if (!end) {
        status = malformed(reading, fault);
    } else {
        *end = '\0';
        reading->begin = (uint64_t)(end + 1 - bytes);
        find_columns(reading, bytes);
        status = reading->begin <= reading->end ? STATUS_OK : malformed(reading, fault);
    }
    mem_free(bytes);
    return status;
}

static enum status reading_open(struct reading *reading, const char *folder, const char *name,
                                const char *const *wanted, struct fault *fault)
{
    struct stat info;
    int fd;
    reading->wanted = wanted;
    reading->path = outfile_join(folder, name);
    if (!reading->path)
        return fault_nomem(fault);
    enum status status = file_open(reading->path, "the table before", &fd, &info, fault);
    if (status != STATUS_OK)
        return status;
    reading->fd_plus_1 = fd + 1;
    reading->end = (uint64_t)info.st_size;
    return read_header(reading, fault);
}

static void reading_close(struct reading *reading)
{
    if (reading->fd_plus_1)
        close(reading->fd_plus_1 - 1);
    mem_free(reading->rows);
    mem_free(reading->path);
}

/* ---- the tables ---- */

static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && *number <= (UINT64_MAX - 9) / 10; at++)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return at > text && *at == '\0';
}

static const char *const tdag_columns[] = {"dag_id", "first_txid", "txs", "nodes", "moved_value_sat", "dag", NULL};

static enum status count_row(struct reading *reading, unsigned worker, size_t slice, const struct row *row)
{
    (void)worker;
    (void)row;
    reading->rows[slice]++;
    return STATUS_OK;
}

static enum status take_tdag(struct reading *reading, unsigned worker, size_t slice, const struct row *row)
{
    const char *const *fields = row->fields;
    uint64_t id;
    (void)worker;
    if (reading->rows[slice] == reading->before->tdags_count) /* the file has changed since rows were counted */
        return STATUS_FORMAT;
    struct tdag_before *tdag = &reading->before->tdags[reading->rows[slice]++];
    if (!read_number(fields[0], &id) || id != reading->rows[slice] || !hash256_parse(fields[1], &tdag->first_txid) ||
        !read_number(fields[2], &tdag->txs) || !read_number(fields[3], &tdag->nodes) ||
        !read_number(fields[4], &tdag->moved_value_sat))
        return STATUS_FORMAT;
    size_t size = *fields[5] ? strlen(fields[5]) : TDAG_NAME_MIN;
    if (size < TDAG_NAME_MIN || size > TDAG_NAME_MAX || strncmp(fields[1], fields[5], *fields[5] ? size : 0) != 0)
        return STATUS_FORMAT;
    tdag->name_digits = (uint8_t)size;
    return STATUS_OK;
}

/* Where the rows of each slice go, from how many each has. */
static enum status place_rows(struct reading *reading, struct fault *fault)
{
    size_t count = 0;
    for (size_t i = 0; i < slices_of(reading); i++) {
        size_t rows = reading->rows[i];
        reading->rows[i] = count;
        count += rows;
    }
    if (count > reading->end / TDAG_ROW_MIN || count > UINT32_MAX)
        return malformed(reading, fault);
    reading->before->tdags_count = count;
    reading->before->tdags = mem_alloc_large(count, sizeof *reading->before->tdags);
    return reading->before->tdags ? STATUS_OK : fault_nomem(fault);
}

enum status tables_before_read(const char *folder, unsigned threads, struct tables_before *before, struct fault *fault)
{
    struct reading reading = {.before = before};
    enum status status = reading_open(&reading, folder, "tdags.csv", tdag_columns, fault);
    if (status == STATUS_OK && !(reading.rows = mem_alloc(slices_of(&reading), sizeof *reading.rows)))
        status = fault_nomem(fault);
    size_t columns = reading.places_count;
    reading.places_count = 0; /* counting needs no column */
    if (status == STATUS_OK)
        status = each_row(&reading, threads, count_row, fault);
    reading.places_count = columns;
    if (status == STATUS_OK)
        status = place_rows(&reading, fault);
    if (status == STATUS_OK)
        status = each_row(&reading, threads, take_tdag, fault);
    reading_close(&reading);
    return status;
}

static const char *const tx_columns[] = {"dag_id", "txid", "height", NULL};

static enum status take_tx(struct reading *reading, unsigned worker, size_t slice, const struct row *row)
{
    uint64_t id, height;
    (void)slice;
    if (!read_number(row->fields[0], &id) || id == 0 || id > reading->before->tdags_count ||
        !read_number(row->fields[2], &height) || height > UINT32_MAX)
        return STATUS_FORMAT;
    const struct tx_before tx = {.txid = row->fields[1], .height = (uint32_t)height, .dag = (uint32_t)id};
    __atomic_fetch_add(&reading->before->tdags[id - 1].rows, 1, __ATOMIC_RELAXED);
    return reading->visit(reading->context, worker, &tx);
}

enum status tables_before_txs(const char *folder, unsigned threads, struct tables_before *before,
                              tables_before_visit *visit, void *context, struct fault *fault)
{
    struct reading reading = {.before = before, .visit = visit, .context = context};
    enum status status = reading_open(&reading, folder, "txs.csv", tx_columns, fault);
    if (status == STATUS_OK)
        status = each_row(&reading, threads, take_tx, fault);
    for (size_t d = 0; status == STATUS_OK && d < before->tdags_count; d++) {
        if (before->tdags[d].rows != before->tdags[d].txs)
            status = fault_set(fault, STATUS_FORMAT, folder, FAULT_NO_OFFSET, "tdags.csv and txs.csv do not agree");
    }
    reading_close(&reading);
    return status;
}

char *tables_before_put_name(const struct tables_before *before, size_t dag, char *out)
{
    const struct tdag_before *tdag = &before->tdags[dag - 1];
    char hex[HASH256_HEX_SIZE];
    hash256_hex(&tdag->first_txid, hex);
    memcpy(out, hex, tdag->name_digits);
    return out + tdag->name_digits;
}

void tables_before_free(struct tables_before *before)
{
    mem_free(before->tdags);
    *before = (struct tables_before){0};
}

/* ---- whether there is anything to compare ---- */

#define COMPARED 2u
static const char *const compared[COMPARED] = {"tdags.csv", "txs.csv"};

struct looking {
    const struct outfolder *folder;
    bool is_other[COMPARED]; /* than the manifest tells, or not there */
    bool is_same[COMPARED];  /* as that of now */
};

bool tables_before_is(const char *folder, const char *name, uint64_t size, const char *sha256)
{
    char *path = outfile_join(folder, name), hex[DATAPACKAGE_HEX];
    struct stat info;
    bool same = path && stat(path, &info) == 0 && (uint64_t)info.st_size == size &&
                manifest_hash_file(path, "the file", hex, NULL) == STATUS_OK && strcmp(hex, sha256) == 0;
    mem_free(path);
    return same;
}

static void look(void *context, unsigned worker, size_t i)
{
    struct looking *looking = context;
    const struct manifest_file *told = outfolder_before(looking->folder, compared[i]);
    const struct datapackage_file *made = outfolder_made(looking->folder, compared[i]);
    (void)worker;
    if (!told || !told->sha256[0])
        return;
    looking->is_other[i] = !tables_before_is(outfolder_path(looking->folder), compared[i], told->bytes, told->sha256);
    looking->is_same[i] = !looking->is_other[i] && made && strcmp(told->sha256, made->sha256) == 0;
}

enum status tables_before_check(const struct outfolder *folder, unsigned threads, bool *unchanged, struct fault *fault)
{
    struct looking looking = {.folder = folder};
    parallel_whole(threads, COMPARED, look, &looking);
    *unchanged = looking.is_same[0] && looking.is_same[1];
    enum status status = *unchanged ? STATUS_OK : outfolder_check_before(folder, fault);
    for (size_t i = 0; i < COMPARED && status == STATUS_OK; i++) {
        if (looking.is_other[i])
            status = fault_set(fault, STATUS_REFUSED, outfolder_path(folder), FAULT_NO_OFFSET,
                               "the tables there do not belong together: %s is not there as %s tells of it",
                               compared[i], DATAPACKAGE_NAME);
    }
    return status;
}
