#include "parser/blkkey.h"

#include <stdio.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/digits.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/stop.h"

#define HEAD_SIZE (BLK_FRAME_SIZE + BLOCK_HEADER_SIZE)
#define PREVOUT_SIZE 32u
/* Where the prevout of the coinbase ends at the latest: the fork's header, a count of 9 bytes, the version, segwit's
 * marker and flag, and the number of inputs. */
#define BEGIN_SIZE (BLK_FRAME_SIZE + BLOCK_FORK_HEADER_SIZE + 9u + 4u + 2u + 1u + PREVOUT_SIZE)

/* A file's first record and what is needed to judge it. */
struct first_record {
    int fd;
    const char *path;
    const uint8_t *read; /* the file's first bytes, where they were read before; else NULL */
    size_t read_size;
    size_t size; /* of `raw` */
    uint8_t raw[BEGIN_SIZE];
};

/* *got: how many bytes there are; none where the disk does not give them. */
static enum status read_at(const struct first_record *first, uint64_t offset, size_t size, uint8_t *bytes, size_t *got,
                           struct fault *fault)
{
    struct fault why = {0};
    if (offset < first->read_size && size <= first->read_size - offset) {
        memcpy(bytes, first->read + offset, size);
        *got = size;
        return STATUS_OK;
    }
    ssize_t count = file_read_at(first->fd, bytes, size, offset);
    *got = count > 0 ? (size_t)count : 0;
    enum status status = count < 0 ? fault_errno(&why, first->path, offset, "cannot read") : STATUS_OK;
    if (status == STATUS_OK || status == STATUS_IO) /* who reads the file tells of what the disk does not give */
        return STATUS_OK;
    if (fault)
        *fault = why;
    return status;
}

