/* explore: the commands that its pages print run as they stand, and tell of the same T-DAGs; and where pages lead that
 * other tests do not ask for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place;
static struct web web;    /* all of a chain, without an index */
static struct web linked; /* a part of it, with one */

/* One label that a shell must be told in quotes on every fourth T-DAG, and one on none. */
static void write_labels(void)
{
    unktx_ok("dags --no-unlocks --store %s/it's/store --rules core-22 -o %s/tables", place, place);
    struct table tdags = table_read(path_of("%s/tables/tdags.csv", place));
    FILE *file = fopen(path_of("%s/it's/labels.csv", place), "w");
    assert_non_null(file);
    fprintf(file, "address,label\nnobody,none\n");
    for (size_t row = 0; row < tdags.rows; row += 4)
        fprintf(file, "%s,it's <one>\n", table_get(&tdags, row, "dag"));
    fclose(file);
    table_free(&tdags);
}

/* The folder's name is one that a shell must be told in quotes. */
static int make(void **state)
{
    static const char mine[] = "any-drop\tnonstandard\tOP_DROP\t\tme\ta drop\n";
    (void)state;
    place = temp_dir();
    make_dirs(path_of("%s/it's", place));
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/it's/store", place);
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/it's/linked", place);
    unktx_ok("index --quiet --datadir " FIXTURE " --store %s/it's/linked", place);
    write_file(path_of("%s/it's/mine.tsv", place), mine, sizeof mine - 1);
    write_file(path_of("%s/it's/drop.txt", place), "OP_DROP\n", 8);
    write_labels();
    web = web_start("--store %s/it's/store --labels %s/it's/labels.csv", place, place);
    linked = web_start(
        "--store %s/it's/linked --to-height 240 --scripts %s/it's/mine.tsv --exclude-scripts %s/it's/drop.txt "
        "--labels %s/it's/labels.csv",
        place, place, place, place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int first = web_stop(&web), second = web_stop(&linked);
    remove_tree(place);
    free(place);
    return first == 130 && second == 130 ? 0 : -1;
}

/* ---- commands ---- */

/* The text of HTML up to `end`. */
static void take_text(char *out, const char *html, const char *end)
{
    static const char *const entities[][2] = {
        {"&#39;", "'"}, {"&quot;", "\""}, {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}};
    while (html < end) {
        size_t e = 0;
        while (e < 5 && strncmp(html, entities[e][0], strlen(entities[e][0])) != 0)
            e++;
        *out++ = e < 5 ? *entities[e][1] : *html;
        html += e < 5 ? strlen(entities[e][0]) : 1;
    }
    *out = '\0';
}

static void replace(char *text, const char *word, const char *with)
{
    char rest[4096], *at = strstr(text, word);
    if (!at)
        return;
    snprintf(rest, sizeof rest, "%s", at + strlen(word));
    sprintf(at, "%s%s", with, rest);
}

#define FOLDER "made"

/* Runs what the page prints; bit N of the result: a command of that name in `names`. */
static unsigned run_commands(const struct web *from, const char *target)
{
    static const char *const names[] = {"tx ", "dags", "flows", "templates", "show "};
    static const char head[] = "<code class=\"hash\">unktx ";
    unsigned seen = 0;
    char *page = web_body(from, "%s", target);
    for (const char *at = strstr(page, head); at; at = strstr(at + 1, head)) {
        char words[4096];
        const char *begin = at + sizeof head - 1;
        take_text(words, begin, strstr(begin, "</code>"));
        replace(words, " FOLDER", path_of(" %s/" FOLDER, place));
        remove_tree(path_of("%s/" FOLDER, place));
        struct run run = shell("exec \"$UNKTX\" %s", words);
        if (run.exit_status != 0)
            fail_msg("%s: unktx %s: %d: %s", target, words, run.exit_status, run.err);
        run_free(&run);
        for (unsigned n = 0; n < sizeof names / sizeof *names; n++)
            seen |= strncmp(words, names[n], strlen(names[n])) == 0 ? 1u << n : 0;
    }
    free(page);
    return seen;
}

/* Each command on the page of a T-DAG is of that one, or said to be of all. */
static void expect_scopes(const struct web *from, const char *dag)
{
    static const char of_all[] = ", of all T-DAGs: <code class=\"hash\">unktx ", head[] = "<code class=\"hash\">unktx ";
    char *page = web_body(from, "/core-22/tdag/%s", dag);
    size_t own = 0;
    for (const char *at = strstr(page, head); at; at = strstr(at + 1, head)) {
        const char *named = strstr(at, path_of(" --dag %s", dag));
        bool is_own = named && named < strstr(at, "</code>");
        own += is_own;
        assert_int_equal(strncmp(at - (sizeof of_all - sizeof head), of_all, sizeof of_all - 1) == 0, !is_own);
    }
    assert_true(own > 0);
    free(page);
}

/* The command chooses what the page does, or the page says what it lacks. */
static void expect_filtered(const struct web *from, const char *query, const char *lacks)
{
    char *csv = web_body(from, "/core-22/tdags.csv?%s", query), *page = web_body(from, "/core-22/tdags?%s", query);
    assert_int_equal(strstr(page, "It writes more T-DAGs than are here") != NULL, *lacks != 0);
    assert_non_null(strstr(page, lacks));
    write_file(path_of("%s/chosen.csv", place), csv, strlen(csv));
    assert_int_equal(run_commands(from, path_of("/core-22/tdags?%s", query)), 2);
    struct table chosen = table_read(path_of("%s/chosen.csv", place));
    struct table made = table_read(path_of("%s/" FOLDER "/tdags.csv", place));
    assert_true(chosen.rows > 0);
    assert_true(*lacks ? made.rows >= chosen.rows : made.rows == chosen.rows);
    for (size_t row = 0; row < made.rows && !*lacks && !strstr(query, "sort="); row++) {
        assert_string_equal(table_get(&made, row, "dag"), table_get(&chosen, row, "dag"));
        assert_string_equal(table_get(&made, row, "label"), table_get(&chosen, row, "label"));
    }
    table_free(&chosen);
    table_free(&made);
    free(csv);
    free(page);
}

/* The command of the known scripts' page writes as many T-DAGs with each script as the page says. */
static void expect_scripts(const struct web *from)
{
    static const char *const names[] = {"anyone-can-spend", "op-if", "puzzle-sha256"};
    char *page = web_body(from, "/core-0.19/scripts");
    assert_int_equal(run_commands(from, "/core-0.19/scripts"), 2);
    struct table made = table_read(path_of("%s/" FOLDER "/tdags.csv", place));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t count = 0;
        for (size_t row = 0; row < made.rows; row++)
            count += strstr(path_of(" %s ", table_get(&made, row, "scripts")), path_of(" %s ", names[i])) != NULL;
        assert_true(count > 1);
        assert_non_null(strstr(page, path_of(">%s</a></th><td class=\"n\">%zu</td>", names[i], count)));
    }
    table_free(&made);
    free(page);
}

