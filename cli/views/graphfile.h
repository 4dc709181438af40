/* graphfile: graphs of transactions as GraphML (igraph, networkx, Gephi), as GEXF (Gephi, with time, places and sizes),
 * or for Graphviz. */
#ifndef UNKTX_CLI_VIEWS_GRAPHFILE_H
#define UNKTX_CLI_VIEWS_GRAPHFILE_H

#include "cli/output/text.h"
#include "graph/dag/forest.h"

enum graphfile_format { GRAPHFILE_DOT, GRAPHFILE_GRAPHML, GRAPHFILE_GEXF };

/* A graph that is being written. */
struct graphfile {
    struct text *text;
    enum graphfile_format format;
    bool tells_root;                /* its nodes have is_root */
    const struct hash256 *repeated; /* txids that several of its transactions have, in ascending order; borrowed */
    size_t repeated_count;
};

/* A transaction. The id of its node is its txid, with _HEIGHT after it where another of the graph has the same txid. */
struct graphfile_node {
    const struct hash256 *txid;
    uint32_t height;
    uint32_t index;
    bool is_root;
    uint64_t value_out_sat;
    /* of GEXF alone */
    uint32_t time;
    uint32_t level;
    uint32_t in_level; /* its place there */
};

/* An output and the input that spends it, by txid and height of their transactions. */
struct graphfile_arc {
    const struct hash256 *from;
    const struct hash256 *to;
    uint32_t from_height;
    uint32_t to_height;
    uint32_t vout;
    uint32_t vin;
    uint64_t value_sat;
    enum kind kind;
    uint32_t time; /* of the spender; of GEXF alone */
};

/* Begins a graph of transactions with these txids, an array that is put in another order and must stay until
 * graphfile_end. `name` is letters, digits and _; `title` is shown with a drawing, NULL for none. Nodes come before
 * arcs. STATUS_NOMEM. O(n log n). */
enum status graphfile_begin(struct graphfile *file, const char *name, const char *title, struct hash256 *txids,
                            size_t count) MUST_CHECK;
enum status graphfile_node(const struct graphfile *file, const struct graphfile_node *node) MUST_CHECK;
enum status graphfile_arc(const struct graphfile *file, const struct graphfile_arc *arc) MUST_CHECK;
enum status graphfile_end(const struct graphfile *file) MUST_CHECK;

/* A T-DAG that is written part by part, all borrowed. Zero-initialise; graphfile_parts_free at the end. */
struct graphfile_parts {
    struct graphfile file;
    const struct forest *forest;
    const struct tdags *tdags; /* with names */
    uint32_t dag;
    struct hash256 *txids;
    struct gexf_place *places; /* of GEXF alone */
    uint32_t next;             /* transaction of the T-DAG */
    enum { GRAPHFILE_AT_HEAD, GRAPHFILE_AT_NODES, GRAPHFILE_AT_ARCS, GRAPHFILE_AT_END } at;
};

/* Set file.format, forest, tdags and dag. Appends the next part, of some hundred transactions: nodes in chain order,
 * then arcs by (transaction, vout). Nothing at the end. STATUS_NOMEM. */
enum status graphfile_parts_put(struct graphfile_parts *parts, struct text *text) MUST_CHECK;
void graphfile_parts_free(struct graphfile_parts *parts);

/* All of it. */
enum status graphfile_tdag(struct text *text, enum graphfile_format format, const struct forest *forest,
                           const struct tdags *tdags, uint32_t dag) MUST_CHECK;

#endif
