/* Any bytes as a script: its kind agrees with a second classifier, its asm and its template keep to their bounds, and
 * what a matcher finds does not depend on what it has seen before; and an input that is found for it spends it. */
#include <string.h>

#include "graph/scripts/matcher.h"
#include "parser/mem.h"
#include "parser/spend_search.h"
#include "parser/spendable.h"
#include "tests/fuzz/fuzz.h"
#include "tests/parser/second_kind.h"
#include "tests/support/core_rules.h"

static const uint8_t seed[16];
static struct catalogue catalogue;
static struct matcher *seasoned; /* has seen every script before */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    must(catalogue_read_built_in(&catalogue, NULL) == STATUS_OK, "the built-in known scripts are whole");
    must(matcher_new(&catalogue, seed, &seasoned, NULL) == STATUS_OK, "memory");
    return 0;
}

static void check_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        must(text[i] >= ' ' && text[i] <= '~', "the text is plain");
}

/* What the search finds is a spend; whatever the kind, though it is only asked of some. */
static void check_spend(const uint8_t *script, size_t size)
{
    static uint8_t spend[SCRIPT_SIZE_MAX];
    size_t spend_size;
    must(!spend_search(script, size, spend, &spend_size) || !core_refuses(spend, spend_size, script, size),
         "by Core's rules the input found spends the script");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SCRIPT_MAX)
        return 0;
    unsigned expected_unknown, on_curve = 0;
    enum kind expected = second_kind(data, size, &expected_unknown), kind = script_kind(data, size);
    must(kind == expected, "the kind is the second classifier's");
    must(script_unknown_rules(kind, data, size) == expected_unknown, "the rule sets are the second classifier's");
    unsigned keys = script_keys(kind, data, size, &on_curve);
    must(on_curve <= keys && keys <= 20, "there are at most 20 keys, and no more on the curve than there are");
    must((keys > 0) == (kind == KIND_PUBKEY || kind == KIND_MULTISIG), "only two kinds have keys, and always");
    bool asks = kind == KIND_NULLDATA || kind == KIND_PUBKEY || kind == KIND_PUBKEYHASH || kind == KIND_MULTISIG;
    must(!asks || !script_anyone_can_spend(data, size),
         "nobody spends a nulldata, and not everybody what asks for a signature");
    must(!script_always_fails(data, size) || !script_anyone_can_spend(data, size),
         "what always fails nobody can spend");
    check_spend(data, size);
    enum protocol protocol = protocol_of_output(PROTOCOL_NONE, kind, data, size);
    must(protocol == PROTOCOL_NONE || kind == KIND_PUBKEY || kind == KIND_MULTISIG || kind == KIND_NONSTANDARD,
         "only outputs without an address that can be spent have a protocol");
    must(kind != KIND_PUBKEY ||
             (protocol == PROTOCOL_NONE) == (spendable_judge(kind, data, size, protocol, false) == REASON_ENOUGH_KEYS),
         "a key that carries nothing may have an owner");
    char *text = mem_alloc(script_asm_bound(size), 1);
    must(text != NULL, "memory");
    size_t length = script_asm(data, size, text);
    must(length < script_asm_bound(size) && strlen(text) == length, "the asm is as long as it says, within its bound");
    check_plain(text, length);
    mem_free(text);
    char template[SCRIPT_TEMPLATE_MAX];
    length = script_template(data, size, template);
    must(length < sizeof template && strlen(template) == length,
         "the template is as long as it says, within its bound");
    check_plain(template, length);
    struct name_set first = {0}, again = {0};
    matcher_match(seasoned, kind, data, size, &first);
    matcher_match(seasoned, kind, data, size, &again);
    must(memcmp(&first, &again, sizeof first) == 0, "a matcher says the same again");
    return 0;
}
