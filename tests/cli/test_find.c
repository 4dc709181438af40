/* unktx find on the bundled chain: what is expected comes from the node's own list of outputs with their scripts
 * (tests/fixtures/regtest-xor/truth), read by a walk over pushes of the test's own, and from the tables of payers and
 * payees, which test_index_flows holds against the node. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parser/address.h"
#include "parser/sha256.h"
#include "tests/parser/hex.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"

static char *dir;
static struct table outputs, payers, payees, tdags, txs;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("dags --rules core-22 --store %s/store -o %s/tables", dir, dir);
    outputs = table_read(CHAIN "/truth/outputs.csv");
    payers = table_read(path_of("%s/tables/payers.csv", dir));
    payees = table_read(path_of("%s/tables/payees.csv", dir));
    tdags = table_read(path_of("%s/tables/tdags.csv", dir));
    txs = table_read(path_of("%s/tables/txs.csv", dir));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct table *tables[] = {&outputs, &payers, &payees, &tdags, &txs};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        table_free(tables[i]);
    remove_tree(dir);
    free(dir);
    return 0;
}

static unsigned byte_at(const char *hex, size_t i)
{
    unsigned byte = 0;
    sscanf(hex + 2 * i, "%2x", &byte);
    return byte;
}

/* Does the script push exactly these bytes? */
static bool pushes(const char *script, const char *data)
{
    size_t size = strlen(script) / 2, wanted = strlen(data);
    for (size_t i = 0; i < size;) {
        unsigned code = byte_at(script, i++);
        size_t length = 0;
        unsigned numbers = code == 0x4c ? 1 : code == 0x4d ? 2 : code == 0x4e ? 4 : 0;
        if (code > 0x4e)
            continue;
        if (numbers > size - i)
            return false;
        for (unsigned n = 0; n < numbers; n++)
            length |= (size_t)byte_at(script, i + n) << 8 * n;
        length = numbers ? length : code;
        i += numbers;
        if (length > size - i)
            return false;
        if (2 * length == wanted && strncmp(script + 2 * i, data, wanted) == 0)
            return true;
        i += length;
    }
    return false;
}

