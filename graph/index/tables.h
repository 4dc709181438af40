/* tables: what builds the tables whose records come in chain order, and what its parts share: ranges of outputs or
 * inputs that threads make ready, and pages of fixed-width records. For tables.c, output_table.c, tx_tables.c and
 * late_spends.c only. Thread rule: a range belongs to the thread that makes it ready; one thread at a time writes
 * ranges, and changes the builder. */
#ifndef UNKTX_GRAPH_INDEX_TABLES_H
#define UNKTX_GRAPH_INDEX_TABLES_H

#include "graph/index/walked.h"
#include "graph/index/work.h"
#include "parser/mem.h"

/* A transaction whose record is made: what the header of a page says of its first, and where the record begins. */
struct made_tx {
    uint64_t first_input;
    uint64_t first_output;
    uint32_t height;
    uint32_t index;
    uint32_t offset;
    uint32_t record; /* in range->txs_bytes */
};

/* A transaction of which not all inputs were seen yet. */
struct begun_tx {
    struct index_tx tx; /* numbers, height, index, offset */
    struct tx_head head;
    struct hash256 txid;
    uint32_t inputs_left; /* 0: no such transaction */
    uint64_t value_in_sat;
    uint64_t sum; /* of its block's transactions so far, and of their outputs (walked.h) */
    uint64_t outs_sum;
};

/* One range of outputs, or of inputs, made ready by one thread. */
struct range {
    MEM_APART struct index_work *work;
    unsigned worker;
    uint64_t number; /* of the range */
    uint64_t first;  /* output or input */
    size_t count;
    enum status status;
    struct fault fault;
    uint8_t *records;   /* as in the table */
    uint64_t *spent;    /* of inputs: the output's number */
    uint64_t *values;   /* of inputs: the output's value */
    uint64_t bad_input; /* spends what is spent, or cannot be; UINT64_MAX: none */
    /* of inputs: the transactions. Those before its first that begins there have `lead` inputs in it. */
    const char *bad; /* why */
    uint32_t lead;
    uint64_t lead_value_sat;
    uint64_t first_tx; /* number of the first that is made */
    struct made_tx *txs;
    size_t txs_count;
    uint8_t *txs_bytes;
    size_t txs_size;
    struct begun_tx begun; /* the last, where it ends in a later range */
};

/* Collects fixed-width records into pages, and writes each page when it is full. */
struct page_writer {
    struct work_queue *queue;
    enum index_table table;
    size_t record;
    uint32_t page_number;
    bool taken_over; /* the page is in the table already */
    uint8_t page[INDEX_ROOM];
    size_t size;
};

#define STREAM_BYTES (64u << 10)

/* A file in the order of the chain, read from somewhere on. */
struct stream {
    uint8_t *bytes;
    size_t size;
    size_t at;
    uint64_t offset; /* in the file, where `bytes` end */
    enum work_stream file;
    uint64_t end; /* of the file */
};

/* The near inputs of a block (walked.h), in order. */
struct near_inputs {
    uint8_t *bytes;
    size_t capacity;
    size_t count;             /* of inputs */
    size_t next;              /* input, counted from the block's first */
    const uint8_t *distances; /* from `next` on */
    uint64_t end;             /* of the block's outputs */
};

#define NEAR_VALUES (WALKED_NEAR_MAX + 1u)

/* One thread's. */
struct streams {
    MEM_APART struct stream txs;
    struct stream outs;
    struct near_inputs near;
    uint64_t *values; /* NEAR_VALUES, of the last outputs: output n is at n % NEAR_VALUES */
};

struct table_builder;

/* The ranges of one table: made ready by all threads, written in order. */
struct range_pass {
    void (*prepare)(struct table_builder *builder, struct range *range);
    enum status (*write)(struct table_builder *builder, struct range *range);
    uint64_t ranges;   /* in all */
    uint64_t done;     /* of 2 * ranges, shown as progress before */
    bool spill_failed; /* `values`, which knows why */
    enum status status;
};

struct table_builder {
    struct index_work *work;
    const struct index_state *state; /* that is written last; may be NULL */
    struct work_queue *queue;
    struct range *ranges; /* two a thread */
    size_t ranges_count;
    struct range_pass pass;
    struct page_writer pages;
    uint64_t bad_input;
    /* transactions */
    struct streams *streams; /* one a thread */
    struct begun_tx begun;
    uint8_t page[INDEX_ROOM];
    struct index_tx page_first;
    size_t page_size;
    unsigned page_count;
};

/* A file is read from where that block begins; what is read next is at stream->at. tables_fill_stream has `need` bytes
 * there, at most STREAM_BYTES / 2, if the file has so many; STATUS_FORMAT where it ends before its time. */
void tables_begin_stream(const struct index_work *work, struct stream *stream, enum work_stream file,
                         const struct work_block *block);
enum status tables_fill_stream(const struct index_work *work, struct stream *stream, size_t need, struct fault *fault)
    MUST_CHECK;
/* Reads what `near` has of the block of that height. STATUS_FORMAT: it cannot be. */
enum status tables_read_near(const struct index_work *work, struct near_inputs *near, uint32_t height,
                             struct fault *fault) MUST_CHECK;
/* SPILL_DAMAGED. */
enum status tables_damaged(const struct index_work *work, struct fault *fault) MUST_CHECK;
/* Reads the next output of the file outs. */
MUST_CHECK static inline enum status tables_next_output(const struct index_work *work, struct stream *outs,
                                                        uint64_t *value_kind, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (outs->size - outs->at < VARINT_SIZE_MAX)
        status = tables_fill_stream(work, outs, VARINT_SIZE_MAX, fault);
    if (status != STATUS_OK)
        return status;
    const uint8_t *next = walked_value_read(outs->bytes + outs->at, outs->bytes + outs->size, value_kind);
    if (!next)
        return tables_damaged(work, fault);
    outs->at = (size_t)(next - outs->bytes);
    return STATUS_OK;
}

/* Continues a table of fixed-width records that has `total` of them: takes over its last page if that is not full. */
enum status page_writer_begin(struct page_writer *writer, struct work_queue *queue, enum index_table table,
                              size_t record, uint64_t total) MUST_CHECK;
enum status page_writer_add(struct page_writer *writer, const uint8_t *records, size_t count) MUST_CHECK;
/* Writes the last page, which may be short. */
enum status page_writer_end(struct page_writer *writer) MUST_CHECK;

/* All ones if the next input of the block is near, else 0; *output is then what it spends, else undefined. Without a
 * branch that nobody could foretell, as half of all are near. */
static inline uint64_t tables_next_near(struct near_inputs *near, uint64_t *output)
{
    size_t i = near->next++;
    *output = near->end - load_le16(near->distances);
    if (i >= near->count)
        return 0;
    uint64_t is = near->bytes[i / 8] >> i % 8 & 1;
    near->distances += WALKED_DISTANCE * is;
    return 0 - is;
}

/* Makes all ranges of builder->pass ready and writes them in order. */
enum status tables_run_pass(struct table_builder *builder) MUST_CHECK;

/* The tables: of outputs; of inputs, transactions and what leads to them; of late spends. */
enum status build_output_table(struct table_builder *builder) MUST_CHECK;
enum status build_tx_tables(struct table_builder *builder) MUST_CHECK;
enum status build_late_spends(struct table_builder *builder) MUST_CHECK;

#endif
