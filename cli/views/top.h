/* top: `unktx dags --top`: the T-DAGs that come first by one of their numbers. */
#ifndef UNKTX_CLI_VIEWS_TOP_H
#define UNKTX_CLI_VIEWS_TOP_H

#include "classify/measures.h"
#include "cli/options.h"
#include "cli/inputs/selection.h"

/* Prints the settings->top first (10 if that is 0) by settings->order_by as a table; ties by dag_id. `all_measures` is
 * what measures_all gave. O(n log n). */
enum status top_print(const struct settings *settings, const struct forest *forest, const struct selection *selection,
                      const struct measures_row *all_measures, struct fault *fault) MUST_CHECK;

#endif
