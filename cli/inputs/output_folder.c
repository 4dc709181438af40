#include "cli/inputs/output_folder.h"

#include "cli/inputs/chosen.h"
#include "cli/inputs/provenance.h"
#include "cli/inputs/store_place.h"
#include "cli/inputs/tables_before.h"
#include "cli/output/message.h"
#include "cli/output/text.h"
#include "parser/mem.h"

static bool has_option(const struct option *const *options, const struct option *wanted)
{
    while (*options && *options != wanted)
        options++;
    return *options == wanted;
}

/* ---- rules and filters ---- */

/* As on a command line, each after a space. */
static void print_filters(struct printer *printer, bool compress, const char *exclude, const char *scripts)
{
    if (compress)
        PRINT(printer, " --compress");
    if (exclude)
        PRINT(printer, " --exclude-scripts %s", exclude);
    if (scripts)
        PRINT(printer, " --known-scripts %s", scripts);
}

/* As on a command line: --rules core-22 --compress. */
static void print_rules(struct printer *printer, enum rules rules, bool compress, const char *exclude,
                        const char *scripts)
{
    PRINT(printer, "--rules %s", rules_name(rules));
    print_filters(printer, compress, exclude, scripts);
}

/* The file is what it was when the tables were made. */
static enum status check_input(const struct manifest_input *input, const struct output_folder *folder,
                               struct fault *fault)
{
    char hex[DATAPACKAGE_HEX];
    if (!input->sha256[0])
        return STATUS_OK;
    enum status status = manifest_hash_file(input->path, "the file", hex, fault);
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
    if (!has || *setting || !input->path)
        return STATUS_OK;
    *setting = input->path;
    return check_input(input, folder, fault);
}

static bool writes_folder(const struct settings *settings, const struct output_folder *folder)
{
    return settings->out && has_option(folder->options, &option_out_folder);
}

/* Tables of two runs side by side, which the manifest then tells wrongly of: what would be taken over from it is
 * refused. A command that makes the tables again goes on. */
static enum status check_tables(const struct settings *settings, const struct output_folder *folder, bool takes_rules,
                                struct fault *fault)
{
    if (writes_folder(settings, folder))
        return STATUS_OK;
    enum status status = manifest_check(&folder->manifest, folder->path, fault);
    if (status != STATUS_REFUSED)
        return status;
    if (takes_rules)
        return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                         "the tables there do not belong together: a run into this folder was cut off, or a file was "
                         "changed (%s does not tell of all as they are). Run 'unktx analyze' or 'unktx dags' with "
                         "-o %.80s again; with --rules the command line alone counts",
                         DATAPACKAGE_NAME, folder->path);
    message_fault(fault);
    return STATUS_OK;
}

/* The option of the command that says which rule set; NULL: it has none. */
static const struct option *rules_option(const struct option *const *options)
{
    while (*options && (*options)->type != OPTION_RULES)
        options++;
    return *options;
}

static enum status take_rules(struct settings *settings, const struct output_folder *folder, struct fault *fault)
{
    const struct option *const *options = folder->options;
    const struct manifest *manifest = &folder->manifest;
    if (!strstr(rules_option(options)->value, rules_name(manifest->rules)))
        return fault_set(fault, STATUS_REFUSED, folder->path, FAULT_NO_OFFSET,
                         "the tables there are of the rule set %s, which this command does not have: name another one "
                         "with --rules",
                         rules_name(manifest->rules));
    settings->rules = manifest->rules;
    if (has_option(options, &option_compress))
        settings->compress |= manifest->compress;
    enum status status = take_input(&settings->exclude_scripts, has_option(options, &option_exclude_scripts),
                                    &manifest->exclude_scripts, folder, fault);
    return status == STATUS_OK ? take_input(&settings->scripts, has_option(options, &option_known_scripts),
                                            &manifest->scripts, folder, fault)
                               : status;
}

