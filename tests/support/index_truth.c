#include "tests/support/index_truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/search.h"
#include "tests/support/plan.h"

#define SHARED "../shared/fixtures"

static const struct truth *sorting; /* for compare_txids */

const char *truth_txid(const struct truth *truth, size_t tx) { return table_get(&truth->txs, tx, "txid"); }

/* Of one txid the newest comes last. */
static int compare_txids(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = strcmp(truth_txid(sorting, x), truth_txid(sorting, y));
    return order ? order : (x > y) - (x < y);
}

/* The newest transaction of that txid. */
size_t truth_find_tx(const struct truth *truth, const char *txid)
{
    size_t low = LOWER_BOUND(i, 0, truth->txs.rows, strcmp(truth_txid(truth, truth->by_txid[i]), txid) <= 0);
    if (low == 0 || strcmp(truth_txid(truth, truth->by_txid[low - 1]), txid) != 0)
        fail_msg("no transaction %s on the chain", txid);
    return truth->by_txid[low - 1];
}

static void link_spend(struct truth *truth, size_t tx, uint64_t vin, size_t prev, uint64_t vout)
{
    size_t input = truth->first_input[tx] + vin, output = truth->first_output[prev] + vout;
    assert_true(input < truth->first_input[tx + 1] && output < truth->first_output[prev + 1]);
    assert_int_equal(truth->spent[input], NO_OUTPUT);
    assert_int_equal(truth->spender[output], NO_OUTPUT);
    truth->spent[input] = output;
    truth->spender[output] = input;
}

/* The newest transaction of that txid before the one that spends it. */
static size_t find_before(const struct truth *truth, const char *txid, size_t spender)
{
    size_t tx = spender;
    while (tx-- > 0)
        if (strcmp(truth_txid(truth, tx), txid) == 0)
            return tx;
    fail_msg("no transaction %s before row %zu", txid, spender);
    return 0;
}

/* inputs.csv as the node gave it, or with rows of txs.csv for hashes (tests/fixtures/README.md). */
static void link_spends(struct truth *truth)
{
    struct table inputs = table_read(path_of("%s/truth/inputs.csv", truth->dir));
    bool reduced = strcmp(inputs.fields[0], "tx") == 0;
    size_t vin = table_column(&inputs, "vin"), vout = table_column(&inputs, "prev_vout");
    for (size_t r = 0; r < inputs.rows; r++) {
        size_t tx, prev;
        if (reduced) {
            tx = table_number(&inputs, r, table_column(&inputs, "tx"));
            prev = table_number(&inputs, r, table_column(&inputs, "prev_tx"));
            assert_true(tx < truth->txs.rows && prev < tx);
        } else {
            tx = truth_find_tx(truth, table_get(&inputs, r, "txid"));
            while (strcmp(table_get(&truth->txs, tx, "height"), table_get(&inputs, r, "height")) != 0)
                tx = find_before(truth, table_get(&inputs, r, "txid"), tx);
            prev = truth_find_tx(truth, table_get(&inputs, r, "prev_txid"));
            if (prev >= tx)
                prev = find_before(truth, table_get(&inputs, r, "prev_txid"), tx);
        }
        link_spend(truth, tx, table_number(&inputs, r, vin), prev, table_number(&inputs, r, vout));
    }
    table_free(&inputs);
}

/* Where outputs.csv names a spender it is that one; of a repeated txid both copies name it. */
static void check_spenders(const struct truth *truth)
{
    size_t txid = table_column(&truth->outputs, "spent_by_txid");
    for (size_t o = 0; o < truth->outputs.rows; o++) {
        const char *named = table_at(&truth->outputs, o, txid);
        if (*named && truth->spender[o] != NO_OUTPUT)
            assert_string_equal(named, truth_txid(truth, truth->input_tx[truth->spender[o]]));
    }
}

struct truth truth_read(const char *dir)
{
    struct truth truth = {.dir = dir,
                          .txs = table_read(path_of("%s/truth/txs.csv", dir)),
                          .outputs = table_read(path_of("%s/truth/outputs.csv", dir))};
    size_t txs = truth.txs.rows, n_in = table_column(&truth.txs, "n_in"), n_out = table_column(&truth.txs, "n_out");
    truth.value = table_column(&truth.outputs, "value_sat");
    truth.type = table_column(&truth.outputs, "type");
    truth.has_address = table_column(&truth.outputs, "has_address");
    truth.first_output = must_alloc(txs + 1, sizeof(size_t));
    truth.first_input = must_alloc(txs + 1, sizeof(size_t));
    truth.by_txid = must_alloc(txs + 1, sizeof(size_t));
    for (size_t t = 0; t < txs; t++) {
        truth.first_output[t + 1] = truth.first_output[t] + table_number(&truth.txs, t, n_out);
        truth.first_input[t + 1] = truth.first_input[t] + table_number(&truth.txs, t, n_in);
        truth.by_txid[t] = t;
    }
    size_t inputs = truth.first_input[txs], outputs = truth.first_output[txs];
    assert_int_equal(outputs, truth.outputs.rows);
    truth.output_tx = must_alloc(outputs + 1, sizeof(size_t));
    truth.input_tx = must_alloc(inputs + 1, sizeof(size_t));
    truth.spender = must_alloc(outputs + 1, sizeof(size_t));
    truth.spent = must_alloc(inputs + 1, sizeof(size_t));
    for (size_t o = 0; o < outputs; o++)
        truth.spender[o] = NO_OUTPUT;
    for (size_t t = 0; t < txs; t++) {
        for (size_t o = truth.first_output[t]; o < truth.first_output[t + 1]; o++)
            truth.output_tx[o] = t;
        for (size_t i = truth.first_input[t]; i < truth.first_input[t + 1]; i++) {
            truth.input_tx[i] = t;
            truth.spent[i] = NO_OUTPUT;
        }
    }
    sorting = &truth;
    qsort(truth.by_txid, txs, sizeof *truth.by_txid, compare_txids);
    link_spends(&truth);
    check_spenders(&truth);
    return truth;
}

