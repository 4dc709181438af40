/* Which scripts anyone can spend: by hand, and by core_rules, a second reading of Core's rules, which runs each script
 * with the input that was found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/script.h"
#include "parser/spend_search.h"
#include "parser/spendable.h"

#include "tests/parser/hex.h"
#include "tests/parser/spend_choices.h"
#include "tests/parser/spend_scripts.h"
#include "tests/support/core_rules.h"

#define SCRIPT_ROOM 12000u

/* ---- a script from its words ---- */

static size_t put_push(const uint8_t *data, size_t size, uint8_t *out)
{
    size_t head = 0;
    if (size > 75)
        out[head++] = 0x4c;
    out[head++] = (uint8_t)size;
    memcpy(out + head, data, size);
    return head + size;
}

static size_t put_number(long number, uint8_t *out)
{
    uint8_t bytes[9];
    if (number >= -1 && number <= 16) {
        out[0] = (uint8_t)(number == 0 ? 0 : 0x50 + number);
        return 1;
    }
    return put_push(bytes, script_number_write(number, bytes), out);
}

static size_t put_operation(const char *name, uint8_t *out)
{
    char text[64];
    for (unsigned code = 0x50; code <= 0xb9; code++) {
        out[0] = (uint8_t)code;
        script_asm(out, 1, text);
        if (strcmp(text, name) == 0)
            return 1;
    }
    fail_msg("no operation %s", name);
    return 0;
}

static size_t put_word(char *word, uint8_t *out)
{
    uint8_t bytes[600];
    if (word[0] == '#')
        return from_hex(word + 1, out);
    if (word[0] == 'O')
        return put_operation(word, out);
    if (word[0] != '<')
        return put_number(strtol(word, NULL, 10), out);
    word[strlen(word) - 1] = '\0';
    return put_push(bytes, from_hex(word + 1, bytes), out);
}

static size_t assemble(const char *text, uint8_t out[SCRIPT_ROOM])
{
    char copy[1000], *rest = NULL;
    size_t size = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *star = strchr(word, '*');
        long times = star ? strtol(star + 1, NULL, 10) : 1;
        if (star)
            *star = '\0';
        for (size_t one = put_word(word, out + size); times-- > 0; size += one)
            memcpy(out + size + one, out + size, one);
    }
    return size;
}

/* ---- */

/* What was found is an input that spends it. */
static bool is_proved(const uint8_t *script, size_t size)
{
    static uint8_t spend[SCRIPT_SIZE_MAX];
    size_t spend_size;
    if (!spend_search(script, size, spend, &spend_size))
        return false;
    const char *why = core_refuses(spend, spend_size, script, size);
    if (why) {
        char text[256];
        script_template(script, size, text);
        fail_msg("%s: not spent by what was found: %s", text, why);
    }
    return true;
}

static void test_scripts(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_ROOM];
    size_t wrong = 0, anyone = 0;
    for (size_t i = 0; i < sizeof spend_scripts / sizeof *spend_scripts; i++) {
        size_t size = assemble(spend_scripts[i].script, script);
        char who = spend_scripts[i].who;
        bool can = script_anyone_can_spend(script, size);
        bool fails = script_always_fails(script, size);
        anyone += who == 'A';
        if (can == (who == 'A') && fails == (who == 'N') && can == is_proved(script, size))
            continue;
        wrong++;
        print_message("%s: %c, but anyone can spend it: %d, it always fails: %d\n", spend_scripts[i].script, who, can,
                      fails);
    }
    assert_int_equal(wrong, 0);
    assert_true(anyone >= 200);
}

static void test_choices(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_ROOM];
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof spend_choices / sizeof *spend_choices; i++) {
        size_t size = assemble(spend_choices[i], script);
        if (is_proved(script, size) && script_anyone_can_spend(script, size))
            continue;
        wrong++;
        print_message("%s: anyone can spend it\n", spend_choices[i]);
    }
    assert_int_equal(wrong, 0);
    assert_true(sizeof spend_choices / sizeof *spend_choices >= 120);
}

