/* sequential: a scan in one pass over the blk files (file_pass.h), for a disk that takes long to go elsewhere.
 *
 * 1. The pipeline of every scan takes what lies some blocks below the best tip so far.
 * 2. When all files are read the scan goes on as any other: with all headers known it says what is wrong, takes back
 *    what turns out to be of no use, without a word, and takes the rest.
 * 3. So the result is that of any other scan. Blocks taken too early cost time.
 *
 * A file that the store remembers is read so where it may have blocks that the store has not. A block that is not in
 * memory is read from its place in the files; so are all after a damaged one. A partial store, whose first block is
 * known only at the end, is not read so.
 *
 * Memory: a file of up to 256 MiB, and 768 MiB for blocks that wait and are brought back. Thread rule: as ingest.h. */
#ifndef UNKTX_GRAPH_SCAN_SEQUENTIAL_H
#define UNKTX_GRAPH_SCAN_SEQUENTIAL_H

#include "graph/scan/ingest_parts.h"

/* Before anything is read, with ingest->dir: decides by options->order, and for a store without blocks reads the first
 * file, so that what tells the network and the key is not read by itself. */
enum status sequential_prepare(struct ingest *ingest) MUST_CHECK;
/* Before the headers are read, with the store: prepares ingest->pass.order for best_chain_find. */
enum status sequential_begin(struct ingest *ingest) MUST_CHECK;
/* After that ended with `status`, which is returned if nothing else goes wrong: takes back what is not on the chain,
 * and all that was taken where the scan is refused. */
enum status sequential_end(struct ingest *ingest, enum status status) MUST_CHECK;

#endif
