/*
 * vm.c - the loop over opcodes, and those that make and move plain values.
 *
 * The switch is generated from opcodes.inc; each opcode has a small handler
 * that is inlined there. What is rare or long lives in the other files of this
 * folder. Which input is refused, and why, follows CPython 3.13's C unpickler.
 */
#include "vm/vm.h"

#include "op/operand.h"

/* --------------------------------------------------------------- registers */

/*
 * What every opcode moves. It lives in the loop's local variables, and so in
 * registers: all that takes a `regs *` is inlined. What is called sees the
 * machine's own copy, which spill() and reload() keep in step around calls that
 * care.
 */
typedef struct regs {
    const unsigned char *at;  /* vm->src->at                                           */
    const unsigned char *end; /* vm->src->end, or as far as goes without progress seen */
    pickle_val **sp;          /* vm->sp                                                */
} regs;

PICKLE__INLINE void spill(pickle__vm *vm, const regs *r)
{
    vm->src->at = r->at;
    vm->sp = r->sp;
}

/* At least `n` bytes are at hand. A progress hook wants to hear from us at some offset: the loop
 * stops for it as if the window ended there. */
PICKLE__INLINE void reload(const pickle__vm *vm, regs *r, size_t n)
{
    r->at = vm->src->at;
    r->end = vm->src->end;
    r->sp = vm->sp;
    if (pickle__unlikely(vm->set->on_progress != NULL)) {
        uint64_t here = pickle__source_offset(vm->src);
        uint64_t most = vm->next_report > here ? vm->next_report - here : 0;

        most = most > n ? most : n;
        if ((uint64_t)(r->end - r->at) > most)
            r->end = r->at + most;
    }
}

/* ---------------------------------------------------------------- operands */

typedef struct operand {
    int64_t num; /* number, or length of what follows */
    double real;
    const unsigned char *text, *text2; /* lines, without LF */
    size_t len, len2;
} operand;

/* At least `n` bytes into the window, the slow way. */
PICKLE__INLINE bool refill(pickle__vm *vm, regs *r, size_t n)
{
    bool ok;

    spill(vm, r);
    ok = pickle__vm_refill(vm, n);
    reload(vm, r, n);
    return ok;
}

PICKLE__INLINE bool need(pickle__vm *vm, regs *r, size_t n)
{
    return pickle__likely((size_t)(r->end - r->at) >= n) || refill(vm, r, n);
}

/* Find the LF of a line that starts `from` bytes into the window, reading on as needed. */
PICKLE__INLINE bool find_line(pickle__vm *vm, regs *r, size_t from, size_t *len)
{
    size_t seen = from;

    for (;;) {
        const unsigned char *start = r->at + seen;
        size_t left = (size_t)(r->end - r->at) - seen;
        const unsigned char *lf = left ? memchr(start, '\n', left) : NULL;

        if (lf) {
            *len = (size_t)(lf - r->at) - from;
            return true;
        }
        seen += left;
        if (!refill(vm, r, seen + 1))
            return false;
    }
}

PICKLE__INLINE bool fetch_lines(pickle__vm *vm, regs *r, bool two, operand *a)
{
    size_t used;

    if (!find_line(vm, r, 0, &a->len))
        return false;
    used = a->len + 1;
    if (two) {
        if (!find_line(vm, r, used, &a->len2))
            return false;
        a->text2 = r->at + used;
        used += a->len2 + 1;
    }
    a->text = r->at;
    r->at += used;
    return true;
}

static bool bad_length(pickle__vm *vm)
{
    return pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the length is negative or too large");
}

/* The fixed part, or the lines, are consumed; what a length announces is not. */
PICKLE__INLINE bool fetch(pickle__vm *vm, regs *r, pickle_operand kind, operand *a)
{
    unsigned fixed = pickle__operand_fixed(kind);

    if (pickle__operand_shape(kind) == PICKLE__LINES)
        return fetch_lines(vm, r, kind == PICKLE_ARG_TWOLINES, a);
    if (fixed == 0)
        return true;
    if (!need(vm, r, fixed))
        return false;
    if (kind == PICKLE_ARG_F8)
        a->real = pickle__f64_be(r->at);
    else
        a->num = pickle__operand_number(kind, r->at);
    r->at += fixed;
    if (fixed >= 4 && pickle__operand_shape(kind) == PICKLE__SIZED && pickle__unlikely(a->num < 0))
        return bad_length(vm);
    return true;
}

