#include "cli/inputs/dag_labels.h"

#include <stdlib.h>

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

static enum status add_pair(struct label_pairs *pairs, uint64_t pair)
{
    enum status status = pairs->count == pairs->capacity ? make_room(pairs) : STATUS_OK;
    if (status == STATUS_OK)
        pairs->pairs[pairs->count++] = pair;
    return status;
}

enum status label_pairs_add(struct label_pairs *pairs, uint32_t dag, const struct label_span *span)
{
    return span->count > 0 ? add_pair(pairs, (uint64_t)dag << 32 | span->first) : STATUS_OK;
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

static enum status take_name(void *context, const struct label_span *span)
{
    const struct named *named = context;
    return label_pairs_add(named->pairs, named->dag, span);
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
            status = add_pair(&pairs[0], pairs[w].pairs[i]);
    return status == STATUS_OK ? settle(&pairs[0]) : status;
}

/* The addresses and names of a T-DAG, one pair each. */
struct list {
    const uint64_t *pairs;
    size_t count;
    uint32_t dag;
};

static int compare_lists(const void *a, const void *b)
{
    const struct list *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? 1 : -1;
    for (size_t i = 0; i < x->count; i++)
        if ((uint32_t)x->pairs[i] != (uint32_t)y->pairs[i])
            return (uint32_t)x->pairs[i] > (uint32_t)y->pairs[i] ? 1 : -1;
    return 0;
}

/* Equal lists stand side by side. O(n log n). */
static size_t make_lists(const struct label_pairs *pairs, struct list *lists)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        uint32_t dag = (uint32_t)(pairs->pairs[i] >> 32);
        if (count == 0 || lists[count - 1].dag != dag)
            lists[count++] = (struct list){&pairs->pairs[i], 0, dag};
        lists[count - 1].count++;
    }
    if (count > 0)
        qsort(lists, count, sizeof *lists, compare_lists);
    return count;
}

static struct label_span span_at(const struct address_labels *labels, uint64_t pair)
{
    const char *address = labels->entries[(uint32_t)pair].address;
    return address_labels_of(labels, address, strlen(address));
}

static enum status make_set(const struct address_labels *labels, const struct list *list, struct dag_label_set *set)
{
    enum status status = STATUS_OK;
    set->span = span_at(labels, list->pairs[0]);
    for (size_t i = 0; i < list->count && list->count > 1 && status == STATUS_OK; i++) {
        struct label_span span = span_at(labels, list->pairs[i]);
        status = label_union_add(&set->all, labels, &span);
    }
    if (status == STATUS_OK && list->count > 1)
        set->span = label_union_span(&set->all);
    return status;
}

static enum status fill(const struct label_pairs *pairs, struct dag_labels *made, struct fault *fault)
{
    struct list *lists = mem_alloc(pairs->count, sizeof *lists);
    made->set_of = mem_alloc((size_t)made->tdags + 1, sizeof *made->set_of);
    made->sets = mem_alloc(pairs->count + 1, sizeof *made->sets);
    bool enough = lists && made->set_of && made->sets;
    size_t count = enough ? make_lists(pairs, lists) : 0;
    made->sets_count = enough;
    for (size_t i = 0; i < count && enough; i++) {
        if (i == 0 || compare_lists(&lists[i - 1], &lists[i]) != 0)
            enough = make_set(made->labels, &lists[i], &made->sets[made->sets_count++]) == STATUS_OK;
        made->set_of[lists[i].dag] = made->sets_count - 1;
        made->sets[made->sets_count - 1].dags++;
    }
    mem_free(lists);
    return enough ? STATUS_OK : fault_nomem(fault);
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
    for (uint32_t i = 0; i < labels->sets_count; i++)
        label_union_free(&labels->sets[i].all);
    mem_free(labels->sets);
    mem_free(labels->set_of);
    *labels = (struct dag_labels){0};
}

void dag_labels_count(const struct dag_labels *labels, uint32_t *by_id)
{
    for (uint32_t s = 0; s < labels->sets_count; s++)
        for (size_t i = 0; i < labels->sets[s].span.count; i++)
            by_id[address_labels_id_at(labels->labels, &labels->sets[s].span, i)] += labels->sets[s].dags;
}

bool dag_labels_has(const struct dag_labels *labels, uint32_t dag, uint32_t id)
{
    struct label_span span = dag_labels_of(labels, dag);
    size_t at = LOWER_BOUND(i, 0, span.count, address_labels_id_at(labels->labels, &span, i) < id);
    return at < span.count && address_labels_id_at(labels->labels, &span, at) == id;
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
