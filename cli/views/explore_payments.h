/* explore_payments: who paid into the transactions of a T-DAG and who was paid out of them, as far as a page goes. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_PAYMENTS_H
#define UNKTX_CLI_VIEWS_EXPLORE_PAYMENTS_H

#include "cli/views/explore.h"

/* A section with a table of each for `count` transactions of a T-DAG, at most EXPLORE_ROWS rows. Only with an index.
 * O(inputs and outputs looked at), with a look-up each; at most 2,000 are looked at on each side. */
enum status explore_put_payments(struct explore_request *request, const uint32_t *members, uint32_t count,
                                 struct fault *fault) MUST_CHECK;

/* The most valuable payers, or payees, of `count` transactions as a list beside a drawing, with how many more there are
 * and a link to that section. Only with an index. Of each side at most 1,000 ends of transactions are
 * looked at, and 400 known ones taken; where that ends it the list says so. */
enum status explore_put_valuable(struct explore_request *request, bool payers, const uint32_t *members, uint32_t count,
                                 struct fault *fault) MUST_CHECK;

#endif
