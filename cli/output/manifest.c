#include "cli/output/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/json.h"
#include "cli/output/outfile.h"
#include "parser/mem.h"

#define SIZE_LIMIT (16u << 20) /* bytes; that of a run has some tens of thousands */

struct reading {
    struct manifest *manifest;
    bool has_rules;
    bool has_height;
};

static void copy(char *to, size_t size, const char *from)
{
    if (strlen(from) < size)
        memcpy(to, from, strlen(from) + 1);
}

static void copy_hash(char to[DATAPACKAGE_HEX], const char *hash)
{
    static const char kind[] = "sha256:";
    if (strncmp(hash, kind, sizeof kind - 1) == 0)
        copy(to, DATAPACKAGE_HEX, hash + sizeof kind - 1);
}

/* Only a name of a file in the folder itself, and not the manifest's. */
static enum status add_name(struct manifest *manifest, const char *name)
{
    if (!*name || name[0] == '.' || strchr(name, '/') || strlen(name) >= sizeof *manifest->names ||
        strcmp(name, DATAPACKAGE_NAME) == 0)
        return STATUS_OK;
    enum status status = mem_reserve(&manifest->names, &manifest->names_capacity, manifest->names_count + 1,
                                     sizeof *manifest->names);
    if (status == STATUS_OK)
        copy(manifest->names[manifest->names_count++], sizeof *manifest->names, name);
    return status;
}

/* A height, which is below that of any chain there can be. */
static bool parse_height(const char *digits, uint32_t *height)
{
    size_t size = strlen(digits);
    if (size == 0 || size > 9 || strspn(digits, "0123456789") != size)
        return false;
    *height = (uint32_t)strtoul(digits, NULL, 10);
    return true;
}

static enum status on_value(void *context, const char *way, const char *value, bool is_string)
{
    struct reading *reading = context;
    struct manifest *manifest = reading->manifest;
    if (!is_string) {
        if (strcmp(way, "unktx/compress") == 0)
            manifest->compress = strcmp(value, "true") == 0;
        else if (strcmp(way, "unktx/tip/height") == 0)
            reading->has_height = parse_height(value, &manifest->tip_height);
        return STATUS_OK;
    }
    if (strcmp(way, "resources/*/path") == 0)
        return add_name(manifest, value);
    if (strcmp(way, "unktx/rules") == 0)
        reading->has_rules = rules_parse(value, &manifest->rules);
    else if (strcmp(way, "unktx/network") == 0)
        copy(manifest->network, sizeof manifest->network, value);
    else if (strcmp(way, "unktx/tip/hash") == 0)
        manifest->has_tip = hash256_parse(value, &manifest->tip);
    else if (strcmp(way, "unktx/exclude_scripts/path") == 0)
        copy(manifest->exclude_scripts.path, MANIFEST_PATH_SIZE, value);
    else if (strcmp(way, "unktx/exclude_scripts/hash") == 0)
        copy_hash(manifest->exclude_scripts.sha256, value);
    else if (strcmp(way, "unktx/select") == 0)
        copy(manifest->select, sizeof manifest->select, value);
    else if (strcmp(way, "unktx/scripts/path") == 0)
        copy(manifest->scripts.path, MANIFEST_PATH_SIZE, value);
    else if (strcmp(way, "unktx/scripts/hash") == 0)
        copy_hash(manifest->scripts.sha256, value);
    return STATUS_OK;
}

static enum status parse(const char *path, FILE *file, struct manifest *manifest, struct fault *fault)
{
    struct reading reading = {.manifest = manifest};
    char *text = mem_alloc(SIZE_LIMIT + 1, 1);
    if (!text)
        return fault_nomem(fault);
    size_t size = fread(text, 1, SIZE_LIMIT, file);
    enum status status;
    if (ferror(file))
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read");
    else
        status = json_walk(text, size, path, on_value, &reading, fault);
    mem_free(text);
    manifest->has_tip &= reading.has_height;
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status == STATUS_OK && !reading.has_rules)
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "is of another program; unktx writes into folders of its own");
    return status;
}

enum status manifest_read(const char *folder, struct manifest *manifest, struct fault *fault)
{
    char *path = outfile_join(folder, DATAPACKAGE_NAME);
    if (!path)
        return fault_nomem(fault);
    enum status status;
    FILE *file = fopen(path, "rb");
    if (file)
        status = parse(path, file, manifest, fault);
    else if (errno == ENOENT || errno == ENOTDIR)
        status = fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET, "is not there");
    else
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read");
    if (file)
        fclose(file);
    mem_free(path);
    return status;
}

void manifest_free(struct manifest *manifest)
{
    mem_free(manifest->names);
    manifest->names = NULL;
    manifest->names_count = manifest->names_capacity = 0;
}