/* The tables were made with a filter that the command does not have, after which the T-DAGs have other numbers. */
static bool is_numbered_apart(const struct settings *settings, const struct manifest *manifest)
{
    return (manifest->compress && !settings->compress) ||
           (manifest->exclude_scripts.path && !settings->exclude_scripts);
}

/* The numbers in tables of some T-DAGs, or made with other filters, are those of their rows: one that is given becomes
 * the T-DAG's first txid. */
static enum status take_number(struct settings *settings, struct output_folder *folder, struct fault *fault)
{
    struct tables_before tables = {0};
    const struct manifest *manifest = &folder->manifest;
    bool by_row = manifest->select || is_numbered_apart(settings, manifest);
    uint64_t number = settings->dag && by_row ? chosen_number(settings->dag) : 0;
    if (number == 0)
        return STATUS_OK;
    enum status status = tables_before_read(folder->path, (unsigned)settings->threads, &tables, fault);
    if (status == STATUS_OK && number > tables.tdags_count)
        status = fault_set(fault, STATUS_NOT_FOUND, folder->path, FAULT_NO_OFFSET,
                           "no T-DAG %llu: the tables there have %zu%s%s", ULL(number), tables.tdags_count,
                           manifest->select ? ", those of " : "", manifest->select ? manifest->select : "");
    if (status == STATUS_OK) {
        *hash256_hex(&tables.tdags[number - 1].first_txid, folder->dag) = '\0';
        folder->dag_number = number;
        settings->dag = folder->dag;
    }
    tables_before_free(&tables);
    return status;
}

/* travel has no height of its own, and needs a rule set with --unknown alone. */
static bool goes_by_tables(const struct option *const *options, const struct settings *settings)
{
    return has_option(options, &option_as_of_height) ||
           (rules_option(options) == &option_rules && settings->only_unknown);
}

enum status output_folder_apply(const struct option *const *options, struct settings *settings,
                                struct output_folder *folder, struct fault *fault)
{
    bool makes = has_option(options, &option_store), given = settings->store != NULL;
    folder->options = options;
    if (!makes && !has_option(options, &option_read_store))
        return STATUS_OK;
    enum status status = store_place_find(settings->store, &folder->store, &folder->path, fault);
    if (status != STATUS_OK)
        return status;
    settings->store = folder->store;
    if (makes && !given && folder->path && !settings->quiet)
        message("the store is %s, since there is %s here; --store names another", folder->store, folder->path);
    if (!folder->path || !goes_by_tables(options, settings))
        return STATUS_OK;
    status = manifest_read(folder->path, &folder->manifest, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    settings->tables = folder;
    bool takes_rules = !settings->rules_given && rules_option(options);
    status = check_tables(settings, folder, takes_rules, fault);
    if (status == STATUS_OK && takes_rules)
        status = take_rules(settings, folder, fault);
    return status == STATUS_OK && takes_rules ? take_number(settings, folder, fault) : status;
}

enum status output_folder_tell_number(const struct settings *settings, uint32_t last_block, enum status status,
                                      struct fault *fault)
{
    const struct output_folder *folder = settings->tables;
    if (status != STATUS_NOT_FOUND || !folder || folder->dag_number == 0)
        return status;
    return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                     "no T-DAG %llu: in the tables of %s it begins with transaction %s, which is in no T-DAG up to "
                     "block %u",
                     ULL(folder->dag_number), folder->path, folder->dag, (unsigned)last_block);
}

/* ---- the last block ---- */

enum status output_folder_has_block(const struct store *store, uint32_t height, const struct hash256 *hash,
                                    bool *has_block, struct fault *fault)
{
    struct store_reader *reader = NULL;
    struct block_record block;
    *has_block = false;
    if (height >= store_totals_of(store).blocks)
        return STATUS_OK;
    enum status status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = store_block(reader, height, &block, fault);
    if (status == STATUS_OK)
        *has_block = hash256_equal(&block.hash, hash);
    if (reader)
        store_reader_close(reader);
    return status;
}

/* ---- what is said of it ---- */

