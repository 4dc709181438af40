#include "parser/hidden.h"

#include "parser/opcode.h"
#include "parser/pushes.h"

#define CONTROL_BASE 33u      /* leaf version and parity, internal key */
#define CONTROL_STEP 32u      /* a hash of the path */
#define CONTROL_STEPS_MAX 128 /* TAPROOT_CONTROL_MAX_NODE_COUNT */
#define ANNEX_TAG 0x50u

const char *hidden_in_name(enum hidden_in in)
{
    static const char *const names[HIDDEN_IN] = {
        [HIDDEN_P2SH] = "p2sh",
        [HIDDEN_P2SH_P2WSH] = "p2sh-p2wsh",
        [HIDDEN_P2WSH] = "p2wsh",
        [HIDDEN_P2TR] = "p2tr",
    };
    return names[in];
}

const uint8_t *hidden_program(enum kind kind, const uint8_t *script, size_t *size)
{
    *size = kind == KIND_SCRIPTHASH ? HASH160_SIZE : 32;
    if (kind == KIND_SCRIPTHASH || kind == KIND_WITNESS_V0_SCRIPTHASH || kind == KIND_WITNESS_V1_TAPROOT)
        return script + 2;
    return NULL;
}

/* The last three items of a witness, the last one first. */
struct witness_end {
    struct push items[3];
    size_t count; /* of all items; 0 for a witness that is cut short */
};

static struct witness_end read_witness(const uint8_t *witness, size_t size)
{
    struct witness_end end = {0};
    struct push item;
    if (!witness)
        return end;
    struct pushes pushes = pushes_of_witness(witness, size);
    while (pushes_next(&pushes, &item)) {
        end.items[2] = end.items[1];
        end.items[1] = end.items[0];
        end.items[0] = item;
        end.count++;
    }
    return pushes_whole(&pushes) ? end : (struct witness_end){0};
}

static struct hidden_script script_of(const struct push *push, enum hidden_in in)
{
    return (struct hidden_script){
        .script = push->data, .size = push->size, .in = in, .kind = script_kind(push->data, push->size)};
}

/* ---- P2WSH ---- */

static bool read_witness_script(const uint8_t *program, const struct witness_end *witness, enum hidden_in in,
                                struct hidden_script *shown)
{
    uint8_t hash[32];
    if (witness->count == 0)
        return false;
    const struct push *last = &witness->items[0];
    sha256(last->data, last->size, hash);
    if (memcmp(hash, program, sizeof hash) != 0)
        return false;
    *shown = script_of(last, in);
    return true;
}

/* ---- P2SH ---- */

/* The last of a scriptSig that has nothing but pushes; *alone: it is the only one. False if there is none. */
static bool last_push(const struct tx_input *input, struct push *last, bool *alone)
{
    struct pushes pushes = pushes_of_script(input->script, input->script_size);
    size_t count = 0;
    for (; pushes_next(&pushes, last); count++)
        if (!last->data)
            return false;
    *alone = count == 1;
    return count > 0 && pushes_whole(&pushes);
}

static enum hidden_way read_redeem(const uint8_t *program, const struct tx_input *input,
                                   const struct witness_end *witness, struct hidden_script *shown, size_t *count)
{
    struct push last = {0};
    uint8_t hash[HASH160_SIZE];
    size_t size;
    bool alone;
    if (!last_push(input, &last, &alone))
        return HIDDEN_NOT_PROVEN;
    hash160(last.data, last.size, hash);
    if (memcmp(hash, program, sizeof hash) != 0)
        return HIDDEN_NOT_PROVEN;
    shown[0] = script_of(&last, HIDDEN_P2SH);
    *count = 1;
    if (shown[0].kind != KIND_WITNESS_V0_SCRIPTHASH)
        return HIDDEN_SHOWN;
    const uint8_t *inner = hidden_program(shown[0].kind, last.data, &size);
    if (!alone || !read_witness_script(inner, witness, HIDDEN_P2SH_P2WSH, &shown[1]))
        return HIDDEN_NOT_PROVEN;
    *count = 2;
    return HIDDEN_SHOWN;
}

