/* explore_sought: the unknown outputs of a rule set that have an address, a public key, a hash or a script, as `unktx
 * find` finds them, and those with a script or an address that begins so. The last searches are kept.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_SOUGHT_H
#define UNKTX_CLI_VIEWS_EXPLORE_SOUGHT_H

#include "cli/views/explore.h"
#include "parser/address.h"

#define EXPLORE_SOUGHT_MAX 1000000u /* outputs that one search finds */
#define EXPLORE_BEGUN_MAX 10000u    /* of a beginning, an output once for each of its addresses */

/* An output by the beginning of its script, or of an address: its own, or one of a key or hash that it pushes. */
struct explore_begun {
    uint32_t output;
    char address[ADDRESS_SIZE_MAX + 1]; /* "": by its script */
};

/* What one search has found, in chain order. explore_found_free in any case. */
struct explore_found {
    uint32_t *outputs;
    uint32_t count;
    struct explore_begun *begun; /* none where there are outputs */
    uint32_t begun_count;
};
void explore_found_free(struct explore_found *found);

/* Can the word be looked for as a whole: an address with its checksum, or whole bytes in hexadecimal, 4 at least? */
bool explore_sought_fits(const char *word);
/* Or as the beginning of one of these? */
bool explore_sought_begins(const struct explore *explore, const char *word);
/* STATUS_BUSY: they are being looked for; STATUS_NOT_FOUND: the word is nothing that can be. */
enum status explore_sought_get(struct explore *explore, enum rules rules, const char *word, struct explore_found *found,
                               struct fault *fault) MUST_CHECK;
/* Waits for those that are being looked for, and frees all. */
void explore_sought_free(struct explore *explore);

#endif
