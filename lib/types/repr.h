/* repr.h - a printer of values: what is left to do lies on a stack, so depth costs memory only. */
#ifndef PICKLE__REPR_H
#define PICKLE__REPR_H

#include "graph/walk.h"
#include "types/stdlib.h"

/*
 * A thing to do. A value: text, which is constant, if there is any; else `v`. Items: the rest of
 * `items`, then `text`, and `v`, if any, is no longer being printed. A pair: the key `v` and the
 * value `items.of`.
 */
typedef struct pickle__task {
    enum { PICKLE__PRINT_VALUE, PICKLE__PRINT_ITEMS, PICKLE__PRINT_PAIR } what;
    bool more;    /* ", " comes before the first item */
    bool pairs;   /* the items are pairs              */
    bool keyword; /* name=value                       */
    const char *text;
    const pickle_val *v;
    pickle_iter items;
} pickle__task;

typedef struct pickle__printer {
    pickle_sink out;
    size_t left; /* bytes that may still be written */
    bool cut;    /* there were too many             */
    bool failed;
    bool python; /* known objects as Python shows them */
    pickle__task *tasks;
    size_t n, room;
    pickle__seen open; /* containers being printed */
    pickle_error *err;
} pickle__printer;

/* What goes there is written at once. */
pickle_sink pickle__printer_sink(pickle__printer *p);
/* To be done before all that waits: so the last comes first. */
bool pickle__print_later(pickle__printer *p, pickle__task t);
/* Enter a container: false, and `cycle` printed, when it is already being printed. */
bool pickle__print_enter(pickle__printer *p, const pickle_val *v, const char *cycle);

/* An object, or a global, that Python's repr() is known of: true, and in *ok whether to go on. */
bool pickle__print_known(pickle__printer *p, const pickle_val *v, bool *ok);
bool pickle__print_class(pickle__printer *p, const pickle_val *global, bool *ok);

#endif
