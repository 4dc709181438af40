#include "cli/views/journey.h"

#include <string.h>

#include "cli/output/schema.h"
#include "cli/views/graphfile.h"
#include "parser/mem.h"
#include "parser/sort.h"

#define ROW_MAX (2u * HASH256_HEX_SIZE + 32 + 9 * (PUT_U64_MAX + 1))

static enum status put_csv(struct text *text, const struct journey *journey)
{
    enum status status = schema_put_header(text, &schema_travel, 0);
    for (size_t i = 0; i < journey->steps_count && status == STATUS_OK; i++) {
        const struct step *step = &journey->steps[i];
        char *p = text_room(text, ROW_MAX);
        if (!p)
            return STATUS_NOMEM;
        p = put_cell(p, step->depth);
        if (step->has_from)
            p = put_cell(put_hash_cell(p, &step->from_txid), step->vout);
        else
            p = put_text(p, ",,");
        if (step->has_to)
            p = put_cell(put_hash_cell(p, &step->to_txid), step->vin);
        else
            p = put_text(p, ",,");
        if (step->has_from)
            p = put_text(put_cell(p, step->output.value_sat), kind_name(step->output.kind));
        else
            *p++ = ',';
        *p++ = ',';
        if (step->has_from)
            p = put_u64(p, step->from_height);
        *p++ = ',';
        if (step->has_to)
            p = put_u64(p, step->to_height);
        *p++ = '\n';
        text_end(text, p);
    }
    return status;
}

static enum status put_nodes(const struct graphfile *file, const struct journey *journey, struct fault *fault)
{
    struct index_tx tx;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < journey->txs_count && status == STATUS_OK; i++) {
        status = index_tx_at(journey->index, journey->txs[i], &tx, fault);
        const struct graphfile_node node = {
            .txid = &tx.txid, .height = tx.height, .index = tx.index, .value_out_sat = tx.value_out_sat};
        if (status == STATUS_OK)
            status = graphfile_node(file, &node);
    }
    return status;
}

static enum status put_arcs(const struct graphfile *file, const struct journey *journey)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < journey->steps_count && status == STATUS_OK; i++) {
        const struct step *step = &journey->steps[i];
        const struct graphfile_arc arc = {&step->from_txid,       &step->to_txid,    step->from_height,
                                          step->to_height,        step->vout,        step->vin,
                                          step->output.value_sat, step->output.kind, 0};
        if (step->has_from && step->has_to)
            status = graphfile_arc(file, &arc);
    }
    return status;
}

/* Transactions, and the spends between them: what the journey ends at has no node. */
static enum status put_graph(struct text *text, enum graphfile_format format, const struct journey *journey,
                             struct fault *fault)
{
    struct graphfile file = {.text = text, .format = format};
    struct hash256 *txids = mem_alloc(journey->txs_count, sizeof *txids);
    struct index_tx tx;
    enum status status = txids ? STATUS_OK : STATUS_NOMEM;
    sort_numbers(journey->txs, journey->txs_count);
    for (size_t i = 0; i < journey->txs_count && status == STATUS_OK; i++) {
        status = index_tx_at(journey->index, journey->txs[i], &tx, fault);
        if (status == STATUS_OK)
            txids[i] = tx.txid;
    }
    if (status == STATUS_OK)
        status = graphfile_begin(&file, "travel", NULL, txids, journey->txs_count);
    if (status == STATUS_OK)
        status = put_nodes(&file, journey, fault);
    if (status == STATUS_OK)
        status = put_arcs(&file, journey);
    mem_free(txids);
    return status == STATUS_OK ? graphfile_end(&file) : status;
}

enum status journey_put(const struct journey *journey, const char *format, struct text *text, struct fault *fault)
{
    enum status status;
    if (strcmp(format, "csv") == 0)
        status = put_csv(text, journey);
    else
        status = put_graph(text, strcmp(format, "dot") == 0 ? GRAPHFILE_DOT : GRAPHFILE_GRAPHML, journey, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}
