/* What the shipped list says of scripts from the literature, of limits and of locks, and that it is the file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/graph/known_scripts.h"
#include "tests/parser/hex.h"

static const struct {
    const char *hex;
    const char *names;
} literature[] = {
    {"736372697074", "op-if p2pool-script"},
    {"a35387", "anyone-can-spend min-equal"},
    {"5253", "anyone-can-spend push-2-3"},
    {"525305", "push-2-3 truncated-push"},
    {"20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "anyone-can-spend only-data"},
    {"01ff", "anyone-can-spend only-data"},
    {"0100", "only-data"}, /* reads as zero */
    {"4c00", ""},          /* an empty push: no data, and false */
    {"0000ae", "anyone-can-spend checkmultisig-0-of-n"},
    {"00010251ae", "anyone-can-spend checkmultisig-0-of-n"},
    {"00010252ae", "anyone-can-spend checkmultisig-0-of-n"}, /* the spender brings the count of signatures */
    {"000202030204055152ae", ""},                            /* of other numbers than it says */
    {"6e935888945287", "anyone-can-spend equation"},         /* 5 and 3 */
    {"93935d87", "anyone-can-spend equation"},
    {"a914000102030405060708090a0b0c0d0e0f1011121388", "puzzle-hash160"},
    {"aa20000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f87",
     "puzzle-genesis-reversed puzzle-hash256"},
    {"aa206fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d619000000000087", "puzzle-genesis puzzle-hash256"},
    {"aaaa0016ffffffffffffffffffffffffffffffffffffffffffffa5", "puzzle-within"},
    {"6e879169a77ca787", "sha1-collision"},
    /* NBitcoin issue 68: db3f14e4...'s output */
    {"76a9146300bf4c5c2a724c280b893807afb976ec78a92b88ac61", "p2pkh-altered p2pkh-nop"},
    {"6a0952534b424c4f434b3a", "rsk"},
    {"6a2858325b00000000000000000000000000000000000000000000000000000000000000000000000000", "stacks"},
    {"6a08434e545250525459", "counterparty-plain"},
    {"6a4c08444f4350524f4f46", "proof-of-existence"},
    {"6a024343", ""}, /* the number 17219, and nothing of Colu's */
    {"6a02f710", ""}, /* 4343 as a number */
};

/* What the literature names and the chain does not have. */
static void from_the_literature(void **state)
{
    (void)state;
    uint8_t script[128];
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < sizeof literature / sizeof *literature; i++) {
        size_t size = from_hex(literature[i].hex, script);
        assert_string_equal(names_of(matcher, &catalogue, script, size), literature[i].names);
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* Consensus refuses more than 20 keys (Core's MAX_PUBKEYS_PER_MULTISIG), also where no signature is asked for. */
static void no_signature_of_many_keys(void **state)
{
    (void)state;
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (uint8_t keys = 17; keys <= 24; keys++) {
        uint8_t script[128] = {0x00}; /* OP_0, the keys, their number, OP_CHECKMULTISIG */
        size_t size = 1;
        for (uint8_t k = 0; k < keys; k++) {
            script[size++] = 2;
            script[size++] = 0x02;
            script[size++] = k;
        }
        script[size++] = 1;
        script[size++] = keys;
        script[size++] = 0xae;
        assert_string_equal(names_of(matcher, &catalogue, script, size),
                            keys <= 20 ? "anyone-can-spend checkmultisig-0-of-n" : "");
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* BIP 65 and BIP 112: a lock is a number above zero, of 5 bytes at most; CHECKSEQUENCEVERIFY takes one with bit 31 set,
 * which needs the fifth byte, as no lock at all. */
static void locks(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        bool cltv;
        bool csv;
    } cases[] = {
        {"00", false, false},
        {"51", true, true},
        {"60", true, true},
        {"4f", false, false}, /* -1 */
        {"4c00", false, false},
        {"0120", true, true},
        {"03400d03", true, true},
        {"04ffffff7f", true, true},
        {"050000008000", true, false},
        {"06010000000000", false, false},
    };
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int csv = 0; csv < 2; csv++) {
            uint8_t script[16];
            size_t size = from_hex(cases[i].number, script);
            script[size++] = csv ? 0xb2 : 0xb1;
            script[size++] = 0x75;
            script[size++] = 0xac;
            bool locked = csv ? cases[i].csv : cases[i].cltv;
            const char *name = csv ? "csv-drop" : "cltv-drop";
            assert_string_equal(names_of(matcher, &catalogue, script, size), locked ? name : "");
        }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* The shipped list is one for readers too: each entry says what it is and who says so. */
static void built_in_list(void **state)
{
    (void)state;
    struct catalogue catalogue = built_in_catalogue();
    assert_true(catalogue.count > 40 && catalogue.count <= CATALOGUE_MAX - 32); /* room for a user's own */
    for (size_t i = 0; i < catalogue.count; i++) {
        assert_true(strlen(catalogue.entries[i].what) > 5);
        assert_true(strlen(catalogue.entries[i].source) > 5);
        if (i > 0)
            assert_true(strcmp(catalogue.entries[catalogue.by_name[i - 1]].name,
                               catalogue.entries[catalogue.by_name[i]].name) < 0);
    }
    catalogue_free(&catalogue);
}

/* On every machine the program has the list that is in the repository, and all of it. */
static void built_in_is_the_file(void **state)
{
    (void)state;
    struct catalogue built_in = built_in_catalogue(), file = {0};
    assert_int_equal(catalogue_read(&file, "graph/scripts/known-scripts.tsv", NULL), STATUS_OK);
    assert_int_equal(built_in.count, file.count);
    for (size_t i = 0; i < file.count; i++) {
        const struct known_script *a = &built_in.entries[i], *b = &file.entries[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->kinds, b->kinds);
        assert_string_equal(a->pattern, b->pattern);
        assert_string_equal(a->first_seen, b->first_seen);
        assert_string_equal(a->source, b->source);
        assert_string_equal(a->what, b->what);
    }
    catalogue_free(&built_in);
    catalogue_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_literature), cmocka_unit_test(no_signature_of_many_keys), cmocka_unit_test(locks),
        cmocka_unit_test(built_in_list),       cmocka_unit_test(built_in_is_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
