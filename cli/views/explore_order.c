#include "cli/views/explore_order.h"

#include "cli/views/explore_list.h"
#include "cli/views/explore_words.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"
#include "parser/stop.h"

/* That are kept of rule sets that share rows with another, those in use apart; of that one all are kept. */
#define ORDERS_BYTES ((size_t)48 << 20)

struct keyed {
    uint64_t key;
    uint32_t dag;
};

static void order_free(struct explore_order *order)
{
    if (order) {
        mem_free(order->dags);
        mem_free(order->begins);
        mem_free(order->places);
        mem_free(order->equals);
    }
    mem_free(order);
}

/* ---- to make one ---- */

static struct explore_order *order_new(uint32_t count, enum rules rules, unsigned column, struct explore_order *base)
{
    struct explore_order *order = mem_alloc(1, sizeof *order);
    if (!order)
        return NULL;
    *order = (struct explore_order){.users = 1,
                                    .rules = rules,
                                    .column = column,
                                    .count = count,
                                    .base = base,
                                    .dags = mem_alloc(count, sizeof *order->dags),
                                    .begins = mem_alloc((size_t)count / 64 + 1, sizeof *order->begins)};
    if (base) {
        order->places = mem_alloc(count, sizeof *order->places);
        order->equals = mem_alloc(count, sizeof *order->equals);
    }
    if (order->dags && order->begins && (!base || (order->places && order->equals)))
        return order;
    order_free(order);
    return NULL;
}

static inline bool begins(const struct explore_order *order, uint32_t i) { return order->begins[i / 64] >> i % 64 & 1; }

/* The first of those with the same value as the last one before `end`. */
static inline uint32_t begin_of(const struct explore_order *order, uint32_t end)
{
    uint32_t begin = end - 1;
    while (!begins(order, begin))
        begin--;
    return begin;
}

/* The keys of these T-DAGs (NULL: of all), sorted; NULL without memory. To be freed: *block. */
static struct keyed *sort_keys(const struct explore_rules *rules, unsigned column, const uint32_t *dags, uint32_t count,
                               struct keyed **block)
{
    struct keyed *keyed = mem_alloc(2 * (size_t)count, sizeof *keyed);
    *block = keyed;
    for (uint32_t i = 0; keyed && i < count; i++) {
        uint32_t dag = dags ? dags[i] : i + 1;
        keyed[i] = (struct keyed){explore_key(rules, column, dag), dag};
    }
    return keyed ? sort_by_key(keyed, keyed + count, count, sizeof *keyed) : NULL;
}

static void fill(struct explore_order *order, const struct keyed *sorted)
{
    for (uint32_t i = 0; i < order->count; i++) {
        bool is_first = i == 0 || sorted[i].key != sorted[i - 1].key;
        order->begins[i / 64] |= (uint64_t)is_first << i % 64;
        order->dags[i] = sorted[i].dag;
    }
}

/* ---- of one that shares its rows ---- */

/* T-DAGs are numbered by their first transactions, in every rule set. */
static uint32_t first_tx(const struct explore_rules *rules, uint32_t dag) { return tdags_first_tx(&rules->tdags, dag); }

/* Among those of the base with the same value they are in the order of their numbers. */
static void place_all(const struct explore *explore, struct explore_order *order, const struct keyed *sorted)
{
    const struct explore_order *base = order->base;
    const struct explore_rules *rules = &explore->rules[order->rules], *of_base = &explore->rules[base->rules];
    uint32_t first = 0, end = 0;
    for (uint32_t i = 0; i < order->count; i++) {
        if (i == 0 || sorted[i].key != sorted[i - 1].key)
            explore_order_range(of_base, base, sorted[i].key, sorted[i].key, &first, &end);
        uint32_t tx = first_tx(rules, order->dags[i]);
        order->places[i] = (uint32_t)LOWER_BOUND(at, first, end, first_tx(of_base, base->dags[at]) < tx);
        order->equals[i] = first == end ? EQUAL_NONE : order->places[i] == end ? EQUAL_BEFORE : EQUAL_AT;
    }
}

/* ---- of words ---- */

