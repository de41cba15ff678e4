/* seen.c - a hash table of addresses. */
#include <stdlib.h>

#include "seen.h"

static size_t slot_of(const void *v, size_t room)
{
    uint64_t hash = (uint64_t)(uintptr_t)v * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(hash >> 32) & (room - 1);
}

/* The slot of `v`, or the empty one where it belongs. */
static seen_entry *probe(const seen *s, const void *v)
{
    size_t i = slot_of(v, s->room);

    while (s->slots[i].value && s->slots[i].value != v)
        i = (i + 1) & (s->room - 1);
    return &s->slots[i];
}

static bool grow(seen *s)
{
    seen bigger = { .room = s->room ? s->room * 2 : 64 };

    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < s->room; i++)
        if (s->slots[i].value)
            *probe(&bigger, s->slots[i].value) = s->slots[i];
    free(s->slots);
    s->slots = bigger.slots;
    s->room = bigger.room;
    return true;
}

seen_entry *seen_add(seen *s, const void *v)
{
    seen_entry *entry;

    if (s->used >= s->room / 2 && !grow(s))
        return NULL;
    entry = probe(s, v);
    if (!entry->value) {
        entry->value = v;
        s->used++;
    }
    return entry;
}

seen_entry *seen_find(const seen *s, const void *v)
{
    seen_entry *entry = s->room ? probe(s, v) : NULL;

    return entry && entry->value ? entry : NULL;
}

void seen_rewind(seen *s)
{
    for (size_t i = 0; i < s->room; i++)
        s->slots[i].opened = false;
}

void seen_free(seen *s)
{
    free(s->slots);
    *s = (seen){ 0 };
}
