/* damage: how the fuzz targets of the store and of the index change a page of their file. */
#ifndef UNKTX_TESTS_FUZZ_DAMAGE_H
#define UNKTX_TESTS_FUZZ_DAMAGE_H

#include <string.h>

#include "parser/bytes.h"

#define DAMAGE_PAGE 4096u
#define DAMAGE_SIZE 8u

/* Makes `bytes` of `base`, a file of LMDB, with a change for each eight bytes of `data`. Returns the size that the file
 * shall have. */
static size_t damage(uint8_t *bytes, const uint8_t *base, size_t base_size, const uint8_t *data, size_t size)
{
    size_t end = base_size;
    memcpy(bytes, base, base_size);
    for (size_t i = 0; i + DAMAGE_SIZE <= size; i += DAMAGE_SIZE) {
        uint16_t value = load_le16(data + i + 6);
        uint8_t *page = bytes + load_le16(data + i) % (base_size / DAMAGE_PAGE) * DAMAGE_PAGE,
                *at = page + load_le16(data + i + 2) % (DAMAGE_PAGE - 8);
        switch (load_le16(data + i + 4) % 8) {
        case 0: *at = (uint8_t)value; break;
        case 1: store_le16(at, (uint16_t)(load_le16(at) + value)); break;
        case 2: store_le64(at, value); break;
        case 3: memmove(page, bytes + value % (base_size / DAMAGE_PAGE) * DAMAGE_PAGE, DAMAGE_PAGE); break;
        case 4: store_le16(at, value); break;
        case 5: memset(page, (int)value, DAMAGE_PAGE); break;
        case 6: end = base_size - value % base_size; break;
        default: *at ^= (uint8_t)(1u << value % 8); break;
        }
    }
    return end;
}

#endif
