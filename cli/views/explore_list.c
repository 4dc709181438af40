#include "cli/views/explore_list.h"

#include "cli/inputs/prefix.h"
#include "cli/views/explore_charts.h"
#include "cli/views/explore_order.h"
#include "cli/views/explore_shown.h"
#include "cli/views/explore_survey.h"
#include "cli/views/explore_words.h"
#include "parser/mem.h"
#include "parser/search.h"

#define LISTS_BYTES ((size_t)32 << 20) /* that are kept, those in use apart */

/* ---- what a filter lets through ---- */

/* A bit for each T-DAG, at its number. */
struct wanted {
    struct explore_request *request;
    struct explore *explore;
    const struct explore_rules *rules;
    enum rules number;
    const struct explore_filter *filter;
    uint64_t *bits; /* those that the filter lets through, as far as it was looked at */
    uint64_t *some; /* those that one condition lets through; all 0 between two conditions */
    size_t words;
};

static inline void set(uint64_t *bits, uint32_t dag) { bits[dag / 64] |= (uint64_t)1 << dag % 64; }
static inline void unset(uint64_t *bits, uint32_t dag) { bits[dag / 64] &= ~((uint64_t)1 << dag % 64); }

static void set_all(struct wanted *wanted)
{
    uint32_t last = wanted->rules->tdags.count;
    memset(wanted->bits, 0xff, wanted->words * sizeof *wanted->bits);
    wanted->bits[0] &= ~(uint64_t)1;
    wanted->bits[last / 64] &= ~(uint64_t)0 >> (63 - last % 64);
}

static void take_some(struct wanted *wanted)
{
    for (size_t w = 0; w < wanted->words; w++) {
        wanted->bits[w] &= wanted->some[w];
        wanted->some[w] = 0;
    }
}

/* Those of a list, as they are called here: numbers[its number there - 1], 0 for those that are not here (bit 0 stands
 * for none); NULL: as in the list. */
static void set_piece(uint64_t *bits, const uint32_t *list, uint32_t first, uint32_t end, const uint32_t *numbers)
{
    for (uint32_t i = first; i < end; i++)
        set(bits, numbers ? numbers[list[i] - 1] : list[i]);
}

static void unset_piece(uint64_t *bits, const uint32_t *list, uint32_t first, uint32_t end, const uint32_t *numbers)
{
    for (uint32_t i = first; i < end; i++)
        unset(bits, numbers ? numbers[list[i] - 1] : list[i]);
}

/* ---- conditions ---- */

static void keep_numbers(struct wanted *wanted, uint64_t low, uint64_t high)
{
    uint32_t count = wanted->rules->tdags.count;
    for (uint32_t d = 1; d <= count; d++) {
        if (d < low || d > high)
            unset(wanted->bits, d);
    }
}

/* Rows that are shared are looked for in the order of the rule set that has them all, the own ones one by one. */
static enum status keep_range(struct wanted *wanted, unsigned column, uint64_t low, uint64_t high)
{
    const struct explore_rules *rules = wanted->rules;
    enum rules number = rules->base ? wanted->explore->settings->rules : wanted->number;
    const struct explore_rules *base = &wanted->explore->rules[number];
    uint32_t first, end;
    if (low == 0 && high == UINT64_MAX)
        return STATUS_OK;
    if (column == EXPLORE_BY_NUMBER) {
        keep_numbers(wanted, low, high);
        return STATUS_OK;
    }
    struct explore_order *order = explore_order_get(wanted->explore, number, column);
    if (!order)
        return STATUS_NOMEM;
    explore_order_range(base, order, low, high, &first, &end);
    bool few = end - first <= base->tdags.count / 2;
    if (few) {
        set_piece(wanted->some, order->dags, first, end, rules->of_base);
    } else {
        unset_piece(wanted->bits, order->dags, 0, first, rules->of_base);
        unset_piece(wanted->bits, order->dags, end, base->tdags.count, rules->of_base);
    }
    for (uint32_t i = 0; i < rules->own_count; i++) {
        uint64_t key = explore_key(rules, column, rules->own_dags[i]);
        bool is_in = key >= low && key <= high;
        if (few && is_in)
            set(wanted->some, rules->own_dags[i]);
        else if (!few && !is_in)
            unset(wanted->bits, rules->own_dags[i]);
    }
    if (few)
        take_some(wanted);
    explore_order_leave(wanted->explore, order);
    return STATUS_OK;
}

