#include "parser/blktail.h"

#include <string.h>

#include "parser/stop.h"

#define TAIL_MIN (3 * XOR_KEY_SIZE)
#define PIECE_FIRST ((size_t)4 << 10)
#define PIECE_MAX ((size_t)64 << 10)

static bool is_one_byte(const uint8_t bytes[XOR_KEY_SIZE])
{
    bool alike = true;
    for (unsigned i = 1; i < XOR_KEY_SIZE; i++)
        alike &= bytes[i] == bytes[0];
    return alike;
}

/* Takes the last eight bytes of the file, by offset modulo 8. False if no key leaves such bytes. */
static bool take_pattern(const uint8_t *last, uint64_t offset, const uint8_t key[XOR_KEY_SIZE],
                         uint8_t pattern[XOR_KEY_SIZE])
{
    uint8_t raw[XOR_KEY_SIZE];
    for (unsigned i = 0; i < XOR_KEY_SIZE; i++)
        pattern[(offset + i) % XOR_KEY_SIZE] = last[i];
    memcpy(raw, pattern, sizeof raw);
    blk_xor(raw, sizeof raw, key, 0);
    return !is_one_byte(pattern) && !is_one_byte(raw);
}

enum status blk_tail_find(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t size,
                          uint64_t *from, struct fault *fault)
{
    uint8_t pattern[XOR_KEY_SIZE];
    uint64_t at = size;
    size_t left = 0, piece = PIECE_FIRST;
    *from = BLK_TAIL_NONE;
    while (at > TAIL_MIN && left == 0) {
        const uint8_t *bytes;
        piece = at < piece ? (size_t)at : piece;
        enum status status = stop_check(fault);
        if (status == STATUS_OK)
            status = blk_read(reader, dir, index, at - piece, piece, &bytes, fault);
        if (status != STATUS_OK)
            return status == STATUS_IO ? STATUS_OK : status;
        const uint8_t *last = bytes + piece - XOR_KEY_SIZE;
        if (at == size && !take_pattern(last, at - XOR_KEY_SIZE, reader->key, pattern))
            return STATUS_OK;
        left = piece;
        while (left > 0 && bytes[left - 1] == pattern[(at - piece + left - 1) % XOR_KEY_SIZE])
            left--;
        at -= piece - left;
        piece = PIECE_MAX;
    }
    if (left > 0 && size - at >= TAIL_MIN)
        *from = at;
    return STATUS_OK;
}
