#include "cli/views/payments.h"

#include "cli/output/message.h"
#include "cli/output/partial.h"
#include "cli/inputs/index_blocks.h"
#include "graph/dag/names.h"
#include "parser/address.h"
#include "parser/mem.h"
#include "parser/money.h"

/* Transactions of the forest that one chunk looks at; most are in no T-DAG of height 2. */
#define CHUNK_TXS 1024u

#define ROW_MAX (2u * HASH256_HEX_SIZE + 32 + ADDRESS_SIZE_MAX + TDAG_NAME_MAX + 11 * (PUT_U64_MAX + 1))

/* What one worker reads with. */
struct hand {
    struct payments *payments;
    struct tx_index *index;
    struct blk_reader *reader;
    struct text *text;
    struct label_pairs *pairs;
    struct index_block block; /* of the transaction, kept from one to the next */
};

/* ---- addresses ---- */

/* An address, and its labels. */
struct end_cells {
    const uint8_t *script; /* NULL: it could not be read */
    uint32_t script_size;
    char address[ADDRESS_SIZE_MAX];
    size_t size;
    struct label_span labels;
    size_t room; /* bytes that the labels may take */
};

/* One reason is enough; which of several it is depends on the threads, and goes to stderr only. */
static enum status read_address(struct hand *hand, const struct index_tx *tx, uint32_t vout, struct end_cells *cells,
                                struct fault *fault)
{
    struct payments *payments = hand->payments;
    struct fault why = {0};
    enum status status = STATUS_NOT_FOUND;
    cells->size = 0;
    if (payments->blk_files.path)
        status = index_blocks_script(hand->reader, &payments->blk_files, hand->index, tx, vout, &cells->script,
                                     &cells->script_size, &why);
    if (status == STATUS_OK) {
        char *end = address_put(cells->address, payments->network, cells->script, cells->script_size);
        cells->size = (size_t)(end - cells->address);
        return STATUS_OK;
    }
    cells->script = NULL;
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (__atomic_fetch_add(&payments->unread, 1, __ATOMIC_RELAXED) == 0 && payments->blk_files.path)
        payments->why = why;
    return STATUS_OK;
}

/* The cells of an output that T-DAG `dag` is paid from or pays to; the T-DAG has its labels too. */
static enum status end_cells_of(struct hand *hand, uint32_t dag, const struct index_tx *tx, uint32_t vout,
                                struct end_cells *cells, struct fault *fault)
{
    const struct address_labels *labels = hand->payments->labels;
    enum status status = read_address(hand, tx, vout, cells, fault);
    cells->labels = (struct label_span){0};
    cells->room = 0;
    if (status != STATUS_OK || !labels)
        return status;
    if (cells->size > 0)
        cells->labels = address_labels_of(labels, cells->address, cells->size);
    cells->room = address_labels_size(labels, &cells->labels);
    if (hand->payments->dag_labels.labels)
        cells->room += dag_labels_cell_size(&hand->payments->dag_labels, dag);
    else if (label_pairs_add(hand->pairs, dag, &cells->labels) != STATUS_OK)
        return fault_nomem(fault);
    return STATUS_OK;
}

/* For whoever wants the end itself in place of a row. */
static enum status tell_end(struct hand *hand, const struct payments_end *end, const struct end_cells *cells,
                            struct fault *fault)
{
    struct payments_end told = *end;
    told.script = cells->script;
    told.script_size = cells->script_size;
    told.address = cells->address;
    told.address_size = cells->size;
    return hand->payments->each(hand->payments->each_context, &told, hand->text, fault);
}

/* ---- one transaction of a T-DAG ---- */

/* The last cells of a row, after the comma of the one before: the T-DAG, the place of its transaction, labels. */
static char *put_last(char *p, const struct hand *hand, uint32_t dag, uint32_t number, const struct end_cells *cells)
{
    const struct forest_tx *tx = &hand->payments->forest->txs[number];
    p = tdag_put_name(hand->payments->forest, &hand->payments->selection->tdags, dag, p);
    *p++ = ',';
    p = put_cell(p, tx->height);
    p = put_u64(p, tx->index);
    if (hand->payments->labels) {
        *p++ = ',';
        p = address_labels_put(hand->payments->labels, &cells->labels, p);
        p = dag_labels_put_cell(&hand->payments->dag_labels, dag, p);
    }
    *p++ = '\n';
    return p;
}

