/* bench: what `make bench` prints. Floors, made of the project's own parser and nothing else, and the program's
 * commands run in turn, so that whatever else the machine does hits both; every row gives median, spread, and its
 * ratio to the floor.
 *
 * Environment: BENCH_GIB (1) size of the mainnet-like chain, BENCH_TDAGS (1000000), BENCH_TRACKED (6000000),
 * BENCH_KEYS (5000000), BENCH_RUNS (5), BENCH_PARTS ("scan tracked dags unlocks ties index timings again"), BENCH_DIR
 * (a temporary folder; one that is named is kept, and chains found there are used again), UNKTX, CHAINGEN. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/parallel.h"
#include "tests/bench/runner.h"
#include "tests/bench/scenarios.h"

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
    printf("%s, %u threads, %.1f GiB of memory; warm page cache, %u runs\n", cpu, bench.threads_max,
           memory / 1073741824, bench.runs);
}

int main(void)
{
    double gib = env_number("BENCH_GIB", 1), tdags = env_number("BENCH_TDAGS", 1e6);
    double tracked = env_number("BENCH_TRACKED", 6e6);
    bench.unktx = getenv("UNKTX") ? getenv("UNKTX") : "build/unktx";
    bench.chaingen = getenv("CHAINGEN") ? getenv("CHAINGEN") : "build/tests/bench/chaingen";
    bench.runs = (unsigned)env_number("BENCH_RUNS", 5);
    bench.threads_max = parallel_default_threads();
    if (bench.runs < 1 || bench.runs > RUNS_MAX || bench.threads_max > WORKERS_MAX)
        die("bench: 1 to %d runs, at most %d threads", RUNS_MAX, WORKERS_MAX);
    bool keep = getenv("BENCH_DIR") != NULL;
    snprintf(bench.base, sizeof bench.base, "%s", keep ? getenv("BENCH_DIR") : "/tmp/unktx-bench-XXXXXX");
    if (keep ? mkdir(bench.base, 0777) != 0 && errno != EEXIST : !mkdtemp(bench.base))
        die("bench: cannot make %s", bench.base);
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
    if (wanted("unlocks"))
        bench_unlocks(plain);
    if (wanted("ties"))
        bench_ties(env_number("BENCH_KEYS", 5e6));
    if (wanted("index"))
        bench_index(gib);
    if (wanted("timings"))
        bench_timings(plain, gib, tdags);
    if (wanted("again"))
        bench_again(xored);
    if (keep)
        remove_tree(xored); /* it has grown */
    else
        remove_tree(bench.base);
    return 0;
}