/* The announced bytes, in the window for now. */
PICKLE__INLINE const unsigned char *content(pickle__vm *vm, regs *r, int64_t len)
{
    if ((uint64_t)len > SIZE_MAX || !need(vm, r, (size_t)len))
        return NULL;
    r->at += len;
    return r->at - len;
}

/* ------------------------------------------------------------ stack, marks */

static PICKLE__COLD bool grow_stack(pickle__vm *vm)
{
    size_t room = (size_t)(vm->stack_end - vm->stack), more = room ? room * 2 : 1024;
    size_t height = (size_t)(vm->sp - vm->stack), fence = (size_t)(vm->fence - vm->stack);
    pickle_val **stack =
        pickle__arena_hold(&vm->doc->arena, vm->stack, room * sizeof *stack, more * sizeof *stack);

    if (!stack)
        return pickle__vm_no_memory(vm);
    vm->stack = stack;
    vm->stack_end = stack + more;
    vm->sp = stack + height;
    vm->fence = stack + fence;
    return true;
}

/* NULL is for a node that could not be made. */
PICKLE__INLINE bool push(pickle__vm *vm, regs *r, pickle_val *v)
{
    if (pickle__unlikely(!v))
        return pickle__vm_no_memory(vm);
    if (pickle__unlikely(r->sp == vm->stack_end)) {
        vm->sp = r->sp;
        if (!grow_stack(vm))
            return false;
        r->sp = vm->sp;
    }
    *r->sp++ = v;
    return true;
}

/* Likewise; but the failure was reported. */
PICKLE__INLINE bool push_made(pickle__vm *vm, regs *r, pickle_val *v)
{
    return v && push(vm, r, v);
}

static PICKLE__COLD bool underflow(pickle__vm *vm)
{
    return pickle__vm_fail(vm, PICKLE_ERR_STACK,
                           vm->n_marks ? "a MARK is where a value is needed"
                                       : "the stack is empty");
}

/* Are there `n` items above the last MARK? */
PICKLE__INLINE bool have(pickle__vm *vm, regs *r, size_t n)
{
    return pickle__likely((size_t)(r->sp - vm->fence) >= n) || underflow(vm);
}

static void set_fence(pickle__vm *vm)
{
    vm->fence = vm->stack + (vm->n_marks ? vm->marks[vm->n_marks - 1] : 0);
}

static bool grow_marks(pickle__vm *vm)
{
    size_t more = vm->marks_room ? vm->marks_room * 2 : 64;
    size_t *marks = pickle__arena_hold(&vm->doc->arena, vm->marks, vm->marks_room * sizeof *marks,
                                       more * sizeof *marks);

    if (!marks)
        return pickle__vm_no_memory(vm);
    vm->marks = marks;
    vm->marks_room = more;
    return true;
}

/* Take the last MARK away: what stood above it are `*items`, `*n` of them. */
PICKLE__INLINE bool pop_mark(pickle__vm *vm, regs *r, pickle_val ***items, size_t *n)
{
    if (pickle__unlikely(vm->n_marks == 0)) {
        pickle__vm_fail(vm, PICKLE_ERR_STACK, "there is no MARK");
        return false;
    }
    *items = vm->fence;
    *n = (size_t)(r->sp - vm->fence);
    vm->n_marks--;
    set_fence(vm);
    return true;
}

PICKLE__INLINE bool op_MARK(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (pickle__unlikely(vm->n_marks == vm->marks_room) && !grow_marks(vm))
        return false;
    vm->marks[vm->n_marks++] = (size_t)(r->sp - vm->stack);
    vm->fence = r->sp;
    return true;
}

/* A MARK is an item for POP, and for nothing else. */
PICKLE__INLINE bool op_POP(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (r->sp > vm->fence) {
        r->sp--;
        return r->sp == vm->fence || !pickle__is(*r->sp, PICKLE_OBJECT) ||
               pickle__vm_popped(vm, r->sp[-1], *r->sp);
    }
    if (vm->n_marks == 0)
        return underflow(vm);
    vm->n_marks--;
    set_fence(vm);
    return true;
}

PICKLE__INLINE bool op_POP_MARK(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    r->sp = items;
    return true;
}

PICKLE__INLINE bool op_DUP(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 1))
        return false;
    pickle__adopt(r->sp[-1]);
    return push(vm, r, r->sp[-1]);
}

/* ------------------------------------------------------- protocol and frames */

#define HIGHEST_PROTOCOL 5

/* The opcodes say what they are; what they mean to each other is as in the highest protocol. */
PICKLE__COLD static bool unknown_protocol(pickle__vm *vm)
{
    int proto = vm->proto;

    if (vm->set->strict)
        return pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "protocol %d is not known", proto);
    vm->proto = HIGHEST_PROTOCOL;
    pickle__vm_warn(vm, PICKLE_ERR_OPERAND, "protocol %d is not known", proto);
    return true;
}

