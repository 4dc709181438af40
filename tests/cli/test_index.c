/* The index of the whole chain and the commands that read it, against what a node says: tests/fixtures, and
 * ../shared/fixtures if there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/address.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define SHARED "../shared/fixtures"
#define NO_OUTPUT SIZE_MAX

/* What the node says, as numbers of rows: transactions and outputs in chain order, inputs by (transaction, vin). */
struct truth {
    const char *dir;
    struct table txs, outputs;
    size_t *first_output, *first_input; /* by transaction, and one more */
    size_t *output_tx, *input_tx;
    size_t *spent;   /* by input: the output that it spends, NO_OUTPUT for a coinbase's */
    size_t *spender; /* by output: the input, NO_OUTPUT when unspent */
    size_t *by_txid;
    size_t value, type, has_address; /* columns of outputs */
};

static const struct truth *sorting;

static const char *txid_of(const struct truth *truth, size_t tx) { return table_get(&truth->txs, tx, "txid"); }

/* Of one txid the newest comes last. */
static int compare_txids(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = strcmp(txid_of(sorting, x), txid_of(sorting, y));
    return order ? order : (x > y) - (x < y);
}

/* The newest transaction of that txid. */
static size_t find_tx(const struct truth *truth, const char *txid)
{
    size_t low = 0, high = truth->txs.rows;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(txid_of(truth, truth->by_txid[middle]), txid) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || strcmp(txid_of(truth, truth->by_txid[low - 1]), txid) != 0)
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
        if (strcmp(txid_of(truth, tx), txid) == 0)
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
            tx = find_tx(truth, table_get(&inputs, r, "txid"));
            while (strcmp(table_get(&truth->txs, tx, "height"), table_get(&inputs, r, "height")) != 0)
                tx = find_before(truth, table_get(&inputs, r, "txid"), tx);
            prev = find_tx(truth, table_get(&inputs, r, "prev_txid"));
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
            assert_string_equal(named, txid_of(truth, truth->input_tx[truth->spender[o]]));
    }
}

static void *must_have(size_t count, size_t size)
{
    void *block = calloc(count + 1, size);
    assert_non_null(block);
    return block;
}

static struct truth truth_read(const char *dir)
{
    struct truth truth = {.dir = dir,
                          .txs = table_read(path_of("%s/truth/txs.csv", dir)),
                          .outputs = table_read(path_of("%s/truth/outputs.csv", dir))};
    size_t txs = truth.txs.rows, n_in = table_column(&truth.txs, "n_in"), n_out = table_column(&truth.txs, "n_out");
    truth.value = table_column(&truth.outputs, "value_sat");
    truth.type = table_column(&truth.outputs, "type");
    truth.has_address = table_column(&truth.outputs, "has_address");
    truth.first_output = must_have(txs, sizeof(size_t));
    truth.first_input = must_have(txs, sizeof(size_t));
    truth.by_txid = must_have(txs, sizeof(size_t));
    for (size_t t = 0; t < txs; t++) {
        truth.first_output[t + 1] = truth.first_output[t] + table_number(&truth.txs, t, n_out);
        truth.first_input[t + 1] = truth.first_input[t] + table_number(&truth.txs, t, n_in);
        truth.by_txid[t] = t;
    }
    size_t inputs = truth.first_input[txs], outputs = truth.first_output[txs];
    assert_int_equal(outputs, truth.outputs.rows);
    truth.output_tx = must_have(outputs, sizeof(size_t));
    truth.input_tx = must_have(inputs, sizeof(size_t));
    truth.spender = must_have(outputs, sizeof(size_t));
    truth.spent = must_have(inputs, sizeof(size_t));
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

static void truth_free(struct truth *truth)
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

static const char *vout_text(const struct truth *truth, size_t output)
{
    return table_get(&truth->outputs, output, "vout");
}

static uint64_t value_of(const struct truth *truth, size_t output)
{
    return table_number(&truth->outputs, output, truth->value);
}

static const char *kind_of(const struct truth *truth, size_t output)
{
    return table_at(&truth->outputs, output, truth->type);
}

static uint64_t height_of(const struct truth *truth, size_t tx)
{
    return table_number(&truth->txs, tx, table_column(&truth->txs, "height"));
}

static uint64_t vin_of(const struct truth *truth, size_t input)
{
    return input - truth->first_input[truth->input_tx[input]];
}

static bool is_coinbase(const struct truth *truth, size_t tx)
{
    return strcmp(table_get(&truth->txs, tx, "coinbase"), "1") == 0;
}

static uint64_t value_out(const struct truth *truth, size_t tx)
{
    uint64_t sum = 0;
    for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++)
        sum += value_of(truth, o);
    return sum;
}

/* ---- lines that are expected ---- */

struct lines {
    char *text;
    size_t size, capacity, count;
};

