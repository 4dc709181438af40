/* dump_parts: the tables of a dump as a folder of many files (cli/output/partitions.h), written in parallel.
 *
 * Each file appears whole or not at all, as soon as it is done; a file whose bytes would be the same again is left
 * alone. The manifest is written first, without what is about to change, and again as files are done, so that it never
 * tells of a file that is another: whatever ends the dump, the next one goes on from there.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_VIEWS_DUMP_PARTS_H
#define UNKTX_CLI_VIEWS_DUMP_PARTS_H

#include "cli/views/dump_plan.h"

struct dump_order {
    const char *folder;
    const char *version; /* of unktx */
    bool tables[DUMP_TABLES];
    struct partition_rule rule;
    bool resume;  /* keep what an earlier dump has made */
    bool replace; /* what is in the folder, also of another dump */
};

/* Writes what is not there, and removes what an earlier dump has left. STATUS_REFUSED: the folder is not a dump's, or
 * another one's; or something else is at the place of a file. STATUS_BUSY: another process writes there.
 * Memory: some 20 MiB for each thread, and what the rows of the largest transaction take. */
enum status dump_parts_write(const struct settings *settings, const struct dump_order *order,
                             struct dump_readers *readers, struct fault *fault) MUST_CHECK;

#endif
