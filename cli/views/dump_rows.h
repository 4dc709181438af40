/* dump_rows: the rows of `unktx dump`: every block, transaction, input or output of the index, in chain order.
 *
 * Rows of inputs and outputs lead to the other end of a spend. These links are followed a batch at a time, in order of
 * their target, so that each page of the index is decoded once for many: the larger the batch, the less work.
 *
 * Thread rule: a dump_rows belongs to one thread. */
#ifndef UNKTX_CLI_VIEWS_DUMP_ROWS_H
#define UNKTX_CLI_VIEWS_DUMP_ROWS_H

#include "cli/inputs/spend_links.h"
#include "cli/output/schema.h"
#include "parser/blkfile.h"
#include "parser/mem.h"

enum dump_table { DUMP_BLOCKS, DUMP_TXS, DUMP_INPUTS, DUMP_OUTPUTS, DUMP_TABLES };

/* "blocks", ...: static strings. */
const char *dump_table_name(enum dump_table table);
const struct table_schema *dump_table_schema(enum dump_table table);

/* Takes rows that are ready, and empties the text. */
typedef enum status dump_sink(void *context, struct text *text, struct fault *fault);

/* Zero-initialise and set what is borrowed; dump_rows_free at the end. */
struct dump_rows {
    MEM_APART struct tx_index *index; /* for what is dumped, in order */
    struct tx_index *jumper;          /* for the links: an index keeps the page that it read last */
    const struct blkdir *blk_files;   /* outputs get their script and address from these; NULL: they have none */
    const struct network *network;    /* of the addresses */
    dump_sink *sink;                  /* NULL: all rows stay in the text */
    void *sink_context;
    uint32_t last_spender; /* the largest height in the column spender_height so far */
    /* of dump_rows.c */
    struct dump_jumps *jumps;
    struct blk_reader reader;
};
void dump_rows_free(struct dump_rows *rows);

/* Appends the rows of the blocks of heights first .. end - 1 or, for the other tables, of the transactions of these
 * numbers: one batch. STATUS_NOT_FOUND: the blk files with the scripts are gone; STATUS_FORMAT: they are others now, or
 * the index is damaged; STATUS_INTERRUPTED. Memory: 100 bytes a row and, without a sink, the text. */
enum status dump_rows_put(struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                          struct text *text, struct fault *fault) MUST_CHECK;

/* Where the batch that begins with `first` ends, so that it has some 10^5 rows at most (a single transaction may have
 * more). O(log(end - first)) pages. */
enum status dump_rows_batch(struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                            uint64_t *batch_end, struct fault *fault) MUST_CHECK;

#endif
