/* edit.c - changes to containers and objects, whether they were read or made in C. */
#include "graph/doc.h"
#include "graph/slots.h"

#include <pickle/build.h>

static bool wrong_kind(pickle_doc *doc, const pickle_val *v, const char *what)
{
    return pickle__doc_fail(doc, PICKLE_ERR_TYPE, "%s %s", pickle_kind_name(pickle__kind(v)), what);
}

/* For a place that takes the value. */
static pickle_val *place(const pickle_val *v)
{
    pickle_val *m = pickle__mutable(v);

    pickle__adopt(m);
    return m;
}

/* ----------------------------------------------------------- dicts and sets */

bool pickle__check_key(pickle_doc *doc, const pickle_val *key)
{
    bool no_memory;

    if (pickle__hashable(pickle__edit(doc), pickle__mutable(key), &no_memory))
        return true;
    return no_memory ? pickle__doc_no_memory(doc)
                     : wrong_kind(doc, key, "cannot be a key: it can change");
}

static bool append_item(pickle_doc *doc, pickle_val *table, const pickle_val *key,
                        const pickle_val *value)
{
    pickle_val *item[2] = { pickle__mutable(key), pickle__mutable(value) };

    if (!pickle__table_append(pickle__edit(doc), table, item))
        return pickle__doc_no_memory(doc);
    pickle__adopt(item[0]);
    if (value)
        pickle__adopt(item[1]);
    return true;
}

/* The value in an item that was found. */
static void set_value(pickle_val *const *item, const pickle_val *value)
{
    ((pickle_val **)(uintptr_t)item)[1] = place(value);
}

/* `value` is NULL for sets. */
bool pickle__table_put(pickle_doc *doc, pickle_val *table, const pickle_val *key,
                       const pickle_val *value)
{
    pickle_val *const *found;

    if (!pickle__check_key(doc, key))
        return false;
    if (!pickle__table_settle(table))
        return pickle__doc_no_memory(doc);
    found = pickle__table_find(table, key);
    if (!found)
        return append_item(doc, table, key, value);
    if (value)
        set_value(found, value);
    return true;
}

/* A key given as text or as a value. */
typedef struct wanted {
    const char *text; /* NULL: `key` */
    const pickle_val *key;
} wanted;

static pickle_val *const *find(const pickle_val *table, const wanted *w)
{
    return w->text ? pickle__table_find_str(table, w->text, strlen(w->text))
                   : pickle__table_find(table, w->key);
}

static bool remove_from(pickle_doc *doc, pickle_val *table, const wanted *w)
{
    pickle_val *const *found;

    if (!find(table, w))
        return false;
    if (!pickle__table_settle(table))
        return pickle__doc_no_memory(doc);
    found = find(table, w);
    if (found)
        pickle__table_remove(table, found);
    return found != NULL;
}

/* ------------------------------------------------------- changes of symbols */

static bool is_build(const pickle__change *c)
{
    return c->kind == PICKLE_CHANGE_BUILD;
}

static bool is_empty(const pickle__change *c)
{
    return c->kind >= PICKLE_CHANGE_APPENDS && c->kind <= PICKLE_CHANGE_ADDITEMS &&
           pickle__len(c->value) == 0;
}

/* Take away the changes that are `gone`. */
static void sweep(pickle_val *symbol, bool (*gone)(const pickle__change *c))
{
    pickle__symbol *s = PICKLE__AS(pickle__symbol, symbol);
    pickle__change *last = s->last, *before = last, *kept = NULL, *c;

    if (!last)
        return;
    do {
        c = before->next;
        if (gone(c))
            before->next = c->next;
        else
            before = kept = c;
    } while (c != last);
    s->last = kept;
}

static pickle__change *last_of(const pickle_val *symbol, pickle_change_kind kind)
{
    pickle__change *found = NULL;

    for (pickle__change *c = NULL; (c = pickle__next_change(symbol, c));)
        if (c->kind == (uint64_t)kind)
            found = c;
    return found;
}

/* The last change, a new one, goes before the first BUILD: as Python gives items before states. */
static void move_before_build(pickle_val *symbol)
{
    pickle__symbol *s = PICKLE__AS(pickle__symbol, symbol);
    pickle__change *added = s->last, *before = added, *last = added;

    while (before->next != added && !is_build(before->next))
        before = before->next;
    if (before->next == added)
        return;
    while (last->next != added)
        last = last->next;
    s->last = last; /* and so `added` is the first */
    if (before == added)
        return;
    last->next = added->next;
    added->next = before->next;
    before->next = added;
}

