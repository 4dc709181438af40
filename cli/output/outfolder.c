#include "cli/output/outfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/manifest.h"
#include "cli/output/message.h"
#include "cli/output/replacement.h"
#include "cli/output/signals.h"
#include "cli/output/sources.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define FILES_MAX 32u

struct outfolder {
    char *path;
    size_t there;    /* how much of the path was there before */
    int lock_plus_1; /* the folder itself, locked; 0: not opened */
    struct datapackage_provenance provenance;
    enum folder_maker maker;
    bool replace;
    bool has_before;
    struct folder_changes changes;
    void *kept; /* of outfolder_keep */
    void (*end_kept)(void *kept);
    struct sqlite *database; /* NULL: it is a folder */
    struct manifest before;  /* of the run before, if there was one */
    struct datapackage_file files[FILES_MAX];
    struct replaced places[FILES_MAX]; /* of the same files */
    size_t count;
};

const char *outfolder_path(const struct outfolder *folder) { return folder->path; }
const struct datapackage_provenance *outfolder_provenance(const struct outfolder *folder)
{
    return &folder->provenance;
}

/* ---- names ---- */

/* A name that unktx gives to files of a folder. A manifest that somebody else wrote could name anything. */
static bool is_our_name(const char *name)
{
    if (strcmp(name, "summary.json") == 0 || strcmp(name, "report.html") == 0 || listed_is_of_export(name))
        return true;
    const char *end = strrchr(name, '.');
    if (end && strcmp(end, ".csv") == 0 && end - name < 64 && strncmp(name, "stats-by-", 9) == 0)
        return true;
    return schema_of_file(name) != NULL;
}

/* What is no regular file was not made by unktx. */
static bool is_file(const struct outfolder *folder, const char *name)
{
    struct stat st;
    char *path = outfile_join(folder->path, name);
    bool is = path && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
    mem_free(path);
    return is;
}

/* Refuses to remove what this command reads. */
static enum status keep_source(const struct outfolder *folder, const char *name, struct fault *fault)
{
    char *path = outfile_join(folder->path, name);
    enum status status = path ? sources_refuse(path, fault) : fault_nomem(fault);
    mem_free(path);
    return status;
}

/* Files that another command wrote are not removed unasked, and what is read never. Before the end only what this one
 * never makes is sure to go, and then it is said early. */
static enum status keep_of_others(const struct outfolder *folder, bool at_end, struct fault *fault)
{
    const struct manifest *before = &folder->before;
    enum folder_maker other = folder->has_before ? listed_maker(before) : folder->maker;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < before->files_count && status == STATUS_OK; i++) {
        const char *name = before->files[i].name;
        bool stays = at_end ? outfolder_made(folder, name) != NULL : listed_may_make(folder->maker, name);
        if (stays || !is_our_name(name) || !is_file(folder, name))
            continue;
        if (other != folder->maker && !folder->replace)
            return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                             "has %s of 'unktx %s', which this run does not make: name another folder with -o, or have "
                             "it removed with --replace",
                             name, listed_maker_name(other));
        status = keep_source(folder, name, fault);
    }
    return status;
}

/* ---- opening ---- */

static enum status agree(const struct outfolder *folder, struct fault *fault)
{
    const struct manifest *before = &folder->before;
    const char *what = folder->has_before && !folder->replace
                           ? manifest_difference(&folder->before, &folder->provenance)
                           : NULL;
    const char *select = before->select ? before->select : "";
    if (!what)
        return STATUS_OK;
    return fault_set(
        fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
        "has tables of another %s (%s%s, rules %s%s%s%s%s%.80s%s): name another folder with -o, or replace "
        "them with --replace",
        what, before->network, before->first_height > 0 ? ", partial" : "", rules_name(before->rules),
        before->compress ? ", --compress" : "", before->exclude_scripts.path ? ", --exclude-scripts" : "",
        before->scripts.path ? ", --known-scripts" : "", *select ? ", " : "", select, strlen(select) > 80 ? "..." : "");
}

const struct manifest_file *outfolder_before(const struct outfolder *folder, const char *name)
{
    if (!folder->has_before || manifest_difference(&folder->before, &folder->provenance))
        return NULL;
    return manifest_find(&folder->before, name);
}