/* A filter that the command has no option for counts too: without it T-DAGs have other numbers. */
static bool differs(const struct settings *settings, const struct output_folder *folder)
{
    const struct option *const *options = folder->options;
    const struct manifest *manifest = &folder->manifest;
    if (!rules_option(options))
        return false;
    return settings->rules != manifest->rules || settings->compress != manifest->compress ||
           (manifest->select && !writes_folder(settings, folder)) ||
           !settings->exclude_scripts != !manifest->exclude_scripts.path ||
           (has_option(options, &option_known_scripts) && !settings->scripts != !manifest->scripts.path);
}

/* What the answer is of, and where its tables end somewhere else. */
struct ends {
    uint32_t store;
    uint32_t answer;
    bool taken;             /* the answer's is that of the tables */
    bool differs;           /* it is another one, or another block of that height */
    bool on_another_branch; /* the tables' block is not in the store, which has another one of that height */
};

/* The command line has the last word; what lies in the folder is then something else. */
static void print_difference(struct printer *printer, const struct settings *settings, const struct ends *ends)
{
    const struct output_folder *folder = settings->tables;
    const struct manifest *manifest = &folder->manifest;
    PRINT(printer, "the tables in %s are of ", folder->path);
    print_rules(printer, manifest->rules, manifest->compress, manifest->exclude_scripts.path, manifest->scripts.path);
    if (manifest->select)
        PRINT(printer, " and have only T-DAGs of %s (dag_id is another there, names are the same)", manifest->select);
    if (ends->differs)
        PRINT(printer, " to block %u%s", (unsigned)manifest->tip_height,
              ends->on_another_branch ? " of another branch" : "");
    PRINT(printer, "; this is of ");
    print_rules(printer, settings->rules, settings->compress, settings->exclude_scripts, settings->scripts);
    if (ends->differs)
        PRINT(printer, " to block %u", (unsigned)ends->answer);
}

/* A filter is the tables' own where the setting borrows it of them (take_input). */
static void print_taken_rules(struct printer *printer, const struct settings *settings)
{
    const struct manifest *manifest = &settings->tables->manifest;
    bool takes_exclude = settings->exclude_scripts == manifest->exclude_scripts.path;
    bool takes_scripts = settings->scripts == manifest->scripts.path;
    const char *exclude = takes_exclude ? NULL : settings->exclude_scripts;
    const char *scripts = takes_scripts ? NULL : settings->scripts;
    bool compress = settings->compress && !manifest->compress;
    print_rules(printer, settings->rules, settings->compress && manifest->compress,
                takes_exclude ? settings->exclude_scripts : NULL, takes_scripts ? settings->scripts : NULL);
    if (!compress && !exclude && !scripts)
        return;
    PRINT(printer, "; of the command line:");
    print_filters(printer, compress, exclude, scripts);
}

/* Why numbers of T-DAGs are others in the tables, if they are. */
static void print_numbered_apart(struct printer *printer, const struct settings *settings)
{
    const struct manifest *manifest = &settings->tables->manifest;
    bool apart = is_numbered_apart(settings, manifest);
    if (!manifest->select && !apart)
        return;
    PRINT(printer, ", which ");
    if (manifest->select)
        PRINT(printer, "have only T-DAGs of %s%s", manifest->select, apart ? " and " : "");
    if (apart)
        PRINT(printer, "were made with");
    if (apart)
        print_filters(printer, manifest->compress && !settings->compress,
                      settings->exclude_scripts ? NULL : manifest->exclude_scripts.path, NULL);
    PRINT(printer, ": dag_id is another there, names are the same");
}

static void print_taken(struct printer *printer, const struct settings *settings, const struct ends *ends)
{
    const struct output_folder *folder = settings->tables;
    bool has_rules = rules_option(folder->options) != NULL;
    if (has_rules || ends->taken)
        PRINT(printer, "as in the tables of %s:%s", folder->path, has_rules ? " " : "");
    if (has_rules)
        print_taken_rules(printer, settings);
    if (ends->taken)
        PRINT(printer, " --to-height %u (the store goes on to block %u)", (unsigned)ends->answer,
              (unsigned)ends->store);
    if (has_rules)
        print_numbered_apart(printer, settings);
    if (!ends->differs)
        return;
    if (has_rules)
        PRINT(printer, "; ");
    PRINT(printer, "this is to block %u, the tables%s%s end with block %u%s", (unsigned)ends->answer,
          has_rules ? "" : " in ", has_rules ? "" : folder->path, (unsigned)folder->manifest.tip_height,
          ends->on_another_branch ? " of another branch" : "");
}

