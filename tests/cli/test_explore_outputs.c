/* explore: templates and protocols with their outputs and T-DAGs are those of templates.csv and outputs.csv; which
 * filters there are. */
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

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

static char *place;
static struct web web;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", place);
    unktx_ok("templates --store %s/store --rules core-22 -o %s/templates.csv", place, place);
    unktx_ok("outputs --store %s/store --rules core-22 -o %s/outputs.csv", place, place);
    web = web_start("--store %s/store", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int status = web_stop(&web);
    remove_tree(place);
    free(place);
    return status == 130 ? 0 : -1;
}

static const char *encoded(const char *text)
{
    static char out[2000];
    char *p = out;
    for (; *text; text++)
        p += sprintf(p, isalnum((unsigned char)*text) || strchr("-._~", *text) ? "%c" : "%%%02X", (unsigned char)*text);
    return out;
}

/* As an option and an address have it. */
static const char *template_of(const struct table *table, size_t row)
{
    const char *name = table_get(table, row, "template");
    return *name ? name : "\"\"";
}

static void templates_are_those_of_the_table(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/templates.csv", place));
    assert_true(table.rows > 5);
    char *page = web_body(&web, "/core-22/templates");
    assert_well_formed(page);
    const char *at = page;
    for (size_t row = 0; row < table.rows && row < 50; row++) {
        const char *name = template_of(&table, row), *kind = table_get(&table, row, "kind");
        at = strstr(at, path_of("/core-22/template?kind=%s&amp;template=%s\"", kind, encoded(name)));
        if (!at)
            fail_msg("no row of %s (%s), or not in its order", name, kind);
        char *one = web_body(&web, "/core-22/template?kind=%s&template=%s", kind, encoded(name));
        assert_well_formed(one);
        char *begin = strstr(one, "<caption>Its outputs"), *end = strstr(begin, "</tbody>");
        *end = '\0';
        size_t outputs = strtoul(table_get(&table, row, "outputs"), NULL, 10);
        assert_int_equal(count_of(begin, "<tr><th scope=\"row\">"), outputs < 50 ? outputs : 50);
        free(one);
    }
    free(page);
    table_free(&table);
}

/* An address out of an attribute. */
static const char *address_at(const char *at)
{
    static char out[2000];
    char *p = out;
    for (; *at != '"' && p < out + sizeof out - 1; at += strncmp(at, "&amp;", 5) == 0 ? 5 : 1)
        *p++ = *at;
    *p = '\0';
    return out;
}

/* The cell of T-DAGs, the second number of the row at `at`, against the list that it leads to; one without T-DAGs leads
 * nowhere, and the list of the same template and kind is empty. */
static void compare_cell(const char *at)
{
    static const char cell[] = "<td class=\"n\">", link[] = "<a href=\"", of_template[] = "/core-22/template?";
    const char *own = strstr(at, of_template), *number = strstr(strstr(at, cell) + 1, cell) + strlen(cell);
    bool leads = strncmp(number, link, strlen(link)) == 0;
    const char *target = leads ? address_at(number + strlen(link))
                               : path_of("/core-22/tdags?%s", address_at(own + strlen(of_template)));
    char *list = web_body(&web, "%s", target);
    number = leads ? strstr(number, "\">") + strlen("\">") : number;
    const char *total = path_of("<p>%.*s of ", (int)strcspn(number, "<"), number);
    assert_true(leads != (*number == '0'));
    if (!strstr(list, total))
        fail_msg("%s: no \"%s\"", target, total);
    free(list);
}

/* On all pages of the table. */
static void counts_are_those_of_the_lists(void **state)
{
    static const char mark[] = "<tr><th scope=\"row\" class=\"script\">";
    (void)state;
    struct table table = table_read(path_of("%s/templates.csv", place));
    size_t seen = 0;
    for (unsigned number = 1; number <= (table.rows + 49) / 50; number++) {
        char *page = web_body(&web, "/core-22/templates?page=%u", number);
        for (const char *at = page; (at = strstr(at, mark)); at += strlen(mark), seen++)
            compare_cell(at);
        free(page);
    }
    assert_int_equal(seen, table.rows);
    table_free(&table);
}

/* How many T-DAGs the outputs have that are of the kind; NULL: of any. */
static size_t count_dags(const struct table *outputs, const char *kind)
{
    size_t count = 0;
    const char **seen = calloc(outputs->rows + 1, sizeof *seen);
    assert_non_null(seen);
    for (size_t row = 0; row < outputs->rows; row++) {
        const char *dag = table_get(outputs, row, "dag");
        bool is_new = *dag && (!kind || strcmp(table_get(outputs, row, "kind"), kind) == 0);
        for (size_t i = 0; i < count && is_new; i++)
            is_new = strcmp(seen[i], dag) != 0;
        if (is_new)
            seen[count++] = dag;
    }
    free(seen);
    return count;
}