static enum status keep_ranges(struct wanted *wanted)
{
    const struct explore_filter *filter = wanted->filter;
    enum status status = STATUS_OK;
    for (unsigned c = 0; c < EXPLORE_COLUMNS && status == STATUS_OK; c++)
        status = keep_range(wanted, c, filter->low[c], filter->high[c]);
    return status;
}

/* Those with a transaction in the blocks of heights first .. end - 1. */
static void set_blocks(struct wanted *wanted, uint32_t first, uint32_t end)
{
    const struct forest *forest = &wanted->explore->opened.forest;
    size_t tx = LOWER_BOUND(t, 0, forest->txs_count, forest->txs[t].height < first);
    size_t tx_end = LOWER_BOUND(t, tx, forest->txs_count, forest->txs[t].height < end);
    for (; tx < tx_end; tx++)
        set(wanted->some, wanted->rules->tdags.tx_dag[tx]); /* bit 0 stands for none */
}

/* Those with a transaction in that time. Times of blocks do not ascend with their heights: first and last time would
 * not tell it. */
static void keep_times(struct wanted *wanted)
{
    const struct explore_filter *filter = wanted->filter;
    const struct forest *forest = &wanted->explore->opened.forest;
    if (filter->time_low == 0 && filter->time_high == UINT64_MAX)
        return;
    for (uint32_t height = forest->first_height, end; height < forest->blocks; height = end + 1) {
        for (end = height; end < forest->blocks && forest->block_times[end] >= filter->time_low &&
                           forest->block_times[end] <= filter->time_high;)
            end++;
        if (end > height)
            set_blocks(wanted, height, end);
    }
    take_some(wanted);
}

static struct prefix prefix_of(const char *digits)
{
    struct prefix prefix = {.size = strlen(digits)};
    memcpy(prefix.digits, digits, prefix.size);
    return prefix;
}

static void keep_class(struct wanted *wanted)
{
    const struct explore_class_table *classes = &wanted->rules->classes;
    struct prefix prefix = prefix_of(wanted->filter->class_id);
    uint32_t first, end;
    explore_class_find(classes, &prefix, &first, &end);
    set_piece(wanted->some, classes->dags, classes->first[first], classes->first[end], NULL);
    take_some(wanted);
}

/* A T-DAG is named by its first transaction. */
static void keep_named(struct wanted *wanted)
{
    const struct explore *explore = wanted->explore;
    const struct tdags *tdags = &wanted->rules->tdags;
    struct prefix prefix = prefix_of(wanted->filter->dag);
    uint32_t first, end;
    explore_find_txs(explore, &prefix, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        uint32_t tx = explore->txs_by_txid[i], dag = tdags->tx_dag[tx];
        if (dag > 0 && tdags_first_tx(tdags, dag) == tx)
            set(wanted->some, dag);
    }
    take_some(wanted);
}

static void keep_trait(struct wanted *wanted, const struct explore_traits *traits, uint32_t trait)
{
    const struct forest *forest = &wanted->explore->opened.forest;
    for (uint64_t i = traits->first[trait]; i < traits->first[trait + 1]; i++)
        set(wanted->some, wanted->rules->tdags.tx_dag[forest->outputs[traits->outputs[i]].tx]);
}

/* Of one template and one kind, as far as these are asked for. */
static void keep_templates(struct wanted *wanted, const struct explore_survey *survey)
{
    const struct explore_filter *filter = wanted->filter;
    if (!filter->template[0] && !filter->kinds)
        return;
    for (uint32_t i = 0; i < survey->templates.count; i++) {
        const struct template_row *row = &survey->rows[i];
        if ((!filter->kinds || filter->kinds >> row->kind & 1) &&
            (!filter->template[0] || strcmp(explore_template_name(row), filter->template) == 0))
            keep_trait(wanted, &survey->templates, i);
    }
    take_some(wanted);
}

/* By what their outputs are. STATUS_BUSY: these are being looked through. */
static enum status keep_outputs(struct wanted *wanted, struct fault *fault)
{
    const struct explore_filter *filter = wanted->filter;
    const struct explore_survey *survey;
    if (filter->protocol == PROTOCOL_NONE && !filter->template[0] && !filter->kinds)
        return STATUS_OK;
    enum status status = explore_survey_get(wanted->explore, wanted->number, &survey, fault);
    if (status != STATUS_OK)
        return status;
    if (filter->protocol != PROTOCOL_NONE) {
        keep_trait(wanted, &survey->protocols, filter->protocol);
        take_some(wanted);
    }
    keep_templates(wanted, survey);
    return STATUS_OK;
}

