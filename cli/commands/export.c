#include "cli/command.h"
#include "cli/inputs/provenance.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/output/sources.h"
#include "cli/output/sqlite.h"
#include "cli/views/export.h"

#define FILE_BY_DEFAULT "unktx.sqlite"
#define NODES_BY_DEFAULT "outputs"

enum export_form { FORM_SQLITE = 1, FORM_NEO4J = 2, FORM_EDGES = 4 };

static enum export_form form_of(const char *word)
{
    static const struct {
        const char *word;
        enum export_form form;
    } forms[] = {{"sqlite", FORM_SQLITE}, {"neo4j", FORM_NEO4J}, {"edges", FORM_EDGES}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(word, forms[i].word) == 0)
            return forms[i].form;
    }
    return 0;
}

/* What makes the tables, each as if it were typed with -o; which forms are made of it. */
static const struct part {
    const struct command *command;
    const char *file;
    const char *by;
    bool with_protocols;
    unsigned forms;
} parts[] = {
    {&command_dags, NULL, "total", false, FORM_SQLITE | FORM_NEO4J | FORM_EDGES},
    {&command_outputs, "outputs.csv", "total", false, FORM_SQLITE | FORM_NEO4J},
    {&command_templates, "templates.csv", "total", false, FORM_SQLITE},
    {&command_stats, "stats.csv", "total", false, FORM_SQLITE},
    {&command_stats, "stats-by-day.csv", "day", false, FORM_SQLITE},
    {&command_stats, "protocols.csv", "total", true, FORM_SQLITE},
};

/* A part with damages is done too; the exit status tells of it at the end. */
static bool goes_on(int status) { return status == EXIT_DONE || status == EXIT_DAMAGED; }

/* The exit status of the first part that ends it, else the worst. The parts after the first see the chain that it saw
 * (opened_store.h). */
static int make_tables(const struct settings *given, enum export_form form, struct outfolder *tables)
{
    struct settings settings = *given;
    int status = EXIT_DONE, worst = EXIT_DONE;
    settings.folder = tables;
    settings.no_unlocks |= form == FORM_EDGES;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && goes_on(status); i++) {
        const struct part *part = &parts[i];
        if (!(part->forms & form))
            continue;
        settings.out = part->file;
        settings.by = part->by;
        settings.with_protocols = part->with_protocols;
        status = part->command->run(&settings);
        worst = status == EXIT_DONE ? worst : status;
        settings.tables = NULL; /* what was taken of them is said once */
    }
    return worst;
}

/* Opens the database and fills it. *made is the exit status of the parts. */
static enum status fill(const struct settings *settings, enum export_form form, const char *path,
                        struct sqlite **database, struct outfolder **tables, int *made, struct fault *fault)
{
    enum status status = sqlite_open(path, settings->out, (unsigned)settings->threads, database, fault);
    if (status == STATUS_OK)
        status = outfolder_of_database(*database, tables, fault);
    if (status == STATUS_OK)
        *made = make_tables(settings, form, *tables);
    return status;
}

static int export_database(const struct settings *settings)
{
    struct fault fault = {0};
    struct outfile file = {0};
    struct sqlite *database = NULL;
    struct outfolder *tables = NULL;
    const char *path = NULL;
    int made = EXIT_DONE;
    enum status status = outfile_open(&file, settings->out, &fault);
    if (status == STATUS_OK)
        status = outfile_temporary(&file, &path, &fault);
    if (status == STATUS_OK && !settings->replace)
        status = sqlite_check_replaced(settings->out, &fault);
    if (status == STATUS_OK)
        status = fill(settings, FORM_SQLITE, path, &database, &tables, &made, &fault);
    if (status == STATUS_OK && goes_on(made))
        status = export_finish(database, outfolder_provenance(tables), &fault);
    uint64_t rows = database ? sqlite_rows(database) : 0;
    outfolder_close(tables);
    sqlite_close(database);
    if (status == STATUS_OK && goes_on(made))
        status = outfile_commit(&file, &fault);
    outfile_abort(&file);
    if (status == STATUS_OK && goes_on(made) && !settings->quiet)
        message("written to %s: %llu rows", settings->out, (unsigned long long)rows);
    return status == STATUS_OK ? made : message_result(status, &fault);
}

/* What a node of the edges is; NULL: the form has no such choice. */
static const char *nodes_of(const struct settings *settings, enum export_form form)
{
    const char *given = settings->nodes ? settings->nodes : NODES_BY_DEFAULT;
    return form == FORM_EDGES ? given : NULL;
}

