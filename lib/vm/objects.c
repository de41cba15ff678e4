/*
 * objects.c - calls and what follows them. A call makes an OBJECT; BUILD, APPENDS,
 * SETITEMS and ADDITEMS on an object, or on anything else whose type Python
 * alone knows, are written down. On values whose type is known they do what
 * they do in Python, or fail as there.
 */
#include "vm/vm.h"

static const char *kind_name(const pickle_val *v)
{
    return pickle_kind_name(pickle__kind(v));
}

/* ------------------------------------------------------------------- calls */

/*
 * Protocols 0-2 have no opcode for bytes: Python 3 writes _codecs.encode(text,
 * 'latin1'), or bytes() for none. The object stays, with the bytes beside it.
 */
static bool fold_bytes(pickle__vm *vm, pickle__object *o)
{
    const pickle_val *text = pickle_at(o->args, 0), *codec = pickle_at(o->args, 1);
    unsigned char *data = NULL;
    size_t n = 0;

    if (pickle_is_global(o->callable, "_codecs", "encode")) {
        if (!pickle_str(text) ||
            (!pickle_str_is(codec, "latin1") && !pickle_str_is(codec, "latin-1")))
            return true;
        if (!pickle__encode_latin1(NULL, pickle__text(text), pickle__len(text), &n))
            return true;
        data = pickle__arena_take(&vm->doc->arena, n);
        if (!data)
            return pickle__vm_no_memory(vm);
        pickle__encode_latin1(data, pickle__text(text), pickle__len(text), &n);
    } else if (!pickle_is_global(o->callable, "builtins", "bytes") || pickle__len(o->args) != 0) {
        return true;
    }
    vm->doc->traits.py3_bytes = true;
    o->extra[0] = pickle__new_bytes(vm->doc, PICKLE_BYTES, data ? data : (const void *)"", n);
    o->s.v.tag |= PICKLE__FOLDED;
    return o->extra[0] || pickle__vm_no_memory(vm);
}

/* What the keywords must be is for the class to say. */
static bool check_kwargs(pickle__vm *vm, pickle_val *kwargs)
{
    return pickle__is(kwargs, PICKLE_DICT) || pickle__is_symbol(kwargs) ||
           pickle__vm_fail(vm, PICKLE_ERR_VALUE, "the keyword arguments are %s, not dict",
                           kind_name(kwargs));
}

/* A symbol may be callable, a class, or a tuple: only Python knows. */
static bool check_call(pickle__vm *vm, pickle_val *callable, pickle_val *args)
{
    if (!pickle__is_symbol(callable))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "%s cannot be called", kind_name(callable));
    if (!pickle__is(args, PICKLE_TUPLE) && !pickle__is_symbol(args))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "the arguments are %s, not tuple",
                               kind_name(args));
    return true;
}

static bool is_hooked(const pickle__vm *vm, const pickle_val *global)
{
    return vm->hooks && pickle__is(global, PICKLE_GLOBAL) && global->tag & PICKLE__HOOKED;
}

pickle_val *pickle__vm_call(pickle__vm *vm, pickle_call how, pickle_val *callable, pickle_val *args,
                            pickle_val *kwargs)
{
    pickle__object *o;
    bool folds;

    if (!check_call(vm, callable, args) || (kwargs && !check_kwargs(vm, kwargs)))
        return NULL;
    folds = how == PICKLE_CALL_REDUCE && callable->tag & PICKLE__FOLDS;
    o = pickle__arena_take(&vm->doc->arena, sizeof *o + (folds || kwargs ? sizeof *o->extra : 0));
    if (!o) {
        pickle__vm_no_memory(vm);
        return NULL;
    }
    o->s = (pickle__symbol){ { PICKLE__TAG(PICKLE_OBJECT, how) }, NULL };
    o->callable = callable;
    o->args = args;
    if (kwargs)
        o->extra[0] = kwargs;
    if (folds && !fold_bytes(vm, o))
        return NULL;
    if (how == PICKLE_CALL_REDUCE && is_hooked(vm, callable) && !vm->hooks->called(vm, &o->s.v))
        return NULL;
    return &o->s.v;
}

