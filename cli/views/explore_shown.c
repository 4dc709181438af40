#include "cli/views/explore_shown.h"

#include "cli/views/explore_job.h"
#include "cli/views/explore_things.h"
#include "cli/views/ties.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/sort.h"
#include "parser/stop.h"

#define SMALL_TXS 1000000u /* of a chain that is read without being asked */

struct explore_shown_work {
    struct explore_job job; /* first */
    enum rules rules;
    unsigned users;         /* requests, also while they wait for it */
    uint64_t used_s;        /* when a request asked for it or left it last */
    struct timespec moment; /* until then a page waits that can do without */
    bool leaving;           /* its turn is over: it goes when those that have it leave it, and nobody else gets it */
    struct explore_shown shown;
};

/* ---- what blk files and store have ---- */

/* The counts of most T-DAGs are few. */
static bool keep_unlocks(const struct unlock_counts *counts, uint32_t dags, struct explore_shown *shown)
{
    bool enough = true;
    shown->unlocked_first = mem_alloc((size_t)dags + 2, sizeof *shown->unlocked_first);
    shown->partly = mem_alloc((size_t)dags / 64 + 1, sizeof *shown->partly);
    for (uint32_t d = 1; shown->unlocked_first && shown->partly && d <= dags && enough; d++) {
        for (unsigned u = 0; u < UNLOCKS && enough; u++) {
            struct explore_unlocked unlocked = {counts[d].of[u], (uint8_t)u};
            enough = unlocked.outputs == 0 || PUSH(shown->unlocked, unlocked);
        }
        shown->unlocked_first[d + 1] = (uint32_t)shown->unlocked.count;
        shown->partly[d / 64] |= (uint64_t)counts[d].unread << d % 64;
    }
    TRIM(shown->unlocked);
    return enough && shown->unlocked_first && shown->partly;
}

/* How outputs were unlocked too: one pass over the spenders collects for both. */
static enum status read_spenders(const struct explore *explore, const struct tdags *tdags, struct explore_shown *shown,
                                 struct fault *fault)
{
    struct spenders spenders = {0};
    struct shown_evidence collected = {0};
    struct unlocks unlocks = {.spenders = &spenders, .shown = &collected};
    const struct store *store = explore->opened.store;
    enum status status = spenders_open(explore->settings, store, &explore->opened.forest, &spenders, fault);
    if (status == STATUS_OK)
        status = shown_evidence_open(store, (unsigned)explore->settings->threads, NULL, &shown->evidence, &collected,
                                     fault);
    spenders.frugal = true;
    if (status == STATUS_OK)
        status = unlocks_write(&unlocks, tdags, NULL, NULL, fault);
    if (status == STATUS_OK && !keep_unlocks(unlocks.counts, tdags->count, shown))
        status = fault_nomem(fault);
    shown->unread = spenders.unread;
    unlocks_close(&unlocks);
    spenders_close(&spenders);
    if (status == STATUS_OK)
        status = shown_evidence_end(&collected, fault);
    shown_evidence_close(&collected);
    return status;
}

static enum status collect(const struct explore *explore, const struct tdags *tdags, struct explore_shown *shown,
                           struct fault *fault)
{
    const struct store *store = explore->opened.store;
    evidence_begin(&explore->opened.forest, tdags, store_seed(store), &shown->evidence);
    return explore->has_blocks ? read_spenders(explore, tdags, shown, fault)
                               : shown_evidence_collect(store, NULL, NULL, (unsigned)explore->settings->threads,
                                                        &shown->evidence, fault);
}

/* ---- what ties T-DAGs and groups ---- */

static bool ties(const struct explore_shown *shown, uint32_t thing)
{
    return evidence_ties(&shown->evidence.things[thing], TIES_MAX_DEGREE);
}

/* Here things are those of several pieces, by their numbers in the evidence: the others tie nothing. */

/* The group of what a thing ties, 1.. . */
static uint32_t group_of(const struct explore_shown *shown, uint32_t thing)
{
    const struct evidence_set *set = &shown->evidence;
    return shown->groups.of_member[evidence_member(set, &set->pieces.at[set->things[thing].first])];
}

