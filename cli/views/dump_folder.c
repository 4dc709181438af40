#include "cli/views/dump_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/manifest.h"
#include "cli/output/outfolder.h"
#include "cli/views/dump_rows.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* ---- whose it is ---- */

static bool same_tables(const struct partitions *a, const struct partitions *b)
{
    for (unsigned t = 0; t < PARTITIONS_TABLES; t++) {
        const struct partition_table *made = &a->tables[t], *now = &b->tables[t];
        if ((made->schema != NULL) != (now->schema != NULL) || (now->schema && !partitions_same_columns(made, now)))
            return false;
    }
    return true;
}

/* In what the dump before differs from this one; NULL: in nothing. */
static const char *difference(const struct partitions *before, const struct partitions *plan)
{
    if (strcmp(before->network, plan->network) != 0)
        return "another network";
    if (!same_tables(before, plan))
        return "other tables or columns";
    if (before->rule.is_packed != plan->rule.is_packed)
        return "another --compress";
    if (before->rule.rows_per_file != plan->rule.rows_per_file ||
        before->rule.blocks_per_file != plan->rule.blocks_per_file)
        return "another --rows-per-file or --blocks-per-file";
    return before->rule.from_height != plan->rule.from_height ? "another --from-height" : NULL;
}

static enum status agree(const struct dump_folder *folder, const struct partitions *plan, struct fault *fault)
{
    const char *what = folder->has_before && !folder->replace ? difference(&folder->before, plan) : NULL;
    if (!what)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                     "has a dump of %s: name another folder with -o, or have it replaced with --replace%s", what,
                     folder->resume ? " in place of --resume" : "");
}

enum status dump_folder_open(struct dump_folder *folder, const struct partitions *plan, struct fault *fault)
{
    size_t there;
    enum status status = outfile_make_folder(folder->path, &there, fault);
    if (status == STATUS_OK)
        status = outfolder_lock(folder->path, &folder->lock_plus_1, fault);
    if (status != STATUS_OK)
        return status;
    status = partitions_read(folder->path, &folder->before, fault);
    folder->has_before = status == STATUS_OK;
    status = status == STATUS_NOT_FOUND ? STATUS_OK : manifest_in_the_way(status, fault);
    return status == STATUS_OK ? agree(folder, plan, fault) : status;
}

void dump_folder_close(struct dump_folder *folder)
{
    if (folder->lock_plus_1) {
        (void)fsync(folder->lock_plus_1 - 1); /* the names; some file systems cannot */
        close(folder->lock_plus_1 - 1);
    }
    partitions_free(&folder->before);
}

/* ---- what may be done in it ---- */

/* What is at a path of the folder; *mode 0: nothing. */
static enum status look(const struct dump_folder *folder, const char *name, mode_t *mode, struct fault *fault)
{
    struct stat st;
    char *path = outfile_join(folder->path, name);
    if (!path)
        return fault_nomem(fault);
    *mode = 0;
    enum status status = STATUS_OK;
    if (lstat(path, &st) == 0)
        *mode = st.st_mode;
    else if (errno != ENOENT)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be looked at");
    mem_free(path);
    return status;
}

/* Nothing is there, or what a dump makes. */
static enum status check(const struct dump_folder *folder, const char *name, mode_t kind, struct fault *fault)
{
    mode_t mode;
    enum status status = look(folder, name, &mode, fault);
    if (status != STATUS_OK || mode == 0 || (mode & S_IFMT) == kind)
        return status;
    return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                     "has %s by the name of %s, which is not replaced: take it away, or name another folder with -o",
                     S_ISREG(mode)   ? "a file"
                     : S_ISLNK(mode) ? "a link"
                                     : file_kind(mode),
                     name);
}

/* The folder of a file, in the folder of the dump. */
static void folder_of(const struct partition *file, char name[PARTITION_PATH_SIZE])
{
    snprintf(name, PARTITION_PATH_SIZE, "%s", file->path);
    *strrchr(name, '/') = '\0'; /* there is one */
}

static enum status check_file(const struct dump_folder *folder, const struct partition *file, struct fault *fault)
{
    char name[PARTITION_PATH_SIZE];
    folder_of(file, name);
    enum status status = check(folder, name, S_IFDIR, fault);
    return status == STATUS_OK ? check(folder, file->path, S_IFREG, fault) : status;
}

/* The folder of a table is there before a dump's manifest only if something else made it. */
static enum status check_table(const struct dump_folder *folder, const char *table, struct fault *fault)
{
    mode_t mode;
    enum status status = check(folder, table, S_IFDIR, fault);
    if (status != STATUS_OK || folder->has_before || folder->replace)
        return status;
    status = look(folder, table, &mode, fault);
    if (status != STATUS_OK || mode == 0)
        return status;
    return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                     "has a folder %s that is not of a dump before (there is no %s), so nothing is written into it: "
                     "name another folder with -o, or replace it with --replace",
                     table, DATAPACKAGE_NAME);
}

