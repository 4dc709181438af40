/* tdag_times: the transactions of a T-DAG in time, as a chart. */
#ifndef UNKTX_CLI_VIEWS_TDAG_TIMES_H
#define UNKTX_CLI_VIEWS_TDAG_TIMES_H

#include "cli/output/printer.h"
#include "graph/dag/forest.h"

/* A time line by the value that each transaction pays out. STATUS_NOMEM. O(its transactions). */
enum status tdag_times_put(struct printer *printer, const struct forest *forest, const struct tdags *tdags,
                           uint32_t dag) MUST_CHECK;

#endif
