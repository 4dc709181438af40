/* gexf: for graphfile.c alone: the parts of a GEXF 1.3 file (gexf.net): nodes have a start in time, a place and a size,
 * arcs a start. */
#ifndef UNKTX_CLI_VIEWS_GEXF_H
#define UNKTX_CLI_VIEWS_GEXF_H

#include "cli/views/graphfile.h"

/* `first_height` above 0: of a partial store, whose nodes have maybe_root. */
enum status gexf_begin(struct text *text, const char *title, uint32_t first_height) MUST_CHECK;
/* `id` is the node's, `hex` its txid. */
enum status gexf_node(struct text *text, const struct graphfile_node *node, const char *id, const char *hex,
                      bool is_partial) MUST_CHECK;
enum status gexf_begin_arcs(struct text *text) MUST_CHECK;
/* `from` and `to` are ids of nodes. */
enum status gexf_arc(struct text *text, const struct graphfile_arc *arc, const char *from, const char *to) MUST_CHECK;
enum status gexf_end(struct text *text) MUST_CHECK;

/* By place among the T-DAG's transactions: its level, from 1, and its place in that, from 0. Free with mem_free.
 * STATUS_NOMEM. O(arcs * log(transactions)). */
struct gexf_place {
    uint32_t level;
    uint32_t in_level;
};
enum status gexf_places(const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                        struct gexf_place **places) MUST_CHECK;

#endif
