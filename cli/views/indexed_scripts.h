/* indexed_scripts: the scripts and witnesses of transactions of an index, from the blk files that it was made from.
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_VIEWS_INDEXED_SCRIPTS_H
#define UNKTX_CLI_VIEWS_INDEXED_SCRIPTS_H

#include "cli/views/tx_scripts.h"
#include "graph/index/tx_index.h"
#include "parser/blkfile.h"

/* Zero-initialised: nothing is asked for, and no transaction has scripts. */
struct indexed_scripts {
    struct tx_index *index;
    struct blkdir blk_files;
    struct blk_reader reader;
    struct tx_scripts of_tx;
    bool has_tx;  /* of_tx is the transaction's that indexed_scripts_find was last called with */
    bool missing; /* some transaction's were not there */
};

/* Borrows the index, which is that of the store's folder. Where the blk files are gone, stderr says so, and no
 * transaction has scripts. What fails is as status_ends_command. indexed_scripts_close in any case. */
enum status indexed_scripts_open(struct indexed_scripts *scripts, const char *store, struct tx_index *index, bool json,
                                 struct fault *fault) MUST_CHECK;
/* Reads a transaction. Where its bytes are not in the files, stderr says why. What fails is as above. O(its size). */
enum status indexed_scripts_find(struct indexed_scripts *scripts, const struct index_tx *tx, struct fault *fault)
    MUST_CHECK;
void indexed_scripts_close(struct indexed_scripts *scripts);

#endif
