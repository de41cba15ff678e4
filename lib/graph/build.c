/* build.c - documents made in C: the constructors of <pickle/build.h>. */
#include "base/number.h"
#include "base/text.h"
#include "graph/doc.h"

#include <pickle/build.h>

/* ---------------------------------------------------------------- documents */

pickle_doc *pickle_doc_new(const pickle_alloc *alloc)
{
    pickle_doc *doc = pickle__doc_new(alloc);

    if (doc) {
        doc->made = doc->edited = true;
        doc->root = PICKLE__AS_STATIC(pickle__none);
    }
    return doc;
}

void pickle_set_root(pickle_doc *doc, const pickle_val *root)
{
    if (!pickle__given(doc, root, "the root"))
        return;
    doc->root = pickle__mutable(root);
    pickle__adopt(doc->root);
}

pickle_status pickle_doc_status(const pickle_doc *doc, pickle_error *err)
{
    if (err)
        *err = doc->failed;
    return doc->failed.code;
}

bool pickle__doc_fail(pickle_doc *doc, pickle_status code, const char *format, ...)
{
    va_list args;

    if (doc->failed.code != PICKLE_OK)
        return false;
    va_start(args, format);
    pickle__vfail(&doc->failed, code, 0, format, args);
    va_end(args);
    return false;
}

bool pickle__doc_no_memory(pickle_doc *doc)
{
    return doc->failed.code == PICKLE_OK && pickle__no_memory(&doc->failed, 0);
}

bool pickle__given(pickle_doc *doc, const void *what, const char *name)
{
    return what || pickle__doc_fail(doc, PICKLE_ERR_ARG, "%s is NULL", name);
}

pickle_val *pickle__made(pickle_doc *doc, pickle_val *v, uint64_t flags)
{
    if (!v)
        pickle__doc_no_memory(doc);
    else if (pickle__is_node(v))
        v->tag |= PICKLE__LOOSE | flags;
    return v;
}

/* CPython's pickler keeps almost everything in its memo, and so its PUTs are everywhere. */
static pickle_val *memoized(pickle_doc *doc, pickle_val *v)
{
    return pickle__made(doc, v, PICKLE__MEMOIZED);
}

/* The lengths of values have 48 bits; no memory is that large. */
static bool is_long(pickle_doc *doc, const void *data, size_t len)
{
    if (!data && len)
        return !pickle__given(doc, data, "the data");
    return len > PICKLE__LEN_MAX / sizeof(pickle_val *) && !pickle__doc_no_memory(doc);
}

/* ------------------------------------------------------------------- atoms */

pickle_val *pickle_new_none(pickle_doc *doc)
{
    (void)doc;
    return PICKLE__AS_STATIC(pickle__none);
}

pickle_val *pickle_new_bool(pickle_doc *doc, bool b)
{
    (void)doc;
    return b ? PICKLE__AS_STATIC(pickle__true) : PICKLE__AS_STATIC(pickle__false);
}

pickle_val *pickle_new_int(pickle_doc *doc, int64_t n)
{
    return pickle__made(doc, pickle__new_int(pickle__edit(doc), n), 0);
}

pickle_val *pickle_new_uint(pickle_doc *doc, uint64_t n)
{
    unsigned char bytes[9];

    for (int i = 0; i < 9; i++)
        bytes[i] = i < 8 ? (unsigned char)(n >> 8 * i) : 0;
    return pickle_new_bigint(doc, bytes, sizeof bytes);
}

pickle_val *pickle_new_bigint(pickle_doc *doc, const void *bytes, size_t len)
{
    if (len == 0)
        return pickle__small(0);
    if (is_long(doc, bytes, len))
        return NULL;
    return pickle__made(doc, pickle__new_big(pickle__edit(doc), bytes, len), 0);
}

pickle_val *pickle_new_int_text(pickle_doc *doc, const char *text)
{
    pickle_status status;
    pickle_val *v = NULL;
    pickle__int n;
    char quoted[80];
    size_t len;

    if (!pickle__given(doc, text, "the text"))
        return NULL;
    len = strlen(text);
    status = pickle__int_parse((const unsigned char *)text, len, 10, UINT64_MAX, doc->alloc, &n);
    if (status == PICKLE_ERR_NOMEM)
        pickle__doc_no_memory(doc);
    else if (status != PICKLE_OK)
        pickle__doc_fail(doc, PICKLE_ERR_ARG, "\"%s\" is no integer",
                         pickle__escape(quoted, sizeof quoted, text, len));
    else
        v = n.fits ? pickle_new_int(doc, n.small) : pickle_new_bigint(doc, n.bytes, n.len);
    if (n.bytes)
        pickle__free(doc->alloc, n.bytes, n.size);
    return v;
}

