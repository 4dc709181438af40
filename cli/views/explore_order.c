#include "cli/views/explore_order.h"

#include "cli/views/explore_list.h"
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
    }
    mem_free(order);
}

/* ---- to make one ---- */

static struct explore_order *order_new(uint32_t count, enum rules rules, unsigned column)
{
    struct explore_order *order = mem_alloc(1, sizeof *order);
    if (!order)
        return NULL;
    *order = (struct explore_order){.users = 1,
                                    .rules = rules,
                                    .column = column,
                                    .dags = mem_alloc(count, sizeof *order->dags),
                                    .begins = mem_alloc((size_t)count / 64 + 1, sizeof *order->begins)};
    if (order->dags && order->begins)
        return order;
    order_free(order);
    return NULL;
}

static inline bool begins(const struct explore_order *order, uint32_t i) { return order->begins[i / 64] >> i % 64 & 1; }

static void add(struct explore_order *order, uint32_t *count, uint32_t dag, bool is_first)
{
    order->begins[*count / 64] |= (uint64_t)is_first << *count % 64;
    order->dags[(*count)++] = dag;
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

static void fill(struct explore_order *order, const struct keyed *sorted, uint32_t total)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < total; i++)
        add(order, &count, sorted[i].dag, i == 0 || sorted[i].key != sorted[i - 1].key);
}

/* ---- of one that shares its rows ---- */

/* An order of the base, its T-DAGs numbered as in the rule set that shares its rows, merged with that one's own. */
struct merging {
    const struct explore_rules *rules;
    const struct explore_order *base;
    struct explore_order *order;
    uint32_t count;
    bool is_first; /* the next one has another value than the last */
};

static void take(struct merging *merging, uint32_t dag)
{
    add(merging->order, &merging->count, dag, merging->is_first);
    merging->is_first = false;
}

static void take_of_base(struct merging *merging, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        uint32_t dag = merging->rules->of_base[merging->base->dags[i] - 1];
        merging->is_first |= begins(merging->base, i);
        if (dag > 0)
            take(merging, dag);
    }
}

/* Of one value: in the order of their numbers, which rise in both. */
static void take_equal(struct merging *merging, uint32_t first, uint32_t end, const struct keyed *own, uint32_t count)
{
    uint32_t taken = 0;
    merging->is_first = true;
    for (uint32_t i = first; i < end; i++) {
        uint32_t dag = merging->rules->of_base[merging->base->dags[i] - 1];
        for (; dag > 0 && taken < count && own[taken].dag < dag; taken++)
            take(merging, own[taken].dag);
        if (dag > 0)
            take(merging, dag);
    }
    for (; taken < count; taken++)
        take(merging, own[taken].dag);
    merging->is_first = true;
}

/* The places of the base from `from` on whose key is below that one. */
static uint32_t end_below(const struct explore *explore, const struct explore_order *base, uint32_t from, uint64_t key)
{
    const struct explore_rules *rules = &explore->rules[base->rules];
    return (uint32_t)LOWER_BOUND(i, from, rules->tdags.count, explore_key(rules, base->column, base->dags[i]) < key);
}

static void merge(const struct explore *explore, struct merging *merging, const struct keyed *own)
{
    uint32_t total = explore->rules[merging->base->rules].tdags.count, at = 0;
    uint32_t own_count = merging->rules->own_count;
    for (uint32_t i = 0, end; i < own_count; i = end) {
        uint32_t first = end_below(explore, merging->base, at, own[i].key);
        for (end = i + 1; end < own_count && own[end].key == own[i].key;)
            end++;
        take_of_base(merging, at, first);
        at = own[i].key == UINT64_MAX ? total : end_below(explore, merging->base, first, own[i].key + 1);
        take_equal(merging, first, at, own + i, end - i);
    }
    take_of_base(merging, at, total);
}

static struct explore_order *order_make(const struct explore *explore, enum rules number, unsigned column,
                                        const struct explore_order *base)
{
    const struct explore_rules *rules = &explore->rules[number];
    struct merging merging = {.rules = rules, .base = base, .order = order_new(rules->tdags.count, number, column)};
    struct keyed *block;
    struct keyed *sorted = base ? sort_keys(rules, column, rules->own_dags, rules->own_count, &block)
                                : sort_keys(rules, column, NULL, rules->tdags.count, &block);
    if (merging.order && sorted && base)
        merge(explore, &merging, sorted);
    else if (merging.order && sorted)
        fill(merging.order, sorted, rules->tdags.count);
    mem_free(block);
    if (sorted)
        return merging.order;
    order_free(merging.order);
    return NULL;
}

/* ---- those that are kept ---- */

static size_t bytes_of(const struct explore *explore, const struct explore_order *order)
{
    return (size_t)explore->rules[order->rules].tdags.count * (sizeof *order->dags + 1);
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
        bytes += explore->rules[order->rules].base ? bytes_of(explore, order) : 0;
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
struct explore_order *explore_order_get(struct explore *explore, enum rules rules, unsigned column)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    struct explore_order *base = NULL, *order = find_locked(explore, rules, column);
    if (order)
        return order;
    if (explore->rules[rules].base) {
        base = explore_order_get(explore, explore->settings->rules, column);
        if (!base)
            return NULL;
    }
    pthread_mutex_lock(&making);
    order = find_locked(explore, rules, column); /* another may have made it meanwhile */
    if (!order && (order = order_make(explore, rules, column, base)) != NULL) {
        pthread_mutex_lock(&explore->lock);
        order->next = explore->orders;
        explore->orders = order;
        drop_old(explore);
        pthread_mutex_unlock(&explore->lock);
    }
    pthread_mutex_unlock(&making);
    if (base)
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
    for (unsigned column = EXPLORE_BY_NUMBER + 1; column < EXPLORE_COLUMNS && !stop_requested(); column++) {
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
