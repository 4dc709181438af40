#include "cli/views/graphfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "classify/family.h"
#include "cli/views/gexf.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

/* ---- ids ---- */

/* A txid, _, a height, and the terminator. */
#define ID_SIZE (HASH256_HEX_SIZE + 1 + PUT_U64_MAX + 1)

static int compare_hashes(const void *a, const void *b) { return memcmp(a, b, HASH256_SIZE); }

/* Sorts, and keeps one of each that occurs more than once, in the front; how many that are. */
static size_t keep_repeated(struct hash256 *txids, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(txids, count, sizeof *txids, compare_hashes);
    for (size_t i = 1; i < count; i++) {
        if (hash256_equal(&txids[i], &txids[i - 1]) && (kept == 0 || !hash256_equal(&txids[kept - 1], &txids[i])))
            txids[kept++] = txids[i];
    }
    return kept;
}

static const char *node_id(const struct graphfile *file, const struct hash256 *txid, uint32_t height, char id[ID_SIZE])
{
    char *p = hash256_hex(txid, id);
    if (file->repeated_count > 0 &&
        bsearch(txid, file->repeated, file->repeated_count, sizeof *file->repeated, compare_hashes)) {
        *p++ = '_';
        p = put_u64(p, height);
    }
    *p = '\0';
    return id;
}

/* ---- nodes and arcs ---- */

/* GraphML has no unsigned type, and igraph reads every number as a double: satoshis stay exact to 2^53. Gephi writes
 * the attribute that is called label beside a node. */
static const char graphml_tdag_keys[] =
    "  <key id=\"is_root\" for=\"node\" attr.name=\"is_root\" attr.type=\"boolean\"/>\n"
    "  <key id=\"time\" for=\"node\" attr.name=\"time\" attr.type=\"long\"/>\n"
    "  <key id=\"class_id\" for=\"graph\" attr.name=\"class_id\" attr.type=\"string\"/>\n"
    "  <key id=\"family\" for=\"graph\" attr.name=\"family\" attr.type=\"string\"/>\n";
static const char graphml_partial_keys[] =
    "  <key id=\"maybe_root\" for=\"node\" attr.name=\"maybe_root\" attr.type=\"boolean\"/>\n"
    "  <key id=\"partial\" for=\"graph\" attr.name=\"partial\" attr.type=\"long\"/>\n";
/* Where outputs are nodes, they have these and no others. */
static const char graphml_output_keys[] =
    "  <key id=\"output_vout\" for=\"node\" attr.name=\"vout\" attr.type=\"long\"/>\n"
    "  <key id=\"output_value_sat\" for=\"node\" attr.name=\"value_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"output_kind\" for=\"node\" attr.name=\"kind\" attr.type=\"string\"/>\n"
    "  <key id=\"address\" for=\"node\" attr.name=\"address\" attr.type=\"string\"/>\n"
    "  <key id=\"pays\" for=\"edge\" attr.name=\"pays\" attr.type=\"string\"/>\n";
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
    "  <key id=\"value_out_sat\" for=\"node\" attr.name=\"value_out_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"vout\" for=\"edge\" attr.name=\"vout\" attr.type=\"long\"/>\n"
    "  <key id=\"vin\" for=\"edge\" attr.name=\"vin\" attr.type=\"long\"/>\n"
    "  <key id=\"value_sat\" for=\"edge\" attr.name=\"value_sat\" attr.type=\"long\"/>\n"
    "  <key id=\"kind\" for=\"edge\" attr.name=\"kind\" attr.type=\"string\"/>\n";

static enum status dot_head(const struct graphfile *file, const char *name, const char *title)
{
    enum status status = text_printf(file->text, "digraph %s {\n", name);
    if (status == STATUS_OK && title)
        status = text_printf(file->text, "  label=\"%s\";\n", title);
    return status == STATUS_OK && file->first_height > 0
               ? text_printf(file->text, "  partial=%u;\n", (unsigned)file->first_height)
               : status;
}