PICKLE__INLINE bool op_PROTO(pickle__vm *vm, regs *r, const operand *a)
{
    (void)r;
    vm->proto = (int)a->num;
    return vm->proto <= HIGHEST_PROTOCOL || unknown_protocol(vm);
}

/* Since Python 3.7 there are no frames below this, and operands from LONG_OPERAND on lie outside of
 * them: what tells older writers. */
#define FRAME_MIN    4
#define LONG_OPERAND ((int64_t)64 << 10)

/*
 * Frames are a hint for readers of files. CPython's C unpickler wants a frame to
 * be there whole, and else ignores where it ends; over a stream that cannot be
 * known beforehand, and the missing bytes are missed where they are needed.
 */
PICKLE__INLINE bool op_FRAME(pickle__vm *vm, regs *r, const operand *a)
{
    if (a->num < 0)
        return bad_length(vm);
    vm->frame_end = vm->src->base - (uint64_t)(vm->src->end - r->at) + (uint64_t)a->num;
    if (a->num < FRAME_MIN)
        vm->doc->traits.old_frames = true;
    if (!vm->src->reader && (uint64_t)a->num > (uint64_t)(vm->src->end - r->at))
        return pickle__vm_fail(vm, PICKLE_ERR_TRUNCATED, "the frame is longer than the input");
    return true;
}

PICKLE__INLINE bool op_STOP(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 1))
        return false;
    vm->stopped = true;
    return false;
}

static PICKLE__COLD void note_long(pickle__vm *vm, const regs *r)
{
    if (vm->src->base - (uint64_t)(vm->src->end - r->at) < vm->frame_end)
        vm->doc->traits.old_frames = true;
}

/* ----------------------------------------------------------------- numbers */

PICKLE__INLINE bool op_NONE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, PICKLE__AS_STATIC(pickle__none));
}

PICKLE__INLINE bool op_NEWTRUE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, PICKLE__AS_STATIC(pickle__true));
}

PICKLE__INLINE bool op_NEWFALSE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, PICKLE__AS_STATIC(pickle__false));
}

PICKLE__INLINE bool push_int(pickle__vm *vm, regs *r, int64_t n)
{
    return push(vm, r,
                pickle__likely(pickle__fits_small(n)) ? pickle__small(n)
                                                      : pickle__new_int(vm->doc, n));
}

PICKLE__INLINE bool op_BININT(pickle__vm *vm, regs *r, const operand *a)
{
    return push_int(vm, r, a->num);
}

PICKLE__INLINE bool op_BININT1(pickle__vm *vm, regs *r, const operand *a)
{
    return push_int(vm, r, a->num);
}

PICKLE__INLINE bool op_BININT2(pickle__vm *vm, regs *r, const operand *a)
{
    return push_int(vm, r, a->num);
}

/* So that a writer of Python 2 can tell int from long. */
static pickle_val *as_long(pickle_val *v)
{
    if (!v)
        return NULL;
    if (pickle__is_small(v))
        return (pickle_val *)((uintptr_t)v | PICKLE__LONG_BIT);
    v->tag |= PICKLE__LONG;
    return v;
}

PICKLE__INLINE bool push_long(pickle__vm *vm, regs *r, int64_t len)
{
    const unsigned char *bytes = content(vm, r, len);

    return bytes && push(vm, r, as_long(pickle__new_big(vm->doc, bytes, (size_t)len)));
}

PICKLE__INLINE bool op_LONG1(pickle__vm *vm, regs *r, const operand *a)
{
    return push_long(vm, r, a->num);
}

PICKLE__INLINE bool op_LONG4(pickle__vm *vm, regs *r, const operand *a)
{
    return push_long(vm, r, a->num);
}

PICKLE__INLINE bool op_INT(pickle__vm *vm, regs *r, const operand *a)
{
    return push_made(vm, r, pickle__vm_int_line(vm, a->text, a->len));
}

PICKLE__INLINE bool op_LONG(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val *v = pickle__vm_long_line(vm, a->text, a->len);

    return v && push(vm, r, as_long(v));
}

PICKLE__INLINE bool op_BINFLOAT(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val *v = pickle__small_float(a->real);

    if (pickle__likely(v != NULL))
        return push(vm, r, v);
    if (a->real == 0 && memcmp(&a->real, &pickle__zero.x, sizeof a->real) == 0)
        return push(vm, r, PICKLE__AS_STATIC(pickle__zero.v));
    return push(vm, r, pickle__new_float(vm->doc, a->real));
}

