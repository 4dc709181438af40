/* The record scan of blkfile.h. Two windows on the file: `step` looks at the heads of records (small reads, which grow
 * where records are small), `search` runs over bytes that are no record. */
#include "parser/blkfile.h"

#include <assert.h>
#include <sys/stat.h>

#include "parser/blkimage.h"
#include "parser/blktail.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/stop.h"

#define HEAD_SIZE (BLK_FRAME_SIZE + BLOCK_HEADER_SIZE)
#define BLOCK_SIZE_MIN (BLOCK_HEADER_SIZE + 1u)
#define WINDOW_MIN ((size_t)4 << 10)
#define WINDOW_MAX ((size_t)64 << 10)
#define PAGE ((size_t)4 << 10)
#define MAGICS_MAX 8
#define NOWHERE BLK_TAIL_NONE

struct window {
    struct blk_reader reader;
    const uint8_t *bytes; /* of [start, start + length) of the file */
    uint64_t start;
    size_t length;
    size_t ahead;
};

struct scanner {
    const struct blkdir *dir;
    size_t index;
    uint64_t size;
    struct window step;
    struct window search;
    struct block_verifier verifier;
    uint8_t magics[MAGICS_MAX][4];
    unsigned magics_count;
    bool magic_byte[256];           /* some magic begins with it */
    uint64_t padding[XOR_KEY_SIZE]; /* eight raw zeros at an offset of that remainder, as they read here */
    bool padding_has_magic;         /* so padding cannot be skipped blindly */
    uint64_t padding_from;          /* the last run of zeros that was crossed */
    uint64_t padding_to;
    uint64_t tail_from;   /* zeros that were XORed along to the end of the file; NOWHERE: there are none */
    uint64_t head_offset; /* the last place that was asked for a head, and the answer */
    bool head_found;
    struct blk_record head;
    uint64_t parse_left; /* bytes that may still be read only to see whether a block parses */
    uint64_t fork_left;  /* likewise, to see whether it is of the fork */
    bool unreadable;
    enum status status;  /* anything but STATUS_IO, which is a place that the disk does not give, ends the scan */
    struct fault *fault; /* why */
    struct blk_scan *scan;
};

/* At least `need` bytes (up to HEAD_SIZE, inside the file) at `offset`. What cannot be read is shown as 0xff bytes,
 * which are neither padding nor a magic, and noted in `unreadable`. */
static const uint8_t *look(struct scanner *s, struct window *w, uint64_t offset, size_t need)
{
    static uint8_t ones[PAGE + HEAD_SIZE];
    if (w->length && offset >= w->start && offset + need <= w->start + w->length)
        return w->bytes + (offset - w->start);
    bool close_by = w->length && offset >= w->start && offset - w->start <= 2 * w->length;
    w->ahead = !close_by ? WINDOW_MIN : w->ahead * 2 < WINDOW_MAX ? w->ahead * 2 : WINDOW_MAX;
    uint64_t left = s->size - offset;
    size_t size = left < w->ahead ? (size_t)left : w->ahead;
    enum status status = blk_read(&w->reader, s->dir, s->index, offset, size, &w->bytes, s->fault);
    if (status == STATUS_IO) { /* again without the neighbour pages, one of which may be the broken one */
        size_t piece = PAGE - (size_t)(offset % PAGE);
        size = piece < need ? need : piece;
        if (size > left)
            size = (size_t)left;
        status = blk_read(&w->reader, s->dir, s->index, offset, size, &w->bytes, s->fault);
    }
    if (status != STATUS_OK) {
        if (status != STATUS_IO)
            s->status = status;
        s->unreadable = true;
        memset(ones, 0xff, sizeof ones);
        w->bytes = ones;
    }
    w->start = offset;
    w->length = size;
    return w->bytes;
}

static bool stopped(struct scanner *s)
{
    if (s->status == STATUS_OK)
        s->status = stop_check(s->fault);
    return s->status != STATUS_OK;
}

static bool is_padding(const struct scanner *s, uint8_t byte, uint64_t offset)
{
    return byte == 0 || byte == s->step.reader.key[offset % XOR_KEY_SIZE];
}

