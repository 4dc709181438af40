/* folder: what lies in an output folder belongs together: datapackage.json against the files, what a second run does
 * with those of the first, and commands that read the store of a folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define NODE "tests/fixtures/regtest-xor"

/* dir has bare and indexed, two stores of the bundled chain */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " NODE " --store %s/bare", dir);
    unktx_ok("scan --quiet --datadir " NODE " --store %s/indexed", dir);
    unktx_ok("index --quiet --datadir " NODE " --store %s/indexed", dir);
    return 0;
}

static bool is_there(const char *folder, const char *name)
{
    return path_exists(path_of("%s/%s/%s", dir, folder, name));
}

/* stderr of a command line, which must end with that status and say that; freed. */
static void expect(int status, const char *said, const char *line)
{
    struct run run = unktx_expect(status, "%s", line);
    if (!strstr(run.err, said))
        fail_msg("%s\nsaid no \"%s\": %s", line, said, run.err);
    run_free(&run);
}

/* ---- what is written ---- */

/* In an empty folder: nothing appears, whatever is printed. */
static void test_nothing_without_output(void **state)
{
    (void)state;
    static const char *const lines[] = {"dags", "dags --top 3", "flows", "report", "templates", "stats", "outputs"};
    make_dirs(path_of("%s/empty", dir));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct run run = shell("u=$(realpath $UNKTX); cd %s/empty && $u %s --store ../indexed", dir, lines[i]);
        assert_int_equal(run.exit_status, 0);
        assert_true(run.out_size > 0);
        run_free(&run);
        run = shell("ls -A %s/empty", dir);
        assert_string_equal(run.out, "");
        run_free(&run);
    }
}

/* Twice each: the second run replaces the tables of the first, and dags says what has changed since. */
static void test_quiet(void **state)
{
    (void)state;
    static const char *const commands[] = {"dags", "flows", "ties"};
    for (size_t i = 0; i < 2 * (sizeof commands / sizeof *commands); i++) {
        const char *command = commands[i / 2];
        expect(0, path_of("written to %s/told-%s: ", dir, command),
               path_of("%s --store %s/indexed -o %s/told-%s", command, dir, dir, command));
        struct run run = unktx_expect(0, "%s --quiet --store %s/indexed -o %s/quiet-%s", command, dir, dir, command);
        assert_string_equal(run.err, "");
        run_free(&run);
    }
}

/* The sums of dags.csv's columns, though no table is written. */
static void test_flows_print_the_same(void **state)
{
    (void)state;
    struct run without = unktx_expect(0, "flows --store %s/indexed", dir);
    struct run with = unktx_expect(0, "flows --store %s/indexed -o %s/flows", dir, dir);
    assert_string_equal(without.out, with.out);
    assert_non_null(strstr(with.err, "payers.csv, payees.csv, datapackage.json"));
    run_free(&without);
    run_free(&with);
}

/* ---- the manifest ---- */

static void check_hash(const char *path, const char *hash)
{
    struct run run = shell("sha256sum < %s", path);
    assert_int_equal(strncmp(hash, "sha256:", 7), 0);
    assert_int_equal(strlen(hash), 7 + 64);
    assert_int_equal(strncmp(run.out, hash + 7, 64), 0);
    run_free(&run);
}

/* The next resource of the manifest against its file; returns whether it is a table. */
static bool check_resource(struct json *json, const char *folder)
{
    char path[4096], hash[128];
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, json_find(json, "path"));
    bool is_table = strcmp(json_find(json, "profile"), "tabular-data-resource") == 0;
    uint64_t bytes = json_find_number(json, "bytes");
    snprintf(hash, sizeof hash, "%s", json_find(json, "hash"));
    char *text = read_file(path, &size);
    assert_non_null(text);
    assert_int_equal(size, bytes);
    free(text);
    check_hash(path, hash);
    if (!is_table)
        return false;
    struct table table = table_read(path);
    assert_int_equal(json_find_number(json, "rows"), table.rows);
    for (size_t c = 0; c < table.columns; c++) {
        assert_string_equal(json_find(json, "name"), table.fields[c]);
        assert_non_null(strstr("integer number string boolean datetime", json_find(json, "type")));
        assert_true(strlen(json_find(json, "description")) > 5);
    }
    table_free(&table);
    return true;
}

