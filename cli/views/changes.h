/* changes: what has become of the T-DAGs since the run before into the same folder: changes.csv. */
#ifndef UNKTX_CLI_VIEWS_CHANGES_H
#define UNKTX_CLI_VIEWS_CHANGES_H

#include "cli/inputs/selection.h"
#include "cli/output/outfolder.h"

/* Compares with the tables that lie in the folder, where they are of a run with the same rules and filters, writes
 * changes.csv, says the counts on stderr unless `quiet`, and leaves them in the folder for the report. T-DAGs are the
 * same where they have a transaction in common. Tables that cannot be read, or are not those that the manifest there
 * tells of, are told, and there is then no changes.csv. O(size of these tables), and O(log n) for each transaction that
 * is not where it was in the chain; memory: some 100 bytes a T-DAG of before. They are hashed first, and that is all
 * where they are byte for byte those of now. */
enum status changes_write(struct outfolder *folder, const struct forest *forest, const struct selection *selection,
                          bool quiet, unsigned threads, struct fault *fault) MUST_CHECK;

#endif
