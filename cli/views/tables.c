#include "cli/views/tables.h"

#include <stdio.h>

#include "cli/inputs/dag_labels.h"
#include "cli/output/partial.h"
#include "cli/views/tables_parts.h"
#include "graph/dag/names.h"

char *put_class_id(char *out, const uint8_t id[CANON_ID_SIZE], bool exact)
{
    out = put_hex(out, id, CANON_ID_SIZE);
    if (!exact)
        *out++ = '?';
    return out;
}

/* The cell of the paper's class after the comma that it needs. */
static char *put_paper_class(char *p, const struct paper_class *class)
{
    *p++ = ',';
    return class->known ? put_hex(p, class->id, CANON_ID_SIZE) : p;
}

static uint32_t chunk_end(size_t chunk, uint32_t rows)
{
    uint32_t first = (uint32_t)chunk * CHUNK_ROWS;
    return rows - first < CHUNK_ROWS ? rows : first + CHUNK_ROWS;
}

/* The name of a T-DAG after the comma that it needs. */
static char *put_name(char *p, const struct tables *tables, uint32_t dag)
{
    *p++ = ',';
    return tdag_put_name(tables->forest, tables->tdags, dag, p);
}

/* Two cells after the comma that they need: what is told of a partial store only. */
static char *put_maybe(char *p, const struct tables *tables, uint64_t maybe_roots, uint64_t inputs_before)
{
    if (tables->forest->first_height == 0)
        return p;
    *p++ = ',';
    p = put_cell(p, maybe_roots);
    return put_u64(p, inputs_before);
}

/* The last cell of a row, which --labels asks for, and its end. */
static char *put_row_end(char *p, const struct tables *tables, uint32_t dag)
{
    p = dag_labels_put_cell(tables->labels, dag, p);
    *p++ = '\n';
    return p;
}

/* Where a transaction is in the chain, after the comma that it needs. */
static char *put_place(char *p, uint32_t height, uint32_t tx_index)
{
    *p++ = ',';
    p = put_cell(p, height);
    return put_u64(p, tx_index);
}

/* ---- tdags.csv ---- */

#define TDAG_ROW                                                                                                       \
    (2 * CLASS_ID_TEXT + 32 + TDAG_NAME_MAX + HASH256_HEX_SIZE + 27 * (PUT_U64_MAX + 1) + 8 * (PUT_MICRO_MAX + 1) +    \
     UNLOCK_SHARES_MAX)

static char *put_order(char *p, const struct measures_row *row)
{
    const double cells[] = {row->orderliness,  row->symmetry, row->repetition,      row->fan_out_regularity,
                            row->equal_values, row->cadence,  row->chain_frequency, row->automation};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        *p++ = ',';
        p = put_micro(p, cells[i]);
    }
    return p;
}

static char *put_tdag(char *p, const struct tables *tables, uint32_t dag, const struct tdag_row *row,
                      const struct name_set *names, const struct measures_row *measures)
{
    p = put_cell(p, dag);
    p = put_class_id(p, row->class_id, row->class_exact);
    *p++ = ',';
    p = put_text(p, family_name(row->family));
    *p++ = ',';
    const uint64_t cells[] = {row->txs,
                              row->nodes,
                              row->edges,
                              row->roots,
                              row->leaves,
                              row->height,
                              row->width,
                              row->spent_unknown,
                              row->unspent_unknown,
                              row->known_leaves,
                              row->mixed_spenders,
                              row->first_height,
                              row->last_height,
                              row->first_time,
                              row->last_time,
                              row->root_value_sat,
                              row->moved_value_sat,
                              row->leaf_value_sat};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        p = put_cell(p, cells[i]);
    p = put_hash_cell(p, &tables->forest->txs[tdags_first_tx(tables->tdags, dag)].txid);
    p = catalogue_put_names(tables->catalogue, names, p);
    p = put_order(p, measures);
    if (tables->payments) {
        *p++ = ',';
        p = put_cell(p, tables->payments->fee_sat[dag]);
        p = put_u64(p, tables->payments->payer_value_sat[dag]);
    }
    return p;
}

