#include "cli/views/explore_class_table.h"

#include "cli/inputs/prefix.h"
#include "cli/views/explore_rules.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

/* ---- T-DAGs by class ---- */

struct member {
    uint64_t high; /* of its class id, as printed */
    uint64_t low;
    uint32_t dag;
};

static bool is_same_class(const struct member *a, const struct member *b)
{
    return a->high == b->high && a->low == b->low;
}

/* Ids that begin alike without being the same are somebody's work of years: an insertion will do. */
static void settle_equal(struct member *members, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct member member = members[i];
        uint32_t at = i;
        for (; at > 0 && members[at - 1].high == member.high && members[at - 1].low > member.low; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

static struct class_row class_of(const struct explore_rules *of, uint32_t dag)
{
    const struct tdag_row *row = explore_row(of, dag);
    struct class_row class = {.exact = row->class_exact,
                              .first_dag = dag,
                              .height = row->height,
                              .roots = row->roots,
                              .txs = row->txs_left,
                              .nodes = row->nodes,
                              .edges = row->edges,
                              .family = row->family,
                              .automorphisms_log10 = row->automorphisms_log10};
    memcpy(class.class_id, row->class_id, CANON_ID_SIZE);
    return class;
}

static uint32_t count_classes(const struct member *members, uint32_t count)
{
    uint32_t classes = 0;
    for (uint32_t i = 0; i < count; i++)
        classes += i == 0 || !is_same_class(&members[i - 1], &members[i]);
    return classes;
}

/* The T-DAGs come class by class, and within one in the order of their numbers. */
static void fill(const struct explore_rules *of, const struct member *members, struct explore_class_table *table)
{
    uint32_t class = UINT32_MAX;
    for (uint32_t i = 0; i < of->tdags.count; i++) {
        uint32_t dag = members[i].dag;
        if (i == 0 || !is_same_class(&members[i - 1], &members[i])) {
            table->rows[++class] = class_of(of, dag);
            table->first[class] = i;
        }
        table->dags[i] = dag;
        table->rows[class].tdags++;
        name_set_join(&table->names[class], explore_names(of, dag));
    }
    table->first[table->count] = of->tdags.count;
}

static enum status add_members(const struct explore_rules *of, const struct member *members,
                               struct explore_class_table *table)
{
    table->count = count_classes(members, of->tdags.count);
    table->rows = mem_alloc(table->count, sizeof *table->rows);
    table->names = mem_alloc(table->count, sizeof *table->names);
    table->first = mem_alloc((size_t)table->count + 1, sizeof *table->first);
    table->dags = mem_alloc(of->tdags.count, sizeof *table->dags);
    if (!table->rows || !table->names || !table->first || !table->dags)
        return STATUS_NOMEM;
    fill(of, members, table);
    return STATUS_OK;
}

/* ---- orders ---- */

struct keyed {
    uint64_t key;
    uint32_t class;
};

uint64_t explore_class_key(const struct class_row *row, enum explore_class_order order)
{
    const uint64_t keys[EXPLORE_CLASS_ORDERS] = {row->tdags, row->height, row->nodes, row->edges, row->roots, row->txs};
    return keys[order];
}

/* Equal ones stay in the order of `before`; NULL: of their ids. */
static uint32_t *order_make(const struct explore_class_table *table, enum explore_class_order order,
                            const uint32_t *before, struct keyed *keyed, struct keyed *spare)
{
    uint32_t *classes = mem_alloc(table->count, sizeof *classes);
    if (!classes)
        return NULL;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t class = before ? before[i] : i;
        keyed[i] = (struct keyed){~explore_class_key(&table->rows[class], order), class};
    }
    const struct keyed *sorted = sort_by_key(keyed, spare, table->count, sizeof *keyed);
    for (uint32_t i = 0; i < table->count; i++)
        classes[i] = sorted[i].class;
    return classes;
}

static enum status make_orders(struct explore_class_table *table)
{
    struct keyed *keyed = mem_alloc(table->count, sizeof *keyed), *spare = mem_alloc(table->count, sizeof *spare);
    enum status status = keyed && spare ? STATUS_OK : STATUS_NOMEM;
    for (unsigned order = 0; order < EXPLORE_CLASS_ORDERS && status == STATUS_OK; order++) {
        table->orders[order] = order_make(table, (enum explore_class_order)order,
                                          order == BY_TDAGS ? NULL : table->orders[BY_TDAGS], keyed, spare);
        status = table->orders[order] ? STATUS_OK : STATUS_NOMEM;
    }
    mem_free(keyed);
    mem_free(spare);
    return status;
}

/* ---- all of it ---- */

enum status explore_class_table_make(const struct explore_rules *of, struct explore_class_table *table,
                                     struct fault *fault)
{
    uint32_t count = of->tdags.count;
    struct member *members = mem_alloc(count, sizeof *members), *spare = mem_alloc(count, sizeof *spare);
    enum status status = members && spare ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t d = 1; status == STATUS_OK && d <= count; d++) {
        const uint8_t *id = explore_row(of, d)->class_id;
        members[d - 1] = (struct member){load_be64(id), load_be64(id + 8), d};
    }
    if (status == STATUS_OK) {
        struct member *sorted = sort_by_key(members, spare, count, sizeof *members);
        settle_equal(sorted, count);
        status = add_members(of, sorted, table);
    }
    mem_free(members);
    mem_free(spare);
    if (status == STATUS_OK)
        status = make_orders(table);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

void explore_class_table_free(struct explore_class_table *table)
{
    mem_free(table->rows);
    mem_free(table->names);
    mem_free(table->first);
    mem_free(table->dags);
    for (unsigned order = 0; order < EXPLORE_CLASS_ORDERS; order++)
        mem_free(table->orders[order]);
}

/* ---- by id ---- */

static int compare_prefix(const struct class_row *row, const struct prefix *prefix)
{
    char id[2 * CANON_ID_SIZE + 1] = "";
    put_hex(id, row->class_id, CANON_ID_SIZE);
    return strncmp(id, prefix->digits, prefix->size);
}

void explore_class_find(const struct explore_class_table *table, const struct prefix *prefix, uint32_t *first,
                        uint32_t *end)
{
    *first = (uint32_t)LOWER_BOUND(i, 0, table->count, compare_prefix(&table->rows[i], prefix) < 0);
    *end = (uint32_t)LOWER_BOUND(i, *first, table->count, compare_prefix(&table->rows[i], prefix) <= 0);
}

bool explore_class_has(const struct explore_class_table *table, const uint8_t id[CANON_ID_SIZE])
{
    size_t at = LOWER_BOUND(i, 0, table->count, memcmp(table->rows[i].class_id, id, CANON_ID_SIZE) < 0);
    return at < table->count && memcmp(table->rows[at].class_id, id, CANON_ID_SIZE) == 0;
}