PICKLE__INLINE bool op_FLOAT(pickle__vm *vm, regs *r, const operand *a)
{
    vm->doc->traits.text = true;
    return push_made(vm, r, pickle__vm_float_line(vm, a->text, a->len));
}

/* --------------------------------------------------------- text and bytes */

static PICKLE__COLD bool bad_text(pickle__vm *vm, const pickle__text_error *e)
{
    return pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the text is no UTF-8: %s at its byte %zu",
                           e->reason, e->at);
}

PICKLE__INLINE bool push_str(pickle__vm *vm, regs *r, int64_t len)
{
    const unsigned char *text = content(vm, r, len);
    pickle__text_error e;
    pickle__str *s;
    unsigned flags;

    if (pickle__unlikely(len >= LONG_OPERAND))
        note_long(vm, r);
    if (pickle__unlikely(!text))
        return false;
    s = pickle__new_str(vm->doc, (size_t)len);
    if (pickle__unlikely(!s))
        return pickle__vm_no_memory(vm);
    if (pickle__unlikely(!pickle__utf8_copy(s->text, text, (size_t)len, &flags, &e)))
        return bad_text(vm, &e);
    if (pickle__unlikely(flags & PICKLE__TEXT_SURROGATES))
        s->v.tag |= PICKLE__SURROGATES;
    return push(vm, r, &s->v);
}

PICKLE__INLINE bool op_SHORT_BINUNICODE(pickle__vm *vm, regs *r, const operand *a)
{
    return push_str(vm, r, a->num);
}

PICKLE__INLINE bool op_BINUNICODE(pickle__vm *vm, regs *r, const operand *a)
{
    return push_str(vm, r, a->num);
}

PICKLE__INLINE bool op_BINUNICODE8(pickle__vm *vm, regs *r, const operand *a)
{
    return push_str(vm, r, a->num);
}

PICKLE__INLINE bool op_UNICODE(pickle__vm *vm, regs *r, const operand *a)
{
    vm->doc->traits.text = true;
    return push_made(vm, r, pickle__vm_unicode_line(vm, a->text, a->len));
}

/* The announced bytes, for as long as the document lives. */
PICKLE__INLINE const unsigned char *take_bytes(pickle__vm *vm, regs *r, int64_t len)
{
    const unsigned char *data;

    spill(vm, r);
    data = pickle__vm_take_bytes(vm, (uint64_t)len);
    reload(vm, r, 0);
    return data;
}

PICKLE__INLINE bool push_py2_str(pickle__vm *vm, regs *r, int64_t len)
{
    const unsigned char *data = take_bytes(vm, r, len);

    return data && push_made(vm, r, pickle__vm_py2_str(vm, data, (size_t)len));
}

PICKLE__INLINE bool op_SHORT_BINSTRING(pickle__vm *vm, regs *r, const operand *a)
{
    return push_py2_str(vm, r, a->num);
}

PICKLE__INLINE bool op_BINSTRING(pickle__vm *vm, regs *r, const operand *a)
{
    return push_py2_str(vm, r, a->num);
}

PICKLE__INLINE bool op_STRING(pickle__vm *vm, regs *r, const operand *a)
{
    vm->doc->traits.text = true;
    return push_made(vm, r, pickle__vm_string_line(vm, a->text, a->len));
}

PICKLE__INLINE bool push_bytes(pickle__vm *vm, regs *r, pickle_kind kind, int64_t len)
{
    const unsigned char *data = take_bytes(vm, r, len);

    if (pickle__unlikely(len >= LONG_OPERAND))
        note_long(vm, r);
    vm->doc->traits.py3_bytes = true;
    return data && push(vm, r, pickle__new_bytes(vm->doc, kind, data, (size_t)len));
}

PICKLE__INLINE bool op_SHORT_BINBYTES(pickle__vm *vm, regs *r, const operand *a)
{
    return push_bytes(vm, r, PICKLE_BYTES, a->num);
}

PICKLE__INLINE bool op_BINBYTES(pickle__vm *vm, regs *r, const operand *a)
{
    return push_bytes(vm, r, PICKLE_BYTES, a->num);
}

PICKLE__INLINE bool op_BINBYTES8(pickle__vm *vm, regs *r, const operand *a)
{
    return push_bytes(vm, r, PICKLE_BYTES, a->num);
}

PICKLE__INLINE bool op_BYTEARRAY8(pickle__vm *vm, regs *r, const operand *a)
{
    return push_bytes(vm, r, PICKLE_BYTEARRAY, a->num);
}

