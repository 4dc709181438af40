#include <sys/resource.h>
#include <time.h>

#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/views/explore.h"
#include "cli/views/explore_changes.h"
#include "cli/views/explore_drawn.h"
#include "cli/views/explore_job.h"
#include "cli/views/explore_list.h"
#include "cli/views/explore_order.h"
#include "cli/views/explore_shown.h"
#include "cli/views/explore_sought.h"
#include "cli/views/explore_survey.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

/* A page waits so long for a rule set that is being loaded. */
#define PATIENCE_S 2

/* ---- in order of hash ---- */

struct keyed {
    uint64_t key; /* the first digits as printed, which begin with the last byte */
    uint32_t number;
};

/* The last byte is the highest of the little-endian number. The first 10 digits leave few alike, and sort faster than
 * 16. */
static uint64_t key_of(const struct hash256 *hash) { return load_le64(hash->bytes + HASH256_SIZE - 8) >> 24; }

static int compare_hashes(const struct hash256 *a, const struct hash256 *b)
{
    for (size_t i = HASH256_SIZE; i-- > 0;) {
        if (a->bytes[i] != b->bytes[i])
            return a->bytes[i] < b->bytes[i] ? -1 : 1;
    }
    return 0;
}

/* What two lists of hashes have in common: hash `i` is `stride` bytes after the one before. */
struct hashes {
    const uint8_t *first;
    size_t stride;
    uint32_t count;
};

static const struct hash256 *hash_at(const struct hashes *hashes, uint32_t i)
{
    return (const struct hash256 *)(const void *)(hashes->first + i * hashes->stride);
}

static struct hashes txids_of(const struct explore *explore)
{
    const struct forest *forest = &explore->opened.forest;
    return (struct hashes){forest->txs[0].txid.bytes, sizeof *forest->txs, forest->txs_count};
}

/* Of a partial store the blocks below the first one have no hash. */
static struct hashes blocks_of(const struct explore *explore)
{
    const struct forest *forest = &explore->opened.forest;
    return (struct hashes){explore->block_hashes[forest->first_height].bytes, sizeof *explore->block_hashes,
                           forest->blocks - forest->first_height};
}

/* Equal keys are those of equal hashes, of a few by chance, or of a few that somebody spent years on: an insertion will
 * do. */
static void settle_equal(const struct hashes *hashes, uint32_t *order, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t number = order[i];
        size_t at = i;
        for (; at > 0 && key_of(hash_at(hashes, order[at - 1])) == key_of(hash_at(hashes, number)) &&
               compare_hashes(hash_at(hashes, order[at - 1]), hash_at(hashes, number)) > 0;
             at--)
            order[at] = order[at - 1];
        order[at] = number;
    }
}

/* The numbers of the hashes in the order in which they are printed. */
static enum status sort_hashes(const struct hashes *hashes, uint32_t **order, struct fault *fault)
{
    struct keyed *list = mem_alloc(hashes->count, sizeof *list), *spare = mem_alloc(hashes->count, sizeof *list);
    *order = mem_alloc(hashes->count, sizeof **order);
    bool enough = list && spare && *order;
    for (uint32_t i = 0; enough && i < hashes->count; i++)
        list[i] = (struct keyed){key_of(hash_at(hashes, i)), i};
    const struct keyed *sorted = enough ? sort_by_key(list, spare, hashes->count, sizeof *list) : NULL;
    for (uint32_t i = 0; enough && i < hashes->count; i++)
        (*order)[i] = sorted[i].number;
    if (enough)
        settle_equal(hashes, *order, hashes->count);
    mem_free(list);
    mem_free(spare);
    return enough ? STATUS_OK : fault_nomem(fault);
}

static int compare_prefix(const struct hash256 *hash, const struct prefix *prefix)
{
    char hex[HASH256_HEX_SIZE];
    hash256_hex(hash, hex);
    return memcmp(hex, prefix->digits, prefix->size);
}

static void find_hashes(const struct hashes *hashes, const uint32_t *order, const struct prefix *prefix,
                        uint32_t *first, uint32_t *end)
{
    *first = (uint32_t)LOWER_BOUND(i, 0, hashes->count, compare_prefix(hash_at(hashes, order[i]), prefix) < 0);
    *end = (uint32_t)LOWER_BOUND(i, *first, hashes->count, compare_prefix(hash_at(hashes, order[i]), prefix) <= 0);
}

void explore_find_txs(const struct explore *explore, const struct prefix *prefix, uint32_t *first, uint32_t *end)
{
    struct hashes hashes = txids_of(explore);
    find_hashes(&hashes, explore->txs_by_txid, prefix, first, end);
}

