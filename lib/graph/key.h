/* key.h - digests of dict keys and set items: equal exactly when Python says the keys are. */
#ifndef PICKLE__KEY_H
#define PICKLE__KEY_H

#include "graph/doc.h"

typedef struct pickle__digest {
    uint64_t lo, hi;
} pickle__digest;

static inline bool pickle__same_digest(pickle__digest a, pickle__digest b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* Working memory for the digests of one table's keys; only tuples and frozensets use it. */
typedef struct pickle__digester {
    const pickle_doc *doc;
    struct known *seen; /* composites that were met, so that shared ones are not walked again */
    size_t n_seen, slots;
    struct frame *stack; /* composites on the way */
    size_t depth, room;
    pickle__digest *items; /* digests of their items, as far as they are done */
    size_t n_items, items_room;
} pickle__digester;

void pickle__digester_init(pickle__digester *d, const pickle_doc *doc);
void pickle__digester_free(pickle__digester *d);

/* False when memory runs out. */
bool pickle__digest_key(pickle__digester *d, const pickle_val *v, pickle__digest *out);
pickle__digest pickle__digest_str(const pickle_doc *doc, const char *text, size_t len);

#endif