PICKLE__INLINE bool op_NEXT_BUFFER(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push_made(vm, r, pickle__vm_next_buffer(vm));
}

PICKLE__INLINE bool op_READONLY_BUFFER(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 1))
        return false;
    return (r->sp[-1] = pickle__vm_readonly(vm, r->sp[-1])) != NULL;
}

/* ------------------------------------------------------------------ tuples */

PICKLE__INLINE bool reduce_to_tuple(pickle__vm *vm, regs *r, size_t n)
{
    pickle__tuple *t = pickle__new_tuple(vm->doc, n);

    if (pickle__unlikely(!t))
        return pickle__vm_no_memory(vm);
    r->sp -= n;
    memcpy(t->items, r->sp, n * sizeof *t->items);
    *r->sp++ = &t->v;
    return true;
}

PICKLE__INLINE bool op_EMPTY_TUPLE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, PICKLE__AS_STATIC(pickle__empty_tuple));
}

PICKLE__INLINE bool op_TUPLE1(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return have(vm, r, 1) && reduce_to_tuple(vm, r, 1);
}

PICKLE__INLINE bool op_TUPLE2(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return have(vm, r, 2) && reduce_to_tuple(vm, r, 2);
}

PICKLE__INLINE bool op_TUPLE3(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return have(vm, r, 3) && reduce_to_tuple(vm, r, 3);
}

PICKLE__INLINE bool op_TUPLE(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;

    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (n > 0)
        return reduce_to_tuple(vm, r, n);
    vm->doc->traits.text = true;
    return op_EMPTY_TUPLE(vm, r, a);
}

/* ------------------------------------------------------- lists, dicts, sets */

PICKLE__INLINE bool extend(pickle__vm *vm, pickle_val *container, pickle_val **items, size_t n)
{
    return pickle__likely(pickle__extend(vm->doc, container, items, n)) || pickle__vm_no_memory(vm);
}

/* Only what cannot be told from the kind alone needs a look. */
PICKLE__INLINE bool check_keys(pickle__vm *vm, pickle_val **items, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i += step)
        if (pickle__is_node(items[i]) && (items[i]->tag & 0xff) > PICKLE_BYTES)
            return pickle__vm_check_keys(vm, items + i, n - i, step);
    return true;
}

/*
 * What shows which pickler wrote: batches hold 1000 items, and where one item is
 * left the C pickler writes another batch for exact containers, the Python one a
 * single APPEND or SETITEM. Where none is left of a dict or set, the C pickler writes
 * an empty batch; so those that stay as they are were written by the other.
 */
#define BATCH 1000

/* Does the container end with a whole batch, so that what comes now goes on after it? */
PICKLE__INLINE bool goes_on(const pickle_val *container, size_t stride)
{
    size_t len = pickle__len(container);

    return pickle__unlikely(len >= BATCH) && len % (BATCH * stride) == 0;
}

/* `n` items come to an exact dict or set (`ends_empty`) or list. */
PICKLE__INLINE void note_batch(pickle__vm *vm, const pickle_val *container, size_t n, size_t stride,
                               bool ends_empty)
{
    pickle__traits *t = &vm->doc->traits;
    bool on = goes_on(container, stride);

    if (pickle__likely(!on && n != BATCH))
        return;
    if (on) {
        t->full_batches -= ends_empty && t->full_batches > 0;
        t->c_batches |= n == 0 || (n == 1 && !pickle__is(container, PICKLE_SET));
    }
    t->full_batches += ends_empty && n == BATCH && (on || pickle__len(container) == 0);
}

PICKLE__INLINE void note_single(pickle__vm *vm, const pickle_val *container, size_t stride)
{
    if (pickle__likely(!goes_on(container, stride)) || vm->doc->traits.text)
        return;
    vm->doc->traits.py_batches = true;
}

PICKLE__INLINE bool op_EMPTY_LIST(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, pickle__new_list(vm->doc));
}

PICKLE__INLINE bool op_EMPTY_DICT(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, pickle__new_table(vm->doc, PICKLE_DICT));
}

PICKLE__INLINE bool op_EMPTY_SET(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return push(vm, r, pickle__new_table(vm->doc, PICKLE_SET));
}

PICKLE__INLINE bool op_LIST(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items, *list;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    list = pickle__new_list(vm->doc);
    if (!list || (n && !pickle__extend(vm->doc, list, items, n)))
        return pickle__vm_no_memory(vm);
    r->sp = items;
    return push(vm, r, list);
}

