#include "cli/views/templates.h"

#include "cli/inputs/opened_store.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/parallel.h"

static const char rest[] = "(other)";

static void group_free(struct template_group *group)
{
    mem_free(group->rows);
    mem_free(group->slots);
    *group = (struct template_group){0};
}

static uint32_t *slot_of(const struct template_group *group, uint64_t key)
{
    size_t slot = (size_t)key & (group->slots_count - 1);
    while (group->slots[slot] && group->rows[group->slots[slot] - 1].key != key)
        slot = (slot + 1) & (group->slots_count - 1);
    return &group->slots[slot];
}

static bool group_grow(struct template_group *group)
{
    size_t count = group->slots_count ? 2 * group->slots_count : 64;
    uint32_t *slots = mem_alloc(count, sizeof *slots);
    if (!slots)
        return false;
    mem_free(group->slots);
    group->slots = slots;
    group->slots_count = count;
    for (size_t i = 0; i < group->count; i++)
        *slot_of(group, group->rows[i].key) = (uint32_t)i + 1;
    return true;
}

/* The row of that key: a new one, with 0 outputs, if there is none. NULL without memory. */
static struct template_row *row_of(struct template_group *group, uint64_t key, enum kind kind)
{
    if (group->count * 2 >= group->slots_count && !group_grow(group))
        return NULL;
    uint32_t *slot = slot_of(group, key);
    if (!*slot && group->count >= TEMPLATES_MAX) {
        key = (uint64_t)kind; /* that a template has such a key has a chance of 2^-60 */
        slot = slot_of(group, key);
    }
    if (*slot)
        return &group->rows[*slot - 1];
    if (mem_reserve(&group->rows, &group->capacity, group->count + 1, sizeof *group->rows) != STATUS_OK)
        return NULL;
    struct template_row *row = &group->rows[group->count];
    *slot = (uint32_t)++group->count;
    *row = (struct template_row){.key = key, .kind = kind};
    return row;
}

static void row_join(struct template_row *row, const struct template_row *other)
{
    if (row->outputs == 0 || other->first_height < row->first_height)
        row->first_height = other->first_height;
    if (row->outputs == 0 || other->last_height > row->last_height)
        row->last_height = other->last_height;
    row->outputs += other->outputs;
    row->spent += other->spent;
    row->value_sat = add_saturating(row->value_sat, other->value_sat);
    name_set_join(&row->names, &other->names);
    judgements_join(&row->judgements, &other->judgements);
}

/* Of one batch. */
struct work {
    struct templates *templates;
    unsigned worker;
    struct matcher *matcher;
    struct template_group *group;
};

static enum status add_output(const struct work *work, uint32_t height, uint64_t ordinal,
                              const struct output_record *output, bool spent)
{
    const uint64_t *seed = work->templates->key;
    uint64_t key = script_template_hash(output->script, output->script_size, seed) + (uint64_t)output->kind;
    struct template_row *row = row_of(work->group, key, output->kind);
    if (!row)
        return STATUS_NOMEM;
    if (row->outputs == 0 && row->key == key)
        script_template(output->script, output->script_size, row->template);
    else if (row->outputs == 0)
        memcpy(row->template, rest, sizeof rest);
    struct template_row one = {.first_height = height,
                               .last_height = height,
                               .outputs = 1,
                               .spent = spent,
                               .value_sat = output->value_sat,
                               .names = row->names};
    matcher_match(work->matcher, output->kind, output->script, output->script_size, &one.names);
    struct judgement judgement = judgement_of(work->matcher, work->templates->catalogue, output, spent);
    judgements_add(&one.judgements, &judgement);
    row_join(row, &one);
    if (work->templates->row_of && ordinal < work->templates->forest->outputs_count) {
        work->templates->row_of[ordinal] = (uint32_t)(row - work->group->rows) + 1;
        work->templates->protocol_of[ordinal] = (uint8_t)judgement.protocol.protocol;
    }
    return STATUS_OK;
}

