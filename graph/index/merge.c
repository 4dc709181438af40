#include "graph/index/work.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* A run that is not so many times as large as what comes after it is merged with that: of many small builds few runs
 * are left, each at least twice the next, and a pair is written anew once for each such step that its run grows by. */
#define RATIO 2u

#define PAGES_AT_ONCE 16u

/* A run that is read, a few pages at a time: what is read must not change while the merged run is written. */
struct source {
    uint8_t key[PAIR_KEY_SIZE]; /* of the last page that was read */
    uint8_t pairs[PAGES_AT_ONCE * INDEX_ROOM];
    size_t count;
    size_t at;           /* the next one */
    uint64_t pairs_read; /* of both tables */
    bool begun;
    bool is_read; /* to its end */
    bool ended;   /* and its pairs are taken */
    bool older;   /* than this build */
};

struct merge {
    struct index_work *work;
    enum index_table table;
    struct source *sources;
    size_t count;
    uint64_t pairs; /* written */
};

/* Whether a pair is of blocks that were taken back, as far as this can be told. Such a pair would only be looked at in
 * vain; but a run must not have two spenders of one output. */
static enum status is_stale(const struct merge *merge, struct tx_index *base, const uint8_t *pair, bool *is)
{
    const struct index_work *work = merge->work;
    uint64_t first = pair_first(pair), second = pair_second(pair), spent;
    *is = second >= (merge->table == TABLE_TXIDS ? work->blocks[0].first_output : work->blocks[0].first_input);
    if (*is || merge->table == TABLE_TXIDS || second < work->base.cut_input)
        return STATUS_OK;
    enum status status = index_inputs(base, second, 1, &spent, work->fault);
    *is = spent != first;
    return status;
}

static enum status drop_stale(const struct merge *merge, struct source *source)
{
    struct tx_index *base = NULL;
    size_t kept = 0;
    enum status status = STATUS_OK;
    if (merge->table != TABLE_TXIDS) /* of txids the number alone tells */
        status = index_open_on(merge->work->kv, &base, merge->work->fault);
    for (size_t i = 0; i < source->count && status == STATUS_OK; i++) {
        const uint8_t *pair = source->pairs + i * PAIR_SIZE;
        bool is = false;
        status = is_stale(merge, base, pair, &is);
        if (is || status != STATUS_OK)
            continue;
        if (kept != i)
            memcpy(source->pairs + kept * PAIR_SIZE, pair, PAIR_SIZE);
        kept++;
    }
    source->count = kept;
    index_close(base);
    return status;
}

/* Copies the page at the cursor, if it is of the run. */
static enum status copy_page(const struct merge *merge, struct source *source, const struct kv_pair *pair)
{
    source->is_read = pair->key_size != PAIR_KEY_SIZE || memcmp(pair->key, source->key, 2) != 0;
    if (source->is_read)
        return STATUS_OK;
    struct kv_pair page = *pair;
    enum status status = index_unseal(merge->work->kv, merge->table, &page, merge->work->fault);
    if (status != STATUS_OK)
        return status;
    size_t count = page.value_size / PAIR_SIZE;
    memcpy(source->key, page.key, PAIR_KEY_SIZE);
    memcpy(source->pairs + source->count * PAIR_SIZE, page.value, count * PAIR_SIZE);
    source->count += count;
    source->pairs_read += count;
    return STATUS_OK;
}

/* Copies the next pages of the run. */
static enum status read_pages(const struct merge *merge, struct source *source)
{
    struct kv_view *view = NULL;
    struct kv_cursor *cursor = NULL;
    struct kv_pair pair = {0};
    struct fault *fault = merge->work->fault;
    source->at = source->count = 0;
    enum status status = kv_view_open(merge->work->kv, &view, fault);
    if (status == STATUS_OK)
        status = kv_cursor_open(view, merge->table, &cursor, fault);
    if (status == STATUS_OK)
        status = kv_floor(cursor, source->key, PAIR_KEY_SIZE, &pair, fault);
    if (status == STATUS_OK && source->begun)
        status = kv_next(cursor, &pair, fault);
    source->begun = true;
    for (unsigned page = 0; page < PAGES_AT_ONCE && status == STATUS_OK && !source->is_read; page++) {
        status = page > 0 ? kv_next(cursor, &pair, fault) : STATUS_OK;
        if (status == STATUS_OK)
            status = copy_page(merge, source, &pair);
    }
    if (status == STATUS_NOT_FOUND) {
        source->is_read = true;
        status = STATUS_OK;
    }
    kv_cursor_close(cursor);
    kv_view_close(view);
    return status;
}