/* Of the classes of one family the command writes these, and of the templates of one kind as many as the page has. */
static void expect_narrowed(const struct web *from)
{
    assert_int_equal(run_commands(from, "/core-22/classes?family=chain"), 2);
    struct table made = table_read(path_of("%s/" FOLDER "/classes.csv", place));
    assert_true(made.rows > 0);
    for (size_t row = 0; row < made.rows; row++)
        assert_string_equal(table_get(&made, row, "family"), "chain");
    table_free(&made);
    assert_int_equal(run_commands(from, "/core-22/classes?family=none-such"), 2);
    assert_int_equal(run_commands(from, "/core-22/templates?kind=none-such"), 8);
    assert_int_equal(run_commands(from, "/core-22/templates?kind=nonstandard"), 8);
    char *page = web_body(from, "/core-22/templates?kind=nonstandard");
    assert_non_null(strstr(page, "unktx templates --kind nonstandard --store "));
    free(page);
}

static void printed_commands_run(void **state)
{
    (void)state;
    struct table truth = table_read(FIXTURE "/truth/txs.csv");
    const char *coinbase = table_get(&truth, 1, "txid");
    for (unsigned i = 0; i < 2; i++) {
        const struct web *from = i == 0 ? &web : &linked;
        char *csv = web_body(from, "/core-22/tdags.csv");
        write_file(path_of("%s/tdags.csv", place), csv, strlen(csv));
        free(csv);
        struct table tdags = table_read(path_of("%s/tdags.csv", place));
        assert_true(tdags.rows > 5);
        assert_int_equal(run_commands(from, "/core-22/"), 2);
        assert_int_equal(run_commands(from, "/core-22/tdags"), 2);
        struct table same = table_read(path_of("%s/" FOLDER "/tdags.csv", place));
        assert_int_equal(same.rows, tdags.rows);
        table_free(&same);
        expect_filtered(from, "family=chain", "");
        expect_filtered(from, "height=2..&sort=nodes", "");
        expect_filtered(from, "nodes=3..&family=chain", "the filter nodes does");
        expect_filtered(from, "label=it%27s+%3Cone%3E", "");
        expect_filtered(from, "height=&family=chain&height=2..&family=", "");
        expect_filtered(from, "family=chain&family=fan-in", "the filter family does");
        expect_filtered(from, path_of("class=%.5s", table_get(&tdags, 0, "class_id")), "");
        expect_filtered(from, path_of("class=%.1s", table_get(&tdags, 0, "class_id")), "the filter class does");
        assert_int_equal(run_commands(from, "/core-22/classes"), 2);
        expect_narrowed(from);
        assert_int_equal(run_commands(from, "/core-22/labels"), 2);
        expect_scripts(from);
        for (size_t row = 0; row < tdags.rows; row += 5) {
            const char *dag = table_get(&tdags, row, "dag"), *txid = table_get(&tdags, row, "first_txid");
            assert_int_equal(run_commands(from, path_of("/core-22/tdag/%s", dag)), i == 0 ? 16 : 16 + 4);
            expect_scopes(from, dag);
            const char *class = table_get(&tdags, row, "class_id");
            assert_int_equal(run_commands(from, path_of("/core-22/class/%s", class)), 16);
            assert_int_equal(run_commands(from, path_of("/core-22/tx/%s", txid)), 16);
            assert_int_equal(run_commands(from, path_of("/core-22/tx/%s:0", txid)), 16);
        }
        table_free(&tdags);
    }
    assert_int_equal(run_commands(&linked, path_of("/core-22/tx/%s", coinbase)), 16);
    assert_int_equal(run_commands(&linked, "/core-22/block/100"), 1);
    assert_int_equal(run_commands(&web, "/core-22/block/100"), 0);
    table_free(&truth);
}

