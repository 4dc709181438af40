#include "cli/inputs/known_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs/date.h"
#include "graph/scripts/textfile.h"
#include "parser/digits.h"
#include "parser/mem.h"
#include "parser/multisig.h"
#include "parser/network.h"

/* The built-in list, cli/inputs/known-figures.tsv: one file to read for people and for the program. */
static const unsigned char built_in[] = {
#include "known-figures.inc"
};

#define COLUMNS 6u
#define DIGITS_MAX 18u
#define WORD_MAX 64u
#define FIRST_YEAR_S 1230768000u /* 2009, which the first block is of */

struct reading {
    const char *path; /* for faults */
    size_t line;
    struct fault *fault;
};

static enum status refuse(const struct reading *reading, const char *why, const char *text)
{
    return fault_set(reading->fault, STATUS_FORMAT, reading->path, FAULT_NO_OFFSET, "line %zu: %s: '%.200s'",
                     reading->line, why, text);
}

/* A figure that is none, or has other operands. */
static enum status refuse_figure(const struct reading *reading, const char *why, const char *text)
{
    return fault_set(reading->fault, STATUS_FORMAT, reading->path, FAULT_NO_OFFSET,
                     "line %zu: %s: '%.200s'; man unktx-compare lists them under FIGURES", reading->line, why, text);
}

/* ---- operands ---- */

/* The next word of *rest into `word`; false if there is none, or it is too long. */
static bool next_word(const char **rest, char word[WORD_MAX])
{
    size_t size = strcspn(*rest, " ");
    if (size == 0 || size >= WORD_MAX)
        return false;
    memcpy(word, *rest, size);
    word[size] = '\0';
    *rest += size + ((*rest)[size] == ' ');
    return true;
}

static bool read_kind(const char **rest, enum kind *kind)
{
    char word[WORD_MAX];
    if (!next_word(rest, word))
        return false;
    for (unsigned k = 0; k < KINDS; k++) {
        if (strcmp(word, kind_name((enum kind)k)) == 0) {
            *kind = (enum kind)k;
            return true;
        }
    }
    return false;
}

/* A rule set of Core: only those are counted in every store. */
static bool read_rules(const char **rest, enum rules *rules)
{
    char word[WORD_MAX];
    return next_word(rest, word) && rules_parse(word, rules) && *rules < RULES;
}

/* A number of one or two digits, M or N. */
static bool take_number(const char **at, unsigned *number)
{
    size_t digits = strspn(*at, "0123456789");
    *number = 0;
    for (size_t i = 0; i < digits && digits <= 2; i++)
        *number = *number * 10 + (unsigned)((*at)[i] - '0');
    *at += digits;
    return digits == 1 || digits == 2;
}

/* M-of-N, or nothing. */
static bool read_m_of_n(const char **rest, struct known_figure *figure)
{
    static const char between[] = "-of-";
    char word[WORD_MAX];
    const char *at = word;
    if (!**rest)
        return true;
    if (figure->kind != KIND_MULTISIG || !next_word(rest, word) || !take_number(&at, &figure->required) ||
        strncmp(at, between, strlen(between)) != 0)
        return false;
    at += strlen(between);
    return take_number(&at, &figure->keys) && *at == '\0' && figure->required > 0 && figure->required <= figure->keys &&
           figure->keys <= MULTISIG_KEYS_MAX;
}

static bool read_row(const char **rest, struct known_figure *figure)
{
    char word[WORD_MAX];
    for (size_t i = 0; i < sizeof figure->row / sizeof *figure->row; i++)
        if (!next_word(rest, word) || !digits_number(word, DIGITS_MAX, &figure->row[i]))
            return false;
    return !**rest || (next_word(rest, word) && digits_number(word, DIGITS_MAX, &figure->place) && figure->place > 0);
}

