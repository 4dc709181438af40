/* catalogue and matcher: which names the scripts of the bundled chain have, by what their maker planted; what a file
 * may say; and the matcher's short cuts against every pattern tried on every script. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <regex.h>
#include <time.h>

#include "parser/mem.h"
#include "tests/graph/known_scripts.h"
#include "tests/parser/hex.h"
#include "tests/parser/script_vectors.h"
#include "tests/support/run.h"

#define VECTORS (sizeof vectors / sizeof *vectors)
#define SCRIPT_MAX 40000u

/* What is planted has these names; everything else that is planted has none. */
static const struct {
    const char *planted;
    const char *names;
} expected[] = {
    {"2drop_pushdata4", "anyone-can-spend"},
    {"cltv_p2pkh", "cltv-drop"},
    {"cltv_true", "cltv-drop"},
    {"csv_p2pk", "csv-drop"},
    {"csv_p2pkh", "csv-drop"},
    {"depth", "anyone-can-spend"},
    {"drop_520", "anyone-can-spend data-drop"},
    {"drop_data", "anyone-can-spend data-drop"},
    {"drop_data_checksig", "data-drop"},
    {"empty", "anyone-can-spend unlocked"},
    {"htlc_like", "hashlock-signature op-if"},
    {"if_cltv_else", "op-if"},
    {"if_else_checksig", "op-if"},
    {"invalid_op_in_dead_branch", "anyone-can-spend op-if"},
    {"len_252", "anyone-can-spend data-drop"},
    {"len_253", "anyone-can-spend data-drop"},
    {"len_254", "anyone-can-spend data-drop"},
    {"len_10000", "anyone-can-spend data-drop"},
    {"len_10001", "data-drop"},
    {"len_12345", "data-drop"},
    {"many_small_pushes", "anyone-can-spend"},
    {"ms_0of0", "anyone-can-spend checkmultisig-0-of-n"},
    {"ms_0of1", "anyone-can-spend checkmultisig-0-of-n"},
    {"ms_1of2_fake_key", "multisig-off-curve"},
    {"ms_1of3_fake_65", "multisig-off-curve"},
    {"ms_1of3_two_fake_data", "multisig-off-curve"},
    {"ms_all_fake", "multisig-off-curve"},
    {"ms_fake_hybrid_65", "multisig-off-curve"},
    {"ms_n_too_big", "anyone-can-spend"}, /* the 1 in front is the third key; the spender says that 0 must sign */
    {"ms_no_keys_1of1", "anyone-can-spend"},
    {"ms_truncated", "truncated-push"},
    {"nop10", "anyone-can-spend"},
    {"nop_only", "anyone-can-spend"},
    {"notif", "anyone-can-spend op-if"},
    {"op_16", "anyone-can-spend"},
    {"op_1negate", "anyone-can-spend"},
    {"op_add", "anyone-can-spend equation"},
    {"op_return_80", "op-return-80"},
    {"op_return_commitment_lookalike", "witness-commitment"},
    {"op_return_empty", "op-return-empty"},
    {"op_return_in_dead_branch", "anyone-can-spend op-if"},
    {"op_return_non_push", "op-return-other"},
    {"op_return_omni", "omni"},
    {"op_return_op0", "op-return-empty"},
    {"op_return_op_return", "op-return-other"},
    {"op_return_opcodes_text", "op-return-truncated truncated-push"},
    {"op_return_runes", "runes"},
    {"op_return_runes_no_push", "runes"},
    {"op_return_truncated", "op-return-truncated truncated-push"},
    {"op_return_truncated_pd1", "op-return-truncated truncated-push"},
    {"op_return_truncated_pd1_data", "op-return-truncated truncated-push"},
    {"op_return_truncated_pd2", "op-return-truncated truncated-push"},
    {"op_return_truncated_pd4", "op-return-truncated truncated-push"},
    {"op_true", "anyone-can-spend"},
    {"op_verif", "op-if"},
    {"p2a_pushdata1", "anyone-can-spend"},
    {"p2pk_hybrid_bad_parity", "pubkey-off-curve"},
    {"p2pk_hybrid_off_curve", "pubkey-off-curve"},
    {"p2pk_off_curve_c", "pubkey-off-curve"},
    {"p2pk_off_curve_u", "pubkey-off-curve"},
    {"p2pk_x_above_p", "pubkey-off-curve"},
    {"p2pkh_equal_verify_split", "p2pkh-altered"},
    {"p2pkh_hash19", "p2pkh-altered"},
    {"p2pkh_hash21", "p2pkh-altered"},
    {"p2pkh_leading_nop", "p2pkh-altered"},
    {"p2pkh_pushdata1", "p2pkh-altered"},
    {"p2pkh_pushdata2", "p2pkh-altered"},
    {"p2pkh_pushdata4", "p2pkh-altered"},
    {"p2pkh_then_truncated_push", "p2pkh-altered truncated-push"},
    {"p2pkh_trailing_drop_true", "p2pkh-altered"},
    {"p2pkh_trailing_nop", "p2pkh-altered p2pkh-nop"},
    {"p2pkh_zero_push", "p2pkh-empty-hash"},
    {"p2sh_hash19", "puzzle-hash160"},
    {"p2sh_hash21", "puzzle-hash160"},
    {"p2sh_hash32", "puzzle-hash160"},
    {"puzzle_hash160_equalverify", "puzzle-hash160"},
    {"puzzle_hash160_pushdata1", "puzzle-hash160"},
    {"puzzle_hash160_size", "puzzle-hash160"},
    {"puzzle_hash256", "puzzle-hash256"},
    {"puzzle_ripemd160", "puzzle-ripemd160"},
    {"puzzle_sha1", "puzzle-sha1"},
    {"puzzle_sha256", "puzzle-sha256"},
    {"random_junk", "truncated-push"},
    {"truncated_pd1", "truncated-push"},
    {"truncated_pd1_data", "truncated-push"},
    {"truncated_pd2", "truncated-push"},
    {"truncated_pd2_data", "truncated-push"},
    {"truncated_pd4", "truncated-push"},
    {"truncated_pd4_huge", "truncated-push"},
    {"truncated_push", "truncated-push"},
    {"truncated_push_only_op", "truncated-push"},
    {"unbalanced_if", "op-if"},
    {"wit_1negate", "anyone-can-spend"},
    {"wit_v0_16", "witness-v0-other-size"},
    {"wit_v0_21", "witness-v0-other-size"},
    {"wit_v0_33", "witness-v0-other-size"},
    {"wit_v0_40", "witness-v0-other-size"},
    {"wit_v0_pushdata1", "anyone-can-spend"},
    {"wit_v1_1byte", "anyone-can-spend"},
    {"wit_v1_41", "anyone-can-spend"},
    {"wit_v1_pushdata1", "anyone-can-spend"},
    {"wit_v1_short_by_one", "anyone-can-spend"},
    {"wit_v1_trailing", "anyone-can-spend"},
    {"witness_commitment", "witness-commitment"},
    {"witness_commitment_fake", "witness-commitment"},
};

