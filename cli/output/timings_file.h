/* timings_file: the table of --timings: where the time of a command went, by stage and thread (parser/timings.h). It is
 * the one table of unktx that differs from run to run.
 *
 * Thread rule: the main thread. */
#ifndef UNKTX_CLI_OUTPUT_TIMINGS_FILE_H
#define UNKTX_CLI_OUTPUT_TIMINGS_FILE_H

#include "cli/options.h"
#include "cli/output/outfile.h"

extern const struct option option_timings;

/* Zero-initialise. */
struct timings_file {
    struct outfile file;
    const char *path; /* of settings->timings; NULL: no such file is asked for */
};

/* Before the work: opens the file and begins to count, if --timings was given. What the command reads is to be known to
 * sources.h by then. STATUS_REFUSED and STATUS_IO as outfile_open; STATUS_NOMEM. */
enum status timings_file_begin(struct timings_file *timings, const struct settings *settings, struct fault *fault)
    MUST_CHECK;

/* After the work, which ended with this exit status: writes the table if the work was done (EXIT_DONE, EXIT_DAMAGED),
 * else leaves no file. Returns the exit status, or EXIT_FAILED after a message. Legal after any timings_file_begin. */
int timings_file_end(struct timings_file *timings, int exit_status);

#endif
