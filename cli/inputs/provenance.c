#include "cli/inputs/provenance.h"

#include <sys/stat.h>

#include "cli/inputs/dag_filter.h"
#include "cli/output/manifest.h"
#include "parser/mem.h"

/* What comes through a pipe can be read once only, and has no hash. */
static enum status hash_input(struct datapackage_input *input, const char *what, struct fault *fault)
{
    struct stat info;
    if (stat(input->path, &info) == 0 && !S_ISREG(info.st_mode))
        return STATUS_OK;
    return manifest_hash_file(input->path, what, input->sha256, fault);
}

enum status provenance_of_settings(const struct settings *settings, const char *version,
                                   struct datapackage_provenance *provenance, struct fault *fault)
{
    *provenance = (struct datapackage_provenance){.version = version,
                                                  .nulldata = "count",
                                                  .rules = settings->rules,
                                                  .compress = settings->compress,
                                                  .exclude_scripts = {.path = settings->exclude_scripts},
                                                  .scripts = {.path = settings->scripts}};
    const char *exclude = settings->exclude_scripts;
    enum status status = STATUS_OK;
    if (exclude && strcmp(exclude, "@known") != 0)
        status = hash_input(&provenance->exclude_scripts, "the file of patterns", fault);
    if (status == STATUS_OK && settings->scripts)
        status = hash_input(&provenance->scripts, "the file of known scripts", fault);
    for (size_t i = 0; i < settings->labels.count && status == STATUS_OK; i++) {
        struct datapackage_input *input = &provenance->labels[provenance->labels_count++];
        input->path = settings->labels.items[i];
        status = hash_input(input, "the file of labels", fault);
    }
    if (status == STATUS_OK && dag_filter_text(settings, &provenance->select) != STATUS_OK)
        status = fault_nomem(fault);
    return status;
}

void provenance_free(struct datapackage_provenance *provenance)
{
    mem_free(provenance->select);
    provenance->select = NULL;
}

void provenance_add_store(struct datapackage_provenance *provenance, const struct store *store,
                          const struct forest *forest)
{
    network_label(store_identity_of(store)->magic, provenance->network);
    provenance->nulldata = store_identity_of(store)->nulldata_stored ? "store" : "count";
    provenance->tip = forest->tip;
    provenance->tip_height = forest->blocks - 1;
    provenance->first_height = forest->first_height;
}