static char *put_cell_of(char *p, const struct end_cells *cells)
{
    memcpy(p, cells->address, cells->size);
    p += cells->size;
    *p++ = ',';
    return p;
}

static char *put_time(char *p, const struct hand *hand, const struct index_tx *tx)
{
    return put_cell(p, hand->payments->forest->block_times[tx->height]);
}

static enum status put_payer(struct hand *hand, uint32_t dag, uint32_t number, const struct index_tx *tx, uint32_t vin,
                             uint64_t spent, struct fault *fault)
{
    struct link_end from;
    struct index_output output;
    struct end_cells cells;
    enum status status = spend_links_output(hand->index, spent, tx->first_input + vin, &from, &output, fault);
    if (status == STATUS_OK)
        status = end_cells_of(hand, dag, &from.tx, from.position, &cells, fault);
    if (status != STATUS_OK || hand->payments->labelling)
        return status;
    if (hand->payments->each)
        return tell_end(hand,
                        &(struct payments_end){.dag = dag,
                                               .tx = tx,
                                               .number = number,
                                               .position = vin,
                                               .txid = &from.tx.txid,
                                               .height = from.tx.height,
                                               .vout = from.position,
                                               .output = &output},
                        &cells, fault);
    char *p = text_room(hand->text, ROW_MAX + cells.room);
    if (!p)
        return fault_nomem(fault);
    p = put_cell(p, dag);
    p = put_hash_cell(p, &tx->txid);
    p = put_cell(p, vin);
    p = put_hash_cell(p, &from.tx.txid);
    p = put_cell(p, from.position);
    p = put_cell(p, output.value_sat);
    p = put_text(p, kind_name(output.kind));
    *p++ = ',';
    p = put_cell_of(p, &cells);
    text_end(hand->text, put_last(put_time(p, hand, tx), hand, dag, number, &cells));
    add_saturating_shared(&hand->payments->payer_value_sat[dag], output.value_sat);
    __atomic_fetch_add(&hand->payments->payers, 1, __ATOMIC_RELAXED);
    return STATUS_OK;
}

/* Inputs that spend an unknown output are inside the T-DAG; all others pay into it. */
static enum status put_payers(struct hand *hand, uint32_t dag, uint32_t number, const struct index_tx *tx,
                              struct fault *fault)
{
    const struct forest *forest = hand->payments->forest;
    struct inputs_run run = {.index = hand->index, .end = tx->first_input + tx->inputs};
    uint32_t spend = forest->txs[number].first_spend, spend_end = forest->txs[number + 1].first_spend;
    enum status status = STATUS_OK;
    if (!hand->payments->labelling)
        add_saturating_shared(&hand->payments->fee_sat[dag], tx->fee_sat);
    for (uint32_t vin = 0; vin < tx->inputs && !tx->coinbase && status == STATUS_OK; vin++) {
        const struct forest_output *stored = spend < spend_end ? &forest->outputs[forest->spends[spend]] : NULL;
        bool is_stored = stored && stored->spender_vin == vin;
        spend += is_stored;
        if (is_stored && (stored->unknown >> hand->payments->selection->tdags.rules & 1))
            continue;
        uint64_t spent;
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK)
            status = put_payer(hand, dag, number, tx, vin, spent, fault);
    }
    return status;
}

/* The transaction that spends the output in the store's chain, which may end below the index. */
static enum status find_spender(const struct hand *hand, uint64_t number, const struct index_output *output,
                                struct link_end *spender, bool *spent, struct fault *fault)
{
    *spent = false;
    if (output->spender == INDEX_NONE)
        return STATUS_OK;
    enum status status = spend_links_input(hand->index, output->spender, number, spender, fault);
    *spent = status == STATUS_OK && spender->tx.height < hand->payments->forest->blocks;
    return status;
}

