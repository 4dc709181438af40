#include "cli/views/tables_parts.h"

#include "cli/output/outfile.h"

static const char *const names[] = {"tdags.csv", "classes.csv", "txs.csv", "arcs.csv", "leaves.csv"};
#define TABLES (sizeof names / sizeof *names)

enum status tables_check(const struct outfolder *folder, struct fault *fault)
{
    enum status status = outfolder_check(folder, "summary.json", fault);
    for (size_t i = 0; i < TABLES && status == STATUS_OK; i++)
        status = outfolder_check(folder, names[i], fault);
    return status;
}

enum status tables_write(struct outfolder *folder, const struct store *store, const struct forest *forest,
                         const struct selection *selection, const struct known_scripts_held *held,
                         const struct payments *payments, const struct unlocks *unlocks,
                         const struct paper_classes *paper, const struct measures_row *measures, unsigned threads,
                         struct fault *fault)
{
    struct tables tables = {.store = store,
                            .forest = forest,
                            .tdags = &selection->tdags,
                            .catalogue = held->catalogue,
                            .selection = selection,
                            .labels = selection->labels,
                            .payments = payments,
                            .unlocks = unlocks,
                            .paper = paper,
                            .measures = measures,
                            .held = held,
                            .names_size = catalogue_names_size(held->catalogue),
                            .rules = selection->tdags.rules};
    struct outfile files[TABLES] = {{0}};
    enum status status = store_readers_open(store, threads, &tables.readers, fault);
    unsigned more = (unlocks ? COLUMN_WITH_UNLOCKS : 0) | (paper ? COLUMN_WITH_PAPER_CLASSES : 0);
    unsigned with_labels = selection->labels ? COLUMN_WITH_LABELS : 0;
    if (status == STATUS_OK) {
        const struct outfile_table all[TABLES] = {
            {&schema_tdags, (payments ? COLUMN_WITH_INDEX : 0) | more | with_labels,
             tables_chunks(selection->classes.rows_count), tables_format_tdags, &tables},
            {&schema_classes, more, tables_chunks(selection->classes.classes_count), tables_format_classes, &tables},
            {&schema_txs, with_labels, tables_chunks(forest->txs_count), tables_format_txs, &tables},
            {&schema_arcs, with_labels, tables_chunks(forest->outputs_count), tables_format_arcs, &tables},
            {&schema_leaves, with_labels, store_batches(tables.readers.readers[0]), tables_format_leaves, &tables},
        };
        for (size_t i = 0; i < TABLES && status == STATUS_OK; i++)
            status = outfolder_begin(folder, &files[i], names[i], fault);
        if (status == STATUS_OK)
            status = outfile_write_tables(files, threads, all, TABLES, fault);
    }
    if (status == STATUS_OK)
        status = outfile_sync_all(files, TABLES, threads, fault);
    /* All appear once all are written, so that tables of two runs seldom stand side by side. */
    for (size_t i = 0; i < TABLES; i++)
        status = outfile_finish(&files[i], status, fault);
    store_readers_close(&tables.readers);
    return status;
}
