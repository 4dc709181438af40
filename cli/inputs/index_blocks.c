#include "cli/inputs/index_blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output/outfile.h"
#include "cli/output/sources.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/tx.h"

#define NOTE_FILE "blocks-folder"
#define NOTE_SIZE_MAX 4096u /* the folder and, after a zero byte, the key of --xor-key if one was given */

/* *size bytes, and a terminator after them. */
static enum status read_note(const char *store, char note[NOTE_SIZE_MAX + 1], size_t *size, struct fault *fault)
{
    char *path = outfile_join(store, NOTE_FILE);
    if (!path)
        return fault_nomem(fault);
    struct stat info;
    int fd;
    enum status status = file_open(path, "the note of where the blk files are", &fd, &info, fault);
    ssize_t got = status == STATUS_OK ? file_read_at(fd, note, NOTE_SIZE_MAX, 0) : 0;
    if (got < 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read");
    if (fd >= 0)
        close(fd);
    mem_free(path);
    *size = got > 0 ? (size_t)got : 0;
    note[*size] = '\0';
    return status;
}

static bool has_noted_key(const char *note, size_t size, uint8_t key[XOR_KEY_SIZE])
{
    size_t path_size = strlen(note);
    return path_size < size && blk_key_parse(note + path_size + 1, key);
}

/* The folder of the note, which goes up to the first zero byte, and the key after it. */
static bool find_noted(const char *store, char note[NOTE_SIZE_MAX + 1], uint8_t key[XOR_KEY_SIZE], bool *has_key)
{
    struct stat info;
    size_t size;
    if (!store || read_note(store, note, &size, NULL) != STATUS_OK || stat(note, &info) != 0 || !S_ISDIR(info.st_mode))
        return false;
    *has_key = has_noted_key(note, size, key);
    return true;
}

enum status index_blocks_datadir(const struct settings *settings, char **datadir, uint8_t key[XOR_KEY_SIZE],
                                 bool *has_key, struct fault *fault)
{
    char note[NOTE_SIZE_MAX + 1];
    const char *home = getenv("HOME");
    const char *given = settings->datadir;
    *has_key = false;
    if (!given && !settings->chain && find_noted(settings->store, note, key, has_key))
        given = note;
    if (!given && !(home && *home))
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                         "HOME is not set: name the data directory with --datadir");
    size_t size = given ? strlen(given) + 1 : 0;
    *datadir = given ? mem_alloc(size, 1) : outfile_join(home, ".bitcoin");
    if (!*datadir)
        return fault_nomem(fault);
    if (given)
        memcpy(*datadir, given, size);
    return sources_add(*datadir, fault);
}

/* Whether the note says this already: to write it the disk is waited for. */
static bool is_noted(const char *store, const struct text *text)
{
    char note[NOTE_SIZE_MAX + 1];
    size_t size;
    return read_note(store, note, &size, NULL) == STATUS_OK && size == text->size &&
           memcmp(note, text->bytes, size) == 0;
}

enum status index_blocks_remember(const char *store, const char *datadir, const char *chain, const uint8_t *xor_key,
                                  struct fault *fault)
{
    struct blkdir dir = {0};
    struct text text = {0};
    char key[BLK_KEY_TEXT];
    enum status status = blkdir_open_with_key(datadir, chain, xor_key, &dir, fault);
    char *folder = status == STATUS_OK ? realpath(dir.path, NULL) : NULL;
    if (status == STATUS_OK && !folder)
        status = fault_errno(fault, dir.path, FAULT_NO_OFFSET, "has no absolute path");
    if (status == STATUS_OK && (text_printf(&text, "%s", folder) != STATUS_OK ||
                                (xor_key && text_printf(&text, "%c%s", '\0', blk_key_text(xor_key, key)) != STATUS_OK)))
        status = fault_nomem(fault);
    if (status == STATUS_OK && !is_noted(store, &text))
        status = outfile_write_of_store(store, NOTE_FILE, &text, fault);
    text_free(&text);
    free(folder);
    blkdir_free(&dir);
    return status;
}

enum status index_blocks_remember_first(const char *store, const char *datadir, const char *chain,
                                        const uint8_t *xor_key, struct fault *fault)
{
    char note[NOTE_SIZE_MAX + 1];
    size_t size;
    if (read_note(store, note, &size, NULL) != STATUS_NOT_FOUND)
        return STATUS_OK;
    return index_blocks_remember(store, datadir, chain, xor_key, fault);
}

