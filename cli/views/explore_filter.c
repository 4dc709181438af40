#include "cli/inputs/date.h"
#include "cli/output/partial.h"
#include "cli/views/chart.h"
#include "cli/views/explore_list.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_survey.h"
#include "cli/views/explore_words.h"
#include "cli/views/html.h"

/* ---- columns ---- */

#define ROW32(name, head, unit)                                                                                        \
    {                                                                                                                  \
#name, head, unit, OF_ROW_U32, offsetof(struct tdag_row, name)                                                 \
    }
#define ROW64(name, head, unit)                                                                                        \
    {                                                                                                                  \
#name, head, unit, OF_ROW_U64, offsetof(struct tdag_row, name)                                                 \
    }
#define MEASURE(name, head)                                                                                            \
    {                                                                                                                  \
#name, head, UNIT_MEASURE, OF_MEASURES, offsetof(struct measures_row, name)                                    \
    }

const struct explore_column explore_columns[EXPLORE_COLUMNS] = {
    {"dag_id", "number", UNIT_COUNT, OF_ROW_U32, 0},
    ROW32(txs, "transactions", UNIT_COUNT),
    ROW64(nodes, "nodes", UNIT_COUNT),
    ROW64(edges, "edges", UNIT_COUNT),
    ROW32(roots, "roots", UNIT_COUNT),
    ROW64(leaves, "leaves", UNIT_COUNT),
    ROW32(height, "height", UNIT_COUNT),
    ROW64(width, "width", UNIT_COUNT),
    ROW32(spent_unknown, "spent unknown outputs", UNIT_COUNT),
    ROW64(unspent_unknown, "unspent unknown outputs", UNIT_COUNT),
    ROW64(known_leaves, "known outputs", UNIT_COUNT),
    ROW32(mixed_spenders, "mixed spenders", UNIT_COUNT),
    ROW32(first_height, "first block", UNIT_BLOCK),
    ROW32(last_height, "last block", UNIT_BLOCK),
    ROW32(first_time, "first time", UNIT_TIME),
    ROW32(last_time, "last time", UNIT_TIME),
    ROW64(root_value_sat, "value of roots", UNIT_SAT),
    ROW64(moved_value_sat, "value moved", UNIT_SAT),
    ROW64(leaf_value_sat, "value of leaves", UNIT_SAT),
    MEASURE(orderliness, "orderliness"),
    MEASURE(symmetry, "symmetry"),
    MEASURE(repetition, "repetition"),
    MEASURE(fan_out_regularity, "fan-out regularity"),
    MEASURE(equal_values, "equal values"),
    MEASURE(cadence, "cadence"),
    MEASURE(chain_frequency, "transactions a day"),
    MEASURE(automation, "automation"),
    ROW32(maybe_roots, "roots that may not be roots", UNIT_COUNT),
    ROW32(inputs_before, "inputs made before", UNIT_COUNT),
};

bool explore_has_column(unsigned column)
{
    return column < EXPLORE_COLUMNS - EXPLORE_COLUMNS_PARTIAL || partial_from() > 0;
}

unsigned explore_column_find(const char *name)
{
    unsigned column = 0;
    while (column < EXPLORE_COLUMNS && (strcmp(explore_columns[column].name, name) != 0 || !explore_has_column(column)))
        column++;
    return column;
}

uint64_t explore_key(const struct explore_rules *rules, unsigned column, uint32_t dag)
{
    const struct explore_column *of = &explore_columns[column];
    uint32_t place, small;
    uint64_t large;
    double measure;
    if (column == EXPLORE_BY_NUMBER)
        return dag;
    const struct explore_part *part = explore_part_of(rules, dag, &place);
    const char *row = (const char *)&part->selection.classes.rows[place];
    if (of->of == OF_ROW_U32) {
        memcpy(&small, row + of->offset, sizeof small);
        return small;
    }
    if (of->of == OF_MEASURES) {
        memcpy(&measure, (const char *)&part->measures[place] + of->offset, sizeof measure);
        measure = (double)micro_of(measure) / 1e6; /* those that are written alike are alike */
        memcpy(&large, &measure, sizeof large);
        return large;
    }
    memcpy(&large, row + of->offset, sizeof large);
    return large;
}

