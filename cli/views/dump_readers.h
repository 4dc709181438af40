/* dump_readers: the index and, where scripts are asked for, the blk files, opened once for each thread that makes rows
 * of a dump. Thread rule: one thread; each of `rows` is then one worker's. */
#ifndef UNKTX_CLI_VIEWS_DUMP_READERS_H
#define UNKTX_CLI_VIEWS_DUMP_READERS_H

#include "cli/options.h"
#include "cli/views/dump_rows.h"

/* Zero-initialise; dump_readers_close in any case. */
struct dump_readers {
    struct indexes indexes; /* for what is dumped */
    struct indexes jumpers; /* for the links */
    struct blkdir blk_files;
    struct dump_rows *rows; /* by worker */
    unsigned threads;       /* how many */
};

/* Opens the index of settings->store, and with settings->with_scripts the blk files that it was made from, which no
 * output then replaces. STATUS_NOT_FOUND: one of the two is not there. */
enum status dump_readers_open(const struct settings *settings, struct dump_readers *readers, struct fault *fault)
    MUST_CHECK;
void dump_readers_close(struct dump_readers *readers);

/* The heights of settings, as first .. end - 1: a last height above the tip means the tip. STATUS_NOT_FOUND: the index
 * has none of them. */
enum status dump_readers_range(const struct dump_readers *readers, const struct settings *settings, uint32_t *first,
                               uint32_t *end, struct fault *fault) MUST_CHECK;

/* Which columns the table has, see schema_walk. */
static inline unsigned dump_columns(const struct settings *settings)
{
    return settings->with_scripts ? COLUMN_WITH_SCRIPTS : 0;
}

#endif