static const char *const anyone_can_spend[] =
    {
        "", /* the spender pushes a true item */
        "51",         "60",         "4f",         "0101",         "02008051",   "61",         "b9",
        "6161",       "04deadbeef", "4c0101",     "7551",         "6d51",       "74",         "76",
        "6951",       "000000ae51", "0000ae",     "000000ae",     "000051ae",   "ae",         "5151ae",
        "a35387", /* OP_MIN 3 OP_EQUAL, of the paper's section V.E */
        "87",         "935787",     "5387",       "8851",         "91",         "0091",       "9c",
        "5151938791", "5152935387", "525193539c", "5352a4528791", "6351670068", "6300675168", "63ac675168",
        "0063ff6851", "6451670068", "517c75",     "005177",       "00636a6851",
};

static const char *const not_everyone_can_spend[] = {
    "00",
    "0100",
    "0180",
    "03000080",
    "5100",
    "007500",
    "6a",
    "516a",
    "50",
    "62",
    "89",
    "ba",
    "ff",
    "0069",
    "006951",
    "515287",
    "5191",
    "51529c",
    "51b1",
    "b251", /* time conditions */
    "ac",
    "515151ac",
    "ad51", /* signatures */
    "5163",
    "5167",
    "5168",
    "516351", /* unbalanced */
    "05",
    "5105",
    "4effffffff", /* truncated */
    "517e",
    "00637e6851",
    "0063656851",
    "00638d6851", /* invalid even where not taken */
    "51210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179851ae",
    "0118007cae0087", /* too many keys */
    "a914000102030405060708090a0b0c0d0e0f1011121387",
    "0015000102030405060708090a0b0c0d0e0f1011121314", /* version 0, wrong length: cannot be spent */
    "0014000102030405060708090a0b0c0d0e0f10111213",
};

static void test_bytes(void **state)
{
    (void)state;
    uint8_t script[1000];
    for (size_t i = 0; i < sizeof anyone_can_spend / sizeof *anyone_can_spend; i++) {
        size_t size = from_hex(anyone_can_spend[i], script);
        if (!script_anyone_can_spend(script, size) || !is_proved(script, size))
            fail_msg("%s: anyone can spend it", anyone_can_spend[i]);
    }
    for (size_t i = 0; i < sizeof not_everyone_can_spend / sizeof *not_everyone_can_spend; i++)
        if (script_anyone_can_spend(script, from_hex(not_everyone_can_spend[i], script)))
            fail_msg("%s: not everyone can spend it", not_everyone_can_spend[i]);
}

/* Core's limits: a script of 10,000 bytes, 201 operations, pushes of 520 bytes. */
static void test_limits(void **state)
{
    (void)state;
    static uint8_t script[10001];
    memset(script, 0x61, sizeof script);
    assert_true(script_anyone_can_spend(script, 201));
    assert_false(script_anyone_can_spend(script, 202));
    for (size_t push = 520; push <= 521; push++) {
        memset(script, 1, sizeof script);
        script[0] = 0x4d;
        script[1] = (uint8_t)push;
        script[2] = (uint8_t)(push >> 8);
        assert_int_equal(script_anyone_can_spend(script, 3 + push), push == 520);
    }
    for (size_t size = 10000; size <= 10001; size++) {
        size_t at = 0;
        while (at + 523 + 1 <= size) {
            script[at] = 0x4d;
            script[at + 1] = 0x03;
            script[at + 2] = 0x02; /* 515 bytes */
            script[at + 518] = 0x75;
            at += 519;
        }
        memset(script + at, 0x61, size - at);
        script[size - 1] = 0x51;
        assert_int_equal(script_anyone_can_spend(script, size), size == 10000);
    }
}

/* ---- scripts by chance ---- */

static uint32_t chance;

static uint32_t below(uint32_t n)
{
    chance ^= chance << 13;
    chance ^= chance >> 17;
    chance ^= chance << 5;
    return chance % n;
}