/* ------------------------------------------------------------------- BUILD */

/* Without __setstate__ and __dict__ only a state that sets nothing is fine. */
static bool build_plain(pickle__vm *vm, const pickle_val *v, const pickle_val *state)
{
    const pickle_val *slots = NULL;

    if (pickle__is(state, PICKLE_TUPLE) && pickle__len(state) == 2) {
        slots = pickle_at(state, 1);
        state = pickle_at(state, 0);
    }
    if (!pickle__is(state, PICKLE_NONE) ||
        (slots && (!pickle__is(slots, PICKLE_DICT) || pickle__len(slots) != 0)))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "%s has no attributes to set", kind_name(v));
    return true;
}

bool pickle__vm_build(pickle__vm *vm, pickle_val *object, pickle_val *state)
{
    const pickle__global *class;

    if (!pickle__is_symbol(object))
        return build_plain(vm, object, state);
    if (!pickle__add_build(vm->doc, object, state))
        return pickle__vm_no_memory(vm);
    if (!vm->hooks)
        return true;
    class = pickle__class_of(object);
    return !class || !is_hooked(vm, &class->s.v) || vm->hooks->built(vm, object);
}

/* setter(object, state), for what it does to the object: the state_setter of __reduce__. */
bool pickle__vm_popped(pickle__vm *vm, pickle_val *below, pickle_val *call)
{
    const pickle_val *args = PICKLE__AS(pickle__object, call)->args;

    if (!pickle__is_symbol(below) || !pickle__is(args, PICKLE_TUPLE) || pickle__len(args) == 0 ||
        PICKLE__AS_CONST(pickle__tuple, args)->items[0] != below)
        return true;
    return pickle__add_change(vm->doc, below, PICKLE_CHANGE_CALL, call) || pickle__vm_no_memory(vm);
}

/* --------------------------------------------------------------- bytearrays */

/* Bytes of its own, with room for `more`. */
static bool own_bytes(pickle__vm *vm, pickle__bytes *b, size_t more)
{
    size_t len = pickle__len(&b->v), room = b->room ? b->room * 2 : 64;
    unsigned char *data;

    if (b->room >= len + more)
        return true;
    while (room < len + more)
        room *= 2;
    data = pickle__arena_grow(&vm->doc->arena, NULL, 0, room);
    if (!data)
        return pickle__vm_no_memory(vm);
    memcpy(data, b->data, len);
    b->data = data;
    b->room = room;
    return true;
}

static bool as_byte(pickle__vm *vm, const pickle_val *v, unsigned char *out)
{
    int64_t n;

    if (!pickle_get_i64(v, &n) || n < 0 || n > 255)
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "an item of a bytearray must be 0 to 255");
    *out = (unsigned char)n;
    return true;
}

/* The array has room: written through its own memory. */
static unsigned char *own_data(pickle__bytes *b)
{
    return (unsigned char *)(uintptr_t)b->data;
}

static bool append_bytes(pickle__vm *vm, pickle__bytes *b, pickle_val *const *items, size_t n)
{
    size_t len = pickle__len(&b->v);

    if (!own_bytes(vm, b, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!as_byte(vm, items[i], own_data(b) + len + i))
            return false;
    pickle__set_len(&b->v, len + n);
    return true;
}

/* ---------------------------------------------------- APPENDS and its kin */

static bool cannot(pickle__vm *vm, const pickle_val *v, const char *what)
{
    return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "%s %s", kind_name(v), what);
}

static bool record(pickle__vm *vm, pickle_val *symbol, pickle_change_kind kind,
                   pickle_val *const *items, size_t n)
{
    return pickle__add_items(vm->doc, symbol, kind, items, n) || pickle__vm_no_memory(vm);
}

bool pickle__vm_append_other(pickle__vm *vm, pickle_val *to, pickle_val *const *items, size_t n)
{
    if (pickle__is_symbol(to))
        return record(vm, to, PICKLE_CHANGE_APPENDS, items, n);
    if (pickle__is(to, PICKLE_BYTEARRAY))
        return append_bytes(vm, PICKLE__AS(pickle__bytes, to), items, n);
    return cannot(vm, to, "takes no items at its end");
}