static bool is_padding_word(const struct scanner *s, const uint8_t *bytes, uint64_t offset)
{
    uint64_t word = load_le64(bytes);
    return word == 0 || word == s->padding[offset % XOR_KEY_SIZE];
}

static bool has_magic(const struct scanner *s, const uint8_t *bytes, size_t size)
{
    for (unsigned i = 0; i < s->magics_count; i++)
        if (memcmp(bytes, s->magics[i], size) == 0)
            return true;
    return false;
}

static bool plausible_length(uint32_t length) { return length >= BLOCK_SIZE_MIN && length <= BLOCK_SIZE_MAX; }

/* Whether the bytes of the record are a block of the fork, which a whole reading tells. The budget keeps a hostile file
 * that is full of false heads from being read over and over. */
static bool is_fork(struct scanner *s, struct blk_record *record)
{
    struct block_counts counts;
    const uint8_t *bytes;
    bool nomem = false;
    if (record->size > s->fork_left || record->size > s->size - record->offset - BLK_FRAME_SIZE)
        return false;
    s->fork_left -= record->size;
    s->search.length = 0;
    enum status status = blk_read(&s->search.reader, s->dir, s->index, record->offset + BLK_FRAME_SIZE, record->size,
                                  &bytes, s->fault);
    bool fork = status == STATUS_OK &&
                block_is_of_fork(&s->verifier, bytes, record->size, &counts, &record->fork_height, &nomem);
    if (nomem)
        status = fault_nomem(s->fault);
    if (status != STATUS_OK && status != STATUS_IO)
        s->status = status;
    return fork;
}

/* Magic and a plausible length at `offset`: what they say. */
static bool frame_at(struct scanner *s, uint64_t offset, struct blk_record *record)
{
    if (s->size - offset < HEAD_SIZE)
        return false;
    const uint8_t *bytes = look(s, &s->step, offset, HEAD_SIZE);
    if (!has_magic(s, bytes, 4) || !plausible_length(load_le32(bytes + 4)))
        return false;
    *record = (struct blk_record){.offset = offset, .size = load_le32(bytes + 4)};
    memcpy(record->magic, bytes, sizeof record->magic);
    memcpy(record->header, bytes + BLK_FRAME_SIZE, BLOCK_HEADER_SIZE);
    return true;
}

/* True if a record begins at `offset`: magic, a plausible length, a header that meets its own target or is that of a
 * block of the fork. */
static bool head_at(struct scanner *s, uint64_t offset, struct blk_record *record)
{
    if (s->head_offset != offset) {
        struct block_header header;
        struct hash256 hash;
        s->head_offset = offset;
        s->head_found = false;
        if (!frame_at(s, offset, &s->head))
            return false;
        block_header_read(s->head.header, &header);
        sha256d(s->head.header, BLOCK_HEADER_SIZE, &hash);
        s->head.fork = block_claims_fork(s->head.header) && is_fork(s, &s->head);
        s->head_found = s->head.fork || block_meets_target(&hash, header.bits);
    }
    if (s->head_found)
        *record = s->head;
    return s->head_found;
}

/* A record that says that it is of the fork, whether it is or not. */
static bool claims_fork_at(struct scanner *s, uint64_t offset)
{
    struct blk_record record;
    return frame_at(s, offset, &record) && block_claims_fork(record.header);
}

/* True if the file ends within the first 88 bytes of what looks like a record. */
static bool cut_head_at(struct scanner *s, uint64_t offset)
{
    uint64_t left = s->size - offset;
    if (left == 0 || left >= HEAD_SIZE)
        return false;
    const uint8_t *bytes = look(s, &s->step, offset, (size_t)left);
    return has_magic(s, bytes, left < 4 ? (size_t)left : 4) &&
           (left < BLK_FRAME_SIZE || plausible_length(load_le32(bytes + 4)));
}

/* The end of the zeros that begin at `offset` (which may be none). A key can make the first bytes of a record look like
 * raw zeros, so a record that begins within the last of them ends the run there. */
