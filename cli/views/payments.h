/* payments: the ends of the user network that the store does not have and the index has: who paid into each T-DAG, who
 * was paid out of it, and what went in fees between (the roots, mixed spenders and known leaves of docs/model.md,
 * section 5). */
#ifndef UNKTX_CLI_VIEWS_PAYMENTS_H
#define UNKTX_CLI_VIEWS_PAYMENTS_H

#include "cli/inputs/dag_labels.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/outfolder.h"
#include "cli/inputs/selection.h"
#include "parser/blkfile.h"

/* An end that was met: an input of a T-DAG's transaction that spends a known output, or a known output of one. */
struct payments_end {
    bool payee;
    uint32_t dag;
    const struct index_tx *tx;  /* the T-DAG's transaction */
    uint32_t number;            /* of that, in the store */
    uint32_t position;          /* vin, of a payee vout */
    const struct hash256 *txid; /* of the output */
    uint32_t height;            /* of its transaction */
    uint32_t vout;
    const struct index_output *output;
    const uint8_t *script; /* of the output, NULL where it could not be read */
    uint32_t script_size;
    const char *address; /* not terminated */
    size_t address_size;
};
/* Called instead of writing a row. */
typedef enum status payments_each(void *context, const struct payments_end *end, struct text *text,
                                  struct fault *fault);

struct payments {
    const struct store *store;
    const struct forest *forest;
    const struct selection *selection;
    struct indexes indexes;
    const struct network *network;
    struct blkdir blk_files;    /* no path: the blk files are not there, and addresses are left empty */
    struct blk_reader *readers; /* by worker */
    unsigned threads;
    uint64_t *fee_sat;                   /* by T-DAG, 1.. ; of all its transactions */
    uint64_t *payer_value_sat;           /* by T-DAG, 1.. ; of all its payers */
    uint64_t payers;                     /* rows */
    uint64_t payees;                     /* rows */
    uint64_t unread;                     /* scripts that could not be read */
    struct fault why;                    /* of one of them */
    const struct address_labels *labels; /* set after payments_open; NULL: without --labels. Borrowed */
    struct label_pairs *pairs;           /* by worker */
    bool labelling;                      /* looking for the labels of T-DAGs alone, before rows are written */
    struct dag_labels dag_labels;        /* made from the pairs before rows are written */
    uint32_t only;                       /* set after payments_open: this T-DAG alone; 0: all */
    payments_each *each;                 /* set after payments_open; NULL: rows of the tables */
    void *each_context;
    struct outfile files[2]; /* payers.csv and payees.csv until payments_commit */
};

/* Opens the index of a store. STATUS_NOT_FOUND: none is there. STATUS_REFUSED: it does not have the store's last
 * block. payments_close in any case. */
enum status payments_open(struct payments *payments, const struct store *store, const struct forest *forest,
                          unsigned threads, struct fault *fault) MUST_CHECK;

/* Writes payers.csv and payees.csv of the selection for the folder (NULL: nowhere), and fills the sums; the selection
 * must stay until payments_close. The files appear with payments_commit, so that they can with others. O(inputs and
 * outputs of the T-DAGs' transactions), each with a look-up in the index and in a blk file; with labels and a folder
 * two passes of it, since the first rows name labels that the last ones tell. */
enum status payments_write(struct payments *payments, const struct selection *selection, struct outfolder *folder,
                           struct fault *fault) MUST_CHECK;
enum status payments_commit(struct payments *payments, struct fault *fault) MUST_CHECK;
/* After payments_write with labels: those of each T-DAG. */
enum status payments_dag_labels(struct payments *payments, struct dag_labels *made, struct fault *fault) MUST_CHECK;
/* What stderr has said of labels that are left out, so that it says it once. Zero-initialise. */
struct labels_said {
    bool no_index; /* those of payers and payees */
    bool unread;   /* those of addresses that could not be read */
};
/* All of this for the labels alone, of T-DAG `only`, or of all where that is 0; of the selection only the T-DAGs are
 * looked at. Without an index those of names and txids. `made` is the caller's to free in any case. */
enum status payments_find_labels(const struct store *store, const struct forest *forest,
                                 const struct selection *selection, const struct address_labels *labels, uint32_t only,
                                 unsigned threads, struct dag_labels *made, struct labels_said *said,
                                 struct fault *fault) MUST_CHECK;
/* The same of all T-DAGs for a command that has no selection, if --labels is given: then *found points to `made`. */
enum status payments_labels_of(const struct settings *settings, const struct store *store, const struct forest *forest,
                               const struct tdags *tdags, const struct address_labels *labels, struct dag_labels *made,
                               const struct dag_labels **found, struct labels_said *said, struct fault *fault)
    MUST_CHECK;
/* How many chunks of the forest's transactions there are, and the ends of one of them, in chain order, to `each` of
 * the payments: payers, or payees. The selection, given before, needs only its T-DAGs and their names. Workers as in
 * outfile_format. */
size_t payments_chunks(const struct payments *payments);
enum status payments_visit(struct payments *payments, const struct selection *selection, struct fault *fault)
    MUST_CHECK;
enum status payments_chunk(struct payments *payments, unsigned worker, size_t chunk, bool payees, struct text *text,
                           struct fault *fault) MUST_CHECK;
/* Where addresses are missing: true, after stderr says so and why. */
bool payments_tell_unread(const struct payments *payments);
void payments_close(struct payments *payments);

#endif
