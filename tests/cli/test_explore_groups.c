/* explore: groups of tied T-DAGs, what ties them, and how outputs were unlocked are those of ties.csv, groups.csv,
 * keys.csv and tdags.csv. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

static char *place;
static struct web web;
static struct web gone; /* its blk files are */

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    struct run copied = shell("cp -r tests/fixtures/regtest-xor %s/node", place);
    run_free(&copied);
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", place);
    unktx_ok("scan --quiet --datadir %s/node --store %s/gone", place, place);
    unktx_ok("dags --store %s/store --rules core-0.19 -o %s/tables", place, place);
    remove_tree(path_of("%s/node", place));
    web = web_start("--store %s/store", place);
    gone = web_start("--store %s/gone", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int first = web_stop(&web), second = web_stop(&gone);
    remove_tree(place);
    free(place);
    return first == 130 && second == 130 ? 0 : -1;
}

/* The page up to the end of the table of that caption; the page of the table is the first one. */
static char *table_of(char *page, const char *caption)
{
    char *begin = strstr(page, path_of("<caption>%s", caption));
    assert_non_null(begin);
    char *end = strstr(begin, "</tbody>");
    assert_non_null(end);
    *end = '\0';
    return begin;
}

static size_t rows_of(const struct web *from, const char *target, const char *caption)
{
    char *page = web_body(from, "%s", target);
    assert_well_formed(page);
    size_t rows = count_of(table_of(page, caption), "<tr><th scope=\"row\"");
    free(page);
    return rows;
}

/* At most a page. */
static size_t on_page(size_t rows) { return rows < 50 ? rows : 50; }

static void groups_are_those_of_the_table(void **state)
{
    (void)state;
    struct table groups = table_read(path_of("%s/tables/groups.csv", place));
    struct table ties = table_read(path_of("%s/tables/ties.csv", place));
    assert_true(groups.rows >= 1);
    assert_int_equal(rows_of(&web, "/core-0.19/groups", "Groups"), on_page(groups.rows));
    for (size_t row = 0; row < groups.rows; row++) {
        const char *name = table_get(&groups, row, "group");
        size_t tdags = strtoul(table_get(&groups, row, "dags"), NULL, 10);
        char *page = web_body(&web, "/core-0.19/groups");
        assert_non_null(strstr(page, path_of("/core-0.19/group/%s\">%s</a></th><td class=\"n\">%zu</td><td "
                                             "class=\"n\">%s</td>",
                                             name, name, tdags, table_get(&groups, row, "outputs"))));
        free(page);
        if (tdags > 0)
            assert_int_equal(rows_of(&web, path_of("/core-0.19/group/%s", name), "T-DAGs of the group"),
                             on_page(tdags));
        char *csv = web_body(&web, "/core-0.19/tdags.csv?group=%s", name);
        assert_int_equal(count_of(csv, "\n"), 1 + tdags);
        for (size_t t = 0; t < ties.rows; t++) {
            const char *dag = table_get(&ties, t, "tied_dag");
            bool here = strcmp(table_get(&ties, t, "group"), name) == 0;
            if (*dag)
                assert_int_equal(strstr(csv, path_of(",%s", dag)) != NULL, here);
        }
        free(csv);
    }
    table_free(&ties);
    table_free(&groups);
}

/* Groups that begin with outputs of one transaction have one name: links lead to their numbers, as groups.csv has them.
 */
static void groups_of_one_name_are_told_apart(void **state)
{
    (void)state;
    const struct gen_options options = {
        .dir = path_of("%s/holders", place), .seed = 3, .block_bytes = 20000, .holders = 60};
    struct gen *gen = gen_open(&options);
    gen_tracked(gen, 200);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s/holders --store %s/held", place, place);
    unktx_ok("ties --store %s/held --rules core-22 -o %s/held-ties", place, place);
    struct table groups = table_read(path_of("%s/held-ties/groups.csv", place));
    struct web held = web_start("--store %s/held", place);
    const char *shared = table_get(&groups, 0, "group");
    char *list = web_body(&held, "/core-22/groups"); /* which a search does not wait for if it finds a transaction */
    char *found = web_body(&held, "/core-22/search?q=%s", shared);
    size_t alike = 0;
    for (size_t row = 0; row < groups.rows; row++) {
        const char *id = table_get(&groups, row, "group_id");
        if (strcmp(table_get(&groups, row, "group"), shared) != 0)
            continue;
        if (alike++ == 0)
            assert_non_null(strstr(found, path_of("/core-22/group/%s\">%s</a>", id, shared)));
        char *page = web_body(&held, "/core-22/group/%s", id);
        assert_well_formed(page);
        assert_non_null(
            strstr(page, path_of("<dt>single unknown outputs</dt><dd>%s</dd>", table_get(&groups, row, "outputs"))));
        assert_non_null(
            strstr(page, path_of("<dt>last block</dt><dd>%s</dd>", table_get(&groups, row, "last_height"))));
        free(page);
    }
    assert_true(alike > 1);
    assert_int_equal(count_of(list, path_of("/core-22/group/%s\"", shared)), 0);
    free(list);
    free(found);
    web_expect(&held, 400, "/core-22/group/%s", shared);
    assert_int_equal(web_stop(&held), 130);
    table_free(&groups);
}

