/* cursor: a bounded, sticky reader over bytes that are not to be trusted.
 *
 * An overrun or a malformed number ends the cursor: `at` becomes NULL, every later pull returns zero or NULL, and the
 * caller asks cursor_ok() once at the end. No pull reads outside [at, end). Inline, because every byte of a chain
 * passes here. Ownership: a cursor borrows the bytes. Thread rule: one thread at a time. Every pull is O(1). */
#ifndef UNKTX_PARSER_CURSOR_H
#define UNKTX_PARSER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/bytes.h"

struct cursor {
    const uint8_t *at;  /* NULL once failed */
    const uint8_t *end; /* NULL once failed */
};

static inline struct cursor cursor_over(const uint8_t *data, size_t size) { return (struct cursor){data, data + size}; }
static inline bool cursor_ok(const struct cursor *c) { return c->at != NULL; }
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->at); }
static inline void cursor_fail(struct cursor *c) { c->at = c->end = NULL; }

/* The next `size` bytes, or NULL. Borrowed from what the cursor runs over. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t size)
{
    const uint8_t *at = c->at;
    if (__builtin_expect(size > cursor_left(c), 0)) {
        cursor_fail(c);
        return NULL;
    }
    /* A failed cursor takes 0 bytes from NULL, which pointers may not add. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    c->at = (const uint8_t *)((uintptr_t)at + size);
    return at;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);
    return p ? *p : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p ? load_le32(p) : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    return p ? load_le64(p) : 0;
}

/* A CompactSize of more than one byte; see cursor_compact. */
uint64_t cursor_compact_long(struct cursor *c);

/* Bitcoin's CompactSize as Core's ReadCompactSize with its range check reads it: the shortest encoding only, at most
 * 0x02000000; anything else fails the cursor. */
static inline uint64_t cursor_compact(struct cursor *c)
{
    if (__builtin_expect(cursor_left(c) > 0 && *c->at < 0xfd, 1))
        return *c->at++;
    return cursor_compact_long(c);
}

#endif
