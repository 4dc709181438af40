/* The command line: what it accepts, what it refuses, its exit statuses and where its output goes. The small chain is
 * genesis alone (tests/fixtures/genesis); what tables say of larger chains is test_truth's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/run.h"

static const char *const commands[] = {"analyze", "scan",  "dags", "outputs", "stats", "templates", "show", "check",
                                       "blocks",  "index", "tx",   "travel",  "dump",  "flows",     "find", "compare"};
#define COMMANDS (sizeof commands / sizeof *commands)

/* A folder with a store of the genesis chain, made once. */
struct place {
    char *dir;
    char store[512];
};

static int set_up(void **state)
{
    static struct place place;
    place.dir = temp_dir();
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    unktx_ok("scan --quiet --datadir tests/fixtures/genesis/regtest --store %s", place.store);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    remove_tree(place->dir);
    free(place->dir);
    return 0;
}

/* Runs, and both exit status and a part of stdout or stderr must be as said. */
static void expect(int status, const char *part_of_out, const char *part_of_err, const char *line)
{
    struct run run = unktx("%s", line);
    if (run.exit_status != status || (part_of_out && !strstr(run.out, part_of_out)) ||
        (part_of_err && !strstr(run.err, part_of_err)))
        fail_msg("unktx %s\nexit status %d, expected %d\nstdout: %s\nstderr: %s", line, run.exit_status, status,
                 run.out, run.err);
    run_free(&run);
}

static void test_help(void **state)
{
    (void)state;
    expect(0, "Usage: unktx COMMAND", NULL, "--help");
    expect(0, "Usage: unktx COMMAND", NULL, "-h");
    for (size_t i = 0; i < COMMANDS; i++) {
        char line[64], usage[64];
        snprintf(usage, sizeof usage, "Usage: unktx %s", commands[i]);
        snprintf(line, sizeof line, "%s --help", commands[i]);
        expect(0, usage, NULL, line);
        snprintf(line, sizeof line, "%s -h", commands[i]);
        expect(0, usage, NULL, line);
        expect(0, commands[i], NULL, "--help");
    }
    expect(0, "Usage: unktx scan", NULL, "scan --threads 2 --help");
}

/* 80 columns where it goes to no terminal. Each character of help is ASCII. */
static void test_help_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i <= COMMANDS; i++) {
        struct run run = i < COMMANDS ? unktx_expect(0, "help %s", commands[i]) : unktx_expect(0, "help");
        for (char *rest, *line = strtok_r(run.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            if (strlen(line) > 80)
                fail_msg("a line of help is longer than 80 columns: %s", line);
        }
        run_free(&run);
    }
}

/* A terminal's lines are as wide as it is, messages too; what a message gives to be copied stays whole. */
static void test_lines_fit_terminal(void **state)
{
    (void)state;
    struct run found = shell("command -v script");
    bool has_script = found.exit_status == 0;
    run_free(&found);
    if (!has_script) {
        print_message("skipped: there is no script(1)\n");
        skip();
    }
    struct run run = shell("script -qefc 'stty cols 60; $UNKTX show what-is-no-txid' /dev/null </dev/null");
    assert_non_null(strstr(run.out, "what-is-no-txid"));
    assert_null(strstr(run.out, "(its first hexadecimal digits, at least 4) nor TXID:VOUT"));
    for (char *rest, *line = strtok_r(run.out, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
        assert_true(strlen(line) <= 60);
    run_free(&run);
}

static void test_version(void **state)
{
    (void)state;
    expect(0, "unktx ", NULL, "--version");
    expect(0, "unktx ", NULL, "scan --version");
}

static const struct {
    const char *line;
    const char *message;
} usage_errors[] = {
    {"", "no command"},
    {"scam", "did you mean 'scan'?"},
    {"dag", "did you mean 'dags'?"},
    {"scna", "did you mean 'scan'?"},
    {"cehck", "did you mean 'check'?"},
    {"xyzzy", "unknown command 'xyzzy'"},
    {"--store x outputs", "unknown option '--store' before the command"},
    {"scan --thread 2", "did you mean --threads?"},
    {"scan --xyzzy", "unknown option --xyzzy"},
    {"scan -x", "unknown option -x"},
    {"scan --threads 0", "--threads"},
    {"scan --threads 257", "--threads"},
    {"scan --threads=", "--threads"},
    {"scan --threads -1", "--threads"},
    {"scan --threads 1x", "--threads"},
    {"scan --threads 99999999999999999999", "--threads"},
    {"scan --threads", "needs a value"},
    {"scan --to-height 4294967295", "--to-height"},
    {"scan --quiet=yes", "takes no value"},
    {"scan --help=3", "--help takes no value"},
    {"scan --chain moon", "none of main|testnet3"},
    {"scan --nulldata keep", "none of count|store"},
    {"scan --tip 00", "--tip"},
    {"scan here", "unexpected operand 'here'"},
    {"scan -- --quiet", "unexpected operand '--quiet'"},
    {"dags --rules core-21", "none of core-0.18"},
    {"dags --rules core-0.1", "none of core-0.18"},
    {"dags --rules core-0.18|core-0.19", "none of core-0.18"},
    {"stats --by week", "none of total"},
    {"outputs -o", "needs a value"},
    {"outputs --output=", "empty"},
    {"show", "name one thing"},
    {"show --dag 0", "--dag"},
    {"show abc", "neither TXID"},
    {"show 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b:", "neither TXID"},
    {"show 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b:x", "neither TXID"},
    {"show 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b --dag 1", "name one thing"},
    {"show 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b --format dot", "--dag only"},
    {"blocks", "missing operand"},
};

static void test_usage_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof usage_errors / sizeof *usage_errors; i++) {
        struct run run = unktx("%s", usage_errors[i].line);
        if (run.exit_status != 2 || !strstr(run.err, usage_errors[i].message) || !strstr(run.err, "--help") ||
            run.out_size != 0)
            fail_msg("unktx %s: exit status %d, stdout: %s, stderr: %s", usage_errors[i].line, run.exit_status, run.out,
                     run.err);
        run_free(&run);
    }
}

