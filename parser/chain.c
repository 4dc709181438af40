#include "parser/chain.h"

#include <assert.h>
#include <sys/random.h>
#include <time.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"

#define LIMBS 4
#define SLOTS_FIRST 1024u

struct u256 {
    uint64_t limb[LIMBS]; /* least significant first */
};

typedef unsigned __int128 work_sum;

/* A block that is in the files again. */
struct copy {
    uint32_t file;
    uint32_t size;
    uint64_t offset;
    uint32_t next; /* copy + 1 of the same block; 0: none */
};

struct chain {
    struct hash256 genesis;
    struct hash256 root;
    uint32_t base; /* height of the root */
    struct chain_block *blocks;
    uint32_t *copies_of; /* per node: copy + 1; 0: none */
    struct copy *copies;
    size_t copies_count;
    size_t copies_capacity;
    size_t copies_of_capacity;
    uint32_t *order; /* linked nodes, every parent before its children */
    size_t count;
    size_t linked;
    size_t blocks_capacity;
    size_t order_capacity;
    uint32_t *slots; /* node + 1 by hash, open addressing; 0 = free */
    size_t slots_count;
    uint64_t secret[2];
    uint32_t *active; /* node by height above the root */
    size_t active_count;
    size_t active_capacity;
    uint32_t memo_bits; /* neighbours mostly have the same target, and its work costs a division */
    work_sum memo_work;
};

static bool u256_is_zero(const struct u256 *a) { return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0; }

