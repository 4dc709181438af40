/* Addresses of --labels: those that no output of the chain can have are told, T-DAGs are labelled by names, and the
 * labels of an address that many T-DAGs have are there once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inputs/dag_labels.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/markup.h"

#define REGTEST "bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9"
#define OTHER_REGTEST "2MxFajLApXpYk4VodBSZSt7rw8y4ryABkfA" /* of every test network */
#define MAIN "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
#define TESTNET "tb1rgv5m6uvdk3kc7qsuz0c79v88ycr5w4wa"
#define WRONG "bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu8"

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", dir);
    return 0;
}

static struct address_labels read_labels(const char *name, const char *text)
{
    static struct settings settings;
    struct address_labels labels = {0};
    struct fault fault = {0};
    const char *path = path_of("%s/%s", dir, name);
    write_file(path, text, strlen(text));
    settings = (struct settings){0};
    settings.labels.items[settings.labels.count++] = path;
    if (address_labels_read(&settings, &labels, &fault) != STATUS_OK)
        fail_msg("%s: %s", name, fault.text);
    return labels;
}

/* What stderr says of a file of labels. */
static void expect_told(const char *name, const char *text, const char *const *lines, const char *count)
{
    const char *path = path_of("%s/%s", dir, name);
    char line[512];
    write_file(path, text, strlen(text));
    struct run run = command_run("outputs -o %s/outputs.csv --store %s/store --labels %s/%s", dir, dir, dir, name);
    assert_int_equal(run.exit_status, 0);
    for (; *lines; lines++) {
        snprintf(line, sizeof line, "%s/%s: %s\n", dir, name, *lines);
        if (!strstr(run.err, line))
            fail_msg("%s is not in %s", line, run.err);
    }
    assert_int_equal(count_of(run.err, "column"), 3);
    assert_non_null(strstr(run.err, count));
    run_free(&run);
}

static void test_told(void **state)
{
    (void)state;
    static const char *const of_csv[] = {"line 3, column 4: '" MAIN "' is an address of another network",
                                         "line 5, column 3: '" WRONG "' is no address, or its checksum is wrong",
                                         "line 7, column 3: '" TESTNET "' is an address of another network", NULL};
    expect_told("told.csv",
                "label,address\na," REGTEST "\nbb," MAIN "\nc," OTHER_REGTEST "\nd," WRONG "\ne,0123456789abcdef\n"
                "f," TESTNET "\ng," TESTNET "\nh,nobody\n",
                of_csv, "--labels: labels of addresses that no output of regtest can have: 5\n");
    static const char *const of_yaml[] = {"line 2, column 5: 'xyz' is no address, or its checksum is wrong",
                                          "line 6, column 5: '" MAIN "' is an address of another network",
                                          "line 8, column 5: 'xyz' is no address, or its checksum is wrong", NULL};
    expect_told("told.yaml",
                "tags:\n  - address: xyz\n    label: a\n  - address: " REGTEST "\n    label: b\n  - address: " MAIN
                "\n    label: c\n  - address: xyz\n    label: d\n",
                of_yaml, "can have: 3\n");
}

/* Nothing is said where all fit; analyze says it once, though each of its steps reads the files. */
static void test_once(void **state)
{
    (void)state;
    static const char good[] = "address,label\n" REGTEST ",a\n" OTHER_REGTEST ",b\n0123456789abcdef,c\n";
    static const char bad[] = "address,label\n" MAIN ",a\n";
    write_file(path_of("%s/good.csv", dir), good, sizeof good - 1);
    write_file(path_of("%s/bad.csv", dir), bad, sizeof bad - 1);
    struct run run = command_run("outputs -o %s/outputs.csv --store %s/store --labels %s/good.csv", dir, dir, dir);
    assert_null(strstr(run.err, "--labels"));
    run_free(&run);
    run = command_run("analyze --datadir tests/fixtures/regtest-xor -o %s/all --labels %s/bad.csv", dir, dir);
    assert_int_equal(run.exit_status, 0);
    assert_int_equal(count_of(run.err, "can have: 1\n"), 1);
    assert_int_equal(count_of(run.err, MAIN), 1);
    run_free(&run);
}