static enum status list_things(struct explore_shown *shown)
{
    uint32_t things = (uint32_t)shown->evidence.things_count, sum = 0;
    for (uint32_t t = 0; t < things; t++) {
        if (ties(shown, t))
            shown->rows[group_of(shown, t) - 1].things_count++;
    }
    for (uint32_t g = 0; g < shown->groups.count; g++) {
        shown->rows[g].first_thing = sum;
        sum += shown->rows[g].things_count;
        shown->rows[g].things_count = 0;
    }
    shown->things = mem_alloc(sum, sizeof *shown->things);
    if (!shown->things)
        return STATUS_NOMEM;
    for (uint32_t t = 0; t < things; t++) {
        if (!ties(shown, t))
            continue;
        struct explore_group *row = &shown->rows[group_of(shown, t) - 1];
        shown->things[row->first_thing + row->things_count++] = shown->evidence.things[t].first;
    }
    return STATUS_OK;
}

/* Calls for each T-DAG that has thing t. */
static void count_of_dags(const struct explore_shown *shown, uint32_t t, uint32_t *first, uint32_t *things)
{
    const struct evidence_set *set = &shown->evidence;
    const uint32_t *pieces = set->by_thing + set->begins[t];
    for (uint32_t i = 0; i < set->things[t].members; i++) {
        uint32_t dag = set->tdags->tx_dag[set->pieces.at[pieces[i]].tx];
        if (dag == 0)
            continue;
        if (things)
            things[first[dag + 1]] = set->things[t].first;
        first[dag + 1]++;
    }
}

static enum status list_of_dags(struct explore_shown *shown)
{
    const struct evidence_set *set = &shown->evidence;
    uint32_t things = (uint32_t)set->things_count, dags = set->tdags->count, sum = 0;
    uint32_t *first = mem_alloc((size_t)dags + 2, sizeof *first);
    shown->dag_first = first;
    for (uint32_t t = 0; first && t < things; t++) {
        if (ties(shown, t))
            count_of_dags(shown, t, first, NULL);
    }
    for (uint32_t d = 0; first && d <= dags; d++) {
        uint32_t count = first[d + 1];
        first[d + 1] = sum;
        sum += count;
    }
    shown->dag_things = mem_alloc(sum, sizeof *shown->dag_things);
    if (!first || !shown->dag_things)
        return STATUS_NOMEM;
    for (uint32_t t = 0; t < things; t++) {
        if (ties(shown, t))
            count_of_dags(shown, t, first, shown->dag_things);
    }
    return STATUS_OK;
}

static void add_heights(struct explore_group *row, uint32_t first, uint32_t last)
{
    row->first_height = first < row->first_height ? first : row->first_height;
    row->last_height = last > row->last_height ? last : row->last_height;
}

static void fill_row(const struct explore_rules *rules, const struct explore_shown *shown, uint32_t group)
{
    const struct groups *groups = &shown->groups;
    const struct forest *forest = shown->evidence.forest;
    struct explore_group *row = &shown->rows[group - 1];
    uint32_t dags = rules->tdags.count, begin = groups->begins[group - 1], end = groups->begins[group];
    row->first_height = UINT32_MAX;
    for (uint32_t m = begin; m < end; m++) {
        uint32_t dag = groups->in_group[m];
        if (dag > dags)
            continue;
        shown->members[begin + row->tdags++] = dag;
        add_heights(row, explore_row(rules, dag)->first_height, explore_row(rules, dag)->last_height);
    }
    for (uint32_t m = begin; m < end; m++) {
        if (groups->in_group[m] <= dags)
            continue;
        uint32_t height = forest->txs[forest->outputs[groups->in_group[m] - dags - 1].tx].height;
        shown->members[begin + row->tdags + row->outputs++] = groups->in_group[m];
        add_heights(row, height, height);
    }
}

struct keyed {
    uint64_t key;
    uint32_t number;
};

static enum status order_groups(struct explore_shown *shown)
{
    uint32_t count = shown->groups.count;
    struct keyed *keyed = mem_alloc(2 * (size_t)count, sizeof *keyed);
    shown->order = mem_alloc(count, sizeof *shown->order);
    bool enough = keyed && shown->order;
    for (uint32_t g = 0; enough && g < count; g++)
        keyed[g] = (struct keyed){~((uint64_t)shown->rows[g].tdags << 32 | shown->rows[g].outputs), g + 1};
    const struct keyed *sorted = enough ? sort_by_key(keyed, keyed + count, count, sizeof *keyed) : NULL;
    for (uint32_t g = 0; sorted && g < count; g++)
        shown->order[g] = sorted[g].number;
    mem_free(keyed);
    return enough ? STATUS_OK : STATUS_NOMEM;
}