static void compare_list(const char *template, const char *kind, size_t dags)
{
    char *csv = web_body(&web, "/core-22/tdags.csv?kind=%s&template=%s", kind, encoded(template));
    assert_int_equal(count_of(csv, "\n"), 1 + dags);
    free(csv);
}

/* T-DAGs with an output of the template, and of the kind too: by the command, and in the list. */
static void a_template_leads_to_its_tdags(void **state)
{
    (void)state;
    struct table templates = table_read(path_of("%s/templates.csv", place));
    size_t seen = 0, of_two_kinds = 0;
    for (size_t row = 0; row < templates.rows; row++) {
        const char *template = template_of(&templates, row), *kind = table_get(&templates, row, "kind");
        struct run run = shell("%s outputs --store %s/store --rules core-22 '--template=%s' >%s/some.csv", unktx_path(),
                               place, template, place);
        if (run.exit_status != 0)
            fail_msg("%s: %s", template, run.err);
        run_free(&run);
        struct table some = table_read(path_of("%s/some.csv", place));
        size_t all = count_dags(&some, NULL), of_kind = count_dags(&some, kind);
        compare_list(template, "", all);
        compare_list(template, kind, of_kind);
        of_two_kinds += of_kind < all;
        seen += all;
        table_free(&some);
    }
    assert_true(seen > 10 && of_two_kinds >= 4);
    table_free(&templates);
}

static void a_kind_leads_to_its_tdags(void **state)
{
    static const char *const kinds[] = {"nonstandard", "pubkey", "multisig"};
    (void)state;
    struct table outputs = table_read(path_of("%s/outputs.csv", place));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *csv = web_body(&web, "/core-22/tdags.csv?kind=%s", kinds[i]);
        size_t dags = count_dags(&outputs, kinds[i]);
        assert_true(dags > 3);
        assert_int_equal(count_of(csv, "\n"), 1 + dags);
        free(csv);
    }
    table_free(&outputs);
}

static void protocols_are_those_of_the_outputs(void **state)
{
    static const char *const names[] = {"data-keys", "key-burn"};
    (void)state;
    struct table table = table_read(path_of("%s/outputs.csv", place));
    char *page = web_body(&web, "/core-22/protocols");
    assert_well_formed(page);
    assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), sizeof names / sizeof *names);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t outputs = 0;
        for (size_t row = 0; row < table.rows; row++)
            outputs += strcmp(table_get(&table, row, "protocol"), names[i]) == 0;
        assert_true(outputs > 0);
        assert_non_null(strstr(page, path_of("<a href=\"/core-22/protocol/%s\">%s</a></th><td class=\"n\">%zu</td>",
                                             names[i], names[i], outputs)));
        unktx_ok("outputs --store %s/store --rules core-22 --protocol %s -o %s/some.csv", place, names[i], place);
        struct table some = table_read(path_of("%s/some.csv", place));
        char *csv = web_body(&web, "/core-22/tdags.csv?protocol=%s", names[i]);
        assert_int_equal(count_of(csv, "\n"), 1 + count_dags(&some, NULL));
        free(csv);
        table_free(&some);
        char *one = web_body(&web, "/core-22/protocol/%s", names[i]);
        assert_well_formed(one);
        free(one);
    }
    free(page);
    table_free(&table);
}

static void search_finds_templates(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/templates.csv", place));
    const char *name = table_get(&table, 1, "template");
    struct answer answer = web_get(&web, "/core-22/search?q=%s", encoded(name));
    assert_non_null(strstr(answer.status == 302 ? answer.head : answer.body, "/core-22/template?"));
    answer_free(&answer);
    table_free(&table);
    char *none = web_body(&web, "/core-22/search?q=abcdef1");
    assert_non_null(strstr(none, "of a key, a preimage, a script or a hash in one the first 8 digits"));
    free(none);
    answer = web_get(&web, "/core-22/search?q=key-b");
    assert_int_equal(answer.status, 302);
    assert_non_null(strstr(answer.head, "Location: /core-22/protocol/key-burn\r\n"));
    answer_free(&answer);
    web_expect(&web, 302, "/core-22/search?q=KEY-B");
    answer = web_get(&web, "/core-22/search?q=op_hash160");
    assert_non_null(strstr(answer.status == 302 ? answer.head : answer.body, "/core-22/template?"));
    answer_free(&answer);
}

