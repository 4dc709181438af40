#include "cli/output/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/json.h"
#include "cli/output/outfile.h"
#include "parser/digits.h"
#include "parser/file.h"
#include "parser/mem.h"

#define SIZE_LIMIT (16u << 20) /* bytes; that of a run has some tens of thousands */
#define HASH_LIMIT (1u << 20)  /* bytes of a file that is compared by more than its size */
#define HASH_LIMITS 16u        /* so many times that in all */

struct reading {
    struct manifest *manifest;
    bool is_file; /* the last path is that of the last file in the manifest */
    bool is_odd;  /* it has something that unktx does not write */
    bool has_rules;
    bool has_height;
};

/* Into an array of a fixed size, which all that unktx writes fits into. */
static void copy(struct reading *reading, char *to, size_t size, const char *from)
{
    if (strlen(from) < size)
        memcpy(to, from, strlen(from) + 1);
    else
        reading->is_odd = true;
}

static enum status copy_all(char **to, const char *from)
{
    size_t size = strlen(from) + 1;
    mem_free(*to);
    *to = *from ? mem_alloc(size, 1) : NULL;
    if (*to)
        memcpy(*to, from, size);
    return *to || !*from ? STATUS_OK : STATUS_NOMEM;
}

static void copy_hash(struct reading *reading, char to[DATAPACKAGE_HEX], const char *hash)
{
    static const char kind[] = "sha256:";
    if (strncmp(hash, kind, sizeof kind - 1) == 0)
        copy(reading, to, DATAPACKAGE_HEX, hash + sizeof kind - 1);
}

/* Only a name of a file in the folder itself, and not the manifest's; unktx gives no longer ones. */
static enum status add_file(struct reading *reading, const char *name)
{
    struct manifest *manifest = reading->manifest;
    reading->is_file = *name && name[0] != '.' && !strchr(name, '/') && strlen(name) < MANIFEST_NAME_SIZE &&
                       strcmp(name, DATAPACKAGE_NAME) != 0;
    if (!reading->is_file)
        return STATUS_OK;
    enum status status = mem_reserve(&manifest->files, &manifest->files_capacity, manifest->files_count + 1,
                                     sizeof *manifest->files);
    if (status != STATUS_OK)
        return status;
    struct manifest_file *file = &manifest->files[manifest->files_count++];
    *file = (struct manifest_file){.bytes = UINT64_MAX};
    copy(reading, file->name, sizeof file->name, name);
    return STATUS_OK;
}

static void on_word(struct reading *reading, const char *way, const char *value)
{
    struct manifest *manifest = reading->manifest;
    uint64_t number;
    if (strcmp(way, "unktx/compress") == 0) {
        manifest->compress = strcmp(value, "true") == 0;
    } else if (strcmp(way, "unktx/tip/height") == 0) {
        reading->has_height = digits_number(value, 9, &number);
        manifest->tip_height = reading->has_height ? (uint32_t)number : 0;
    } else if (strcmp(way, "unktx/partial/first_height") == 0) {
        if (digits_number(value, 9, &number))
            manifest->first_height = (uint32_t)number;
    } else if (strcmp(way, "resources/*/bytes") == 0 && reading->is_file) {
        if (digits_number(value, 18, &number))
            manifest->files[manifest->files_count - 1].bytes = number;
    }
}

