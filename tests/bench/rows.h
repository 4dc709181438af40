/* rows: the bench's rows: what was done, how much of it, in what times, and against which floor. */
#ifndef UNKTX_TESTS_BENCH_ROWS_H
#define UNKTX_TESTS_BENCH_ROWS_H

#include "tests/bench/runner.h"

/* Adds a row, and returns its number. `threads` 0: not said. `amount` is what the rate counts, in bytes, rows or
 * T-DAGs; `unit` says it as "GB", "M rows", ...: amount / 1e9 or 1e6. `floor` is the row that it is compared with, -1
 * none. */
int add_row(const char *name, unsigned threads, double amount, const char *unit, int floor);
int rows_so_far(void);
void add_time(int row, double seconds);
void add_usage(int row, struct usage usage);
/* Time for the same amount as the other row's, run by run: the median of the ratios. */
double ratio_of_rows(int row, int floor);
/* A section's title and the columns, then all rows from number `from` on. */
void print_header(const char *title);
void print_rows(int from);
/* 1 and as many as there are; returns how many counts that is. */
unsigned thread_counts(unsigned counts[2]);

#endif