static void check_origin(struct json *json, const char *rules, const char *compress, const char *index)
{
    struct run run = unktx_expect(0, "check --store %s/bare", dir);
    const char *tip = strstr(run.out, "\ntip ") + 5;
    assert_string_equal(json_find(json, "version"), "0.1.0");
    assert_string_equal(json_find(json, "network"), "regtest");
    assert_int_equal(strncmp(json_find(json, "hash"), tip, 64), 0);
    assert_int_equal(json_find_number(json, "height"), 260);
    assert_string_equal(json_find(json, "rules"), rules);
    assert_string_equal(json_find(json, "compress"), compress);
    assert_string_equal(json_find(json, "exclude_scripts"), "null");
    assert_string_equal(json_find(json, "nulldata"), "count");
    assert_string_equal(json_find(json, "index"), index);
    run_free(&run);
}

/* Every file of analyze's folder but the store is listed, once. */
static void test_manifest(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --index --rules core-22 --compress --datadir " NODE " -o %s/all", dir);
    struct json json = json_open(path_of("%s/all/datapackage.json", dir));
    check_origin(&json, "core-22", "true", "true");
    const char *folder = path_of("%s/all", dir);
    unsigned tables = 0;
    for (unsigned i = 0; i < 17; i++)
        tables += check_resource(&json, folder);
    assert_int_equal(tables, 15);
    while (json_next(&json))
        assert_string_not_equal(json.key, "path");
    json_close(&json);
    struct run run = shell("ls -A %s/all | wc -l", dir);
    assert_int_equal(atoi(run.out), 19); /* with the store and the manifest */
    run_free(&run);
}

/* The same input, the same bytes: for any number of threads, and a second time in the same folder. */
static void test_same_manifest(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        unktx_ok("dags --store %s/bare --threads 1 -o %s/one", dir, dir);
        unktx_ok("dags --store %s/bare --threads 4 -o %s/four", dir, dir);
    }
    assert_same_file(path_of("%s/one/datapackage.json", dir), path_of("%s/four/datapackage.json", dir));
}

static void test_filters_in_manifest(void **state)
{
    (void)state;
    write_file(path_of("%s/filter.txt", dir), "OP_DROP\n", 8);
    unktx_ok("dags --store %s/bare --exclude-scripts %s/filter.txt -o %s/filtered", dir, dir, dir);
    struct json json = json_open(path_of("%s/filtered/datapackage.json", dir));
    assert_string_equal(json_find(&json, "exclude_scripts"), "{");
    assert_string_equal(json_find(&json, "path"), path_of("%s/filter.txt", dir));
    check_hash(path_of("%s/filter.txt", dir), json_find(&json, "hash"));
    json_close(&json);
}

/* ---- a second run ---- */

/* What the manifest lists and the run does not make goes; a file of the user stays. */
static void test_removed(void **state)
{
    (void)state;
    unktx_ok("dags --store %s/indexed -o %s/second", dir, dir);
    write_file(path_of("%s/second/notes.csv", dir), "a\n", 2);
    assert_true(is_there("second", "payers.csv") && is_there("second", "payees.csv"));
    expect(0,
           "removed, since they are of the run before and this one does not make them: payers.csv, payees.csv (to keep "
           "such files, write into another folder)\n",
           path_of("dags --store %s/bare -o %s/second", dir, dir));
    assert_false(is_there("second", "payers.csv") || is_there("second", "payees.csv"));
    assert_true(is_there("second", "notes.csv") && is_there("second", "tdags.csv"));
}

/* Names that a run never writes are no names of its files, whatever a manifest says. */
static void test_hostile_manifest(void **state)
{
    (void)state;
    static const char manifest[] =
        "{\"unktx\": {\"rules\": \"core-0.18\"}, \"resources\": [{\"path\": \"../outside.csv\"}, {\"path\": \"sub\"},"
        "{\"path\": \"/etc/hostname\"}, {\"path\": \".hidden\"}, {\"path\": \"\"}, {\"path\": \"notes.csv\"}, "
        "{\"path\": \"payers.csv\"}]}";
    make_dirs(path_of("%s/hostile/sub", dir));
    write_file(path_of("%s/outside.csv", dir), "a\n", 2);
    write_file(path_of("%s/hostile/.hidden", dir), "a\n", 2);
    write_file(path_of("%s/hostile/notes.csv", dir), "a\n", 2);
    write_file(path_of("%s/hostile/payers.csv", dir), "a\n", 2);
    write_file(path_of("%s/hostile/datapackage.json", dir), manifest, sizeof manifest - 1);
    expect(1, "another network", path_of("dags --store %s/bare -o %s/hostile", dir, dir));
    unktx_ok("dags --replace --store %s/bare -o %s/hostile", dir, dir);
    assert_true(path_exists(path_of("%s/outside.csv", dir)) && is_there("hostile", "sub"));
    assert_true(is_there("hostile", ".hidden") && is_there("hostile", "notes.csv"));
    assert_false(is_there("hostile", "payers.csv"));
}

