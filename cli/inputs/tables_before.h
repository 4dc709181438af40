/* tables_before: tdags.csv and txs.csv of an earlier run, as far as it takes to say what has changed since. Nothing in
 * them is trusted: what does not fit is refused. Thread rule: one thread; reading is parallel inside. */
#ifndef UNKTX_CLI_INPUTS_TABLES_BEFORE_H
#define UNKTX_CLI_INPUTS_TABLES_BEFORE_H

#include <stdbool.h>

#include "cli/output/outfolder.h"
#include "graph/dag/names.h"

struct tdag_before {
    struct hash256 first_txid;
    uint64_t txs;
    uint64_t nodes;
    uint64_t moved_value_sat;
    uint32_t rows; /* of txs.csv */
    uint8_t name_digits;
};

/* A row of txs.csv. */
struct tx_before {
    const char *txid; /* as it is there, ends with '\0' */
    uint32_t height;
    uint32_t dag;
};

/* Zero-initialise; tables_before_free in any case. */
struct tables_before {
    struct tdag_before *tdags; /* tdags[d - 1] is T-DAG d */
    size_t tdags_count;
};

/* Reads tdags.csv on `threads` threads. STATUS_FORMAT: it is not as unktx writes it; STATUS_IO, STATUS_NOT_FOUND.
 * O(size of the file); memory 64 bytes a T-DAG. */
enum status tables_before_read(const char *folder, unsigned threads, struct tables_before *before, struct fault *fault)
    MUST_CHECK;

/* Shows every row of txs.csv to `visit`, and counts the rows of each T-DAG. Rows come in order, but for jumps; `worker`
 * as in parallel_for. What `visit` returns but STATUS_OK ends the reading: STATUS_FORMAT for a txid that is none,
 * STATUS_NOMEM. STATUS_FORMAT also where the two tables do not belong together. */
typedef enum status tables_before_visit(void *context, unsigned worker, const struct tx_before *tx);
enum status tables_before_txs(const char *folder, unsigned threads, struct tables_before *before,
                              tables_before_visit *visit, void *context, struct fault *fault) MUST_CHECK;

/* Writes the name of T-DAG `dag` (1..) without a terminator, at most TDAG_NAME_MAX bytes; returns its end. */
char *tables_before_put_name(const struct tables_before *before, size_t dag, char *out);
void tables_before_free(struct tables_before *before);

/* Has the file `name` of the folder just this size and SHA-256 (64 digits)? False too where it cannot be read.
 * O(size), or O(1) where the size differs. */
bool tables_before_is(const char *folder, const char *name, uint64_t size, const char *sha256);

/* For a run that has made its own of these two tables: are those that lie in the folder the ones that its manifest
 * tells of, by their SHA-256? STATUS_REFUSED: one is not, or another table is not (outfolder_check_before), as where a
 * run was killed while it put them in place. *unchanged: both are, byte for byte, those of now. O(their size); one
 * thread for each. */
enum status tables_before_check(const struct outfolder *folder, unsigned threads, bool *unchanged, struct fault *fault)
    MUST_CHECK;

#endif
