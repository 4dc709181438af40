/* scenarios: what is measured. Each prints its rows, and ends the bench where a result is not the generator's truth. */
#ifndef UNKTX_TESTS_BENCH_SCENARIOS_H
#define UNKTX_TESTS_BENCH_SCENARIOS_H

/* Floors and scans of the mainnet-like chain, in turn. */
void bench_scan(const char *plain, const char *xored);
/* The same number of bytes once more, by a store that tracks millions of unknown outputs already. */
void bench_tracked(const char *plain, double gib, double tracked);
/* A second scan after 1,000 new blocks, against the time that a first scan takes for as many bytes. */
void bench_again(const char *chain);
/* T-DAGs: a quarter, half and all of them. */
void bench_dags(double tdags);
/* How outputs were unlocked, and keys, against the scan of the same chain. */
void bench_unlocks(const char *plain);
/* Groups of so many outputs with keys and hash locks, of half as many holders. */
void bench_ties(double keys);
/* Where the time of scan, index and dags goes, by --timings of one thread, what it would be on more cores, and whether
 * two threads take what is projected. */
void bench_timings(const char *plain, double gib, double tdags);
/* The index of chains of one, two and four times the size, and everything in it as CSV. */
void bench_index(double gib);

#endif
