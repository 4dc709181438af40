#include "graph/scripts/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "graph/scripts/pattern.h"
#include "graph/scripts/textfile.h"
#include "parser/mem.h"
#include "parser/search.h"

/* The built-in list, graph/scripts/known-scripts.tsv: one file to read for people and for the program. */
static const unsigned char built_in[] = {
#include "known-scripts.inc"
};

#define COLUMNS 6u
#define KINDS_ALL ((1u << KINDS) - 1)

struct source {
    const char *path; /* for faults */
    size_t line;
    struct fault *fault;
};

static enum status refuse(const struct source *source, const char *why, const char *text)
{
    fault_set(source->fault, STATUS_FORMAT, source->path, FAULT_NO_OFFSET, "line %zu: %s: '%.200s'", source->line, why,
              text);
    return STATUS_FORMAT;
}

static bool is_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");
    return size > 0 && size <= CATALOGUE_NAME_MAX && !name[size];
}

/* One word of the second column. */
static enum status read_condition(struct known_script *entry, const char *word, const struct source *source)
{
    if (strcmp(word, "template") == 0)
        entry->over_template = true;
    else if (strcmp(word, "anyone-can-spend") == 0)
        entry->anyone_can_spend = true;
    else if (strcmp(word, "keys-off-curve") == 0)
        entry->keys_off_curve = true;
    else if (strcmp(word, "p2sh") == 0)
        entry->hidden_in |= 1u << HIDDEN_P2SH;
    else if (strcmp(word, "p2wsh") == 0)
        entry->hidden_in |= 1u << HIDDEN_P2WSH | 1u << HIDDEN_P2SH_P2WSH;
    else if (strcmp(word, "p2tr") == 0)
        entry->hidden_in |= 1u << HIDDEN_P2TR;
    else {
        for (unsigned k = 0; k < KINDS; k++)
            if (strcmp(word, kind_name((enum kind)k)) == 0) {
                entry->kinds |= 1u << k;
                return STATUS_OK;
            }
        return refuse(source, "no such condition", word);
    }
    return STATUS_OK;
}

static enum status read_conditions(struct known_script *entry, char *words, const struct source *source)
{
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        enum status status = read_condition(entry, word, source);
        if (status != STATUS_OK)
            return status;
    }
    if (!entry->kinds)
        entry->kinds = KINDS_ALL & ~(1u << KIND_NULLDATA);
    return STATUS_OK;
}

/* What every match of the pattern must begin and end with, as far as that is plain text: most scripts are ruled out by
 * it, at a hundredth of what regexec takes. */
static void find_plain_ends(struct known_script *entry)
{
    static const char special[] = ".[]()*+?{}|\\^$";
    const char *pattern = entry->pattern;
    size_t size = strlen(pattern);
    if (strchr(pattern, '|'))
        return;
    if (pattern[0] == '^') {
        entry->head = pattern + 1;
        entry->head_size = strcspn(entry->head, special);
        char next = entry->head[entry->head_size];
        if (entry->head_size > 0 && (next == '*' || next == '?' || next == '{'))
            entry->head_size--; /* its last character may be absent */
    }
    if (size > 1 && pattern[size - 1] == '$') {
        const char *end = pattern + size - 1;
        entry->tail = end;
        while (entry->tail > pattern && !strchr(special, entry->tail[-1]))
            entry->tail--;
        if (entry->tail == pattern || entry->tail[-1] != '\\') /* else what follows has another meaning */
            entry->tail_size = (size_t)(end - entry->tail);
    }
}

static enum status check_pattern(const char *pattern, const struct source *source)
{
    char why[PATTERN_WHY];
    enum status status = pattern_check(pattern, why);
    if (status == STATUS_NOMEM)
        return fault_nomem(source->fault);
    return status == STATUS_OK ? status : refuse(source, why, pattern);
}

size_t catalogue_find(const struct catalogue *catalogue, const char *name)
{
    const struct known_script *entries = catalogue->entries;
    const size_t *by_name = catalogue->by_name;
    size_t at = LOWER_BOUND(i, 0, catalogue->count, strcmp(entries[by_name[i]].name, name) < 0);
    return at < catalogue->count && strcmp(entries[by_name[at]].name, name) == 0 ? by_name[at] : CATALOGUE_MAX;
}