static enum status add_tx(void *context, uint32_t height, struct tx_view *view)
{
    const struct work *work = context;
    struct templates *templates = work->templates;
    const struct forest *forest = templates->forest;
    struct template_group *group = work->group;
    uint64_t ordinal = view->tx.first_ordinal;
    struct output_record output;
    enum status status;
    group->first_ordinal = group->end_ordinal ? group->first_ordinal : ordinal;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        bool wanted = output.unknown >> templates->rules & 1 && output.script;
        bool spent = tracked && ordinal < forest->outputs_count && forest->outputs[ordinal].spender != FOREST_NONE;
        uint64_t own = tracked ? ordinal : UINT64_MAX;
        ordinal += tracked;
        if (!wanted || (!tracked && !templates->with_nulldata))
            continue;
        status = templates->selected
                     ? selected_outputs_takes(templates->selected, work->worker, height, view->tx.number, &output)
                     : STATUS_OK;
        if (status == STATUS_OK)
            status = add_output(work, height, own, &output, spent);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    group->end_ordinal = ordinal;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void group_work(void *context, unsigned worker, size_t i)
{
    struct templates *templates = context;
    struct fault *fault = &templates->faults[i];
    const struct store_reader *reader = templates->workers.readers.readers[worker];
    struct batch_view view;
    enum status status = store_batch(reader, templates->first_batch + i, &view, fault);
    if (status == STATUS_OK) {
        struct work work = {templates, worker, templates->workers.matchers[worker], &templates->groups[i]};
        status = opened_store_each_tx(&view, add_tx, &work);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(templates->store, view.first_height, fault);
        else if (status != STATUS_OK)
            status = fault_nomem(fault);
    }
    store_let_go_batch(reader, templates->first_batch + i);
    templates->statuses[i] = status;
}

/* The rows of a batch's outputs become those of the total: numbers[i] is row i's there. */
static void number_anew(const struct templates *templates, const struct template_group *group, const uint32_t *numbers)
{
    uint32_t *row_of = templates->row_of;
    uint64_t count = templates->forest->outputs_count, end = group->end_ordinal < count ? group->end_ordinal : count;
    for (uint64_t o = group->first_ordinal; row_of && o < end; o++)
        row_of[o] = row_of[o] ? numbers[row_of[o] - 1] + 1 : 0;
}

/* Groups come in the order of the chain, so that the same templates have rows of their own for any number of threads.
 */
static enum status join_group(struct templates *templates, const struct template_group *group)
{
    struct template_group *total = &templates->total;
    uint32_t *numbers = mem_alloc(group->count, sizeof *numbers);
    for (size_t i = 0; numbers && i < group->count; i++) {
        const struct template_row *from = &group->rows[i];
        struct template_row *row = row_of(total, from->key, from->kind);
        if (!row) {
            mem_free(numbers);
            return STATUS_NOMEM;
        }
        numbers[i] = (uint32_t)(row - total->rows);
        if (row->outputs == 0 && row->key == from->key)
            memcpy(row->template, from->template, sizeof row->template);
        else if (row->outputs == 0)
            memcpy(row->template, rest, sizeof rest);
        row_join(row, from);
    }
    if (numbers)
        number_anew(templates, group, numbers);
    mem_free(numbers);
    return numbers ? STATUS_OK : STATUS_NOMEM;
}

static enum status count_batches(struct templates *templates, size_t batches, struct fault *fault)
{
    enum status status = opened_store_go_on(fault);
    if (status != STATUS_OK)
        return status;
    status = parallel_for(templates->threads, batches, group_work, templates, fault);
    for (size_t i = 0; i < batches; i++) {
        if (status == STATUS_OK && templates->statuses[i] != STATUS_OK) {
            *fault = templates->faults[i];
            status = templates->statuses[i];
        }
        if (status == STATUS_OK && join_group(templates, &templates->groups[i]) != STATUS_OK)
            status = fault_nomem(fault);
        group_free(&templates->groups[i]);
    }
    return status;
}

static enum status count_all(struct templates *templates, struct fault *fault)
{
    size_t threads = templates->threads;
    enum status status = STATUS_OK;
    size_t batches = store_batches(templates->workers.readers.readers[0]);
    for (size_t b = 0; b < batches && status == STATUS_OK; b += threads) {
        templates->first_batch = b;
        status = count_batches(templates, batches - b < threads ? batches - b : threads, fault);
    }
    return status;
}

enum status templates_count(struct templates *templates, struct fault *fault)
{
    size_t threads = templates->threads;
    templates->key[0] = load_le64(store_seed(templates->store));
    templates->key[1] = load_le64(store_seed(templates->store) + 8);
    templates->groups = mem_alloc(threads, sizeof *templates->groups);
    templates->statuses = mem_alloc(threads, sizeof *templates->statuses);
    templates->faults = mem_alloc(threads, sizeof *templates->faults);
    if (!templates->groups || !templates->statuses || !templates->faults)
        return fault_nomem(fault);
    enum status status = known_scripts_workers_open(templates->catalogue, templates->store, templates->threads,
                                                    &templates->workers, fault);
    return status == STATUS_OK ? count_all(templates, fault) : status;
}

void templates_free(struct templates *templates)
{
    group_free(&templates->total);
    known_scripts_workers_close(&templates->workers);
    mem_free(templates->groups);
    mem_free(templates->statuses);
    mem_free(templates->faults);
}
