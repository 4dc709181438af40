/* runner: what every measurement of the bench needs: the program run as a child and watched, chains made and checked
 * against the generator's truth, and rows of times. An error ends the bench with a message. */
#ifndef UNKTX_TESTS_BENCH_RUNNER_H
#define UNKTX_TESTS_BENCH_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

enum { RUNS_MAX = 99, WORKERS_MAX = 64 };

/* The bench's settings, by main. */
struct bench {
    const char *unktx;    /* the program */
    const char *chaingen; /* the generator */
    char base[2048];      /* the bench's folder */
    unsigned runs;
    unsigned threads_max;
    const char *watched; /* folder whose files' bytes run() looks at; NULL: none */
};
extern struct bench bench;

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
double now_s(void);

struct usage {
    double seconds;
    uint64_t anon_kib; /* largest seen */
    uint64_t rss_kib;  /* likewise */
    uint64_t watched;  /* most bytes of files in the folder `watched` */
};

/* Runs a command line of words parted by spaces, its stdout thrown away, and watches its memory. */
struct usage run(const char *format, ...) __attribute__((format(printf, 1, 2)));

void remove_tree(const char *path);
/* A path below the bench's folder, in one of a few buffers. */
char *in_base(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- chains ---- */

/* Has the generator make a chain, unless the folder has one. */
void make_chain(const char *dir, const char *options);
/* First number after "key": in DIR/truth.json; `index` counts within a list. */
double truth_number(const char *dir, const char *key, unsigned index);
/* `stats` of the store against the generator's truth. */
void check_totals(const char *store, const char *dir);
/* T-DAGs, nodes and edges of the first rule set in summary.json against the truth. */
void check_dags(const char *out, const char *dir);
uint64_t store_bytes(const char *store);
void print_store(const char *what, const char *store, const char *dir);
/* Reads a chain's files through: what a machine has dropped from its page cache since they were last read would be
 * counted as the scan's time. */
void warm(const char *dir);
/* In the order of the chain: on a disk that rotates the program would read the files in theirs. */
struct usage scan(const char *dir, const char *store, unsigned threads, const char *more);

#endif
