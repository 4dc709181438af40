/* dump_plan: which files a partitioned dump consists of, and which of them are there already.
 *
 * Where a file ends depends on the blocks up to there alone: not on the tip, so that only the last file of a table
 * grows with the chain, nor on the number of threads.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_VIEWS_DUMP_PLAN_H
#define UNKTX_CLI_VIEWS_DUMP_PLAN_H

#include "cli/output/partitions.h"
#include "cli/views/dump_readers.h"

/* Fills in the files of each table that has a schema, blocks first .. end - 1, by partitions->rule: so many blocks a
 * file, counted from the genesis block; or as many blocks as have no more rows than that, at least one. STATUS_LIMIT:
 * more files than PARTITIONS_MAX. O(files) look-ups, by rows O(blocks). */
enum status dump_plan_make(struct tx_index *index, uint32_t first, uint32_t end, struct partitions *plan,
                           struct fault *fault) MUST_CHECK;

/* Marks as whole what an earlier dump, `before`, has made of the same rows, as far as its files in the folder have the
 * size that it tells. Rows of transactions and inputs follow from their blocks, which the hash of a file's last block
 * vouches for. Those of outputs also tell what spends them: a file stays if none of its outputs is spent by a block
 * that came or went since. Rows of blocks tell their place in the blk files, which may be another at any time: none is
 * marked. O(files + inputs of the blocks that came). */
enum status dump_plan_keep(struct tx_index *index, const char *folder, const struct partitions *before,
                           struct partitions *plan, struct fault *fault) MUST_CHECK;

/* Does the folder have the file, with that size? */
bool dump_plan_has(const char *folder, const struct partition *file);

#endif
