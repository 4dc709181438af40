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
/* The outputs, to be freed. STATUS_BUSY: they are being looked for; STATUS_NOT_FOUND: the word is nothing that can
 * be. */
enum status explore_sought_get(struct explore *explore, enum rules rules, const char *word, uint32_t **outputs,
                               uint32_t *count, struct fault *fault) MUST_CHECK;
/* Waits for those that are being looked for, and frees all. */
void explore_sought_free(struct explore *explore);

#endif
