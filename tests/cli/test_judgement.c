/* What tables say of whether outputs can be spent. Independent of unktx is the bundled chain, which a node made: it
 * spends none that the script alone shows to be lost. The columns themselves are compared with what parser/spendable.h
 * says of each script, and the counts by reason with the rows: that is consistency only. tests/parser/test_spendable.c
 * and tests/protocols.py hold the judgements against other sources. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/spendable.h"
#include "tests/parser/hex.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static char *place;

static int scan(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", place);
    unktx_ok("outputs --store %s/store --rules core-22 -o %s/outputs.csv", place, place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

static void test_none_is_lost(void **state)
{
    (void)state;
    struct table outputs = table_read(path_of("%s/outputs.csv", place));
    size_t spent = 0, lost = 0;
    for (size_t r = 0; r < outputs.rows; r++) {
        const char *hex = table_get(&outputs, r, "script_hex");
        bool is_spent = table_get(&outputs, r, "spender_txid")[0] != '\0';
        uint8_t *script = malloc(strlen(hex) / 2 + 1);
        size_t size = from_hex(hex, script);
        enum kind kind = script_kind(script, size);
        enum protocol protocol = protocol_of_output(PROTOCOL_NONE, kind, script, size);
        enum spendable_reason reason = spendable_judge(kind, script, size, protocol, false);
        free(script);
        assert_string_equal(table_get(&outputs, r, "protocol"), protocol_name(protocol)); /* none is of a transaction */
        if (is_spent && spendable_of(reason) == SPENDABLE_NO)
            fail_msg("%s is spent, but said to be lost: %s", hex, spendable_reason_name(reason));
        reason = is_spent ? REASON_SPENT : reason;
        assert_string_equal(table_get(&outputs, r, "spendable"), spendable_name(spendable_of(reason)));
        assert_string_equal(table_get(&outputs, r, "spendable_reason"), spendable_reason_name(reason));
        spent += is_spent;
        lost += spendable_of(reason) == SPENDABLE_NO;
    }
    assert_true(spent > 1000 && lost > 100);
    table_free(&outputs);
}

static void test_counts(void **state)
{
    (void)state;
    struct table outputs = table_read(path_of("%s/outputs.csv", place));
    unktx_ok("stats --protocols --store %s/store --threads 3 -o %s/protocols.csv", place, place);
    struct table counts = table_read(path_of("%s/protocols.csv", place));
    size_t sum = 0;
    for (size_t c = 0; c < counts.rows; c++) {
        const char *name = table_get(&counts, c, "protocol"), *kind = table_get(&counts, c, "kind");
        size_t found = 0;
        if (strcmp(kind, "nulldata") == 0)
            continue;
        for (size_t r = 0; r < outputs.rows; r++)
            found += strcmp(table_get(&outputs, r, "kind"), kind) == 0 &&
                     strcmp(table_get(&outputs, r, "protocol"), strcmp(name, "other") == 0 ? "" : name) == 0 &&
                     strcmp(table_get(&outputs, r, "spendable_reason"), table_get(&counts, c, "spendable_reason")) == 0;
        assert_int_equal(found, table_number(&counts, c, table_column(&counts, "outputs")));
        sum += found;
    }
    assert_int_equal(sum, outputs.rows);
    table_free(&counts);
    table_free(&outputs);
}

/* --nulldata leaves only those; a name that no protocol has is refused. */
static void test_options(void **state)
{
    (void)state;
    unktx_ok("stats --nulldata --store %s/store -o %s/nulldata.csv", place, place);
    struct table counts = table_read(path_of("%s/nulldata.csv", place));
    for (size_t c = 0; c < counts.rows; c++)
        assert_string_equal(table_get(&counts, c, "kind"), "nulldata");
    assert_true(counts.rows > 1);
    table_free(&counts);
    struct run run = unktx_expect(2, "stats --protocols --by day --store %s/store", place);
    assert_non_null(strstr(run.err, "--by total"));
    run_free(&run);
    run = unktx_expect(2, "outputs --protocol nobody --store %s/store", place);
    assert_non_null(strstr(run.err, "no protocol is called 'nobody'"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_none_is_lost), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_options)};
    return cmocka_run_group_tests(tests, scan, clean);
}
