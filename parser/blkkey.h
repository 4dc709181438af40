/* blkkey: what the two halves of blkfile share about a file's XOR key. */
#ifndef UNKTX_PARSER_BLKKEY_H
#define UNKTX_PARSER_BLKKEY_H

#include <sys/types.h>

#include "parser/blkfile.h"

/* Reads up to `size` bytes, fewer only at the end of the file; -1 with errno on error. Any thread. */
ssize_t blk_pread(int fd, uint8_t *bytes, size_t size, uint64_t offset);

/* STATUS_FORMAT: xor.dat (`path`) has `size` bytes; the fault says which key the files show. */
enum status blk_key_missized(const struct blkdir *dir, const char *path, long long size, struct fault *fault);

#endif
