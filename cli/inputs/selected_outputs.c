#include "cli/inputs/selected_outputs.h"

#include <stdio.h>

#include "cli/inputs/chosen.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/output_folder.h"
#include "cli/output/message.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

#define FIELD(name) offsetof(struct settings, name)

const struct option option_select_script = {
    .name = "script",
    .type = OPTION_TEXT,
    .value = "REGEX",
    .field = FIELD(select_script),
    .printable = true,
    .help = "only outputs whose asm matches this POSIX extended regular expression",
};
const struct option option_select_template = {
    .name = "template",
    .type = OPTION_TEXT,
    .value = "T",
    .field = FIELD(select_template),
    .printable = true,
    .help = "only outputs of this template, as 'unktx templates' writes it; '\"\"' for an empty script",
};
const struct option option_select_known = {
    .name = "known",
    .type = OPTION_TEXT,
    .value = "NAME",
    .field = FIELD(select_known),
    .printable = true,
    .help = "only outputs that are this known script; see KNOWN SCRIPTS in man unktx-templates",
};
const struct option option_select_kind = {
    .name = "kind",
    .type = OPTION_CHOICE,
    .value = "nonstandard|nulldata|pubkey|multisig|scripthash|witness_v0_scripthash|witness_v1_taproot",
    .field = FIELD(select_kind),
    .help = "only outputs of this kind; the last three are unknown with --rules hidden only",
};
const struct option option_select_kind_of_core = {
    .name = "kind",
    .type = OPTION_CHOICE,
    .value = "nonstandard|nulldata|pubkey|multisig",
    .field = FIELD(select_kind),
    .help = "only outputs of this kind",
};
const struct option option_select_protocol = {
    .name = "protocol",
    .type = OPTION_TEXT,
    .value = "P",
    .field = FIELD(select_protocol),
    .printable = true,
    .help = "only outputs that this protocol wrote, as the column protocol of man unktx-outputs names it; other: those "
            "of none",
};
const struct option option_select_min_value = {
    .name = "min-value",
    .type = OPTION_NUMBER,
    .value = "SAT",
    .field = FIELD(min_value),
    .max = UINT64_MAX,
    .help = "only outputs of this many satoshis or more",
};
const struct option option_select_from_height = {
    .name = "from-height",
    .type = OPTION_NUMBER,
    .value = "H",
    .field = FIELD(from_height),
    .max = UINT32_MAX - 1,
    .help = "only outputs created in this block or later",
};
const struct option option_select_dag = {
    .name = "dag",
    .type = OPTION_TEXT,
    .value = "ID",
    .field = FIELD(dag),
    .printable = true,
    .help = "only outputs of transactions of this T-DAG, by its name, its number (as 'unktx dags' numbers them without "
            "--compress and --exclude-scripts; of a folder's tables that of the row), or the txid of one of its "
            "transactions",
};

/* Two quotes are what the tables have for an empty script. */
static const char *template_of(const char *given) { return given && strcmp(given, "\"\"") == 0 ? "" : given; }

static unsigned kind_mask(const char *name)
{
    for (unsigned k = 0; name && k < KINDS; k++)
        if (strcmp(kind_name((enum kind)k), name) == 0)
            return 1u << k;
    return 0;
}

static struct selector_query query_of(const struct settings *settings)
{
    return (struct selector_query){.script = settings->select_script,
                                   .template = template_of(settings->select_template),
                                   .known = settings->select_known,
                                   .protocol = settings->select_protocol,
                                   .kinds = kind_mask(settings->select_kind),
                                   .min_value_sat = settings->min_value};
}

/* As the selector will judge the words; names of --known-scripts are in its file. */
static enum status check_query(const struct settings *settings, struct fault *fault)
{
    static const uint8_t seed[STORE_SEED_SIZE];
    struct selector_query query = query_of(settings);
    struct catalogue catalogue = {0};
    struct selector *selector = NULL;
    if (settings->scripts)
        query.known = query.protocol = NULL;
    bool has_names = query.known || query.protocol;
    enum status status = has_names ? catalogue_read_built_in(&catalogue, fault) : STATUS_OK;
    if (status == STATUS_OK)
        status = selector_new(&catalogue, seed, &query, &selector, fault);
    selector_free(selector);
    catalogue_free(&catalogue);
    return status;
}

int selected_outputs_check(const struct settings *settings)
{
    struct fault fault = {0};
    if (settings->dag && !chosen_is_dag(settings->dag))
        return message_usage(CHOSEN_NO_DAG " or txid (their first hexadecimal digits, at least 4)", settings->dag);
    enum status status = check_query(settings, &fault);
    return status == STATUS_REFUSED ? message_usage("%s", fault.text) : message_result(status, &fault);
}

