/* file: opening, reading and writing files. Nothing here waits for ever: what is no regular file is not opened,
 * and a call that a signal interrupts is made again unless the process was asked to end (stop.h).
 *
 * Thread rule: any thread. */
#ifndef UNKTX_PARSER_FILE_H
#define UNKTX_PARSER_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "parser/status.h"

/* Opens a regular file for reading. `what` names it in faults ("the XOR key"). The file is looked at before, since the
 * mere opening of a device can do something, and after, since it may have been changed for another. STATUS_FORMAT: a
 * folder, a FIFO, a socket or a device, by its name. STATUS_NOT_FOUND: there is none. STATUS_IO, STATUS_RESOURCES. */
enum status file_open(const char *path, const char *what, int *fd, struct stat *info, struct fault *fault) MUST_CHECK;

/* "a FIFO", "a folder", ...: what a mode of stat is; of lstat where stat finds nothing, "a link that leads nowhere". */
const char *file_kind(mode_t mode);

/* open(path, flags | O_CLOEXEC, 0666), made again after EINTR. -1 with errno. */
int file_open_again(const char *path, int flags);

/* A file without a name, in memory, open for reading and writing: memfd_create.
 * `name` is for those who look at the process. -1 with errno. */
int file_in_memory(const char *name);
/* file_read_at and file_write_at for such a file: there is no disk to wait for, or to count bytes of. */
ssize_t file_memory_read_at(int fd, void *bytes, size_t size, uint64_t offset);
bool file_memory_write_at(int fd, const void *bytes, size_t size, uint64_t offset) MUST_CHECK;

/* Reads up to `size` bytes at `offset`, fewer only at the end of the file; -1 with errno on error. */
ssize_t file_read_at(int fd, void *bytes, size_t size, uint64_t offset);

/* Test support: has each read of file_read_at reported before it is made, from whichever thread; NULL: no more. */
typedef void file_read_fn(int fd, uint64_t offset, size_t size);
void file_watch_reads(file_read_fn *watch);

/* Writes `size` bytes at `offset`, in as many calls as it takes; false with errno where not all are written. */
bool file_write_at(int fd, const void *bytes, size_t size, uint64_t offset) MUST_CHECK;

/* fdatasync. -1 with errno. */
int file_sync(int fd);

/* Reads up to `size` bytes of a file, a FIFO or a terminal that was opened with O_NONBLOCK, as they come: 0 at the end,
 * -1 with errno on error. */
ssize_t file_read_some(int fd, void *bytes, size_t size);

#endif
