#include "cli/selection.h"

#include "cli/source.h"
#include "parser/mem.h"

static enum status exclude(const struct store *store, const struct forest *forest, const struct filter *filter,
                           struct selection *selection, struct fault *fault)
{
    struct tdags *tdags = &selection->tdags;
    uint32_t *matches = mem_alloc((size_t)tdags->count + 1, sizeof *matches);
    uint8_t *drop = mem_alloc((size_t)tdags->count + 1, 1);
    selection->excluded = mem_alloc(filter_count(filter), sizeof *selection->excluded);
    enum status status = STATUS_OK;
    if (!matches || !drop || !selection->excluded)
        status = fault_nomem(fault);
    else
        status = filter_match(filter, store, forest, tdags, matches, fault);
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
    *selection = (struct selection){0};
    enum status status = tdags_find(forest, rules, &selection->tdags, fault);
    if (status == STATUS_OK && filter)
        status = exclude(store, forest, filter, selection, fault);
    if (status == STATUS_OK)
        status = source_go_on(fault);
    if (status == STATUS_OK)
        status = classify(forest, &selection->tdags, compress, threads, &selection->classes, fault);
    if (status != STATUS_OK)
        return status;
    selection->vanished = count_vanished(&selection->classes);
    if (selection->vanished == 0)
        return source_go_on(fault);
    status = drop_vanished(selection, fault);
    classes_free(&selection->classes);
    selection->classes = (struct classes){0};
    if (status == STATUS_OK)
        status = classify(forest, &selection->tdags, compress, threads, &selection->classes, fault);
    return status == STATUS_OK ? source_go_on(fault) : status;
}

void selection_free(struct selection *selection)
{
    classes_free(&selection->classes);
    tdags_free(&selection->tdags);
    mem_free(selection->excluded);
    *selection = (struct selection){0};
}
