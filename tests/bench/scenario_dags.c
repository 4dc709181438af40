#include "tests/bench/scenarios.h"

#include <stdio.h>

#include "tests/bench/rows.h"

/* Into a folder of its own each time, so that no tables of a run before are read and compared. */
static struct usage write_tables(unsigned percent, unsigned threads, const char *more, const char *out)
{
    remove_tree(out);
    return run("%s dags %s --store %s --threads %u -o %s", bench.unktx, more, in_base("dags-store-%u", percent),
               threads, out);
}

void bench_dags(double tdags)
{
    static const unsigned percents[3] = {25, 50, 100};
    unsigned counts[2], kinds = thread_counts(counts);
    char dir[4096], store[4096], out[4096], name[64], options[256];
    int first = rows_so_far(), row[3][2], outputs, everything;
    for (unsigned p = 0; p < 3; p++) {
        snprintf(options, sizeof options, "--tdags %.0f --giants %.0f", tdags * percents[p] / 100,
                 tdags * percents[p] / 1e6);
        snprintf(dir, sizeof dir, "%s", in_base("tdags-%.0f-%u", tdags, percents[p]));
        make_chain(dir, options);
        snprintf(store, sizeof store, "%s", in_base("dags-store-%u", percents[p]));
        remove_tree(store);
        scan(dir, store, bench.threads_max, "");
        for (unsigned t = 0; t < kinds; t++) {
            snprintf(name, sizeof name, "dags --no-unlocks, %.2f M txs", truth_number(dir, "tdag_txs", 0) / 1e6);
            row[p][t] = add_row(name, counts[t], truth_number(dir, "tdags", 0), "M T-DAGs", p ? row[0][t] : -1);
        }
    }
    everything = add_row("dags, unlocks and keys too", bench.threads_max, truth_number(dir, "tdags", 0), "M T-DAGs",
                         -1);
    outputs = add_row("outputs --rules core-22", 0, truth_number(dir, "tracked", 0), "M rows", -1);
    snprintf(out, sizeof out, "%s", in_base("tables"));
    for (unsigned i = 0; i < bench.runs; i++) {
        for (unsigned p = 0; p < 3; p++)
            for (unsigned t = 0; t < kinds; t++)
                add_usage(row[p][t], write_tables(percents[p], counts[t], "--no-unlocks", out));
        add_usage(everything, write_tables(100, bench.threads_max, "", out));
        add_usage(outputs,
                  run("%s outputs --store %s --rules core-22 -o %s", bench.unktx, store, in_base("outputs.csv")));
    }
    print_header("dags and outputs, tables written (floor: a quarter of the T-DAGs)");
    print_rows(first);
    check_dags(out, dir);
    check_totals(store, dir);
    puts("truth: unknown transactions, roots, T-DAGs, nodes and edges: right");
    print_store("all T-DAGs", store, dir);
}
