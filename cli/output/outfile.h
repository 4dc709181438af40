/* outfile: a table on its way to a file or to stdout. A file appears whole or not at all: it is written under another
 * name in the same folder, made durable and then renamed. What is no regular file (a pipe, /dev/null) is written
 * directly.
 *
 * A reader of stdout that leaves early (`unktx outputs | head`) is no failure: outfile_write then returns STATUS_OK
 * and outfile_left becomes true, so that the caller can stop. Thread rule: one thread. */
#ifndef UNKTX_CLI_OUTPUT_OUTFILE_H
#define UNKTX_CLI_OUTPUT_OUTFILE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/output/schema.h"
#include "parser/sha256.h"

struct outfolder;    /* outfolder.h */
struct sqlite;       /* sqlite.h */
struct sqlite_table; /* sqlite.h */

/* Zero-initialise; outfile_abort at the end in any case. */
struct outfile {
    /* NULL for stdout, and for what is written directly */
    char *path;
    char *temporary;
    char name[256];     /* for messages */
    int fd_plus_1;      /* 0: closed */
    mode_t mode_plus_1; /* that it gets at the end; 0: it has its mode */
    uint64_t size;      /* bytes written */
    uint64_t started;   /* of them, those on their way to the disk */
    bool is_stdout;
    bool is_new; /* it is written under no name or another one */
    bool left;
    bool is_discarded;
    bool is_told;             /* its user named it, and is told when it is there */
    bool wraps;               /* it is a terminal, and lines are wrapped at its width */
    struct outfolder *folder; /* it is one of this folder's, which has the next one and the digest; NULL: of none */
    const char *folder_name;  /* its name there, borrowed */
    const struct table_schema *table; /* of outfile_begin_table, and its flags */
    unsigned flags;
    uint64_t lines; /* ends of lines outside quotes */
    bool in_quotes;
    bool ends_rows; /* each row gets the cell of a partial store (partial.h) */
    bool in_quotes_of_row;
    struct sha256_stream sha256;
    struct sqlite *database;   /* rows become those of a table there, and what is no table goes nowhere; NULL: none */
    struct sqlite_table *rows; /* of outfile_begin_table */
};

/* `path` NULL or "-": stdout. A file that is replaced keeps its mode. STATUS_REFUSED: the command reads it, or what is
 * in its folder (sources.h), or the manifest in its folder tells of it (listed.h). STATUS_IO. */
enum status outfile_open(struct outfile *file, const char *path, struct fault *fault) MUST_CHECK;
/* The same for lines that people read: on a terminal they are wrapped at its width (wrap.h). Only whole lines are
 * written then. */
enum status outfile_open_lines(struct outfile *file, const char *path, struct fault *fault) MUST_CHECK;
/* A name to write to for whom opens files itself: a file that is there and empty, and goes like any that was not
 * committed; its owner may read and write it until then, whatever it replaces. Borrowed. STATUS_REFUSED: what was
 * opened is stdout or no regular file. STATUS_IO. */
enum status outfile_temporary(struct outfile *file, const char **path, struct fault *fault) MUST_CHECK;
/* What is written goes nowhere: for a command that only counts. */
void outfile_discard(struct outfile *file);
/* outfile_open on the file `name` in folder `folder`, for whom writes the folder's manifest too: what that tells of is
 * not refused. */
enum status outfile_open_in(struct outfile *file, const char *folder, const char *name, struct fault *fault) MUST_CHECK;
enum status outfile_write(struct outfile *file, const char *bytes, size_t size, struct fault *fault) MUST_CHECK;
/* Writes the header line of a table. */
enum status outfile_begin_table(struct outfile *file, const struct table_schema *table, unsigned flags,
                                struct fault *fault) MUST_CHECK;
