#include "graph/dag/forest.h"

#include <stdatomic.h>
#include <string.h>

#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"
#include "parser/union_find.h"

/* A run of transactions, or of outputs, that one worker takes: enough of them that its cost does not show. */
#define PART ((uint32_t)1 << 13)

struct finding {
    const struct forest *forest;
    const uint8_t *skipped;
    struct tdags *tdags;
    uint32_t *parent; /* by transaction: one of its component with a smaller number, or itself */
    uint32_t *dags;   /* by part: how many T-DAGs begin there, then how many before */
    atomic_uint members;
};

static size_t parts_of(uint32_t count) { return count / PART + (count % PART != 0); }

static uint32_t part_end(size_t part, uint32_t count)
{
    uint32_t begin = (uint32_t)part * PART;
    return count - begin < PART ? count : begin + PART;
}

static void begin_part(void *context, unsigned worker, size_t part)
{
    struct finding *finding = context;
    uint32_t end = part_end(part, finding->forest->txs_count);
    (void)worker;
    for (uint32_t t = (uint32_t)part * PART; t < end; t++)
        finding->parent[t] = t;
}

/* Until the numbering, tx_dag[r] of a representative r says whether its component has an arc. */
static void join_part(void *context, unsigned worker, size_t part)
{
    struct finding *finding = context;
    const struct forest *forest = finding->forest;
    const struct tdags *tdags = finding->tdags;
    uint32_t end = part_end(part, forest->outputs_count);
    (void)worker;
    for (uint32_t o = (uint32_t)part * PART; o < end; o++) {
        const struct forest_output *output = &forest->outputs[o];
        if (!forest_is_arc(output, tdags->rules) || (finding->skipped && finding->skipped[output->tx]))
            continue;
        uint32_t first = union_join_shared(finding->parent, output->tx, output->spender);
        if (!__atomic_load_n(&tdags->tx_dag[first], __ATOMIC_RELAXED)) /* all threads find the first of a giant one */
            __atomic_store_n(&tdags->tx_dag[first], 1, __ATOMIC_RELAXED);
    }
}

static void count_part(void *context, unsigned worker, size_t part)
{
    struct finding *finding = context;
    uint32_t end = part_end(part, finding->forest->txs_count), dags = 0, others = 0;
    (void)worker;
    for (uint32_t t = (uint32_t)part * PART; t < end; t++) {
        bool is_first = finding->parent[t] == t;
        dags += is_first && finding->tdags->tx_dag[t];
        others += !is_first;
    }
    finding->dags[part] = dags;
    atomic_fetch_add_explicit(&finding->members, dags + others, memory_order_relaxed);
}

static void number_part(void *context, unsigned worker, size_t part)
{
    struct finding *finding = context;
    uint32_t end = part_end(part, finding->forest->txs_count), number = finding->dags[part];
    (void)worker;
    for (uint32_t t = (uint32_t)part * PART; t < end; t++)
        if (finding->parent[t] == t && finding->tdags->tx_dag[t])
            finding->tdags->tx_dag[t] = ++number;
}

static void fill_part(void *context, unsigned worker, size_t part)
{
    struct finding *finding = context;
    uint32_t end = part_end(part, finding->forest->txs_count), *tx_dag = finding->tdags->tx_dag;
    (void)worker;
    for (uint32_t t = (uint32_t)part * PART; t < end; t++)
        if (__atomic_load_n(&finding->parent[t], __ATOMIC_RELAXED) != t)
            tx_dag[t] = tx_dag[union_find_shared(finding->parent, t)];
}

/* Joins the components and numbers them. The smallest number of a component is its representative, so that is also the
 * first transaction, whoever joined what before. */
