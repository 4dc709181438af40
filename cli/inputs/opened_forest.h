/* opened_forest: what a command about T-DAGs reads before it can select any. */
#ifndef UNKTX_CLI_INPUTS_OPENED_FOREST_H
#define UNKTX_CLI_INPUTS_OPENED_FOREST_H

#include "cli/inputs/dag_labels.h"
#include "cli/inputs/known_scripts.h"

struct opened_forest {
    struct catalogue catalogue;
    struct filter *filter; /* NULL for none; may borrow the catalogue */
    struct store *store;
    struct forest forest;
    struct selection selection;   /* empty; the command fills it */
    struct address_labels labels; /* of --labels */
    struct dag_labels dag_labels; /* empty; the command fills it */
};

/* Reads --known-scripts, --exclude-scripts and --labels, opens the store and loads its forest. Zero-initialise;
 * opened_forest_close in any case. */
enum status opened_forest_open(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
    MUST_CHECK;
/* The same in two steps, of which only the second takes long: all but the forest, then the forest. */
enum status opened_forest_begin(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
    MUST_CHECK;
enum status opened_forest_load(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
    MUST_CHECK;
void opened_forest_close(struct opened_forest *opened);

#endif
