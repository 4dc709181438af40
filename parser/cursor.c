#include "parser/cursor.h"

#define COMPACT_MAX 0x02000000u /* Core's MAX_SIZE */

uint64_t cursor_compact_long(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    uint64_t value = first;
    uint64_t least = 0; /* smallest value that needs this many bytes */
    if (first == 0xfd) {
        const uint8_t *p = cursor_take(c, 2);
        value = p ? load_le16(p) : 0;
        least = 0xfd;
    } else if (first == 0xfe) {
        value = cursor_u32(c);
        least = 0x10000;
    } else if (first == 0xff) {
        value = cursor_u64(c);
        least = 0x100000000;
    }
    if (value < least || value > COMPACT_MAX) {
        cursor_fail(c);
        return 0;
    }
    return value;
}
