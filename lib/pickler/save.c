/*
 * save.c - the walk: a stack of tasks instead of recursion. Orders, memo entries
 * and batches are those of CPython's _pickle.c (save, save_tuple, batch_list_exact,
 * save_reduce, ...) and pickle.py.
 */
#include <stdio.h>

#include "pickler/save.h"
#include "types/numpy.h"

/* Items in one APPENDS, SETITEMS or ADDITEMS. */
#define BATCH ((size_t)1000)

/* Bytes between two calls of the progress hook. */
#define PROGRESS_STEP ((uint64_t)4 << 20)

/* ------------------------------------------------------------------ failing */

static bool failed(const pickle__pickler *p)
{
    return p->e->error.code != PICKLE_OK;
}

bool pickle__save_fail(pickle__pickler *p, pickle_status code, const char *format, ...)
{
    char why[160];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return pickle__emit_fail(p->e, code, "%s", why);
}

/* What cannot be written stands where the walk has stopped. */
static void name_place(pickle__pickler *p)
{
    pickle_error *err = &p->e->error;
    char path[120], why[sizeof err->message];

    if (err->code != PICKLE_ERR_UNSUPPORTED && err->code != PICKLE_ERR_MISSING)
        return;
    pickle__save_path(p, path, sizeof path);
    memcpy(why, err->message, sizeof why);
    if (*path)
        pickle__fail(err, err->code, err->offset, "at %s: %s", path, why);
}

bool pickle__save_no_memory(pickle__pickler *p)
{
    return pickle__emit_fail(p->e, PICKLE_ERR_NOMEM, "out of memory");
}

/* -------------------------------------------------------------------- memo */

void pickle__save_put_temporary(pickle__pickler *p)
{
    if (!p->optimize)
        pickle_emit_put(p->e);
}

/* As it was read; or all that CPython stores, which is all that comes here. */
static bool is_memoized(const pickle__pickler *p, const pickle_val *v)
{
    if (p->optimize)
        return v->tag & PICKLE__SHARED;
    return !p->keep || v->tag & (PICKLE__MEMOIZED | PICKLE__SHARED);
}

/* What may be met again; globals of one name are one, however many nodes stand for it. */
static bool is_looked_up(const pickle__pickler *p, const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return v->tag & PICKLE__SHARED || (!p->keep && kind == PICKLE_GLOBAL) ||
           (p->reenters && !(v->tag & PICKLE__LOOSE) && kind != PICKLE_TUPLE);
}

void pickle__save_put(pickle__pickler *p, const pickle_val *v)
{
    uint64_t key;

    if (pickle__unlikely(!is_memoized(p, v)))
        return;
    if (pickle__likely(p->protocol > 0 && !p->e->memo_from_one && p->e->memo_gap == 0 &&
                       p->e->memo < UINT32_MAX)) {
        pickle__emit_room(p->e);
        key = p->e->memo++;
        p->e->at = pickle__put_put(p->e->at, p->protocol, key);
    } else {
        key = pickle_emit_put(p->e);
    }
    if (is_looked_up(p, v) && !pickle__memo_table_add(&p->memo, v, key))
        pickle__save_no_memory(p);
}

void pickle__save_note(pickle__pickler *p, const pickle_val *v)
{
    if (!pickle__memo_table_add(&p->memo, v, p->e->memo - !p->e->memo_from_one))
        pickle__save_no_memory(p);
}

bool pickle__save_get_any(pickle__pickler *p, const pickle_val *v)
{
    const uint64_t *key = pickle__memo_table_find(&p->memo, v);

    if (key)
        pickle_emit_get(p->e, *key);
    return key != NULL;
}

bool pickle__save_get(pickle__pickler *p, const pickle_val *v)
{
    return is_looked_up(p, v) && pickle__save_get_any(p, v);
}

/* ------------------------------------------------------------------- tasks */

