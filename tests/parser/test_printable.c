/* printable: what is UTF-8 is what the C library says, and what acts on a terminal is told apart from what is seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "parser/printable.h"

static void judge(const char *text, size_t size)
{
    mbstate_t state;
    wchar_t wide = 0;
    memset(&state, 0, sizeof state);
    size_t used = mbrtowc(&wide, text, size, &state);
    used = used == 0 ? 1 : used > size ? 0 : used;
    if ((wide >= 0xd800 && wide <= 0xdfff) || wide > 0x10ffff)
        used = 0; /* RFC 3629, section 3; libraries differ */
    if (utf8_size(text, size) != used)
        fail_msg("%02x %02x %02x of %zu", (unsigned char)text[0], (unsigned char)text[1], (unsigned char)text[2], size);
    if (used > 0 && iswcntrl((wint_t)wide) && printable_size(text, size) != 0)
        fail_msg("U+%04X is a control character", (unsigned)wide);
}

static void all_short_texts(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        print_message("skipped: there is no locale C.UTF-8 here\n");
        skip();
    }
    for (uint32_t n = 0; n < 1u << 24; n++) {
        char text[4] = {(char)(n >> 16), (char)(n >> 8), (char)n, 'x'};
        judge(text, 3);
        if ((n & 0xff) == 0)
            judge(text, 2);
        if ((n & 0xffff) == 0)
            judge(text, 1);
        if ((n >> 16) >= 0xf0 && (n & 0x3f) == 0) /* the third byte alone tells nothing new of four */
            for (unsigned last = 0; last < 256; last++) {
                text[3] = (char)last;
                judge(text, 4);
            }
    }
}

static void seen_and_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t shown;
    } cases[] = {
        {" ", 1},
        {"~", 1},
        {"a\x1b", 1},
        {"\x1b[2J", 0},
        {"\n", 0},
        {"\t", 0},
        {"\x7f", 0},
        {"\xc2\x80", 0}, /* U+0080 to U+009F: C1 */
        {"\xc2\x9b", 0},
        {"\xc2\x9f", 0},
        {"\xc2\xa0", 2},
        {"\xc3\xa9", 2},
        {"\xd8\x9c", 0},     /* U+061C, and so on: Bidi_Control of Unicode's PropList.txt */
        {"\xe2\x80\x8d", 3}, /* U+200D joins the parts of an emoji */
        {"\xe2\x80\x8e", 0},
        {"\xe2\x80\x8f", 0},
        {"\xe2\x80\xa8", 0}, /* U+2028, U+2029: line and paragraph separator */
        {"\xe2\x80\xaa", 0},
        {"\xe2\x80\xae", 0},
        {"\xe2\x80\xaf", 3},
        {"\xe2\x81\xa6", 0},
        {"\xe2\x81\xa9", 0},
        {"\xe2\x82\xbf", 3}, /* the sign of Bitcoin */
        {"\xf0\x9f\x98\x80", 4},
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xc0\xaf", 0},         /* not the shortest form */
        {"\xe2\x82", 0},         /* cut */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (printable_size(cases[i].text, strlen(cases[i].text)) != cases[i].shown)
            fail_msg("case %zu", i);
    assert_int_equal(printable_size("", 0), 0);
    assert_int_equal(printable_size("\0", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_short_texts), cmocka_unit_test(seen_and_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
