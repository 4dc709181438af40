/* explore_sought: the unknown outputs of a rule set that have an address, a public key, a hash or a script, as `unktx
 * find` finds them. The last searches are kept.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_SOUGHT_H
#define UNKTX_CLI_VIEWS_EXPLORE_SOUGHT_H

#include "cli/views/explore.h"

#define EXPLORE_SOUGHT_MAX 1000000u /* outputs that one search finds */

/* Can the word be looked for so: an address with its checksum, or whole bytes in hexadecimal, 4 at least? */
bool explore_sought_fits(const char *word);
/* A search that is done. STATUS_BUSY: it is under way; STATUS_NOT_FOUND: the word is nothing that can be looked for.
 * explore_sought_leave when it is no longer needed. */
enum status explore_sought_get(struct explore *explore, enum rules rules, const char *word,
                               struct explore_sought **sought, struct fault *fault) MUST_CHECK;
struct explore_sought_outputs {
    const uint32_t *at; /* ordinals, in chain order */
    uint32_t count;
};
struct explore_sought_outputs explore_sought_outputs(const struct explore_sought *sought);
void explore_sought_leave(struct explore *explore, struct explore_sought *sought);
/* Waits for those that are being looked for, and frees all. */
void explore_sought_free(struct explore *explore);

#endif
