/* intake: what scan and index, which read a node's blk files, begin and end with. */
#ifndef UNKTX_CLI_INTAKE_H
#define UNKTX_CLI_INTAKE_H

#include "cli/options.h"
#include "parser/hash256.h"
#include "parser/status.h"

struct intake {
    char *datadir;
    struct hash256 hash;
    const struct hash256 *tip; /* of --tip: NULL for the best one */
};

/* What --datadir and --tip say. After another exit status than EXIT_DONE, what is wrong has been said. */
int intake_begin(const struct settings *settings, struct intake *intake);
void intake_end(struct intake *intake);

/* Callbacks of both; `context` is the struct progress. */
void intake_damage(void *context, const struct fault *what);
void intake_note(void *context, const char *text);

/* The exit status of a command that is done; says how many places were damaged. */
int intake_result(uint64_t damages);

#endif
