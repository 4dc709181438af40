/* hidden: the scripts that spenders of P2SH, P2WSH and P2TR outputs showed, counted by what they look like or one by
 * one, as `unktx hidden` lists them. */
#ifndef UNKTX_CLI_VIEWS_HIDDEN_H
#define UNKTX_CLI_VIEWS_HIDDEN_H

#include "cli/options.h"
#include "parser/status.h"

/* What was met, for who is told. */
struct hidden_totals {
    uint64_t scripts;
    uint64_t key_paths;  /* inputs */
    uint64_t not_proven; /* inputs */
    uint64_t damaged;    /* blocks with such an input whose witnesses are not those that they commit to */
};

/* One pass over the blk files of the index of settings->store (graph/index/hidden.h), and the table to settings->out.
 * STATUS_NOT_FOUND: no index, or no blk files. What is damaged is said (at most the first block of it), and the
 * store of --dags is not made then. The same for any number of threads. */
enum status hidden_write(const struct settings *settings, struct hidden_totals *totals, struct fault *fault) MUST_CHECK;

#endif
