#include "tests/bench/scenarios.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/runner.h"
#include "tests/support/projection.h"

#define WITHIN 0.15 /* of what is measured, for two threads from one */

/* A command that writes the table, and what it counts. */
struct timed {
    const char *name;
    const char *words; /* of its command line, with room for folder and threads */
    const char *dir;
    double amount;
    const char *unit; /* of amount / 1e9 or 1e6 */
};

static struct projection timed_run(const struct timed *timed, unsigned threads)
{
    struct projection projection;
    char store[4096], tables[4096], file[4096];
    snprintf(store, sizeof store, "%s", in_base("timed-store"));
    snprintf(tables, sizeof tables, "%s", in_base("timed-tables"));
    snprintf(file, sizeof file, "%s", in_base("timings.csv"));
    if (timed->dir) {
        remove_tree(store);
        warm(timed->dir);
        run("%s %s --quiet --datadir %s --store %s --threads %u --timings %s", bench.unktx, timed->words, timed->dir,
            store, threads, file);
    } else {
        remove_tree(tables);
        run("%s %s --store %s -o %s --threads %u --timings %s", bench.unktx, timed->words, store, tables, threads,
            file);
    }
    if (!projection_read(file, &projection))
        die("bench: %s is no table of --timings", file);
    return projection;
}

static int compare_elapsed(const void *a, const void *b)
{
    double x = projection_elapsed(a), y = projection_elapsed(b);
    return (x > y) - (x < y);
}

static void print_stages(const struct projection *one)
{
    printf("%-12s %9s %9s %9s %9s %9s %9s %9s\n", "stage", "elapsed", "alone A", "waited Q", "in turn I", "shared S",
           "longest L", "writer W");
    for (size_t i = 0; i < one->count; i++) {
        const struct projection_stage *stage = &one->stages[i];
        printf("%-12s %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n", stage->name, stage->elapsed, stage->alone,
               stage->waited, stage->in_turn, stage->shared, stage->longest, stage->writer);
    }
}

static void print_projection(const struct timed *timed, const struct projection *one, double measured)
{
    static const unsigned cores[] = {2, 4, 8, 16, 32};
    double scale = timed->unit[0] == 'G' ? 1e9 : 1e6, two = projection_seconds(one, 2);
    printf("\n%s: where one thread's %.3f s went, in seconds (--timings)\n", timed->name, projection_elapsed(one));
    print_stages(one);
    printf("does not divide: %.1f %% of the time, max(A + Q + max(I, L), W) / (A + Q + I + S)\n",
           100 * projection_undivided(one));
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        printf("projected, %2u cores: %.3f s, %.2f %s/s\n", cores[i], projection_seconds(one, cores[i]),
               timed->amount / scale / projection_seconds(one, cores[i]), timed->unit);
    if (bench.threads_max < 2)
        return;
    printf("measured, 2 threads: %.3f s, %.2f x the projected\n", measured, measured / two);
    printf("projection: %s 15 %%\n", fabs(two - measured) <= WITHIN * measured ? "within" : "NOT within");
    fflush(stdout);
}

/* The run of the median, of one thread and of two in turn. */
static void bench_timed(const struct timed *timed)
{
    struct projection one[RUNS_MAX], two[RUNS_MAX];
    for (unsigned i = 0; i < bench.runs; i++) {
        one[i] = timed_run(timed, 1);
        two[i] = bench.threads_max > 1 ? timed_run(timed, 2) : one[i];
    }
    qsort(one, bench.runs, sizeof *one, compare_elapsed);
    qsort(two, bench.runs, sizeof *two, compare_elapsed);
    print_projection(timed, &one[bench.runs / 2], projection_elapsed(&two[bench.runs / 2]));
}

void bench_timings(const char *plain, double gib, double tdags)
{
    char linked[4096], forest[4096], options[128];
    snprintf(linked, sizeof linked, "%s", in_base("linked-%g", gib));
    snprintf(options, sizeof options, "--spends --size %.0f", gib * 1073741824);
    make_chain(linked, options);
    snprintf(forest, sizeof forest, "%s", in_base("tdags-%.0f-25", tdags));
    snprintf(options, sizeof options, "--tdags %.0f --giants %.0f", tdags / 4, tdags / 4e6);
    make_chain(forest, options);
    puts("\nprojected: of each stage, on n cores, A + Q + max(I, L, (I + S) / n), or what is more of W and "
         "(A + I + S + W) / n");
    struct timed timed = {"scan", "scan --no-sequential", plain, truth_number(plain, "bytes", 0), "GB"};
    bench_timed(&timed);
    timed = (struct timed){"index", "index", linked, truth_number(linked, "bytes", 0), "GB"};
    bench_timed(&timed);
    remove_tree(in_base("timed-store"));
    scan(forest, in_base("timed-store"), bench.threads_max, "");
    timed = (struct timed){"dags", "dags --no-unlocks", NULL, truth_number(forest, "tdags", 0), "M T-DAGs"};
    bench_timed(&timed);
    remove_tree(in_base("timed-store"));
    remove_tree(in_base("timed-tables"));
}
