#include "cli/graphfile.h"

struct shape {
    const struct forest *forest;
    enum rules rules;
    const uint32_t *members; /* transaction numbers */
    uint32_t count;
};

typedef enum status put_node(struct text *text, const struct shape *shape, uint32_t tx);
typedef enum status put_arc(struct text *text, const struct shape *shape, const struct forest_output *output);

/* Nodes in chain order, then arcs by (transaction, vout). */
static enum status put_graph(struct text *text, const struct shape *shape, put_node *node, put_arc *arc)
{
    const struct forest *forest = shape->forest;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < shape->count && status == STATUS_OK; i++)
        status = node(text, shape, shape->members[i]);
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t end = forest->txs[shape->members[i] + 1].first_output;
        for (uint32_t o = forest->txs[shape->members[i]].first_output; o < end && status == STATUS_OK; o++) {
            if (forest_is_arc(&forest->outputs[o], shape->rules))
                status = arc(text, shape, &forest->outputs[o]);
        }
    }
    return status;
}

static struct shape shape_of(const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    uint32_t first = tdags->first[dag - 1];
    return (struct shape){forest, tdags->rules, tdags->members + first, tdags->first[dag] - first};
}

/* The terminated hexadecimal txid of a transaction. */
static const char *txid_of(const struct shape *shape, uint32_t tx, char hex[HASH256_HEX_SIZE + 1])
{
    *hash256_hex(&shape->forest->txs[tx].txid, hex) = '\0';
    return hex;
}

#define ULL(number) ((unsigned long long)(number))

/* ---- Graphviz ---- */

static enum status dot_node(struct text *text, const struct shape *shape, uint32_t tx)
{
    char hex[HASH256_HEX_SIZE + 1];
    const struct forest_tx *t = &shape->forest->txs[tx];
    bool root = forest_is_root(shape->forest, tx, shape->rules);
    return text_printf(text,
                       "  n%u [label=\"%.8s\\n%u\", shape=%s, txid=\"%s\", height=%u, tx_index=%u, is_root=%d, "
                       "value_out_sat=%llu];\n",
                       (unsigned)tx, txid_of(shape, tx, hex), (unsigned)t->height, root ? "box" : "ellipse", hex,
                       (unsigned)t->height, (unsigned)t->index, root, ULL(t->value_out_sat));
}

static enum status dot_arc(struct text *text, const struct shape *shape, const struct forest_output *output)
{
    (void)shape;
    return text_printf(text, "  n%u -> n%u [label=\"%u\", vout=%u, vin=%u, value_sat=%llu, kind=\"%s\"];\n",
                       (unsigned)output->tx, (unsigned)output->spender, (unsigned)output->vout, (unsigned)output->vout,
                       (unsigned)output->spender_vin, ULL(output->value_sat), kind_name((enum kind)output->kind));
}

enum status graphfile_dot(struct text *text, const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    struct shape shape = shape_of(forest, tdags, dag);
    enum status status = text_printf(text, "digraph tdag_%u {\n", (unsigned)dag);
    if (status == STATUS_OK)
        status = put_graph(text, &shape, dot_node, dot_arc);
    return status == STATUS_OK ? text_printf(text, "}\n") : status;
}

/* ---- GraphML ---- */

/* GraphML has no unsigned type, and igraph reads every number as a double: satoshis stay exact to 2^53. */
static const char graphml_head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"\n"
    "         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
    "         xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
    "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
    "  <key id=\"txid\" for=\"node\" attr.name=\"txid\" attr.type=\"string\"/>\n"
    "  <key id=\"height\" for=\"node\" attr.name=\"height\" attr.type=\"long\"/>\n"
    "  <key id=\"tx_index\" for=\"node\" attr.name=\"tx_index\" attr.type=\"long\"/>\n"
    "  <key id=\"is_root\" for=\"node\" attr.name=\"is_root\" attr.type=\"boolean\"/>\n"
    "  <key id=\"value_out_sat\" for=\"node\" attr.name=\"value_out_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"vout\" for=\"edge\" attr.name=\"vout\" attr.type=\"long\"/>\n"
    "  <key id=\"vin\" for=\"edge\" attr.name=\"vin\" attr.type=\"long\"/>\n"
    "  <key id=\"value_sat\" for=\"edge\" attr.name=\"value_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"kind\" for=\"edge\" attr.name=\"kind\" attr.type=\"string\"/>\n";

static enum status graphml_node(struct text *text, const struct shape *shape, uint32_t tx)
{
    char hex[HASH256_HEX_SIZE + 1];
    const struct forest_tx *t = &shape->forest->txs[tx];
    return text_printf(text, "    <node id=\"n%u\"><data key=\"txid\">%s</data><data key=\"height\">%u</data>"
                       "<data key=\"tx_index\">%u</data><data key=\"is_root\">%s</data>"
                       "<data key=\"value_out_sat\">%llu</data></node>\n", (unsigned)tx, txid_of(shape, tx, hex),
                       (unsigned)t->height, (unsigned)t->index,
                       forest_is_root(shape->forest, tx, shape->rules) ? "true" : "false", ULL(t->value_out_sat));
}

static enum status graphml_arc(struct text *text, const struct shape *shape, const struct forest_output *output)
{
    (void)shape;
    return text_printf(
        text,
        "    <edge source=\"n%u\" target=\"n%u\"><data key=\"vout\">%u</data><data key=\"vin\">%u</data>"
        "<data key=\"value_sat\">%llu</data><data key=\"kind\">%s</data></edge>\n",
        (unsigned)output->tx, (unsigned)output->spender, (unsigned)output->vout, (unsigned)output->spender_vin,
        ULL(output->value_sat), kind_name((enum kind)output->kind));
}

enum status graphfile_graphml(struct text *text, const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    struct shape shape = shape_of(forest, tdags, dag);
    enum status status =
        text_printf(text, "%s  <graph id=\"tdag_%u\" edgedefault=\"directed\">\n", graphml_head, (unsigned)dag);
    if (status == STATUS_OK)
        status = put_graph(text, &shape, graphml_node, graphml_arc);
    return status == STATUS_OK ? text_printf(text, "  </graph>\n</graphml>\n") : status;
}
