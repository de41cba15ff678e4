/*
 * repr.c - Python's repr() of a graph, on one line.
 *
 * The work that is left is kept on a stack: values to print, pieces of
 * punctuation, and containers that end. So depth costs memory, not stack.
 */
#include "base/number.h"
#include "base/text.h"
#include "graph/doc.h"
#include "graph/walk.h"

/* A thing to do: print text, print a value, go on within a container, or leave it. */
typedef struct task {
    const char *text; /* constant, printed first */
    const pickle_val *v;
    pickle_iter items; /* of `v`, when `inside`   */
    const char *close;
    bool inside;
} task;

typedef struct printer {
    pickle_sink out;
    size_t left; /* bytes that may still be written */
    bool cut;    /* there were too many             */
    bool failed;
    task *tasks;
    size_t n, room;
    pickle__seen open; /* containers being printed */
    pickle_error *err;
} printer;

/* ------------------------------------------------------------------- output */

static bool limited_write(void *ctx, const void *data, size_t len)
{
    printer *p = ctx;

    if (len > p->left) {
        p->cut = true;
        return false;
    }
    p->left -= len;
    if (!p->out.write(p->out.ctx, data, len)) {
        p->failed = true;
        return false;
    }
    return true;
}

static pickle_sink sink(printer *p)
{
    return (pickle_sink){ limited_write, p };
}

static bool put(printer *p, const char *text)
{
    return pickle__put(sink(p), text);
}

static bool add(printer *p, task t)
{
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 32;
        task *tasks =
            pickle__realloc(NULL, p->tasks, p->room * sizeof *tasks, room * sizeof *tasks);

        if (!tasks) {
            p->failed = true;
            return pickle__no_memory(p->err, 0);
        }
        p->tasks = tasks;
        p->room = room;
    }
    p->tasks[p->n++] = t;
    return true;
}

static bool add_text(printer *p, const char *text)
{
    return add(p, (task){ .text = text });
}

static bool add_value(printer *p, const pickle_val *v)
{
    return add(p, (task){ .v = v });
}

/* -------------------------------------------------------------------- atoms */

static bool put_int(printer *p, const pickle_val *v)
{
    char text[PICKLE__INT_CHARS];

    if (!pickle__is_small(v) && pickle__len(v) > p->left / 2) { /* 2.4 digits a byte: too many */
        p->cut = true;
        return false;
    }
    if (!pickle__is_small(v))
        return pickle__int_repr(PICKLE__AS_CONST(pickle__big, v)->bytes, pickle__len(v), sink(p),
                                NULL);
    pickle__i64_repr(text, pickle__small_value(v));
    return put(p, text);
}

static bool put_float(printer *p, const pickle_val *v)
{
    char text[PICKLE__FLOAT_CHARS];

    pickle__float_repr(text, pickle_f64_or(v, 0));
    return put(p, text);
}

static bool put_bytes(printer *p, const pickle_val *v)
{
    size_t len;
    const void *data = pickle_bytes(v, &len);

    if (!data)
        return put(p, "<absent buffer>");
    if (pickle__is(v, PICKLE_BYTEARRAY))
        return pickle__repr_bytearray(data, len, sink(p));
    if (pickle__is(v, PICKLE_BUFFER) && !pickle_is_readonly(v))
        return put(p, "<buffer ") && pickle__repr_bytes(data, len, sink(p)) && put(p, ">");
    return pickle__repr_bytes(data, len, sink(p));
}

/* Names come from the input: what is not printable is escaped as in a str. */
static bool put_name(printer *p, const char *name)
{
    for (const char *s = name; *s;)
        if (!pickle__is_printable(pickle__utf8_next(&s)))
            return pickle__repr_str(name, strlen(name), sink(p));
    return put(p, name);
}

static bool put_global(printer *p, const pickle_val *v)
{
    return put_name(p, pickle_module(v)) && put(p, ".") && put_name(p, pickle_name(v));
}

/* --------------------------------------------------------------- containers */

/* Enter a container: false, and "..." printed, when it is already being printed. */
static bool enter(printer *p, const pickle_val *v, const char *cycle)
{
    bool known;

    if (!pickle__seen_add(&p->open, v, &known)) {
        p->failed = true;
        return pickle__no_memory(p->err, 0);
    }
    if (known)
        put(p, cycle);
    return !known;
}

static bool start(printer *p, const pickle_val *v, const char *open, const char *close,
                  const char *cycle)
{
    if (!enter(p, v, cycle))
        return !p->failed;
    return put(p, open) &&
           add(p, (task){ .v = v, .items = { v, 0, NULL }, .close = close, .inside = true });
}

static bool start_tuple(printer *p, const pickle_val *v)
{
    return start(p, v, "(", pickle_len(v) == 1 ? ",)" : ")", "(...)");
}

static bool start_set(printer *p, const pickle_val *v)
{
    if (pickle_len(v) == 0)
        return put(p, "set()");
    return start(p, v, "{", "}", "set(...)");
}