static enum status find_groups(const struct explore_rules *rules, struct explore_shown *shown, struct fault *fault)
{
    enum status status = groups_find(&shown->evidence, TIES_MAX_DEGREE, &shown->groups, fault);
    if (status == STATUS_OK)
        status = tdags_name(shown->evidence.forest, &shown->groups.names, fault);
    if (status != STATUS_OK)
        return status;
    shown->rows = mem_alloc(shown->groups.count, sizeof *shown->rows);
    shown->members = mem_alloc(shown->groups.begins[shown->groups.count], sizeof *shown->members);
    if (!shown->rows || !shown->members)
        return fault_nomem(fault);
    for (uint32_t g = 1; g <= shown->groups.count; g++)
        fill_row(rules, shown, g);
    mem_free(shown->groups.in_group); /* `members` is as good */
    shown->groups.in_group = NULL;
    status = list_things(shown);
    if (status == STATUS_OK)
        status = list_of_dags(shown);
    if (status == STATUS_OK)
        status = order_groups(shown);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* ---- when it is asked for ---- */

static void end(struct explore_shown_work *work)
{
    struct explore_shown *shown = &work->shown;
    explore_job_end(&work->job);
    mem_free(shown->unlocked_first);
    mem_free(shown->unlocked.at);
    mem_free(shown->partly);
    evidence_free(&shown->evidence);
    groups_free(&shown->groups);
    mem_free(shown->rows);
    mem_free(shown->members);
    mem_free(shown->order);
    mem_free(shown->things);
    mem_free(shown->dag_first);
    mem_free(shown->dag_things);
    for (unsigned k = 0; k < sizeof shown->ordered / sizeof *shown->ordered; k++)
        mem_free(shown->ordered[k].at);
    mem_free(work);
}

static size_t bytes_of(const struct explore_shown *shown)
{
    const struct evidence_set *set = &shown->evidence;
    return set->pieces.count * sizeof *set->pieces.at + set->bytes.count +
           set->pieces.count * sizeof *shown->ordered->at +
           set->things_count * (sizeof *set->things + sizeof *set->begins);
}

static bool is_large(const struct explore *explore, const struct explore_shown_work *work)
{
    return work && work->job.done && bytes_of(&work->shown) > explore->shown_bytes;
}

/* With explore->lock held: what is large and must not go yet. */
static bool is_in_use(const struct explore *explore, const struct explore_shown_work *work)
{
    if (!is_large(explore, work))
        return false;
    bool lately = explore_now_s() - work->used_s < explore->shown_idle_s;
    return work->users > 0 || (lately && !work->leaving);
}

/* Of those of other rule sets, what takes much memory goes: there is room for one. Readers of two rule sets have theirs
 * in turns. While this waits, what failed may be ended and begun again. */
static void make_room(struct explore *explore, enum rules rules)
{
    const uint64_t begun_s = explore_now_s();
    pthread_mutex_lock(&explore->lock);
    for (unsigned r = 0; r < RULES; r++) {
        if (r == rules)
            continue;
        while (is_in_use(explore, explore->shown[r]) && !stop_requested()) {
            explore->shown[r]->leaving = explore_now_s() - begun_s >= explore->shown_turn_s;
            struct timespec until = explore_job_moment();
            (void)pthread_cond_timedwait(&explore->rules_ready, &explore->lock, &until);
        }
        struct explore_shown_work *work = explore->shown[r];
        if (!is_large(explore, work) || is_in_use(explore, work))
            continue;
        explore->shown[r] = NULL;
        end(work);
    }
    pthread_mutex_unlock(&explore->lock);
}

static enum status work(struct explore_job *job)
{
    struct explore_shown_work *work = (struct explore_shown_work *)job;
    const struct explore_rules *rules = &job->explore->rules[work->rules];
    struct explore_shown *shown = &work->shown;
    struct fault none = {0};
    make_room(job->explore, work->rules);
    enum status status = collect(job->explore, &rules->tdags, shown, &none);
    TRIM(shown->evidence.pieces);
    TRIM(shown->evidence.bytes);
    explore_settle(job->explore);
    if (status == STATUS_OK)
        status = find_groups(rules, shown, &none);
    if (status == STATUS_OK)
        status = explore_things_order(shown, &none);
    explore_settle(job->explore);
    return status;
}

/* With explore->lock held. */
static enum status begin(struct explore *explore, enum rules rules)
{
    struct explore_shown_work *new = mem_alloc(1, sizeof *new);
    if (!new)
        return STATUS_NOMEM;
    new->job.explore = explore;
    new->job.work = work;
    new->job.alone = true;
    new->rules = rules;
    new->moment = explore_job_moment();
    if (explore_job_begin(&new->job) != STATUS_OK) {
        mem_free(new);
        return STATUS_NOMEM;
    }
    explore->shown[rules] = new;
    return STATUS_OK;
}

/* With explore->lock held. One that failed is begun again, since memory may be there now. */
static struct explore_shown_work *find_or_begin(struct explore *explore, enum rules rules, enum status *status)
{
    struct explore_shown_work *work = explore->shown[rules];
    if (work && explore_job_failed(&work->job)) {
        explore->shown[rules] = NULL;
        end(work);
    }
    *status = explore->shown[rules] ? STATUS_OK : begin(explore, rules);
    return explore->shown[rules];
}

/* With explore->lock held: for the request, which keeps it. */
static enum status hold(struct explore_request *request, struct explore_shown_work *work, const struct timespec *until)
{
    if (work->leaving)
        return STATUS_BUSY;
    work->users++;
    enum status status = explore_job_wait_until(&work->job, until);
    work->used_s = explore_now_s();
    if (status == STATUS_OK)
        request->shown = &work->shown;
    else
        work->users--;
    return status;
}

enum status explore_shown_get(struct explore_request *request, const struct explore_shown **shown, struct fault *fault)
{
    struct explore *explore = request->explore;
    enum status status = STATUS_OK;
    const struct timespec until = explore_end_of_patience();
    *shown = NULL;
    if (request->rules == RULES_HIDDEN)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, EXPLORE_SHOWN_NOT_HIDDEN);
    if (!request->shown) {
        pthread_mutex_lock(&explore->lock);
        struct explore_shown_work *work = find_or_begin(explore, request->rules, &status);
        if (work)
            status = hold(request, work, &until);
        pthread_mutex_unlock(&explore->lock);
    }
    *shown = request->shown;
    if (status == STATUS_OK)
        return STATUS_OK;
    return fault_set(
        fault, status, NULL, FAULT_NO_OFFSET,
        status == STATUS_BUSY
            ? "What the unknown outputs of %s and their spenders show is being read: ask again in a moment."
            : "What the unknown outputs of %s and their spenders show could not be read.",
        rules_name(request->rules));
}

