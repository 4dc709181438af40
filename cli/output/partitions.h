/* partitions: the folder of a partitioned dump (`unktx dump -o DIR`), and its datapackage.json: for each table a
 * resource whose path is the list of its files, and in the property "partitions" what each file has. While a dump is
 * under way, and after one that was cut off, it lists the files that are whole, and "complete" is false.
 *
 * What a manifest says is not trusted: its paths are compared with those that a dump makes, and never opened.
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_OUTPUT_PARTITIONS_H
#define UNKTX_CLI_OUTPUT_PARTITIONS_H

#include "cli/output/datapackage.h"
#include "parser/array.h"

#define PARTITIONS_TABLES 4u
/* blocks, txs, inputs, outputs: what each table of a dump is, in the order of enum dump_table. */
extern const struct table_schema *const partitions_schemas[PARTITIONS_TABLES];
#define PARTITIONS_MAX 32768u /* files of a dump, so that its manifest stays one that can be read as a whole */
#define PARTITION_PATH_SIZE 64u

/* A file: the rows of blocks from_height .. to_height. */
struct partition {
    char path[PARTITION_PATH_SIZE]; /* in the folder: "outputs/height=000000-009999/part.csv.zst" */
    uint32_t from_height;
    uint32_t to_height;
    struct hash256 to_hash; /* of block to_height: who has it, has all blocks below */
    uint64_t rows;
    uint64_t bytes;
    char sha256[DATAPACKAGE_HEX]; /* "": the manifest that was read has none */
    uint32_t last_spender; /* the highest block that spends an output in it; 0: none, or other rows than outputs */
    /* not in the manifest */
    uint64_t first; /* number of its first block or transaction, and of the one after its last */
    uint64_t end;
    uint64_t first_row; /* number of the block, transaction, input or output that its first row is */
    bool is_whole;      /* the file is there, and it is what the members above say */
};

struct partition_table {
    const struct table_schema *schema; /* NULL: the table is not dumped */
    unsigned flags;                    /* of its columns, see schema_walk */
    struct text columns;               /* as read: their names, each with a comma after it */
    ARRAY(struct partition) files;     /* in chain order */
};

/* How the rows are cut into files. */
struct partition_rule {
    uint64_t rows_per_file;   /* 0: by blocks */
    uint64_t blocks_per_file; /* 0: by rows */
    uint64_t from_height;
    bool is_packed; /* with zstd */
};

/* Zero-initialise; partitions_free in any case. */
struct partitions {
    const char *version; /* of unktx, borrowed */
    char network[NETWORK_LABEL_SIZE];
    struct hash256 tip; /* of the index that the rows are of, which says what is spent */
    uint32_t tip_height;
    bool has_tip;
    bool is_complete;
    struct partition_rule rule;
    struct partition_table tables[PARTITIONS_TABLES]; /* blocks, txs, inputs, outputs */
};
void partitions_free(struct partitions *partitions);

/* Writes the manifest of all that is whole. STATUS_NOMEM, STATUS_IO. O(files). */
enum status partitions_write(const struct partitions *partitions, const char *folder, struct fault *fault) MUST_CHECK;

/* STATUS_NOT_FOUND: the folder has none. STATUS_REFUSED: it is of something else. STATUS_FORMAT: it is no JSON. */
enum status partitions_read(const char *folder, struct partitions *partitions, struct fault *fault) MUST_CHECK;

/* The file of that path in the table, whose files are in chain order, or NULL. O(log files). */
const struct partition *partitions_find(const struct partition_table *table, const char *path);

/* Were both made with the same columns? `made` was read, `now` is to be written. STATUS_NOMEM as false. */
bool partitions_same_columns(const struct partition_table *made, const struct partition_table *now);

#endif
