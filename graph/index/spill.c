#define _GNU_SOURCE /* sync_file_range */
#include "graph/index/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/index/page_sum.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/varint.h"
#include "parser/file.h"
#include "parser/timings.h"

/* A piece: u64 offset + 1 of the piece of the same part before it (0: none), u32 bytes of entries, u32 entries, u32
 * checksum of all but itself and of where it is (0 in memory, where it is not looked at), then each entry: key, number
 * as the step from the one before (zigzag varint), extra (varint), check (3), bytes. With spare bits the key is above
 * them. They hold an extra that is small; all ones stand for that much, and the rest follows. */
#define PIECE_SUMMED 16u /* what is before the checksum */
#define PIECE_HEADER 20u
#define NAME_SUMMED 16u /* of the spill's name */
#define CHECK_SIZE 3u
#define ENTRY_MAX (8u + 10u + 10u + 8u + SPILL_BYTES_MAX)
_Static_assert(SPILL_BUFFER_MIN == PIECE_HEADER + ENTRY_MAX, "room for one entry");

struct open_piece {
    uint8_t *bytes; /* a piece under way; NULL until there is one */
    size_t size;
    uint32_t count;
    uint64_t number; /* of the last entry */
};

_Static_assert(sizeof(struct open_piece) == SPILL_PIECE_BYTES, "budgets count it");

struct part {
    uint64_t last; /* piece: offset + 1 */
    uint64_t count;
};

struct file {
    int fd; /* -1: not there */
    uint64_t size;
    bool used;
};

struct spill {
    struct spill_shape shape;
    struct open_piece *open_pieces; /* worker by worker, part by part */
    uint8_t **buffers;              /* of each worker's pieces, all in one; NULL until it adds */
    struct fault *failures;         /* one a worker */
    pthread_mutex_t lock;           /* of what follows */
    uint8_t **spare; /* buffers for reading that nobody reads into, as many as there are workers at most */
    unsigned spare_count;
    struct part *parts;
    struct file files[SPILL_FILES];
};

static unsigned file_of(const struct spill *spill, unsigned part) { return part * SPILL_FILES / spill->shape.parts; }

static void path_of(const struct spill *spill, unsigned file, char path[4096])
{
    const char *folder = spill->shape.folder;
    snprintf(path, 4096, "%s/%s-%u", folder ? folder : "(memory)", spill->shape.name, file);
}