/* Scripts and keys of some outputs, as `unktx find` finds them. */
static void outputs_are_found_by_what_they_have(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/outputs.csv", place));
    size_t seen = 0;
    for (size_t row = 0; row < table.rows && seen < 8; row += 23) {
        char word[3000];
        snprintf(word, sizeof word, "%s", table_get(&table, row, "script_hex"));
        size_t size = strlen(word);
        if (strcmp(table_get(&table, row, "kind"), "pubkey") == 0) { /* the key alone */
            memmove(word, word + 2, size - 4);
            word[size - 4] = '\0';
        }
        if (strlen(word) < 8 || strlen(word) > 1500)
            continue;
        struct run run = unktx_expect(0, "find --store %s/store --rules core-22 --format csv %s", place, word);
        size_t found = count_of(run.out, "\noutput,");
        run_free(&run);
        assert_true(found > 0);
        char *page = web_body(&web, "/core-22/outputs?with=%s", word);
        assert_well_formed(page);
        assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), found < 50 ? found : 50);
        free(page);
        struct answer answer = web_get(&web, "/core-22/search?q=%s", word);
        assert_non_null(strstr(answer.status == 302 ? answer.head : answer.body, "/core-22/outputs?with="));
        answer_free(&answer);
        seen++;
    }
    assert_true(seen == 8);
    table_free(&table);
}

/* The outputs that the page of a word lists, and the page that a search of the word ends at. */
static char *page_of_beginning(const char *word, size_t expected)
{
    char *page = web_body(&web, "/core-22/outputs?with=%s", word);
    assert_well_formed(page);
    assert_int_equal(count_of(page, "<tr><th scope=\"row\">"), expected < 50 ? expected : 50);
    struct answer answer = web_get(&web, "/core-22/search?q=%s", word);
    if (!strstr(answer.status == 302 ? answer.head : answer.body,
                expected == 1 ? "/core-22/" : "/core-22/outputs?with="))
        fail_msg("%s is not found: %u", word, answer.status);
    answer_free(&answer);
    return page;
}

/* All outputs with a script that begins so, by the table of all scripts. */
static void scripts_are_found_by_their_beginning(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/outputs.csv", place));
    size_t seen = 0;
    for (size_t row = 0; row < table.rows; row += 29) {
        const char *script = table_get(&table, row, "script_hex");
        char word[16];
        if (strlen(script) < 20)
            continue;
        snprintf(word, sizeof word, "%.*s", seen % 2 == 0 ? 13 : 15, script); /* no whole bytes */
        size_t begun = 0;
        for (size_t other = 0; other < table.rows; other++)
            begun += strncmp(table_get(&table, other, "script_hex"), word, strlen(word)) == 0;
        for (char *p = word; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        free(page_of_beginning(word, begun));
        seen++;
    }
    assert_true(seen > 5);
    table_free(&table);
}

/* The addresses of keys that outputs show, by the table of keys. */
static void addresses_are_found_by_their_beginning(void **state)
{
    static const char *const views[] = {"p2pkh", "p2sh_p2wpkh", "p2wpkh", "p2tr"};
    (void)state;
    unktx_ok("keys --store %s/store --rules core-22 -o %s/keys.csv", place, place);
    struct table table = table_read(path_of("%s/keys.csv", place));
    size_t seen = 0;
    for (size_t row = 0; row < table.rows && seen < 4; row += 11) {
        const char *address = table_get(&table, row, views[seen % 4]);
        if (!*address || strcmp(table_get(&table, row, "role"), "scriptSig") == 0)
            continue;
        char word[24];
        snprintf(word, sizeof word, "%.*s", seen % 4 < 2 ? 12 : 17, address); /* long enough for one address */
        struct run run = unktx_expect(0, "find --store %s/store --rules core-22 --format csv %s", place, address);
        char *page = page_of_beginning(word, count_of(run.out, "\noutput,"));
        assert_non_null(strstr(page, path_of("/core-22/outputs?with=%s\">%s</a>", address, address)));
        run_free(&run);
        free(page);
        struct answer answer = web_get(&web, "/core-22/search?q=%s", word);
        assert_int_equal(answer.status, 302);
        assert_non_null(strstr(answer.head, path_of("Location: /core-22/outputs?with=%s\r\n", address)));
        answer_free(&answer);
        seen++;
    }
    assert_true(seen == 4);
    table_free(&table);
}

/* A beginning that many addresses have, several of one output among them: each is listed with all its outputs. */
static void each_address_of_a_beginning_is_counted(void **state)
{
    static const char link[] = "/core-22/outputs?with=";
    (void)state;
    char *page = web_body(&web, "/core-22/search?q=bcrt1q");
    size_t seen = 0;
    for (const char *at = page; (at = strstr(at, link)) && seen < 6; seen++) {
        char address[100];
        at += strlen(link);
        snprintf(address, sizeof address, "%.*s", (int)strcspn(at, "\""), at);
        struct run run = unktx_expect(0, "find --store %s/store --rules core-22 --format csv %s", place, address);
        const char *count = strstr(at, ": ");
        assert_non_null(count);
        assert_int_equal(strtoul(count + 2, NULL, 10), count_of(run.out, "\noutput,"));
        run_free(&run);
    }
    assert_int_equal(seen, 6);
    free(page);
}

static void what_is_none_is_refused(void **state)
{
    static const struct {
        unsigned status;
        const char *target;
    } targets[] = {{404, "/core-22/template"},
                   {404, "/core-22/template?kind=pubkey&template=%3Cscript%3Ealert(1)%3C/script%3E"},
                   {404, "/core-22/outputs"},
                   {404, "/core-22/outputs?with=%3Cscript%3E"},
                   {404, "/core-22/outputs?with=1234567"},
                   {200, "/core-22/outputs?with=123456789"},
                   {404, "/core-22/outputs?with=1BoatSLRHtKNngkdXEeobR76b53LETtpyT0"},
                   {200, "/core-22/outputs?with=00112233445566778899"},
                   {404, "/core-22/protocol/"},
                   {404, "/core-22/protocol/nothing"},
                   {404, "/core-22/protocol/%3Cb%3E"},
                   {400, "/core-22/tdags?protocol=nothing"},
                   {400, "/core-22/tdags?kind=nothing"},
                   {400, "/core-22/tdags?kind=nulldata"},
                   {200, "/core-22/tdags?kind=pubkey&template=nothing"},
                   {200, "/core-22/tdags?template=nothing"},
                   {200, "/core-22/templates?kind=%3Cb%3E&sort=x&page=0"},
                   {200, "/core-22/protocols?sort=%3Cb%3E"}};
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer answer = web_get(&web, "%s", targets[i].target);
        if (answer.status != targets[i].status)
            fail_msg("%s: %u, not %u", targets[i].target, answer.status, targets[i].status);
        assert_well_formed(answer.body);
        assert_null(strstr(answer.body, "<script>"));
        assert_null(strstr(answer.body, "<b>"));
        answer_free(&answer);
    }
}

