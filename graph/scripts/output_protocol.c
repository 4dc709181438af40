#include "graph/scripts/output_protocol.h"

#include <string.h>

static size_t first_entry(struct matcher *matcher, const struct catalogue *catalogue,
                          const struct output_record *output)
{
    struct name_set found = {{0}};
    matcher_match(matcher, output->kind, output->script, output->script_size, &found);
    size_t first = name_set_first(&found);
    while (first < CATALOGUE_MAX && !catalogue_is_protocol(catalogue, first)) {
        name_set_remove(&found, first);
        first = name_set_first(&found);
    }
    return first;
}

struct output_protocol output_protocol_of(struct matcher *matcher, const struct catalogue *catalogue,
                                          const struct output_record *output)
{
    struct output_protocol found = {PROTOCOL_NONE, CATALOGUE_MAX};
    if (output->kind == KIND_NULLDATA)
        found.entry = first_entry(matcher, catalogue, output);
    else
        found.protocol = protocol_of_output(output->protocol, output->kind, output->script, output->script_size);
    return found;
}

const char *output_protocol_name(const struct catalogue *catalogue, const struct output_protocol *protocol)
{
    return protocol->entry < catalogue->count ? catalogue->entries[protocol->entry].name
                                              : protocol_name(protocol->protocol);
}

bool output_protocol_exists(const struct catalogue *catalogue, const char *name)
{
    bool found = false;
    for (unsigned p = PROTOCOL_NONE + 1; p < PROTOCOLS; p++)
        found = found || strcmp(protocol_name((enum protocol)p), name) == 0;
    size_t entry = catalogue_find(catalogue, name);
    return found || (entry < CATALOGUE_MAX && catalogue_is_protocol(catalogue, entry));
}
