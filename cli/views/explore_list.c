#include "cli/views/explore_list.h"

#include "cli/inputs/prefix.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/sort.h"
#include "parser/stop.h"

#define LISTS_MAX 12u

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
    const struct selection *selection = &sieve->rules->selection;
    char text[TDAG_NAME_MAX + 1];
    if (filter->class_id[0]) {
        *put_hex(text, row->class_id, CANON_ID_SIZE) = '\0';
        if (strncmp(text, filter->class_id, strlen(filter->class_id)) != 0)
            return false;
    }
    if (filter->dag[0]) {
        *tdag_put_name(&sieve->explore->opened.forest, &selection->tdags, dag, text) = '\0';
        if (strncmp(text, filter->dag, strlen(filter->dag)) != 0)
            return false;
    }
    return true;
}

static bool fits(const struct sieve *sieve, uint32_t dag)
{
    const struct explore_filter *filter = sieve->filter;
    const struct tdag_row *row = &sieve->rules->selection.classes.rows[dag - 1];
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
    if (filter->script < CATALOGUE_MAX && !name_set_has(&sieve->rules->held.labels.all[dag], filter->script))
        return false;
    return (!filter->class_id[0] && !filter->dag[0]) || fits_texts(sieve, dag, row);
}

static enum status pick(const struct explore_request *request, struct explore_list *list)
{
    struct sieve sieve = {.explore = request->explore, .rules = request->tdags, .filter = &list->filter};
    uint32_t total = request->tdags->selection.classes.rows_count;
    for (unsigned c = 0; c < EXPLORE_COLUMNS; c++) {
        if (list->filter.low[c] > 0 || list->filter.high[c] < UINT64_MAX)
            sieve.columns[sieve.count++] = c;
    }
    list->dags = mem_alloc(total, sizeof *list->dags);
    if (!list->dags)
        return STATUS_NOMEM;
    for (uint32_t d = 1; d <= total; d++) {
        if (stop_due(d))
            return STATUS_INTERRUPTED;
        if (fits(&sieve, d))
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

static void add_to_charts(struct explore_list *list, const struct tdag_row *row, uint32_t dag)
{
    uint64_t span = list->last_time - list->first_time + 1;
    unsigned power = row->height > 0 ? 31u - (unsigned)__builtin_clz(row->height) : 0, decade = 0;
    for (uint64_t value = row->moved_value_sat; value > 0 && decade < EXPLORE_DECADES - 1; value /= 10)
        decade++;
    power = power < EXPLORE_POWERS ? power : EXPLORE_POWERS - 1;
    count_in(&list->times[(row->first_time - list->first_time) * EXPLORE_BINS / span], dag);
    count_in(&list->cells[power][decade], dag);
}

static void make_charts(const struct explore_rules *rules, struct explore_list *list)
{
    const struct tdag_row *rows = rules->selection.classes.rows;
    list->first_time = list->count > 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t time = rows[list->dags[i] - 1].first_time;
        list->first_time = time < list->first_time ? time : list->first_time;
        list->last_time = time > list->last_time ? time : list->last_time;
    }
    for (uint32_t i = 0; i < list->count; i++)
        add_to_charts(list, &rows[list->dags[i] - 1], list->dags[i]);
}

/* ---- order ---- */

struct keyed {
    uint64_t key;
    uint32_t dag;
};

/* Equal ones stay in the order of their numbers. */
static enum status sort_list(const struct explore_rules *rules, struct explore_list *list)
{
    bool by_number = list->filter.sort == EXPLORE_BY_NUMBER;
    if (by_number && !list->filter.descending)
        return STATUS_OK;
    struct keyed *keyed = mem_alloc(list->count, sizeof *keyed), *spare = mem_alloc(list->count, sizeof *keyed);
    enum status status = keyed && spare ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK) {
        for (uint32_t i = 0; i < list->count; i++) {
            uint64_t key = explore_key(rules, list->filter.sort, list->dags[i]);
            keyed[i] = (struct keyed){list->filter.descending ? ~key : key, list->dags[i]};
        }
        const struct keyed *sorted = sort_by_key(keyed, spare, list->count, sizeof *keyed);
        for (uint32_t i = 0; i < list->count; i++)
            list->dags[i] = sorted[i].dag;
    }
    mem_free(keyed);
    mem_free(spare);
    return status;
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
    unsigned count = 0;
    for (struct explore_list **at = &explore->lists; *at;) {
        struct explore_list *list = *at;
        if (++count <= LISTS_MAX || list->users > 0) {
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
        status = sort_list(request->tdags, new);
    if (status == STATUS_OK)
        *list = new;
    else
        list_free(new);
    return status;
}

enum status explore_list_get(struct explore_request *request, const struct explore_filter *filter,
                             struct explore_list **list, struct fault *fault)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    struct explore *explore = request->explore;
    enum status status = STATUS_OK;
    pthread_mutex_lock(&explore->lock);
    *list = find(explore, request->rules, filter);
    pthread_mutex_unlock(&explore->lock);
    if (*list)
        return STATUS_OK;
    pthread_mutex_lock(&making);
    pthread_mutex_lock(&explore->lock);
    *list = find(explore, request->rules, filter); /* another may have made it meanwhile */
    pthread_mutex_unlock(&explore->lock);
    if (!*list && (status = make(request, filter, list)) == STATUS_OK) {
        pthread_mutex_lock(&explore->lock);
        (*list)->next = explore->lists;
        explore->lists = *list;
        drop_old(explore);
        pthread_mutex_unlock(&explore->lock);
    }
    pthread_mutex_unlock(&making);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    return status == STATUS_OK ? STATUS_OK : stop_check(fault);
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