enum status outfolder_check_before(const struct outfolder *folder, struct fault *fault)
{
    return manifest_check(&folder->before, folder->path, fault);
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

void outfolder_keep(struct outfolder *folder, void *kept, void (*end)(void *kept))
{
    folder->kept = kept;
    folder->end_kept = end;
}

void *outfolder_kept(const struct outfolder *folder) { return folder ? folder->kept : NULL; }

enum status outfolder_lock(const char *path, int *lock_plus_1, struct fault *fault)
{
    int fd = file_open_again(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == EACCES) /* one may be allowed to write there and not to list it */
        return STATUS_OK;
    if (fd < 0)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be opened");
    *lock_plus_1 = fd + 1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fault_set(fault, STATUS_BUSY, path, FAULT_NO_OFFSET,
                         "another unktx is writing into this folder: wait until it is done, or name another folder "
                         "with -o");
    return STATUS_OK;
}

/* The one text that does not stay for long elsewhere. */
static enum status keep_select(struct outfolder *folder, struct fault *fault)
{
    const char *given = folder->provenance.select;
    size_t size = given ? strlen(given) + 1 : 0;
    folder->provenance.select = given ? mem_alloc(size, 1) : NULL;
    if (given && !folder->provenance.select)
        return fault_nomem(fault);
    if (given)
        memcpy(folder->provenance.select, given, size);
    return STATUS_OK;
}

enum status outfolder_open(const char *path, const struct datapackage_provenance *provenance, enum folder_maker maker,
                           bool replace, struct outfolder **folder, struct fault *fault)
{
    struct outfolder *new = mem_alloc(1, sizeof *new);
    size_t size = strlen(path) + 1;
    if (!new || !(new->path = mem_alloc(size, 1))) {
        mem_free(new);
        return fault_nomem(fault);
    }
    memcpy(new->path, path, size);
    new->there = size - 1;
    new->provenance = *provenance;
    new->maker = maker;
    new->replace = replace;
    enum status status = keep_select(new, fault);
    if (status == STATUS_OK)
        status = outfile_make_folder(path, &new->there, fault);
    if (status == STATUS_OK && new->there < size - 1)
        signals_remember_file(new->path);
    if (status == STATUS_OK)
        status = outfolder_lock(path, &new->lock_plus_1, fault);
    if (status == STATUS_OK) {
        status = manifest_read(path, &new->before, fault);
        new->has_before = status == STATUS_OK;
        status = status == STATUS_NOT_FOUND ? STATUS_OK : manifest_in_the_way(status, fault);
    }
    if (status == STATUS_OK)
        status = agree(new, fault);
    if (status == STATUS_OK)
        status = outfolder_check(new, DATAPACKAGE_NAME, fault);
    if (status == STATUS_OK)
        status = keep_of_others(new, false, fault);
    if (status == STATUS_OK)
        *folder = new;
    else
        outfolder_close(new);
    return status;
}

enum status outfolder_of_database(struct sqlite *database, struct outfolder **folder, struct fault *fault)
{
    struct outfolder *new = mem_alloc(1, sizeof *new);
    if (!new || !(new->path = mem_alloc(1, 1))) {
        mem_free(new);
        return fault_nomem(fault);
    }
    new->database = database;
    *folder = new;
    return STATUS_OK;
}

bool outfolder_is_database(const struct outfolder *folder) { return folder && folder->database; }

enum status outfolder_set_provenance(struct outfolder *folder, const struct datapackage_provenance *provenance,
                                     struct fault *fault)
{
    mem_free(folder->provenance.select);
    folder->provenance = *provenance;
    enum status status = keep_select(folder, fault);
    return status == STATUS_OK ? agree(folder, fault) : status;
}

/* ---- files ---- */

/* Does it come from the run before? */
static bool is_ours(const struct outfolder *folder, const char *name)
{
    return folder->has_before && (strcmp(name, DATAPACKAGE_NAME) == 0 || manifest_find(&folder->before, name));
}

enum status outfolder_check(const struct outfolder *folder, const char *name, struct fault *fault)
{
    struct stat info;
    if (folder->database)
        return STATUS_OK;
    char *path = outfile_join(folder->path, name);
    enum status status = STATUS_OK;
    if (!path)
        return fault_nomem(fault);
    if (lstat(path, &info) != 0)
        status = errno == ENOENT ? STATUS_OK : fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be looked at");
    else if (!S_ISREG(info.st_mode))
        status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                           "is no file but %s, which is not replaced: take it away, or name another folder with -o",
                           S_ISLNK(info.st_mode) ? "a link" : file_kind(info.st_mode));
    else if (!folder->replace && !is_ours(folder, name))
        status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                           "is there and not of a run before (no %s lists it), so it is not replaced: name another "
                           "folder with -o, or replace it with --replace",
                           DATAPACKAGE_NAME);
    if (status == STATUS_OK)
        status = sources_refuse(path, fault);
    mem_free(path);
    return status;
}

enum status outfolder_begin(struct outfolder *folder, struct outfile *file, const char *name, struct fault *fault)
{
    if (!folder)
        return outfile_open(file, name, fault);
    if (folder->database) {
        *file = (struct outfile){.folder = folder, .folder_name = name, .database = folder->database};
        return STATUS_OK;
    }
    enum status status = outfolder_check(folder, name, fault);
    if (status == STATUS_OK)
        status = outfile_open_in(file, folder->path, name, fault);
    if (status == STATUS_OK && !file->is_new) /* it came after the check */
        status = fault_set(fault, STATUS_REFUSED, file->name, FAULT_NO_OFFSET, "is no file any more");
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
    taken->name = file->folder_name;
    sha256_end(&file->sha256, digest);
    *put_hex(taken->sha256, digest, sizeof digest) = '\0';
    folder->places[folder->count++] = (struct replaced){.name = taken->name, .temporary = file->temporary};
    file->temporary = NULL;
    return STATUS_OK;
}