/* The items that are set on, appended to, or added to a symbol; NULL: no memory. */
static pickle_val *items_of(pickle_doc *doc, pickle_val *symbol, pickle_change_kind kind)
{
    pickle__change *c = last_of(symbol, kind);
    pickle_val *items;

    if (c)
        return c->value;
    pickle__edit(doc);
    items = kind == PICKLE_CHANGE_APPENDS
                ? pickle__new_list(doc)
                : pickle__new_table(doc, kind == PICKLE_CHANGE_SETITEMS ? PICKLE_DICT : PICKLE_SET);
    if (!items || !pickle__add_change(doc, symbol, kind, items)) {
        pickle__doc_no_memory(doc);
        return NULL;
    }
    move_before_build(symbol);
    return items;
}

/* The last items of that kind that have the key. */
static pickle_val *items_with(const pickle_val *symbol, pickle_change_kind kind, const wanted *w)
{
    pickle_val *found = NULL;

    for (pickle__change *c = NULL; (c = pickle__next_change(symbol, c));)
        if (c->kind == (uint64_t)kind && find(c->value, w))
            found = c->value;
    return found;
}

/* ------------------------------------------------------------------- lists */

/*
 * The list in which item `*index` is, of all that were appended to a symbol,
 * and its index there. With `end`, it may be the place behind the last.
 */
static pickle_val *list_with(const pickle_val *v, size_t *index, bool end)
{
    pickle_val *list = NULL;

    if (pickle__is(v, PICKLE_LIST))
        return *index < pickle__len(v) + end ? pickle__mutable(v) : NULL;
    for (pickle__change *c = NULL; (c = pickle__next_change(v, c));) {
        if (c->kind != PICKLE_CHANGE_APPENDS)
            continue;
        if (list)
            *index -= pickle__len(list);
        list = c->value;
        if (*index < pickle__len(list))
            return list;
    }
    return list && end && *index == pickle__len(list) ? list : NULL;
}

static bool is_sequence(const pickle_val *v)
{
    return pickle__is(v, PICKLE_LIST) || pickle__is_symbol(v);
}

static bool no_item(pickle_doc *doc, size_t index)
{
    return pickle__doc_fail(doc, PICKLE_ERR_MISSING, "there is no item %zu", index);
}

static bool append(pickle_doc *doc, pickle_val *list, const pickle_val *item)
{
    pickle_val *own = pickle__mutable(item);

    if (!pickle__extend(pickle__edit(doc), list, &own, 1))
        return pickle__doc_no_memory(doc);
    pickle__adopt(own);
    return true;
}

void pickle_append(pickle_doc *doc, const pickle_val *list, const pickle_val *item)
{
    pickle_val *to = pickle__mutable(list);

    if (!pickle__given(doc, list, "the list") || !pickle__given(doc, item, "the item"))
        return;
    if (!is_sequence(list)) {
        wrong_kind(doc, list, "takes no items at its end");
        return;
    }
    if (!pickle__is(list, PICKLE_LIST))
        to = items_of(doc, to, PICKLE_CHANGE_APPENDS);
    if (to)
        append(doc, to, item);
}

void pickle_set_at(pickle_doc *doc, const pickle_val *list, size_t index, const pickle_val *item)
{
    size_t at = index;
    pickle_val *in;

    if (!pickle__given(doc, list, "the list") || !pickle__given(doc, item, "the item"))
        return;
    if (!is_sequence(list)) {
        wrong_kind(doc, list, "has no items to set by index");
        return;
    }
    in = list_with(list, &at, false);
    if (in)
        PICKLE__AS(pickle__list, in)->items[at] = place(item);
    else
        no_item(doc, index);
}

void pickle_insert(pickle_doc *doc, const pickle_val *list, size_t index, const pickle_val *item)
{
    pickle_val *in, **items;
    size_t at = index, n;

    if (!pickle__given(doc, list, "the list") || !pickle__given(doc, item, "the item"))
        return;
    if (!is_sequence(list)) {
        wrong_kind(doc, list, "takes no items");
        return;
    }
    in = list_with(list, &at, true);
    if (!in && index == 0)
        in = items_of(doc, pickle__mutable(list), PICKLE_CHANGE_APPENDS);
    else if (!in)
        no_item(doc, index);
    if (!in || !append(doc, in, item))
        return;
    items = PICKLE__AS(pickle__list, in)->items;
    n = pickle__len(in);
    memmove(items + at + 1, items + at, (n - 1 - at) * sizeof *items);
    items[at] = pickle__mutable(item);
}