static bool odd_items(pickle__vm *vm)
{
    return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "the number of keys and values is odd");
}

PICKLE__INLINE bool op_DICT(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items, *dict;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (n % 2)
        return odd_items(vm);
    if (!check_keys(vm, items, n, 2))
        return false;
    dict = pickle__new_table(vm->doc, PICKLE_DICT);
    if (!dict || (n && !pickle__extend(vm->doc, dict, items, n)))
        return pickle__vm_no_memory(vm);
    r->sp = items;
    return push(vm, r, dict);
}

PICKLE__INLINE bool op_FROZENSET(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items, *set;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (!check_keys(vm, items, n, 1))
        return false;
    set = pickle__new_table(vm->doc, PICKLE_FROZENSET);
    if (!set || (n && !pickle__extend(vm->doc, set, items, n)))
        return pickle__vm_no_memory(vm);
    r->sp = items;
    return push(vm, r, set);
}

/* `n` items on top go to what stands below them. */
PICKLE__INLINE bool append_items(pickle__vm *vm, regs *r, pickle_val **items, size_t n)
{
    pickle_val *to = items[-1];
    bool ok = pickle__likely(pickle__is(to, PICKLE_LIST))
                  ? extend(vm, to, items, n)
                  : pickle__vm_append_other(vm, to, items, n);

    r->sp = items;
    return ok;
}

PICKLE__INLINE bool op_APPEND(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 2))
        return false;
    if (pickle__is(r->sp[-2], PICKLE_LIST))
        note_single(vm, r->sp[-2], 1);
    return append_items(vm, r, r->sp - 1, 1);
}

PICKLE__INLINE bool op_APPENDS(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (items <= vm->fence)
        return underflow(vm);
    if (n == 0)
        return true;
    if (pickle__is(items[-1], PICKLE_LIST))
        note_batch(vm, items[-1], n, 1, false);
    return append_items(vm, r, items, n);
}

PICKLE__INLINE bool set_items(pickle__vm *vm, regs *r, pickle_val **items, size_t n)
{
    pickle_val *on = items[-1];
    bool ok;

    if (pickle__likely(pickle__is(on, PICKLE_DICT)))
        ok = check_keys(vm, items, n, 2) && extend(vm, on, items, n);
    else
        ok = pickle__vm_set_other(vm, on, items, n);
    r->sp = items;
    return ok;
}

PICKLE__INLINE bool op_SETITEM(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 3))
        return false;
    if (pickle__is(r->sp[-3], PICKLE_DICT))
        note_single(vm, r->sp[-3], 2);
    return set_items(vm, r, r->sp - 2, 2);
}

PICKLE__INLINE bool op_SETITEMS(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (items <= vm->fence)
        return underflow(vm);
    if (pickle__is(items[-1], PICKLE_DICT))
        note_batch(vm, items[-1], n / 2, 2, true);
    if (n == 0)
        return true;
    if (n % 2)
        return odd_items(vm);
    return set_items(vm, r, items, n);
}

PICKLE__INLINE bool op_ADDITEMS(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;
    bool ok;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (items <= vm->fence)
        return underflow(vm);
    if (pickle__is(items[-1], PICKLE_SET))
        note_batch(vm, items[-1], n, 1, true);
    if (n == 0)
        return true;
    if (pickle__is(items[-1], PICKLE_SET))
        ok = check_keys(vm, items, n, 1) && extend(vm, items[-1], items, n);
    else
        ok = pickle__vm_add_other(vm, items[-1], items, n);
    r->sp = items;
    return ok;
}

/* -------------------------------------------------------------------- memo */

/* Not the next key, or the table has to grow. Python 2's pickle.py skips a key, once. */
static bool put_elsewhere(pickle__vm *vm, uint64_t key, pickle_val *v)
{
    pickle__traits *t = &vm->doc->traits;

    if (key == vm->memo.high + 1 && vm->memo.high > 0 && t->memo_gap == 0)
        t->memo_gap = vm->memo.high;
    return pickle__vm_memo_put(vm, key, v) || pickle__vm_no_memory(vm);
}

PICKLE__INLINE bool memoize(pickle__vm *vm, regs *r, uint64_t key)
{
    pickle__vm_memo *m = &vm->memo;
    pickle_val *v;

    if (!have(vm, r, 1))
        return false;
    v = r->sp[-1];
    if (pickle__is_node(v) && !(v->tag & PICKLE__STATIC))
        v->tag |= PICKLE__MEMOIZED;
    if (pickle__likely(key == m->high && m->high < m->room && !m->n_sparse)) {
        m->dense[m->high++] = v;
        m->count++;
        return true;
    }
    return put_elsewhere(vm, key, v);
}

