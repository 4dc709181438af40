/* command: what a command of unktx is: a row in the table of commands.c. One command a file; its options are rows of a
 * table that drives parsing, help and completion alike.
 *
 * A command returns an exit status and prints its data through outfile.h, all else through message.h. */
#ifndef UNKTX_CLI_COMMAND_H
#define UNKTX_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/output/message.h"
#include "cli/output/schema.h"

#define UNKTX_VERSION "0.1.0"

struct command {
    const char *name;
    const char *operands; /* for the usage line, "" when there are none */
    const char *summary;  /* one line */
    const char *details;  /* what --help prints under the options; may be NULL */
    size_t operands_min;
    size_t operands_max;
    const struct option *const *options;      /* ends with NULL */
    const struct table_schema *const *tables; /* whose columns --help names; ends with NULL; may be NULL */
    int (*run)(const struct settings *settings);
    bool hidden; /* not in the list of commands, since programs alone call it */
};

/* Runs a command with the words after its name; returns the exit status. */
int commands_run(const struct command *command, int argc, char **argv);

/* Every command, in the order of `unktx --help`; ends with NULL. */
extern const struct command *const commands[];

extern const struct command command_analyze;
extern const struct command command_blocks;
extern const struct command command_check;
extern const struct command command_completion;
extern const struct command command_columns;
extern const struct command command_compare;
extern const struct command command_dags;
extern const struct command command_dump;
extern const struct command command_explore;
extern const struct command command_export;
extern const struct command command_find;
extern const struct command command_flows;
extern const struct command command_hidden;
extern const struct command command_index;
extern const struct command command_keys;
extern const struct command command_outputs;
extern const struct command command_report;
extern const struct command command_scan;
extern const struct command command_show;
extern const struct command command_stats;
extern const struct command command_templates;
extern const struct command command_ties;
extern const struct command command_travel;
extern const struct command command_tx;
extern const struct command command_unlocks;

#endif
