#include "cli/inputs/selection.h"

#include <stdlib.h>
#include <string.h>

#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

static enum status exclude(const struct store *store, const struct forest *forest, const struct filter *filter,
                           unsigned threads, struct selection *selection, struct fault *fault)
{
    struct tdags *tdags = &selection->tdags;
    uint32_t *matches = mem_alloc((size_t)tdags->count + 1, sizeof *matches);
    uint8_t *drop = mem_alloc((size_t)tdags->count + 1, 1);
    selection->excluded = mem_alloc(filter_count(filter), sizeof *selection->excluded);
    enum status status = STATUS_OK;
    if (!matches || !drop || !selection->excluded)
        status = fault_nomem(fault);
    else
        status = filter_match(filter, store, forest, tdags, threads, matches, fault);
    for (uint32_t d = 1; status == STATUS_OK && d <= tdags->count; d++) {
        if (matches[d] == 0)
            continue;
        drop[d] = 1;
        selection->excluded[matches[d] - 1]++;
    }
    if (status == STATUS_OK)
        tdags_drop(tdags, drop);
    mem_free(matches);
    mem_free(drop);
    return status;
}

static uint32_t count_vanished(const struct classes *classes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < classes->rows_count; i++)
        count += classes->rows[i].vanished;
    return count;
}

static enum status drop_vanished(struct selection *selection, struct fault *fault)
{
    uint8_t *drop = mem_alloc((size_t)selection->tdags.count + 1, 1);
    if (!drop)
        return fault_nomem(fault);
    for (uint32_t i = 0; i < selection->classes.rows_count; i++)
        drop[i + 1] = selection->classes.rows[i].vanished;
    tdags_drop(&selection->tdags, drop);
    mem_free(drop);
    return STATUS_OK;
}

enum status selection_make(const struct store *store, const struct forest *forest, enum rules rules,
                           const struct filter *filter, bool compress, unsigned threads, struct selection *selection,
                           struct fault *fault)
{
    enum status status = selection_make_others(store, forest, rules, filter, compress, threads, NULL, selection, fault);
    return status == STATUS_OK ? tdags_name(forest, &selection->tdags, fault) : status;
}

enum status selection_make_others(const struct store *store, const struct forest *forest, enum rules rules,
                                  const struct filter *filter, bool compress, unsigned threads, const uint8_t *skipped,
                                  struct selection *selection, struct fault *fault)
{
    *selection = (struct selection){0};
    enum status status = tdags_find_others(forest, rules, skipped, threads, &selection->tdags, fault);
    if (status == STATUS_OK && filter)
        status = exclude(store, forest, filter, threads, selection, fault);
    if (status == STATUS_OK)
        status = opened_store_go_on(fault);
    if (status == STATUS_OK)
        status = classify(forest, &selection->tdags, compress, store_forms(store), threads, &selection->classes, fault);
    if (status != STATUS_OK)
        return status;
    selection->vanished = count_vanished(&selection->classes);
    if (selection->vanished == 0)
        return opened_store_go_on(fault);
    status = drop_vanished(selection, fault);
    classes_free(&selection->classes);
    selection->classes = (struct classes){0};
    if (status == STATUS_OK)
        status = classify(forest, &selection->tdags, compress, store_forms(store), threads, &selection->classes, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

void selection_tell_other_rules(enum rules rules, const uint32_t counts[RULES], uint64_t enough)
{
    unsigned best = 0;
    if (rules >= RULES)
        return;
    for (unsigned r = 1; r < RULES; r++)
        best = counts[r] > counts[best] ? r : best;
    if (counts[rules] >= enough || counts[best] <= counts[rules])
        return;
    const char *other = rules_name((enum rules)best);
    message("%s has %u T-DAG%s, %s has %u: add --rules %s", rules_name(rules), (unsigned)counts[rules],
            counts[rules] == 1 ? "" : "s", other, (unsigned)counts[best], other);
}

enum status selection_tell_other_forest(const struct forest *forest, enum rules rules, uint32_t found, uint64_t enough,
                                        struct fault *fault)
{
    uint32_t counts[RULES] = {0};
    enum status status = STATUS_OK;
    if (rules >= RULES)
        return STATUS_OK;
    for (unsigned r = 0; r < RULES && found < enough && status == STATUS_OK; r++) {
        struct tdags tdags = {0};
        status = tdags_find(forest, (enum rules)r, &tdags, fault);
        counts[r] = tdags.count;
        tdags_free(&tdags);
    }
    counts[rules] = found;
    if (status == STATUS_OK)
        selection_tell_other_rules(rules, counts, enough);
    return status;
}

void selection_free(struct selection *selection)
{
    classes_free(&selection->classes);
    tdags_free(&selection->tdags);
    mem_free(selection->excluded);
    *selection = (struct selection){0};
}

static int compare_ids(const void *a, const void *b) { return memcmp(a, b, CANON_ID_SIZE); }

enum status alike_make(const struct forest *forest, const struct selection *selection, struct alike *alike,
                       struct fault *fault)
{
    const struct tdags *tdags = &selection->tdags;
    const struct classes *classes = &selection->classes;
    *alike = (struct alike){.has_tx = mem_alloc_large(forest->txs_count, 1),
                            .ids = mem_alloc(classes->classes_count, sizeof *alike->ids)};
    if (!alike->has_tx || !alike->ids)
        return fault_nomem(fault);
    for (uint32_t d = 0; d < tdags->count; d++) {
        const struct tdag_row *row = &classes->rows[d];
        if (!row->alike)
            continue;
        alike->tdags++;
        alike->maybe_tdags += row->inputs_before > 0;
        alike->nodes += row->nodes;
        alike->edges += row->edges;
        for (uint32_t m = tdags->first[d]; m < tdags->first[d + 1]; m++)
            alike->has_tx[tdags->members[m]] = 1;
    }
    for (uint32_t i = 0; i < classes->classes_count; i++) {
        if (!classes->classes[i].alike)
            continue;
        alike->inexact_classes += !classes->classes[i].exact;
        memcpy(alike->ids[alike->classes++], classes->classes[i].class_id, CANON_ID_SIZE);
    }
    if (alike->classes > 0)
        qsort(alike->ids, alike->classes, sizeof *alike->ids, compare_ids);
    return STATUS_OK;
}

bool alike_has(const struct alike *alike, const uint8_t id[CANON_ID_SIZE])
{
    return alike->classes > 0 && bsearch(id, alike->ids, alike->classes, sizeof *alike->ids, compare_ids);
}

void alike_free(struct alike *alike)
{
    mem_free(alike->has_tx);
    mem_free(alike->ids);
    *alike = (struct alike){0};
}
