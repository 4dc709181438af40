#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/views/data_dictionary.h"
#include "parser/mem.h"

/* The tables of the operands after the first, else all. */
static int print_tables(const struct settings *settings, const struct table_schema **tables)
{
    const char *form = settings->operands[0];
    struct printer printer = {0};
    struct fault fault = {0};
    size_t count = settings->operands_count - 1;
    for (size_t i = 0; i < count; i++) {
        tables[i] = schema_find(settings->operands[i + 1]);
        if (!tables[i])
            return message_usage("there is no table '%s'", settings->operands[i + 1]);
    }
    const struct table_schema *const *list = count > 0 ? tables : schema_all;
    if (strcmp(form, "markdown") == 0)
        data_dictionary_markdown(&printer, list);
    else if (strcmp(form, "json") == 0)
        data_dictionary_json(&printer, list);
    else if (strcmp(form, "man") == 0)
        for (; *list; list++)
            data_dictionary_man(&printer, *list);
    else
        return message_usage("'%s' is none of man, markdown, json", form);
    return message_result(printer_write(&printer, NULL, &fault), &fault);
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    const struct table_schema **tables = mem_alloc(settings->operands_count, sizeof *tables);
    if (!tables)
        return message_result(fault_nomem(&fault), &fault);
    int status = print_tables(settings, tables);
    mem_free(tables);
    return status;
}

static const struct option *const options[] = {NULL};

const struct command command_columns = {
    .name = "columns",
    .operands = "man|markdown|json [TABLE...]",
    .summary = "Print what the columns of every table mean, or of those named.",
    .details = "The man pages and docs/tables.md are made with it ('make columns').\n",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .options = options,
    .run = run,
    .hidden = true,
};
