#include "tests/bench/scenarios.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Of two runs at the same time each has a number. */
static void prepare_timed(const struct timed *timed, unsigned number)
{
    remove_tree(in_base(timed->dir ? "timed-store-%u" : "timed-tables-%u", number));
    if (timed->dir)
        warm(timed->dir);
}

static void start_timed(const struct timed *timed, unsigned threads, unsigned number)
{
    char store[4096], file[4096];
    snprintf(store, sizeof store, "%s", in_base("timed-store-%u", timed->dir ? number : 0));
    snprintf(file, sizeof file, "%s", in_base("timings-%u.csv", number));
    if (timed->dir)
        run("%s %s --quiet --datadir %s --store %s --threads %u --timings %s", bench.unktx, timed->words, timed->dir,
            store, threads, file);
    else
        run("%s %s --store %s -o %s --threads %u --timings %s", bench.unktx, timed->words, store,
            in_base("timed-tables-%u", number), threads, file);
}

static struct projection read_timed(unsigned number)
{
    struct projection projection;
    const char *file = in_base("timings-%u.csv", number);
    if (!projection_read(file, &projection))
        die("bench: %s is no table of --timings", file);
    return projection;
}

static struct projection timed_run(const struct timed *timed, unsigned threads)
{
    prepare_timed(timed, 0);
    start_timed(timed, threads, 0);
    return read_timed(0);
}

/* Two runs of one thread each, side by side: what they take on the mean. */
static double timed_pair(const struct timed *timed)
{
    int status;
    prepare_timed(timed, 0);
    prepare_timed(timed, 1);
    fflush(stdout);
    pid_t other = fork();
    start_timed(timed, 1, other == 0);
    if (other == 0)
        _exit(0);
    if (other < 0 || waitpid(other, &status, 0) != other || status != 0)
        die("bench: two runs at the same time failed");
    struct projection runs[] = {read_timed(0), read_timed(1)};
    return (projection_elapsed(&runs[0]) + projection_elapsed(&runs[1])) / 2;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
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

/* `worth`: of a core, where another one works beside it. */
static void print_cores(const struct timed *timed, const struct projection *one, double worth)
{
    static const unsigned cores[] = {2, 4, 8, 16, 32};
    double units = timed->amount / (timed->unit[0] == 'G' ? 1e9 : 1e6);
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++) {
        double alike = projection_seconds(one, cores[i]), beside = projection_seconds(one, cores[i] * worth);
        printf("projected, %2u cores: %.3f s, %.2f %s/s; of such cores: %.3f s, %.2f %s/s\n", cores[i], alike,
               units / alike, timed->unit, beside, units / beside, timed->unit);
    }
}

/* `pair`: what each of two runs of one thread took side by side. */
static void print_projection(const struct timed *timed, const struct projection *one, double measured, double pair)
{
    double alone = projection_elapsed(one), worth = pair > alone ? alone / pair : 1;
    printf("\n%s: where one thread's %.3f s went, in seconds (--timings)\n", timed->name, alone);
    print_stages(one);
    printf("does not divide: %.1f %% of the time, max(A + Q + max(I, L), W) / (A + Q + I + S)\n",
           100 * projection_undivided(one));
    if (bench.threads_max > 1)
        printf("two runs side by side, 1 thread each: %.3f s, so a core beside another is worth %.2f\n", pair, worth);
    print_cores(timed, one, worth);
    if (bench.threads_max < 2)
        return;
    double alike = projection_seconds(one, 2), beside = projection_seconds(one, 2 * worth);
    printf("measured, 2 threads: %.3f s, %.2f x the projected, %.2f x that of such cores\n", measured, measured / alike,
           measured / beside);
    printf("projection of such cores: %s 15 %%\n",
           fabs(beside - measured) <= WITHIN * measured ? "within" : "NOT within");
    fflush(stdout);
}

/* The run of the median, of one thread, of two, and of two runs in turn. */
static void bench_timed(const struct timed *timed)
{
    struct projection one[RUNS_MAX], two[RUNS_MAX];
    double pairs[RUNS_MAX];
    bool several = bench.threads_max > 1;
    for (unsigned i = 0; i < bench.runs; i++) {
        one[i] = timed_run(timed, 1);
        two[i] = several ? timed_run(timed, 2) : one[i];
        pairs[i] = several ? timed_pair(timed) : projection_elapsed(&one[i]);
    }
    qsort(one, bench.runs, sizeof *one, compare_elapsed);
    qsort(two, bench.runs, sizeof *two, compare_elapsed);
    qsort(pairs, bench.runs, sizeof *pairs, compare_doubles);
    print_projection(timed, &one[bench.runs / 2], projection_elapsed(&two[bench.runs / 2]), pairs[bench.runs / 2]);
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
         "(A + I + S + W) / n;\nof such cores: n x what a core is worth, in place of n");
    struct timed timed = {"scan", "scan --no-sequential", plain, truth_number(plain, "bytes", 0), "GB"};
    bench_timed(&timed);
    timed = (struct timed){"index", "index", linked, truth_number(linked, "bytes", 0), "GB"};
    bench_timed(&timed);
    remove_tree(in_base("timed-store-0"));
    scan(forest, in_base("timed-store-0"), bench.threads_max, "");
    timed = (struct timed){"dags", "dags --no-unlocks", NULL, truth_number(forest, "tdags", 0), "M T-DAGs"};
    bench_timed(&timed);
    for (unsigned number = 0; number < 2; number++) {
        remove_tree(in_base("timed-store-%u", number));
        remove_tree(in_base("timed-tables-%u", number));
    }
}
