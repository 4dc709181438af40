#include "cli/inputs/dag_filter.h"

#include <stdio.h>
#include <string.h>

#include "cli/inputs/chosen.h"
#include "cli/output/message.h"
#include "parser/mem.h"

#define FIELD(name) offsetof(struct settings, name)

const struct option option_filter_family = {
    .name = "family",
    .type = OPTION_TEXT,
    .value = "F",
    .field = FIELD(family),
    .help = "only T-DAGs of this family, such as chain (man unktx-dags has all)",
};
const struct option option_filter_class = {
    .name = "class",
    .type = OPTION_TEXT,
    .value = "ID",
    .field = FIELD(class_id),
    .help = "only T-DAGs of this class; the first digits of its id will do",
};
const struct option option_filter_min_height = {
    .name = "min-height",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = FIELD(min_height),
    .max = UINT32_MAX,
    .help = "only T-DAGs whose longest path has N edges or more",
};
const struct option option_filter_min_value = {
    .name = "min-value",
    .type = OPTION_NUMBER,
    .value = "SAT",
    .field = FIELD(min_value),
    .max = UINT64_MAX,
    .help = "only T-DAGs whose spent unknown outputs have this many satoshis or more",
};
const struct option option_filter_known = {
    .name = "known",
    .type = OPTION_TEXT,
    .value = "NAME",
    .field = FIELD(select_known),
    .help = "only T-DAGs that hold this known script; see KNOWN SCRIPTS in man unktx-templates",
};
const struct option option_filter_label = {
    .name = "label",
    .type = OPTION_TEXT,
    .value = "TEXT",
    .field = FIELD(label),
    .help = "only T-DAGs that have this label by --labels",
};

static bool is_family(const char *word)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        if (strcmp(family_name((enum family)f), word) == 0)
            return true;
    return false;
}

static enum status find_known(const struct settings *settings, const struct catalogue *catalogue, size_t *known,
                              struct fault *fault)
{
    *known = catalogue_find(catalogue, settings->select_known);
    if (*known < CATALOGUE_MAX)
        return STATUS_OK;
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "--known: no known script is called '%s'",
                     settings->select_known);
}

static int check_known(const struct settings *settings)
{
    struct fault fault = {0};
    struct catalogue catalogue = {0};
    size_t known;
    enum status status = catalogue_read_built_in(&catalogue, &fault);
    if (status == STATUS_OK)
        status = find_known(settings, &catalogue, &known, &fault);
    catalogue_free(&catalogue);
    return status == STATUS_NOT_FOUND ? message_usage("%s", fault.text) : message_result(status, &fault);
}

int dag_filter_check(const struct settings *settings)
{
    if (settings->label && settings->labels.count == 0)
        return message_usage("--label needs --labels FILE");
    if (settings->family && !is_family(settings->family))
        return message_usage("--family: '%s' is no family of T-DAGs, such as chain or fan-out", settings->family);
    if (settings->class_id && !chosen_is_class(settings->class_id))
        return message_usage(CHOSEN_NO_CLASS, settings->class_id);
    return settings->select_known && !settings->scripts ? check_known(settings) : EXIT_DONE;
}

bool dag_filter_given(const struct settings *settings)
{
    return settings->family || settings->class_id || settings->min_height > 0 || settings->min_value > 0 ||
           settings->select_known || settings->label;
}

const char *dag_filter_none(const struct settings *settings)
{
    bool filtered = dag_filter_given(settings) || settings->exclude_scripts || settings->compress;
    return filtered ? "no T-DAG is left by these filters" : "there is no T-DAG";
}

enum status dag_filter_text(const struct settings *settings, char **text)
{
    struct printer printer = {0};
    *text = NULL;
    if (settings->family)
        PRINT(&printer, " --family %s", settings->family);
    if (settings->class_id)
        PRINT(&printer, " --class %s", settings->class_id);
    if (settings->min_height > 0)
        PRINT(&printer, " --min-height %llu", ULL(settings->min_height));
    if (settings->min_value > 0)
        PRINT(&printer, " --min-value %llu", ULL(settings->min_value));
    if (settings->select_known)
        PRINT(&printer, " --known %s", settings->select_known);
    if (settings->label)
        PRINT(&printer, " --label %s", settings->label);
    if (printer.status == STATUS_OK && printer.text.size > 0) {
        *text = mem_alloc(printer.text.size, 1); /* without the first space, and with a terminator */
        if (*text)
            memcpy(*text, printer.text.bytes + 1, printer.text.size - 1);
        else
            printer.status = STATUS_NOMEM;
    }
    text_free(&printer.text);
    return printer.status;
}

