/* known_figures: what others have published about a chain, to put beside what a store says of it. One list is built in
 * (cli/inputs/known-figures.tsv, whose head says what its columns mean); files of the same form can be added to it.
 *
 * Thread rule: a const list is shareable. Ownership: texts are the list's. */
#ifndef UNKTX_CLI_INPUTS_KNOWN_FIGURES_H
#define UNKTX_CLI_INPUTS_KNOWN_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/script.h"
#include "parser/status.h"

/* What a figure counts. The text is its first words; the rest are its operands. */
enum figure_measure {
    FIGURE_TXS,
    FIGURE_INPUTS,
    FIGURE_OUTPUTS,
    FIGURE_CREATED,     /* KIND: outputs of it */
    FIGURE_SPENT,       /* KIND */
    FIGURE_UNSPENT,     /* KIND; of multisig perhaps M-of-N */
    FIGURE_OFF_CURVE,   /* KIND: unspent ones with a key that is no point of the curve */
    FIGURE_FIRST,       /* KIND: height of the first block with one */
    FIGURE_SCRIPT,      /* HEX: outputs with this script */
    FIGURE_TEMPLATE,    /* TEMPLATE: outputs with such a script */
    FIGURE_SCRIPT_SAT,  /* HEX: their value */
    FIGURE_UNKNOWN_TXS, /* RULES: transactions with an unknown output */
    FIGURE_TDAGS,       /* RULES */
    FIGURE_NODES,       /* RULES */
    FIGURE_EDGES,       /* RULES */
    FIGURE_CLASSES,     /* RULES */
    FIGURE_ROW,         /* RULES HEIGHT NODES EDGES ROOTS: T-DAGs with these numbers; K: of the K-th such class */
    FIGURE_KNOWN,       /* RULES NAME,...: T-DAGs that --exclude-scripts would take away for these known scripts */
    FIGURE_UNNAMED,     /* RULES NAME,...: T-DAGs that it would leave */
};

static inline bool figure_is_of_tdags(enum figure_measure measure) { return measure >= FIGURE_TDAGS; }

enum figure_when {
    FIGURE_AT_HEIGHT,
    FIGURE_AT_DATE, /* the last block before `end_time` */
    FIGURE_AT_TIP,
};

struct known_figure {
    char *line; /* the texts below are parts of it */
    const char *network;
    const char *text;
    const char *as_of;
    const char *source;
    const char *note;
    const char *operand; /* of the text: a template, or names with commas between */
    uint8_t *script;
    size_t script_size;
    uint64_t published;
    int64_t end_time; /* seconds since 1970: the end of the day, month or year */
    uint64_t row[4];  /* height, nodes, edges, roots */
    uint64_t place;   /* of the class among those with these numbers, the most common is 1; 0: all of them */
    uint32_t height;
    unsigned required; /* M of N; 0: any */
    unsigned keys;
    enum figure_measure measure;
    enum figure_when when;
    enum kind kind;
    enum rules rules;
};

struct known_figures {
    struct known_figure *list; /* in the order of the files */
    size_t count;
    size_t capacity;
};

/* The built-in figures. Zero-initialise; known_figures_free at the end in any case. */
enum status known_figures_read_built_in(struct known_figures *figures, struct fault *fault) MUST_CHECK;
/* Adds those of a file. STATUS_FORMAT names the line: a wrong number of columns, no such network, figure, operand,
 * height or date, no number, no source, more than KNOWN_FIGURES_MAX. */
#define KNOWN_FIGURES_MAX 4096u
enum status known_figures_read(struct known_figures *figures, const char *path, struct fault *fault) MUST_CHECK;
void known_figures_free(struct known_figures *figures);

#endif