static int u256_compare(const struct u256 *a, const struct u256 *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* *a += *b modulo 2^256. */
static void u256_add(struct u256 *a, const struct u256 *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        unsigned __int128 sum = (unsigned __int128)a->limb[i] + b->limb[i] + carry;
        a->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

static void u256_subtract(struct u256 *a, const struct u256 *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        unsigned __int128 difference = (unsigned __int128)a->limb[i] - b->limb[i] - borrow;
        a->limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

static void u256_double(struct u256 *a)
{
    for (int i = LIMBS - 1; i > 0; i--)
        a->limb[i] = a->limb[i] << 1 | a->limb[i - 1] >> 63;
    a->limb[0] <<= 1;
}

/* floor(a / b) for b > 0, by shift and subtract. */
static struct u256 u256_divide(const struct u256 *a, const struct u256 *b)
{
    struct u256 quotient = {0}, rest = {0};
    for (int bit = 64 * LIMBS - 1; bit >= 0; bit--) {
        bool carry = rest.limb[LIMBS - 1] >> 63;
        u256_double(&rest);
        rest.limb[0] |= a->limb[bit / 64] >> (bit % 64) & 1;
        if (carry || u256_compare(&rest, b) >= 0) {
            u256_subtract(&rest, b);
            quotient.limb[bit / 64] |= (uint64_t)1 << (bit % 64);
        }
    }
    return quotient;
}

/* Core's SetCompact; false where the number is negative, zero or does not fit in 256 bits. */
static bool target_from_bits(uint32_t bits, struct u256 *target)
{
    unsigned size = bits >> 24;
    uint32_t word = bits & 0x007fffff;
    bool negative = word != 0 && (bits & 0x00800000) != 0;
    bool overflow = word != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32));
    *target = (struct u256){{0}};
    if (negative || overflow)
        return false;
    if (size <= 3) {
        target->limb[0] = word >> 8 * (3 - size);
    } else {
        unsigned shift = 8 * (size - 3);
        for (unsigned i = 0; i < 3; i++) {
            unsigned at = shift + 8 * i;
            if (at < 64 * LIMBS)
                target->limb[at / 64] |= (uint64_t)(word >> 8 * i & 0xff) << (at % 64);
        }
    }
    return !u256_is_zero(target);
}

/* 2^256 / (target + 1) as ~target / (target + 1) + 1, which stays inside 256 bits (Core's GetBlockProof). */
static struct u256 work_from_bits(uint32_t bits)
{
    static const struct u256 one = {{1}};
    struct u256 target;
    if (!target_from_bits(bits, &target))
        return (struct u256){{0}};
    struct u256 inverse;
    for (int i = 0; i < LIMBS; i++)
        inverse.limb[i] = ~target.limb[i];
    u256_add(&target, &one);
    struct u256 work = u256_divide(&inverse, &target);
    u256_add(&work, &one);
    return work;
}

/* 128 bits hold it: to find one header that meets a target with more work takes as many hashes. */
static work_sum work_saturated(const struct u256 *work)
{
    if (work->limb[2] | work->limb[3])
        return ~(work_sum)0;
    return (work_sum)work->limb[1] << 64 | work->limb[0];
}

static work_sum work_load(const struct chain_block *block)
{
    work_sum work;
    memcpy(&work, block->work, sizeof work);
    return work;
}

static void work_store(struct chain_block *block, work_sum work) { memcpy(block->work, &work, sizeof block->work); }

/* Whoever can make headers for free (regtest, old difficulty) must not be able to aim them at one slot. */
static size_t slot_of(const struct chain *chain, const struct hash256 *hash)
{
    uint64_t a = load_le64(hash->bytes) ^ chain->secret[0], b = load_le64(hash->bytes + 8) ^ chain->secret[1];
    unsigned __int128 product = (unsigned __int128)a * b;
    return (size_t)((uint64_t)(product >> 64) ^ (uint64_t)product) & (chain->slots_count - 1);
}

/* The slot that holds `hash`, or the free one where it belongs. */
static uint32_t *slot_find(const struct chain *chain, const struct hash256 *hash)
{
    size_t slot = slot_of(chain, hash);
    while (chain->slots[slot] && !hash256_equal(&chain->blocks[chain->slots[slot] - 1].hash, hash))
        slot = (slot + 1) & (chain->slots_count - 1);
    return &chain->slots[slot];
}

static enum status slots_grow(struct chain *chain, struct fault *fault)
{
    size_t count = chain->slots_count * 2;
    uint32_t *slots = mem_alloc(count, sizeof *slots);
    if (!slots)
        return fault_nomem(fault);
    mem_free(chain->slots);
    chain->slots = slots;
    chain->slots_count = count;
    for (size_t i = 0; i < chain->count; i++)
        *slot_find(chain, &chain->blocks[i].hash) = (uint32_t)i + 1;
    return STATUS_OK;
}

enum status chain_new(const struct hash256 *genesis, struct chain **chain, struct fault *fault)
{
    struct chain *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    new->slots_count = SLOTS_FIRST;
    new->slots = mem_alloc(SLOTS_FIRST, sizeof *new->slots);
    if (!new->slots) {
        mem_free(new);
        return fault_nomem(fault);
    }
    if (getrandom(new->secret, sizeof new->secret, 0) != (ssize_t)sizeof new->secret) {
        new->secret[0] = (uint64_t)clock() ^ (uintptr_t) new;
        new->secret[1] = (uint64_t)time(NULL) ^ (uintptr_t) new->slots << 16;
    }
    new->genesis = new->root = *genesis;
    *chain = new;
    return STATUS_OK;
}

void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    mem_free(chain->blocks);
    mem_free(chain->copies_of);
    mem_free(chain->copies);
    mem_free(chain->order);
    mem_free(chain->slots);
    mem_free(chain->active);
    mem_free(chain);
}

void chain_clear(struct chain *chain)
{
    chain->count = chain->linked = chain->copies_count = chain->active_count = 0;
    chain->root = chain->genesis;
    chain->base = 0;
    memset(chain->slots, 0, chain->slots_count * sizeof *chain->slots);
}

void chain_set_root(struct chain *chain, const struct hash256 *root, uint32_t height)
{
    assert(chain->linked == 0);
    chain->root = *root;
    chain->base = height;
}

static enum status reserve_one(struct chain *chain, struct fault *fault)
{
    size_t need = chain->count + 1;
    if (need >= CHAIN_NONE)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "more than %u blocks", CHAIN_NONE - 1);
    if (mem_reserve(&chain->blocks, &chain->blocks_capacity, need, sizeof *chain->blocks) != STATUS_OK ||
        mem_reserve(&chain->copies_of, &chain->copies_of_capacity, need, sizeof *chain->copies_of) != STATUS_OK ||
        mem_reserve(&chain->order, &chain->order_capacity, need, sizeof *chain->order) != STATUS_OK)
        return fault_nomem(fault);
    return need * 3 > chain->slots_count * 2 ? slots_grow(chain, fault) : STATUS_OK;
}