static void add_line(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_line(struct lines *lines, const char *format, ...)
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
static void assert_lines(const char *got, struct lines *want)
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

static void assert_command_prints(struct lines *want, const char *line)
{
    struct run run = unktx_expect(0, "%s", line);
    assert_lines(run.out, want);
    run_free(&run);
}

/* ---- dump ---- */

static void check_dump_outputs(const struct truth *truth, const char *store)
{
    struct lines want = {0};
    add_line(&want, "height,tx_index,txid,vout,value_sat,kind,spender_height,spender_txid,spender_vin\n");
    for (size_t o = 0; o < truth->outputs.rows; o++) {
        size_t tx = truth->output_tx[o], input = truth->spender[o];
        char spender[128] = ",,";
        if (input != NO_OUTPUT)
            snprintf(spender, sizeof spender, "%ju,%s,%ju", (uintmax_t)height_of(truth, truth->input_tx[input]),
                     txid_of(truth, truth->input_tx[input]), (uintmax_t)vin_of(truth, input));
        add_line(&want, "%ju,%s,%s,%zu,%ju,%s,%s\n", (uintmax_t)height_of(truth, tx),
                 table_get(&truth->txs, tx, "index"), txid_of(truth, tx), o - truth->first_output[tx],
                 (uintmax_t)value_of(truth, o), kind_of(truth, o), spender);
    }
    assert_command_prints(&want, path_of("dump outputs --store %s", store));
}

static void check_dump_inputs(const struct truth *truth, const char *store)
{
    struct lines want = {0};
    add_line(&want, "height,tx_index,txid,vin,prev_txid,prev_vout,prev_height,value_sat,kind\n");
    for (size_t i = 0; i < truth->first_input[truth->txs.rows]; i++) {
        size_t tx = truth->input_tx[i], o = truth->spent[i];
        const char *index = table_get(&truth->txs, tx, "index");
        assert_int_equal(o == NO_OUTPUT, is_coinbase(truth, tx));
        if (o == NO_OUTPUT)
            add_line(&want, "%ju,%s,%s,%ju,,,,,\n", (uintmax_t)height_of(truth, tx), index, txid_of(truth, tx),
                     (uintmax_t)vin_of(truth, i));
        else
            add_line(&want, "%ju,%s,%s,%ju,%s,%s,%ju,%ju,%s\n", (uintmax_t)height_of(truth, tx), index,
                     txid_of(truth, tx), (uintmax_t)vin_of(truth, i), txid_of(truth, truth->output_tx[o]),
                     vout_text(truth, o), (uintmax_t)height_of(truth, truth->output_tx[o]),
                     (uintmax_t)value_of(truth, o), kind_of(truth, o));
    }
    assert_command_prints(&want, path_of("dump inputs --store %s --threads 3", store));
}

static uint64_t compact_size(uint64_t number) { return number < 0xfd ? 1 : number <= 0xffff ? 3 : 5; }

/* Sizes have no other witness than the block's own: header, count and transactions are all of it. */
static void check_dump_txs_and_blocks(const struct truth *truth, const char *store)
{
    static const char *const names[][2] = {{"height", "height"}, {"tx_index", "index"}, {"txid", "txid"},
                                           {"inputs", "n_in"},   {"outputs", "n_out"},  {"fee_sat", "fee_sat"}};
    static const char *const block_names[][2] = {
        {"height", "height"}, {"hash", "hash"}, {"time", "time"}, {"txs", "n_tx"}};
    unktx_ok("dump txs --store %s -o %s/dump-txs.csv", store, store);
    unktx_ok("dump blocks --store %s -o %s/dump-blocks.csv", store, store);
    struct table txs = table_read(path_of("%s/dump-txs.csv", store));
    struct table blocks = table_read(path_of("%s/dump-blocks.csv", store));
    struct table want = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    assert_int_equal(txs.rows, truth->txs.rows);
    assert_int_equal(blocks.rows, want.rows);
    for (size_t b = 0, t = 0; b < blocks.rows; b++) {
        uint64_t size = 80, inputs = 0, outputs = 0, count = table_number(&blocks, b, table_column(&blocks, "txs"));
        for (size_t n = 0; n < 4; n++)
            assert_string_equal(table_get(&blocks, b, block_names[n][0]), table_get(&want, b, block_names[n][1]));
        for (uint64_t i = 0; i < count; i++, t++) {
            for (size_t n = 0; n < 6; n++)
                assert_string_equal(table_get(&txs, t, names[n][0]), table_get(&truth->txs, t, names[n][1]));
            uint64_t bytes = table_number(&txs, t, table_column(&txs, "size"));
            uint64_t weight = table_number(&txs, t, table_column(&txs, "weight"));
            bool segwit = strcmp(table_get(&txs, t, "segwit"), "1") == 0;
            assert_int_equal(table_number(&txs, t, table_column(&txs, "value_out_sat")), value_out(truth, t));
            assert_true(segwit ? weight > bytes && weight < 4 * bytes : weight == 4 * bytes);
            size += bytes;
            inputs += table_number(&txs, t, table_column(&txs, "inputs"));
            outputs += table_number(&txs, t, table_column(&txs, "outputs"));
        }
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "size")), size + compact_size(count));
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "inputs")), inputs);
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "outputs")), outputs);
    }
    table_free(&txs);
    table_free(&blocks);
    table_free(&want);
}

