/* output_folder: the folder of an earlier run, as a reading command meets it: its store, and the rule set, filters and
 * last block of its tables, so that what is shown is what lies beside. */
#ifndef UNKTX_CLI_INPUTS_OUTPUT_FOLDER_H
#define UNKTX_CLI_INPUTS_OUTPUT_FOLDER_H

#include "cli/options.h"
#include "cli/output/manifest.h"
#include "graph/store/store.h"

/* What the settings borrow afterwards. Zero-initialise; output_folder_free in any case. */
struct output_folder {
    char *store;
    char *path;                          /* NULL: the store lies in no output folder */
    const struct option *const *options; /* of the command */
    struct manifest manifest;            /* of the folder */
    char dag[HASH256_HEX_SIZE + 1];      /* what --dag stands for, see output_folder_apply */
    uint64_t dag_number;                 /* the number that was given in its place; 0: none */
};

/* Fills in what the command line leaves open for a command with these options (ends with NULL), if it has --store: the
 * store that is meant (store_place.h), and for one that reads it, where a folder's tables are known, the rule set and
 * filters, unless --rules is given; settings->tables is then the folder. A command that makes a store says where,
 * where it takes an output folder by itself. Where the tables have only some T-DAGs, or were made with --compress or
 * --exclude-scripts, which the command does not have, a number for --dag is that of their row. STATUS_REFUSED: a file
 * of these filters is not what it was; STATUS_NOT_FOUND: no such row; and as store_place_find and tables_before_read.
 */
enum status output_folder_apply(const struct option *const *options, struct settings *settings,
                                struct output_folder *folder, struct fault *fault) MUST_CHECK;
/* What a search for settings->dag ended with, in T-DAGs up to that block: where --dag was the number of a row, and it
 * was not found, the fault says so with this number. Returns `status`. */
enum status output_folder_tell_number(const struct settings *settings, uint32_t last_block, enum status status,
                                      struct fault *fault) MUST_CHECK;
void output_folder_free(struct output_folder *folder);

/* For a store that was just opened for settings->tables: where a command that only reads would go further than these
 * tables do, *height becomes that of their last block, unless --rules or --to-height is given or the rule set is
 * hidden. Keeps for message_before_answer what was taken from the folder, or in what the answer differs from its
 * tables. */
enum status output_folder_settle(const struct settings *settings, const struct store *store, uint32_t *height,
                                 struct fault *fault) MUST_CHECK;

/* The height that it would make of settings->to_height, for a store of the same chain; that one without
 * settings->tables. Says nothing. */
enum status output_folder_height(const struct settings *settings, const struct store *store, uint32_t *height,
                                 struct fault *fault) MUST_CHECK;

/* Is that block in the store's chain? O(log n + a batch's blocks). */
enum status output_folder_has_block(const struct store *store, uint32_t height, const struct hash256 *hash,
                                    bool *has_block, struct fault *fault) MUST_CHECK;

#endif
