#include "cli/inputs/opened_forest.h"

#include "parser/timings.h"

enum status opened_forest_begin(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
{
    enum status status = known_scripts_read(settings, &opened->catalogue, fault);
    if (status == STATUS_OK)
        status = known_scripts_filter(settings, &opened->catalogue, &opened->filter, fault);
    if (status == STATUS_OK)
        status = opened_store_open_labelled(settings, &opened->labels, &opened->store, fault);
    return status;
}

enum status opened_forest_load(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
{
    timings_stage("forest");
    enum status status = forest_load_for(opened->store, settings->compress, (unsigned)settings->threads,
                                         &opened->forest, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

enum status opened_forest_open(const struct settings *settings, struct opened_forest *opened, struct fault *fault)
{
    enum status status = opened_forest_begin(settings, opened, fault);
    return status == STATUS_OK ? opened_forest_load(settings, opened, fault) : status;
}

void opened_forest_close(struct opened_forest *opened)
{
    selection_free(&opened->selection);
    dag_labels_free(&opened->dag_labels);
    address_labels_free(&opened->labels);
    forest_free(&opened->forest);
    store_close(opened->store);
    filter_free(opened->filter);
    catalogue_free(&opened->catalogue);
}
