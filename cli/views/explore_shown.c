#include "cli/views/explore_shown.h"

#include "cli/views/explore_job.h"
#include "cli/views/ties.h"
#include "graph/dag/names.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

#define SMALL_TXS 1000000u   /* of a chain that is read without being asked */
#define LOOKED_AT_MAX 65536u /* things that begin alike */
#define ORDERED_BYTES 8u     /* of a thing, that it is ordered by */

struct explore_shown_work {
    struct explore_job job; /* first */
    enum rules rules;
    unsigned users;         /* requests, also while they wait for it */
    uint64_t used_s;        /* when a request asked for it or left it last */
    struct timespec moment; /* until then a page waits that can do without */
    struct explore_shown shown;
};

/* ---- what blk files and store have ---- */

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
    if (status == STATUS_OK)
        status = unlocks_write(&unlocks, tdags, NULL, NULL, fault);
    if (status == STATUS_OK)
        status = shown_evidence_end(&collected, fault);
    if (status == STATUS_OK) {
        shown->unlocks = unlocks.counts;
        unlocks.counts = NULL;
        shown->unread = spenders.unread;
    }
    unlocks_close(&unlocks);
    shown_evidence_close(&collected);
    spenders_close(&spenders);
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
    return evidence_ties(&shown->evidence.things.at[thing], TIES_MAX_DEGREE);
}

/* The group of what a thing ties, 1.. . */
static uint32_t group_of(const struct explore_shown *shown, uint32_t thing)
{
    const struct evidence_set *set = &shown->evidence;
    return shown->groups.of_member[evidence_member(set, &set->pieces.at[set->things.at[thing].first])];
}

static enum status list_things(struct explore_shown *shown)
{
    uint32_t things = (uint32_t)shown->evidence.things.count, sum = 0;
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
        shown->things[row->first_thing + row->things_count++] = t;
    }
    return STATUS_OK;
}

/* Calls for each T-DAG that has thing t. */
static void count_of_dags(const struct explore_shown *shown, uint32_t t, uint32_t *first, uint32_t *things)
{
    const struct evidence_set *set = &shown->evidence;
    const uint32_t *pieces = set->by_thing + set->begins[t];
    for (uint32_t i = 0; i < set->things.at[t].members; i++) {
        uint32_t dag = set->tdags->tx_dag[set->pieces.at[pieces[i]].tx];
        if (dag == 0)
            continue;
        if (things)
            things[first[dag + 1]] = t;
        first[dag + 1]++;
    }
}

