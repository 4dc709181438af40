/* blkimage: a whole blk file in memory, read from its first byte to its last, for a disk on which a look elsewhere
 * costs more than to read on. Whoever looks at single places of the file then does so in memory.
 *
 * Ownership: an image owns its bytes. Thread rule: a const image is shareable. */
#ifndef UNKTX_PARSER_BLKIMAGE_H
#define UNKTX_PARSER_BLKIMAGE_H

#include "parser/blkfile.h"

#define BLK_IMAGE_MAX ((uint64_t)256 << 20) /* Bitcoin Core's files have 128 MiB at most (MAX_BLOCKFILE_SIZE) */

/* Zero-initialise; reusable; free with blk_image_free. */
struct blk_image {
    bool there;
    size_t index;   /* of the file */
    uint8_t *bytes; /* all of them, XOR undone */
    size_t size;    /* as listed, or less where the file has become shorter */
    size_t capacity;
    uint8_t key[XOR_KEY_SIZE]; /* the file's */
};

/* Reads file `index` into the image. With STATUS_OK and `there` false it is larger than BLK_IMAGE_MAX, or cannot be
 * read as a whole, or has no room in memory: blk_scan_file and blk_read say more of it. STATUS_INTERRUPTED (stop.h).
 * O(size). */
enum status blk_image_load(struct blk_image *image, const struct blkdir *dir, size_t index, struct fault *fault)
    MUST_CHECK;
void blk_image_free(struct blk_image *image);

/* Tells the operating system that the file will be read soon (posix_fadvise). Never fails. */
void blk_image_read_ahead(const struct blkdir *dir, size_t index);

static inline bool blk_image_is_of(const struct blk_image *image, size_t index)
{
    return image->there && image->index == index;
}

#endif
