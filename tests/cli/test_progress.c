/* How far a command is, from several threads: a line with share, rate and time left, none where it is not wanted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/progress.h"
#include "parser/parallel.h"

#define ITEMS 100u

static void wait_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

static void add_some(void *context, unsigned worker, size_t item)
{
    (void)worker;
    if (item == ITEMS / 2)
        wait_ms(260); /* a line is due every 200 ms */
    progress_add(context, 1000);
}

/* What stderr gets, on a terminal or not, from four threads. */
static void count_up(bool terminal, bool quiet, const char *unit, char text[4096])
{
    FILE *file = tmpfile();
    struct progress_count count = {.stage = "rows", .total = ITEMS * 1000};
    int before = dup(STDERR_FILENO);
    assert_true(file && before >= 0);
    progress_begin(&count.progress, quiet);
    count.progress.terminal = terminal;
    count.progress.unit = unit;
    dup2(fileno(file), STDERR_FILENO);
    assert_int_equal(parallel_for(4, ITEMS, add_some, &count, NULL), STATUS_OK);
    wait_ms(210);
    progress_add(&count, 0);
    progress_end(&count.progress);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    text[fread(text, 1, 4095, file)] = '\0';
    fclose(file);
    assert_int_equal(count.done, ITEMS * 1000);
}

static void test_lines(void **state)
{
    (void)state;
    char text[4096];
    count_up(true, false, "rows", text);
    assert_non_null(strstr(text, "\rrows: 100.0 %, "));
    assert_non_null(strstr(text, " rows/s, 0 s left"));
    count_up(true, false, NULL, text);
    assert_non_null(strstr(text, " MB/s, 0 s left"));
    count_up(true, true, "rows", text);
    assert_string_equal(text, "");
    count_up(false, false, "rows", text); /* a line of its own, but not so early */
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
