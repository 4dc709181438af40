/* node_blocks: what scan and index, which read a node's blk files, begin and end with. */
#ifndef UNKTX_CLI_INPUTS_NODE_BLOCKS_H
#define UNKTX_CLI_INPUTS_NODE_BLOCKS_H

#include "cli/options.h"
#include "parser/hash256.h"
#include "parser/status.h"

struct node_blocks {
    char *datadir;
    struct hash256 hash;
    const struct hash256 *tip; /* of --tip: NULL for the best one */
};

/* What --datadir and --tip say. After another exit status than EXIT_DONE, what is wrong has been said. */
int node_blocks_begin(const struct settings *settings, struct node_blocks *blocks);
void node_blocks_end(struct node_blocks *blocks);

/* Callbacks of both; `context` is the struct progress. */
void node_blocks_damage(void *context, const struct fault *what);
void node_blocks_note(void *context, const char *text);

/* The exit status of a command that is done; says how many places were damaged. */
int node_blocks_result(uint64_t damages);

#endif
