/* known_file: what the store remembers of a blk file, as bytes: a header, its records, its gaps. Thread rule: none. */
#ifndef UNKTX_GRAPH_SCAN_KNOWN_FILE_H
#define UNKTX_GRAPH_SCAN_KNOWN_FILE_H

#include "parser/blkfile.h"
#include "parser/cursor.h"

#define FILE_HEADER_SIZE 24u         /* u64 size, i64 mtime_ns, u32 records, u32 gaps */
#define FILE_RECORD_SIZE 92u         /* u64 offset, u32 size, 80 bytes of header */
#define FILE_GAP_SIZE 20u            /* u64 offset, u64 size, u32 reason */
#define FILE_RECORD_FORK 0x80000000u /* in the size: a block of the BLAKE2b fork; no block is as long */

struct known_file {
    uint64_t size;
    int64_t mtime_ns;
    uint32_t records;
    uint32_t gaps;
    struct cursor at; /* after the header, then the records, then the gaps */
};

struct known_record {
    uint64_t offset;
    uint32_t size;
    bool fork;
    const uint8_t *header;
};

/* False where the sizes do not fit together. The value is borrowed. O(1). */
static inline bool known_file_open(const uint8_t *value, size_t size, struct known_file *known)
{
    struct cursor c = cursor_over(value, size);
    known->size = cursor_u64(&c);
    known->mtime_ns = (int64_t)cursor_u64(&c);
    known->records = cursor_u32(&c);
    known->gaps = cursor_u32(&c);
    known->at = c;
    return cursor_ok(&c) &&
           cursor_left(&c) == (uint64_t)known->records * FILE_RECORD_SIZE + (uint64_t)known->gaps * FILE_GAP_SIZE;
}

/* The next of the records, all of which come before the gaps. */
static inline struct known_record known_file_record(struct known_file *known)
{
    struct known_record record = {.offset = cursor_u64(&known->at)};
    uint32_t size = cursor_u32(&known->at);
    record.size = size & ~FILE_RECORD_FORK;
    record.fork = (size & FILE_RECORD_FORK) != 0;
    record.header = cursor_take(&known->at, BLOCK_HEADER_SIZE);
    return record;
}

static inline struct blk_gap known_file_gap(struct known_file *known)
{
    struct blk_gap gap = {.offset = cursor_u64(&known->at)};
    gap.size = cursor_u64(&known->at);
    gap.reason = (enum blk_gap_reason)cursor_u32(&known->at);
    return gap;
}

#endif
