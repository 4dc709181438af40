/* bench: what `make bench` prints. Floors, made of the project's own parser and nothing else, and the program's
 * commands run in turn, so that whatever else the machine does hits both; every row gives median, spread, and its
 * ratio to the floor.
 *
 * Environment: BENCH_GIB (1) size of the mainnet-like chain, BENCH_TDAGS (1000000), BENCH_TRACKED (6000000),
 * BENCH_RUNS (5), BENCH_PARTS ("scan tracked dags index again"), BENCH_DIR (a temporary folder; one that is named is
 * kept, and chains found there are used again), UNKTX, CHAINGEN. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "graph/index/tx_index.h"
#include "parser/blkfile.h"
#include "parser/block.h"
#include "parser/parallel.h"

enum { RUNS_MAX = 99, ROWS_MAX = 64, WORKERS_MAX = 64 };

/* A look at the memory of what runs costs it some 50 us of a processor. */
static const struct timespec between_looks = {.tv_nsec = 20000000};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double env_number(const char *name, double fallback)
{
    const char *text = getenv(name);
    return text && *text ? strtod(text, NULL) : fallback;
}

static bool wanted(const char *part)
{
    const char *parts = getenv("BENCH_PARTS");
    return !parts || !*parts || strstr(parts, part);
}

/* ---- children ---- */

struct usage {
    double seconds;
    uint64_t anon_kib, rss_kib; /* largest seen */
    uint64_t watched;           /* most bytes of files in the folder `watched` */
};

static const char *watched; /* NULL: none */

static uint64_t anon_of(pid_t pid)
{
    char path[64], line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %ju", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static uint64_t bytes_in(const char *path)
{
    uint64_t bytes = 0;
    struct stat info;
    const struct dirent *entry;
    DIR *folder = opendir(path);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && fstatat(dirfd(folder), entry->d_name, &info, 0) == 0)
            bytes += (uint64_t)info.st_blocks * 512;
    if (folder)
        closedir(folder);
    return bytes;
}

static struct usage run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a command line of words parted by spaces, its stdout thrown away, and watches its memory. */
static struct usage run(const char *format, ...)
{
    char line[8192], *words[64];
    size_t count = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *rest, *word = strtok_r(line, " ", &rest); word && count < 63; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    words[count] = NULL;
    struct usage usage = {0};
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    double begin = now_s();
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_UNBLOCK, &ended, NULL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execvp(words[0], words);
        perror(words[0]);
        _exit(127);
    }
    int status;
    struct rusage resources;
    for (;;) {
        /* a first look at once would see this program's own memory, before the other takes its place */
        sigtimedwait(&ended, NULL, &between_looks);
        uint64_t anon = anon_of(child);
        if (anon > usage.anon_kib)
            usage.anon_kib = anon;
        uint64_t bytes = watched ? bytes_in(watched) : 0;
        usage.watched = bytes > usage.watched ? bytes : usage.watched;
        if (wait4(child, &status, WNOHANG, &resources) == child)
            break;
    }
    usage.seconds = now_s() - begin;
    usage.rss_kib = (uint64_t)resources.ru_maxrss;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("bench: `%s ...` (%s) failed", words[0], count > 1 ? words[1] : "");
    return usage;
}

/* ---- floors ---- */

/* All records of a blocks folder. */
struct chain_files {
    struct blkdir dir;
    struct place {
        uint32_t file, size;
        uint64_t offset;
    } * places;
    size_t count;
    uint64_t bytes;
};

static void files_open(struct chain_files *files, const char *path)
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
            files->places[files->count++] = (struct place){(uint32_t)f, record->size, record->offset + 8};
            files->bytes += scan.records[r].size + 8;
        }
    }
    blk_scan_free(&scan);
}

static void files_close(struct chain_files *files)
{
    blkdir_free(&files->dir);
    free(files->places);
}

enum floor { FLOOR_READ, FLOOR_WALK, FLOOR_KIND, FLOOR_TXID, FLOOR_WTXID, FLOORS };

static const char *const floor_names[FLOORS] = {"floor: read", "floor: read, walk", "floor: read, walk, kinds",
                                                "floor: read, walk, kinds, txids", "floor: and every wtxid too"};

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
    const struct place *place = &job->files->places[item];
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

