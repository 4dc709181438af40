#include "tests/bench/scenarios.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tests/bench/floors.h"
#include "tests/bench/rows.h"

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

struct scan_rows {
    unsigned counts[2]; /* of threads */
    unsigned kinds;     /* how many such counts */
    int floors[2][FLOORS];
    int scans[2];
    int xors[2];
    int verifies[2];
    int quarter;
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
    at.quarter = add_row("scan, a quarter of the chain", bench.threads_max, bytes / 4, "GB",
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
    add_usage(at->quarter, fresh_scan(plain, bench.threads_max, quarter));
    for (unsigned t = 0; t < at->kinds; t++) {
        add_usage(at->xors[t], fresh_scan(xored, at->counts[t], ""));
        add_time(at->floors[t][FLOOR_KIND], run_floor(files, FLOOR_KIND, at->counts[t]));
        add_usage(at->scans[t], fresh_scan(plain, at->counts[t], ""));
    }
}

void bench_scan(const char *plain, const char *xored)
{
    struct chain_files files;
    files_open(&files, plain);
    int first = rows_so_far();
    const struct scan_rows at = add_scan_rows((double)files.bytes);
    for (unsigned f = 0; f < FLOORS; f++)
        run_floor(&files, (enum floor)f, bench.threads_max); /* warms the page cache and the clock */
    for (unsigned i = 0; i < bench.runs; i++)
        measure_scans(&at, &files, plain, xored);
    print_header("scan (floor: reading, walking and kinds on as many threads; for --verify, txids too)");
    print_rows(first);
    check_totals(in_base("store"), plain);
    puts("truth: counts and values of every kind, and unknown transactions: right");
    print_store("this chain", in_base("store"), plain);
    for (unsigned t = 0; t < at.kinds; t++)
        printf("--verify hashes wtxids too: %.2f x the floor that does, %u thread%s\n",
               ratio_of_rows(at.verifies[t], at.floors[t][FLOOR_WTXID]), at.counts[t], at.counts[t] > 1 ? "s" : "");
    if (at.kinds == 2)
        printf("%u threads against 1: x %.2f (the floor: x %.2f); XORed against plain: x %.2f\n", bench.threads_max,
               ratio_of_rows(at.scans[0], at.scans[1]),
               ratio_of_rows(at.floors[0][FLOOR_KIND], at.floors[1][FLOOR_KIND]),
               ratio_of_rows(at.xors[1], at.scans[1]));
    fflush(stdout);
    files_close(&files);
}

void bench_tracked(const char *plain, double gib, double tracked)
{
    char dir[2200], prefix[2300], truth[2300], options[128], name[64];
    snprintf(dir, sizeof dir, "%.2100s", in_base("tracked-%.0f-%g", tracked, gib));
    snprintf(prefix, sizeof prefix, "%s/prefix", dir);
    snprintf(truth, sizeof truth, "%s/truth.json", dir);
    struct stat info;
    if (stat(prefix, &info) != 0) {
        snprintf(options, sizeof options, "--tracked %.0f", tracked);
        make_chain(dir, options);
        scan(dir, prefix, bench.threads_max, "");
        remove(truth); /* of the first part */
        snprintf(options, sizeof options, "--size %.0f", gib * 1073741824);
        make_chain(dir, options);
    }
    double bytes = truth_number(plain, "bytes", 0);
    int first = rows_so_far(), none = add_row("scan, nothing tracked before", bench.threads_max, bytes, "GB", -1);
    snprintf(name, sizeof name, "scan, %.1f M tracked before", tracked / 1e6);
    int row = add_row(name, bench.threads_max, bytes, "GB", none);
    for (unsigned i = 0; i < bench.runs; i++) {
        add_usage(none, fresh_scan(plain, bench.threads_max, ""));
        add_usage(row, continued_scan(dir, prefix, bench.threads_max));
    }
    print_header("scan with many unspent unknown outputs (floor: the same without)");
    print_rows(first);
    check_totals(in_base("store"), dir);
    puts("truth: right");
    print_store("this chain", in_base("store"), dir);
}

void bench_again(const char *chain)
{
    char store[4096];
    snprintf(store, sizeof store, "%s", in_base("again-store"));
    remove_tree(store);
    double bytes = truth_number(chain, "bytes", 0);
    int first = rows_so_far();
    int whole = add_row("scan, all of it", bench.threads_max, bytes, "GB", -1);
    add_usage(whole, scan(chain, store, bench.threads_max, ""));
    int nothing = add_row("scan again, nothing new", bench.threads_max, bytes, "GB", -1);
    for (unsigned i = 0; i < bench.runs; i++)
        add_usage(nothing, continued_scan(chain, store, bench.threads_max));
    run("%s --blocks 1000 --block-bytes 150000 %s", bench.chaingen, chain);
    double added = truth_number(chain, "bytes", 0) - bytes;
    int again = add_row("scan again, 1,000 new blocks", bench.threads_max, added, "GB", whole);
    for (unsigned i = 0; i < bench.runs; i++)
        add_usage(again, continued_scan(chain, store, bench.threads_max));
    print_header("scan again (floor: the first scan)");
    print_rows(first);
    check_totals(in_base("store"), chain);
    puts("truth: right");
}
