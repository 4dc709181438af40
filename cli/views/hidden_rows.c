#include "cli/views/hidden_rows.h"

#include <stdlib.h>

#include "parser/mem.h"
#include "parser/money.h"

/* Only chains that were made for it have more templates than this, as in templates.h. */
#define ROWS_MAX 65536u

static const char rest[] = "(other)";

void hidden_rows_free(struct hidden_rows *rows)
{
    mem_free(rows->rows);
    mem_free(rows->slots);
    *rows = (struct hidden_rows){0};
}

void hidden_rows_clear(struct hidden_rows *rows)
{
    rows->count = 0;
    if (rows->slots)
        memset(rows->slots, 0, rows->slots_count * sizeof *rows->slots);
}

/* The place but for the period in one number. */
static uint64_t packed(const struct hidden_place *place)
{
    return (uint64_t)place->in << 24 | (uint64_t)place->way << 16 | (uint64_t)place->kind << 8 | place->leaf_version;
}

static bool same_place(const struct hidden_place *a, const struct hidden_place *b)
{
    return a->period == b->period && packed(a) == packed(b);
}

static uint32_t *slot_of(const struct hidden_rows *rows, const struct hidden_place *place, uint64_t template_hash)
{
    uint64_t hash = (template_hash ^ ((uint64_t)place->period << 32 | packed(place))) * 0x9e3779b97f4a7c15u;
    size_t slot = (size_t)(hash >> 20) & (rows->slots_count - 1);
    while (rows->slots[slot]) {
        const struct hidden_row *row = &rows->rows[rows->slots[slot] - 1];
        if (row->template_hash == template_hash && same_place(&row->place, place))
            break;
        slot = (slot + 1) & (rows->slots_count - 1);
    }
    return &rows->slots[slot];
}

static bool grow(struct hidden_rows *rows)
{
    size_t count = rows->slots_count ? 2 * rows->slots_count : 64;
    uint32_t *slots = mem_alloc(count, sizeof *slots);
    if (!slots)
        return false;
    mem_free(rows->slots);
    rows->slots = slots;
    rows->slots_count = count;
    for (size_t i = 0; i < rows->count; i++)
        *slot_of(rows, &rows->rows[i].place, rows->rows[i].template_hash) = (uint32_t)i + 1;
    return true;
}

/* *is_new: it has no template yet. */
static struct hidden_row *row_of(struct hidden_rows *rows, const struct hidden_place *place, uint64_t template_hash,
                                 bool *is_new)
{
    *is_new = false;
    if (rows->count * 2 >= rows->slots_count && !grow(rows))
        return NULL;
    uint32_t *slot = slot_of(rows, place, template_hash);
    if (!*slot && template_hash && rows->count >= ROWS_MAX)
        slot = slot_of(rows, place, template_hash = 0);
    if (*slot)
        return &rows->rows[*slot - 1];
    if (mem_reserve(&rows->rows, &rows->capacity, rows->count + 1, sizeof *rows->rows) != STATUS_OK)
        return NULL;
    struct hidden_row *row = &rows->rows[rows->count];
    *slot = (uint32_t)++rows->count;
    *row = (struct hidden_row){.place = *place, .template_hash = template_hash};
    if (place->way == HIDDEN_SHOWN && !template_hash)
        memcpy(row->template, rest, sizeof rest);
    *is_new = template_hash != 0;
    return row;
}

struct hidden_row *hidden_rows_find(struct hidden_rows *rows, const struct hidden_place *place,
                                    const struct hidden_script *script)
{
    uint64_t hash = script ? script_template_hash(script->script, script->size, rows->key) : 0;
    bool is_new;
    struct hidden_row *row = row_of(rows, place, script && !hash ? 1 : hash, &is_new);
    if (row && is_new)
        script_template(script->script, script->size, row->template);
    return row;
}

static void join_row(struct hidden_row *row, const struct hidden_row *other)
{
    if (row->spends == 0 || other->first_height < row->first_height)
        row->first_height = other->first_height;
    if (row->spends == 0 || other->last_height > row->last_height)
        row->last_height = other->last_height;
    row->spends += other->spends;
    row->annexes += other->annexes;
    row->value_sat = add_saturating(row->value_sat, other->value_sat);
    name_set_join(&row->names, &other->names);
}

bool hidden_rows_join(struct hidden_rows *rows, const struct hidden_rows *other)
{
    bool is_new;
    for (size_t i = 0; i < other->count; i++) {
        const struct hidden_row *from = &other->rows[i];
        struct hidden_row *row = row_of(rows, &from->place, from->template_hash, &is_new);
        if (!row)
            return false;
        if (is_new)
            memcpy(row->template, from->template, sizeof row->template);
        join_row(row, from);
    }
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    const struct hidden_row *x = a, *y = b;
    if (x->place.period != y->place.period)
        return x->place.period < y->place.period ? -1 : 1;
    if (x->spends != y->spends)
        return x->spends > y->spends ? -1 : 1;
    uint64_t p = packed(&x->place), q = packed(&y->place);
    return p != q ? (p < q ? -1 : 1) : strcmp(x->template, y->template);
}

void hidden_rows_sort(struct hidden_rows *rows)
{
    if (rows->count > 0)
        qsort(rows->rows, rows->count, sizeof *rows->rows, compare_rows);
}

const char *hidden_way_name(enum hidden_way way)
{
    static const char *const names[] = {
        [HIDDEN_SHOWN] = "script", [HIDDEN_KEY_PATH] = "key-path", [HIDDEN_NOT_PROVEN] = "not-proven"};
    return names[way];
}

char *hidden_put_leaf_version(char *out, enum hidden_in in, uint8_t leaf_version)
{
    return in == HIDDEN_P2TR ? put_hex(out, &leaf_version, 1) : out;
}

enum status hidden_row_put(const struct hidden_row *row, enum by by, const struct catalogue *catalogue,
                           struct text *text)
{
    bool shown = row->place.way == HIDDEN_SHOWN;
    char *p = text_room(text, PERIOD_TEXT + SCRIPT_TEMPLATE_MAX + 96 + 5 * (PUT_U64_MAX + 1) +
                                  catalogue_names_size(catalogue));
    if (!p)
        return STATUS_NOMEM;
    p = period_put(p, by, row->place.period);
    *p++ = ',';
    p = put_text(p, hidden_in_name(row->place.in));
    *p++ = ',';
    p = put_text(p, hidden_way_name(row->place.way));
    *p++ = ',';
    p = shown ? put_text(p, kind_name(row->place.kind)) : p;
    *p++ = ',';
    p = put_text(p, shown && !row->template[0] ? "\"\"" : row->template);
    *p++ = ',';
    p = shown ? hidden_put_leaf_version(p, row->place.in, row->place.leaf_version) : p;
    *p++ = ',';
    p = put_cell(p, row->spends);
    p = put_cell(p, row->value_sat);
    p = put_cell(p, row->first_height);
    p = put_cell(p, row->last_height);
    p = put_cell(p, row->annexes);
    p = catalogue_put_names(catalogue, &row->names, p);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}