static enum status put_payee(struct hand *hand, uint32_t dag, uint32_t number, const struct index_tx *tx, uint32_t vout,
                             const struct index_output *output, struct fault *fault)
{
    struct link_end spender;
    bool spent;
    struct end_cells cells;
    enum status status = find_spender(hand, tx->first_output + vout, output, &spender, &spent, fault);
    if (status == STATUS_OK)
        status = end_cells_of(hand, dag, tx, vout, &cells, fault);
    if (status != STATUS_OK || hand->payments->labelling)
        return status;
    if (hand->payments->each)
        return tell_end(hand,
                        &(struct payments_end){.payee = true,
                                               .dag = dag,
                                               .tx = tx,
                                               .number = number,
                                               .position = vout,
                                               .txid = &tx->txid,
                                               .height = tx->height,
                                               .vout = vout,
                                               .output = output},
                        &cells, fault);
    char *p = text_room(hand->text, ROW_MAX + cells.room);
    if (!p)
        return fault_nomem(fault);
    p = put_cell(p, dag);
    p = put_hash_cell(p, &tx->txid);
    p = put_cell(p, vout);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name(output->kind));
    *p++ = ',';
    p = put_cell_of(p, &cells);
    p = put_time(put_cell(p, spent), hand, tx);
    p = spent ? put_cell(put_cell(put_hash_cell(p, &spender.tx.txid), spender.position), spender.tx.height)
              : put_text(p, ",,,");
    text_end(hand->text, put_last(p, hand, dag, number, &cells));
    __atomic_fetch_add(&hand->payments->payees, 1, __ATOMIC_RELAXED);
    return STATUS_OK;
}

static enum status put_payees(struct hand *hand, uint32_t dag, uint32_t number, const struct index_tx *tx,
                              struct fault *fault)
{
    const struct forest *forest = hand->payments->forest;
    struct outputs_run run = {.index = hand->index, .end = tx->first_output + tx->outputs};
    uint32_t tracked = forest->txs[number].first_output, tracked_end = forest->txs[number + 1].first_output;
    enum status status = STATUS_OK;
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK; vout++) {
        const struct forest_output *stored = tracked < tracked_end ? &forest->outputs[tracked] : NULL;
        bool is_tracked = stored && stored->vout == vout;
        bool unknown = is_tracked && (stored->unknown >> hand->payments->selection->tdags.rules & 1);
        struct index_output output;
        tracked += is_tracked;
        status = outputs_run_at(&run, tx->first_output + vout, &output, fault);
        if (status == STATUS_OK && !unknown && output.kind != KIND_NULLDATA)
            status = put_payee(hand, dag, number, tx, vout, &output, fault);
    }
    return status;
}

/* ---- tables ---- */

typedef enum status put_rows(struct hand *hand, uint32_t dag, uint32_t number, const struct index_tx *tx,
                             struct fault *fault);

static enum status format_rows(struct payments *payments, unsigned worker, size_t chunk, struct text *text,
                               put_rows *put, struct fault *fault)
{
    struct hand hand = {.payments = payments,
                        .index = payments->indexes.indexes[worker],
                        .reader = &payments->readers[worker],
                        .pairs = &payments->pairs[worker],
                        .text = text};
    const uint32_t *tx_dag = payments->selection->tdags.tx_dag;
    uint32_t first = (uint32_t)chunk * CHUNK_TXS, count = payments->forest->txs_count;
    uint32_t end = count - first < CHUNK_TXS ? count : first + CHUNK_TXS;
    enum status status = STATUS_OK;
    struct index_tx tx = {0};
    for (uint32_t t = first; t < end && status == STATUS_OK; t++) {
        if (!tx_dag[t] || (payments->only > 0 && tx_dag[t] != payments->only))
            continue;
        status = spend_links_stored(hand.index, payments->store, &payments->forest->txs[t], &hand.block, &tx, fault);
        if (status == STATUS_OK)
            status = put(&hand, tx_dag[t], t, &tx, fault);
    }
    return status;
}

