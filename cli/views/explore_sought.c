#include "cli/views/explore_sought.h"

#include "cli/inputs/sought.h"
#include "cli/views/explore_job.h"
#include "parser/array.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define KEPT_MAX 8u
#define RUNNING_MAX 2u
#define DIGITS_MIN 8u

struct explore_sought {
    struct explore_job job; /* first */
    struct explore_sought *next;
    enum rules rules;
    unsigned users;
    struct sought sought;
    struct store_reader *reader;
    ARRAY(uint32_t) outputs;
    char word[TARGET_MAX + 1];
};

bool explore_sought_fits(const char *word)
{
    size_t size = strlen(word), digits = strspn(word, "0123456789abcdefABCDEF");
    return address_is_whole(word, size) || (digits == size && size >= DIGITS_MIN && size % 2 == 0);
}

static void sought_end(struct explore_sought *one)
{
    sought_free(&one->sought);
    store_reader_close(one->reader);
    mem_free(one->outputs.at);
    mem_free(one);
}

/* ---- to look for it ---- */

static enum status search_tx(void *context, uint32_t height, struct tx_view *view)
{
    struct explore_sought *one = context;
    uint64_t ordinal = view->tx.first_ordinal;
    struct output_record output;
    struct sought_hit hit;
    enum status status;
    (void)height;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        uint32_t own = (uint32_t)ordinal++;
        if (own >= one->job.explore->opened.forest.outputs_count || !(output.unknown >> one->rules & 1) ||
            one->outputs.count >= EXPLORE_SOUGHT_MAX ||
            !sought_in_script(&one->sought, output.script, output.script_size, &hit))
            continue;
        if (!PUSH(one->outputs, own))
            return STATUS_NOMEM;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status search_all(struct explore_job *job)
{
    struct explore_sought *one = (struct explore_sought *)job;
    struct fault none = {0};
    enum status status = store_reader_open(job->explore->opened.store, &one->reader, &none);
    size_t batches = status == STATUS_OK ? store_batches(one->reader) : 0;
    for (size_t b = 0; b < batches && status == STATUS_OK && one->outputs.count < EXPLORE_SOUGHT_MAX; b++) {
        struct batch_view view;
        status = stop_requested() ? STATUS_INTERRUPTED : store_batch(one->reader, b, &view, &none);
        if (status == STATUS_OK)
            status = opened_store_each_tx(&view, search_tx, one);
        store_let_go_batch(one->reader, b);
    }
    return status;
}

/* ---- those that are kept ---- */

/* With explore->lock held: the newest first. One that failed is no answer. */
static struct explore_sought *find(const struct explore *explore, enum rules rules, const char *word)
{
    struct explore_sought *one = explore->sought;
    while (one &&
           (one->rules != rules || strcmp(one->word, word) != 0 || (one->job.done && one->job.status != STATUS_OK)))
        one = one->next;
    return one;
}

/* With explore->lock held. The oldest that are done go; false: too many are under way. */
static bool make_room(struct explore *explore)
{
    unsigned kept = 0, running = 0;
    for (struct explore_sought **at = &explore->sought; *at;) {
        struct explore_sought *one = *at;
        running += !one->job.done;
        if (++kept < KEPT_MAX || !one->job.done || one->users > 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        explore_job_end(&one->job);
        sought_end(one);
    }
    return running < RUNNING_MAX;
}

static enum status begin(struct explore *explore, enum rules rules, const char *word, struct explore_sought **begun,
                         struct fault *fault)
{
    const struct network *network = network_by_genesis(&store_identity_of(explore->opened.store)->genesis);
    struct explore_sought *one = mem_alloc(1, sizeof *one);
    if (!one)
        return fault_nomem(fault);
    one->job.explore = explore;
    one->job.work = search_all;
    one->rules = rules;
    memcpy(one->word, word, strlen(word) + 1); /* a word is part of a target */
    enum status status = sought_read(word, &explore->opened.labels, network, &one->sought, fault);
    if (status == STATUS_OK && explore_job_begin(&one->job) != STATUS_OK)
        status = fault_nomem(fault);
    if (status != STATUS_OK) {
        sought_end(one);
        return status;
    }
    one->next = explore->sought;
    explore->sought = one;
    *begun = one;
    return STATUS_OK;
}

static enum status tell(enum status status, const char *word, struct fault *fault)
{
    return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                     status == STATUS_BUSY ? "Outputs with %.80s are being looked for: ask again in a moment."
                                           : "Outputs with %.80s could not be looked for.",
                     word);
}

enum status explore_sought_get(struct explore *explore, enum rules rules, const char *word,
                               struct explore_sought **sought, struct fault *fault)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&explore->lock);
    struct explore_sought *one = find(explore, rules, word);
    if (!one)
        status = make_room(explore) ? begin(explore, rules, word, &one, fault) : tell(STATUS_BUSY, word, fault);
    if (one) {
        one->users++; /* also while it is waited for: then nobody frees it */
        status = explore_job_wait(&one->job);
        if (status != STATUS_OK) {
            one->users--;
            status = tell(status, word, fault);
        }
    }
    pthread_mutex_unlock(&explore->lock);
    *sought = status == STATUS_OK ? one : NULL;
    return status;
}

struct explore_sought_outputs explore_sought_outputs(const struct explore_sought *sought)
{
    return (struct explore_sought_outputs){sought->outputs.at, (uint32_t)sought->outputs.count};
}

void explore_sought_leave(struct explore *explore, struct explore_sought *sought)
{
    pthread_mutex_lock(&explore->lock);
    sought->users--;
    pthread_mutex_unlock(&explore->lock);
}

void explore_sought_free(struct explore *explore)
{
    while (explore->sought) {
        struct explore_sought *next = explore->sought->next;
        explore_job_end(&explore->sought->job);
        sought_end(explore->sought);
        explore->sought = next;
    }
}
