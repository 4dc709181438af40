#include "cli/views/explore_list.h"

#include "cli/inputs/prefix.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/sort.h"
#include "parser/stop.h"

#define LISTS_BYTES ((size_t)64 << 20) /* that are kept, those in use apart */
#define ORDERS_MAX 16u

/* ---- what a filter lets through ---- */

/* The columns that are asked for, so that a million rows are not compared with all of them. */
struct sieve {
    const struct explore *explore;
    const struct explore_rules *rules;
    const struct explore_filter *filter;
    unsigned columns[EXPLORE_COLUMNS];
    unsigned count;
};

static bool fits_texts(const struct sieve *sieve, uint32_t dag, const struct tdag_row *row)
{
    const struct explore_filter *filter = sieve->filter;
    char text[TDAG_NAME_MAX + 1];
    if (filter->class_id[0]) {
        *put_hex(text, row->class_id, CANON_ID_SIZE) = '\0';
        if (strncmp(text, filter->class_id, strlen(filter->class_id)) != 0)
            return false;
    }
    if (filter->dag[0]) {
        *tdag_put_name(&sieve->explore->opened.forest, &sieve->rules->tdags, dag, text) = '\0';
        if (strncmp(text, filter->dag, strlen(filter->dag)) != 0)
            return false;
    }
    return true;
}

static bool fits(const struct sieve *sieve, uint32_t dag)
{
    const struct explore_filter *filter = sieve->filter;
    const struct tdag_row *row = explore_row(sieve->rules, dag);
    if (filter->families && !(filter->families >> row->family & 1))
        return false;
    if (row->last_time < filter->time_low || row->first_time > filter->time_high)
        return false;
    for (unsigned i = 0; i < sieve->count; i++) {
        unsigned column = sieve->columns[i];
        uint64_t key = explore_key(sieve->rules, column, dag);
        if (key < filter->low[column] || key > filter->high[column])
            return false;
    }
    if (filter->script < CATALOGUE_MAX && !name_set_has(explore_names(sieve->rules, dag), filter->script))
        return false;
    if (filter->label > 0 && !dag_labels_has(&sieve->rules->labels, dag, filter->label - 1))
        return false;
    return (!filter->class_id[0] && !filter->dag[0]) || fits_texts(sieve, dag, row);
}

/* Nothing is asked for but an order. */
static bool lets_all_through(const struct sieve *sieve)
{
    const struct explore_filter *filter = sieve->filter;
    return sieve->count == 0 && !filter->families && filter->script == CATALOGUE_MAX && filter->label == 0 &&
           !filter->class_id[0] && !filter->dag[0] && filter->time_low == 0 && filter->time_high == UINT64_MAX;
}

static enum status pick(const struct explore_request *request, struct explore_list *list)
{
    struct sieve sieve = {.explore = request->explore, .rules = request->tdags, .filter = &list->filter};
    uint32_t total = request->tdags->tdags.count;
    for (unsigned c = 0; c < EXPLORE_COLUMNS; c++) {
        if (list->filter.low[c] > 0 || list->filter.high[c] < UINT64_MAX)
            sieve.columns[sieve.count++] = c;
    }
    bool all = lets_all_through(&sieve);
    list->dags = mem_alloc(total, sizeof *list->dags);
    if (!list->dags)
        return STATUS_NOMEM;
    for (uint32_t d = 1; d <= total; d++) {
        if (stop_due(d))
            return STATUS_INTERRUPTED;
        if (all || fits(&sieve, d))
            list->dags[list->count++] = d;
    }
    uint32_t *less = mem_resize(list->dags, list->count, sizeof *list->dags);
    list->dags = less ? less : list->dags;
    return STATUS_OK;
}

/* ---- charts ---- */

static void count_in(struct explore_cell *cell, uint32_t dag)
{
    if (cell->count++ == 0)
        cell->dag = dag;
}

static void make_charts(const struct explore_rules *rules, struct explore_list *list)
{
    list->first_time = list->count > 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t time = rules->first_times[list->dags[i] - 1];
        list->first_time = time < list->first_time ? time : list->first_time;
        list->last_time = time > list->last_time ? time : list->last_time;
    }
    uint64_t span = list->last_time - list->first_time + 1;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t dag = list->dags[i], cell = rules->cells[dag - 1];
        count_in(&list->times[(rules->first_times[dag - 1] - list->first_time) * EXPLORE_BINS / span], dag);
        count_in(&list->cells[cell / EXPLORE_DECADES][cell % EXPLORE_DECADES], dag);
    }
}

/* ---- order ---- */

/* All T-DAGs of a rule set in the order of a column, made once: then a list is sorted by leaving out. */
struct explore_order {
    struct explore_order *next;
    enum rules rules;
    uint32_t sort; /* column */
    uint32_t descending;
    unsigned users;
    uint32_t *dags;
};

struct keyed {
    uint64_t key;
    uint32_t dag;
};

static void order_free(struct explore_order *order)
{
    if (order)
        mem_free(order->dags);
    mem_free(order);
}

