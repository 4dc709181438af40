/* measures: how regular each T-DAG is, in its shape, its values and its times: what a program does rather than a
 * person. docs/measures.md has each formula and what it is good for.
 *
 * Shape (orderliness, symmetry) is that of the classified T-DAG, after compression if there was one. The rest looks at
 * the transactions as they are in the chain.
 *
 * Thread rule: struct measures_scratch is one thread's; all else is only read. */
#ifndef UNKTX_CLASSIFY_MEASURES_H
#define UNKTX_CLASSIFY_MEASURES_H

#include "classify/classes.h"

/* All in 0..1 but the frequency. What cannot be told from so few transactions is 0. */
struct measures_row {
    double orderliness;
    double symmetry;
    double repetition;
    double fan_out_regularity;
    double equal_values;
    double cadence;
    double chain_frequency; /* transactions per day */
    double automation;      /* the mean of orderliness, repetition, fan_out_regularity, equal_values and cadence */
};

/* Zero-initialise; measures_scratch_free at the end. */
struct measures_scratch {
    uint64_t *keys;
    uint64_t *spare;
    size_t keys_capacity;
    size_t spare_capacity;
};

/* The measures of T-DAG `dag` (1..), whose row is `row`. Grows the scratch, never shrinks it. O(outputs + spends of its
 * transactions). */
enum status measures_of(struct measures_scratch *scratch, const struct forest *forest, const struct tdags *tdags,
                        uint32_t dag, const struct tdag_row *row, struct measures_row *measures) MUST_CHECK;
void measures_scratch_free(struct measures_scratch *scratch);

/* A T-DAG of so many transactions is measured beside something else where that can be: one thread does it alone. */
#define MEASURES_LARGE 4096u

/* The measures of such T-DAGs, which the caller fills in. Zero-initialise; measures_large_free at the end. */
struct measures_large {
    uint32_t *dags; /* in ascending order */
    struct measures_row *rows;
    uint32_t count;
};

/* Lists them, without their measures. STATUS_NOMEM. O(T-DAGs). */
enum status measures_large_list(const struct tdags *tdags, struct measures_large *large) MUST_CHECK;
/* NULL if the T-DAG is not in the list. O(log large T-DAGs). */
const struct measures_row *measures_large_of(const struct measures_large *large, uint32_t dag);
void measures_large_free(struct measures_large *large);

/* (*rows)[d - 1] is that of T-DAG d; the caller frees them with mem_free. The same for any number of threads. */
enum status measures_all(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                         unsigned threads, struct measures_row **rows, struct fault *fault) MUST_CHECK;

#endif
