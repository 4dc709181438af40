/* output_protocol: the protocol that wrote an output, by name: of a nulldata output the first entry of the catalogue
 * that it is and that names what stands after OP_RETURN, of all others what parser/protocol.h finds. Where a protocol
 * writes into both, both have one name. */
#ifndef UNKTX_GRAPH_SCRIPTS_OUTPUT_PROTOCOL_H
#define UNKTX_GRAPH_SCRIPTS_OUTPUT_PROTOCOL_H

#include "graph/scripts/matcher.h"
#include "graph/store/record.h"

struct output_protocol {
    enum protocol protocol; /* PROTOCOL_NONE of nulldata */
    size_t entry;           /* of nulldata: its place in the catalogue; CATALOGUE_MAX: none */
};

/* The matcher is one of the catalogue. `output` has a script. O(size). */
struct output_protocol output_protocol_of(struct matcher *matcher, const struct catalogue *catalogue,
                                          const struct output_record *output);
/* "" where there is none. Borrowed from the catalogue. */
const char *output_protocol_name(const struct catalogue *catalogue, const struct output_protocol *protocol);
/* True if some output can have that name. O(entries). */
bool output_protocol_exists(const struct catalogue *catalogue, const char *name);

#endif
