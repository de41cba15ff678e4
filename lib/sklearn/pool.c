/* pool.c - memory that goes all at once. */
#include "sklearn/pool.h"

#include <stdlib.h>

#define ALIGN      ((size_t)64)
#define FIRST_SIZE ((size_t)16 << 10)
#define MOST_SIZE  ((size_t)4 << 20)

struct pickle__pool_chunk {
    pickle__pool_chunk *next;
    size_t size; /* of the whole block */
    char *start; /* aligned            */
    size_t room;
};

/* Nothing takes a byte, so that it has a place. */
static size_t bytes_of(size_t count, size_t size)
{
    return count > 0 && size > 0 ? count * size : 1;
}

void *pickle__heap_take(const pickle_alloc *alloc, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return alloc ? alloc->alloc(alloc->ctx, bytes_of(count, size)) : malloc(bytes_of(count, size));
}

void pickle__heap_free(const pickle_alloc *alloc, void *ptr, size_t count, size_t size)
{
    if (!ptr)
        return;
    if (alloc)
        alloc->free(alloc->ctx, ptr, bytes_of(count, size));
    else
        free(ptr);
}

void pickle__pool_free(pickle__pool *pool)
{
    pickle__pool_chunk *chunk = pool->first;

    while (chunk) {
        pickle__pool_chunk *next = chunk->next;

        pickle__heap_free(pool->alloc, chunk, chunk->size, 1);
        chunk = next;
    }
    pool->first = pool->current = NULL;
    pool->used = 0;
}

static pickle__pool_chunk *new_chunk(const pickle__pool *pool, size_t room)
{
    size_t size = sizeof(pickle__pool_chunk) + ALIGN + room;
    pickle__pool_chunk *chunk;

    if (size < room)
        return NULL;
    chunk = pickle__heap_take(pool->alloc, size, 1);
    if (!chunk)
        return NULL;
    chunk->next = NULL;
    chunk->size = size;
    chunk->start = (char *)(((uintptr_t)(chunk + 1) + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    chunk->room = room;
    return chunk;
}

/* Make the current chunk one that has room: the next if it will do, else a new one before it. */
static bool next_chunk(pickle__pool *pool, size_t bytes)
{
    pickle__pool_chunk **link = pool->current ? &pool->current->next : &pool->first;
    size_t room = pool->current ? pool->current->room * 2 : FIRST_SIZE;
    pickle__pool_chunk *chunk = *link;

    if (!chunk || chunk->room < bytes) {
        if (room > MOST_SIZE)
            room = MOST_SIZE;
        chunk = new_chunk(pool, room > bytes ? room : bytes);
        if (!chunk)
            return false;
        chunk->next = *link;
        *link = chunk;
    }
    pool->current = chunk;
    pool->used = 0;
    return true;
}

void *pickle__pool_take(pickle__pool *pool, size_t count, size_t size)
{
    size_t bytes;

    if (size != 0 && count > (SIZE_MAX / 2) / size)
        return NULL;
    bytes = (count * size + ALIGN - 1) & ~(ALIGN - 1);
    if (!pool->current || bytes > pool->current->room - pool->used) {
        if (!next_chunk(pool, bytes))
            return NULL;
    }
    pool->used += bytes;
    return pool->current->start + pool->used - bytes;
}

pickle__pool_mark pickle__pool_here(const pickle__pool *pool)
{
    return (pickle__pool_mark){ pool->current, pool->used };
}

void pickle__pool_release(pickle__pool *pool, pickle__pool_mark mark)
{
    /* A mark from before the first chunk: that one is empty again. */
    pool->current = mark.chunk ? mark.chunk : pool->first;
    pool->used = mark.chunk ? mark.used : 0;
}
