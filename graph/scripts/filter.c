#include "graph/scripts/filter.h"

#include <string.h>

#include "graph/scripts/batches.h"
#include "graph/scripts/labels.h"
#include "graph/scripts/matcher.h"
#include "graph/scripts/pattern.h"
#include "graph/scripts/textfile.h"
#include "parser/mem.h"

#define FILTER_PATTERNS_MAX 1000u

struct filter {
    char **patterns;
    size_t count;
    size_t capacity;
    const struct catalogue *known; /* not NULL: this instead of the patterns */
};

static enum status add_pattern(struct filter *filter, const char *path, size_t line_number, const char *line,
                               size_t size, struct fault *fault)
{
    if (filter->count == FILTER_PATTERNS_MAX)
        return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "more than 1,000 patterns");
    enum status status = mem_reserve(&filter->patterns, &filter->capacity, filter->count + 1, sizeof *filter->patterns);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    char *text = mem_alloc(size + 1, 1), why[PATTERN_WHY];
    if (!text)
        return fault_nomem(fault);
    filter->patterns[filter->count++] = text;
    memcpy(text, line, size);
    status = pattern_check(text, why);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status != STATUS_OK)
        return fault_set(fault, status, path, FAULT_NO_OFFSET, "line %zu: %s", line_number, why);
    return STATUS_OK;
}

/* As an asm is; summary.json repeats a pattern, and is to be UTF-8 whatever is in the file. */
static size_t printable_ascii(const struct textline *line)
{
    size_t i = 0;
    while (i < line->size && line->text[i] >= ' ' && line->text[i] <= '~')
        i++;
    return i;
}

enum status filter_read(const char *path, struct filter **filter, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0, at = 0;
    struct textline line = {0};
    *filter = mem_alloc(1, sizeof **filter);
    enum status status = *filter ? textfile_read(path, "patterns", TEXTFILE_SMALL, &text, &size, fault)
                                 : fault_nomem(fault);
    while (status == STATUS_OK && textfile_line(text, size, &at, &line)) {
        size_t plain = printable_ascii(&line);
        if (plain < line.size)
            status = fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                               "line %zu, column %zu: a byte that is no printable ASCII, as no asm has", line.number,
                               plain + 1);
        else
            status = add_pattern(*filter, path, line.number, line.text, line.size, fault);
    }
    mem_free(text);
    if (status != STATUS_OK) {
        filter_free(*filter);
        *filter = NULL;
    }
    return status;
}

enum status filter_known(const struct catalogue *catalogue, struct filter **filter, struct fault *fault)
{
    *filter = mem_alloc(1, sizeof **filter);
    if (!*filter)
        return fault_nomem(fault);
    (*filter)->known = catalogue;
    return STATUS_OK;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->count; i++)
        mem_free(filter->patterns[i]);
    mem_free(filter->patterns);
    mem_free(filter);
}

bool filter_is_known(const struct filter *filter) { return filter->known != NULL; }

size_t filter_count(const struct filter *filter) { return filter->known ? filter->known->count : filter->count; }

const char *filter_pattern(const struct filter *filter, size_t i)
{
    return filter->known ? filter->known->entries[i].name : filter->patterns[i];
}

/* What a thread has for itself: regexec locks the expression that it runs. */
struct expressions {
    regex_t *compiled;
    size_t count;
    char *text; /* asm of a script */
};

struct match {
    const struct filter *filter;
    const struct forest *forest;
    const struct tdags *tdags;
    struct expressions *expressions; /* by worker */
    uint32_t *drop;
};

static enum status compile(const struct filter *filter, struct expressions *expressions)
{
    char why[PATTERN_WHY];
    expressions->compiled = mem_alloc(filter->count, sizeof *expressions->compiled);
    expressions->text = mem_alloc(script_asm_bound(SCRIPT_SIZE_MAX), 1);
    if (!expressions->compiled || !expressions->text)
        return STATUS_NOMEM;
    for (; expressions->count < filter->count; expressions->count++)
        /* each was compiled before, so memory is all that can lack */
        if (pattern_compile(filter->patterns[expressions->count], &expressions->compiled[expressions->count], why) !=
            STATUS_OK)
            return STATUS_NOMEM;
    return STATUS_OK;
}

