/* index_blocks: the blk files that a store and its index were made from, for what these leave there: scripts and
 * witnesses. `unktx scan` and `unktx index` note their folder, and the key of --xor-key, in the file `blocks-folder` in
 * the store. */
#ifndef UNKTX_CLI_INPUTS_INDEX_BLOCKS_H
#define UNKTX_CLI_INPUTS_INDEX_BLOCKS_H

#include "cli/options.h"
#include "graph/index/tx_index.h"
#include "parser/blkfile.h"

/* The data directory that --datadir names; without it, and without --chain, the blocks folder that was noted in the
 * store if it is still there; else ~/.bitcoin. Owned by the caller. *has_key: a key was noted with that folder.
 * STATUS_REFUSED without a HOME. */
enum status index_blocks_datadir(const struct settings *settings, char **datadir, uint8_t key[XOR_KEY_SIZE],
                                 bool *has_key, struct fault *fault) MUST_CHECK;

/* Notes the blocks folder that `datadir` and `chain` lead to, and its XOR key unless that is NULL. */
enum status index_blocks_remember(const char *store, const char *datadir, const char *chain, const uint8_t *xor_key,
                                  struct fault *fault) MUST_CHECK;

/* Likewise if nothing was noted yet: for the beginning of a run, which may be interrupted. A folder that takes the
 * place of another is noted once it is known to be of the store's chain. */
enum status index_blocks_remember_first(const char *store, const char *datadir, const char *chain,
                                        const uint8_t *xor_key, struct fault *fault) MUST_CHECK;

/* Opens the folder that was noted. STATUS_NOT_FOUND: none was, or it is gone. STATUS_FORMAT: its xor.dat is no key. */
enum status index_blocks_open(const char *store, struct blkdir *dir, struct fault *fault) MUST_CHECK;

/* No output of this command replaces anything in that folder. `store` may be NULL, or without a note. STATUS_NOMEM. */
enum status index_blocks_protect(const char *store, struct fault *fault) MUST_CHECK;

/* blk_read of bytes that were there in an earlier run: STATUS_NOT_FOUND where the file is gone (a pruned node), is no
 * file any more or ends before them, so that STATUS_IO is only what the operating system or the disk refuses. */
enum status index_blocks_bytes(struct blk_reader *reader, const struct blkdir *dir, size_t file, uint64_t offset,
                               size_t size, const uint8_t **bytes, struct fault *fault) MUST_CHECK;

/* The place in dir->files of the file of that number; false if it is not there. O(log n). */
bool index_blocks_file(const struct blkdir *dir, uint32_t number, size_t *index);

/* The bytes of a transaction, from the files; borrowed until the next call with the reader. STATUS_NOT_FOUND
 * where their file is gone, or shorter than it was; that they are this transaction's is not looked at. O(size). */
enum status index_blocks_tx(struct blk_reader *reader, const struct blkdir *dir, struct tx_index *index,
                            const struct index_tx *tx, const uint8_t **bytes, struct fault *fault) MUST_CHECK;
/* STATUS_FORMAT: the bytes of index_blocks_tx are not this transaction's. */
enum status index_blocks_other(const struct blkdir *dir, const struct index_tx *tx, struct fault *fault) MUST_CHECK;

/* The script of an output, from the files; borrowed until the next call with the reader. STATUS_NOT_FOUND as
 * above; STATUS_FORMAT where the transaction is not at its place: the node has other files now.
 * O(size of the transaction). */
enum status index_blocks_script(struct blk_reader *reader, const struct blkdir *dir, struct tx_index *index,
                                const struct index_tx *tx, uint32_t vout, const uint8_t **script, uint32_t *size,
                                struct fault *fault) MUST_CHECK;

#endif
