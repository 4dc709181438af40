/* Any bytes as a batch of the store: what decodes to its end is what the encoder would have written. Magic and size are
 * put right first, so that all inputs get past them. */
#include <string.h>

#include "graph/store/record.h"
#include "parser/mem.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* Decodes the lists of a transaction and adds it to `again`. A status other than STATUS_OK: its bytes make no sense. */
static enum status copy_tx(struct tx_view *tx, struct batch *again)
{
    struct tx_view outputs = *tx;
    struct output_record output;
    uint32_t tracked = 0, spends_count = 0;
    uint32_t *vouts = mem_alloc(tx->tx.tracked, sizeof *vouts);
    struct spend_record *spends = mem_alloc(tx->tx.spends, sizeof *spends);
    struct buffer blob = {0};
    enum status status;
    must(vouts && spends, "a count of a decoded transaction is bounded by its bytes");
    for (uint32_t vout = 0; (status = tx_next_output(&outputs, &output)) == STATUS_OK; vout++) {
        must(record_add_output(&blob, &output) == STATUS_OK, "memory");
        if (output_is_tracked(output.unknown, output.kind) && tracked < tx->tx.tracked)
            vouts[tracked++] = vout;
    }
    while (status == STATUS_NOT_FOUND && spends_count < tx->tx.spends)
        status = tx_next_spend(tx, &spends[spends_count]) == STATUS_OK ? (spends_count++, STATUS_NOT_FOUND)
                                                                       : STATUS_FORMAT;
    struct spend_record none;
    if (status == STATUS_NOT_FOUND)
        status = tx_next_spend(tx, &none);
    if (status == STATUS_NOT_FOUND && tracked == tx->tx.tracked) {
        must(blob.size == cursor_left(&tx->outputs) &&
                 (blob.size == 0 || memcmp(blob.bytes, tx->outputs.at, blob.size) == 0),
             "outputs have one encoding");
        must(batch_add_tx(again, &tx->tx, blob.bytes, blob.size, vouts, spends) == STATUS_OK, "memory");
        status = STATUS_OK;
    } else {
        status = STATUS_FORMAT;
    }
    buffer_free(&blob);
    mem_free(vouts);
    mem_free(spends);
    return status;
}

static enum status copy_batch(struct batch_view *view, struct batch *again)
{
    struct block_record block;
    struct tx_view tx;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        must(batch_begin_block(again, &block) == STATUS_OK, "memory");
        while ((status = batch_next_tx(view, &tx)) == STATUS_OK && (status = copy_tx(&tx, again)) == STATUS_OK)
            continue;
        if (status != STATUS_NOT_FOUND)
            return STATUS_FORMAT;
        must(batch_end_block(again) == STATUS_OK, "memory");
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : STATUS_FORMAT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_view view;
    struct batch again = {0};
    if (size < BATCH_HEADER_SIZE)
        return 0;
    uint8_t *bytes = malloc(size);
    must(bytes != NULL, "memory");
    memcpy(bytes, data, size);
    memcpy(bytes, data[3] == 'D' ? "uXTD" : "uXTB", 4); /* partial or whole */
    store_le32(bytes + 4, (uint32_t)size);
    if (batch_view_open(&view, bytes, size) == STATUS_OK) {
        (void)batch_view_intact(&view);
        struct hash256 txid;
        uint32_t vout, outpoints = 0;
        for (uint64_t i = 0; i < view.tracked; i++)
            if (batch_outpoint(&view, view.first_ordinal + i, &txid, &vout) == STATUS_OK)
                outpoints++;
        must(outpoints <= view.tracked &&
                 batch_outpoint(&view, view.first_ordinal + view.tracked, &txid, &vout) != STATUS_OK,
             "there are no more outpoints than tracked outputs");
        again.partial = view.partial;
        batch_reset(&again, view.first_height, view.first_tx, view.first_ordinal);
        if (copy_batch(&view, &again) == STATUS_OK) {
            uint8_t *copy = malloc(batch_size(&again));
            must(copy != NULL && batch_size(&again) == size, "what decodes is encoded in as many bytes");
            batch_write(&again, copy);
            size_t index = (size_t)view.tracked * 8;
            must(memcmp(copy + 16, bytes + 16, size - 16 - index) == 0, "what decodes has one encoding");
            free(copy);
        }
        batch_free(&again);
    }
    free(bytes);
    return 0;
}
