#include "cli/command.h"
#include "cli/inputs/hidden_store.h"
#include "cli/inputs/index_blocks.h"
#include "cli/inputs/node_blocks.h"
#include "cli/inputs/output_folder.h"
#include "cli/output/help.h"
#include "cli/output/sources.h"
#include "cli/output/partial.h"
#include "parser/mem.h"
#include "parser/parallel.h"

const struct command *const commands[] = {
    &command_analyze, &command_scan,
    &command_dags,    &command_outputs,
    &command_stats,   &command_templates,
    &command_unlocks, &command_keys,
    &command_ties,    &command_report,
    &command_explore, &command_show,
    &command_check,   &command_compare,
    &command_blocks,  &command_index,
    &command_tx,      &command_travel,
    &command_dump,    &command_flows,
    &command_find,    &command_hidden,
    &command_export,  &command_completion,
    &command_columns, NULL,
};

static int check_operands(const struct command *command, const struct settings *settings)
{
    if (settings->operands_count > command->operands_max)
        return message_usage("unexpected operand '%s'", settings->operands[command->operands_max]);
    if (settings->operands_count < command->operands_min)
        return message_usage("missing operand: %s", command->operands);
    return -1;
}

static bool takes_threads(const struct command *command)
{
    const struct option *const *option = command->options;
    while (*option && *option != &option_threads)
        option++;
    return *option != NULL;
}

/* OpenMP ends the process where it cannot have its threads. */
static int run_command(const struct command *command, struct settings *settings)
{
    struct fault fault = {0};
    char *hidden = NULL;
    enum status status = takes_threads(command) ? parallel_try((unsigned)settings->threads, &fault) : STATUS_OK;
    bool writes = settings->out || settings->timings;
    if (status == STATUS_OK && writes)
        status = sources_add_settings(settings, &fault);
    if (status == STATUS_OK && writes)
        status = index_blocks_protect(settings->store, &fault);
    if (status == STATUS_OK)
        status = hidden_store_use(settings, &hidden, &fault);
    message_set_quiet(settings->quiet);
    int exit_status = status == STATUS_OK ? command->run(settings) : message_result(status, &fault);
    mem_free(hidden);
    sources_clear();
    partial_set(0);
    node_blocks_forget();
    return exit_status;
}

static int run_with_folder(const struct command *command, struct settings *settings)
{
    struct output_folder folder = {0};
    struct fault fault = {0};
    int status = message_result(output_folder_apply(command->options, settings, &folder, &fault), &fault);
    if (status == EXIT_DONE)
        status = run_command(command, settings);
    output_folder_free(&folder);
    return status;
}

/* As asked for: a run, --help or --version. */
static int run_as_wished(const struct command *command, struct settings *settings, enum options_wish wish)
{
    if (wish == OPTIONS_HELP)
        help_command(command->name, command->operands, command->summary, command->details, command->options,
                     command->tables);
    if (wish == OPTIONS_VERSION)
        help_version(UNKTX_VERSION);
    if (wish != OPTIONS_RUN)
        return EXIT_DONE;
    int status = check_operands(command, settings);
    return status < 0 ? run_with_folder(command, settings) : status;
}

int commands_run(const struct command *command, int argc, char **argv)
{
    struct settings settings = {0};
    enum options_wish wish;
    const char **operands = mem_alloc((size_t)argc + 1, sizeof *operands);
    message_command(command->name);
    if (!operands) {
        message(FAULT_NOMEM_TEXT);
        return EXIT_FAILED;
    }
    int status = options_parse(command->options, argc, argv, message_usage, &settings, operands, &wish);
    if (status < 0)
        status = run_as_wished(command, &settings, wish);
    mem_free(operands);
    return status;
}
