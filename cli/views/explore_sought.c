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
    bool is_whole; /* `sought` is what is looked for, or else only a beginning is */
    bool is_beginning;
    struct sought sought;
    struct sought_beginning beginning;
    struct store_reader *reader;
    ARRAY(uint32_t) outputs;
    ARRAY(struct explore_begun) begun;
    char word[TARGET_MAX + 1];
};

bool explore_sought_fits(const char *word)
{
    size_t size = strlen(word), digits = strspn(word, "0123456789abcdefABCDEF");
    return address_is_whole(word, size) || (digits == size && size >= DIGITS_MIN && size % 2 == 0);
}

static const struct network *network_of(const struct explore *explore)
{
    return network_by_genesis(&store_identity_of(explore->opened.store)->genesis);
}

static bool read_beginning(const struct explore *explore, const char *word, struct sought_beginning *beginning)
{
    return !address_is_whole(word, strlen(word)) && sought_beginning_read(word, network_of(explore), beginning);
}

bool explore_sought_begins(const struct explore *explore, const char *word)
{
    struct sought_beginning beginning;
    return read_beginning(explore, word, &beginning);
}

void explore_found_free(struct explore_found *found)
{
    mem_free(found->outputs);
    mem_free(found->begun);
    *found = (struct explore_found){0};
}

static void sought_end(struct explore_sought *one)
{
    sought_free(&one->sought);
    store_reader_close(one->reader);
    mem_free(one->outputs.at);
    mem_free(one->begun.at);
    mem_free(one);
}

/* ---- to look for it ---- */

struct begun_output {
    struct explore_sought *one;
    uint32_t output;
};

static bool is_full(const struct explore_sought *one) { return one->begun.count >= EXPLORE_BEGUN_MAX; }

static bool has_enough(const struct explore_sought *one)
{
    return one->outputs.count >= EXPLORE_SOUGHT_MAX || (!one->is_whole && is_full(one));
}

/* Each address of an output once. */
static enum status add_begun(void *context, const char *address, size_t size)
{
    const struct begun_output *of = context;
    struct explore_sought *one = of->one;
    struct explore_begun begun = {.output = of->output};
    if (is_full(one))
        return STATUS_OK;
    memcpy(begun.address, address, size);
    for (size_t i = one->begun.count; i > 0 && one->begun.at[i - 1].output == of->output; i--) {
        if (strcmp(one->begun.at[i - 1].address, begun.address) == 0)
            return STATUS_OK;
    }
    return PUSH(one->begun, begun) ? STATUS_OK : STATUS_NOMEM;
}

static enum status search_output(struct explore_sought *one, uint32_t own, const struct output_record *output)
{
    struct sought_hit hit;
    if (one->is_whole && sought_in_script(&one->sought, output->script, output->script_size, &hit))
        return one->outputs.count >= EXPLORE_SOUGHT_MAX || PUSH(one->outputs, own) ? STATUS_OK : STATUS_NOMEM;
    if (!one->is_beginning || one->outputs.count > 0 || is_full(one))
        return STATUS_OK;
    return sought_begins_in_script(&one->beginning, output->script, output->script_size, add_begun,
                                   &(struct begun_output){one, own});
}

static enum status search_tx(void *context, uint32_t height, struct tx_view *view)
{
    struct explore_sought *one = context;
    uint64_t ordinal = view->tx.first_ordinal;
    struct output_record output;
    enum status status;
    (void)height;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        uint32_t own = (uint32_t)ordinal++;
        if (own >= one->job.explore->opened.forest.outputs_count || !(output.unknown >> one->rules & 1))
            continue;
        status = search_output(one, own, &output);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status search_all(struct explore_job *job)
{
    struct explore_sought *one = (struct explore_sought *)job;
    struct fault none = {0};
    enum status status = store_reader_open(job->explore->opened.store, &one->reader, &none);
    size_t batches = status == STATUS_OK ? store_batches(one->reader) : 0;
    for (size_t b = 0; b < batches && status == STATUS_OK && !has_enough(one); b++) {
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
        if (++kept < KEPT_MAX || !one->job.done || one->job.waiting > 0) {
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
    struct explore_sought *one = mem_alloc(1, sizeof *one);
    enum status status = STATUS_OK;
    if (!one)
        return fault_nomem(fault);
    one->job.explore = explore;
    one->job.work = search_all;
    one->rules = rules;
    memcpy(one->word, word, strlen(word) + 1); /* a word is part of a target */
    one->is_whole = explore_sought_fits(word);
    one->is_beginning = read_beginning(explore, word, &one->beginning);
    if (!one->is_whole && !one->is_beginning)
        status = fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "%.80s is nothing that outputs have.", word);
    if (status == STATUS_OK && one->is_whole)
        status = sought_read(word, &explore->opened.labels, network_of(explore), &one->sought, fault);
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

static enum status copy_found(const struct explore_sought *one, struct explore_found *found, struct fault *fault)
{
    found->count = (uint32_t)one->outputs.count;
    found->begun_count = found->count > 0 ? 0 : (uint32_t)one->begun.count;
    found->outputs = mem_alloc(found->count, sizeof *found->outputs);
    found->begun = mem_alloc(found->begun_count, sizeof *found->begun);
    if (!found->outputs || !found->begun)
        return fault_nomem(fault);
    if (found->count > 0)
        memcpy(found->outputs, one->outputs.at, found->count * sizeof *found->outputs);
    if (found->begun_count > 0)
        memcpy(found->begun, one->begun.at, found->begun_count * sizeof *found->begun);
    return STATUS_OK;
}

enum status explore_sought_get(struct explore *explore, enum rules rules, const char *word, struct explore_found *found,
                               struct fault *fault)
{
    enum status status = STATUS_OK;
    *found = (struct explore_found){0};
    pthread_mutex_lock(&explore->lock);
    struct explore_sought *one = find(explore, rules, word);
    if (!one)
        status = make_room(explore) ? begin(explore, rules, word, &one, fault) : tell(STATUS_BUSY, word, fault);
    if (one) {
        status = explore_job_wait(&one->job);
        if (status != STATUS_OK)
            status = tell(status, word, fault);
    }
    if (one && status == STATUS_OK)
        status = copy_found(one, found, fault);
    pthread_mutex_unlock(&explore->lock);
    return status;
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
