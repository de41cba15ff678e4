/* value.c - looking at values: the accessors of <pickle/doc.h>. */
#include "base/number.h"
#include "graph/doc.h"

/* ------------------------------------------------------------------- kinds */

pickle_kind pickle_kind_of(const pickle_val *v)
{
    return v ? pickle__kind(v) : PICKLE_MISSING;
}

const char *pickle_kind_name(pickle_kind kind)
{
    static const char *const names[] = {
        "missing", "None", "bool", "int",       "float",  "str",    "bytes",  "bytearray", "tuple",
        "list",    "dict", "set",  "frozenset", "global", "object", "persid", "ext",       "buffer",
    };

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

static bool is(const pickle_val *v, pickle_kind kind)
{
    return v && pickle__is(v, kind);
}

/* ------------------------------------------------------------------- atoms */

bool pickle_get_bool(const pickle_val *v, bool *out)
{
    if (!is(v, PICKLE_BOOL))
        return false;
    *out = pickle__len(v) != 0;
    return true;
}

/* An int node of at most eight bytes, sign-extended. */
static bool big_to_i64(const pickle_val *v, int64_t *out)
{
    const pickle__big *b = PICKLE__AS_CONST(pickle__big, v);
    size_t len = pickle__len(v);
    uint64_t n;

    if (len > sizeof n)
        return false;
    n = len && b->bytes[len - 1] & 0x80 ? UINT64_MAX : 0;
    while (len-- > 0)
        n = n << 8 | b->bytes[len];
    *out = (int64_t)n;
    return true;
}

bool pickle_get_i64(const pickle_val *v, int64_t *out)
{
    if (!v)
        return false;
    if (pickle__is_small(v)) {
        *out = pickle__small_value(v);
        return true;
    }
    if (is(v, PICKLE_BOOL)) {
        *out = (int64_t)pickle__len(v);
        return true;
    }
    return is(v, PICKLE_INT) && big_to_i64(v, out);
}

bool pickle_get_u64(const pickle_val *v, uint64_t *out)
{
    const pickle__big *b = PICKLE__AS_CONST(pickle__big, v);
    int64_t n;

    if (pickle_get_i64(v, &n)) {
        if (n >= 0)
            *out = (uint64_t)n;
        return n >= 0;
    }
    /* 2^63 and more: eight bytes and one of zero, for the sign. */
    if (!is(v, PICKLE_INT) || pickle__len(v) != 9 || b->bytes[8] != 0)
        return false;
    *out = pickle__u64(b->bytes);
    return true;
}

bool pickle_get_f64(const pickle_val *v, double *out)
{
    double x;
    int64_t n;

    if (!v)
        return false;
    if (pickle__is_small_float(v)) {
        *out = pickle__small_float_value(v);
        return true;
    }
    if (pickle_get_i64(v, &n)) {
        *out = (double)n;
        return true;
    }
    if (is(v, PICKLE_FLOAT)) {
        *out = PICKLE__AS_CONST(pickle__float, v)->x;
        return true;
    }
    if (!is(v, PICKLE_INT) ||
        !pickle__int_to_double(PICKLE__AS_CONST(pickle__big, v)->bytes, pickle__len(v), &x))
        return false;
    *out = x;
    return true;
}

int64_t pickle_i64_or(const pickle_val *v, int64_t fallback)
{
    pickle_get_i64(v, &fallback);
    return fallback;
}

double pickle_f64_or(const pickle_val *v, double fallback)
{
    pickle_get_f64(v, &fallback);
    return fallback;
}

size_t pickle_int_bytes(const pickle_val *v, void *out, size_t size)
{
    unsigned char small[8];
    const unsigned char *bytes = small;
    size_t len;

    if (pickle_kind_of(v) != PICKLE_INT)
        return 0;
    if (pickle__is_small(v)) {
        len = pickle__i64_bytes(small, pickle__small_value(v));
    } else {
        bytes = PICKLE__AS_CONST(pickle__big, v)->bytes;
        len = pickle__len(v);
    }
    if (size)
        memcpy(out, bytes, len < size ? len : size);
    return len;
}

/* ----------------------------------------------------------- text and bytes */

const char *pickle_str(const pickle_val *v)
{
    return is(v, PICKLE_STR) ? pickle__text(v) : NULL;
}

bool pickle_is_utf8(const pickle_val *v)
{
    return is(v, PICKLE_STR) && !(v->tag & PICKLE__SURROGATES);
}

bool pickle_str_is(const pickle_val *v, const char *text)
{
    return is(v, PICKLE_STR) && pickle__text_is(v, text, strlen(text));
}

static const void *str_bytes(const pickle_val *v, size_t *len)
{
    if (!(v->tag & PICKLE__PY2))
        return NULL;
    if (v->tag & PICKLE__RAW) {
        *len = PICKLE__AS_CONST(pickle__raw_str, v)->size;
        return PICKLE__AS_CONST(pickle__raw_str, v)->bytes;
    }
    *len = pickle__len(v);
    return pickle__text(v);
}

const void *pickle_bytes(const pickle_val *v, size_t *len)
{
    size_t unused;

    if (!len)
        len = &unused;
    *len = 0;
    switch (pickle_kind_of(v)) {
    case PICKLE_STR:
        return str_bytes(v, len);
    case PICKLE_OBJECT:
        if (!(v->tag & PICKLE__FOLDED))
            return NULL;
        v = PICKLE__AS_CONST(pickle__object, v)->extra[0];
        break;
    case PICKLE_BYTES:
    case PICKLE_BYTEARRAY:
    case PICKLE_BUFFER:
        if (v->tag & PICKLE__ABSENT && is(v, PICKLE_BUFFER))
            return NULL;
        break;
    default:
        return NULL;
    }
    *len = pickle__len(v);
    return PICKLE__AS_CONST(pickle__bytes, v)->data;
}

bool pickle_is_readonly(const pickle_val *v)
{
    return is(v, PICKLE_BUFFER) && v->tag & PICKLE__READONLY;
}

/* -------------------------------------------------------------- containers */

/* The next change of one kind; `c` NULL: the first. There is hardly ever more than one. */
static const pickle__change *next_of(const pickle_val *v, pickle_change_kind kind,
                                     const pickle__change *c)
{
    do
        c = pickle__next_change(v, c);
    while (c && c->kind != (uint64_t)kind);
    return c;
}

static size_t table_len(const pickle_val *v)
{
    pickle_val **items;

    return pickle__table_items(v, &items);
}

size_t pickle_len(const pickle_val *v)
{
    size_t n = 0;

    switch (pickle_kind_of(v)) {
    case PICKLE_STR:
    case PICKLE_BYTES:
    case PICKLE_BYTEARRAY:
    case PICKLE_BUFFER:
    case PICKLE_TUPLE:
    case PICKLE_LIST:
        return pickle__len(v);
    case PICKLE_DICT:
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return table_len(v);
    case PICKLE_GLOBAL:
    case PICKLE_OBJECT:
    case PICKLE_PERSID:
    case PICKLE_EXT:
        for (const pickle__change *c = NULL; (c = next_of(v, PICKLE_CHANGE_APPENDS, c));)
            n += pickle__len(c->value);
        return n;
    default:
        return 0;
    }
}

static const pickle_val *appended(const pickle_val *v, size_t index)
{
    for (const pickle__change *c = NULL; (c = next_of(v, PICKLE_CHANGE_APPENDS, c));) {
        size_t n = pickle__len(c->value);

        if (index < n)
            return PICKLE__AS_CONST(pickle__list, c->value)->items[index];
        index -= n;
    }
    return NULL;
}

const pickle_val *pickle_at(const pickle_val *v, size_t index)
{
    pickle_val **items;

    switch (pickle_kind_of(v)) {
    case PICKLE_TUPLE:
        return index < pickle__len(v) ? PICKLE__AS_CONST(pickle__tuple, v)->items[index] : NULL;
    case PICKLE_LIST:
        return index < pickle__len(v) ? PICKLE__AS_CONST(pickle__list, v)->items[index] : NULL;
    case PICKLE_SET:
    case PICKLE_FROZENSET:
        return index < pickle__table_items(v, &items) ? items[index] : NULL;
    case PICKLE_GLOBAL:
    case PICKLE_OBJECT:
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return appended(v, index);
    default:
        return NULL;
    }
}

/* What is looked for: a text, or any key. */
typedef struct wanted {
    const char *text;
    size_t len;
    const pickle_val *key; /* NULL: the text */
} wanted;

static pickle_val *const *find_in(const pickle_val *table, const wanted *w)
{
    return w->key ? pickle__table_find(table, w->key)
                  : pickle__table_find_str(table, w->text, w->len);
}

static const pickle_val *dict_value(const pickle_val *dict, const wanted *w)
{
    pickle_val *const *item = find_in(dict, w);

    return item ? item[1] : NULL;
}

/* In a dict, or in what was set on an object: the last time counts. */
static const pickle_val *get(const pickle_val *v, const wanted *w)
{
    const pickle_val *found = NULL, *value;

    if (is(v, PICKLE_DICT))
        return dict_value(v, w);
    if (!v || !pickle__is_symbol(v))
        return NULL;
    for (const pickle__change *c = NULL; (c = next_of(v, PICKLE_CHANGE_SETITEMS, c));) {
        value = dict_value(c->value, w);
        found = value ? value : found;
    }
    return found;
}

const pickle_val *pickle_get(const pickle_val *v, const char *key)
{
    return key ? get(v, &(wanted){ key, strlen(key), NULL }) : NULL;
}

const pickle_val *pickle_get_int(const pickle_val *v, int64_t key)
{
    unsigned char bytes[8];
    struct {
        pickle_val v;
        unsigned char bytes[8];
    } big = { { PICKLE_INT }, { 0 } };
    size_t len = pickle__i64_bytes(bytes, key);

    if (pickle__fits_small(key))
        return get(v, &(wanted){ NULL, 0, pickle__small(key) });
    big.v.tag = PICKLE__TAG(PICKLE_INT, len);
    memcpy(big.bytes, bytes, len);
    return get(v, &(wanted){ NULL, 0, &big.v });
}

const pickle_val *pickle_get_val(const pickle_val *v, const pickle_val *key)
{
    return key ? get(v, &(wanted){ NULL, 0, key }) : NULL;
}

bool pickle_has(const pickle_val *v, const pickle_val *key)
{
    pickle_kind kind = pickle_kind_of(v);

    if (!key)
        return false;
    if (kind == PICKLE_SET || kind == PICKLE_FROZENSET || kind == PICKLE_DICT)
        return pickle__table_find(v, key) != NULL;
    return pickle_get_val(v, key) != NULL;
}

/* ------------------------------------------------------- globals and objects */

static const pickle__global *as_global(const pickle_val *v)
{
    return is(v, PICKLE_GLOBAL) ? PICKLE__AS_CONST(pickle__global, v) : NULL;
}

const char *pickle_module(const pickle_val *global)
{
    const pickle__global *g = as_global(global);

    return g ? pickle__text(&g->module->v) : NULL;
}

const char *pickle_name(const pickle_val *global)
{
    const pickle__global *g = as_global(global);

    return g ? pickle__text(&g->name->v) : NULL;
}

const char *pickle_raw_module(const pickle_val *global)
{
    const pickle__global *g = as_global(global);

    return g ? pickle__text(&g->raw_module->v) : NULL;
}

const char *pickle_raw_name(const pickle_val *global)
{
    const pickle__global *g = as_global(global);

    return g ? pickle__text(&g->raw_name->v) : NULL;
}

bool pickle_is_global(const pickle_val *v, const char *module, const char *name)
{
    const pickle__global *g = as_global(v);

    return g && pickle_str_is(&g->name->v, name) && pickle_str_is(&g->module->v, module);
}

static const pickle__object *as_object(const pickle_val *v)
{
    return is(v, PICKLE_OBJECT) ? PICKLE__AS_CONST(pickle__object, v) : NULL;
}

pickle_call pickle_call_of(const pickle_val *object)
{
    return as_object(object) ? (pickle_call)pickle__len(object) : (pickle_call)0;
}

const pickle_val *pickle_callable(const pickle_val *object)
{
    const pickle__object *o = as_object(object);

    return o ? o->callable : NULL;
}

const pickle_val *pickle_args(const pickle_val *object)
{
    const pickle__object *o = as_object(object);

    return o ? o->args : NULL;
}

const pickle_val *pickle_kwargs(const pickle_val *object)
{
    const pickle__object *o = as_object(object);

    return o && pickle_call_of(object) == PICKLE_CALL_NEWOBJ_EX ? o->extra[0] : NULL;
}

const pickle_val *pickle_state(const pickle_val *object)
{
    const pickle_val *state = NULL;

    if (!object || !pickle__is_symbol(object))
        return NULL;
    for (const pickle__change *c = NULL; (c = next_of(object, PICKLE_CHANGE_BUILD, c));)
        state = c->value;
    return state;
}

/* copyreg's two helpers take the class as their first argument. */
const pickle__global *pickle__class_of(const pickle_val *object)
{
    const pickle__object *o = as_object(object);
    const pickle_val *class;

    if (!o)
        return NULL;
    class = o->callable;
    if (pickle_call_of(object) == PICKLE_CALL_REDUCE &&
        (pickle_is_global(class, "copyreg", "_reconstructor") ||
         pickle_is_global(class, "copyreg", "__newobj__")))
        class = pickle_at(o->args, 0);
    return is(class, PICKLE_GLOBAL) ? PICKLE__AS_CONST(pickle__global, class) : NULL;
}

const pickle_val *pickle_class(const pickle_val *object)
{
    const pickle__global *g = pickle__class_of(object);

    return g ? &g->s.v : NULL;
}

bool pickle_is_a(const pickle_val *object, const char *module, const char *name)
{
    return pickle_is_global(pickle_class(object), module, name);
}

static bool give_change(const pickle_val *of, const pickle__change *c, pickle_change *out)
{
    if (!c)
        return false;
    *out = (pickle_change){ (pickle_change_kind)c->kind, c->value, of, c };
    return true;
}

bool pickle_first_change(const pickle_val *object, pickle_change *out)
{
    return object && pickle__is_symbol(object) &&
           give_change(object, pickle__next_change(object, NULL), out);
}

bool pickle_next_change(pickle_change *change)
{
    return give_change(change->of, pickle__next_change(change->of, change->at), change);
}

const pickle_val *pickle_id(const pickle_val *v)
{
    return is(v, PICKLE_PERSID) || is(v, PICKLE_EXT) ? PICKLE__AS_CONST(pickle__ref, v)->id : NULL;
}

/* An attribute in one state: a dict, or (dict or None, dict of slots). */
static const pickle_val *attr_in(const pickle_val *state, const char *name)
{
    const pickle_val *found;

    if (!is(state, PICKLE_TUPLE) || pickle__len(state) != 2)
        return pickle_get(state, name);
    found = pickle_get(pickle_at(state, 1), name); /* slots are set after the dict */
    return found ? found : pickle_get(pickle_at(state, 0), name);
}

const pickle_val *pickle_attr(const pickle_val *object, const char *name)
{
    const pickle_val *found = NULL, *value;

    if (!object || !name || !pickle__is_symbol(object))
        return NULL;
    for (const pickle__change *c = NULL; (c = next_of(object, PICKLE_CHANGE_BUILD, c));) {
        value = attr_in(c->value, name);
        found = value ? value : found;
    }
    return found;
}

/* ---------------------------------------------------------------- iteration */

/* Items `pos` of a container that is not a symbol. */
static bool item_of(const pickle_val *v, size_t pos, const pickle_val **key,
                    const pickle_val **value)
{
    pickle_val **items;

    *key = NULL;
    if (!is(v, PICKLE_DICT)) {
        *value = pickle_at(v, pos);
        return *value != NULL;
    }
    if (pos >= pickle__table_items(v, &items))
        return false;
    *key = items[2 * pos];
    *value = items[2 * pos + 1];
    return true;
}

/* The next change that has items: `it->in` is one, or NULL at the start. */
static bool next_items(pickle_iter *it)
{
    const pickle__change *c = it->in;

    do
        c = pickle__next_change(it->of, c);
    while (c && (c->kind < PICKLE_CHANGE_APPENDS || c->kind > PICKLE_CHANGE_ADDITEMS));
    it->in = c ? c : it->in;
    it->pos = c ? 0 : it->pos;
    return c != NULL;
}

bool pickle_next(pickle_iter *it, const pickle_val **key, const pickle_val **value)
{
    if (!it->of)
        return false;
    if (!pickle__is_symbol(it->of))
        return item_of(it->of, it->pos, key, value) && ++it->pos;
    while (!it->in || !item_of(((const pickle__change *)it->in)->value, it->pos, key, value))
        if (!next_items(it))
            return false;
    it->pos++;
    return true;
}
