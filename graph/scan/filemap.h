/* filemap: the header chain of a blocks folder, from what the store remembers of each blk file and, for files that
 * changed since, from the files. A second run thus reads only what grew.
 *
 * A file counts as unchanged when size and modification time are those of the last look, and that look was not in the
 * moments after the change: a file system's clock ticks slowly enough for a second change in the same tick. A changed
 * file is looked at anew as a whole: 88 bytes a block. A file that is gone (a pruned node) keeps its remembered
 * headers, so that the chain still links through blocks that the store already holds; such blocks cannot be read again.
 */
#ifndef UNKTX_GRAPH_SCAN_FILEMAP_H
#define UNKTX_GRAPH_SCAN_FILEMAP_H

#include "graph/scan/findings.h"
#include "graph/scan/ingest.h"
#include "parser/blkimage.h"
#include "parser/chain.h"

#define FILEMAP_GONE CHAIN_NONE /* chain_block.file of a block whose file is not there any more, or cannot be read */

/* The magic of the folder's blocks and the genesis block that goes with it. `chain` is --chain or NULL. STATUS_REFUSED
 * when --chain contradicts what the files hold; STATUS_NOT_FOUND when no file has a block record; STATUS_FORMAT when
 * the files have another XOR key than the folder (blkdir_check_key); STATUS_RESOURCES when this user may not read them
 * all (blkdir_check_access). Bytes of `image` are not read again; it may be NULL. O(first record of each file up to one
 * that has any), and one look at each file. */
enum status filemap_identify(const struct blkdir *dir, const char *chain, const struct blk_image *image,
                             uint8_t magic[4], struct hash256 *genesis, struct fault *fault) MUST_CHECK;

/* How the files are read from the first to the last, each as a whole, so that its blocks can be taken while it is in
 * memory. */
struct file_order {
    struct blk_image *image; /* of the file under work; that of the first one may be there already */
    uint32_t since;          /* a file that has not changed is read too if it has a block of that time or later */
    bool changed;            /* so is a file that the store remembers otherwise; else only its headers are */
    bool ended;              /* no further file is read so */
    uint32_t height;         /* of the last block that was taken, for who is told of the progress */
    /* The file's blocks are the chain's nodes from `first_node` on, which is not linked with them yet. */
    enum status (*on_file)(void *context, uint32_t first_node, struct fault *fault);
    void *context;
};

/* Adds every block of the folder to `chain`, in the order of the files, and remembers in the store what was found (it
 * commits in between where there is much). What is wrong in the files goes to `findings`; blocks of the BLAKE2b fork
 * are counted there and not added. `order` may be NULL: then of a file that has changed only the headers are read.
 * O(changed files). */
enum status filemap_load(const struct ingest_options *options, const struct blkdir *dir, const uint8_t magic[4],
                         struct store *store, struct chain *chain, struct findings *findings, struct file_order *order,
                         struct fault *fault) MUST_CHECK;

/* Has the next filemap_load look at a file again, whatever its size and time. What the store remembers of it stays
 * until then: its blocks are in the store, and are read again from their places. STATUS_OK too where nothing is
 * remembered of it. The caller commits. O(size of what is remembered). */
enum status filemap_doubt(struct store *store, uint32_t number, struct fault *fault) MUST_CHECK;

/* What the store remembers of the files, checked as far as it can be without them: records and gaps in order, apart and
 * inside their file, headers that meet their own targets, and for each block of the store whose header is there, that
 * header's parent and time are the store's. STATUS_FORMAT: the first violation. O(store). */
enum status filemap_check(const struct store *store, struct fault *fault) MUST_CHECK;

#endif