static enum status read_entry(struct catalogue *catalogue, struct known_script *entry, const struct source *source)
{
    char *columns[COLUMNS] = {entry->line};
    size_t count = 1;
    for (char *tab = strchr(entry->line, '\t'); tab; tab = strchr(tab + 1, '\t')) {
        *tab = '\0';
        if (count == COLUMNS)
            return refuse(source, "more than six columns", entry->line);
        columns[count++] = tab + 1;
    }
    if (count < COLUMNS)
        return refuse(source, "fewer than six columns with a tab between two", entry->line);
    entry->name = columns[0];
    entry->pattern = columns[2];
    entry->first_seen = columns[3];
    entry->source = columns[4];
    entry->what = columns[5];
    if (!is_name(entry->name))
        return refuse(source, "a name is up to 48 of a-z, 0-9, . and -", entry->name);
    if (catalogue_find(catalogue, entry->name) < CATALOGUE_MAX)
        return refuse(source, "the name is taken", entry->name);
    enum status status = read_conditions(entry, columns[1], source);
    if (status == STATUS_OK)
        status = check_pattern(entry->pattern, source);
    if (status == STATUS_OK)
        find_plain_ends(entry);
    return status;
}

/* The entry gets the next number, which goes to its place in the order of names. */
static void append(struct catalogue *catalogue, const struct known_script *entry)
{
    size_t at = catalogue->count;
    for (; at > 0 && strcmp(catalogue->entries[catalogue->by_name[at - 1]].name, entry->name) > 0; at--)
        catalogue->by_name[at] = catalogue->by_name[at - 1];
    catalogue->by_name[at] = catalogue->count;
    catalogue->entries[catalogue->count++] = *entry;
}

static enum status add_line(struct catalogue *catalogue, const struct textline *line, const struct source *source)
{
    struct known_script entry = {0};
    enum status status = textfile_check(line, source->path, source->fault);
    if (status != STATUS_OK)
        return status;
    if (mem_reserve(&catalogue->entries, &catalogue->capacity, catalogue->count + 1, sizeof entry) != STATUS_OK ||
        !(entry.line = mem_alloc(line->size + 1, 1)))
        return fault_nomem(source->fault);
    memcpy(entry.line, line->text, line->size);
    if (catalogue->count < CATALOGUE_MAX)
        status = read_entry(catalogue, &entry, source);
    else
        status = refuse(source, "more than 128 known scripts, the first too many of which is", entry.line);
    if (status != STATUS_OK) {
        mem_free(entry.line);
        return status;
    }
    append(catalogue, &entry);
    return STATUS_OK;
}

static enum status add_text(struct catalogue *catalogue, const char *path, const char *text, size_t size,
                            struct fault *fault)
{
    size_t at = 0;
    struct textline line = {.text = text};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && textfile_line(text, size, &at, &line))
        status = add_line(catalogue, &line, &(struct source){.path = path, .line = line.number, .fault = fault});
    return status;
}

enum status catalogue_read_built_in(struct catalogue *catalogue, struct fault *fault)
{
    size_t before = catalogue->count;
    enum status status = add_text(catalogue, "known-scripts.tsv", (const char *)built_in, sizeof built_in, fault);
    if (!status && catalogue->count == before)
        return fault_set(fault, STATUS_FORMAT, "known-scripts.tsv", FAULT_NO_OFFSET,
                         "the built-in list is empty: this program was not built as its Makefile does");
    return status;
}

enum status catalogue_read(struct catalogue *catalogue, const char *path, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    enum status status = textfile_read(path, "known scripts", TEXTFILE_SMALL, &text, &size, fault);
    if (status == STATUS_OK)
        status = add_text(catalogue, path, text, size, fault);
    mem_free(text);
    return status;
}

void catalogue_free(struct catalogue *catalogue)
{
    for (size_t i = 0; i < catalogue->count; i++)
        mem_free(catalogue->entries[i].line);
    mem_free(catalogue->entries);
    *catalogue = (struct catalogue){0};
}

bool catalogue_is_protocol(const struct catalogue *catalogue, size_t i)
{
    return catalogue->entries[i].kinds == 1u << KIND_NULLDATA;
}

char *catalogue_put_names(const struct catalogue *catalogue, const struct name_set *set, char *out)
{
    char *at = out;
    if (name_set_first(set) == CATALOGUE_MAX)
        return out;
    for (size_t i = 0; i < catalogue->count; i++) {
        if (!name_set_has(set, catalogue->by_name[i]))
            continue;
        const char *name = catalogue->entries[catalogue->by_name[i]].name;
        size_t size = strlen(name);
        if (at > out)
            *at++ = ' ';
        memcpy(at, name, size);
        at += size;
    }
    return at;
}

size_t catalogue_names_size(const struct catalogue *catalogue)
{
    size_t size = 0;
    for (size_t i = 0; i < catalogue->count; i++)
        size += strlen(catalogue->entries[i].name) + 1;
    return size;
}
