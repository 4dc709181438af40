/* index_truth: what a node says of the fixtures' chains (tests/fixtures, ../shared/fixtures), for tests of the index
 * and of the commands that read it. Rows are numbered as in the node's tables: transactions and outputs in chain
 * order, inputs by (transaction, vin). What cannot be read fails the running test. */
#ifndef UNKTX_TESTS_SUPPORT_INDEX_TRUTH_H
#define UNKTX_TESTS_SUPPORT_INDEX_TRUTH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

#define NO_OUTPUT SIZE_MAX

struct truth {
    const char *dir;
    struct table txs;
    struct table outputs;
    size_t *first_output; /* by transaction, and one more */
    size_t *first_input;
    size_t *output_tx;
    size_t *input_tx;
    size_t *spent;   /* by input: the output that it spends, NO_OUTPUT for a coinbase's */
    size_t *spender; /* by output: the input, NO_OUTPUT when unspent */
    size_t *by_txid;
    size_t value; /* columns of outputs */
    size_t type;
    size_t has_address;
};

/* The tables of DIR/truth. The caller frees. */
struct truth truth_read(const char *dir);
void truth_free(struct truth *truth);
/* The newest transaction of that txid. */
size_t truth_find_tx(const struct truth *truth, const char *txid);
const char *truth_txid(const struct truth *truth, size_t tx);
uint64_t truth_height(const struct truth *truth, size_t tx);
bool truth_is_coinbase(const struct truth *truth, size_t tx);
uint64_t truth_value_out(const struct truth *truth, size_t tx);
const char *truth_vout(const struct truth *truth, size_t output);
uint64_t truth_value(const struct truth *truth, size_t output);
const char *truth_kind(const struct truth *truth, size_t output);
uint64_t truth_vin(const struct truth *truth, size_t input);

/* ---- lines that are expected ---- */

struct lines {
    char *text;
    size_t size;
    size_t capacity;
    size_t count;
};

void lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* unktx with that command line succeeds and prints these lines; a failure names the first that differs. Frees the
 * lines. */
void lines_assert_printed(struct lines *want, const char *line);

/* ---- chains ---- */

/* A fixture; pinned: its tip must be given. */
struct truth_chain {
    const char *dir;
    bool pinned;
};
#define TRUTH_CHAINS 10
extern const struct truth_chain truth_chains[TRUTH_CHAINS];

/* A fixture scanned and indexed into one store. */
struct truth_case {
    struct truth truth;
    char *temp; /* folder, of which `store` is a part */
    char datadir[512];
    char store[512];
    char more[128]; /* options that its chain needs */
};

/* Skips the running test where the fixture is not here. */
struct truth_case truth_begin(const struct truth_chain *chain);
void truth_end(struct truth_case *made);
/* Makes the first TRUTH_CHAINS tests `test` on each chain, which is its initial state. */
void truth_tests(struct CMUnitTest *tests, CMUnitTestFunction test);
/* scan or index, with what else is on the command line; damages are no failure. */
void run_on(const char *command, const char *datadir, const char *store, const char *more);

/* That command line ends with that exit status and says that on stderr. */
void expect_error(int status, const char *part_of_err, const char *line);

#endif
