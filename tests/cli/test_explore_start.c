/* explore: before its store is loaded, pages say so and are no others; afterwards they are there. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/views/explore.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/store", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

/* The page as text, to be freed. */
static char *ask(struct explore *explore, const char *target, struct http_answer *answer)
{
    *answer = (struct http_answer){0};
    explore_answer(explore, target, answer);
    char *text = strndup(answer->body.size ? answer->body.bytes : "", answer->body.size);
    assert_non_null(text);
    text_free(&answer->body);
    return text;
}

static void pages_say_that_they_are_not_ready(void **state)
{
    static const char *const targets[] = {"/core-0.18/", "/core-22/search?q=ab"};
    static struct explore explore;
    char store[400];
    struct fault fault = {0};
    struct http_answer answer;
    (void)state;
    snprintf(store, sizeof store, "%s/store", place);
    const struct settings settings = {.store = store, .rules = RULES_CORE_0_18, .to_height = UINT32_MAX, .threads = 1};
    assert_int_equal(explore_open(&settings, &explore, &fault), STATUS_OK);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char *page = ask(&explore, targets[i], &answer);
        assert_int_equal(answer.status, 503);
        assert_true(answer.again);
        assert_well_formed(page);
        assert_non_null(strstr(page, "read the store: now"));
        free(page);
    }
    char *style = ask(&explore, "/style.css", &answer);
    assert_int_equal(answer.status, 200);
    free(style);
    assert_int_equal(explore_load(&explore, &fault), STATUS_OK);
    char *page = ask(&explore, "/core-0.18/", &answer);
    assert_int_equal(answer.status, 200);
    assert_false(answer.again);
    assert_non_null(strstr(page, "What was scanned"));
    free(page);
    page = ask(&explore, "/core-22/tdags", &answer);
    assert_int_equal(answer.status, 503);
    assert_true(answer.again);
    assert_well_formed(page);
    free(page);
    assert_int_equal(explore_load_others(&explore, &fault), STATUS_OK);
    page = ask(&explore, "/core-22/tdags", &answer);
    assert_int_equal(answer.status, 200);
    free(page);
    explore_close(&explore);
}

/* What cannot be opened is told before an address is printed. */
static void no_address_without_a_store(void **state)
{
    (void)state;
    struct run run = unktx_expect(1, "explore --port 0 --store %s/nothing", place);
    assert_string_equal(run.out, "");
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_say_that_they_are_not_ready),
        cmocka_unit_test(no_address_without_a_store),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