/* A range of heights is that part of the whole; any number of threads gives the same bytes. */
static void check_dump_range(const char *store)
{
    static const char *const tables[] = {"blocks", "txs", "inputs", "outputs"};
    for (size_t t = 0; t < 4; t++) {
        struct run whole = unktx_expect(0, "dump %s --store %s --threads 1", tables[t], store);
        struct run four = unktx_expect(0, "dump %s --store %s --threads 4", tables[t], store);
        struct run part = unktx_expect(0, "dump %s --store %s --from-height 100 --to-height 129", tables[t], store);
        char *header_end = strchr(whole.out, '\n') + 1;
        char *begin = strstr(whole.out, "\n100,"), *end = strstr(whole.out, "\n130,");
        assert_string_equal(whole.out, four.out);
        assert_non_null(begin);
        assert_non_null(end);
        assert_memory_equal(part.out, whole.out, (size_t)(header_end - whole.out));
        const char *rows = part.out + (header_end - whole.out);
        assert_int_equal(strlen(rows), end - begin);
        assert_memory_equal(rows, begin + 1, (size_t)(end - begin));
        run_free(&whole);
        run_free(&four);
        run_free(&part);
    }
}

/* ---- travel ---- */

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* One row, and the transaction that it leads to; NO_OUTPUT where the way ends. */
static size_t add_step(const struct truth *truth, struct lines *lines, unsigned depth, size_t output, size_t input,
                       bool backward)
{
    size_t from = output == NO_OUTPUT ? NO_OUTPUT : truth->output_tx[output];
    size_t to = input == NO_OUTPUT ? NO_OUTPUT : truth->input_tx[input];
    char from_cells[128] = ",", to_cells[128] = ",", value[64] = ",", heights[64];
    if (from != NO_OUTPUT) {
        snprintf(from_cells, sizeof from_cells, "%s,%s", txid_of(truth, from), vout_text(truth, output));
        snprintf(value, sizeof value, "%ju,%s", (uintmax_t)value_of(truth, output), kind_of(truth, output));
    }
    if (to != NO_OUTPUT)
        snprintf(to_cells, sizeof to_cells, "%s,%ju", txid_of(truth, to), (uintmax_t)vin_of(truth, input));
    snprintf(heights, sizeof heights, "%s,%s", from == NO_OUTPUT ? "" : table_get(&truth->txs, from, "height"),
             to == NO_OUTPUT ? "" : table_get(&truth->txs, to, "height"));
    add_line(lines, "%u,%s,%s,%s,%s\n", depth, from_cells, to_cells, value, heights);
    return backward ? from : to;
}

/* The walk over the node's rows. `only` is a vout, or NO_OUTPUT. */
static struct lines walk(const struct truth *truth, size_t start, size_t only, unsigned depths, bool backward)
{
    struct lines lines = {0};
    bool *met = must_have(truth->txs.rows, sizeof *met);
    size_t *level = must_have(truth->txs.rows, sizeof *level), *next = must_have(truth->txs.rows, sizeof *next);
    size_t count = 1;
    add_line(&lines, "depth,from_txid,from_vout,to_txid,to_vin,value_sat,kind,from_height,to_height\n");
    level[0] = start;
    met[start] = true;
    for (unsigned depth = 1; depth <= depths && count > 0; depth++) {
        size_t found = 0;
        for (size_t l = 0; l < count; l++) {
            size_t tx = level[l];
            const size_t *first = backward ? truth->first_input : truth->first_output;
            for (size_t at = first[tx]; at < first[tx + 1]; at++) {
                if (!backward && depth == 1 && only != NO_OUTPUT && at - first[tx] != only)
                    continue;
                size_t other = add_step(truth, &lines, depth, backward ? truth->spent[at] : at,
                                        backward ? at : truth->spender[at], backward);
                if (other != NO_OUTPUT && !met[other]) {
                    met[other] = true;
                    next[found++] = other;
                }
            }
        }
        qsort(next, found, sizeof *next, compare_sizes);
        memcpy(level, next, found * sizeof *level);
        count = found;
    }
    free(met);
    free(level);
    free(next);
    return lines;
}

static void check_travel(const struct truth *truth, const char *store)
{
    for (size_t n = 0; n < 12 && n < truth->txs.rows; n++) {
        /* the last, the first, and some between */
        size_t tx = find_tx(truth, txid_of(truth, n == 0 ? truth->txs.rows - 1 : (n - 1) * (truth->txs.rows - 1) / 11));
        unsigned depth = (unsigned)(n % 5 + 1);
        struct lines forward = walk(truth, tx, NO_OUTPUT, depth, false);
        struct lines one = walk(truth, tx, 0, depth, false);
        struct lines backward = walk(truth, tx, NO_OUTPUT, depth + 4, true);
        const char *txid = txid_of(truth, tx);
        assert_command_prints(&forward, path_of("travel %s --depth %u --limit 9999999 --store %s", txid, depth, store));
        assert_command_prints(
            &one, path_of("travel %s:0 --forward --depth=%u --limit 9999999 --store %s", txid, depth, store));
        assert_command_prints(
            &backward, path_of("travel %s --backward --depth %u --limit 9999999 --store %s", txid, depth + 4, store));
    }
}