/* One of two values would be taken unseen, and nothing moves less than a satoshi. */
static void what_is_not_whole_is_refused(void **state)
{
    static const char *const pages[] = {"tdags?height=3&height=4",
                                        "tdags.csv?height=3&height=3",
                                        "tdags?sort=nodes&family=chain&sort=edges",
                                        "tdags?moved_value_sat=0.000000001BTC",
                                        "tdags?moved_value_sat=0.123456789..1BTC",
                                        "classes?family=chain&family=fan-in",
                                        "templates?kind=multisig&kind=nonstandard",
                                        "search?q=ab&q=cd"};
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct answer answer = web_get(&web, "/core-22/%s", pages[i]);
        if (answer.status != 400)
            fail_msg("%s: %u", pages[i], answer.status);
        answer_free(&answer);
    }
    char *page = web_body(&web, "/core-22/tdags?height=&height=3&height=&family=chain&family=fan-in");
    free(page);
    page = web_body(&web, "/core-22/tdags?moved_value_sat=0.5000000000BTC..");
    free(page);
}

/* As the man page says, which names those that are none. */
static void columns_of_numbers_are_filters(void **state)
{
    (void)state;
    struct run json = unktx_expect(0, "columns json tdags");
    size_t filters = 0, others = 0;
    for (const char *at = json.out; (at = strstr(at, "{\"name\": \"")) != NULL; at++) {
        char name[64];
        assert_int_equal(sscanf(at, "{\"name\": \"%63[a-z_]\", \"type\": \"%*[a-z]", name), 1);
        if (!strstr(at, "\"type\": \"") || strncmp(strstr(at, "\"type\": \"") + 9, "string", 6) == 0)
            continue;
        bool is_none = strncmp(name, "unlock_", 7) == 0 || strcmp(name, "fee_sat") == 0 ||
                       strcmp(name, "payer_value_sat") == 0;
        struct answer answer = web_get(&web, "/core-22/tdags?%s=0..", name);
        if (answer.status != (is_none ? 400 : 200))
            fail_msg("%s: %u", name, answer.status);
        answer_free(&answer);
        filters += !is_none;
        others += is_none;
    }
    run_free(&json);
    assert_int_equal(others, 9);
    assert_true(filters > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_are_those_of_the_table),
        cmocka_unit_test(a_template_leads_to_its_tdags),
        cmocka_unit_test(a_kind_leads_to_its_tdags),
        cmocka_unit_test(counts_are_those_of_the_lists),
        cmocka_unit_test(protocols_are_those_of_the_outputs),
        cmocka_unit_test(search_finds_templates),
        cmocka_unit_test(outputs_are_found_by_what_they_have),
        cmocka_unit_test(scripts_are_found_by_their_beginning),
        cmocka_unit_test(addresses_are_found_by_their_beginning),
        cmocka_unit_test(each_address_of_a_beginning_is_counted),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(columns_of_numbers_are_filters),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