static uint64_t padding_end(struct scanner *s, uint64_t offset)
{
    if (offset >= s->padding_from && offset <= s->padding_to)
        return s->padding_to;
    struct blk_record record;
    uint64_t at = offset;
    while (at < s->size) {
        if (stop_due(at / BLK_FRAME_SIZE) && stopped(s))
            break;
        if (at >= s->tail_from) {
            at = s->size;
            break;
        }
        size_t left = s->size - at < BLK_FRAME_SIZE ? (size_t)(s->size - at) : BLK_FRAME_SIZE;
        const uint8_t *bytes = look(s, &s->step, at, left);
        if (left == BLK_FRAME_SIZE && is_padding_word(s, bytes, at))
            at += BLK_FRAME_SIZE;
        else if (is_padding(s, *bytes, at))
            at++;
        else
            break;
    }
    for (uint64_t back = at - offset < BLK_FRAME_SIZE ? at - offset : BLK_FRAME_SIZE; back > 0; back--)
        if (head_at(s, at - back, &record)) {
            at -= back;
            break;
        }
    s->padding_from = offset;
    s->padding_to = at;
    return at;
}

/* Whether the bytes of the record make a whole block, with `verify` the very one that its header names. The budget
 * keeps a hostile file that is full of false heads from being read over and over. */
static bool is_block(struct scanner *s, const struct blk_record *record, bool verify)
{
    struct block_counts counts;
    const uint8_t *bytes;
    if (record->size > s->parse_left)
        return false;
    s->parse_left -= record->size;
    s->search.length = 0;
    enum status status = blk_read(&s->search.reader, s->dir, s->index, record->offset + BLK_FRAME_SIZE, record->size,
                                  &bytes, s->fault);
    if (status == STATUS_OK && verify) {
        enum block_flaw flaw = block_verify(&s->verifier, bytes, record->size, &counts);
        if (flaw != BLOCK_NOMEM)
            return flaw == BLOCK_FINE;
        status = fault_nomem(s->fault);
    }
    if (status != STATUS_OK && status != STATUS_IO)
        s->status = status;
    return status == STATUS_OK && block_count(bytes, record->size, &counts) == STATUS_OK;
}

/* True if a record begins within the last bytes of this one: its own end is missing. */
static bool runs_into_next(struct scanner *s, const struct blk_record *record, uint64_t end)
{
    struct blk_record next;
    for (uint64_t back = 1; back < BLK_FRAME_SIZE && end - back > record->offset; back++)
        if (head_at(s, end - back, &next))
            return true;
    return false;
}

/* Judges a record by its length: does it lead to a record, to zeros and then one, or to the end of the file? */
static bool is_whole(struct scanner *s, const struct blk_record *record, enum blk_gap_reason *reason)
{
    uint64_t end = record->offset + BLK_FRAME_SIZE + record->size;
    struct blk_record next_record;
    *reason = BLK_GAP_TORN;
    if (end > s->size)
        return false;
    if (record->fork)
        return true;
    uint64_t next = padding_end(s, end);
    *reason = BLK_GAP_BAD_LENGTH;
    if (next != s->size && !head_at(s, next, &next_record) && !cut_head_at(s, next))
        return is_block(s, record, false) && !runs_into_next(s, record, end);
    /* A node that writes, or was stopped in doing so, leaves the end of a block as preallocated zeros, and those may
     * well parse. */
    if (next == end || is_block(s, record, true))
        return true;
    bool end_missing = end > s->tail_from || is_padding(s, *look(s, &s->step, end - 1, 1), end - 1);
    if (end_missing)
        *reason = BLK_GAP_TORN;
    /* Only a run of zeros is preallocation; a few may be the end of the block itself. */
    return next - end >= BLK_FRAME_SIZE && !end_missing;
}