/* The first rows, and a word that there are more. */
static void check_travel_limit(const struct truth *truth, const char *store)
{
    const char *txid = txid_of(truth, truth->txs.rows - 1);
    struct run all = unktx_expect(0, "travel %s --backward --depth 1000 --store %s", txid, store);
    struct run cut = unktx_expect(0, "travel %s --backward --depth 1000 --limit 5 --store %s", txid, store);
    size_t lines = 0;
    for (const char *p = cut.out; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 6);
    assert_memory_equal(all.out, cut.out, strlen(cut.out));
    assert_non_null(strstr(cut.err, "--limit"));
    assert_string_equal(all.err, "");
    run_free(&all);
    run_free(&cut);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* The graph has the transactions and spends of the table. */
static void check_travel_graph(const struct truth *truth, const char *store)
{
    const char *txid = txid_of(truth, truth->txs.rows / 2);
    unktx_ok("travel %s --depth 4 --store %s -o %s/travel.csv", txid, store, store);
    struct table rows = table_read(path_of("%s/travel.csv", store));
    struct run dot = unktx_expect(0, "travel %s --depth 4 --format dot --store %s", txid, store);
    struct run graphml = unktx_expect(0, "travel %s --depth 4 --format graphml --store %s", txid, store);
    size_t spends = 0, txs = count_of(dot.out, "txid=");
    for (size_t r = 0; r < rows.rows; r++) {
        spends += *table_get(&rows, r, "to_txid") != '\0';
        assert_non_null(strstr(dot.out, table_get(&rows, r, "from_txid")));
        assert_non_null(strstr(dot.out, table_get(&rows, r, "to_txid")));
    }
    assert_int_equal(count_of(dot.out, " -> "), spends);
    assert_int_equal(count_of(graphml.out, "<edge "), spends);
    assert_int_equal(count_of(graphml.out, "<node "), txs);
    table_free(&rows);
    run_free(&dot);
    run_free(&graphml);
}

/* ---- tx and show ---- */

/* The numbers behind a key, in order. */
static uint64_t sum_of_key(const char *json, const char *key)
{
    uint64_t sum = 0;
    for (const char *at = strstr(json, key); at; at = strstr(at + 1, key))
        sum += strtoull(at + strlen(key), NULL, 10);
    return sum;
}

static void check_tx(const struct truth *truth, const char *store)
{
    for (size_t n = 0; n < 10; n++) {
        size_t tx = find_tx(truth, txid_of(truth, n * (truth->txs.rows - 1) / 9));
        size_t inputs = truth->first_input[tx + 1] - truth->first_input[tx];
        size_t outputs = truth->first_output[tx + 1] - truth->first_output[tx], spent = 0;
        uint64_t value_in = 0;
        for (size_t i = truth->first_input[tx]; i < truth->first_input[tx + 1]; i++)
            value_in += truth->spent[i] == NO_OUTPUT ? 0 : value_of(truth, truth->spent[i]);
        for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++)
            spent += truth->spender[o] != NO_OUTPUT;
        struct run json = unktx_expect(0, "tx %s --format json --store %s", txid_of(truth, tx), store);
        struct run text = unktx_expect(0, "tx %s --store %s", txid_of(truth, tx), store);
        struct run show = unktx_expect(0, "show %s --store %s", txid_of(truth, tx), store);
        size_t copies = count_of(json.out, "\"weight\":");
        assert_int_equal(count_of(text.out, "transaction "), copies);
        if (copies == 1) {
            assert_int_equal(count_of(json.out, "\"prev_txid\":"), is_coinbase(truth, tx) ? 0 : inputs);
            assert_int_equal(count_of(json.out, "\"spender\":{"), spent);
            assert_int_equal(count_of(json.out, "\"spender\":null"), outputs - spent);
            assert_int_equal(sum_of_key(json.out, "\"value_sat\":"), value_in + value_out(truth, tx));
            assert_int_equal(sum_of_key(json.out, "\"value_out_sat\":"), value_out(truth, tx));
            assert_int_equal(count_of(text.out, "\n    input "), inputs);
            assert_int_equal(count_of(text.out, "\n    output "), outputs);
            assert_int_equal(count_of(text.out, " spent by "), spent);
            assert_int_equal(count_of(show.out, "\n    input "), inputs);
            assert_int_equal(count_of(show.out, "\n    output "), outputs);
            assert_int_equal(count_of(show.out, "\n      spent by "), spent);
            assert_int_equal(count_of(show.out, ", fee "), !is_coinbase(truth, tx));
            assert_int_equal(count_of(text.out, ", fee "), !is_coinbase(truth, tx));
        }
        run_free(&json);
        run_free(&text);
        run_free(&show);
    }
}

