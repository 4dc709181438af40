#include "cli/output/listed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/output/outfile.h"
#include "cli/output/partitions.h"
#include "cli/output/schema.h"
#include "parser/mem.h"

/* ---- one file ---- */

/* The path with links followed, with a slash in it, of mem_alloc; of a file that is not there as it was given. NULL
 * without memory. */
static char *real_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *real = realpath(path, NULL), *copy = NULL;
    if (real) {
        copy = mem_alloc(strlen(real) + 1, 1);
        if (copy)
            memcpy(copy, real, strlen(real) + 1);
    } else if (slash) {
        copy = mem_alloc(strlen(path) + 1, 1);
        if (copy)
            memcpy(copy, path, strlen(path) + 1);
    } else {
        copy = outfile_join(".", path);
    }
    free(real);
    return copy;
}

/* Only a regular file is read: to open a FIFO would wait for its writer. */
static bool has_manifest(const char *folder)
{
    struct stat st;
    char *path = outfile_join(folder, DATAPACKAGE_NAME);
    bool has = path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    mem_free(path);
    return has;
}

static enum status refuse_in(const char *folder, const char *name, const char *path, struct fault *fault)
{
    struct manifest manifest = {0};
    struct fault why;
    if (!has_manifest(folder))
        return STATUS_OK;
    enum status status = manifest_read(folder, &manifest, &why);
    bool listed = status == STATUS_OK && manifest_find(&manifest, name);
    manifest_free(&manifest);
    if (status == STATUS_REFUSED) { /* none that tells of tables in this folder: of a dump, perhaps */
        struct partitions dump = {0};
        status = partitions_read(folder, &dump, &why);
        partitions_free(&dump);
    }
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status == STATUS_OK && strcmp(name, DATAPACKAGE_NAME) == 0)
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "tells what the tables beside it are: name another file with -o");
    if (!listed)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                     "is listed in " DATAPACKAGE_NAME
                     " beside it, with its SHA-256 and rule set: name another file with -o");
}

enum status listed_refuse(const char *path, struct fault *fault)
{
    char *real = real_path(path);
    if (!real)
        return fault_nomem(fault);
    char *slash = strrchr(real, '/'); /* there is one */
    *slash = '\0';
    enum status status = refuse_in(*real ? real : "/", slash + 1, path, fault);
    mem_free(real);
    return status;
}

/* By dags, if not in every run. */
static bool is_written(const char *name)
{
    const struct table_schema *table = schema_of_file(name);
    if (strcmp(name, DATAPACKAGE_NAME) == 0 || strcmp(name, "summary.json") == 0)
        return true;
    return table && table != &schema_timings && listed_may_make(FOLDER_DAGS, name);
}

enum status listed_refuse_own(const char *path, const char *folder, const char *option, struct fault *fault)
{
    struct stat there, own;
    char *real = real_path(path);
    if (!real)
        return fault_nomem(fault);
    char *slash = strrchr(real, '/'); /* there is one */
    *slash = '\0';
    bool same = stat(*real ? real : "/", &there) == 0 && stat(folder, &own) == 0 && there.st_dev == own.st_dev &&
                there.st_ino == own.st_ino;
    bool written = is_written(slash + 1);
    mem_free(real);
    if (!same || !written)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                     "is what this command writes itself: name another file with %s", option);
}

/* ---- who wrote them ---- */

/* The form of export that gives such a name; false: none does. */
static bool find_form(const char *name, enum folder_maker *maker)
{
    static const struct {
        const char *begins;
        enum folder_maker maker;
    } names[] = {
        {"nodes-", FOLDER_NEO4J}, {"relationships-", FOLDER_NEO4J}, {"nodes.", FOLDER_EDGES}, {"edges.", FOLDER_EDGES}};
    const char *end = strrchr(name, '.');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *maker = names[i].maker;
        if (end && strcmp(end, ".csv") == 0 && strncmp(name, names[i].begins, strlen(names[i].begins)) == 0)
            return true;
    }
    return false;
}

bool listed_is_of_export(const char *name)
{
    enum folder_maker maker;
    return find_form(name, &maker);
}

/* The first command that writes a file of this name. */
static enum folder_maker first_maker(const char *name)
{
    static const struct {
        const char *name;
        enum folder_maker maker;
    } files[] = {{"payers.csv", FOLDER_FLOWS},  {"payees.csv", FOLDER_FLOWS},         {"outputs.csv", FOLDER_ANALYZE},
                 {"stats.csv", FOLDER_ANALYZE}, {"stats-by-day.csv", FOLDER_ANALYZE}, {"report.html", FOLDER_ANALYZE},
                 {"ties.csv", FOLDER_TIES},     {"groups.csv", FOLDER_TIES}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(name, files[i].name) == 0)
            return files[i].maker;
    }
    enum folder_maker form;
    return find_form(name, &form) ? form : FOLDER_DAGS;
}

enum folder_maker listed_maker(const struct manifest *manifest)
{
    enum folder_maker maker = FOLDER_FLOWS;
    for (size_t i = 0; i < manifest->files_count; i++) {
        enum folder_maker first = first_maker(manifest->files[i].name);
        maker = first > maker ? first : maker;
    }
    return maker;
}

const char *listed_maker_name(enum folder_maker maker)
{
    static const char *const names[] = {
        [FOLDER_FLOWS] = "flows", [FOLDER_DAGS] = "dags",          [FOLDER_ANALYZE] = "analyze",
        [FOLDER_TIES] = "ties",   [FOLDER_NEO4J] = "export neo4j", [FOLDER_EDGES] = "export edges"};
    return names[maker];
}

bool listed_may_make(enum folder_maker maker, const char *name)
{
    enum folder_maker first = first_maker(name);
    return first == maker || (first < maker && maker != FOLDER_TIES && maker < FOLDER_NEO4J);
}
