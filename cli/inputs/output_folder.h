/* output_folder: the folder of an earlier run, as a reading command meets it: its store, and the rule set and filters
 * of its tables, so that what is shown is what lies beside. */
#ifndef UNKTX_CLI_INPUTS_OUTPUT_FOLDER_H
#define UNKTX_CLI_INPUTS_OUTPUT_FOLDER_H

#include "cli/options.h"
#include "cli/output/manifest.h"

/* What the settings borrow afterwards. Zero-initialise; output_folder_free in any case. */
struct output_folder {
    char *store;
    char *path;               /* NULL: the store lies in no output folder */
    struct manifest manifest; /* of the folder */
};

/* Fills in what the command line leaves open for a command with these options (ends with NULL), if it reads a store:
 * --store (an output folder, the store in one, or another store; else unktx-out, else unktx-store), and where a
 * folder's tables are known, the rule set and filters, unless --rules is given; says on stderr which. STATUS_REFUSED: a
 * file of these filters is not what it was. */
enum status output_folder_apply(const struct option *const *options, struct settings *settings,
                                struct output_folder *folder, struct fault *fault) MUST_CHECK;
void output_folder_free(struct output_folder *folder);

#endif