/* The pushes of `items` small items that are the n-th way to choose them; false after the last. */
static bool write_items(unsigned items, unsigned n, uint8_t *out, size_t *size)
{
    static const uint8_t choices[][3] = {{0x00}, {0x51}, {0x52}, {0x53}, {0x55}, {0x4f}, {1, 0x80}, {2, 0x05, 0x00}};
    *size = 0;
    for (; items > 0; items--, n /= 8) {
        const uint8_t *choice = choices[n % 8];
        size_t length = choice[0] <= 2 ? choice[0] + 1u : 1;
        memcpy(out + *size, choice, length);
        *size += length;
    }
    return n == 0;
}

/* Tries all of up to three small items. */
static bool spent_by_small_items(const uint8_t *script, size_t size)
{
    uint8_t shown[9];
    size_t shown_size;
    for (unsigned items = 0; items <= 3; items++)
        for (unsigned n = 0; write_items(items, n, shown, &shown_size); n++)
            if (!core_refuses(shown, shown_size, script, size))
                return true;
    return false;
}

/* Whatever is found is a spend; and of what three small items spend, next to nothing is missed. */
static void test_chance(void **state)
{
    (void)state;
    static const uint8_t codes[] = {0x00, 0x51, 0x52, 0x53, 0x55, 0x4f, 0x61, 0x63, 0x64, 0x67, 0x68, 0x69, 0x6b, 0x6c,
                                    0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
                                    0x7b, 0x7c, 0x7d, 0x82, 0x87, 0x88, 0x8b, 0x8c, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94,
                                    0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                    0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb1, 0xb2, 0xb3};
    unsigned found = 0, missed = 0;
    chance = 20261127;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t script[20];
        size_t size = 1 + below(sizeof script);
        for (size_t at = 0; at < size; at++)
            script[at] = codes[below(sizeof codes)];
        if (is_proved(script, size))
            found++;
        else
            missed += i % 4 == 0 && spent_by_small_items(script, size);
    }
    assert_true(found > 3000);
    assert_true(missed <= 2);
}

static void put_chance(const uint8_t *codes, unsigned count, uint8_t *script, size_t *size)
{
    script[(*size)++] = codes[below(count)];
}

/* Up to three conditions, each on what several operations on numbers have made of what is shown. */
static size_t write_conditions(uint8_t *script)
{
    static const uint8_t moves[] = {0x6e, 0x6f, 0x70, 0x76, 0x78, 0x7b, 0x7c, 0x7d};
    static const uint8_t makes[] = {0xa3, 0xa4, 0xa3, 0xa4, 0x93, 0x94, 0x90};
    static const uint8_t numbers[] = {0x4f, 0x00, 0x51, 0x53, 0x55, 0x59, 0x60};
    static const uint8_t compares[] = {0x9c, 0x87, 0x9f, 0xa0, 0xa1, 0xa2};
    size_t size = 0;
    for (unsigned left = 1 + below(3); left > 0; left--) {
        for (unsigned n = below(3); n > 0; n--)
            put_chance(moves, sizeof moves, script, &size);
        for (unsigned n = 1 + below(6); n > 0; n--) {
            if (below(6) == 0)
                put_chance(numbers, sizeof numbers, script, &size);
            put_chance(makes, sizeof makes, script, &size);
        }
        put_chance(numbers, sizeof numbers, script, &size);
        put_chance(compares, sizeof compares, script, &size);
        script[size] = 0x69;
        size += left > 1;
    }
    return size;
}

/* As test_chance, of scripts in which one choice follows the other. */
static void test_conditions(void **state)
{
    (void)state;
    unsigned found = 0, missed = 0;
    chance = 16281128;
    for (unsigned i = 0; i < 4000; i++) {
        uint8_t script[64];
        size_t size = write_conditions(script);
        if (is_proved(script, size))
            found++;
        else
            missed += spent_by_small_items(script, size);
    }
    print_message("found %u, missed %u\n", found, missed);
    assert_true(found > 3000);
    assert_true(missed <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts), cmocka_unit_test(test_choices), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_chance),  cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
