/* Libraries that are loaded when they are first used. The C library's own mathematics stand for one that is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "parser/library.h"

#define FUNCTIONS(F) F(root, sqrt) F(power, pow)
#define LACKING(F) F(root, sqrt) F(other, unktx_is_no_function)

extern double unktx_is_no_function(double);

static const char *const names[] = {FUNCTIONS(LIBRARY_NAME)};
static const char *const lacking_names[] = {LACKING(LIBRARY_NAME)};

static void test_functions(void **state)
{
    (void)state;
    static struct {
        FUNCTIONS(LIBRARY_MEMBER)
    } first, again;
    const struct library library = {.name = "mathematics", .file = "libm.so.6", .names = names, .count = 2};
    struct fault fault = {0};
    assert_int_equal(library_load(&library, &first, &fault), STATUS_OK);
    assert_int_equal(library_load(&library, &again, &fault), STATUS_OK);
    assert_true(first.root(49) == 7 && first.power(2, 10) == 1024);
    assert_true(first.root == again.root && first.power == again.power);
}

static void test_not_there(void **state)
{
    (void)state;
    static struct {
        LACKING(LIBRARY_MEMBER)
    } functions;
    const struct library none = {.name = "graphs", .file = "libunktx-none.so.7", .names = names, .count = 2};
    const struct library digit = {.name = "graphs", .file = "libunktx2.so.7", .names = names, .count = 2};
    const struct library lacking = {.name = "mathematics", .file = "libm.so.6", .names = lacking_names, .count = 2};
    struct fault fault = {0};
    assert_int_equal(library_load(&none, &functions, &fault), STATUS_RESOURCES);
    assert_non_null(strstr(fault.text, "graphs cannot be loaded"));
    assert_non_null(strstr(fault.text, "libunktx-none.so.7"));
    assert_non_null(strstr(fault.text, "; install it (Debian: libunktx-none7)"));
    assert_int_equal(library_load(&digit, &functions, &fault), STATUS_RESOURCES);
    assert_non_null(strstr(fault.text, "; install it (Debian: libunktx2-7)"));
    assert_int_equal(library_load(&lacking, &functions, &fault), STATUS_RESOURCES);
    assert_non_null(strstr(fault.text, "unktx_is_no_function"));
    assert_non_null(strstr(fault.text, "of another release: install it again (Debian: libm6)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_functions), cmocka_unit_test(test_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