static enum status on_value(void *context, const char *way, const char *value, bool is_string)
{
    struct reading *reading = context;
    struct manifest *manifest = reading->manifest;
    if (!is_string) {
        on_word(reading, way, value);
        return STATUS_OK;
    }
    if (strcmp(way, "resources/*/path") == 0)
        return add_file(reading, value);
    if (strcmp(way, "unktx/exclude_scripts/path") == 0)
        return copy_all(&manifest->exclude_scripts.path, value);
    if (strcmp(way, "unktx/scripts/path") == 0)
        return copy_all(&manifest->scripts.path, value);
    if (strcmp(way, "unktx/select") == 0)
        return copy_all(&manifest->select, value);
    if (strcmp(way, "resources/*/hash") == 0 && reading->is_file)
        copy_hash(reading, manifest->files[manifest->files_count - 1].sha256, value);
    else if (strcmp(way, "unktx/rules") == 0)
        reading->has_rules = rules_parse(value, &manifest->rules);
    else if (strcmp(way, "unktx/network") == 0)
        copy(reading, manifest->network, sizeof manifest->network, value);
    else if (strcmp(way, "unktx/nodes") == 0)
        copy(reading, manifest->nodes, sizeof manifest->nodes, value);
    else if (strcmp(way, "unktx/tip/hash") == 0)
        manifest->has_tip = hash256_parse(value, &manifest->tip);
    else if (strcmp(way, "unktx/exclude_scripts/hash") == 0)
        copy_hash(reading, manifest->exclude_scripts.sha256, value);
    else if (strcmp(way, "unktx/scripts/hash") == 0)
        copy_hash(reading, manifest->scripts.sha256, value);
    return STATUS_OK;
}

static enum status parse(const char *path, char *text, size_t size, struct manifest *manifest, struct fault *fault)
{
    struct reading reading = {.manifest = manifest};
    enum status status = json_walk(text, size, path, on_value, &reading, fault);
    manifest->has_tip &= reading.has_height;
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status == STATUS_OK && (!reading.has_rules || reading.is_odd))
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "is of another program; unktx writes into folders of its own");
    return status;
}

static enum status read_whole(const char *path, int fd, uint64_t size, char **text, size_t *got, struct fault *fault)
{
    if (size > SIZE_LIMIT)
        return fault_set(fault, STATUS_LIMIT, path, FAULT_NO_OFFSET, "is larger than any that unktx writes");
    *text = mem_alloc(size + 1, 1);
    if (!*text)
        return fault_nomem(fault);
    ssize_t read = file_read_at(fd, *text, size, 0);
    *got = read < 0 ? 0 : (size_t)read;
    return read < 0 ? fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read") : STATUS_OK;
}

enum status manifest_load(const char *folder, char **path, char **text, size_t *size, struct fault *fault)
{
    struct stat info;
    int fd;
    *text = NULL;
    *path = outfile_join(folder, DATAPACKAGE_NAME);
    if (!*path)
        return fault_nomem(fault);
    enum status status = file_open(*path, "the list of a folder's tables", &fd, &info, fault);
    if (status == STATUS_OK) {
        status = read_whole(*path, fd, (uint64_t)info.st_size, text, size, fault);
        close(fd);
    }
    return status;
}

enum status manifest_read(const char *folder, struct manifest *manifest, struct fault *fault)
{
    char *path = NULL, *text = NULL;
    size_t size = 0;
    enum status status = manifest_load(folder, &path, &text, &size, fault);
    if (status == STATUS_OK)
        status = parse(path, text, size, manifest, fault);
    mem_free(text);
    mem_free(path);
    return status;
}

enum status manifest_in_the_way(enum status status, struct fault *fault)
{
    if (!fault || (status != STATUS_FORMAT && status != STATUS_LIMIT))
        return status;
    struct fault found = *fault;
    return fault_set(fault, status, found.path, found.offset, "%.400s: name another folder, or take this file away",
                     found.text);
}

void manifest_free(struct manifest *manifest)
{
    mem_free(manifest->exclude_scripts.path);
    mem_free(manifest->scripts.path);
    mem_free(manifest->select);
    mem_free(manifest->files);
    *manifest = (struct manifest){0};
}

/* ---- the files that it tells of ---- */

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->files_count; i++) {
        if (strcmp(manifest->files[i].name, name) == 0)
            return &manifest->files[i];
    }
    return NULL;
}