void explore_put_value(struct printer *printer, unsigned column, uint64_t key)
{
    char time[CHART_TIME_SIZE];
    double measure;
    switch (explore_columns[column].unit) {
    case UNIT_COUNT: html_number(printer, key); break;
    case UNIT_BLOCK: PRINT(printer, "<td class=\"n\">%llu</td>", ULL(key)); break;
    case UNIT_TIME: PRINT(printer, "<td class=\"n\">%s</td>", chart_time(time, key)); break;
    case UNIT_SAT: PRINT(printer, "<td class=\"n\">%llu.%08llu</td>", BTC_OF(key)); break;
    case UNIT_MEASURE:
        memcpy(&measure, &key, sizeof measure);
        PRINT(printer, "<td class=\"n\">%.6f</td>", measure);
        break;
    }
}

/* ---- values of a query ---- */

static bool read_digits(const char *text, size_t size, uint64_t *number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *number = sum;
    return size > 0;
}

/* "0.9" as an amount: whole units and eight decimals. Of smaller ones nothing is taken, and is_exact refuses them. */
static bool read_decimals(const char *text, size_t size, bool is_exact, uint64_t *number)
{
    uint64_t whole, part = 0, scale = 100000000;
    size_t point = 0;
    while (point < size && text[point] != '.')
        point++;
    if (!read_digits(text, point, &whole) || whole > UINT64_MAX / scale - 1)
        return false;
    for (size_t i = point + 1; i < size; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || (is_exact && scale <= 1 && digit > 0))
            return false;
        scale /= 10;
        part += digit * scale;
    }
    *number = whole * 100000000 + part;
    return true;
}

/* A date as its first second, or its last one: four digits are a year. Other digits are seconds, but eight, which no
 * block of a network has: they would be a day without its hyphens. */
static bool read_time(const char *text, size_t size, bool is_high, uint64_t *number)
{
    uint64_t begin, end;
    if (size != 4 && !memchr(text, '-', size))
        return size != 8 && read_digits(text, size, number);
    if (!date_read(text, size, &begin, &end))
        return false;
    *number = is_high ? end - 1 : begin;
    return true;
}

/* Pages and tables write six decimals: what is written so is meant, and not only the number itself. */
static bool read_measure(const char *text, size_t size, bool is_high, uint64_t *key)
{
    const uint64_t half = 50; /* of the last of them, in units of the eighth */
    uint64_t scaled;
    if (!read_decimals(text, size, false, &scaled))
        return false;
    scaled = is_high ? scaled + half : scaled > half ? scaled - half : 0;
    double measure = (double)scaled / 1e8;
    memcpy(key, &measure, sizeof *key);
    return true;
}

static bool read_value(enum explore_unit unit, const char *text, size_t size, bool is_high, uint64_t *key)
{
    bool has_point = memchr(text, '.', size) != NULL;
    if (unit == UNIT_MEASURE)
        return read_measure(text, size, is_high, key);
    if (unit == UNIT_TIME)
        return read_time(text, size, is_high, key);
    if (unit == UNIT_SAT && size > 3 && memcmp(text + size - 3, "BTC", 3) == 0) {
        size -= 3;
        while (size > 0 && text[size - 1] == ' ')
            size--;
        has_point = true;
    }
    return unit == UNIT_SAT && has_point ? read_decimals(text, size, true, key) : read_digits(text, size, key);
}

/* "LOW..HIGH", "LOW..", "..HIGH" or one value. Keys of measures are in their order too. */
static bool read_range(enum explore_unit unit, const char *text, uint64_t *low, uint64_t *high)
{
    const char *dots = strstr(text, "..");
    size_t size = strlen(text), low_size = dots ? (size_t)(dots - text) : size;
    *low = 0;
    *high = UINT64_MAX;
    if (!dots)
        return read_value(unit, text, size, false, low) && read_value(unit, text, size, true, high);
    return (low_size > 0 || dots[2]) && (low_size == 0 || read_value(unit, text, low_size, false, low)) &&
           (!dots[2] || read_value(unit, dots + 2, strlen(dots + 2), true, high)) && *low <= *high;
}

