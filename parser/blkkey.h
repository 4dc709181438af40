/* blkkey: what the two halves of blkfile share about a file's XOR key. */
#ifndef UNKTX_PARSER_BLKKEY_H
#define UNKTX_PARSER_BLKKEY_H

#include "parser/blkfile.h"

/* STATUS_FORMAT: xor.dat (`path`) has `size` bytes; the fault says which key the files show. */
enum status blk_key_missized(const struct blkdir *dir, const char *path, long long size, struct fault *fault);

#endif
