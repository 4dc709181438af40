/* schema: what every table that unktx writes has in it, said once: a row for each column. Header lines, the lists of
 * columns in the man pages, docs/tables.md and datapackage.json all come from here.
 *
 * A new column is one row of the table's list (schema_dags.c, schema_scripts.c, schema_blocks.c) and one cell where the
 * rows are written, at the same place; `make columns` then brings the documents up to date. Thread rule: constant
 * data, any thread. */
#ifndef UNKTX_CLI_OUTPUT_SCHEMA_H
#define UNKTX_CLI_OUTPUT_SCHEMA_H

#include <stdbool.h>

#include "cli/output/text.h"

enum column_type {
    COLUMN_INTEGER,  /* decimal digits, perhaps more than 2^53 */
    COLUMN_NUMBER,   /* decimal digits with a point */
    COLUMN_STRING,   /* also what only looks like a number */
    COLUMN_BOOLEAN,  /* 1 or 0 */
    COLUMN_DATETIME, /* ISO 8601 in UTC: 2011-02-03T04:05:06Z */
};

/* A column's flags. COLUMN_WITH_... tell that only some tables of the name have it. */
#define COLUMN_MAY_BE_EMPTY 1u
#define COLUMN_EMPTY_TEXT 8u  /* with COLUMN_MAY_BE_EMPTY: what is empty is a text without letters, not a missing one */
#define COLUMN_WITH_INDEX 2u  /* where the store has an index */
#define COLUMN_WITH_VERIFY 4u /* with --verify */
#define COLUMN_WITH_UNLOCKS 16u       /* where the spenders were read from the blk files */
#define COLUMN_WITH_LABELS 32u        /* with --labels */
#define COLUMN_WITH_PAPER_CLASSES 64u /* with --paper-classes */
#define COLUMN_WITH_SCRIPTS 128u      /* with --scripts */
#define COLUMN_WITH_PARTIAL 256u      /* where the store is partial (partial.h) */

#define LABELS_MEANING                                                                                                 \
    "in alphabetical order of bytes with a semicolon and a space between two; the first 32, and then how many more"

/* What --labels adds to a table that names T-DAGs. */
#define DAG_LABEL_NAMED(column, of)                                                                                    \
    {                                                                                                                  \
        column, COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,                                         \
            "labels of " of ", see label in tdags.csv"                                                                 \
    }
#define DAG_LABEL DAG_LABEL_NAMED("dag_label", "the T-DAG")

/* KIND in a name stands for each kind of output, RULES for each rule set. Neighbours with the same word repeat
 * together: KIND,KIND_sat is nonstandard,nonstandard_sat,nulldata,... */
struct column {
    const char *name;
    enum column_type type;
    unsigned flags;
    const char *unit;    /* NULL: none */
    const char *meaning; /* plain text without a full stop at its end; also when it is empty */
};

/* The values of `columns` all occur in `references` of the other table. Lists have a comma between two names. */
struct foreign_key {
    const char *columns;
    const char *table;
    const char *references;
};

#define SCHEMA_FOREIGN_KEYS 3u

struct table_schema {
    const char *name;    /* its file in a folder is NAME.csv */
    const char *command; /* that writes it, after "unktx " */
    const char *rows;    /* what a row is, and their order */
    const struct column *columns;
    size_t columns_count;
    const char *primary_key;                              /* names with a comma between two; NULL: none */
    struct foreign_key foreign_keys[SCHEMA_FOREIGN_KEYS]; /* to the first without a table */
};

extern const struct table_schema schema_tdags, schema_classes, schema_txs, schema_arcs, schema_leaves, schema_payers,
    schema_payees, schema_changes;
extern const struct table_schema schema_outputs, schema_templates, schema_unlocks, schema_stats, schema_stats_by_day,
    schema_protocols, schema_find_rows, schema_compare, schema_hidden, schema_hidden_scripts;
extern const struct table_schema schema_keys, schema_hashes, schema_ties, schema_groups;
extern const struct table_schema schema_nodes, schema_edges, schema_timings;
extern const struct table_schema schema_blocks, schema_dump_blocks, schema_dump_txs, schema_dump_inputs,
    schema_dump_outputs, schema_travel;

/* All of them; ends with NULL. */
extern const struct table_schema *const schema_all[];

/* The table of that name, or NULL. O(tables). */
const struct table_schema *schema_find(const char *name);
/* The table that a file of that name, with .csv, has; or NULL. O(tables). */
const struct table_schema *schema_of_file(const char *name);

/* "integer", ... as Table Schema calls it. Static strings. */
const char *column_type_name(enum column_type type);

#define COLUMN_NAME_SIZE 64u

/* The last column of every table of a partial store. */
extern const struct column schema_partial;

/* Steps over the columns of a table as written: those whose flags are all in `flags` (COLUMN_MAY_BE_EMPTY apart), with
 * KIND and RULES replaced by names; with COLUMN_WITH_PARTIAL schema_partial is the last. Set `table` and `flags`, the
 * rest zero. */
struct schema_walk {
    const struct table_schema *table;
    unsigned flags;
    const struct column *column; /* the description */
    char name[COLUMN_NAME_SIZE]; /* as in the header */
    size_t next;                 /* within table->columns */
    size_t group_begin;          /* within table->columns */
    unsigned repeat;             /* which kind or rule set */
};
/* False at the end. O(1). */
bool schema_next(struct schema_walk *walk);

/* Appends the header line. STATUS_NOMEM. */
enum status schema_put_header(struct text *text, const struct table_schema *table, unsigned flags) MUST_CHECK;

#endif
