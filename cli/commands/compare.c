#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/views/figures.h"
#include "cli/views/figures_table.h"

static enum status read_figures(const struct settings *settings, struct known_figures *known, struct fault *fault)
{
    enum status status = known_figures_read_built_in(known, fault);
    if (status == STATUS_OK && settings->figures)
        status = known_figures_read(known, settings->figures, fault);
    return status;
}

static enum status compare(const struct settings *settings, struct fault *fault)
{
    struct known_figures known = {0};
    struct figures figures = {.known = &known};
    struct text text = {0};
    enum status status = read_figures(settings, &known, fault);
    if (status == STATUS_OK)
        status = figures_answer(settings, &figures, fault);
    if (status == STATUS_OK)
        status = settings->out ? figures_csv(&figures, &text) : figures_table(&figures, &text);
    if (status == STATUS_NOMEM)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_write_lines(settings->out, !settings->out, &text, fault);
    text_free(&text);
    figures_free(&figures);
    known_figures_free(&known);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    return message_result(compare(settings, &fault), &fault);
}

static const struct option option_figures = {
    .name = "figures",
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = offsetof(struct settings, figures),
    .help = "add the figures of FILE to the built-in ones (known-figures.tsv tells the columns)",
};

static const struct option option_out_csv = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = offsetof(struct settings, out),
    .help = "write CSV to FILE, - for stdout, instead of the table",
};

static const struct option *const options[] = {&option_read_store, &option_figures, &option_threads,
                                               &option_out_csv,    &option_quiet,   NULL};

static const struct table_schema *const tables[] = {&schema_compare, NULL};

const struct command command_compare = {
    .name = "compare",
    .operands = "",
    .summary = "Put figures that others have published beside the store's own.",
    .details = "Each figure is computed as of the height or date of which it was published: equal, close (within 1 "
               "%), differs,\n"
               "beyond the tip, not available (with what would make it so), or not asked for on this network. Built in "
               "are figures\n"
               "of mainnet: those of the paper, and of other counts of unknown outputs.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