static enum status keep(struct printer *printer, struct fault *fault)
{
    if (printer->status == STATUS_OK && printer->text.size > 0)
        message_before_answer("%.*s", (int)printer->text.size, printer->text.bytes);
    enum status status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    text_free(&printer->text);
    return status;
}

/* The height that a command shows the store as of, where *height is that of its command line. The rule set hidden is as
 * of the end of its store, and another one as of any other block. */
static enum status take_height(const struct settings *settings, const struct store *store, uint32_t *height,
                               bool *has_block, struct fault *fault)
{
    const struct manifest *manifest = &settings->tables->manifest;
    *has_block = true;
    if (!manifest->has_tip)
        return STATUS_OK;
    enum status status = output_folder_has_block(store, manifest->tip_height, &manifest->tip, has_block, fault);
    if (status == STATUS_OK && *has_block && manifest->tip_height + 1 < store_totals_of(store).blocks &&
        has_option(settings->tables->options, &option_as_of_height) && *height == UINT32_MAX &&
        !settings->rules_given && settings->rules != RULES_HIDDEN && !writes_folder(settings, settings->tables))
        *height = manifest->tip_height;
    return status;
}

enum status output_folder_height(const struct settings *settings, const struct store *store, uint32_t *height,
                                 struct fault *fault)
{
    bool has_block;
    *height = (uint32_t)settings->to_height;
    return settings->tables ? take_height(settings, store, height, &has_block, fault) : STATUS_OK;
}

/* The last block of the chain: a store of the rule set hidden may end before the one that it lies in. */
static enum status chain_end(const struct settings *settings, const struct store *store, uint32_t *end,
                             struct fault *fault)
{
    struct store *main_store = NULL;
    enum status status = STATUS_OK;
    *end = store_totals_of(store).blocks - 1;
    if (!settings->main_store || settings->rules == RULES_HIDDEN)
        return STATUS_OK;
    status = store_open(settings->main_store, STORE_READ, NULL, &main_store, fault);
    if (status == STATUS_OK && store_totals_of(main_store).blocks > *end)
        *end = store_totals_of(main_store).blocks - 1;
    store_close(main_store);
    return status;
}

enum status output_folder_settle(const struct settings *settings, const struct store *store, uint32_t *height,
                                 struct fault *fault)
{
    const struct output_folder *folder = settings->tables;
    const struct manifest *manifest = &folder->manifest;
    struct printer printer = {0};
    struct ends ends = {0};
    const uint32_t asked = *height, last = store_totals_of(store).blocks - 1;
    bool has_block, writes = writes_folder(settings, folder);
    enum status status = take_height(settings, store, height, &has_block, fault);
    if (status == STATUS_OK)
        status = chain_end(settings, store, &ends.store, fault);
    if (status != STATUS_OK)
        return status;
    ends.answer = *height < last ? *height : last;
    ends.taken = asked == UINT32_MAX && ends.answer < ends.store;
    ends.differs = manifest->has_tip && !writes && (!has_block || ends.answer != manifest->tip_height);
    ends.on_another_branch = !has_block && manifest->tip_height <= last;
    if (settings->rules_given && rules_option(folder->options)) {
        if (differs(settings, folder) || ends.differs)
            print_difference(&printer, settings, &ends);
    } else {
        print_taken(&printer, settings, &ends);
    }
    return keep(&printer, fault);
}

void output_folder_free(struct output_folder *folder)
{
    manifest_free(&folder->manifest);
    mem_free(folder->store);
    mem_free(folder->path);
    folder->store = folder->path = NULL;
}