static void test_foreign_manifest(void **state)
{
    (void)state;
    static const char other[] = "{\"name\": \"mine\", \"resources\": []}";
    make_dirs(path_of("%s/foreign", dir));
    write_file(path_of("%s/foreign/datapackage.json", dir), other, sizeof other - 1);
    expect(1, "is of another program", path_of("dags --replace --store %s/bare -o %s/foreign", dir, dir));
    write_file(path_of("%s/foreign/datapackage.json", dir), "{\"na", 4);
    expect(1, "is no JSON", path_of("dags --replace --store %s/bare -o %s/foreign", dir, dir));
    assert_false(is_there("foreign", "tdags.csv"));
}

/* Each kind of difference is refused, changes nothing, and is replaced on demand. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"--rules core-22", "--compress", "--exclude-scripts @known",
                                         "--known-scripts %s/more.tsv"};
    static const char scripts[] = "mine\tnonstandard\tOP_NOP\t\tnone\ta test\n";
    static const char *const named[] = {"rule set", "--compress", "--exclude-scripts", "--known-scripts"};
    write_file(path_of("%s/more.tsv", dir), scripts, sizeof scripts - 1);
    for (size_t i = 0; i < 4; i++) {
        char other[4096], line[8192];
        snprintf(other, sizeof other, others[i], dir);
        unktx_ok("dags --replace --store %s/bare -o %s/refused", dir, dir);
        copy_file(path_of("%s/refused/tdags.csv", dir), path_of("%s/kept.csv", dir));
        snprintf(line, sizeof line, "dags --store %s/bare -o %s/refused %s", dir, dir, other);
        expect(1, named[i], line);
        expect(1, "--replace", line);
        assert_same_file(path_of("%s/refused/tdags.csv", dir), path_of("%s/kept.csv", dir));
        unktx_ok("%s --replace", line);
        unktx_ok("%s", line); /* it is the same now */
    }
}

static void test_analyze_refused(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/again", dir);
    expect(1, "another rule set", path_of("analyze --quiet --rules core-22 --datadir " NODE " -o %s/again", dir));
    unktx_ok("analyze --quiet --replace --rules core-22 --datadir " NODE " -o %s/again", dir);
}

/* The last file cannot be written: the tables of the run before stay, every one, and nothing else does. */
static void test_all_or_none(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/whole", dir);
    assert_int_equal(unlink(path_of("%s/whole/report.html", dir)), 0);
    make_dirs(path_of("%s/whole/report.html", dir));
    struct run before = shell("cd %s/whole && sha256sum *.csv *.json", dir);
    expect(1, "report.html", path_of("analyze --quiet --replace --rules core-22 --datadir " NODE " -o %s/whole", dir));
    struct run after = shell("cd %s/whole && sha256sum *.csv *.json", dir);
    assert_string_equal(before.out, after.out);
    run_free(&before);
    run_free(&after);
    struct run parts = shell("ls -A %s/whole | grep part", dir);
    assert_string_equal(parts.out, "");
    run_free(&parts);
}

/* ---- reading ---- */

/* The folder, the store in it, and unktx-out where one stands: always the folder's own rules. */
static void test_read(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --rules core-22 --datadir " NODE " -o %s/place/unktx-out", dir);
    struct run truth = unktx_expect(0, "show --store %s/bare --rules core-22 --dag 2", dir);
    static const char *const ways[] = {"--store %s/place/unktx-out", "--store %s/place/unktx-out/store"};
    for (size_t i = 0; i < 2; i++) {
        char way[4096];
        snprintf(way, sizeof way, ways[i], dir);
        struct run run = unktx_expect(0, "show --dag 2 %s", way);
        assert_string_equal(run.out, truth.out);
        assert_non_null(strstr(run.err, "as in the tables of"));
        assert_non_null(strstr(run.err, "/unktx-out: --rules core-22\n"));
        run_free(&run);
    }
    struct run run = shell("u=$(realpath $UNKTX); cd %s/place && $u show --dag 2", dir);
    assert_string_equal(run.out, truth.out);
    run_free(&run);
    run = shell("u=$(realpath $UNKTX); cd %s/place/unktx-out && $u show --dag 2 --store store", dir);
    assert_string_equal(run.out, truth.out);
    run_free(&run);
    run_free(&truth);
}