static enum status format_payers(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    return format_rows(context, worker, chunk, text, put_payers, fault);
}

static enum status format_payees(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    return format_rows(context, worker, chunk, text, put_payees, fault);
}

size_t payments_chunks(const struct payments *payments)
{
    return payments->forest->txs_count / CHUNK_TXS + (payments->forest->txs_count % CHUNK_TXS != 0);
}

enum status payments_chunk(struct payments *payments, unsigned worker, size_t chunk, bool payees, struct text *text,
                           struct fault *fault)
{
    return format_rows(payments, worker, chunk, text, payees ? put_payees : put_payers, fault);
}

static enum status write_table(struct payments *payments, struct outfile *file, struct outfolder *folder,
                               const char *name, const struct table_schema *schema, outfile_format *format,
                               struct fault *fault)
{
    const struct outfile_table table = {schema, payments->labels ? COLUMN_WITH_LABELS : 0, payments_chunks(payments),
                                        format, payments};
    enum status status = STATUS_OK;
    if (folder)
        status = outfolder_begin(folder, file, name, fault);
    else
        outfile_discard(file);
    return status == STATUS_OK ? outfile_write_table(file, payments->threads, &table, fault) : status;
}

enum status payments_visit(struct payments *payments, const struct selection *selection, struct fault *fault)
{
    payments->selection = selection;
    payments->pairs = mem_alloc(payments->threads, sizeof *payments->pairs);
    payments->fee_sat = mem_alloc((size_t)selection->tdags.count + 1, sizeof *payments->fee_sat);
    payments->payer_value_sat = mem_alloc((size_t)selection->tdags.count + 1, sizeof *payments->payer_value_sat);
    bool enough = payments->fee_sat && payments->payer_value_sat && payments->pairs;
    return enough ? STATUS_OK : fault_nomem(fault);
}

static enum status write_tables(struct payments *payments, struct outfolder *folder, struct fault *fault)
{
    enum status status = write_table(payments, &payments->files[0], folder, "payers.csv", &schema_payers, format_payers,
                                     fault);
    return status == STATUS_OK
               ? write_table(payments, &payments->files[1], folder, "payees.csv", &schema_payees, format_payees, fault)
               : status;
}

/* The labels of all T-DAGs, which rows have. */
static enum status find_labels(struct payments *payments, struct fault *fault)
{
    payments->labelling = true;
    enum status status = write_tables(payments, NULL, fault);
    payments->labelling = false;
    payments->unread = 0; /* counted again with the rows */
    return status == STATUS_OK ? dag_labels_make(payments->labels, payments->forest, &payments->selection->tdags,
                                                 payments->pairs, payments->threads, &payments->dag_labels, fault)
                               : status;
}

enum status payments_write(struct payments *payments, const struct selection *selection, struct outfolder *folder,
                           struct fault *fault)
{
    enum status status = payments_visit(payments, selection, fault);
    if (status == STATUS_OK && payments->labels && folder)
        status = find_labels(payments, fault);
    return status == STATUS_OK ? write_tables(payments, folder, fault) : status;
}

enum status payments_commit(struct payments *payments, struct fault *fault)
{
    enum status status = outfile_commit(&payments->files[0], fault);
    return status == STATUS_OK ? outfile_commit(&payments->files[1], fault) : status;
}

/* ---- opening ---- */

enum status payments_open(struct payments *payments, const struct store *store, const struct forest *forest,
                          unsigned threads, struct fault *fault)
{
    *payments = (struct payments){.store = store, .forest = forest, .threads = threads};
    enum status status = indexes_open(store_main_path(store), threads, &payments->indexes, fault);
    status = spend_links_tell_partial(store_main_path(store), store, status, fault);
    if (status == STATUS_OK)
        status = spend_links_reach_tip(payments->indexes.indexes[0], store, fault);
    if (status != STATUS_OK)
        return status;
    payments->network = spend_links_network(payments->indexes.indexes[0]);
    payments->readers = mem_alloc(threads, sizeof *payments->readers);
    if (!payments->readers)
        return fault_nomem(fault);
    status = index_blocks_open(store_main_path(store), &payments->blk_files, &payments->why);
    if (status == STATUS_OK)
        return STATUS_OK;
    payments->blk_files = (struct blkdir){0};
    if (!status_ends_command(status))
        return STATUS_OK; /* payments_tell_unread says why */
    if (fault)
        *fault = payments->why;
    return status;
}