void explore_find_blocks(const struct explore *explore, const struct prefix *prefix, uint32_t *first, uint32_t *end)
{
    struct hashes hashes = blocks_of(explore);
    find_hashes(&hashes, explore->blocks_by_hash, prefix, first, end);
}

/* ---- loading ---- */

static enum status load_block_hashes(struct explore *explore, struct fault *fault)
{
    const struct store *store = explore->opened.store;
    const struct store_reader *reader = explore->hands[0].reader;
    explore->block_hashes = mem_alloc(explore->opened.forest.blocks, sizeof *explore->block_hashes);
    enum status status = explore->block_hashes ? STATUS_OK : fault_nomem(fault);
    size_t batches = store_batches(reader);
    for (size_t b = 0; b < batches && status == STATUS_OK; b++) {
        struct batch_view view;
        struct block_record block;
        status = store_batch(reader, b, &view, fault);
        while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK) {
            if (block.height < explore->opened.forest.blocks)
                explore->block_hashes[block.height] = block.hash;
        }
        if (status == STATUS_FORMAT)
            return opened_store_damaged(store, view.first_height, fault);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    return status;
}

static enum status open_hands(struct explore *explore, struct fault *fault)
{
    const struct store *store = explore->opened.store;
    struct fault none = {0};
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < EXPLORE_HANDS && status == STATUS_OK; i++) {
        struct explore_hand *hand = &explore->hands[i];
        status = store_reader_open(store, &hand->reader, fault);
        if (status == STATUS_OK)
            status = matcher_new(&explore->opened.catalogue, store_seed(store), &hand->matcher, fault);
    }
    for (unsigned i = 0; i < EXPLORE_HANDS && status == STATUS_OK; i++) {
        struct explore_hand *hand = &explore->hands[i];
        enum status linked = index_open(store_main_path(store), &hand->index, &none);
        if (linked == STATUS_OK && i == 0)
            linked = spend_links_reach_tip(hand->index, store, &none);
        if (linked == STATUS_OK)
            continue;
        if (linked != STATUS_NOT_FOUND) {
            message_fault(&none);
            message("pages are made without the index");
        }
        return linked == STATUS_NOMEM ? fault_nomem(fault) : STATUS_OK;
    }
    explore->linked = status == STATUS_OK;
    return status;
}

static enum status load_rules(struct explore *explore, enum rules rules, struct fault *fault)
{
    struct explore_rules *of = &explore->rules[rules], *first = &explore->rules[explore->settings->rules];
    enum status status = explore_rules_load(&explore->opened, rules, first->ready ? first : NULL,
                                            (unsigned)explore->settings->threads, of, &explore->labels_said, fault);
    pthread_mutex_lock(&explore->lock);
    of->ready = status == STATUS_OK;
    of->failed = status;
    pthread_cond_broadcast(&explore->rules_ready);
    pthread_mutex_unlock(&explore->lock);
    return status;
}

/* The store may be kept when the node is gone. */
static enum status open_blocks(struct explore *explore, struct fault *fault)
{
    struct fault none = {0};
    enum status status = stored_blocks_open(explore->settings, explore->opened.store, &explore->blocks, &none);
    explore->has_blocks = status == STATUS_OK;
    return status == STATUS_NOMEM ? fault_nomem(fault) : STATUS_OK;
}

static enum status open_changes(struct explore *explore, struct fault *fault)
{
    explore->changes = mem_alloc(1, sizeof *explore->changes);
    return explore->changes ? explore_changes_load(explore->settings, explore->changes, fault) : fault_nomem(fault);
}

/* The store that a scan goes on with. */
static const struct store *newest_store(const struct explore *explore)
{
    return explore->main_store ? explore->main_store : explore->opened.store;
}

static enum status open_main_store(struct explore *explore, struct fault *fault)
{
    const char *path = explore->settings->main_store;
    return path ? store_open(path, STORE_READ, NULL, &explore->main_store, fault)
                : STATUS_OK; /* its forms are not read */
}

uint64_t explore_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void begin_stage(struct explore *explore, enum explore_stage stage)
{
    pthread_mutex_lock(&explore->lock);
    explore->stage = stage;
    pthread_cond_broadcast(&explore->rules_ready);
    pthread_mutex_unlock(&explore->lock);
}