static enum status find_dag(const struct settings *settings, const struct forest *forest,
                            struct selected_outputs *selected, struct fault *fault)
{
    enum status status = tdags_find(forest, settings->rules, &selected->tdags, fault);
    if (status == STATUS_OK)
        status = tdags_name(forest, &selected->tdags, fault);
    if (status != STATUS_OK)
        return status;
    status = chosen_dag(forest, &selected->tdags, NULL, settings->dag, &selected->dag, fault);
    return output_folder_tell_number(settings, forest->blocks - 1, status, fault);
}

/* The first rule set under which outputs of this kind can be unknown. */
static enum rules rules_with(enum kind kind)
{
    static const uint8_t script[1];
    unsigned mask = script_unknown_rules(kind, script, 0);
    enum rules rules = RULES_CORE_0_18;
    while (rules < RULES && !(mask >> rules & 1))
        rules++;
    return rules < RULES ? rules : RULES_HIDDEN;
}

static void tell_nulldata(const struct selected_outputs *selected, const struct store *store, const char *asked)
{
    if (selected->no_nulldata)
        message("%s: %s", asked, selected->no_nulldata);
    else if (!selected->settings->with_nulldata)
        message(
            "%s: these outputs are listed with --nulldata only%s", asked,
            store_identity_of(store)->nulldata_stored
                ? ""
                : "; this store was made with --nulldata count, and has some of them ('unktx scan --nulldata store' "
                  "into another store has all)");
}

/* Most protocols write to nulldata outputs only. */
static void tell_protocol(const struct selected_outputs *selected, const struct store *store)
{
    const struct catalogue *catalogue = &selected->catalogue;
    char asked[CATALOGUE_NAME_MAX + 64];
    size_t entry = catalogue_find(catalogue, selected->settings->select_protocol);
    if (entry == CATALOGUE_MAX || !catalogue_is_protocol(catalogue, entry))
        return;
    snprintf(asked, sizeof asked, "--protocol %s in nulldata outputs", catalogue->entries[entry].name);
    tell_nulldata(selected, store, asked);
}

/* An answer without rows would leave open why. */
static void tell_none(const struct selected_outputs *selected, const struct store *store, const struct forest *forest)
{
    const struct settings *settings = selected->settings;
    unsigned mask = kind_mask(settings->select_kind);
    for (unsigned k = 0; k < KINDS; k++) {
        enum rules first = rules_with((enum kind)k);
        if (mask >> k & 1 && first > settings->rules)
            message("--kind %s: no output of this kind is unknown under %s: add --rules %s", settings->select_kind,
                    rules_name(settings->rules), rules_name(first));
    }
    if (mask >> KIND_NULLDATA & 1)
        tell_nulldata(selected, store, "--kind nulldata");
    else if (settings->select_protocol && mask == 0)
        tell_protocol(selected, store);
    if (settings->select_known)
        known_scripts_tell_hidden(&selected->catalogue, settings->select_known);
    if (settings->from_height >= forest->blocks)
        message("--from-height %llu is above the last block, %u", ULL(settings->from_height),
                (unsigned)forest->blocks - 1);
}

enum status selected_outputs_open(const struct settings *settings, const struct store *store,
                                  const struct forest *forest, struct selected_outputs *selected, struct fault *fault)
{
    const struct selector_query query = query_of(settings);
    selected->settings = settings;
    selected->threads = (unsigned)settings->threads;
    selected->txs = forest->txs_count;
    enum status status = known_scripts_read(settings, &selected->catalogue, fault);
    if (status == STATUS_OK && settings->dag)
        status = find_dag(settings, forest, selected, fault);
    if (status != STATUS_OK)
        return status;
    tell_none(selected, store, forest);
    selected->selectors = mem_alloc(selected->threads, sizeof *selected->selectors);
    if (!selected->selectors)
        return fault_nomem(fault);
    for (unsigned i = 0; i < selected->threads && status == STATUS_OK; i++)
        status = selector_new(&selected->catalogue, store_seed(store), &query, &selected->selectors[i], fault);
    return status;
}

void selected_outputs_close(struct selected_outputs *selected)
{
    for (unsigned i = 0; selected->selectors && i < selected->threads; i++)
        selector_free(selected->selectors[i]);
    mem_free(selected->selectors);
    tdags_free(&selected->tdags);
    catalogue_free(&selected->catalogue);
    *selected = (struct selected_outputs){0};
}

enum status selected_outputs_takes(struct selected_outputs *selected, unsigned worker, uint32_t height, uint64_t tx,
                                   const struct output_record *output)
{
    const struct settings *settings = selected->settings;
    if (height < settings->from_height)
        return STATUS_NOT_FOUND;
    if (settings->dag && (tx >= selected->txs || selected->tdags.tx_dag[tx] != selected->dag))
        return STATUS_NOT_FOUND;
    return selector_takes(selected->selectors[worker], output);
}
