/* walk.c - the stack of containers that are open. */
#include <stdlib.h>

#include <pickle/torch.h>

#include "walk.h"

struct walk_frame {
    const pickle_val *of;
    children children;
    child pending;       /* the value of a key that was given               */
    size_t left, hidden; /* children to be given; children beyond the limit */
    bool last;           /* as the node was                                 */
};

/* ----------------------------------------------------------------- opening */

static bool has_children(const walk *w)
{
    const pickle_val *inner[2];

    switch (w->form) {
    case FORM_ARRAY:
        return view_inner(w->at.value, w->form, inner) > 0;
    case FORM_SEQUENCE:
    case FORM_SET:
    case FORM_DICT:
    case FORM_OBJECT:
    case FORM_REFERENCE:
        return true;
    default:
        return false;
    }
}

/* Are the states of an object, or the elements of an array, shown as its own children? Not if they
 * are shared: then they are shown once, as values. */
static bool is_flat(walk *w, const pickle_val *v, bool *failed)
{
    const pickle_val *inner[2];
    size_t n = view_inner(v, w->form, inner);
    bool flat = n > 0;

    for (size_t i = 0; i < n && w->mode != WALK_COPY; i++) {
        seen_entry *entry = seen_add(w->seen, inner[i]);

        if (!entry) {
            *failed = true;
            return false;
        }
        if (w->mode == WALK_COUNT) {
            flat = flat && !entry->opened;
            entry->opened = true;
            entry->count++;
        } else {
            flat = flat && entry->count <= 1;
        }
    }
    return flat;
}

static size_t limit_for(const walk *w, const pickle_val *v)
{
    pickle_items items;
    const pickle_val *first;

    if (w->form == FORM_OBJECT)
        return w->attributes;
    if (!w->sample || w->form != FORM_SEQUENCE)
        return w->items;
    items = view_items(v, w->as);
    first = pickle_item(&items, 0);
    if (pickle_state(first) && view_form(first, w->as) == FORM_OBJECT &&
        view_is_alike(items, w->as))
        return 1;
    return w->items;
}

static bool push(walk *w, const pickle_val *v)
{
    bool failed = false;
    bool flat = is_flat(w, v, &failed);
    children all;
    size_t count, most;

    if (w->n == w->room) {
        size_t room = w->room ? w->room * 2 : 16;
        walk_frame *frames = realloc(w->frames, room * sizeof *frames);

        if (!frames)
            return false;
        w->frames = frames;
        w->room = room;
    }
    children_start(&all, v, w->as, w->form, flat);
    count = children_count(all);
    most = limit_for(w, v);
    w->frames[w->n++] = (walk_frame){
        .of = v,
        .children = all,
        .left = count < most ? count : most,
        .hidden = count < most ? 0 : count - most,
        .last = w->last,
    };
    return !failed;
}

/* ------------------------------------------------------------------- nodes */

/* The bytes of a tensor's storage; NULL: it is none, or they are elsewhere. */
static const void *data_of_storage(const pickle_val *v)
{
    pickle_tensor t;
    pickle_storage s;

    if (pickle_type_of(v) != PICKLE_TYPE_TENSOR || !pickle_get_tensor(v, &t) ||
        !pickle_get_storage(t.storage, &s) || s.nbytes == 0)
        return NULL;
    return s.data;
}

static bool count_storage(walk *w, const pickle_val *v)
{
    const void *data = w->as == VIEW_KNOWN ? data_of_storage(v) : NULL;
    seen_entry *entry = data ? seen_add(w->seen, data) : NULL;

    if (entry)
        entry->count++;
    return entry || !data;
}

/* Marks a value that may be shared; false: no memory. */
static bool mark(walk *w, seen_entry **entry)
{
    seen_entry *e = seen_add(w->seen, w->at.value);

    if (!e)
        return false;
    *entry = e;
    if (w->mode == WALK_COUNT) {
        e->count++;
    } else if (w->mode == WALK_SHOW && e->count > 1) {
        w->again = e->id != 0;
        e->id = e->id ? e->id : ++w->seen->last_id;
        w->id = e->id;
    }
    return true;
}

static walk_step visit(walk *w)
{
    const pickle_val *v = w->at.value;
    seen_entry *entry = NULL;
    bool leaf;

    w->form = view_form(v, w->as);
    leaf = !has_children(w) || (w->is_leaf && w->is_leaf(w, v));
    w->opened = w->again = false;
    w->id = 0;
    if (view_has_identity(v, w->form) && !(leaf && pickle_kind_of(v) == PICKLE_TUPLE) &&
        !mark(w, &entry))
        return WALK_NO_MEMORY;
    if (entry && entry->opened && w->mode == WALK_COPY)
        return WALK_CYCLE;
    if (leaf && w->mode == WALK_COUNT && entry && entry->count == 1)
        return count_storage(w, v) ? WALK_NODE : WALK_NO_MEMORY;
    if (leaf || w->level >= w->depth || (entry && entry->opened))
        return WALK_NODE;
    w->opened = true;
    if (entry)
        entry->opened = true;
    return push(w, v) ? WALK_NODE : WALK_NO_MEMORY;
}

static walk_step leave(walk *w)
{
    const walk_frame *f = &w->frames[--w->n];
    seen_entry *entry = w->mode == WALK_COPY ? seen_find(w->seen, f->of) : NULL;

    if (entry)
        entry->opened = false;
    w->level = w->n;
    w->hidden = f->hidden;
    w->last = f->last;
    return WALK_LEAVE;
}

/* The next child; with `keys`, a pair of a dict is two. */
static bool take(walk *w, walk_frame *f)
{
    if (f->pending.value) {
        w->at = f->pending;
        f->pending.value = NULL;
        return true;
    }
    if (f->left == 0 || !children_next(&f->children, &w->at))
        return false;
    f->left--;
    if (w->keys && w->at.part == PART_VALUE) {
        f->pending = w->at;
        w->at = (child){ .part = PART_KEY, .value = f->pending.key };
    }
    return true;
}

walk_step walk_next(walk *w)
{
    walk_frame *f;

    if (!w->started) {
        w->started = true;
        w->at = (child){ .part = PART_ROOT, .value = w->root };
        w->level = 0;
        w->last = true;
        return visit(w);
    }
    if (w->n == 0)
        return WALK_END;
    f = &w->frames[w->n - 1];
    if (!take(w, f))
        return leave(w);
    w->parent = f->of;
    w->level = w->n;
    w->last = f->left == 0 && f->hidden == 0;
    return visit(w);
}

bool walk_count(walk w)
{
    walk_step step;

    do
        step = walk_next(&w);
    while (step == WALK_NODE || step == WALK_LEAVE);
    walk_free(&w);
    return step == WALK_END;
}

bool walk_was_last(const walk *w, size_t level)
{
    return w->frames[level].last;
}

bool walk_shares_storage(const walk *w, const pickle_val *tensor)
{
    const void *data = data_of_storage(tensor);
    const seen_entry *entry = data ? seen_find(w->seen, data) : NULL;

    return entry && entry->count > 1;
}

void walk_free(walk *w)
{
    free(w->frames);
    w->frames = NULL;
    w->n = w->room = 0;
}
