#include "parser/hasher.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "parser/bytes.h"
#include "parser/hasher_kernel.h"

static void hash_single(const struct hasher_message *m)
{
    const struct sha256_part parts[] = {{m->first, HASHER_END}, {m->body, m->body_size}, {m->last, HASHER_END}};
    sha256d_parts(parts, 3, m->out);
}

const uint32_t hasher_first_state[8] __attribute__((aligned(16))) = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

const uint32_t hasher_round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#ifdef HASHER_HAS_KERNELS
/* ---- groups of messages in step ---- */

/* A message as blocks: one of the first part and what follows it, those within the body, and the last one or two of
 * whatever is left and the padding; of a short message only the last. */
struct lane {
    size_t head_end;
    size_t body_end;
    size_t blocks;
    const uint8_t *body;
    uint8_t head[64];
    uint8_t tail[64 + 128]; /* what is written begins somewhere in the first 64 bytes */
};

static size_t blocks_of(const struct hasher_message *m) { return (2 * HASHER_END + m->body_size + 9 + 63) / 64; }

/* Copies of a fixed size need no branches: the end of the body is taken with as much before it as makes 64 bytes. */
static void lane_begin(struct lane *l, const struct hasher_message *m)
{
    uint8_t *tail = l->tail + 64, *to;
    memset(tail, 0, 64); /* in two, since for more compilers take an instruction that is slow to begin */
    memset(tail + 64, 0, 64);
    l->blocks = blocks_of(m);
    l->body = m->body;
    l->head_end = l->body_end = 0;
    if (m->body_size < 64) {
        memcpy(tail, m->first, HASHER_END);
        memcpy(tail + HASHER_END, m->body, m->body_size);
        to = tail + HASHER_END + m->body_size;
    } else {
        memcpy(l->head, m->first, HASHER_END);
        memcpy(l->head + HASHER_END, m->body, 64 - HASHER_END);
        l->body += 64 - HASHER_END;
        l->head_end = 1;
        size_t left = m->body_size - (64 - HASHER_END);
        l->body_end = 1 + left / 64;
        to = tail + left % 64;
        memcpy(to - 64, m->body + m->body_size - 64, 64);
    }
    memcpy(to, m->last, HASHER_END);
    to[HASHER_END] = 0x80;
    store_be64(tail + 64 * (l->blocks - l->body_end) - 8, 8 * (2 * HASHER_END + (uint64_t)m->body_size));
}

static const uint8_t *lane_block(const struct lane *l, size_t block)
{
    if (block < l->head_end)
        return l->head;
    return block < l->body_end ? l->body + 64 * (block - l->head_end) : l->tail + 64 + 64 * (block - l->body_end);
}

static void hash_group(const struct hash_kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                       size_t count)
{
    _Alignas(64) uint32_t state[8 * LANES_MAX];
    struct lane lanes[LANES_MAX];
    const uint8_t *at[LANES_MAX];
    struct hash256 *out[LANES_MAX] = {NULL};
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++) {
        lane_begin(&lanes[i], &messages[order[i]]);
        out[i] = messages[order[i]].out;
        blocks = lanes[i].blocks > blocks ? lanes[i].blocks : blocks;
    }
    for (size_t i = count; i < kernel->lanes; i++)
        at[i] = lanes[0].tail; /* cppcheck-suppress uninitvar ; count is 1 at least */
    kernel->begin(state);
    for (size_t block = 0; block < blocks; block++) {
        uint32_t going = 0;
        for (size_t i = 0; i < count; i++) {
            going |= (uint32_t)(block < lanes[i].blocks) << i;
            at[i] = lane_block(&lanes[i], block < lanes[i].blocks ? block : lanes[i].body_end);
        }
        kernel->compress(state, at, going);
    }
    kernel->end(state, out);
}

/* Orders lengths, the long ones only roughly: up to 64 blocks exactly, then by the top four bits. */
static uint16_t bucket_of(size_t blocks)
{
    if (blocks < 64)
        return (uint16_t)blocks;
    unsigned log = 63u - (unsigned)__builtin_clzll(blocks);
    return (uint16_t)(64 + 8 * (log - 6) + (blocks >> (log - 3) & 7));
}

#define BUCKETS (64 + 8 * 58)

static void sort_by_blocks(const struct hasher_message *messages, size_t count, uint16_t *order)
{
    uint16_t bucket[HASHER_BATCH], first[BUCKETS + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        bucket[i] = bucket_of(blocks_of(&messages[i]));
        first[bucket[i] + 1]++;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        first[i + 1] = (uint16_t)(first[i + 1] + first[i]);
    for (size_t i = 0; i < count; i++)
        order[first[bucket[i]]++] = (uint16_t)i;
}

/* Whether a group costs less than its messages by the next slower kernel: not if it is small or one is far longer. */
static bool group_pays(const struct hash_kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                       size_t count)
{
    size_t longest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t blocks = blocks_of(&messages[order[i]]) + 1;
        longest = blocks > longest ? blocks : longest;
        sum += blocks;
    }
    return longest * kernel->cost < sum * kernel->else_cost;
}

