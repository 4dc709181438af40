#include "cli/inputs/provenance.h"

#include <stdio.h>
#include <sys/stat.h>

#include "cli/inputs/dag_filter.h"
#include "cli/output/text.h"
#include "parser/sha256.h"

enum status provenance_hash_file(const char *path, char hex[DATAPACKAGE_HEX], struct fault *fault)
{
    struct sha256_stream stream = {0};
    char bytes[16384];
    uint8_t digest[32];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (!file)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read");
    sha256_begin(&stream);
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        sha256_add(&stream, bytes, size);
    enum status status = ferror(file) ? fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read") : STATUS_OK;
    fclose(file);
    sha256_end(&stream, digest);
    *put_hex(hex, digest, sizeof digest) = '\0';
    return status;
}

static bool is_regular(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
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
        status = provenance_hash_file(exclude, provenance->exclude_scripts.sha256, fault);
    if (status == STATUS_OK && settings->scripts)
        status = provenance_hash_file(settings->scripts, provenance->scripts.sha256, fault);
    for (size_t i = 0; i < settings->labels.count && status == STATUS_OK; i++) {
        struct datapackage_input *input = &provenance->labels[provenance->labels_count++];
        input->path = settings->labels.items[i];
        if (is_regular(input->path)) /* what comes through a pipe can be read once only */
            status = provenance_hash_file(input->path, input->sha256, fault);
    }
    dag_filter_text(settings, provenance->select);
    return status;
}

void provenance_add_store(struct datapackage_provenance *provenance, const struct store *store,
                          const struct forest *forest)
{
    network_label(store_identity_of(store)->magic, provenance->network);
    provenance->nulldata = store_identity_of(store)->nulldata_stored ? "store" : "count";
    provenance->tip = forest->tip;
    provenance->tip_height = forest->blocks - 1;
}
