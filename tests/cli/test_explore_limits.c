/* explore: what requests can hold at the same time is bounded: files of large T-DAGs, drawings that pages use, and what
 * outputs show. Pages are made in this process, so that each request ends when the test says so. */
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
#include "cli/views/explore_drawn.h"
#include "cli/views/explore_shown.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"

static char *place, store[300];
static struct settings settings;
static struct explore explore;
static uint32_t large[3], small;

/* Chains of that many transactions: two that are drawn by threads of their own, and one that may be. */
static int make(void **state)
{
    (void)state;
    place = temp_dir();
    snprintf(store, sizeof store, "%s/store", place);
    const struct gen_options options = {.dir = path_of("%s/node", place), .seed = 14};
    struct gen *gen = gen_open(&options);
    for (uint32_t i = 0; i < 3; i++)
        gen_plant(gen, plan_deep(EXPLORE_LARGE_TXS + 2 - i, 1));
    gen_plant(gen, plan_deep(EXPLORE_LARGE_TXS - 1, 1));
    gen_tdags(gen, 100);
    gen_close(gen);
    assert_int_equal(command_exit("scan --quiet --datadir %s/node --store %s", place, store), 0);
    settings = (struct settings){.store = store, .rules = RULES_CORE_22, .to_height = UINT32_MAX, .threads = 1};
    struct fault fault = {0};
    assert_int_equal(explore_open(&settings, &explore, &fault), STATUS_OK);
    assert_int_equal(explore_load(&explore, &fault), STATUS_OK);
    assert_int_equal(explore_load_others(&explore, &fault), STATUS_OK);
    const struct tdags *tdags = &explore.rules[RULES_CORE_22].tdags;
    for (uint32_t dag = 1, found = 0; dag <= tdags->count; dag++) {
        uint32_t txs = tdags->first[dag] - tdags->first[dag - 1];
        if (txs >= EXPLORE_LARGE_TXS)
            large[found++] = dag;
        else if (txs == EXPLORE_LARGE_TXS - 1)
            small = dag;
    }
    assert_true(large[2] > 0 && small > 0);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    explore_close(&explore);
    remove_tree(place);
    free(place);
    return 0;
}

static struct http_answer ask(uint32_t dag, const char *end)
{
    struct http_answer answer = {0};
    explore_answer(&explore, path_of("/core-22/tdag/%u.%s", (unsigned)dag, end), &answer);
    return answer;
}

/* The reader has left, or has all of it. */
static void leave(struct http_answer *answer)
{
    if (answer->end)
        answer->end(answer->context);
    text_free(&answer->body);
}

static void expect_wait(struct http_answer answer)
{
    assert_int_equal(answer.status, 503);
    assert_true(answer.again);
    assert_null(answer.part);
    assert_null(answer.end);
    assert_string_equal(answer.file, "");
    leave(&answer);
}

/* Whatever their formats: a third one waits until one of them has been sent, or its reader is gone. */
static void a_third_large_file_waits(void **state)
{
    static const char *const ends[] = {"graphml", "gexf", "dot"};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct http_answer first = ask(large[0], ends[i]), second = ask(large[1], ends[(i + 1) % 3]);
        assert_int_equal(first.status, 200);
        assert_int_equal(second.status, 200);
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
            expect_wait(ask(large[2], ends[e]));
        assert_int_equal(second.part(second.context, &second.body), STATUS_OK);
        expect_wait(ask(large[0], ends[i]));
        /* small ones and tables have room */
        struct http_answer other = ask(small, ends[i]), table = ask(large[2], "txs.csv");
        assert_int_equal(other.status, 200);
        assert_int_equal(table.status, 200);
        leave(&other);
        leave(&table);
        leave(&second); /* in the middle of it */
        struct http_answer third = ask(large[2], ends[i]);
        assert_int_equal(third.status, 200);
        expect_wait(ask(large[1], ends[i]));
        leave(&first);
        leave(&third);
    }
}

/* However long it takes to be made. */
static struct explore_drawn *draw(uint32_t dag)
{
    const struct drawing_scope scope = drawing_of_tdag(&explore.opened.forest, &explore.rules[RULES_CORE_22].tdags,
                                                       dag);
    struct explore_drawn *drawn = NULL;
    struct fault fault = {0};
    enum status status;
    while ((status = explore_drawn_get(&explore, dag, "", &scope, &drawn, &fault)) == STATUS_BUSY)
        ;
    assert_int_equal(status, STATUS_OK);
    return drawn;
}

static enum status try_to_draw(uint32_t dag)
{
    const struct drawing_scope scope = drawing_of_tdag(&explore.opened.forest, &explore.rules[RULES_CORE_22].tdags,
                                                       dag);
    struct explore_drawn *drawn = NULL;
    struct fault fault = {0};
    enum status status = explore_drawn_get(&explore, dag, "", &scope, &drawn, &fault);
    explore_drawn_leave(&explore, drawn);
    return status;
}

