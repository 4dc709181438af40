/* tables: the CSV files of `unktx dags`. */
#ifndef UNKTX_CLI_VIEWS_TABLES_H
#define UNKTX_CLI_VIEWS_TABLES_H

#include "classify/measures.h"
#include "classify/paper_class.h"
#include "cli/views/payments.h"
#include "cli/views/unlocks.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/opened_forest.h"
#include "cli/inputs/selection.h"
#include "cli/output/outfolder.h"

#define TABLES_FILES 5u

/* tdags.csv, classes.csv, txs.csv, arcs.csv and leaves.csv. Set the first four, which are borrowed; the rest zero.
 * tables_close at the end. */
struct tables_files {
    const struct opened_forest *opened;  /* with a selection */
    const struct measures_row *measures; /* what measures_all found; NULL: each T-DAG is measured as it is written */
    const struct paper_classes *paper;   /* tdags.csv and classes.csv have one column more; NULL: without */
    unsigned threads;
    struct outfile files[TABLES_FILES + 1]; /* the last has no name: measuring large T-DAGs writes nothing */
    struct outfile_syncing syncing;
    struct measures_large large;
};

/* Begins the files in the folder, writes txs.csv, arcs.csv and leaves.csv, and begins to make them durable. To write
 * leaves.csv goes through all outputs of T-DAGs, so it finds the known scripts in each too: *found, which labels_free
 * frees in any case. Without `measures` large T-DAGs are measured beside. */
enum status tables_begin(struct tables_files *files, struct outfolder *folder, struct labels *found,
                         struct fault *fault) MUST_CHECK;
/* After it, the others; then all five appear. With the sums of a payments that was written (NULL: without) tdags.csv
 * has two columns more; with the counts of an unlocks (NULL: without) tdags.csv and classes.csv have their shares. */
enum status tables_end(struct tables_files *files, const struct known_scripts_held *held,
                       const struct payments *payments, const struct unlocks *unlocks, struct fault *fault) MUST_CHECK;
void tables_close(struct tables_files *files);

/* What rows are made from one at a time, all borrowed. */
struct table_rows {
    const struct forest *forest;
    const struct tdags *tdags; /* with names */
    const struct catalogue *catalogue;
    const struct dag_labels *labels;     /* NULL: without the column of --labels */
    const struct unlock_counts *unlocks; /* of the T-DAG written; NULL: without the columns of them */
};

/* Append the row of a T-DAG to tdags.csv (without the columns that an index gives), of a transaction of a T-DAG to
 * txs.csv, and the rows of what is spent of its outputs to arcs.csv. `names` are the known scripts in the T-DAG.
 * STATUS_NOMEM. */
enum status tables_put_tdag(struct text *text, const struct table_rows *rows, uint32_t dag, const struct tdag_row *row,
                            const struct name_set *names, const struct measures_row *measures) MUST_CHECK;
enum status tables_put_tx(struct text *text, const struct table_rows *rows, uint32_t number, uint32_t depth) MUST_CHECK;
enum status tables_put_arcs(struct text *text, const struct table_rows *rows, uint32_t number) MUST_CHECK;

/* outfolder_check for these and summary.json, before the work for them begins. */
enum status tables_check(const struct outfolder *folder, struct fault *fault) MUST_CHECK;

#define CLASS_ID_TEXT (2 * CANON_ID_SIZE + 1)

/* The class id in hexadecimal, with a ? after it where the class is not exact. At most CLASS_ID_TEXT bytes. */
char *put_class_id(char *out, const uint8_t id[CANON_ID_SIZE], bool exact);

#endif
