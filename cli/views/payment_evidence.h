/* payment_evidence: what payers and payees of T-DAGs may have in common: their addresses, and the transactions of their
 * outpoints. */
#ifndef UNKTX_CLI_VIEWS_PAYMENT_EVIDENCE_H
#define UNKTX_CLI_VIEWS_PAYMENT_EVIDENCE_H

#include "cli/views/payments.h"
#include "graph/dag/evidence.h"

/* Adds the payers and payees of the selection to the evidence. `payments` was opened; not to be written after that.
 * O(inputs and outputs of the T-DAGs' transactions), each with a look-up in the index and in a blk file. */
enum status payment_evidence_add(struct payments *payments, const struct selection *selection, struct evidence_set *set,
                                 struct fault *fault) MUST_CHECK;

#endif
