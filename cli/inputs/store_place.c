#include "cli/inputs/store_place.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "cli/output/manifest.h"
#include "cli/output/outfile.h"
#include "parser/mem.h"

#define STORE_FILE "data.mdb"

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool has_folder(const char *path, const char *name)
{
    char *inside = outfile_join(path, name);
    bool has = inside && is_folder(inside);
    mem_free(inside);
    return has;
}

static bool has_file(const char *path, const char *name)
{
    struct stat st;
    char *inside = outfile_join(path, name);
    bool has = inside && stat(inside, &st) == 0;
    mem_free(inside);
    return has;
}

static bool is_store(const char *path) { return has_file(path, STORE_FILE); }
static bool has_store(const char *path) { return has_file(path, "store/" STORE_FILE); }

/* A store itself can have a folder of that name too. */
static bool is_analyzed(const char *path) { return has_folder(path, "store") && !is_store(path); }

/* Does it have tables of unktx? Their store is made in it as analyze does, and not among them. */
static enum status has_tables(const char *path, bool *has, struct fault *fault)
{
    struct manifest manifest = {0};
    struct fault why;
    *has = false;
    if (!has_file(path, DATAPACKAGE_NAME))
        return STATUS_OK;
    enum status status = manifest_read(path, &manifest, &why);
    manifest_free(&manifest);
    *has = status == STATUS_OK;
    return status == STATUS_NOMEM ? fault_nomem(fault) : STATUS_OK;
}

static char *copy_of(const char *text)
{
    char *copy = mem_alloc(strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
}

/* Which of the two is meant nobody can tell: scan and index once made the second one. */
static enum status refuse_two(const char *path, bool has_option, struct fault *fault)
{
    if (!is_store(path) || !has_store(path))
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                     "has two stores, %s/" STORE_FILE " and %s/store/" STORE_FILE ": %s%s%s", path, path,
                     has_option ? "name the second one with --store " : "", has_option ? path : "",
                     has_option ? "/store, or move one of the two away" : "move one of the two away");
}

/* The folder that the store lies in by the name that analyze gives it; NULL: none. `real` is its absolute path. */
static char *parent_of(char *real)
{
    char *slash = strrchr(real, '/');
    if (!slash || slash == real || strcmp(slash, "/store") != 0)
        return NULL;
    *slash = '\0';
    return has_file(real, DATAPACKAGE_NAME) ? copy_of(real) : NULL;
}

static enum status take_inner(const char *path, char **store, char **folder, struct fault *fault)
{
    *folder = copy_of(path);
    *store = outfile_join(path, "store");
    return *folder && *store ? STATUS_OK : fault_nomem(fault);
}

static enum status take(const char *path, char **store, char **folder, struct fault *fault)
{
    *store = copy_of(path);
    char *real = realpath(path, NULL);
    if (real)
        *folder = parent_of(real);
    free(real);
    return *store ? STATUS_OK : fault_nomem(fault);
}

/* In a folder of analyze, or in a store, a user may take it for granted that this one is meant. */
static enum status refuse_here(struct fault *fault)
{
    if (!is_store(".") && !has_store("."))
        return STATUS_OK;
    return fault_set(fault, STATUS_NOT_FOUND, "unktx-store", FAULT_NO_OFFSET,
                     "is not here, but this folder %s: add --store . to use that",
                     is_store(".") ? "is a store itself" : "has a store in it, ./store");
}

static enum status find_at(const char *path, char **store, char **folder, struct fault *fault)
{
    bool has = false;
    enum status status = refuse_two(path, true, fault);
    if (status != STATUS_OK)
        return status;
    if (is_analyzed(path))
        return take_inner(path, store, folder, fault);
    if (!is_store(path))
        status = has_tables(path, &has, fault);
    if (status != STATUS_OK)
        return status;
    return has ? take_inner(path, store, folder, fault) : take(path, store, folder, fault);
}

enum status store_place_find(const char *given, char **store, char **folder, struct fault *fault)
{
    *store = *folder = NULL;
    if (given)
        return find_at(given, store, folder, fault);
    enum status status = refuse_two("unktx-out", true, fault);
    if (status != STATUS_OK)
        return status;
    if (is_analyzed("unktx-out"))
        return take_inner("unktx-out", store, folder, fault);
    status = is_folder("unktx-store") ? STATUS_OK : refuse_here(fault);
    return status == STATUS_OK ? find_at("unktx-store", store, folder, fault) : status;
}

enum status store_place_in(const char *folder, char **store, struct fault *fault)
{
    *store = NULL;
    enum status status = refuse_two(folder, false, fault);
    if (status != STATUS_OK)
        return status;
    if (is_store(folder))
        return fault_set(fault, STATUS_REFUSED, folder, FAULT_NO_OFFSET,
                         "is a store itself, where no tables go: name another folder with -o");
    *store = outfile_join(folder, "store");
    return *store ? STATUS_OK : fault_nomem(fault);
}