enum status graphfile_begin(struct graphfile *file, const char *name, const char *title, struct hash256 *txids,
                            size_t count)
{
    struct text *text = file->text;
    file->repeated_count = keep_repeated(txids, count);
    file->repeated = txids;
    if (file->format == GRAPHFILE_GEXF)
        return gexf_begin(text, title, file->first_height);
    if (file->format == GRAPHFILE_DOT)
        return dot_head(file, name, title);
    enum status status = text_printf(text, "%s%s%s%s  <graph id=\"%s\" edgedefault=\"directed\">\n", graphml_head,
                                     file->tells_root ? graphml_tdag_keys : "",
                                     file->first_height > 0 ? graphml_partial_keys : "",
                                     file->tells_ends ? graphml_output_keys : "", name);
    if (status == STATUS_OK && title)
        status = text_printf(text, "    <desc>%s</desc>\n", title);
    return status == STATUS_OK && file->first_height > 0
               ? text_printf(text, "    <data key=\"partial\">%u</data>\n", (unsigned)file->first_height)
               : status;
}

static enum status dot_node(const struct graphfile *file, const struct graphfile_node *node, const char *id)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(node->txid, hex);
    enum status status = text_printf(
        file->text, "  \"%s\" [label=\"%.8s\\n%u\", shape=%s, txid=\"%s\", height=%u, tx_index=%u, ", id, hex,
        (unsigned)node->height, node->is_root ? "box" : "ellipse", hex, (unsigned)node->height, (unsigned)node->index);
    if (status == STATUS_OK && file->tells_root)
        status = text_printf(file->text, "is_root=%d, ", node->is_root);
    if (status == STATUS_OK && file->first_height > 0)
        status = text_printf(file->text, "maybe_root=%d, ", node->maybe_root);
    return status == STATUS_OK ? text_printf(file->text, "value_out_sat=%llu];\n", ULL(node->value_out_sat)) : status;
}

static enum status graphml_node(const struct graphfile *file, const struct graphfile_node *node, const char *id)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(node->txid, hex);
    enum status status = text_printf(file->text,
                                     "    <node id=\"%s\"><data key=\"label\">%.8s</data><data key=\"txid\">%s</data>"
                                     "<data key=\"height\">%u</data><data key=\"tx_index\">%u</data>",
                                     id, hex, hex, (unsigned)node->height, (unsigned)node->index);
    if (status == STATUS_OK && file->tells_root)
        status = text_printf(file->text, "<data key=\"is_root\">%s</data><data key=\"time\">%u</data>",
                             node->is_root ? "true" : "false", (unsigned)node->time);
    if (status == STATUS_OK && file->first_height > 0)
        status = text_printf(file->text, "<data key=\"maybe_root\">%s</data>", node->maybe_root ? "true" : "false");
    return status == STATUS_OK
               ? text_printf(file->text, "<data key=\"value_out_sat\">%llu</data></node>\n", ULL(node->value_out_sat))
               : status;
}

enum status graphfile_node(const struct graphfile *file, const struct graphfile_node *node)
{
    char id[ID_SIZE];
    node_id(file, node->txid, node->height, id);
    if (file->format == GRAPHFILE_GEXF) {
        char hex[HASH256_HEX_SIZE + 1] = "";
        hash256_hex(node->txid, hex);
        return gexf_node(file->text, node, id, hex, file->first_height > 0);
    }
    return file->format == GRAPHFILE_DOT ? dot_node(file, node, id) : graphml_node(file, node, id);
}

enum status graphfile_arc(const struct graphfile *file, const struct graphfile_arc *arc)
{
    char from[ID_SIZE], to[ID_SIZE];
    node_id(file, arc->from, arc->from_height, from);
    node_id(file, arc->to, arc->to_height, to);
    if (file->format == GRAPHFILE_GEXF)
        return gexf_arc(file->text, arc, from, to);
    if (file->format == GRAPHFILE_DOT)
        return text_printf(
            file->text, "  \"%s\" -> \"%s\" [label=\"%u\", vout=%u, vin=%u, value_sat=%llu, kind=\"%s\"];\n", from, to,
            (unsigned)arc->vout, (unsigned)arc->vout, (unsigned)arc->vin, ULL(arc->value_sat), kind_name(arc->kind));
    return text_printf(file->text,
                       "    <edge source=\"%s\" target=\"%s\"><data key=\"vout\">%u</data><data key=\"vin\">%u</data>"
                       "<data key=\"value_sat\">%llu</data><data key=\"kind\">%s</data></edge>\n",
                       from, to, (unsigned)arc->vout, (unsigned)arc->vin, ULL(arc->value_sat), kind_name(arc->kind));
}

