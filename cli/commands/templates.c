#include <stdlib.h>

#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/selected_outputs.h"
#include "cli/views/judgement.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/parallel.h"

/* Only a chain that was made for it has more templates than this: those that come later are counted in one row for
 * each kind. */
#define TEMPLATES_MAX 65536u

static const char rest[] = "(other)";

struct row {
    uint64_t key; /* of template and kind */
    enum kind kind;
    uint32_t first_height;
    uint32_t last_height;
    uint64_t outputs;
    uint64_t spent;
    uint64_t value_sat;
    struct name_set names;
    struct judgements judgements;
    char template[SCRIPT_TEMPLATE_MAX];
};

/* Rows in order of their first output, and a table of their numbers + 1 by key. */
struct group {
    struct row *rows;
    size_t count;
    size_t capacity;
    uint32_t *slots;
    size_t slots_count; /* a power of two, or 0 */
};

struct templates {
    const struct settings *settings;
    enum rules rules;
    const struct store *store;
    const struct forest *forest;
    uint64_t key[2];
    struct known_scripts_workers workers;
    struct selected_outputs selected;
    size_t first_batch;   /* of those that are counted together */
    struct group *groups; /* of its batches */
    enum status *statuses;
    struct fault *faults;
    struct group total;
};

static void group_free(struct group *group)
{
    mem_free(group->rows);
    mem_free(group->slots);
    *group = (struct group){0};
}

static uint32_t *slot_of(const struct group *group, uint64_t key)
{
    size_t slot = (size_t)key & (group->slots_count - 1);
    while (group->slots[slot] && group->rows[group->slots[slot] - 1].key != key)
        slot = (slot + 1) & (group->slots_count - 1);
    return &group->slots[slot];
}

static bool group_grow(struct group *group)
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
static struct row *row_of(struct group *group, uint64_t key, enum kind kind)
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
    struct row *row = &group->rows[group->count];
    *slot = (uint32_t)++group->count;
    *row = (struct row){.key = key, .kind = kind};
    return row;
}

static void row_join(struct row *row, const struct row *other)
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
    struct group *group;
};

static enum status add_output(const struct work *work, uint32_t height, const struct output_record *output, bool spent)
{
    const uint64_t *seed = work->templates->key;
    uint64_t key = script_template_hash(output->script, output->script_size, seed) + (uint64_t)output->kind;
    struct row *row = row_of(work->group, key, output->kind);
    if (!row)
        return STATUS_NOMEM;
    if (row->outputs == 0 && row->key == key)
        script_template(output->script, output->script_size, row->template);
    else if (row->outputs == 0)
        memcpy(row->template, rest, sizeof rest);
    struct row one = {.first_height = height,
                      .last_height = height,
                      .outputs = 1,
                      .spent = spent,
                      .value_sat = output->value_sat,
                      .names = row->names};
    matcher_match(work->matcher, output->kind, output->script, output->script_size, &one.names);
    struct judgement judgement = judgement_of(work->matcher, &work->templates->selected.catalogue, output, spent);
    judgements_add(&one.judgements, &judgement);
    row_join(row, &one);
    return STATUS_OK;
}

static enum status add_tx(void *context, uint32_t height, struct tx_view *view)
{
    const struct work *work = context;
    struct templates *templates = work->templates;
    const struct forest *forest = templates->forest;
    uint64_t ordinal = view->tx.first_ordinal;
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        bool wanted = output.unknown >> templates->rules & 1 && output.script;
        bool spent = tracked && ordinal < forest->outputs_count && forest->outputs[ordinal].spender != FOREST_NONE;
        ordinal += tracked;
        if (!wanted || (!tracked && !templates->settings->with_nulldata))
            continue;
        status = selected_outputs_takes(&templates->selected, work->worker, height, view->tx.number, &output);
        if (status == STATUS_OK)
            status = add_output(work, height, &output, spent);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void group_work(void *context, unsigned worker, size_t i)
{
    struct templates *templates = context;
    struct fault *fault = &templates->faults[i];
    struct batch_view view;
    enum status status = store_batch(templates->workers.readers.readers[worker], templates->first_batch + i, &view,
                                     fault);
    if (status == STATUS_OK) {
        struct work work = {templates, worker, templates->workers.matchers[worker], &templates->groups[i]};
        status = opened_store_each_tx(&view, add_tx, &work);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(templates->store, view.first_height, fault);
        else if (status != STATUS_OK)
            status = fault_nomem(fault);
    }
    templates->statuses[i] = status;
}

/* Groups come in the order of the chain, so that the same templates have rows of their own for any number of threads.
 */
static enum status join_group(struct group *total, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct row *from = &group->rows[i];
        struct row *row = row_of(total, from->key, from->kind);
        if (!row)
            return STATUS_NOMEM;
        if (row->outputs == 0 && row->key == from->key)
            memcpy(row->template, from->template, sizeof row->template);
        else if (row->outputs == 0)
            memcpy(row->template, rest, sizeof rest);
        row_join(row, from);
    }
    return STATUS_OK;
}

