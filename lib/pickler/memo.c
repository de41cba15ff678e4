/* memo.c - growing it. Addresses are not for an input to choose: no secret is needed. */
#include "pickler/memo.h"

static void put(pickle__memo_table *m, const pickle_val *v, uint64_t key)
{
    size_t i = pickle__memo_table_home(m, v);

    while (m->slots[i].v)
        i = (i + 1) & (m->room - 1);
    m->slots[i] = (pickle__memo_entry){ v, key };
}

static bool grow(pickle__memo_table *m)
{
    pickle__memo_table more = { .room = m->room ? m->room * 2 : 16, .alloc = m->alloc };
    size_t size = more.room * sizeof *more.slots;

    more.slots = pickle__alloc(m->alloc, size);
    if (!more.slots)
        return false;
    memset(more.slots, 0, size);
    for (more.shift = 64; (size_t)1 << (64 - more.shift) < more.room; more.shift--)
        continue;
    for (size_t i = 0; i < m->room; i++)
        if (m->slots[i].v)
            put(&more, m->slots[i].v, m->slots[i].memo_key);
    more.count = m->count;
    pickle__memo_table_free(m);
    *m = more;
    return true;
}

bool pickle__memo_table_add(pickle__memo_table *m, const pickle_val *v, uint64_t key)
{
    if (m->count >= m->room / 2 && !grow(m))
        return false;
    put(m, v, key);
    m->count++;
    return true;
}

void pickle__memo_table_free(pickle__memo_table *m)
{
    pickle__free(m->alloc, m->slots, m->room * sizeof *m->slots);
    m->slots = NULL;
    m->count = m->room = 0;
}