/* ---- the end ---- */

static enum status write_manifest(struct outfolder *folder, struct fault *fault)
{
    struct printer printer = {0};
    datapackage_print(&printer, &folder->provenance, folder->files, folder->count);
    return outfolder_write(folder, DATAPACKAGE_NAME, &printer, fault);
}

/* The names, with commas between two, of the files that went, or of those that came. */
static void print_names(struct printer *printer, const struct replaced *files, size_t count, bool gone)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].is_done && files[i].is_gone == gone)
            PRINT(printer, "%s%s", printer->text.size > 0 ? ", " : "", files[i].name);
    }
}

static enum status tell(const struct outfolder *folder, const struct replaced *files, size_t count, bool quiet,
                        struct fault *fault)
{
    struct printer gone = {0}, made = {0};
    print_names(&gone, files, count, true);
    print_names(&made, files, count, false);
    bool printed = gone.status == STATUS_OK && made.status == STATUS_OK;
    if (printed && gone.text.size > 0)
        message(
            "%s: removed, since they are of the run before and this one does not make them: %.*s (to keep such files, "
            "write into another folder)",
            folder->path, (int)gone.text.size, gone.text.bytes);
    if (printed && !quiet)
        message("written to %s: %.*s", folder->path, (int)made.text.size, made.text.bytes);
    text_free(&gone.text);
    text_free(&made.text);
    return printed ? STATUS_OK : fault_nomem(fault);
}

/* The steps of a replacement. What goes is gone before the manifest that lists it, and what comes is there after the
 * one that lists it: no file is ever one of no run. The tables that the next run compares with its own come last: they
 * are of this run only where all is. */
enum step { STEP_GONE, STEP_MANIFEST, STEP_FILES, STEP_COMPARED };
_Static_assert(STEP_COMPARED + 1 == REPLACEMENT_STEPS, "each step has its turn");

static enum step step_of(const char *name)
{
    if (strcmp(name, DATAPACKAGE_NAME) == 0)
        return STEP_MANIFEST;
    return strcmp(name, "tdags.csv") == 0 || strcmp(name, "txs.csv") == 0 ? STEP_COMPARED : STEP_FILES;
}

/* What comes and what goes, in the order in which it is told. */
static size_t list_places(struct outfolder *folder, struct replaced *all)
{
    size_t count = 0, last = folder->count - 1;
    for (size_t i = 0; i <= last; i++)
        folder->places[i].step = step_of(folder->places[i].name);
    for (size_t i = 0; i < last; i++)
        all[count++] = folder->places[i];
    for (size_t i = 0; i < folder->before.files_count; i++) {
        const char *name = folder->before.files[i].name;
        if (!outfolder_made(folder, name) && is_our_name(name) && is_file(folder, name))
            all[count++] = (struct replaced){.name = name, .step = STEP_GONE};
    }
    all[count++] = folder->places[last];
    folder->count = 0; /* they are another's now */
    return count;
}

static enum status put_in_place(struct outfolder *folder, bool quiet, struct fault *fault)
{
    enum status status = write_manifest(folder, fault);
    for (size_t i = 0; i < folder->count && status == STATUS_OK; i++)
        status = outfolder_check(folder, folder->places[i].name, fault);
    if (status != STATUS_OK)
        return status;
    struct replaced *all = mem_alloc(folder->count + folder->before.files_count, sizeof *all);
    if (!all)
        return fault_nomem(fault);
    size_t count = list_places(folder, all);
    status = replacement_make(folder->path, all, count, fault);
    if (status == STATUS_OK)
        status = tell(folder, all, count, quiet, fault);
    replacement_free(all, count);
    mem_free(all);
    return status;
}

/* All of them or, where a signal came before, none. */
enum status outfolder_commit(struct outfolder *folder, bool quiet, struct fault *fault)
{
    signals_hold();
    enum status status = stop_check(fault);
    if (status == STATUS_OK)
        status = keep_of_others(folder, true, fault);
    if (status == STATUS_OK)
        status = put_in_place(folder, quiet, fault);
    signals_release();
    return status;
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
    replacement_free(folder->places, folder->count);
    signals_forget_file(folder->path);
    remove_made(folder);
    if (folder->lock_plus_1)
        close(folder->lock_plus_1 - 1);
    manifest_free(&folder->before);
    if (folder->kept)
        folder->end_kept(folder->kept);
    mem_free(folder->provenance.select);
    mem_free(folder->path);
    mem_free(folder);
}