static void to_hex(char *hex, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

/* The address on regtest of a frame around the hash. */
static void address_of(const char *head, const char *hash, const char *tail, char address[ADDRESS_SIZE_MAX + 1])
{
    char hex[128];
    uint8_t script[64];
    snprintf(hex, sizeof hex, "%s%s%s", head, hash, tail);
    *address_put(address, network_by_name("regtest"), script, from_hex(hex, script)) = '\0';
}

/* ---- what is expected ---- */

struct expected {
    const char *script;       /* the whole script; NULL: none */
    const char *pushed[8];    /* any of these pushes; ends with NULL */
    const char *addresses[8]; /* any of these; ends with NULL */
};

static bool is_one_of(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static bool script_has(const struct expected *expected, const char *script)
{
    if (expected->script && strcmp(expected->script, script) == 0)
        return true;
    for (const char *const *p = expected->pushed; *p; p++)
        if (pushes(script, *p))
            return true;
    return false;
}

/* A row of the answer for this end; its dag is that of the table. */
static size_t count_rows(const struct table *found, const char *what, const char *txid, const char *position,
                         const char *dag)
{
    size_t count = 0;
    for (size_t r = 0; r < found->rows; r++)
        count += strcmp(table_get(found, r, "found"), what) == 0 && strcmp(table_get(found, r, "txid"), txid) == 0 &&
                 strcmp(table_get(found, r, "position"), position) == 0 &&
                 (!dag || strcmp(table_get(found, r, "dag"), dag) == 0);
    return count;
}

static size_t count_found(const struct table *found, const char *what)
{
    size_t count = 0;
    for (size_t r = 0; r < found->rows; r++)
        count += strcmp(table_get(found, r, "found"), what) == 0;
    return count;
}

static size_t check_outputs(const struct table *found, const struct expected *expected)
{
    size_t count = 0, nulldata = 0;
    for (size_t o = 0; o < outputs.rows; o++) {
        if (strcmp(table_get(&outputs, o, "has_address"), "1") == 0 ||
            strcmp(table_get(&outputs, o, "type"), "nulldata") == 0)
            continue;
        if (!script_has(expected, table_get(&outputs, o, "script_hex")))
            continue;
        count++;
        assert_int_equal(
            count_rows(found, "output", table_get(&outputs, o, "txid"), table_get(&outputs, o, "vout"), NULL), 1);
    }
    for (size_t r = 0; r < found->rows; r++)
        nulldata += strcmp(table_get(found, r, "kind"), "nulldata") == 0;
    assert_int_equal(count, count_found(found, "output") - nulldata);
    return count;
}

static size_t check_ends(const struct table *found, const struct expected *expected)
{
    size_t in = 0, out = 0;
    for (size_t r = 0; r < payers.rows; r++) {
        if (!is_one_of(expected->addresses, table_get(&payers, r, "address")))
            continue;
        in++;
        assert_int_equal(count_rows(found, "payer", table_get(&payers, r, "txid"), table_get(&payers, r, "vin"),
                                    table_get(&payers, r, "dag")),
                         1);
    }
    for (size_t r = 0; r < payees.rows; r++) {
        if (!is_one_of(expected->addresses, table_get(&payees, r, "address")))
            continue;
        out++;
        assert_int_equal(count_rows(found, "payee", table_get(&payees, r, "txid"), table_get(&payees, r, "vout"),
                                    table_get(&payees, r, "dag")),
                         1);
    }
    assert_int_equal(in, count_found(found, "payer"));
    assert_int_equal(out, count_found(found, "payee"));
    return in + out;
}

/* Every T-DAG of a row has a row, once. */
static void check_dags(const struct table *found)
{
    for (size_t d = 0; d < tdags.rows; d++) {
        size_t rows = 0, dag_rows = 0;
        for (size_t r = 0; r < found->rows; r++) {
            bool is_dag = strcmp(table_get(found, r, "found"), "tdag") == 0;
            bool same = strcmp(table_get(found, r, "dag"), table_get(&tdags, d, "dag")) == 0;
            rows += same && !is_dag;
            dag_rows += same && is_dag;
        }
        assert_int_equal(dag_rows, rows > 0);
    }
}

/* Returns how much was found. */
static size_t check(const char *word, const struct expected *expected)
{
    const char *file = path_of("%s/found.csv", dir);
    bool none = false;
    struct run run = unktx("find %s --rules core-22 --format csv --store %s/store -o %s", word, dir, file);
    none = run.exit_status == 1;
    if (!none && run.exit_status != 0)
        fail_msg("find %s: %s", word, run.err);
    run_free(&run);
    struct table found = table_read(file);
    size_t count = check_outputs(&found, expected) + check_ends(&found, expected);
    check_dags(&found);
    assert_int_equal(none, found.rows == 0);
    table_free(&found);
    return count;
}

/* ---- keys and their hashes and addresses ---- */

struct key {
    char hex[131], hash[41], ripemd[41], sha[65], p2pkh[ADDRESS_SIZE_MAX + 1], p2wpkh[ADDRESS_SIZE_MAX + 1],
        nested[ADDRESS_SIZE_MAX + 1];
    char taproot[ADDRESS_SIZE_MAX + 1];
    char more[3][65];
};

static struct key key_of(const char *hex)
{
    struct key key = {0};
    uint8_t bytes[65], hash[32], program[22] = {0, 20};
    struct hash256 twice;
    size_t size = from_hex(hex, bytes);
    snprintf(key.hex, sizeof key.hex, "%s", hex);
    hash160(bytes, size, hash);
    to_hex(key.hash, hash, 20);
    memcpy(program + 2, hash, 20);
    ripemd160(bytes, size, hash);
    to_hex(key.ripemd, hash, 20);
    sha256(bytes, size, hash);
    to_hex(key.sha, hash, 32);
    sha1(bytes, size, hash);
    to_hex(key.more[0], hash, 20);
    sha256d(bytes, size, &twice);
    to_hex(key.more[1], twice.bytes, 32);
    hash160(program, sizeof program, hash);
    to_hex(key.more[2], hash, 20);
    address_of("76a914", key.hash, "88ac", key.p2pkh);
    address_of("0014", key.hash, "", key.p2wpkh);
    address_of("a914", key.more[2], "87", key.nested);
    *address_put_of_key(key.taproot, network_by_name("regtest"), bytes, size, KEY_ADDRESS_P2TR) = '\0';
    return key;
}

/* The first key of a multisig script, or that of a pubkey script; of the nth such output. */
static bool nth_key(size_t nth, char hex[131])
{
    for (size_t o = 0; o < outputs.rows; o++) {
        const char *script = table_get(&outputs, o, "script_hex"), *type = table_get(&outputs, o, "type");
        bool pubkey = strcmp(type, "pubkey") == 0;
        if (!pubkey && strcmp(type, "multisig") != 0)
            continue;
        size_t at = pubkey ? 0 : 1, size = byte_at(script, at);
        if ((size != 33 && size != 65) || nth-- > 0)
            continue;
        snprintf(hex, 131, "%.*s", (int)(2 * size), script + 2 * (at + 1));
        return true;
    }
    return false;
}

static void test_keys(void **state)
{
    (void)state;
    char hex[131];
    size_t found = 0;
    for (size_t n = 0; nth_key(n, hex); n += 40) {
        struct key key = key_of(hex);
        bool compressed = strlen(hex) == 66;
        struct expected expected = {hex,
                                    {hex, key.hash, key.ripemd, key.sha, key.more[0], key.more[1], NULL},
                                    {key.p2pkh, compressed ? key.p2wpkh : NULL, compressed ? key.nested : NULL,
                                     *key.taproot ? key.taproot : NULL, NULL}};
        found += check(hex, &expected);
        /* by an address of the key: the key, its hash, the ends */
        struct expected by_address = {NULL, {hex, key.hash, NULL}, {key.p2pkh, NULL}};
        found += check(key.p2pkh, &by_address);
        if (compressed) {
            by_address.addresses[0] = key.p2wpkh;
            found += check(key.p2wpkh, &by_address);
            struct expected nested = {NULL, {hex, key.more[2], NULL}, {key.nested, NULL}};
            found += check(key.nested, &nested);
        }
        /* by its hash: the key too, and the addresses that stand for these 20 bytes */
        char p2sh[ADDRESS_SIZE_MAX + 1];
        address_of("a914", key.hash, "87", p2sh);
        struct expected by_hash = {NULL, {hex, key.hash, NULL}, {key.p2pkh, key.p2wpkh, p2sh, NULL}};
        found += check(key.hash, &by_hash);
    }
    assert_true(found > 50);
}

static void test_ends(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t r = 0; r < payees.rows; r += 97) {
        const char *address = table_get(&payees, r, "address");
        if (!*address)
            continue;
        /* what an unknown script has of its hash is for the other tests: here the ends alone */
        const char *file = path_of("%s/ends.csv", dir);
        unktx_ok("find %s --rules core-22 --format csv --store %s/store -o %s", address, dir, file);
        struct table table = table_read(file);
        struct expected expected = {NULL, {NULL}, {address, NULL}};
        found += check_ends(&table, &expected);
        table_free(&table);
    }
    assert_true(found > 5);
}

/* Whole scripts, and pushes of any other data. */
static void test_scripts(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t o = 0; o < outputs.rows; o += 53) {
        const char *script = table_get(&outputs, o, "script_hex");
        size_t size = strlen(script) / 2;
        if (strcmp(table_get(&outputs, o, "type"), "nonstandard") != 0 || size < 4 || size == 20 || size == 32 ||
            size == 33 || size == 65)
            continue;
        struct expected expected = {script, {script, NULL}, {NULL}};
        size_t once = check(script, &expected);
        assert_true(once > 0);
        found += once;
    }
    assert_true(found > 3);
}