/* What the tables were not made with is not said to be theirs. */
static void expect_taken(const char *said, const char *line)
{
    struct run run = unktx_expect(0, "%s --store %s/taken", line, dir);
    if (!strstr(run.err, path_of("as in the tables of %s/taken: %s\n", dir, said)))
        fail_msg("%s said: %s", line, run.err);
    run_free(&run);
}

static void test_taken_alone(void **state)
{
    (void)state;
    char line[4096], said[4096];
    write_file(path_of("%s/none.txt", dir), "^OP_CHECKSIG 99$\n", 17);
    write_file(path_of("%s/own.tsv", dir), "# none\n", 7);
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/taken", dir);
    expect_taken("--rules core-0.18", "dags");
    expect_taken("--rules core-0.18; of the command line: --compress", "dags --compress");
    expect_taken("--rules core-0.18; of the command line: --compress", "show --compress --dag 1");
    snprintf(line, sizeof line, "report -o /dev/null --exclude-scripts %s/none.txt", dir);
    snprintf(said, sizeof said, "--rules core-0.18; of the command line: --exclude-scripts %s/none.txt", dir);
    expect_taken(said, line);
    snprintf(line, sizeof line, "dags --known-scripts %s/own.tsv", dir);
    snprintf(said, sizeof said, "--rules core-0.18; of the command line: --known-scripts %s/own.tsv", dir);
    expect_taken(said, line);
    unktx_ok("dags --replace --rules core-22 --compress --exclude-scripts %s/none.txt --store %s/taken -o %s/taken",
             dir, dir, dir);
    snprintf(said, sizeof said, "--rules core-22 --compress --exclude-scripts %s/none.txt", dir);
    expect_taken(said, "dags");
    expect_taken(said, "dags --compress");
    expect_taken("--rules core-22 --compress; of the command line: --exclude-scripts @known",
                 "dags --exclude-scripts @known");
}

/* A number for --dag is that of the row, whatever filter the tables were made with: as the row's first transaction is
 * answered. */
static void expect_rows(const char *filter, unsigned rows)
{
    unsigned apart = 0;
    unktx_ok("dags --replace --quiet --rules core-0.18 --store %s/taken %s -o %s/taken", dir, filter, dir);
    for (unsigned row = 1; row <= rows; row++) {
        struct run name = shell("awk -F, 'NR == 1 { while ($++c != \"first_txid\"); } NR == %u { print $c }' "
                                "%s/taken/tdags.csv",
                                row + 1, dir);
        name.out[strcspn(name.out, "\n")] = '\0';
        struct run named = unktx_expect(0, "outputs --store %s/taken --dag %s", dir, name.out);
        struct run numbered = unktx_expect(0, "outputs --store %s/taken --dag %u", dir, row);
        struct run plain = unktx_expect(0, "outputs --store %s/taken --rules core-0.18 --dag %u", dir, row);
        assert_string_equal(numbered.out, named.out);
        assert_non_null(strstr(numbered.err, "dag_id is another there, names are the same"));
        apart += strcmp(plain.out, named.out) != 0;
        run_free(&plain);
        run_free(&numbered);
        run_free(&named);
        run_free(&name);
    }
    assert_true(apart > 0);
    expect(1, "no T-DAG 99999: the tables there have", path_of("outputs --store %s/taken --dag 99999", dir));
}

static void test_rows_of_filtered_tables(void **state)
{
    (void)state;
    unktx_ok("analyze --replace --quiet --datadir " NODE " -o %s/taken", dir);
    expect_rows("--compress", 8);
    expect_rows("--exclude-scripts @known", 8);
    expect_rows("--compress --exclude-scripts @known", 8);
}