/* ---- what a command has beside the page's rows ---- */

/* Runs the command that the page prints after these words, into a table. */
static struct table table_of_command(const char *page, const char *scope)
{
    char words[4096];
    const char *at = strstr(page, path_of("%s: <code class=\"hash\">unktx ", scope));
    if (!at)
        fail_msg("no command%s on %s", scope, page);
    at = strstr(at, "unktx ") + strlen("unktx ");
    take_text(words, at, strstr(at, "</code>"));
    struct run run = shell("exec \"$UNKTX\" %s -o %s/rows.csv", words, place);
    if (run.exit_status != 0)
        fail_msg("unktx %s: %s", words, run.err);
    run_free(&run);
    return table_read(path_of("%s/rows.csv", place));
}

static size_t rows_of(const char *page)
{
    size_t rows = 0;
    for (const char *at = page; (at = strstr(at, "<tr><th scope=\"row\">")); at++)
        rows++;
    return rows;
}

/* Pages write a point in its compressed form. */
static bool is_same(const char *written, const char *thing)
{
    static const char odd[] = "13579bdf";
    if (strlen(written) != 130 || strlen(thing) != 66)
        return strcmp(written, thing) == 0;
    return strncmp(written + 2, thing + 2, 64) == 0 && (thing[1] == '3') == (strchr(odd, written[129]) != NULL);
}

/* How many T-DAGs and single outputs have it by the rows of the command, each place of it a row. */
static size_t count_members(const struct table *rows, const char *column, const char *thing)
{
    char *seen = calloc(1, 1), member[128];
    size_t count = 0, size = 1;
    for (size_t r = 0; r < rows->rows; r++) {
        if (!is_same(table_get(rows, r, column), thing))
            continue;
        const char *dag = table_get(rows, r, "dag");
        snprintf(member, sizeof member, " %s:%s ", *dag ? dag : table_get(rows, r, "txid"),
                 *dag ? "" : table_get(rows, r, "vout"));
        if (strstr(seen, member))
            continue;
        seen = realloc(seen, size += strlen(member));
        assert_non_null(seen);
        strcat(seen, member);
        count++;
    }
    free(seen);
    return count;
}

/* The page of each key and hash on the page of a T-DAG has a row for each that shares it by the command's table; `find`
 * has each output. Returns how many pages there were. */