/* ---- T-DAGs, labels, forms ---- */

static void test_names(void **state)
{
    (void)state;
    for (size_t d = 0; d < tdags.rows; d += 31) {
        const char *name = table_get(&tdags, d, "dag");
        struct run run = unktx_expect(0, "find %s --rules core-22 --format csv --store %s/store", name, dir);
        char row[256];
        snprintf(row, sizeof row, "\ntdag,name,%s,,%s,%s,,,,,%s\n", table_get(&tdags, d, "first_txid"),
                 table_get(&tdags, d, "first_height"), table_get(&tdags, d, "first_time"), name);
        assert_non_null(strstr(run.out, row));
        run_free(&run);
    }
    /* by the txid of any of its transactions */
    size_t last = txs.rows - 1;
    struct run run = unktx_expect(0, "find %s --rules core-22 --store %s/store", table_get(&txs, last, "txid"), dir);
    char part[128];
    snprintf(part, sizeof part, "dag %s", table_get(&txs, last, "dag"));
    assert_non_null(strstr(run.out, "tdag by name"));
    assert_non_null(strstr(run.out, part));
    run_free(&run);
}

static void test_labels(void **state)
{
    (void)state;
    char text[1024], file[512];
    size_t r = 0;
    while (!*table_get(&payees, r, "address"))
        r++;
    const char *address = table_get(&payees, r, "address"), *name = table_get(&tdags, tdags.rows - 1, "dag");
    int size = snprintf(text, sizeof text, "address,label\n%s,who\n%s,who\n%s,\"x, \"\"y\"\"\"\n", address, name,
                        address);
    snprintf(file, sizeof file, "%s/labels.csv", dir);
    write_file(file, text, (size_t)size);
    struct run run = unktx_expect(0, "find who --rules core-22 --format csv --labels %s --store %s/store", file, dir);
    struct run by_address = unktx_expect(0, "find %s --rules core-22 --format csv --labels %s --store %s/store",
                                         address, file, dir);
    assert_non_null(strstr(run.out, ",dag,label,dag_label\n"));
    assert_non_null(strstr(run.out, ",\"who; x, \"\"y\"\"\"\n"));
    assert_non_null(strstr(run.out, path_of(",%s,,who\n", name))); /* the T-DAG that has it by name */
    assert_true(count_of(run.out, "\n") >= count_of(by_address.out, "\n"));
    run_free(&run);
    run_free(&by_address);
    /* each line of the other form is JSON with the same columns */
    run = shell(
        "$UNKTX find who --rules core-22 --format json --labels %s --store %s/store | /usr/bin/python3 -c '"
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    row = json.loads(line)\n"
        "    assert list(row) == \"found by txid position height time value_sat kind push address dag label dag_label\""
        ".split()\n"
        "    assert type(row[\"height\"]) is int and len(row[\"txid\"]) == 64\n"
        "print(\"good\")'",
        file, dir);
    if (strcmp(run.out, "good\n") != 0 && run.exit_status != 127)
        fail_msg("%s%s", run.out, run.err);
    run_free(&run);
}

