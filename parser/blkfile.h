/* blkfile: a node's blocks folder: which blk files it has, the records in them, and the bytes of a block with the XOR
 * of xor.dat (Core 28) undone. Reads with pread; writes and locks nothing, so a running node is not disturbed.
 *
 * Ownership: a blkdir owns its names; a blkreader owns one open file and a buffer. Thread rule: a const blkdir is
 * shareable; a blkreader belongs to one thread. */
#ifndef UNKTX_PARSER_BLKFILE_H
#define UNKTX_PARSER_BLKFILE_H

#include <sys/stat.h>

#include "parser/block.h"
#include "parser/network.h"
#include "parser/status.h"

#define XOR_KEY_SIZE 8u

struct blkfile {
    uint32_t number;  /* the NNNNN of blkNNNNN.dat */
    uint64_t size;    /* bytes, when the folder was listed */
    int64_t mtime_ns; /* Unix time of the last change, nanoseconds */
    char *path;
};

/* A blk file's name that is no file to read. */
struct blk_misfit {
    char *path;
    const char *what; /* "a link that leads nowhere", "a folder", ...; static */
};

struct blkdir {
    char *path; /* the blocks folder (or the file's folder when opened on one file) */
    bool xored;
    bool key_given;            /* by the caller; else xor.dat's, or zeros without one */
    bool key_found;            /* xor.dat is there */
    uint8_t key[XOR_KEY_SIZE]; /* zeros when not xored */
    struct blkfile *files;     /* by number */
    size_t count;
    struct blk_misfit *misfits;
    size_t misfits_count;
    uint32_t staged; /* files that an interrupted change of the key (bitcoind -reobfuscate-blocks) left with the ending
                      * .reobfuscated: one without its original counts as that file */
    int64_t listed_ns;           /* Unix time when the folder was listed, nanoseconds */
    const struct network *chain; /* the network whose sub-folder was taken; NULL for PATH/blocks and for a blocks
                                  * folder, which may be any network's: the magic tells */
};

/* Opens a data directory (blocks/ inside), its network sub-folder, or a blocks folder itself. `chain` (may be NULL)
 * names the network whose sub-folder to take when `path` is a data directory with several; without it main comes
 * first, then the only one there; several test networks and no main is STATUS_REFUSED with their names.
 * STATUS_NOT_FOUND: no such folder or no blk file in it; the fault says what was looked for and, for a pruned or an
 * empty node, that. STATUS_FORMAT: xor.dat of a wrong size, or no file. */
enum status blkdir_open(const char *path, const char *chain, struct blkdir *dir, struct fault *fault) MUST_CHECK;

/* As blkdir_open, with this key and no look at xor.dat; NULL: xor.dat's. */
enum status blkdir_open_with_key(const char *path, const char *chain, const uint8_t key[XOR_KEY_SIZE],
                                 struct blkdir *dir, struct fault *fault) MUST_CHECK;

/* As blkdir_open_with_key, or a single blk file (any name; an xor.dat in the same folder counts). */
enum status blkdir_open_any(const char *path, const uint8_t key[XOR_KEY_SIZE], struct blkdir *dir, struct fault *fault)
    MUST_CHECK;

/* Looks again at a folder that a node may be writing into: sizes and times of the files, and files with a higher number
 * than all before. Indexes stay. *changed: there was anything new. */
enum status blkdir_refresh(struct blkdir *dir, bool *changed, struct fault *fault) MUST_CHECK;
void blkdir_free(struct blkdir *dir);

/* STATUS_RESOURCES if this user may not open some of the files; the fault names the first, how many more there are, and
 * the way out. One look at each, at its bytes none. */
enum status blkdir_check_access(const struct blkdir *dir, struct fault *fault) MUST_CHECK;

/* file_open (file.h) of a blk file or of xor.dat; STATUS_RESOURCES, and the way out, if this user may not read it. */
enum status blk_file_open(const char *path, const char *what, int *fd, struct stat *info, struct fault *fault)
    MUST_CHECK;

/* A file is read with the folder's key, unless its first record shows another one: the coinbase's prevout has 32 zero
 * bytes, which read as the key, and the block's merkle root or the next record then tells that it is right. A node can
 * leave such files: a lost or replaced xor.dat, an interrupted change of the key, a file copied from another node. */

/* STATUS_FORMAT if files show another key than the folder's and none shows the folder's; the fault says how to restore
 * xor.dat. Reads the first records up to the first file that the key fits. */
enum status blkdir_check_key(const struct blkdir *dir, struct fault *fault) MUST_CHECK;

/* The key of the open blk file `index`, from its first record; the folder's where that shows none or the disk does not
 * give it. STATUS_NOMEM, STATUS_RESOURCES, STATUS_INTERRUPTED (stop.h). Reads one record. */
enum status blk_find_key(const struct blkdir *dir, size_t index, int fd, uint8_t key[XOR_KEY_SIZE], struct fault *fault)
    MUST_CHECK;