enum status dump_folder_check(const struct dump_folder *folder, const struct partitions *plan, struct fault *fault)
{
    enum status status = check(folder, DATAPACKAGE_NAME, S_IFREG, fault);
    for (unsigned t = 0; t < PARTITIONS_TABLES && status == STATUS_OK; t++) {
        const struct partition_table *table = &plan->tables[t];
        if (table->schema)
            status = check_table(folder, dump_table_name((enum dump_table)t), fault);
        for (size_t i = 0; i < table->files.count && status == STATUS_OK; i++)
            status = check_file(folder, &table->files.at[i], fault);
    }
    return status;
}

/* ---- what an earlier dump has left ---- */

/* "height=000000-009999": no other name is touched. */
static bool is_ours(const char *name)
{
    static const char begin[] = "height=";
    if (strncmp(name, begin, sizeof begin - 1) != 0 || strlen(name) >= PARTITION_PATH_SIZE / 2)
        return false;
    name += sizeof begin - 1;
    size_t low = strspn(name, "0123456789");
    if (low < 6 || name[low] != '-')
        return false;
    size_t high = strspn(name + low + 1, "0123456789");
    return high >= 6 && name[low + 1 + high] == '\0';
}

static enum status remove_file(const struct dump_folder *folder, const char *name, size_t *removed, struct fault *fault)
{
    mode_t mode;
    enum status status = look(folder, name, &mode, fault);
    if (status != STATUS_OK || !S_ISREG(mode))
        return status;
    char *path = outfile_join(folder->path, name);
    if (!path)
        return fault_nomem(fault);
    if (unlink(path) != 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be removed");
    else
        ++*removed;
    mem_free(path);
    return status;
}

/* The two files that may be in a folder height=..., and then the folder if nothing else is in it. */
static enum status clear_height(const struct dump_folder *folder, const struct partition_table *table,
                                const char *height, size_t *removed, struct fault *fault)
{
    static const char *const files[] = {"part.csv", "part.csv.zst"};
    struct partition like = {0};
    mode_t mode;
    enum status status = look(folder, height, &mode, fault);
    if (status != STATUS_OK || !S_ISDIR(mode))
        return status;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == STATUS_OK; i++) {
        snprintf(like.path, sizeof like.path, "%.48s/%s", height, files[i]);
        if (!partitions_find(table, like.path))
            status = remove_file(folder, like.path, removed, fault);
    }
    dump_folder_leave(folder, &like);
    return status;
}

static enum status clear_table(const struct dump_folder *folder, const struct partition_table *table, const char *name,
                               size_t *removed, struct fault *fault)
{
    char height[PARTITION_PATH_SIZE];
    const struct dirent *entry;
    mode_t mode;
    enum status status = look(folder, name, &mode, fault);
    if (status != STATUS_OK || !S_ISDIR(mode))
        return status;
    char *path = outfile_join(folder->path, name);
    DIR *listing = path ? opendir(path) : NULL;
    if (path && !listing)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be listed");
    while (listing && status == STATUS_OK && (entry = readdir(listing)) != NULL) {
        status = stop_check(fault);
        if (status != STATUS_OK || !is_ours(entry->d_name))
            continue;
        snprintf(height, sizeof height, "%s/%.40s", name, entry->d_name);
        status = clear_height(folder, table, height, removed, fault);
    }
    if (listing)
        closedir(listing);
    if (path && !table->schema)
        rmdir(path); /* if nothing is in it now */
    mem_free(path);
    return path ? status : fault_nomem(fault);
}

enum status dump_folder_clear(const struct dump_folder *folder, const struct partitions *plan, size_t *removed,
                              struct fault *fault)
{
    enum status status = STATUS_OK;
    for (unsigned t = 0; t < PARTITIONS_TABLES && status == STATUS_OK; t++) {
        const char *name = dump_table_name((enum dump_table)t);
        bool was_ours = folder->before.tables[t].schema || plan->tables[t].schema;
        if (was_ours && (folder->has_before || folder->replace))
            status = clear_table(folder, &plan->tables[t], name, removed, fault);
    }
    return status;
}

/* ---- one file ---- */

enum status dump_folder_begin(const struct dump_folder *folder, const struct partition *file, struct outfile *out,
                              struct fault *fault)
{
    char name[PARTITION_PATH_SIZE];
    size_t there;
    folder_of(file, name);
    enum status status = check_file(folder, file, fault);
    if (status != STATUS_OK)
        return status;
    char *path = outfile_join(folder->path, name);
    status = path ? outfile_make_folder(path, &there, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_open_in(out, path, strrchr(file->path, '/') + 1, fault);
    if (status == STATUS_OK && !out->is_new) /* it came after the check */
        status = fault_set(fault, STATUS_REFUSED, out->name, FAULT_NO_OFFSET, "is no file any more");
    mem_free(path);
    return status;
}

void dump_folder_leave(const struct dump_folder *folder, const struct partition *file)
{
    char name[PARTITION_PATH_SIZE];
    folder_of(file, name);
    char *path = outfile_join(folder->path, name);
    if (path && rmdir(path) == 0) { /* else something is in it */
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    mem_free(path);
}
