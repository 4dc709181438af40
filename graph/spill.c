#include "graph/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/mem.h"

/* A piece: u32 bytes of entries, u32 entries, then each entry: key, number as the step from the one before (zigzag
 * varint), extra (varint). */
#define PIECE_HEADER 8u
#define ENTRY_MAX (8u + 10u + 10u)

struct lane {
    uint8_t *bytes;  /* a piece under way, NULL until needed */
    size_t size;
    uint32_t count;
    uint64_t number; /* of the last entry */
};

struct spill {
    struct spill_shape shape;
    struct lane *lanes;     /* worker by worker, part by part */
    struct fault *failures; /* one a worker */
};

enum status spill_new(const struct spill_shape *shape, struct spill **out, struct fault *fault)
{
    assert(shape->key_size >= 1 && shape->key_size <= 8 && shape->buffer >= PIECE_HEADER + ENTRY_MAX);
    *out = NULL;
    struct spill *spill = mem_alloc(1, sizeof *spill);
    if (!spill)
        return fault_nomem(fault);
    spill->shape = *shape;
    spill->lanes = mem_alloc((size_t)shape->workers * shape->parts, sizeof *spill->lanes);
    spill->failures = mem_alloc(shape->workers, sizeof *spill->failures);
    if (!spill->lanes || !spill->failures) {
        spill_free(spill);
        return fault_nomem(fault);
    }
    *out = spill;
    return STATUS_OK;
}

void spill_rest(struct spill *spill)
{
    for (size_t i = 0; spill->lanes && i < (size_t)spill->shape.workers * spill->shape.parts; i++)
        mem_free(spill->lanes[i].bytes);
    mem_free(spill->lanes);
    spill->lanes = NULL;
}

void spill_free(struct spill *spill)
{
    if (!spill)
        return;
    spill_rest(spill);
    mem_free(spill->failures);
    mem_free(spill);
}

static void path_of(const struct spill *spill, unsigned part, char path[4096])
{
    snprintf(path, 4096, "%s/%s-%04u", spill->shape.folder, spill->shape.name, part);
}

/* One write call at the end of the file: pieces of several threads do not mix. */
static enum status write_lane(const struct spill *spill, unsigned part, struct lane *lane, struct fault *fault)
{
    char path[4096];
    path_of(spill, part, path);
    store_le32(lane->bytes, (uint32_t)(lane->size - PIECE_HEADER));
    store_le32(lane->bytes + 4, lane->count);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot create a temporary file");
    ssize_t written = write(fd, lane->bytes, lane->size);
    if (written >= 0 && (size_t)written < lane->size)
        errno = ENOSPC;
    enum status status = STATUS_OK;
    if (written < 0 || (size_t)written < lane->size)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot write a temporary file");
    if (close(fd) != 0 && status == STATUS_OK)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot write a temporary file");
    lane->size = PIECE_HEADER;
    lane->count = 0;
    lane->number = 0;
    return status;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)v | 0x80;
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static bool begin_lane(const struct spill *spill, struct lane *lane)
{
    lane->bytes = mem_alloc(spill->shape.buffer, 1);
    lane->size = PIECE_HEADER;
    return lane->bytes != NULL;
}

enum status spill_add(struct spill *spill, unsigned worker, unsigned part, const struct spill_entry *entry)
{
    const struct spill_shape *shape = &spill->shape;
    struct lane *lane = &spill->lanes[(size_t)worker * shape->parts + part];
    if (__builtin_expect(!lane->bytes, 0) && !begin_lane(spill, lane))
        return fault_nomem(&spill->failures[worker]);
    uint8_t *p = lane->bytes + lane->size;
    store_le64(p, entry->key); /* there is room for all 8 bytes: ENTRY_MAX */
    p += shape->key_size;
    int64_t step = (int64_t)(entry->number - lane->number);
    p = put_varint(p, (uint64_t)step << 1 ^ (step < 0 ? UINT64_MAX : 0));
    if (shape->extra)
        p = put_varint(p, entry->extra);
    lane->number = entry->number;
    lane->count++;
    lane->size = (size_t)(p - lane->bytes);
    return lane->size + ENTRY_MAX <= shape->buffer ? STATUS_OK : write_lane(spill, part, lane, &spill->failures[worker]);
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
        if (spill->lanes[i].count > 0)
            status = write_lane(spill, (unsigned)(i % shape->parts), &spill->lanes[i], fault);
    return status;
}

void spill_remove(struct spill *spill, unsigned part)
{
    char path[4096];
    path_of(spill, part, path);
    unlink(path);
}

void spill_clear(struct spill *spill)
{
    for (unsigned part = 0; part < spill->shape.parts; part++)
        spill_remove(spill, part);
}