static enum status list_of_dags(struct explore_shown *shown)
{
    const struct evidence_set *set = &shown->evidence;
    uint32_t things = (uint32_t)set->things.count, dags = set->tdags->count, sum = 0;
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

/* ---- things by what they begin with ---- */

static bool is_key(const struct explore_shown *shown, uint32_t thing)
{
    return shown->evidence.pieces.at[shown->evidence.things.at[thing].first].kind == EVIDENCE_KEY;
}

/* The first bytes as a number, of fewer bytes with zeros after them; of a key without its first byte, which is another
 * one in its other form. */
static uint64_t begin_of(const uint8_t *bytes, size_t size, bool of_key)
{
    uint8_t word[ORDERED_BYTES] = {0};
    size_t from = of_key && size > 0;
    if (size > from)
        memcpy(word, bytes + from, size - from < sizeof word ? size - from : sizeof word);
    return load_be64(word);
}

static uint64_t begin_of_thing(const struct explore_shown *shown, uint32_t thing)
{
    const struct evidence *piece = &shown->evidence.pieces.at[shown->evidence.things.at[thing].first];
    return begin_of(shown->evidence.bytes.at + piece->at, piece->size, piece->kind == EVIDENCE_KEY);
}

/* Of the keys, or of all others. */
static enum status order_things(const struct explore_shown *shown, bool keys, uint32_t **order, uint32_t *count)
{
    uint32_t things = (uint32_t)shown->evidence.things.count, found = 0;
    for (uint32_t t = 0; t < things; t++)
        found += is_key(shown, t) == keys;
    struct keyed *keyed = mem_alloc(2 * (size_t)found, sizeof *keyed);
    *order = mem_alloc(found, sizeof **order);
    bool enough = keyed && *order;
    *count = enough ? found : 0;
    for (uint32_t t = 0, i = 0; enough && t < things; t++) {
        if (is_key(shown, t) == keys)
            keyed[i++] = (struct keyed){begin_of_thing(shown, t), t};
    }
    const struct keyed *sorted = enough ? sort_by_key(keyed, keyed + found, found, sizeof *keyed) : NULL;
    for (uint32_t i = 0; sorted && i < found; i++)
        (*order)[i] = sorted[i].number;
    mem_free(keyed);
    return enough ? STATUS_OK : STATUS_NOMEM;
}

void explore_thing_text(const struct explore_shown *shown, uint32_t thing, char out[EXPLORE_THING_SIZE])
{
    const struct evidence *piece = &shown->evidence.pieces.at[shown->evidence.things.at[thing].first];
    const uint8_t *bytes = shown->evidence.bytes.at + piece->at;
    uint8_t key[65];
    char *end = piece->kind == EVIDENCE_KEY ? put_hex(out, key, evidence_key_form(bytes, piece->size, key))
                                            : put_hex(out, bytes, piece->size);
    *end = '\0';
}

/* The first of the numbers that such digits can be the beginning of; of all of them the highest is that with ones in
 * the place of what is missing. */
static uint64_t begin_of_digits(const char *digits, size_t size, bool highest)
{
    uint64_t begin = 0;
    for (size_t i = 0; i < 2 * ORDERED_BYTES; i++) {
        char c = i < size ? digits[i] : highest ? 'f' : '0';
        begin = begin << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return begin;
}

/* A key that is asked for in its uncompressed form begins with 04 and all of x; the parity of y is not looked at. */
static bool fits(const char *text, const char *digits, size_t size, bool of_key)
{
    if (!of_key || strncmp(text, digits, 2) == 0)
        return strncmp(text, digits, size) == 0;
    bool uncompressed = digits[0] == '0' && (digits[1] == '4' || digits[1] == '6' || digits[1] == '7');
    size_t x = size < 66 ? size : 66;
    return uncompressed && size <= 130 && strncmp(text + 2, digits + 2, x - 2) == 0;
}

void explore_things_find(const struct explore_shown *shown, const char *word, uint32_t most, explore_thing_take *take,
                         void *context)
{
    char text[EXPLORE_THING_SIZE], digits[TARGET_MAX + 1] = "";
    size_t size = strlen(word);
    if (size >= sizeof digits)
        return;
    for (size_t i = 0; i <= size; i++)
        digits[i] = (char)(word[i] >= 'A' && word[i] <= 'F' ? word[i] - 'A' + 'a' : word[i]);
    for (unsigned k = 0; k < 2; k++) {
        bool keys = k == 0;
        const uint32_t *order = keys ? shown->keys : shown->others;
        uint32_t count = keys ? shown->keys_count : shown->others_count;
        uint64_t low = begin_of_digits(digits + 2 * keys, size - 2 * keys, false);
        uint64_t high = begin_of_digits(digits + 2 * keys, size - 2 * keys, true);
        uint32_t first = (uint32_t)LOWER_BOUND(i, 0, count, begin_of_thing(shown, order[i]) < low);
        for (uint32_t i = first; i < count && i - first < LOOKED_AT_MAX && most > 0; i++) {
            if (begin_of_thing(shown, order[i]) > high)
                break;
            explore_thing_text(shown, order[i], text);
            if (!fits(text, digits, size, keys))
                continue;
            take(context, order[i]);
            most--;
        }
    }
}

/* ---- when it is asked for ---- */

static void end(struct explore_shown_work *work)
{
    struct explore_shown *shown = &work->shown;
    explore_job_end(&work->job);
    mem_free(shown->unlocks);
    evidence_free(&shown->evidence);
    groups_free(&shown->groups);
    mem_free(shown->rows);
    mem_free(shown->members);
    mem_free(shown->order);
    mem_free(shown->things);
    mem_free(shown->dag_first);
    mem_free(shown->dag_things);
    mem_free(shown->keys);
    mem_free(shown->others);
    mem_free(work);
}

static size_t bytes_of(const struct explore_shown *shown)
{
    const struct evidence_set *set = &shown->evidence;
    return set->pieces.count * sizeof *set->pieces.at + set->bytes.count +
           set->things.count * (sizeof *set->things.at + sizeof *set->begins + sizeof *shown->keys);
}

static bool may_go(const struct explore *explore, const struct explore_shown_work *work)
{
    return work->job.done && work->users == 0 && bytes_of(&work->shown) > explore->shown_bytes &&
           explore_now_s() - work->used_s >= explore->shown_idle_s;
}

/* Of those of other rule sets, what takes much memory goes, unless a page uses it or did so lately. */
static void make_room(struct explore *explore, enum rules rules)
{
    pthread_mutex_lock(&explore->lock);
    for (unsigned r = 0; r < RULES; r++) {
        struct explore_shown_work *work = explore->shown[r];
        if (r == rules || !work || !may_go(explore, work))
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
    TRIM(shown->evidence.things);
    explore_settle(job->explore);
    if (status == STATUS_OK)
        status = find_groups(rules, shown, &none);
    if (status == STATUS_OK)
        status = order_things(shown, true, &shown->keys, &shown->keys_count);
    if (status == STATUS_OK)
        status = order_things(shown, false, &shown->others, &shown->others_count);
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
