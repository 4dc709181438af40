/* selector: which outputs a user asks for, by their scripts, kinds and values. A selector is one thread's; several may
 * share a catalogue. */
#ifndef UNKTX_GRAPH_SCRIPTS_SELECTOR_H
#define UNKTX_GRAPH_SCRIPTS_SELECTOR_H

#include "graph/scripts/catalogue.h"
#include "graph/store/record.h"

#define SELECTOR_NO_PROTOCOL "other" /* outputs of which no protocol is known */

/* All that is given must hold. Texts are borrowed; NULL: not asked for. */
struct selector_query {
    const char *script;   /* a POSIX extended regular expression that matches the asm */
    const char *template; /* all of the template */
    const char *known;    /* an entry of the catalogue */
    const char *protocol; /* as output_protocol_name has it, or SELECTOR_NO_PROTOCOL */
    unsigned kinds;       /* mask of enum kind; 0: any */
    uint64_t min_value_sat;
};

struct selector; /* opaque */

/* Borrows the catalogue; `seed` as for matcher_new. STATUS_REFUSED: no such expression, entry, or protocol, or what is
 * no template. */
enum status selector_new(const struct catalogue *catalogue, const uint8_t seed[16], const struct selector_query *query,
                         struct selector **selector, struct fault *fault) MUST_CHECK;
void selector_free(struct selector *selector); /* NULL is legal */

/* STATUS_OK: the output is asked for; STATUS_NOT_FOUND: it is not; STATUS_NOMEM. Patterns see the first
 * SCRIPT_SIZE_MAX bytes of a script. O(size). */
enum status selector_takes(struct selector *selector, const struct output_record *output) MUST_CHECK;

#endif
