/* listed: files of an output folder that its datapackage.json tells of. A command that writes one file leaves them
 * alone, since the size, SHA-256 and rule set there would be those of another file.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_OUTPUT_LISTED_H
#define UNKTX_CLI_OUTPUT_LISTED_H

#include "cli/output/manifest.h"

/* STATUS_REFUSED if the file at the path, there or not, is told of by the manifest in its folder, or is that manifest
 * itself. A datapackage.json that is not unktx's protects nothing. */
enum status listed_refuse(const char *path, struct fault *fault) MUST_CHECK;

/* STATUS_REFUSED if the path is one that the run itself, of dags, writes into its output folder; `option` gave it. */
enum status listed_refuse_own(const char *path, const char *folder, const char *option, struct fault *fault) MUST_CHECK;

/* ---- who wrote them ---- */

/* The commands that write a folder, each also what those before it do, but ties and the forms of export only
 * their own. */
enum folder_maker { FOLDER_FLOWS, FOLDER_TIES, FOLDER_DAGS, FOLDER_ANALYZE, FOLDER_NEO4J, FOLDER_EDGES };

/* Whose files the manifest tells of: the last of them that one of these names belongs to. */
enum folder_maker listed_maker(const struct manifest *manifest);
/* "flows", "ties", "dags", "analyze", "export neo4j", "export edges": static strings. */
const char *listed_maker_name(enum folder_maker maker);
/* Is that a name that export gives? */
bool listed_is_of_export(const char *name);
/* Does that command write a file of this name, if not in every run? */
bool listed_may_make(enum folder_maker maker, const char *name);

#endif