bool pickle_remove_at(pickle_doc *doc, const pickle_val *list, size_t index)
{
    pickle_val *in, **items;
    size_t left;

    if (!pickle__given(doc, list, "the list") || !is_sequence(list))
        return false;
    in = list_with(list, &index, false);
    if (!in)
        return false;
    items = PICKLE__AS(pickle__list, in)->items;
    left = pickle__len(in) - 1;
    memmove(items + index, items + index + 1, (left - index) * sizeof *items);
    pickle__set_len(in, left);
    if (in != list)
        sweep(pickle__mutable(list), is_empty);
    return true;
}

/* ------------------------------------------------------------- sets and dicts */

void pickle_add(pickle_doc *doc, const pickle_val *set, const pickle_val *item)
{
    pickle_val *to = pickle__mutable(set);

    if (!pickle__given(doc, set, "the set") || !pickle__given(doc, item, "the item"))
        return;
    if (!pickle__is(set, PICKLE_SET) && !pickle__is_symbol(set)) {
        wrong_kind(doc, set, "is no set to add to");
        return;
    }
    if (!pickle__is(set, PICKLE_SET)) {
        if (!pickle__check_key(doc, item) ||
            items_with(set, PICKLE_CHANGE_ADDITEMS, &(wanted){ NULL, item }))
            return;
        to = items_of(doc, to, PICKLE_CHANGE_ADDITEMS);
    }
    if (to)
        pickle__table_put(doc, to, item, NULL);
}

/* The dict to set the key in: of a symbol the last that has it, else the last. */
static pickle_val *dict_for(pickle_doc *doc, const pickle_val *v, const wanted *w)
{
    pickle_val *found;

    if (pickle__is(v, PICKLE_DICT))
        return pickle__mutable(v);
    if (!pickle__is_symbol(v)) {
        wrong_kind(doc, v, "has no items to set by key");
        return NULL;
    }
    found = items_with(v, PICKLE_CHANGE_SETITEMS, w);
    return found ? found : items_of(doc, pickle__mutable(v), PICKLE_CHANGE_SETITEMS);
}

/* `name` gives the node for a key that is new. */
static void set_text(pickle_doc *doc, const pickle_val *on, const char *text,
                     pickle_val *(*name)(pickle_doc *doc, const char *text),
                     const pickle_val *value)
{
    wanted w = { text, NULL };
    pickle_val *dict = dict_for(doc, on, &w), *key;
    pickle_val *const *found;

    if (!dict)
        return;
    if (!pickle__table_settle(dict)) {
        pickle__doc_no_memory(doc);
        return;
    }
    found = find(dict, &w);
    if (found) {
        set_value(found, value);
        return;
    }
    key = name(doc, text);
    if (key)
        append_item(doc, dict, key, value);
}

void pickle_set_key(pickle_doc *doc, const pickle_val *dict, const char *key,
                    const pickle_val *value)
{
    if (pickle__given(doc, dict, "the dict") && pickle__given(doc, key, "the key") &&
        pickle__given(doc, value, "the value"))
        set_text(doc, dict, key, pickle_new_str, value);
}

void pickle_set_item(pickle_doc *doc, const pickle_val *dict, const pickle_val *key,
                     const pickle_val *value)
{
    pickle_val *in;

    if (!pickle__given(doc, dict, "the dict") || !pickle__given(doc, key, "the key") ||
        !pickle__given(doc, value, "the value") || !pickle__check_key(doc, key))
        return;
    in = dict_for(doc, dict, &(wanted){ NULL, key });
    if (in)
        pickle__table_put(doc, in, key, value);
}

static bool remove_wanted(pickle_doc *doc, const pickle_val *from, const wanted *w)
{
    bool any = false;

    if (pickle__is(from, PICKLE_DICT) || pickle__is(from, PICKLE_SET))
        return remove_from(doc, pickle__mutable(from), w);
    if (!pickle__is_symbol(from))
        return false;
    for (pickle__change *c = NULL; (c = pickle__next_change(from, c));)
        if (c->kind == PICKLE_CHANGE_SETITEMS || c->kind == PICKLE_CHANGE_ADDITEMS)
            any |= remove_from(doc, c->value, w);
    sweep(pickle__mutable(from), is_empty);
    return any;
}

