/* spill: entries sorted into parts on disk, for work that does not fit into memory. Any number of threads add, each
 * entry to the part it belongs to; later each part is read as a whole, in no particular order.
 *
 * An entry is a fixed-width key, a number and, for some spills, one more number, a check of 3 bytes, and other bytes.
 * Numbers that go up in small steps take a byte or two. A few files hold the parts, in pieces that each name the piece
 * of the same part before. Thread rule: each worker number is one thread's at a time. Errors: STATUS_IO (a full disk),
 * STATUS_NOMEM; in reading STATUS_FORMAT: the file is not what was written. */
#ifndef UNKTX_GRAPH_INDEX_SPILL_H
#define UNKTX_GRAPH_INDEX_SPILL_H

#include <stdbool.h>
#include <stddef.h>

#include "graph/store/record.h"
#include "parser/status.h"

struct spill; /* opaque */

struct spill_entry {
    uint64_t key; /* what key_size bytes hold above spare_bits */
    uint64_t number;
    uint64_t extra;       /* 0 in a spill without */
    uint64_t check;       /* the same; below 2^24 */
    const uint8_t *bytes; /* shape.bytes of them, borrowed; NULL in a spill without */
};

#define SPILL_BYTES_MAX 32u
#define SPILL_FILES 8u
#define SPILL_BUFFER_MIN 88u  /* a piece with one entry, the largest */
#define SPILL_PIECE_BYTES 32u /* what each part has for each worker, beside its buffer */

/* Of temporary files: for fault_errno_place, and where they are not what was written. */
#define SPILL_OTHER "another folder with --tmp"
#define SPILL_DAMAGED "a temporary file is damaged: run the same command again, which begins anew"

struct spill_shape {
    const char *folder; /* files are FOLDER/NAME-N; borrowed. NULL: they have no names and are in memory */
    const char *name;
    unsigned parts;
    unsigned workers;
    unsigned key_size;   /* 1..8 bytes */
    unsigned spare_bits; /* of these, 0..7, which the key has no need of: they hold a small `extra` */
    bool extra;
    bool check;
    unsigned bytes; /* 0 to SPILL_BYTES_MAX; a spill with some is not for a checkpoint */
    size_t buffer;  /* of each part and worker, in bytes: SPILL_BUFFER_MIN or more */
};

/* Files that are there from an earlier run are emptied. */
enum status spill_new(const struct spill_shape *shape, struct spill **spill, struct fault *fault) MUST_CHECK;
/* Has the system begin to write out what is in the files, so that spill_sync need not wait for all of it. */
void spill_write_out(const struct spill *spill);
/* Waits until the disk has everything that was flushed to one of the files, 0..SPILL_FILES-1. Any thread, each another
 * file. */
enum status spill_sync(const struct spill *spill, unsigned file, struct fault *fault) MUST_CHECK;
/* For a checkpoint. spill_save adds to `out` where everything that was flushed is; spill_resume opens the spill again
 * as it was then, whatever was added since. Of the shape only folder, name and workers count. STATUS_FORMAT: what was
 * saved is malformed, or the files are not there or shorter than it says. */
enum status spill_save(const struct spill *spill, struct buffer *out) MUST_CHECK;
enum status spill_resume(const struct spill_shape *shape, struct cursor *saved, struct spill **spill,
                         struct fault *fault) MUST_CHECK;
/* Takes the names of the files away, so that they go with the process however it ends; not for a checkpoint. */
void spill_unlink(const struct spill *spill);
/* As spill_free, but the files stay for spill_resume. NULL is legal. */
void spill_close(struct spill *spill);
/* Deletes one of the files, 0..SPILL_FILES-1, before spill_free, which takes its time with large ones: any thread, each
 * another file. */
void spill_remove(struct spill *spill, unsigned file);
/* Deletes the files too. NULL is legal. */
void spill_free(struct spill *spill);

/* STATUS_FORMAT for a part that there is not, as for spill_read: a damaged file led there. */
enum status spill_add(struct spill *spill, unsigned worker, unsigned part, const struct spill_entry *entry) MUST_CHECK;
/* Writes what all workers hold. After a failed spill_add it tells what was wrong. */
enum status spill_flush(struct spill *spill, struct fault *fault) MUST_CHECK;
/* Frees the buffers for adding: nothing may be added any more. */
void spill_end_adding(struct spill *spill);
/* Calls `on_entries` for the entries of a part, some at a time; a status other than STATUS_OK ends it and is returned.
 * Any thread. */
typedef enum status spill_on_entries(void *context, const struct spill_entry *entries, size_t count);
enum status spill_read(struct spill *spill, unsigned part, spill_on_entries *on_entries, void *context,
                       struct fault *fault) MUST_CHECK;
/* Entries of a part that were flushed. O(1). */
uint64_t spill_count(const struct spill *spill, unsigned part);

#endif