/* What the options stand for in this selection. */
struct wanted {
    const struct settings *settings;
    const struct known_scripts_held *held;
    const struct dag_labels *labels;
    const struct class_row *class; /* NULL: any */
    size_t known;
    uint32_t label;
};

static enum status find_label(const char *label, const struct address_labels *labels, uint32_t *id, struct fault *fault)
{
    if (address_labels_id(labels, label, id))
        return STATUS_OK;
    const char *other = address_labels_other_case(labels, label);
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     "--label: the files of --labels have no label %s%s%s", label,
                     other ? "; capital and small letters differ, and they have " : "", other ? other : "");
}

static enum status find_wanted(struct wanted *wanted, const struct selection *selection, struct fault *fault)
{
    const struct settings *settings = wanted->settings;
    enum status status = STATUS_OK;
    if (settings->class_id)
        status = chosen_class(&selection->classes, settings->class_id, &wanted->class, fault);
    if (status == STATUS_OK && settings->select_known)
        status = find_known(settings, wanted->held->catalogue, &wanted->known, fault);
    if (status == STATUS_OK && settings->select_known)
        known_scripts_tell_hidden(wanted->held->catalogue, settings->select_known);
    if (status == STATUS_OK && settings->label)
        status = find_label(settings->label, wanted->labels->labels, &wanted->label, fault);
    return status;
}

static bool is_wanted(const struct wanted *wanted, uint32_t dag, const struct tdag_row *row)
{
    const struct settings *settings = wanted->settings;
    const struct class_row *class = wanted->class;
    if (settings->family && strcmp(family_name(row->family), settings->family) != 0)
        return false;
    if (class && (row->class_exact != class->exact || memcmp(row->class_id, class->class_id, CANON_ID_SIZE) != 0))
        return false;
    if (row->height < settings->min_height || row->moved_value_sat < settings->min_value)
        return false;
    if (settings->select_known && !name_set_has(&wanted->held->labels.all[dag], wanted->known))
        return false;
    return !settings->label || dag_labels_has(wanted->labels, dag, wanted->label);
}

/* Without those T-DAGs. Names stay as long as they were, so that each is the same with and without a filter. */
static enum status drop_others(struct tdags *tdags, const uint8_t *drop, uint32_t left_out, struct fault *fault)
{
    uint32_t count = tdags->count, kept = 0;
    struct tdag_name *names = mem_alloc((size_t)count - left_out, sizeof *names);
    if (!names)
        return fault_nomem(fault);
    for (uint32_t d = 1; d <= count; d++)
        if (!drop[d])
            names[kept++] = tdags->names[d - 1];
    tdags_drop(tdags, drop);
    tdags->names = names;
    return STATUS_OK;
}

enum status dag_filter_apply(const struct settings *settings, const struct store *store, const struct forest *forest,
                             const struct known_scripts_held *held, const struct dag_labels *labels,
                             struct selection *selection, uint32_t *left_out, struct fault *fault)
{
    struct wanted wanted = {.settings = settings, .held = held, .labels = labels};
    uint8_t *drop = mem_alloc((size_t)selection->tdags.count + 1, 1);
    enum status status = drop ? find_wanted(&wanted, selection, fault) : fault_nomem(fault);
    *left_out = 0;
    for (uint32_t d = 1; d <= selection->tdags.count && status == STATUS_OK; d++) {
        drop[d] = !is_wanted(&wanted, d, &selection->classes.rows[d - 1]);
        *left_out += drop[d];
    }
    if (status == STATUS_OK)
        status = drop_others(&selection->tdags, drop, *left_out, fault);
    mem_free(drop);
    if (status != STATUS_OK)
        return status;
    classes_free(&selection->classes);
    selection->classes = (struct classes){0};
    return classify(forest, &selection->tdags, settings->compress, store_forms(store), (unsigned)settings->threads,
                    &selection->classes, fault);
}