/* A script in hexadecimal, - for the empty one. */
static enum status read_script(const char *text, struct known_figure *figure, const struct reading *reading)
{
    size_t digits = strspn(text, "0123456789abcdef");
    if (strcmp(text, "-") != 0 && (digits == 0 || digits % 2 != 0 || text[digits]))
        return refuse(reading, "a script is hexadecimal digits in lower case, or - for the empty one", text);
    figure->script_size = digits / 2;
    figure->script = mem_alloc(figure->script_size, 1);
    if (!figure->script)
        return fault_nomem(reading->fault);
    return digits_bytes(text, figure->script_size, figure->script) ? STATUS_OK : STATUS_FORMAT;
}

/* ---- figures ---- */

enum operands { NONE, KIND, KIND_M_OF_N, SCRIPT, TEMPLATE, RULE_SET, RULE_SET_ROW, RULE_SET_NAMES };

static const struct measure {
    const char *word;
    enum figure_measure measure;
    enum operands operands;
} measures[] = {
    {"txs", FIGURE_TXS, NONE},
    {"inputs", FIGURE_INPUTS, NONE},
    {"outputs", FIGURE_OUTPUTS, NONE},
    {"created", FIGURE_CREATED, KIND},
    {"spent", FIGURE_SPENT, KIND},
    {"unspent", FIGURE_UNSPENT, KIND_M_OF_N},
    {"unspent-off-curve", FIGURE_OFF_CURVE, KIND},
    {"first", FIGURE_FIRST, KIND},
    {"script", FIGURE_SCRIPT, SCRIPT},
    {"script-sat", FIGURE_SCRIPT_SAT, SCRIPT},
    {"template", FIGURE_TEMPLATE, TEMPLATE},
    {"unknown-txs", FIGURE_UNKNOWN_TXS, RULE_SET},
    {"tdags", FIGURE_TDAGS, RULE_SET},
    {"nodes", FIGURE_NODES, RULE_SET},
    {"edges", FIGURE_EDGES, RULE_SET},
    {"classes", FIGURE_CLASSES, RULE_SET},
    {"row", FIGURE_ROW, RULE_SET_ROW},
    {"tdags-with", FIGURE_KNOWN, RULE_SET_NAMES},
    {"tdags-without", FIGURE_UNNAMED, RULE_SET_NAMES},
};

static bool read_operands(enum operands operands, const char **rest, struct known_figure *figure)
{
    switch (operands) {
    case NONE:
    case SCRIPT: return true;
    case KIND: return read_kind(rest, &figure->kind);
    case KIND_M_OF_N: return read_kind(rest, &figure->kind) && read_m_of_n(rest, figure);
    case TEMPLATE:
        if (**rest == '\0')
            return false;
        figure->operand = strcmp(*rest, "\"\"") == 0 ? "" : *rest; /* as --template has an empty script */
        *rest += strlen(*rest);
        return true;
    case RULE_SET: return read_rules(rest, &figure->rules);
    case RULE_SET_ROW: return read_rules(rest, &figure->rules) && read_row(rest, figure);
    case RULE_SET_NAMES:
        if (!read_rules(rest, &figure->rules))
            return false;
        figure->operand = *rest;
        *rest += strcspn(*rest, " ");
        return *figure->operand != '\0';
    }
    return false;
}

static enum status read_text(struct known_figure *figure, const struct reading *reading)
{
    const char *rest = figure->text;
    char word[WORD_MAX];
    if (!next_word(&rest, word))
        return refuse_figure(reading, "no figure", figure->text);
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (strcmp(word, measures[i].word) != 0)
            continue;
        figure->measure = measures[i].measure;
        if (measures[i].operands == SCRIPT)
            return read_script(rest, figure, reading);
        if (!read_operands(measures[i].operands, &rest, figure) || *rest)
            return refuse_figure(reading, "not what such a figure takes", figure->text);
        return STATUS_OK;
    }
    return refuse_figure(reading, "no such figure", figure->text);
}

/* A year, a month or a day from that of the first block on: its end. */
static bool read_date(const char *text, int64_t *end_time)
{
    uint64_t begin, end;
    if (!date_read(text, strlen(text), &begin, &end) || begin < FIRST_YEAR_S)
        return false;
    *end_time = (int64_t)end;
    return true;
}