/* Drawings that pages use may take so much, and no more are made then. */
static void drawings_in_use_are_bounded(void **state)
{
    (void)state;
    struct explore_drawn *first = draw(large[0]);
    explore.drawn_bytes = 4u * EXPLORE_LARGE_TXS; /* a number of 4 bytes for each transaction, and what a drawing has */
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(try_to_draw(large[1]), STATUS_BUSY);
    assert_int_equal(try_to_draw(large[0]), STATUS_OK);
    struct explore_drawn *own = draw(small); /* the page's own */
    explore_drawn_leave(&explore, own);
    explore_drawn_leave(&explore, first);
    struct explore_drawn *second = draw(large[1]);
    assert_int_equal(try_to_draw(large[0]), STATUS_BUSY); /* it had to go */
    explore_drawn_leave(&explore, second);
    explore.drawn_bytes = EXPLORE_DRAWN_BYTES;
    first = draw(large[0]);
    second = draw(large[1]);
    struct explore_drawn *third = draw(large[2]);
    explore_drawn_leave(&explore, first);
    explore_drawn_leave(&explore, second);
    explore_drawn_leave(&explore, third);
}

/* However long it takes to be read. */
static struct http_answer ask_for(const char *target)
{
    struct http_answer answer = {0};
    explore_answer(&explore, target, &answer);
    while (answer.status == 503) {
        leave(&answer);
        answer = (struct http_answer){0};
        explore_answer(&explore, target, &answer);
    }
    assert_int_equal(answer.status, 200);
    return answer;
}

static bool is_kept(enum rules rules) { return explore.shown[rules] != NULL; }

static void ask_and_leave(const char *target)
{
    struct http_answer page = ask_for(target);
    leave(&page);
}

static void has_to_wait(const char *target)
{
    struct http_answer page = {0};
    explore_answer(&explore, target, &page);
    assert_int_equal(page.status, 503);
    leave(&page);
}

/* What is shown has no turn any more; asks until that is noticed. */
static void end_turn(const char *target)
{
    struct http_answer page = {0};
    pthread_mutex_lock(&explore.lock);
    explore.shown_turn_s = 0;
    pthread_mutex_unlock(&explore.lock);
    do {
        leave(&page);
        page = (struct http_answer){0};
        explore_answer(&explore, target, &page);
    } while (page.status == 200);
    assert_int_equal(page.status, 503);
    leave(&page);
}

/* Where it is too much to keep it of all, what outputs show is kept of one rule set: as long as somebody reads it, and
 * a while longer, but no longer than its turn. */
static void what_is_shown_goes_for_that_of_another(void **state)
{
    (void)state;
    explore.shown_bytes = 0;
    explore.shown_idle_s = explore.shown_turn_s = UINT64_MAX;
    ask_and_leave("/core-0.18/groups");
    has_to_wait("/core-22/groups");
    assert_true(is_kept(RULES_CORE_0_18)); /* it was asked for lately */
    explore.shown_idle_s = 0;
    struct http_answer csv = ask_for("/core-22/tdags.csv?unlocks=yes");
    assert_true(!is_kept(RULES_CORE_0_18) && is_kept(RULES_CORE_22));
    has_to_wait("/core-0.19/groups");
    assert_true(is_kept(RULES_CORE_22)); /* it is being read */
    ask_and_leave("/core-22/groups");
    end_turn("/core-22/groups"); /* only who has it goes on */
    assert_int_equal(csv.part(csv.context, &csv.body), STATUS_OK);
    leave(&csv);
    ask_and_leave("/core-0.19/groups");
    assert_true(!is_kept(RULES_CORE_22) && is_kept(RULES_CORE_0_19));
    explore.shown_idle_s = UINT64_MAX;
    ask_and_leave("/core-0.18/groups");
    assert_true(is_kept(RULES_CORE_0_18) && !is_kept(RULES_CORE_0_19)); /* its turn was over */
    explore.shown_bytes = EXPLORE_SHOWN_BYTES;
    ask_and_leave("/core-22/tdags?group=0123");
    assert_true(is_kept(RULES_CORE_0_18) && is_kept(RULES_CORE_22)); /* it is little */
}

/* More addresses than are looked for begin so: the number of those that were found is not that of all. */
static void a_search_says_where_it_ended(void **state)
{
    static const struct {
        const char *target;
        bool ends;
    } searches[] = {{"/core-22/search?q=bcrt1q", true}, {"/core-22/search?q=bcrt1qqq", false}};
    (void)state;
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
        struct http_answer page = ask_for(searches[i].target);
        assert_int_equal(text_printf(&page.body, "%c", '\0'), STATUS_OK);
        const char *found = strstr(page.body.bytes, "<p>Found: ");
        assert_non_null(found);
        found += strlen("<p>Found: ");
        assert_true(*found > '0');
        assert_int_equal(strncmp(found + strspn(found, "0123456789,"), " or more", 8) == 0, searches[i].ends);
        leave(&page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_large_file_waits),
        cmocka_unit_test(drawings_in_use_are_bounded),
        cmocka_unit_test(what_is_shown_goes_for_that_of_another),
        cmocka_unit_test(a_search_says_where_it_ended),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
