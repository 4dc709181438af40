/* progress: how far a long command is, on stderr: on a terminal one line that is rewritten, else a plain line every ten
 * seconds. */
#ifndef UNKTX_CLI_OUTPUT_PROGRESS_H
#define UNKTX_CLI_OUTPUT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_NO_HEIGHT UINT64_MAX

struct progress {
    bool quiet;
    bool terminal;
    const char *unit;  /* of what is counted, a static string; NULL: bytes */
    const char *stage; /* static string */
    int64_t begun_ns;
    int64_t shown_ns;
    uint64_t begun_done; /* of `done` when the stage began */
};

void progress_begin(struct progress *progress, bool quiet);
/* Rate and time left count from the first call with this stage (same pointer). `done` and `total` are bytes, or
 * what `unit` says. */
void progress_show(struct progress *progress, const char *stage, uint64_t done, uint64_t total, uint64_t height);
/* Takes the line away. */
void progress_end(struct progress *progress);

/* Of work in several threads: how much of it is done. Zero-initialise, begin the progress and set stage and total. */
struct progress_count {
    struct progress progress;
    const char *stage; /* static string */
    uint64_t total;
    uint64_t done;
    bool busy; /* one thread shows it */
};
/* Adds to what is done, and shows it; any thread. Nothing else may print meanwhile. */
void progress_add(struct progress_count *count, uint64_t more);

#endif
