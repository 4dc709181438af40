/* Any bytes as a script: its kind agrees with a second classifier, and its asm keeps to its bound. */
#include <string.h>

#include "parser/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tests/parser/second_kind.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
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
    char *text = mem_alloc(script_asm_bound(size), 1);
    must(text != NULL, "memory");
    size_t length = script_asm(data, size, text);
    must(length < script_asm_bound(size) && strlen(text) == length, "the asm is as long as it says, within its bound");
    for (size_t i = 0; i < length; i++)
        must(text[i] >= ' ' && text[i] <= '~', "the asm is plain text");
    mem_free(text);
    return 0;
}
