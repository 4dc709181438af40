/* tables_parts: what the rows of the tables of `unktx dags` are made of, shared by tables.c, which formats them, and
 * tables_files.c, which has them written. */
#ifndef UNKTX_CLI_VIEWS_TABLES_PARTS_H
#define UNKTX_CLI_VIEWS_TABLES_PARTS_H

#include "cli/inputs/opened_store.h"
#include "cli/views/tables.h"

/* Rows that one chunk formats: some 100 KiB of text, so that many fit into the caches and memory stays small. */
#define CHUNK_ROWS 1024u

static inline size_t tables_chunks(uint32_t rows) { return rows / CHUNK_ROWS + (rows % CHUNK_ROWS != 0); }

struct tables {
    const struct store *store;
    const struct forest *forest;
    const struct tdags *tdags;
    const struct catalogue *catalogue;
    const struct selection *selection;
    const struct dag_labels *labels;     /* NULL: without --labels */
    const struct payments *payments;     /* may be NULL */
    const struct unlocks *unlocks;       /* likewise */
    const struct paper_classes *paper;   /* likewise */
    const struct measures_row *measures; /* likewise: measured as rows are written, but for large T-DAGs */
    struct measures_large *large;        /* without `measures`: filled in beside the first three tables */
    const struct known_scripts_held *held;
    size_t names_size; /* of the longest list of known scripts */
    enum rules rules;
    /* of leaves.csv alone: */
    struct store_readers readers;
    struct matcher **matchers; /* by worker, as they are needed */
    struct labels *found;
};

/* outfile_table.format of each; `context` is a struct tables. That of leaves.csv formats a batch of the store, the
 * others CHUNK_ROWS rows, transactions or outputs. */
enum status tables_format_tdags(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;
/* Chunk i: the i-th large T-DAG is measured, and no row is written. */
enum status tables_measure_large(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;
enum status tables_format_classes(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;
enum status tables_format_txs(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;
enum status tables_format_arcs(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;
enum status tables_format_leaves(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
    MUST_CHECK;

#endif
