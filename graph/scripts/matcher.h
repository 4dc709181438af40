/* matcher: which entries of a catalogue a script is.
 *
 * Most outputs of a chain share a few templates, so what follows from the template alone is worked out once and kept
 * in a small cache, under a keyed hash: regexec runs for a new template, and over the asm of a script whose template
 * does not rule an entry out.
 *
 * Of a script of more than SCRIPT_SIZE_MAX bytes, which can never be spent, patterns over the asm see the first so
 * many bytes; of a template that is cut (see script_template), patterns over the template see what is left.
 *
 * Thread rule: a matcher is one thread's; several may share a catalogue. Memory: some hundred KiB, whatever is matched.
 */
#ifndef UNKTX_GRAPH_SCRIPTS_MATCHER_H
#define UNKTX_GRAPH_SCRIPTS_MATCHER_H

#include "graph/scripts/catalogue.h"
#include "parser/opcode.h"

struct matcher; /* opaque */

/* `seed` is secret, so that no chain can make two templates look alike. Borrows the catalogue. */
enum status matcher_new(const struct catalogue *catalogue, const uint8_t seed[16], struct matcher **matcher,
                        struct fault *fault) MUST_CHECK;
void matcher_free(struct matcher *matcher); /* NULL is legal */

/* Adds to `found` the entries that the script is; those that are there already are not looked for. O(size) for a
 * template in the cache that decides, else O(size * entries). */
void matcher_match(struct matcher *matcher, enum kind kind, const uint8_t *script, size_t size, struct name_set *found);

/* The same for a script that an output hid: entries that are of such scripts only count too. There are many of them,
 * so keys are not looked at, nor whether anyone can spend a script that has an operation for signatures. Nor is that
 * known of a tap script, which is run by other rules (BIP 342); of a leaf version other than theirs nothing is. */
void matcher_match_hidden(struct matcher *matcher, const struct hidden_script *script, struct name_set *found);

#endif
