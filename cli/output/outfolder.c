#include "cli/output/outfolder.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/manifest.h"
#include "cli/output/message.h"
#include "cli/output/signals.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define FILES_MAX 32u

/* A file that is written and waits for the others. */
struct waiting {
    char *path;
    char *temporary; /* NULL: it is in its place */
};

struct outfolder {
    char *path;
    size_t there; /* how much of the path was there before */
    struct datapackage_provenance provenance;
    bool replace;
    bool has_before;
    struct folder_changes changes;
    struct manifest before; /* of the run before, if there was one */
    struct waiting waiting[FILES_MAX];
    struct datapackage_file files[FILES_MAX];
    size_t count;
};

const char *outfolder_path(const struct outfolder *folder) { return folder->path; }
const struct datapackage_provenance *outfolder_provenance(const struct outfolder *folder)
{
    return &folder->provenance;
}

/* ---- opening ---- */

static bool same_input(const struct datapackage_input *now, const struct manifest_input *before)
{
    if (!now->path || !before->path[0])
        return !now->path && !before->path[0];
    if (now->sha256[0] || before->sha256[0])
        return strcmp(now->sha256, before->sha256) == 0;
    return strcmp(now->path, before->path) == 0;
}

/* In what the run before differs from this one; NULL: in nothing. */
static const char *difference(const struct outfolder *folder)
{
    const struct datapackage_provenance *provenance = &folder->provenance;
    const struct manifest *before = &folder->before;
    if (provenance->network[0] && strcmp(provenance->network, before->network) != 0)
        return "network";
    if (provenance->rules != before->rules)
        return "rule set";
    if (provenance->compress != before->compress)
        return "--compress";
    if (!same_input(&provenance->exclude_scripts, &before->exclude_scripts))
        return "--exclude-scripts";
    if (strcmp(provenance->select, before->select) != 0)
        return "filter of T-DAGs";
    return same_input(&provenance->scripts, &before->scripts) ? NULL : "--scripts";
}

static enum status agree(const struct outfolder *folder, struct fault *fault)
{
    const struct manifest *before = &folder->before;
    const char *what = folder->has_before && !folder->replace ? difference(folder) : NULL;
    char here[240];
    if (!what)
        return STATUS_OK;
    snprintf(here, sizeof here, "%s, rules %s%s%s%s%s%.80s", before->network, rules_name(before->rules),
             before->compress ? ", --compress" : "", before->exclude_scripts.path[0] ? ", --exclude-scripts" : "",
             before->scripts.path[0] ? ", --scripts" : "", before->select[0] ? ", " : "", before->select);
    return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                     "has tables of another %s (%s): name another folder with -o, or replace them with --replace", what,
                     here);
}

bool outfolder_continues(const struct outfolder *folder, const char *name)
{
    bool listed = false;
    for (size_t i = 0; folder->has_before && i < folder->before.names_count; i++)
        listed |= strcmp(folder->before.names[i], name) == 0;
    return listed && !difference(folder);
}

const struct datapackage_file *outfolder_made(const struct outfolder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (strcmp(folder->files[i].name, name) == 0)
            return &folder->files[i];
    }
    return NULL;
}

void outfolder_set_changes(struct outfolder *folder, const struct folder_changes *changes)
{
    if (folder)
        folder->changes = *changes;
}

struct folder_changes outfolder_changes(const struct outfolder *folder)
{
    return folder ? folder->changes : (struct folder_changes){0};
}

enum status outfolder_open(const char *path, const struct datapackage_provenance *provenance, bool replace,
                           struct outfolder **folder, struct fault *fault)
{
    struct outfolder *new = mem_alloc(1, sizeof *new);
    size_t size = strlen(path) + 1;
    if (!new || !(new->path = mem_alloc(size, 1))) {
        mem_free(new);
        return fault_nomem(fault);
    }
    memcpy(new->path, path, size);
    new->there = size;
    new->provenance = *provenance;
    new->replace = replace;
    enum status status = outfile_make_folder(path, &new->there, fault);
    if (status == STATUS_OK) {
        status = manifest_read(path, &new->before, fault);
        new->has_before = status == STATUS_OK;
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    if (status == STATUS_OK)
        status = agree(new, fault);
    if (status == STATUS_OK)
        *folder = new;
    else
        outfolder_close(new);
    return status;
}

enum status outfolder_set_provenance(struct outfolder *folder, const struct datapackage_provenance *provenance,
                                     struct fault *fault)
{
    folder->provenance = *provenance;
    return agree(folder, fault);
}

/* ---- files ---- */

enum status outfolder_begin(struct outfolder *folder, struct outfile *file, const char *name, struct fault *fault)
{
    if (!folder)
        return outfile_open(file, name, fault);
    enum status status = outfile_open_in(file, folder->path, name, fault);
    if (status != STATUS_OK)
        return status;
    file->folder = folder;
    file->folder_name = name;
    sha256_begin(&file->sha256);
    return STATUS_OK;
}

enum status outfolder_write(struct outfolder *folder, const char *name, struct printer *printer, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = printer->status == STATUS_OK ? outfolder_begin(folder, &file, name, fault)
                                                      : fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, &printer->text, fault);
    text_free(&printer->text);
    return outfile_finish(&file, status, fault);
}