static double run_floor(const struct chain_files *files, enum floor floor, unsigned threads)
{
    struct floor_run job = {.files = files, .floor = floor};
    double begin = now_s();
    parallel_for(threads, files->count, floor_work, &job);
    double seconds = now_s() - begin;
    for (unsigned w = 0; w < WORKERS_MAX; w++)
        blk_reader_free(&job.readers[w]);
    return seconds;
}

/* ---- rows ---- */

struct row {
    char name[64], size[32];
    double amount;    /* what the rate counts: bytes, rows, T-DAGs */
    const char *unit; /* "GB", "M rows", ...: amount / 1e9 or 1e6 */
    int floor;        /* row that it is compared with, -1 none */
    double times[RUNS_MAX];
    unsigned count;
    uint64_t anon_kib, rss_kib;
};

static struct row rows[ROWS_MAX];
static int rows_count;

static int add_row(const char *name, unsigned threads, double amount, const char *unit, int floor)
{
    if (rows_count == ROWS_MAX)
        die("bench: too many rows");
    struct row *row = &rows[rows_count];
    if (threads)
        snprintf(row->name, sizeof row->name, "%s, %u thread%s", name, threads, threads > 1 ? "s" : "");
    else
        snprintf(row->name, sizeof row->name, "%s", name);
    row->amount = amount;
    row->unit = unit;
    row->floor = floor;
    if (unit[0] == 'G')
        snprintf(row->size, sizeof row->size, "%.2f GB", amount / 1e9);
    else
        snprintf(row->size, sizeof row->size, "%.2f %s", amount / 1e6, unit);
    return rows_count++;
}

static void add_time(int row, double seconds) { rows[row].times[rows[row].count++] = seconds; }

