/* catalogue: the protocols of nulldata that no fixture has, each by a script that begins as its source says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "graph/scripts/matcher.h"
#include "tests/parser/hex.h"

/* OP_RETURN, a push of that many bytes, the mark, and bytes that could be anything. */
static const struct {
    const char *hex;
    const char *names;
} scripts[] = {
    {"6a05 4253 010203", "blocksign"},                    /* "BS" */
    {"6a05 6964 3a0102", "blockstack"},                   /* "id" */
    {"6a05 5888 010203", "blockstack"},                   /* a later magic */
    {"6a05 53504b 0102", "coinspark"},                    /* "SPK" */
    {"6a05 4343 020102", "colu"},                         /* "CC" */
    {"6a05 434f5245 01", "core-dao"},                     /* "CORE" */
    {"6a0b 43727970746f 50726f6f66", "crypto-copyright"}, /* "CryptoProof" */
    {"6a05 4557 010203", "eternity-wall"},                /* "EW" */
    {"6a08 466163746f6d2121", "factom"},                  /* "Factom!!" */
    {"6a08 464143544f4d3030", "factom"},                  /* "FACTOM00" */
    {"6a05 48617468 01", "hathor"},                       /* "Hath" */
    {"6a08 4c61507265757665", "la-preuve"},               /* "LaPreuve" */
    {"6a05 4d47 010203", "monegraph"},                    /* "MG" */
    {"6a05 4f410100 01", "open-assets"},                  /* "OA", version 1 */
    {"6a08 5354414d50442323", "stampd"},                  /* "STAMPD##" */
    {"6a06 747261646c65", "tradle"},                      /* "tradle" */
    {"6a05 b9e11b6d 01", "vcash"},                        /* 4 bytes of its own */
    {"6a05 4254 010203", ""},                             /* "BT" is nobody's mark */
    {"6a04 434f5245", ""},                                /* printed as a number: no mark to be seen */
};

static size_t without_spaces(const char *hex, uint8_t *script)
{
    char digits[128] = "";
    for (size_t n = 0; *hex; hex++)
        if (*hex != ' ')
            digits[n++] = *hex;
    return from_hex(digits, script);
}

static void test_marks(void **state)
{
    (void)state;
    static const uint8_t seed[16] = "sixteen bytes ok";
    struct catalogue catalogue = {0};
    struct matcher *matcher = NULL;
    assert_int_equal(catalogue_read_built_in(&catalogue, NULL), STATUS_OK);
    assert_int_equal(matcher_new(&catalogue, seed, &matcher, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        static char names[CATALOGUE_MAX * 50];
        uint8_t script[64];
        struct name_set found = {{0}};
        size_t size = without_spaces(scripts[i].hex, script);
        assert_int_equal(script_kind(script, size), KIND_NULLDATA);
        matcher_match(matcher, KIND_NULLDATA, script, size, &found);
        *catalogue_put_names(&catalogue, &found, names) = '\0';
        if (strcmp(names, scripts[i].names) != 0)
            fail_msg("%s: '%s', not '%s'", scripts[i].hex, names, scripts[i].names);
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_marks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