static void check_tx_places(const struct truth *truth, const char *store)
{
    size_t tx = truth->txs.rows - 1;
    while (is_coinbase(truth, tx) && tx > 0)
        tx--;
    if (tx == 0)
        return;
    const char *txid = txid_of(truth, tx);
    size_t o = truth->spent[truth->first_input[tx]];
    struct run input = unktx_expect(0, "tx %s/0 --store %s", txid, store);
    const char *prev_txid = txid_of(truth, truth->output_tx[o]);
    struct run output = unktx_expect(0, "tx %s:%s --store %s", prev_txid, vout_text(truth, o), store);
    char spends[128], spent[128];
    snprintf(spends, sizeof spends, "    input 0 spends %s:%s, ", prev_txid, vout_text(truth, o));
    snprintf(spent, sizeof spent, ", spent by %s/0, height %ju\n", txid, (uintmax_t)height_of(truth, tx));
    assert_non_null(strstr(input.out, spends));
    assert_null(strstr(input.out, "output 0"));
    assert_non_null(strstr(output.out, spent));
    run_free(&input);
    run_free(&output);
    struct table blocks = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    size_t b = blocks.rows - 1;
    struct run height = unktx_expect(0, "tx %zu --store %s", b, store);
    struct run hash = unktx_expect(0, "tx %s --store %s", table_get(&blocks, b, "hash"), store);
    assert_string_equal(height.out, hash.out);
    assert_int_equal(count_of(height.out, ": inputs "), table_number(&blocks, b, table_column(&blocks, "n_tx")));
    run_free(&height);
    run_free(&hash);
    table_free(&blocks);
}

/* ---- flows ---- */

/* The address that the node's script gives, where the fixture has the script. */
static void assert_address(const struct truth *truth, size_t output, const char *got)
{
    bool has_address = strcmp(table_at(&truth->outputs, output, truth->has_address), "1") == 0;
    assert_int_equal(*got != '\0', has_address);
    for (size_t c = 0; has_address && c < truth->outputs.columns; c++) {
        if (strcmp(truth->outputs.fields[c], "script_hex") != 0)
            continue;
        const char *hex = table_at(&truth->outputs, output, c);
        uint8_t script[64];
        char text[ADDRESS_SIZE_MAX + 1];
        unsigned byte;
        size_t size = strlen(hex) / 2;
        if (size == 0)
            return;
        assert_true(size <= sizeof script);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
            script[i] = (uint8_t)byte;
        }
        *address_put(text, network_by_name("regtest"), script, size) = '\0';
        assert_string_equal(got, text);
    }
}

/* Rows of payers.csv and payees.csv under core-22, where unknown is what has no address: every transaction of txs.csv,
 * input by input and output by output. Which T-DAG it is in is test_truth's. */
static void check_flow_rows(const struct truth *truth, const char *dir)
{
    struct table txs = table_read(path_of("%s/txs.csv", dir)), payers = table_read(path_of("%s/payers.csv", dir));
    struct table payees = table_read(path_of("%s/payees.csv", dir));
    size_t in = 0, out = 0;
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = find_tx(truth, table_get(&txs, r, "txid"));
        for (size_t i = truth->first_input[tx]; i < truth->first_input[tx + 1]; i++) {
            size_t o = truth->spent[i];
            if (o == NO_OUTPUT || strcmp(table_at(&truth->outputs, o, truth->has_address), "0") == 0)
                continue;
            assert_true(in < payers.rows);
            assert_string_equal(table_get(&payers, in, "dag_id"), table_get(&txs, r, "dag_id"));
            assert_string_equal(table_get(&payers, in, "txid"), txid_of(truth, tx));
            assert_int_equal(table_number(&payers, in, table_column(&payers, "vin")), vin_of(truth, i));
            assert_string_equal(table_get(&payers, in, "from_txid"), txid_of(truth, truth->output_tx[o]));
            assert_string_equal(table_get(&payers, in, "from_vout"), vout_text(truth, o));
            assert_int_equal(table_number(&payers, in, table_column(&payers, "value_sat")), value_of(truth, o));
            assert_string_equal(table_get(&payers, in, "kind"), kind_of(truth, o));
            assert_address(truth, o, table_get(&payers, in++, "address"));
        }
        for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++) {
            if (strcmp(table_at(&truth->outputs, o, truth->has_address), "0") == 0)
                continue;
            assert_true(out < payees.rows);
            assert_string_equal(table_get(&payees, out, "dag_id"), table_get(&txs, r, "dag_id"));
            assert_string_equal(table_get(&payees, out, "txid"), txid_of(truth, tx));
            assert_string_equal(table_get(&payees, out, "vout"), vout_text(truth, o));
            assert_int_equal(table_number(&payees, out, table_column(&payees, "value_sat")), value_of(truth, o));
            assert_string_equal(table_get(&payees, out, "kind"), kind_of(truth, o));
            assert_string_equal(table_get(&payees, out, "spent"), truth->spender[o] == NO_OUTPUT ? "0" : "1");
            assert_address(truth, o, table_get(&payees, out++, "address"));
        }
    }
    assert_int_equal(in, payers.rows);
    assert_int_equal(out, payees.rows);
    table_free(&txs);
    table_free(&payers);
    table_free(&payees);
}

