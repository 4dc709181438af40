#include "cli/views/gexf.h"

#include <stdio.h>

#include "cli/views/drawing_graph.h"
#include "parser/log10.h"
#include "parser/mem.h"

/* Between two nodes of a level, and between two levels. */
#define STEP 20.0
#define LEVEL 40.0

/* Times are seconds since 1970: networkx knows no dateTime. */
enum status gexf_begin(struct text *text, const char *title, uint32_t first_height)
{
    char partial[64] = "";
    if (first_height > 0)
        snprintf(partial, sizeof partial, ", partial: of the chain from block %u on", (unsigned)first_height);
    return text_printf(text,
                       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<gexf xmlns=\"http://gexf.net/1.3\" xmlns:viz=\"http://gexf.net/1.3/viz\" version=\"1.3\">\n"
                       "  <meta><creator>unktx</creator><description>%s%s</description></meta>\n"
                       "  <graph defaultedgetype=\"directed\" mode=\"dynamic\" timeformat=\"double\">\n"
                       "    <attributes class=\"node\" mode=\"static\">\n"
                       "      <attribute id=\"txid\" title=\"txid\" type=\"string\"/>\n"
                       "      <attribute id=\"height\" title=\"height\" type=\"long\"/>\n"
                       "      <attribute id=\"tx_index\" title=\"tx_index\" type=\"long\"/>\n"
                       "      <attribute id=\"is_root\" title=\"is_root\" type=\"boolean\"/>\n"
                       "      <attribute id=\"value_out_sat\" title=\"value_out_sat\" type=\"long\"/>\n%s"
                       "    </attributes>\n"
                       "    <attributes class=\"edge\" mode=\"static\">\n"
                       "      <attribute id=\"vout\" title=\"vout\" type=\"long\"/>\n"
                       "      <attribute id=\"vin\" title=\"vin\" type=\"long\"/>\n"
                       "      <attribute id=\"value_sat\" title=\"value_sat\" type=\"long\"/>\n"
                       "      <attribute id=\"kind\" title=\"kind\" type=\"string\"/>\n"
                       "    </attributes>\n"
                       "    <nodes>\n",
                       title ? title : "", partial,
                       first_height > 0 ? "      <attribute id=\"maybe_root\" title=\"maybe_root\" type=\"boolean\"/>\n"
                                        : "");
}

enum status gexf_node(struct text *text, const struct graphfile_node *node, const char *id, const char *hex,
                      bool is_partial)
{
    const char *maybe = !is_partial        ? ""
                        : node->maybe_root ? "<attvalue for=\"maybe_root\" value=\"true\"/>"
                                           : "<attvalue for=\"maybe_root\" value=\"false\"/>";
    enum status status = text_printf(
        text,
        "      <node id=\"%s\" label=\"%.8s\" start=\"%u\"><attvalues><attvalue for=\"txid\" value=\"%s\"/><attvalue "
        "for=\"height\" value=\"%u\"/><attvalue for=\"tx_index\" value=\"%u\"/><attvalue for=\"is_root\" "
        "value=\"%s\"/><attvalue for=\"value_out_sat\" value=\"%llu\"/>%s</attvalues>",
        id, hex, (unsigned)node->time, hex, (unsigned)node->height, (unsigned)node->index,
        node->is_root ? "true" : "false", ULL(node->value_out_sat), maybe);
    return status == STATUS_OK
               ? text_printf(text, "<viz:size value=\"%.3f\"/><viz:position x=\"%.1f\" y=\"%.1f\" z=\"0.0\"/></node>\n",
                             2 + log10_of((double)node->value_out_sat + 1), STEP * node->in_level, -LEVEL * node->level)
               : status;
}

enum status gexf_begin_arcs(struct text *text) { return text_printf(text, "    </nodes>\n    <edges>\n"); }

enum status gexf_arc(struct text *text, const struct graphfile_arc *arc, const char *from, const char *to)
{
    return text_printf(text,
                       "      <edge id=\"%s:%u\" source=\"%s\" target=\"%s\" start=\"%u\"><attvalues><attvalue "
                       "for=\"vout\" value=\"%u\"/><attvalue for=\"vin\" value=\"%u\"/><attvalue for=\"value_sat\" "
                       "value=\"%llu\"/><attvalue for=\"kind\" value=\"%s\"/></attvalues></edge>\n",
                       from, (unsigned)arc->vout, from, to, (unsigned)arc->time, (unsigned)arc->vout,
                       (unsigned)arc->vin, ULL(arc->value_sat), kind_name(arc->kind));
}

enum status gexf_end(struct text *text) { return text_printf(text, "    </edges>\n  </graph>\n</gexf>\n"); }

enum status gexf_places(const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                        struct gexf_place **places)
{
    const struct drawing_scope scope = drawing_of_tdag(forest, tdags, dag);
    struct drawing_graph graph;
    uint32_t *counts = NULL;
    enum status status = drawing_graph_make(&scope, &graph);
    *places = mem_alloc(scope.count, sizeof **places);
    if (status == STATUS_OK)
        counts = mem_alloc((size_t)graph.height + 1, sizeof *counts);
    if (!*places || !counts)
        status = STATUS_NOMEM;
    for (uint32_t i = 0; i < scope.count && status == STATUS_OK; i++)
        (*places)[i] = (struct gexf_place){graph.txs[i].depth, counts[graph.txs[i].depth]++};
    mem_free(counts);
    drawing_graph_free(&graph);
    return status;
}
