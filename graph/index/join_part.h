/* join_part: one part of the join, or one pass of it: its creators are sorted, its spenders look their output up. For
 * join.c only. Thread rule: a part belongs to one thread. */
#ifndef UNKTX_GRAPH_INDEX_JOIN_PART_H
#define UNKTX_GRAPH_INDEX_JOIN_PART_H

#include "graph/index/work.h"
#include "parser/mem.h"

struct creator; /* opaque */

/* What a thread joins: the creators and spenders of a part, or, where those are too many for the memory, of a pass of
 * one. */
struct part {
    MEM_APART struct index_work *work;
    unsigned number;
    unsigned worker;
    struct fault fault;
    struct creator *creators;
    struct creator *unsorted;
    size_t count;
    size_t capacity;
    size_t unsorted_capacity;
    uint32_t *buckets; /* where each begins, and where the last one ends */
    size_t buckets_capacity;
    unsigned bucket_shift;
    unsigned pass_shift;
    uint64_t pass;
    struct tx_index *base; /* the index as it is; NULL: empty */
    struct older *older;   /* spenders of outputs of the base that are still to be looked up; NULL until there is one */
    struct older *older_spare;
    size_t older_count;
    size_t older_most;
    struct work_reader spends;   /* blocks of spenders */
    struct work_reader spendees; /* blocks of what they may spend */
    uint64_t bad_input;          /* the first that spends what does not exist; UINT64_MAX: none */
    uint64_t bad_spent;          /* the first that spends what an older block spends */
    uint64_t late_count;
    bool exact;
    unsigned __int128 sum; /* of the checks of what was linked to */
};

/* What came of it. */
struct joined {
    enum status status;
    struct fault fault;
    unsigned __int128 sum;
    uint8_t *pairs; /* of the txid table, in order */
    size_t count;
    size_t capacity; /* bytes */
};

/* Joins what part->number and part->pass say. What came of it goes to `joined`, whose array is used again. */
void part_join(struct part *part, struct joined *joined);
void part_free(struct part *part);

#endif