/*
 * Nothing is nested deeper than the document has values. What is, holds itself
 * in a way that cannot be written: through the items of a set, where the protocol has calls for
 * sets. Each value takes 16 bytes at least.
 */
static bool is_too_deep(pickle__pickler *p)
{
    return p->depth > 4096 + p->doc->arena.held / 4 &&
           !pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED,
                              "protocol %d cannot write a value that holds itself here",
                              p->protocol);
}

static PICKLE__COLD bool grow_tasks(pickle__pickler *p)
{
    size_t more = p->room ? p->room * 2 : 64, size = p->room * sizeof *p->tasks;
    pickle__task *tasks =
        p->own_tasks ? pickle__realloc(p->opts->alloc, p->tasks, size, more * sizeof *tasks)
                     : pickle__alloc(p->opts->alloc, more * sizeof *tasks);

    if (!tasks)
        return pickle__save_no_memory(p);
    if (!p->own_tasks && size > 0)
        memcpy(tasks, p->tasks, size);
    p->own_tasks = true;
    p->tasks = tasks;
    p->room = more;
    return true;
}

/* NULL: failed. The task is valid until the next is begun. */
static pickle__task *begin(pickle__pickler *p, pickle_val *v, pickle__step step)
{
    pickle__task *t;

    if (pickle__unlikely(p->depth == p->room) && (is_too_deep(p) || !grow_tasks(p)))
        return NULL;
    t = &p->tasks[p->depth++];
    t->v = v;
    t->step = (uint8_t)step;
    t->at = t->upto = t->n = 0;
    t->change = NULL;
    return t;
}

static void end(pickle__pickler *p)
{
    p->depth--;
}

static void begin_items(pickle__pickler *p, pickle_val *v, pickle__step step,
                        pickle_val *const *items, size_t n)
{
    pickle__task *t = begin(p, v, step);

    if (t) {
        t->items = items;
        t->upto = t->n = n;
    }
}

/* ------------------------------------------------------------------ tuples */

void pickle__save_mark(pickle__pickler *p, size_t n)
{
    if (p->protocol < 2 || n == 0 || n > 3)
        pickle__emit_byte(p->e, PICKLE_OP_MARK);
}

void pickle__save_tuple(pickle__pickler *p, size_t n)
{
    pickle__emit_byte(p->e, p->protocol < 2 || n == 0 || n > 3
                                ? PICKLE_OP_TUPLE
                                : (unsigned char)(PICKLE_OP_TUPLE1 + n - 1));
}

/* What is in the memo only when its parts are done. */
static void enter(pickle__pickler *p, const pickle_val *v)
{
    if (pickle__unlikely(p->doc->edited) && v->tag & PICKLE__SHARED)
        p->reenters = true;
}

static void save_tuple(pickle__pickler *p, pickle_val *v)
{
    size_t n = pickle__len(v);

    if (n == 0 && p->protocol > 0) {
        pickle__emit_byte(p->e, PICKLE_OP_EMPTY_TUPLE);
        return;
    }
    enter(p, v);
    pickle__save_mark(p, n);
    if (n > 0)
        begin_items(p, v, PICKLE__TUPLE_ITEMS, PICKLE__AS(pickle__tuple, v)->items, n);
    else
        pickle__save_tuple(p, 0);
}

/* A tuple that was met again among its own items is in the memo by now: the items are thrown away.
 */
static void discard_items(pickle__pickler *p, size_t n)
{
    size_t pops = p->protocol == 0 ? n + 1 : p->protocol == 1 || n > 3 ? 0 : n;

    if (pops == 0)
        pickle__emit_byte(p->e, PICKLE_OP_POP_MARK);
    for (; pops > 0; pops--)
        pickle__emit_byte(p->e, PICKLE_OP_POP);
}

static bool met_again(pickle__pickler *p, const pickle_val *v)
{
    return is_looked_up(p, v) && pickle__memo_table_find(&p->memo, v);
}

