#include "cli/views/text_drawing.h"

#include "cli/output/wrap.h"
#include "parser/mem.h"

#define RUNS_SHOWN 7u  /* runs of equal levels in a line, if they fit */
#define SIGNS_SHOWN 3u /* of one sort in a level */

struct level {
    uint64_t roots;
    uint64_t spent;
    uint64_t leaves;
};

static bool same_level(const struct level *a, const struct level *b)
{
    return a->roots == b->roots && a->spent == b->spent && a->leaves == b->leaves;
}

/* The nodes of the T-DAG by depth. A root node has depth 0, whatever its transaction spends besides. */
static void count_levels(const struct forest *forest, const struct selection *selection, uint32_t dag,
                         struct level *levels)
{
    const struct tdags *tdags = &selection->tdags;
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        uint32_t number = tdags->members[i], spent = 0;
        const struct forest_tx *tx = &forest->txs[number];
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++)
            spent += forest_is_arc(&forest->outputs[o], tdags->rules);
        struct level *level = &levels[selection->classes.depths[number]];
        level->spent += spent;
        level->leaves += tx->outputs - spent;
        levels[0].roots += forest_is_root(forest, number, tdags->rules);
    }
}

static void put_signs(struct printer *printer, const char *sign, const char *style, uint64_t count, bool colour)
{
    if (count == 0)
        return;
    if (colour)
        PRINT(printer, "%s", style);
    for (uint64_t i = 0; i < (count <= SIGNS_SHOWN ? count : 1); i++)
        PRINT(printer, "%s", sign);
    if (count > SIGNS_SHOWN)
        PRINT(printer, "\u00d7%llu", ULL(count));
    if (colour)
        PRINT(printer, "\033[0m");
}

static void put_level(struct printer *printer, const struct level *level, bool colour)
{
    put_signs(printer, TEXT_DRAWING_ROOT, "\033[33m", level->roots, colour);
    put_signs(printer, TEXT_DRAWING_SPENT, "\033[36m", level->spent, colour);
    if (level->spent > SIGNS_SHOWN && level->leaves)
        PRINT(printer, " ");
    put_signs(printer, TEXT_DRAWING_LEAF, "\033[2m", level->leaves, colour);
}

/* How many levels from `at` on are the same. */
static uint32_t run_length(const struct level *levels, uint32_t at, uint32_t count)
{
    uint32_t end = at + 1;
    while (end < count && same_level(&levels[end], &levels[at]))
        end++;
    return end - at;
}

static void put_left_out(struct printer *printer, bool first, uint32_t levels)
{
    if (levels > 0)
        PRINT(printer, "%s\u2026%u levels\u2026", first ? "" : "\u2192", (unsigned)levels);
}

/* At most `shown` runs, the first ones and the last; with `shown` 0 none. */
static void put_runs(struct printer *printer, const struct level *levels, uint32_t count, uint32_t shown, bool colour)
{
    uint32_t runs = 0, run = 0, left_out = 0;
    for (uint32_t at = 0; at < count; at += run_length(levels, at, count))
        runs++;
    uint32_t first = runs <= shown ? runs : shown > 1 ? shown - 2 : 0;
    for (uint32_t at = 0, length; at < count; at += length, run++) {
        length = run_length(levels, at, count);
        if (run >= first && (run + 1 < runs || shown == 0)) {
            left_out += length;
            continue;
        }
        put_left_out(printer, first == 0, left_out);
        left_out = 0;
        if (at > 0)
            PRINT(printer, "\u2192");
        if (length > 1)
            PRINT(printer, "[");
        put_level(printer, &levels[at], colour);
        if (length > 1)
            PRINT(printer, "]\u00d7%u", (unsigned)length);
    }
    put_left_out(printer, true, left_out);
}

/* With as many runs as fit. */
static void put_levels(struct printer *printer, const struct level *levels, uint32_t count, bool colour, unsigned width)
{
    size_t begin = printer->text.size;
    for (uint32_t shown = RUNS_SHOWN;; shown--) {
        put_runs(printer, levels, count, shown, colour);
        if (printer->status != STATUS_OK || shown == 0 ||
            wrap_columns(printer->text.bytes + begin, printer->text.size - begin) <= width)
            return;
        printer->text.size = begin;
    }
}

void text_drawing_put(struct printer *printer, const struct forest *forest, const struct selection *selection,
                      uint32_t dag, bool colour, unsigned width)
{
    const struct tdags *tdags = &selection->tdags;
    uint32_t deepest = 0;
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        uint32_t depth = selection->classes.depths[tdags->members[i]];
        deepest = depth > deepest ? depth : deepest;
    }
    struct level *levels = mem_alloc((size_t)deepest + 1, sizeof *levels);
    if (!levels) {
        printer->status = STATUS_NOMEM;
        return;
    }
    count_levels(forest, selection, dag, levels);
    put_levels(printer, levels, deepest + 1, colour, width);
    mem_free(levels);
}