/* What is paid into a T-DAG, and created in it by coinbases, is what its leaves hold and what went in fees. */
static void check_flow_sums(const struct truth *truth, const char *dir)
{
    struct table dags = table_read(path_of("%s/tdags.csv", dir)), txs = table_read(path_of("%s/txs.csv", dir));
    uint64_t *created = must_have(dags.rows + 1, sizeof *created), *fees = must_have(dags.rows + 1, sizeof *fees);
    size_t fee = table_column(&truth->txs, "fee_sat");
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = find_tx(truth, table_get(&txs, r, "txid"));
        size_t dag = table_number(&txs, r, table_column(&txs, "dag_id"));
        created[dag] += is_coinbase(truth, tx) ? value_out(truth, tx) : 0;
        fees[dag] += table_number(&truth->txs, tx, fee);
    }
    for (size_t d = 0; d < dags.rows; d++) {
        uint64_t paid = table_number(&dags, d, table_column(&dags, "payer_value_sat"));
        uint64_t leaves = table_number(&dags, d, table_column(&dags, "leaf_value_sat"));
        assert_int_equal(table_number(&dags, d, table_column(&dags, "fee_sat")), fees[d + 1]);
        assert_int_equal(paid + created[d + 1], leaves + fees[d + 1]);
    }
    free(created);
    free(fees);
    table_free(&dags);
    table_free(&txs);
}

/* tdags.csv is the same but for the two columns behind. */
static void assert_same_dags(const char *with, const char *without)
{
    struct table a = table_read(path_of("%s/tdags.csv", with)), b = table_read(path_of("%s/tdags.csv", without));
    assert_int_equal(a.rows, b.rows);
    assert_int_equal(a.columns, b.columns + 2);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < b.columns; c++)
            assert_string_equal(table_at(&a, r, c), table_at(&b, r, c));
    table_free(&a);
    table_free(&b);
    static const char *const files[] = {"classes.csv", "txs.csv", "arcs.csv", "leaves.csv", "summary.json"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        assert_same_file(path_of("%s/%s", with, files[f]), path_of("%s/%s", without, files[f]));
    }
}

static void check_flows(const struct truth *truth, const char *store, const char *alone)
{
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    for (size_t r = 0; r < 3; r++) {
        char with[4096], without[4096], flows[4096];
        snprintf(with, sizeof with, "%s/with", store);
        snprintf(without, sizeof without, "%s/without", store);
        snprintf(flows, sizeof flows, "%s/flows", store);
        unktx_ok("dags --store %s --rules %s -o %s", store, rules[r], with);
        unktx_ok("dags --store %s --rules %s -o %s", alone, rules[r], without);
        unktx_ok("flows --store %s --rules %s -o %s --threads 1", store, rules[r], flows);
        assert_same_dags(with, without);
        assert_same_file(path_of("%s/payers.csv", with), path_of("%s/payers.csv", flows));
        assert_same_file(path_of("%s/payees.csv", with), path_of("%s/payees.csv", flows));
        assert_false(path_exists(path_of("%s/payers.csv", without)));
        check_flow_sums(truth, with);
        if (r == 2)
            check_flow_rows(truth, with);
    }
}

/* ---- chains ---- */

static void scan(const char *command, const char *datadir, const char *store, const char *more)
{
    struct run run = unktx("%s --quiet --datadir %s --store %s%s", command, datadir, store, more);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("%s %s: %d: %s", command, datadir, run.exit_status, run.err);
    run_free(&run);
}

static void check_chain(const char *dir, bool pinned)
{
    char datadir[512], more[128] = "", store[512], alone[512];
    if (!path_exists(dir)) {
        print_message("skipped: no %s here, so not compared with its node's answers\n", dir);
        skip();
    }
    if (pinned) {
        struct json json = json_open(path_of("%s/truth/chain.json", dir));
        snprintf(more, sizeof more, " --tip %.64s", json_find(&json, "tip_hash"));
        json_close(&json);
    }
    char *temp = temp_dir();
    struct truth truth = truth_read(dir);
    sorting = &truth;
    snprintf(datadir, sizeof datadir, "%s/regtest", dir);
    snprintf(store, sizeof store, "%s/store", temp);
    snprintf(alone, sizeof alone, "%s/alone", temp);
    scan("scan", datadir, store, more);
    scan("scan", datadir, alone, more);
    scan("index", datadir, store, more);
    check_dump_outputs(&truth, store);
    check_dump_inputs(&truth, store);
    check_dump_txs_and_blocks(&truth, store);
    check_travel(&truth, store);
    check_tx(&truth, store);
    check_tx_places(&truth, store);
    check_flows(&truth, store, alone);
    unktx_ok("check --store %s", store);
    truth_free(&truth);
    remove_tree(temp);
    free(temp);
}

