#include "cli/views/payment_evidence.h"

#include "parser/address.h"
#include "parser/mem.h"
#include "parser/parallel.h"

/* An end on its way from a chunk, which any thread works on, to the set, which is filled in order. */
struct end {
    uint32_t number;
    uint8_t role;
    uint8_t address_size;
    uint8_t outpoint[EVIDENCE_OUTPOINT_SIZE];
    char address[ADDRESS_SIZE_MAX];
};

struct work {
    struct payments *payments;
    size_t chunks;
    struct text *ends; /* by chunk: payers, then payees, of `struct end` */
    struct fault *faults;
};

static enum status note_end(void *context, const struct payments_end *told, struct text *text, struct fault *fault)
{
    struct end end = {.number = told->number, .role = told->payee ? ROLE_PAYEE : ROLE_PAYER};
    char *p = text_room(text, sizeof end);
    (void)context;
    if (!p)
        return fault_nomem(fault);
    end.address_size = (uint8_t)told->address_size;
    memcpy(end.address, told->address, told->address_size);
    memcpy(end.outpoint, told->txid->bytes, HASH256_SIZE);
    store_le32(end.outpoint + HASH256_SIZE, told->vout);
    memcpy(p, &end, sizeof end);
    text_end(text, p + sizeof end);
    return STATUS_OK;
}

static void note_chunk(void *context, unsigned worker, size_t item)
{
    struct work *work = context;
    bool payees = item >= work->chunks;
    struct fault *fault = &work->faults[item];
    fault->status = payments_chunk(work->payments, worker, payees ? item - work->chunks : item, payees,
                                   &work->ends[item], fault);
}

static enum status add_ends(const struct text *ends, struct evidence_set *set, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; at < ends->size && status == STATUS_OK; at += sizeof(struct end)) {
        struct end end;
        memcpy(&end, ends->bytes + at, sizeof end);
        struct evidence piece = {.ordinal = FOREST_NONE,
                                 .tx = end.number,
                                 .size = end.address_size,
                                 .kind = EVIDENCE_ADDRESS,
                                 .role = end.role};
        if (end.address_size > 0)
            status = evidence_add(set, &piece, (const uint8_t *)end.address, end.outpoint, fault);
        piece.kind = EVIDENCE_TX;
        piece.size = HASH256_SIZE;
        if (status == STATUS_OK)
            status = evidence_add(set, &piece, end.outpoint, end.outpoint, fault);
    }
    return status;
}

enum status payment_evidence_add(struct payments *payments, const struct selection *selection, struct evidence_set *set,
                                 struct fault *fault)
{
    struct work work = {.payments = payments, .chunks = payments_chunks(payments)};
    size_t items = 2 * work.chunks;
    payments->each = note_end;
    work.ends = mem_alloc(items, sizeof *work.ends);
    work.faults = mem_alloc(items, sizeof *work.faults);
    enum status status = work.ends && work.faults ? payments_visit(payments, selection, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = parallel_for(payments->threads, items, note_chunk, &work, fault);
    for (size_t i = 0; i < items && work.ends && work.faults; i++) {
        if (status == STATUS_OK && work.faults[i].status != STATUS_OK) {
            *fault = work.faults[i];
            status = fault->status;
        }
        if (status == STATUS_OK)
            status = add_ends(&work.ends[i], set, fault);
        text_free(&work.ends[i]);
    }
    mem_free(work.ends);
    mem_free(work.faults);
    return status;
}