/* Each value of ties.csv has a page of its own, with a row for each of its members. */
static void what_ties_has_a_page(void **state)
{
    (void)state;
    struct table ties = table_read(path_of("%s/tables/ties.csv", place));
    size_t seen[3] = {0};
    for (size_t row = 0; row < ties.rows; row++) {
        const char *kind = table_get(&ties, row, "kind"), *value = table_get(&ties, row, "value");
        if (row > 0 && strcmp(table_get(&ties, row - 1, "value"), value) == 0)
            continue;
        size_t members = strtoul(table_get(&ties, row, "members"), NULL, 10);
        if (strlen(value) < 8)
            continue;
        assert_int_equal(rows_of(&web, path_of("/core-0.19/%s/%s", kind, value), "Where it is shown"),
                         on_page(members));
        char above[64];
        snprintf(above, sizeof above, "%.60s", value);
        for (char *p = above; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        char *page = web_body(&web, "/core-0.19/%s/%s", kind, above);
        assert_non_null(strstr(page, path_of(" %s</h1>", value)));
        assert_null(strstr(page, "labels</th>")); /* explore was begun without --labels */
        free(page);
        seen[strcmp(kind, "key") == 0 ? 0 : strcmp(kind, "hash") == 0 ? 1 : 2]++;
        struct answer answer = web_get(&web, "/core-0.19/search?q=%.20s", value);
        const char *found = answer.status == 302 ? answer.head : answer.body;
        assert_non_null(strstr(found, path_of("/core-0.19/%s/%s", kind, value)));
        answer_free(&answer);
    }
    assert_true(seen[0] > 3 && seen[1] > 3 && seen[2] > 3);
    table_free(&ties);
}

/* Each form that was shown has a row in keys.csv. Hybrid ones are left out: the page has their address only where that
 * form is shown first. */
static void assert_has_addresses(const struct table *keys, const char *compressed, const char *page)
{
    static const char *const columns[] = {"p2pkh", "p2sh_p2wpkh", "p2wpkh", "p2tr"};
    for (size_t row = 0; row < keys->rows; row++) {
        const char *key = table_get(keys, row, "key");
        bool whole = strncmp(key, "04", 2) == 0;
        bool same = strcmp(key, compressed) == 0 || (whole && strncmp(key + 2, compressed + 2, 64) == 0);
        for (size_t c = 0; c < sizeof columns / sizeof *columns && same; c++)
            assert_non_null(strstr(page, table_get(keys, row, columns[c])));
    }
}

/* In whatever form it is asked for; by less than all of it where no other one begins so. */
static void a_key_is_found_in_both_forms(void **state)
{
    (void)state;
    struct table keys = table_read(path_of("%s/tables/keys.csv", place));
    size_t seen = 0;
    for (size_t row = 0; row < keys.rows && seen < 20; row++) {
        const char *key = table_get(&keys, row, "key");
        if (strlen(key) != 130 || strcmp(table_get(&keys, row, "on_curve"), "1") != 0)
            continue;
        char *whole = web_body(&web, "/core-0.19/search?q=%s", key);
        char compressed[67] = "";
        snprintf(compressed, sizeof compressed, "%02x%.64s", strchr("13579bdf", key[129]) ? 3 : 2, key + 2);
        assert_non_null(strstr(whole, path_of("/core-0.19/key/%s\"", compressed)));
        free(whole);
        char *page = web_body(&web, "/core-0.19/key/%.20s", compressed);
        assert_non_null(strstr(page, path_of("<h1>Key %s</h1>", compressed)));
        assert_has_addresses(&keys, compressed, page);
        free(page);
        /* hybrid: 06 of an even y, 07 of an odd one; the other is no point, whether it was shown as well or not */
        for (unsigned odd = 0; odd < 2; odd++) {
            bool is_point = compressed[1] == '2' + (char)odd;
            struct answer answer = web_get(&web, "/core-0.19/key/0%u%s", 6 + odd, key + 2);
            assert_true(answer.status == 200 || (answer.status == 404 && !is_point));
            assert_int_equal(strstr(answer.body, path_of("<h1>Key %s</h1>", compressed)) != NULL, is_point);
            answer_free(&answer);
        }
        seen++;
    }
    assert_true(seen > 0);
    table_free(&keys);
}

static void tdags_tell_their_unlocks(void **state)
{
    (void)state;
    size_t size;
    char *csv = web_body(&web, "/core-0.19/tdags.csv?unlocks=yes");
    char *file = read_file(path_of("%s/tables/tdags.csv", place), &size);
    assert_string_equal(csv, file);
    free(csv);
    free(file);
    struct table tdags = table_read(path_of("%s/tables/tdags.csv", place));
    struct table unlocks = table_read(path_of("%s/tables/unlocks.csv", place));
    for (size_t row = 0; row < tdags.rows; row++) {
        size_t of_signature = 0;
        for (size_t u = 0; u < unlocks.rows; u++)
            of_signature += strcmp(table_get(&unlocks, u, "dag"), table_get(&tdags, row, "dag")) == 0 &&
                            strcmp(table_get(&unlocks, u, "unlock"), "signature") == 0;
        char *page = web_body(&web, "/core-0.19/tdag/%s", table_get(&tdags, row, "dag"));
        assert_well_formed(page);
        const char *cell = path_of("<th scope=\"row\">signature</th><td class=\"n\">%zu</td>", of_signature);
        assert_int_equal(strstr(page, cell) != NULL, of_signature > 0);
        assert_int_equal(strstr(page, "<th scope=\"row\">signature</th>") != NULL, of_signature > 0);
        free(page);
    }
    table_free(&unlocks);
    table_free(&tdags);
}

/* What outputs show is in the store; what spenders showed, and how, is not. */
static void without_blk_files_outputs_are_left(void **state)
{
    (void)state;
    struct run run = unktx_expect(3, "ties --store %s/gone --rules core-0.19 -o %s/gone-ties", place, place);
    run_free(&run);
    char *page = web_body(&gone, "/core-0.19/groups");
    assert_well_formed(page);
    assert_non_null(strstr(page, "The blk files are not there"));
    free(page);
    struct table groups = table_read(path_of("%s/gone-ties/groups.csv", place));
    assert_int_equal(rows_of(&gone, "/core-0.19/groups", "Groups"), on_page(groups.rows));
    table_free(&groups);
    web_expect(&gone, 404, "/core-0.19/tdags.csv?unlocks=yes");
    page = web_body(&gone, "/core-0.19/tdags");
    assert_null(strstr(page, "unlocks=yes"));
    free(page);
}

/* Of a pruned file as many inputs are left out as `ties` says. */
static void what_a_pruned_file_takes_is_said(void **state)
{
    static const char said[] = "could not be read, and what they showed is left out: ";
    char datadir[512], left_out[200];
    (void)state;
    snprintf(datadir, sizeof datadir, "%s/part", place);
    copy_bundled_chain(datadir);
    unktx_ok("scan --quiet --datadir %s/part --store %s/part-store", place, place);
    assert_int_equal(unlink(path_of("%s/part/regtest/blocks/blk00003.dat", place)), 0);
    struct run run = unktx_expect(3, "ties --store %s/part-store --rules core-0.19 -o %s/part-ties", place, place);
    const char *number = strstr(run.err, said);
    assert_non_null(number);
    unsigned long inputs = strtoul(number + strlen(said), NULL, 10);
    assert_in_range(inputs, 1, 999);
    snprintf(left_out, sizeof left_out, "%s%lu.", said, inputs);
    run_free(&run);
    struct web part = web_start("--store %s/part-store", place);
    static const char *const targets[] = {"/core-0.19/groups", "/core-0.19/tdag/1"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char *page = web_body(&part, "%s", targets[i]), *whole = web_body(&web, "%s", targets[i]);
        assert_well_formed(page);
        assert_non_null(strstr(page, left_out));
        assert_null(strstr(whole, said));
        free(page);
        free(whole);
    }
    assert_int_equal(web_stop(&part), 130);
}

static void what_is_none_is_said(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
    } cases[] = {
        {"/core-0.19/group/", 404},
        {"/core-0.19/group/zz", 404},
        {"/core-0.19/group/ffffffffffffff", 404},
        {"/core-0.19/key/", 404},
        {"/core-0.19/key/02", 404},
        {"/core-0.19/key/0200000000000000000000000000000000000000000000000000000000000000ff", 404},
        {"/core-0.19/key/02zz0000000000", 404},
        {"/core-0.19/hash/..", 404},
        {"/core-0.19/preimage/%00", 400},
        {"/core-0.19/tdags?group=zz", 400},
        {"/core-0.19/tdags?group=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", 400},
        {"/core-0.19/tdags?group=ffff", 200},
        {"/core-0.19/tdags.csv?unlocks=no", 400},
        {"/core-0.19/groups?page=99999999999999999999", 200},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        web_expect(&web, cases[i].status, "%s", cases[i].target);
    char target[1800];
    int size = snprintf(target, sizeof target, "/core-0.19/preimage/");
    memset(target + size, 'a', sizeof target - (size_t)size - 1);
    target[sizeof target - 1] = '\0';
    web_expect(&web, 404, "%s", target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_those_of_the_table),      cmocka_unit_test(what_ties_has_a_page),
        cmocka_unit_test(a_key_is_found_in_both_forms),       cmocka_unit_test(tdags_tell_their_unlocks),
        cmocka_unit_test(without_blk_files_outputs_are_left), cmocka_unit_test(what_is_none_is_said),
        cmocka_unit_test(groups_of_one_name_are_told_apart),  cmocka_unit_test(what_a_pruned_file_takes_is_said),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