static void test_regtest(void **state)
{
    (void)state;
    check_chain("tests/fixtures/regtest-xor", false);
}
static void test_genesis(void **state)
{
    (void)state;
    check_chain("tests/fixtures/genesis", false);
}
static void test_dup_txid(void **state)
{
    (void)state;
    check_chain("tests/fixtures/dup-txid", false);
}
static void test_crash(void **state)
{
    (void)state;
    check_chain("tests/fixtures/crash", false);
}
static void test_shared_xor(void **state)
{
    (void)state;
    check_chain(SHARED "/regtest-xor", false);
}
static void test_shared_dup_txid(void **state)
{
    (void)state;
    check_chain(SHARED "/extras/dup-txid", false);
}
static void test_shared_padding(void **state)
{
    (void)state;
    check_chain(SHARED "/extras/padding", false);
}
static void test_shared_tie(void **state)
{
    (void)state;
    check_chain(SHARED "/extras/tie", false);
}
static void test_shared_invalid(void **state)
{
    (void)state;
    check_chain(SHARED "/extras/invalid", true);
}
static void test_shared_crash(void **state)
{
    (void)state;
    check_chain(SHARED "/extras/crash", false);
}

/* ---- the commands around ---- */

static void expect(int status, const char *part_of_err, const char *line)
{
    struct run run = unktx("%s", line);
    if (run.exit_status != status || !strstr(run.err, part_of_err))
        fail_msg("unktx %s\nexit status %d, expected %d\nstderr: %s", line, run.exit_status, status, run.err);
    run_free(&run);
}

/* An index that ends below the store knows fewer spends: this output, of height 10, is spent at 163. */
static void test_show_beside_a_lower_index(void **state)
{
    (void)state;
    static const char output[] = "43c0d23d0297c642d8cb2599fe783465cef6374a43474a7c53084944a51290ef:0";
    static const char spender[] = "spent by 5e3df09c81f6eddd1dd4100a594887b75b63a58354ee115382348c461b27d71e input 0";
    char *temp = temp_dir();
    for (unsigned i = 0; i < 2; i++) {
        scan("index", "tests/fixtures/regtest-xor/regtest", temp, i ? "" : " --to-height 150");
        scan("scan", "tests/fixtures/regtest-xor/regtest", temp, "");
        struct run show = unktx_expect(0, "show %s --store %s", output, temp);
        assert_non_null(strstr(show.out, spender));
        assert_int_equal(strstr(show.err, "the index does not have the store's last block") != NULL, i == 0);
        run_free(&show);
    }
    remove_tree(temp);
    free(temp);
}

static void test_ranges_and_limits(void **state)
{
    (void)state;
    char *temp = temp_dir();
    struct truth truth = truth_read("tests/fixtures/regtest-xor");
    sorting = &truth;
    scan("index", "tests/fixtures/regtest-xor/regtest", temp, " --memory 256M --threads 1");
    check_dump_range(temp);
    check_travel_limit(&truth, temp);
    check_travel_graph(&truth, temp);
    expect(1, "no block of height 261; the index ends at 260", path_of("dump txs --from-height 261 --store %s", temp));
    expect(1, "no blocks from height 5 to 4", path_of("dump txs --from-height 5 --to-height 4 --store %s", temp));
    expect(1, "the index ends at 260", path_of("tx 261 --store %s", temp));
    expect(1, "has no input", path_of("tx %s/1 --store %s", txid_of(&truth, 0), temp));
    expect(1, "has no output", path_of("tx %s:1 --store %s", txid_of(&truth, 0), temp));
    expect(1, "has no output 1", path_of("travel %s:1 --store %s", txid_of(&truth, 0), temp));
    /* an index alone is checked too */
    struct run check = unktx_expect(0, "check --store %s", temp);
    assert_non_null(strstr(check.out, "index_height 260\n"));
    assert_non_null(strstr(check.out, "index_digest "));
    run_free(&check);
    truth_free(&truth);
    remove_tree(temp);
    free(temp);
}

static void test_usage(void **state)
{
    (void)state;
    char *temp = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/genesis/regtest --store %s", temp);
    expect(2, "none of blocks, txs, inputs, outputs", "dump everything");
    expect(2, "missing operand", "dump");
    expect(2, "TXID", "tx xyz");
    expect(2, "TXID", "travel 12");
    expect(2, "exclude each other",
           "travel 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b --forward --backward");
    expect(2, "no size", "index --memory 100M");
    expect(2, "no size", "index --memory 2X");
    expect(2, "no size", "index --memory 99999999999999T");
    static const char *const commands[] = {"tx 0", "dump txs", "flows",
                                           "travel 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"};
    for (size_t c = 0; c < 4; c++)
        expect(1, "unktx index", path_of("%s --store %s", commands[c], temp));
    remove_tree(temp);
    free(temp);
}

