/* blkkey: what the two halves of blkfile share about a file's XOR key. */
#ifndef UNKTX_PARSER_BLKKEY_H
#define UNKTX_PARSER_BLKKEY_H

#include "parser/blkfile.h"

/* STATUS_FORMAT: xor.dat (`path`) has `size` bytes; the fault says which key the files show. */
enum status blk_key_missized(const struct blkdir *dir, const char *path, long long size, struct fault *fault);

/* As blk_find_key, of an open file whose first `size` bytes were read: `raw`, as they are in the file. */
enum status blk_find_key_in(const struct blkdir *dir, size_t index, int fd, const uint8_t *raw, size_t size,
                            uint8_t key[XOR_KEY_SIZE], struct fault *fault) MUST_CHECK;

#endif
