/* page: one page of an LMDB file by its layout: its nodes, and whether they hang together. For pages.h and path.h,
 * which look at pages before LMDB follows them.
 *
 * The format is that of LMDB 0.9 on 64-bit machines (data version 1; MDB_meta, MDB_db, MDB_page and MDB_node in its
 * mdb.c). Thread rule: none, no state. */
#ifndef UNKTX_GRAPH_LMDB_PAGE_H
#define UNKTX_GRAPH_LMDB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/bytes.h"

#define PAGE_SIZE_MIN 512u
#define PAGE_SIZE_MAX 32768u
#define PAGE_DEPTH_MAX 32u /* of trees: what LMDB's cursors take */
#define PAGE_KEY_MAX 511u

/* Where things are in a page; names as in LMDB. */
enum {
    PAGE_NUMBER = 0,
    PAGE_FLAGS = 10,
    PAGE_LOWER = 12, /* end of the offsets of nodes */
    PAGE_UPPER = 14, /* begin of the nodes */
    PAGE_COUNT = 12, /* of an overflow page: how many it begins */
    PAGE_HEADER = 16,
    NODE_LOW = 0, /* size of the data; number of the child page, upper part in the flags */
    NODE_HIGH = 2,
    NODE_FLAGS = 4,
    NODE_KEY_SIZE = 6,
    NODE_HEADER = 8,
};
enum { P_BRANCH = 1, P_LEAF = 2, P_OVERFLOW = 4, P_META = 8 };
enum { F_BIGDATA = 1, F_SUBDATA = 2 };

/* What the file says of a tree: LMDB's MDB_db. */
enum {
    DB_PAD = 0,
    DB_FLAGS = 4,
    DB_DEPTH = 6,
    DB_LEAVES = 16,
    DB_ENTRIES = 32,
    DB_ROOT = 40,
    DB_SIZE = 48,
};
#define PAGE_NO_ROOT UINT64_MAX

/* Whether `page` is page `number` and a leaf or a branch with at least one node, whose nodes fill it from its upper
 * mark to its end without overlap. Nothing else may be asked of a page that is not. O(page). */
bool page_is_sound(const uint8_t *page, uint32_t page_size, uint64_t number, bool leaf);

static inline unsigned page_nodes(const uint8_t *page)
{
    return (load_le16(page + PAGE_LOWER) - (unsigned)PAGE_HEADER) / 2;
}

static inline const uint8_t *page_node(const uint8_t *page, unsigned i)
{
    return page + load_le16(page + PAGE_HEADER + 2 * i);
}

static inline const uint8_t *node_key(const uint8_t *node) { return node + NODE_HEADER; }
static inline size_t node_key_size(const uint8_t *node) { return load_le16(node + NODE_KEY_SIZE); }
static inline const uint8_t *node_data(const uint8_t *node) { return node_key(node) + node_key_size(node); }

static inline uint32_t node_data_size(const uint8_t *node)
{
    return load_le16(node + NODE_LOW) | (uint32_t)load_le16(node + NODE_HIGH) << 16;
}

/* Of a branch. */
static inline uint64_t node_child(const uint8_t *node)
{
    return node_data_size(node) | (uint64_t)load_le16(node + NODE_FLAGS) << 32;
}

/* How many pages a value of that size takes that has pages of its own. */
static inline uint64_t page_count_of(size_t size, uint32_t page_size)
{
    return (PAGE_HEADER - 1 + (uint64_t)size) / page_size + 1;
}

/* The order of keys in a table. */
int page_compare_keys(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);

#endif