/* An index that ends below the store serves neither flows nor dags; once brought up to date it does. */
static void test_index_behind(void **state)
{
    (void)state;
    char *temp = temp_dir();
    const char *datadir = "tests/fixtures/regtest-xor/regtest";
    scan("scan", datadir, temp, "");
    scan("index", datadir, temp, " --to-height 200");
    expect(1, "run 'unktx index'", path_of("flows --store %s -o %s/out", temp, temp));
    expect(0, "payers and payees are left out", path_of("dags --store %s -o %s/out", temp, temp));
    assert_false(path_exists(path_of("%s/out/payers.csv", temp)));
    scan("index", datadir, temp, "");
    unktx_ok("dags --store %s -o %s/out", temp, temp);
    assert_true(path_exists(path_of("%s/out/payers.csv", temp)));
    remove_tree(temp);
    free(temp);
}

/* With the blk files gone, all but the addresses is there. */
static void test_without_blk_files(void **state)
{
    (void)state;
    char *temp = temp_dir(), blocks[4096];
    snprintf(blocks, sizeof blocks, "%s/node/regtest/blocks", temp);
    make_dirs(blocks);
    copy_files("tests/fixtures/regtest-xor/regtest/blocks", blocks);
    scan("scan", path_of("%s/node/regtest", temp), path_of("%s/store", temp), "");
    scan("index", path_of("%s/node/regtest", temp), path_of("%s/store", temp), "");
    unktx_ok("flows --store %s/store -o %s/one", temp, temp);
    remove_tree(blocks);
    expect(0, "addresses are left empty", path_of("flows --store %s/store -o %s/two", temp, temp));
    struct table one = table_read(path_of("%s/one/payers.csv", temp));
    struct table two = table_read(path_of("%s/two/payers.csv", temp));
    assert_int_equal(one.rows, two.rows);
    for (size_t r = 0; r < one.rows; r++) {
        assert_string_equal(table_get(&one, r, "from_txid"), table_get(&two, r, "from_txid"));
        assert_string_equal(table_get(&two, r, "address"), "");
    }
    table_free(&one);
    table_free(&two);
    remove_tree(temp);
    free(temp);
}

/* Thousands of T-DAGs of the smallest transactions there are: the T-DAGs are the same with an index, and in each what
 * is paid in is what its leaves hold and what went in fees. The generator plants no coinbase in a T-DAG. */
static void test_generated(void **state)
{
    (void)state;
    char *temp = temp_dir(), chain[512], with[512], without[512];
    snprintf(chain, sizeof chain, "%s/chain", temp);
    snprintf(with, sizeof with, "%s/with", temp);
    snprintf(without, sizeof without, "%s/without", temp);
    const struct gen_options options = {.dir = chain, .seed = 14, .spends = true};
    print_message("seed %ju\n", (uintmax_t)options.seed);
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 3000);
    gen_close(gen);
    scan("scan", chain, with, "");
    scan("scan", chain, without, "");
    scan("index", chain, with, " --memory 256M");
    unktx_ok("check --store %s", with);
    unktx_ok("dags --store %s -o %s", with, with);
    unktx_ok("dags --store %s -o %s", without, without);
    assert_same_dags(with, without);
    struct table dags = table_read(path_of("%s/tdags.csv", with));
    assert_true(dags.rows > 2000);
    for (size_t d = 0; d < dags.rows; d++)
        assert_int_equal(table_number(&dags, d, table_column(&dags, "payer_value_sat")),
                         table_number(&dags, d, table_column(&dags, "leaf_value_sat")) +
                             table_number(&dags, d, table_column(&dags, "fee_sat")));
    table_free(&dags);
    remove_tree(temp);
    free(temp);
}

static void test_analyze(void **state)
{
    (void)state;
    char *temp = temp_dir();
    unktx_ok("analyze --quiet --index --memory 256M --datadir tests/fixtures/regtest-xor/regtest -o %s/out", temp);
    assert_true(path_exists(path_of("%s/out/payers.csv", temp)));
    assert_true(path_exists(path_of("%s/out/payees.csv", temp)));
    unktx_ok("tx 1 --store %s/out/store", temp);
    remove_tree(temp);
    free(temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regtest),
        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_dup_txid),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_shared_xor),
        cmocka_unit_test(test_shared_dup_txid),
        cmocka_unit_test(test_shared_padding),
        cmocka_unit_test(test_shared_tie),
        cmocka_unit_test(test_shared_invalid),
        cmocka_unit_test(test_shared_crash),
        cmocka_unit_test(test_ranges_and_limits),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_show_beside_a_lower_index),
        cmocka_unit_test(test_index_behind),
        cmocka_unit_test(test_without_blk_files),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_analyze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
