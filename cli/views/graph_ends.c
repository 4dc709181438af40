#include "cli/views/graph_ends.h"

#include "parser/search.h"

/* Is the output's transaction in the T-DAG? Then the output is one of its payees. Members are in chain order. */
static bool is_inside(const struct graph_ends *ends, const struct payments_end *end)
{
    const struct forest *forest = ends->payments.forest;
    const struct tdags *tdags = &ends->payments.selection->tdags;
    uint32_t after = tdags->first[ends->dag];
    size_t at = LOWER_BOUND(m, tdags->first[ends->dag - 1], after, forest->txs[tdags->members[m]].height < end->height);
    for (; at < after && forest->txs[tdags->members[at]].height == end->height; at++) {
        if (hash256_equal(&forest->txs[tdags->members[at]].txid, end->txid))
            return true;
    }
    return false;
}

static enum status put_end(void *context, const struct payments_end *end, struct text *text, struct fault *fault)
{
    const struct graph_ends *ends = context;
    const struct forest_tx *stored = &ends->payments.forest->txs[end->number];
    const struct graphfile_node tx = {.txid = &stored->txid, .height = stored->height};
    const struct graphfile_output output = {.txid = end->txid,
                                            .height = end->height,
                                            .vout = end->vout,
                                            .value_sat = end->output->value_sat,
                                            .kind = end->output->kind,
                                            .address = end->address,
                                            .address_size = end->address_size};
    enum status status = STATUS_OK;
    (void)text; /* the file's own */
    if (end->payee || !is_inside(ends, end))
        status = graphfile_output(ends->file, &output);
    if (status == STATUS_OK)
        status = graphfile_pays(ends->file, &output, &tx, !end->payee, end->position);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* Payees first: a payer may be one of them. */
static enum status put_ends(void *context, const struct graphfile *file)
{
    struct graph_ends *ends = context;
    struct payments *payments = &ends->payments;
    enum status status = STATUS_OK;
    ends->file = file;
    for (unsigned payees = 2; payees-- > 0;) {
        for (size_t chunk = 0; chunk < payments_chunks(payments) && status == STATUS_OK; chunk++)
            status = payments_chunk(payments, 0, chunk, payees, file->text, ends->fault);
    }
    return status;
}

enum status graph_ends_open(struct graph_ends *ends, const struct store *store, const struct selection *selection,
                            struct graphfile_parts *parts, struct fault *fault)
{
    struct payments *payments = &ends->payments;
    ends->dag = parts->dag;
    ends->fault = fault;
    enum status status = payments_open(payments, store, parts->forest, 1, fault);
    payments->only = parts->dag;
    payments->each = put_end;
    payments->each_context = ends;
    if (status == STATUS_OK)
        status = payments_visit(payments, selection, fault);
    parts->file.tells_ends = true;
    parts->more = put_ends;
    parts->more_context = ends;
    return status;
}

void graph_ends_close(struct graph_ends *ends) { payments_close(&ends->payments); }