static enum status write_files(const struct settings *settings, enum export_form form, struct sqlite *database,
                               const struct outfolder *tables, struct outfolder *folder, struct fault *fault)
{
    struct datapackage_provenance provenance = *outfolder_provenance(tables);
    provenance.nodes = nodes_of(settings, form);
    enum status status = outfolder_set_provenance(folder, &provenance, fault);
    if (status != STATUS_OK)
        return status;
    if (form == FORM_EDGES)
        return export_edges(database, strcmp(provenance.nodes, "txs") == 0, folder, fault);
    struct address_labels labels = {0};
    status = address_labels_read(settings, &labels, fault);
    if (status == STATUS_OK)
        status = export_neo4j(database, &labels, folder, fault);
    address_labels_free(&labels);
    return status;
}

static int export_folder(const struct settings *settings, enum export_form form)
{
    struct fault fault = {0};
    struct datapackage_provenance provenance = {0};
    struct sqlite *database = NULL;
    struct outfolder *tables = NULL, *folder = NULL;
    int made = EXIT_DONE;
    enum status status = provenance_of_settings(settings, UNKTX_VERSION, &provenance, &fault);
    provenance.nodes = nodes_of(settings, form);
    if (status == STATUS_OK)
        status = outfolder_open(settings->out, &provenance, form == FORM_NEO4J ? FOLDER_NEO4J : FOLDER_EDGES,
                                settings->replace, &folder, &fault);
    if (status == STATUS_OK)
        status = fill(settings, form, NULL, &database, &tables, &made, &fault);
    if (status == STATUS_OK && goes_on(made))
        status = write_files(settings, form, database, tables, folder, &fault);
    outfolder_close(tables);
    sqlite_close(database);
    if (status == STATUS_OK && goes_on(made))
        status = outfolder_commit(folder, settings->quiet, &fault);
    outfolder_close(folder);
    provenance_free(&provenance);
    return status == STATUS_OK ? made : message_result(status, &fault);
}

static int run(const struct settings *given)
{
    struct fault fault = {0};
    struct settings settings = *given;
    enum export_form form = form_of(given->operands[0]);
    if (!form)
        return message_usage("'%s' is none of sqlite, neo4j, edges", given->operands[0]);
    if (form != FORM_EDGES && given->nodes)
        return message_usage("--nodes is for edges only");
    if (form != FORM_SQLITE && !given->out)
        return message_usage("%s is several files: name a folder with -o", given->operands[0]);
    if (given->out)
        return form == FORM_SQLITE ? export_database(given) : export_folder(given, form);
    settings.out = FILE_BY_DEFAULT;
    enum status status = sources_add_settings(&settings, &fault);
    return status == STATUS_OK ? export_database(&settings) : message_result(status, &fault);
}

static const struct option option_export_out = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "PATH",
    .field = offsetof(struct settings, out),
    .help = "file of the database (default: " FILE_BY_DEFAULT "), or folder for neo4j and edges, made if absent",
};

static const struct option option_nodes = {
    .name = "nodes",
    .type = OPTION_CHOICE,
    .value = "outputs|txs",
    .field = offsetof(struct settings, nodes),
    .help = "of edges: roots and outputs, as tdags.csv counts nodes and edges, or transactions with an edge for each "
            "spent unknown output (default: " NODES_BY_DEFAULT ")",
};

static const struct option option_export_replace = {
    .name = "replace",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, replace),
    .help =
        "replace a file that is no SQLite database, and in a folder tables of another rule set, --compress, filter, "
        "network or --nodes and files that no run made, and remove those of another command or form that this one "
        "does not make",
};

static const struct option *const options[] = {
    &option_read_store,   &option_as_of_height,   &option_blocks_now,      &option_chain,
    &option_rules_hidden, &option_compress,       &option_exclude_scripts, &option_known_scripts,
    &option_labels,       &option_no_unlocks,     &option_nodes,           &option_threads,
    &option_export_out,   &option_export_replace, &option_quiet,           NULL};

static const struct table_schema *const tables[] = {&schema_nodes, &schema_edges, NULL};

const struct command command_export = {
    .name = "export",
    .operands = "sqlite|neo4j|edges",
    .summary = "Write the tables of T-DAGs as a SQLite database, for Neo4j's bulk import, or as a list of edges.",
    .details =
        "  sqlite  one file with all tables of dags, flows, outputs, templates, unlocks, keys, ties and stats, their\n"
        "          types, keys and indexes, and the views v_tdag, v_tx, v_table3 and v_measures\n"
        "  neo4j   nodes-*.csv and relationships-*.csv with typed headers: transactions, outputs, T-DAGs, classes,\n"
        "          keys, addresses and labels; SPENDS, CREATES, IN, SHARES and PAYS\n"
        "  edges   nodes.csv and edges.csv with ids 0, 1, ... for networkx, igraph, PyG and SNAP\n"
        "Each is written whole or not at all. Values are those of the CSV tables that the commands write.\n",
    .operands_min = 1,
    .operands_max = 1,
    .tables = tables,
    .options = options,
    .run = run,
};