enum status outfolder_take(struct outfile *file, struct fault *fault)
{
    struct outfolder *folder = file->folder;
    uint8_t digest[32];
    if (folder->count == FILES_MAX)
        return fault_set(fault, STATUS_LIMIT, folder->path, FAULT_NO_OFFSET, "more files than %u", FILES_MAX);
    struct datapackage_file *taken = &folder->files[folder->count];
    *taken = (struct datapackage_file){.table = file->table, .flags = file->flags, .bytes = file->size};
    taken->rows = file->table ? file->lines - 1 : 0;
    snprintf(taken->name, sizeof taken->name, "%s", file->folder_name);
    sha256_end(&file->sha256, digest);
    *put_hex(taken->sha256, digest, sizeof digest) = '\0';
    folder->waiting[folder->count++] = (struct waiting){file->path, file->temporary};
    file->path = file->temporary = NULL;
    return STATUS_OK;
}

/* ---- the end ---- */

/* A name that unktx gives to files of a folder. A manifest that somebody else wrote could name anything. */
static bool is_our_name(const char *name)
{
    char table[64];
    const char *end = strrchr(name, '.');
    if (strcmp(name, "summary.json") == 0 || strcmp(name, "report.html") == 0)
        return true;
    if (!end || strcmp(end, ".csv") != 0 || (size_t)(end - name) >= sizeof table)
        return false;
    snprintf(table, sizeof table, "%.*s", (int)(end - name), name);
    if (strncmp(table, "stats-by-", 9) == 0)
        return true;
    return schema_find(table) != NULL;
}

/* True if the file was there and is gone now. What is no regular file was not made by unktx. */
static bool remove_file(const struct outfolder *folder, const char *name)
{
    struct stat st;
    char *path = outfile_join(folder->path, name);
    bool removed = path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && unlink(path) == 0;
    mem_free(path);
    return removed;
}

static enum status remove_left(const struct outfolder *folder, struct fault *fault)
{
    struct printer printer = {0};
    for (size_t i = 0; i < folder->before.names_count; i++) {
        const char *name = folder->before.names[i];
        if (!outfolder_made(folder, name) && is_our_name(name) && remove_file(folder, name))
            PRINT(&printer, "%s%s", printer.text.size > 0 ? ", " : "", name);
    }
    if (printer.text.size > 0 && printer.status == STATUS_OK)
        message(
            "%s: removed, since they are of the run before and this one does not make them: %.*s (to keep such files, "
            "write into another folder)",
            folder->path, (int)printer.text.size, printer.text.bytes);
    enum status status = printer.status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    text_free(&printer.text);
    return status;
}

static enum status write_manifest(const struct outfolder *folder, struct fault *fault)
{
    struct printer printer = {0};
    datapackage_print(&printer, &folder->provenance, folder->files, folder->count);
    return printer_write_in(&printer, folder->path, DATAPACKAGE_NAME, fault);
}

static enum status name_written(const struct outfolder *folder, struct fault *fault)
{
    struct printer printer = {0};
    for (size_t i = 0; i < folder->count; i++)
        PRINT(&printer, "%s, ", folder->files[i].name);
    if (printer.status == STATUS_OK)
        message("written to %s: %.*s%s", folder->path, (int)printer.text.size, printer.text.bytes, DATAPACKAGE_NAME);
    enum status status = printer.status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    text_free(&printer.text);
    return status;
}

/* The manifest comes last: a run that ends before leaves the old one, whose hashes then tell. */
static enum status put_in_place(struct outfolder *folder, struct fault *fault)
{
    for (size_t i = 0; i < folder->count; i++) {
        struct waiting *waiting = &folder->waiting[i];
        if (waiting->temporary && rename(waiting->temporary, waiting->path) != 0)
            return fault_errno(fault, waiting->path, FAULT_NO_OFFSET, "cannot be put in place");
        mem_free(waiting->temporary);
        waiting->temporary = NULL;
    }
    enum status status = remove_left(folder, fault);
    if (status == STATUS_OK)
        status = write_manifest(folder, fault);
    return status;
}

/* All of them or, where a signal came before, none. */
enum status outfolder_commit(struct outfolder *folder, bool quiet, struct fault *fault)
{
    signals_hold();
    enum status status = stop_check(fault);
    if (status == STATUS_OK)
        status = put_in_place(folder, fault);
    signals_release();
    return status == STATUS_OK && !quiet ? name_written(folder, fault) : status;
}

/* Takes away the folders that this run made, the innermost first, as long as they are empty. */
static void remove_made(struct outfolder *folder)
{
    char *slash = NULL;
    while (strlen(folder->path) > folder->there && (rmdir(folder->path) == 0 || errno == ENOENT) &&
           (slash = strrchr(folder->path, '/')) != NULL)
        *slash = '\0';
}

void outfolder_close(struct outfolder *folder)
{
    if (!folder)
        return;
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->waiting[i].temporary)
            unlink(folder->waiting[i].temporary);
        mem_free(folder->waiting[i].temporary);
        mem_free(folder->waiting[i].path);
    }
    remove_made(folder);
    manifest_free(&folder->before);
    mem_free(folder->path);
    mem_free(folder);
}