static size_t expect_things(const char *kind, const char *column)
{
    char *ties = web_body(&web, "/core-0.18/tdag/4b35a2ab70f1259e"), address[256];
    size_t pages = 0;
    snprintf(address, sizeof address, "/core-0.18/%s/", kind);
    for (const char *at = ties; pages < 8 && (at = strstr(at, address)); at++) {
        char thing[512];
        snprintf(thing, sizeof thing, "%.*s", (int)strcspn(at + strlen(address), "\""), at + strlen(address));
        char *page = web_body(&web, "%s%s", address, thing);
        struct table rows = table_of_command(page,
                                             ", among those of all, each place that shows it and not the first of "
                                             "each T-DAG alone");
        size_t found = count_members(&rows, column, thing);
        if (found == 0 || found != rows_of(page))
            fail_msg("%s%s: rows %zu, of the command %zu", address, thing, rows_of(page), found);
        table_free(&rows);
        assert_non_null(strstr(page, path_of("an address of its key: <code class=\"hash\">unktx find %s ", thing)));
        free(page);
        pages++;
    }
    free(ties);
    return pages;
}

/* The protocols of a rule set's unknown outputs are a part of what the command counts. */
static void expect_protocols(void)
{
    char *page = web_body(&web, "/core-0.18/protocols");
    struct table rows = table_of_command(page, ", of all outputs of the chain, whatever the rule set, and by kind too");
    struct table outputs = {0};
    size_t all = 0;
    for (size_t r = 0; r < rows.rows; r++)
        if (strcmp(table_get(&rows, r, "protocol"), "data-keys") == 0)
            all += table_number(&rows, r, table_column(&rows, "outputs"));
    unktx_ok("outputs --protocol data-keys --rules core-0.18 --store %s/it's/store -o %s/some.csv", place, place);
    outputs = table_read(path_of("%s/some.csv", place));
    assert_non_null(strstr(page, path_of(">data-keys</a></th><td class=\"n\">%zu</td>", outputs.rows)));
    assert_true(outputs.rows > 0 && outputs.rows < all);
    table_free(&outputs);
    table_free(&rows);
    free(page);
}

static void commands_say_how_they_differ(void **state)
{
    (void)state;
    assert_true(expect_things("key", "key") > 1);
    assert_true(expect_things("hash", "hash") > 0);
    expect_protocols();
    static const char key[] = "/core-0.18/key/03dc89e34a90b481ac250aa3b7b3d6fd6c263a786c0b6d2c4a8edb71002b1262fa";
    static const char left_out[] = "not the first of each T-DAG alone, also in what --exclude-scripts leaves out: ";
    char *without = web_body(&web, "%s", key), *with = web_body(&linked, "%s", key);
    assert_null(strstr(without, left_out));
    assert_non_null(strstr(with, left_out));
    free(without);
    free(with);
}

/* ---- pagers and menus ---- */

/* Where no index has the other inputs, what they show is in the blk files all the same. */
static void all_inputs_are_within_reach(void **state)
{
    (void)state;
    size_t seen = 0;
    struct table txs = table_read(path_of("%s/tables/txs.csv", place));
    for (size_t row = 0; row < txs.rows; row++) {
        uint64_t inputs = table_number(&txs, row, table_column(&txs, "unknown_inputs")) +
                          table_number(&txs, row, table_column(&txs, "known_inputs"));
        if (inputs <= 50)
            continue;
        const char *txid = table_get(&txs, row, "txid");
        char *page = web_body(&web, "/core-22/tx/%s", txid), *scripts = strstr(page, "id=\"scripts\"");
        assert_well_formed(page);
        assert_non_null(scripts);
        assert_non_null(strstr(scripts, path_of("<li>page 1 of %u</li>", (unsigned)(inputs + 49) / 50)));
        assert_non_null(strstr(scripts, "?in=2\">next"));
        free(page);
        page = web_body(&web, "/core-22/tx/%s?in=2", txid);
        assert_non_null(strstr(page, "<li>input 50"));
        free(page);
        seen++;
    }
    assert_true(seen > 0);
    table_free(&txs);
}

static void a_lost_path_leads_to_the_start(void **state)
{
    (void)state;
    struct answer answer = web_get(&web, "/core-22/nothing/here");
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.body, "<li><a href=\"/core-0.19/\">core-0.19</a></li>"));
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_commands_run),
        cmocka_unit_test(commands_say_how_they_differ),
        cmocka_unit_test(all_inputs_are_within_reach),
        cmocka_unit_test(a_lost_path_leads_to_the_start),
    };
    return cmocka_run_group_tests_name("explore_commands", tests, make, clean);
}