/* `text` has room for BLK_KEY_TEXT; the key as hexadecimal digits, in the order of the bytes of xor.dat. */
#define BLK_KEY_TEXT (2 * XOR_KEY_SIZE + 1)
const char *blk_key_text(const uint8_t key[XOR_KEY_SIZE], char text[BLK_KEY_TEXT]);
bool blk_key_parse(const char *text, uint8_t key[XOR_KEY_SIZE]); /* 16 hexadecimal digits */

#define BLK_FRAME_SIZE 8u /* of what stands before a block: magic and length */

/* One block record as found in a file. */
struct blk_record {
    uint64_t offset; /* of the magic, from the start of the file */
    uint32_t size;   /* of the block, without the 8 bytes before it */
    uint8_t magic[4];
    uint8_t header[BLOCK_HEADER_SIZE]; /* of a block of the fork: the first 80 bytes */
    bool fork;                         /* a block of the BLAKE2b fork (block.h), which no chain here follows */
    uint32_t fork_height;              /* the height that it names */
};

enum blk_gap_reason {
    BLK_GAP_GARBAGE,    /* bytes that are no record, between records or at the end */
    BLK_GAP_BAD_LENGTH, /* a record whose length does not lead to another record, zeros or the end */
    BLK_GAP_TORN,       /* a record cut short by the end of the file or by zeros up to it (normal in the last file) */
    BLK_GAP_UNREADABLE, /* read error of the operating system */
};

/* Bytes of a file that hold no usable record. Runs of preallocated zeros are not gaps. */
struct blk_gap {
    uint64_t offset;
    uint64_t size;
    enum blk_gap_reason reason;
};

struct blk_image; /* blkimage.h */

/* What one pass over one file found, in file order. Zero-initialise; reusable; free with blk_scan_free. */
struct blk_scan {
    const struct blk_image *image; /* in: as in a blk_reader */
    bool first_only;               /* in: the first record of a known network is enough */
    struct blk_record *records;
    size_t count;
    size_t capacity;
    struct blk_gap *gaps;
    size_t gaps_count;
    size_t gaps_capacity;
    uint64_t end;              /* offset after the last record */
    uint8_t key[XOR_KEY_SIZE]; /* the file's, which may differ from the folder's */
    bool other_key;            /* it does */
};

/* Steps from record to record of file `index`, reading 88 bytes of each. `magic` NULL accepts any network's magic and,
 * for a custom signet, the one that the file begins with; else only that one. Where no record follows a record,
 * searches the following bytes for the next magic whose length is plausible and whose header meets its own
 * proof-of-work target, and notes what was skipped as a gap. Preallocated zeros (raw, so they read as the repeated key)
 * end a run without a gap, and records after them are found too; so do those that a change of the key XORed along, to
 * the end of the file (blktail.h). A record torn by the end of the file, or by zeros up
 * to that, becomes a BLK_GAP_TORN at its offset: a block in front of such zeros counts only if it is the one that its
 * header names. A block of the BLAKE2b fork is known by bit 31 of its version and its merkle root, for which all of it
 * is read. Bytes after the size in `dir` are left for the next listing. STATUS_IO only if the file cannot be opened;
 * STATUS_RESOURCES, STATUS_INTERRUPTED (stop.h). O(records) reads, plus the bytes searched. */
enum status blk_scan_file(const struct blkdir *dir, size_t index, const uint8_t magic[4], struct blk_scan *scan,
                          struct fault *fault) MUST_CHECK;
void blk_scan_free(struct blk_scan *scan);

/* Reads bytes of blk files for one thread, with the last file kept open. Zero-initialise; free with blk_reader_free. */
struct blk_reader {
    const struct blk_image *image; /* where it is there, that file's bytes come from it; may be NULL */
    int fd_plus_1;                 /* 0: none open */
    size_t index;
    bool xored;
    bool lost;                 /* the last read failed because the file is gone or ends before its bytes do */
    uint8_t key[XOR_KEY_SIZE]; /* of the open file */
    uint8_t *buffer;
    size_t capacity;
};

/* `size` bytes from `offset` of file `index`, XOR undone; borrowed until the next call with the same reader. A read
 * that meets the end of the file is STATUS_IO. O(size). */
enum status blk_read(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t offset, size_t size,
                     const uint8_t **bytes, struct fault *fault) MUST_CHECK;
void blk_reader_free(struct blk_reader *reader);

/* Tells the operating system that these bytes will be read soon (posix_fadvise). Never fails. */
void blk_read_ahead(struct blk_reader *reader, const struct blkdir *dir, size_t index, uint64_t offset, uint64_t size);

/* bytes[i] ^= key[(offset + i) % 8]. O(size), some bytes per cycle. */
void blk_xor(uint8_t *bytes, size_t size, const uint8_t key[XOR_KEY_SIZE], uint64_t offset);

#endif
