#include "graph/scripts/filter.h"

#include <string.h>

#include "graph/scripts/labels.h"
#include "graph/scripts/pattern.h"
#include "graph/scripts/textfile.h"
#include "parser/mem.h"

struct pattern {
    char *text;
    regex_t regex;
    bool compiled;
};

struct filter {
    struct pattern *patterns;
    size_t count;
    size_t capacity;
    const struct catalogue *known; /* not NULL: this instead of the patterns */
};

static enum status add_pattern(struct filter *filter, const char *path, size_t line_number, const char *line,
                               size_t size, struct fault *fault)
{
    enum status status = mem_reserve(&filter->patterns, &filter->capacity, filter->count + 1, sizeof *filter->patterns);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    struct pattern *pattern = &filter->patterns[filter->count];
    memset(pattern, 0, sizeof *pattern);
    pattern->text = mem_alloc(size + 1, 1);
    if (!pattern->text)
        return fault_nomem(fault);
    filter->count++;
    memcpy(pattern->text, line, size);
    char why[PATTERN_WHY];
    if (!pattern_compile(pattern->text, &pattern->regex, why))
        return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "line %zu: %s", line_number, why);
    pattern->compiled = true;
    return STATUS_OK;
}

/* As an asm is; summary.json repeats a pattern, and is to be UTF-8 whatever is in the file. */
static bool is_printable_ascii(const struct textline *line)
{
    for (size_t i = 0; i < line->size; i++)
        if (line->text[i] < ' ' || line->text[i] > '~')
            return false;
    return true;
}

enum status filter_read(const char *path, struct filter **filter, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0, at = 0;
    struct textline line = {0};
    *filter = mem_alloc(1, sizeof **filter);
    enum status status = *filter ? textfile_read(path, "patterns", &text, &size, fault) : fault_nomem(fault);
    while (status == STATUS_OK && textfile_line(text, size, &at, &line)) {
        if (!is_printable_ascii(&line))
            status = fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                               "line %zu: a byte that is no printable ASCII, as no asm has", line.number);
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
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->patterns[i].compiled)
            regfree(&filter->patterns[i].regex);
        mem_free(filter->patterns[i].text);
    }
    mem_free(filter->patterns);
    mem_free(filter);
}

bool filter_is_known(const struct filter *filter) { return filter->known != NULL; }

size_t filter_count(const struct filter *filter) { return filter->known ? filter->known->count : filter->count; }

const char *filter_pattern(const struct filter *filter, size_t i)
{
    return filter->known ? filter->known->entries[i].name : filter->patterns[i].text;
}

struct match {
    const struct filter *filter;
    enum rules rules;
    char *text; /* asm of a script */
    size_t capacity;
};

/* Lowers *drop (1 + pattern, 0 for none) to the first pattern that matches an unknown output of the transaction. */
static enum status match_tx(struct match *match, struct tx_view *view, uint32_t *drop)
{
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        if (!(output.unknown >> match->rules & 1) || !output.script)
            continue;
        status = mem_reserve(&match->text, &match->capacity, script_asm_bound(output.script_size), 1);
        if (status != STATUS_OK)
            return status;
        script_asm(output.script, output.script_size, match->text);
        size_t end = *drop ? *drop - 1 : match->filter->count;
        for (size_t i = 0; i < end; i++)
            if (regexec(&match->filter->patterns[i].regex, match->text, 0, NULL, 0) == 0) {
                *drop = (uint32_t)i + 1;
                break;
            }
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status match_batch(struct match *match, struct batch_view *batch, const struct forest *forest,
                               const struct tdags *tdags, uint32_t *drop)
{
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(batch, &block)) == STATUS_OK) {
        struct tx_view view;
        while ((status = batch_next_tx(batch, &view)) == STATUS_OK) {
            if (view.tx.number >= forest->txs_count)
                return STATUS_FORMAT;
            uint32_t tx = (uint32_t)view.tx.number, dag = tdags->tx_dag[tx];
            if (!dag || !forest_is_root(forest, tx, tdags->rules))
                continue;
            status = match_tx(match, &view, &drop[dag]);
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
    enum status status = labels_find(filter->known, store, forest, tdags, threads, &labels, fault);
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
    struct match match = {.filter = filter, .rules = tdags->rules};
    struct store_reader *reader = NULL;
    memset(drop, 0, ((size_t)tdags->count + 1) * sizeof *drop);
    if (filter->known)
        return match_known(filter, store, forest, tdags, threads, drop, fault);
    enum status status = store_reader_open(store, &reader, fault);
    for (size_t b = 0; status == STATUS_OK && b < store_batches(reader); b++) {
        struct batch_view batch;
        status = store_batch(reader, b, &batch, fault);
        if (status != STATUS_OK)
            break;
        status = match_batch(&match, &batch, forest, tdags, drop);
        if (status == STATUS_NOMEM)
            fault_nomem(fault);
        else if (status != STATUS_OK)
            fault_set(fault, status, store_path(store), FAULT_NO_OFFSET, "the store is damaged: batch %zu", b);
    }
    mem_free(match.text);
    store_reader_close(reader);
    return status;
}
