/* explore_parts: what pages of several kinds need of each other. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_PARTS_H
#define UNKTX_CLI_VIEWS_EXPLORE_PARTS_H

#include "cli/views/explore.h"

/* The T-DAG of that number, or the one that has a transaction whose txid begins with these digits. STATUS_NOT_FOUND;
 * STATUS_REFUSED: there are several. O(log n + what begins so). */
enum status explore_find_tdag(const struct explore_request *request, const char *word, uint32_t *dag,
                              struct fault *fault) MUST_CHECK;

/* Answers with the T-DAG as a file: `end` is svg, graphml, gexf, dot, txs.csv or arcs.csv. STATUS_NOT_FOUND for any
 * other. */
enum status explore_put_file(struct explore_request *request, uint32_t dag, const char *end, struct fault *fault)
    MUST_CHECK;

#endif