static bool set_in_sequence(pickle__vm *vm, pickle_val *on, pickle_val *key, pickle_val *value)
{
    pickle__bytes *b = PICKLE__AS(pickle__bytes, on);
    int64_t at, len = (int64_t)pickle__len(on);

    if (!pickle_get_i64(key, &at))
        return cannot(vm, key, "is no index");
    if (at < -len || at >= len)
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "index %lld is out of range", (long long)at);
    at += at < 0 ? len : 0;
    if (pickle__is(on, PICKLE_BYTEARRAY))
        return own_bytes(vm, b, 1) && as_byte(vm, value, own_data(b) + at);
    PICKLE__AS(pickle__list, on)->items[at] = value;
    return true;
}

bool pickle__vm_set_other(pickle__vm *vm, pickle_val *on, pickle_val *const *items, size_t n)
{
    if (pickle__is_symbol(on))
        return record(vm, on, PICKLE_CHANGE_SETITEMS, items, n);
    if (!pickle__is(on, PICKLE_LIST) && !pickle__is(on, PICKLE_BYTEARRAY))
        return cannot(vm, on, "has no items to set");
    for (size_t i = 0; i < n; i += 2)
        if (!set_in_sequence(vm, on, items[i], items[i + 1]))
            return false;
    return true;
}

bool pickle__vm_add_other(pickle__vm *vm, pickle_val *to, pickle_val *const *items, size_t n)
{
    if (pickle__is_symbol(to))
        return record(vm, to, PICKLE_CHANGE_ADDITEMS, items, n);
    return cannot(vm, to, "is no set");
}

bool pickle__vm_check_keys(pickle__vm *vm, pickle_val *const *items, size_t n, size_t step)
{
    bool no_memory;

    for (size_t i = 0; i < n; i += step)
        if (!pickle__hashable(vm->doc, items[i], &no_memory))
            return no_memory ? pickle__vm_no_memory(vm)
                             : cannot(vm, items[i], "cannot be a key: it can change");
    return true;
}

/* ----------------------------------------------------------------- buffers */

static pickle_val *new_buffer(pickle__vm *vm, const void *data, size_t len, uint64_t flags)
{
    pickle_val *v = pickle__new_bytes(vm->doc, PICKLE_BUFFER, data, len);

    if (v)
        v->tag |= flags;
    else
        pickle__vm_no_memory(vm);
    return v;
}

pickle_val *pickle__vm_next_buffer(pickle__vm *vm)
{
    const pickle__settings *set = vm->set;
    const pickle_buffer *b;

    if (vm->next_buffer < set->n_buffers) {
        b = &set->buffers[vm->next_buffer++];
        return new_buffer(vm, b->data ? b->data : "", b->len, b->readonly ? PICKLE__READONLY : 0);
    }
    if (set->strict || set->buffers) {
        pickle__vm_fail(vm, PICKLE_ERR_MISSING, "there are not enough out-of-band buffers");
        return NULL;
    }
    pickle__vm_warn(vm, PICKLE_ERR_MISSING, "an out-of-band buffer is missing");
    return new_buffer(vm, NULL, 0, PICKLE__ABSENT);
}

/* Python wraps what can be written to in a read-only memoryview, and leaves the rest. */
pickle_val *pickle__vm_readonly(pickle__vm *vm, pickle_val *v)
{
    const pickle__bytes *b = PICKLE__AS_CONST(pickle__bytes, v);

    if (pickle__is_symbol(v) || pickle__is(v, PICKLE_BYTES))
        return v;
    if (pickle__is(v, PICKLE_BYTEARRAY))
        return new_buffer(vm, b->data, pickle__len(v), PICKLE__READONLY);
    if (pickle__is(v, PICKLE_BUFFER))
        return v->tag & PICKLE__READONLY ? v
                                         : new_buffer(vm, b->data, pickle__len(v),
                                                      PICKLE__READONLY | (v->tag & PICKLE__ABSENT));
    cannot(vm, v, "is no buffer");
    return NULL;
}
