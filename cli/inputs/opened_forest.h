/* study: what a command about T-DAGs reads before it can select any. */
#ifndef UNKTX_CLI_STUDY_H
#define UNKTX_CLI_STUDY_H

#include "cli/inputs/known_scripts.h"

struct study {
    struct catalogue catalogue;
    struct filter *filter; /* NULL for none; may borrow the catalogue */
    struct store *store;
    struct forest forest;
    struct selection selection; /* empty; the command fills it */
};

/* Reads --scripts and --exclude-scripts, opens the store and loads its forest. Zero-initialise; study_close in
 * any case. */
enum status study_open(const struct settings *settings, struct study *study, struct fault *fault) MUST_CHECK;
void study_close(struct study *study);

#endif
