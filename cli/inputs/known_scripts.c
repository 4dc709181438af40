#include "cli/inputs/known_scripts.h"

#include <string.h>

#include "cli/output/message.h"
#include "parser/mem.h"

enum status known_scripts_read(const struct settings *settings, struct catalogue *catalogue, struct fault *fault)
{
    enum status status = catalogue_read_built_in(catalogue, fault);
    if (status == STATUS_OK && settings->scripts)
        status = catalogue_read(catalogue, settings->scripts, fault);
    return status;
}

void known_scripts_tell_hidden(const struct catalogue *catalogue, const char *name)
{
    size_t entry = catalogue_find(catalogue, name);
    if (entry < CATALOGUE_MAX && catalogue->entries[entry].hidden_in)
        message("--known %s: a script that spenders show, and no output's own: 'unktx hidden' has these", name);
}

enum status known_scripts_filter(const struct settings *settings, const struct catalogue *catalogue,
                                 struct filter **filter, struct fault *fault)
{
    *filter = NULL;
    if (!settings->exclude_scripts)
        return STATUS_OK;
    if (strcmp(settings->exclude_scripts, "@known") == 0)
        return filter_known(catalogue, filter, fault);
    return filter_read(settings->exclude_scripts, filter, fault);
}

/* ---- classes ---- */

/* Classes by their id, which is a hash already: a table of their numbers + 1, twice as many slots as classes. */
struct class_table {
    uint32_t *slots;
    size_t mask;
};

static size_t slot_of(const struct class_table *table, const struct class_row *classes, const uint8_t id[CANON_ID_SIZE])
{
    size_t slot = (size_t)load_le64(id) & table->mask;
    while (table->slots[slot] && memcmp(classes[table->slots[slot] - 1].class_id, id, CANON_ID_SIZE) != 0)
        slot = (slot + 1) & table->mask;
    return slot;
}

static enum status table_classes(const struct classes *classes, struct class_table *table, struct fault *fault)
{
    size_t slots = 2;
    while (slots < 2 * (size_t)classes->classes_count)
        slots *= 2;
    *table = (struct class_table){mem_alloc(slots, sizeof *table->slots), slots - 1};
    if (!table->slots)
        return fault_nomem(fault);
    for (uint32_t i = 0; i < classes->classes_count; i++)
        table->slots[slot_of(table, classes->classes, classes->classes[i].class_id)] = i + 1;
    return STATUS_OK;
}

static enum status hold_by_class(const struct classes *classes, struct known_scripts_held *held, struct fault *fault)
{
    struct class_table table;
    enum status status = table_classes(classes, &table, fault);
    held->classes = mem_alloc(classes->classes_count, sizeof *held->classes);
    held->class_of = mem_alloc_large(classes->rows_count, sizeof *held->class_of);
    if (status == STATUS_OK && (!held->classes || !held->class_of))
        status = fault_nomem(fault);
    for (uint32_t d = 0; status == STATUS_OK && d < classes->rows_count; d++) {
        uint32_t found = table.slots[slot_of(&table, classes->classes, classes->rows[d].class_id)];
        held->class_of[d] = found;
        if (found)
            name_set_join(&held->classes[found - 1], &held->labels.all[d + 1]);
    }
    mem_free(table.slots);
    return status;
}

enum status known_scripts_hold(const struct catalogue *catalogue, const struct selection *selection,
                               struct known_scripts_held *held, struct fault *fault)
{
    held->catalogue = catalogue;
    enum status status = hold_by_class(&selection->classes, held, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

enum status known_scripts_find(const struct catalogue *catalogue, const struct store *store,
                               const struct forest *forest, const struct selection *selection, unsigned threads,
                               struct known_scripts_held *held, struct fault *fault)
{
    *held = (struct known_scripts_held){0};
    enum status status = labels_find(catalogue, store, forest, &selection->tdags, false, threads, &held->labels, fault);
    return status == STATUS_OK ? known_scripts_hold(catalogue, selection, held, fault) : status;
}

void known_scripts_held_free(struct known_scripts_held *held)
{
    labels_free(&held->labels);
    mem_free(held->classes);
    mem_free(held->class_of);
    *held = (struct known_scripts_held){0};
}

/* ---- workers ---- */

enum status known_scripts_workers_open(const struct catalogue *catalogue, const struct store *store, unsigned threads,
                                       struct known_scripts_workers *workers, struct fault *fault)
{
    enum status status = store_readers_open(store, threads, &workers->readers, fault);
    if (status != STATUS_OK)
        return status;
    workers->matchers = mem_alloc(threads, sizeof *workers->matchers);
    if (!workers->matchers)
        return fault_nomem(fault);
    for (unsigned i = 0; i < threads && status == STATUS_OK; i++)
        status = matcher_new(catalogue, store_seed(store), &workers->matchers[i], fault);
    return status;
}

void known_scripts_workers_close(struct known_scripts_workers *workers)
{
    for (unsigned i = 0; workers->matchers && i < workers->readers.count; i++)
        matcher_free(workers->matchers[i]);
    mem_free(workers->matchers);
    store_readers_close(&workers->readers);
    workers->matchers = NULL;
}