struct grouped {
    struct wanted *wanted;
    const struct explore_shown *shown;
};

static void keep_group(void *context, uint32_t group)
{
    const struct grouped *grouped = context;
    const struct explore_shown *shown = grouped->shown;
    uint32_t first = shown->groups.begins[group - 1];
    set_piece(grouped->wanted->some, shown->members, first, first + shown->rows[group - 1].tdags, NULL);
}

/* Those of the groups whose names, txids, begin so. STATUS_BUSY: groups are being found. */
static enum status keep_groups(struct wanted *wanted, struct fault *fault)
{
    const struct explore_shown *shown;
    struct prefix prefix = prefix_of(wanted->filter->group);
    if (!prefix.size)
        return STATUS_OK;
    enum status status = explore_shown_get(wanted->request, &shown, fault);
    if (status != STATUS_OK)
        return status;
    explore_groups_find(wanted->explore, shown, &prefix, UINT32_MAX, keep_group, &(struct grouped){wanted, shown});
    take_some(wanted);
    return STATUS_OK;
}

static bool fits(const struct wanted *wanted, uint32_t dag)
{
    const struct explore_filter *filter = wanted->filter;
    if (filter->families && !(filter->families >> wanted->rules->families[dag - 1] & 1))
        return false;
    if (filter->script < CATALOGUE_MAX && !name_set_has(explore_names(wanted->rules, dag), filter->script))
        return false;
    return filter->label == 0 || dag_labels_has(&wanted->rules->labels, dag, filter->label - 1);
}

/* What no order tells is asked of those that are left. */
static void keep_fitting(struct wanted *wanted)
{
    for (size_t w = 0; w < wanted->words; w++) {
        for (uint64_t left = wanted->bits[w]; left; left &= left - 1) {
            uint32_t dag = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left);
            if (!fits(wanted, dag))
                unset(wanted->bits, dag);
        }
    }
}

static enum status keep_all(struct wanted *wanted, struct fault *fault)
{
    const struct explore_filter *filter = wanted->filter;
    set_all(wanted);
    keep_times(wanted);
    enum status status = keep_ranges(wanted) == STATUS_OK ? keep_outputs(wanted, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = keep_groups(wanted, fault);
    if (status == STATUS_OK && filter->class_id[0])
        keep_class(wanted);
    if (status == STATUS_OK && filter->dag[0])
        keep_named(wanted);
    if (status == STATUS_OK && (filter->families || filter->script < CATALOGUE_MAX || filter->label > 0))
        keep_fitting(wanted);
    return status;
}

static void count_wanted(const struct wanted *wanted, struct explore_list *list)
{
    for (size_t w = 0; w < wanted->words; w++)
        list->count += (uint32_t)__builtin_popcountll(wanted->bits[w]);
}

/* ---- order ---- */

static uint32_t pick_up(const struct explore_list *list, uint64_t skip, uint32_t *out, uint32_t most)
{
    uint32_t count = 0;
    for (size_t w = 0; w < list->words && count < most; w++) {
        unsigned here = (unsigned)__builtin_popcountll(list->bits[w]);
        if (skip >= here) {
            skip -= here;
            continue;
        }
        for (uint64_t left = list->bits[w]; left && count < most; left &= left - 1) {
            if (skip > 0)
                skip--;
            else
                out[count++] = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left);
        }
    }
    return count;
}

/* The same from the end: those before them in the other order. */
static uint32_t pick_down(const struct explore_list *list, uint64_t skip, uint32_t *out, uint32_t most)
{
    uint64_t left = skip < list->count ? list->count - skip : 0;
    uint32_t count = left < most ? (uint32_t)left : most;
    count = pick_up(list, left - count, out, count);
    for (uint32_t i = 0, j = count; i + 1 < j; i++) {
        uint32_t swap = out[i];
        out[i] = out[--j];
        out[j] = swap;
    }
    return count;
}