enum status explore_open(const struct settings *settings, struct explore *explore, struct fault *fault)
{
    pthread_condattr_t monotonic;
    *explore = (struct explore){.settings = settings,
                                .begun_s = explore_now_s(),
                                .rules_count = settings->main_store ? RULES_WITH_HIDDEN : RULES};
    pthread_mutex_init(&explore->lock, NULL);
    pthread_cond_init(&explore->hand_free, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&explore->rules_ready, &monotonic);
    pthread_condattr_destroy(&monotonic);
    explore->drawn_bytes = EXPLORE_DRAWN_BYTES;
    explore->shown_bytes = EXPLORE_SHOWN_BYTES;
    explore->shown_idle_s = EXPLORE_SHOWN_IDLE_S;
    explore->shown_turn_s = EXPLORE_SHOWN_TURN_S;
    enum status status = opened_forest_begin(settings, &explore->opened, fault);
    if (status == STATUS_OK)
        forms_leave_file(store_forms(explore->opened.store)); /* nothing is written */
    if (status == STATUS_OK)
        status = open_hands(explore, fault);
    if (status == STATUS_OK)
        status = open_main_store(explore, fault);
    if (status == STATUS_OK)
        status = store_newest_tip(newest_store(explore), &explore->blocks_at_start, &explore->tip_at_start, fault);
    if (status == STATUS_OK)
        status = open_changes(explore, fault);
    return status == STATUS_OK ? open_blocks(explore, fault) : status;
}

/* What is loaded at the same time as the T-DAGs. */
struct loading {
    struct explore *explore;
    enum status status;
    struct fault fault;
};

/* What can be looked up by its hash, and the numbers of each month. */
static void *load_orders(void *context)
{
    struct loading *loading = context;
    struct explore *explore = loading->explore;
    struct fault *fault = &loading->fault;
    enum status status = load_block_hashes(explore, fault);
    struct hashes txids = status == STATUS_OK ? txids_of(explore) : (struct hashes){0};
    struct hashes blocks = status == STATUS_OK ? blocks_of(explore) : (struct hashes){0};
    if (status == STATUS_OK)
        status = sort_hashes(&txids, &explore->txs_by_txid, fault);
    if (status == STATUS_OK)
        status = sort_hashes(&blocks, &explore->blocks_by_hash, fault);
    if (status == STATUS_OK)
        status = periods_of_store(explore->opened.store, &explore->opened.forest, &explore->periods, fault);
    loading->status = status;
    return NULL;
}

/* Each has parts that one thread does alone. */
static enum status load_all(struct explore *explore, struct fault *fault)
{
    struct loading loading = {.explore = explore};
    pthread_t thread;
    bool has_thread = pthread_create(&thread, NULL, load_orders, &loading) == 0;
    enum status status = load_rules(explore, explore->settings->rules, fault);
    if (has_thread)
        pthread_join(thread, NULL);
    else
        load_orders(&loading);
    if (status == STATUS_OK && loading.status != STATUS_OK)
        *fault = loading.fault;
    return status == STATUS_OK ? loading.status : status;
}

/* In memory is what pages are made of, and little of what it was made from. */
void explore_settle(const struct explore *explore)
{
    struct store_reader *reader = NULL;
    struct fault none = {0};
    mem_settle();
    if (store_reader_open(explore->opened.store, &reader, &none) == STATUS_OK)
        store_let_go(reader);
    store_reader_close(reader);
}

enum status explore_load(struct explore *explore, struct fault *fault)
{
    enum status status = opened_forest_load(explore->settings, &explore->opened, fault);
    begin_stage(explore, STAGE_TDAGS);
    if (status == STATUS_OK)
        status = load_all(explore, fault);
    if (status != STATUS_OK)
        return status;
    explore_settle(explore);
    begin_stage(explore, STAGE_DONE);
    return STATUS_OK;
}

/* In Linux a thread has a priority of its own, which those that it begins inherit. */
static void *load_others(void *context)
{
    struct loading *loading = context;
    (void)!setpriority(PRIO_PROCESS, 0, EXPLORE_JOB_NICE);
    for (unsigned r = 0; r < loading->explore->rules_count && loading->status == STATUS_OK; r++) {
        if (loading->explore->rules[r].ready)
            continue;
        loading->status = load_rules(loading->explore, (enum rules)r, &loading->fault);
        explore_settle(loading->explore);
    }
    return NULL;
}

enum status explore_load_others(struct explore *explore, struct fault *fault)
{
    struct loading loading = {.explore = explore};
    pthread_t thread;
    explore_orders_make(explore, explore->settings->rules);
    if (pthread_create(&thread, NULL, load_others, &loading) != 0)
        return fault_set(fault, STATUS_RESOURCES, NULL, FAULT_NO_OFFSET, "no thread can be started");
    pthread_join(thread, NULL);
    if (loading.status != STATUS_OK)
        *fault = loading.fault;
    return loading.status;
}

