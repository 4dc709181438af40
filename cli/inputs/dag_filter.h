/* dag_filter: only the T-DAGs that --family, --class, --min-height, --min-value, --known and --label ask for; all that
 * are given must hold. */
#ifndef UNKTX_CLI_INPUTS_DAG_FILTER_H
#define UNKTX_CLI_INPUTS_DAG_FILTER_H

#include "cli/inputs/dag_labels.h"
#include "cli/inputs/known_scripts.h"
#include "cli/output/datapackage.h"

extern const struct option option_filter_family, option_filter_class, option_filter_min_height, option_filter_min_value,
    option_filter_known, option_filter_label;
/* All of them, for a command's table. */
#define OPTIONS_DAG_FILTER                                                                                             \
    &option_filter_family, &option_filter_class, &option_filter_min_height, &option_filter_min_value,                  \
        &option_filter_known, &option_filter_label

/* EXIT_DONE, or EXIT_USAGE after saying which word is no good: no such family, no class id, no label without --labels,
 * and where no file adds to them, no such known script. No file is looked at. */
int dag_filter_check(const struct settings *settings);
/* Is any of them given? */
bool dag_filter_given(const struct settings *settings);
/* What stands in place of rows where no T-DAG is left: a static string. */
const char *dag_filter_none(const struct settings *settings);
/* What is given, for the manifest: "--family chain --min-height 3"; NULL for nothing. The caller frees it by mem_free.
 * STATUS_NOMEM. */
enum status dag_filter_text(const struct settings *settings, char **text) MUST_CHECK;

/* Leaves the others out of a selection and classifies it again; numbers follow anew, names stay. `held` is for --known,
 * `labels` for --label, of this selection; else unused. STATUS_NOT_FOUND: no such class, known script or label.
 * O(T-DAGs) and classify(). */
enum status dag_filter_apply(const struct settings *settings, const struct store *store, const struct forest *forest,
                             const struct known_scripts_held *held, const struct dag_labels *labels,
                             struct selection *selection, uint32_t *left_out, struct fault *fault) MUST_CHECK;

#endif