static void place(struct chain_block *block, uint32_t file, uint64_t offset, uint32_t size)
{
    block->file = file;
    block->offset = offset;
    block->size = size;
}

static enum status add_copy(struct chain *chain, uint32_t node, uint32_t file, uint64_t offset, uint32_t size,
                            struct fault *fault)
{
    if (file == CHAIN_NONE)
        return STATUS_OK;
    if (chain->blocks[node].file == CHAIN_NONE) {
        place(&chain->blocks[node], file, offset, size);
        return STATUS_OK;
    }
    size_t n = chain->copies_count;
    if (n >= CHAIN_NONE - 1)
        return STATUS_OK;
    if (mem_reserve(&chain->copies, &chain->copies_capacity, n + 1, sizeof *chain->copies) != STATUS_OK)
        return fault_nomem(fault);
    chain->copies[n] = (struct copy){.file = file, .size = size, .offset = offset, .next = chain->copies_of[node]};
    chain->copies_of[node] = (uint32_t)++chain->copies_count;
    return STATUS_OK;
}

bool chain_next_copy(struct chain *chain, uint32_t node)
{
    assert(node < chain->count);
    uint32_t copy = chain->copies_of[node];
    if (copy == 0)
        return false;
    const struct copy *next = &chain->copies[copy - 1];
    place(&chain->blocks[node], next->file, next->offset, next->size);
    chain->copies_of[node] = next->next;
    return true;
}

