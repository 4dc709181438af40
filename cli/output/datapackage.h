/* datapackage: the manifest of an output folder, datapackage.json: what lies in the folder, which chain and rules it
 * is of, and what every column means. It is a Data Package of Frictionless Data (specifications 1: Data Package, Data
 * Resource, Table Schema), so that its readers open it; a field's own missingValues are of version 2, since only that
 * can say that an empty text is one; what they do not define is in the property "unktx". */
#ifndef UNKTX_CLI_OUTPUT_DATAPACKAGE_H
#define UNKTX_CLI_OUTPUT_DATAPACKAGE_H

#include "cli/options.h"
#include "cli/output/printer.h"
#include "cli/output/schema.h"
#include "parser/network.h"
#include "parser/script.h"

#define DATAPACKAGE_NAME "datapackage.json"
#define DATAPACKAGE_HEX (2u * 32u + 1u) /* a SHA-256 in hexadecimal, and the terminator */

/* One file of the folder. */
struct datapackage_file {
    const char *name;
    const struct table_schema *table; /* NULL: it is no table */
    unsigned flags;                   /* of the table's columns, see schema_walk */
    uint64_t bytes;
    uint64_t rows; /* without the header */
    char sha256[DATAPACKAGE_HEX];
};

/* A file that was read to make the tables: its path as it was given (NULL: none), or "@known" without a hash. */
struct datapackage_input {
    const char *path;
    char sha256[DATAPACKAGE_HEX];
};

/* What the files were made of. Texts are borrowed, `select` apart. */
struct datapackage_provenance {
    const char *version; /* of unktx */
    char network[NETWORK_LABEL_SIZE];
    const char *nulldata; /* "count" or "store" */
    struct hash256 tip;
    uint32_t tip_height;
    uint32_t first_height; /* above 0: of a part of the chain, from that block on */
    enum rules rules;
    bool compress;
    const char *nodes; /* of a list of edges: "outputs" or "txs"; NULL: there is none */
    bool with_index;
    struct datapackage_input exclude_scripts;
    struct datapackage_input scripts;
    char *select;                                     /* filters of T-DAGs as options, of mem_alloc; NULL for none */
    struct datapackage_input labels[OPTION_LIST_MAX]; /* files of --labels */
    size_t labels_count;
};

/* Appends the whole manifest. A foreign key is told where its table is among the files. O(columns of all tables). */
void datapackage_print(struct printer *printer, const struct datapackage_provenance *provenance,
                       const struct datapackage_file *files, size_t count);

/* Appends the Table Schema of a table, an object, its lines indented by `indent` spaces. `has_table` (NULL: all are
 * there) says which tables foreign keys may lead to. */
typedef bool datapackage_has(const void *context, const char *table);
void datapackage_print_schema(struct printer *printer, const struct table_schema *table, unsigned flags, int indent,
                              datapackage_has *has_table, const void *context);

#endif
