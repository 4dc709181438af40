/* varint: unsigned integers in LEB128: seven bits a byte, the lowest first; the high bit says that more follow.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_VARINT_H
#define UNKTX_PARSER_VARINT_H

#include "parser/bytes.h"

#define VARINT_SIZE_MAX 10u /* bytes of the longest */

/* How many bytes varint_put writes. */
static inline size_t varint_size(uint64_t value) { return (size_t)(70 - __builtin_clzll(value | 1)) / 7; }

/* Writes `value` to `p`, where there is room for VARINT_SIZE_MAX bytes; returns the end of what it wrote. */
static inline uint8_t *varint_put(uint8_t *p, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

/* varint_get for numbers of any length where 8 bytes are there: no branch for each byte. Of numbers of more bytes it
 * leaves *value as it is, and returns `p`. */
static inline const uint8_t *varint_get_eight(const uint8_t *p, uint64_t *value)
{
    uint64_t v = load_le64(p), ends = ~v & UINT64_C(0x8080808080808080);
    if (ends == 0)
        return p;
    unsigned bits = (unsigned)__builtin_ctzll(ends) + 1;
    v &= UINT64_MAX >> (64 - bits);
    if (bits > 8 && v >> (bits - 8) == 0)
        return NULL;
    v &= UINT64_C(0x7f7f7f7f7f7f7f7f);
    v = (v & UINT64_C(0x007f007f007f007f)) | (v & UINT64_C(0x7f007f007f007f00)) >> 1;
    v = (v & UINT64_C(0x00003fff00003fff)) | (v & UINT64_C(0x3fff00003fff0000)) >> 2;
    *value = (v & 0x0fffffff) | (v & UINT64_C(0x0fffffff00000000)) >> 4;
    return p + bits / 8;
}

/* varint_get for numbers of any length. */
static inline const uint8_t *varint_get_long(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;
    if (end - p >= 8) {
        const uint8_t *next = varint_get_eight(p, value);
        if (next != p)
            return next;
    }
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t byte = *p++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0))
            return NULL;
        if (byte < 0x80) {
            *value = sum;
            return p;
        }
    }
    return NULL;
}

/* Reads a number from [p, end) into *value and returns what follows it. NULL where the bytes end first, the number has
 * more than 64 bits, or it is not in its shortest form: so equal numbers have equal bytes. */
static inline const uint8_t *varint_get(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    if (__builtin_expect(p < end && *p < 0x80, 1)) {
        *value = *p;
        return p + 1;
    }
    if (end - p >= 2 && p[1] < 0x80 && p[1] > 0) {
        *value = (uint64_t)p[1] << 7 | (p[0] & 0x7f);
        return p + 2;
    }
    return varint_get_long(p, end, value);
}

#endif