void spill_remove(struct spill *spill, unsigned number)
{
    struct file *file = &spill->files[number];
    char path[4096];
    path_of(spill, number, path);
    if (spill->shape.folder && file->used)
        unlink(path);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static enum status open_files(struct spill *spill, int flags, struct fault *fault)
{
    for (unsigned part = 0; part < spill->shape.parts; part++)
        spill->files[file_of(spill, part)].used = true;
    for (unsigned i = 0; i < SPILL_FILES; i++) {
        char path[4096];
        path_of(spill, i, path);
        if (!spill->files[i].used)
            continue;
        spill->files[i].fd = spill->shape.folder ? open(path, O_RDWR | flags | O_CLOEXEC, 0600)
                                                 : file_in_memory(spill->shape.name);
        if (spill->files[i].fd < 0)
            return fault_errno_place(fault, path, FAULT_NO_OFFSET, SPILL_OTHER, "cannot create a temporary file");
    }
    return STATUS_OK;
}

static enum status open_spill(const struct spill_shape *shape, int flags, struct spill **out, struct fault *fault)
{
    assert(shape->key_size >= 1 && shape->key_size <= 8 && shape->bytes <= SPILL_BYTES_MAX &&
           shape->buffer >= SPILL_BUFFER_MIN && shape->spare_bits < 8 && (shape->extra || shape->spare_bits == 0));
    *out = NULL;
    struct spill *spill = mem_alloc(1, sizeof *spill);
    if (!spill)
        return fault_nomem(fault);
    spill->shape = *shape;
    pthread_mutex_init(&spill->lock, NULL);
    for (unsigned i = 0; i < SPILL_FILES; i++)
        spill->files[i].fd = -1;
    spill->open_pieces = mem_alloc((size_t)shape->workers * shape->parts, sizeof *spill->open_pieces);
    spill->buffers = mem_alloc(shape->workers, sizeof *spill->buffers);
    spill->failures = mem_alloc(shape->workers, sizeof *spill->failures);
    spill->spare = mem_alloc(shape->workers, sizeof *spill->spare);
    spill->parts = mem_alloc(shape->parts, sizeof *spill->parts);
    bool ok = spill->open_pieces && spill->buffers && spill->failures && spill->spare && spill->parts;
    enum status status = ok ? open_files(spill, flags, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        *out = spill;
    else
        spill_close(spill);
    return status;
}

enum status spill_new(const struct spill_shape *shape, struct spill **spill, struct fault *fault)
{
    return open_spill(shape, O_CREAT | O_TRUNC, spill, fault);
}

void spill_write_out(const struct spill *spill)
{
    for (unsigned i = 0; i < SPILL_FILES; i++)
        if (spill->files[i].fd >= 0)
            (void)sync_file_range(spill->files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

enum status spill_sync(const struct spill *spill, unsigned file, struct fault *fault)
{
    char path[4096];
    path_of(spill, file, path);
    if (spill->files[file].size > 0 && file_sync(spill->files[file].fd) != 0)
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, SPILL_OTHER, "cannot write a temporary file");
    return STATUS_OK;
}

enum status spill_save(const struct spill *spill, struct buffer *out)
{
    const struct spill_shape *shape = &spill->shape;
    uint8_t bytes[16];
    store_le32(bytes, shape->parts);
    store_le32(bytes + 4,
               shape->key_size | shape->spare_bits << 4 | (shape->extra ? 256u : 0) | (shape->check ? 512u : 0));
    store_le64(bytes + 8, shape->buffer);
    enum status status = buffer_add(out, bytes, 16);
    for (unsigned i = 0; i < SPILL_FILES && status == STATUS_OK; i++) {
        store_le64(bytes, spill->files[i].size);
        status = buffer_add(out, bytes, 8);
    }
    for (unsigned part = 0; part < shape->parts && status == STATUS_OK; part++) {
        store_le64(bytes, spill->parts[part].last);
        store_le64(bytes + 8, spill->parts[part].count);
        status = buffer_add(out, bytes, 16);
    }
    return status;
}

/* Reads where the files and the parts end. */
static bool read_positions(struct spill *spill, struct cursor *saved)
{
    for (unsigned i = 0; i < SPILL_FILES; i++) {
        struct file *file = &spill->files[i];
        struct stat info;
        file->size = cursor_u64(saved);
        if (file->size > 0 && (file->fd < 0 || fstat(file->fd, &info) != 0 || (uint64_t)info.st_size < file->size))
            return false;
    }
    for (unsigned part = 0; part < spill->shape.parts; part++) {
        spill->parts[part].last = cursor_u64(saved);
        spill->parts[part].count = cursor_u64(saved);
        if (spill->parts[part].last > spill->files[file_of(spill, part)].size)
            return false;
    }
    return cursor_ok(saved);
}

enum status spill_resume(const struct spill_shape *given, struct cursor *saved, struct spill **out, struct fault *fault)
{
    struct spill_shape shape = *given;
    shape.parts = cursor_u32(saved);
    uint32_t form = cursor_u32(saved);
    shape.key_size = form & 15;
    shape.spare_bits = form >> 4 & 15;
    shape.extra = form & 256;
    shape.check = form & 512;
    shape.buffer = (size_t)cursor_u64(saved);
    *out = NULL;
    if (!cursor_ok(saved) || shape.parts == 0 || shape.parts > cursor_left(saved) / 16 || shape.key_size == 0 ||
        shape.key_size > 8 || shape.spare_bits > (shape.extra ? 7 : 0) || shape.buffer < SPILL_BUFFER_MIN ||
        shape.buffer > 1u << 20)
        return fault_set(fault, STATUS_FORMAT, shape.folder, FAULT_NO_OFFSET,
                         "the checkpoint of temporary files is malformed");
    enum status status = open_spill(&shape, 0, out, fault);
    if (status != STATUS_OK)
        return status;
    if (read_positions(*out, saved))
        return STATUS_OK;
    spill_close(*out);
    *out = NULL;
    return fault_set(fault, STATUS_FORMAT, shape.folder, FAULT_NO_OFFSET,
                     "the checkpoint of temporary files is of other files");
}

void spill_end_adding(struct spill *spill)
{
    for (unsigned i = 0; spill->buffers && i < spill->shape.workers; i++)
        mem_free(spill->buffers[i]);
    mem_free(spill->buffers);
    mem_free(spill->open_pieces);
    spill->buffers = NULL;
    spill->open_pieces = NULL;
}

void spill_free(struct spill *spill)
{
    for (unsigned i = 0; spill && i < SPILL_FILES; i++)
        spill_remove(spill, i);
    spill_close(spill);
}

void spill_unlink(const struct spill *spill)
{
    for (unsigned i = 0; i < SPILL_FILES; i++) {
        char path[4096];
        path_of(spill, i, path);
        if (spill->files[i].used)
            unlink(path);
    }
}

void spill_close(struct spill *spill)
{
    if (!spill)
        return;
    spill_end_adding(spill);
    for (unsigned i = 0; i < SPILL_FILES; i++)
        if (spill->files[i].fd >= 0)
            close(spill->files[i].fd);
    for (unsigned i = 0; i < spill->spare_count; i++)
        mem_free(spill->spare[i]);
    pthread_mutex_destroy(&spill->lock);
    mem_free(spill->spare);
    mem_free(spill->failures);
    mem_free(spill->parts);
    mem_free(spill);
}

/* ---- adding ---- */

/* What the disk gives back may not be what was written there: it would end as links that no block has. */
static uint32_t sum_of_piece(const struct spill *spill, unsigned part, uint64_t at, const uint8_t *piece, size_t size)
{
    uint8_t key[PIECE_SUMMED + 8 + NAME_SUMMED] = {0};
    if (!spill->shape.folder)
        return 0;
    memcpy(key, piece, PIECE_SUMMED);
    store_le64(key + PIECE_SUMMED, at);
    memcpy(key + PIECE_SUMMED + 8, spill->shape.name, strnlen(spill->shape.name, NAME_SUMMED));
    return page_sum(part, key, sizeof key, piece + PIECE_HEADER, size);
}

static enum status write_piece(struct spill *spill, unsigned part, struct open_piece *piece, struct fault *fault)
{
    unsigned number = file_of(spill, part);
    struct file *file = &spill->files[number];
    timings_lock(&spill->lock);
    uint64_t offset = file->size, before = spill->parts[part].last;
    file->size += piece->size;
    spill->parts[part].last = offset + 1;
    spill->parts[part].count += piece->count;
    pthread_mutex_unlock(&spill->lock);
    store_le64(piece->bytes, before);
    store_le32(piece->bytes + 8, (uint32_t)(piece->size - PIECE_HEADER));
    store_le32(piece->bytes + 12, piece->count);
    store_le32(piece->bytes + PIECE_SUMMED,
               sum_of_piece(spill, part, offset, piece->bytes, piece->size - PIECE_HEADER));
    char path[4096];
    path_of(spill, number, path);
    enum status status = STATUS_OK;
    bool written = spill->shape.folder ? file_write_at(file->fd, piece->bytes, piece->size, offset)
                                       : file_memory_write_at(file->fd, piece->bytes, piece->size, offset);
    if (!written)
        status = fault_errno_place(fault, path, offset, SPILL_OTHER, "cannot write a temporary file");
    piece->size = PIECE_HEADER;
    piece->count = 0;
    piece->number = 0;
    return status;
}

static bool begin_piece(struct spill *spill, unsigned worker, unsigned part, struct open_piece *piece)
{
    const struct spill_shape *shape = &spill->shape;
    if (!spill->buffers[worker])
        spill->buffers[worker] = mem_alloc_large(shape->parts, shape->buffer);
    if (!spill->buffers[worker])
        return false;
    piece->bytes = spill->buffers[worker] + part * shape->buffer;
    piece->size = PIECE_HEADER;
    return true;
}

/* What is added may come from another spill, whose files may be damaged since an interrupted build. */
static enum status no_part(const struct spill *spill, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, spill->shape.folder, FAULT_NO_OFFSET, SPILL_DAMAGED);
}

/* What is in the spare bits of an entry whose extra they cannot hold. */
static uint64_t spare_of(const struct spill_shape *shape) { return (UINT64_C(1) << shape->spare_bits) - 1; }

enum status spill_add(struct spill *spill, unsigned worker, unsigned part, const struct spill_entry *entry)
{
    const struct spill_shape *shape = &spill->shape;
    if (__builtin_expect(part >= shape->parts, 0))
        return no_part(spill, &spill->failures[worker]);
    struct open_piece *piece = &spill->open_pieces[(size_t)worker * shape->parts + part];
    if (__builtin_expect(!piece->bytes, 0) && !begin_piece(spill, worker, part, piece))
        return fault_nomem(&spill->failures[worker]);
    uint8_t *p = piece->bytes + piece->size;
    uint64_t spare = spare_of(shape), small = entry->extra < spare ? entry->extra : spare;
    /* all 8 bytes, for which there is room, though only key_size stay: ENTRY_MAX */
    store_le64(p, entry->key << shape->spare_bits | small);
    p += shape->key_size;
    int64_t step = (int64_t)(entry->number - piece->number);
    p = varint_put(p, (uint64_t)step << 1 ^ (step < 0 ? UINT64_MAX : 0));
    if (shape->extra && small == spare)
        p = varint_put(p, entry->extra - small);
    if (shape->check) {
        store_le64(p, entry->check);
        p += CHECK_SIZE;
    }
    if (shape->bytes > 0)
        memcpy(p, entry->bytes, shape->bytes);
    p += shape->bytes;
    piece->number = entry->number;
    piece->count++;
    piece->size = (size_t)(p - piece->bytes);
    return piece->size + ENTRY_MAX <= shape->buffer ? STATUS_OK
                                                    : write_piece(spill, part, piece, &spill->failures[worker]);
}

enum status spill_flush(struct spill *spill, struct fault *fault)
{
    const struct spill_shape *shape = &spill->shape;
    for (unsigned worker = 0; worker < shape->workers; worker++)
        if (spill->failures[worker].status != STATUS_OK) {
            if (fault)
                *fault = spill->failures[worker];
            return spill->failures[worker].status;
        }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < (size_t)shape->workers * shape->parts && status == STATUS_OK; i++)
        if (spill->open_pieces[i].count > 0)
            status = write_piece(spill, (unsigned)(i % shape->parts), &spill->open_pieces[i], fault);
    return status;
}

/* ---- reading ---- */

#define ENTRIES_AT_ONCE 256u /* decoded into what the first cache holds */

/* A piece that is decoded. */
struct decoding {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t number; /* of the last entry */
};

static bool decode(const struct spill_shape *shape, struct decoding *decoding, struct spill_entry *entries,
                   size_t count)
{
    const uint8_t *p = decoding->at, *end = decoding->end;
    uint64_t number = decoding->number, step, mask = UINT64_MAX >> (64 - 8 * shape->key_size), spare = spare_of(shape);
    for (size_t i = 0; i < count; i++) {
        if ((size_t)(end - p) <= shape->key_size)
            return false;
        uint64_t key = load_le64(p) & mask, more = 0; /* there are 8 bytes: the buffer is longer than what is read */
        p = varint_get(p + shape->key_size, end, &step);
        if (p && shape->extra && (key & spare) == spare)
            p = varint_get(p, end, &more);
        if (!p || (shape->check && (size_t)(end - p) < CHECK_SIZE))
            return false;
        entries[i] = (struct spill_entry){.key = key >> shape->spare_bits, .extra = (key & spare) + more};
        if (shape->check) {
            entries[i].check = load_le32(p) & ((1u << 8 * CHECK_SIZE) - 1);
            p += CHECK_SIZE;
        }
        if ((size_t)(end - p) < shape->bytes)
            return false;
        entries[i].bytes = shape->bytes > 0 ? p : NULL;
        p += shape->bytes;
        number += step >> 1 ^ (0 - (step & 1));
        entries[i].number = number;
    }
    decoding->at = p;
    decoding->number = number;
    return true;
}

uint64_t spill_count(const struct spill *spill, unsigned part) { return spill->parts[part].count; }

/* Reading is for any thread, also several at a time, and for all parts one after the other. */
static uint8_t *take_spare(struct spill *spill)
{
    uint8_t *bytes = NULL;
    timings_lock(&spill->lock);
    if (spill->spare_count > 0)
        bytes = spill->spare[--spill->spare_count];
    pthread_mutex_unlock(&spill->lock);
    return bytes ? bytes : mem_alloc(spill->shape.buffer + 8, 1);
}

static void give_spare(struct spill *spill, uint8_t *bytes)
{
    timings_lock(&spill->lock);
    if (spill->spare_count < spill->shape.workers) {
        spill->spare[spill->spare_count++] = bytes;
        bytes = NULL;
    }
    pthread_mutex_unlock(&spill->lock);
    mem_free(bytes);
}

/* Calls on_entries for the entries of one piece, some at a time. */
static enum status show_piece(const struct spill *spill, unsigned part, const uint8_t *piece, uint64_t at,
                              spill_on_entries *on_entries, void *context, struct fault *fault)
{
    struct spill_entry entries[ENTRIES_AT_ONCE];
    size_t left = load_le32(piece + 12);
    struct decoding decoding = {piece + PIECE_HEADER, piece + PIECE_HEADER + load_le32(piece + 8), 0};
    enum status status = STATUS_OK;
    bool sound = left > 0;
    while (left > 0 && sound && status == STATUS_OK) {
        size_t count = left < ENTRIES_AT_ONCE ? left : ENTRIES_AT_ONCE;
        sound = decode(&spill->shape, &decoding, entries, count);
        left -= count;
        if (sound && (left > 0 || decoding.at == decoding.end))
            status = on_entries(context, entries, count);
    }
    if (status != STATUS_OK || (sound && decoding.at == decoding.end))
        return status;
    char path[4096];
    path_of(spill, file_of(spill, part), path);
    return fault_set(fault, STATUS_FORMAT, path, at, SPILL_DAMAGED);
}

enum status spill_read(struct spill *spill, unsigned part, spill_on_entries *on_entries, void *context,
                       struct fault *fault)
{
    const struct spill_shape *shape = &spill->shape;
    if (part >= shape->parts)
        return no_part(spill, fault);
    uint8_t *bytes = take_spare(spill);
    enum status status = bytes ? STATUS_OK : fault_nomem(fault);
    char path[4096];
    path_of(spill, file_of(spill, part), path);
    for (uint64_t next = spill->parts[part].last, at; next > 0 && status == STATUS_OK;) {
        at = next - 1;
        int fd = spill->files[file_of(spill, part)].fd;
        ssize_t got = shape->folder ? file_read_at(fd, bytes, shape->buffer, at)
                                    : file_memory_read_at(fd, bytes, shape->buffer, at);
        size_t size = got >= (ssize_t)PIECE_HEADER ? load_le32(bytes + 8) : 0;
        next = load_le64(bytes);
        if (got < 0)
            status = fault_errno(fault, path, at, "cannot read a temporary file");
        else if ((size_t)got < PIECE_HEADER + size || next > at ||
                 load_le32(bytes + PIECE_SUMMED) != sum_of_piece(spill, part, at, bytes, size))
            status = fault_set(fault, STATUS_FORMAT, path, at, SPILL_DAMAGED);
        else
            status = show_piece(spill, part, bytes, at, on_entries, context, fault);
    }
    if (bytes)
        give_spare(spill, bytes);
    return status;
}