static bool read_family(const char *name, uint32_t *families)
{
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (strcmp(family_name((enum family)f), name) != 0)
            continue;
        *families |= 1u << f;
        return true;
    }
    return false;
}

static bool read_script(const struct catalogue *catalogue, const char *name, uint32_t *script)
{
    size_t entry = catalogue_find(catalogue, name);
    *script = (uint32_t)entry;
    return entry < CATALOGUE_MAX;
}

static bool read_label(const struct address_labels *labels, const char *name, uint32_t *label)
{
    uint32_t id;
    bool known = explore_label_find(labels, name, &id);
    *label = known ? id + 1 : 0;
    return known;
}

/* The first digits of an id. */
static bool read_digits_of(const char *text, char *out, size_t size)
{
    size_t length = strlen(text);
    if (length >= size || text[strspn(text, "0123456789abcdef")])
        return false;
    memcpy(out, text, length + 1);
    return true;
}

static bool read_template(const char *text, char template[SCRIPT_TEMPLATE_MAX])
{
    size_t length = strlen(text);
    if (length >= SCRIPT_TEMPLATE_MAX)
        return false;
    memcpy(template, text, length + 1);
    return true;
}

static bool read_kind(const char *name, uint32_t *kinds)
{
    for (size_t i = 0; i < EXPLORE_KINDS; i++) {
        if (strcmp(kind_name(explore_kinds[i]), name) != 0)
            continue;
        *kinds = 1u << explore_kinds[i];
        return true;
    }
    return false;
}

static bool read_order(const char *text, uint32_t *descending)
{
    *descending = strcmp(text, "desc") == 0;
    return *descending || strcmp(text, "asc") == 0;
}

static bool read_page(const char *text, uint32_t *page)
{
    uint64_t number;
    bool good = read_digits(text, strlen(text), &number) && number > 0 && number < UINT32_MAX / EXPLORE_ROWS;
    if (good)
        *page = (uint32_t)number;
    return good;
}

static bool read_field(const struct explore *explore, const struct target_field *field, struct explore_filter *filter,
                       uint32_t *page)
{
    const char *name = field->name, *value = field->value;
    unsigned column = explore_column_find(name);
    if (column < EXPLORE_COLUMNS)
        return read_range(explore_columns[column].unit, value, &filter->low[column], &filter->high[column]);
    if (strcmp(name, "time") == 0)
        return read_range(UNIT_TIME, value, &filter->time_low, &filter->time_high);
    if (strcmp(name, "family") == 0)
        return read_family(value, &filter->families);
    if (strcmp(name, "script") == 0)
        return read_script(&explore->opened.catalogue, value, &filter->script);
    if (strcmp(name, "label") == 0)
        return read_label(&explore->opened.labels, value, &filter->label);
    if (strcmp(name, "class") == 0)
        return read_digits_of(value, filter->class_id, 2 * CANON_ID_SIZE + 1);
    if (strcmp(name, "dag") == 0)
        return read_digits_of(value, filter->dag, HASH256_HEX_SIZE + 1);
    if (strcmp(name, "group") == 0)
        return read_digits_of(value, filter->group, HASH256_HEX_SIZE + 1);
    if (strcmp(name, "unlocks") == 0)
        return strcmp(value, "yes") == 0;
    if (strcmp(name, "protocol") == 0)
        return (filter->protocol = explore_protocol_find(value)) != PROTOCOL_NONE;
    if (strcmp(name, "kind") == 0)
        return read_kind(value, &filter->kinds);
    if (strcmp(name, "template") == 0)
        return read_template(value, filter->template);
    if (strcmp(name, "sort") == 0)
        return (filter->sort = explore_sort_find(value)) < EXPLORE_SORTS && explore_has_sort(explore, filter->sort);
    if (strcmp(name, "order") == 0)
        return read_order(value, &filter->descending);
    return strcmp(name, "page") == 0 && read_page(value, page);
}