static void end_tuple(pickle__pickler *p, const pickle__task *t)
{
    if (pickle__unlikely(met_again(p, t->v))) {
        discard_items(p, t->n);
        pickle__save_get(p, t->v);
    } else {
        pickle__save_tuple(p, t->n);
        pickle__save_put(p, t->v);
    }
    end(p);
}

static void end_frozenset(pickle__pickler *p, const pickle__task *t)
{
    if (pickle__unlikely(met_again(p, t->v))) {
        pickle__emit_byte(p->e, PICKLE_OP_POP_MARK);
        pickle__save_get(p, t->v);
    } else {
        pickle__emit_byte(p->e, PICKLE_OP_FROZENSET);
        pickle__save_put(p, t->v);
    }
    end(p);
}

/* ------------------------------------------------------------------ batches */

/* Pointers in an item: a dict's has a key and a value. */
static size_t stride_of(const pickle__task *t)
{
    return t->kind == PICKLE_DICT ? 2 : 1;
}

static unsigned char single_op(const pickle__task *t)
{
    return t->kind == PICKLE_DICT ? PICKLE_OP_SETITEM : PICKLE_OP_APPEND;
}

static unsigned char batch_op(const pickle__task *t)
{
    return t->kind == PICKLE_DICT  ? PICKLE_OP_SETITEMS
           : t->kind == PICKLE_SET ? PICKLE_OP_ADDITEMS
                                   : PICKLE_OP_APPENDS;
}

/* One item is set by itself. But after a batch the C pickler, where it knows the container to be
 * exactly a list or dict, does not look how many are left. */
static bool is_single(const pickle__pickler *p, const pickle__task *t, size_t left)
{
    size_t stride = stride_of(t);

    if (t->kind == PICKLE_SET)
        return false;
    return p->protocol == 0 || (left == stride && (!t->exact || t->n == stride));
}

/* For the same reason it ends whole batches of a dict or set with an empty one. */
static bool ends_empty(const pickle__task *t)
{
    return t->exact && t->kind != PICKLE_LIST && t->at == t->n && t->close == batch_op(t) &&
           t->n % (BATCH * stride_of(t)) == 0;
}

static void begin_batch(pickle__pickler *p, pickle__task *t)
{
    size_t left = t->n - t->at, most = BATCH * stride_of(t);

    if (is_single(p, t, left)) {
        t->upto = t->at + stride_of(t);
        t->close = single_op(t);
        return;
    }
    pickle__emit_byte(p->e, PICKLE_OP_MARK);
    t->upto = t->at + (left < most ? left : most);
    t->close = batch_op(t);
}

static void begin_batches(pickle__pickler *p, pickle_val *container, pickle_kind kind, bool exact)
{
    const pickle__list *l = PICKLE__AS_CONST(pickle__list, container);
    pickle__task *t;

    if (pickle__len(container) == 0)
        return;
    t = begin(p, container, PICKLE__BATCHES);
    if (!t)
        return;
    t->kind = (uint8_t)kind;
    t->exact = exact;
    t->items = l->items;
    t->n = pickle__len(container);
    begin_batch(p, t);
}

static void end_batch(pickle__pickler *p, pickle__task *t)
{
    pickle__emit_byte(p->e, t->close);
    if (t->at < t->n) {
        begin_batch(p, t);
        return;
    }
    if (pickle__unlikely(ends_empty(t))) {
        pickle__emit_byte(p->e, PICKLE_OP_MARK);
        pickle__emit_byte(p->e, t->close);
    }
    end(p);
}

static void save_container(pickle__pickler *p, pickle_val *v, pickle_kind kind,
                           unsigned char empty_op, unsigned char text_op)
{
    if (p->protocol == 0) {
        pickle__emit_byte(p->e, PICKLE_OP_MARK);
        pickle__emit_byte(p->e, text_op);
    } else {
        pickle__emit_byte(p->e, empty_op);
    }
    pickle__save_put(p, v);
    begin_batches(p, v, kind, kind == PICKLE_LIST ? p->exact_lists : p->exact_tables);
}

