/* prefix: the first hexadecimal digits of a txid or another id, in place of all of it, where no other begins alike. */
#ifndef UNKTX_CLI_INPUTS_PREFIX_H
#define UNKTX_CLI_INPUTS_PREFIX_H

#include "cli/output/text.h"
#include "graph/dag/forest.h"
#include "graph/index/tx_index.h"

/* What is shorter is more likely to be a slip. */
#define PREFIX_MIN 4u

struct prefix {
    char digits[HASH256_HEX_SIZE + 1]; /* in lower case */
    size_t size;
};

/* Reads the first `size` bytes of `word`: PREFIX_MIN to 64 hexadecimal digits in either case; false for anything
 * else. */
bool prefix_parse(const char *word, size_t size, struct prefix *prefix);
/* Does the id in hexadecimal begin with it? `id` has at least 64 digits or is terminated. */
static inline bool prefix_is_of(const struct prefix *prefix, const char *id)
{
    return strncmp(id, prefix->digits, prefix->size) == 0;
}
bool prefix_is_of_txid(const struct prefix *prefix, const struct hash256 *txid);

/* What begins with a prefix, met one by one. Zero-initialise. */
struct prefix_matches {
    uint64_t count;    /* of different ones */
    struct text names; /* the first few, as "ID, ID" */
};
/* Takes in one more, told as `name`. STATUS_NOMEM. */
enum status prefix_add(struct prefix_matches *matches, const char *name) MUST_CHECK;
/* STATUS_OK where there was exactly one, else STATUS_NOT_FOUND or STATUS_REFUSED with what was met; `what` is the
 * plural of what was looked for. Frees what was taken in. */
enum status prefix_require_one(struct prefix_matches *matches, const struct prefix *prefix, const char *what,
                               struct fault *fault) MUST_CHECK;

/* The txid that begins with the prefix, of the stored transactions or of all in the index. O(transactions). */
enum status prefix_find_stored(const struct prefix *prefix, const struct forest *forest, struct hash256 *txid,
                               struct fault *fault) MUST_CHECK;
enum status prefix_find_indexed(const struct prefix *prefix, struct tx_index *index, struct hash256 *txid,
                                struct fault *fault) MUST_CHECK;

#endif
