/* memo.h - memo keys by the address of a value, which is what identity is. */
#ifndef PICKLE__MEMO_H
#define PICKLE__MEMO_H

#include "graph/value.h"

typedef struct pickle__memo_entry {
    const pickle_val *v; /* NULL: free */
    uint64_t memo_key;
} pickle__memo_entry;

/* Zero, but for `alloc`, is an empty table. */
typedef struct pickle__memo_table {
    pickle__memo_entry *slots;
    size_t count, room; /* room is a power of two, or 0 */
    unsigned shift;     /* of a hash, to leave a slot's number */
    const pickle_alloc *alloc;
} pickle__memo_table;

/* False: no memory. `v` must not be there. */
bool pickle__memo_table_add(pickle__memo_table *m, const pickle_val *v, uint64_t key);
void pickle__memo_table_free(pickle__memo_table *m);

PICKLE__INLINE size_t pickle__memo_table_home(const pickle__memo_table *m, const pickle_val *v)
{
    return (size_t)((uint64_t)(uintptr_t)v * UINT64_C(0x9e3779b97f4a7c15) >> m->shift);
}

/* NULL: it is not there. */
PICKLE__INLINE const uint64_t *pickle__memo_table_find(const pickle__memo_table *m,
                                                       const pickle_val *v)
{
    if (m->count == 0)
        return NULL;
    for (size_t i = pickle__memo_table_home(m, v);; i = (i + 1) & (m->room - 1)) {
        const pickle__memo_entry *s = &m->slots[i];

        if (s->v == v)
            return &s->memo_key;
        if (!s->v)
            return NULL;
    }
}

#endif