/* Equal ones stay in the order of their numbers. */
static struct explore_order *order_make(const struct explore_rules *rules, const struct explore_list *list)
{
    uint32_t count = rules->tdags.count;
    struct explore_order *order = mem_alloc(1, sizeof *order);
    struct keyed *keyed = mem_alloc(count, sizeof *keyed), *spare = mem_alloc(count, sizeof *keyed);
    uint32_t *dags = mem_alloc(count, sizeof *dags);
    bool enough = order && keyed && spare && dags;
    if (enough) {
        *order = (struct explore_order){.rules = list->rules,
                                        .sort = list->filter.sort,
                                        .descending = list->filter.descending,
                                        .users = 1,
                                        .dags = dags};
        for (uint32_t d = 1; d <= count; d++) {
            uint64_t key = explore_key(rules, order->sort, d);
            keyed[d - 1] = (struct keyed){order->descending ? ~key : key, d};
        }
        const struct keyed *sorted = sort_by_key(keyed, spare, count, sizeof *keyed);
        for (uint32_t i = 0; i < count; i++)
            dags[i] = sorted[i].dag;
    } else {
        mem_free(dags);
        mem_free(order);
    }
    mem_free(keyed);
    mem_free(spare);
    return enough ? order : NULL;
}

/* With explore->lock held. The order goes to the front; those at the end that nobody uses go. */
static struct explore_order *order_find(struct explore *explore, const struct explore_list *list)
{
    unsigned count = 0;
    struct explore_order *found = NULL;
    for (struct explore_order **at = &explore->orders; *at;) {
        struct explore_order *order = *at;
        bool is_it = order->rules == list->rules && order->sort == list->filter.sort &&
                     order->descending == list->filter.descending;
        bool is_old = ++count > ORDERS_MAX && order->users == 0 && !is_it;
        if (!is_it && !is_old) {
            at = &order->next;
            continue;
        }
        *at = order->next;
        if (is_it)
            found = order;
        else
            order_free(order);
    }
    if (found) {
        found->users++;
        found->next = explore->orders;
        explore->orders = found;
    }
    return found;
}

/* One is made at a time, since that takes the most memory. */
static struct explore_order *order_get(struct explore_request *request, const struct explore_list *list)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    struct explore *explore = request->explore;
    pthread_mutex_lock(&explore->lock);
    struct explore_order *order = order_find(explore, list);
    pthread_mutex_unlock(&explore->lock);
    if (order)
        return order;
    pthread_mutex_lock(&making);
    pthread_mutex_lock(&explore->lock);
    order = order_find(explore, list); /* another may have made it meanwhile */
    pthread_mutex_unlock(&explore->lock);
    if (!order && (order = order_make(request->tdags, list)) != NULL) {
        pthread_mutex_lock(&explore->lock);
        order->next = explore->orders;
        explore->orders = order;
        pthread_mutex_unlock(&explore->lock);
    }
    pthread_mutex_unlock(&making);
    return order;
}

/* The list has its T-DAGs in the order of their numbers. */
static enum status sort_list(struct explore_request *request, struct explore_list *list)
{
    uint32_t total = request->tdags->tdags.count;
    if (list->filter.sort == EXPLORE_BY_NUMBER && !list->filter.descending)
        return STATUS_OK;
    struct explore_order *order = order_get(request, list);
    uint8_t *wanted = mem_alloc((size_t)total / 8 + 1, 1);
    if (order && wanted) {
        for (uint32_t i = 0; i < list->count; i++)
            wanted[list->dags[i] / 8] |= (uint8_t)(1u << list->dags[i] % 8);
        for (uint32_t i = 0, count = 0; i < total; i++) {
            uint32_t dag = order->dags[i];
            if (wanted[dag / 8] >> dag % 8 & 1)
                list->dags[count++] = dag;
        }
    }
    pthread_mutex_lock(&request->explore->lock);
    if (order)
        order->users--;
    pthread_mutex_unlock(&request->explore->lock);
    mem_free(wanted);
    return order && wanted ? STATUS_OK : STATUS_NOMEM;
}

/* ---- the cache ---- */

static void list_free(struct explore_list *list)
{
    if (list)
        mem_free(list->dags);
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
        bytes += sizeof *list + list->count * sizeof *list->dags;
        if (bytes <= LISTS_BYTES || list->users > 0) {
            at = &list->next;
            continue;
        }
        *at = list->next;
        list_free(list);
    }
}

static enum status make(struct explore_request *request, const struct explore_filter *filter,
                        struct explore_list **list)
{
    struct explore_list *new = mem_alloc(1, sizeof *new);
    if (!new)
        return STATUS_NOMEM;
    new->rules = request->rules;
    new->users = 1;
    memcpy(&new->filter, filter, sizeof *filter);
    enum status status = pick(request, new);
    if (status == STATUS_OK)
        make_charts(request->tdags, new);
    if (status == STATUS_OK)
        status = sort_list(request, new);
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
    pthread_mutex_lock(&explore->lock);
    *list = find(explore, request->rules, filter);
    pthread_mutex_unlock(&explore->lock);
    if (*list)
        return STATUS_OK;
    enum status status = make(request, filter, list);
    if (status == STATUS_OK) {
        pthread_mutex_lock(&explore->lock);
        (*list)->next = explore->lists;
        explore->lists = *list;
        drop_old(explore);
        pthread_mutex_unlock(&explore->lock);
        return STATUS_OK;
    }
    return status == STATUS_NOMEM ? fault_nomem(fault) : stop_check(fault);
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
    while (explore->orders) {
        struct explore_order *next = explore->orders->next;
        order_free(explore->orders);
        explore->orders = next;
    }
}