enum status explore_list_pick(struct explore *explore, const struct explore_list *list,
                              const struct explore_filter *filter, uint64_t skip, uint32_t *out, uint32_t most,
                              uint32_t *count)
{
    if (filter->sort == EXPLORE_BY_NUMBER) {
        *count = filter->descending ? pick_down(list, skip, out, most) : pick_up(list, skip, out, most);
        return STATUS_OK;
    }
    if (filter->sort >= EXPLORE_COLUMNS)
        return explore_words_pick(explore, list, filter, skip, out, most, count);
    struct explore_order *order = explore_order_get(explore, list->rules, filter->sort);
    if (!order)
        return STATUS_NOMEM;
    *count = explore_order_pick(&explore->rules[list->rules], order, filter->descending, list->bits, skip, out, most);
    explore_order_leave(explore, order);
    return STATUS_OK;
}

/* ---- the cache ---- */

static void list_free(struct explore_list *list)
{
    if (list)
        mem_free(list->bits);
    mem_free(list);
}

/* With explore->lock held: the list goes to the front. */
static struct explore_list *find(struct explore *explore, enum rules rules, const struct explore_filter *filter)
{
    for (struct explore_list **at = &explore->lists; *at; at = &(*at)->next) {
        struct explore_list *list = *at;
        if (list->rules != rules || memcmp(&list->filter, filter, sizeof *filter) != 0)
            continue;
        *at = list->next;
        list->next = explore->lists;
        explore->lists = list;
        list->users++;
        return list;
    }
    return NULL;
}

/* With explore->lock held: those at the end that nobody looks at go. */
static void drop_old(struct explore *explore)
{
    size_t bytes = 0;
    for (struct explore_list **at = &explore->lists; *at;) {
        struct explore_list *list = *at;
        bytes += sizeof *list + list->words * sizeof *list->bits;
        if (bytes <= LISTS_BYTES || list->users > 0) {
            at = &list->next;
            continue;
        }
        *at = list->next;
        list_free(list);
    }
}

static enum status fill(struct explore_request *request, struct explore_list *list, struct fault *fault)
{
    size_t words = (size_t)request->tdags->tdags.count / 64 + 1;
    struct wanted wanted = {.request = request,
                            .explore = request->explore,
                            .rules = request->tdags,
                            .number = request->rules,
                            .filter = &list->filter,
                            .bits = mem_alloc(words, sizeof *wanted.bits),
                            .some = mem_alloc(words, sizeof *wanted.some),
                            .words = words};
    enum status status = wanted.bits && wanted.some ? keep_all(&wanted, fault) : fault_nomem(fault);
    if (status == STATUS_OK) {
        count_wanted(&wanted, list);
        list->bits = wanted.bits;
        list->words = words;
        explore_charts_count(request->tdags, list);
    } else {
        mem_free(wanted.bits);
    }
    mem_free(wanted.some);
    return status;
}

static enum status make(struct explore_request *request, const struct explore_filter *filter,
                        struct explore_list **list, struct fault *fault)
{
    struct explore_list *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    new->rules = request->rules;
    new->users = 1;
    memcpy(&new->filter, filter, sizeof *filter);
    enum status status = fill(request, new, fault);
    if (status == STATUS_OK)
        *list = new;
    else
        list_free(new);
    return status;
}

/* Two threads may make the same one at once; the second is then as good as the first. */
enum status explore_list_get(struct explore_request *request, const struct explore_filter *filter,
                             struct explore_list **list, struct fault *fault)
{
    struct explore *explore = request->explore;
    struct explore_filter unsorted;
    memcpy(&unsorted, filter, sizeof unsorted);
    unsorted.sort = EXPLORE_BY_NUMBER;
    unsorted.descending = false;
    pthread_mutex_lock(&explore->lock);
    *list = find(explore, request->rules, &unsorted);
    pthread_mutex_unlock(&explore->lock);
    if (*list)
        return STATUS_OK;
    enum status status = make(request, &unsorted, list, fault);
    if (status == STATUS_OK) {
        pthread_mutex_lock(&explore->lock);
        (*list)->next = explore->lists;
        explore->lists = *list;
        drop_old(explore);
        pthread_mutex_unlock(&explore->lock);
        return STATUS_OK;
    }
    return status;
}

void explore_list_leave(struct explore *explore, struct explore_list *list)
{
    pthread_mutex_lock(&explore->lock);
    list->users--;
    pthread_mutex_unlock(&explore->lock);
}

void explore_lists_free(struct explore *explore)
{
    while (explore->lists) {
        struct explore_list *next = explore->lists->next;
        list_free(explore->lists);
        explore->lists = next;
    }
}