static enum status count_batches(struct templates *templates, size_t batches, struct fault *fault)
{
    enum status status = opened_store_go_on(fault);
    if (status != STATUS_OK)
        return status;
    status = parallel_for((unsigned)templates->settings->threads, batches, group_work, templates, fault);
    for (size_t i = 0; i < batches; i++) {
        if (status == STATUS_OK && templates->statuses[i] != STATUS_OK) {
            *fault = templates->faults[i];
            status = templates->statuses[i];
        }
        if (status == STATUS_OK && join_group(&templates->total, &templates->groups[i]) != STATUS_OK)
            status = fault_nomem(fault);
        group_free(&templates->groups[i]);
    }
    return status;
}

static enum status count_all(struct templates *templates, struct fault *fault)
{
    size_t threads = (size_t)templates->settings->threads;
    templates->groups = mem_alloc(threads, sizeof *templates->groups);
    templates->statuses = mem_alloc(threads, sizeof *templates->statuses);
    templates->faults = mem_alloc(threads, sizeof *templates->faults);
    enum status status = STATUS_OK;
    if (!templates->groups || !templates->statuses || !templates->faults)
        status = fault_nomem(fault);
    size_t batches = store_batches(templates->workers.readers.readers[0]);
    for (size_t b = 0; b < batches && status == STATUS_OK; b += threads) {
        templates->first_batch = b;
        status = count_batches(templates, batches - b < threads ? batches - b : threads, fault);
    }
    mem_free(templates->groups);
    mem_free(templates->statuses);
    mem_free(templates->faults);
    return status;
}

/* Most common first, then by template and kind, which no two rows share. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->outputs != y->outputs)
        return x->outputs > y->outputs ? -1 : 1;
    int order = strcmp(x->template, y->template);
    return order ? order : (int)x->kind - (int)y->kind;
}

static enum status put_row(struct text *text, const struct catalogue *catalogue, const struct row *row)
{
    char *p = text_room(text, SCRIPT_TEMPLATE_MAX + 32 + 6 * (PUT_U64_MAX + 1) + catalogue_names_size(catalogue) +
                                  judgements_size(catalogue));
    if (!p)
        return STATUS_NOMEM;
    p = put_text(p, row->template[0] ? row->template : "\"\"");
    *p++ = ',';
    p = put_text(p, kind_name(row->kind));
    *p++ = ',';
    p = put_cell(p, row->outputs);
    p = put_cell(p, row->spent);
    p = put_cell(p, row->value_sat);
    p = put_cell(p, row->first_height);
    p = put_cell(p, row->last_height);
    p = catalogue_put_names(catalogue, &row->names, p);
    *p++ = ',';
    p = judgements_put(p, catalogue, &row->judgements);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status write_rows(const struct templates *templates, const struct catalogue *catalogue, struct fault *fault)
{
    const struct group *total = &templates->total;
    struct text text = {0};
    if (total->count > 0)
        qsort(total->rows, total->count, sizeof *total->rows, compare_rows);
    enum status status = schema_put_header(&text, &schema_templates, 0) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    for (size_t i = 0; i < total->count && status == STATUS_OK; i++)
        if (put_row(&text, catalogue, &total->rows[i]) != STATUS_OK)
            status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_write_text(templates->settings->out, &text, fault);
    text_free(&text);
    return status;
}

static enum status list_templates(const struct settings *settings, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    struct templates templates = {.settings = settings, .rules = settings->rules, .forest = &forest};
    const struct catalogue *catalogue = &templates.selected.catalogue;
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK) {
        templates.store = store;
        templates.key[0] = load_le64(store_seed(store));
        templates.key[1] = load_le64(store_seed(store) + 8);
        opened_store_tell_nulldata(settings, store);
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    }
    if (status == STATUS_OK)
        status = selected_outputs_open(settings, store, &forest, &templates.selected, fault);
    if (status == STATUS_OK)
        status = known_scripts_workers_open(catalogue, store, (unsigned)settings->threads, &templates.workers, fault);
    if (status == STATUS_OK)
        status = count_all(&templates, fault);
    if (status == STATUS_OK)
        status = write_rows(&templates, catalogue, fault);
    group_free(&templates.total);
    known_scripts_workers_close(&templates.workers);
    selected_outputs_close(&templates.selected);
    forest_free(&forest);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    return message_result(list_templates(settings, &fault), &fault);
}

static const struct option option_with_nulldata = {
    .name = "nulldata",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_nulldata),
    .help = "count nulldata outputs too, as far as the store has them (scan --nulldata store keeps all)",
};

static const struct option *const options[] = {
    &option_read_store, &option_as_of_height, &option_rules,    &option_with_nulldata,
    OPTIONS_SELECT,     &option_threads,      &option_out_file, NULL};

static const struct table_schema *const tables[] = {&schema_templates, NULL};

const struct command command_templates = {
    .name = "templates",
    .operands = "",
    .summary = "Group the unknown outputs of a rule set by what their scripts look like, as CSV, most common first.",
    .details = "A template is the asm with each push of data replaced by its length, as in OP_HASH160 <20> OP_EQUAL; "
               "two\n"
               "quotes for an empty script. man unktx-templates tells what each column means.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