static bool read_as_of(struct known_figure *figure)
{
    uint64_t height;
    if (strcmp(figure->as_of, "tip") == 0) {
        figure->when = FIGURE_AT_TIP;
    } else if (read_date(figure->as_of, &figure->end_time)) {
        figure->when = FIGURE_AT_DATE;
    } else {
        const char *digits = figure->as_of + (*figure->as_of == '@'); /* @2012: a height that reads as a year */
        if (!digits_number(digits, DIGITS_MAX, &height) || height >= UINT32_MAX)
            return false;
        figure->when = FIGURE_AT_HEIGHT;
        figure->height = (uint32_t)height;
    }
    return true;
}

/* ---- lines ---- */

static enum status read_columns(struct known_figure *figure, const struct reading *reading)
{
    char *columns[COLUMNS] = {figure->line};
    size_t count = 1;
    for (char *tab = strchr(figure->line, '\t'); tab; tab = strchr(tab + 1, '\t')) {
        *tab = '\0';
        if (count == COLUMNS)
            return refuse(reading, "more than six columns", figure->line);
        columns[count++] = tab + 1;
    }
    if (count < COLUMNS)
        return refuse(reading, "fewer than six columns with a tab between two", figure->line);
    figure->network = columns[0];
    figure->text = columns[1];
    figure->as_of = columns[2];
    figure->source = columns[4];
    figure->note = columns[5];
    if (!network_by_name(figure->network))
        return refuse(reading, "no such network", figure->network);
    if (!read_as_of(figure))
        return refuse(reading, "neither a height nor a date nor 'tip'", figure->as_of);
    if (!digits_number(columns[3], DIGITS_MAX, &figure->published))
        return refuse(reading, "not a number of up to 18 digits", columns[3]);
    if (!*figure->source)
        return refuse(reading, "without a source", figure->text);
    return read_text(figure, reading);
}

static void figure_free(struct known_figure *figure)
{
    mem_free(figure->line);
    mem_free(figure->script);
}

static enum status add_line(struct known_figures *figures, const struct textline *line, const struct reading *reading)
{
    struct known_figure figure = {0};
    enum status status = textfile_check(line, reading->path, reading->fault);
    if (status != STATUS_OK)
        return status;
    if (figures->count == KNOWN_FIGURES_MAX)
        return refuse(reading, "more than 4096 figures", "");
    if (mem_reserve(&figures->list, &figures->capacity, figures->count + 1, sizeof figure) != STATUS_OK ||
        !(figure.line = mem_alloc(line->size + 1, 1)))
        return fault_nomem(reading->fault);
    memcpy(figure.line, line->text, line->size);
    status = read_columns(&figure, reading);
    if (status == STATUS_OK)
        figures->list[figures->count++] = figure;
    else
        figure_free(&figure);
    return status;
}

static enum status add_text(struct known_figures *figures, const char *path, const char *text, size_t size,
                            struct fault *fault)
{
    size_t at = 0;
    struct textline line = {.text = text};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && textfile_line(text, size, &at, &line))
        status = add_line(figures, &line, &(struct reading){.path = path, .line = line.number, .fault = fault});
    return status;
}

enum status known_figures_read_built_in(struct known_figures *figures, struct fault *fault)
{
    size_t before = figures->count;
    enum status status = add_text(figures, "known-figures.tsv", (const char *)built_in, sizeof built_in, fault);
    if (status == STATUS_OK && figures->count == before)
        return fault_set(fault, STATUS_FORMAT, "known-figures.tsv", FAULT_NO_OFFSET,
                         "the built-in list is empty: this program was not built as its Makefile does");
    return status;
}

enum status known_figures_read(struct known_figures *figures, const char *path, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    enum status status = textfile_read(path, "figures", TEXTFILE_SMALL, &text, &size, fault);
    if (status == STATUS_OK)
        status = add_text(figures, path, text, size, fault);
    mem_free(text);
    return status;
}

void known_figures_free(struct known_figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        figure_free(&figures->list[i]);
    mem_free(figures->list);
    *figures = (struct known_figures){0};
}