bool pickle_remove_key(pickle_doc *doc, const pickle_val *dict, const char *key)
{
    return pickle__given(doc, dict, "the dict") && pickle__given(doc, key, "the key") &&
           remove_wanted(doc, dict, &(wanted){ key, NULL });
}

bool pickle_remove_item(pickle_doc *doc, const pickle_val *dict, const pickle_val *key)
{
    return pickle__given(doc, dict, "the dict") && pickle__given(doc, key, "the key") &&
           remove_wanted(doc, dict, &(wanted){ NULL, key });
}

/* ------------------------------------------------------- states, attributes */

static bool check_object(pickle_doc *doc, const pickle_val *v)
{
    return pickle__given(doc, v, "the object") &&
           (pickle__is_symbol(v) || wrong_kind(doc, v, "is no object"));
}

void pickle_set_state(pickle_doc *doc, const pickle_val *object, const pickle_val *state)
{
    pickle_val *symbol = pickle__mutable(object);
    pickle__change *c;

    if (!check_object(doc, object))
        return;
    if (!state) {
        sweep(symbol, is_build);
        return;
    }
    c = last_of(object, PICKLE_CHANGE_BUILD);
    if (c)
        c->value = place(state);
    else if (pickle__add_build(pickle__edit(doc), symbol, pickle__mutable(state)))
        place(state);
    else
        pickle__doc_no_memory(doc);
}

/* A state's dict number `which`: of a tuple (dict or None, slots) the slots first, as these are set
 * last. A symbol may be a dict too. */
static pickle_val *state_dict(const pickle_val *state, int which)
{
    if (pickle__is(state, PICKLE_TUPLE) && pickle__len(state) == 2)
        state = PICKLE__AS_CONST(pickle__tuple, state)->items[1 - which];
    else if (which > 0)
        return NULL;
    return pickle__is(state, PICKLE_DICT) || pickle__is_symbol(state) ? pickle__mutable(state)
                                                                      : NULL;
}

/* The dict that pickle_attr finds the attribute in. */
static pickle_val *dict_of_attr(const pickle_val *object, const char *name)
{
    pickle_val *found = NULL, *dict, *in;

    for (pickle__change *c = NULL; (c = pickle__next_change(object, c));) {
        in = NULL;
        for (int which = 0; is_build(c) && which < 2 && !in; which++) {
            dict = state_dict(c->value, which);
            in = dict && pickle_get(dict, name) ? dict : NULL;
        }
        found = in ? in : found;
    }
    return found;
}

/* Where attributes that are new go: `__dict__` if there is one, else the slots. */
static pickle_val *dict_for_new(pickle_doc *doc, const pickle_val *object)
{
    pickle__change *c = last_of(object, PICKLE_CHANGE_BUILD);
    pickle_val *dict;

    if (!c) {
        dict = pickle_new_dict(doc);
        if (dict)
            pickle_set_state(doc, object, dict);
        return dict;
    }
    dict = state_dict(c->value, 1);
    dict = dict ? dict : state_dict(c->value, 0);
    if (!dict)
        wrong_kind(doc, c->value, "is the state: it has no attributes");
    return dict;
}

void pickle_set_attr(pickle_doc *doc, const pickle_val *object, const char *name,
                     const pickle_val *value)
{
    pickle_val *dict;

    if (!check_object(doc, object) || !pickle__given(doc, name, "the name") ||
        !pickle__given(doc, value, "the value"))
        return;
    dict = dict_of_attr(object, name);
    dict = dict ? dict : dict_for_new(doc, object);
    if (dict)
        set_text(doc, dict, name, pickle__intern, value);
}

bool pickle_remove_attr(pickle_doc *doc, const pickle_val *object, const char *name)
{
    pickle_val *dict;
    bool any = false;

    if (!check_object(doc, object) || !pickle__given(doc, name, "the name"))
        return false;
    while ((dict = dict_of_attr(object, name))) {
        if (!remove_wanted(doc, dict, &(wanted){ name, NULL }))
            return any;
        any = true;
    }
    return any;
}