/* ---- P2TR ---- */

static void add_compact(struct sha256_stream *stream, uint64_t size)
{
    uint8_t bytes[9] = {(uint8_t)size};
    unsigned more = size < 0xfd ? 0 : size <= UINT16_MAX ? 2 : size <= UINT32_MAX ? 4 : 8;
    if (more > 0) {
        bytes[0] = more == 2 ? 0xfd : more == 4 ? 0xfe : 0xff;
        store_le64(bytes + 1, size);
    }
    sha256_add(stream, bytes, 1 + more);
}

static void leaf_hash(uint8_t leaf_version, const struct push *script, uint8_t hash[32])
{
    struct sha256_stream stream;
    sha256_begin_tagged(&stream, "TapLeaf");
    sha256_add(&stream, &leaf_version, 1);
    add_compact(&stream, script->size);
    sha256_add(&stream, script->data, script->size);
    sha256_end(&stream, hash);
}

/* The hash above two nodes, the smaller one first. */
static void branch_hash(const uint8_t *other, uint8_t hash[32])
{
    struct sha256_stream stream;
    bool first = memcmp(hash, other, 32) < 0;
    sha256_begin_tagged(&stream, "TapBranch");
    sha256_add(&stream, first ? hash : other, 32);
    sha256_add(&stream, first ? other : hash, 32);
    sha256_end(&stream, hash);
}

/* What the control block claims of the output's key and the script; false if it is none by its size. */
static bool claim_of(const struct push *control, const struct push *script, const uint8_t *output,
                     struct taproot_claim *claim)
{
    if (control->size < CONTROL_BASE || (control->size - CONTROL_BASE) % CONTROL_STEP != 0 ||
        (control->size - CONTROL_BASE) / CONTROL_STEP > CONTROL_STEPS_MAX)
        return false;
    leaf_hash(control->data[0] & 0xfe, script, claim->root);
    for (size_t at = CONTROL_BASE; at < control->size; at += CONTROL_STEP)
        branch_hash(control->data + at, claim->root);
    claim->output = output;
    claim->internal = control->data + 1;
    claim->odd = control->data[0] & 1;
    return true;
}

static enum hidden_way read_tap_script(const uint8_t *program, const struct tx_input *input,
                                       const struct witness_end *witness, struct hidden_script *shown, size_t *count,
                                       struct taproot_claim *claim)
{
    const struct push *items = witness->items;
    bool annex = witness->count >= 2 && items[0].size > 0 && items[0].data[0] == ANNEX_TAG;
    if (witness->count == 0 || input->script_size > 0)
        return HIDDEN_NOT_PROVEN;
    if (witness->count - annex == 1)
        return HIDDEN_KEY_PATH;
    const struct push *control = &items[annex], *script = &items[annex + 1];
    if (!claim_of(control, script, program, claim))
        return HIDDEN_NOT_PROVEN;
    shown[0] = script_of(script, HIDDEN_P2TR);
    shown[0].leaf_version = control->data[0] & 0xfe;
    if (shown[0].leaf_version != TAP_LEAF_SCRIPT)
        shown[0].kind = KIND_NONSTANDARD;
    shown[0].annex = annex;
    *count = 1;
    return HIDDEN_SHOWN;
}

enum hidden_way hidden_read(enum kind kind, const uint8_t *program, const struct tx_input *input,
                            const uint8_t *witness, size_t witness_size, struct hidden_script shown[HIDDEN_SHOWN_MAX],
                            size_t *count, struct taproot_claim *claim)
{
    struct witness_end end = read_witness(witness, witness_size);
    *count = 0;
    *claim = (struct taproot_claim){0};
    if (kind == KIND_SCRIPTHASH)
        return read_redeem(program, input, &end, shown, count);
    if (kind == KIND_WITNESS_V1_TAPROOT)
        return read_tap_script(program, input, &end, shown, count, claim);
    if (input->script_size > 0 || !read_witness_script(program, &end, HIDDEN_P2WSH, shown))
        return HIDDEN_NOT_PROVEN;
    *count = 1;
    return HIDDEN_SHOWN;
}