enum status graphfile_end(const struct graphfile *file)
{
    if (file->format == GRAPHFILE_GEXF)
        return gexf_end(file->text);
    return text_printf(file->text, file->format == GRAPHFILE_DOT ? "}\n" : "  </graph>\n</graphml>\n");
}

/* ---- outputs ---- */

/* A node_id, a colon, and a number. */
#define OUTPUT_ID_SIZE (ID_SIZE + 1 + PUT_U64_MAX)

static const char *output_id(const struct graphfile *file, const struct graphfile_output *output,
                             char id[OUTPUT_ID_SIZE])
{
    node_id(file, output->txid, output->height, id);
    char *p = id + strlen(id);
    *p++ = ':';
    *put_u64(p, output->vout) = '\0';
    return id;
}

enum status graphfile_output(const struct graphfile *file, const struct graphfile_output *output)
{
    char id[OUTPUT_ID_SIZE], hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(output->txid, hex);
    enum status status = text_printf(
        file->text,
        "    <node id=\"%s\"><data key=\"label\">%.8s:%u</data><data key=\"txid\">%s</data>"
        "<data key=\"height\">%u</data><data key=\"output_vout\">%u</data>"
        "<data key=\"output_value_sat\">%llu</data><data key=\"output_kind\">%s</data>",
        output_id(file, output, id), hex, (unsigned)output->vout, hex, (unsigned)output->height, (unsigned)output->vout,
        ULL(output->value_sat), kind_name(output->kind));
    if (status == STATUS_OK && output->address_size > 0)
        status = text_printf(file->text, "<data key=\"address\">%.*s</data>", (int)output->address_size,
                             output->address);
    return status == STATUS_OK ? text_printf(file->text, "</node>\n") : status;
}

enum status graphfile_pays(const struct graphfile *file, const struct graphfile_output *output,
                           const struct graphfile_node *tx, bool spends, uint32_t vin)
{
    char of_output[OUTPUT_ID_SIZE], of_tx[ID_SIZE];
    output_id(file, output, of_output);
    node_id(file, tx->txid, tx->height, of_tx);
    enum status status = text_printf(file->text, "    <edge source=\"%s\" target=\"%s\"><data key=\"vout\">%u</data>",
                                     spends ? of_output : of_tx, spends ? of_tx : of_output, (unsigned)output->vout);
    if (status == STATUS_OK && spends)
        status = text_printf(file->text, "<data key=\"vin\">%u</data>", (unsigned)vin);
    return status == STATUS_OK ? text_printf(file->text,
                                             "<data key=\"value_sat\">%llu</data><data key=\"kind\">%s</data>"
                                             "<data key=\"pays\">%s</data></edge>\n",
                                             ULL(output->value_sat), kind_name(output->kind), spends ? "in" : "out")
                               : status;
}

/* ---- a T-DAG ---- */

/* `place`: NULL but for GEXF. */
static enum status tdag_node(const struct graphfile *file, const struct forest *forest, const struct tdags *tdags,
                             uint32_t number, const struct gexf_place *place)
{
    const struct forest_tx *tx = &forest->txs[number];
    const struct graphfile_node node = {.txid = &tx->txid,
                                        .height = tx->height,
                                        .index = tx->index,
                                        .is_root = forest_is_root(forest, number, tdags->rules),
                                        .maybe_root = forest_is_maybe_root(forest, number, tdags->rules),
                                        .value_out_sat = tx->value_out_sat,
                                        .time = forest->block_times[tx->height],
                                        .level = place ? place->level : 0,
                                        .in_level = place ? place->in_level : 0};
    return graphfile_node(file, &node);
}

static enum status tdag_arcs(const struct graphfile *file, const struct forest *forest, const struct tdags *tdags,
                             uint32_t number)
{
    const struct forest_tx *from = &forest->txs[number];
    enum status status = STATUS_OK;
    for (uint32_t o = from->first_output; o < from[1].first_output && status == STATUS_OK; o++) {
        const struct forest_output *output = &forest->outputs[o];
        if (!forest_is_arc(output, tdags->rules))
            continue;
        const struct forest_tx *to = &forest->txs[output->spender];
        const struct graphfile_arc arc = {&from->txid,
                                          &to->txid,
                                          from->height,
                                          to->height,
                                          output->vout,
                                          output->spender_vin,
                                          output->value_sat,
                                          (enum kind)output->kind,
                                          forest->block_times[to->height]};
        status = graphfile_arc(file, &arc);
    }
    return status;
}