static const char *expected_names(const char *planted)
{
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strcmp(expected[i].planted, planted) == 0)
            return expected[i].names;
    return "";
}

static void planted_kinds(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_MAX];
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = from_hex(vectors[i].hex, script);
        const char *names = names_of(matcher, &catalogue, script, size);
        if (strcmp(names, expected_names(vectors[i].name)) != 0)
            fail_msg("%s: '%s', not '%s'", vectors[i].name, names, expected_names(vectors[i].name));
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
}

/* Every output of the whole chain with its planted kind, where the shared fixtures are. */
static void shared_planted_kinds(void **state)
{
    (void)state;
    static const char command[] = "t=$(mktemp) && cd ../shared/fixtures/regtest-xor/truth 2>/dev/null && "
                                  "sed 1d planted_kinds.csv | tr -d '\\r' | sed 's/,/:/' | sort >$t && "
                                  "awk -F, 'NR > 1 {print $3 \":\" $4 \",\" $6}' outputs.csv | sort | join -t, $t -; "
                                  "rm -f $t";
    struct catalogue catalogue = built_in_catalogue();
    struct matcher *matcher = matcher_of(&catalogue);
    static char line[200000];
    static uint8_t script[SCRIPT_MAX];
    size_t rows = 0;
    FILE *joined = popen(command, "r");
    assert_non_null(joined);
    while (fgets(line, sizeof line, joined)) {
        line[strcspn(line, "\n")] = '\0';
        char *kind = strchr(line, ','), *hex = kind ? strchr(kind + 1, ',') : NULL;
        assert_non_null(hex);
        *kind++ = *hex++ = '\0';
        size_t size = from_hex(hex, script);
        const char *names = names_of(matcher, &catalogue, script, size);
        if (strcmp(names, expected_names(kind)) != 0)
            fail_msg("%s (%s): '%s', not '%s'", line, kind, names, expected_names(kind));
        rows++;
    }
    pclose(joined);
    matcher_free(matcher);
    catalogue_free(&catalogue);
    if (rows == 0) {
        print_message(
            "skipped: no ../shared/fixtures here, so one script of each planted kind instead of every output\n");
        skip();
    }
    assert_true(rows > 5000);
}

