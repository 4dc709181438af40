/* date: each day from 1970 to 2400 by counting days, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/inputs/date.h"

#define DAY_S 86400u

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static void expect(const char *text, uint64_t begin_s, uint64_t days)
{
    uint64_t begin = 0, end = 0;
    assert_true(date_read(text, strlen(text), &begin, &end));
    assert_int_equal(begin, begin_s);
    assert_int_equal(end, begin_s + days * DAY_S);
}

static void every_day_is_read(void **state)
{
    uint64_t time_s = 0, begin, end;
    char text[32];
    (void)state;
    for (unsigned year = 1970; year <= 2400; year++) {
        uint64_t of_year = 0;
        for (unsigned month = 1; month <= 12; month++) {
            unsigned days = days_of_month(year, month);
            for (unsigned day = 1; day <= days; day++) {
                snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, day);
                expect(text, time_s + (of_year + day - 1) * DAY_S, 1);
            }
            snprintf(text, sizeof text, "%04u-%02u-%02u", year, month, days + 1);
            assert_false(date_read(text, strlen(text), &begin, &end));
            snprintf(text, sizeof text, "%04u-%02u", year, month);
            expect(text, time_s + of_year * DAY_S, days);
            of_year += days;
        }
        snprintf(text, sizeof text, "%04u", year);
        expect(text, time_s, of_year);
        time_s += of_year * DAY_S;
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const texts[] = {"",         "1",       "201",        "20140219",   "2014-",       "2014-1",
                                        "2014-13",  "2014-00", "2014-02-00", "2014-02-9",  "2014-02-29-", "2012-02-31",
                                        "2014-2-9", "1969",    "+014-02-19", "2014-02-1x", "2014-02-190", "2014/02/19"};
    uint64_t begin, end;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(date_read(texts[i], strlen(texts[i]), &begin, &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_read),
        cmocka_unit_test(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