#define PART_TXS 256u

static enum status put_class_of(const struct graphfile_parts *parts)
{
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, parts->row->class_id, parts->row->class_exact);
    return text_printf(parts->file.text, "    <data key=\"class_id\">%s</data>\n    <data key=\"family\">%s</data>\n",
                       id, family_name(parts->row->family));
}

static enum status put_part_head(struct graphfile_parts *parts)
{
    const struct tdags *tdags = parts->tdags;
    uint32_t dag = parts->dag;
    char tdag[TDAG_NAME_MAX + 1], name[TDAG_NAME_MAX + 8], title[TDAG_NAME_MAX + 64];
    const uint32_t *members = tdags->members + tdags->first[dag - 1];
    uint32_t count = tdags->first[dag] - tdags->first[dag - 1];
    parts->file.tells_root = true;
    parts->file.first_height = parts->forest->first_height;
    parts->txids = mem_alloc(count, sizeof *parts->txids);
    if (!parts->txids)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        parts->txids[i] = parts->forest->txs[members[i]].txid;
    if (parts->file.format == GRAPHFILE_GEXF && gexf_places(parts->forest, tdags, dag, &parts->places) != STATUS_OK)
        return STATUS_NOMEM;
    *tdag_put_name(parts->forest, tdags, dag, tdag) = '\0';
    snprintf(name, sizeof name, "tdag_%s", tdag);
    snprintf(title, sizeof title, "T-DAG %s, number %u, rules %s", tdag, (unsigned)dag, rules_name(tdags->rules));
    enum status status = graphfile_begin(&parts->file, name, title, parts->txids, count);
    return status == STATUS_OK && parts->row && parts->file.format == GRAPHFILE_GRAPHML ? put_class_of(parts) : status;
}

static enum status put_part_of(struct graphfile_parts *parts)
{
    const struct tdags *tdags = parts->tdags;
    const uint32_t *members = tdags->members + tdags->first[parts->dag - 1];
    uint32_t count = tdags->first[parts->dag] - tdags->first[parts->dag - 1];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < PART_TXS && parts->next < count && status == STATUS_OK; i++) {
        const struct gexf_place *place = parts->places ? &parts->places[parts->next] : NULL;
        uint32_t number = members[parts->next++];
        status = parts->at == GRAPHFILE_AT_NODES ? tdag_node(&parts->file, parts->forest, tdags, number, place)
                                                 : tdag_arcs(&parts->file, parts->forest, tdags, number);
    }
    if (status != STATUS_OK || parts->next < count)
        return status;
    parts->next = 0;
    if (parts->at == GRAPHFILE_AT_NODES) {
        parts->at = GRAPHFILE_AT_ARCS;
        return parts->file.format == GRAPHFILE_GEXF ? gexf_begin_arcs(parts->file.text) : STATUS_OK;
    }
    parts->at = GRAPHFILE_AT_END;
    status = parts->more ? parts->more(parts->more_context, &parts->file) : STATUS_OK;
    return status == STATUS_OK ? graphfile_end(&parts->file) : status;
}

enum status graphfile_parts_put(struct graphfile_parts *parts, struct text *text)
{
    enum status status = STATUS_OK;
    parts->file.text = text;
    if (parts->at == GRAPHFILE_AT_HEAD) {
        status = put_part_head(parts);
        parts->at = GRAPHFILE_AT_NODES;
    }
    /* arcs of some hundred transactions may be none, and a part without bytes is the end */
    for (size_t before = text->size; status == STATUS_OK && text->size == before && parts->at != GRAPHFILE_AT_END;)
        status = put_part_of(parts);
    return status;
}

void graphfile_parts_free(struct graphfile_parts *parts)
{
    mem_free(parts->txids);
    mem_free(parts->places);
    parts->txids = NULL;
    parts->places = NULL;
}

enum status graphfile_put_all(struct graphfile_parts *parts, struct text *text)
{
    enum status status = STATUS_OK;
    while (parts->at != GRAPHFILE_AT_END && status == STATUS_OK)
        status = graphfile_parts_put(parts, text);
    return status;
}