typedef void hash_sorted(const struct hasher_message *messages, const uint16_t *order, size_t count);

static void hash_singly(const struct hasher_message *messages, const uint16_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash_single(&messages[order[i]]);
}

/* In groups of neighbours; `slower` has those that do not pay. */
static void hash_with(const struct hash_kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                      size_t count, hash_sorted *slower)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < kernel->lanes ? count - done : kernel->lanes;
        if (group_pays(kernel, messages, order + done, n))
            hash_group(kernel, messages, order + done, n);
        else
            slower(messages, order + done, n);
        done += n;
    }
}

static void hash_in_pairs(const struct hasher_message *messages, const uint16_t *order, size_t count)
{
    hash_with(&hasher_kernel_of[HASHER_PAIRS], messages, order, count, hash_singly);
}

static void hash_in_groups(enum hasher_kernel kernel, const struct hasher_message *messages, size_t count)
{
    uint16_t order[HASHER_BATCH];
    sort_by_blocks(messages, count, order);
    bool pairs = kernel == HASHER_SIXTEEN && hasher_has(HASHER_PAIRS);
    hash_with(&hasher_kernel_of[kernel], messages, order, count, pairs ? hash_in_pairs : hash_singly);
}

static void group_parents(const struct hash_kernel *kernel, const struct hash256 *nodes, size_t count,
                          struct hash256 *parents)
{
    static const uint8_t padding[64] = {[0] = 0x80, [62] = 2}; /* 512 bits */
    _Alignas(64) uint32_t state[8 * LANES_MAX];
    const uint8_t *at[LANES_MAX], *pad[LANES_MAX];
    struct hash256 *out[LANES_MAX];
    for (size_t i = 0; i < kernel->lanes; i++) {
        at[i] = nodes[i < count ? 2 * i : 0].bytes;
        pad[i] = padding;
        out[i] = i < count ? &parents[i] : NULL;
    }
    kernel->begin(state);
    kernel->compress(state, at, UINT32_MAX);
    kernel->compress(state, pad, UINT32_MAX);
    kernel->end(state, out);
}
#endif

/* ---- which kernel ---- */

/* What the processor has, a bit for each kernel; asked for once, since the question is slow in a virtual machine.
 * Relaxed: a thread that does not see the answer asks again and gets the same. */
static unsigned kernels(void)
{
    static atomic_uint known;
    unsigned answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        answer = 1u << HASHER_SINGLE;
#ifdef HASHER_HAS_KERNELS
        answer |= hasher_find_kernels();
#endif
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer;
}

bool hasher_has(enum hasher_kernel kernel) { return kernels() >> kernel & 1; }

const char *hasher_name(enum hasher_kernel kernel)
{
    static const char *const names[HASHER_KERNELS] = {
        [HASHER_SINGLE] = "single", [HASHER_PAIRS] = "pairs", [HASHER_SIXTEEN] = "sixteen"};
    return names[kernel];
}

static enum hasher_kernel choose(void)
{
    const char *wanted = getenv("UNKTX_HASHER");
    for (unsigned k = 0; wanted && k < HASHER_KERNELS; k++)
        if (hasher_has((enum hasher_kernel)k) && strcmp(wanted, hasher_name((enum hasher_kernel)k)) == 0)
            return (enum hasher_kernel)k;
    return hasher_has(HASHER_SIXTEEN) ? HASHER_SIXTEEN : hasher_has(HASHER_PAIRS) ? HASHER_PAIRS : HASHER_SINGLE;
}

enum hasher_kernel hasher_best(void)
{
    static atomic_uint known; /* one more than the kernel; 0: not chosen yet */
    unsigned answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        answer = choose() + 1u;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return (enum hasher_kernel)(answer - 1);
}

/* ---- what others call ---- */

void hasher_messages(enum hasher_kernel kernel, const struct hasher_message *messages, size_t count)
{
    if (kernel == HASHER_SINGLE)
        for (size_t i = 0; i < count; i++)
            hash_single(&messages[i]);
#ifdef HASHER_HAS_KERNELS
    else
        hash_in_groups(kernel, messages, count);
#endif
    for (size_t i = 0; i < count; i++)
        if (messages[i].copy)
            *messages[i].copy = *messages[i].out;
}

void hasher_parents(enum hasher_kernel kernel, const struct hash256 *nodes, size_t count, struct hash256 *parents)
{
    size_t done = 0;
#ifdef HASHER_HAS_KERNELS
    const struct hash_kernel *k = &hasher_kernel_of[kernel];
    while (kernel != HASHER_SINGLE && (count - done) * 10 > k->cost) {
        size_t n = count - done < k->lanes ? count - done : k->lanes;
        group_parents(k, nodes + 2 * done, n, parents + done);
        done += n;
    }
#else
    (void)kernel; /* there is but one */
#endif
    for (; done < count; done++)
        sha256d(nodes[2 * done].bytes, 2 * HASH256_SIZE, &parents[done]);
}
