#include "parser/blkfile.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/blkimage.h"
#include "parser/bytes.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/timings.h"

#define READ_PIECE ((size_t)256 << 10) /* un-XORed while it is still in the cache */

/* As wide as a register that every processor has. Of wider ones gcc takes each by way of the stack, unless it may use
 * registers as wide: that is half as fast. */
typedef uint64_t xor_vector __attribute__((vector_size(16), aligned(1), may_alias));

void blk_xor(uint8_t *bytes, size_t size, const uint8_t key[XOR_KEY_SIZE], uint64_t offset)
{
    uint8_t rotated[XOR_KEY_SIZE];
    for (unsigned i = 0; i < XOR_KEY_SIZE; i++)
        rotated[i] = key[(offset + i) % XOR_KEY_SIZE];
    uint64_t word = load_le64(rotated);
    size_t i = 0;
    for (; size - i >= 4 * sizeof(xor_vector); i += 4 * sizeof(xor_vector)) {
        xor_vector *at = (xor_vector *)(bytes + i);
        at[0] ^= word;
        at[1] ^= word;
        at[2] ^= word;
        at[3] ^= word;
    }
    for (; i < size; i++)
        bytes[i] ^= rotated[i % XOR_KEY_SIZE];
}

static void reader_close(struct blk_reader *reader)
{
    if (reader->fd_plus_1)
        close(reader->fd_plus_1 - 1);
    reader->fd_plus_1 = 0;
}

static enum status reader_open(struct blk_reader *reader, const struct blkdir *dir, size_t index, struct fault *fault)
{
    assert(index < dir->count);
    if (reader->fd_plus_1 && reader->index == index)
        return STATUS_OK;
    reader_close(reader);
    static const uint8_t zeros[XOR_KEY_SIZE];
    int fd;
    struct stat info;
    enum status status = blk_file_open(dir->files[index].path, "the file", &fd, &info, fault);
    if (status == STATUS_NOT_FOUND || status == STATUS_FORMAT) { /* gone, or changed for a FIFO, since it was listed */
        reader->lost = true;
        if (fault)
            fault->status = STATUS_IO;
        return STATUS_IO;
    }
    if (status != STATUS_OK)
        return status;
    reader->fd_plus_1 = fd + 1;
    reader->index = index;
    status = blk_find_key(dir, index, fd, reader->key, fault);
    reader->xored = memcmp(reader->key, zeros, XOR_KEY_SIZE) != 0;
    if (status != STATUS_OK)
        reader_close(reader);
    return status;
}

static enum status read_image(struct blk_reader *reader, const struct blkdir *dir, uint64_t offset, size_t size,
                              const uint8_t **bytes, struct fault *fault)
{
    const struct blk_image *image = reader->image;
    reader_close(reader); /* what is open has another key, maybe */
    memcpy(reader->key, image->key, XOR_KEY_SIZE);
    reader->lost = offset > image->size || size > image->size - offset;
    if (reader->lost)
        return fault_set(fault, STATUS_IO, dir->files[image->index].path, image->size, "the file ends within a block");
    *bytes = image->bytes + offset;
    return STATUS_OK;
}

enum status blk_read(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t offset, size_t size,
                     const uint8_t **bytes, struct fault *fault)
{
    if (reader->image && blk_image_is_of(reader->image, index))
        return read_image(reader, dir, offset, size, bytes, fault);
    reader->lost = false;
    enum status status = reader_open(reader, dir, index, fault);
    if (status != STATUS_OK)
        return status;
    if (mem_renew_buffer(&reader->buffer, &reader->capacity, size) != STATUS_OK)
        return fault_nomem(fault);
    for (size_t done = 0; done < size;) {
        size_t piece = size - done < READ_PIECE ? size - done : READ_PIECE;
        ssize_t got = file_read_at(reader->fd_plus_1 - 1, reader->buffer + done, piece, offset + done);
        if (got < 0)
            return fault_errno(fault, dir->files[index].path, offset + done, "cannot read");
        reader->lost = (size_t)got < piece;
        if (reader->lost)
            return fault_set(fault, STATUS_IO, dir->files[index].path, offset + done + (size_t)got,
                             "the file ends within a block");
        if (reader->xored)
            blk_xor(reader->buffer + done, piece, reader->key, offset + done);
        done += piece;
    }
    *bytes = reader->buffer;
    return STATUS_OK;
}

void blk_reader_free(struct blk_reader *reader)
{
    reader_close(reader);
    mem_free(reader->buffer);
    memset(reader, 0, sizeof *reader);
}

void blk_read_ahead(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t offset, uint64_t size)
{
    if (reader_open(reader, dir, index, NULL) != STATUS_OK)
        return;
    enum timing_wait before = timings_wait(TIMING_DISK);
    (void)posix_fadvise(reader->fd_plus_1 - 1, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
    timings_wait(before);
}
