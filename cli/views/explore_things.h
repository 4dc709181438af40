/* explore_things: the keys, hashes and preimages of a rule set by what they begin with.
 *
 * Thread rule: what is ordered is only read. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_THINGS_H
#define UNKTX_CLI_VIEWS_EXPLORE_THINGS_H

#include "cli/views/explore_shown.h"

/* Puts them in order, for explore_shown; memory: 4 bytes for each and, for a while, 32 for those that begin with the
 * same byte. O(their bytes). */
enum status explore_things_order(struct explore_shown *shown, struct fault *fault) MUST_CHECK;

static inline const struct evidence *explore_thing_piece(const struct explore_shown *shown, uint32_t thing)
{
    return &shown->evidence.pieces.at[thing];
}

/* A thing in hexadecimal, a key in its compressed form: at most EXPLORE_THING_SIZE bytes with the end. */
#define EXPLORE_THING_SIZE (2u * EVIDENCE_SIZE_MAX + 1)
void explore_thing_text(const struct explore_shown *shown, uint32_t thing, char out[EXPLORE_THING_SIZE]);

/* Calls `take` with those of a kind (EVIDENCE_KEY, _HASH or _PREIMAGE) that begin with these hexadecimal digits in
 * either case, at least EXPLORE_DIGITS_MIN and at most TARGET_MAX, of a key in either form; at most `most` times. One
 * that has no more digits comes first. O(log n + most); of keys that begin alike but for their first byte
 * EXPLORE_LOOKED_AT_MAX are looked at. */
#define EXPLORE_DIGITS_MIN 8u
#define EXPLORE_LOOKED_AT_MAX 65536u
typedef void explore_thing_take(void *context, uint32_t thing);
void explore_things_find(const struct explore_shown *shown, enum evidence_kind kind, const char *word, uint32_t most,
                         explore_thing_take *take, void *context);

#endif