/* ------------------------------------------------------------------- objects */

static void save_frozenset(pickle__pickler *p, pickle_val *v)
{
    enter(p, v);
    pickle__emit_byte(p->e, PICKLE_OP_MARK);
    begin_items(p, v, PICKLE__FROZENSET_ITEMS, PICKLE__AS(pickle__list, v)->items, pickle__len(v));
}

static void save_object(pickle__pickler *p, pickle_val *v)
{
    pickle__object *o = PICKLE__AS(pickle__object, v);
    pickle_call how = (pickle_call)pickle__len(v);

    enter(p, v);
    if (how != PICKLE_CALL_INST && how != PICKLE_CALL_OBJ) {
        begin(p, v, PICKLE__CALLABLE);
        return;
    }
    if (how == PICKLE_CALL_OBJ && p->protocol == 0 && !pickle__is(o->callable, PICKLE_GLOBAL)) {
        pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "protocol 0 has no OBJ");
        return;
    }
    pickle__emit_byte(p->e, PICKLE_OP_MARK);
    begin(p, v, PICKLE__CALL);
    begin_items(p, v, PICKLE__INST_ITEMS, PICKLE__AS(pickle__tuple, o->args)->items,
                pickle__len(o->args));
    if (how == PICKLE_CALL_OBJ && p->protocol > 0)
        begin_items(p, v, PICKLE__INST_ITEMS, &o->callable, 1);
}

static void emit_inst(pickle__pickler *p, const pickle_val *global)
{
    const char *module, *name;
    size_t module_len, name_len;

    pickle__save_names(p, global, &module, &module_len, &name, &name_len);
    pickle__emit_lines(p->e, PICKLE_OP_INST, module, module_len, name, name_len);
}

static void emit_call(pickle__pickler *p, const pickle_val *v)
{
    switch ((pickle_call)pickle__len(v)) {
    case PICKLE_CALL_INST:
        emit_inst(p, PICKLE__AS_CONST(pickle__object, v)->callable);
        break;
    case PICKLE_CALL_OBJ: /* the same as INST, which has its class beside it */
        if (p->protocol == 0)
            emit_inst(p, PICKLE__AS_CONST(pickle__object, v)->callable);
        else
            pickle__emit_byte(p->e, PICKLE_OP_OBJ);
        break;
    case PICKLE_CALL_NEWOBJ:
        pickle__emit_byte(p->e, PICKLE_OP_NEWOBJ);
        break;
    case PICKLE_CALL_NEWOBJ_EX:
        pickle__emit_byte(p->e, PICKLE_OP_NEWOBJ_EX);
        break;
    default:
        pickle__emit_byte(p->e, PICKLE_OP_REDUCE);
    }
}

/* An object that was met again among its arguments is there already, with all that happened to it.
 */
static void call(pickle__pickler *p, pickle__task *t)
{
    emit_call(p, t->v);
    if (pickle__unlikely(met_again(p, t->v))) {
        pickle__emit_byte(p->e, PICKLE_OP_POP);
        pickle__save_get(p, t->v);
        end(p);
        return;
    }
    t->step = PICKLE__CHANGES;
    pickle__save_put(p, t->v);
}

static void end_change(pickle__pickler *p, pickle__task *t, unsigned char op)
{
    pickle__emit_byte(p->e, op);
    t->step = PICKLE__CHANGES;
}

/* CPython stores neither the arguments nor the result, and knows TUPLE2 in all protocols. */
static bool is_setter(const pickle_val *call)
{
    const pickle_val *args = PICKLE__AS_CONST(pickle__object, call)->args;

    return pickle__len(call) == PICKLE_CALL_REDUCE && pickle__len(args) == 2 &&
           !(args->tag & PICKLE__MEMOIZED);
}

