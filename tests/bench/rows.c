#include "tests/bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 64 };

struct row {
    char name[64];
    char size[32];
    double amount;    /* what the rate counts: bytes, rows, T-DAGs */
    const char *unit; /* "GB", "M rows", ...: amount / 1e9 or 1e6 */
    int floor;        /* row that it is compared with, -1 none */
    double times[RUNS_MAX];
    unsigned count;
    uint64_t anon_kib;
    uint64_t rss_kib;
};

static struct row rows[ROWS_MAX];
static int rows_count;

int rows_so_far(void) { return rows_count; }

int add_row(const char *name, unsigned threads, double amount, const char *unit, int floor)
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

void add_time(int row, double seconds) { rows[row].times[rows[row].count++] = seconds; }

void add_usage(int row, struct usage usage)
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

void print_rows(int from)
{
    for (int r = from; r < rows_count; r++)
        print_row(&rows[r]);
    fflush(stdout);
}

double ratio_of_rows(int row, int floor) { return ratio_to(&rows[row], &rows[floor]); }

void print_header(const char *title)
{
    printf("\n%s\n%-44s %14s %9s %8s-%-8s %12s %10s %9s %9s\n", title, "what", "size", "median s", "min", "max", "rate",
           "x floor", "anon MiB", "RSS MiB");
}

unsigned thread_counts(unsigned counts[2])
{
    counts[0] = 1;
    counts[1] = bench.threads_max;
    return bench.threads_max > 1 ? 2 : 1;
}
