/* arena.c - chunks and blocks of a document's memory. */
#include "base/arena.h"

#define FIRST_CHUNK ((size_t)8 << 10)
#define CHUNK_MAX   ((size_t)4 << 20)

struct pickle__chunk {
    pickle__chunk *next;
    size_t size; /* header included */
};

struct pickle__block {
    pickle__block *next, *prev;
    size_t size;    /* header included */
    size_t padding; /* keeps the data aligned to 16 */
};

static void *hold(pickle__arena *a, size_t size)
{
    void *memory;

    a->limited = a->held > a->limit || size > a->limit - a->held;
    memory = a->limited ? NULL : pickle__alloc(a->alloc, size);
    if (memory)
        a->held += size;
    return memory;
}

static void release(pickle__arena *a, void *memory, size_t size)
{
    pickle__free(a->alloc, memory, size);
    a->held -= size;
}

void *pickle__arena_hold(pickle__arena *a, void *old, size_t old_size, size_t new_size)
{
    void *grown;

    if (new_size == 0) {
        release(a, old, old_size);
        return NULL;
    }
    a->limited = a->held > a->limit || new_size - old_size > a->limit - a->held;
    grown = a->limited ? NULL : pickle__realloc(a->alloc, old, old_size, new_size);
    if (grown)
        a->held += new_size - old_size;
    return grown;
}

/* ------------------------------------------------------------------ chunks */

static void enter(pickle__arena *a, pickle__chunk *c)
{
    a->current = c;
    a->at = (char *)(c + 1);
    a->end = (char *)c + c->size;
}

static size_t next_size(const pickle__arena *a, size_t need)
{
    size_t size = a->current ? a->current->size * 2 : FIRST_CHUNK;

    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    /* Near the limit a smaller chunk may still do. */
    if (a->held <= a->limit && size > a->limit - a->held)
        size = a->limit - a->held;
    return size > need ? size : need;
}

void *pickle__arena_more(pickle__arena *a, size_t size)
{
    size_t rounded = pickle__round_up(size), need;
    pickle__chunk *c;

    if (rounded < size || !pickle__add(rounded, sizeof *c, &need)) {
        a->limited = true;
        return NULL;
    }
    c = a->current ? a->current->next : a->first;
    if (!c || c->size < need) {
        size_t want = next_size(a, need);

        c = hold(a, want);
        if (!c)
            return NULL;
        c->size = want;
        c->next = a->current ? a->current->next : a->first;
        if (a->current)
            a->current->next = c;
        else
            a->first = c;
    }
    enter(a, c);
    return pickle__arena_take(a, size);
}

/* ------------------------------------------------------------------ blocks */

static void push(pickle__block **list, pickle__block *b)
{
    b->prev = NULL;
    b->next = *list;
    if (*list)
        (*list)->prev = b;
    *list = b;
}

static void unlink_from(pickle__block **list, pickle__block *b)
{
    if (b->prev)
        b->prev->next = b->next;
    else
        *list = b->next;
    if (b->next)
        b->next->prev = b->prev;
}

static pickle__block *take_spare(pickle__arena *a, size_t size)
{
    for (pickle__block *b = a->spare; b; b = b->next)
        if (b->size >= size) {
            unlink_from(&a->spare, b);
            return b;
        }
    return NULL;
}

/* A block keeps its whole size when it is taken again: growing within it is free. */
static void *new_block(pickle__arena *a, size_t size)
{
    pickle__block *b = take_spare(a, size);

    if (!b) {
        b = hold(a, size);
        if (!b)
            return NULL;
        b->size = size;
    }
    push(&a->blocks, b);
    return b + 1;
}

static void *grow_block(pickle__arena *a, void *data, size_t size)
{
    pickle__block *b = (pickle__block *)data - 1, *moved;
    size_t old_size = b->size;

    if (old_size >= size)
        return data;
    unlink_from(&a->blocks, b);
    moved = pickle__arena_hold(a, b, old_size, size);
    if (moved) {
        moved->size = size;
        b = moved;
    }
    push(&a->blocks, b);
    return moved ? moved + 1 : NULL;
}

void *pickle__arena_grow(pickle__arena *a, void *old, size_t old_size, size_t new_size)
{
    size_t with_header;
    void *data;

    if (new_size < PICKLE__BLOCK) {
        data = pickle__arena_take(a, new_size);
    } else {
        if (!pickle__add(new_size, sizeof(pickle__block), &with_header)) {
            a->limited = true;
            return NULL;
        }
        if (old_size >= PICKLE__BLOCK)
            return grow_block(a, old, with_header);
        data = new_block(a, with_header);
    }
    if (data && old_size)
        memcpy(data, old, old_size);
    return data;
}

/* --------------------------------------------------------------- lifetime */

void pickle__arena_init(pickle__arena *a, const pickle_alloc *alloc)
{
    memset(a, 0, sizeof *a);
    a->alloc = alloc;
    a->limit = SIZE_MAX;
}

void pickle__arena_reset(pickle__arena *a)
{
    while (a->blocks) {
        pickle__block *b = a->blocks;

        unlink_from(&a->blocks, b);
        push(&a->spare, b);
    }
    a->current = NULL;
    a->at = a->end = NULL;
    if (a->first)
        enter(a, a->first);
}

static void free_blocks(pickle__arena *a, pickle__block *b)
{
    while (b) {
        pickle__block *next = b->next;

        release(a, b, b->size);
        b = next;
    }
}

void pickle__arena_free(pickle__arena *a)
{
    free_blocks(a, a->blocks);
    free_blocks(a, a->spare);
    while (a->first) {
        pickle__chunk *next = a->first->next;

        release(a, a->first, a->first->size);
        a->first = next;
    }
}

bool pickle__arena_fail(const pickle__arena *a, pickle_error *err, uint64_t offset)
{
    if (a->limited)
        return pickle__fail(err, PICKLE_ERR_LIMIT, offset,
                            "the graph needs more than limits.memory_bytes = %zu", a->limit);
    return pickle__no_memory(err, offset);
}