/* travel needs the rule set with --unknown alone, and then takes that of the tables. */
static void test_travel(void **state)
{
    (void)state;
    static const char txid[] = "25b8217b4b57f2a23218c3d05fa11de651a273ff0d849f80132ceae1a31dd0d0";
    unktx_ok("analyze --quiet --index --rules core-22 --datadir " NODE " -o %s/far", dir);
    struct run taken = unktx_expect(0, "travel --unknown --store %s/far %s", dir, txid);
    struct run named = unktx_expect(0, "travel --unknown --store %s/far --rules core-22 %s", dir, txid);
    struct run other = unktx_expect(0, "travel --unknown --store %s/far --rules core-0.18 %s", dir, txid);
    assert_string_equal(taken.out, named.out);
    assert_string_not_equal(taken.out, other.out);
    assert_non_null(strstr(taken.err, "as in the tables of "));
    struct run all = unktx_expect(0, "travel --store %s/far %s --depth 1", dir, txid);
    assert_string_equal(all.err, "");
    run_free(&all);
    run_free(&other);
    run_free(&named);
    run_free(&taken);
}

static void test_read_otherwise(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --rules core-22 --datadir " NODE " -o %s/other", dir);
    struct run truth = unktx_expect(0, "show --store %s/bare --dag 2", dir);
    struct run run = unktx_expect(0, "show --store %s/other --rules core-0.18 --dag 2", dir);
    assert_string_equal(run.out, truth.out);
    assert_non_null(strstr(run.err, "are of --rules core-22; this is of --rules core-0.18"));
    run_free(&run);
    run_free(&truth);
}

/* A filter is taken over as long as its file is what it was. */
static void test_read_filter(void **state)
{
    (void)state;
    write_file(path_of("%s/patterns.txt", dir), "OP_DROP\n", 8);
    unktx_ok("analyze --quiet --exclude-scripts %s/patterns.txt --datadir " NODE " -o %s/without", dir, dir);
    struct run truth = unktx_expect(0, "show --store %s/bare --exclude-scripts %s/patterns.txt --dag 5", dir, dir);
    struct run run = unktx_expect(0, "show --store %s/without --dag 5", dir);
    assert_string_equal(run.out, truth.out);
    run_free(&run);
    run_free(&truth);
    write_file(path_of("%s/patterns.txt", dir), "OP_2DROP\n", 9);
    expect(1, "is not the file that the tables", path_of("show --store %s/without --dag 5", dir));
    unktx_ok("show --store %s/without --rules core-0.18 --dag 5", dir);
}

/* ---- other rule sets ---- */

/* A chain with some hundred T-DAGs under core-0.18 has fewer under core-22: see the truth of the fixture. */
static void test_other_rules(void **state)
{
    (void)state;
    expect(1, "core-0.18 has 136: add --rules core-0.18",
           path_of("show --store %s/bare --rules core-22 --dag 100", dir));
    struct run run = unktx_expect(0, "dags --store %s/bare --rules core-22", dir);
    assert_null(strstr(run.err, "add --rules"));
    run_free(&run);
    /* most of the scripts, so that few T-DAGs are left */
    static const char patterns[] = "OP_[^C]\n^-?[0-9]*$\nVERIFY\n^[0-9a-f]* [0-9a-f]*$\n";
    write_file(path_of("%s/most.txt", dir), patterns, sizeof patterns - 1);
    unktx_ok("dags --store %s/bare --exclude-scripts %s/most.txt -o %s/few", dir, dir, dir);
    struct table dags = table_read(path_of("%s/few/tdags.csv", dir));
    char said[80];
    snprintf(said, sizeof said, "core-0.18 has %zu: add --rules core-0.18", dags.rows);
    expect(0, said, path_of("dags --store %s/bare --exclude-scripts %s/most.txt --rules core-22", dir, dir));
    table_free(&dags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_without_output),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_flows_print_the_same),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_same_manifest),
        cmocka_unit_test(test_filters_in_manifest),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_hostile_manifest),
        cmocka_unit_test(test_foreign_manifest),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_analyze_refused),
        cmocka_unit_test(test_all_or_none),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_taken_alone),
        cmocka_unit_test(test_rows_of_filtered_tables),
        cmocka_unit_test(test_travel),
        cmocka_unit_test(test_read_otherwise),
        cmocka_unit_test(test_read_filter),
        cmocka_unit_test(test_other_rules),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