static void begin_call(pickle__pickler *p, pickle__task *t, pickle_val *value)
{
    pickle__object *o = PICKLE__AS(pickle__object, value);

    if (!is_setter(value)) {
        t->step = PICKLE__POP_CALL;
        pickle__save_value(p, value);
        return;
    }
    t->step = PICKLE__SETTER;
    begin_items(p, value, PICKLE__INST_ITEMS, PICKLE__AS(pickle__tuple, o->args)->items, 2);
    begin_items(p, value, PICKLE__INST_ITEMS, &o->callable, 1);
}

static void end_setter(pickle__pickler *p, pickle__task *t)
{
    pickle__emit_byte(p->e, PICKLE_OP_TUPLE2);
    pickle__emit_byte(p->e, PICKLE_OP_REDUCE);
    end_change(p, t, PICKLE_OP_POP);
}

/* Behind joblib's wrappers; what readers found elsewhere for other values is not written. */
static bool is_in_stream(const pickle_val *v)
{
    return pickle__wrapper_of(pickle_class(v)) == PICKLE__NUMPY_WRAPPER;
}

static void begin_change(pickle__pickler *p, pickle__task *t)
{
    pickle_val *v = t->v, *value;

    t->change = pickle__next_change(v, t->change);
    if (!t->change) {
        end(p);
        return;
    }
    value = t->change->value;
    switch ((pickle_change_kind)t->change->kind) {
    case PICKLE_CHANGE_BUILD:
        t->step = PICKLE__BUILD;
        pickle__save_value(p, value);
        break;
    case PICKLE_CHANGE_APPENDS:
        begin_batches(p, value, PICKLE_LIST, false);
        break;
    case PICKLE_CHANGE_SETITEMS:
        begin_batches(p, value, PICKLE_DICT, false);
        break;
    case PICKLE_CHANGE_ADDITEMS:
        if (p->protocol < 4)
            pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "protocol %d has no ADDITEMS",
                              p->protocol);
        else
            begin_batches(p, value, PICKLE_SET, false);
        break;
    case PICKLE_CHANGE_PAYLOAD:
        if (is_in_stream(v))
            pickle__save_payload(p, v, value);
        break;
    case PICKLE_CHANGE_NESTED:
        if (is_in_stream(v))
            pickle__save_nested(p, value);
        break;
    case PICKLE_CHANGE_CALL:
        begin_call(p, t, value);
        break;
    }
}

/* What CPython does not store, though somebody may have. */
static void put_if_stored(pickle__pickler *p, const pickle_val *v)
{
    if (v->tag & PICKLE__MEMOIZED)
        pickle__save_put(p, v);
}

/* Globals, persistent ids and extension codes: what Python did to them afterwards. */
static void save_changes(pickle__pickler *p, pickle_val *v)
{
    if (pickle__unlikely(PICKLE__AS(pickle__symbol, v)->last != NULL))
        begin(p, v, PICKLE__CHANGES);
}

static void save_persid(pickle__pickler *p, pickle_val *v)
{
    pickle_val *id = PICKLE__AS(pickle__ref, v)->id;

    if (p->protocol > 0) {
        begin(p, v, PICKLE__PERSID_ID);
    } else if (!pickle__is(id, PICKLE_STR)) {
        pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "in protocol 0 a persistent id is text");
    } else {
        pickle__emit_lines(p->e, PICKLE_OP_PERSID, pickle__text(id), pickle__len(id), NULL, 0);
        save_changes(p, v);
    }
}

static void save_ext(pickle__pickler *p, pickle_val *v, int64_t code)
{
    if (p->protocol < 2)
        pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "protocol %d has no extension codes",
                          p->protocol);
    else
        pickle_emit_ext(p->e, (int32_t)code);
    put_if_stored(p, v);
    save_changes(p, v);
}

/* ------------------------------------------------------------------- values */

