/* What the shipped list says of scripts that outputs hide: those of Lightning, swaps, multisig with time locks and tap
 * scripts, scripts that differ from them in one place, and where each counts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/graph/known_scripts.h"
#include "tests/parser/hex.h"

#define K "21021111111111111111111111111111111111111111111111111111111111111111"
#define H "142222222222222222222222222222222222222222"
#define X "202222222222222222222222222222222222222222222222222222222222222222"

static const struct {
    enum hidden_in in;
    const char *hex;
    const char *name; /* one of its names; "": none of those of this list */
} scripts[] = {
    {HIDDEN_P2WSH, "52" K K "52ae", "lightning-funding"},
    {HIDDEN_P2WSH, "63" K "67029000b275" K "68ac", "lightning-to-local"},
    {HIDDEN_P2WSH, "63" K "6756b275" K "68ac", "lightning-to-local"},
    {HIDDEN_P2WSH, K "ad51b2", "lightning-to-remote"},
    {HIDDEN_P2WSH, K "ac736460b268", "lightning-anchor"},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" K "7c820120876475527c" K "52ae67a9" H "88ac6868", "lightning-offered-htlc"},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" K "7c820120876475527c" K "52ae67a9" H "88ac6851b27568",
     "lightning-offered-htlc"},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" K "7c8201208763a9" H "88527c" K "52ae67750360ae0ab175ac6868",
     "lightning-received-htlc"},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" K "7c8201208763a9" H "88527c" K "52ae67750360ae0ab175ac6851b27568",
     "lightning-received-htlc"},
    {HIDDEN_P2WSH, "63a8" X "8876a9" H "670320a107b17576a9" H "6888ac", "htlc-key-hashes"},
    {HIDDEN_P2WSH, "6382012088a8" X "8876a9" H "670400105e5fb17576a9" H "6888ac", "htlc-key-hashes"},
    {HIDDEN_P2WSH, "a9" H "8763" K "670300350cb175" K "68ac", "swap-submarine"},
    {HIDDEN_P2WSH, "a9" H "8763" K "6756b175" K "68ac", "swap-submarine"},
    {HIDDEN_P2WSH, "8201208763a9" H "88" K "67750300350cb175" K "68ac", "swap-reverse"},
    {HIDDEN_P2WSH, K "ac6476a9" H "88ad0300350cb16782012088a9" H "8851b268", "swap-loop"},
    {HIDDEN_P2WSH, "03801a06b17552" K K K "53ae", "multisig-from-time"},
    {HIDDEN_P2WSH, "6352" K K K "53ae6702c00fb275" K "ac68", "multisig-or-time"},
    {HIDDEN_P2WSH, "6455" K K K K K K K K K "59670350cd00b27552" K K K "5368ae", "multisig-or-time"},
    {HIDDEN_P2WSH, "52" K K "52ae736476a9" H "88ad02a032b268", "multisig-or-time"},
    {HIDDEN_P2WSH, K "ac736476a9" H "88ad0350cd00b268", "key-or-time"},
    {HIDDEN_P2TR, X "ac", "tap-key"},
    {HIDDEN_P2TR, X "ac" X "ba" X "ba529c", "tap-multisig"},
    {HIDDEN_P2TR, X "ad029000b2", "tap-key-and-time"},
    {HIDDEN_P2TR, X "ac029000b275", "tap-key-and-time"},
    {HIDDEN_P2TR, "82012088a9" H "88" X "ac", "hashlock-signature"},
    {HIDDEN_P2TR, X "ac0063036f726451" X "00" X "68", "inscription"},
    {HIDDEN_P2SH, "52" K K "52ae", ""},
    {HIDDEN_P2WSH, "52" K K K "53ae", ""},
    {HIDDEN_P2WSH, "51" K K "52ae", ""},
    {HIDDEN_P2WSH, "63" K "67029000b175" K "68ac", ""},
    {HIDDEN_P2WSH, K "ad52b2", ""},
    {HIDDEN_P2WSH, K "ac73645fb268", ""},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" K "7c820120876475527c" K "52ae67a9" H "88ac6852b27568", ""},
    {HIDDEN_P2WSH, "76a9" H "8763ac67" H "7c8201208763a9" H "88527c" H "52ae67750360ae0ab175ac6868", ""},
    {HIDDEN_P2TR, "52" K K "52ae", ""},
    {HIDDEN_P2WSH, X "ac", ""},
    {HIDDEN_P2TR, X "ac00630370726451" X "68", ""},
    {HIDDEN_P2TR, X "ba529c", ""},
    {HIDDEN_P2TR, "51", ""},
};
#define SCRIPTS (sizeof scripts / sizeof *scripts)