pickle_val *pickle_new_float(pickle_doc *doc, double x)
{
    pickle_val *v = pickle__small_float(x);

    if (v)
        return v;
    if (memcmp(&x, &pickle__zero.x, sizeof x) == 0)
        return PICKLE__AS_STATIC(pickle__zero.v);
    return pickle__made(doc, pickle__new_float(pickle__edit(doc), x), 0);
}

/* ----------------------------------------------------------- text and bytes */

pickle_val *pickle_new_str(pickle_doc *doc, const char *text)
{
    return pickle__given(doc, text, "the text") ? pickle_new_strn(doc, text, strlen(text)) : NULL;
}

pickle_val *pickle_new_strn(pickle_doc *doc, const char *text, size_t len)
{
    pickle__text_error e;
    pickle__str *s;
    unsigned flags = 0;

    if (is_long(doc, text, len))
        return NULL;
    s = pickle__new_str(pickle__edit(doc), len);
    if (s && len && !pickle__utf8_copy(s->text, (const unsigned char *)text, len, &flags, &e)) {
        pickle__doc_fail(doc, PICKLE_ERR_ARG, "the text is no UTF-8 at its byte %zu: %s", e.at,
                         e.reason);
        return NULL;
    }
    return pickle__made(doc, s ? &s->v : NULL,
                        PICKLE__MEMOIZED |
                            (flags & PICKLE__TEXT_SURROGATES ? PICKLE__SURROGATES : 0));
}

static pickle_val *borrow(pickle_doc *doc, pickle_kind kind, const void *data, size_t len)
{
    if (is_long(doc, data, len))
        return NULL;
    return memoized(doc, pickle__new_bytes(pickle__edit(doc), kind, len ? data : "", len));
}

static pickle_val *copy(pickle_doc *doc, pickle_kind kind, const void *data, size_t len)
{
    void *own = NULL;

    if (is_long(doc, data, len))
        return NULL;
    if (len) {
        own = pickle__arena_grow(&pickle__edit(doc)->arena, NULL, 0, pickle__round_up(len));
        if (!own)
            return pickle__made(doc, NULL, 0);
        memcpy(own, data, len);
    }
    return borrow(doc, kind, own, len);
}

pickle_val *pickle_new_bytes(pickle_doc *doc, const void *data, size_t len)
{
    return copy(doc, PICKLE_BYTES, data, len);
}

pickle_val *pickle_new_bytearray(pickle_doc *doc, const void *data, size_t len)
{
    return copy(doc, PICKLE_BYTEARRAY, data, len);
}

pickle_val *pickle_borrow_bytes(pickle_doc *doc, const void *data, size_t len)
{
    return borrow(doc, PICKLE_BYTES, data, len);
}

pickle_val *pickle_borrow_bytearray(pickle_doc *doc, const void *data, size_t len)
{
    return borrow(doc, PICKLE_BYTEARRAY, data, len);
}

pickle_val *pickle_new_buffer(pickle_doc *doc, const void *data, size_t len, bool readonly)
{
    pickle_val *v = borrow(doc, PICKLE_BUFFER, data, len);

    if (v && readonly)
        v->tag |= PICKLE__READONLY;
    return v;
}

/* -------------------------------------------------------------- containers */

pickle_val *pickle_new_tuple(pickle_doc *doc, size_t n, const pickle_val *const *items)
{
    pickle__tuple *t;

    if (n == 0)
        return PICKLE__AS_STATIC(pickle__empty_tuple);
    if (is_long(doc, items, n))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!pickle__given(doc, items[i], "an item"))
            return NULL;
    t = pickle__new_tuple(pickle__edit(doc), n);
    for (size_t i = 0; t && i < n; i++) {
        t->items[i] = pickle__mutable(items[i]);
        pickle__adopt(t->items[i]);
    }
    return memoized(doc, t ? &t->v : NULL);
}

