#include <stdlib.h>

#include "cli/command.h"
#include "cli/output/outfolder.h"
#include "cli/views/templates.h"
#include "parser/mem.h"

/* Most common first, then by template and kind, which no two rows share. */
static int compare_rows(const void *a, const void *b)
{
    const struct template_row *x = a, *y = b;
    if (x->outputs != y->outputs)
        return x->outputs > y->outputs ? -1 : 1;
    int order = strcmp(x->template, y->template);
    return order ? order : (int)x->kind - (int)y->kind;
}

static enum status put_row(struct text *text, const struct catalogue *catalogue, const struct template_row *row)
{
    char *p = text_room(text, SCRIPT_TEMPLATE_MAX + 32 + 6 * (PUT_U64_MAX + 1) + catalogue_names_size(catalogue) +
                                  judgements_size(catalogue));
    if (!p)
        return STATUS_NOMEM;
    p = put_text(p, row->template[0] ? row->template : "\"\"");
    *p++ = ',';
    p = put_text(p, kind_name(row->kind));
    *p++ = ',';
    p = put_cell(p, row->outputs);
    p = put_cell(p, row->spent);
    p = put_cell(p, row->value_sat);
    p = put_cell(p, row->first_height);
    p = put_cell(p, row->last_height);
    p = catalogue_put_names(catalogue, &row->names, p);
    *p++ = ',';
    p = judgements_put(p, catalogue, &row->judgements);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status write_rows(const struct settings *settings, struct templates *templates, struct fault *fault)
{
    struct template_group *total = &templates->total;
    struct outfile file = {0};
    struct text text = {0};
    if (total->count > 0)
        qsort(total->rows, total->count, sizeof *total->rows, compare_rows);
    enum status status = outfolder_begin(settings->folder, &file, settings->out, fault);
    if (status == STATUS_OK)
        status = outfile_begin_table(&file, &schema_templates, 0, fault);
    for (size_t i = 0; i < total->count && status == STATUS_OK; i++)
        if (put_row(&text, templates->catalogue, &total->rows[i]) != STATUS_OK)
            status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, &text, fault);
    text_free(&text);
    return outfile_finish(&file, status, fault);
}

static enum status list_templates(const struct settings *settings, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    struct selected_outputs selected = {0};
    struct templates templates = {.forest = &forest,
                                  .catalogue = &selected.catalogue,
                                  .selected = &selected,
                                  .rules = settings->rules,
                                  .threads = (unsigned)settings->threads,
                                  .with_nulldata = settings->with_nulldata};
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK) {
        templates.store = store;
        opened_store_tell_nulldata(settings, store);
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    }
    if (status == STATUS_OK)
        status = selected_outputs_open(settings, store, &forest, &selected, fault);
    if (status == STATUS_OK)
        status = templates_count(&templates, fault);
    if (status == STATUS_OK)
        status = write_rows(settings, &templates, fault);
    templates_free(&templates);
    selected_outputs_close(&selected);
    forest_free(&forest);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    int exit_status = selected_outputs_check(settings);
    return exit_status == EXIT_DONE ? message_result(list_templates(settings, &fault), &fault) : exit_status;
}

static const struct option option_with_nulldata = {
    .name = "nulldata",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_nulldata),
    .help = "count nulldata outputs too, as far as the store has them (scan --nulldata store keeps all)",
};

static const struct option *const options[] = {&option_read_store,
                                               &option_as_of_height,
                                               &option_rules_hidden,
                                               &option_with_nulldata,
                                               OPTIONS_SELECT(option_select_kind),
                                               &option_threads,
                                               &option_out_file,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_templates, NULL};

const struct command command_templates = {
    .name = "templates",
    .operands = "",
    .summary = "Group the unknown outputs of a rule set by what their scripts look like, as CSV, most common first.",
    .details = "A template is the asm with each push of data replaced by its length, as in OP_HASH160 <20> OP_EQUAL; "
               "two\n"
               "quotes for an empty script. man unktx-templates tells what each column means.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