/* The first whole record at or after `from`; false if there is none. *solid is the end of what is not padding. */
static bool search(struct scanner *s, uint64_t from, struct blk_record *record, uint64_t *solid)
{
    enum blk_gap_reason reason;
    while (from < s->size && !stopped(s)) {
        size_t need = s->size - from < BLK_FRAME_SIZE ? (size_t)(s->size - from) : BLK_FRAME_SIZE;
        const uint8_t *bytes = look(s, &s->search, from, need);
        size_t left = s->search.length - (size_t)(from - s->search.start);
        size_t limit = left > BLK_FRAME_SIZE ? left - (BLK_FRAME_SIZE - 1) : need < BLK_FRAME_SIZE ? left : 1;
        bool candidate = false;
        size_t i = 0;
        while (i < limit && !candidate) {
            if (left - i >= BLK_FRAME_SIZE && !s->padding_has_magic && is_padding_word(s, bytes + i, from + i)) {
                i += BLK_FRAME_SIZE;
                continue;
            }
            candidate = s->magic_byte[bytes[i]] && left - i >= 4 && has_magic(s, bytes + i, 4);
            if (!candidate && !is_padding(s, bytes[i], from + i))
                *solid = from + i + 1;
            i++;
        }
        from += i;
        if (candidate && head_at(s, from - 1, record) && is_whole(s, record, &reason))
            return true;
        if (candidate)
            *solid = from;
    }
    return false;
}

static void push_record(struct scanner *s, const struct blk_record *record)
{
    struct blk_scan *scan = s->scan;
    if (mem_reserve(&scan->records, &scan->capacity, scan->count + 1, sizeof *scan->records) != STATUS_OK) {
        s->status = fault_nomem(s->fault);
        return;
    }
    scan->records[scan->count++] = *record;
    scan->end = record->offset + BLK_FRAME_SIZE + record->size;
}

static void push_gap(struct scanner *s, uint64_t from, uint64_t to, enum blk_gap_reason reason)
{
    struct blk_scan *scan = s->scan;
    if (mem_reserve(&scan->gaps, &scan->gaps_capacity, scan->gaps_count + 1, sizeof *scan->gaps) != STATUS_OK) {
        s->status = fault_nomem(s->fault);
        return;
    }
    scan->gaps[scan->gaps_count++] = (struct blk_gap){.offset = from, .size = to - from, .reason = reason};
}

/* True if what begins at `from`, and ends at `solid` with nothing but preallocated zeros after it, is the first part
 * of a record's magic, length and header. */
static bool begins_record(struct scanner *s, uint64_t from, uint64_t solid)
{
    size_t size = solid - from < 4 ? (size_t)(solid - from) : 4;
    return solid - from < HEAD_SIZE && has_magic(s, look(s, &s->step, from, size), size);
}

/* Leaves what begins at `from` and is no record: notes it as a gap and takes the next record. Returns where to go on.
 */
static uint64_t recover(struct scanner *s, uint64_t from, enum blk_gap_reason reason)
{
    struct blk_record record;
    uint64_t solid = from + 1;
    bool found = search(s, solid, &record, &solid);
    uint64_t to = found ? record.offset : s->size;
    if (!found && solid > s->tail_from)
        solid = s->tail_from > from ? s->tail_from : from + 1;
    if (found && reason == BLK_GAP_TORN)
        reason = BLK_GAP_BAD_LENGTH;
    if (!found && reason == BLK_GAP_GARBAGE && begins_record(s, from, solid))
        reason = BLK_GAP_TORN;
    if (s->unreadable)
        reason = BLK_GAP_UNREADABLE;
    s->unreadable = false;
    /* A few zeros belong to the garbage; a run of them is what the node preallocated. */
    push_gap(s, from, to - solid >= BLK_FRAME_SIZE ? solid : to, reason);
    if (!found)
        return s->size;
    push_record(s, &record);
    return s->scan->end;
}

static void add_magic(struct scanner *s, const uint8_t magic[4])
{
    memcpy(s->magics[s->magics_count++], magic, 4);
    s->magic_byte[magic[0]] = true;
    for (unsigned i = 0; i < XOR_KEY_SIZE; i++) {
        uint32_t padding = (uint32_t)s->padding[i];
        if (memcmp(&padding, magic, 4) == 0)
            s->padding_has_magic = true;
    }
}

