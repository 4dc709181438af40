/* provenance: what the tables of a run are made of, as their manifest tells it (output/datapackage.h). */
#ifndef UNKTX_CLI_INPUTS_PROVENANCE_H
#define UNKTX_CLI_INPUTS_PROVENANCE_H

#include "cli/options.h"
#include "cli/output/datapackage.h"
#include "graph/dag/forest.h"
#include "graph/store/store.h"

/* What the command line says: the rule set, and the hashes of the files that it names. Borrows the settings' texts and
 * `version`; provenance_free in any case. STATUS_NOT_FOUND, STATUS_IO: a file cannot be read. */
enum status provenance_of_settings(const struct settings *settings, const char *version,
                                   struct datapackage_provenance *provenance, struct fault *fault) MUST_CHECK;

void provenance_free(struct datapackage_provenance *provenance);

/* Adds what the store says. */
void provenance_add_store(struct datapackage_provenance *provenance, const struct store *store,
                          const struct forest *forest);

#endif
