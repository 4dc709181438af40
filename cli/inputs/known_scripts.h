/* known_scripts: the known scripts that a command looks for: the built-in ones and those of --known-scripts. */
#ifndef UNKTX_CLI_INPUTS_KNOWN_SCRIPTS_H
#define UNKTX_CLI_INPUTS_KNOWN_SCRIPTS_H

#include "cli/options.h"
#include "cli/inputs/selection.h"
#include "cli/inputs/opened_store.h"
#include "graph/scripts/labels.h"
#include "graph/scripts/matcher.h"

/* Zero-initialise the catalogue; catalogue_free in any case. */
enum status known_scripts_read(const struct settings *settings, struct catalogue *catalogue, struct fault *fault)
    MUST_CHECK;

/* Says on stderr, where --known asks for a script that only spenders show, that no output is that. */
void known_scripts_tell_hidden(const struct catalogue *catalogue, const char *name);

/* What --exclude-scripts asks for: NULL for nothing. A filter by @known borrows the catalogue. */
enum status known_scripts_filter(const struct settings *settings, const struct catalogue *catalogue,
                                 struct filter **filter, struct fault *fault) MUST_CHECK;

/* The known scripts in the T-DAGs of a selection, and in its classes (all that one of their T-DAGs holds). */
struct known_scripts_held {
    const struct catalogue *catalogue; /* borrowed */
    struct labels labels;
    struct name_set *classes; /* as selection->classes.classes */
    uint32_t *class_of;       /* by T-DAG, 0..: the place of its class there + 1; 0: it has none */
};
/* What `held->labels` has of the T-DAGs, for the classes too. Sets all but the labels. known_scripts_held_free in any
 * case. O(T-DAGs). */
enum status known_scripts_hold(const struct catalogue *catalogue, const struct selection *selection,
                               struct known_scripts_held *held, struct fault *fault) MUST_CHECK;
/* labels_find, and then the same: for a command that does not go through the outputs anyway. O(outputs). */
enum status known_scripts_find(const struct catalogue *catalogue, const struct store *store,
                               const struct forest *forest, const struct selection *selection, unsigned threads,
                               struct known_scripts_held *held, struct fault *fault) MUST_CHECK;
void known_scripts_held_free(struct known_scripts_held *held);

/* A reader and a matcher for each of `threads` workers. */
struct known_scripts_workers {
    struct store_readers readers;
    struct matcher **matchers;
};
enum status known_scripts_workers_open(const struct catalogue *catalogue, const struct store *store, unsigned threads,
                                       struct known_scripts_workers *workers, struct fault *fault) MUST_CHECK;
void known_scripts_workers_close(struct known_scripts_workers *workers);

#endif
