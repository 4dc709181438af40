#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/views/hidden.h"
#include "cli/views/periods.h"

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct hidden_totals totals = {0};
    if (settings->with_scripts && by_parse(settings->by) != BY_TOTAL)
        return message_usage("--list is in the order of the inputs: it goes with --by total only");
    int exit_status = message_result(hidden_write(settings, &totals, &fault), &fault);
    if (exit_status == EXIT_DONE && !settings->quiet)
        message("%llu script%s shown; inputs that spend a taproot output by its key: %llu; inputs that show no script "
                "that hashes to the output: %llu",
                ULL(totals.scripts), totals.scripts == 1 ? "" : "s", ULL(totals.key_paths), ULL(totals.not_proven));
    if (exit_status == EXIT_DONE && totals.damaged > 0)
        message("blocks whose witnesses have changed: %llu%s", ULL(totals.damaged),
                settings->with_dags ? "; the store of --dags is not made" : "");
    return message_left_out(exit_status, totals.damaged > 0);
}

static const struct option option_list = {
    .name = "list",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_scripts),
    .help = "another table: each script that was shown, in the order of the inputs that show them",
};

static const struct option option_kind = {
    .name = "kind",
    .type = OPTION_CHOICE,
    .value = "nonstandard|nulldata|pubkey|multisig|pubkeyhash|scripthash|witness_v0_keyhash|witness_v0_scripthash|"
             "witness_v1_taproot|anchor|witness_unknown",
    .field = offsetof(struct settings, select_kind),
    .help = "only scripts of this kind",
};

static const struct option option_dags = {
    .name = "dags",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_dags),
    .help = "also make the store that 'unktx dags --rules hidden' reads, in the folder hidden of the store",
};

static const struct option *const options[] = {&option_read_store,
                                               &option_as_of_height,
                                               &option_by,
                                               &option_list,
                                               &option_kind,
                                               &option_dags,
                                               &option_known_scripts,
                                               &option_memory,
                                               &option_tmp,
                                               &option_threads,
                                               &option_out_file,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_hidden, &schema_hidden_scripts, NULL};

const struct command command_hidden = {
    .name = "hidden",
    .operands = "",
    .summary = "Count the redeem, witness and tap scripts that spenders showed, by kind and template, as CSV.",
    .details =
        "A script counts only if it hashes to the output that is spent. The blk files are read once, along the index\n"
        "that 'unktx index' makes. hidden_scripts is the table of --list. man unktx-hidden tells what each column\n"
        "means.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
