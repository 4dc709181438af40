#include "cli/views/explore_words.h"

#include "cli/views/explore_order.h"
#include "cli/views/explore_shown.h"
#include "cli/views/explore_survey.h"

/* ---- names ---- */

static const char *const words[][2] = {{"family", "family"},     {"class", "class"},  {"script", "known scripts"},
                                       {"protocol", "protocol"}, {"label", "labels"}, {"group", "tie group"}};

unsigned explore_sort_find(const char *name)
{
    unsigned sort = explore_column_find(name);
    if (sort < EXPLORE_COLUMNS)
        return sort;
    for (sort = EXPLORE_BY_FAMILY; sort < EXPLORE_SORTS && strcmp(explore_sort_name(sort), name) != 0;)
        sort++;
    return sort;
}

const char *explore_sort_name(unsigned sort)
{
    return sort < EXPLORE_COLUMNS ? explore_columns[sort].name : words[sort - EXPLORE_COLUMNS][0];
}

const char *explore_sort_head(unsigned sort)
{
    return sort < EXPLORE_COLUMNS ? explore_columns[sort].head : words[sort - EXPLORE_COLUMNS][1];
}

bool explore_has_sort(const struct explore *explore, unsigned sort)
{
    return sort < EXPLORE_COLUMNS ? explore_has_column(sort)
                                  : sort != EXPLORE_BY_LABEL || explore->opened.labels.count > 0;
}

/* ---- ranks: of each T-DAG by its number, 0 for one that has no such word ---- */

static void rank_families(const struct explore_rules *rules, uint32_t *ranks)
{
    uint32_t rank_of[FAMILIES];
    for (unsigned f = 0; f < FAMILIES; f++) {
        rank_of[f] = 1;
        for (unsigned other = 0; other < FAMILIES; other++)
            rank_of[f] += strcmp(family_name((enum family)other), family_name((enum family)f)) < 0;
    }
    for (uint32_t d = 1; d <= rules->tdags.count; d++)
        ranks[d] = rank_of[rules->families[d - 1]];
}

static void rank_classes(const struct explore_rules *rules, uint32_t *ranks)
{
    const struct explore_class_table *classes = &rules->classes;
    for (uint32_t c = 0; c < classes->count; c++) {
        for (uint32_t i = classes->first[c]; i < classes->first[c + 1]; i++)
            ranks[classes->dags[i]] = c + 1;
    }
}

static void rank_scripts(const struct catalogue *catalogue, const struct explore_rules *rules, uint32_t *ranks)
{
    for (uint32_t d = 1; d <= rules->tdags.count; d++) {
        const struct name_set *names = explore_names(rules, d);
        uint32_t i = 0;
        if (name_set_first(names) >= CATALOGUE_MAX)
            continue;
        while (!name_set_has(names, catalogue->by_name[i]))
            i++;
        ranks[d] = i + 1;
    }
}

static void rank_protocols(const struct explore *explore, enum rules number, const struct explore_survey *survey,
                           uint32_t *ranks)
{
    const struct explore_traits *protocols = &survey->protocols;
    const uint32_t *tx_dag = explore->rules[number].tdags.tx_dag;
    for (unsigned p = 0; p < PROTOCOLS; p++) {
        uint32_t rank = 1;
        for (unsigned other = 0; other < PROTOCOLS; other++)
            rank += strcmp(protocol_name((enum protocol)other), protocol_name((enum protocol)p)) < 0;
        for (uint64_t i = protocols->first[p]; i < protocols->first[p + 1]; i++) {
            uint32_t *of = &ranks[tx_dag[explore->opened.forest.outputs[protocols->outputs[i]].tx]];
            *of = *of == 0 || rank < *of ? rank : *of;
        }
    }
}

static void rank_labels(const struct explore_rules *rules, uint32_t *ranks)
{
    for (uint32_t d = 1; d <= rules->tdags.count; d++) {
        const struct label_span span = dag_labels_of(&rules->labels, d);
        ranks[d] = span.count > 0 ? address_labels_id_at(rules->labels.labels, &span, 0) + 1 : 0;
    }
}

enum status explore_words_rank(struct explore *explore, enum rules number, unsigned sort, uint32_t *ranks)
{
    const struct explore_rules *rules = &explore->rules[number];
    const struct explore_survey *survey;
    const struct explore_shown *shown;
    struct explore_request own = {.explore = explore, .rules = number};
    struct fault none = {0};
    enum status status = STATUS_OK;
    switch (sort) {
    case EXPLORE_BY_FAMILY: rank_families(rules, ranks); break;
    case EXPLORE_BY_CLASS: rank_classes(rules, ranks); break;
    case EXPLORE_BY_SCRIPT: rank_scripts(&explore->opened.catalogue, rules, ranks); break;
    case EXPLORE_BY_LABEL: rank_labels(rules, ranks); break;
    case EXPLORE_BY_PROTOCOL:
        status = explore_survey_get(explore, number, &survey, &none);
        if (status == STATUS_OK)
            rank_protocols(explore, number, survey, ranks);
        break;
    default:
        status = explore_shown_get(&own, &shown, &none);
        if (status == STATUS_OK)
            memcpy(ranks, shown->groups.of_member, ((size_t)rules->tdags.count + 1) * sizeof *ranks);
        explore_shown_leave(explore, own.shown);
        break;
    }
    return status;
}

/* ---- order ---- */

enum status explore_words_ready(struct explore_request *request, unsigned sort, struct fault *fault)
{
    const struct explore_survey *survey;
    const struct explore_shown *shown;
    if (sort == EXPLORE_BY_PROTOCOL)
        return explore_survey_get(request->explore, request->rules, &survey, fault);
    return sort == EXPLORE_BY_GROUP ? explore_shown_get(request, &shown, fault) : STATUS_OK;
}

static inline bool has(const struct explore_list *list, uint32_t dag) { return list->bits[dag / 64] >> dag % 64 & 1; }

/* Adds those of the list that the order has no word of. */
static uint32_t pick_rest(const struct explore_list *list, const struct explore_order *order, uint64_t skip,
                          uint32_t *out, uint32_t most, uint32_t count)
{
    uint32_t all = order->count + order->rest;
    for (uint32_t i = 0; i < order->count; i++)
        skip -= skip > 0 && has(list, order->dags[i]);
    for (uint32_t i = order->count; i < all && count < most; i++) {
        if (!has(list, order->dags[i]))
            continue;
        if (skip > 0)
            skip--;
        else
            out[count++] = order->dags[i];
    }
    return count;
}

enum status explore_words_pick(struct explore *explore, const struct explore_list *list,
                               const struct explore_filter *filter, uint64_t skip, uint32_t *out, uint32_t most,
                               uint32_t *count)
{
    struct explore_order *order = explore_order_get(explore, list->rules, filter->sort);
    *count = 0;
    if (!order)
        return STATUS_NOMEM;
    *count = explore_order_pick(&explore->rules[list->rules], order, filter->descending, list->bits, skip, out, most);
    if (*count < most)
        *count = pick_rest(list, order, skip, out, most, *count);
    explore_order_leave(explore, order);
    return STATUS_OK;
}
