#include "parser/spendable.h"

#include "parser/pubkey.h"

const char *spendable_name(enum spendable spendable)
{
    static const char *const names[SPENDABLES] = {"yes", "no", "unknown"};
    return names[spendable];
}

const char *spendable_reason_name(enum spendable_reason reason)
{
    static const char *const names[REASONS] = {
        [REASON_SPENT] = "spent",
        [REASON_ANYONE_CAN_SPEND] = "anyone-can-spend",
        [REASON_ENOUGH_KEYS] = "enough-keys",
        [REASON_DATA_KEYS] = "data-keys",
        [REASON_BURNT_KEYS] = "burnt-keys",
        [REASON_KEYS_OFF_CURVE] = "keys-off-curve",
        [REASON_OP_RETURN] = "op-return",
        [REASON_ALWAYS_FAILS] = "always-fails",
        [REASON_UNDECIDED] = "undecided",
    };
    return names[reason];
}

enum spendable spendable_of(enum spendable_reason reason)
{
    if (reason <= REASON_ENOUGH_KEYS)
        return SPENDABLE_YES;
    return reason == REASON_UNDECIDED ? SPENDABLE_UNKNOWN : SPENDABLE_NO;
}

/* `data`: bit i set if key i carries data. */
static enum spendable_reason judge_keys(const struct multisig *m, unsigned data)
{
    unsigned carriers = 0, burnt = 0, usable = 0;
    for (unsigned i = 0; i < m->keys; i++) {
        bool carries = data >> i & 1;
        carriers += carries;
        burnt += !carries && pubkey_is_burn(m->key[i], m->key_size[i]);
    }
    if (m->keys - carriers < m->required)
        return REASON_DATA_KEYS;
    if (m->keys - carriers - burnt < m->required)
        return REASON_BURNT_KEYS;
    for (unsigned i = 0; i < m->keys && usable < m->required; i++)
        usable += !(data >> i & 1) && !pubkey_is_burn(m->key[i], m->key_size[i]) &&
                  pubkey_on_curve(m->key[i], m->key_size[i]);
    return usable < m->required ? REASON_KEYS_OFF_CURVE : REASON_ENOUGH_KEYS;
}

enum spendable_reason spendable_judge(enum kind kind, const uint8_t *script, size_t size, enum protocol protocol,
                                      bool spent)
{
    struct multisig m;
    if (spent)
        return REASON_SPENT;
    if (kind == KIND_NULLDATA)
        return REASON_OP_RETURN;
    if (kind == KIND_PUBKEY) {
        m = (struct multisig){.required = 1, .keys = 1, .key = {script + 1}, .key_size = {size - 2}};
        return judge_keys(&m, 0);
    }
    if (kind == KIND_NONSTANDARD && script_always_fails(script, size))
        return REASON_ALWAYS_FAILS;
    if ((kind == KIND_MULTISIG || kind == KIND_NONSTANDARD) && multisig_read(script, size, &m))
        return judge_keys(&m, protocol_data_keys(protocol, &m));
    return script_anyone_can_spend(script, size) ? REASON_ANYONE_CAN_SPEND : REASON_UNDECIDED;
}