/* In words, which values a filter takes; NULL: there is no such filter. */
static const char *takes_of(const char *name)
{
    static const char *const texts[][2] = {
        {"family", "one of the families that the form lists"},
        {"script", "one of the known scripts that the form lists"},
        {"protocol", "one of the protocols that the form lists"},
        {"kind", "one of the kinds that the form lists"},
        {"label", "a label of --labels, all of it"},
        {"class", "the first digits of a class, 0 to 9 and a to f"},
        {"dag", "the first digits of a T-DAG's name, 0 to 9 and a to f"},
        {"group", "the first digits of a group, 0 to 9 and a to f"},
        {"template", "a template of at most 255 characters"},
        {"unlocks", "yes"},
        {"sort", "the name of a column of numbers, family, class, script, protocol, label (with --labels) or group"},
        {"order", "asc or desc"},
        {"page", "a number from 1 on"}};
    static const char *const of_units[] = {
        [UNIT_COUNT] = "a number, or a range as 10..200, 10.. or ..200",
        [UNIT_BLOCK] = "a height, or a range as 10..200, 10.. or ..200",
        [UNIT_TIME] = ("a day that there is as 2014-02-19, a month as 2014-02, a year as 2014, seconds since 1970 (not "
                       "of four or "
                       "eight digits), or a range as 2014-02-19..2014-02-28"),
        [UNIT_SAT] = "an amount in whole satoshi or as 0.5BTC, or a range as 10..200, 10.. or ..200",
        [UNIT_MEASURE] = "a number, or a range as 0.5..0.9, 0.5.. or ..0.9"};
    unsigned column = explore_column_find(name);
    if (column < EXPLORE_COLUMNS || strcmp(name, "time") == 0)
        return of_units[column < EXPLORE_COLUMNS ? explore_columns[column].unit : UNIT_TIME];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i][0], name) == 0)
            return texts[i][1];
    }
    return NULL;
}

/* The filter is compared as bytes: there are none between its members. */
_Static_assert(sizeof(struct explore_filter) == 16 * EXPLORE_COLUMNS + 16 + 28 + 64 + 68 + 72 + SCRIPT_TEMPLATE_MAX,
               "a gap in explore_filter");

enum status explore_filter_read(const struct explore *explore, const struct target *target,
                                struct explore_filter *filter, uint32_t *page, struct fault *fault)
{
    *filter = (struct explore_filter){.time_high = UINT64_MAX, .script = CATALOGUE_MAX};
    for (unsigned c = 0; c < EXPLORE_COLUMNS; c++)
        filter->high[c] = UINT64_MAX;
    *page = 1;
    const char *sort = target_get(target, "sort");
    unsigned by = sort ? explore_column_find(sort) : EXPLORE_COLUMNS;
    filter->descending = by < EXPLORE_COLUMNS && by != EXPLORE_BY_NUMBER;
    for (size_t i = 0; i < target->fields_count; i++) {
        const struct target_field *field = &target->fields[i];
        const char *takes = takes_of(field->name);
        if (field->value[0] && !read_field(explore, field, filter, page))
            return takes ? fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                                     "The filter %s takes no %s: it takes %s.", field->name, field->value, takes)
                         : fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "This page has no filter %s (%s).",
                                     field->name, field->value);
    }
    return STATUS_OK;
}

/* ---- addresses ---- */

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

bool explore_put_fields(struct printer *printer, const struct target *target, const char *const *without)
{
    char text[3 * TARGET_MAX + 16];
    bool any = false;
    for (size_t i = 0; i < target->fields_count; i++) {
        const struct target_field *field = &target->fields[i];
        if (!field->value[0] || is_one_of(field->name, without))
            continue;
        char *p = target_put(text, field->name);
        *p++ = '=';
        p = target_put(p, field->value);
        *p = '\0';
        PRINT(printer, "%s%s", any ? "&amp;" : "?", text);
        any = true;
    }
    return any;
}

void explore_put_query(struct printer *printer, const struct target *target, const char *const *without)
{
    PRINT(printer, explore_put_fields(printer, target, without) ? "&amp;" : "?");
}
