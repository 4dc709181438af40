#include "cli/inputs/dag_labels.h"

#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"
#include "parser/stop.h"

/* ---- pairs ---- */

/* Sorts the pairs and drops those that are equal. */
static enum status settle(struct label_pairs *pairs)
{
    uint64_t *spare = mem_alloc(pairs->count, sizeof *spare);
    if (!spare)
        return STATUS_NOMEM;
    uint64_t *sorted = sort_by_key(pairs->pairs, spare, pairs->count, sizeof *spare);
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (kept == 0 || pairs->pairs[kept - 1] != sorted[i])
            pairs->pairs[kept++] = sorted[i]; /* never beyond what was read where both are one array */
    }
    mem_free(spare);
    pairs->count = kept;
    return STATUS_OK;
}

/* Room for twice as many once equal ones are gone, so the memory follows the different ones. */
static enum status make_room(struct label_pairs *pairs)
{
    enum status status = pairs->count > 0 ? settle(pairs) : STATUS_OK;
    if (status == STATUS_OK && 2 * pairs->count >= pairs->capacity)
        status = mem_reserve(&pairs->pairs, &pairs->capacity, 2 * pairs->count + 1024, sizeof *pairs->pairs);
    return status;
}

enum status label_pairs_add(struct label_pairs *pairs, uint32_t dag, uint32_t id)
{
    enum status status = pairs->count == pairs->capacity ? make_room(pairs) : STATUS_OK;
    if (status == STATUS_OK)
        pairs->pairs[pairs->count++] = (uint64_t)dag << 32 | id;
    return status;
}

void label_pairs_free(struct label_pairs *pairs)
{
    mem_free(pairs->pairs);
    *pairs = (struct label_pairs){0};
}

/* ---- by T-DAG ---- */

struct named {
    struct label_pairs *pairs;
    uint32_t dag;
};

static enum status take_name(void *context, uint32_t id)
{
    const struct named *named = context;
    return label_pairs_add(named->pairs, named->dag, id);
}

static enum status add_names(const struct address_labels *labels, const struct forest *forest,
                             const struct tdags *tdags, struct label_pairs *pairs, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t d = 1; d <= tdags->count && status == STATUS_OK; d++) {
        struct named named = {pairs, d};
        for (uint32_t m = tdags->first[d - 1]; m < tdags->first[d] && status == STATUS_OK; m++)
            status = address_labels_of_txid(labels, &forest->txs[tdags->members[m]].txid, take_name, &named);
        if (status != STATUS_OK)
            return fault_nomem(fault);
        status = stop_due(d) ? stop_check(fault) : STATUS_OK;
    }
    return status;
}

static enum status join(struct label_pairs *pairs, unsigned workers)
{
    enum status status = STATUS_OK;
    for (unsigned w = 1; w < workers && status == STATUS_OK; w++)
        for (size_t i = 0; i < pairs[w].count && status == STATUS_OK; i++)
            status = label_pairs_add(&pairs[0], (uint32_t)(pairs[w].pairs[i] >> 32), (uint32_t)pairs[w].pairs[i]);
    return status == STATUS_OK ? settle(&pairs[0]) : status;
}

static enum status fill(const struct label_pairs *pairs, struct dag_labels *made, struct fault *fault)
{
    made->first = mem_alloc((size_t)made->tdags + 2, sizeof *made->first);
    made->ids = mem_alloc(pairs->count, sizeof *made->ids);
    if (!made->first || !made->ids)
        return fault_nomem(fault);
    for (size_t i = 0; i < pairs->count; i++) {
        made->ids[i] = (uint32_t)pairs->pairs[i];
        made->first[(pairs->pairs[i] >> 32) + 1] = i + 1;
    }
    for (size_t d = 1; d < (size_t)made->tdags + 2; d++) /* where a T-DAG has none: as the one before */
        made->first[d] = made->first[d] > made->first[d - 1] ? made->first[d] : made->first[d - 1];
    return STATUS_OK;
}

enum status dag_labels_make(const struct address_labels *labels, const struct forest *forest, const struct tdags *tdags,
                            struct label_pairs *pairs, unsigned workers, struct dag_labels *made, struct fault *fault)
{
    *made = (struct dag_labels){.labels = labels, .tdags = tdags->count};
    enum status status = add_names(labels, forest, tdags, &pairs[0], fault);
    if (status == STATUS_OK && join(pairs, workers) != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = fill(&pairs[0], made, fault);
    for (unsigned w = 0; w < workers; w++)
        label_pairs_free(&pairs[w]);
    return status;
}

void dag_labels_free(struct dag_labels *labels)
{
    mem_free(labels->ids);
    mem_free(labels->first);
    *labels = (struct dag_labels){0};
}

bool dag_labels_has(const struct dag_labels *labels, uint32_t dag, uint32_t id)
{
    struct label_span span = dag_labels_of(labels, dag);
    size_t at = LOWER_BOUND(i, 0, span.count, span.ids[i] < id);
    return at < span.count && span.ids[at] == id;
}

size_t dag_labels_cell_size(const struct dag_labels *labels, uint32_t dag)
{
    if (!labels)
        return 0;
    struct label_span span = dag_labels_of(labels, dag);
    return 1 + address_labels_size(labels->labels, &span);
}

char *dag_labels_put_cell(const struct dag_labels *labels, uint32_t dag, char *out)
{
    if (!labels)
        return out;
    struct label_span span = dag_labels_of(labels, dag);
    *out++ = ',';
    return address_labels_put(labels->labels, &span, out);
}
