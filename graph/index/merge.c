#include "graph/index/work.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* A run that is not so many times as large as what comes after it is merged with that: of many small builds few runs
 * are left, each at least twice the next, and a pair is written anew once for each such step that its run grows by. */
#define RATIO 2u

/* A run that is read, a page at a time: what is read must not change while the merged run is written. */
struct source {
    uint8_t key[PAIR_KEY_SIZE]; /* of the page */
    uint8_t page[INDEX_PAGE];
    size_t count; /* of pairs */
    size_t at;    /* the next one */
    bool begun;
    bool ended;
    bool older; /* than this build */
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
    enum status status = index_open_on(merge->work->kv, &base, merge->work->fault);
    for (size_t i = 0; i < source->count && status == STATUS_OK; i++) {
        const uint8_t *pair = source->page + i * PAIR_SIZE;
        bool is = false;
        status = is_stale(merge, base, pair, &is);
        if (!is)
            memmove(source->page + kept++ * PAIR_SIZE, pair, PAIR_SIZE);
    }
    source->count = kept;
    index_close(base);
    return status;
}

/* Copies the next page of the run. */
static enum status read_page(const struct merge *merge, struct source *source)
{
    struct kv_view *view = NULL;
    struct kv_cursor *cursor = NULL;
    struct kv_pair pair = {0};
    struct fault *fault = merge->work->fault;
    enum status status = kv_view_open(merge->work->kv, &view, fault);
    if (status == STATUS_OK)
        status = kv_cursor_open(view, merge->table, &cursor, fault);
    if (status == STATUS_OK)
        status = kv_floor(cursor, source->key, PAIR_KEY_SIZE, &pair, fault);
    if (status == STATUS_OK && source->begun)
        status = kv_next(cursor, &pair, fault);
    source->at = source->count = 0;
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && (pair.key_size != PAIR_KEY_SIZE || memcmp(pair.key, source->key, 2) != 0))) {
        source->ended = true;
        status = STATUS_OK;
    } else if (status == STATUS_OK && pair.value_size > INDEX_PAGE) {
        status = kv_damaged(merge->work->kv, "a page of pairs is malformed", fault);
    } else if (status == STATUS_OK) {
        source->count = pair.value_size / PAIR_SIZE;
        memcpy(source->key, pair.key, PAIR_KEY_SIZE);
        memcpy(source->page, pair.value, pair.value_size);
    }
    source->begun = true;
    kv_cursor_close(cursor);
    kv_view_close(view);
    return status;
}

/* Reads pages until there is a pair, or the run has ended. */
static enum status fill(const struct merge *merge, struct source *source)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && source->at == source->count && !source->ended) {
        status = stop_requested() ? STATUS_INTERRUPTED : read_page(merge, source);
        if (status == STATUS_OK && source->older)
            status = drop_stale(merge, source);
    }
    return status;
}

static struct source *lowest(const struct merge *merge)
{
    struct source *best = NULL;
    for (struct source *source = merge->sources; source < merge->sources + merge->count; source++)
        if (!source->ended &&
            (!best || memcmp(source->page + source->at * PAIR_SIZE, best->page + best->at * PAIR_SIZE, PAIR_SIZE) < 0))
            best = source;
    return best;
}

static enum status merge_table(struct merge *merge, struct work_queue *queue, const struct index_state *state,
                               uint32_t first, uint32_t number)
{
    struct work_run run = {.queue = queue, .table = merge->table, .run = number};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < merge->count && status == STATUS_OK; i++) {
        uint32_t of = state->run[first + i].number;
        merge->sources[i] = (struct source){.key = {(uint8_t)(of >> 8), (uint8_t)of}, .older = i + 1 < merge->count};
        status = fill(merge, &merge->sources[i]);
    }
    for (struct source *source; status == STATUS_OK && (source = lowest(merge));) {
        const uint8_t *pair = source->page + source->at++ * PAIR_SIZE;
        status = work_pair(&run, pair_first(pair), pair_second(pair));
        merge->pairs++;
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
    struct work_queue queue = {.work = work, .waits = true};
    struct merge merge = {.work = work, .count = state->runs - first};
    merge.sources = mem_alloc(merge.count, sizeof *merge.sources);
    if (!merge.sources)
        return fault_nomem(work->fault);
    enum status status = STATUS_OK;
    for (merge.table = TABLE_TXIDS; merge.table <= TABLE_LATE_SPENDS && status == STATUS_OK; merge.table++)
        status = merge_table(&merge, &queue, state, first, number);
    mem_free(merge.sources);
    if (status == STATUS_OK) {
        state->runs = first + 1;
        state->run[first] = (struct index_run){number, merge.pairs};
        status = write_state(&queue, state);
    }
    work_queue_free(&queue);
    return status;
}
