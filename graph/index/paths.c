#include "graph/index/paths.h"

#include "parser/mem.h"
#include "parser/money.h"
#include "parser/sort.h"
#include "parser/stop.h"

#define PIECE 256u

/* A transaction met. */
struct visit {
    uint64_t tx;     /* number + 1; 0: an empty slot */
    uint64_t depth;  /* spends from the start */
    uint64_t count;  /* shortest ways to it */
    uint64_t output; /* through which it was met first */
    uint64_t before; /* the transaction of that output */
};

struct search {
    const struct paths_query *query;
    struct visit *slots; /* open addressing, at most half full */
    size_t capacity;     /* a power of two */
    size_t met;
    uint64_t *level; /* transactions to leave from now, and those found on the way */
    uint64_t *next;
    size_t level_count;
    size_t next_count;
    size_t level_capacity;
    size_t next_capacity;
    struct fault *fault;
};

/* ---- transactions met ---- */

static struct visit *slot_of(const struct search *search, uint64_t tx)
{
    size_t at = (size_t)(tx * 0x9e3779b97f4a7c15u >> 20) & (search->capacity - 1);
    while (search->slots[at].tx != 0 && search->slots[at].tx != tx + 1)
        at = (at + 1) & (search->capacity - 1);
    return &search->slots[at];
}

static enum status grow(struct search *search)
{
    struct search larger = {.capacity = search->capacity ? 2 * search->capacity : 1024};
    larger.slots = mem_alloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return fault_nomem(search->fault);
    for (size_t i = 0; i < search->capacity; i++)
        if (search->slots[i].tx != 0)
            *slot_of(&larger, search->slots[i].tx - 1) = search->slots[i];
    mem_free(search->slots);
    search->slots = larger.slots;
    search->capacity = larger.capacity;
    return STATUS_OK;
}

/* Comes to a transaction from one that was met with `count` ways. */
static enum status meet(struct search *search, uint64_t tx, uint64_t depth, uint64_t count, uint64_t output,
                        uint64_t before)
{
    enum status status = 2 * search->met >= search->capacity ? grow(search) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    struct visit *visit = slot_of(search, tx);
    if (visit->tx != 0) {
        if (visit->depth == depth)
            visit->count = add_saturating(visit->count, count);
        return STATUS_OK;
    }
    if (mem_reserve(&search->next, &search->next_capacity, search->next_count + 1, sizeof *search->next) != STATUS_OK)
        return fault_nomem(search->fault);
    *visit = (struct visit){tx + 1, depth, count, output, before};
    search->met++;
    search->next[search->next_count++] = tx;
    return STATUS_OK;
}

/* ---- level by level ---- */

static enum status leave_through(struct search *search, const struct index_tx *tx, const struct visit *from,
                                 uint32_t vout, const struct index_output *output)
{
    const struct paths_query *query = search->query;
    struct index_tx to;
    enum status status = STATUS_OK;
    if (output->spender == INDEX_NONE)
        return STATUS_OK;
    if (query->may_pass)
        status = query->may_pass(query->context, tx, vout, output, search->fault);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = index_tx_of_input(query->index, output->spender, &to, search->fault);
    if (status != STATUS_OK || to.number > query->to)
        return status;
    return meet(search, to.number, from->depth + 1, from->count, tx->first_output + vout, tx->number);
}

static enum status leave(struct search *search, uint64_t number)
{
    const struct paths_query *query = search->query;
    const struct visit from = *slot_of(search, number);
    struct index_output outputs[PIECE];
    struct index_tx tx;
    enum status status = index_tx_at(query->index, number, &tx, search->fault);
    bool one = number == query->from && query->vout != PATHS_ANY_OUTPUT;
    uint32_t first = one ? query->vout : 0;
    for (uint32_t count; status == STATUS_OK && first < tx.outputs; first += count) {
        count = one ? 1 : tx.outputs - first < PIECE ? tx.outputs - first : PIECE;
        status = index_outputs(query->index, tx.first_output + first, count, outputs, search->fault);
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
            status = leave_through(search, &tx, &from, first + i, &outputs[i]);
        if (status == STATUS_OK)
            status = stop_check(search->fault);
        if (one)
            break;
    }
    return status;
}

/* What was found is left next, in chain order. */
static void turn(struct search *search)
{
    uint64_t *level = search->level;
    size_t capacity = search->level_capacity;
    search->level = search->next;
    search->level_count = search->next_count;
    search->level_capacity = search->next_capacity;
    search->next = level;
    search->next_capacity = capacity;
    search->next_count = 0;
    sort_numbers(search->level, search->level_count);
}

static enum status walk(struct search *search)
{
    const struct paths_query *query = search->query;
    enum status status = meet(search, query->from, 0, 1, 0, 0);
    for (uint64_t depth = 0; status == STATUS_OK && depth < query->depth; depth++) {
        turn(search);
        if (search->level_count == 0 || slot_of(search, query->to)->tx != 0)
            break;
        for (size_t i = 0; i < search->level_count && status == STATUS_OK; i++)
            status = leave(search, search->level[i]);
    }
    return status;
}

static enum status trace(const struct search *search, struct paths *paths)
{
    const struct visit *visit = slot_of(search, search->query->to);
    if (visit->tx == 0)
        return STATUS_OK;
    paths->count = visit->count;
    paths->length = visit->depth;
    paths->outputs = mem_alloc(paths->length, sizeof *paths->outputs);
    if (!paths->outputs)
        return fault_nomem(search->fault);
    for (size_t i = paths->length; i-- > 0; visit = slot_of(search, visit->before))
        paths->outputs[i] = visit->output;
    return STATUS_OK;
}

enum status paths_find(const struct paths_query *query, struct paths *paths, struct fault *fault)
{
    struct search search = {.query = query, .fault = fault};
    *paths = (struct paths){0};
    enum status status = walk(&search);
    if (status == STATUS_OK)
        status = trace(&search, paths);
    mem_free(search.slots);
    mem_free(search.level);
    mem_free(search.next);
    return status;
}

void paths_free(struct paths *paths)
{
    mem_free(paths->outputs);
    *paths = (struct paths){0};
}