static enum status hash_opened(const char *path, int fd, char hex[DATAPACKAGE_HEX], struct fault *fault)
{
    struct sha256_stream stream = {0};
    uint8_t digest[32];
    char bytes[16384];
    uint64_t offset = 0;
    ssize_t got;
    sha256_begin(&stream);
    while ((got = file_read_at(fd, bytes, sizeof bytes, offset)) > 0) {
        sha256_add(&stream, bytes, (size_t)got);
        offset += (uint64_t)got;
    }
    sha256_end(&stream, digest);
    *put_hex(hex, digest, sizeof digest) = '\0';
    return got < 0 ? fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read") : STATUS_OK;
}

enum status manifest_hash_file(const char *path, const char *what, char hex[DATAPACKAGE_HEX], struct fault *fault)
{
    struct stat info;
    int fd;
    enum status status = file_open(path, what, &fd, &info, fault);
    if (status != STATUS_OK)
        return status;
    status = hash_opened(path, fd, hex, fault);
    close(fd);
    return status;
}

/* Written into folders only, so that nobody has replaced one of them alone. */
static bool is_of_the_folder(const char *name)
{
    static const char *const names[] = {"tdags.csv",  "classes.csv", "txs.csv",     "arcs.csv",    "leaves.csv",
                                        "payers.csv", "payees.csv",  "changes.csv", "summary.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* `*same` stays true for a file that is not there. */
static enum status compare(const char *path, const struct manifest_file *file, unsigned *hashed, bool *same,
                           struct fault *fault)
{
    char hex[DATAPACKAGE_HEX];
    struct stat info;
    int fd;
    enum status status = file_open(path, "the table", &fd, &info, fault);
    *same = true;
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (file->bytes != UINT64_MAX)
        *same = (uint64_t)info.st_size == file->bytes;
    if (*same && file->sha256[0] && info.st_size <= HASH_LIMIT && *hashed < HASH_LIMITS) {
        status = hash_opened(path, fd, hex, fault);
        *same = strcmp(hex, file->sha256) == 0;
        ++*hashed;
    }
    close(fd);
    return status;
}

enum status manifest_check(const struct manifest *manifest, const char *folder, struct fault *fault)
{
    enum status status = STATUS_OK;
    unsigned hashed = 0;
    for (size_t i = 0; i < manifest->files_count && status == STATUS_OK; i++) {
        const struct manifest_file *file = &manifest->files[i];
        if (!is_of_the_folder(file->name))
            continue;
        bool same = true;
        char *path = outfile_join(folder, file->name);
        status = path ? compare(path, file, &hashed, &same, fault) : fault_nomem(fault);
        mem_free(path);
        if (status == STATUS_OK && !same)
            status = fault_set(fault, STATUS_REFUSED, folder, FAULT_NO_OFFSET,
                               "the tables there do not belong together: %s is not the file that %s tells of",
                               file->name, DATAPACKAGE_NAME);
    }
    return status;
}

/* ---- another run ---- */

static bool same_text(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : !a && !b; }

static bool same_input(const struct datapackage_input *now, const struct manifest_input *before)
{
    if (!now->path || !before->path)
        return !now->path && !before->path;
    if (now->sha256[0] || before->sha256[0])
        return strcmp(now->sha256, before->sha256) == 0;
    return strcmp(now->path, before->path) == 0;
}

const char *manifest_difference(const struct manifest *before, const struct datapackage_provenance *provenance)
{
    if (provenance->network[0] && strcmp(provenance->network, before->network) != 0)
        return "network";
    if (provenance->network[0] && provenance->first_height != before->first_height)
        return "part of the chain";
    if (provenance->rules != before->rules)
        return "rule set";
    if (provenance->compress != before->compress)
        return "--compress";
    if (provenance->nodes && before->nodes[0] && strcmp(provenance->nodes, before->nodes) != 0)
        return "--nodes";
    if (!same_input(&provenance->exclude_scripts, &before->exclude_scripts))
        return "--exclude-scripts";
    if (!same_text(provenance->select, before->select))
        return "filter of T-DAGs";
    return same_input(&provenance->scripts, &before->scripts) ? NULL : "--known-scripts";
}
