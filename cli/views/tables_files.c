#include "cli/views/tables_parts.h"

#include "cli/output/outfile.h"
#include "parser/mem.h"

static const char *const names[TABLES_FILES] = {"tdags.csv", "classes.csv", "txs.csv", "arcs.csv", "leaves.csv"};
#define FIRST_OF_TXS 2u /* from here on of transactions and their outputs */

enum status tables_check(const struct outfolder *folder, struct fault *fault)
{
    enum status status = outfolder_check(folder, "summary.json", fault);
    for (size_t i = 0; i < TABLES_FILES && status == STATUS_OK; i++)
        status = outfolder_check(folder, names[i], fault);
    return status;
}

/* The disk is given what needs no known scripts, so that it has something to do while the rest is made. */
static enum status write_of_txs(struct tables *tables, struct tables_files *files, struct fault *fault)
{
    const struct forest *forest = tables->forest;
    unsigned with_labels = tables->labels ? COLUMN_WITH_LABELS : 0;
    size_t batches = store_batches(tables->readers.readers[0]);
    const struct outfile_table all[TABLES_FILES - FIRST_OF_TXS + 1] = {
        {&schema_txs, with_labels, tables_chunks(forest->txs_count), tables_format_txs, tables},
        {&schema_arcs, with_labels, tables_chunks(forest->outputs_count), tables_format_arcs, tables},
        {&schema_leaves, with_labels, batches, tables_format_leaves, tables},
        {NULL, 0, tables->large->count, tables_measure_large, tables},
    };
    return outfile_write_tables(&files->files[FIRST_OF_TXS], files->threads, all, sizeof all / sizeof *all, fault);
}

enum status tables_begin(struct tables_files *files, struct outfolder *folder, struct labels *found,
                         struct fault *fault)
{
    const struct opened_forest *opened = files->opened;
    const struct selection *selection = &opened->selection;
    const unsigned threads = files->threads;
    struct tables tables = {.store = opened->store,
                            .forest = &opened->forest,
                            .tdags = &selection->tdags,
                            .catalogue = &opened->catalogue,
                            .selection = selection,
                            .labels = selection->labels,
                            .found = found,
                            .large = &files->large,
                            .rules = selection->tdags.rules,
                            .matchers = mem_alloc(threads, sizeof *tables.matchers)};
    enum status status = labels_new(&selection->tdags, false, found, fault);
    if (status == STATUS_OK && !tables.matchers)
        status = fault_nomem(fault);
    if (status == STATUS_OK && !files->measures && measures_large_list(&selection->tdags, &files->large) != STATUS_OK)
        status = fault_nomem(fault);
    outfile_discard(&files->files[TABLES_FILES]);
    if (status == STATUS_OK)
        status = store_readers_open(opened->store, threads, &tables.readers, fault);
    for (size_t i = 0; i < TABLES_FILES && status == STATUS_OK; i++)
        status = outfolder_begin(folder, &files->files[i], names[i], fault);
    if (status == STATUS_OK)
        status = write_of_txs(&tables, files, fault);
    store_readers_close(&tables.readers);
    for (unsigned w = 0; tables.matchers && w < threads; w++)
        matcher_free(tables.matchers[w]);
    mem_free(tables.matchers);
    if (status == STATUS_OK)
        outfile_begin_sync(&files->syncing, &files->files[FIRST_OF_TXS], TABLES_FILES - FIRST_OF_TXS);
    return status;
}

enum status tables_end(struct tables_files *files, const struct known_scripts_held *held,
                       const struct payments *payments, const struct unlocks *unlocks, struct fault *fault)
{
    const struct selection *selection = &files->opened->selection;
    const struct paper_classes *paper = files->paper;
    struct tables tables = {.forest = &files->opened->forest,
                            .tdags = &selection->tdags,
                            .catalogue = held->catalogue,
                            .selection = selection,
                            .labels = selection->labels,
                            .payments = payments,
                            .unlocks = unlocks,
                            .paper = paper,
                            .measures = files->measures,
                            .large = &files->large,
                            .held = held,
                            .names_size = catalogue_names_size(held->catalogue),
                            .rules = selection->tdags.rules};
    const struct classes *classes = &selection->classes;
    unsigned more = (unlocks ? COLUMN_WITH_UNLOCKS : 0) | (paper ? COLUMN_WITH_PAPER_CLASSES : 0);
    unsigned of_tdags = more | (payments ? COLUMN_WITH_INDEX : 0) | (selection->labels ? COLUMN_WITH_LABELS : 0);
    const struct outfile_table all[FIRST_OF_TXS] = {
        {&schema_tdags, of_tdags, tables_chunks(classes->rows_count), tables_format_tdags, &tables},
        {&schema_classes, more, tables_chunks(classes->classes_count), tables_format_classes, &tables},
    };
    enum status status = outfile_write_tables(files->files, files->threads, all, FIRST_OF_TXS, fault);
    if (status == STATUS_OK)
        status = outfile_end_sync(&files->syncing, fault);
    if (status == STATUS_OK)
        status = outfile_sync_all(files->files, TABLES_FILES, files->threads, fault);
    /* All appear once all are written, so that tables of two runs seldom stand side by side. */
    for (size_t i = 0; i < TABLES_FILES && status == STATUS_OK; i++)
        status = outfile_finish(&files->files[i], status, fault);
    return status;
}

void tables_close(struct tables_files *files)
{
    struct fault lost;
    if (outfile_end_sync(&files->syncing, &lost) != STATUS_OK)
        files->syncing.status = STATUS_OK; /* it was said, or what is not whole is not wanted */
    for (size_t i = 0; i < TABLES_FILES; i++)
        outfile_abort(&files->files[i]);
    measures_large_free(&files->large);
}