/* ---- reading ---- */

static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t value = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t byte = *p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *v = value;
            return p;
        }
    }
    return NULL;
}

static bool decode(const struct spill_shape *shape, const uint8_t *p, const uint8_t *end, struct spill_entry *entries, size_t count)
{
    uint64_t number = 0, step, mask = UINT64_MAX >> (64 - 8 * shape->key_size);
    for (size_t i = 0; i < count; i++) {
        if ((size_t)(end - p) <= shape->key_size)
            return false;
        uint64_t key = 0;
        memcpy(&key, p, shape->key_size < 8 && end - p >= 8 ? 8 : shape->key_size);
        entries[i].key = key & mask;
        p = get_varint(p + shape->key_size, end, &step);
        entries[i].extra = 0;
        if (p && shape->extra)
            p = get_varint(p, end, &entries[i].extra);
        if (!p)
            return false;
        number += step >> 1 ^ (0 - (step & 1));
        entries[i].number = number;
    }
    return p == end;
}

/* A part under reading. */
struct reading {
    int fd;
    char path[4096];
    uint64_t offset;
    uint8_t *bytes;
    struct spill_entry *entries;
};

/* The next piece's header. *count is 0 at the end of the file. */
static enum status next_piece(struct reading *reading, const struct spill_shape *shape, uint32_t *size, uint32_t *count,
                              struct fault *fault)
{
    uint8_t header[PIECE_HEADER];
    ssize_t got = pread(reading->fd, header, sizeof header, (off_t)reading->offset);
    *size = *count = 0;
    if (got == 0)
        return STATUS_OK;
    if (got < 0)
        return fault_errno(fault, reading->path, reading->offset, "cannot read a temporary file");
    *size = load_le32(header);
    *count = load_le32(header + 4);
    if (got != sizeof header || *size > shape->buffer || *count == 0 || *count > *size)
        return fault_set(fault, STATUS_FORMAT, reading->path, reading->offset, "a temporary file is damaged");
    return STATUS_OK;
}

static enum status see_piece(struct reading *reading, const struct spill_shape *shape, uint32_t size, uint32_t count,
                             spill_see *see, void *context, struct fault *fault)
{
    ssize_t got = pread(reading->fd, reading->bytes, size, (off_t)(reading->offset + PIECE_HEADER));
    if (got < 0)
        return fault_errno(fault, reading->path, reading->offset, "cannot read a temporary file");
    if ((size_t)got != size || !decode(shape, reading->bytes, reading->bytes + size, reading->entries, count))
        return fault_set(fault, STATUS_FORMAT, reading->path, reading->offset, "a temporary file is damaged");
    return see(context, reading->entries, count);
}

/* All pieces, or with `see` NULL only their headers, whose counts go to *total. */
static enum status each_piece(const struct spill *spill, unsigned part, spill_see *see, void *context, uint64_t *total,
                              struct fault *fault)
{
    const struct spill_shape *shape = &spill->shape;
    struct reading reading = {0};
    uint32_t size, count = 1;
    path_of(spill, part, reading.path);
    reading.fd = open(reading.path, O_RDONLY | O_CLOEXEC);
    *total = 0;
    if (reading.fd < 0) /* nothing was added */
        return errno == ENOENT ? STATUS_OK : fault_errno(fault, reading.path, FAULT_NO_OFFSET, "cannot open a temporary file");
    enum status status = STATUS_OK;
    if (see) {
        reading.bytes = mem_alloc(shape->buffer, 1);
        reading.entries = mem_alloc(shape->buffer / (shape->key_size + 1) + 1, sizeof *reading.entries);
        status = reading.bytes && reading.entries ? STATUS_OK : fault_nomem(fault);
    }
    while (status == STATUS_OK && count > 0) {
        status = next_piece(&reading, shape, &size, &count, fault);
        if (status == STATUS_OK && count > shape->buffer / (shape->key_size + 1))
            status = fault_set(fault, STATUS_FORMAT, reading.path, reading.offset, "a temporary file is damaged");
        if (status == STATUS_OK && count > 0 && see)
            status = see_piece(&reading, shape, size, count, see, context, fault);
        reading.offset += PIECE_HEADER + size;
        *total += count;
    }
    close(reading.fd);
    mem_free(reading.bytes);
    mem_free(reading.entries);
    return status;
}

enum status spill_read(const struct spill *spill, unsigned part, spill_see *see, void *context, struct fault *fault)
{
    uint64_t total;
    return each_piece(spill, part, see, context, &total, fault);
}

enum status spill_count(const struct spill *spill, unsigned part, uint64_t *count, struct fault *fault)
{
    return each_piece(spill, part, NULL, NULL, count, fault);
}