static void save_node(pickle__pickler *p, pickle_val *v)
{
    switch (pickle__kind(v)) {
    case PICKLE_NONE:
        *p->e->at++ = PICKLE_OP_NONE;
        break;
    case PICKLE_BOOL:
        pickle_emit_bool(p->e, pickle__len(v) != 0);
        break;
    case PICKLE_INT:
        pickle__save_int(p, v);
        break;
    case PICKLE_FLOAT:
        pickle_emit_float(p->e, PICKLE__AS(pickle__float, v)->x);
        break;
    case PICKLE_STR:
        pickle__save_str(p, v);
        break;
    case PICKLE_BYTES:
        pickle__save_bytes(p, v);
        break;
    case PICKLE_BYTEARRAY:
        pickle__save_bytearray(p, v);
        break;
    case PICKLE_TUPLE:
        save_tuple(p, v);
        break;
    case PICKLE_LIST:
        save_container(p, v, PICKLE_LIST, PICKLE_OP_EMPTY_LIST, PICKLE_OP_LIST);
        break;
    case PICKLE_DICT:
        save_container(p, v, PICKLE_DICT, PICKLE_OP_EMPTY_DICT, PICKLE_OP_DICT);
        break;
    case PICKLE_SET:
        save_container(p, v, PICKLE_SET, PICKLE_OP_EMPTY_SET, 0);
        break;
    case PICKLE_FROZENSET:
        save_frozenset(p, v);
        break;
    case PICKLE_GLOBAL:
        if (v->tag & PICKLE__BY_EXT && p->protocol >= 2)
            save_ext(p, v, (int64_t)pickle__len(v));
        else
            pickle__save_global(p, v);
        save_changes(p, v);
        break;
    case PICKLE_OBJECT:
        save_object(p, v);
        break;
    case PICKLE_PERSID:
        save_persid(p, v);
        break;
    case PICKLE_EXT:
        save_ext(p, v, pickle__small_value(PICKLE__AS(pickle__ref, v)->id));
        break;
    default:
        pickle__save_buffer(p, v);
    }
}

/* For what no opcode of the protocol says, whatever the document. */
static bool needs_shape(const pickle__pickler *p, const pickle_val *v)
{
    pickle_kind kind = pickle__kind(v);

    return p->protocol < 4 &&
           (kind == PICKLE_SET || kind == PICKLE_FROZENSET ||
            (kind == PICKLE_OBJECT && p->protocol < 2 && pickle__len(v) <= PICKLE_CALL_NEWOBJ_EX &&
             pickle__len(v) >= PICKLE_CALL_NEWOBJ) ||
            (kind == PICKLE_OBJECT && pickle__len(v) == PICKLE_CALL_NEWOBJ_EX));
}

void pickle__save_value(pickle__pickler *p, pickle_val *v)
{
    pickle__emit_boundary(p->e);
    if (!pickle__is_node(v)) {
        if (pickle__is_small(v))
            pickle__save_int(p, v);
        else
            pickle_emit_float(p->e, pickle__small_float_value(v));
        return;
    }
    if (!p->keep || pickle__unlikely(needs_shape(p, v))) {
        v = pickle__reshape(p, v);
        if (!v) {
            pickle__save_no_memory(p); /* unless something else was said */
            return;
        }
    }
    if (!pickle__save_get(p, v))
        save_node(p, v);
}

/* -------------------------------------------------------------------- loop */

/* Small ints, floats and None in a row: most of what is in long containers. */
static size_t save_atoms(pickle__pickler *p, pickle_val *const *items, size_t i, size_t n)
{
    pickle_emitter *e = p->e;
    unsigned char *at = e->at, *soft = e->soft;

    for (; i < n && at < soft; i++) {
        const pickle_val *v = items[i];

        if (pickle__is_small_float(v)) {
            *at++ = PICKLE_OP_BINFLOAT;
            at = pickle__put_f64_be(at, pickle__small_float_value(v));
        } else if (((uintptr_t)v & 7) == PICKLE__INT_BIT) {
            int64_t number = pickle__small_value(v);

            if (number != (int32_t)number)
                break;
            at = pickle__put_i32(at, (int32_t)number);
        } else if (pickle__is(v, PICKLE_NONE)) {
            *at++ = PICKLE_OP_NONE;
        } else {
            break;
        }
    }
    e->at = at;
    return i;
}

