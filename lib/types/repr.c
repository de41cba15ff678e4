/*
 * repr.c - Python's repr() of a graph, on one line.
 *
 * The work that is left is kept on a stack: values to print, pieces of
 * punctuation, and containers that end. So depth costs memory, not stack.
 */
#include "types/repr.h"

#include "base/number.h"
#include "base/text.h"

typedef pickle__printer printer;
typedef pickle__task task;

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

pickle_sink pickle__printer_sink(printer *p)
{
    return (pickle_sink){ limited_write, p };
}

static bool put(printer *p, const char *text)
{
    return pickle__put(pickle__printer_sink(p), text);
}

bool pickle__print_later(printer *p, task t)
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
    return pickle__print_later(p, (task){ .text = text });
}

static bool add_value(printer *p, const pickle_val *v)
{
    return pickle__print_later(p, (task){ .v = v });
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
        return pickle__int_repr(PICKLE__AS_CONST(pickle__big, v)->bytes, pickle__len(v),
                                pickle__printer_sink(p), NULL);
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
        return pickle__repr_bytearray(data, len, pickle__printer_sink(p));
    if (pickle__is(v, PICKLE_BUFFER) && !pickle_is_readonly(v))
        return put(p, "<buffer ") && pickle__repr_bytes(data, len, pickle__printer_sink(p)) &&
               put(p, ">");
    return pickle__repr_bytes(data, len, pickle__printer_sink(p));
}

/* Names come from the input: what is not printable is escaped as in a str. */
static bool put_name(printer *p, const char *name)
{
    for (const char *s = name; *s;)
        if (!pickle__is_printable(pickle__utf8_next(&s)))
            return pickle__repr_str(name, strlen(name), pickle__printer_sink(p));
    return put(p, name);
}

static bool put_global(printer *p, const pickle_val *v)
{
    bool ok;

    if (p->python && pickle__print_class(p, v, &ok))
        return ok;
    return put_name(p, pickle_module(v)) && put(p, ".") && put_name(p, pickle_name(v));
}

/* --------------------------------------------------------------- containers */

bool pickle__print_enter(printer *p, const pickle_val *v, const char *cycle)
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
    if (!pickle__print_enter(p, v, cycle))
        return !p->failed;
    return put(p, open) && pickle__print_later(p, (task){ .v = v,
                                                          .items = { v, 0, NULL },
                                                          .text = close,
                                                          .what = PICKLE__PRINT_ITEMS });
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
    bool ok;

    if (pickle_bytes(v, NULL))
        return put_bytes(p, v);
    if (p->python && pickle__print_known(p, v, &ok))
        return ok;
    if (!pickle__print_enter(p, v, "..."))
        return !p->failed;
    return pickle__print_later(p, (task){ .v = v, .text = "", .what = PICKLE__PRINT_ITEMS }) &&
           add_changes(p, v) &&
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
    if (!pickle__print_enter(p, v, "..."))
        return !p->failed;
    return pickle__print_later(p, (task){ .v = v, .text = "", .what = PICKLE__PRINT_ITEMS }) &&
           add_changes(p, v) && start_symbol(p, v);
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
        return pickle__repr_str(pickle__text(v), pickle__len(v), pickle__printer_sink(p));
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

static bool print_pair(printer *p, const task *t)
{
    if (t->more && !put(p, ", "))
        return false;
    if (!t->v)
        return add_value(p, t->items.of);
    if (t->keyword)
        return put_name(p, pickle_str(t->v)) && put(p, "=") && add_value(p, t->items.of);
    return add_value(p, t->items.of) && add_text(p, ": ") && add_value(p, t->v);
}

/* The next item of a container on top of the stack, or its end. */
static bool go_on(printer *p)
{
    task *t = &p->tasks[p->n - 1], item = { .more = t->more, .keyword = t->keyword };

    if (!t->items.of || !pickle_next(&t->items, &item.v, &item.items.of)) {
        const char *close = t->text;

        if (t->v)
            pickle__seen_remove(&p->open, t->v);
        p->n--;
        return put(p, close);
    }
    if (t->pairs) {
        item.v = pickle_at(item.items.of, 0);
        item.items.of = pickle_at(item.items.of, 1);
    }
    t->more = true;
    return print_pair(p, &item);
}

static bool perform(printer *p)
{
    task t = p->tasks[p->n - 1];

    if (t.what == PICKLE__PRINT_ITEMS)
        return go_on(p);
    p->n--;
    if (t.what == PICKLE__PRINT_PAIR)
        return print_pair(p, &t);
    return t.text ? put(p, t.text) : print(p, t.v);
}

static bool print_all(printer *p, const pickle_val *v)
{
    bool ok = !v || add_value(p, v);

    while (ok && p->n > 0)
        ok = perform(p);
    pickle__free(NULL, p->tasks, p->room * sizeof *p->tasks);
    pickle__seen_free(&p->open);
    if (p->cut && !p->failed)
        return pickle__put(p->out, "...");
    return ok && !p->failed;
}

bool pickle_repr(const pickle_val *v, pickle_sink out, size_t limit, pickle_error *err)
{
    return print_all(&(printer){ .out = out, .left = limit ? limit : SIZE_MAX, .err = err }, v);
}

bool pickle_python_repr(const pickle_val *v, pickle_sink out, size_t limit, pickle_error *err)
{
    return print_all(
        &(printer){ .out = out, .left = limit ? limit : SIZE_MAX, .python = true, .err = err }, v);
}
