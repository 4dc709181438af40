/* pages: whether the pages of a store's LMDB file hang together, found with plain reads before LMDB follows them (why:
 * kv_checks.c). What is checked is what LMDB relies on: meta pages, and of every tree each branch and leaf page, the
 * place of every large value, the lists of free pages, and that no page is used twice. The bytes inside values are the
 * concern of record.h, which has checksums.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_GRAPH_LMDB_PAGES_H
#define UNKTX_GRAPH_LMDB_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

/* Open for reading; the rest is for messages: "the NOUN is damaged: delete it and run 'unktx VERB' again". */
struct pages_file {
    int fd;
    const char *path;
    const char *noun;
    const char *verb;
};

/* True of a file of `size` bytes that LMDB began and a kill or a full disk kept from its second meta page: nothing was
 * ever written to it. */
bool pages_are_half_begun(int fd, uint64_t size);

/* Before LMDB opens the file: both meta pages, their data version and page size. STATUS_FORMAT: no LMDB file, one of
 * another version, or damaged. O(1). */
enum status pages_check_meta(const struct pages_file *file, struct fault *fault) MUST_CHECK;

/* The pages of the snapshot that transaction `txn` sees, which must stay open meanwhile. Of a large value, which has
 * pages of its own, only where they are: what is in these pages matters only when the value is deleted or overwritten
 * (pages_check_value). Tables that have together more than `leaves` leaf pages (UINT64_MAX: none) are left to
 * path.h, but for their branch pages if `branches`; `*whole`: none was. STATUS_FORMAT: damaged. STATUS_BUSY: another
 * process has committed twice since the transaction began: begin it anew. STATUS_IO, STATUS_NOMEM. O(branch and leaf
 * pages + free pages): about 1 MB read for a store of 10 GB. */
enum status pages_check(const struct pages_file *file, uint64_t txn, uint64_t leaves, bool branches, bool *whole,
                        struct fault *fault) MUST_CHECK;

/* Before a value is deleted or overwritten: `value` as LMDB shows it, in its map of the file, with the size of its key.
 * *sound if it stands in a page with others, which pages_check has seen, or if its own pages say what it says. Returns
 * 0, or the errno of the file that could not be read. */
int pages_check_value(int fd, uint32_t page_size, size_t key_size, const void *value, size_t size, bool *sound)
    MUST_CHECK;

/* For path.h. All of the bytes or a fault; STATUS_FORMAT, with "the store is damaged (...)" and the way out. */
enum status pages_read(const struct pages_file *file, uint64_t offset, uint8_t *bytes, size_t size, struct fault *fault)
    MUST_CHECK;
enum status pages_damaged(const struct pages_file *file, uint64_t offset, const char *what, struct fault *fault);

#endif