/* ----------------------------------------------------------------- replacing */

typedef struct replacing {
    pickle_doc *doc;
    const pickle_val *old, *by;
    pickle__map met; /* what has parts, each standing for itself */
    bool found;
    bool here;   /* in the value that is looked at */
    bool nested; /* in a tuple or frozenset: these may be keys */
} replacing;

static bool is_composite(const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return kind >= PICKLE_TUPLE && kind <= PICKLE_EXT;
}

static bool meet(replacing *r, pickle_val *v)
{
    if (!pickle__is_node(v) || v->tag & PICKLE__STATIC || !is_composite(v) ||
        pickle__map_get(&r->met, v))
        return true;
    return pickle__map_add(&r->met, v, v) || pickle__doc_no_memory(r->doc);
}

static bool fits(replacing *r, pickle__place where)
{
    bool symbol = pickle__is_symbol(r->by);

    switch (where) {
    case PICKLE__PLACE_KEY:
        return pickle__check_key(r->doc, r->by);
    case PICKLE__PLACE_CALLABLE:
        return symbol || wrong_kind(r->doc, r->by, "cannot be called");
    case PICKLE__PLACE_ARGS:
        return symbol || pickle__is(r->by, PICKLE_TUPLE) ||
               wrong_kind(r->doc, r->by, "cannot be the arguments of a call");
    case PICKLE__PLACE_KWARGS:
        return symbol || pickle__is(r->by, PICKLE_DICT) ||
               wrong_kind(r->doc, r->by, "cannot be the keyword arguments of a call");
    default:
        return true;
    }
}

/* What is put in place is not looked into: it may hold the old value. */
static bool replace_slot(void *ctx, pickle_val **slot, pickle__place where)
{
    replacing *r = ctx;

    if (*slot != r->old || where == PICKLE__PLACE_OWN)
        return meet(r, *slot);
    if (!fits(r, where))
        return false;
    *slot = place(r->by);
    r->found = r->here = true;
    return true;
}

static bool is_table(const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return kind == PICKLE_DICT || kind == PICKLE_SET || kind == PICKLE_FROZENSET;
}

/* An object that stands for bytes is one: how these are written is not for replacing. */
static bool replace_in(replacing *r, pickle_val *v)
{
    bool ok;

    if (pickle__is(v, PICKLE_OBJECT) && v->tag & PICKLE__FOLDED)
        return true;
    r->here = false;
    ok = pickle__each_slot(v, replace_slot, r);
    if (r->here && is_table(v))
        pickle__table_changed(v);
    if (r->here && (pickle__is(v, PICKLE_TUPLE) || pickle__is(v, PICKLE_FROZENSET)))
        r->nested = true;
    return ok;
}

/* Tuples that were changed may be keys, or parts of keys: what was known about these is void. */
static void check_again(replacing *r)
{
    for (size_t i = 0; i < r->met.count; i++)
        if (pickle__is(r->met.pairs[i].to, PICKLE_TUPLE))
            r->met.pairs[i].to->tag &= ~PICKLE__HASHABLE;
    for (size_t i = 0; i < r->met.count; i++) {
        pickle_val *v = r->met.pairs[i].to;
        size_t step = pickle__is(v, PICKLE_DICT) ? 2 : 1;

        if (!is_table(v))
            continue;
        pickle__table_changed(v);
        for (size_t k = 0; k < pickle__len(v); k += step)
            if (pickle__is(PICKLE__AS(pickle__list, v)->items[k], PICKLE_TUPLE))
                pickle__check_key(r->doc, PICKLE__AS(pickle__list, v)->items[k]);
    }
}

bool pickle_replace(pickle_doc *doc, const pickle_val *old, const pickle_val *new_)
{
    replacing r = { .doc = doc, .old = old, .by = new_, .met.alloc = doc->alloc };
    bool ok;

    if (!pickle__given(doc, old, "the old value") || !pickle__given(doc, new_, "the new value") ||
        !pickle__given(doc, doc->root, "the root"))
        return false;
    ok = replace_slot(&r, &doc->root, PICKLE__PLACE_ANY);
    for (size_t i = 0; ok && i < r.met.count; i++)
        ok = replace_in(&r, r.met.pairs[i].to);
    if (r.nested)
        check_again(&r);
    pickle__map_free(&r.met);
    return r.found;
}
