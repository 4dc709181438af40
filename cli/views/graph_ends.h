/* graph_ends: the payers and payees of a T-DAG in its GraphML file: the known outputs that its transactions spend and
 * create, as nodes with edges from and to these. Needs an index. */
#ifndef UNKTX_CLI_VIEWS_GRAPH_ENDS_H
#define UNKTX_CLI_VIEWS_GRAPH_ENDS_H

#include "cli/views/graphfile.h"
#include "cli/views/payments.h"

/* Zero-initialise; graph_ends_close in any case. */
struct graph_ends {
    struct payments payments;
    const struct graphfile *file;
    uint32_t dag;
    struct fault *fault;
};

/* For `parts` of a T-DAG of the selection, all of which must stay until graph_ends_close. STATUS_NOT_FOUND: there is no
 * index; STATUS_REFUSED: it has not the store's last block. */
enum status graph_ends_open(struct graph_ends *ends, const struct store *store, const struct selection *selection,
                            struct graphfile_parts *parts, struct fault *fault) MUST_CHECK;
void graph_ends_close(struct graph_ends *ends);

#endif