PICKLE__INLINE bool op_MEMOIZE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return memoize(vm, r, vm->memo.count);
}

PICKLE__INLINE bool op_BINPUT(pickle__vm *vm, regs *r, const operand *a)
{
    return memoize(vm, r, (uint64_t)a->num);
}

PICKLE__INLINE bool op_LONG_BINPUT(pickle__vm *vm, regs *r, const operand *a)
{
    return memoize(vm, r, (uint64_t)a->num);
}

PICKLE__INLINE bool op_PUT(pickle__vm *vm, regs *r, const operand *a)
{
    uint64_t key;

    vm->doc->traits.text = true;
    if (!pickle__vm_memo_line(vm, a->text, a->len, &key))
        return false;
    return memoize(vm, r, key);
}

PICKLE__INLINE bool push_memo(pickle__vm *vm, regs *r, uint64_t key)
{
    pickle_val *v = pickle__likely(key < vm->memo.high) ? vm->memo.dense[key] : NULL;

    if (pickle__unlikely(!v))
        v = pickle__vm_memo_get(vm, key);
    if (pickle__unlikely(!v))
        return pickle__vm_fail(vm, PICKLE_ERR_MEMO, "nothing was stored under memo key %llu",
                               (unsigned long long)key);
    pickle__adopt(v);
    return push(vm, r, v);
}

PICKLE__INLINE bool op_BINGET(pickle__vm *vm, regs *r, const operand *a)
{
    return push_memo(vm, r, (uint64_t)a->num);
}

PICKLE__INLINE bool op_LONG_BINGET(pickle__vm *vm, regs *r, const operand *a)
{
    return push_memo(vm, r, (uint64_t)a->num);
}

PICKLE__INLINE bool op_GET(pickle__vm *vm, regs *r, const operand *a)
{
    uint64_t key;

    return pickle__vm_memo_line(vm, a->text, a->len, &key) && push_memo(vm, r, key);
}

/* --------------------------------------------------------- globals, objects */

PICKLE__INLINE bool op_GLOBAL(pickle__vm *vm, regs *r, const operand *a)
{
    return push_made(vm, r, pickle__vm_global_lines(vm, a->text, a->len, a->text2, a->len2, false));
}

PICKLE__INLINE bool op_STACK_GLOBAL(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val *g;

    (void)a;
    if (!have(vm, r, 2))
        return false;
    if (!pickle__is(r->sp[-1], PICKLE_STR) || !pickle__is(r->sp[-2], PICKLE_STR))
        return pickle__vm_fail(vm, PICKLE_ERR_VALUE, "module and name must be str");
    g = pickle__vm_global(vm, PICKLE__AS(pickle__str, r->sp[-2]),
                          PICKLE__AS(pickle__str, r->sp[-1]));
    if (!g)
        return false;
    g->tag |= PICKLE__BY_STACK;
    r->sp--;
    r->sp[-1] = g;
    return true;
}

PICKLE__INLINE bool op_EXT1(pickle__vm *vm, regs *r, const operand *a)
{
    return push_made(vm, r, pickle__vm_extension(vm, a->num));
}

PICKLE__INLINE bool op_EXT2(pickle__vm *vm, regs *r, const operand *a)
{
    return push_made(vm, r, pickle__vm_extension(vm, a->num));
}

PICKLE__INLINE bool op_EXT4(pickle__vm *vm, regs *r, const operand *a)
{
    return push_made(vm, r, pickle__vm_extension(vm, a->num));
}

PICKLE__INLINE bool op_PERSID(pickle__vm *vm, regs *r, const operand *a)
{
    pickle__str *id;

    vm->doc->traits.text = true;
    for (size_t i = 0; i < a->len; i++)
        if (a->text[i] >= 0x80)
            return pickle__vm_fail(vm, PICKLE_ERR_OPERAND, "the persistent id is not ASCII");
    id = pickle__new_text(vm->doc, (const char *)a->text, a->len);
    return id ? push_made(vm, r, pickle__vm_persid(vm, &id->v)) : pickle__vm_no_memory(vm);
}

PICKLE__INLINE bool op_BINPERSID(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    if (!have(vm, r, 1))
        return false;
    return (r->sp[-1] = pickle__vm_persid(vm, r->sp[-1])) != NULL;
}

