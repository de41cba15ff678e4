/*
 * arena.h - memory that lives as long as a document, and is used again by the next one.
 *
 * Small things are cut from chunks and never freed alone. Arrays that grow past
 * PICKLE__BLOCK bytes are blocks of their own, so that growing them moves pages
 * instead of leaving dead copies behind.
 */
#ifndef PICKLE__ARENA_H
#define PICKLE__ARENA_H

#include "base/base.h"

#define PICKLE__ALIGN 8u
#define PICKLE__BLOCK ((size_t)64 << 10)

typedef struct pickle__chunk pickle__chunk;
typedef struct pickle__block pickle__block;

typedef struct pickle__arena {
    char *at, *end; /* free part of the current chunk           */
    pickle__chunk *first, *current;
    pickle__block *blocks; /* in use                                   */
    pickle__block *spare;  /* kept for the next document               */
    size_t held;           /* bytes got from the allocator             */
    size_t limit;          /* how many may be held                     */
    bool limited;          /* the last failure was the limit, not the allocator */
    const pickle_alloc *alloc;
} pickle__arena;

void pickle__arena_init(pickle__arena *a, const pickle_alloc *alloc);
void pickle__arena_free(pickle__arena *a);
/* Everything taken is gone; the memory stays. */
void pickle__arena_reset(pickle__arena *a);

void *pickle__arena_more(pickle__arena *a, size_t size);

PICKLE__INLINE size_t pickle__round_up(size_t size)
{
    return (size + (PICKLE__ALIGN - 1)) & ~(size_t)(PICKLE__ALIGN - 1);
}

/* `size` bytes, aligned to 8, not cleared; NULL when the allocator or the limit says no. */
PICKLE__INLINE void *pickle__arena_take(pickle__arena *a, size_t size)
{
    size_t rounded = pickle__round_up(size);

    if (pickle__unlikely(rounded > (size_t)(a->end - a->at) || rounded < size))
        return pickle__arena_more(a, size);
    a->at += rounded;
    return a->at - rounded;
}

/*
 * Grow an array from `old_size` to `new_size` bytes and give its new place; the
 * old one is gone. Both sizes are exact and multiples of 8; 0 is no array yet.
 */
void *pickle__arena_grow(pickle__arena *a, void *old, size_t old_size, size_t new_size);

/*
 * Memory beside the chunks, that counts like them but survives a reset: grown,
 * or with `new_size` 0 freed. The sizes are exact.
 */
void *pickle__arena_hold(pickle__arena *a, void *old, size_t old_size, size_t new_size);

/* The code of the last failure: PICKLE_ERR_LIMIT or PICKLE_ERR_NOMEM. */
bool pickle__arena_fail(const pickle__arena *a, pickle_error *err, uint64_t offset);

#endif
