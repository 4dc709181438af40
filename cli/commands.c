#include "cli/command.h"

const struct command *const commands[] = {
    &command_analyze, &command_scan, &command_dags,  &command_outputs,    &command_stats, &command_templates,
    &command_report,  &command_show, &command_check, &command_blocks,     &command_index, &command_tx,
    &command_travel,  &command_dump, &command_flows, &command_completion, NULL,
};