/* The top `n` items give way to what calling the lowest of them with the others makes. */
PICKLE__INLINE bool call(pickle__vm *vm, regs *r, pickle_call how, size_t n)
{
    pickle_val *made;

    if (!have(vm, r, n))
        return false;
    made = pickle__vm_call(vm, how, r->sp[-(ptrdiff_t)n], r->sp[1 - (ptrdiff_t)n],
                           n == 3 ? r->sp[-1] : NULL);
    r->sp -= n;
    return push_made(vm, r, made);
}

PICKLE__INLINE bool op_REDUCE(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return call(vm, r, PICKLE_CALL_REDUCE, 2);
}

PICKLE__INLINE bool op_NEWOBJ(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return call(vm, r, PICKLE_CALL_NEWOBJ, 2);
}

PICKLE__INLINE bool op_NEWOBJ_EX(pickle__vm *vm, regs *r, const operand *a)
{
    (void)a;
    return call(vm, r, PICKLE_CALL_NEWOBJ_EX, 3);
}

/* INST's class is its operand, OBJ's the first item above the MARK. */
PICKLE__INLINE bool op_INST(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items, *class;
    size_t n;

    class = pickle__vm_global_lines(vm, a->text, a->len, a->text2, a->len2, true);
    if (!class || !pop_mark(vm, r, &items, &n))
        return false;
    if (n == 0)
        return push_made(vm, r,
                         pickle__vm_call(vm, PICKLE_CALL_INST, class,
                                         PICKLE__AS_STATIC(pickle__empty_tuple), NULL));
    if (!reduce_to_tuple(vm, r, n))
        return false;
    r->sp[-1] = pickle__vm_call(vm, PICKLE_CALL_INST, class, r->sp[-1], NULL);
    return r->sp[-1] != NULL;
}

PICKLE__INLINE bool op_OBJ(pickle__vm *vm, regs *r, const operand *a)
{
    pickle_val **items;
    size_t n;

    (void)a;
    if (!pop_mark(vm, r, &items, &n))
        return false;
    if (n == 0)
        return underflow(vm);
    if (n == 1 ? !op_EMPTY_TUPLE(vm, r, a) : !reduce_to_tuple(vm, r, n - 1))
        return false;
    return call(vm, r, PICKLE_CALL_OBJ, 2);
}

/* The array behind a joblib wrapper is read in here. */
PICKLE__INLINE bool op_BUILD(pickle__vm *vm, regs *r, const operand *a)
{
    bool ok;

    (void)a;
    if (!have(vm, r, 2))
        return false;
    r->sp--;
    spill(vm, r);
    ok = pickle__vm_build(vm, r->sp[-1], r->sp[0]);
    reload(vm, r, 0);
    return ok;
}

/* -------------------------------------------------------------------- loop */

static bool unknown_opcode(pickle__vm *vm)
{
    return pickle__vm_fail(vm, PICKLE_ERR_OPCODE, "byte 0x%02x is no opcode", *vm->op_at);
}

static bool run(pickle__vm *vm)
{
    regs r;

    reload(vm, &r, 0);
    for (;;) {
        vm->op_at = r.at;
        if (pickle__unlikely(r.at == r.end) && !refill(vm, &r, 1))
            return false;
        vm->op_at = r.at;
        switch (*r.at++) {
#define PICKLE_OP(name, code, proto, kind, before, after)                      \
    case code: {                                                               \
        operand a;                                                             \
        if (!fetch(vm, &r, PICKLE_ARG_##kind, &a) || !op_##name(vm, &r, &a)) { \
            spill(vm, &r);                                                     \
            return vm->stopped;                                                \
        }                                                                      \
        break;                                                                 \
    }
#include <pickle/opcodes.inc>
#undef PICKLE_OP
        default:
            return unknown_opcode(vm);
        }
    }
}

pickle_val *pickle__vm_run(pickle__vm *vm, pickle__source *src, const pickle__settings *set,
                           const pickle__vm_hooks *hooks, pickle_error *err)
{
    pickle__vm_start(vm, src, set, hooks, err);
    vm->proto = 0;
    vm->stopped = false;
    vm->frame_end = 0;
    vm->n_marks = 0;
    vm->sp = vm->fence = vm->stack;
    vm->op_at = src->at;
    vm->doc->traits.pickles++;
    if (!set->keep_memo)
        pickle__vm_memo_clear(vm);
    if (!vm->stack && !grow_stack(vm))
        return NULL;
    if (!run(vm))
        return NULL;
    vm->doc->traits.py_batches |= vm->doc->traits.full_batches > 0;
    vm->doc->traits.memo_from_one |= vm->memo.high > 1 && !vm->memo.dense[0];
    return vm->sp[-1];
}