/* All items up to the end of the batch; false when one of them has to be finished before. */
static bool save_items(pickle__pickler *p, pickle__task *t)
{
    pickle_val *const *items = t->items;
    size_t depth = p->depth, i = t->at, upto = t->upto;

    while (i < upto) {
        if (p->protocol > 0)
            i = save_atoms(p, items, i, upto);
        if (i == upto)
            break;
        p->tasks[depth - 1].at = i + 1; /* before the item, for its path */
        pickle__save_value(p, items[i++]);
        if (p->depth != depth || pickle__unlikely(failed(p)))
            return false;
    }
    p->tasks[depth - 1].at = i;
    return true;
}

static void step(pickle__pickler *p, pickle__task *t)
{
    switch ((pickle__step)t->step) {
    case PICKLE__TUPLE_ITEMS:
        if (save_items(p, t))
            end_tuple(p, t);
        break;
    case PICKLE__FROZENSET_ITEMS:
        if (save_items(p, t))
            end_frozenset(p, t);
        break;
    case PICKLE__INST_ITEMS:
        if (save_items(p, t))
            end(p);
        break;
    case PICKLE__BATCHES:
        if (save_items(p, t))
            end_batch(p, t);
        break;
    case PICKLE__CALLABLE:
        t->step = PICKLE__ARGS;
        pickle__save_value(p, PICKLE__AS(pickle__object, t->v)->callable);
        break;
    case PICKLE__ARGS:
        t->step = pickle__len(t->v) == PICKLE_CALL_NEWOBJ_EX ? PICKLE__KWARGS : PICKLE__CALL;
        pickle__save_value(p, PICKLE__AS(pickle__object, t->v)->args);
        break;
    case PICKLE__KWARGS:
        t->step = PICKLE__CALL;
        pickle__save_value(p, PICKLE__AS(pickle__object, t->v)->extra[0]);
        break;
    case PICKLE__CALL:
        call(p, t);
        break;
    case PICKLE__CHANGES:
        begin_change(p, t);
        break;
    case PICKLE__BUILD:
        end_change(p, t, PICKLE_OP_BUILD);
        break;
    case PICKLE__SETTER:
        end_setter(p, t);
        break;
    case PICKLE__POP_CALL:
        end_change(p, t, PICKLE_OP_POP);
        break;
    case PICKLE__PERSID_ID:
        t->step = PICKLE__PERSID;
        pickle__save_value(p, PICKLE__AS(pickle__ref, t->v)->id);
        break;
    case PICKLE__PERSID:
        pickle__emit_byte(p->e, PICKLE_OP_BINPERSID);
        t->step = PICKLE__CHANGES;
        put_if_stored(p, t->v);
        break;
    }
}

static bool report_progress(pickle__pickler *p)
{
    uint64_t here;

    if (!p->opts->on_progress)
        return true;
    here = pickle__emit_offset(p->e);
    if (here < p->next_report)
        return true;
    p->next_report = here + PROGRESS_STEP;
    return p->opts->on_progress(p->opts->ctx, here, 0) ||
           pickle__emit_fail(p->e, PICKLE_ERR_CANCELED, "writing was canceled");
}

void pickle__save_pickle(pickle__pickler *p, pickle_val *root)
{
    pickle__emit_start(p->e, p->protocol);
    pickle__save_value(p, root);
    while (p->depth > 0 && !failed(p)) {
        step(p, &p->tasks[p->depth - 1]);
        if (!report_progress(p))
            break;
    }
    if (failed(p))
        name_place(p);
    pickle__emit_stop(p->e);
}