/* Of --top's, or of the large ones that were measured, or measured now. NULL without memory. */
static const struct measures_row *measures_for(const struct tables *tables, uint32_t dag,
                                               struct measures_scratch *scratch, struct measures_row *own)
{
    const struct measures_row *large = measures_large_of(tables->large, dag);
    if (tables->measures || large)
        return tables->measures ? &tables->measures[dag - 1] : large;
    const struct tdag_row *row = &tables->selection->classes.rows[dag - 1];
    return measures_of(scratch, tables->forest, tables->tdags, dag, row, own) == STATUS_OK ? own : NULL;
}

/* With the cells that are last: the name, shares of unlocks, the labels of --labels, the class of --paper-classes. */
static enum status put_tdag_row(struct text *text, const struct tables *tables, uint32_t dag,
                                struct measures_scratch *scratch)
{
    const struct tdag_row *row = &tables->selection->classes.rows[dag - 1];
    struct measures_row own;
    char *p = text_room(text, TDAG_ROW + tables->names_size + dag_labels_cell_size(tables->labels, dag));
    const struct measures_row *measures = measures_for(tables, dag, scratch, &own);
    if (!p || !measures)
        return STATUS_NOMEM;
    p = put_tdag(p, tables, dag, row, &tables->held->labels.all[dag], measures);
    p = put_name(p, tables, dag);
    if (tables->unlocks)
        p = put_unlock_shares(p, &tables->unlocks->counts[dag]);
    p = dag_labels_put_cell(tables->labels, dag, p);
    if (tables->paper)
        p = put_paper_class(p, &tables->paper->tdags[dag - 1]);
    p = put_maybe(p, tables, row->maybe_roots, row->inputs_before);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

enum status tables_format_tdags(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    struct measures_scratch scratch = {0};
    (void)worker;
    uint32_t end = chunk_end(chunk, tables->selection->classes.rows_count);
    enum status status = STATUS_OK;
    for (uint32_t i = (uint32_t)chunk * CHUNK_ROWS; i < end && status == STATUS_OK; i++)
        status = put_tdag_row(text, tables, i + 1, &scratch);
    measures_scratch_free(&scratch);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

enum status tables_measure_large(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    struct measures_scratch scratch = {0};
    uint32_t dag = tables->large->dags[chunk];
    (void)worker;
    (void)text;
    enum status status = measures_of(&scratch, tables->forest, tables->tdags, dag,
                                     &tables->selection->classes.rows[dag - 1], &tables->large->rows[chunk]);
    measures_scratch_free(&scratch);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* ---- classes.csv ---- */

/* The largest double in %.6f has 309 digits before its point. */
#define CLASS_ROW (2 * CLASS_ID_TEXT + 32 + TDAG_NAME_MAX + 320 + 11 * (PUT_U64_MAX + 1) + UNLOCK_SHARES_MAX)

static char *put_class(char *p, const struct tables *tables, uint32_t class)
{
    const struct class_row *row = &tables->selection->classes.classes[class];
    p = put_class_id(p, row->class_id, row->exact);
    *p++ = ',';
    p = put_cell(p, row->tdags);
    p = put_cell(p, row->height);
    p = put_cell(p, row->nodes);
    p = put_cell(p, row->edges);
    p = put_cell(p, row->roots);
    p = put_cell(p, row->txs);
    p = put_text(p, family_name(row->family));
    p += sprintf(p, ",%.6f,", row->automorphisms_log10);
    p = put_cell(p, row->first_dag);
    p = catalogue_put_names(tables->held->catalogue, &tables->held->classes[class], p);
    p = put_name(p, tables, row->first_dag);
    if (tables->unlocks)
        p = put_unlock_shares(p, &tables->unlocks->of_class[class]);
    if (tables->paper)
        p = put_paper_class(p, &tables->paper->classes[class]);
    if (tables->forest->first_height > 0) {
        *p++ = ',';
        p = put_u64(p, row->maybe_tdags);
    }
    *p++ = '\n';
    return p;
}

enum status tables_format_classes(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    const struct classes *classes = &tables->selection->classes;
    (void)worker;
    uint32_t end = chunk_end(chunk, classes->classes_count);
    for (uint32_t i = (uint32_t)chunk * CHUNK_ROWS; i < end; i++) {
        char *p = text_room(text, CLASS_ROW + tables->names_size);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_class(p, tables, i));
    }
    return STATUS_OK;
}

/* ---- txs.csv ---- */

#define TX_ROW (HASH256_HEX_SIZE + TDAG_NAME_MAX + 15 * (PUT_U64_MAX + 1))

static char *put_tx(char *p, const struct tables *tables, uint32_t number, uint32_t dag, uint32_t depth)
{
    const struct forest *forest = tables->forest;
    const struct forest_tx *tx = &forest->txs[number];
    uint32_t unknown_inputs = forest_unknown_inputs(forest, number, tables->rules);
    uint32_t unknown_outputs = forest_unknown_outputs(forest, number, tables->rules);
    p = put_cell(p, dag);
    p = put_cell(p, tx->height);
    p = put_cell(p, tx->index);
    p = put_hash_cell(p, &tx->txid);
    p = put_cell(p, (tx->coinbase || unknown_inputs < tx->inputs) && unknown_outputs > 0);
    p = put_cell(p, unknown_inputs);
    p = put_cell(p, tx->inputs - unknown_inputs);
    p = put_cell(p, unknown_outputs);
    p = put_cell(p, tx->outputs - unknown_outputs);
    p = put_cell(p, depth);
    p = put_cell(p, tx->value_out_sat);
    p = put_u64(p, forest->block_times[tx->height]);
    p = dag_labels_put_cell(tables->labels, dag, put_name(p, tables, dag));
    p = put_maybe(p, tables, forest_is_maybe_root(forest, number, tables->rules), forest_inputs_before(forest, number));
    *p++ = '\n';
    return p;
}

enum status tables_format_txs(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    const uint32_t *tx_dag = tables->selection->tdags.tx_dag;
    (void)worker;
    uint32_t end = chunk_end(chunk, tables->forest->txs_count);
    for (uint32_t t = (uint32_t)chunk * CHUNK_ROWS; t < end; t++) {
        if (!tx_dag[t])
            continue;
        char *p = text_room(text, TX_ROW + dag_labels_cell_size(tables->labels, tx_dag[t]));
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_tx(p, tables, t, tx_dag[t], tables->selection->classes.depths[t]));
    }
    return STATUS_OK;
}

/* ---- arcs.csv ---- */

#define ARC_ROW (TDAG_NAME_MAX + 2 * HASH256_HEX_SIZE + 24 + 11 * (PUT_U64_MAX + 1))

static char *put_arc(char *p, const struct tables *tables, const struct forest_output *output, uint32_t dag)
{
    const struct forest_tx *from = &tables->forest->txs[output->tx], *to = &tables->forest->txs[output->spender];
    p = put_cell(p, dag);
    p = put_hash_cell(p, &from->txid);
    p = put_cell(p, output->vout);
    p = put_hash_cell(p, &to->txid);
    p = put_cell(p, output->spender_vin);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name((enum kind)output->kind));
    p = put_place(put_name(p, tables, dag), from->height, from->index);
    p = put_place(p, to->height, to->index);
    return put_row_end(p, tables, dag);
}

