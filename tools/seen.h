/* seen.h - what a walk remembers of the values, and the data of tensors, that may be met again. */
#ifndef SEEN_H
#define SEEN_H

#include <pickle/doc.h>

typedef struct seen_entry {
    const void *value; /* NULL: an empty slot                  */
    uint32_t count;    /* how often it was met                 */
    uint32_t id;       /* what it is marked with, 0: not yet   */
    bool opened;       /* its items have been, or are being, shown */
} seen_entry;

typedef struct seen {
    seen_entry *slots;
    size_t used, room; /* room: a power of two, or 0 */
    uint32_t last_id;
} seen;

/* The entry of `v`, a new one if need be; NULL: no memory. Valid until the next call. */
seen_entry *seen_add(seen *s, const void *v);
/* NULL: it was never met. */
seen_entry *seen_find(const seen *s, const void *v);
/* Before the values are walked over a second time: counts stay. */
void seen_rewind(seen *s);
void seen_free(seen *s);

#endif