static enum status number_components(struct finding *finding, unsigned threads, struct fault *fault)
{
    uint32_t *count = &finding->tdags->count;
    size_t parts = parts_of(finding->forest->txs_count), joined = parts_of(finding->forest->outputs_count);
    finding->parent = mem_alloc_large(finding->forest->txs_count, sizeof *finding->parent);
    finding->dags = mem_alloc(parts, sizeof *finding->dags);
    enum status status = finding->parent && finding->dags ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, parts, begin_part, finding, fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, joined, join_part, finding, fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, parts, count_part, finding, fault);
    for (size_t i = 0; i < parts && status == STATUS_OK; i++) {
        uint32_t before = *count;
        *count += finding->dags[i];
        finding->dags[i] = before;
    }
    if (status == STATUS_OK)
        status = parallel_for(threads, parts, number_part, finding, fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, parts, fill_part, finding, fault);
    mem_free(finding->parent);
    mem_free(finding->dags);
    return status;
}

/* Counting sort of the transactions by T-DAG, one place further on than final: filling moves every first[d] to where
 * it belongs. */
static enum status list_members(uint32_t txs, uint32_t members, struct tdags *tdags, struct fault *fault)
{
    tdags->first = mem_alloc_large((size_t)tdags->count + 2, sizeof *tdags->first);
    tdags->members = mem_alloc_large(members, sizeof *tdags->members);
    if (!tdags->first || !tdags->members)
        return fault_nomem(fault);
    for (uint32_t t = 0; t < txs; t++) {
        if (stop_due(t))
            return stop_check(fault);
        tdags->first[tdags->tx_dag[t] + 1] += tdags->tx_dag[t] != 0;
    }
    for (uint32_t d = 1; d <= tdags->count; d++)
        tdags->first[d + 1] += tdags->first[d];
    for (uint32_t t = 0; t < txs; t++) {
        if (stop_due(t))
            return stop_check(fault);
        if (tdags->tx_dag[t])
            tdags->members[tdags->first[tdags->tx_dag[t]]++] = t;
    }
    return STATUS_OK;
}

/* A transaction that is not stored spends nothing unknown, so it is a root if it has an unknown output. So the roots
 * are all transactions with an unknown output (as counted by the scan) but the stored ones whose inputs are all
 * unknown. */
static uint64_t count_roots(const struct forest *forest, enum rules rules)
{
    uint64_t all = forest_unknown_txs(forest, rules), inner = forest->inner_txs[rules];
    return all > inner ? all - inner : 0;
}

enum status tdags_find(const struct forest *forest, enum rules rules, struct tdags *tdags, struct fault *fault)
{
    return tdags_find_others(forest, rules, NULL, 1, tdags, fault);
}

enum status tdags_find_others(const struct forest *forest, enum rules rules, const uint8_t *skipped, unsigned threads,
                              struct tdags *tdags, struct fault *fault)
{
    struct finding finding = {.forest = forest, .skipped = skipped, .tdags = tdags};
    *tdags = (struct tdags){.rules = rules, .tx_dag = mem_alloc_large(forest->txs_count, sizeof *tdags->tx_dag)};
    enum status status = tdags->tx_dag ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        status = number_components(&finding, threads, fault);
    if (status == STATUS_OK)
        status = list_members(forest->txs_count, finding.members, tdags, fault);
    if (status == STATUS_OK)
        tdags->roots_all = count_roots(forest, rules);
    else
        tdags_free(tdags);
    return status;
}

void tdags_drop(struct tdags *tdags, const uint8_t *drop)
{
    uint32_t kept = 0, to = 0, begin = 0;
    for (uint32_t d = 1; d <= tdags->count; d++) {
        uint32_t end = tdags->first[d], number = drop[d] ? 0 : ++kept;
        for (uint32_t m = begin; m < end; m++) {
            uint32_t tx = tdags->members[m];
            tdags->tx_dag[tx] = number;
            if (number)
                tdags->members[to++] = tx;
        }
        begin = end;
        tdags->first[kept] = to;
    }
    tdags->count = kept;
    mem_free(tdags->names); /* fewer may do with fewer digits */
    tdags->names = NULL;
}

void tdags_free(struct tdags *tdags)
{
    mem_free(tdags->tx_dag);
    mem_free(tdags->first);
    mem_free(tdags->members);
    mem_free(tdags->names);
    memset(tdags, 0, sizeof *tdags);
}
