/* flow: the ends of the user network that the store does not have and the index has: who paid into each T-DAG, who was
 * paid out of it, and what went in fees between (MODEL's roots, mixed spenders and known leaves). */
#ifndef UNKTX_CLI_FLOW_H
#define UNKTX_CLI_FLOW_H

#include "cli/inputs/spend_links.h"
#include "cli/output/outfile.h"
#include "cli/inputs/selection.h"
#include "parser/blkfile.h"

struct flow {
    const struct store *store;
    const struct forest *forest;
    const struct selection *selection;
    struct tios tios;
    const struct network *network;
    struct blkdir origin;       /* no path: the blk files are not there, and addresses are left empty */
    struct blk_reader *readers; /* by worker */
    unsigned threads;
    uint64_t *fee_sat, *payer_value_sat; /* by T-DAG, 1.. ; of all its transactions, of all its payers */
    uint64_t payers, payees;    /* rows */
    uint64_t unread;            /* scripts that could not be read */
    struct outfile files[2];    /* payers.csv and payees.csv until flow_commit */
};

/* Opens the index beside a store. STATUS_NOT_FOUND: none is there. STATUS_REFUSED: it does not have the store's last
 * block. flow_close in any case. */
enum status flow_open(struct flow *flow, const struct store *store, const struct forest *forest, unsigned threads,
                      struct fault *fault) MUST_CHECK;

/* Writes payers.csv and payees.csv of the selection for the folder, and fills the sums; the selection must stay until
 * flow_close. The files appear with flow_commit, so that they can with others. O(inputs and outputs of the T-DAGs'
 * transactions), each with a look-up in the index and in a blk file. */
enum status flow_write(struct flow *flow, const struct selection *selection, const char *folder,
                       struct fault *fault) MUST_CHECK;
enum status flow_commit(struct flow *flow, struct fault *fault) MUST_CHECK;
/* Says on stderr that addresses are missing, and why. */
void flow_tell_unread(const struct flow *flow);
void flow_close(struct flow *flow);

#endif