/* Of all T-DAGs, in every rule set: few words are the same number in another. */
static struct explore_order *order_make_words(struct explore *explore, enum rules number, unsigned sort)
{
    uint32_t count = explore->rules[number].tdags.count, ranked = 0;
    uint32_t *ranks = mem_alloc((size_t)count + 1, sizeof *ranks);
    struct keyed *keyed = mem_alloc(2 * (size_t)count, sizeof *keyed);
    struct explore_order *order = order_new(count, number, sort, NULL);
    bool made = ranks && keyed && order && explore_words_rank(explore, number, sort, ranks) == STATUS_OK;
    for (uint32_t d = 1; made && d <= count; d++) {
        if (ranks[d] > 0)
            keyed[ranked++] = (struct keyed){ranks[d], d};
    }
    for (uint32_t d = 1; made && d <= count; d++) {
        if (ranks[d] == 0)
            order->dags[ranked + order->rest++] = d;
    }
    if (made) {
        order->count = ranked;
        fill(order, sort_by_key(keyed, keyed + ranked, ranked, sizeof *keyed));
    }
    mem_free(keyed);
    mem_free(ranks);
    if (made)
        return order;
    order_free(order);
    return NULL;
}

static struct explore_order *order_make(struct explore *explore, enum rules number, unsigned column,
                                        struct explore_order *base)
{
    if (column >= EXPLORE_COLUMNS)
        return order_make_words(explore, number, column);
    const struct explore_rules *rules = &explore->rules[number];
    uint32_t count = base ? rules->own_count : rules->tdags.count;
    struct explore_order *order = order_new(count, number, column, base);
    struct keyed *block;
    struct keyed *sorted = sort_keys(rules, column, base ? rules->own_dags : NULL, count, &block);
    if (order && sorted) {
        fill(order, sorted);
        if (base)
            place_all(explore, order, sorted);
    }
    mem_free(block);
    if (sorted)
        return order;
    order_free(order);
    return NULL;
}

/* ---- T-DAGs in order ---- */

struct picking {
    const uint64_t *bits;
    const uint32_t *numbers; /* of T-DAGs of the base, as they are called here; NULL: as there */
    const struct explore_order *order;
    const struct explore_order *base; /* the order itself where it shares no rows */
    uint64_t skip;
    uint32_t *out;
    uint32_t most;
    uint32_t count;
};

/* Bit 0 stands for none. */
static inline void pick(struct picking *picking, uint32_t dag)
{
    if (!(picking->bits[dag / 64] >> dag % 64 & 1))
        return;
    if (picking->skip > 0)
        picking->skip--;
    else if (picking->count < picking->most)
        picking->out[picking->count++] = dag;
}

/* Those of the base from `first` on, and the own ones from `own` on that belong between them or at the end. */
static void pick_merged(struct picking *picking, uint32_t first, uint32_t end, uint32_t own, uint32_t own_end)
{
    const struct explore_order *order = picking->order, *base = picking->base;
    for (uint32_t i = first; i < end && picking->count < picking->most; i++) {
        for (; own < own_end && order->places[own] == i; own++)
            pick(picking, order->dags[own]);
        pick(picking, picking->numbers ? picking->numbers[base->dags[i] - 1] : base->dags[i]);
    }
    for (; own < own_end && picking->count < picking->most; own++)
        pick(picking, order->dags[own]);
}

/* Value by value from the end. */
static void pick_down(struct picking *picking)
{
    const struct explore_order *order = picking->order, *base = picking->base;
    uint32_t end = base->count, own_end = order->base ? order->count : 0, begin, own;
    while (picking->count < picking->most) {
        while (own_end > 0 && order->places[own_end - 1] == end && order->equals[own_end - 1] == EQUAL_NONE) {
            own = begin_of(order, own_end);
            pick_merged(picking, 0, 0, own, own_end);
            own_end = own;
        }
        if (end == 0)
            return;
        begin = begin_of(base, end);
        for (own = own_end; own > 0 && order->equals[own - 1] != EQUAL_NONE &&
                            order->places[own - 1] >= begin + (order->equals[own - 1] == EQUAL_BEFORE);)
            own--;
        pick_merged(picking, begin, end, own, own_end);
        end = begin;
        own_end = own;
    }
}

uint32_t explore_order_pick(const struct explore_rules *rules, const struct explore_order *order, bool descending,
                            const uint64_t *bits, uint64_t skip, uint32_t *out, uint32_t most)
{
    struct picking picking = {.bits = bits,
                              .numbers = order->base ? rules->of_base : NULL,
                              .order = order,
                              .base = order->base ? order->base : order,
                              .skip = skip,
                              .out = out,
                              .most = most};
    if (descending)
        pick_down(&picking);
    else
        pick_merged(&picking, 0, picking.base->count, 0, order->base ? order->count : 0);
    return picking.count;
}

