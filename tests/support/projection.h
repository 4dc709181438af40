/* projection: how long a command would take on more cores, from the table that --timings wrote of a run on one thread.
 *
 * Of each stage A seconds are work of the main thread alone, I of one thread at a time, S of any number of threads, W
 * of the writer beside them, for which the thread waited Q, and L is the longest piece that one thread does whole:
 * A + Q + I + S passed. On n cores the stage takes A + Q + max(I, L, (I + S) / n), but no less than W, which is one
 * thread's, and no less than (A + I + S + W) / n. That is Amdahl's law, but for what goes on beside. Q stays, since who
 * works faster waits no less.
 *
 * Cores that share caches, memory and the system's pages are worth less than n of them. How much less the table of one
 * run cannot tell, two such runs side by side can: where each takes k times as long, n is to be n / k. */
#ifndef UNKTX_TESTS_SUPPORT_PROJECTION_H
#define UNKTX_TESTS_SUPPORT_PROJECTION_H

#include <stdbool.h>
#include <stddef.h>

enum { PROJECTION_STAGES = 24 };

/* Seconds. */
struct projection_stage {
    char name[32];
    double elapsed;
    double alone;
    double in_turn;
    double shared;
    double writer;
    double waited;
    double longest;
};

struct projection {
    struct projection_stage stages[PROJECTION_STAGES];
    size_t count;
};

/* False if the file is no such table. Of a run on several threads only `elapsed` means something. */
bool projection_read(const char *path, struct projection *projection);
/* What passed in all stages. */
double projection_elapsed(const struct projection *projection);
/* The part of the time that more threads would not make shorter: max(A + Q + max(I, L), W) / (A + Q + I + S), each
 * summed over the stages. */
double projection_undivided(const struct projection *projection);
/* On cores that do together what so many alone would do, 1 or more. */
double projection_seconds(const struct projection *projection, double cores);

#endif
