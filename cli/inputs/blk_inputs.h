/* blk_inputs: the blk files that operands name, with what is in each; no chain is needed.
 *
 * Ownership: blk_inputs own their folders and scans; blk_inputs_free at the end, also after a failure. Thread rule: one
 * thread. */
#ifndef UNKTX_CLI_INPUTS_BLK_INPUTS_H
#define UNKTX_CLI_INPUTS_BLK_INPUTS_H

#include "cli/options.h"
#include "parser/blkfile.h"

/* One file. */
struct blk_input {
    const struct blkdir *dir;
    size_t index;      /* in dir */
    const char *shown; /* its base name where no two files have the same, else its path */
    struct blk_scan scan;
    uint64_t last_repeated; /* offset of its last record that is in the files at an earlier place too: the caller's */
    enum status status;     /* of the scan */
    struct fault fault;
};

/* Zero-initialise. */
struct blk_inputs {
    struct blkdir *dirs;
    size_t dirs_count;
    struct blk_input *list; /* in the order of the operands, then of the files */
    size_t count;
};

/* Lists the files of each operand: a data directory, a blocks folder or a single file. `key` is that of --xor-key or
 * NULL. As blkdir_open_any, blkdir_check_access and blkdir_check_key. */
enum status blk_inputs_open(const struct settings *settings, const uint8_t *key, struct blk_inputs *inputs,
                            struct fault *fault) MUST_CHECK;

/* Scans all. One file of several that cannot be read is damage, the only one is STATUS_IO. */
enum status blk_inputs_scan(struct blk_inputs *inputs, unsigned threads, struct fault *fault) MUST_CHECK;

/* Names on stderr what is wrong in the files of each folder, and adds how much to *damages. */
enum status blk_inputs_report(const struct blk_inputs *inputs, uint64_t *damages, struct fault *fault) MUST_CHECK;
void blk_inputs_free(struct blk_inputs *inputs);

#endif
