/* graphfile: one T-DAG at the level of transactions, as GraphML (igraph, networkx, Gephi) or for Graphviz. */
#ifndef UNKTX_CLI_GRAPHFILE_H
#define UNKTX_CLI_GRAPHFILE_H

#include "cli/text.h"
#include "graph/forest.h"

enum status graphfile_dot(struct text *text, const struct forest *forest, const struct tdags *tdags,
                          uint32_t dag) MUST_CHECK;
enum status graphfile_graphml(struct text *text, const struct forest *forest, const struct tdags *tdags,
                              uint32_t dag) MUST_CHECK;

#endif
