/* selected_outputs: the outputs that --script, --template, --known, --kind, --protocol, --min-value, --from-height and
 * --dag ask for; all, where none is given. */
#ifndef UNKTX_CLI_INPUTS_SELECTED_OUTPUTS_H
#define UNKTX_CLI_INPUTS_SELECTED_OUTPUTS_H

#include "cli/options.h"
#include "graph/dag/forest.h"
#include "graph/scripts/selector.h"

/* --kind twice: with what the rule set hidden adds, and, for commands without that, what Core's rules have. */
extern const struct option option_select_script, option_select_template, option_select_known, option_select_kind,
    option_select_kind_of_core, option_select_protocol, option_select_min_value, option_select_from_height,
    option_select_dag;
/* All of them, for a command's table, with either --kind. */
#define OPTIONS_SELECT(kind)                                                                                           \
    &option_select_script, &option_select_template, &option_select_known, &(kind), &option_select_protocol,            \
        &option_select_min_value, &option_select_from_height, &option_select_dag, &option_known_scripts

struct selected_outputs {
    const char *no_nulldata; /* set by the caller: why it never has nulldata outputs; NULL: --nulldata lists them */
    const struct settings *settings;
    struct catalogue catalogue;
    struct tdags tdags; /* of --dag */
    uint32_t dag;
    struct selector **selectors;
    unsigned threads;
    uint64_t txs; /* stored ones */
};

/* EXIT_DONE, or EXIT_USAGE after saying which word is no good: no such expression, template or T-DAG, and where no file
 * adds to them, no such known script or protocol. No file is looked at. */
int selected_outputs_check(const struct settings *settings);

/* For words that selected_outputs_check has let through. Says on stderr why there can be no such output, where that is
 * known. Zero-initialise but for no_nulldata; selected_outputs_close in any case.
 * STATUS_REFUSED: no such known script or protocol; of a T-DAG as chosen_dag. */
enum status selected_outputs_open(const struct settings *settings, const struct store *store,
                                  const struct forest *forest, struct selected_outputs *selected, struct fault *fault)
    MUST_CHECK;
void selected_outputs_close(struct selected_outputs *selected);

/* STATUS_OK: the output of stored transaction `tx`, of the block of that height, is asked for; STATUS_NOT_FOUND: it is
 * not; STATUS_NOMEM. `worker` is the thread's, 0.. */
enum status selected_outputs_takes(struct selected_outputs *selected, unsigned worker, uint32_t height, uint64_t tx,
                                   const struct output_record *output) MUST_CHECK;

#endif
