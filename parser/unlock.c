#include "parser/unlock.h"

#include "parser/opcode.h"
#include "parser/unlock_run.h"

_Static_assert(sizeof((struct unlock *)0)->branch >= UNLOCK_BRANCHES_MAX + sizeof "?", "as many branches as a run has");

const char *unlock_name(enum unlock_by by)
{
    static const char *const names[UNLOCKS] = {
        [UNLOCK_SIGNATURE] = "signature", [UNLOCK_MULTISIG] = "multisig",
        [UNLOCK_PREIMAGE] = "preimage",   [UNLOCK_SIGNATURE_PREIMAGE] = "signature+preimage",
        [UNLOCK_TIME] = "time",           [UNLOCK_NOTHING] = "nothing",
        [UNLOCK_OTHER] = "other",
    };
    return names[by];
}

/* What items are held against. */
struct looking {
    struct hash_lock locks[HASH_LOCKS_MAX];
    size_t locks_count;
    uint64_t preimages; /* by number: items that the run found to be some */
    uint64_t keys;      /* and those that it found to be keys */
};

static bool is_preimage(const struct looking *looking, const struct push *push, uint32_t item)
{
    if (item < 64 && looking->preimages >> item & 1)
        return true;
    if (item >= STACK_ITEMS_MAX || !push->data || (item < 64 && looking->keys >> item & 1))
        return false;
    size_t lock = hash_locks_opened(looking->locks, looking->locks_count, push->data, push->size);
    return lock < looking->locks_count && !looking->locks[lock].of_key;
}

static void count_signature(struct unlock *unlock, const struct push *push)
{
    struct signature signature;
    if (!signature_read(push->data, push->size, &signature))
        return;
    unlock->signatures++;
    unlock->strict_der += signature.strict_der;
    unlock->low_s += signature.low_s;
    unlock->sighashes[signature.sighash / 64] |= (uint64_t)1 << signature.sighash % 64;
}

static void count_items(struct unlock *unlock, struct pushes shown, const struct looking *looking)
{
    struct push push;
    uint32_t item = 0;
    while (pushes_next(&shown, &push)) {
        bool preimage = is_preimage(looking, &push, item);
        item += push.data != NULL;
        unlock->preimages += preimage;
        if (preimage)
            continue;
        switch (push_shows(&push)) {
        case SHOWN_NOTHING: unlock->nothing++; break;
        case SHOWN_NUMBER: unlock->numbers++; break;
        case SHOWN_SIGNATURE: count_signature(unlock, &push); break;
        case SHOWN_KEY: unlock->keys++; break;
        case SHOWN_DATA: unlock->data++; break;
        case SHOWN_OPERATION: unlock->operations++; break;
        }
    }
    unlock->whole = pushes_whole(&shown);
}

static bool has_branches(const uint8_t *script, size_t size)
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (op_next(&c, &op))
        if (op.code == OP_IF || op.code == OP_NOTIF)
            return true;
    return false;
}

static void put_branch(struct unlock *unlock, const struct unlock_run *run, const uint8_t *script, size_t size)
{
    size_t known = run->contradicts ? 0 : run->branches;
    memcpy(unlock->branch, run->branch, known);
    if (!run->told && has_branches(script, size))
        unlock->branch[known++] = '?';
    unlock->branch[known] = '\0';
}

static enum unlock_by word_of(uint32_t signatures, uint32_t multisig, uint32_t preimages, uint32_t times)
{
    if (preimages)
        return signatures + multisig > 0 ? UNLOCK_SIGNATURE_PREIMAGE : UNLOCK_PREIMAGE;
    if (multisig || signatures > 1)
        return UNLOCK_MULTISIG;
    if (signatures)
        return UNLOCK_SIGNATURE;
    return times ? UNLOCK_TIME : UNLOCK_OTHER;
}

void unlock_read(struct pushes shown, const uint8_t *script, size_t size, bool anyone_can_spend, struct unlock *unlock)
{
    struct looking looking;
    struct unlock_run run;
    memset(unlock, 0, sizeof *unlock);
    unlock_run(shown, script, size, &run);
    looking.locks_count = hash_locks(script, size, looking.locks);
    looking.preimages = run.told ? run.preimage_items : 0;
    looking.keys = run.told ? run.key_items : 0;
    count_items(unlock, shown, &looking);
    put_branch(unlock, &run, script, size);
    unlock->time = run.told && run.times > 0;
    if (run.told)
        unlock->by = word_of(run.signatures, run.multisig, run.preimages, run.times);
    else
        unlock->by = word_of(unlock->signatures, 0, unlock->preimages, 0);
    uint32_t items = unlock->signatures + unlock->keys + unlock->preimages + unlock->numbers + unlock->nothing +
                     unlock->data + unlock->operations;
    if (unlock->by == UNLOCK_OTHER && unlock->whole && (items == 0 || anyone_can_spend))
        unlock->by = UNLOCK_NOTHING;
}
