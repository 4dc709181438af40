/* graphfile: graphs of transactions as GraphML (igraph, networkx, Gephi), as GEXF (Gephi, with time, places and sizes),
 * or for Graphviz. */
#ifndef UNKTX_CLI_VIEWS_GRAPHFILE_H
#define UNKTX_CLI_VIEWS_GRAPHFILE_H

#include "classify/classes.h"
#include "cli/output/text.h"
#include "graph/dag/forest.h"

enum graphfile_format { GRAPHFILE_DOT, GRAPHFILE_GRAPHML, GRAPHFILE_GEXF };

/* A graph that is being written. */
struct graphfile {
    struct text *text;
    enum graphfile_format format;
    bool tells_root;                /* its nodes have is_root, and in GraphML their time */
    uint32_t first_height;          /* above 0: of a partial store; it is told, and nodes have maybe_root */
    bool tells_ends;                /* in GraphML outputs are nodes too, see graphfile_output */
    const struct hash256 *repeated; /* txids that several of its transactions have, in ascending order; borrowed */
    size_t repeated_count;
};

/* A transaction. The id of its node is its txid, with _HEIGHT after it where another of the graph has the same txid. */
struct graphfile_node {
    const struct hash256 *txid;
    uint32_t height;
    uint32_t index;
    bool is_root;
    bool maybe_root; /* of a partial store: a root that may not be one */
    uint64_t value_out_sat;
    /* of GEXF alone */
    uint32_t time;
    uint32_t level;
    uint32_t in_level; /* its place there */
};

/* An output that a T-DAG is paid from or pays to. */
struct graphfile_output {
    const struct hash256 *txid;
    uint32_t height; /* of its transaction */
    uint32_t vout;
    uint64_t value_sat;
    enum kind kind;
    const char *address; /* not terminated */
    size_t address_size;
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

/* A node for an output, in GraphML. The id is the outpoint, TXID:VOUT, with a TXID that is written as the ids of
 * transactions are. */
enum status graphfile_output(const struct graphfile *file, const struct graphfile_output *output) MUST_CHECK;
/* The edge from a transaction to that output, which is one of its own, or (`spends`) from the output to the transaction
 * whose input `vin` spends it. */
enum status graphfile_pays(const struct graphfile *file, const struct graphfile_output *output,
                           const struct graphfile_node *tx, bool spends, uint32_t vin) MUST_CHECK;

/* Appends what comes after the arcs. */
typedef enum status graphfile_more(void *context, const struct graphfile *file);

/* A T-DAG that is written part by part, all borrowed. Zero-initialise; graphfile_parts_free at the end. */
struct graphfile_parts {
    struct graphfile file;
    const struct forest *forest;
    const struct tdags *tdags; /* with names */
    uint32_t dag;
    const struct tdag_row *row; /* of GraphML: of the T-DAG, whose class the graph then has; NULL: without */
    graphfile_more *more;       /* NULL: nothing more */
    void *more_context;
    struct hash256 *txids;
    struct gexf_place *places; /* of GEXF alone */
    uint32_t next;             /* transaction of the T-DAG */
    enum { GRAPHFILE_AT_HEAD, GRAPHFILE_AT_NODES, GRAPHFILE_AT_ARCS, GRAPHFILE_AT_END } at;
};

/* Set file.format, forest, tdags and dag. Appends the next part, of some hundred transactions: nodes in chain order,
 * then arcs by (transaction, vout). Nothing at the end. STATUS_NOMEM. */
enum status graphfile_parts_put(struct graphfile_parts *parts, struct text *text) MUST_CHECK;
void graphfile_parts_free(struct graphfile_parts *parts);

/* All of it; graphfile_parts_free then too. STATUS_NOMEM, or what `more` gave. */
enum status graphfile_put_all(struct graphfile_parts *parts, struct text *text) MUST_CHECK;

#endif
