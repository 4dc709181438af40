/* graphfile: graphs of transactions as GraphML (igraph, networkx, Gephi) or for Graphviz. */
#ifndef UNKTX_CLI_VIEWS_GRAPHFILE_H
#define UNKTX_CLI_VIEWS_GRAPHFILE_H

#include "cli/output/text.h"
#include "graph/dag/forest.h"

enum graphfile_format { GRAPHFILE_DOT, GRAPHFILE_GRAPHML };

/* A transaction by any number that no other has. */
struct graphfile_node {
    uint64_t id;
    const struct hash256 *txid;
    uint32_t height;
    uint32_t index;
    bool tells_root;
    bool is_root; /* left out unless tells_root */
    uint64_t value_out_sat;
};

/* An output and the input that spends it. */
struct graphfile_arc {
    uint64_t from;
    uint64_t to;
    uint32_t vout;
    uint32_t vin;
    uint64_t value_sat;
    enum kind kind;
};

/* Nodes come before arcs. STATUS_NOMEM. */
enum status graphfile_begin(struct text *text, enum graphfile_format format, const char *name) MUST_CHECK;
enum status graphfile_node(struct text *text, enum graphfile_format format, const struct graphfile_node *node)
    MUST_CHECK;
enum status graphfile_arc(struct text *text, enum graphfile_format format, const struct graphfile_arc *arc) MUST_CHECK;
enum status graphfile_end(struct text *text, enum graphfile_format format) MUST_CHECK;

/* A whole T-DAG: nodes in chain order, then arcs by (transaction, vout). */
enum status graphfile_tdag(struct text *text, enum graphfile_format format, const struct forest *forest,
                           const struct tdags *tdags, uint32_t dag) MUST_CHECK;

#endif
