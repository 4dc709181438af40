/* node_blocks: what scan and index, which read a node's blk files, have in common. */
#ifndef UNKTX_CLI_INPUTS_NODE_BLOCKS_H
#define UNKTX_CLI_INPUTS_NODE_BLOCKS_H

#include "cli/options.h"
#include "cli/output/progress.h"
#include "cli/output/text.h"
#include "graph/scan/ingest.h"
#include "parser/blkfile.h"
#include "parser/hash256.h"
#include "parser/status.h"

/* Where a scan begins: --partial and --from-height. */
extern const struct option option_partial, option_begin_height;
/* In which order scan and index read the disk. */
extern const struct option option_sequential, option_no_sequential;

struct node_blocks {
    const struct settings *settings;
    struct progress progress;
    char *datadir;
    struct hash256 hash;
    const struct hash256 *tip; /* of --tip: NULL for the best one */
    uint8_t key[XOR_KEY_SIZE];
    const uint8_t *xor_key; /* of --xor-key: NULL for xor.dat's */
};

/* What a command does with them; the progress has begun, and the work ends it. Returns the exit status. */
typedef int node_blocks_work(struct node_blocks *blocks);

/* EXIT_DONE, or EXIT_USAGE after saying which option is no good; no file is looked at. For who has more to do first. */
int node_blocks_check_options(const struct settings *settings);

/* The folder of --tmp is there and can be written to: for who has more to do first. */
enum status node_blocks_check_tmp(const struct settings *settings, struct fault *fault) MUST_CHECK;

/* Does the work with what --datadir and --tip say, and returns its exit status; or says what is wrong with them. */
int node_blocks_run(const struct settings *settings, node_blocks_work *work);

/* The chain of the index in a store's folder, in `found`; NULL where there is none, or only a genesis block. What
 * cannot be read is passed over: `unktx check` tells of it. */
const struct other_chain *node_blocks_of_index(const char *folder, struct other_chain *found);

/* STATUS_FORMAT where the store and the index in the folder have only the genesis block in common, as could be before
 * that was refused. */
enum status node_blocks_of_one_chain(const char *folder, struct fault *fault) MUST_CHECK;

/* What the user would have typed for a scan or an analyze of the same files, up to where --partial would come.
 * STATUS_NOMEM. */
enum status node_blocks_put_command(const struct settings *settings, struct text *text) MUST_CHECK;

/* Of --sequential and --no-sequential. */
enum ingest_order node_blocks_order(const struct settings *settings);

/* The key of --xor-key, NULL for xor.dat's; false after saying what is wrong with it. */
bool node_blocks_key(const struct settings *settings, uint8_t key[XOR_KEY_SIZE], const uint8_t **given);

/* At the end of a command: what has been said is forgotten, and its memory freed. */
void node_blocks_forget(void);

/* Notes in the store where the blk files are, after a run that ended with `status`: STATUS_OK, or STATUS_INTERRUPTED
 * after something was taken from them (`goes_on`). Returns `status`, or why the note could not be written. */
enum status node_blocks_remember(const struct node_blocks *blocks, enum status status, bool goes_on,
                                 struct fault *fault) MUST_CHECK;

/* Callbacks of both; `context` is the struct node_blocks. Once the store is open, what it is made from is noted if
 * nothing was, so that an interrupted run goes on without --datadir. What has been said in this command is not said
 * again: analyze looks at the same files twice. One thread at a time. */
enum status node_blocks_opened(void *context, struct fault *fault);
void node_blocks_damage(void *context, const struct fault *what);
void node_blocks_message(void *context, const char *text);

/* The exit status of a command that is done; says how many places were damaged. */
int node_blocks_result(uint64_t damages);

#endif