const struct explore_shown *explore_shown_at_once(struct explore_request *request)
{
    struct explore *explore = request->explore;
    enum status status = STATUS_OK;
    if (request->shown || request->rules == RULES_HIDDEN)
        return request->shown;
    pthread_mutex_lock(&explore->lock);
    struct explore_shown_work *work = explore->shown[request->rules];
    if (!work && explore->opened.forest.total_txs <= SMALL_TXS)
        work = find_or_begin(explore, request->rules, &status);
    if (work)
        status = hold(request, work, &work->moment);
    pthread_mutex_unlock(&explore->lock);
    return request->shown;
}

void explore_shown_leave(struct explore *explore, const struct explore_shown *shown)
{
    if (!shown)
        return;
    pthread_mutex_lock(&explore->lock);
    for (unsigned r = 0; r < RULES; r++) {
        struct explore_shown_work *work = explore->shown[r];
        if (!work || &work->shown != shown)
            continue;
        work->users--;
        work->used_s = explore_now_s();
    }
    pthread_mutex_unlock(&explore->lock);
}

void explore_shown_free_all(struct explore *explore)
{
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++) {
        if (explore->shown[r])
            end(explore->shown[r]);
    }
}

struct explore_span explore_shown_of_tdag(const struct explore_shown *shown, uint32_t dag)
{
    return (struct explore_span){shown->dag_things + shown->dag_first[dag],
                                 shown->dag_first[dag + 1] - shown->dag_first[dag]};
}

struct unlock_counts explore_shown_unlocks(const struct explore_shown *shown, uint32_t dag)
{
    struct unlock_counts counts = {.unread = shown->partly[dag / 64] >> dag % 64 & 1};
    for (uint32_t i = shown->unlocked_first[dag]; i < shown->unlocked_first[dag + 1]; i++)
        counts.of[shown->unlocked.at[i].by] = shown->unlocked.at[i].outputs;
    return counts;
}
