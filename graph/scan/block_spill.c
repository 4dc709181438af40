#define _GNU_SOURCE /* fallocate */
#include "graph/scan/block_spill.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parser/array.h"
#include "parser/file.h"
#include "parser/search.h"

#define PIECE_MIN ((size_t)64 << 10)
#define PIECE_MAX ((size_t)4 << 20)
#define NAME "blocks.tmp"

struct run {
    uint64_t begin; /* in the file */
    uint64_t end;
    size_t left;     /* blocks that may still be asked for */
    uint8_t *buffer; /* bytes of it from `at` on; NULL: none */
    uint64_t at;
    size_t size;
    size_t capacity;
};

struct block_spill {
    const char *folder;
    uint64_t memory;
    int fd_plus_1; /* 0: not made yet */
    uint64_t size;
    ARRAY(struct run) runs;
    size_t live; /* of them: the last one, and those of which anything was left when it began */
};

struct block_spill *block_spill_new(const char *folder, uint64_t memory)
{
    struct block_spill *spill = mem_alloc(1, sizeof *spill);
    if (spill)
        *spill = (struct block_spill){.folder = folder, .memory = memory};
    return spill;
}

static void forget_buffer(struct run *run)
{
    mem_free(run->buffer);
    run->buffer = NULL;
    run->size = run->capacity = 0;
}

void block_spill_free(struct block_spill *spill)
{
    if (!spill)
        return;
    for (size_t i = 0; i < spill->runs.count; i++)
        forget_buffer(&spill->runs.at[i]);
    mem_free(spill->runs.at);
    if (spill->fd_plus_1)
        close(spill->fd_plus_1 - 1);
    mem_free(spill);
}

static bool make_file(struct block_spill *spill)
{
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/" NAME, spill->folder);
    if (spill->fd_plus_1)
        return true;
    if (size < 0 || (size_t)size >= sizeof path)
        return false;
    unlink(path); /* what has that name is not written to: it may be a file of another name too */
    int fd = file_open_again(path, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0)
        return false;
    unlink(path);
    spill->fd_plus_1 = fd + 1;
    return true;
}

/* The more runs are left, the less may each have in memory: the buffers so far are given back. */
bool block_spill_begin(struct block_spill *spill)
{
    spill->live = 1;
    for (size_t i = 0; i < spill->runs.count; i++) {
        forget_buffer(&spill->runs.at[i]);
        spill->live += spill->runs.at[i].left > 0;
    }
    struct run run = {.begin = spill->size, .end = spill->size};
    return make_file(spill) && PUSH(spill->runs, run);
}

bool block_spill_write(struct block_spill *spill, const uint8_t *bytes, size_t size, uint64_t *place)
{
    struct run *run = &spill->runs.at[spill->runs.count - 1];
    if (!file_write_at(spill->fd_plus_1 - 1, bytes, size, spill->size))
        return false;
    *place = spill->size;
    spill->size += size;
    run->end = spill->size;
    run->left++;
    return true;
}

static struct run *run_of(struct block_spill *spill, uint64_t place)
{
    return &spill->runs.at[LOWER_BOUND(i, 0, spill->runs.count, spill->runs.at[i].end <= place)];
}

/* Bytes of the run from `place` on, `size` at least. */
static bool fill_buffer(const struct block_spill *spill, struct run *run, uint64_t place, size_t size)
{
    uint64_t piece = spill->memory / spill->live;
    piece = piece < PIECE_MIN ? PIECE_MIN : piece > PIECE_MAX ? PIECE_MAX : piece;
    piece = piece < size ? size : piece;
    if (piece > run->end - place)
        piece = run->end - place;
    run->size = 0;
    if (mem_reserve(&run->buffer, &run->capacity, (size_t)piece, 1) != STATUS_OK)
        return false;
    ssize_t got = file_read_at(spill->fd_plus_1 - 1, run->buffer, (size_t)piece, place);
    run->at = place;
    run->size = got > 0 ? (size_t)got : 0;
    return run->size >= size;
}

bool block_spill_read(struct block_spill *spill, uint64_t place, size_t size, uint8_t *bytes)
{
    struct run *run = run_of(spill, place);
    bool there = place >= run->at && place - run->at <= run->size && size <= run->size - (place - run->at);
    if (!there && !fill_buffer(spill, run, place, size))
        return false;
    memcpy(bytes, run->buffer + (place - run->at), size);
    return true;
}

void block_spill_drop(struct block_spill *spill, uint64_t place)
{
    struct run *run = run_of(spill, place);
    if (--run->left > 0)
        return;
    forget_buffer(run);
    /* Where the file system cannot do it, the disk has the bytes until the end. */
    (void)fallocate(spill->fd_plus_1 - 1, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)run->begin,
                    (off_t)(run->end - run->begin));
}