struct met {
    const struct address_labels *labels;
    unsigned counts[5]; /* by id */
};

static enum status count_each(void *context, const struct label_span *span)
{
    struct met *met = context;
    for (size_t i = 0; i < span->count; i++)
        met->counts[address_labels_id_at(met->labels, span, i)]++;
    return STATUS_OK;
}

static void test_names(void **state)
{
    (void)state;
    static const char txid[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct address_labels labels = read_labels("names.csv", "address,label\n"
                                                            "0123456789ABCDEF,name\n"
                                                            "0123456789abcdef01,longer name\n"
                                                            "0123456789abcdef02,other\n"
                                                            "0123456789abcdef0123456789abcdef0123456789abcdef01234567"
                                                            "89abcdef,txid\n"
                                                            "0123456789abcde,short\n");
    struct hash256 hash;
    struct met met = {.labels = &labels};
    uint32_t id;
    assert_true(hash256_parse(txid, &hash));
    assert_int_equal(address_labels_of_txid(&labels, &hash, count_each, &met), STATUS_OK);
    static const struct {
        const char *label;
        unsigned count;
    } expected[] = {{"name", 1}, {"longer name", 1}, {"other", 0}, {"txid", 1}, {"short", 0}};
    for (size_t i = 0; i < 5; i++) {
        assert_true(address_labels_id(&labels, expected[i].label, &id));
        assert_int_equal(met.counts[id], expected[i].count);
    }
    address_labels_free(&labels);
}

#define DAGS 1000u

/* 1,000 T-DAGs with an address that has 200 labels, every tenth with one more address: two sets of labels, and the one
 * of many T-DAGs is the entries themselves. */
static void test_shared(void **state)
{
    (void)state;
    static char text[16384];
    size_t size = (size_t)sprintf(text, "address,label\n" OTHER_REGTEST ",007\n" OTHER_REGTEST ",x\n");
    for (unsigned i = 0; i < 200; i++)
        size += (size_t)sprintf(text + size, REGTEST ",%03u\n", (i * 7) % 200);
    struct address_labels labels = read_labels("many.csv", text);
    struct label_span many = address_labels_of(&labels, REGTEST, strlen(REGTEST));
    struct label_span two = address_labels_of(&labels, OTHER_REGTEST, strlen(OTHER_REGTEST));
    struct label_pairs pairs[2] = {{0}};
    struct dag_labels made;
    struct fault fault;
    uint32_t *first = calloc(DAGS + 1, sizeof *first), *by_id = calloc(labels.names_count, sizeof *by_id), id;
    struct tdags tdags = {.count = DAGS, .first = first};
    struct forest forest = {0};
    for (uint32_t d = 1; d <= DAGS; d++) {
        for (unsigned again = 0; again < 3; again++)
            assert_int_equal(label_pairs_add(&pairs[again % 2], d, &many), STATUS_OK);
        if (d % 10 == 0)
            assert_int_equal(label_pairs_add(&pairs[1], d, &two), STATUS_OK);
    }
    assert_int_equal(dag_labels_make(&labels, &forest, &tdags, pairs, 2, &made, &fault), STATUS_OK);
    assert_int_equal(made.sets_count, 3); /* with the empty one */
    assert_int_equal(dag_labels_of(&made, 0).count, 0);
    assert_true(dag_labels_of(&made, 1).ids == NULL && dag_labels_of(&made, 1).first == many.first);
    assert_int_equal(dag_labels_of(&made, 1).count, 200);
    assert_int_equal(dag_labels_of(&made, DAGS).count, 201); /* 007 once */
    assert_true(address_labels_id(&labels, "x", &id) && dag_labels_has(&made, DAGS, id));
    assert_false(dag_labels_has(&made, DAGS - 1, id));
    dag_labels_count(&made, by_id);
    assert_int_equal(by_id[id], DAGS / 10);
    assert_true(address_labels_id(&labels, "007", &id));
    assert_int_equal(by_id[id], DAGS);
    dag_labels_free(&made);
    address_labels_free(&labels);
    free(first);
    free(by_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_told), cmocka_unit_test(test_once),
                                       cmocka_unit_test(test_names), cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