enum status index_blocks_open(const char *store, struct blkdir *dir, struct fault *fault)
{
    char folder[NOTE_SIZE_MAX + 1];
    size_t size;
    uint8_t key[XOR_KEY_SIZE];
    enum status status = read_note(store, folder, &size, fault);
    if (status != STATUS_OK)
        return status;
    bool given = has_noted_key(folder, size, key);
    return blkdir_open_with_key(folder, NULL, given ? key : NULL, dir, fault);
}

enum status index_blocks_protect(const char *store, struct fault *fault)
{
    char folder[NOTE_SIZE_MAX + 1];
    size_t size;
    enum status status = store ? read_note(store, folder, &size, NULL) : STATUS_NOT_FOUND;
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    return status == STATUS_OK ? sources_add(folder, fault) : STATUS_OK;
}

bool index_blocks_file(const struct blkdir *dir, uint32_t number, size_t *index)
{
    *index = LOWER_BOUND(i, 0, dir->count, dir->files[i].number < number);
    return *index < dir->count && dir->files[*index].number == number;
}

enum status index_blocks_bytes(struct blk_reader *reader, const struct blkdir *dir, size_t file, uint64_t offset,
                               size_t size, const uint8_t **bytes, struct fault *fault)
{
    enum status status = blk_read(reader, dir, file, offset, size, bytes, fault);
    if (status != STATUS_IO || !reader->lost)
        return status;
    if (fault)
        fault->status = STATUS_NOT_FOUND;
    return STATUS_NOT_FOUND;
}

/* Output `vout` of the transaction that the bytes must be. */
static bool read_output(const uint8_t *bytes, const struct index_tx *expected, uint32_t vout, struct tx_output *output)
{
    struct cursor c = cursor_over(bytes, expected->size);
    struct tx tx;
    struct tx_input input;
    struct tx_output other;
    struct hash256 txid;
    tx_begin(&c, &tx);
    for (uint32_t i = 0; i < tx.inputs && cursor_ok(&c); i++)
        tx_input(&c, &input);
    tx_outputs(&c, &tx);
    for (uint32_t i = 0; i < tx.outputs && cursor_ok(&c); i++)
        tx_output(&c, i == vout ? output : &other);
    tx_end(&c, &tx);
    if (!cursor_ok(&c) || vout >= tx.outputs)
        return false;
    tx_id(&tx, &txid);
    return hash256_equal(&txid, &expected->txid);
}

enum status index_blocks_tx(struct blk_reader *reader, const struct blkdir *dir, struct tx_index *index,
                            const struct index_tx *tx, const uint8_t **bytes, struct fault *fault)
{
    struct index_block block;
    size_t file;
    enum status status = index_block_at(index, tx->height, &block, fault);
    if (status != STATUS_OK)
        return status;
    if (!index_blocks_file(dir, block.file, &file))
        return fault_set(fault, STATUS_NOT_FOUND, dir->path, FAULT_NO_OFFSET,
                         "has no blk%05u.dat any more, which block %u is in: " INDEX_AGAIN, (unsigned)block.file,
                         (unsigned)tx->height);
    if (tx->size > block.size || tx->offset > block.size - tx->size)
        return fault_set(fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "the index is damaged: a transaction is not in its block");
    return index_blocks_bytes(reader, dir, file, block.offset + tx->offset, tx->size, bytes, fault);
}

enum status index_blocks_other(const struct blkdir *dir, const struct index_tx *tx, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, dir->path, FAULT_NO_OFFSET,
                     "transaction %u of block %u is not where the index has it: " INDEX_AGAIN, (unsigned)tx->index,
                     (unsigned)tx->height);
}

enum status index_blocks_script(struct blk_reader *reader, const struct blkdir *dir, struct tx_index *index,
                                const struct index_tx *tx, uint32_t vout, const uint8_t **script, uint32_t *size,
                                struct fault *fault)
{
    struct tx_output output = {0};
    const uint8_t *bytes = NULL;
    enum status status = index_blocks_tx(reader, dir, index, tx, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    if (!read_output(bytes, tx, vout, &output))
        return index_blocks_other(dir, tx, fault);
    *script = output.script;
    *size = output.script_size;
    return STATUS_OK;
}
