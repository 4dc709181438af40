/* json: what cli/output/json.h tells of texts, and which texts it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/json.h"

struct seen {
    char text[4096]; /* "way=value " or "way='string' " for each */
};

static enum status see(void *context, const char *way, const char *value, bool is_string)
{
    struct seen *seen = context;
    size_t size = strlen(seen->text);
    snprintf(seen->text + size, sizeof seen->text - size, is_string ? "%s='%s' " : "%s=%s ", way, value);
    return STATUS_OK;
}

static enum status walk(const char *text, size_t size, struct seen *seen)
{
    struct fault fault = {0};
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    copy[size] = '\0';
    seen->text[0] = '\0';
    enum status status = json_walk(copy, size, "test", see, seen, &fault);
    free(copy);
    return status;
}

static void check(const char *text, const char *expected)
{
    struct seen seen;
    if (walk(text, strlen(text), &seen) != STATUS_OK)
        fail_msg("refused: %s", text);
    assert_string_equal(seen.text, expected);
}

static void test_values(void **state)
{
    (void)state;
    check("null", "=null ");
    check(" \"\" ", "='' ");
    check("{}", "");
    check("[ ]", "");
    check("{\"a\": {\"b\": [1, -2.5e3, {\"c\": true}]}, \"d\": \"x\"}", "a/b/*=1 a/b/*=-2.5e3 a/b/*/c=true d='x' ");
    check("{\n\t\"a\" :\r\n[ [ ] , false ] }", "a/*=false ");
}

/* Examples of RFC 8259 section 7, and characters of two, three and four bytes by The Unicode Standard's table 3-6. */
static void test_escapes(void **state)
{
    (void)state;
    check("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "='\"\\/\b\f\n\r\t' ");
    check("\"\\u0041\\u00e9\\u20AC\\uD834\\uDD1E\"", "='A\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e' ");
    check("{\"a\\\"b\": 1}", "a\"b=1 ");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",         "{",      "{\"a\"}", "{\"a\":}",  "{\"a\":1,}",         "[1",          "[1,]",
        "[1 2]",    "\"a",    "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",        "\"\\udc00\"", "\"\\u0000\"",
        "\"a\nb\"", "{a: 1}", "1 1",     "truth",     "\"\\ud800\\u0041\"", "]",           "{\"a\":1]",
    };
    struct seen seen;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (walk(texts[i], strlen(texts[i]), &seen) != STATUS_FORMAT)
            fail_msg("not refused: %s", texts[i]);
    }
    assert_int_equal(walk("[\"a\0b\"]", 7, &seen), STATUS_FORMAT);
    assert_int_equal(walk("1\0", 2, &seen), STATUS_FORMAT);
}

/* 16 groups in each other are walked, 17 are not. */
static void test_depth(void **state)
{
    (void)state;
    struct seen seen;
    assert_int_equal(walk("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 32, &seen), STATUS_OK);
    assert_int_equal(walk("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 34, &seen), STATUS_FORMAT);
}

/* A way too long for its place is cut, and those after it are whole again. */
static void test_long_way(void **state)
{
    (void)state;
    char text[1024];
    struct seen seen;
    snprintf(text, sizeof text, "{\"%0300d\": {\"b\": 1}, \"c\": 2}", 0);
    assert_int_equal(walk(text, strlen(text), &seen), STATUS_OK);
    assert_non_null(strstr(seen.text, " c=2 "));
    assert_true(strchr(seen.text, '=') - seen.text < JSON_WAY_SIZE);
}

/* Every beginning of a text ends in a refusal, without a byte read after it. */
static void test_cut(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": [\"\\ud834\\udd1e\", 1, true], \"b\": {\"c\": null}}";
    struct seen seen;
    for (size_t size = 0; size < sizeof text - 1; size++)
        assert_int_equal(walk(text, size, &seen), STATUS_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_escapes),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),  cmocka_unit_test(test_long_way), cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
