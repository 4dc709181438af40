/* periods: the counts of a chain's blocks added up by day, month or year (UTC, by the time in the block header). */
#ifndef UNKTX_CLI_VIEWS_PERIODS_H
#define UNKTX_CLI_VIEWS_PERIODS_H

#include "cli/output/printer.h"
#include "graph/dag/forest.h"
#include "graph/store/store.h"

enum by { BY_TOTAL, BY_BLOCK, BY_DAY, BY_MONTH, BY_YEAR };

/* "total", "block", ...; BY_TOTAL for anything else. */
enum by by_parse(const char *name);

struct period {
    uint32_t key; /* sorts as the period does: height, yyyymmdd, yyyymm, yyyy */
    uint64_t blocks;
    uint64_t txs;
    uint64_t inputs;
    uint64_t outputs;
    uint64_t kind_count[KINDS];
    uint64_t kind_value_sat[KINDS];
    uint64_t unknown_txs[RULES];
};

/* Zero-initialise but for `by`; periods_free at the end. */
struct periods {
    enum by by;
    struct period *rows; /* by key */
    size_t count;
    size_t capacity;
};

uint32_t period_key(enum by by, const struct block_record *block);
/* The row of that key, a new one if there is none; NULL without memory. Valid until the next call. Header times are
 * nearly in order, so the place is near the end. */
struct period *periods_find(struct periods *periods, uint32_t key) MUST_CHECK;
void period_add(struct period *period, const struct block_counts *counts);
/* All blocks of the store, by day where all but the first lie within some three months (test networks may have block 0
 * years before the others), else by month. O(blocks). */
enum status periods_of_store(const struct store *store, const struct forest *forest, struct periods *periods,
                             struct fault *fault) MUST_CHECK;
void periods_free(struct periods *periods);

/* "total", a height, 2014-02-19, 2014-02 or 2014; at most PERIOD_TEXT bytes, no terminator. Returns the end. */
#define PERIOD_TEXT 32u
char *period_put(char *out, enum by by, uint32_t key);

/* A chart of the outputs of a kind in each period, with their sum, and in brackets a remark (NULL: none). With `link`
 * (of an address in HTML) each bar leads there, with its days after it, as 2014-02-01..2014-02-28. STATUS_NOMEM. */
enum status periods_put_kind(struct printer *printer, const struct periods *periods, enum kind kind, const char *remark,
                             const char *link) MUST_CHECK;
/* Rows of a table in HTML: the period, and its outputs of each kind that may be unknown: nonstandard, nulldata, pubkey,
 * multisig. With `link` each period leads there likewise. */
void periods_put_kind_rows(struct printer *printer, const struct periods *periods, const char *link);

#endif