enum status payments_dag_labels(struct payments *payments, struct dag_labels *made, struct fault *fault)
{
    if (payments->dag_labels.labels) { /* they are made */
        *made = payments->dag_labels;
        payments->dag_labels = (struct dag_labels){0};
        return STATUS_OK;
    }
    return dag_labels_make(payments->labels, payments->forest, &payments->selection->tdags, payments->pairs,
                           payments->threads, made, fault);
}

/* Where there is no index that fits, only names and txids tell. */
static enum status labels_without_index(const struct forest *forest, const struct selection *selection,
                                        const struct address_labels *labels, const struct fault *why,
                                        struct dag_labels *made, struct labels_said *said, struct fault *fault)
{
    struct label_pairs none = {0};
    if (why->status == STATUS_REFUSED && !said->no_index)
        message_fault(why);
    if (!said->no_index)
        message("labels of payers and payees are left out: that takes an index (%s)",
                partial_from() > 0 ? "a partial store has none" : "'unktx index'");
    said->no_index = true;
    return dag_labels_make(labels, forest, &selection->tdags, &none, 1, made, fault);
}

enum status payments_find_labels(const struct store *store, const struct forest *forest,
                                 const struct selection *selection, const struct address_labels *labels, uint32_t only,
                                 unsigned threads, struct dag_labels *made, struct labels_said *said,
                                 struct fault *fault)
{
    struct payments payments = {0};
    struct fault why = {0};
    enum status status = payments_open(&payments, store, forest, threads, &why);
    payments.labels = labels;
    payments.only = only;
    if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED) {
        status = labels_without_index(forest, selection, labels, &why, made, said, fault);
    } else if (status != STATUS_OK) {
        *fault = why;
    } else {
        status = payments_write(&payments, selection, NULL, fault);
        if (status == STATUS_OK)
            said->unread = said->unread || payments_tell_unread(&payments);
        if (status == STATUS_OK)
            status = payments_dag_labels(&payments, made, fault);
    }
    payments_close(&payments);
    return status;
}

enum status payments_labels_of(const struct settings *settings, const struct store *store, const struct forest *forest,
                               const struct tdags *tdags, const struct address_labels *labels, struct dag_labels *made,
                               const struct dag_labels **found, struct labels_said *said, struct fault *fault)
{
    const struct selection selection = {.tdags = *tdags};
    if (settings->labels.count == 0)
        return STATUS_OK;
    *found = made;
    return payments_find_labels(store, forest, &selection, labels, 0, (unsigned)settings->threads, made, said, fault);
}

bool payments_tell_unread(const struct payments *payments)
{
    if (payments->unread == 0)
        return false;
    message_fault(&payments->why);
    if (!payments->blk_files.path && payments->why.status == STATUS_NOT_FOUND)
        message("addresses are left empty: the blk files are not where the index was made from; 'unktx index' notes "
                "their place anew");
    else
        message("addresses left empty: %llu", ULL(payments->unread));
    return true;
}

void payments_close(struct payments *payments)
{
    for (unsigned i = 0; payments->readers && i < payments->threads; i++)
        blk_reader_free(&payments->readers[i]);
    for (unsigned i = 0; payments->pairs && i < payments->threads; i++)
        label_pairs_free(&payments->pairs[i]);
    mem_free(payments->pairs);
    dag_labels_free(&payments->dag_labels);
    outfile_abort(&payments->files[0]);
    outfile_abort(&payments->files[1]);
    mem_free(payments->readers);
    blkdir_free(&payments->blk_files);
    indexes_close(&payments->indexes);
    mem_free(payments->fee_sat);
    mem_free(payments->payer_value_sat);
    *payments = (struct payments){0};
}
