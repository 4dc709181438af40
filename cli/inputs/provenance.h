/* origin: what the tables of a run are made of, as their manifest tells it (output/datapackage.h). */
#ifndef UNKTX_CLI_INPUTS_PROVENANCE_H
#define UNKTX_CLI_INPUTS_PROVENANCE_H

#include "cli/options.h"
#include "cli/output/datapackage.h"
#include "graph/dag/forest.h"
#include "graph/store/store.h"

/* The SHA-256 of a file, in hexadecimal. STATUS_IO. O(its size). */
enum status origin_hash_file(const char *path, char hex[DATAPACKAGE_HEX], struct fault *fault) MUST_CHECK;

/* What the command line says: the rule set, and the hashes of the files that it names. The origin borrows the settings'
 * texts and `version`. STATUS_IO: a file cannot be read. */
enum status origin_of_settings(const struct settings *settings, const char *version, struct datapackage_origin *origin,
                               struct fault *fault) MUST_CHECK;

/* Adds what the store says. */
void origin_add_store(struct datapackage_origin *origin, const struct store *store, const struct forest *forest);

#endif