/* Writes and empties the text. */
enum status outfile_flush(struct outfile *file, struct text *text, struct fault *fault) MUST_CHECK;
static inline bool outfile_left(const struct outfile *file) { return file->left; }
/* Makes what was written durable, so that outfile_commit has nothing to wait for. */
enum status outfile_sync(struct outfile *file, struct fault *fault) MUST_CHECK;
/* Makes the file appear; one of an outfolder does with the others. */
enum status outfile_commit(struct outfile *file, struct fault *fault) MUST_CHECK;
/* Removes what was not committed. Legal at any time. */
void outfile_abort(struct outfile *file);
/* Says on stderr, unless the command is quiet, that the file is there, and how many rows a table has: between
 * outfile_commit and outfile_abort. Not of stdout, a pipe or a device, nor of a file of a folder. */
void outfile_tell(const struct outfile *file);
/* The end of a file: outfile_commit and outfile_tell if all went well until now (`status`), and outfile_abort. Returns
 * `status`, or why the commit failed. */
enum status outfile_finish(struct outfile *file, enum status status, struct fault *fault) MUST_CHECK;

/* The whole file `path` (as outfile_open takes it) from a text. */
enum status outfile_write_text(const char *path, struct text *text, struct fault *fault) MUST_CHECK;
/* The same by outfile_open_lines, if `wraps`. */
enum status outfile_write_lines(const char *path, bool wraps, struct text *text, struct fault *fault) MUST_CHECK;
/* outfile_write_text on the file `name` in folder `folder`. */
enum status outfile_write_text_in(const char *folder, const char *name, struct text *text, struct fault *fault)
    MUST_CHECK;
/* The same on a file of the store itself, for the command that makes the store: it is no source for that one, though
 * nothing else may be written there. */
enum status outfile_write_of_store(const char *store, const char *name, struct text *text, struct fault *fault)
    MUST_CHECK;

/* Makes the folder, and those above it, unless it is there; the first *there bytes of the path name a folder that was
 * there before. STATUS_REFUSED as for outfile_open. */
enum status outfile_make_folder(const char *path, size_t *there, struct fault *fault) MUST_CHECK;
/* folder/name; NULL without memory. Owned by the caller. */
char *outfile_join(const char *folder, const char *name) MUST_CHECK;

/* Formats chunk `chunk` into `text`; `worker` as in parallel_for. */
typedef enum status outfile_format(void *context, unsigned worker, size_t chunk, struct text *text,
                                   struct fault *fault);

/* A table: its description, which of its columns are written (see schema_walk), and what formats the rows. */
struct outfile_table {
    const struct table_schema *schema; /* NULL: lines of text, without a header */
    unsigned flags;
    size_t chunks;
    outfile_format *format;
    void *context;
};

/* Writes the header, formats chunks 0..chunks-1 on `threads` threads and writes them in order. Stops early when
 * stdout's reader has left; STATUS_INTERRUPTED when a signal came. Memory: some chunks' text for each thread. */
enum status outfile_write_table(struct outfile *file, unsigned threads, const struct outfile_table *table,
                                struct fault *fault) MUST_CHECK;
/* The same for tables of which each has a file of its own, at the same time. One thread at a time writes to a file: so
 * it takes as long as the largest file, and not as long as all together. Memory: that of each file. */
enum status outfile_write_tables(struct outfile *files, unsigned threads, const struct outfile_table *tables,
                                 size_t count, struct fault *fault) MUST_CHECK;
/* outfile_sync of each in a thread that does nothing else, so that the disk is waited for while the caller goes on with
 * something else. Nobody else touches the files between outfile_begin_sync and outfile_end_sync, which has the answer
 * (STATUS_OK where it never began). Without a thread, end does what begin could not. */
struct outfile_syncing {
    struct outfile *files;
    size_t count;
    pthread_t thread;
    bool has_thread;
    enum status status;
    struct fault fault;
};
void outfile_begin_sync(struct outfile_syncing *syncing, struct outfile *files, size_t count);
enum status outfile_end_sync(struct outfile_syncing *syncing, struct fault *fault) MUST_CHECK;
/* outfile_sync of each, on `threads` threads. */
enum status outfile_sync_all(struct outfile *files, size_t count, unsigned threads, struct fault *fault) MUST_CHECK;
/* The whole file `path` (as outfile_open takes it) from a table. */
enum status outfile_make_table(const char *path, unsigned threads, const struct outfile_table *table,
                               struct fault *fault) MUST_CHECK;

#endif
