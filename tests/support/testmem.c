/* testmem.c - the allocator for tests. */
#include "testmem.h"

#include <stdlib.h>
#include <string.h>

/* Each block is preceded by its size. */
typedef union header {
    size_t size;
    max_align_t align;
} header;

static void *counted_alloc(void *ctx, size_t size)
{
    memory *m = ctx;
    header *block;

    if (++m->calls == m->fail_at)
        return NULL;
    block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    m->in_use += size;
    if (m->peak < m->in_use)
        m->peak = m->in_use;
    return memset(block + 1, 0xa5, size);
}

static void counted_free(void *ctx, void *ptr, size_t size)
{
    memory *m = ctx;
    header *block = (header *)ptr - 1;

    if (!ptr || block->size != size)
        abort();
    m->in_use -= size;
    free(block);
}

/* Always moves, so that stale pointers are found. */
static void *counted_realloc(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *moved = counted_alloc(ctx, new_size);

    if (moved && ptr) {
        memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
        counted_free(ctx, ptr, old_size);
    }
    return moved;
}

void memory_init(memory *m, size_t fail_at)
{
    memset(m, 0, sizeof *m);
    m->alloc = (pickle_alloc){ counted_alloc, counted_realloc, counted_free, m };
    m->fail_at = fail_at;
}
