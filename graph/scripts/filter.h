/* filter: T-DAGs left out by the scripts that their roots create (docs/model.md, section 5; the paper's section
 * V.E). */
#ifndef UNKTX_GRAPH_SCRIPTS_FILTER_H
#define UNKTX_GRAPH_SCRIPTS_FILTER_H

#include "graph/scripts/catalogue.h"
#include "graph/dag/forest.h"

struct filter; /* POSIX extended regular expressions over the asm of a script; opaque */

/* One pattern a line; empty lines and lines that begin with # are passed over. STATUS_FORMAT names the line and what
 * is wrong with it: no such expression, or a back-reference. */
enum status filter_read(const char *path, struct filter **filter, struct fault *fault) MUST_CHECK;
/* A filter whose patterns are the entries of a catalogue (which is borrowed) but for its protocols; reports name
 * them. */
enum status filter_known(const struct catalogue *catalogue, struct filter **filter, struct fault *fault) MUST_CHECK;
void filter_free(struct filter *filter);

/* True for a filter by filter_known. */
bool filter_is_known(const struct filter *filter);
size_t filter_count(const struct filter *filter);
/* The pattern's text, or the known script's name. */
const char *filter_pattern(const struct filter *filter, size_t i);

/* drop[d] = 1 + the first pattern (in file order) that matches an output, unknown in the rule set, of a root
 * transaction of T-DAG d; 0 for T-DAGs to keep. `drop` has tdags->count + 1 elements. Patterns see the first
 * SCRIPT_SIZE_MAX bytes of a script. On `threads` threads. O(scripts of roots * patterns). */
enum status filter_match(const struct filter *filter, const struct store *store, const struct forest *forest,
                         const struct tdags *tdags, unsigned threads, uint32_t *drop, struct fault *fault) MUST_CHECK;

#endif