static void free_expressions(struct expressions *expressions)
{
    for (size_t i = 0; i < expressions->count; i++)
        regfree(&expressions->compiled[i]);
    mem_free(expressions->compiled);
    mem_free(expressions->text);
}

/* The first pattern below `end` that matches an unknown output of the transaction, else `end`. */
static enum status match_tx(const struct match *match, const struct expressions *expressions, struct tx_view *view,
                            size_t end, size_t *first)
{
    struct output_record output;
    enum status status;
    *first = end;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        if (!(output.unknown >> match->tdags->rules & 1) || !output.script)
            continue;
        size_t size = output.script_size < SCRIPT_SIZE_MAX ? output.script_size : SCRIPT_SIZE_MAX;
        script_asm(output.script, size, expressions->text);
        for (size_t i = 0; i < *first; i++)
            if (regexec(&expressions->compiled[i], expressions->text, 0, NULL, 0) == 0)
                *first = i;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Several threads may come to the transactions of one T-DAG: the least number stays, in whatever order they come. */
static void lower_shared(uint32_t *drop, uint32_t number)
{
    uint32_t before = __atomic_load_n(drop, __ATOMIC_RELAXED);
    while ((before == 0 || number < before) &&
           !__atomic_compare_exchange_n(drop, &before, number, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static enum status match_root(const struct match *match, const struct expressions *expressions, struct tx_view *view,
                              uint32_t *drop)
{
    uint32_t so_far = __atomic_load_n(drop, __ATOMIC_RELAXED);
    size_t end = so_far ? so_far - 1 : match->filter->count, first;
    enum status status = match_tx(match, expressions, view, end, &first);
    if (status == STATUS_OK && first < end)
        lower_shared(drop, (uint32_t)first + 1);
    return status;
}

static enum status match_batch(void *context, unsigned worker, struct batch_view *batch, struct fault *fault)
{
    const struct match *match = context;
    struct expressions *expressions = &match->expressions[worker];
    struct block_record block;
    enum status status = expressions->text ? STATUS_OK : compile(match->filter, expressions);
    (void)fault;
    if (status != STATUS_OK)
        return status;
    while ((status = batch_next_block(batch, &block)) == STATUS_OK) {
        struct tx_view view;
        while ((status = batch_next_tx(batch, &view)) == STATUS_OK) {
            if (view.tx.number >= match->forest->txs_count)
                return STATUS_FORMAT;
            uint32_t tx = (uint32_t)view.tx.number, dag = match->tdags->tx_dag[tx];
            if (!dag || !forest_is_root(match->forest, tx, match->tdags->rules))
                continue;
            status = match_root(match, expressions, &view, &match->drop[dag]);
            if (status != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status match_known(const struct filter *filter, const struct store *store, const struct forest *forest,
                               const struct tdags *tdags, unsigned threads, uint32_t *drop, struct fault *fault)
{
    struct labels labels = {0};
    enum status status = labels_find(filter->known, store, forest, tdags, true, threads, &labels, fault);
    for (uint32_t d = 1; status == STATUS_OK && d <= tdags->count; d++) {
        size_t first = name_set_first(&labels.roots[d]);
        drop[d] = first < CATALOGUE_MAX ? (uint32_t)first + 1 : 0;
    }
    labels_free(&labels);
    return status;
}

enum status filter_match(const struct filter *filter, const struct store *store, const struct forest *forest,
                         const struct tdags *tdags, unsigned threads, uint32_t *drop, struct fault *fault)
{
    struct match match = {.filter = filter, .forest = forest, .tdags = tdags, .drop = drop};
    memset(drop, 0, ((size_t)tdags->count + 1) * sizeof *drop);
    if (filter->known)
        return match_known(filter, store, forest, tdags, threads, drop, fault);
    match.expressions = mem_alloc(threads, sizeof *match.expressions);
    if (!match.expressions)
        return fault_nomem(fault);
    enum status status = batches_visit(store, threads, match_batch, &match, fault);
    for (unsigned w = 0; w < threads; w++)
        free_expressions(&match.expressions[w]);
    mem_free(match.expressions);
    return status;
}
