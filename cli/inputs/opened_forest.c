#include "cli/inputs/opened_forest.h"

enum status study_open(const struct settings *settings, struct study *study, struct fault *fault)
{
    enum status status = scripts_read(settings, &study->catalogue, fault);
    if (status == STATUS_OK)
        status = scripts_filter(settings, &study->catalogue, &study->filter, fault);
    if (status == STATUS_OK)
        status = source_open(settings, &study->store, fault);
    if (status == STATUS_OK)
        status = forest_load(study->store, (unsigned)settings->threads, &study->forest, fault);
    return status == STATUS_OK ? source_go_on(fault) : status;
}

void study_close(struct study *study)
{
    selection_free(&study->selection);
    forest_free(&study->forest);
    store_close(study->store);
    filter_free(study->filter);
    catalogue_free(&study->catalogue);
}
