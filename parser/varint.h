/* varint: unsigned integers in LEB128: seven bits a byte, the lowest first; the high bit says that more follow.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_VARINT_H
#define UNKTX_PARSER_VARINT_H

#include <stddef.h>
#include <stdint.h>

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

/* varint_get for numbers of any length. */
static inline const uint8_t *varint_get_long(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;
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