static void test_failures(void **state)
{
    const struct place *place = *state;
    char line[1024];
    expect(1, NULL, "/nonexistent", "outputs --store /nonexistent/store");
    expect(1, NULL, "/nonexistent", "scan --datadir /nonexistent/node --store /nonexistent/store");
    snprintf(line, sizeof line, "outputs --store %s -o /nonexistent/folder/outputs.csv", place->store);
    expect(1, NULL, "/nonexistent/folder/outputs.csv", line);
    snprintf(line, sizeof line, "dags --store %s --exclude-scripts /nonexistent/patterns -o %s/d", place->store,
             place->dir);
    expect(1, NULL, "/nonexistent/patterns", line);
    snprintf(line, sizeof line, "show --store %s %064d", place->store, 0);
    expect(1, NULL, "no such transaction", line);
    snprintf(line, sizeof line, "show --store %s --dag 1", place->store);
    expect(1, NULL, "no T-DAG 1", line);
}

/* The genesis coinbase pays 50 coins to a public key (BIP 34 is younger); its txid is the same in every network. */
#define GENESIS_TXID "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
#define GENESIS_SCRIPT                                                                                                 \
    "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c38"         \
    "4df7ba0b8d578a4c702b6bf11d5fac"
#define OUTPUTS_HEADER                                                                                                 \
    "height,tx_index,txid,vout,value_sat,kind,script_hex,keys,keys_on_curve,spender_height,"                           \
    "spender_txid,spender_vin,time,dag,protocol,spendable,spendable_reason\n"

static void test_outputs(void **state)
{
    const struct place *place = *state;
    struct run run = unktx_expect(0, "outputs --store %s --rules core-22", place->store);
    assert_string_equal(run.out, OUTPUTS_HEADER "0,0," GENESIS_TXID ",0,5000000000,pubkey," GENESIS_SCRIPT
                                                ",1,1,,,,1296688602,,,yes,enough-keys\n");
    assert_string_equal(run.err, "");
    run_free(&run);
    run = unktx_expect(0, "outputs --store %s", place->store);
    assert_string_equal(run.out, OUTPUTS_HEADER);
    run_free(&run);
    run = unktx_expect(0, "outputs --store %s --nulldata", place->store);
    assert_non_null(strstr(run.err, "--nulldata count"));
    run_free(&run);
}

