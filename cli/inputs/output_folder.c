#include "cli/inputs/output_folder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "cli/inputs/provenance.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "parser/mem.h"

static bool has_option(const struct option *const *options, const struct option *wanted)
{
    while (*options && *options != wanted)
        options++;
    return *options == wanted;
}

/* ---- the store ---- */

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

/* An output folder with its store; a store itself can have a folder of that name too. */
static bool is_output_folder(const char *path) { return has_folder(path, "store") && !has_file(path, "data.mdb"); }

static char *copy_of(const char *text)
{
    char *copy = mem_alloc(strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
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

static enum status find_store(const struct settings *settings, struct output_folder *folder, struct fault *fault)
{
    const char *given = settings->store;
    if (!given)
        given = is_output_folder("unktx-out") ? "unktx-out" : "unktx-store";
    if (is_output_folder(given)) {
        folder->path = copy_of(given);
        folder->store = outfile_join(given, "store");
        return folder->path && folder->store ? STATUS_OK : fault_nomem(fault);
    }
    folder->store = copy_of(given);
    char *real = realpath(given, NULL);
    if (real)
        folder->path = parent_of(real);
    free(real);
    return folder->store ? STATUS_OK : fault_nomem(fault);
}

/* ---- rules and filters ---- */

/* As on a command line: --rules core-22 --compress. */
static void print_rules(struct printer *printer, enum rules rules, bool compress, const char *exclude,
                        const char *scripts)
{
    PRINT(printer, "--rules %s%s", rules_name(rules), compress ? " --compress" : "");
    if (exclude && *exclude)
        PRINT(printer, " --exclude-scripts %s", exclude);
    if (scripts && *scripts)
        PRINT(printer, " --scripts %s", scripts);
}

static enum status say(struct printer *printer, struct fault *fault)
{
    if (printer->status == STATUS_OK)
        message("%.*s", (int)printer->text.size, printer->text.bytes);
    enum status status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    text_free(&printer->text);
    return status;
}

/* The file is what it was when the tables were made. */
static enum status check_input(const struct manifest_input *input, const struct output_folder *folder,
                               struct fault *fault)
{
    char hex[DATAPACKAGE_HEX];
    if (!input->sha256[0])
        return STATUS_OK;
    enum status status = provenance_hash_file(input->path, hex, fault);
    if (status == STATUS_OK && strcmp(hex, input->sha256) == 0)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, input->path, FAULT_NO_OFFSET,
                     "is not the file that the tables in %s were made with; with --rules the command line alone counts",
                     folder->path);
}

/* Takes over a filter that the command has an option for and was not given. */
static enum status take_input(const char **setting, bool has, const struct manifest_input *input,
                              const struct output_folder *folder, struct fault *fault)
{
    if (!has || *setting || !input->path[0])
        return STATUS_OK;
    *setting = input->path;
    return check_input(input, folder, fault);
}

static enum status take_rules(const struct option *const *options, struct settings *settings,
                              const struct output_folder *folder, struct fault *fault)
{
    const struct manifest *manifest = &folder->manifest;
    struct printer printer = {0};
    settings->rules = manifest->rules;
    if (has_option(options, &option_compress))
        settings->compress |= manifest->compress;
    enum status status = take_input(&settings->exclude_scripts, has_option(options, &option_exclude_scripts),
                                    &manifest->exclude_scripts, folder, fault);
    if (status == STATUS_OK)
        status = take_input(&settings->scripts, has_option(options, &option_scripts), &manifest->scripts, folder,
                            fault);
    if (status != STATUS_OK)
        return status;
    print_rules(&printer, settings->rules, settings->compress, settings->exclude_scripts, settings->scripts);
    PRINT(&printer, ", by the tables in %s", folder->path);
    return say(&printer, fault);
}

static bool differs(const struct option *const *options, const struct settings *settings,
                    const struct manifest *manifest)
{
    return settings->rules != manifest->rules ||
           (has_option(options, &option_compress) && settings->compress != manifest->compress) ||
           (has_option(options, &option_exclude_scripts) &&
            !settings->exclude_scripts != !manifest->exclude_scripts.path[0]) ||
           (has_option(options, &option_scripts) && !settings->scripts != !manifest->scripts.path[0]);
}

/* The command line has the last word; what lies in the folder is then something else. */
static enum status tell_difference(const struct option *const *options, const struct settings *settings,
                                   const struct output_folder *folder, struct fault *fault)
{
    const struct manifest *manifest = &folder->manifest;
    struct printer printer = {0};
    if (!differs(options, settings, manifest))
        return STATUS_OK;
    PRINT(&printer, "the tables in %s are of ", folder->path);
    print_rules(&printer, manifest->rules, manifest->compress, manifest->exclude_scripts.path, manifest->scripts.path);
    PRINT(&printer, "; this is of ");
    print_rules(&printer, settings->rules, settings->compress, settings->exclude_scripts, settings->scripts);
    return say(&printer, fault);
}

enum status output_folder_apply(const struct option *const *options, struct settings *settings,
                                struct output_folder *folder, struct fault *fault)
{
    if (!has_option(options, &option_read_store))
        return STATUS_OK;
    enum status status = find_store(settings, folder, fault);
    if (status != STATUS_OK)
        return status;
    settings->store = folder->store;
    if (!folder->path || !has_option(options, &option_rules))
        return STATUS_OK;
    status = manifest_read(folder->path, &folder->manifest, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    return settings->rules_given ? tell_difference(options, settings, folder, fault)
                                 : take_rules(options, settings, folder, fault);
}

void output_folder_free(struct output_folder *folder)
{
    manifest_free(&folder->manifest);
    mem_free(folder->store);
    mem_free(folder->path);
    folder->store = folder->path = NULL;
}