/* Outputs are numbered in chain order, so arcs by output are arcs by (transaction, vout). */
enum status tables_format_arcs(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    const struct forest *forest = tables->forest;
    const uint32_t *tx_dag = tables->selection->tdags.tx_dag;
    (void)worker;
    uint32_t end = chunk_end(chunk, forest->outputs_count);
    for (uint32_t o = (uint32_t)chunk * CHUNK_ROWS; o < end; o++) {
        const struct forest_output *output = &forest->outputs[o];
        uint32_t dag = tx_dag[output->tx];
        FOREST_PREFETCH_SPENDER(forest, o);
        if (!dag || !forest_is_arc(output, tables->rules))
            continue;
        char *p = text_room(text, ARC_ROW + dag_labels_cell_size(tables->labels, dag));
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_arc(p, tables, output, dag));
    }
    return STATUS_OK;
}

/* ---- leaves.csv ---- */

#define LEAF_ROW (TDAG_NAME_MAX + HASH256_HEX_SIZE + 24 + 7 * (PUT_U64_MAX + 1))

static bool is_spent(const struct forest *forest, uint64_t ordinal)
{
    return ordinal < forest->outputs_count && forest->outputs[ordinal].spender != FOREST_NONE;
}

static enum status put_leaves(struct text *text, const struct tables *tables, struct tx_view *view, uint32_t dag)
{
    struct output_record output;
    uint64_t ordinal = view->tx.first_ordinal;
    enum status status;
    for (uint32_t vout = 0; (status = tx_next_output(view, &output)) == STATUS_OK; vout++) {
        bool unknown = output.unknown >> tables->rules & 1;
        bool tracked = output_is_tracked(output.unknown, output.kind);
        bool leaf = !(unknown && tracked && is_spent(tables->forest, ordinal));
        ordinal += tracked;
        if (!leaf)
            continue;
        char *p = text_room(text, LEAF_ROW + dag_labels_cell_size(tables->labels, dag));
        if (!p)
            return STATUS_NOMEM;
        p = put_cell(p, dag);
        p = put_hash_cell(p, &view->tx.txid);
        p = put_cell(p, vout);
        p = put_cell(p, output.value_sat);
        p = put_text(p, kind_name(output.kind));
        *p++ = ',';
        *p++ = unknown ? '1' : '0';
        p = put_place(put_name(p, tables, dag), tables->forest->txs[view->tx.number].height, view->tx.index);
        text_end(text, put_row_end(p, tables, dag));
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* And what the unknown outputs are, which are all at hand. */
static enum status put_batch_leaves(struct text *text, const struct tables *tables, struct matcher *matcher,
                                    struct batch_view *view)
{
    const struct tdags *tdags = &tables->selection->tdags;
    struct block_record block;
    struct tx_view tx;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        while ((status = batch_next_tx(view, &tx)) == STATUS_OK) {
            if (tx.tx.number >= tables->forest->txs_count)
                return STATUS_FORMAT;
            uint32_t dag = tdags->tx_dag[tx.tx.number];
            if (!dag)
                continue;
            status = labels_add_tx(tables->found, tables->forest, tdags, matcher, &tx, dag);
            if (status != STATUS_OK || (status = put_leaves(text, tables, &tx, dag)) != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status tables_format_leaves(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct tables *tables = context;
    struct store_reader *reader = tables->readers.readers[worker];
    struct matcher **matcher = &tables->matchers[worker];
    struct batch_view view;
    enum status status = STATUS_OK;
    if (!*matcher)
        status = matcher_new(tables->catalogue, store_seed(tables->store), matcher, fault);
    if (status == STATUS_OK)
        status = store_read_batch(reader, chunk, false, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = put_batch_leaves(text, tables, *matcher, &view);
    if (status == STATUS_FORMAT)
        return opened_store_damaged(tables->store, view.first_height, fault);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* ---- one row at a time ---- */

static struct tables tables_of(const struct table_rows *rows)
{
    return (struct tables){.forest = rows->forest,
                           .tdags = rows->tdags,
                           .catalogue = rows->catalogue,
                           .labels = rows->labels,
                           .rules = rows->tdags->rules};
}

enum status tables_put_tdag(struct text *text, const struct table_rows *rows, uint32_t dag, const struct tdag_row *row,
                            const struct name_set *names, const struct measures_row *measures)
{
    const struct tables tables = tables_of(rows);
    char *p = text_room(text,
                        TDAG_ROW + catalogue_names_size(rows->catalogue) + dag_labels_cell_size(rows->labels, dag));
    if (!p)
        return STATUS_NOMEM;
    p = put_name(put_tdag(p, &tables, dag, row, names, measures), &tables, dag);
    if (rows->unlocks)
        p = put_unlock_shares(p, rows->unlocks);
    p = dag_labels_put_cell(tables.labels, dag, p);
    text_end(text, partial_put_end(put_maybe(p, &tables, row->maybe_roots, row->inputs_before)));
    return STATUS_OK;
}

enum status tables_put_tx(struct text *text, const struct table_rows *rows, uint32_t number, uint32_t depth)
{
    const struct tables tables = tables_of(rows);
    char *p = text_room(text, TX_ROW);
    if (!p)
        return STATUS_NOMEM;
    p = put_tx(p, &tables, number, rows->tdags->tx_dag[number], depth);
    text_end(text, partial_put_end(p - 1));
    return STATUS_OK;
}

enum status tables_put_arcs(struct text *text, const struct table_rows *rows, uint32_t number)
{
    const struct tables tables = tables_of(rows);
    const struct forest_tx *tx = &rows->forest->txs[number];
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        if (!forest_is_arc(&rows->forest->outputs[o], tables.rules))
            continue;
        char *p = text_room(text, ARC_ROW);
        if (!p)
            return STATUS_NOMEM;
        p = put_arc(p, &tables, &rows->forest->outputs[o], rows->tdags->tx_dag[number]);
        text_end(text, partial_put_end(p - 1));
    }
    return STATUS_OK;
}
