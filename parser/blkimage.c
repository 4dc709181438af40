#include "parser/blkimage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/blkkey.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define PIECE ((size_t)256 << 10) /* un-XORed while it is still in the cache; it holds a whole first head */

/* Files are of nearly one size: the room for one is enough for the next. */
static bool reserve(struct blk_image *image, size_t size)
{
    if (image->bytes && size <= image->capacity)
        return true;
    mem_free(image->bytes);
    image->capacity = size + size / 16 + 1;
    image->bytes = mem_alloc_large(image->capacity, 1);
    return image->bytes != NULL;
}

/* The next bytes of the file, at most `size` in all. -1: the disk does not give them. */
static ssize_t read_piece(struct blk_image *image, int fd, uint64_t size)
{
    size_t left = (size_t)size - image->size;
    ssize_t got = file_read_at(fd, image->bytes + image->size, left < PIECE ? left : PIECE, image->size);
    image->size += got > 0 ? (size_t)got : 0;
    return got;
}

/* The key shows in the first piece, so that nothing else is read for it but of a file with another key than the
 * folder's. */
static enum status read_all(struct blk_image *image, const struct blkdir *dir, int fd, struct fault *fault)
{
    static const uint8_t zeros[XOR_KEY_SIZE];
    uint64_t size = dir->files[image->index].size;
    image->size = 0;
    ssize_t got = read_piece(image, fd, size);
    enum status status = blk_find_key_in(dir, image->index, fd, image->bytes, image->size, image->key, fault);
    bool xored = memcmp(image->key, zeros, XOR_KEY_SIZE) != 0;
    for (size_t done = 0; got > 0 && status == STATUS_OK; status = stop_check(fault)) {
        if (xored)
            blk_xor(image->bytes + done, image->size - done, image->key, done);
        done = image->size;
        got = read_piece(image, fd, size);
    }
    image->there = got == 0 && status == STATUS_OK;
    return status == STATUS_INTERRUPTED ? status : STATUS_OK;
}

enum status blk_image_load(struct blk_image *image, const struct blkdir *dir, size_t index, struct fault *fault)
{
    int fd;
    struct stat info;
    image->there = false;
    image->index = index;
    uint64_t size = dir->files[index].size;
    if (size > BLK_IMAGE_MAX || !reserve(image, (size_t)size))
        return STATUS_OK;
    enum status status = file_open(dir->files[index].path, "the file", &fd, &info, NULL);
    if (status != STATUS_OK)
        return STATUS_OK;
    status = read_all(image, dir, fd, fault);
    close(fd);
    return status;
}

void blk_image_free(struct blk_image *image)
{
    mem_free(image->bytes);
    memset(image, 0, sizeof *image);
}

void blk_image_read_ahead(const struct blkdir *dir, size_t index)
{
    int fd;
    struct stat info;
    uint64_t size = dir->files[index].size;
    if (size > BLK_IMAGE_MAX || file_open(dir->files[index].path, "the file", &fd, &info, NULL) != STATUS_OK)
        return;
    enum timing_wait before = timings_wait(TIMING_DISK);
    (void)posix_fadvise(fd, 0, (off_t)size, POSIX_FADV_WILLNEED);
    timings_wait(before);
    close(fd);
}