static struct name_set names_in(struct matcher *matcher, enum hidden_in in, const uint8_t *script, size_t size)
{
    struct hidden_script hidden = {
        .script = script, .size = size, .in = in, .kind = script_kind(script, size), .leaf_version = TAP_LEAF_SCRIPT};
    struct name_set found = {0};
    matcher_match_hidden(matcher, &hidden, &found);
    return found;
}

/* Of the entries that are of hidden scripts only, as many as there are in the row: one or none. */
static void named(void **state)
{
    (void)state;
    uint8_t script[512];
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < SCRIPTS; i++) {
        size_t size = from_hex(scripts[i].hex, script), count = 0;
        struct name_set found = names_in(matcher, scripts[i].in, script, size);
        for (size_t e = 0; e < catalogue.count; e++)
            count += name_set_has(&found, e) && catalogue.entries[e].hidden_in;
        size_t wanted = catalogue_find(&catalogue, scripts[i].name);
        if (scripts[i].name[0] && !(wanted < CATALOGUE_MAX && name_set_has(&found, wanted)))
            fail_msg("%s: not %s", scripts[i].hex, scripts[i].name);
        bool special = wanted < CATALOGUE_MAX && catalogue.entries[wanted].hidden_in;
        if (count != special)
            fail_msg("%s: %zu names", scripts[i].hex, count);
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* No output's own script has such a name, nor a script of a leaf version that nobody can read. */
static void only_hidden(void **state)
{
    (void)state;
    uint8_t script[512];
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < SCRIPTS; i++) {
        size_t size = from_hex(scripts[i].hex, script);
        struct name_set found = {0};
        matcher_match(matcher, script_kind(script, size), script, size, &found);
        for (size_t e = 0; e < catalogue.count; e++)
            assert_false(name_set_has(&found, e) && catalogue.entries[e].hidden_in);
        struct hidden_script other = {.script = script, .size = size, .in = HIDDEN_P2TR, .leaf_version = 0xc2};
        found = (struct name_set){0};
        matcher_match_hidden(matcher, &other, &found);
        assert_int_equal(name_set_first(&found), CATALOGUE_MAX);
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* Whether anyone can spend is told of redeem and witness scripts without an operation for signatures. */
static void anyone(void **state)
{
    (void)state;
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    size_t name = catalogue_find(&catalogue, "anyone-can-spend");
    const uint8_t one[] = {0x51}, none_of_none[] = {0x00, 0x00, 0xae};
    struct name_set found = names_in(matcher, HIDDEN_P2SH, one, 1);
    assert_true(name_set_has(&found, name));
    found = names_in(matcher, HIDDEN_P2WSH, one, 1);
    assert_true(name_set_has(&found, name));
    found = names_in(matcher, HIDDEN_P2TR, one, 1);
    assert_false(name_set_has(&found, name));
    assert_string_equal(names_of(matcher, &catalogue, none_of_none, 3), "anyone-can-spend checkmultisig-0-of-n");
    found = names_in(matcher, HIDDEN_P2SH, none_of_none, 3);
    assert_false(name_set_has(&found, name));
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named),
        cmocka_unit_test(only_hidden),
        cmocka_unit_test(anyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
