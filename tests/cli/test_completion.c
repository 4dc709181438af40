/* unktx completion: what each shell is given has every command and option of the tables, and bash completes with it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "tests/support/run.h"

static char *folder;
static char *texts[3];
static const char *const shells[3] = {"bash", "zsh", "fish"};

static bool has_shell(const char *name)
{
    struct run run = shell("command -v %s", name);
    bool has = run.exit_status == 0;
    run_free(&run);
    if (!has)
        print_message("%s is not here: only the text of its completion is looked at\n", name);
    return has;
}

/* What the shell prints for a script of its own. */
static char *ask(const char *name, const char *script)
{
    write_file(path_of("%s/ask", folder), script, strlen(script));
    struct run run = shell("cd %s && %s ask", folder, name);
    if (run.exit_status != 0 || run.err[0])
        fail_msg("%s: exit status %d: %s", name, run.exit_status, run.err);
    free(run.err);
    return run.out;
}

static void assert_has(const char *text, const char *word)
{
    if (!text || !strstr(text, word))
        fail_msg("no \"%s\" in: %.2000s", word, text ? text : "nothing");
}

/* The part of a text from one mark to the next. */
static char *part_of(const char *text, const char *from, const char *to)
{
    const char *start = strstr(text, from);
    if (!start)
        fail_msg("no \"%s\"", from);
    const char *end = strstr(start + strlen(from), to);
    return strndup(start, end ? (size_t)(end - start) : strlen(start));
}

static void test_texts(void **state)
{
    (void)state;
    char mark[128];
    for (const struct command *const *c = commands; *c; c++) {
        snprintf(mark, sizeof mark, "\n    %s)\n", (*c)->name);
        char *zsh = part_of(texts[1], mark, ";;\n");
        for (const struct option *const *o = (*c)->options; *o; o++) {
            snprintf(mark, sizeof mark, "--%s%s", (*o)->name, (*o)->type == OPTION_FLAG ? "[" : "=");
            assert_has(zsh, mark);
            snprintf(mark, sizeof mark, "'__unktx_command %s' -l %s ", (*c)->name, (*o)->name);
            assert_has(texts[2], mark);
        }
        free(zsh);
        snprintf(mark, sizeof mark, " -a %s -d '", (*c)->name);
        assert_true((*c)->hidden == !strstr(texts[2], mark));
        snprintf(mark, sizeof mark, "            '%s:", (*c)->name);
        assert_true((*c)->hidden == !strstr(texts[1], mark));
    }
}

/* The words (one a line) that bash offers after `words`, whose last is what is being typed. */
static char *bash_offers(const char *words)
{
    char script[1024];
    snprintf(script, sizeof script,
             ". ./bash\nCOMP_WORDS=(%s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_unktx\n"
             "printf '%%s\\n' \"${COMPREPLY[@]}\"\n",
             words);
    return ask("bash --norc", script);
}

static void assert_offers(const char *words, const char *expected)
{
    char *offered = bash_offers(words);
    assert_string_equal(offered, expected);
    free(offered);
}

/* The words of a|b|c a line each. */
static void lines_of(char *out, const char *choices)
{
    sprintf(out, "%s\n", choices);
    for (; *out; out++)
        if (*out == '|')
            *out = '\n';
}

static void test_bash_tables(void **state)
{
    (void)state;
    char names[4096] = "", line[512], expected[512];
    if (!has_shell("bash"))
        skip();
    char *loaded = ask("bash --norc", ". ./bash && complete -p unktx");
    assert_string_equal(loaded, "complete -F _unktx unktx\n");
    free(loaded);
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->hidden)
            strcat(strcat(names, (*c)->name), "\n");
        char options[4096] = "";
        for (const struct option *const *o = (*c)->options; *o; o++)
            strcat(strcat(strcat(options, "--"), (*o)->name), "\n");
        strcat(options, "--help\n--version\n");
        snprintf(line, sizeof line, "unktx %s --", (*c)->name);
        assert_offers(line, options);
        for (const struct option *const *o = (*c)->options; *o; o++) {
            if ((*o)->type != OPTION_CHOICE)
                continue;
            lines_of(expected, (*o)->value);
            snprintf(line, sizeof line, "unktx %s --%s ''", (*c)->name, (*o)->name);
            assert_offers(line, expected);
        }
    }
    strcat(names, "--help\n--version\n");
    assert_offers("unktx ''", names);
}

static void test_bash_words(void **state)
{
    (void)state;
    if (!has_shell("bash"))
        skip();
    assert_offers("unktx da", "dags\n");
    assert_offers("unktx dags --rules core-2", "core-22\n");
    assert_offers("unktx dags --rules = core-0.1", "core-0.18\ncore-0.19\n");
    assert_offers("unktx dags --rules =", "core-0.18\ncore-0.19\ncore-22\nhidden\n");
    assert_offers("unktx dags --threads ''", "\n");
    assert_offers("unktx dags --family ch", "chain\n");
    assert_offers("unktx outputs --known puzzle-g", "puzzle-genesis\npuzzle-genesis-reversed\n");
    assert_offers("unktx templates --protocol o", "other\nomni\nop-return-80\nop-return-empty\nopen-assets\n");
    assert_offers("unktx nothing --", "\n");
    make_dirs(path_of("%s/data/sub", folder));
    write_file(path_of("%s/data/some", folder), "", 0);
    assert_offers("unktx dags --store data/s", "data/sub\n");
    assert_offers("unktx dags -o data/s", "data/sub\n");
    assert_offers("unktx dags --known-scripts data/so", "data/some\n");
    assert_offers("unktx blocks data/so", "data/some\n");
}

static void test_zsh_and_fish(void **state)
{
    (void)state;
    bool zsh = has_shell("zsh"), fish = has_shell("fish");
    if (!zsh && !fish)
        skip();
    if (zsh)
        free(ask("zsh -f", "zsh -n ./zsh\n"));
    if (!fish)
        return;
    char *offered = ask("fish --no-config",
                        "source ./fish\ncomplete -C 'unktx dags --rules '\ncomplete -C 'unktx da'\n");
    assert_has(offered, "core-0.19");
    assert_has(offered, "dags");
    free(offered);
}

static void test_usage(void **state)
{
    (void)state;
    struct run run = unktx_expect(2, "completion csh");
    assert_has(run.err, "none of bash, zsh, fish");
    run_free(&run);
    run = unktx_expect(0, "--help");
    assert_null(strstr(run.out, "completion"));
    run_free(&run);
}

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir();
    for (size_t i = 0; i < 3; i++) {
        struct run run = unktx_expect(0, "completion %s", shells[i]);
        write_file(path_of("%s/%s", folder, shells[i]), run.out, run.out_size);
        texts[i] = run.out;
        free(run.err);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        free(texts[i]);
    remove_tree(folder);
    free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),        cmocka_unit_test(test_bash_tables), cmocka_unit_test(test_bash_words),
        cmocka_unit_test(test_zsh_and_fish), cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
