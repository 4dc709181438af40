#include "cli/views/graphfile.h"

#include <stdio.h>

/* GraphML has no unsigned type, and igraph reads every number as a double: satoshis stay exact to 2^53. Gephi writes
 * the attribute that is called label beside a node. */
static const char graphml_head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"\n"
    "         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
    "         xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
    "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n"
    "  <key id=\"label\" for=\"node\" attr.name=\"label\" attr.type=\"string\"/>\n"
    "  <key id=\"txid\" for=\"node\" attr.name=\"txid\" attr.type=\"string\"/>\n"
    "  <key id=\"height\" for=\"node\" attr.name=\"height\" attr.type=\"long\"/>\n"
    "  <key id=\"tx_index\" for=\"node\" attr.name=\"tx_index\" attr.type=\"long\"/>\n"
    "  <key id=\"is_root\" for=\"node\" attr.name=\"is_root\" attr.type=\"boolean\"/>\n"
    "  <key id=\"value_out_sat\" for=\"node\" attr.name=\"value_out_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"vout\" for=\"edge\" attr.name=\"vout\" attr.type=\"long\"/>\n"
    "  <key id=\"vin\" for=\"edge\" attr.name=\"vin\" attr.type=\"long\"/>\n"
    "  <key id=\"value_sat\" for=\"edge\" attr.name=\"value_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"kind\" for=\"edge\" attr.name=\"kind\" attr.type=\"string\"/>\n";

enum status graphfile_begin(struct text *text, enum graphfile_format format, const char *name)
{
    if (format == GRAPHFILE_DOT)
        return text_printf(text, "digraph %s {\n", name);
    return text_printf(text, "%s  <graph id=\"%s\" edgedefault=\"directed\">\n", graphml_head, name);
}

static enum status dot_node(struct text *text, const struct graphfile_node *node, const char *hex)
{
    enum status status = text_printf(
        text, "  n%llu [label=\"%.8s\\n%u\", shape=%s, txid=\"%s\", height=%u, tx_index=%u, ", ULL(node->id), hex,
        (unsigned)node->height, node->is_root ? "box" : "ellipse", hex, (unsigned)node->height, (unsigned)node->index);
    if (status == STATUS_OK && node->tells_root)
        status = text_printf(text, "is_root=%d, ", node->is_root);
    return status == STATUS_OK ? text_printf(text, "value_out_sat=%llu];\n", ULL(node->value_out_sat)) : status;
}

static enum status graphml_node(struct text *text, const struct graphfile_node *node, const char *hex)
{
    enum status status = text_printf(
        text,
        "    <node id=\"n%llu\"><data key=\"label\">%.8s</data><data key=\"txid\">%s</data>"
        "<data key=\"height\">%u</data><data key=\"tx_index\">%u</data>",
        ULL(node->id), hex, hex, (unsigned)node->height, (unsigned)node->index);
    if (status == STATUS_OK && node->tells_root)
        status = text_printf(text, "<data key=\"is_root\">%s</data>", node->is_root ? "true" : "false");
    return status == STATUS_OK
               ? text_printf(text, "<data key=\"value_out_sat\">%llu</data></node>\n", ULL(node->value_out_sat))
               : status;
}

enum status graphfile_node(struct text *text, enum graphfile_format format, const struct graphfile_node *node)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(node->txid, hex);
    return format == GRAPHFILE_DOT ? dot_node(text, node, hex) : graphml_node(text, node, hex);
}

enum status graphfile_arc(struct text *text, enum graphfile_format format, const struct graphfile_arc *arc)
{
    if (format == GRAPHFILE_DOT)
        return text_printf(text, "  n%llu -> n%llu [label=\"%u\", vout=%u, vin=%u, value_sat=%llu, kind=\"%s\"];\n",
                           ULL(arc->from), ULL(arc->to), (unsigned)arc->vout, (unsigned)arc->vout, (unsigned)arc->vin,
                           ULL(arc->value_sat), kind_name(arc->kind));
    return text_printf(
        text,
        "    <edge source=\"n%llu\" target=\"n%llu\"><data key=\"vout\">%u</data><data key=\"vin\">%u</data>"
        "<data key=\"value_sat\">%llu</data><data key=\"kind\">%s</data></edge>\n",
        ULL(arc->from), ULL(arc->to), (unsigned)arc->vout, (unsigned)arc->vin, ULL(arc->value_sat),
        kind_name(arc->kind));
}

enum status graphfile_end(struct text *text, enum graphfile_format format)
{
    return text_printf(text, format == GRAPHFILE_DOT ? "}\n" : "  </graph>\n</graphml>\n");
}

/* ---- a T-DAG ---- */

static enum status tdag_node(struct text *text, enum graphfile_format format, const struct forest *forest,
                             const struct tdags *tdags, uint32_t number)
{
    const struct forest_tx *tx = &forest->txs[number];
    const struct graphfile_node node = {.id = number,
                                        .txid = &tx->txid,
                                        .height = tx->height,
                                        .index = tx->index,
                                        .tells_root = true,
                                        .is_root = forest_is_root(forest, number, tdags->rules),
                                        .value_out_sat = tx->value_out_sat};
    return graphfile_node(text, format, &node);
}

static enum status tdag_arcs(struct text *text, enum graphfile_format format, const struct forest *forest,
                             const struct tdags *tdags, uint32_t number)
{
    enum status status = STATUS_OK;
    uint32_t end = forest->txs[number + 1].first_output;
    for (uint32_t o = forest->txs[number].first_output; o < end && status == STATUS_OK; o++) {
        const struct forest_output *output = &forest->outputs[o];
        const struct graphfile_arc arc = {output->tx,          output->spender,   output->vout,
                                          output->spender_vin, output->value_sat, (enum kind)output->kind};
        if (forest_is_arc(output, tdags->rules))
            status = graphfile_arc(text, format, &arc);
    }
    return status;
}

enum status graphfile_tdag(struct text *text, enum graphfile_format format, const struct forest *forest,
                           const struct tdags *tdags, uint32_t dag)
{
    char name[32];
    const uint32_t *members = tdags->members + tdags->first[dag - 1];
    uint32_t count = tdags->first[dag] - tdags->first[dag - 1];
    snprintf(name, sizeof name, "tdag_%u", (unsigned)dag);
    enum status status = graphfile_begin(text, format, name);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = tdag_node(text, format, forest, tdags, members[i]);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = tdag_arcs(text, format, forest, tdags, members[i]);
    return status == STATUS_OK ? graphfile_end(text, format) : status;
}