/* The lines for people: the rows of the table, with dates and bitcoins in place of seconds and satoshis. */
static void check_lines(const char *operand)
{
    char file[512], line[4096];
    snprintf(file, sizeof file, "%s/found.csv", dir);
    unktx_ok("find %s --rules core-22 --format csv --store %s/store -o %s", operand, dir, file);
    struct run run = unktx_expect(0, "find %s --rules core-22 --store %s/store", operand, dir);
    struct table found = table_read(file);
    const char *at = run.out;
    for (size_t r = 0; r < found.rows; r++) {
        time_t time_s = (time_t)table_number(&found, r, table_column(&found, "time"));
        uint64_t value_sat = table_number(&found, r, table_column(&found, "value_sat"));
        size_t size = (size_t)sprintf(line, "%s", table_get(&found, r, "found"));
        for (size_t c = 1; c < found.columns; c++) {
            const char *name = found.fields[c], *cell = table_at(&found, r, c);
            if (!*cell)
                continue;
            size += (size_t)sprintf(line + size, "%s%s ", c == 1 ? " " : ", ",
                                    strcmp(name, "value_sat") == 0 ? "value" : name);
            if (strcmp(name, "time") == 0)
                size += strftime(line + size, sizeof line - size, "%Y-%m-%d %H:%M UTC", gmtime(&time_s));
            else if (strcmp(name, "value_sat") == 0)
                size += (size_t)sprintf(line + size, "%" PRIu64 ".%08" PRIu64 " BTC", value_sat / 100000000,
                                        value_sat % 100000000);
            else
                size += (size_t)sprintf(line + size, "%s", cell);
        }
        if (strncmp(at, line, size) != 0 || at[size] != '\n')
            fail_msg("%.*s is not %s", (int)strcspn(at, "\n"), at, line);
        at += size + 1;
    }
    assert_true(found.rows > 0 && *at == '\0');
    table_free(&found);
    run_free(&run);
}

static void test_lines(void **state)
{
    (void)state;
    char hex[131];
    size_t r = 0;
    while (!*table_get(&payees, r, "address"))
        r++;
    assert_true(nth_key(0, hex));
    check_lines(hex);
    check_lines(table_get(&payees, r, "address"));
    check_lines(table_get(&tdags, 0, "dag"));
}

static void test_threads(void **state)
{
    (void)state;
    char hex[131];
    assert_true(nth_key(0, hex));
    struct run one = unktx_expect(0, "find %s --rules core-22 --threads 1 --store %s/store", hex, dir);
    struct run four = unktx_expect(0, "find %s --rules core-22 --threads 4 --store %s/store", hex, dir);
    assert_string_equal(one.out, four.out);
    run_free(&one);
    run_free(&four);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int status;
        const char *part;
    } cases[] = {{"", 2, "missing operand"},         {"zzz", 2, "is no address"},
                 {"who", 2, "no label of --labels"}, {"0123456789abcdef0123456789abcdef01234567", 1, "nothing under"},
                 {"abc", 2, "is no address"},        {"a b", 2, "unexpected operand"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run = unktx_expect(cases[i].status, "find %s%s--store %s/store", cases[i].word,
                                      cases[i].word[0] ? " " : "", dir);
        if (!strstr(run.err, cases[i].part))
            fail_msg("find %s: %s", cases[i].word, run.err);
        run_free(&run);
    }
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/bare", dir);
    struct run run = unktx_expect(0, "find %s --rules core-22 --store %s/bare", table_get(&tdags, 0, "dag"), dir);
    assert_non_null(strstr(run.err, "payers and payees are not searched"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_ends),   cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_labels), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