/* ---- those that are kept ---- */

static size_t bytes_of(const struct explore_order *order)
{
    return ((size_t)order->count + order->rest) * (sizeof *order->dags + sizeof *order->places + 2) + sizeof *order;
}

/* With explore->lock held: it goes to the front. */
static struct explore_order *find(struct explore *explore, enum rules rules, unsigned column)
{
    for (struct explore_order **at = &explore->orders; *at; at = &(*at)->next) {
        struct explore_order *order = *at;
        if (order->rules != rules || order->column != column)
            continue;
        *at = order->next;
        order->next = explore->orders;
        explore->orders = order;
        order->users++;
        return order;
    }
    return NULL;
}

/* With explore->lock held: those at the end that nobody uses go, but none of the rule set that others share rows with.
 */
static void drop_old(struct explore *explore)
{
    size_t bytes = 0;
    for (struct explore_order **at = &explore->orders; *at;) {
        struct explore_order *order = *at;
        bytes += explore->rules[order->rules].base ? bytes_of(order) : 0;
        if (bytes <= ORDERS_BYTES || order->users > 0 || !explore->rules[order->rules].base) {
            at = &order->next;
            continue;
        }
        *at = order->next;
        order_free(order);
    }
}

static struct explore_order *find_locked(struct explore *explore, enum rules rules, unsigned column)
{
    pthread_mutex_lock(&explore->lock);
    struct explore_order *order = find(explore, rules, column);
    pthread_mutex_unlock(&explore->lock);
    return order;
}

/* One is made at a time, since that takes the most memory. */
static struct explore_order *find_or_make(struct explore *explore, enum rules rules, unsigned column,
                                          struct explore_order *base)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&making);
    struct explore_order *order = find_locked(explore, rules, column); /* another may have made it meanwhile */
    if (!order && (order = order_make(explore, rules, column, base)) != NULL) {
        pthread_mutex_lock(&explore->lock);
        order->next = explore->orders;
        explore->orders = order;
        drop_old(explore);
        pthread_mutex_unlock(&explore->lock);
    }
    pthread_mutex_unlock(&making);
    return order;
}

/* That of the rule set that others share rows with, which shares none itself. */
static struct explore_order *get_base(struct explore *explore, unsigned column)
{
    enum rules rules = explore->settings->rules;
    struct explore_order *order = find_locked(explore, rules, column);
    return order ? order : find_or_make(explore, rules, column, NULL);
}

struct explore_order *explore_order_get(struct explore *explore, enum rules rules, unsigned column)
{
    struct explore_order *base, *order = find_locked(explore, rules, column);
    if (order || !explore->rules[rules].base || column >= EXPLORE_COLUMNS)
        return order ? order : find_or_make(explore, rules, column, NULL);
    base = get_base(explore, column);
    if (!base)
        return NULL;
    order = find_or_make(explore, rules, column, base);
    explore_order_leave(explore, base);
    return order;
}

void explore_order_leave(struct explore *explore, struct explore_order *order)
{
    pthread_mutex_lock(&explore->lock);
    order->users--;
    pthread_mutex_unlock(&explore->lock);
}

void explore_orders_make(struct explore *explore, enum rules rules)
{
    for (unsigned column = EXPLORE_BY_NUMBER + 1; column < EXPLORE_SORTS && !stop_requested(); column++) {
        if (!explore_has_sort(explore, column) || column == EXPLORE_BY_PROTOCOL || column == EXPLORE_BY_GROUP)
            continue;
        struct explore_order *order = explore_order_get(explore, rules, column);
        if (order)
            explore_order_leave(explore, order);
    }
}

void explore_orders_free(struct explore *explore)
{
    while (explore->orders) {
        struct explore_order *next = explore->orders->next;
        order_free(explore->orders);
        explore->orders = next;
    }
}

void explore_order_range(const struct explore_rules *rules, const struct explore_order *order, uint64_t low,
                         uint64_t high, uint32_t *first, uint32_t *end)
{
    uint32_t count = rules->tdags.count;
    *first = (uint32_t)LOWER_BOUND(i, 0, count, explore_key(rules, order->column, order->dags[i]) < low);
    *end = (uint32_t)LOWER_BOUND(i, *first, count, explore_key(rules, order->column, order->dags[i]) <= high);
}
