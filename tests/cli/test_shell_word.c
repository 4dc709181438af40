/* Words in a line to type: what a shell reads back is the word. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/output/text.h"
#include "tests/support/run.h"

static void test_shell(void **state)
{
    (void)state;
    static const char *const words[] = {
        "/home/a/.bitcoin", "",    "a b",      "it's", "'",         "''x'", "$HOME", "`id`", "a\\b", "*", "x\ny", "~",
        "\"quoted\"",       "a;b", "\xc3\xa9", "#",    "-o=a@b%c,d"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct text text = {0};
        assert_int_equal(text_word(&text, words[i]), 0);
        struct run run = shell("printf %%s %s", text.bytes);
        assert_int_equal(run.exit_status, 0);
        assert_string_equal(run.out, words[i]);
        run_free(&run);
        text_free(&text);
    }
}

/* In quotes only where it must be. */
static void test_plain(void **state)
{
    (void)state;
    struct text text = {0};
    assert_int_equal(text_word(&text, "/srv/node-1/data"), 0);
    assert_string_equal(text.bytes, "/srv/node-1/data");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shell), cmocka_unit_test(test_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
