/* payments: the ends of the user network that the store does not have and the index has: who paid into each T-DAG, who
 * was paid out of it, and what went in fees between (the roots, mixed spenders and known leaves of docs/model.md,
 * section 5). */
#ifndef UNKTX_CLI_VIEWS_PAYMENTS_H
#define UNKTX_CLI_VIEWS_PAYMENTS_H

#include "cli/inputs/spend_links.h"
#include "cli/output/outfolder.h"
#include "cli/inputs/selection.h"
#include "parser/blkfile.h"

struct payments {
    const struct store *store;
    const struct forest *forest;
    const struct selection *selection;
    struct indexes indexes;
    const struct network *network;
    struct blkdir blk_files;    /* no path: the blk files are not there, and addresses are left empty */
    struct blk_reader *readers; /* by worker */
    unsigned threads;
    uint64_t *fee_sat;         /* by T-DAG, 1.. ; of all its transactions */
    uint64_t *payer_value_sat; /* by T-DAG, 1.. ; of all its payers */
    uint64_t payers;           /* rows */
    uint64_t payees;           /* rows */
    uint64_t unread;           /* scripts that could not be read */
    struct outfile files[2];   /* payers.csv and payees.csv until payments_commit */
};

/* Opens the index of a store. STATUS_NOT_FOUND: none is there. STATUS_REFUSED: it does not have the store's last
 * block. payments_close in any case. */
enum status payments_open(struct payments *payments, const struct store *store, const struct forest *forest,
                          unsigned threads, struct fault *fault) MUST_CHECK;

/* Writes payers.csv and payees.csv of the selection for the folder (NULL: nowhere), and fills the sums; the selection
 * must stay until payments_close. The files appear with payments_commit, so that they can with others. O(inputs and
 * outputs of the T-DAGs' transactions), each with a look-up in the index and in a blk file. */
enum status payments_write(struct payments *payments, const struct selection *selection, struct outfolder *folder,
                           struct fault *fault) MUST_CHECK;
enum status payments_commit(struct payments *payments, struct fault *fault) MUST_CHECK;
/* Says on stderr that addresses are missing, and why. */
void payments_tell_unread(const struct payments *payments);
void payments_close(struct payments *payments);

#endif