void truth_free(struct truth *truth)
{
    table_free(&truth->txs);
    table_free(&truth->outputs);
    free(truth->first_output);
    free(truth->first_input);
    free(truth->output_tx);
    free(truth->input_tx);
    free(truth->spent);
    free(truth->spender);
    free(truth->by_txid);
}

const char *truth_vout(const struct truth *truth, size_t output) { return table_get(&truth->outputs, output, "vout"); }

uint64_t truth_value(const struct truth *truth, size_t output)
{
    return table_number(&truth->outputs, output, truth->value);
}

const char *truth_kind(const struct truth *truth, size_t output)
{
    return table_at(&truth->outputs, output, truth->type);
}

uint64_t truth_height(const struct truth *truth, size_t tx)
{
    return table_number(&truth->txs, tx, table_column(&truth->txs, "height"));
}

uint64_t truth_vin(const struct truth *truth, size_t input)
{
    return input - truth->first_input[truth->input_tx[input]];
}

bool truth_is_coinbase(const struct truth *truth, size_t tx)
{
    return strcmp(table_get(&truth->txs, tx, "coinbase"), "1") == 0;
}

uint64_t truth_value_out(const struct truth *truth, size_t tx)
{
    uint64_t sum = 0;
    for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++)
        sum += truth_value(truth, o);
    return sum;
}

void lines_add(struct lines *lines, const char *format, ...)
{
    va_list arguments;
    if (lines->capacity - lines->size < 1024) {
        lines->capacity = 2 * lines->capacity + 4096;
        lines->text = realloc(lines->text, lines->capacity);
        assert_non_null(lines->text);
    }
    va_start(arguments, format);
    lines->size += (size_t)vsnprintf(lines->text + lines->size, 1024, format, arguments);
    va_end(arguments);
    lines->count++;
}

/* The same line by line, so that a failure names the first that differs. Frees the lines. */
static void assert_same(const char *got, struct lines *want)
{
    const char *at = want->text;
    for (size_t line = 1; *at || *got; line++) {
        size_t a = strcspn(at, "\n"), b = strcspn(got, "\n");
        if (a != b || memcmp(at, got, a) != 0 || at[a] != got[b])
            fail_msg("line %zu is\n%.*s\nthe node says\n%.*s", line, (int)b, got, (int)a, at);
        at += a + (at[a] != '\0');
        got += b + (got[b] != '\0');
    }
    free(want->text);
}

void lines_assert_printed(struct lines *want, const char *line)
{
    struct run run = unktx_expect(0, "%s", line);
    assert_same(run.out, want);
    run_free(&run);
}

/* ---- chains ---- */

const struct truth_chain truth_chains[TRUTH_CHAINS] = {
    {"tests/fixtures/regtest-xor", false}, {"tests/fixtures/genesis", false}, {"tests/fixtures/dup-txid", false},
    {"tests/fixtures/crash", false},       {SHARED "/regtest-xor", false},    {SHARED "/extras/dup-txid", false},
    {SHARED "/extras/padding", false},     {SHARED "/extras/tie", false},     {SHARED "/extras/invalid", true},
    {SHARED "/extras/crash", false},
};

void run_on(const char *command, const char *datadir, const char *store, const char *more)
{
    struct run run = unktx("%s --quiet --datadir %s --store %s%s", command, datadir, store, more);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("%s %s: %d: %s", command, datadir, run.exit_status, run.err);
    run_free(&run);
}

struct truth_case truth_begin(const struct truth_chain *chain)
{
    struct truth_case made;
    if (!path_exists(chain->dir)) {
        print_message("skipped: %s is not here\n", chain->dir);
        skip();
    }
    *made.more = '\0';
    if (chain->pinned) {
        struct json json = json_open(path_of("%s/truth/chain.json", chain->dir));
        snprintf(made.more, sizeof made.more, " --tip %.64s", json_find(&json, "tip_hash"));
        json_close(&json);
    }
    made.temp = temp_dir();
    made.truth = truth_read(chain->dir);
    snprintf(made.datadir, sizeof made.datadir, "%s/regtest", chain->dir);
    snprintf(made.store, sizeof made.store, "%s/store", made.temp);
    run_on("scan", made.datadir, made.store, made.more);
    run_on("index", made.datadir, made.store, made.more);
    return made;
}

void truth_end(struct truth_case *made)
{
    truth_free(&made->truth);
    remove_tree(made->temp);
    free(made->temp);
}

void truth_tests(struct CMUnitTest *tests, CMUnitTestFunction test)
{
    for (size_t i = 0; i < TRUTH_CHAINS; i++)
        tests[i] = (struct CMUnitTest){
            .name = truth_chains[i].dir, .test_func = test, .initial_state = (void *)(uintptr_t)&truth_chains[i]};
}

void expect_error(int status, const char *part_of_err, const char *line)
{
    struct run run = unktx("%s", line);
    if (run.exit_status != status || !strstr(run.err, part_of_err))
        fail_msg("unktx %s\nexit status %d, expected %d\nstderr: %s", line, run.exit_status, status, run.err);
    run_free(&run);
}
