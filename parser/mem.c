#include "parser/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define LARGE_PAGE ((size_t)2 << 20)
#define SMALL_PAGE 4096u
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif
#define BLOCK_KEPT (32 << 20) /* mem_keep: a larger one goes back to the system; more than this glibc does not take */
#define KEPT_BEYOND ((size_t)32 << 20) /* what the heap has at its end beyond the room and this goes back too */
#define ROOM_MAX ((size_t)256 << 20)
#define HEAP_HEAD 64u                 /* more than what the heap has before each block */
#define HEAP_PROBE ((size_t)64 << 10) /* of its end */
#define MAPPED_MAX 65536              /* what M_MMAP_MAX is in glibc */

static atomic_long asked;
static atomic_long allowed_left = -1; /* -1: no limit */

/* Counts the request; false if it is one that shall fail. */
static bool may_allocate(void)
{
    atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
    long left = atomic_load_explicit(&allowed_left, memory_order_relaxed);
    while (left > 0)
        if (atomic_compare_exchange_weak_explicit(&allowed_left, &left, left - 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            break;
    return left != 0;
}

/* What the mapping of a large block has beyond its bytes, at most: a header, alignment, and the rest of a page. */
#define LARGE_EXTRA ((size_t)4080)

/* Of a large block, so many bytes that its end is in a large page too, where it would have more than half of one. */
static size_t with_whole_pages(size_t bytes)
{
    size_t over = (bytes + LARGE_EXTRA) % LARGE_PAGE;
    return bytes < LARGE_PAGE || bytes > SIZE_MAX / 2 || over <= LARGE_PAGE / 2 ? bytes : bytes + LARGE_PAGE - over;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || !may_allocate())
        return NULL;
    return calloc(bytes ? bytes : 1, 1); /* of 0 bytes it may give NULL, which callers would take for a failure */
}

/* Asks for large pages. The system lets a large mapping begin at one (Linux 6.7 at least), and the allocator has
 * written its header there, to a small page, which is made part of the large one: else there would be 511 more. */
static void ask_for_large_pages(uint8_t *block, size_t bytes)
{
    uint8_t *first = block - (uintptr_t)block % SMALL_PAGE;
    if (bytes < LARGE_PAGE)
        return;
    (void)madvise(first, (size_t)(block - first) + bytes, MADV_HUGEPAGE);
    if ((uintptr_t)first % LARGE_PAGE == 0)
        (void)madvise(first, LARGE_PAGE, MADV_COLLAPSE);
}

void *mem_alloc_large(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    bytes = with_whole_pages(bytes);
    void *block = mem_alloc(bytes, 1);
    if (block)
        ask_for_large_pages(block, bytes);
    return block;
}

/* Not cleared; *bytes is what it has, a multiple of `align`, at least one. */
static void *alloc_aligned(size_t align, size_t count, size_t size, size_t *bytes)
{
    if (__builtin_mul_overflow(count, size, bytes) || *bytes > SIZE_MAX / 2 || !may_allocate())
        return NULL;
    *bytes = with_whole_pages(*bytes) / align * align + align;
    return aligned_alloc(align, *bytes);
}

void *mem_alloc_lines(size_t count, size_t size)
{
    size_t bytes;
    void *block = alloc_aligned(MEM_LINE, count, size, &bytes);
    if (block)
        ask_for_large_pages(block, bytes);
    return block;
}

void *mem_alloc_apart(size_t count, size_t size)
{
    size_t bytes;
    void *block = alloc_aligned(MEM_APART_BYTES, count, size, &bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void *mem_resize(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || !may_allocate())
        return NULL;
    bytes = with_whole_pages(bytes);
    block = realloc(block, bytes ? bytes : 1);
    if (block)
        ask_for_large_pages(block, bytes);
    return block;
}

enum status mem_reserve(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return STATUS_OK;
    size_t grown = *capacity + *capacity / 2;
    if (grown < need)
        grown = need;
    /* array points to a pointer of the caller's type: its bytes are copied, since C has no pointer type that may stand
     * for every other */
    void *block;
    memcpy(&block, array, sizeof block);
    block = mem_resize(block, grown, size);
    if (!block)
        return STATUS_NOMEM;
    memcpy(array, &block, sizeof block);
    *capacity = grown;
    return STATUS_OK;
}

bool mem_renew(void *array, size_t count, size_t size)
{
    void *old, *fresh;
    memcpy(&old, array, sizeof old);
    mem_free(old);
    fresh = mem_alloc_large(count, size);
    memcpy(array, &fresh, sizeof fresh);
    return fresh != NULL;
}

/* Whole large pages. */
static void *alloc_pages(size_t bytes)
{
    void *block = may_allocate() ? aligned_alloc(LARGE_PAGE, bytes) : NULL;
    if (block)
        (void)madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

enum status mem_renew_buffer(void *array, size_t *capacity, size_t need)
{
    if (need <= *capacity)
        return STATUS_OK;
    void *block;
    memcpy(&block, array, sizeof block);
    mem_free(block);
    size_t bytes = need;
    if (need > LARGE_PAGE / 4 && need <= SIZE_MAX - LARGE_PAGE)
        bytes = (need + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    block = bytes % LARGE_PAGE == 0 ? alloc_pages(bytes) : mem_resize(NULL, bytes, 1);
    memcpy(array, &block, sizeof block);
    *capacity = block ? bytes : 0;
    return block ? STATUS_OK : STATUS_NOMEM;
}

void mem_give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

#ifdef __GLIBC__
/* The heap's end is anywhere in a large page: up to the next one there are small ones only, hundreds of first touches.
 * Leaves them out, once. A large page of which a byte was touched before is none. */
static void skip_small_pages(void)
{
    static uint8_t *left_out;
    uint8_t *end = left_out ? NULL : malloc(HEAP_PROBE);
    size_t before = LARGE_PAGE - (uintptr_t)end % LARGE_PAGE;
    free(end);
    if (end)
        left_out = malloc(before + (before < 2 * HEAP_PROBE ? LARGE_PAGE : 0) - HEAP_HEAD);
}

/* Lets the heap grow by so much, which is not touched, and asks for large pages there. Where the address space is
 * limited (ulimit -v) it is left to what needs it. */
static void make_room(size_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY)
        return;
    mallopt(M_MMAP_MAX, 0); /* of the heap, however large */
    skip_small_pages();
    uint8_t *piece = malloc(bytes);
    mallopt(M_MMAP_MAX, MAPPED_MAX);
    if (piece)
        ask_for_large_pages(piece, bytes);
    free(piece);
}
#endif

void mem_keep(size_t bytes)
{
#ifdef __GLIBC__
    if (bytes > ROOM_MAX)
        bytes = ROOM_MAX;
    mallopt(M_MMAP_THRESHOLD, BLOCK_KEPT);
    mallopt(M_TRIM_THRESHOLD, (int)(bytes + KEPT_BEYOND));
    mallopt(M_ARENA_MAX, 1); /* else what one thread frees is of no use to the next one */
    make_room(bytes);
#else
    (void)bytes;
#endif
}

void mem_settle(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* else it grows with what is freed, and holes in arenas with it */
#endif
    mem_give_back();
}

void mem_free(void *block) { free(block); }

void mem_fail_after(long allowed) { atomic_store(&allowed_left, allowed); }

long mem_count(void) { return atomic_load(&asked); }
