/* status: how every function of unktx reports failure.
 *
 * Two channels that never mix. A caller's bug (a NULL where the header forbids it) is an assert. Bad data, a full
 * disk, a lack of memory is a `enum status`, which must be looked at, with the details in a `struct fault` that the
 * caller owns. Only cli/ prints a fault or exits.
 *
 * One order of arguments in all headers: first what the function belongs to or works on (its context), then what it
 * only reads, then what it writes, and the fault last. A function whose outputs are not said to be set on failure
 * leaves them undefined then.
 *
 * Thread rule: a fault belongs to one thread at a time. */
#ifndef UNKTX_PARSER_STATUS_H
#define UNKTX_PARSER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    STATUS_OK = 0,
    STATUS_NOMEM,       /* an allocation failed, or a limit on memory was met */
    STATUS_IO,          /* the operating system refused: a file, a disk, a pipe */
    STATUS_FORMAT,      /* bytes that are not what they should be */
    STATUS_NOT_FOUND,   /* what was asked for is not there */
    STATUS_REFUSED,     /* asked for something that contradicts what is there (another network, other options) */
    STATUS_BUSY,        /* another process holds it */
    STATUS_INTERRUPTED, /* a signal asked us to stop; what was done so far is kept */
    STATUS_LIMIT,       /* larger than this program represents */
    STATUS_RESOURCES,   /* the process or the system has no more of something, lost its hold on a file system, or may
                         * not read a blk file: says nothing about the data, so it is never counted as damage */
};

/* Does a failure to read a part of the input end the command? What is damaged, not there or another's can be left out
 * and told, and the command goes on; what this process or its system could not do says nothing about the data, and what
 * would be left out for it might be there. Of a disk that does not give bytes (STATUS_IO) it is not known either. */
static inline bool status_ends_command(enum status status)
{
    return status != STATUS_OK && status != STATUS_FORMAT && status != STATUS_NOT_FOUND && status != STATUS_REFUSED;
}

#define FAULT_NO_OFFSET UINT64_MAX

/* What went wrong and where. `path` and `text` are always terminated; `path` is empty and `offset` is
 * FAULT_NO_OFFSET where they do not apply. Zero-initialise before first use. */
struct fault {
    enum status status;
    uint64_t offset; /* bytes from the start of the file */
    char path[512];
    char text[512];
};

/* Fills `fault` (which may be NULL) and returns `status`, so that a failing function can end in
 * `return fault_set(...)`. `path` may be NULL. Text is cut to fit. O(1). */
enum status fault_set(struct fault *fault, enum status status, const char *path, uint64_t offset, const char *format,
                      ...) __attribute__((format(printf, 5, 6)));

/* The same with `: `, strerror(errno) and, in parentheses, the way out as far as the error tells it: which limit to
 * raise, or to free space (or inodes, as the file system of `path` says). ENOMEM is STATUS_NOMEM; EMFILE, ENFILE,
 * ENOBUFS, ENOLCK, EAGAIN and ESTALE are STATUS_RESOURCES; EINTR is STATUS_INTERRUPTED, so callers try again unless
 * stop_requested(); all else is STATUS_IO, of which EIO is a broken disk's. errno is left as it was. */
enum status fault_errno(struct fault *fault, const char *path, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for what was to be written, where the user can name another place for it: `other` is how, such as
 * "another folder with --tmp". */
enum status fault_errno_place(struct fault *fault, const char *path, uint64_t offset, const char *other,
                              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether the disk of `path` (or, where that is not there, of the folder for it) has room for bytes and none for
 * files: "No space left" alone would send the user to the wrong tool. errno is not kept. */
bool fault_lacks_inodes(const char *path);

#define FAULT_NOMEM_TEXT                                                                                               \
    "out of memory (see ulimit -v and the limits of a container; fewer --threads and a smaller --memory take less)"

/* STATUS_NOMEM with a fixed text. It is here and not in status.c so that a static analyser sees that it never
 * returns STATUS_OK. */
static inline enum status fault_nomem(struct fault *fault)
{
    fault_set(fault, STATUS_NOMEM, NULL, FAULT_NO_OFFSET, FAULT_NOMEM_TEXT);
    return STATUS_NOMEM;
}

#endif
