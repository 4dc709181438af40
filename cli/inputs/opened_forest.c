#include "cli/inputs/opened_forest.h"

enum status opened_forest_open(const struct settings *settings, struct opened_forest *study, struct fault *fault)
{
    enum status status = known_scripts_read(settings, &study->catalogue, fault);
    if (status == STATUS_OK)
        status = known_scripts_filter(settings, &study->catalogue, &study->filter, fault);
    if (status == STATUS_OK)
        status = opened_store_open(settings, &study->store, fault);
    if (status == STATUS_OK)
        status = forest_load(study->store, (unsigned)settings->threads, &study->forest, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

void opened_forest_close(struct opened_forest *study)
{
    selection_free(&study->selection);
    forest_free(&study->forest);
    store_close(study->store);
    filter_free(study->filter);
    catalogue_free(&study->catalogue);
}