pickle_val *pickle_new_list(pickle_doc *doc)
{
    return memoized(doc, pickle__new_list(pickle__edit(doc)));
}

pickle_val *pickle_new_dict(pickle_doc *doc)
{
    return memoized(doc, pickle__new_table(pickle__edit(doc), PICKLE_DICT));
}

pickle_val *pickle_new_set(pickle_doc *doc)
{
    return memoized(doc, pickle__new_table(pickle__edit(doc), PICKLE_SET));
}

pickle_val *pickle_new_frozenset(pickle_doc *doc, size_t n, const pickle_val *const *items)
{
    pickle_val *set;

    if (is_long(doc, items, n))
        return NULL;
    set = memoized(doc, pickle__new_table(pickle__edit(doc), PICKLE_FROZENSET));
    for (size_t i = 0; set && i < n; i++)
        if (!pickle__given(doc, items[i], "an item") ||
            !pickle__table_put(doc, set, items[i], NULL))
            return NULL;
    return set;
}

/* ----------------------------------------------------------------- globals */

/*
 * `doc->names` is a dict: the key is the text's one node; the value, once a module
 * has that name, a dict from the names of its globals to these.
 */
static pickle_val **name_entry(pickle_doc *doc, pickle_val *dict, const char *text)
{
    pickle_val *const *found;
    pickle_val *item[2];

    if (!pickle__table_settle(dict)) {
        pickle__doc_no_memory(doc);
        return NULL;
    }
    found = pickle__table_find_str(dict, text, strlen(text));
    if (!found) {
        item[0] = dict == doc->names ? pickle_new_str(doc, text) : pickle__intern(doc, text);
        item[1] = PICKLE__AS_STATIC(pickle__none);
        if (!item[0])
            return NULL;
        if (!pickle__table_append(doc, dict, item)) {
            pickle__doc_no_memory(doc);
            return NULL;
        }
        found = PICKLE__AS(pickle__list, dict)->items + pickle__len(dict) - 2;
    }
    return (pickle_val **)(uintptr_t)found;
}

static pickle_val **interned(pickle_doc *doc, const char *text)
{
    if (!doc->names)
        doc->names = pickle_new_dict(doc);
    return doc->names ? name_entry(doc, doc->names, text) : NULL;
}

pickle_val *pickle__intern(pickle_doc *doc, const char *text)
{
    pickle_val **entry = interned(doc, text);

    return entry ? entry[0] : NULL;
}

static bool check_name(pickle_doc *doc, const char *name, const pickle_val *text)
{
    if (!pickle__len(text) || text->tag & PICKLE__SURROGATES)
        return pickle__doc_fail(doc, PICKLE_ERR_ARG, "%s must be UTF-8, and not empty", name);
    return true;
}

static pickle_val *new_global(pickle_doc *doc, pickle_val *module, pickle_val *name)
{
    pickle__global *g;

    if (!check_name(doc, "the module", module) || !check_name(doc, "the name", name))
        return NULL;
    g = pickle__arena_take(&pickle__edit(doc)->arena, sizeof *g);
    if (!g)
        return pickle__made(doc, NULL, 0);
    g->s = (pickle__symbol){ { PICKLE_GLOBAL }, NULL };
    g->module = g->raw_module = PICKLE__AS(pickle__str, module);
    g->name = g->raw_name = PICKLE__AS(pickle__str, name);
    pickle__adopt(module);
    pickle__adopt(name);
    return pickle__made(doc, &g->s.v, PICKLE__MEMOIZED | PICKLE__BY_STACK);
}

pickle_val *pickle_new_global(pickle_doc *doc, const char *module, const char *name)
{
    pickle_val **in, **entry, *text, *names;

    if (!pickle__given(doc, module, "the module") || !pickle__given(doc, name, "the name"))
        return NULL;
    in = interned(doc, module);
    if (!in)
        return NULL;
    text = in[0];
    if (!pickle__is(in[1], PICKLE_DICT)) {
        names = pickle_new_dict(doc);
        if (!names)
            return NULL;
        in[1] = names;
    }
    entry = name_entry(doc, in[1], name);
    if (!entry)
        return NULL;
    if (!pickle__is(entry[1], PICKLE_GLOBAL)) {
        pickle_val *g = new_global(doc, text, entry[0]);

        if (!g)
            return NULL;
        entry[1] = g;
    }
    return entry[1];
}

