/* blktail: preallocated zeros at the end of a blk file that were XORed along when the node's key was changed.
 *
 * Bitcoin Core allocates blk files in chunks (FlatFileSeq::Allocate) whose end stays zero on the disk, without the key.
 * What changes the key of a blocks folder, a tool or the node (bitcoin/bitcoin pull requests 32451 and 33324), XORs
 * whole files: under the new key such zeros then read as the key from before, over and over. */
#ifndef UNKTX_PARSER_BLKTAIL_H
#define UNKTX_PARSER_BLKTAIL_H

#include "parser/blkfile.h"

#define BLK_TAIL_NONE UINT64_MAX

/* Where, in the first `size` bytes of file `index`, the same eight bytes as read begin to repeat up to the end;
 * BLK_TAIL_NONE where they do not, where they are fewer than three times eight, and where they are one byte, raw or
 * as read, which no key leaves. A part of the disk that cannot be read ends the search. O(their size) reads.
 * STATUS_NOMEM, STATUS_RESOURCES, STATUS_INTERRUPTED. */
enum status blk_tail_find(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t size,
                          uint64_t *from, struct fault *fault) MUST_CHECK;

#endif