/* Every known magic and, if a whole record begins the file, its magic: a custom signet has one of its own. */
static void add_magics(struct scanner *s)
{
    const struct network *network;
    for (unsigned i = 0; (network = network_at(i)) != NULL; i++)
        add_magic(s, network->magic);
    if (s->size < HEAD_SIZE)
        return;
    const uint8_t *bytes = look(s, &s->step, 0, HEAD_SIZE);
    if (has_magic(s, bytes, 4) || is_padding(s, bytes[0], 0))
        return;
    struct scanner before = *s;
    struct blk_record record;
    enum blk_gap_reason reason;
    add_magic(s, bytes);
    if (!head_at(s, 0, &record) || !is_whole(s, &record, &reason)) {
        s->magics_count = before.magics_count;
        memcpy(s->magic_byte, before.magic_byte, sizeof s->magic_byte);
        s->padding_has_magic = before.padding_has_magic;
    }
    s->head_offset = NOWHERE;
}

static bool has_enough(const struct scanner *s)
{
    return s->scan->first_only && s->scan->count > 0 && network_by_magic(s->scan->records[s->scan->count - 1].magic);
}

static void scan_records(struct scanner *s)
{
    struct blk_record record;
    uint64_t at = 0;
    while (s->status == STATUS_OK && !has_enough(s) && (at = padding_end(s, at)) < s->size && !stopped(s)) {
        enum blk_gap_reason reason = BLK_GAP_GARBAGE;
        if (head_at(s, at, &record) && is_whole(s, &record, &reason)) {
            push_record(s, &record);
            at = s->scan->end;
        } else if (cut_head_at(s, at)) {
            push_gap(s, at, s->size, BLK_GAP_TORN);
            at = s->size;
        } else {
            if (reason == BLK_GAP_GARBAGE && claims_fork_at(s, at))
                reason = BLK_GAP_TORN;
            at = recover(s, at, reason);
        }
    }
}

/* The file's key, and what raw zeros read as under it. */
static void take_key(struct scanner *s)
{
    memcpy(s->scan->key, s->step.reader.key, XOR_KEY_SIZE);
    s->scan->other_key = memcmp(s->scan->key, s->dir->key, XOR_KEY_SIZE) != 0;
    for (unsigned i = 0; i < XOR_KEY_SIZE; i++) {
        uint8_t zeros[XOR_KEY_SIZE] = {0};
        blk_xor(zeros, sizeof zeros, s->scan->key, i);
        s->padding[i] = load_le64(zeros);
    }
}

/* A node that closes a file cuts the preallocated zeros off: it may be shorter than it was when listed. */
static uint64_t size_now(const struct scanner *s)
{
    struct stat now;
    if (s->scan->image && blk_image_is_of(s->scan->image, s->index))
        return s->scan->image->size;
    return fstat(s->step.reader.fd_plus_1 - 1, &now) == 0 ? (uint64_t)now.st_size : s->size;
}

enum status blk_scan_file(const struct blkdir *dir, size_t index, const uint8_t magic[4], struct blk_scan *scan,
                          struct fault *fault)
{
    assert(index < dir->count);
    struct fault why = {0};
    struct scanner s = {.dir = dir,
                        .index = index,
                        .size = dir->files[index].size,
                        .step.reader.image = scan->image,
                        .search.reader.image = scan->image,
                        .head_offset = NOWHERE,
                        .padding_from = NOWHERE,
                        .tail_from = NOWHERE,
                        .fault = &why,
                        .scan = scan};
    scan->count = scan->gaps_count = 0;
    scan->end = 0;
    s.parse_left = s.fork_left = 2 * s.size + BLOCK_SIZE_MAX;
    const uint8_t *none;
    enum status status = blk_read(&s.step.reader, dir, index, 0, 0, &none, fault);
    if (status == STATUS_OK) {
        take_key(&s);
        uint64_t now = size_now(&s);
        s.size = now < s.size ? now : s.size;
        s.status = blk_tail_find(&s.search.reader, dir, index, s.size, &s.tail_from, s.fault);
        if (magic)
            add_magic(&s, magic);
        else
            add_magics(&s);
        scan_records(&s);
        status = s.status;
        if (status != STATUS_OK && fault)
            *fault = why;
    }
    blk_reader_free(&s.step.reader);
    blk_reader_free(&s.search.reader);
    block_verifier_free(&s.verifier);
    return status;
}

void blk_scan_free(struct blk_scan *scan)
{
    mem_free(scan->records);
    mem_free(scan->gaps);
    memset(scan, 0, sizeof *scan);
}