static void add_usage(int row, struct usage usage)
{
    add_time(row, usage.seconds);
    if (usage.anon_kib > rows[row].anon_kib)
        rows[row].anon_kib = usage.anon_kib;
    if (usage.rss_kib > rows[row].rss_kib)
        rows[row].rss_kib = usage.rss_kib;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the times in run order, or of the ratios of the same runs. */
static double median(const double *values, unsigned count)
{
    double sorted[RUNS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Time for the same amount as the floor's, run by run. */
static double ratio_to(const struct row *row, const struct row *floor)
{
    double ratios[RUNS_MAX];
    for (unsigned i = 0; i < row->count; i++)
        ratios[i] = row->times[i] / row->amount / (floor->times[i % floor->count] / floor->amount);
    return median(ratios, row->count);
}

static void print_row(const struct row *row)
{
    double sorted[RUNS_MAX], middle = median(row->times, row->count);
    memcpy(sorted, row->times, row->count * sizeof *sorted);
    qsort(sorted, row->count, sizeof *sorted, compare_doubles);
    bool giga = row->unit[0] == 'G';
    printf("%-44s %14s %9.3f %8.3f-%-8.3f %8.2f %s/s", row->name, row->size, middle, sorted[0], sorted[row->count - 1],
           row->amount / middle / (giga ? 1e9 : 1e6), row->unit);
    printf("%*s", giga ? 7 : (int)(9 - strlen(row->unit)), "");
    if (row->floor >= 0)
        printf("%7.2f", ratio_to(row, &rows[row->floor]));
    else
        printf("%7s", "");
    if (row->rss_kib)
        printf(" %9.1f %9.1f", (double)row->anon_kib / 1024, (double)row->rss_kib / 1024);
    putchar('\n');
}

static void print_rows(int from)
{
    for (int r = from; r < rows_count; r++)
        print_row(&rows[r]);
    fflush(stdout);
}

/* ---- the chains ---- */

static const char *unktx, *chaingen;
static char base[2048];
static bool keep;
static unsigned runs, threads_max;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static void remove_tree(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static char *in_base(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path below the bench's folder, in one of a few buffers. */
static char *in_base(const char *format, ...)
{
    static char paths[8][4096];
    static unsigned turn;
    char *path = paths[turn++ % 8], name[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

/* First number behind "key": in DIR/truth.json; `index` counts within a list. */
static double truth_number(const char *dir, const char *key, unsigned index)
{
    char path[4200], quoted[80], text[8192] = "";
    snprintf(path, sizeof path, "%s/truth.json", dir);
    FILE *file = fopen(path, "r");
    if (!file || fread(text, 1, sizeof text - 1, file) == 0)
        die("bench: no %s", path);
    fclose(file);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    char *at = strstr(text, quoted);
    if (!at)
        die("bench: no %s in %s", key, path);
    for (at += strlen(quoted) + strspn(at + strlen(quoted), " ["); index > 0 && at; index--)
        at = strpbrk(at, ",") + 1;
    return strtod(at, NULL);
}

static void make_chain(const char *dir, const char *options)
{
    char path[4200];
    struct stat info;
    snprintf(path, sizeof path, "%s/truth.json", dir);
    if (stat(path, &info) == 0)
        return;
    double begin = now_s();
    run("%s %s %s", chaingen, options, dir);
    double bytes = truth_number(dir, "bytes", 0), seconds = now_s() - begin;
    printf("made %s: %.2f GB in %.1f s, %.0f MB/s\n", options, bytes / 1e9, seconds, bytes / 1e6 / seconds);
    fflush(stdout);
}

/* `stats` of the store against the generator's truth. */
static void check_totals(const char *store, const char *dir)
{
    static const char *const kinds[11] = {"nonstandard",
                                          "nulldata",
                                          "pubkey",
                                          "multisig",
                                          "pubkeyhash",
                                          "scripthash",
                                          "witness_v0_keyhash",
                                          "witness_v0_scripthash",
                                          "witness_v1_taproot",
                                          "anchor",
                                          "witness_unknown"};
    char csv[4200], line[4096];
    snprintf(csv, sizeof csv, "%s.stats.csv", store);
    run("%s stats --store %s -o %s", unktx, store, csv);
    FILE *file = fopen(csv, "r");
    if (!file || !fgets(line, sizeof line, file) || !fgets(line, sizeof line, file))
        die("bench: no %s", csv);
    fclose(file);
    double got[40];
    unsigned count = 0;
    for (char *at = strchr(line, ','); at && count < 40; at = strchr(at + 1, ','))
        got[count++] = strtod(at + 1, NULL);
    static const char *const sums[4] = {"blocks", "txs", "inputs", "outputs"};
    for (unsigned i = 0; i < 4; i++)
        if (got[i] != truth_number(dir, sums[i], 0))
            die("bench: WRONG: %s are %.0f, the truth is %.0f", sums[i], got[i], truth_number(dir, sums[i], 0));
    for (unsigned k = 0; k < 22; k++)
        if (got[4 + k] != truth_number(dir, kinds[k / 2], k % 2))
            die("bench: WRONG: %s: %.0f, the truth is %.0f", kinds[k / 2], got[4 + k],
                truth_number(dir, kinds[k / 2], k % 2));
    for (unsigned r = 0; r < 3; r++)
        if (got[26 + r] != truth_number(dir, "unknown_txs", r))
            die("bench: WRONG: unknown_txs are %.0f, the truth is %.0f", got[26 + r],
                truth_number(dir, "unknown_txs", r));
    remove(csv);
}

/* T-DAGs, nodes and edges of the first rule set in summary.json against the truth. */
static void check_dags(const char *out, const char *dir)
{
    static const char *const keys[5] = {"unknown_txs", "roots", "tdags", "nodes", "edges"};
    char path[4200];
    snprintf(path, sizeof path, "%s/summary.json", out);
    FILE *file = fopen(path, "r");
    static char text[1 << 16];
    if (!file)
        die("bench: no %s", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *rules = strstr(text, "\"core-0.18\": {");
    for (unsigned k = 0; k < 5; k++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "\"%s\":", keys[k]);
        char *at = rules ? strstr(rules, quoted) : NULL;
        double got = at ? strtod(at + strlen(quoted), NULL) : -1;
        if (got != truth_number(dir, keys[k], 0))
            die("bench: WRONG: %s are %.0f, the truth is %.0f", keys[k], got, truth_number(dir, keys[k], 0));
    }
}

static uint64_t store_bytes(const char *store)
{
    char path[4200];
    struct stat info;
    snprintf(path, sizeof path, "%s/data.mdb", store);
    return stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

static void print_store(const char *what, const char *store, const char *dir)
{
    double info = truth_number(dir, "info", 0), bytes = (double)store_bytes(store);
    printf("store of %s: %.1f MB, %.2f x the %.1f MB of information in it (%.0f unknown outputs that can be spent)\n",
           what, bytes / 1e6, bytes / info, info / 1e6, truth_number(dir, "tracked", 0));
}

/* ---- the measurements ---- */

/* Reads a chain's files through: what a machine has dropped from its page cache since they were last read would be
 * counted as the scan's time. */
static void warm(const char *dir)
{
    static char bytes[1 << 20];
    struct blkdir files;
    struct fault fault = {0};
    if (blkdir_open(dir, "regtest", &files, &fault) != STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    for (size_t f = 0; f < files.count; f++) {
        int fd = open(files.files[f].path, O_RDONLY);
        while (fd >= 0 && read(fd, bytes, sizeof bytes) > 0)
            ;
        close(fd);
    }
    blkdir_free(&files);
}

static struct usage scan(const char *dir, const char *store, unsigned threads, const char *more)
{
    warm(dir);
    return run("%s scan --quiet --datadir %s --store %s --threads %u%s", unktx, dir, store, threads, more);
}

static struct usage fresh_scan(const char *dir, unsigned threads, const char *more)
{
    char store[4096];
    snprintf(store, sizeof store, "%s", in_base("store"));
    remove_tree(store);
    return scan(dir, store, threads, more);
}

static struct usage continued_scan(const char *dir, const char *from, unsigned threads)
{
    char store[4096];
    snprintf(store, sizeof store, "%s", in_base("store"));
    remove_tree(store);
    run("cp -r %s %s", from, store);
    run("sync %s/data.mdb", store); /* or the scan's first commit writes the whole copy out */
    return scan(dir, store, threads, "");
}

static void header(const char *title)
{
    printf("\n%s\n%-44s %14s %9s %8s-%-8s %12s %10s %9s %9s\n", title, "what", "size", "median s", "min", "max", "rate",
           "x floor", "anon MiB", "RSS MiB");
}

static unsigned thread_counts(unsigned counts[2])
{
    counts[0] = 1;
    counts[1] = threads_max;
    return threads_max > 1 ? 2 : 1;
}

struct scan_rows {
    unsigned counts[2], kinds; /* of threads */
    int floors[2][FLOORS], scans[2], xors[2], verifies[2], quarter;
};

static struct scan_rows add_scan_rows(double bytes)
{
    struct scan_rows at;
    at.kinds = thread_counts(at.counts);
    for (unsigned t = 0; t < at.kinds; t++)
        for (unsigned f = 0; f < FLOORS; f++)
            at.floors[t][f] = add_row(floor_names[f], at.counts[t], bytes, "GB", -1);
    for (unsigned t = 0; t < at.kinds; t++) {
        at.scans[t] = add_row("scan", at.counts[t], bytes, "GB", at.floors[t][FLOOR_KIND]);
        at.xors[t] = add_row("scan, XORed files", at.counts[t], bytes, "GB", at.floors[t][FLOOR_KIND]);
        at.verifies[t] = add_row("scan --verify", at.counts[t], bytes, "GB", at.floors[t][FLOOR_TXID]);
    }
    at.quarter = add_row("scan, a quarter of the chain", threads_max, bytes / 4, "GB",
                         at.floors[at.kinds - 1][FLOOR_KIND]);
    return at;
}

/* Each once; what is compared stands side by side, since a machine's speed may change from second to second. */
static void measure_scans(const struct scan_rows *at, struct chain_files *files, const char *plain, const char *xored)
{
    char quarter[64];
    snprintf(quarter, sizeof quarter, " --to-height %.0f", truth_number(plain, "blocks", 0) / 4);
    warm(plain);
    for (unsigned t = 0; t < at->kinds; t++) {
        add_time(at->floors[t][FLOOR_READ], run_floor(files, FLOOR_READ, at->counts[t]));
        add_time(at->floors[t][FLOOR_WALK], run_floor(files, FLOOR_WALK, at->counts[t]));
    }
    for (unsigned t = 0; t < at->kinds; t++) {
        add_time(at->floors[t][FLOOR_TXID], run_floor(files, FLOOR_TXID, at->counts[t]));
        add_usage(at->verifies[t], fresh_scan(plain, at->counts[t], " --verify"));
        add_time(at->floors[t][FLOOR_WTXID], run_floor(files, FLOOR_WTXID, at->counts[t]));
    }
    add_usage(at->quarter, fresh_scan(plain, threads_max, quarter));
    for (unsigned t = 0; t < at->kinds; t++) {
        add_usage(at->xors[t], fresh_scan(xored, at->counts[t], ""));
        add_time(at->floors[t][FLOOR_KIND], run_floor(files, FLOOR_KIND, at->counts[t]));
        add_usage(at->scans[t], fresh_scan(plain, at->counts[t], ""));
    }
}

/* Floors and scans of the mainnet-like chain, in turn. */
static void bench_scan(const char *plain, const char *xored)
{
    struct chain_files files;
    files_open(&files, plain);
    int first = rows_count;
    const struct scan_rows at = add_scan_rows((double)files.bytes);
    for (unsigned f = 0; f < FLOORS; f++)
        run_floor(&files, (enum floor)f, threads_max); /* warms the page cache and the clock */
    for (unsigned i = 0; i < runs; i++)
        measure_scans(&at, &files, plain, xored);
    header("scan (floor: reading, walking and kinds on as many threads; for --verify, txids too)");
    print_rows(first);
    check_totals(in_base("store"), plain);
    puts("truth: counts and values of every kind, and unknown transactions: right");
    print_store("this chain", in_base("store"), plain);
    for (unsigned t = 0; t < at.kinds; t++)
        printf("--verify hashes wtxids too: %.2f x the floor that does, %u thread%s\n",
               ratio_to(&rows[at.verifies[t]], &rows[at.floors[t][FLOOR_WTXID]]), at.counts[t],
               at.counts[t] > 1 ? "s" : "");
    if (at.kinds == 2)
        printf("%u threads against 1: x %.2f (the floor: x %.2f); XORed against plain: x %.2f\n", threads_max,
               ratio_to(&rows[at.scans[0]], &rows[at.scans[1]]),
               ratio_to(&rows[at.floors[0][FLOOR_KIND]], &rows[at.floors[1][FLOOR_KIND]]),
               ratio_to(&rows[at.xors[1]], &rows[at.scans[1]]));
    fflush(stdout);
    files_close(&files);
}

/* The same number of bytes once more, by a store that tracks millions of unknown outputs already. */
static void bench_tracked(const char *plain, double gib, double tracked)
{
    char dir[2200], prefix[2300], truth[2300], options[128], name[64];
    snprintf(dir, sizeof dir, "%.2100s", in_base("tracked-%.0f-%g", tracked, gib));
    snprintf(prefix, sizeof prefix, "%s/prefix", dir);
    snprintf(truth, sizeof truth, "%s/truth.json", dir);
    struct stat info;
    if (stat(prefix, &info) != 0) {
        snprintf(options, sizeof options, "--tracked %.0f", tracked);
        make_chain(dir, options);
        scan(dir, prefix, threads_max, "");
        remove(truth); /* of the first part */
        snprintf(options, sizeof options, "--size %.0f", gib * 1073741824);
        make_chain(dir, options);
    }
    double bytes = truth_number(plain, "bytes", 0);
    int first = rows_count, none = add_row("scan, nothing tracked before", threads_max, bytes, "GB", -1);
    snprintf(name, sizeof name, "scan, %.1f M tracked before", tracked / 1e6);
    int row = add_row(name, threads_max, bytes, "GB", none);
    for (unsigned i = 0; i < runs; i++) {
        add_usage(none, fresh_scan(plain, threads_max, ""));
        add_usage(row, continued_scan(dir, prefix, threads_max));
    }
    header("scan with many unspent unknown outputs (floor: the same without)");
    print_rows(first);
    check_totals(in_base("store"), dir);
    puts("truth: right");
    print_store("this chain", in_base("store"), dir);
}

/* A second scan after 1,000 new blocks, against the time that a first scan takes for as many bytes. */
static void bench_again(const char *chain)
{
    char store[4096];
    snprintf(store, sizeof store, "%s", in_base("again-store"));
    remove_tree(store);
    double bytes = truth_number(chain, "bytes", 0);
    int first = rows_count;
    int whole = add_row("scan, all of it", threads_max, bytes, "GB", -1);
    add_usage(whole, scan(chain, store, threads_max, ""));
    int nothing = add_row("scan again, nothing new", threads_max, bytes, "GB", -1);
    for (unsigned i = 0; i < runs; i++)
        add_usage(nothing, continued_scan(chain, store, threads_max));
    run("%s --blocks 1000 --block-bytes 150000 %s", chaingen, chain);
    double added = truth_number(chain, "bytes", 0) - bytes;
    int again = add_row("scan again, 1,000 new blocks", threads_max, added, "GB", whole);
    for (unsigned i = 0; i < runs; i++)
        add_usage(again, continued_scan(chain, store, threads_max));
    header("scan again (floor: the first scan)");
    print_rows(first);
    check_totals(in_base("store"), chain);
    puts("truth: right");
}

/* T-DAGs: a quarter, half and all of them. */
static void bench_dags(double tdags)
{
    static const unsigned percents[3] = {25, 50, 100};
    unsigned counts[2], kinds = thread_counts(counts);
    char dir[4096], store[4096], out[4096], name[64], options[256];
    int first = rows_count, row[3][2], outputs = -1;
    for (unsigned p = 0; p < 3; p++) {
        snprintf(options, sizeof options, "--tdags %.0f --giants %.0f", tdags * percents[p] / 100,
                 tdags * percents[p] / 1e6);
        snprintf(dir, sizeof dir, "%s", in_base("tdags-%.0f-%u", tdags, percents[p]));
        make_chain(dir, options);
        snprintf(store, sizeof store, "%s", in_base("dags-store-%u", percents[p]));
        remove_tree(store);
        scan(dir, store, threads_max, "");
        for (unsigned t = 0; t < kinds; t++) {
            snprintf(name, sizeof name, "dags, %.2f M transactions", truth_number(dir, "tdag_txs", 0) / 1e6);
            row[p][t] = add_row(name, counts[t], truth_number(dir, "tdags", 0), "M T-DAGs", p ? row[0][t] : -1);
        }
    }
    outputs = add_row("outputs --rules core-22", 0, truth_number(dir, "tracked", 0), "M rows", -1);
    snprintf(out, sizeof out, "%s", in_base("tables"));
    for (unsigned i = 0; i < runs; i++) {
        for (unsigned p = 0; p < 3; p++)
            for (unsigned t = 0; t < kinds; t++)
                add_usage(row[p][t], run("%s dags --store %s --threads %u -o %s", unktx,
                                         in_base("dags-store-%u", percents[p]), counts[t], out));
        add_usage(outputs, run("%s outputs --store %s --rules core-22 -o %s", unktx, store, in_base("outputs.csv")));
    }
    header("dags and outputs, tables written (floor: a quarter of the T-DAGs)");
    print_rows(first);
    check_dags(out, dir);
    check_totals(store, dir);
    puts("truth: unknown transactions, roots, T-DAGs, nodes and edges: right");
    print_store("all T-DAGs", store, dir);
}

/* What index may take: 64 bytes a transaction, 14 an output, 9 an input. */
static void print_index(const char *index, const char *dir)
{
    double bytes = (double)store_bytes(index);
    double allowed = 64 * truth_number(dir, "txs", 0) + 14 * truth_number(dir, "outputs", 0) +
                     9 * truth_number(dir, "inputs", 0);
    printf("index: %.1f MB, %.2f x (64 bytes a transaction + 14 an output + 9 an input)\n", bytes / 1e6,
           bytes / allowed);
}

static struct usage index_of(const char *dir, const char *store, const char *more)
{
    return run("%s index --quiet --datadir %s --store %s --threads %u%s", unktx, dir, store, threads_max, more);
}

/* Transactions anywhere, found by txid by one thread: all of it is in memory after the first time. */
static void bench_look_ups(const char *store)
{
    enum { LOOK_UPS = 300000 };
    static struct hash256 txids[LOOK_UPS];
    struct tx_index *index;
    struct index_tx tx;
    struct fault fault = {0};
    if (index_open(store, &index, &fault) != STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    uint64_t seed = 1, txs = index_totals_of(index).txs;
    for (size_t i = 0; i < LOOK_UPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (index_tx_at(index, (seed >> 20) % txs, &tx, &fault) != STATUS_OK)
            die("bench: %s: %s", fault.path, fault.text);
        txids[i] = tx.txid;
    }
    int row = add_row("look-ups by txid", 1, LOOK_UPS, "M look-ups", -1);
    for (unsigned r = 0; r < runs; r++) {
        double begin = now_s();
        for (size_t i = 0; i < LOOK_UPS; i++)
            if (index_tx_find(index, &txids[i], UINT64_MAX, &tx, &fault) != STATUS_OK)
                die("bench: WRONG: %s", fault.text);
        add_time(row, now_s() - begin);
    }
    index_close(index);
}

/* Memory and temporary files of the largest chain's index, for several --memory. */
static void bench_memory(const char *dir)
{
    static const struct {
        const char *name;
        double mib;
    } sizes[] = {{"256M", 256}, {"512M", 512}, {"2G", 2048}};
    char store[4096], temporary[4200], more[64];
    snprintf(store, sizeof store, "%s", in_base("memory-store"));
    snprintf(temporary, sizeof temporary, "%s/tio/tmp", store);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        remove_tree(store);
        snprintf(more, sizeof more, " --memory %s", sizes[i].name);
        watched = temporary;
        struct usage usage = index_of(dir, store, more);
        watched = NULL;
        double index = (double)store_bytes(in_base("memory-store/tio")), anon = (double)usage.anon_kib / 1024;
        printf("index --memory %s: %.2f s, at most %.1f MiB (%.2f x), temporary files %.1f MB (%.2f x the index)\n",
               sizes[i].name, usage.seconds, anon, anon / sizes[i].mib, (double)usage.watched / 1e6,
               (double)usage.watched / index);
        fflush(stdout);
    }
    remove_tree(store);
}

/* A second index after nothing, 10 and 1,000 new blocks, against the rate of the first. */
static void bench_index_again(double gib)
{
    static const unsigned blocks[3] = {0, 10, 1000};
    char dir[4096], store[4096], old[4096], options[128], name[64];
    snprintf(dir, sizeof dir, "%s", in_base("grown-%g", gib));
    snprintf(store, sizeof store, "%s", in_base("grown-store"));
    snprintf(old, sizeof old, "%s", in_base("grown-before"));
    remove_tree(dir);
    remove_tree(old);
    snprintf(options, sizeof options, "--spends --size %.0f", gib * 1073741824);
    make_chain(dir, options);
    double bytes = truth_number(dir, "bytes", 0);
    int first = rows_count, whole = add_row("index, all of it", threads_max, bytes, "GB", -1);
    add_usage(whole, index_of(dir, old, ""));
    for (unsigned b = 0; b < 3; b++) {
        if (blocks[b] > 0)
            run("%s --spends --blocks %u --block-bytes 150000 %s", chaingen, blocks[b], dir);
        double all = truth_number(dir, "bytes", 0);
        snprintf(name, sizeof name, "index again, %u new blocks", blocks[b]);
        int row = add_row(name, threads_max, blocks[b] ? all - bytes : all, "GB", whole);
        for (unsigned i = 0; i < runs; i++) {
            remove_tree(store);
            run("cp -r %s %s", old, store);
            run("sync %s/tio/data.mdb", store); /* or the first commit writes the whole copy out */
            add_usage(row, index_of(dir, store, ""));
        }
    }
    header("index again (floor: the first index)");
    print_rows(first);
    run("%s check --store %s", unktx, store);
    puts("check: right");
    remove_tree(dir);
    remove_tree(store);
    remove_tree(old);
}

/* The index of chains of one, two and four times the size, and everything in it as CSV. */
static void bench_index(double gib)
{
    static const char *const tables[3] = {"txs", "inputs", "outputs"};
    struct chain_files files[3];
    char dir[3][4096], store[4096], options[128], name[64];
    int first = rows_count, floors[3], index[3], dumps[3];
    snprintf(store, sizeof store, "%s", in_base("index-store"));
    for (unsigned s = 0; s < 3; s++) {
        snprintf(dir[s], sizeof dir[s], "%s", in_base("linked-%g", gib * (1u << s)));
        snprintf(options, sizeof options, "--spends --size %.0f", gib * (1u << s) * 1073741824);
        make_chain(dir[s], options);
        files_open(&files[s], dir[s]);
        floors[s] = add_row(floor_names[FLOOR_TXID], threads_max, (double)files[s].bytes, "GB", -1);
        index[s] = add_row("index", threads_max, (double)files[s].bytes, "GB", floors[s]);
    }
    for (unsigned t = 0; t < 3; t++) {
        snprintf(name, sizeof name, "dump %s", tables[t]);
        dumps[t] = add_row(name, threads_max, truth_number(dir[0], tables[t], 0), "M rows", -1);
    }
    for (unsigned i = 0; i < runs; i++)
        for (unsigned s = 3; s-- > 0;) {
            run_floor(&files[s], FLOOR_TXID, threads_max);
            add_time(floors[s], run_floor(&files[s], FLOOR_TXID, threads_max));
            remove_tree(store);
            add_usage(index[s], index_of(dir[s], store, ""));
        }
    for (unsigned i = 0; i < runs; i++)
        for (unsigned t = 0; t < 3; t++)
            add_usage(dumps[t], run("%s dump %s --store %s --threads %u", unktx, tables[t], store, threads_max));
    bench_look_ups(store);
    header("index (floor: reading, walking, kinds and txids on as many threads) and dump, its rows thrown away");
    print_rows(first);
    run("%s check --store %s", unktx, store);
    puts("check: right");
    print_index(in_base("index-store/tio"), dir[0]);
    bench_memory(dir[2]);
    bench_index_again(gib / 4);
    for (unsigned s = 0; s < 3; s++)
        files_close(&files[s]);
}

static void print_machine(void)
{
    char line[512], cpu[256] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "model name : %255[^\n]", cpu) == 1)
            break;
    if (file)
        fclose(file);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    printf("%s, %u threads, %.1f GiB of memory; warm page cache, %u runs\n", cpu, threads_max, memory / 1073741824,
           runs);
}

int main(void)
{
    double gib = env_number("BENCH_GIB", 1), tdags = env_number("BENCH_TDAGS", 1e6);
    double tracked = env_number("BENCH_TRACKED", 6e6);
    unktx = getenv("UNKTX") ? getenv("UNKTX") : "build/unktx";
    chaingen = getenv("CHAINGEN") ? getenv("CHAINGEN") : "build/tests/bench/chaingen";
    runs = (unsigned)env_number("BENCH_RUNS", 5);
    threads_max = parallel_default_threads();
    if (runs < 1 || runs > RUNS_MAX || threads_max > WORKERS_MAX)
        die("bench: 1 to %d runs, at most %d threads", RUNS_MAX, WORKERS_MAX);
    keep = getenv("BENCH_DIR") != NULL;
    snprintf(base, sizeof base, "%s", keep ? getenv("BENCH_DIR") : "/tmp/unktx-bench-XXXXXX");
    if (keep ? mkdir(base, 0777) != 0 && errno != EEXIST : !mkdtemp(base))
        die("bench: cannot make %s", base);
    char plain[4096], xored[4096], options[128];
    print_machine();
    snprintf(plain, sizeof plain, "%s", in_base("plain-%g", gib));
    snprintf(xored, sizeof xored, "%s", in_base("xored-%g", gib));
    snprintf(options, sizeof options, "--size %.0f", gib * 1073741824);
    make_chain(plain, options);
    snprintf(options, sizeof options, "--size %.0f --xor", gib * 1073741824);
    make_chain(xored, options);
    if (wanted("scan"))
        bench_scan(plain, xored);
    if (wanted("tracked"))
        bench_tracked(plain, gib, tracked);
    if (wanted("dags"))
        bench_dags(tdags);
    if (wanted("index"))
        bench_index(gib);
    if (wanted("again"))
        bench_again(xored);
    if (keep)
        remove_tree(xored); /* it has grown */
    else
        remove_tree(base);
    return 0;
}
