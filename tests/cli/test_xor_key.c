/* scan and index --xor-key, and the commands that read the blk files after them: a key that was given is still known
 * when scripts are read, and what is written is the same as with the xor.dat that was lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/index_truth.h"
#include "tests/support/run.h"

#define KEY "f8d9eac287aac2cc" /* of the fixture's xor.dat */

static struct {
    char *dir;
    char blocks[300];
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.blocks, sizeof place.blocks, "%s/data/regtest/blocks", place.dir);
    copy_bundled_chain(path_of("%s/data", place.dir));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

/* Everything that reads a store or an index, into one folder. */
static void write_all(const char *name, const char *key)
{
    char store[300], out[300], txid[80] = "";
    snprintf(store, sizeof store, "%s/%s.store", place.dir, name);
    snprintf(out, sizeof out, "%s/%s", place.dir, name);
    make_dirs(out);
    run_on("scan", path_of("%s/data", place.dir), store, key);
    run_on("index", path_of("%s/data", place.dir), store, key);
    struct run run = unktx_expect(0, "flows --rules core-22 --store %s -o %s/flows", store, out);
    assert_null(strstr(run.err, "left empty")); /* of an address: its script could not be read */
    run_free(&run);
    unktx_ok("dags --rules core-22 --store %s -o %s/dags", store, out);
    unktx_ok("outputs --rules core-22 --store %s -o %s/outputs.csv", store, out);
    unktx_ok("templates --rules core-22 --store %s -o %s/templates.csv", store, out);
    unktx_ok("dump txs --store %s -o %s/txs.csv", store, out);
    unktx_ok("dump outputs --store %s -o %s/all-outputs.csv", store, out);
    size_t size;
    char *outputs = read_file(path_of("%s/outputs.csv", out), &size);
    assert_int_equal(sscanf(strchr(outputs, '\n'), "%*[^,],%*[^,],%64[0-9a-f]", txid), 1);
    free(outputs);
    run = shell("{ $UNKTX show --store %s %s && $UNKTX show --store %s --dag 1 && $UNKTX tx --store %s %s && "
                "$UNKTX travel --store %s %s; } >%s/shown 2>&1",
                store, txid, store, store, txid, store, txid, out);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
}

static void assert_same(const char *name)
{
    static const char *const files[] = {"outputs.csv",      "templates.csv",    "txs.csv",
                                        "all-outputs.csv",  "flows/payers.csv", "shown",
                                        "flows/payees.csv", "dags/tdags.csv",   "dags/payees.csv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_same_file(path_of("%s/key/%s", place.dir, files[i]), path_of("%s/%s/%s", place.dir, name, files[i]));
}

/* The first record of a file shows the file's key. Here the file begins with something else. */
static void put_garbage_first(unsigned file)
{
    enum { GARBAGE = 64 };
    size_t size;
    char *path = strdup(path_of("%s/blk%05u.dat", place.blocks, file));
    char *bytes = read_file(path, &size);
    char *longer = malloc(size + GARBAGE);
    memset(longer, 0xa5, GARBAGE);
    memcpy(longer + GARBAGE, bytes, size);
    write_file(path, longer, size + GARBAGE);
    free(path);
    free(bytes);
    free(longer);
}

static void test_key_that_was_given(void **state)
{
    (void)state;
    write_all("key", "");
    write_file(path_of("%s/xor.dat", place.blocks), "short", 5);
    write_all("short", " --xor-key " KEY);
    unktx_ok("index --quiet --verify --store %s/short.store", place.dir); /* the key was noted with the folder */
    assert_same("short");
    assert_int_equal(unlink(path_of("%s/xor.dat", place.blocks)), 0);
    write_all("lost", " --xor-key " KEY);
    assert_same("lost");
    for (unsigned i = 1; i < 5; i++)
        put_garbage_first(i);
    write_all("garbage", " --xor-key " KEY);
    assert_same("garbage");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_key_that_was_given)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