/* Options before and after operands, both ways to give a value, the last of two, and --. */
static void test_option_forms(void **state)
{
    const struct place *place = *state;
    static const char *const forms[] = {
        "show --store %s " GENESIS_TXID,      "show " GENESIS_TXID " --store %s",
        "show " GENESIS_TXID " --store=%s",   "show --store %s -- " GENESIS_TXID,
        "show --store %s -o- " GENESIS_TXID,  "show --store %s -o - " GENESIS_TXID,
        "show --store %s " GENESIS_TXID ":0", "show --threads 7 --store %s " GENESIS_TXID,
    };
    struct run first = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char line[1024], *at = line;
        const char *slot = strstr(forms[i], "%s");
        at += sprintf(at, "%.*s", (int)(slot - forms[i]), forms[i]);
        sprintf(at, "%s%s", place->store, slot + 2);
        struct run run = unktx_expect(0, "%s", line);
        assert_non_null(strstr(run.out, "50.00000000 BTC, pubkey, unknown in core-0.19, core-22"));
        if (i == 0) {
            first = run;
            continue;
        }
        assert_string_equal(run.out, first.out);
        run_free(&run);
    }
    run_free(&first);
}

static void test_show_no_such_output(void **state)
{
    const struct place *place = *state;
    struct run run = unktx_expect(1, "show --store %s " GENESIS_TXID ":1", place->store);
    assert_non_null(strstr(run.err, "has no output 1; how many it has: 1"));
    assert_string_equal(run.out, "");
    run_free(&run);
}