enum status chain_add(struct chain *chain, const uint8_t header[BLOCK_HEADER_SIZE], uint32_t file, uint64_t offset,
                      uint32_t size, uint32_t *node, struct fault *fault)
{
    struct hash256 hash;
    sha256d(header, BLOCK_HEADER_SIZE, &hash);
    enum status status = reserve_one(chain, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t *slot = slot_find(chain, &hash);
    if (*slot) {
        if (node)
            *node = *slot - 1;
        return add_copy(chain, *slot - 1, file, offset, size, fault);
    }
    struct block_header fields;
    block_header_read(header, &fields);
    if (fields.bits != chain->memo_bits) {
        struct u256 work = work_from_bits(fields.bits);
        chain->memo_bits = fields.bits;
        chain->memo_work = work_saturated(&work);
    }
    uint32_t at = (uint32_t)chain->count++;
    chain->blocks[at] = (struct chain_block){.hash = hash,
                                             .prev_hash = fields.prev,
                                             .prev = CHAIN_NONE,
                                             .time = fields.time,
                                             .file = file,
                                             .offset = offset,
                                             .size = size,
                                             .state = CHAIN_DETACHED};
    work_store(&chain->blocks[at], chain->memo_work);
    chain->copies_of[at] = 0;
    *slot = at + 1;
    if (node)
        *node = at;
    return STATUS_OK;
}

uint32_t chain_find(const struct chain *chain, const struct hash256 *hash)
{
    uint32_t slot = *slot_find(chain, hash);
    return slot ? slot - 1 : CHAIN_NONE;
}

static void link_one(struct chain *chain, uint32_t node, uint32_t parent)
{
    struct chain_block *block = &chain->blocks[node];
    block->state = CHAIN_STALE;
    block->prev = parent;
    block->height = chain->base;
    if (parent != CHAIN_NONE) {
        work_sum own = work_load(block), sum = own + work_load(&chain->blocks[parent]);
        work_store(block, sum < own ? ~(work_sum)0 : sum);
        block->height = chain->blocks[parent].height + 1;
    }
    chain->order[chain->linked++] = node;
}

/* `first_child` and `next_sibling` have room for all blocks. */
static void link_children(struct chain *chain, uint32_t *first_child, uint32_t *next_sibling)
{
    memset(first_child, 0xff, chain->count * sizeof *first_child);
    for (size_t i = chain->count; i-- > 0;) {
        const struct chain_block *block = &chain->blocks[i];
        if (block->state != CHAIN_DETACHED)
            continue;
        uint32_t parent = chain_find(chain, &block->prev_hash);
        if (hash256_equal(&block->hash, &chain->root)) {
            link_one(chain, (uint32_t)i, CHAIN_NONE);
        } else if (parent != CHAIN_NONE) {
            next_sibling[i] = first_child[parent];
            first_child[parent] = (uint32_t)i;
        }
    }
    for (size_t at = 0; at < chain->linked; at++)
        for (uint32_t child = first_child[chain->order[at]]; child != CHAIN_NONE; child = next_sibling[child])
            link_one(chain, child, chain->order[at]);
}

/* Links what is detached so far and has a path to genesis; what is linked stays so, since a block's parent never
 * changes. chain->order is the queue: it grows at its end while it is walked, so no stack is needed. */
static enum status link_detached(struct chain *chain, struct fault *fault)
{
    uint32_t *first_child = mem_alloc(chain->count, sizeof *first_child);
    uint32_t *next_sibling = mem_alloc(chain->count, sizeof *next_sibling);
    enum status status = first_child && next_sibling ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        link_children(chain, first_child, next_sibling);
    mem_free(first_child);
    mem_free(next_sibling);
    return status;
}

/* The linked node with the most work, the first added of several. There is one: the root. */
static uint32_t best_tip(const struct chain *chain)
{
    uint32_t best = CHAIN_NONE;
    work_sum best_work = 0;
    for (size_t i = 0; i < chain->count; i++) {
        work_sum work = work_load(&chain->blocks[i]);
        if (chain->blocks[i].state != CHAIN_DETACHED && (best == CHAIN_NONE || work > best_work)) {
            best = (uint32_t)i;
            best_work = work;
        }
    }
    return best;
}

static enum status activate(struct chain *chain, uint32_t tip, struct fault *fault)
{
    size_t count = (size_t)chain->blocks[tip].height - chain->base + 1;
    if (mem_reserve(&chain->active, &chain->active_capacity, count, sizeof *chain->active) != STATUS_OK)
        return fault_nomem(fault);
    for (size_t i = 0; i < chain->linked; i++)
        chain->blocks[chain->order[i]].state = CHAIN_STALE;
    for (uint32_t node = tip; node != CHAIN_NONE; node = chain->blocks[node].prev) {
        chain->blocks[node].state = CHAIN_ACTIVE;
        chain->active[chain->blocks[node].height - chain->base] = node;
    }
    chain->active_count = count;
    return STATUS_OK;
}

enum status chain_link(struct chain *chain, const struct hash256 *tip, struct fault *fault)
{
    enum status status = link_detached(chain, fault);
    if (status != STATUS_OK)
        return status;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (chain->linked == 0) {
        hash256_hex(&chain->root, hex);
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "the genesis block %s is not in the blk files (a pruned node, or only a part of its files?)",
                         hex);
    }
    uint32_t best = best_tip(chain);
    if (tip) {
        hash256_hex(tip, hex);
        best = chain_find(chain, tip);
        if (best == CHAIN_NONE || chain->blocks[best].state == CHAIN_DETACHED)
            return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "the tip %s is %s", hex,
                             best == CHAIN_NONE ? "not in the blk files"
                             : chain->base == 0 ? "not linked to the genesis block"
                                                : "not linked to the first block of these files");
    }
    return activate(chain, best, fault);
}

uint32_t chain_count(const struct chain *chain) { return (uint32_t)chain->count; }

const struct chain_block *chain_at(const struct chain *chain, uint32_t node)
{
    assert(node < chain->count);
    return &chain->blocks[node];
}

uint32_t chain_height(const struct chain *chain)
{
    return chain->active_count ? chain->base + (uint32_t)(chain->active_count - 1) : 0;
}

uint32_t chain_base(const struct chain *chain) { return chain->base; }

const struct chain_block *chain_active(const struct chain *chain, uint32_t height)
{
    if (height < chain->base || height - chain->base >= chain->active_count)
        return NULL;
    return &chain->blocks[chain->active[height - chain->base]];
}

uint32_t chain_detached(const struct chain *chain) { return (uint32_t)(chain->count - chain->linked); }
