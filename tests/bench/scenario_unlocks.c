#include "tests/bench/scenarios.h"

#include <stdio.h>

#include "tests/bench/rows.h"

/* unlocks reads again what a scan has read: it may take as long once more. */
void bench_unlocks(const char *plain)
{
    unsigned counts[2], kinds = thread_counts(counts);
    double bytes = truth_number(plain, "bytes", 0);
    char store[4096];
    int first = rows_so_far(), scans[2], unlocks[2], keys[2];
    snprintf(store, sizeof store, "%s", in_base("unlocks-store"));
    for (unsigned t = 0; t < kinds; t++) {
        scans[t] = add_row("scan", counts[t], bytes, "GB", -1);
        unlocks[t] = add_row("unlocks --rules core-22", counts[t], bytes, "GB", scans[t]);
        keys[t] = add_row("keys --rules core-22", counts[t], bytes, "GB", scans[t]);
    }
    warm(plain);
    for (unsigned i = 0; i < bench.runs; i++) {
        for (unsigned t = 0; t < kinds; t++) {
            remove_tree(store);
            add_usage(scans[t], scan(plain, store, counts[t], ""));
            add_usage(unlocks[t], run("%s unlocks --store %s --rules core-22 --threads %u -o %s", bench.unktx, store,
                                      counts[t], in_base("unlocks.csv")));
            add_usage(keys[t], run("%s keys --store %s --rules core-22 --threads %u -o %s", bench.unktx, store,
                                   counts[t], in_base("keys.csv")));
        }
    }
    print_header("unlocks and keys, which read the spenders' blocks again (floor: the scan)");
    print_rows(first);
}

/* ---- ties ---- */

static double rows_of(const char *path)
{
    FILE *file = fopen(path, "r");
    double lines = 0;
    if (!file)
        die("bench: no %s", path);
    for (int c; (c = getc_unlocked(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines - 1;
}

void bench_ties(double keys)
{
    char dir[4096], store[4096], out[4096], options[128];
    unsigned counts[2], kinds = thread_counts(counts);
    int first = rows_so_far(), row[2];
    snprintf(dir, sizeof dir, "%s", in_base("ties-%.0f", keys));
    snprintf(options, sizeof options, "--tracked %.0f --tdags %.0f --holders %.0f", keys, keys / 500, keys / 2);
    make_chain(dir, options);
    snprintf(store, sizeof store, "%s", in_base("ties-store"));
    snprintf(out, sizeof out, "%s", in_base("ties"));
    remove_tree(store);
    scan(dir, store, bench.threads_max, "");
    for (unsigned t = 0; t < kinds; t++)
        row[t] = add_row("ties --rules core-22", counts[t], truth_number(dir, "tracked", 0), "M keys", -1);
    for (unsigned i = 0; i < bench.runs; i++) {
        for (unsigned t = 0; t < kinds; t++)
            add_usage(row[t],
                      run("%s ties --store %s --rules core-22 --threads %u -o %s", bench.unktx, store, counts[t], out));
    }
    print_header("ties of outputs with a key or hash lock each, half as many holders");
    print_rows(first);
    if (rows_of(in_base("ties/groups.csv")) != truth_number(dir, "groups", 0) ||
        rows_of(in_base("ties/ties.csv")) != truth_number(dir, "ties", 0))
        die("bench: groups or ties are not the generator's");
    puts("truth: groups and ties: right");
}
