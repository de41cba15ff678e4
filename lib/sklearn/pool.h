/*
 * pool.h - memory that goes all at once: of a model, and of the batch that is being computed.
 *
 * Cut from chunks. What was taken after a mark can be given back together, so that a loop over
 * parts needs no more than its largest turn.
 */
#ifndef PICKLE__SKLEARN_POOL_H
#define PICKLE__SKLEARN_POOL_H

#include <pickle/types.h>

typedef struct pickle__pool_chunk pickle__pool_chunk;

typedef struct pickle__pool {
    pickle__pool_chunk *first, *current;
    size_t used; /* of the current chunk */
    const pickle_alloc *alloc;
} pickle__pool;

typedef struct pickle__pool_mark {
    pickle__pool_chunk *chunk;
    size_t used;
} pickle__pool_mark;

void pickle__pool_free(pickle__pool *pool);

/* `count` * `size` bytes, aligned to 64, not cleared; NULL when there is no memory, or so many
 * can't be. Never NULL for nothing. */
void *pickle__pool_take(pickle__pool *pool, size_t count, size_t size);

pickle__pool_mark pickle__pool_here(const pickle__pool *pool);
void pickle__pool_release(pickle__pool *pool, pickle__pool_mark mark);

/* Memory alone, by the same allocator: malloc and free where it is NULL. */
void *pickle__heap_take(const pickle_alloc *alloc, size_t count, size_t size);
void pickle__heap_free(const pickle_alloc *alloc, void *ptr, size_t count, size_t size);

#endif
