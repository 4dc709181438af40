/* bytes: fixed-width integers in little-endian (Bitcoin) and big-endian (LMDB keys) order, at any alignment. Pure
 * functions; any thread. O(1). */
#ifndef UNKTX_PARSER_BYTES_H
#define UNKTX_PARSER_BYTES_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "unktx is for little-endian machines: docs/machines.md");

static inline uint16_t load_le16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t load_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t load_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void store_le16(uint8_t *p, uint16_t v) { memcpy(p, &v, sizeof v); }
static inline void store_le32(uint8_t *p, uint32_t v) { memcpy(p, &v, sizeof v); }
static inline void store_le64(uint8_t *p, uint64_t v) { memcpy(p, &v, sizeof v); }
static inline uint32_t load_be32(const uint8_t *p) { return __builtin_bswap32(load_le32(p)); }
static inline uint64_t load_be64(const uint8_t *p) { return __builtin_bswap64(load_le64(p)); }
static inline void store_be32(uint8_t *p, uint32_t v) { store_le32(p, __builtin_bswap32(v)); }
static inline void store_be64(uint8_t *p, uint64_t v) { store_le64(p, __builtin_bswap64(v)); }

#endif