/* ----------------------------------------------------------------- objects */

static bool check_part(pickle_doc *doc, const pickle_val *v, pickle_kind kind, const char *name)
{
    if (v && !pickle__is(v, kind) && !pickle__is_symbol(v))
        return pickle__doc_fail(doc, PICKLE_ERR_TYPE, "%s cannot be %s", name,
                                pickle_kind_name(pickle__kind(v)));
    return true;
}

static bool check_call(pickle_doc *doc, pickle_call how, const pickle_val *callable,
                       const pickle_val *args, const pickle_val *kwargs)
{
    if (how < PICKLE_CALL_REDUCE || how > PICKLE_CALL_OBJ)
        return pickle__doc_fail(doc, PICKLE_ERR_ARG, "there is no call of the kind %d", (int)how);
    if (kwargs && how != PICKLE_CALL_NEWOBJ_EX)
        return pickle__doc_fail(doc, PICKLE_ERR_ARG, "this kind of call has no keywords");
    if (!pickle__given(doc, callable, "the callable"))
        return false;
    if (how == PICKLE_CALL_INST && !pickle__is(callable, PICKLE_GLOBAL))
        return pickle__doc_fail(doc, PICKLE_ERR_TYPE, "what INST calls must be a global");
    return check_part(doc, callable, PICKLE_GLOBAL, "the callable") &&
           check_part(doc, args, PICKLE_TUPLE, "the arguments") &&
           check_part(doc, kwargs, PICKLE_DICT, "the keyword arguments");
}

pickle_val *pickle_new_call(pickle_doc *doc, pickle_call how, const pickle_val *callable,
                            const pickle_val *args, const pickle_val *kwargs)
{
    bool extended = how == PICKLE_CALL_NEWOBJ_EX;
    pickle__object *o;

    if (!check_call(doc, how, callable, args, kwargs))
        return NULL;
    if (extended && !kwargs && !(kwargs = pickle_new_dict(doc)))
        return NULL;
    o = pickle__arena_take(&pickle__edit(doc)->arena,
                           sizeof *o + (extended ? sizeof *o->extra : 0));
    if (!o)
        return pickle__made(doc, NULL, 0);
    o->s = (pickle__symbol){ { PICKLE__TAG(PICKLE_OBJECT, how) }, NULL };
    o->callable = pickle__mutable(callable);
    o->args = args ? pickle__mutable(args) : PICKLE__AS_STATIC(pickle__empty_tuple);
    pickle__adopt(o->callable);
    pickle__adopt(o->args);
    if (extended) {
        o->extra[0] = pickle__mutable(kwargs);
        pickle__adopt(o->extra[0]);
    }
    return memoized(doc, &o->s.v);
}

pickle_val *pickle_new_instance(pickle_doc *doc, const char *module, const char *name,
                                const pickle_val *state)
{
    pickle_val *class = pickle_new_global(doc, module, name), *v;

    v = class ? pickle_new_call(doc, PICKLE_CALL_NEWOBJ, class, NULL, NULL) : NULL;
    if (v && state)
        pickle_set_state(doc, v, state);
    return v;
}

static pickle_val *new_ref(pickle_doc *doc, pickle_kind kind, const pickle_val *id)
{
    pickle__ref *r = pickle__arena_take(&pickle__edit(doc)->arena, sizeof *r);

    if (r) {
        r->s = (pickle__symbol){ { (uint64_t)kind }, NULL };
        r->id = pickle__mutable(id);
        pickle__adopt(r->id);
    }
    return pickle__made(doc, r ? &r->s.v : NULL, 0);
}

pickle_val *pickle_new_persid(pickle_doc *doc, const pickle_val *id)
{
    return pickle__given(doc, id, "the persistent id") ? new_ref(doc, PICKLE_PERSID, id) : NULL;
}

pickle_val *pickle_new_ext(pickle_doc *doc, int32_t code)
{
    if (code <= 0) {
        pickle__doc_fail(doc, PICKLE_ERR_ARG, "an extension code must be above 0");
        return NULL;
    }
    return new_ref(doc, PICKLE_EXT, pickle__small(code));
}
