/* alloc.c - memory: the caller's allocator, or malloc with large blocks on huge pages. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mremap */
#endif
#include "base/base.h"

#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>

/*
 * The first touch of a fresh 4 KiB page costs more than parsing what goes into
 * it. So large blocks are mapped, aligned so that each 2 MiB of them can be
 * one page. Their size alone says which blocks are large: they have no header.
 */
#define HUGE_PAGE  ((size_t)2 << 20)
#define SMALL_PAGE ((size_t)64 << 10) /* the largest that is usual */

static bool is_large(size_t size)
{
    return size >= HUGE_PAGE / 8 * 7;
}

static size_t round_up(size_t size, size_t page)
{
    return (size + page - 1) & ~(page - 1);
}

/* Bytes mapped for a block of `size`: whole huge pages where that takes an eighth more at most. 0
 * on overflow. */
static size_t span_of(size_t size)
{
    size_t span = round_up(size, HUGE_PAGE);

    return span - size <= size / 8 ? span : round_up(size, SMALL_PAGE);
}

/* Address space that begins on a huge page, not yet accessible. */
static void *reserve(size_t span)
{
    size_t room, head;
    uintptr_t start;
    char *map;

    if (!pickle__add(span, HUGE_PAGE, &room))
        return NULL;
    map = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    start = ((uintptr_t)map + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    head = (size_t)(start - (uintptr_t)map);
    if (head > 0)
        munmap(map, head);
    munmap(map + head + span, room - head - span);
    return map + head;
}

static void *large_alloc(size_t size)
{
    size_t span = span_of(size);
    void *block = span ? reserve(span) : NULL;

    if (!block)
        return NULL;
    if (mprotect(block, span, PROT_READ | PROT_WRITE) != 0) {
        munmap(block, span);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(block, span, MADV_HUGEPAGE);
#endif
    return block;
}

static void large_free(void *block, size_t size)
{
    munmap(block, span_of(size));
}

/* From large to large: moves page tables instead of bytes. */
static void *large_realloc(void *block, size_t old_size, size_t new_size)
{
    size_t old_span = span_of(old_size), new_span = span_of(new_size);
    void *target;

    if (new_span == 0)
        return NULL;
    if (new_span == old_span)
        return block;
    if (mremap(block, old_span, new_span, 0) != MAP_FAILED)
        return block;
    target = reserve(new_span);
    if (!target)
        return NULL;
    if (mremap(block, old_span, new_span, MREMAP_MAYMOVE | MREMAP_FIXED, target) == MAP_FAILED) {
        munmap(target, new_span);
        return NULL;
    }
    return target;
}

static void *default_alloc(size_t size)
{
    return is_large(size) ? large_alloc(size) : malloc(size ? size : 1);
}

static void default_free(void *ptr, size_t size)
{
    if (is_large(size))
        large_free(ptr, size);
    else
        free(ptr);
}

static void *default_realloc(void *ptr, size_t old_size, size_t new_size)
{
    void *copy;

    if (is_large(old_size) && is_large(new_size))
        return large_realloc(ptr, old_size, new_size);
    if (!is_large(old_size) && !is_large(new_size))
        return realloc(ptr, new_size ? new_size : 1);
    copy = default_alloc(new_size);
    if (!copy)
        return NULL;
    memcpy(copy, ptr, old_size < new_size ? old_size : new_size);
    default_free(ptr, old_size);
    return copy;
}

#else

static void *default_alloc(size_t size)
{
    return malloc(size ? size : 1);
}

static void default_free(void *ptr, size_t size)
{
    (void)size;
    free(ptr);
}

static void *default_realloc(void *ptr, size_t old_size, size_t new_size)
{
    (void)old_size;
    return realloc(ptr, new_size ? new_size : 1);
}

#endif

void *pickle__alloc(const pickle_alloc *a, size_t size)
{
    return a ? a->alloc(a->ctx, size) : default_alloc(size);
}

void *pickle__realloc(const pickle_alloc *a, void *ptr, size_t old_size, size_t new_size)
{
    if (!ptr)
        return pickle__alloc(a, new_size);
    return a ? a->realloc(a->ctx, ptr, old_size, new_size)
             : default_realloc(ptr, old_size, new_size);
}

void pickle__free(const pickle_alloc *a, void *ptr, size_t size)
{
    if (!ptr)
        return;
    if (a)
        a->free(a->ctx, ptr, size);
    else
        default_free(ptr, size);
}
