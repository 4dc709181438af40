/* tables: what builds the tables whose records come in chain order, and what its parts share: ranges of outputs or
 * inputs that threads make ready, and pages of fixed-width records. For tables.c, output_table.c, tx_tables.c and
 * late_spends.c only. Thread rule: a builder belongs to one thread, which hands each range to one other at a time. */
#ifndef UNKTX_GRAPH_INDEX_TABLES_H
#define UNKTX_GRAPH_INDEX_TABLES_H

#include "graph/index/work.h"

/* One range of outputs, or of inputs, made ready by one thread. */
struct range {
    struct index_work *work;
    unsigned worker;
    uint64_t number; /* of the range */
    uint64_t first;  /* output or input */
    size_t count;
    enum status status;
    struct fault fault;
    uint8_t *outs;      /* of outputs: as the walk left them */
    uint8_t *records;   /* as in the table */
    uint64_t *spent;    /* of inputs: the output's number */
    uint64_t *values;   /* of inputs: the output's value */
    uint64_t bad_input; /* spends what is spent; UINT64_MAX: none */
};

/* Collects fixed-width records into pages, and writes each page when it is full. */
struct page_writer {
    struct work_queue *queue;
    enum index_table table;
    size_t record;
    uint32_t page_number;
    bool taken_over; /* the page is in the table already */
    uint8_t page[INDEX_PAGE];
    size_t size;
};

#define STREAM_BYTES (1u << 20)

/* The txs file, read in order. */
struct stream {
    struct index_work *work;
    uint8_t *bytes;
    size_t size;
    size_t at;
    uint64_t offset; /* in the file, where `bytes` end */
};

struct table_builder;

/* The ranges of one table, in groups of one range a thread: while one group is made ready, the group before is
 * written. */
struct range_pass {
    void (*prepare)(struct table_builder *builder, struct range *range);
    enum status (*write)(struct table_builder *builder, struct range *range);
    uint64_t ranges; /* in all */
    uint64_t first;  /* of the group that is made ready */
    size_t ready_count;
    size_t next_count;
    enum status status; /* of writing */
};

struct table_builder {
    struct index_work *work;
    struct work_queue queue;
    struct range *ready; /* one a thread: the group that is written */
    struct range *next;  /* the same: the group that is made ready */
    struct range_pass pass;
    struct page_writer pages;
    uint64_t bad_input;
    /* transactions */
    struct stream stream;
    struct index_tx tx; /* that is to come next: numbers, height, index */
    struct tx_head head;
    struct hash256 txid;
    bool head_read;
    uint32_t inputs_left;
    uint64_t value_in_sat;
    uint8_t page[INDEX_PAGE];
    struct index_tx page_first;
    size_t page_size;
    unsigned page_count;
    uint32_t height; /* of the block under way */
};

/* Reads all of the bytes of a temporary file, or sets a fault: STATUS_FORMAT where the file ends first. */
enum status tables_read_at(int fd, uint8_t *bytes, size_t size, uint64_t offset, const char *path, struct fault *fault)
    MUST_CHECK;

/* Continues a table of fixed-width records that has `total` of them: takes over its last page if that is not full. */
enum status page_writer_begin(struct page_writer *writer, struct work_queue *queue, enum index_table table,
                              size_t record, uint64_t total) MUST_CHECK;
enum status page_writer_add(struct page_writer *writer, const uint8_t *records, size_t count) MUST_CHECK;
/* Writes the last page, which may be short. */
enum status page_writer_end(struct page_writer *writer) MUST_CHECK;

/* Makes all ranges of builder->pass ready and writes them in order. `done` of 2 * ranges have been shown as progress
 * before. */
enum status tables_run_pass(struct table_builder *builder, uint64_t done) MUST_CHECK;

/* The tables: of outputs; of inputs, transactions and what leads to them; of late spends. */
enum status build_output_table(struct table_builder *builder) MUST_CHECK;
enum status build_tx_tables(struct table_builder *builder) MUST_CHECK;
enum status build_late_spends(struct table_builder *builder) MUST_CHECK;

#endif