const char *blk_key_text(const uint8_t key[XOR_KEY_SIZE], char text[BLK_KEY_TEXT])
{
    for (size_t i = 0; i < XOR_KEY_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", key[i]);
    return text;
}

bool blk_key_parse(const char *text, uint8_t key[XOR_KEY_SIZE])
{
    return digits_bytes(text, XOR_KEY_SIZE, key) && text[2 * XOR_KEY_SIZE] == '\0';
}

/* True if `bytes`, at `offset` of the file, are the head of a record under the key: a plausible length, and a header
 * that meets its own target or says that it is of the fork. */
static bool is_head(const uint8_t raw[HEAD_SIZE], uint64_t offset, const uint8_t *key, uint8_t head[HEAD_SIZE])
{
    struct block_header header;
    struct hash256 hash;
    memcpy(head, raw, HEAD_SIZE);
    blk_xor(head, HEAD_SIZE, key, offset);
    uint32_t length = load_le32(head + 4);
    if (length <= BLOCK_HEADER_SIZE || length > BLOCK_SIZE_MAX)
        return false;
    block_header_read(head + BLK_FRAME_SIZE, &header);
    sha256d(head + BLK_FRAME_SIZE, BLOCK_HEADER_SIZE, &hash);
    return block_meets_target(&hash, header.bits) || block_claims_fork(head + BLK_FRAME_SIZE);
}

/* Whether the first record is followed, under the key, by another. */
static enum status leads_on(const struct first_record *first, const uint8_t *key, const uint8_t head[HEAD_SIZE],
                            bool *right, struct fault *fault)
{
    uint8_t next[HEAD_SIZE], next_head[HEAD_SIZE];
    uint64_t end = (uint64_t)BLK_FRAME_SIZE + load_le32(head + 4);
    size_t got;
    enum status status = read_at(first, end, HEAD_SIZE, next, &got, fault);
    *right = status == STATUS_OK && got == HEAD_SIZE && is_head(next, end, key, next_head) &&
             memcmp(head, next_head, 4) == 0;
    return status;
}

/* Whether the first record is, under the key, the block that its header names. */
static enum status is_named_block(const struct first_record *first, const uint8_t *key, size_t length, bool *right,
                                  struct fault *fault)
{
    struct block_verifier verifier = {0};
    struct block_counts counts;
    uint32_t height;
    size_t got;
    bool nomem = false;
    uint8_t *block = mem_alloc(length, 1);
    if (!block)
        return fault_nomem(fault);
    enum status status = read_at(first, BLK_FRAME_SIZE, length, block, &got, fault);
    if (status == STATUS_OK && got == length) {
        blk_xor(block, length, key, BLK_FRAME_SIZE);
        enum block_flaw flaw = block_verify(&verifier, block, length, &counts);
        nomem = flaw == BLOCK_NOMEM;
        *right = flaw == BLOCK_FINE || (!nomem && block_is_of_fork(&verifier, block, length, &counts, &height, &nomem));
    }
    block_verifier_free(&verifier);
    mem_free(block);
    return nomem ? fault_nomem(fault) : status;
}

static enum status is_right(const struct first_record *first, const uint8_t *key, bool *right, struct fault *fault)
{
    uint8_t head[HEAD_SIZE];
    *right = false;
    if (!is_head(first->raw, 0, key, head))
        return STATUS_OK;
    enum status status = leads_on(first, key, head, right, fault);
    if (status == STATUS_OK && !*right)
        status = is_named_block(first, key, load_le32(head + 4), right, fault);
    return status;
}

/* The key that 32 zero bytes at `at` would show; false where the bytes do not repeat as a key does. */
static bool key_at(const struct first_record *first, size_t at, uint8_t key[XOR_KEY_SIZE])
{
    if (at + PREVOUT_SIZE > first->size)
        return false;
    for (size_t i = at; i < at + XOR_KEY_SIZE; i++)
        key[i % XOR_KEY_SIZE] = first->raw[i];
    for (size_t i = at; i < at + PREVOUT_SIZE; i++)
        if (first->raw[i] != key[i % XOR_KEY_SIZE])
            return false;
    return true;
}

/* Tries every place that the coinbase's prevout may have. */
static enum status find_in(const struct first_record *first, const uint8_t *known, uint8_t key[XOR_KEY_SIZE],
                           bool *found, struct fault *fault)
{
    static const size_t headers[] = {BLOCK_HEADER_SIZE, BLOCK_FORK_HEADER_SIZE}, counts[] = {1, 3, 5, 9};
    enum status status = STATUS_OK;
    *found = false;
    for (size_t i = 0; i < 16 && !*found && status == STATUS_OK; i++) {
        size_t at = BLK_FRAME_SIZE + headers[i / 8] + counts[i / 2 % 4] + 4 + (i % 2 ? 2 : 0) + 1;
        if (key_at(first, at, key) && memcmp(key, known, XOR_KEY_SIZE) != 0)
            status = is_right(first, key, found, fault);
    }
    return status;
}

/* *fits: the first record is one of a known network under the folder's key. Otherwise *found tells whether it shows
 * another key. */
static enum status look_at(const struct blkdir *dir, struct first_record *first, uint8_t key[XOR_KEY_SIZE], bool *fits,
                           bool *found, struct fault *fault)
{
    uint8_t head[HEAD_SIZE];
    *fits = *found = false;
    enum status status = read_at(first, 0, sizeof first->raw, first->raw, &first->size, fault);
    if (status != STATUS_OK || first->size < HEAD_SIZE)
        return status;
    *fits = is_head(first->raw, 0, dir->key, head) && network_by_magic(head);
    return *fits ? STATUS_OK : find_in(first, dir->key, key, found, fault);
}

enum status blk_find_key_in(const struct blkdir *dir, size_t index, int fd, const uint8_t *raw, size_t size,
                            uint8_t key[XOR_KEY_SIZE], struct fault *fault)
{
    struct first_record first = {.fd = fd, .path = dir->files[index].path, .read = raw, .read_size = size};
    bool fits, found;
    enum status status = look_at(dir, &first, key, &fits, &found, fault);
    if (!found)
        memcpy(key, dir->key, XOR_KEY_SIZE);
    return status;
}

enum status blk_find_key(const struct blkdir *dir, size_t index, int fd, uint8_t key[XOR_KEY_SIZE], struct fault *fault)
{
    return blk_find_key_in(dir, index, fd, NULL, 0, key, fault);
}

/* The first file that shows another key than the folder's, unless one fits that. */
static enum status first_other_key(const struct blkdir *dir, uint8_t key[XOR_KEY_SIZE], bool *any, struct fault *fault)
{
    enum status status = STATUS_OK;
    *any = false;
    for (size_t i = 0; i < dir->count && status == STATUS_OK; i++) {
        uint8_t own[XOR_KEY_SIZE];
        bool fits = false, found = false;
        int fd;
        struct stat info;
        if ((status = stop_check(fault)) != STATUS_OK)
            break;
        status = blk_file_open(dir->files[i].path, "the file", &fd, &info, fault);
        if (status == STATUS_OK) {
            struct first_record first = {.fd = fd, .path = dir->files[i].path};
            status = look_at(dir, &first, own, &fits, &found, fault);
            close(fd);
        } else if (status == STATUS_IO || status == STATUS_NOT_FOUND || status == STATUS_FORMAT) {
            status = STATUS_OK; /* the scan of the file tells of it */
        }
        if (fits) {
            *any = false;
            break;
        }
        if (found && !*any)
            memcpy(key, own, XOR_KEY_SIZE);
        *any |= found;
    }
    return status;
}

/* "restore it with ..." */
static void put_way_out(const uint8_t key[XOR_KEY_SIZE], char text[256])
{
    char hex[BLK_KEY_TEXT];
    int used = snprintf(text, 256, "restore it, in that folder, with  printf '");
    for (size_t i = 0; i < XOR_KEY_SIZE; i++)
        used += snprintf(text + used, 256 - (size_t)used, "\\%03o", key[i]);
    snprintf(text + used, 256 - (size_t)used, "' > xor.dat  or read the folder as it is with --xor-key %s",
             blk_key_text(key, hex));
}

enum status blk_key_missized(const struct blkdir *dir, const char *path, long long size, struct fault *fault)
{
    uint8_t key[XOR_KEY_SIZE];
    char way_out[256], hex[BLK_KEY_TEXT];
    bool any;
    enum status status = first_other_key(dir, key, &any, fault);
    if (status != STATUS_OK)
        return status;
    if (!any)
        return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "the XOR key has %lld bytes, not %u", size,
                         XOR_KEY_SIZE);
    put_way_out(key, way_out);
    return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                     "the XOR key has %lld bytes, not %u; the blk files show the key %s: %s", size, XOR_KEY_SIZE,
                     blk_key_text(key, hex), way_out);
}

enum status blkdir_check_key(const struct blkdir *dir, struct fault *fault)
{
    uint8_t key[XOR_KEY_SIZE];
    char way_out[256], text[80], hex[BLK_KEY_TEXT];
    bool any;
    enum status status = first_other_key(dir, key, &any, fault);
    if (status != STATUS_OK || !any || dir->staged > 0)
        return status;
    if (dir->key_given)
        return fault_set(fault, STATUS_FORMAT, dir->path, FAULT_NO_OFFSET,
                         "the blk files show the key %s, not the one of --xor-key: read them with --xor-key %s",
                         blk_key_text(key, hex), hex);
    put_way_out(key, way_out);
    snprintf(text, sizeof text, "%s%s", dir->key_found ? "has the key " : "is not there",
             dir->key_found ? blk_key_text(dir->key, hex) : "");
    return fault_set(fault, STATUS_FORMAT, dir->path, FAULT_NO_OFFSET,
                     "the blk files are XORed with the key %s (their first blocks show it), but xor.dat %s: %s",
                     blk_key_text(key, (char[BLK_KEY_TEXT]){0}), text, way_out);
}