static bool start_frozenset(printer *p, const pickle_val *v)
{
    if (pickle_len(v) == 0)
        return put(p, "frozenset()");
    return start(p, v, "frozenset({", "})", "frozenset(...)");
}

/* Changes in their order, last on the stack first; each is a task of its own. */
static bool add_changes(printer *p, const pickle_val *v)
{
    static const char *const words[] = {
        [PICKLE_CHANGE_BUILD] = "<state ",   [PICKLE_CHANGE_APPENDS] = "<list ",
        [PICKLE_CHANGE_SETITEMS] = "<dict ", [PICKLE_CHANGE_ADDITEMS] = "<set ",
        [PICKLE_CHANGE_PAYLOAD] = "<array ", [PICKLE_CHANGE_NESTED] = "<array ",
        [PICKLE_CHANGE_CALL] = "<call ",
    };
    pickle_change c;
    size_t base = p->n;

    for (bool on = pickle_first_change(v, &c); on; on = pickle_next_change(&c))
        if (!add_text(p, words[c.kind]) || !add_value(p, c.value) || !add_text(p, ">"))
            return false;
    for (size_t i = base, j = p->n; i + 1 < j; i++) {
        task t = p->tasks[i];

        p->tasks[i] = p->tasks[--j];
        p->tasks[j] = t;
    }
    return true;
}

static bool start_object(printer *p, const pickle_val *v)
{
    if (pickle_bytes(v, NULL))
        return put_bytes(p, v);
    if (!enter(p, v, "..."))
        return !p->failed;
    return add(p, (task){ .v = v, .close = "", .inside = true }) && add_changes(p, v) &&
           (!pickle_kwargs(v) || (add_value(p, pickle_kwargs(v)) && add_text(p, " **"))) &&
           add_value(p, pickle_args(v)) && add_value(p, pickle_callable(v));
}

/* What is printed before the changes of a symbol that is no object. */
static bool start_symbol(printer *p, const pickle_val *v)
{
    if (pickle__is(v, PICKLE_GLOBAL))
        return put_global(p, v);
    return add_text(p, ">") && add_value(p, pickle_id(v)) &&
           put(p, pickle__is(v, PICKLE_PERSID) ? "<persistent id " : "<extension code ");
}

static bool start_changed(printer *p, const pickle_val *v)
{
    if (!enter(p, v, "..."))
        return !p->failed;
    return add(p, (task){ .v = v, .close = "", .inside = true }) && add_changes(p, v) &&
           start_symbol(p, v);
}

static bool print(printer *p, const pickle_val *v)
{
    switch (pickle__kind(v)) {
    case PICKLE_NONE:
        return put(p, "None");
    case PICKLE_BOOL:
        return put(p, pickle__len(v) ? "True" : "False");
    case PICKLE_INT:
        return put_int(p, v);
    case PICKLE_FLOAT:
        return put_float(p, v);
    case PICKLE_STR:
        return pickle__repr_str(pickle__text(v), pickle__len(v), sink(p));
    case PICKLE_BYTES:
    case PICKLE_BYTEARRAY:
    case PICKLE_BUFFER:
        return put_bytes(p, v);
    case PICKLE_TUPLE:
        return start_tuple(p, v);
    case PICKLE_LIST:
        return start(p, v, "[", "]", "[...]");
    case PICKLE_DICT:
        return start(p, v, "{", "}", "{...}");
    case PICKLE_SET:
        return start_set(p, v);
    case PICKLE_FROZENSET:
        return start_frozenset(p, v);
    case PICKLE_GLOBAL:
        return pickle__next_change(v, NULL) ? start_changed(p, v) : put_global(p, v);
    case PICKLE_OBJECT:
        return start_object(p, v);
    case PICKLE_PERSID:
    case PICKLE_EXT:
        return start_changed(p, v);
    default:
        return true;
    }
}

/* The next item of a container on top of the stack, or its end. */
static bool go_on(printer *p)
{
    task *t = &p->tasks[p->n - 1];
    const pickle_val *key, *value;
    bool first = t->items.pos == 0;

    if (!t->items.of || !pickle_next(&t->items, &key, &value)) {
        pickle__seen_remove(&p->open, t->v);
        p->n--;
        return put(p, t->close);
    }
    if (!first && !put(p, ", "))
        return false;
    if (!key)
        return add_value(p, value);
    return add_value(p, value) && add_text(p, ": ") && add_value(p, key);
}

static bool perform(printer *p)
{
    task t = p->tasks[p->n - 1];

    if (t.inside)
        return go_on(p);
    p->n--;
    return t.text ? put(p, t.text) : print(p, t.v);
}

bool pickle_repr(const pickle_val *v, pickle_sink out, size_t limit, pickle_error *err)
{
    printer p = { .out = out, .left = limit ? limit : SIZE_MAX, .err = err };
    bool ok = !v || add_value(&p, v);

    while (ok && p.n > 0)
        ok = perform(&p);
    pickle__free(NULL, p.tasks, p.room * sizeof *p.tasks);
    pickle__seen_free(&p.open);
    if (p.cut && !p.failed)
        return pickle__put(out, "...");
    return ok && !p.failed;
}