/* The plain way: every pattern by regexec over the text that it is for. */
static void match_plainly(const struct catalogue *catalogue, enum kind kind, const uint8_t *script, size_t size,
                          struct name_set *found)
{
    static char as[SCRIPT_SIZE_MAX * 32], template[SCRIPT_TEMPLATE_MAX];
    script_asm(script, size < SCRIPT_SIZE_MAX ? size : SCRIPT_SIZE_MAX, as);
    script_template(script, size, template);
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct known_script *entry = &catalogue->entries[i];
        unsigned on_curve, keys = script_keys(kind, script, size, &on_curve);
        regex_t regex;
        assert_int_equal(regcomp(&regex, entry->pattern, REG_EXTENDED | REG_NOSUB), 0);
        bool is = (entry->kinds >> kind & 1) && !entry->hidden_in &&
                  regexec(&regex, entry->over_template ? template : as, 0, NULL, 0) == 0 &&
                  (!entry->anyone_can_spend || script_anyone_can_spend(script, size)) &&
                  (!entry->keys_off_curve || keys > on_curve);
        if (is)
            name_set_add(found, i);
        regfree(&regex);
    }
}

static void short_cuts(void **state)
{
    (void)state;
    static const char extra[] = "a.\t\tOP_HASH160 [0-9a-f]+ OP_EQUAL$\t\t\t\n"
                                "b.\tnulldata\t^OP_RETURN ab*\t\t\t\n"
                                "c.\t\t^(OP_DUP|OP_NOP) OP_HASH160\t\t\t\n"
                                "d.\t\tOP_CHECKSIG$|OP_EQUAL$\t\t\t\n"
                                "e.\ttemplate\t<33>$\t\t\t\n"
                                "f.\t\t0+ OP_CHECKSIG\\$\t\t\t\n"
                                "g.\t\t^1? 2\t\t\t\n"
                                "h.\t\t^OP_DUP{1}\t\t\t\n"
                                "i.\tpubkey\t^02.*ac$\t\t\t\n"
                                "j.\tmultisig pubkey\t1 OP_CHECK\t\t\t\n";
    static uint8_t script[SCRIPT_MAX];
    char *folder = temp_dir();
    struct catalogue catalogue = built_in_catalogue();
    size_t built_in = catalogue.count;
    unsigned random = (unsigned)time(NULL);
    print_message("seed %u\n", random);
    srand(random);
    write_file(path_of("%s/extra", folder), extra, sizeof extra - 1);
    assert_int_equal(catalogue_read(&catalogue, path_of("%s/extra", folder), NULL), STATUS_OK);
    assert_int_equal(catalogue.count, built_in + 10);
    struct matcher *matcher = matcher_of(&catalogue);
    for (size_t i = 0; i < 8 * VECTORS; i++) {
        size_t size = from_hex(vectors[i % VECTORS].hex, script);
        for (size_t k = i / VECTORS; k > 0 && size > 0 && size < 600; k--)
            script[(size_t)rand() % size] = (uint8_t)(rand() % 3 ? rand() % 256 : 0x4c + rand() % 0x6e);
        struct name_set found = {0}, plain = {0};
        enum kind kind = script_kind(script, size);
        matcher_match(matcher, kind, script, size, &found);
        match_plainly(&catalogue, kind, script, size, &plain);
        assert_memory_equal(&found, &plain, sizeof found);
    }
    matcher_free(matcher);
    catalogue_free(&catalogue);
    remove_tree(folder);
    free(folder);
}

static void refused(const char *folder, const char *text, size_t size, const char *why)
{
    struct catalogue catalogue = {0};
    struct fault fault = {0};
    write_file(path_of("%s/refused", folder), text, size);
    assert_int_equal(catalogue_read(&catalogue, path_of("%s/refused", folder), &fault), STATUS_FORMAT);
    if (!strstr(fault.text, why))
        fail_msg("'%s' does not say '%s'", fault.text, why);
    catalogue_free(&catalogue);
}