/* Reads pages until there is a pair, or the run has ended. */
static enum status fill(const struct merge *merge, struct source *source)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && source->at == source->count && !source->ended) {
        source->ended = source->is_read;
        if (!source->ended)
            status = stop_requested() ? STATUS_INTERRUPTED : read_pages(merge, source);
        if (status == STATUS_OK && source->older && !source->ended)
            status = drop_stale(merge, source);
    }
    return status;
}

static struct source *lowest(const struct merge *merge)
{
    struct source *best = NULL;
    for (struct source *source = merge->sources; source < merge->sources + merge->count; source++)
        if (!source->ended && (!best || memcmp(source->pairs + source->at * PAIR_SIZE,
                                               best->pairs + best->at * PAIR_SIZE, PAIR_SIZE) < 0))
            best = source;
    return best;
}

/* How many pairs of the lowest source, of what is read, come before all others. */
static size_t count_lowest(const struct merge *merge, const struct source *lowest)
{
    const uint8_t *limit = NULL;
    size_t at = lowest->at + 1;
    for (const struct source *source = merge->sources; source < merge->sources + merge->count; source++) {
        const uint8_t *pair = source->pairs + source->at * PAIR_SIZE;
        if (source != lowest && !source->ended && (!limit || memcmp(pair, limit, PAIR_SIZE) < 0))
            limit = pair;
    }
    while (at < lowest->count && (!limit || memcmp(lowest->pairs + at * PAIR_SIZE, limit, PAIR_SIZE) <= 0))
        at++;
    return at - lowest->at;
}

static enum status merge_table(struct merge *merge, struct work_queue *queue, const struct index_state *state,
                               uint32_t first, uint32_t number)
{
    struct work_run run = {.queue = queue, .table = merge->table, .run = number};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < merge->count && status == STATUS_OK; i++) {
        uint32_t of = state->run[first + i].number;
        merge->sources[i] = (struct source){.key = {(uint8_t)(of >> 8), (uint8_t)of},
                                            .older = i + 1 < merge->count,
                                            .pairs_read = merge->sources[i].pairs_read};
        status = fill(merge, &merge->sources[i]);
    }
    for (struct source *source; status == STATUS_OK && (source = lowest(merge));) {
        size_t count = count_lowest(merge, source);
        status = work_pairs(&run, source->pairs + source->at * PAIR_SIZE, count);
        source->at += count;
        merge->pairs += count;
        if (status == STATUS_OK)
            status = fill(merge, source);
    }
    return status == STATUS_OK ? work_run_end(&run) : status;
}

/* The first of the runs that are to be one with the last. */
static uint32_t first_to_merge(const struct index_state *state)
{
    uint32_t first = state->runs - 1;
    uint64_t pairs = state->run[first].pairs;
    while (first > 0 && state->run[first - 1].pairs < RATIO * pairs)
        pairs += state->run[--first].pairs;
    return first;
}

bool index_merge_is_due(const struct index_state *state) { return first_to_merge(state) + 1 < state->runs; }

/* A page whose key is damaged may seem to be of another run, and would be left out. */
static enum status check_counts(const struct merge *merge, const struct index_state *state, uint32_t first)
{
    for (size_t i = 0; i < merge->count; i++)
        if (merge->sources[i].pairs_read != state->run[first + i].pairs)
            return kv_damaged(merge->work->kv, "a run has not as many pairs as there were", merge->work->fault);
    return STATUS_OK;
}

/* The new state is in the commit that takes the runs before away. */
static enum status write_state(struct work_queue *queue, struct index_state *state)
{
    uint8_t bytes[STATE_SIZE];
    index_state_write(state, bytes);
    enum status status = work_put(queue, TABLE_META, "state", 5, bytes, sizeof bytes);
    queue->merged = state;
    return status == STATUS_OK ? work_write_all(queue) : status;
}

enum status index_merge(struct index_work *work, struct index_state *state)
{
    uint32_t first = first_to_merge(state), number = index_free_run(state);
    struct merge merge = {.work = work, .count = state->runs - first};
    merge.sources = mem_alloc(merge.count, sizeof *merge.sources);
    if (!merge.sources)
        return fault_nomem(work->fault);
    work->queue.waits = true;
    enum status status = STATUS_OK;
    for (merge.table = TABLE_TXIDS; merge.table <= TABLE_LATE_SPENDS && status == STATUS_OK; merge.table++)
        status = merge_table(&merge, &work->queue, state, first, number);
    if (status == STATUS_OK)
        status = check_counts(&merge, state, first);
    mem_free(merge.sources);
    if (status == STATUS_OK) {
        state->runs = first + 1;
        state->run[first] = (struct index_run){number, merge.pairs};
        status = write_state(&work->queue, state);
    }
    return status;
}