void explore_close(struct explore *explore)
{
    explore_surveys_free(explore);
    explore_shown_free_all(explore);
    explore_sought_free(explore);
    explore_drawn_free_all(explore);
    explore_lists_free(explore);
    explore_orders_free(explore);
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++)
        explore_rules_free(&explore->rules[r]);
    for (unsigned i = 0; i < EXPLORE_HANDS; i++) {
        index_close(explore->hands[i].index);
        matcher_free(explore->hands[i].matcher);
        blk_reader_free(&explore->hands[i].blocks);
        store_reader_close(explore->hands[i].reader);
    }
    stored_blocks_close(&explore->blocks);
    periods_free(&explore->periods);
    if (explore->changes)
        explore_changes_free(explore->changes);
    mem_free(explore->changes);
    mem_free(explore->block_hashes);
    mem_free(explore->blocks_by_hash);
    mem_free(explore->txs_by_txid);
    opened_forest_close(&explore->opened);
    store_close(explore->main_store);
    pthread_cond_destroy(&explore->rules_ready);
    pthread_cond_destroy(&explore->hand_free);
    pthread_mutex_destroy(&explore->lock);
}

/* ---- while pages are made ---- */

struct timespec explore_end_of_patience(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    return until;
}

bool explore_wait_for_store(struct explore *explore)
{
    struct timespec until = explore_end_of_patience();
    pthread_mutex_lock(&explore->lock);
    while (explore->stage != STAGE_DONE && pthread_cond_timedwait(&explore->rules_ready, &explore->lock, &until) == 0)
        ;
    bool done = explore->stage == STAGE_DONE;
    pthread_mutex_unlock(&explore->lock);
    return done;
}

enum status explore_wait_for(struct explore *explore, enum rules rules, struct fault *fault)
{
    const struct explore_rules *of = &explore->rules[rules];
    struct timespec until = explore_end_of_patience();
    pthread_mutex_lock(&explore->lock);
    while (!of->ready && of->failed == STATUS_OK &&
           pthread_cond_timedwait(&explore->rules_ready, &explore->lock, &until) == 0)
        ;
    enum status status = of->ready ? STATUS_OK : of->failed == STATUS_OK ? STATUS_BUSY : of->failed;
    pthread_mutex_unlock(&explore->lock);
    if (status == STATUS_OK)
        return STATUS_OK;
    return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                     status == STATUS_BUSY ? "The T-DAGs of %s are being loaded: ask again in a moment."
                                           : "The T-DAGs of %s could not be loaded.",
                     rules_name(rules));
}

void explore_take_hand(struct explore_request *request)
{
    struct explore *explore = request->explore;
    pthread_mutex_lock(&explore->lock);
    while (!request->hand) {
        for (unsigned i = 0; i < EXPLORE_HANDS && !request->hand; i++) {
            if (!explore->hands[i].taken)
                request->hand = &explore->hands[i];
        }
        if (!request->hand)
            pthread_cond_wait(&explore->hand_free, &explore->lock);
    }
    request->hand->taken = true;
    pthread_mutex_unlock(&explore->lock);
}

void explore_give_back(struct explore_request *request)
{
    struct explore *explore = request->explore;
    if (!request->hand)
        return;
    pthread_mutex_lock(&explore->lock);
    request->hand->taken = false;
    pthread_cond_signal(&explore->hand_free);
    pthread_mutex_unlock(&explore->lock);
    request->hand = NULL;
}

bool explore_is_ready(struct explore *explore, enum rules rules)
{
    pthread_mutex_lock(&explore->lock);
    bool ready = explore->rules[rules].ready;
    pthread_mutex_unlock(&explore->lock);
    return ready;
}

/* Where the store cannot be looked at, another process made it larger than what is mapped, so it has newer blocks. */
static void look_for_news(struct explore *explore)
{
    struct fault none = {0};
    struct hash256 tip;
    uint32_t before = explore->blocks_at_start, blocks = 0;
    explore->news = EXPLORE_AS_LOADED;
    if (store_newest_tip(newest_store(explore), &blocks, &tip, &none) != STATUS_OK || blocks > before)
        explore->news = EXPLORE_NEWER;
    else if (blocks < before)
        explore->news = EXPLORE_CUT;
    else if (!hash256_equal(&tip, &explore->tip_at_start))
        explore->news = EXPLORE_REPLACED;
    explore->blocks_now = blocks;
}

enum explore_news explore_news(struct explore *explore, uint32_t *blocks)
{
    uint64_t now = explore_now_s();
    pthread_mutex_lock(&explore->lock);
    if (explore->looked_s != now) {
        explore->looked_s = now;
        look_for_news(explore);
    }
    enum explore_news news = explore->news;
    if (blocks)
        *blocks = explore->blocks_now;
    pthread_mutex_unlock(&explore->lock);
    return news;
}