static void files(void **state)
{
    (void)state;
    char *folder = temp_dir();
    refused(folder, "a\tb\n", 4, "line 1: fewer than six");
    refused(folder, "\n# x\na\t\t\t\t\t\t\n", 14, "line 3: more than six");
    refused(folder, "A\t\t\t\t\t\n", 7, "a name is");
    refused(folder, "\t\t\t\t\t\n", 6, "a name is");
    refused(folder, "a\t\t\t\t\t\na\t\t\t\t\t\n", 14, "line 2: the name is taken");
    refused(folder, "a\tnonsense\t\t\t\t\n", 15, "no such condition: 'nonsense'");
    refused(folder, "a\t\t(\t\t\t\n", 8, "line 1: Unmatched");
    refused(folder, "a\t\t(x)\\1\t\t\t\n", 12, "line 1: back-references");
    refused(folder, "a\t\t\0\t\t\t\n", 8, "line 1, column 4: the byte 0x00");
    /* a colour, C1 in two bytes, no UTF-8, a mark that turns the text around; after a letter of two bytes */
    refused(folder, "# \x1b\na\t\tOP_1\t\t\t\x1b[31m\n", 20, "line 2, column 11: the byte 0x1b");
    refused(folder, "a\t\tOP_1\t\t\t\xc2\x9b\n", 13, "line 1, column 11: the byte 0xc2");
    refused(folder, "a\t\tOP_1\t\t\t\xc3\xa9\xff\n", 14, "line 1, column 12: the byte 0xff");
    refused(folder, "a\t\tOP_1\t\t\t\xe2\x80\xae\n", 14, "line 1, column 11: the byte 0xe2");
    char many[129 * 12] = "";
    for (int i = 0; i < 128; i++)
        sprintf(many + strlen(many), "n%d\t\t\t\t\t\n", i);
    strcat(many, "one\t\t\t\t\t\ntwo"); /* what is told ends with the line */
    refused(folder, many, strlen(many), "the first too many of which is: 'one\t\t\t\t\t'");

    struct catalogue catalogue = {0};
    assert_int_equal(catalogue_read(&catalogue, path_of("%s/absent", folder), NULL), STATUS_IO);
    static const char text[] = "z\tnulldata\tx\t2014\tme\tsomething\r\nb\t\t\t\t\t\n";
    write_file(path_of("%s/good", folder), text, sizeof text - 1);
    assert_int_equal(catalogue_read(&catalogue, path_of("%s/good", folder), NULL), STATUS_OK);
    assert_string_equal(catalogue.entries[0].what, "something");
    assert_string_equal(catalogue.entries[0].first_seen, "2014");
    assert_string_equal(catalogue.entries[0].source, "me");
    assert_true(catalogue_is_protocol(&catalogue, 0));
    assert_false(catalogue_is_protocol(&catalogue, 1));
    assert_int_equal(catalogue_read(&catalogue, path_of("%s/good", folder), NULL), STATUS_FORMAT);
    catalogue_free(&catalogue);
    remove_tree(folder);
    free(folder);
}

static void found_by_name(void **state)
{
    (void)state;
    struct catalogue catalogue = {0};
    struct fault fault;
    assert_int_equal(catalogue_find(&catalogue, "miniscript"), CATALOGUE_MAX);
    assert_int_equal(catalogue_read_built_in(&catalogue, &fault), STATUS_OK);
    assert_true(catalogue.count > 2);
    for (size_t i = 0; i < catalogue.count; i++)
        assert_int_equal(catalogue_find(&catalogue, catalogue.entries[i].name), i);
    static const char *const absent[] = {"", "-", "no-such-script", "zzz"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(catalogue_find(&catalogue, absent[i]), CATALOGUE_MAX);
    catalogue_free(&catalogue);
}

static void no_memory(void **state)
{
    (void)state;
    for (long allowed = 0;; allowed++) {
        struct catalogue catalogue = {0};
        struct matcher *matcher = NULL;
        struct fault fault = {0};
        mem_fail_after(allowed);
        enum status status = catalogue_read_built_in(&catalogue, &fault);
        if (status == STATUS_OK)
            status = matcher_new(&catalogue, seed, &matcher, &fault);
        mem_fail_after(-1);
        matcher_free(matcher);
        catalogue_free(&catalogue);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_kinds), cmocka_unit_test(shared_planted_kinds), cmocka_unit_test(short_cuts),
        cmocka_unit_test(files),         cmocka_unit_test(found_by_name),        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