static void test_stats(void **state)
{
    const struct place *place = *state;
    static const struct {
        const char *by;
        const char *period;
    } cases[] = {{"total", "total"}, {"block", "0"}, {"day", "2011-02-02"}, {"month", "2011-02"}, {"year", "2011"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[256];
        struct run run = unktx_expect(0, "stats --store %s --by %s", place->store, cases[i].by);
        /* one pubkey output: unknown to 0.19 and 22, not to 0.18; the header's time is 1296688602 */
        snprintf(row, sizeof row, "\n%s,1,1,1,1,0,0,0,0,1,5000000000,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1\n",
                 cases[i].period);
        if (!strstr(run.out, row))
            fail_msg("--by %s: %s", cases[i].by, run.out);
        assert_int_equal(strncmp(run.out, "period,blocks,txs,inputs,outputs,nonstandard,nonstandard_sat,", 60), 0);
        run_free(&run);
    }
}

static void test_files_appear_whole(void **state)
{
    const struct place *place = *state;
    size_t size;
    unktx_ok("outputs --store %s --rules core-22 -o %s/outputs.csv", place->store, place->dir);
    char *text = read_file(path_of("%s/outputs.csv", place->dir), &size);
    assert_non_null(text);
    assert_int_equal(strncmp(text, OUTPUTS_HEADER, strlen(OUTPUTS_HEADER)), 0);
    free(text);
    assert_int_equal(symlink("outputs.csv", path_of("%s/link.csv", place->dir)), 0);
    unktx_ok("outputs --store %s -o %s/link.csv", place->store, place->dir);
    struct stat st;
    assert_int_equal(lstat(path_of("%s/link.csv", place->dir), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    text = read_file(path_of("%s/outputs.csv", place->dir), &size);
    assert_string_equal(text, OUTPUTS_HEADER);
    free(text);
    /* a device is written to, not replaced */
    unktx_ok("outputs --store %s -o /dev/null", place->store);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void test_dags_files(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"tdags.csv", "classes.csv", "txs.csv",
                                        "arcs.csv",  "leaves.csv",  "summary.json"};
    struct run run = unktx_expect(0, "dags --store %s -o %s/new/folder", place->store, place->dir);
    assert_non_null(strstr(run.out, "regtest to height 0, rules core-0.18"));
    run_free(&run);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(path_exists(path_of("%s/new/folder/%s", place->dir, names[i])));
    size_t size;
    char *json = read_file(path_of("%s/new/folder/summary.json", place->dir), &size);
    assert_non_null(strstr(json, "\"network\": \"regtest\""));
    assert_non_null(strstr(json, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"));
    free(json);
}

/* A full disk (/dev/full) is a failure that is told, a reader that leaves is none. */
static void test_stdout(void **state)
{
    const struct place *place = *state;
    char line[1024];
    snprintf(line, sizeof line, "%s outputs --store %s > /dev/full 2> /dev/null", unktx_path(), place->store);
    assert_int_equal(WEXITSTATUS(system(line)), 1);
    snprintf(line, sizeof line, "%s --help > /dev/full 2> /dev/null", unktx_path());
    assert_int_equal(WEXITSTATUS(system(line)), 1);
    snprintf(line, sizeof line,
             "(sleep 0.2; %s outputs --store %s 2> %s/err; echo $? > %s/status) | :; "
             "until [ -s %s/status ]; do sleep 0.1; done",
             unktx_path(), place->store, place->dir, place->dir, place->dir);
    assert_int_equal(system(line), 0);
    size_t size;
    char *text = read_file(path_of("%s/status", place->dir), &size);
    assert_non_null(text);
    assert_string_equal(text, "0\n");
    free(text);
    text = read_file(path_of("%s/err", place->dir), &size);
    assert_string_equal(text, "");
    free(text);
    snprintf(line, sizeof line, "%s outputs --store %s >&- 2> /dev/null", unktx_path(), place->store);
    assert_int_equal(WEXITSTATUS(system(line)), 1);
}

static void test_scan_output(void **state)
{
    const struct place *place = *state;
    struct run run = unktx_expect(0, "scan --datadir tests/fixtures/genesis/regtest --store %s", place->store);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "regtest: height 0, tip 0f9188f1"));
    run_free(&run);
    run = unktx_expect(0, "scan --quiet --datadir tests/fixtures/genesis/regtest --store %s", place->store);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
    run_free(&run);
}

static void test_check(void **state)
{
    const struct place *place = *state;
    struct run one = unktx_expect(0, "check --store %s --threads 1", place->store);
    struct run four = unktx_expect(0, "check --store %s --threads 4", place->store);
    assert_non_null(strstr(one.out, "\ndigest "));
    assert_non_null(strstr(one.out, "unknown_outputs 1\nspent 0\nunspent 1\n"));
    assert_string_equal(one.out, four.out);
    run_free(&one);
    run_free(&four);
}

static void test_analyze(void **state)
{
    const struct place *place = *state;
    static const char *const names[] = {"store", "tdags.csv", "outputs.csv", "stats.csv", "summary.json"};
    struct run run = unktx_expect(0, "analyze --datadir tests/fixtures/genesis/regtest -o %s/all", place->dir);
    assert_non_null(strstr(run.out, "regtest to height 0"));
    run_free(&run);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(path_exists(path_of("%s/all/%s", place->dir, names[i])));
}

/* Only who starts a web server needs the library of one. What is found under its name here is no library. */
static void test_library_not_there(void **state)
{
    const struct place *place = *state;
    make_dirs(path_of("%s/libraries", place->dir));
    for (unsigned release = 0; release < 40; release++) {
        write_file(path_of("%s/libraries/libmicrohttpd.so.%u", place->dir, release), "none", 4);
        write_file(path_of("%s/libraries/libigraph.so.%u", place->dir, release), "none", 4);
        write_file(path_of("%s/libraries/libsqlite3.so.%u", place->dir, release), "none", 4);
    }
    struct run run = shell("LD_LIBRARY_PATH=%s/libraries \"$UNKTX\" stats --store %s", place->dir, place->store);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    run = shell("LD_LIBRARY_PATH=%s/libraries \"$UNKTX\" explore --port 0 --store %s", place->dir, place->store);
    assert_int_equal(run.exit_status, 1);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "libmicrohttpd cannot be loaded"));
    assert_non_null(strstr(run.err, "too short; what is found under its name is damaged"));
    assert_non_null(strstr(run.err, "install it again (Debian: libmicrohttpd1"));
    run_free(&run);
    /* analyze draws after the scan, and says before it that it cannot */
    run = shell(
        "LD_LIBRARY_PATH=%s/libraries \"$UNKTX\" analyze --datadir tests/fixtures/genesis/regtest -o %s/undrawn",
        place->dir, place->dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "igraph cannot be loaded"));
    assert_null(strstr(run.err, "[1/3]"));
    assert_false(path_exists(path_of("%s/undrawn", place->dir)));
    run_free(&run);
    run = shell("LD_LIBRARY_PATH=%s/libraries \"$UNKTX\" report --store %s", place->dir, place->store);
    assert_int_equal(run.exit_status, 1);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "igraph cannot be loaded"));
    run_free(&run);
    run = shell("LD_LIBRARY_PATH=%s/libraries \"$UNKTX\" export sqlite --store %s -o %s/none.sqlite", place->dir,
                place->store, place->dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "SQLite cannot be loaded"));
    assert_non_null(strstr(run.err, "(Debian: libsqlite3-0"));
    assert_false(path_exists(path_of("%s/none.sqlite", place->dir)));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_fits),
        cmocka_unit_test(test_lines_fit_terminal),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_option_forms),
        cmocka_unit_test(test_show_no_such_output),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_files_appear_whole),
        cmocka_unit_test(test_dags_files),
        cmocka_unit_test(test_stdout),
        cmocka_unit_test(test_scan_output),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_analyze),
        cmocka_unit_test(test_library_not_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
